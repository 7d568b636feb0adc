//! Options of the stores of archive directories: those of Flink and Hadoop for all directories, and those of one directory.
//!
//! Options of one directory are a table in `historyserver.toml`, which wins over the others:
//!
//! ```toml
//! [historyserver.archive.store."s3://bucket/path"]
//! "s3.endpoint" = "https://minio.example.org"
//! ```

use std::collections::BTreeMap;

use super::options::{DIRECTORY_PREFIX, is_store_key};
use super::problem::ConfigProblem;
use super::secrets::mask_urls;
use super::settings::{Environment, Origin, Settings};
use crate::directory::{S3_AUTHORITIES, check_options};

/// Options by key.
pub(super) type Options = BTreeMap<String, String>;

/// Options for all directories, and of one directory each, by its entry.
#[derive(Debug, Default)]
pub(super) struct StoreOptions {
    pub(super) general: Options,
    pub(super) of_directory: BTreeMap<String, Options>,
}

/// Reads the options. `hadoop` are the properties of Hadoop's configuration, which Flink's options `flink.hadoop.…` override.
pub(super) fn read(
    settings: &Settings,
    entries: &[String],
    hadoop: Options,
    environment: &Environment,
    problems: &mut Vec<ConfigProblem>,
    warnings: &mut Vec<String>,
) -> StoreOptions {
    let mut general: Options = hadoop.into_iter().map(|(key, value)| (format!("flink.hadoop.{key}"), value)).collect();
    general.extend(authorities(entries, environment, problems));
    let mut of_directory: BTreeMap<String, Options> = BTreeMap::new();
    for (key, setting) in settings {
        if is_store_key(key) {
            general.insert(key.clone(), setting.value.text(","));
        }
        let Some(rest) = key.strip_prefix(DIRECTORY_PREFIX) else { continue };
        let mut refuse =
            |message: String| problems.push(ConfigProblem { key: Some(mask_urls(key)), origin: setting.origin.clone(), message });
        let found = entries
            .iter()
            .filter_map(|entry| Some((entry, rest.strip_prefix(entry.trim_end_matches('/'))?.trim_start_matches('/').strip_prefix('.')?)))
            .max_by_key(|(entry, _)| entry.len());
        match found {
            Some((entry, option)) if is_store_key(option) => {
                of_directory.entry(entry.clone()).or_default().insert(option.to_owned(), setting.value.text(","));
            }
            Some((_, option)) => refuse(format!("{option} is not an option of a store; write one such as s3.endpoint")),
            None => refuse(
                "belongs to no archive directory; write [historyserver.archive.store.\"URL\"] with the URL as in historyserver.archive.fs.dir"
                    .to_owned(),
            ),
        }
    }
    let options = StoreOptions { general, of_directory };
    options.check(settings, entries, environment, problems, warnings);
    options
}

impl StoreOptions {
    /// All options of a directory.
    pub(super) fn of(general: &Options, of_directory: &BTreeMap<String, Options>, entry: &str) -> Options {
        let mut options = general.clone();
        options.extend(of_directory.get(entry).cloned().unwrap_or_default());
        options
    }

    /// Reports invalid options and variables as problems, and those without effect as warnings.
    fn check(
        &self,
        settings: &Settings,
        entries: &[String],
        environment: &Environment,
        problems: &mut Vec<ConfigProblem>,
        warnings: &mut Vec<String>,
    ) {
        for entry in entries {
            for remark in check_options(entry, &Self::of(&self.general, &self.of_directory, entry), &environment.variables) {
                let own = settings.iter().find(|(key, _)| key.starts_with(DIRECTORY_PREFIX) && key.ends_with(&format!(".{}", remark.key)));
                let setting = settings.get(&remark.key).or(own.map(|(_, setting)| setting));
                let origin = match setting {
                    Some(setting) => setting.origin.clone(),
                    None if environment.variables.contains_key(&remark.key) => Origin::Variable(remark.key.clone()),
                    None => Origin::Default,
                };
                if remark.is_fault {
                    let problem = ConfigProblem { key: Some(remark.key), origin, message: remark.message };
                    if !problems.contains(&problem) {
                        problems.push(problem);
                    }
                } else {
                    let place = if matches!(origin, Origin::Variable(_)) { String::new() } else { format!(" ({origin})") };
                    let warning = format!("{}{place} {}", remark.key, remark.message);
                    if !warnings.contains(&warning) {
                        warnings.push(warning);
                    }
                }
            }
        }
    }
}

/// The content of the file that `AWS_CA_BUNDLE` names, for directories that speak the protocol of S3.
fn authorities(entries: &[String], environment: &Environment, problems: &mut Vec<ConfigProblem>) -> Option<(String, String)> {
    const NAME: &str = "AWS_CA_BUNDLE";
    let is_s3 = |entry: &String| ["s3", "oss:", "cos", "obs:"].iter().any(|scheme| entry.to_ascii_lowercase().starts_with(scheme));
    let path = environment.variable(NAME).filter(|_| entries.iter().any(is_s3))?.trim();
    let read = std::fs::read_to_string(environment.working_directory.join(path)).map_err(|error| format!("{path} cannot be read: {error}"));
    let checked = read.and_then(|text| {
        if text.contains("BEGIN CERTIFICATE") { Ok(text) } else { Err(format!("{path} contains no certificate in PEM format")) }
    });
    match checked {
        Ok(text) => Some((S3_AUTHORITIES.to_owned(), text)),
        Err(message) => {
            problems.push(ConfigProblem { key: None, origin: Origin::Variable(NAME.to_owned()), message });
            None
        }
    }
}
