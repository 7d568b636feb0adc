//! What is wrong with a configuration: every problem at once, each with key and place.

use std::fmt;

use super::settings::Origin;

/// One thing wrong with the configuration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConfigProblem {
    /// The option, where one is meant.
    pub key: Option<String>,
    /// Where the value was set.
    pub origin: Origin,
    /// A sentence: what is wrong and what to do. Free of secrets.
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

/// Everything wrong with a configuration, and what was noticed besides. Displayed as one line for each.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ConfigErrors {
    /// What is wrong.
    pub problems: Vec<ConfigProblem>,
    /// Sentences that hold whatever is wrong, and may explain it.
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
