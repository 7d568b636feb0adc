//! Limits of the cost of a page of the search.

/// Limits of the cost of one page.
#[derive(Debug, Clone, Copy)]
pub(in crate::index::sqlite::query) struct SearchLimits {
    /// Maximum number of texts per term that are found by their words, newest first. Older texts are read and compared.
    pub(super) texts: usize,
    /// Maximum number of gathered and sorted rows.
    pub(super) gathered: usize,
    /// Maximum of the work of one page, in walked rows.
    pub(super) work: u64,
    /// Maximum number of found rows that are counted beyond the first page.
    pub(super) counted: u64,
    /// Maximum of the work of counting them, in walked rows.
    pub(super) counting: u64,
}

/// A few ten milliseconds.
pub(super) const DEFAULT_LIMITS: SearchLimits =
    SearchLimits { texts: 30_000, gathered: 5_000, work: 60_000, counted: 1_000, counting: 20_000 };
