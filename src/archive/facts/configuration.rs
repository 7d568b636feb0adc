//! Configurations, from `/jobs/<id>/config` and the `jobmanager/config` of jobs and applications.

use super::super::members::{Members, each_of};
use super::{ConfigurationEntry, MAX_CONFIGURATION_ENTRIES, MESSAGE_BYTES, NAME_BYTES, cut, positive};

/// The job's default parallelism.
pub(super) fn parallelism(config: &Members<'_>) -> Option<i64> {
    positive(&Members::parse(config.get("execution-config")?.get())?, "job-parallelism")
}

/// The configuration of the job itself: the plain members of its execution configuration, and the parameters of its program.
pub(super) fn of_job(config: &Members<'_>) -> Vec<ConfigurationEntry> {
    let Some(execution) = config.get("execution-config").and_then(|value| Members::parse(value.get())) else { return Vec::new() };
    let mut entries = entries(&execution);
    if let Some(user) = execution.get("user-config").and_then(|value| Members::parse(value.get())) {
        entries.extend(self::entries(&user));
    }
    entries.truncate(MAX_CONFIGURATION_ENTRIES);
    entries
}

fn entries(members: &Members<'_>) -> Vec<ConfigurationEntry> {
    members.texts().filter_map(|(name, value)| entry(name.to_owned(), value)).take(MAX_CONFIGURATION_ENTRIES).collect()
}

/// A configuration of `{"key": …, "value": …}` objects.
pub(super) fn of_cluster(json: &str) -> Vec<ConfigurationEntry> {
    let mut entries = Vec::new();
    each_of(json, |element| {
        if entries.len() < MAX_CONFIGURATION_ENTRIES {
            let pair = Members::parse(element.get());
            entries.extend(pair.and_then(|pair| entry(pair.text("key")?, pair.text("value")?)));
        }
    });
    entries
}

fn entry(key: String, value: String) -> Option<ConfigurationEntry> {
    (!key.is_empty()).then(|| ConfigurationEntry { key: cut(key, NAME_BYTES), value: cut(value, MESSAGE_BYTES) })
}
