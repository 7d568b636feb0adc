//! The index of all archives: acts that change it atomically, and reads. It is stored in SQLite (`index/sqlite/*`).
//!
//! One concrete type with two handles: [`IndexWriter`] changes, [`IndexReader`] only reads. Keys are natural, times in
//! milliseconds, no row id, no SQL and no type of rusqlite leaves `index/sqlite`.

mod backup;
mod cursor;
mod error;
mod leases;
mod model;
mod opening;
mod options;
pub mod query;
mod reader;
mod sqlite;
mod stamps;
mod walks;
mod writer;

pub use backup::{Backup, back_up, restore};
pub use error::IndexError;
pub use model::{
    ApplicationKey, ArchivedFile, CopySelector, Deletion, Derived, DerivedPage, DerivingPosition, Document, DocumentAnswer,
    DocumentBeginning, DocumentList, DocumentPage, FailedAttempt, FailedRemoval, Fault, Figures, FileChange, FileOutcome, FollowedLimits,
    Generation, HeldCleanup, HeldReason, JudgedFile, KnownDirectory, KnownFile, KnownRemoval, KnownRemovals, KnownUnit, Listed,
    ListedDocument, OverviewList, Pack, Page, ParsedRecord, Presence, ProblemFilter, RecordedRemoval, Removal, RemovalAction,
    RemovalFilter, RemovalOutcome, RemovalState, ShownParts, StagedPack, Underived, UnitArchives, UnitChange, UnitKey, UnitListing, Unread,
    Urgency, Validity,
};
pub use opening::{Opened, open};
pub use options::IndexOptions;
pub use query::Total;
pub use reader::{IndexReader, ScopedReader};
pub use writer::IndexWriter;
