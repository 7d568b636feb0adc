//! The text of `historyserver check-config`: all values in force and where each comes from.

use std::fmt::Write as _;

use super::options::{self, Effect, Group};
use super::secrets::shown;
use super::settings::{Origin, Setting};
use super::{Loaded, grammar};

/// Writes every option with its value and its origin, secrets masked, then the warnings.
#[must_use]
pub fn report(loaded: &Loaded) -> String {
    let mut rows: Vec<(String, String, String)> = Vec::new();
    for option in options::ALL {
        let set = loaded.settings.get(option.key);
        let quiet = option.effect == Effect::None || option.group == Group::Security;
        match set {
            Some(setting) => rows.push((option.key.to_owned(), shown_value(setting), setting.origin.to_string())),
            None if quiet => {}
            None => rows.push((option.key.to_owned(), default_value(loaded, option), Origin::Default.to_string())),
        }
    }
    for setting in loaded.settings.values().filter(|setting| !options::ALL.iter().any(|option| option.key == setting.key)) {
        rows.push((setting.key.clone(), shown_value(setting), setting.origin.to_string()));
    }
    let mut text = String::new();
    for (key, value, origin) in rows {
        // Writing to a string does not fail.
        let _ = writeln!(text, "{key} = {value}  # {origin}");
    }
    for warning in &loaded.warnings {
        let _ = writeln!(text, "warning: {warning}");
    }
    text
}

/// The value of a setting, with secrets masked.
fn shown_value(setting: &Setting) -> String {
    shown(&setting.key, &setting.value.text(", "))
}

/// The value in force of an option that is not set.
fn default_value(loaded: &Loaded, option: &options::Spec) -> String {
    if option.key == options::DATA_DIR.key {
        return loaded.config.data.dir.display().to_string();
    }
    if option.key == options::CACHE_MAX_SIZE.key {
        return grammar::write_size(loaded.config.data.cache_max_size);
    }
    option.default.unwrap_or("(unset)").to_owned()
}
