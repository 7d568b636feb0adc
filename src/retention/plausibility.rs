//! Messages about implausible limits and times, for the log at the start, for problems and for `check-config`.

use std::time::Duration;

use crate::clock::human_duration;
use crate::names::{DirectoryUrl, FilePath};

/// The message about an age limit below [`super::policy::SHORTEST_AGE`].
#[must_use]
pub fn short_age(ttl: Duration) -> String {
    format!(
        "historyserver.archive.retained-ttl is {}: nearly every archive is older, and would be deleted. Write the unit, such as `30 d`: a \
         bare number is milliseconds",
        human_duration(ttl)
    )
}

/// The message about a size limit that is smaller than the newest archive.
#[must_use]
pub fn small_size(directory: &DirectoryUrl, newest: u64, limit: u64) -> String {
    format!(
        "historyserver.archive.retained-size is {limit} bytes, and the newest archive in {directory} alone has {newest}: all others would be \
         deleted. Write the unit, such as `500 gb`: a bare number is bytes"
    )
}

/// The message about archives dated before [`super::policy::EARLIEST`].
#[must_use]
pub fn early_times(directory: &DirectoryUrl, count: u64, first: &FilePath) -> String {
    format!(
        "{count} archives in {directory} are dated before 2014, when Flink did not exist (for example {first}): a copy or a store has not \
         kept their modification times. The limits (historyserver.archive.retained-…) use these times: correct them, or copy the archives \
         again with their times"
    )
}

/// The message about archives dated ahead of the clock.
#[must_use]
pub fn ahead(directory: &DirectoryUrl, count: u64, first: &FilePath) -> String {
    format!(
        "{count} archives in {directory} are dated more than an hour ahead of this machine's clock (for example {first}): they are kept, and \
         no limit counts them, until that time has come. Correct their modification times or the clock"
    )
}
