//! Metrics of the parts below HTTP. Labels are directories, kinds and results, never a string of an archive.

use std::time::Duration;

use metrics::{Unit, counter, describe_counter, describe_gauge, describe_histogram, gauge, histogram};

use crate::clock::Timestamp;
use crate::names::DirectoryUrl;

const REFRESH_SECONDS: &str = "historyserver_refresh_duration_seconds";
const LISTING_SECONDS: &str = "historyserver_listing_duration_seconds";
const LAST_SUCCESS: &str = "historyserver_refresh_last_success_timestamp_seconds";
const STORE_REQUESTS: &str = "historyserver_store_requests_total";
const HTTP_REQUESTS: &str = "historyserver_store_http_requests_total";
const LISTINGS_PER_DAY: &str = "historyserver_store_listings_per_day";
const LISTING_COST: &str = "historyserver_store_listing_cost_usd_per_day";
const INGESTS: &str = "historyserver_ingests_total";
const EVICTIONS: &str = "historyserver_evictions_total";
const CLEANUPS: &str = "historyserver_cleanups_total";
const CLEANUP_SECONDS: &str = "historyserver_cleanup_duration_seconds";
const REMOVALS: &str = "historyserver_cleanup_removals_total";
const REMOVED_BYTES: &str = "historyserver_cleanup_deleted_bytes_total";
const DIRECTORY_APPLICATIONS: &str = "historyserver_directory_applications";
const DIRECTORY_JOBS: &str = "historyserver_directory_job_archives";
const DIRECTORY_PROBLEMS: &str = "historyserver_directory_problems";

/// Histograms of durations longer than a request. Their buckets are [`BUCKETS`].
pub const HISTOGRAMS: &[&str] = &[REFRESH_SECONDS, LISTING_SECONDS, CLEANUP_SECONDS];

/// Upper bounds in seconds.
pub const BUCKETS: &[f64] = &[0.005, 0.02, 0.1, 0.5, 2.0, 10.0, 60.0, 300.0, 1800.0];

/// Describes the metrics. To be called once a recorder is installed.
pub fn describe() {
    describe_histogram!(REFRESH_SECONDS, Unit::Seconds, "Time that a refresh of a directory took, by directory and result.");
    describe_histogram!(
        LISTING_SECONDS,
        Unit::Seconds,
        "Time that a listing took, by directory and extent: look (quick scan) or audit (full scan)."
    );
    describe_gauge!(LAST_SUCCESS, Unit::Seconds, "When a directory was last refreshed without failure, in seconds since 1970.");
    describe_counter!(STORE_REQUESTS, Unit::Count, "Operations on archive directories by kind and result.");
    describe_counter!(
        HTTP_REQUESTS,
        Unit::Count,
        "HTTP requests to object stores, retries included, by directory, kind and result (ok, refused, throttled or failed)."
    );
    describe_gauge!(LISTINGS_PER_DAY, Unit::Count, "Listing requests to object stores in a day, if all scans are like the last ones.");
    describe_gauge!(LISTING_COST, "Cost of these requests in US dollars at list prices.");
    describe_counter!(INGESTS, Unit::Count, "Units fetched and read, by reason: refresh, demand (evicted) or lookup (not listed yet).");
    describe_counter!(EVICTIONS, Unit::Count, "Packs evicted for the byte budget since start.");
    describe_counter!(CLEANUPS, Unit::Count, "Cleanups that ended, by result.");
    describe_histogram!(CLEANUP_SECONDS, Unit::Seconds, "Time that a cleanup took.");
    describe_counter!(REMOVALS, Unit::Count, "Applications and legacy jobs by what a cleanup did: deleted, forgotten, changed or failed.");
    describe_counter!(REMOVED_BYTES, Unit::Bytes, "Bytes of archives that cleanups deleted.");
    describe_gauge!(DIRECTORY_APPLICATIONS, Unit::Count, "Applications known of a directory, including missing ones.");
    describe_gauge!(DIRECTORY_JOBS, Unit::Count, "Job archives known of a directory, including legacy and missing ones.");
    describe_gauge!(DIRECTORY_PROBLEMS, Unit::Count, "Problems of a directory.");
}

/// Why a unit was ingested.
#[derive(Debug, Clone, Copy, PartialEq, Eq, strum::IntoStaticStr)]
#[strum(serialize_all = "kebab-case")]
pub enum IngestReason {
    /// A refresh found it new or changed.
    Refresh,
    /// A client requested it after its pack was evicted.
    Demand,
    /// A client requested an id that was not listed yet.
    Lookup,
}

/// Records the end of a refresh of a directory. `finished` is the time if it succeeded.
pub fn refreshed(directory: &DirectoryUrl, duration: Duration, finished: Option<Timestamp>) {
    let result = if finished.is_some() { "ok" } else { "failed" };
    histogram!(REFRESH_SECONDS, "directory" => directory.to_string(), "result" => result).record(duration);
    if let Some(finished) = finished {
        #[expect(clippy::cast_precision_loss, reason = "milliseconds of this age are exact in a double")]
        gauge!(LAST_SUCCESS, "directory" => directory.to_string()).set(finished.as_millis() as f64 / 1_000.0);
    }
}

/// Records a complete listing.
pub fn listed(directory: &DirectoryUrl, full_scan: bool, duration: Duration) {
    let extent = if full_scan { "audit" } else { "look" };
    histogram!(LISTING_SECONDS, "directory" => directory.to_string(), "extent" => extent).record(duration);
}

/// Sets the number of applications and job archives that the index knows of a directory.
pub fn known(directory: &DirectoryUrl, applications: usize, job_archives: usize) {
    #[expect(clippy::cast_precision_loss, reason = "counts stay far below 2^52")]
    let (applications, job_archives) = (applications as f64, job_archives as f64);
    gauge!(DIRECTORY_APPLICATIONS, "directory" => directory.to_string()).set(applications);
    gauge!(DIRECTORY_JOBS, "directory" => directory.to_string()).set(job_archives);
}

/// Sets the number of problems of a directory.
pub fn problems(directory: &str, problems: u64) {
    #[expect(clippy::cast_precision_loss, reason = "counts stay far below 2^52")]
    gauge!(DIRECTORY_PROBLEMS, "directory" => directory.to_owned()).set(problems as f64);
}

/// Counts one operation on an archive directory. `result` is `ok` or the kind of failure.
pub fn store_request(kind: &'static str, result: &'static str) {
    counter!(STORE_REQUESTS, "kind" => kind, "result" => result).increment(1);
}

/// Counts one HTTP request to an object store.
pub fn http_request(directory: &DirectoryUrl, kind: &'static str, result: &'static str) {
    counter!(HTTP_REQUESTS, "directory" => directory.to_string(), "kind" => kind, "result" => result).increment(1);
}

/// Sets the number of listing requests of a day, and their cost where the store has a price list.
pub fn listing_pace(directory: &DirectoryUrl, listings_per_day: u64, usd_per_day: Option<f64>) {
    #[expect(clippy::cast_precision_loss, reason = "counts stay far below 2^52")]
    gauge!(LISTINGS_PER_DAY, "directory" => directory.to_string()).set(listings_per_day as f64);
    if let Some(usd) = usd_per_day {
        gauge!(LISTING_COST, "directory" => directory.to_string()).set(usd);
    }
}

/// Counts a unit that was fetched and read.
pub fn ingested(reason: IngestReason) {
    counter!(INGESTS, "reason" => <&'static str>::from(reason)).increment(1);
}

/// Records the end of a cleanup, and the number of its units by result.
pub fn cleaned_up(duration: Duration, whole: bool, removals: [(&'static str, u64); 4], deleted_bytes: u64) {
    counter!(CLEANUPS, "result" => if whole { "ok" } else { "failed" }).increment(1);
    histogram!(CLEANUP_SECONDS).record(duration);
    for (done, units) in removals {
        counter!(REMOVALS, "done" => done).increment(units);
    }
    counter!(REMOVED_BYTES).increment(deleted_bytes);
}

/// Sets the number of packs evicted since start.
pub fn evictions(evictions: u64) {
    counter!(EVICTIONS).absolute(evictions);
}
