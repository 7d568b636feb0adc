//! Problems of a configuration, each with its option and the location of the value.

use std::fmt;

use super::settings::Origin;

/// A problem of the configuration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConfigProblem {
    /// The option; `None` when the problem is about no single option.
    pub key: Option<String>,
    /// Where the value was set.
    pub origin: Origin,
    /// A sentence: the fault and its remedy. It contains no secrets.
    pub message: String,
}

impl fmt::Display for ConfigProblem {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (&self.key, &self.origin) {
            (Some(key), Origin::Default) => write!(formatter, "{key}: {}", self.message),
            (Some(key), origin) => write!(formatter, "{key} ({origin}): {}", self.message),
            (None, Origin::Default) => formatter.write_str(&self.message),
            (None, origin) => write!(formatter, "{origin}: {}", self.message),
        }
    }
}

/// All problems and warnings of a configuration. They are displayed one per line.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ConfigErrors {
    /// The problems.
    pub problems: Vec<ConfigProblem>,
    /// Warnings, which may explain the problems.
    pub warnings: Vec<String>,
}

impl From<ConfigProblem> for ConfigErrors {
    fn from(problem: ConfigProblem) -> Self {
        Self { problems: vec![problem], warnings: Vec::new() }
    }
}

impl fmt::Display for ConfigErrors {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let problems = self.problems.iter().map(ToString::to_string);
        let lines: Vec<String> = problems.chain(self.warnings.iter().map(|warning| format!("warning: {warning}"))).collect();
        formatter.write_str(&lines.join("\n"))
    }
}

impl std::error::Error for ConfigErrors {}
