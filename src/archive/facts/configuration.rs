//! Configurations, from `/jobs/<id>/config` and the `jobmanager/config` of jobs and applications.

use super::super::members::Members;
use super::{ConfigurationEntry, MESSAGE_BYTES, MOST_ENTRIES, NAME_BYTES, cut, positive};

/// The job's default parallelism.
pub(super) fn parallelism(config: &Members<'_>) -> Option<i64> {
    positive(&Members::parse(config.get("execution-config")?.get())?, "job-parallelism")
}

/// What the job itself set: the plain members of its execution configuration, and what its program passed on.
pub(super) fn of_job(config: &Members<'_>) -> Vec<ConfigurationEntry> {
    let Some(execution) = config.get("execution-config").and_then(|value| Members::parse(value.get())) else { return Vec::new() };
    let mut entries = entries(&execution);
    if let Some(user) = execution.get("user-config").and_then(|value| Members::parse(value.get())) {
        entries.extend(self::entries(&user));
    }
    entries.truncate(MOST_ENTRIES);
    entries
}

fn entries(members: &Members<'_>) -> Vec<ConfigurationEntry> {
    members.texts().filter_map(|(name, value)| entry(name.to_owned(), value)).take(MOST_ENTRIES).collect()
}

/// A configuration of `{"key": …, "value": …}` objects.
pub(super) fn of_cluster(json: &str) -> Vec<ConfigurationEntry> {
    let elements: Vec<&serde_json::value::RawValue> = serde_json::from_str(json).unwrap_or_default();
    let pairs = elements.into_iter().filter_map(|element| Members::parse(element.get()));
    pairs.filter_map(|pair| entry(pair.text("key")?, pair.text("value")?)).take(MOST_ENTRIES).collect()
}

fn entry(key: String, value: String) -> Option<ConfigurationEntry> {
    (!key.is_empty()).then(|| ConfigurationEntry { key: cut(key, NAME_BYTES), value: cut(value, MESSAGE_BYTES) })
}
