//! A refresh: lists each archive directory, ingests new and changed archives, and applies the plan of the listing.
//!
//! Each round of a directory has three parts: a listing `pass`, a `pipeline` of reads and writes, and a `conclude`.

mod active_folders;
mod arrivals;
mod conclude;
mod directories;
mod duty;
mod error;
mod failed_fetches;
mod pass;
mod pipeline;
pub mod plan;
mod problems;
mod retain;
mod retention_rules;
mod retries;
mod round;
mod status;
mod store_requests;

pub use directories::{PublishedRefresh, Refresh, Watched};
pub use duty::Duty;
pub use retention_rules::RetentionRules;
pub use round::DirectoryRefresh;
pub use status::{DirectoryState, DirectoryStatus, RefreshStatus};
pub use store_requests::StoreRequests;
