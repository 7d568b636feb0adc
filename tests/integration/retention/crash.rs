//! A crash at any step of a removal is finished at the next start.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::os::unix::fs::symlink;
use std::os::unix::process::ExitStatusExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;

use historyserver::clock::Clock;
use historyserver::directory::Directory;
use historyserver::index::RemovalState;
use historyserver::retention::cleanup::CleanupScope;
use historyserver::retention::delete::Step;
use tokio_util::sync::CancellationToken;

use super::world::{Cleaner, NOW, application_in, before, id, keep, legacy_job_in, present_in, rules};
use crate::support::archives::{application_folder, job, set_modified, write};

/// Tells the child process where its archives are, and the step at which it ends itself.
const FOLDER: &str = "HISTORYSERVER_TEST_CRASH_FOLDER";
const STEP: &str = "HISTORYSERVER_TEST_CRASH_STEP";

/// Expired: 2 and 3 with two jobs each, 4 by a link, the legacy job 6; retained: 1 and 5.
fn prepare(folder: &Path) {
    let root = folder.join("archives");
    for number in 1..=3 {
        application_in(&root, "c", number, i64::from(number));
        let second = application_folder(&root, "c", &id(number)).join("jobs").join(id(number | 0xc0));
        write(&second, job(&id(number | 0xc0), "second", NOW.as_millis()));
        set_modified(&second, before(number.into()));
    }
    legacy_job_in(&root, 5, 1);
    legacy_job_in(&root, 6, 2);
    application_in(&folder.join("elsewhere"), "c", 4, 4);
    let target = application_folder(&folder.join("elsewhere"), "c", &id(4));
    symlink(target, application_folder(&root, "c", &id(4))).unwrap();
}

/// Files below a folder; nothing is looked for through links.
fn files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let entry = entry.unwrap();
        if entry.file_type().unwrap().is_dir() {
            found.append(&mut files(&entry.path()));
        } else {
            found.push(entry.path());
        }
    }
    found.sort();
    found
}

/// Numbers of the applications of which any file is left.
fn applications_with_files(root: &Path) -> BTreeSet<u8> {
    (1..=3).filter(|number| !files_if_any(&application_folder(root, "c", &id(*number))).is_empty()).collect()
}

/// Numbers of the applications of which nothing is missing.
fn whole_applications(root: &Path) -> BTreeSet<u8> {
    (1..=3).filter(|number| files_if_any(&application_folder(root, "c", &id(*number))).len() == 3).collect()
}

fn files_if_any(folder: &Path) -> Vec<PathBuf> {
    if folder.exists() { files(folder) } else { Vec::new() }
}

fn open(folder: &Path, witness: historyserver::retention::delete::Witness) -> Cleaner {
    let directory = Directory::open(folder.join("archives").to_str().unwrap(), &BTreeMap::new()).unwrap();
    let mut retention = keep(1);
    retention.policy.legacy_jobs = Some(1);
    Cleaner::witnessed(&[directory], &folder.join("data"), Clock::manual(NOW), rules(), retention, witness)
}

/// Runs in a process of its own too, which ends itself at a step.
#[tokio::test]
async fn a_removal_without_interruption_leaves_nothing() {
    let own = tempfile::tempdir().unwrap();
    let child = std::env::var_os(FOLDER).map(PathBuf::from);
    let folder = child.as_deref().unwrap_or(own.path());
    if child.is_none() {
        prepare(folder);
    }
    let last = std::env::var(STEP).unwrap_or_default();
    let witness = move |step: Step| {
        if format!("{step:?}") == last {
            std::process::abort();
        }
    };
    let mut server = open(folder, Arc::new(witness));
    server.round().await;
    assert_eq!(present_in(&folder.join("archives")), [1, 5].into());
}

#[tokio::test]
async fn whatever_step_a_crash_comes_after_the_next_start_finishes_it() {
    for step in Step::ALL {
        for index_lost in [false, true] {
            let folder = tempfile::tempdir().unwrap();
            prepare(folder.path());
            let child = Command::new(std::env::current_exe().unwrap())
                .args(["--exact", "retention::crash::a_removal_without_interruption_leaves_nothing", "--test-threads=1"])
                .env(FOLDER, folder.path())
                .env(STEP, format!("{step:?}"))
                .stdout(Stdio::null())
                .stderr(Stdio::null())
                .status()
                .unwrap();
            assert!(child.signal().is_some(), "{step:?} was not visited: {child}");
            let root = folder.path().join("archives");
            for number in [2, 3] {
                let application = application_folder(&root, "c", &id(number));
                let jobs = fs::read_dir(application.join("jobs")).map_or(0, Iterator::count);
                assert!(application.join("application-summary").exists() || jobs == 0, "{step:?} left orphans");
            }
            if index_lost {
                fs::remove_dir_all(folder.path().join("data")).unwrap();
            }
            let mut server = open(folder.path(), Arc::new(|_| {}));
            // As at the start of a server: before anything is listed, what is half gone is finished, and nothing else is touched.
            let whole = whole_applications(&root);
            server.cleanup.run(CleanupScope::Interrupted, &CancellationToken::new()).await;
            let pending = server.pending().await;
            assert!(pending.iter().all(|each| each.state != RemovalState::Running), "{step:?}: {pending:?}");
            assert_eq!(whole_applications(&root), whole, "{step:?}");
            if !index_lost {
                assert_eq!(applications_with_files(&root), whole, "{step:?}: something is half gone");
            }
            server.round().await;
            if index_lost {
                // An application of which one file had been renamed is listed without it, gets it back when it is deleted, and is judged again.
                server.round().await;
                // Without an index nobody can say whose the empty folders are. No file is left, but for one that the crash caught
                // between its renaming and its action: a listing restores it after a minute.
                let mut left = files(&root.join("c/applications"));
                left.retain(|file| file.extension().is_none_or(|extension| extension != "deleting"));
                assert_eq!(left, files(&application_folder(&root, "c", &id(1))), "{step:?}");
                assert!(root.join(id(5)).exists() && !root.join(id(6)).exists(), "{step:?}");
            } else {
                assert_eq!(present_in(&root), [1, 5].into(), "{step:?}");
            }
            assert_eq!(server.listed().await, [1].into(), "{step:?}");
            assert_eq!(server.world.problems().await, Vec::<String>::new(), "{step:?}");
            let mut recorded: Vec<String> = server.record().await.iter().map(|deletion| format!("{:?}", deletion.key)).collect();
            recorded.sort();
            let all = recorded.len();
            recorded.dedup();
            assert_eq!(recorded.len(), all, "{step:?}: something is on record twice");
            assert!(index_lost || all == 4, "{step:?}: {recorded:?}");
            let target = application_folder(&folder.path().join("elsewhere"), "c", &id(4));
            assert!(target.join("application-summary").exists(), "{step:?}");
        }
    }
}
