//! The same id in several places: every copy is known, one is shown, and the next steps in when that one goes.

use std::path::Path;
use std::time::Duration;

use historyserver::refresh::plan::Rules;

use crate::support::archives::{application_folder, id, job, write, write_application};
use crate::support::world::{World, WorldOptions};

const END: i64 = 1_795_000_000_000;

fn forgetting() -> WorldOptions {
    let rules = Rules { forget_gone_applications: true, forget_gone_legacy_jobs: true, empty_grace: Duration::ZERO };
    WorldOptions { rules, ..WorldOptions::default() }
}

async fn shown_name(world: &World) -> String {
    let overview = world.get("/applications/overview").await.json();
    let applications = overview["applications"].as_array().unwrap();
    assert_eq!(applications.len(), 1, "each id is listed once: {overview}");
    let listed = applications[0]["name"].as_str().unwrap().to_owned();
    let details = world.get(&format!("/applications/{}", id('a'))).await.json();
    assert_eq!(details["name"], listed.as_str(), "list and document are of one copy");
    listed
}

fn remove(root: &Path, cluster: &str) {
    std::fs::remove_dir_all(application_folder(root, cluster, &id('a'))).unwrap();
}

#[tokio::test]
async fn the_same_application_in_two_directories_and_two_clusters_is_shown_once_and_each_copy_steps_in() {
    let folder = tempfile::tempdir().unwrap();
    let (first, second) = (folder.path().join("first"), folder.path().join("second"));
    // Equal times, so that the later directory and then the cluster's name decide.
    for (root, cluster, name) in [(&first, "x", "first/x"), (&second, "x", "second/x"), (&second, "y", "second/y")] {
        write_application(root, cluster, &id('a'), name, END, &[&id('1')]);
        let file = application_folder(root, cluster, &id('a')).join("application-summary");
        crate::support::archives::set_modified(&file, END);
    }
    // Folders of their own, so that no directory becomes empty.
    write(&first.join("keep"), "");
    write(&second.join("keep"), "");
    for order in [["second/x", "second/y", "first/x"], ["first/x", "second/x", "second/y"], ["second/y", "first/x", "second/x"]] {
        let data = tempfile::tempdir().unwrap();
        let copies = tempfile::tempdir().unwrap();
        let copied = std::process::Command::new("cp").arg("-rp").args([&first, &second]).arg(copies.path()).status().unwrap();
        assert!(copied.success());
        let roots = [copies.path().join("first"), copies.path().join("second")];
        let mut world = World::over(&[&roots[0], &roots[1]], data.path(), forgetting());
        world.full_scan().await;
        let mut left = vec!["second/y", "second/x", "first/x"];
        for gone in order {
            let shown = shown_name(&world).await;
            assert!(left.contains(&shown.as_str()));
            if left.contains(&"second/x") || left.contains(&"second/y") {
                assert!(shown.starts_with("second/"), "the later directory wins: {shown}");
            }
            let (root, cluster) = gone.split_once('/').unwrap();
            remove(&copies.path().join(root), cluster);
            left.retain(|each| *each != gone);
            world.full_scan().await;
            if !left.is_empty() {
                assert_eq!(world.get(&format!("/jobs/{}/config", id('1'))).await.status, 200);
            }
        }
        assert_eq!(world.applications().await, Vec::<String>::new());
        assert_eq!(world.jobs().await, Vec::<String>::new());
    }
}

#[tokio::test]
async fn an_applications_job_is_shown_before_the_same_job_as_a_legacy_archive() {
    for legacy_goes_first in [false, true] {
        let folder = tempfile::tempdir().unwrap();
        let (root, data) = (folder.path().join("archives"), folder.path().join("data"));
        write_application(&root, "c", &id('a'), "of the application", END, &[&id('1')]);
        write(&root.join(id('1')), job(&id('1'), "legacy", END + 10));
        let mut world = World::over(&[&root], &data, forgetting());
        world.full_scan().await;
        let name = async |world: &World| {
            let overview = world.get("/jobs/overview").await.json();
            assert_eq!(overview["jobs"].as_array().unwrap().len(), 1);
            let config = world.get(&format!("/jobs/{}/config", id('1'))).await.json();
            assert_eq!(config["name"], overview["jobs"][0]["name"]);
            config["name"].as_str().unwrap().to_owned()
        };
        assert_eq!(name(&world).await, "of the application");
        if legacy_goes_first {
            std::fs::remove_file(root.join(id('1'))).unwrap();
            world.full_scan().await;
            assert_eq!(name(&world).await, "of the application");
        } else {
            remove(&root, "c");
            world.full_scan().await;
            assert_eq!(name(&world).await, "legacy");
        }
    }
}
