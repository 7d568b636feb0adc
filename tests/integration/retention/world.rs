//! A server that cleans up, over folders of the test's own.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use historyserver::clock::{Clock, Timestamp};
use historyserver::directory::Directory;
use historyserver::index::{Deletion, RecordedRemoval, RemovalFilter};
use historyserver::ingest::LookupUnlisted;
use historyserver::refresh::RetentionRules;
use historyserver::refresh::plan::Rules;
use historyserver::retention::cleanup::{Cleanup, CleanupReport, CleanupScope};
use historyserver::retention::delete::Witness;
use historyserver::retention::policy::Policy;
use tokio_util::sync::CancellationToken;

use crate::support::archives::{application_folder, job, set_modified, write, write_application};
use crate::support::world::{World, WorldOptions};

pub(super) const NOW: Timestamp = Timestamp::from_millis(1_795_000_000_000);
pub(super) const MINUTE: Duration = Duration::from_mins(1);
pub(super) const DAY: Duration = Duration::from_hours(24);
pub(super) const RECORD_TTL: Duration = Duration::from_hours(365 * 24);

/// Archive directories and a data directory.
pub(super) struct Place {
    pub(super) folder: tempfile::TempDir,
}

/// A server with its cleanup.
pub(super) struct Cleaner {
    pub(super) world: World,
    pub(super) cleanup: Cleanup,
}

/// An id made of one number.
pub(super) fn id(number: u8) -> String {
    format!("{number:02x}").repeat(16)
}

/// Limits as Flink means them: what is beyond goes at once.
pub(super) fn limited(policy: Policy) -> RetentionRules {
    RetentionRules { policy, max_delete_fraction: Some(1.0), ..RetentionRules::default() }
}

pub(super) fn keep(applications: u64) -> RetentionRules {
    limited(Policy { applications: Some(applications), ..Policy::default() })
}

pub(super) fn rules() -> Rules {
    Rules { empty_grace: Duration::from_hours(1), ..Rules::default() }
}

impl Place {
    pub(super) fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir(folder.path().join("archives")).unwrap();
        Self { folder }
    }

    pub(super) fn root(&self) -> PathBuf {
        self.folder.path().join("archives")
    }

    pub(super) fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    /// An application with one job, written `minutes` before now.
    pub(super) fn application(&self, number: u8, minutes: i64) {
        application_in(&self.root(), "c", number, minutes);
    }

    /// A legacy job archive, written `minutes` before now.
    pub(super) fn legacy_job(&self, number: u8, minutes: i64) {
        legacy_job_in(&self.root(), number, minutes);
    }

    pub(super) fn open(&self, rules: Rules, retention: RetentionRules) -> Cleaner {
        self.open_at(Clock::manual(NOW), rules, retention)
    }

    pub(super) fn open_at(&self, clock: Clock, rules: Rules, retention: RetentionRules) -> Cleaner {
        let directory = Directory::open(self.root().to_str().unwrap(), &std::collections::BTreeMap::new()).unwrap();
        Cleaner::open(&[directory], &self.data(), clock, rules, retention)
    }

    /// Numbers of the applications that are in the archive directory, with any file left.
    pub(super) fn present(&self) -> BTreeSet<u8> {
        present_in(&self.root())
    }
}

/// An application with one job, written `minutes` before now.
pub(super) fn application_in(root: &Path, cluster: &str, number: u8, minutes: i64) {
    let end = before(minutes);
    let job = id(number | 0x80);
    write_application(root, cluster, &id(number), &format!("application {number}"), end, &[&job]);
    let folder = application_folder(root, cluster, &id(number));
    set_modified(&folder.join("application-summary"), end);
    set_modified(&folder.join("jobs").join(&job), end);
}

/// A legacy job archive, written `minutes` before now.
pub(super) fn legacy_job_in(root: &Path, number: u8, minutes: i64) {
    let file = root.join(id(number));
    write(&file, job(&id(number), "legacy", before(minutes)));
    set_modified(&file, before(minutes));
}

/// The time `minutes` before now, as archived.
pub(super) fn before(minutes: i64) -> i64 {
    NOW.as_millis() - minutes * 60_000
}

/// Numbers of the applications and legacy jobs below a root.
pub(super) fn present_in(root: &Path) -> BTreeSet<u8> {
    let mut found = BTreeSet::new();
    let mut folders = vec![root.to_path_buf()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).unwrap() {
            let entry = entry.unwrap();
            let name = entry.file_name().into_string().unwrap();
            if name.len() == 32 && !entry.path().parent().unwrap().ends_with("jobs") {
                found.insert(u8::from_str_radix(&name[..2], 16).unwrap());
            } else if entry.path().is_dir() {
                folders.push(entry.path());
            }
        }
    }
    found
}

impl Cleaner {
    pub(super) fn open(directories: &[Directory], data: &Path, clock: Clock, rules: Rules, retention: RetentionRules) -> Self {
        Self::witnessed(directories, data, clock, rules, retention, Arc::new(|_| {}))
    }

    pub(super) fn witnessed(
        directories: &[Directory],
        data: &Path,
        clock: Clock,
        rules: Rules,
        retention: RetentionRules,
        witness: Witness,
    ) -> Self {
        // As in a server with a limit.
        let lookup_unlisted = LookupUnlisted::Recent;
        let options = WorldOptions { rules, retention, lookup_unlisted, clock: clock.clone(), ..WorldOptions::default() };
        let world = World::open(directories, data, options);
        let (writer, reader) = (world.writer.clone(), world.reader.clone());
        let cleanup = Cleanup::witnessed(directories.iter().cloned(), writer, reader, clock, RECORD_TTL, witness);
        Self { world, cleanup }
    }

    /// A refresh, and the cleanup that follows it.
    pub(super) async fn round(&mut self) -> CleanupReport {
        self.world.full_scan().await;
        self.clean().await
    }

    /// A quick scan, and the cleanup that follows it.
    pub(super) async fn look(&mut self) -> CleanupReport {
        self.world.quick_scan().await;
        self.clean().await
    }

    pub(super) async fn clean(&self) -> CleanupReport {
        historyserver::schedule::cleanups::note_judged(&self.cleanup, &self.world.status.borrow());
        let report = self.cleanup.run(CleanupScope::Due, &CancellationToken::new()).await;
        assert_eq!(report.error, None);
        report
    }

    /// Numbers of the listed applications.
    pub(super) async fn listed(&self) -> BTreeSet<u8> {
        numbers(&self.world.applications().await)
    }

    pub(super) async fn pending(&self) -> Vec<RecordedRemoval> {
        self.world.reader.removals(RemovalFilter::All, None, 1_000).await.unwrap().rows
    }

    pub(super) async fn record(&self) -> Vec<Deletion> {
        self.world.reader.deletions(None, 1_000).await.unwrap().rows
    }
}

/// Numbers of ids.
pub(super) fn numbers(ids: &[String]) -> BTreeSet<u8> {
    ids.iter().map(|id| u8::from_str_radix(&id[..2], 16).unwrap()).collect()
}
