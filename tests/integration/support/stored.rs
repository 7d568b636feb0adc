//! Archives in a faulty store, and the archive directory over them.

use historyserver::directory::Directory;
use historyserver::names::DirectoryUrl;

use super::archives::{job, summary};
use crate::faulty_store::FaultyStore;

/// End of the application that [`write_application`] writes.
const END: i64 = 1_795_000_000_000;

/// The archive directory in this store.
pub(crate) fn directory(store: &FaultyStore) -> Directory {
    Directory::in_store(DirectoryUrl::new("memory://bucket/history"), store.store(), "history")
}

/// Writes the archives of an application with one job.
pub(crate) async fn write_application(store: &FaultyStore, cluster: &str, application: &str, job_id: &str) {
    let folder = format!("history/{cluster}/applications/{application}");
    store.write(&format!("{folder}/jobs/{job_id}"), job(job_id, "job", END)).await;
    store.write(&format!("{folder}/application-summary"), summary(application, "name", END, &[job_id])).await;
}
