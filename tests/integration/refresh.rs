//! Changes in archive directories are noticed, and nothing is concluded from what could not be listed.

use std::fs;
use std::time::Duration;

use historyserver::clock::Timestamp;
use historyserver::directory::Directory;
use historyserver::names::DirectoryUrl;
use historyserver::refresh::DirectoryState;
use historyserver::refresh::plan::Rules;

use crate::faulty_store::FaultyStore;
use crate::support::archives::{application_folder, id, job, set_modified, summary, write, write_application};
use crate::support::world::{World, WorldOptions};

const END: i64 = 1_795_000_000_000;

struct Place {
    folder: tempfile::TempDir,
}

impl Place {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir(folder.path().join("archives")).unwrap();
        Self { folder }
    }

    fn root(&self) -> std::path::PathBuf {
        self.folder.path().join("archives")
    }

    fn world(&self, options: WorldOptions) -> World {
        World::over(&[&self.root()], &self.folder.path().join("data"), options)
    }
}

#[tokio::test]
async fn a_late_job_archive_and_a_rewritten_summary_are_noticed() {
    let place = Place::new();
    let (application, first, late) = (id('a'), id('1'), id('2'));
    write_application(&place.root(), "c", &application, "before", END, &[&first]);
    let mut world = place.world(WorldOptions::default());
    world.full_scan().await;
    assert_eq!(world.jobs().await, vec![first.clone()]);
    let folder = application_folder(&place.root(), "c", &application);
    write(&folder.join("jobs").join(&late), job(&late, "late", END + 1));
    write(&folder.join("application-summary"), summary(&application, "a longer name after", END, &[&first, &late]));
    world.full_scan().await;
    assert_eq!(world.jobs().await, vec![late, first]);
    let overview = world.get("/applications/overview").await.json();
    assert_eq!(overview["applications"][0]["name"], "a longer name after");
}

#[tokio::test]
async fn a_second_write_of_the_same_size_within_the_clock_tick_is_noticed() {
    let place = Place::new();
    let application = id('a');
    write_application(&place.root(), "c", &application, "before", END, &[]);
    let file = application_folder(&place.root(), "c", &application).join("application-summary");
    let options = WorldOptions { clock: historyserver::clock::Clock::manual(Timestamp::from_millis(END)), ..WorldOptions::default() };
    set_modified(&file, END);
    let mut world = place.world(options);
    world.full_scan().await;
    write(&file, summary(&application, "after!", END, &[]));
    set_modified(&file, END);
    world.quick_scan().await;
    assert_eq!(world.get("/applications/overview").await.json()["applications"][0]["name"], "before");
    world.advance(Duration::from_secs(3));
    world.quick_scan().await;
    assert_eq!(world.get("/applications/overview").await.json()["applications"][0]["name"], "after!");
}

#[tokio::test]
async fn a_file_half_written_at_the_first_look_is_listed_when_it_is_whole() {
    let place = Place::new();
    let (application, first) = (id('a'), id('1'));
    let folder = application_folder(&place.root(), "c", &application);
    let whole = job(&first, "job", END);
    write(&folder.join("jobs").join(&first), &whole[..whole.len() / 2]);
    let mut world = place.world(WorldOptions::default());
    world.full_scan().await;
    assert_eq!(world.jobs().await, Vec::<String>::new());
    assert_eq!(world.problems().await, ["archive-unreadable", "summary-missing"]);
    write(&folder.join("jobs").join(&first), &whole);
    world.quick_scan().await;
    assert_eq!(world.jobs().await, vec![first.clone()], "jobs of an application without a summary are listed");
    assert_eq!(world.applications().await, Vec::<String>::new());
    assert_eq!(world.problems().await, ["summary-missing"]);
    write(&folder.join("application-summary"), summary(&application, "name", END, &[&first]));
    // One without a summary is looked at less often as it ages.
    world.advance(Duration::from_mins(10));
    world.quick_scan().await;
    assert_eq!(world.applications().await, vec![application]);
    assert_eq!(world.problems().await, Vec::<String>::new());
}

#[tokio::test]
async fn a_file_that_no_longer_parses_keeps_its_last_good_documents() {
    let place = Place::new();
    let (application, first) = (id('a'), id('1'));
    write_application(&place.root(), "c", &application, "name", END, &[&first]);
    let mut world = place.world(WorldOptions::default());
    world.full_scan().await;
    let path = format!("/jobs/{first}/config");
    let before = world.get(&path).await.text();
    write(&application_folder(&place.root(), "c", &application).join("jobs").join(&first), "{\"archive\":[{");
    world.full_scan().await;
    assert_eq!(world.problems().await, ["archive-unreadable"]);
    assert_eq!(world.get(&path).await.text(), before);
    assert_eq!(world.jobs().await, vec![first]);
}

#[tokio::test]
async fn one_bad_job_archive_hides_nothing_else() {
    let place = Place::new();
    let (application, good, bad) = (id('a'), id('1'), id('2'));
    write_application(&place.root(), "c", &application, "name", END, &[&good, &bad]);
    write(&application_folder(&place.root(), "c", &application).join("jobs").join(&bad), "");
    let mut world = place.world(WorldOptions::default());
    world.full_scan().await;
    assert_eq!(world.applications().await, vec![application]);
    assert_eq!(world.jobs().await, vec![good]);
    assert_eq!(world.problems().await, ["archive-unreadable"]);
}

#[tokio::test]
async fn missing_archives_stay_browsable_unless_they_are_to_be_forgotten() {
    for forget in [false, true] {
        let place = Place::new();
        let (application, kept, legacy) = (id('a'), id('b'), id('3'));
        let first = id('1');
        write_application(&place.root(), "c", &application, "gone", END, &[&first]);
        write_application(&place.root(), "c", &kept, "kept", END + 1, &[]);
        write(&place.root().join(&legacy), job(&legacy, "legacy", END + 1));
        let rules = Rules { forget_gone_applications: forget, forget_gone_legacy_jobs: forget, empty_grace: Duration::ZERO };
        let mut world = place.world(WorldOptions { rules, ..WorldOptions::default() });
        world.full_scan().await;
        fs::remove_dir_all(application_folder(&place.root(), "c", &application)).unwrap();
        fs::remove_file(place.root().join(&legacy)).unwrap();
        world.quick_scan().await;
        let status = world.get(&format!("/jobs/{first}/config")).await.status;
        if forget {
            assert_eq!(world.applications().await, vec![kept]);
            assert_eq!(world.jobs().await, Vec::<String>::new());
            assert_eq!(status, 404);
        } else {
            assert_eq!(world.applications().await, vec![kept, application.clone()]);
            assert_eq!(world.jobs().await, vec![legacy, first.clone()]);
            assert_eq!(status, 200);
        }
        write_application(&place.root(), "c", &application, "restored", END, &[&first]);
        world.quick_scan().await;
        assert_eq!(world.applications().await.len(), 2);
        assert_eq!(world.get(&format!("/jobs/{first}/config")).await.status, 200);
    }
}

#[tokio::test]
async fn a_directory_renamed_away_for_three_refreshes_loses_nothing() {
    let place = Place::new();
    for digit in ['a', 'b', 'c'] {
        write_application(&place.root(), "c", &id(digit), "name", END, &[]);
    }
    let rules = Rules { forget_gone_applications: true, forget_gone_legacy_jobs: true, empty_grace: Duration::from_hours(1) };
    let mut world = place.world(WorldOptions { rules, ..WorldOptions::default() });
    world.full_scan().await;
    let listed = world.applications().await;
    let generation = world.reader.generation();
    let away = place.folder.path().join("away");
    fs::rename(place.root(), &away).unwrap();
    for _ in 0..3 {
        world.quick_scan().await;
        assert_eq!(world.applications().await, listed);
        assert_eq!(world.problems().await, ["directory-vanished"]);
        assert_eq!(world.status.borrow().directories[0].state, DirectoryState::Vanished);
    }
    fs::rename(&away, place.root()).unwrap();
    world.full_scan().await;
    assert_eq!(world.applications().await, listed);
    assert_eq!(world.problems().await, Vec::<String>::new());
    assert_eq!(world.reader.generation(), generation, "nothing was read or written again");
    assert_eq!(world.status.borrow().directories[0].state, DirectoryState::Listed);
}

/// Takes all archives of a root away to `away` and leaves something that is no archive.
fn take_away(root: &std::path::Path, away: &std::path::Path, stray: &str) {
    fs::rename(root, away).unwrap();
    match stray.strip_suffix('/') {
        Some(folder) => fs::create_dir_all(root.join(folder)).unwrap(),
        None => write(&root.join(stray), "x"),
    }
}

#[tokio::test]
async fn whatever_lies_in_a_directory_without_archives_nothing_is_lost() {
    let skeleton = format!("c/applications/{}/jobs/", id('a'));
    let strays = [".keep", "lost+found/", "_temporary/0/x", "applications/", "c/applications/", "other/notes.txt", "README", &skeleton];
    for stray in strays {
        let place = Place::new();
        for digit in ['a', 'b', 'c'] {
            write_application(&place.root(), "c", &id(digit), "name", END, &[&id('1')]);
        }
        write(&place.root().join(id('2')), job(&id('2'), "legacy", END));
        let rules = Rules { forget_gone_applications: true, forget_gone_legacy_jobs: true, empty_grace: Duration::from_mins(1) };
        let mut world = place.world(WorldOptions { rules, ..WorldOptions::default() });
        world.full_scan().await;
        // One that goes alone is believed.
        fs::remove_dir_all(application_folder(&place.root(), "c", &id('b'))).unwrap();
        world.quick_scan().await;
        let listed = world.applications().await;
        assert_eq!(listed.len(), 2, "{stray}");

        let away = place.folder.path().join("away");
        take_away(&place.root(), &away, stray);
        // A quick scan may take a folder for an application; a full scan tells, and then every refresh does.
        world.full_scan().await;
        for _ in 0..3 {
            assert_eq!(world.status.borrow().directories[0].state, DirectoryState::Vanished, "{stray}");
            assert_eq!((world.applications().await, world.jobs().await.len()), (listed.clone(), 2), "{stray}");
            assert_eq!(world.problems().await, ["directory-vanished"], "{stray}");
            world.quick_scan().await;
        }
        fs::remove_dir_all(place.root()).unwrap();
        fs::rename(&away, place.root()).unwrap();
        world.quick_scan().await;
        assert_eq!(world.status.borrow().directories[0].state, DirectoryState::Listed, "{stray}");
        assert_eq!(world.applications().await, listed, "{stray}");
        assert_eq!(world.problems().await, Vec::<String>::new(), "{stray}");

        // For good: believed after the grace.
        take_away(&place.root(), &away, stray);
        world.full_scan().await;
        world.advance(Duration::from_mins(1));
        world.quick_scan().await;
        assert_eq!(world.applications().await, Vec::<String>::new(), "{stray}");
        assert_eq!(world.problems().await, Vec::<String>::new(), "{stray}");
    }
}

#[tokio::test]
async fn an_object_store_that_suddenly_holds_no_archive_loses_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let store = FaultyStore::in_memory();
    let keys = ['a', 'b'].map(|digit| format!("archives/c/applications/{}/application-summary", id(digit)));
    for (digit, key) in ['a', 'b'].into_iter().zip(&keys) {
        store.write(key, summary(&id(digit), "name", END, &[])).await;
    }
    let directory = Directory::in_store(DirectoryUrl::new("memory://test/archives"), store.store(), "archives");
    let rules = Rules { forget_gone_applications: true, forget_gone_legacy_jobs: true, empty_grace: Duration::from_mins(1) };
    let mut world = World::open(&[directory], &folder.path().join("data"), WorldOptions { rules, ..WorldOptions::default() });
    world.full_scan().await;
    for stray in ["archives/_temporary/0/x", "archives/c/applications/notes", "archives/.keep"] {
        for key in &keys {
            store.erase(key).await;
        }
        store.write(stray, "x").await;
        world.full_scan().await;
        world.full_scan().await;
        assert_eq!(world.status.borrow().directories[0].state, DirectoryState::Vanished, "{stray}");
        assert_eq!(world.applications().await.len(), 2, "{stray}");
        for (digit, key) in ['a', 'b'].into_iter().zip(&keys) {
            store.write(key, summary(&id(digit), "name", END, &[])).await;
        }
        world.full_scan().await;
        assert_eq!(world.problems().await, Vec::<String>::new(), "{stray}");
    }
}

#[tokio::test]
async fn a_document_of_a_directory_that_is_not_mounted_is_not_reported_as_missing() {
    let place = Place::new();
    write_application(&place.root(), "c", &id('a'), "name", END, &[&id('1')]);
    let mut world = place.world(WorldOptions { max_pack_bytes: 0, restored_grace: Duration::ZERO, ..WorldOptions::default() });
    world.full_scan().await;
    world.until_evicted_to(0).await;
    take_away(&place.root(), &place.folder.path().join("away"), "lost+found/");
    world.quick_scan().await;
    let answer = world.get(&format!("/jobs/{}/config", id('1'))).await;
    assert_eq!(answer.status, 503, "{}", answer.text());
    assert!(answer.text().contains("is its volume mounted?"), "{}", answer.text());
}

#[tokio::test]
async fn a_directory_that_stays_empty_is_trusted_after_the_grace() {
    let place = Place::new();
    write_application(&place.root(), "c", &id('a'), "name", END, &[]);
    let rules = Rules { forget_gone_applications: true, forget_gone_legacy_jobs: true, empty_grace: Duration::from_mins(1) };
    let mut world = place.world(WorldOptions { rules, ..WorldOptions::default() });
    world.full_scan().await;
    fs::remove_dir_all(place.root()).unwrap();
    fs::create_dir(place.root()).unwrap();
    world.quick_scan().await;
    world.advance(Duration::from_millis(59_999));
    world.quick_scan().await;
    assert_eq!(world.applications().await.len(), 1);
    world.advance(Duration::from_millis(1));
    world.quick_scan().await;
    assert_eq!(world.applications().await, Vec::<String>::new());
    assert_eq!(world.problems().await, Vec::<String>::new());
}

#[tokio::test]
async fn a_directory_that_does_not_exist_is_reported_until_it_does() {
    let place = Place::new();
    fs::remove_dir(place.root()).unwrap();
    let mut world = place.world(WorldOptions::default());
    for _ in 0..3 {
        world.quick_scan().await;
        assert_eq!(world.problems().await, ["directory-missing"]);
        let status = world.status.borrow().directories[0].clone();
        assert_eq!(status.state, DirectoryState::Missing);
        let reason = status.reason.unwrap();
        assert!(reason.contains(&format!("{} does not exist", place.root().display())), "{reason}");
    }
    write_application(&place.root(), "c", &id('a'), "name", END, &[]);
    world.quick_scan().await;
    assert_eq!(world.applications().await, vec![id('a')]);
    assert_eq!(world.problems().await, Vec::<String>::new());
    let status = world.status.borrow().directories[0].clone();
    assert_eq!((status.state, status.reason), (DirectoryState::Listed, None));
}

#[tokio::test]
async fn an_object_store_prefix_without_objects_is_reported() {
    let folder = tempfile::tempdir().unwrap();
    let store = FaultyStore::in_memory();
    store.write("archives-2/x", "x").await;
    let directory = Directory::in_store(DirectoryUrl::new("memory://test/archives"), store.store(), "archives");
    let mut world = World::open(&[directory], &folder.path().join("data"), WorldOptions::default());
    world.quick_scan().await;
    assert_eq!(world.problems().await, ["directory-missing"]);
    assert_eq!(world.status.borrow().directories[0].state, DirectoryState::Missing);
    store.write(&format!("archives/{}", id('1')), job(&id('1'), "legacy", END)).await;
    world.full_scan().await;
    assert_eq!((world.jobs().await, world.problems().await), (vec![id('1')], vec![]));
}

#[tokio::test]
async fn a_directory_that_is_one_level_too_low_or_too_high_is_reported() {
    let place = Place::new();
    write_application(&place.root(), &"0".repeat(32), &id('a'), "name", END, &[]);
    for (root, likely) in [
        (place.root().join("0".repeat(32)), place.root()),
        (place.root().join("0".repeat(32)).join("applications"), place.root()),
        (place.folder.path().to_path_buf(), place.root()),
    ] {
        let data = tempfile::tempdir().unwrap();
        let mut world = World::over(&[&root], data.path(), WorldOptions::default());
        world.quick_scan().await;
        assert_eq!(world.problems().await, ["directory-misplaced"], "{}", root.display());
        let reason = world.status.borrow().directories[0].reason.clone().unwrap();
        assert!(reason.ends_with(&format!("fs.dir to {}", likely.display())), "{reason}");
    }
}

#[tokio::test]
async fn clusters_with_slashes_are_listed_refreshed_and_filtered_by_name() {
    let place = Place::new();
    let cluster = "team a/prod ü, #1";
    write_application(&place.root(), cluster, &id('a'), "first", END, &[&id('1')]);
    write_application(&place.root(), "team a", &id('b'), "other", END - 1, &[]);
    let mut world = place.world(WorldOptions::default());
    world.full_scan().await;
    assert_eq!(world.applications().await, vec![id('a'), id('b')]);
    // A quick scan sees what is new in a cluster that it knows, and a cluster that it does not know.
    write_application(&place.root(), cluster, &id('c'), "second", END + 1, &[]);
    write_application(&place.root(), "team b/x/y", &id('d'), "third", END + 2, &[]);
    world.quick_scan().await;
    assert_eq!(world.applications().await, vec![id('d'), id('c'), id('a'), id('b')]);
    let query: String = url::form_urlencoded::Serializer::new(String::new()).append_pair("cluster", cluster).finish();
    let list = world.get(&format!("/api/v1/applications?{query}")).await.json();
    let ids: Vec<&str> = list["items"].as_array().unwrap().iter().map(|item| item["id"].as_str().unwrap()).collect();
    assert_eq!(ids, [id('c'), id('a')]);
    assert_eq!(world.get(&format!("/api/v1/applications/{}?{query}", id('a'))).await.json()["cluster"], cluster);
    assert_eq!(world.get(&format!("/jobs/{}/config", id('1'))).await.status, 200);

    fs::remove_dir_all(application_folder(&place.root(), cluster, &id('c'))).unwrap();
    world.quick_scan().await;
    let gone = world.get(&format!("/api/v1/applications/{}", id('c'))).await.json();
    assert!(gone["gone_since"].is_i64(), "{gone}");
    // Folders that cannot be read hide what lies below them, however deep.
    fs::rename(place.root().join("team b"), place.folder.path().join("away")).unwrap();
    std::os::unix::fs::symlink("/nowhere", place.root().join("team b")).unwrap();
    world.quick_scan().await;
    assert!(world.get(&format!("/api/v1/applications/{}", id('d'))).await.json()["gone_since"].is_null());
    assert_eq!(world.problems().await, ["link-refused"]);
}

#[tokio::test]
async fn applications_below_hidden_names_leave_the_index_and_nothing_is_deleted() {
    let place = Place::new();
    let clusters = [("old", ".old", 'a'), ("team/keep", "team/_keep", 'b'), ("gone", "_gone", 'c')];
    for (cluster, _, digit) in clusters {
        write_application(&place.root(), cluster, &id(digit), "name", END, &[]);
    }
    write_application(&place.root(), "prod", &id('d'), "name", END, &[]);
    let mut world = place.world(WorldOptions::default());
    world.full_scan().await;
    fs::remove_dir_all(place.root().join("gone")).unwrap();
    world.full_scan().await;
    world.close().await;
    // As an older version left it: it knows them by their hidden names.
    let index = rusqlite::Connection::open(place.folder.path().join("data/historyserver.sqlite")).unwrap();
    for (cluster, hidden, _) in clusters {
        assert_eq!(index.execute("UPDATE units SET cluster = ?2 WHERE cluster = ?1", [cluster, hidden]).unwrap(), 1);
    }
    index.close().unwrap();
    for (cluster, hidden, _) in &clusters[..2] {
        fs::rename(place.root().join(cluster), place.root().join(hidden)).unwrap();
    }
    let mut world = place.world(WorldOptions::default());
    assert_eq!(world.applications().await.len(), 4);
    world.quick_scan().await;
    let mut left = world.applications().await;
    left.sort();
    assert_eq!(left, vec![id('c'), id('d')], "what is gone may be known here only");
    for (_, hidden, digit) in &clusters[..2] {
        assert!(application_folder(&place.root(), hidden, &id(*digit)).join("application-summary").exists());
    }
    assert_eq!(world.problems().await, ["hidden-folder", "hidden-folder"]);
    assert!(world.reader.deletions(None, 10).await.unwrap().rows.is_empty());
}

#[tokio::test]
async fn a_refresh_with_nothing_new_changes_nothing() {
    let place = Place::new();
    write_application(&place.root(), "c", &id('a'), "name", END, &[&id('1')]);
    write(&place.root().join(id('2')), job(&id('2'), "legacy", END));
    let mut world = place.world(WorldOptions::default());
    world.full_scan().await;
    let (generation, version) = (world.reader.generation(), world.reader.known_version());
    for _ in 0..3 {
        world.quick_scan().await;
        world.full_scan().await;
    }
    assert_eq!(world.reader.generation(), generation);
    assert_eq!(world.reader.known_version(), version);
}
