//! From the first change to a restart.

use historyserver::archive::Owner;
use historyserver::clock::Timestamp;
use historyserver::directory::FileKind;
use historyserver::index::{CopySelector, DocumentAnswer, Opened, Urgency};
use historyserver::names::ClusterName;

use super::support::*;

#[tokio::test]
async fn a_change_is_listed_and_its_documents_are_read() {
    let index = Index::open();
    let before = index.reader.generation();
    index.apply(simple("one", "prod-eu", 1, 100, "first")).await;
    assert_eq!(index.applications().await, ["first"]);
    assert_eq!(index.jobs().await, ["first"]);
    let after = index.reader.generation();
    assert!(after.number > before.number && after.index == before.index);
    for (owner, path) in [of_application(1), of_job(1)] {
        assert_eq!(index.read(owner, &path).await.as_deref(), Some("first"), "{path}");
        assert_eq!(index.answer(owner, "/jobs/overview").await, DocumentAnswer::NotInArchive);
        assert_eq!(index.reader.everything().overview_of(owner, &CopySelector::default()).await.unwrap().as_deref(), Some("first"));
    }
    assert_eq!(index.answer(Owner::Job(job(9)), "/").await, DocumentAnswer::Unknown);
    let figures = index.reader.everything().figures().await.unwrap();
    assert_eq!((figures.applications, figures.jobs, figures.evictions), (1, 1, 0));
    assert!(figures.pack_bytes > 0 && figures.file_bytes > figures.pack_bytes);
    assert_eq!(index.reader.everything().job_states().await.unwrap(), [("FINISHED".to_owned(), 1)]);
}

#[tokio::test]
async fn lists_are_newest_first() {
    let index = Index::open();
    for (n, end) in [(3, 300), (5, 500), (1, 100), (2, 500), (4, -1)] {
        index.apply(simple("one", "c", n, end, &n.to_string())).await;
    }
    assert_eq!(index.applications().await, ["2", "5", "3", "1", "4"]);
    assert_eq!(index.jobs().await, ["2", "5", "3", "1", "4"]);
    let ids: Vec<_> = index.reader.everything().job_ids().await.unwrap().into_iter().map(|(id, _)| id).collect();
    assert_eq!(ids, [2, 5, 3, 1, 4].map(job));
}

#[tokio::test]
async fn a_restarted_index_answers_the_same_without_listing_anything() {
    let index = Index::open();
    index.apply(simple("one", "c", 1, 100, "first")).await;
    index.apply(legacy("two", 2, 200, "second")).await;
    let (generation, jobs) = (index.reader.generation(), index.jobs().await);
    let known = index.reader.known(&url("one")).await.unwrap();
    let (index, opened) = index.reopen().await;
    assert_eq!(opened, Opened::Ready);
    assert_eq!((index.reader.generation(), index.jobs().await), (generation, jobs));
    assert_eq!(index.reader.known(&url("one")).await.unwrap().applications, known.applications);
    let (owner, path) = of_job(2);
    assert_eq!(index.read(owner, &path).await.as_deref(), Some("second"));
}

#[tokio::test]
async fn what_cannot_be_read_any_more_keeps_its_last_good_documents() {
    let index = Index::open();
    let key = application_key("one", "c", 1);
    index.apply(simple("one", "c", 1, 100, "good")).await;
    let file = async |index: &Index| {
        let known = index.reader.known(&url("one")).await.unwrap();
        let unit = known.applications.into_values().next().unwrap();
        unit.files.into_iter().find(|file| file.kind == FileKind::Job(job(1))).unwrap()
    };
    for attempts in 1..=3 {
        index.apply(Change::of(key.clone()).unreadable(FileKind::Job(job(1)), 200, Some(900)).0).await;
        let file = file(&index).await;
        assert_eq!((file.parsed, file.attempts, file.next_attempt), (false, attempts, Some(Timestamp::from_millis(900))));
        assert_eq!(file.tried, version(200).fingerprint());
    }
    index.apply(Change::of(key.clone()).unreadable(FileKind::Job(job(1)), 300, None).0).await;
    assert_eq!(file(&index).await.attempts, 1, "another version is another attempt");
    let (owner, path) = of_job(1);
    assert_eq!(index.read(owner, &path).await.as_deref(), Some("good"));
    let DocumentAnswer::Found(document) = index.answer(owner, &path).await else { panic!() };
    assert_eq!(document.fingerprint, version(100).fingerprint());
    assert_eq!(index.jobs().await, ["good"]);
    index.apply(Change::of(key).job(job(1), 400, 400, "mended").0).await;
    assert_eq!(index.read(owner, &path).await.as_deref(), Some("mended"));
    assert_eq!((file(&index).await.parsed, file(&index).await.attempts), (true, 0));
}

#[tokio::test]
async fn a_second_write_within_the_same_tick_has_another_fingerprint() {
    let index = Index::open();
    let (owner, path) = of_job(1);
    let fingerprint = async |text: &str, racy: bool| {
        let mut change = legacy("one", 1, 100, text);
        change.files[0].racy = racy;
        index.apply(change).await;
        let DocumentAnswer::Found(document) = index.answer(owner, &path).await else { panic!() };
        document.fingerprint
    };
    let first = fingerprint("first", true).await;
    assert_eq!(first, version(100).fingerprint());
    let second = fingerprint("secnd", false).await;
    assert_ne!(second, first);
    assert_eq!(fingerprint("secnd", false).await, second, "read again after its eviction");
}

#[tokio::test]
async fn documents_that_are_read_a_second_time_and_are_the_same_go_on_being_read() {
    let index = Index::open();
    let (owner, path) = of_job(1);
    let apply = async |text: &str| {
        let mut change = legacy("one", 1, 100, text);
        change.files[0].racy = true;
        index.apply(change).await;
        let DocumentAnswer::Found(document) = index.answer(owner, &path).await else { panic!() };
        document
    };
    let first = apply("same").await;
    let second = apply("same").await;
    assert_eq!(second.fingerprint, first.fingerprint);
    assert_eq!(index.reader.everything().document_piece(&first, 0, usize::MAX).await.unwrap(), "same");
    let other = apply("othr").await;
    assert_ne!(other.fingerprint, first.fingerprint);
    assert!(index.reader.everything().document_piece(&first, 0, usize::MAX).await.is_err(), "it is another document now");
    assert_eq!(index.reader.everything().document_piece(&other, 0, usize::MAX).await.unwrap(), "othr");
}

#[tokio::test]
async fn jobs_of_an_incomplete_application_are_listed_and_itself_is_not() {
    let index = Index::open();
    let key = application_key("one", "c", 1);
    index.apply(Change::of(key.clone()).job(job(1), 100, 100, "job").unreadable(FileKind::Summary, 100, None).0).await;
    assert_eq!((index.applications().await.len(), index.jobs().await.len()), (0, 1));
    let known = index.reader.known(&url("one")).await.unwrap();
    assert!(known.applications.values().all(|unit| !unit.complete));
    let (owner, path) = of_application(1);
    let answer = index.answer(owner, &path).await;
    assert!(matches!(&answer, DocumentAnswer::Unreadable(unread) if unread.file == FileKind::Summary), "{answer:?}");
    index.apply(Change::of(key).summary(200, 200, "application", &[job(1), job(2)]).0).await;
    assert_eq!((index.applications().await.len(), index.jobs().await.len()), (1, 1));
    assert_eq!(index.answer(Owner::Job(job(2)), "/jobs").await, DocumentAnswer::NotArchived);
    let known = index.reader.known(&url("one")).await.unwrap();
    assert!(known.applications.values().all(|unit| unit.complete));
}

#[tokio::test]
async fn a_summary_that_names_other_jobs_forgets_those_without_an_archive() {
    let index = Index::open();
    let key = application_key("one", "c", 1);
    index.apply(Change::of(key.clone()).summary(1, 1, "a", &[job(1), job(2)]).job(job(1), 1, 1, "j").0).await;
    index.apply(Change::of(key).summary(2, 2, "b", &[job(3)]).0).await;
    assert_eq!(index.answer(Owner::Job(job(2)), "/jobs").await, DocumentAnswer::Unknown);
    assert_eq!(index.answer(Owner::Job(job(3)), "/jobs").await, DocumentAnswer::NotArchived);
    assert_eq!(index.jobs().await, ["j"]);
}

#[tokio::test]
async fn an_archive_without_an_overview_is_served_but_not_listed() {
    let index = Index::open();
    let key = legacy_key("one", 1);
    index.apply(Change::of(key).job_without_overview(job(1), 1, "text").0).await;
    let (owner, path) = of_job(1);
    assert_eq!(index.read(owner, &path).await.as_deref(), Some("text"));
    assert!(index.jobs().await.is_empty());
    assert_eq!(index.reader.everything().overview_of(owner, &CopySelector::default()).await.unwrap(), None);
}

#[tokio::test]
async fn the_generation_grows_with_what_lists_show_and_with_nothing_else() {
    let index = Index::open();
    index.apply(simple("one", "c", 1, 100, "first")).await;
    let (generation, known) = (index.reader.generation(), index.reader.known_version());
    index.apply(simple("one", "c", 1, 100, "first")).await;
    assert_eq!(index.reader.generation(), generation, "the same again");
    assert_eq!(index.reader.known_version(), known, "the same again");
    index.apply(Change::of(application_key("one", "c", 1)).unreadable(FileKind::Job(job(1)), 200, None).0).await;
    assert_eq!(index.reader.generation(), generation, "the last good documents stay");
    assert_ne!(index.reader.known_version(), known);
    index.apply(simple("one", "c", 1, 100, "second")).await;
    assert!(index.reader.generation().number > generation.number);
    let snapshot = index
        .reader
        .everything()
        .overview(historyserver::index::OverviewList::Jobs, |_| std::ops::ControlFlow::Continue(()))
        .await
        .unwrap();
    assert_eq!(snapshot, index.reader.generation());
}

#[tokio::test]
async fn changes_that_arrive_together_are_committed_together() {
    let index = Index::open();
    let before = index.reader.generation().number;
    let writing: Vec<_> = (0..100).map(|n| index.writer.apply(simple("one", "c", n, 100, "x"), Urgency::Batched)).collect();
    futures::future::try_join_all(writing).await.unwrap();
    let commits = index.reader.generation().number - before;
    assert!((1..=20).contains(&commits), "{commits} commits for 100 changes");
    assert_eq!(index.applications().await.len(), 100);
}

#[tokio::test]
async fn clusters_of_a_directory_are_told_once_each() {
    let index = Index::open();
    for (n, cluster) in [(1, "b"), (2, "a"), (3, "b"), (4, "prod-eu")] {
        index.apply(simple("one", cluster, n, 1, "x")).await;
    }
    index.apply(legacy("one", 5, 1, "x")).await;
    let clusters = index.reader.clusters(&url("one")).await.unwrap();
    assert_eq!(clusters, ["a", "b", "prod-eu"].map(ClusterName::new));
    assert!(index.reader.clusters(&url("two")).await.unwrap().is_empty());
}

#[tokio::test]
async fn where_files_lie_is_told_as_it_was_spelled() {
    let index = Index::open();
    let key = application_key("one", "c", 0xab);
    let mut change = simple("one", "c", 0xab, 100, "x");
    change.files[0].path = historyserver::names::FilePath::new(path(&key, FileKind::Summary).as_str().to_uppercase());
    change.files[0].version.etag = Some("\"tag\"".to_owned());
    let expected: Vec<_> = change.files.iter().map(|file| (file.path.clone(), file.kind, file.version.clone())).collect();
    index.apply(change).await;
    let files = index.reader.unit_files(&key).await.unwrap();
    assert_eq!(files.into_iter().map(|file| (file.path, file.kind, file.version)).collect::<Vec<_>>(), expected);
    assert!(index.reader.unit_files(&application_key("two", "c", 1)).await.unwrap().is_empty());
}
