//! Layers of settings: who sets what, and who wins.

use std::path::PathBuf;

use super::options::is_store_key;
use super::options::{self, Effect};
use super::problem::ConfigProblem;
use super::settings::{Environment, Origin, Setting, Settings, Sources, Value};
use super::{flink_conf, toml_file};

/// Configuration file that is read from the working directory when none is named.
pub const DEFAULT_FILE: &str = "historyserver.toml";

/// What reading the layers brings together.
#[derive(Debug, Default)]
pub(super) struct Layers {
    /// Settings of known options and of stores.
    pub(super) settings: Settings,
    /// Sentences for people.
    pub(super) warnings: Vec<String>,
    /// What is wrong.
    pub(super) problems: Vec<ConfigProblem>,
}

/// How unknown keys of a layer are taken.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Strictness {
    /// Written for this server: an unknown key is a typing mistake.
    Own,
    /// Written for Flink as a whole: it holds much that is not for us.
    Flink,
}

impl Layers {
    /// Reads all layers in order; the later wins.
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
        layers.say_without_effect();
        layers
    }

    fn add(&mut self, settings: Vec<Setting>, strictness: Strictness) {
        for setting in settings {
            if options::find(&setting.key).is_some() || is_store_key(&setting.key) {
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
                self.warnings.push(format!("{key} ({}) is no option of the history server and has no effect{hint}", setting.origin));
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
                    message: "there is no such option; `historyserver check-config` lists all".to_owned(),
                }),
                None => self.warnings.push(format!("{key} ({}) is not read by the history server", setting.origin)),
            },
        }
    }

    /// Options of later versions of Flink are accepted, and said once to have no effect.
    fn say_without_effect(&mut self) {
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

/// `HISTORYSERVER__ARCHIVE__FS__DIR` and the like, for keys that begin as ours, TLS's or a store's do.
fn variables(environment: &Environment) -> Vec<Setting> {
    let setting = |key: String, name: &String, value: &String| Setting {
        key,
        value: Value::Text(value.clone()),
        origin: Origin::Variable(name.clone()),
    };
    // RUST_LOG first: it is the weaker spelling of our own variable.
    let rust_log =
        environment.variable("RUST_LOG").map(|value| setting(options::LOG_LEVEL.key.to_owned(), &"RUST_LOG".to_owned(), &value.to_owned()));
    let own = environment.variables.iter().filter_map(|(name, value)| Some(setting(key_of_variable(name)?, name, value)));
    rust_log.into_iter().chain(own).collect()
}

/// The key that a variable sets: two underscores for a dot, one for a hyphen.
fn key_of_variable(name: &str) -> Option<String> {
    if !name.contains("__") || name.chars().any(|character| character.is_ascii_lowercase()) {
        return None;
    }
    let key = name.to_ascii_lowercase().replace("__", ".").replace('_', "-");
    (key.starts_with("historyserver.") || key.starts_with("security.ssl.") || is_store_key(&key)).then_some(key)
}

/// Settings of `-D key=value`, and what is none.
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
                message: format!("`{}` is not of the form key=value", super::secrets::mask_urls(text)),
            }),
        }
    }
    (settings, problems)
}

/// Variables that set nothing, although an option is meant: `HISTORYSERVER_WEB_PORT`.
fn misspelt_variables(environment: &Environment) -> impl Iterator<Item = String> {
    let plain = |text: &str| text.to_ascii_lowercase().replace(['.', '-'], "_").replace("__", "_");
    let ignored = environment.variables.keys().filter(|name| key_of_variable(name).is_none());
    ignored.filter_map(move |name| {
        let meant = options::ALL.iter().find(|option| option.key.starts_with("historyserver.") && plain(option.key) == plain(name))?;
        Some(format!("the environment variable {name} is not read; {} is", variable_of_key(meant.key)))
    })
}

/// The variable that sets a key.
fn variable_of_key(key: &str) -> String {
    key.replace('.', "__").replace('-', "_").to_ascii_uppercase()
}

/// A key as its layer spells it.
fn spelled(key: &str, origin: &Origin) -> String {
    match origin {
        Origin::Variable(_) => variable_of_key(key),
        _ => key.to_owned(),
    }
}
