//! What is wrong with a configuration: every problem at once, each with key and place.

use std::fmt;

use super::layers::Origin;

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

/// Everything wrong with a configuration. Displayed as one line per problem.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConfigErrors(pub Vec<ConfigProblem>);

impl fmt::Display for ConfigErrors {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (number, problem) in self.0.iter().enumerate() {
            if number > 0 {
                formatter.write_str("\n")?;
            }
            write!(formatter, "{problem}")?;
        }
        Ok(())
    }
}

impl std::error::Error for ConfigErrors {}
