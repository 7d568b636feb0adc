//! The work of a refresh.

/// The work that the refreshes of a directory do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Duty {
    /// Everything.
    All,
    /// Verdicts, and forgetting missing archives. Archives are read only where a verdict needs it.
    Retention,
    /// Verdicts alone: like [`Duty::Retention`], but nothing is forgotten yet.
    Verdicts,
}
