//! What is known of all archives: whole acts to change it, queries to read it. SQLite lies behind it (`index/sqlite/*`).
//!
//! One concrete type with two handles: [`IndexWriter`] changes, [`IndexReader`] only reads. Keys are natural, times in
//! milliseconds, no row id, no SQL and no type of rusqlite leaves `index/sqlite`.

mod answer;
mod change;
mod contents;
mod control;
mod cursor;
mod data_directory;
mod deriving;
mod error;
mod expiry;
mod keys;
mod known;
mod leases;
mod opening;
pub mod query;
mod reader;
mod removal;
mod shared;
mod sqlite;
mod texts;
mod walks;
mod writer;

pub use answer::{Document, DocumentAnswer, Figures, Generation, Listed, OverviewList, Unread};
pub use change::{Fault, FileChange, FileOutcome, Pack, ParsedRecord, Presence, StagedPack, UnitChange, Urgency};
pub use contents::{ArchivedFile, DocumentList, DocumentPage, ListedDocument, ProblemFilter, UnitArchives};
pub use control::{connect_to_server, listen_for_commands};
pub use data_directory::last_written;
pub use deriving::{Derived, DerivedPage, DerivingPosition, Underived};
pub use error::IndexError;
pub use expiry::{
    Deletion, Done, Expiry, FailedAttempt, FailedRemoval, FollowedLimits, HeldCleanup, HeldReason, JudgedFile, Mark, MarkState, Marks,
    Page, Pending, PendingRemoval, Removal,
};
pub use keys::{ApplicationKey, Copy, UnitKey};
pub use known::{KnownDirectory, KnownFile, KnownUnit};
pub use opening::{IndexOptions, Opened, open};
pub use query::Total;
pub use reader::IndexReader;
pub use writer::IndexWriter;
