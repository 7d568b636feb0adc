//! Configuration: layers of settings, of which later ones override earlier ones, validated as a whole.
//!
//! 1. `historyserver.toml` (`--config FILE`, else the one in the working directory, else none),
//! 2. Flink's configuration directory (`--config-dir`: `config.yaml`, or `flink-conf.yaml`),
//! 3. environment variables (`HISTORYSERVER__ARCHIVE__FS__DIR`: two underscores for a dot, one for a hyphen),
//! 4. `-D key=value`.
//!
//! All problems are reported together. The table of all options is [`options`].

pub mod certificates;
mod data_directory;
mod default_scheme;
mod directories;
mod flink_conf;
pub mod grammar;
mod hadoop_conf;
mod layers;
mod listen_address;
pub mod options;
mod origins;
mod problem;
mod reader;
pub mod report;
pub mod secrets;
mod sections;
pub(crate) mod security;
mod settings;
mod store_options;
#[cfg(test)]
mod tests;
mod text_file;
mod toml_file;
mod validate;

use std::path::Path;

pub use layers::DEFAULT_FILE;
pub use problem::{ConfigErrors, ConfigProblem};
pub use sections::{
    ArchiveConfig, Config, DataConfig, LogConfig, LogFormat, PemFiles, RetentionConfig, RightsConfig, SslConfig, Store, WebConfig,
};
pub use settings::{Environment, Origin, Setting, Settings, Sources, Value};

/// A valid configuration, with its warnings.
#[derive(Debug, Clone)]
pub struct Loaded {
    /// The configuration.
    pub config: Config,
    /// Warnings, to be logged once. They contain no secrets.
    pub warnings: Vec<String>,
    /// All settings with their sources. They contain secrets: show them only by [`report`].
    pub settings: Settings,
}

impl Config {
    /// Reads and validates all layers.
    ///
    /// # Errors
    /// All problems: unreadable or malformed files, unknown keys and invalid values; with the warnings.
    pub fn load(sources: &Sources, environment: &Environment) -> Result<Loaded, ConfigErrors> {
        let mut layers = layers::Layers::read(sources, environment);
        let (config, problems) = validate::validate(&layers.settings, environment, sources.flink_dir.is_some(), &mut layers.warnings);
        layers.problems.extend(problems);
        if layers.problems.is_empty() {
            Ok(Loaded { config, warnings: layers.warnings, settings: layers.settings })
        } else {
            Err(ConfigErrors { problems: layers.problems, warnings: layers.warnings })
        }
    }
}

/// The command that converts a key or trust store of another type to PKCS#12.
#[must_use]
pub fn keytool_command(store: &Path) -> String {
    let target = store.with_extension("p12");
    format!("keytool -importkeystore -srckeystore {} -destkeystore {} -deststoretype PKCS12", store.display(), target.display())
}
