//! The contract of archive directories in every kind of store: written once, tested for local files, for a store in memory
//! and for a real S3 server.

use historyserver::directory::{Deleted, Directory, DirectoryErrorKind, Extent, FileKind, Hidden};
use historyserver::ids::ApplicationId;
use historyserver::names::FilePath;
use historyserver::problem::ProblemCode;

use crate::archive_directory::{Listing, NO_VERSION, Place, full_scan, hex, list, list_knowing, quick_scan, read, version_of};
use crate::moto::Moto;

macro_rules! contract {
    ($($name:ident),* $(,)?) => {
        mod on_local_files {
            $(#[tokio::test] async fn $name() { super::$name(&super::Place::local()).await; })*
        }
        mod on_a_store_in_memory {
            $(#[tokio::test] async fn $name() { super::$name(&super::Place::in_memory()).await; })*
        }

        #[tokio::test]
        async fn the_contract_holds_on_an_s3_server() {
            let moto = Moto::start();
            moto.make_bucket("archives").await;
            $({
                let prefix = concat!("a b%2F+é/", stringify!($name));
                let directory = Directory::open(&format!("s3a://archives/{prefix}"), &moto.options()).unwrap();
                eprintln!("{prefix}");
                $name(&Place::opened(directory, moto.client("archives"), prefix)).await;
            })*
        }
    };
}

contract! {
    every_archive_of_the_fixtures_is_found_and_nothing_else,
    a_look_names_all_and_reads_the_files_of_those_wanted,
    a_directory_that_is_not_there_is_no_error,
    foreign_files_are_passed_over,
    names_are_literal_whatever_characters_they_have,
    ids_are_compared_in_lower_case_and_twins_are_told,
    small_files_are_read_at_once_and_large_ones_in_chunks,
    the_files_of_one_application_are_found_by_a_full_scan,
    a_legacy_job_archive_is_found_by_its_id,
    what_is_deleted_is_gone_and_deleting_it_again_is_no_error,
    a_rewritten_file_has_another_fingerprint,
    a_file_that_was_rewritten_since_it_was_listed_is_not_deleted,
    paths_that_lead_elsewhere_are_refused,
    a_listing_that_nobody_hears_ends_with_an_error,
    clusters_are_found_in_folders_of_folders,
    hidden_names_are_left_alone_at_every_place,
    a_cluster_that_lies_too_deep_is_told,
    a_cluster_that_is_known_is_listed_whatever_else_there_is,
    a_root_at_another_level_is_told_with_the_right_one,
    more_applications_than_a_page_holds_are_all_found_once,
}

fn id(byte: u8) -> ApplicationId {
    ApplicationId::from_bytes([byte; 16])
}

async fn every_archive_of_the_fixtures_is_found_and_nothing_else(place: &Place) {
    let fixtures = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/archives");
    let mut expected = Vec::new();
    for version in ["flink-1.20.5", "flink-2.2.1", "flink-2.3.0"] {
        let root = fixtures.join(version);
        let mut folders = vec![root.clone()];
        while let Some(folder) = folders.pop() {
            for entry in std::fs::read_dir(folder).unwrap() {
                let path = entry.unwrap().path();
                if path.is_dir() {
                    folders.push(path);
                    continue;
                }
                let below = path.strip_prefix(&root).unwrap().to_str().unwrap().to_owned();
                place.write(&below, std::fs::read(&path).unwrap()).await;
                expected.push((below, path.metadata().unwrap().len()));
            }
        }
    }
    expected.sort();

    let listing = full_scan(&place.directory).await;
    assert!(listing.listed.exists && listing.listed.requests > 0);
    assert_eq!(listing.obstacles, []);
    assert_eq!(listing.legacy.len(), 4);
    let mut found = Vec::new();
    for ((cluster, id), application) in &listing.applications {
        assert_eq!(application.folder.as_str(), format!("{cluster}/applications/{id}"));
        for file in application.files.as_ref().unwrap() {
            let name = match file.kind {
                FileKind::Summary => "application-summary".to_owned(),
                FileKind::Job(job) => format!("jobs/{job}"),
            };
            assert_eq!(file.path.as_str(), format!("{}/{name}", application.folder));
            found.push((file.path.to_string(), file.version.size));
        }
    }
    for (job, file) in &listing.legacy {
        assert_eq!((file.path.as_str(), file.kind), (job.to_string().as_str(), FileKind::Job(*job)));
        found.push((file.path.to_string(), file.version.size));
    }
    found.sort();
    assert_eq!(found, expected);
    for (path, size) in expected {
        assert_eq!(read(&place.directory, &path, u64::MAX).await.unwrap().0.len() as u64, size, "{path}");
    }
}

async fn a_look_names_all_and_reads_the_files_of_those_wanted(place: &Place) {
    for byte in 1..=3 {
        place.write(&format!("prod-eu/applications/{}/application-summary", hex(byte)), "{}").await;
        place.write(&format!("prod-eu/applications/{}/jobs/{}", hex(byte), hex(byte)), "{}").await;
    }
    place.write(&format!("other/applications/{}/jobs/{}", hex(2), hex(9)), "{}").await;
    place.write(&hex(7), "{}").await;

    let listing = quick_scan(&place.directory, |application| *application == id(2)).await;
    assert_eq!(listing.obstacles, []);
    assert_eq!(listing.folders().len(), 4);
    for ((cluster, application), found) in &listing.applications {
        let files = found.files.as_ref().map(Vec::len);
        let expected = match (cluster.as_str(), *application == id(2)) {
            (_, false) => None,
            ("other", true) => Some(1),
            (_, true) => Some(2),
        };
        assert_eq!(files, expected, "{cluster} {application}");
    }
    assert_eq!(listing.legacy.len(), 1);

    let whole = full_scan(&place.directory).await;
    let detailed = quick_scan(&place.directory, |_| true).await;
    assert_eq!(detailed.paths(), whole.paths());
    assert_eq!(detailed.legacy, whole.legacy);
    assert_eq!(detailed.applications.len(), whole.applications.len());
}

async fn a_directory_that_is_not_there_is_no_error(place: &Place) {
    for extent in [Extent::Full, Extent::Quick(std::sync::Arc::new(|_, _| true))] {
        let listing = list(&place.directory, &extent).await.unwrap();
        assert!(!listing.listed.exists);
        assert!(listing.applications.is_empty() && listing.legacy.is_empty() && listing.obstacles.is_empty());
    }
    place.write(&hex(1), "{}").await;
    let listing = full_scan(&place.directory).await;
    assert!(listing.listed.exists);
    assert_eq!(listing.paths(), [hex(1)]);
}

async fn foreign_files_are_passed_over(place: &Place) {
    place.write("README", "x").await;
    place.write("notes/2024/report.txt", "x").await;
    let only_foreign = full_scan(&place.directory).await;
    assert!(only_foreign.listed.exists);
    assert_eq!(only_foreign.paths(), Vec::<String>::new());

    // A name of 32 hex digits that is no cluster comes first: its neighbours are found.
    place.write(&format!("{}/other/file", hex(0)), "x").await;
    let application = format!("{}/applications/{}", hex(5), hex(5));
    for name in ["application-summary.bak", "jobs/not-an-id", &format!("jobs/{}/x", hex(3)), "other/application-summary", "tmp"] {
        place.write(&format!("{application}/{name}"), "x").await;
    }
    place.write(&format!("{application}/jobs/{}", hex(4)), "{}").await;
    place.write(&format!("{}/applications/not-an-id/application-summary", hex(5)), "x").await;
    place.write(&format!("{}/applications/{}", hex(5), hex(6)), "a file, not a folder").await;
    place.write(&format!("{}/application/{}/application-summary", hex(5), hex(6)), "x").await;
    place.write("applications-of-no-cluster", "x").await;
    place.write_beside(&format!("-2/{}/applications/{}/application-summary", hex(8), hex(8))).await;
    place.write_beside("-3").await;

    let expected = [format!("{application}/jobs/{}", hex(4))];
    let whole = full_scan(&place.directory).await;
    assert_eq!(whole.paths(), expected);
    assert_eq!(whole.obstacles, []);
    let names = quick_scan(&place.directory, |_| true).await;
    assert_eq!(names.paths(), expected);
    assert_eq!(names.folders(), [application]);
    assert_eq!(names.obstacles, []);
}

async fn names_are_literal_whatever_characters_they_have(place: &Place) {
    let clusters = [
        "with space",
        "per%cent",
        "per%20cent",
        "a+b",
        "ü-é-中文-🚀",
        "semi;colon&amp=<x>",
        "tilde~[brackets]{}^`|",
        "quote'\"\\",
        "team a/prod ü #1",
        "team a/with.dot_and_line",
        "with space/per%cent/a+b/ü",
    ];
    let mut expected = Vec::new();
    for cluster in clusters {
        for name in
            [format!("{cluster}/applications/{}/application-summary", hex(1)), format!("{cluster}/applications/{}/jobs/{}", hex(1), hex(2))]
        {
            place.write(&name, format!("content of {name}")).await;
            expected.push(name);
        }
    }
    expected.sort();

    let whole = full_scan(&place.directory).await;
    assert_eq!(whole.obstacles, []);
    assert_eq!(whole.paths(), expected);
    assert_eq!(quick_scan(&place.directory, |_| true).await.paths(), expected);
    for application in whole.applications.values() {
        let files = place.directory.application_files(&application.folder).await.unwrap().unwrap();
        assert_eq!(files.len(), 2, "{}", application.folder);
    }
    for path in &expected {
        let (content, _) = read(&place.directory, path, 1000).await.unwrap();
        assert_eq!(String::from_utf8(content).unwrap(), format!("content of {path}"));
    }
    for path in &expected {
        let listed = version_of(&place.directory, path).await;
        assert_eq!(place.directory.delete_file(&FilePath::new(path.as_str()), &listed).await.unwrap(), Deleted::Done, "{path}");
    }
    assert_eq!(full_scan(&place.directory).await.paths(), Vec::<String>::new());
}

async fn ids_are_compared_in_lower_case_and_twins_are_told(place: &Place) {
    let upper = |byte| hex(byte).to_uppercase();
    // Alone, an id in upper case is an id like any other.
    place.write(&format!("{}/applications/{}/jobs/{}", upper(0xc0), upper(0xaa), upper(0xbb)), "{}").await;
    place.write(&upper(0xcc), "{}").await;
    // Twins: of applications, of jobs of one application, of legacy jobs.
    for name in [hex(0xab), upper(0xab)] {
        place.write(&format!("twins/applications/{name}/application-summary"), "{}").await;
        place.write(&format!("twins/applications/{}/jobs/{name}", hex(1)), "{}").await;
        place.write(&name, "{}").await;
    }
    let expected = [
        format!("{}/applications/{}/jobs/{}", upper(0xc0), upper(0xaa), upper(0xbb)),
        upper(0xcc),
        hex(0xab),
        format!("twins/applications/{}/jobs/{}", hex(1), hex(0xab)),
        format!("twins/applications/{}/application-summary", hex(0xab)),
    ];
    let refused =
        [upper(0xab), format!("twins/applications/{}/jobs/{}", hex(1), upper(0xab)), format!("twins/applications/{}", upper(0xab))];
    let mut expected = expected.to_vec();
    expected.sort();

    let whole = full_scan(&place.directory).await;
    assert_eq!(whole.paths(), expected);
    let mut obstacles: Vec<_> = whole.obstacles.iter().map(|obstacle| obstacle.path.to_string()).collect();
    obstacles.sort();
    assert_eq!(obstacles, refused);
    assert!(whole.obstacles.iter().all(|obstacle| obstacle.code == ProblemCode::NameAmbiguous && obstacle.hides == Hidden::Nothing));

    let names = quick_scan(&place.directory, |_| false).await;
    assert_eq!(names.folders(), whole.folders());
    assert!(names.obstacles.iter().any(|obstacle| obstacle.path.as_str() == refused[2]), "{:?}", names.obstacles);
    let files = place.directory.application_files(&FilePath::new(format!("{}/applications/{}", upper(0xc0), upper(0xaa)))).await.unwrap();
    assert_eq!(files.unwrap().len(), 1);
}

async fn small_files_are_read_at_once_and_large_ones_in_chunks(place: &Place) {
    let content: Vec<u8> = (0..3_000_000_u32).map(|number| number.wrapping_mul(2_654_435_761).to_be_bytes()[0]).collect();
    let (small, large, none) = (hex(1), hex(2), hex(3));
    place.write(&small, &content[..1000]).await;
    place.write(&large, content.clone()).await;
    place.write(&none, "").await;

    assert_eq!(read(&place.directory, &small, 1000).await.unwrap(), (content[..1000].to_vec(), 0));
    assert_eq!(read(&place.directory, &small, 999).await.unwrap(), (content[..1000].to_vec(), 1));
    assert_eq!(read(&place.directory, &large, u64::MAX).await.unwrap(), (content.clone(), 0));
    let (streamed, chunks) = read(&place.directory, &large, 1000).await.unwrap();
    assert!(streamed == content, "{} bytes of {}", streamed.len(), content.len());
    assert!((3..=12).contains(&chunks), "{chunks} chunks");
    assert_eq!(read(&place.directory, &none, 0).await.unwrap(), (vec![], 0));

    let error = read(&place.directory, &hex(4), 1000).await.unwrap_err();
    assert_eq!(error.kind, DirectoryErrorKind::NotFound, "{error}");
    assert!(error.message.contains(&hex(4)), "{error}");
}

async fn the_files_of_one_application_are_found_by_a_full_scan(place: &Place) {
    let folder = format!("prod-eu/applications/{}", hex(1));
    place.write(&format!("{folder}/application-summary"), "{}").await;
    place.write(&format!("{folder}/jobs/{}", hex(2)), "{}").await;
    place.write(&format!("{folder}/jobs/{}", hex(3)), "{}").await;
    place.write(&format!("{folder}2/jobs/{}", hex(4)), "{}").await;

    let whole = full_scan(&place.directory).await;
    let [application] = whole.applications.values().collect::<Vec<_>>()[..] else { panic!("{whole:?}") };
    let mut listed = application.files.clone().unwrap();
    let mut asked = place.directory.application_files(&FilePath::new(folder.as_str())).await.unwrap().unwrap();
    listed.sort_by_key(|file| file.path.clone());
    asked.sort_by_key(|file| file.path.clone());
    assert_eq!(asked, listed);
    assert_eq!(asked.len(), 3);

    let absent = FilePath::new(format!("prod-eu/applications/{}", hex(9)));
    assert_eq!(place.directory.application_files(&absent).await.unwrap(), None);
    for other in ["prod-eu", "prod-eu/applications", &hex(1), &format!("{folder}/jobs"), "../x"] {
        let error = place.directory.application_files(&FilePath::new(other)).await.unwrap_err();
        assert_eq!(error.kind, DirectoryErrorKind::Refused, "{error}");
    }
}

async fn a_legacy_job_archive_is_found_by_its_id(place: &Place) {
    place.write(&hex(0xab), "12345").await;
    place.write(&format!("{}/applications/{}/application-summary", hex(2), hex(2)), "{}").await;
    let job = hex(0xab).parse().unwrap();
    let found = place.directory.legacy_job_file(job).await.unwrap().unwrap();
    assert_eq!(Some(&found), full_scan(&place.directory).await.legacy.get(&job));
    assert_eq!(found.version.size, 5);
    for absent in [hex(2), hex(3)] {
        assert_eq!(place.directory.legacy_job_file(absent.parse().unwrap()).await.unwrap(), None);
    }
}

async fn what_is_deleted_is_gone_and_deleting_it_again_is_no_error(place: &Place) {
    let folder = format!("c/applications/{}", hex(1));
    let (folder, jobs) = (FilePath::new(folder.as_str()), FilePath::new(format!("{folder}/jobs")));
    let files = [hex(7), format!("{folder}/jobs/{}", hex(2)), format!("{folder}/application-summary")];
    for file in &files {
        place.write(file, "{}").await;
    }
    place.write(&hex(8), "{}").await;
    assert_eq!(place.directory.application_link(&folder).await.unwrap(), None);
    assert_eq!(place.directory.remove_folder_if_empty(&folder).await.unwrap(), !place.has_folders());

    for file in &files {
        let (file, listed) = (FilePath::new(file.as_str()), version_of(&place.directory, file).await);
        assert_eq!(place.directory.delete_file(&file, &listed).await.unwrap(), Deleted::Done);
        assert_eq!(read(&place.directory, file.as_str(), 10).await.unwrap_err().kind, DirectoryErrorKind::NotFound);
        assert_eq!(place.directory.delete_file(&file, &listed).await.unwrap(), Deleted::AlreadyMissing);
    }
    for folder in [&jobs, &folder, &folder] {
        assert!(place.directory.remove_folder_if_empty(folder).await.unwrap());
    }
    let listing = full_scan(&place.directory).await;
    assert_eq!(listing.paths(), [hex(8)]);
    assert!(listing.applications.is_empty());
}

async fn a_rewritten_file_has_another_fingerprint(place: &Place) {
    let folder = FilePath::new(format!("c/applications/{}", hex(1)));
    let summary = format!("{folder}/application-summary");
    place.write(&summary, "one").await;
    let fingerprint = async || {
        let files = place.directory.application_files(&folder).await.unwrap().unwrap();
        files[0].version.fingerprint()
    };
    let first = fingerprint().await;
    assert_eq!(fingerprint().await, first);
    place.write(&summary, "three").await;
    assert_ne!(fingerprint().await, first);
}

async fn a_file_that_was_rewritten_since_it_was_listed_is_not_deleted(place: &Place) {
    let folder = format!("c/applications/{}", hex(1));
    for path in [hex(7), format!("{folder}/jobs/{}", hex(2)), format!("{folder}/application-summary")] {
        place.write(&path, "one").await;
        let listed = version_of(&place.directory, &path).await;
        place.write(&path, "another").await;
        let file = FilePath::new(path.as_str());
        assert_eq!(place.directory.delete_file(&file, &listed).await.unwrap(), Deleted::Changed, "{path}");
        assert_eq!(read(&place.directory, &path, 100).await.unwrap().0, b"another", "{path}");
    }
    assert_eq!(full_scan(&place.directory).await.paths().len(), 3, "each has its own name");
}

async fn paths_that_lead_elsewhere_are_refused(place: &Place) {
    place.write(&hex(1), "{}").await;
    place.write_beside("-secret").await;
    for path in ["", "../archives-secret", "/etc/passwd", "./x", "a//b", "a/", "a/../../b"] {
        let path = FilePath::new(path);
        assert_eq!(read(&place.directory, path.as_str(), 10).await.unwrap_err().kind, DirectoryErrorKind::Refused, "{path}");
        assert_eq!(place.directory.delete_file(&path, &NO_VERSION).await.unwrap_err().kind, DirectoryErrorKind::Refused, "{path}");
    }
}

async fn a_listing_that_nobody_hears_ends_with_an_error(place: &Place) {
    place.write(&format!("c/applications/{}/application-summary", hex(1)), "{}").await;
    place.write(&hex(1), "{}").await;
    let (sender, receiver) = tokio::sync::mpsc::channel(1);
    drop(receiver);
    let error = place.directory.list(&Extent::Full, &std::sync::Arc::default(), sender).await.unwrap_err();
    assert_eq!(error.kind, DirectoryErrorKind::Unavailable);
}

async fn more_applications_than_a_page_holds_are_all_found_once(place: &Place) {
    use futures::StreamExt;
    let name = |number: u32| format!("{:032x}", u128::from(number).wrapping_mul(0x9e37_79b9_7f4a_7c15_f39c_c060_5ced_c835));
    let writes = (0..1030).map(|number| async move {
        place.write(&format!("c/applications/{}/jobs/{}", name(number), hex(1)), "{}").await;
    });
    futures::stream::iter(writes).buffer_unordered(32).collect::<Vec<()>>().await;

    let whole = full_scan(&place.directory).await;
    assert_eq!(whole.applications.len(), 1030);
    assert_eq!(whole.paths().len(), 1030);
    assert!(whole.batches.iter().all(|batch| *batch <= 1000), "{:?}", whole.batches);
    let names = quick_scan(&place.directory, |_| false).await;
    assert_eq!(names.folders(), whole.folders());
}

fn codes(listing: &Listing) -> Vec<(ProblemCode, String)> {
    let mut codes: Vec<_> = listing.obstacles.iter().map(|obstacle| (obstacle.code, obstacle.path.to_string())).collect();
    codes.sort();
    codes
}

async fn clusters_are_found_in_folders_of_folders(place: &Place) {
    // One within another, beside others, below foreign folders, and as deep as is allowed.
    let clusters = ["a", "a/b", "a/b/c", "team a/prod ü #1", "team a/test", "plain", "1/2/3/4/5/6/7/8", "x/other/x", "jobs/y"];
    let mut expected = Vec::new();
    for (number, cluster) in (1..).zip(clusters) {
        for file in ["application-summary".to_owned(), format!("jobs/{}", hex(9))] {
            let path = format!("{cluster}/applications/{}/{file}", hex(number));
            place.write(&path, "{}").await;
            expected.push(path);
        }
    }
    place.write("x/other/file", "x").await;
    expected.sort();
    let whole = full_scan(&place.directory).await;
    assert_eq!((whole.paths(), codes(&whole)), (expected.clone(), vec![]));
    assert_eq!(quick_scan(&place.directory, |_| true).await.paths(), expected);
    let named: Vec<&str> = whole.applications.keys().map(|(cluster, _)| cluster.as_str()).collect();
    assert_eq!(named.len(), clusters.len());
    assert!(clusters.iter().all(|cluster| named.contains(cluster)), "{named:?}");
    // With what is known nothing is found twice.
    for extent in [Extent::Full, Extent::Quick(std::sync::Arc::new(|_, _| true))] {
        assert_eq!(list_knowing(&place.directory, &extent, &clusters).await.unwrap().paths(), expected);
    }
    for (cluster, id) in whole.applications.keys() {
        let folder = FilePath::new(format!("{cluster}/applications/{id}"));
        assert_eq!(place.directory.application_files(&folder).await.unwrap().unwrap().len(), 2);
    }
}

async fn hidden_names_are_left_alone_at_every_place(place: &Place) {
    let seen = format!("prod/applications/{}/application-summary", hex(1));
    let hidden = [
        format!(".old/applications/{}/application-summary", hex(2)),
        format!("_keep/applications/{}/jobs/{}", hex(3), hex(3)),
        format!(".snapshot/hourly.0/prod/applications/{}/application-summary", hex(1)),
        format!("_temporary/0/applications/{}/application-summary", hex(4)),
        format!("team/.trash/applications/{}/application-summary", hex(5)),
        format!("team/_x/prod/applications/{}/application-summary", hex(6)),
        format!("prod/_aside/applications/{}/application-summary", hex(7)),
        format!("prod/applications/_aside/{}/application-summary", hex(8)),
    ];
    for path in hidden.iter().chain([&seen]) {
        place.write(path, "{}").await;
    }
    for nothing_in_them in [".keep", "_SUCCESS", ".git/objects/x", "_logs/2024/log", "prod/.x/y"] {
        place.write(nothing_in_them, "x").await;
    }
    let known = [".old", "_keep", "team/.trash", "team/_x/prod", "prod"];
    for extent in [Extent::Full, Extent::Quick(std::sync::Arc::new(|_, _| true))] {
        for known in [&known[..], &[]] {
            let listing = list_knowing(&place.directory, &extent, known).await.unwrap();
            assert_eq!(listing.paths(), [seen.as_str()]);
        }
    }
    let reported = codes(&full_scan(&place.directory).await);
    let folders = [".old", ".snapshot", "_keep", "_temporary", "prod/_aside", "team/.trash", "team/_x"];
    let expected: Vec<_> = folders.iter().map(|folder| (ProblemCode::HiddenFolder, (*folder).to_owned())).collect();
    assert!(expected.iter().all(|each| reported.contains(each)), "{reported:?}");
    assert!(reported.iter().all(|(code, _)| *code == ProblemCode::HiddenFolder) && reported.len() <= folders.len() + 1, "{reported:?}");
    assert_eq!(codes(&quick_scan(&place.directory, |_| true).await), [], "a quick scan does not search for them");

    for path in &hidden {
        let path = FilePath::new(path.as_str());
        assert_eq!(place.directory.delete_file(&path, &NO_VERSION).await.unwrap_err().kind, DirectoryErrorKind::Refused, "{path}");
    }
    let error = place.directory.application_files(&FilePath::new(format!(".old/applications/{}", hex(2)))).await.unwrap_err();
    assert_eq!(error.kind, DirectoryErrorKind::Refused);
    assert_eq!(full_scan(&place.directory).await.paths(), [seen]);
}

async fn a_cluster_that_lies_too_deep_is_told(place: &Place) {
    place.write(&format!("1/2/3/4/5/6/7/8/9/applications/{}/application-summary", hex(1)), "{}").await;
    place.write(&format!("a/2/3/4/5/6/7/8/9/10/11/applications/{}/application-summary", hex(2)), "{}").await;
    place.write("b/2/3/4/5/6/7/8/9/other/file", "x").await;
    let whole = full_scan(&place.directory).await;
    assert_eq!(whole.paths(), Vec::<String>::new());
    let too_deep = |path: &str| (ProblemCode::SearchLimited, path.to_owned());
    assert_eq!(codes(&whole), [too_deep("1/2/3/4/5/6/7/8/9"), too_deep("a/2/3/4/5/6/7/8/9")]);
    assert!(
        whole
            .obstacles
            .iter()
            .all(|obstacle| obstacle.hides == Hidden::Nothing && obstacle.reason.contains("deeper than the maximum of 8"))
    );
}

async fn a_cluster_that_is_known_is_listed_whatever_else_there_is(place: &Place) {
    let path = format!("z/prod/applications/{}/application-summary", hex(1));
    place.write(&path, "{}").await;
    let known = ["z/prod", "z/missing", "missing"];
    for extent in [Extent::Full, Extent::Quick(std::sync::Arc::new(|_, _| true))] {
        let listing = list_knowing(&place.directory, &extent, &known).await.unwrap();
        assert_eq!((listing.paths(), codes(&listing)), (vec![path.clone()], vec![]));
    }
}

async fn a_root_at_another_level_is_told_with_the_right_one(place: &Place) {
    assert!(full_scan(&place.directory).await.listed.doubt.unwrap().contains("does not exist"));
    place.write("note", "x").await;
    assert_eq!(full_scan(&place.directory).await.listed.doubt, None);
    let url = place.directory.url().as_str();
    let above = |levels: usize| {
        let mut above = url.strip_prefix("file://").unwrap_or(url);
        (0..levels).for_each(|_| above = above.rsplit_once('/').unwrap().0);
        above.to_owned()
    };
    let doubt = async |files: &[String], known: &[&str]| {
        for file in files {
            place.write(file, "{\"archive\":[]}").await;
        }
        let mut doubts = Vec::new();
        for extent in [Extent::Full, Extent::Quick(std::sync::Arc::new(|_, _| false))] {
            doubts.push(list_knowing(&place.directory, &extent, known).await.unwrap().listed.doubt);
        }
        for file in files {
            place.remove(file).await;
        }
        if place.has_folders() {
            for entry in std::fs::read_dir(place.directory.local_root().unwrap()).unwrap().map(Result::unwrap) {
                if entry.path().is_dir() {
                    std::fs::remove_dir_all(entry.path()).unwrap();
                }
            }
        }
        let [Some(first), Some(second)] = &doubts[..] else { panic!("{files:?}: {doubts:?}") };
        assert_eq!(first, second);
        first.clone()
    };
    // Too low.
    let cluster = doubt(&[format!("applications/{}/application-summary", hex(1))], &[]).await;
    assert!(cluster.ends_with(&format!("fs.dir to {}", above(1))), "{cluster}");
    let applications = doubt(&[format!("{}/application-summary", hex(1)), format!("{}/jobs/{}", hex(1), hex(1))], &[]).await;
    assert!(applications.ends_with(&format!("fs.dir to {}", above(2))), "{applications}");
    for file in ["application-summary".to_owned(), format!("jobs/{}", hex(1))] {
        let application = doubt(&[file], &[]).await;
        assert!(application.contains("the folder of one application"), "{application}");
    }
    // Too high.
    let here = above(0);
    let parent = doubt(
        &[format!("one/{}/applications/{}/application-summary", hex(0), hex(1)), format!("two/{}", hex(2)), "three/x".to_owned()],
        &[],
    )
    .await;
    assert!(parent.ends_with(&format!("fs.dir to {here}/one,{here}/two")), "{parent}");
}
