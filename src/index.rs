//! The index of all archives: acts that change it atomically, and reads. It is stored in SQLite (`index/sqlite/*`).
//!
//! One concrete type with two handles: [`IndexWriter`] changes, [`IndexReader`] only reads. Keys are natural, times in
//! milliseconds, no row id, no SQL and no type of rusqlite leaves `index/sqlite`.

mod cursor;
mod error;
mod leases;
mod model;
mod opening;
pub mod query;
mod reader;
mod sqlite;
mod walks;
mod writer;

pub use error::IndexError;
pub use model::{
    ApplicationKey, ArchivedFile, CopySelector, Deletion, Derived, DerivedPage, DerivingPosition, Document, DocumentAnswer, DocumentList,
    DocumentPage, Done, Expiry, FailedAttempt, FailedRemoval, Fault, Figures, FileChange, FileOutcome, FollowedLimits, Generation,
    HeldCleanup, HeldReason, JudgedFile, KnownDirectory, KnownFile, KnownUnit, Listed, ListedDocument, Mark, MarkState, Marks,
    OverviewList, Pack, Page, ParsedRecord, Pending, PendingRemoval, Presence, ProblemFilter, Removal, StagedPack, Underived, UnitArchives,
    UnitChange, UnitKey, Unread, Urgency,
};
pub use opening::{IndexOptions, Opened, open};
pub use query::Total;
pub use reader::{IndexReader, ScopedReader};
pub use writer::IndexWriter;
