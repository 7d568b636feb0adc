//! Sentences about limits and times that nobody can mean: told at the start, as problems, and by `check-config`.

use super::policy::duration;
use crate::clock::Millis;
use crate::names::{DirectoryUrl, FilePath};

/// An age limit below [`super::policy::SHORTEST_AGE`].
#[must_use]
pub fn short_age(ttl: Millis) -> String {
    format!(
        "historyserver.archive.retained-ttl is {}: nearly every archive is older, and would be deleted. Write the unit, such as `30 d`: a \
         bare number is milliseconds",
        duration(ttl)
    )
}

/// A size limit that not even the newest archive is within.
#[must_use]
pub fn small_size(directory: &DirectoryUrl, newest: u64, limit: u64) -> String {
    format!(
        "historyserver.archive.retained-size is {limit} bytes, and the newest archive in {directory} alone has {newest}: all others would be \
         deleted. Write the unit, such as `500 gb`: a bare number is bytes"
    )
}

/// Archives dated before [`super::policy::EARLIEST`].
#[must_use]
pub fn early_times(directory: &DirectoryUrl, count: u64, first: &FilePath) -> String {
    format!(
        "{count} archives in {directory} are dated before 2014, when Flink did not exist ({first}, for one): a copy or a store has not kept \
         their times. Limits (historyserver.archive.retained-…) go by these times: set them right, or copy with times kept"
    )
}

/// Archives dated ahead of the clock.
#[must_use]
pub fn ahead(directory: &DirectoryUrl, count: u64, first: &FilePath) -> String {
    format!(
        "{count} archives in {directory} are dated more than an hour ahead of this machine's clock ({first}, for one): they are kept, and take \
         no place from others, until that time has come or their times are set right"
    )
}
