//! One round over all archive directories: look or audit, plan, ingest what is new or changed.

mod ending;
mod lively;
pub mod plan;
mod problems;
mod retain;
mod retries;
mod round;
mod status;
mod unfetched;
mod work;

pub use retain::RetentionRules;
pub use round::{DirectoryRefresh, Duty, Refresh};
pub use status::{DirectoryState, DirectoryStatus, RefreshStatus};
