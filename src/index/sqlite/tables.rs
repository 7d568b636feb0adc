//! Reading and writing rows, one file per table or group of tables.

pub(super) mod applications_and_jobs;
pub(super) mod archives;
pub(super) mod deletions;
pub(super) mod directories;
pub(super) mod facts;
pub(super) mod list_rows;
pub(super) mod packs;
pub(super) mod problems;
pub(super) mod removals;
pub(super) mod texts;
pub(super) mod units;
