//! The layers of settings. A later layer overrides the earlier ones.

use std::path::PathBuf;

use super::options::is_store_key;
use super::options::{self, Effect};
use super::problem::ConfigProblem;
use super::settings::{Environment, Origin, Setting, Settings, Sources, Value};
use super::{flink_conf, toml_file};

/// Configuration file that is read from the working directory when none is named.
pub const DEFAULT_FILE: &str = "historyserver.toml";

/// The result of reading all layers.
#[derive(Debug, Default)]
pub(super) struct Layers {
    /// Settings of known options and of stores.
    pub(super) settings: Settings,
    /// Warnings.
    pub(super) warnings: Vec<String>,
    /// Problems.
    pub(super) problems: Vec<ConfigProblem>,
}

/// How unknown keys of a layer are handled.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Strictness {
    /// The layer is written for this server: an unknown key is a mistake.
    Own,
    /// The layer is written for Flink as a whole: it contains many keys of other components.
    Flink,
}

impl Layers {
    /// Reads all layers in order.
    pub(super) fn read(sources: &Sources, environment: &Environment) -> Self {
        let mut layers = Self::default();
        let file = sources.file.clone().or_else(|| {
            let default = environment.working_directory.join(DEFAULT_FILE);
            default.exists().then(|| PathBuf::from(DEFAULT_FILE))
        });
        let own = file.map(|file| toml_file::read(&environment.working_directory.join(&file), &file, &mut layers.problems));
        let variables = variables(environment);
        layers.warnings.extend(misspelt_variables(environment));
        let (overrides, malformed) = overrides(&sources.overrides);
        let elsewhere = own.iter().flatten().chain(&variables).chain(&overrides).any(|setting| setting.key == options::ARCHIVE_DIR.key);
        layers.add(own.unwrap_or_default(), Strictness::Own);
        if let Some(directory) = &sources.flink_dir {
            let path = environment.working_directory.join(directory);
            let settings = flink_conf::read(&path, directory, elsewhere, &mut layers.warnings, &mut layers.problems);
            layers.add(settings, Strictness::Flink);
        }
        layers.add(variables, Strictness::Own);
        layers.problems.extend(malformed);
        layers.add(overrides, Strictness::Own);
        layers.warn_without_effect();
        layers
    }

    fn add(&mut self, settings: Vec<Setting>, strictness: Strictness) {
        for setting in settings {
            if options::find(&setting.key).is_some() || is_store_key(&setting.key) || setting.key.starts_with(options::DIRECTORY_PREFIX) {
                self.settings.insert(setting.key.clone(), setting);
            } else {
                self.unknown(&setting, strictness);
            }
        }
    }

    fn unknown(&mut self, setting: &Setting, strictness: Strictness) {
        let key = &setting.key;
        let nearest = options::nearest(key);
        let ours = key == "historyserver" || key.starts_with("historyserver.");
        match strictness {
            Strictness::Flink if ours => {
                let hint = nearest.map(|nearest| format!("; did you mean {nearest}?")).unwrap_or_default();
                self.warnings.push(format!("{key} ({}) is not an option of the history server and has no effect{hint}", setting.origin));
            }
            Strictness::Flink => {}
            Strictness::Own => match nearest {
                Some(nearest) => self.problems.push(ConfigProblem {
                    key: Some(key.clone()),
                    origin: setting.origin.clone(),
                    message: format!("there is no such option; did you mean {}?", spelled(nearest, &setting.origin)),
                }),
                None if ours || key.starts_with("security.ssl.") => self.problems.push(ConfigProblem {
                    key: Some(key.clone()),
                    origin: setting.origin.clone(),
                    message: "there is no such option; `historyserver check-config` lists all options".to_owned(),
                }),
                None => self.warnings.push(format!("{key} ({}) is not an option of the history server and has no effect", setting.origin)),
            },
        }
    }

    /// Adds one warning that names all options that are accepted and ignored.
    fn warn_without_effect(&mut self) {
        let without: Vec<&str> = self
            .settings
            .keys()
            .filter(|key| options::find(key).is_some_and(|option| option.effect == Effect::None))
            .map(String::as_str)
            .collect();
        if !without.is_empty() {
            self.warnings.push(format!("{} {} no effect here", without.join(", "), if without.len() == 1 { "has" } else { "have" }));
        }
    }
}

/// Settings of environment variables such as `HISTORYSERVER__ARCHIVE__FS__DIR`, for options of this server, of TLS and of stores.
fn variables(environment: &Environment) -> Vec<Setting> {
    let setting = |key: String, name: &String, value: &String| Setting {
        key,
        value: Value::Text(value.clone()),
        origin: Origin::Variable(name.clone()),
    };
    // RUST_LOG comes first, so that HISTORYSERVER__LOG__LEVEL overrides it.
    let rust_log =
        environment.variable("RUST_LOG").map(|value| setting(options::LOG_LEVEL.key.to_owned(), &"RUST_LOG".to_owned(), &value.to_owned()));
    let own = environment.variables.iter().filter_map(|(name, value)| Some(setting(key_of_variable(name)?, name, value)));
    rust_log.into_iter().chain(own).collect()
}

/// The key that a variable sets: two underscores mean a dot, one means a hyphen.
fn key_of_variable(name: &str) -> Option<String> {
    if !name.contains("__") || name.chars().any(|character| character.is_ascii_lowercase()) {
        return None;
    }
    let key = name.to_ascii_lowercase().replace("__", ".").replace('_', "-");
    (key.starts_with("historyserver.") || key.starts_with("security.ssl.") || is_store_key(&key)).then_some(key)
}

/// Settings of `-D key=value`, and a problem for each malformed one.
fn overrides(texts: &[String]) -> (Vec<Setting>, Vec<ConfigProblem>) {
    let (mut settings, mut problems) = (Vec::new(), Vec::new());
    for text in texts {
        match text.split_once('=').map(|(key, value)| (key.trim(), value.trim())) {
            Some((key, value)) if !key.is_empty() => {
                settings.push(Setting { key: key.to_owned(), value: Value::Text(value.to_owned()), origin: Origin::CommandLine });
            }
            _ => problems.push(ConfigProblem {
                key: None,
                origin: Origin::CommandLine,
                message: format!("`{}` must have the form key=value", super::secrets::mask_urls(text)),
            }),
        }
    }
    (settings, problems)
}

/// Warnings about misspelt variables that set no option, such as `HISTORYSERVER_WEB_PORT`.
fn misspelt_variables(environment: &Environment) -> impl Iterator<Item = String> {
    let plain = |text: &str| text.to_ascii_lowercase().replace(['.', '-'], "_").replace("__", "_");
    let ignored = environment.variables.keys().filter(|name| key_of_variable(name).is_none());
    ignored.filter_map(move |name| {
        let meant = options::ALL.iter().find(|option| option.key.starts_with("historyserver.") && plain(option.key) == plain(name))?;
        Some(format!("the environment variable {name} has no effect; did you mean {}?", variable_of_key(meant.key)))
    })
}

/// The variable that sets a key.
fn variable_of_key(key: &str) -> String {
    key.replace('.', "__").replace('-', "_").to_ascii_uppercase()
}

/// A key as written in its layer.
fn spelled(key: &str, origin: &Origin) -> String {
    match origin {
        Origin::Variable(_) => variable_of_key(key),
        _ => key.to_owned(),
    }
}
