//! Acts of the writer: each changes several tables in one transaction.

pub(super) mod applying;
pub(super) mod backfill;
pub(super) mod eviction;
pub(super) mod held_cleanups;
pub(super) mod links;
pub(super) mod listing;
pub(super) mod precedence;
pub(super) mod presence;
pub(super) mod removals;
