//! One round over all archive directories: quick or full scan, plan, ingest what is new or changed.

mod active_folders;
mod ending;
mod failed_fetches;
pub mod plan;
mod problems;
mod retain;
mod retries;
mod round;
mod status;
mod work;

pub use retain::RetentionRules;
pub use round::{DirectoryRefresh, Duty, Refresh};
pub use status::{DirectoryState, DirectoryStatus, RefreshStatus};
