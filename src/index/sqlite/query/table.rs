//! The narrow tables and their columns.

use rusqlite::Row;

use crate::index::query::{ListKind, SortKey};
use crate::index::sqlite::tables::list_rows::{CLUSTER, JOB_TYPE, STATUS};

/// A narrow table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Table(pub(super) ListKind);

/// A column of a narrow table with its own index.
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

/// The columns that every index covers, and the key: the value of the walked column.
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

    /// The table of all columns, and its id column.
    pub(super) fn wide(self) -> (&'static str, &'static str) {
        match self.0 {
            ListKind::Applications => ("applications", "unit"),
            ListKind::Jobs => ("jobs", "id"),
        }
    }

    /// `SELECT` of [`Narrow`] over the index of this column, without a condition.
    pub(super) fn select(self, column: Column, more: &str) -> String {
        let (table, column) = (self.name(), column.name());
        format!("SELECT {}, {column}{more} FROM {table} INDEXED BY {table}_{column}", self.covered())
    }

    /// The columns of [`Narrow`] without the key.
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

    /// Whether the column contains ids of texts in another table.
    pub(super) fn is_text(self) -> bool {
        matches!(self, Self::Name | Self::Status | Self::Cluster | Self::Directory | Self::Type)
    }
}

impl Narrow {
    /// Reads the columns of [`Table::select`] by position: this is the hot path of every walk.
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

/// The kind of the labels in a column.
pub(super) fn kind_of(column: Column) -> Option<i64> {
    match column {
        Column::Status => Some(STATUS),
        Column::Cluster => Some(CLUSTER),
        Column::Type => Some(JOB_TYPE),
        _ => None,
    }
}
