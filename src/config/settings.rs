//! Settings: the values of options, where each comes from, and the sources of a configuration.

use std::collections::BTreeMap;
use std::fmt;
use std::path::PathBuf;

/// The arguments of the command line about configuration.
#[derive(Debug, Clone, Default)]
pub struct Sources {
    /// `--config FILE`.
    pub file: Option<PathBuf>,
    /// `--config-dir DIR`: Flink's configuration directory.
    pub flink_dir: Option<PathBuf>,
    /// `-D key=value`, in order.
    pub overrides: Vec<String>,
}

/// The environment of the process, as an argument, so that tests need not change it.
#[derive(Debug, Clone, Default)]
pub struct Environment {
    /// Environment variables.
    pub variables: BTreeMap<String, String>,
    /// The directory in which relative paths start.
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

    /// The value of a variable that is set and not empty.
    #[must_use]
    pub fn variable(&self, name: &str) -> Option<&str> {
        self.variables.get(name).map(String::as_str).filter(|value| !value.is_empty())
    }
}

/// The source of a value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Origin {
    /// It is not set.
    Default,
    /// A file, and the line, if it is known.
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
    /// A text as written; also a number or a switch.
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
    /// Its value.
    pub value: Value,
    /// Its source.
    pub origin: Origin,
}

/// Settings by key, after all layers.
pub type Settings = BTreeMap<String, Setting>;
