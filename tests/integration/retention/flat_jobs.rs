//! Jobs that lie beside the clusters and belong to an application are kept and deleted with it.

use std::collections::BTreeSet;

use historyserver::retention::policy::Policy;
use serde_json::json;

use super::world::{Place, before, id, keep, rules};
use crate::support::archives::{application_folder, envelope, set_modified, summary, write};

/// The archive of a job as Flink 2.3 writes it beside the clusters.
fn flat(job: &str, end: i64) -> String {
    let overview =
        json!({"jobs": [{"jid": job, "name": "early", "start-time": end - 10, "end-time": end, "duration": 10, "state": "FAILED"}]});
    let details = json!({"jid": job, "name": "early", "state": "FAILED", "application-id": null});
    envelope(&[("/jobs/overview", &overview.to_string()), (&format!("/jobs/{job}"), &details.to_string())])
}

impl Place {
    /// An application whose one job lies beside the clusters, written `minutes` before now.
    fn early(&self, number: u8, minutes: i64) {
        let (end, job) = (before(minutes), id(number | 0x80));
        let file = application_folder(&self.root(), "c", &id(number)).join("application-summary");
        write(&file, summary(&id(number), "early", end, &[&job]));
        set_modified(&file, end);
        self.alone(number | 0x80, minutes);
    }

    /// A job beside the clusters that no summary names.
    fn alone(&self, number: u8, minutes: i64) {
        let (end, job) = (before(minutes), id(number));
        write(&self.root().join(&job), flat(&job, end));
        set_modified(&self.root().join(&job), end);
    }
}

#[tokio::test]
async fn deleting_an_application_deletes_its_jobs_beside_the_clusters_and_only_them() {
    let place = Place::new();
    for (number, minutes) in [(1, 100), (2, 90), (3, 80)] {
        place.early(number, minutes);
    }
    place.alone(0x90, 200);
    place.legacy_job(0x91, 300);
    let mut cleaner = place.open(rules(), keep(9));
    cleaner.round().await;
    assert_eq!(place.present(), BTreeSet::from([1, 2, 3, 0x81, 0x82, 0x83, 0x90, 0x91]));
    cleaner.world.close().await;

    let mut cleaner = place.open(rules(), keep(2));
    cleaner.round().await;
    assert_eq!(place.present(), BTreeSet::from([2, 3, 0x82, 0x83, 0x90, 0x91]));
    let record = cleaner.record().await;
    assert_eq!(record.len(), 2, "{record:?}");
    assert!(record.iter().any(|deletion| deletion.detail.contains(&id(1))), "{record:?}");
    cleaner.round().await;
    assert_eq!(place.present(), BTreeSet::from([2, 3, 0x82, 0x83, 0x90, 0x91]), "and no more");
    cleaner.world.close().await;
}

#[tokio::test]
async fn limits_on_jobs_neither_count_nor_take_those_that_belong_to_an_application() {
    let place = Place::new();
    for (number, minutes) in [(1, 10), (2, 20)] {
        place.early(number, minutes);
    }
    for (number, minutes) in [(0x90, 30), (0x91, 40), (0x92, 50)] {
        place.alone(number, minutes);
    }
    let mut cleaner = place.open(rules(), keep(9));
    cleaner.round().await;
    cleaner.world.close().await;
    let mut retention = keep(9);
    retention.policy = Policy { legacy_jobs: Some(2), ..retention.policy };
    let mut cleaner = place.open(rules(), retention);
    cleaner.round().await;
    assert_eq!(place.present(), BTreeSet::from([1, 2, 0x81, 0x82, 0x90, 0x91]));
    cleaner.world.close().await;
}

#[tokio::test]
async fn a_forgotten_application_is_forgotten_and_listed_again_with_its_job() {
    let place = Place::new();
    for (number, minutes) in [(1, 100), (2, 90)] {
        place.early(number, minutes);
    }
    let open = |applications| {
        let mut retention = keep(applications);
        retention.keep_archives = true;
        place.open(rules(), retention)
    };
    let mut cleaner = open(9);
    cleaner.round().await;
    cleaner.world.close().await;
    let mut cleaner = open(1);
    for _ in 0..2 {
        cleaner.round().await;
        assert_eq!(place.present(), BTreeSet::from([1, 2, 0x81, 0x82]), "the archives stay");
        assert_eq!(cleaner.listed().await, BTreeSet::from([2]));
        assert_eq!(cleaner.world.jobs().await, [id(0x82)]);
    }
    cleaner.world.close().await;
    let mut cleaner = open(9);
    cleaner.round().await;
    cleaner.round().await;
    assert_eq!(cleaner.listed().await, BTreeSet::from([1, 2]));
    let mut jobs = cleaner.world.jobs().await;
    jobs.sort();
    assert_eq!(jobs, [id(0x81), id(0x82)]);
    let item = cleaner.world.get(&format!("/api/v1/jobs/{}", id(0x81))).await.json();
    assert_eq!(item["application"], id(1));
    cleaner.world.close().await;
}

#[tokio::test]
async fn a_first_run_with_a_limit_knows_whose_jobs_are_before_it_deletes() {
    let place = Place::new();
    for (number, minutes) in [(1, 100), (2, 90), (3, 80)] {
        place.early(number, minutes);
    }
    for (number, minutes) in [(0x90, 30), (0x91, 40), (0x92, 50)] {
        place.alone(number, minutes);
    }
    let mut retention = keep(2);
    retention.policy = Policy { legacy_jobs: Some(2), ..retention.policy };
    let mut cleaner = place.open(rules(), retention);
    for _ in 0..4 {
        cleaner.round().await;
        let present = place.present();
        assert!(present.is_superset(&BTreeSet::from([2, 3, 0x82, 0x83, 0x90, 0x91])), "{present:?}");
    }
    assert_eq!(place.present(), BTreeSet::from([2, 3, 0x82, 0x83, 0x90, 0x91]));
    cleaner.world.close().await;
}
