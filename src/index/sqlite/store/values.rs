//! Conversions between the types of the server and the values of SQLite.

use rusqlite::types::{FromSql, FromSqlResult, ToSqlOutput, Value, ValueRef};
use rusqlite::{Row, ToSql};

use crate::archive::facts::JobApplication;
use crate::clock::Timestamp;
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

impl ToSql for Timestamp {
    /// Its milliseconds.
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(self.as_millis().into())
    }
}

impl FromSql for Timestamp {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        i64::column_result(value).map(Self::from_millis)
    }
}

impl From<Timestamp> for Value {
    fn from(time: Timestamp) -> Self {
        Self::Integer(time.as_millis())
    }
}

impl ToSql for Fingerprint {
    /// The same 64 bits.
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(self.0.cast_signed().into())
    }
}

impl FromSql for Fingerprint {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        i64::column_result(value).map(|stored| Self(stored.cast_unsigned()))
    }
}

/// A fault as stored; 0 is none.
pub(in crate::index::sqlite) const fn fault_column(fault: Option<Fault>) -> i64 {
    match fault {
        None => 0,
        Some(Fault::Store) => 1,
        Some(Fault::Content) => 2,
    }
}

/// Stored instead of a fault for a file that is listed and still to be read for the first time. Its row is not parsed.
pub(in crate::index::sqlite) const QUEUED: i64 = 3;

/// The inverse of [`fault_column`].
pub(in crate::index::sqlite) const fn fault(value: i64) -> Option<Fault> {
    match value {
        1 => Some(Fault::Store),
        2 => Some(Fault::Content),
        _ => None,
    }
}

macro_rules! stored_as_bytes {
    ($id:ty) => {
        impl ToSql for $id {
            fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
                self.as_bytes().to_sql()
            }
        }

        impl FromSql for $id {
            fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
                <[u8; 16]>::column_result(value).map(Self::from_bytes)
            }
        }
    };
}

stored_as_bytes!(ApplicationId);
stored_as_bytes!(JobId);

/// Key of a file within its unit.
pub(in crate::index::sqlite) fn file_key(kind: &FileKind) -> &[u8] {
    match kind {
        FileKind::Summary => &[],
        FileKind::Job(job) => job.as_bytes(),
    }
}

impl FromSql for FileKind {
    /// The inverse of `file_key`.
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        if value.as_blob().is_ok_and(<[u8]>::is_empty) { Ok(Self::Summary) } else { JobId::column_result(value).map(Self::Job) }
    }
}

/// The path at which Flink writes a file. Such paths are not stored.
pub(in crate::index::sqlite) fn usual_path(key: &UnitKey, kind: FileKind) -> FilePath {
    FilePath::new(match (key, kind) {
        (UnitKey::Application(key), FileKind::Summary) => format!("{}/applications/{}/application-summary", key.cluster, key.id),
        (UnitKey::Application(key), FileKind::Job(job)) => format!("{}/applications/{}/jobs/{job}", key.cluster, key.id),
        (UnitKey::LegacyJob(_, job), _) => job.to_string(),
    })
}

/// The key of a unit in the columns `url` (of the directory), `cluster` and `unit` (its id).
pub(in crate::index::sqlite) fn unit_key(row: &Row<'_>) -> rusqlite::Result<UnitKey> {
    let directory = DirectoryUrl::new(row.get::<_, String>("url")?);
    let cluster: String = row.get("cluster")?;
    if cluster.is_empty() {
        return Ok(UnitKey::LegacyJob(directory, row.get("unit")?));
    }
    Ok(UnitKey::Application(ApplicationKey { directory, cluster: ClusterName::new(cluster), id: row.get("unit")? }))
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
