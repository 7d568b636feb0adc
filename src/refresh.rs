//! A refresh: lists each archive directory, ingests new and changed archives, and applies the plan of the listing.
//!
//! Each round of a directory has three parts: a listing [`pass`], a [`pipeline`] of reads and writes, and a [`conclude`].

mod active_folders;
mod conclude;
mod directories;
mod failed_fetches;
mod pass;
mod pipeline;
pub mod plan;
mod problems;
mod retain;
mod retries;
mod round;
mod status;

pub use directories::Refresh;
pub use retain::RetentionRules;
pub use round::{DirectoryRefresh, Duty};
pub use status::{DirectoryState, DirectoryStatus, RefreshStatus};
