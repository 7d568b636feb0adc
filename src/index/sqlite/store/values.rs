//! Conversions between the types of the server and the values of SQLite.

use rusqlite::Row;

use crate::archive::facts::JobApplication;
use crate::directory::{FileKind, Fingerprint};
use crate::ids::{ApplicationId, JobId};
use crate::index::model::{ApplicationKey, Fault, UnitKey};
use crate::names::{ClusterName, DirectoryUrl, FilePath};

/// A number of bytes or rows as stored: SQLite's integers are signed.
pub(in crate::index::sqlite) fn signed(count: u64) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}

/// The inverse of [`signed`].
pub(in crate::index::sqlite) fn unsigned(value: i64) -> u64 {
    u64::try_from(value).unwrap_or(0)
}

/// A fingerprint as stored: the same 64 bits.
pub(in crate::index::sqlite) fn stored(fingerprint: Fingerprint) -> i64 {
    fingerprint.0.cast_signed()
}

/// The inverse of [`stored`].
pub(in crate::index::sqlite) fn fingerprint(value: i64) -> Fingerprint {
    Fingerprint(value.cast_unsigned())
}

/// A fault as stored; 0 is none.
pub(in crate::index::sqlite) const fn fault_column(fault: Option<Fault>) -> i64 {
    match fault {
        None => 0,
        Some(Fault::Store) => 1,
        Some(Fault::Content) => 2,
    }
}

/// The inverse of [`fault_column`].
pub(in crate::index::sqlite) const fn fault(value: i64) -> Option<Fault> {
    match value {
        1 => Some(Fault::Store),
        2 => Some(Fault::Content),
        _ => None,
    }
}

/// The id of a job in this column.
pub(in crate::index::sqlite) fn job_id(row: &Row<'_>, column: usize) -> rusqlite::Result<JobId> {
    Ok(JobId::from_bytes(row.get(column)?))
}

/// The id of an application in this column.
pub(in crate::index::sqlite) fn application_id(row: &Row<'_>, column: usize) -> rusqlite::Result<ApplicationId> {
    Ok(ApplicationId::from_bytes(row.get(column)?))
}

/// Key of a file within its unit.
pub(in crate::index::sqlite) fn file_key(kind: &FileKind) -> &[u8] {
    match kind {
        FileKind::Summary => &[],
        FileKind::Job(job) => job.as_bytes(),
    }
}

/// The inverse of [`file_key`].
pub(in crate::index::sqlite) fn file_kind(row: &Row<'_>, column: usize) -> rusqlite::Result<FileKind> {
    if row.get_ref(column)?.as_blob().is_ok_and(<[u8]>::is_empty) { Ok(FileKind::Summary) } else { job_id(row, column).map(FileKind::Job) }
}

/// The path at which Flink writes a file. Such paths are not stored.
pub(in crate::index::sqlite) fn usual_path(key: &UnitKey, kind: FileKind) -> FilePath {
    FilePath::new(match (key, kind) {
        (UnitKey::Application(key), FileKind::Summary) => format!("{}/applications/{}/application-summary", key.cluster, key.id),
        (UnitKey::Application(key), FileKind::Job(job)) => format!("{}/applications/{}/jobs/{job}", key.cluster, key.id),
        (UnitKey::LegacyJob(_, job), _) => job.to_string(),
    })
}

/// The key of a unit in these three columns: URL of the directory, cluster, name.
pub(in crate::index::sqlite) fn unit_key(row: &Row<'_>, column: usize) -> rusqlite::Result<UnitKey> {
    let directory = DirectoryUrl::new(row.get::<_, String>(column)?);
    let cluster: String = row.get(column + 1)?;
    if cluster.is_empty() {
        return Ok(UnitKey::LegacyJob(directory, job_id(row, column + 2)?));
    }
    Ok(UnitKey::Application(ApplicationKey { directory, cluster: ClusterName::new(cluster), id: application_id(row, column + 2)? }))
}

/// Cluster and name columns of a unit.
pub(in crate::index::sqlite) fn unit_columns(key: &UnitKey) -> (&str, &[u8; 16]) {
    match key {
        UnitKey::Application(key) => (key.cluster.as_str(), key.id.as_bytes()),
        UnitKey::LegacyJob(_, job) => ("", job.as_bytes()),
    }
}

/// The application that the details of a job name, as stored: NULL if they have no `application-id`, empty if it is null.
pub(in crate::index::sqlite) fn stored_application(application: JobApplication) -> Option<Vec<u8>> {
    match application {
        JobApplication::NotArchived => None,
        JobApplication::Null => Some(Vec::new()),
        JobApplication::Named(id) => Some(id.as_bytes().to_vec()),
    }
}
