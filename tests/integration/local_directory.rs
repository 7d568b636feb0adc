//! Local archive directories as they are found in the field: permissions, links, pipes, names, and roots that go away.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::fs::{self, Permissions};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
use std::os::unix::net::UnixListener;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, SystemTime};

use historyserver::directory::{Deleted, Directory, DirectoryError, DirectoryErrorKind, Extent, Found, Hidden, Listed};
use historyserver::ids::ApplicationId;
use historyserver::names::{ClusterName, FilePath};
use historyserver::problem::ProblemCode;
use tempfile::TempDir;

use crate::archive_directory::{Listing, NO_VERSION, full_scan, hex, list, list_knowing, quick_scan, read, version_of};

/// Set in the process that runs as a user without rights; the folder to test on.
const AS_NOBODY: &str = "HISTORYSERVER_TEST_AS_NOBODY";

fn is_root() -> bool {
    fs::metadata("/proc/self").unwrap().uid() == 0
}

/// The folder, if this is the process that has no rights to all of it.
fn given_folder() -> Option<PathBuf> {
    std::env::var_os(AS_NOBODY).map(PathBuf::from)
}

/// Runs the test of this name once more, as a user who is not root, on a folder that the caller has made.
fn run_again_as_nobody(test: &str, folder: &Path) {
    let name = format!("local_directory::{test}");
    // The program is made reachable for that user wherever it lies.
    let program_folder = TempDir::new().unwrap();
    open_to_all(program_folder.path());
    let program = program_folder.path().join("integration");
    let own = std::env::current_exe().unwrap();
    fs::hard_link(&own, &program).or_else(|_| fs::copy(&own, &program).map(|_| ())).unwrap();
    let mut command = Command::new(&program);
    command.args(["--exact", &name, "--nocapture"]).env(AS_NOBODY, folder).current_dir("/");
    if is_root() {
        command.uid(65534).gid(65534);
    }
    let output = command.output().unwrap();
    let text = format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success() && text.contains("1 passed"), "as nobody: {text}");
}

fn open_to_all(folder: &Path) {
    fs::set_permissions(folder, Permissions::from_mode(0o755)).unwrap();
}

/// Takes the rights of everybody but its owner, who is root if that runs the tests.
fn lock(folder: &Path) {
    let mode = if is_root() { 0o700 } else { 0 };
    fs::set_permissions(folder, Permissions::from_mode(mode)).unwrap();
}

fn open(root: &Path) -> Directory {
    Directory::open(root.to_str().unwrap(), &BTreeMap::new()).unwrap()
}

fn write(file: &Path, content: &str) {
    fs::create_dir_all(file.parent().unwrap()).unwrap();
    fs::write(file, content).unwrap();
}

fn pipe(path: &Path) {
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    assert!(Command::new("mkfifo").arg(path).status().unwrap().success());
}

fn cluster(name: &str) -> Hidden {
    Hidden::Cluster(ClusterName::new(name))
}

fn application(name: &str, byte: u8) -> Hidden {
    Hidden::Application(ClusterName::new(name), ApplicationId::from_bytes([byte; 16]))
}

fn job(name: &str, byte: u8, job: u8) -> Hidden {
    Hidden::Job(ClusterName::new(name), ApplicationId::from_bytes([byte; 16]), hex(job).parse().unwrap())
}

fn cluster_or_job(byte: u8) -> Hidden {
    Hidden::ClusterOrLegacyJob(ClusterName::new(hex(byte)), hex(byte).parse().unwrap())
}

fn obstacles(listing: &Listing) -> Vec<(String, ProblemCode, String)> {
    let mut found: Vec<_> =
        listing.obstacles.iter().map(|obstacle| (obstacle.path.to_string(), obstacle.code, format!("{:?}", obstacle.hides))).collect();
    found.sort();
    found
}

/// Everything at once that stops the local listing of `object_store`, or an unwary one. Returns the archives that can be listed.
fn hostile(root: &Path, outside: &Path) -> Vec<String> {
    let mut good = Vec::new();
    for (name, applications) in [("0-first", 2), ("prod-eu", 3), ("with space%20+é", 1), ("zz-last", 2)] {
        for byte in 1..=applications {
            for file in ["application-summary".to_owned(), format!("jobs/{}", hex(9))] {
                let path = format!("{name}/applications/{}/{file}", hex(byte));
                write(&root.join(&path), "{}");
                good.push(path);
            }
        }
    }
    write(&root.join(hex(0x77)), "{}");
    good.push(hex(0x77));

    // In the root: what file systems put there, links, names, things that are no files.
    fs::create_dir(root.join("lost+found")).unwrap();
    lock(&root.join("lost+found"));
    write(&root.join(".snapshot/hourly.0/c/applications/x"), "x");
    symlink("loop", root.join("loop")).unwrap();
    symlink("ring-b", root.join("ring-a")).unwrap();
    symlink("ring-a", root.join("ring-b")).unwrap();
    symlink(".", root.join("self")).unwrap();
    symlink("/nowhere", root.join("dangling")).unwrap();
    symlink("/nowhere", root.join(hex(0x66))).unwrap();
    symlink(outside.join("file"), root.join("foreign-link")).unwrap();
    symlink(outside.join("file"), root.join(hex(0x65))).unwrap();
    fs::create_dir(root.join(OsStr::from_bytes(b"not-\xff-utf8"))).unwrap();
    write(&root.join(OsStr::from_bytes(b"cluster-\xff")).join("applications/x"), "x");
    write(&root.join(OsStr::from_bytes(b"file-\xff")), "x");
    pipe(&root.join(hex(0x64)));
    UnixListener::bind(root.join(hex(0x63))).unwrap();
    fs::create_dir(root.join(hex(0x62))).unwrap();
    write(&root.join("applications-is-a-file/applications"), "x");
    for number in 0..10_000 {
        fs::create_dir_all(root.join("foreign")).unwrap();
        fs::write(root.join(format!("foreign/{number}")), "").unwrap();
    }
    fs::create_dir(root.join("linked-to-nothing")).unwrap();
    symlink("/nowhere", root.join("linked-to-nothing/applications")).unwrap();

    // Clusters that cannot be listed or entered.
    write(&root.join(format!("locked/applications/{}/application-summary", hex(1))), "{}");
    lock(&root.join("locked"));
    write(&root.join(format!("locked-inside/applications/{}/application-summary", hex(1))), "{}");
    lock(&root.join("locked-inside/applications"));
    write(&root.join(format!("names-only/applications/{}/application-summary", hex(1))), "{}");
    fs::set_permissions(root.join("names-only/applications"), Permissions::from_mode(0o744)).unwrap();
    // A whole cluster elsewhere is a cluster.
    write(&outside.join(format!("cluster/applications/{}/application-summary", hex(1))), "{}");
    symlink(outside.join("cluster"), root.join("elsewhere")).unwrap();
    good.push(format!("elsewhere/applications/{}/application-summary", hex(1)));

    // Applications.
    let cluster = root.join("mixed/applications");
    let mut keep = |byte: u8, file: String| {
        write(&cluster.join(hex(byte)).join(&file), "{}");
        good.push(format!("mixed/applications/{}/{file}", hex(byte)));
    };
    keep(1, "application-summary".to_owned());
    keep(2, "application-summary".to_owned());
    keep(3, format!("jobs/{}", hex(1)));
    keep(4, "application-summary".to_owned());
    keep(5, "application-summary".to_owned());
    pipe(&cluster.join(format!("{}/jobs/{}", hex(1), hex(1))));
    pipe(&cluster.join(format!("{}/application-summary", hex(3))));
    fs::create_dir_all(cluster.join(format!("{}/jobs/{}", hex(1), hex(2)))).unwrap();
    // Links of files: within the root, out of it, to nothing, in a circle.
    fs::create_dir_all(cluster.join(format!("{}/jobs", hex(2)))).unwrap();
    let link = |to: &Path, byte: u8| symlink(to, cluster.join(format!("{}/jobs/{}", hex(2), hex(byte)))).unwrap();
    link(&cluster.join(format!("{}/jobs/{}", hex(3), hex(1))), 1);
    link(&outside.join("file"), 2);
    link(Path::new("/nowhere"), 3);
    link(Path::new(&hex(4)), 4);
    good.push(format!("mixed/applications/{}/jobs/{}", hex(2), hex(1)));
    symlink("/nowhere", cluster.join(format!("{}/jobs", hex(4)))).unwrap();
    fs::create_dir(cluster.join(format!("{}/jobs", hex(5)))).unwrap();
    lock(&cluster.join(format!("{}/jobs", hex(5))));
    write(&cluster.join(format!("{}/application-summary", hex(6))), "{}");
    lock(&cluster.join(hex(6)));
    fs::create_dir(cluster.join(hex(7))).unwrap();
    symlink("/nowhere", cluster.join(format!("{}/application-summary", hex(7)))).unwrap();
    // Links of application folders: to outside, to nothing, in a circle, to a file.
    write(&outside.join("moved/application-summary"), "{}");
    symlink(outside.join("moved"), cluster.join(hex(0x11))).unwrap();
    good.push(format!("mixed/applications/{}/application-summary", hex(0x11)));
    symlink("/nowhere", cluster.join(hex(0x12))).unwrap();
    symlink(hex(0x13), cluster.join(hex(0x13))).unwrap();
    symlink(outside.join("file"), cluster.join(hex(0x14))).unwrap();
    pipe(&cluster.join(hex(0x15)));
    fs::create_dir(cluster.join(OsStr::from_bytes(b"\xff"))).unwrap();
    good.sort();
    good
}

#[tokio::test]
async fn whatever_is_in_the_way_hides_only_what_is_below_it() {
    let test = "whatever_is_in_the_way_hides_only_what_is_below_it";
    let Some(folder) = given_folder() else {
        let folder = TempDir::new().unwrap();
        open_to_all(folder.path());
        let root = folder.path().join("archives");
        fs::create_dir(&root).unwrap();
        fs::create_dir(folder.path().join("outside")).unwrap();
        write(&folder.path().join("outside/file"), "a secret");
        let good = hostile(&root, &folder.path().join("outside"));
        write(&folder.path().join("good"), &good.join("\n"));
        run_again_as_nobody(test, folder.path());
        // Else the folder could not be removed where the tests do not run as root.
        let _unlocked = Command::new("chmod").args(["-R", "u+rwX"]).arg(folder.path()).status();
        return;
    };

    let good = fs::read_to_string(folder.join("good")).unwrap();
    let good: Vec<&str> = good.lines().collect();
    let directory = open(&folder.join("archives"));
    let whole = full_scan(&directory).await;
    assert_eq!(whole.paths(), good);
    let mixed = |byte: u8, rest: &str| format!("mixed/applications/{}{rest}", hex(byte));
    let name_is_lost = "\u{fffd}";
    let above = [
        ("dangling".to_owned(), ProblemCode::LinkRefused, cluster("dangling")),
        ("loop".to_owned(), ProblemCode::LinkRefused, cluster("loop")),
        ("ring-a".to_owned(), ProblemCode::LinkRefused, cluster("ring-a")),
        ("ring-b".to_owned(), ProblemCode::LinkRefused, cluster("ring-b")),
        (hex(0x65), ProblemCode::LinkRefused, cluster_or_job(0x65)),
        (hex(0x66), ProblemCode::LinkRefused, cluster_or_job(0x66)),
        (format!("cluster-{name_is_lost}/applications"), ProblemCode::NameUndecodable, Hidden::Nothing),
        ("linked-to-nothing/applications".to_owned(), ProblemCode::LinkRefused, cluster("linked-to-nothing")),
        ("locked/applications".to_owned(), ProblemCode::PermissionDenied, cluster("locked")),
        ("locked-inside/applications".to_owned(), ProblemCode::PermissionDenied, cluster("locked-inside")),
        ("lost+found/applications".to_owned(), ProblemCode::PermissionDenied, cluster("lost+found")),
        ("names-only/applications".to_owned(), ProblemCode::PermissionDenied, cluster("names-only")),
        (mixed(0x12, ""), ProblemCode::LinkRefused, application("mixed", 0x12)),
        (mixed(0x13, ""), ProblemCode::LinkRefused, application("mixed", 0x13)),
    ];
    let within = [
        (mixed(2, &format!("/jobs/{}", hex(2))), ProblemCode::LinkRefused, job("mixed", 2, 2)),
        (mixed(2, &format!("/jobs/{}", hex(3))), ProblemCode::LinkRefused, job("mixed", 2, 3)),
        (mixed(2, &format!("/jobs/{}", hex(4))), ProblemCode::LinkRefused, job("mixed", 2, 4)),
        (mixed(4, "/jobs"), ProblemCode::LinkRefused, application("mixed", 4)),
        (mixed(5, "/jobs"), ProblemCode::PermissionDenied, application("mixed", 5)),
        (mixed(6, ""), ProblemCode::PermissionDenied, application("mixed", 6)),
        (mixed(7, "/application-summary"), ProblemCode::LinkRefused, application("mixed", 7)),
    ];
    let expected = |parts: &[&[(String, ProblemCode, Hidden)]]| {
        let mut all: Vec<_> = parts.concat().into_iter().map(|(path, code, hides)| (path, code, format!("{hides:?}"))).collect();
        all.sort();
        all
    };
    assert_eq!(obstacles(&whole), expected(&[&above, &within]));
    for obstacle in &whole.obstacles {
        assert!(obstacle.reason.contains("archives/") && !obstacle.reason.contains("a secret"), "{obstacle:?}");
    }

    let names = quick_scan(&directory, |_| false).await;
    assert_eq!(obstacles(&names), expected(&[&above]));
    assert_eq!(names.folders(), whole.folders());
    assert!(whole.listed.requests < 60, "10,000 foreign files are not read: {} folders read", whole.listed.requests);

    // Reading what a listing does not show is no way round it.
    for (path, kind) in [
        (hex(0x64), DirectoryErrorKind::Refused),
        (hex(0x63), DirectoryErrorKind::Refused),
        (hex(0x62), DirectoryErrorKind::Refused),
        (hex(0x65), DirectoryErrorKind::Refused),
        (hex(0x66), DirectoryErrorKind::Refused),
        ("loop".to_owned(), DirectoryErrorKind::Refused),
        (mixed(1, &format!("/jobs/{}", hex(1))), DirectoryErrorKind::Refused),
        (mixed(2, &format!("/jobs/{}", hex(2))), DirectoryErrorKind::Refused),
        (mixed(6, "/application-summary"), DirectoryErrorKind::Denied),
        (mixed(8, "/application-summary"), DirectoryErrorKind::NotFound),
    ] {
        let error = read(&directory, &path, 1000).await.unwrap_err();
        assert_eq!(error.kind, kind, "{error}");
    }
    assert_eq!(read(&directory, &mixed(2, &format!("/jobs/{}", hex(1))), 1000).await.unwrap().0, b"{}");
    assert_eq!(read(&directory, &mixed(0x11, "/application-summary"), 1000).await.unwrap().0, b"{}");
    assert_eq!(directory.legacy_job_file(hex(0x65).parse().unwrap()).await.unwrap_err().kind, DirectoryErrorKind::Refused);
    let error = directory.application_files(&FilePath::new(mixed(6, ""))).await.unwrap_err();
    assert_eq!(error.kind, DirectoryErrorKind::Denied, "{error}");
}

#[tokio::test]
async fn a_root_that_cannot_be_listed_is_an_error() {
    let Some(folder) = given_folder() else {
        let folder = TempDir::new().unwrap();
        open_to_all(folder.path());
        write(&folder.path().join("locked/x/applications/y"), "x");
        lock(&folder.path().join("locked"));
        write(&folder.path().join("file"), "x");
        symlink("loop", folder.path().join("loop")).unwrap();
        run_again_as_nobody("a_root_that_cannot_be_listed_is_an_error", folder.path());
        fs::set_permissions(folder.path().join("locked"), Permissions::from_mode(0o755)).unwrap();
        return;
    };
    for (name, kind) in [
        ("locked", DirectoryErrorKind::Denied),
        ("locked/x", DirectoryErrorKind::Denied),
        ("file", DirectoryErrorKind::Refused),
        ("loop", DirectoryErrorKind::Refused),
    ] {
        let error = list(&open(&folder.join(name)), &Extent::Full).await.unwrap_err();
        assert_eq!(error.kind, kind, "{error}");
        assert!(error.message.contains(name), "{error}");
    }
}

#[tokio::test]
async fn an_entry_of_the_option_is_taken_literally() {
    let folder = TempDir::new().unwrap();
    let root = folder.path().join("archive with space%+é%20");
    write(&root.join(hex(1)), "{}");
    for text in [root.display().to_string(), format!("file:{}", root.display()), format!(" file://{}/ ", root.display())] {
        let directory = Directory::open(&text, &BTreeMap::new()).unwrap();
        assert_eq!(directory.url().as_str(), format!("file://{}", root.display()));
        assert_eq!(directory.local_root(), Some(root.as_path()));
        assert_eq!(full_scan(&directory).await.paths(), [hex(1)], "{text}");
    }
}

fn newest_first_fixture(root: &Path, applications: u16) -> Vec<ApplicationId> {
    let mut expected = Vec::new();
    for number in 0..applications {
        let mut id = [0x5a; 16];
        id[..2].copy_from_slice(&number.wrapping_mul(40_503).to_be_bytes());
        let id = ApplicationId::from_bytes(id);
        let folder = root.join(format!("c{}/applications/{id}", number % 3));
        write(&folder.join("application-summary"), "{}");
        let time = SystemTime::UNIX_EPOCH + Duration::from_secs(1_700_000_000 + u64::from(number));
        fs::File::open(&folder).unwrap().set_modified(time).unwrap();
        expected.insert(0, id);
    }
    expected
}

#[tokio::test]
async fn the_newest_application_comes_first_and_the_first_batch_is_small() {
    let folder = TempDir::new().unwrap();
    let expected = newest_first_fixture(folder.path(), 300);
    let directory = open(folder.path());
    for listing in [full_scan(&directory).await, quick_scan(&directory, |_| true).await] {
        assert_eq!(listing.order, expected);
        assert_eq!(listing.batches, [16, 64, 220]);
    }
    let known = quick_scan(&directory, |_| false).await;
    assert_eq!(known.batches, [100, 100, 100]);
}

/// Lists a directory of 300 applications; does something to its root, a link, while the listing waits to be heard.
async fn list_while(disturb: impl FnOnce(&Path)) -> Result<Listed, DirectoryError> {
    let folder = TempDir::new().unwrap();
    let (root, target) = (folder.path().join("archives"), folder.path().join("target"));
    newest_first_fixture(&target, 300);
    symlink(&target, &root).unwrap();
    let directory = open(&root);
    let (sender, mut receiver) = tokio::sync::mpsc::channel(1);
    let listing = historyserver::tasks::spawn(async move { directory.list(&Extent::Full, &std::sync::Arc::default(), sender).await });
    assert!(matches!(receiver.recv().await, Some(Found::Applications(_))));
    disturb(&root);
    while receiver.recv().await.is_some() {}
    listing.await.unwrap()
}

#[tokio::test]
async fn a_root_that_vanishes_during_a_listing_is_an_error_and_no_short_success() {
    let error = list_while(|root| fs::rename(root, root.with_extension("away")).unwrap()).await.unwrap_err();
    assert_eq!(error.kind, DirectoryErrorKind::Unavailable);
    assert!(error.message.contains("became unreachable while it was listed"), "{error}");

    // At one stroke, so that it is never away.
    let error = list_while(|root| {
        let (other, link) = (root.with_extension("other"), root.with_extension("link"));
        fs::create_dir(&other).unwrap();
        symlink(&other, &link).unwrap();
        fs::rename(&link, root).unwrap();
    })
    .await
    .unwrap_err();
    assert!(error.message.contains("was replaced by another folder"), "{error}");

    assert!(list_while(|_| {}).await.unwrap().exists);
}

#[tokio::test]
async fn nothing_is_gone_while_the_root_is_away() {
    let folder = TempDir::new().unwrap();
    let directory = open(&folder.path().join("away"));
    let application = FilePath::new(format!("c/applications/{}", hex(1)));
    let summary = FilePath::new(format!("{application}/application-summary"));
    let errors = [
        read(&directory, summary.as_str(), 10).await.unwrap_err(),
        directory.application_files(&application).await.unwrap_err(),
        directory.legacy_job_file(hex(1).parse().unwrap()).await.unwrap_err(),
        directory.delete_file(&summary, &NO_VERSION).await.unwrap_err(),
        directory.remove_folder_if_empty(&application).await.unwrap_err(),
        directory.application_link(&application).await.unwrap_err(),
        directory.remove_link(&application).await.unwrap_err(),
    ];
    for error in errors {
        assert_eq!(error.kind, DirectoryErrorKind::Unavailable, "{error}");
        assert!(error.message.contains("is missing"), "{error}");
    }
    fs::create_dir(folder.path().join("away")).unwrap();
    assert_eq!(read(&directory, summary.as_str(), 10).await.unwrap_err().kind, DirectoryErrorKind::NotFound);
    assert_eq!(directory.application_files(&application).await.unwrap(), None);
    assert_eq!(directory.delete_file(&summary, &NO_VERSION).await.unwrap(), Deleted::AlreadyMissing);
    assert!(directory.remove_folder_if_empty(&application).await.unwrap());
    assert_eq!(directory.remove_link(&application).await.unwrap(), Deleted::AlreadyMissing);
}

#[tokio::test]
async fn deleting_follows_no_link_and_removes_no_other_folder() {
    let folder = TempDir::new().unwrap();
    let (root, outside) = (folder.path().join("archives"), folder.path().join("outside"));
    let summary = |below: &str| FilePath::new(format!("{below}/application-summary"));
    write(&outside.join("application-summary"), "{}");
    write(&outside.join(format!("cluster/applications/{}/application-summary", hex(3))), "{}");
    write(&root.join(format!("c/applications/{}/application-summary", hex(1))), "{}");
    symlink(&outside, root.join(format!("c/applications/{}", hex(2)))).unwrap();
    symlink(outside.join("cluster"), root.join("linked")).unwrap();
    symlink(outside.join("application-summary"), root.join(hex(4))).unwrap();
    let directory = open(&root);

    let (plain, link) = (FilePath::new(format!("c/applications/{}", hex(1))), FilePath::new(format!("c/applications/{}", hex(2))));
    let below = FilePath::new(format!("linked/applications/{}", hex(3)));
    assert_eq!(directory.application_link(&plain).await.unwrap(), None);
    assert_eq!(directory.application_link(&link).await.unwrap(), Some(link.clone()));
    assert_eq!(directory.application_link(&below).await.unwrap(), Some(FilePath::new("linked")));

    for refused in [&summary(link.as_str()), &summary(below.as_str()), &plain, &FilePath::new("c")] {
        let error = directory.delete_file(refused, &NO_VERSION).await.unwrap_err();
        assert_eq!(error.kind, DirectoryErrorKind::Refused, "{error}");
    }
    for refused in ["c", "c/applications", "linked", link.as_str(), below.as_str(), "c/applications/jobs"] {
        let error = directory.remove_folder_if_empty(&FilePath::new(refused)).await.unwrap_err();
        assert_eq!(error.kind, DirectoryErrorKind::Refused, "{error}");
    }
    for refused in [&plain, &below, &summary(plain.as_str())] {
        let error = directory.remove_link(refused).await.unwrap_err();
        assert_eq!(error.kind, DirectoryErrorKind::Refused, "{error}");
    }
    assert!(!directory.remove_folder_if_empty(&plain).await.unwrap());

    assert_eq!(directory.remove_link(&link).await.unwrap(), Deleted::Done);
    assert_eq!(directory.remove_link(&link).await.unwrap(), Deleted::AlreadyMissing);
    // A link that was never listed stays. Of a file that is a link, the link goes.
    let (outward, inward) = (FilePath::new(hex(4)), FilePath::new(hex(5)));
    assert_eq!(directory.delete_file(&outward, &NO_VERSION).await.unwrap(), Deleted::Changed);
    assert!(fs::symlink_metadata(root.join(hex(4))).is_ok());
    symlink(root.join(format!("{plain}/application-summary")), root.join(hex(5))).unwrap();
    let listed = version_of(&directory, inward.as_str()).await;
    assert_eq!(directory.delete_file(&inward, &listed).await.unwrap(), Deleted::Done);
    assert!(fs::symlink_metadata(root.join(hex(5))).is_err());
    assert!(outside.join("application-summary").exists());
    assert!(outside.join(format!("cluster/applications/{}/application-summary", hex(3))).exists());
    assert!(root.join(format!("{plain}/application-summary")).exists());
}

#[tokio::test]
async fn what_is_in_the_way_in_the_root_is_told_once_and_hides_what_it_may_be() {
    let folder = TempDir::new().unwrap();
    let (root, outside) = (folder.path().join("archives"), folder.path().join("outside"));
    write(&outside, "{}");
    write(&root.join(hex(1)), "{}");
    for (byte, target) in [(2, outside.to_str().unwrap()), (3, "/nowhere"), (4, &hex(4))] {
        symlink(target, root.join(hex(byte))).unwrap();
    }
    let listing = full_scan(&open(&root)).await;
    let expected = [2, 3, 4].map(|byte| (hex(byte), ProblemCode::LinkRefused, format!("{:?}", cluster_or_job(byte))));
    assert_eq!(obstacles(&listing), expected);
    assert_eq!(listing.paths(), [hex(1)]);
}

#[tokio::test]
async fn a_root_below_a_hidden_name_is_a_root_like_any_other() {
    let folder = TempDir::new().unwrap();
    let root = folder.path().join(".archives/_jobs");
    let summary = format!("c/applications/{}/application-summary", hex(1));
    write(&root.join(&summary), "{}");
    let directory = open(&root);
    assert_eq!(full_scan(&directory).await.paths(), [summary.as_str()]);
    let listed = version_of(&directory, &summary).await;
    assert_eq!(directory.delete_file(&FilePath::new(summary.as_str()), &listed).await.unwrap(), Deleted::Done);
}

#[tokio::test]
async fn links_lead_to_clusters_and_never_in_a_circle() {
    let folder = TempDir::new().unwrap();
    let (root, outside) = (folder.path().join("archives"), folder.path().join("outside"));
    let summary = |cluster: &str, byte: u8| format!("{cluster}/applications/{}/application-summary", hex(byte));
    write(&root.join(summary("a/b", 1)), "{}");
    write(&outside.join(summary("prod", 2)), "{}");
    // Circles, at the root and deeper; a second way to a cluster; a team whose clusters lie elsewhere.
    symlink(".", root.join("self")).unwrap();
    symlink("..", root.join("a/up")).unwrap();
    symlink("b", root.join("a/again")).unwrap();
    symlink(&root, root.join("a/b/root")).unwrap();
    symlink(&outside, root.join("team")).unwrap();
    let directory = open(&root);
    let expected = [summary("a/b", 1), summary("team/prod", 2)];
    for listing in [full_scan(&directory).await, quick_scan(&directory, |_| true).await] {
        assert_eq!(listing.paths(), expected);
        assert!(listing.obstacles.is_empty() && listing.listed.requests < 40, "{listing:?}");
    }
}

#[tokio::test]
async fn a_large_foreign_tree_is_searched_at_a_bounded_cost_and_hides_no_cluster_of_the_root() {
    let folder = TempDir::new().unwrap();
    let root = folder.path().join("archives");
    for number in 0..400 {
        fs::create_dir_all(root.join(format!("checkpoints/{number:032x}/chk-1"))).unwrap();
    }
    let files: Vec<String> =
        ["z", "a", "known/nested"].iter().map(|cluster| format!("{cluster}/applications/{}/application-summary", hex(1))).collect();
    for file in &files {
        write(&root.join(file), "{}");
    }
    let directory = open(&root);
    let quick = Extent::Quick(std::sync::Arc::new(|_, _| false));
    let quick = list_knowing(&directory, &quick, &["known/nested"]).await.unwrap();
    assert_eq!((quick.applications.len(), quick.obstacles.len()), (3, 0));
    assert!(quick.listed.requests < 420, "{}", quick.listed.requests);
    let full = list_knowing(&directory, &Extent::Full, &["known/nested"]).await.unwrap();
    assert_eq!((full.applications.len(), full.obstacles.len()), (3, 0), "so few are all searched");
}
