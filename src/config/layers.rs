//! Layers of settings: who sets what, and who wins.

use std::collections::BTreeMap;
use std::fmt;
use std::path::PathBuf;

use super::options::{self, Effect};
use super::problem::ConfigProblem;
use super::secrets::shown;
use super::{flink_conf, toml_file};

/// Configuration file that is read from the working directory when none is named.
pub const DEFAULT_FILE: &str = "historyserver.toml";

/// Beginnings of keys that are not ours but open archives: they are handed to the stores.
const STORE_PREFIXES: &[&str] =
    &["s3.", "s3a.", "s3n.", "presto.s3.", "fs.", "gs.", "abfs.", "azure.", "dfs.", "hadoop.", "flink.hadoop.", "security.kerberos."];

/// What the command line says about configuration.
#[derive(Debug, Clone, Default)]
pub struct Sources {
    /// `--config FILE`.
    pub file: Option<PathBuf>,
    /// `--config-dir DIR`: Flink's configuration directory.
    pub flink_dir: Option<PathBuf>,
    /// `-D key=value`, in order.
    pub overrides: Vec<String>,
}

/// What configuration takes from the process: passed in, so that tests need not change it.
#[derive(Debug, Clone, Default)]
pub struct Environment {
    /// Environment variables.
    pub variables: BTreeMap<String, String>,
    /// Where relative paths start.
    pub working_directory: PathBuf,
}

impl Environment {
    /// The environment of this process. Variables that are not UTF-8 are left out.
    #[must_use]
    pub fn of_process() -> Self {
        Self {
            variables: std::env::vars_os()
                .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
                .collect(),
            working_directory: std::env::current_dir().unwrap_or_else(|_| PathBuf::from("/")),
        }
    }

    /// A variable that is set and not empty.
    #[must_use]
    pub fn variable(&self, name: &str) -> Option<&str> {
        self.variables.get(name).map(String::as_str).filter(|value| !value.is_empty())
    }
}

/// Where a value comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Origin {
    /// Nobody set it.
    Default,
    /// A file, and the line where there is one.
    File(PathBuf, Option<usize>),
    /// An environment variable.
    Variable(String),
    /// `-D` on the command line.
    CommandLine,
}

impl fmt::Display for Origin {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Default => formatter.write_str("default"),
            Self::File(path, Some(line)) => write!(formatter, "{}, line {line}", path.display()),
            Self::File(path, None) => write!(formatter, "{}", path.display()),
            Self::Variable(name) => write!(formatter, "environment variable {name}"),
            Self::CommandLine => formatter.write_str("-D on the command line"),
        }
    }
}

/// A value as it was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Value {
    /// One text; numbers and switches too, as written.
    Text(String),
    /// A list of a file format that has lists.
    List(Vec<String>),
}

impl Value {
    /// The value as one text; a list is joined with `separator`.
    #[must_use]
    pub fn text(&self, separator: &str) -> String {
        match self {
            Self::Text(text) => text.clone(),
            Self::List(items) => items.join(separator),
        }
    }

    /// The items of a list, or of a text split at `separator`; trimmed, without empty ones.
    #[must_use]
    pub fn items(&self, separator: char) -> Vec<String> {
        let trimmed = |text: &str| Some(text.trim().to_owned()).filter(|text| !text.is_empty());
        match self {
            Self::Text(text) => text.split(separator).filter_map(trimmed).collect(),
            Self::List(items) => items.iter().filter_map(|item| trimmed(item)).collect(),
        }
    }
}

/// One value of one key, as one layer sets it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Setting {
    /// Dotted key.
    pub key: String,
    /// What it is set to.
    pub value: Value,
    /// Who set it.
    pub origin: Origin,
}

/// Settings by key, after all layers.
pub type Settings = BTreeMap<String, Setting>;

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

/// Whether a key is none of ours but may open archives.
pub(super) fn is_store_key(key: &str) -> bool {
    STORE_PREFIXES.iter().any(|prefix| key.starts_with(prefix))
}

/// Whether a setting with this key would have an effect here, or looks as if it should.
pub(super) fn is_read(key: &str) -> bool {
    options::find(key).is_some() || is_store_key(key) || key.starts_with("historyserver.")
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

/// A setting as `check-config` shows it, secrets masked.
pub(super) fn shown_value(setting: &Setting) -> String {
    shown(&setting.key, &setting.value.text(", "))
}
