//! Types that go into the index and come out of it. They know nothing of SQLite.

mod answer;
mod backfill;
mod change;
mod contents;
mod keys;
mod known;
mod removal;
pub(super) mod texts;

pub use answer::{Document, DocumentAnswer, DocumentBeginning, Figures, Generation, Listed, OverviewList, Unread, Validity};
pub use backfill::{Derived, DerivedPage, DerivingPosition, Underived};
pub use change::{Fault, FileChange, FileOutcome, Pack, ParsedRecord, Presence, StagedPack, UnitChange, UnitListing, Urgency};
pub use contents::{ArchivedFile, DocumentList, DocumentPage, ListedDocument, ProblemFilter, ShownParts, UnitArchives};
pub use keys::{ApplicationKey, CopySelector, UnitKey};
pub use known::{KnownDirectory, KnownFile, KnownUnit};
pub use removal::{
    Deletion, FailedAttempt, FailedRemoval, FollowedLimits, HeldCleanup, HeldReason, JudgedFile, KnownRemoval, KnownRemovals, Page,
    RecordedRemoval, Removal, RemovalAction, RemovalFilter, RemovalOutcome, RemovalState,
};
