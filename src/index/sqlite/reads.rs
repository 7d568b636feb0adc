//! Reads, each from one snapshot. Lists with filters are read in `query`.

pub(super) mod contents;
pub(super) mod documents;
pub(super) mod known;
pub(super) mod overviews;
pub(super) mod problem_pages;
pub(super) mod queued;
pub(super) mod removals;
pub(super) mod unread;
