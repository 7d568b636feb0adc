//! The narrow tables and their columns.

use rusqlite::Row;

use crate::index::query::{ListKind, SortKey};
use crate::index::sqlite::tables::list_rows::{CLUSTER, JOB_TYPE, STATUS};

/// A narrow table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Table(pub(super) ListKind);

/// A column of it that has an index of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Column {
    Name,
    Status,
    Cluster,
    Directory,
    Type,
    Start,
    End,
    Duration,
    Size,
    Failed,
}

/// What every index covers of a row, and the value of the column that is walked.
#[derive(Debug, Clone, Copy)]
pub(super) struct Narrow {
    pub(super) id: i64,
    pub(super) name: i64,
    pub(super) status: i64,
    pub(super) cluster: i64,
    pub(super) directory: i64,
    pub(super) job_type: i64,
    pub(super) failed: i64,
    pub(super) failed_tasks: i64,
    pub(super) key: i64,
}

impl Table {
    pub(super) fn name(self) -> &'static str {
        match self.0 {
            ListKind::Applications => "application_list",
            ListKind::Jobs => "job_list",
        }
    }

    /// `SELECT` of [`Narrow`], walking the index of this column, without its condition.
    pub(super) fn select(self, column: Column, more: &str) -> String {
        let (table, column) = (self.name(), column.name());
        format!("SELECT {}, {column}{more} FROM {table} INDEXED BY {table}_{column}", self.covered())
    }

    /// The columns of [`Narrow`] but the key.
    pub(super) fn covered(self) -> &'static str {
        match self.0 {
            ListKind::Applications => "id, name, status, cluster, directory, type, failed, failed_tasks",
            ListKind::Jobs => "id, name, status, cluster, directory, type, failed, failed",
        }
    }
}

impl Column {
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Name => "name",
            Self::Status => "status",
            Self::Cluster => "cluster",
            Self::Directory => "directory",
            Self::Type => "type",
            Self::Start => "start_time",
            Self::End => "end_time",
            Self::Duration => "duration",
            Self::Size => "size",
            Self::Failed => "failed",
        }
    }

    pub(super) fn of(key: SortKey) -> Self {
        match key {
            SortKey::Name => Self::Name,
            SortKey::Status => Self::Status,
            SortKey::Cluster => Self::Cluster,
            SortKey::Directory => Self::Directory,
            SortKey::JobType => Self::Type,
            SortKey::Start => Self::Start,
            SortKey::End => Self::End,
            SortKey::Duration => Self::Duration,
            SortKey::Size => Self::Size,
            SortKey::Failed => Self::Failed,
        }
    }

    /// It holds the row of a text, which stands elsewhere.
    pub(super) fn is_text(self) -> bool {
        matches!(self, Self::Name | Self::Status | Self::Cluster | Self::Directory | Self::Type)
    }
}

impl Narrow {
    /// Reads what [`Table::select`] selects.
    pub(super) fn read(row: &Row<'_>) -> rusqlite::Result<Self> {
        Ok(Self {
            id: row.get(0)?,
            name: row.get(1)?,
            status: row.get(2)?,
            cluster: row.get(3)?,
            directory: row.get(4)?,
            job_type: row.get(5)?,
            failed: row.get(6)?,
            failed_tasks: row.get(7)?,
            key: row.get(8)?,
        })
    }
}

/// The kind of label that a column holds.
pub(super) fn kind_of(column: Column) -> Option<i64> {
    match column {
        Column::Status => Some(STATUS),
        Column::Cluster => Some(CLUSTER),
        Column::Type => Some(JOB_TYPE),
        _ => None,
    }
}
