//! Gone, back, forgotten; and the problems that come and go with it.

use std::time::Duration;

use historyserver::clock::Timestamp;
use historyserver::directory::FileKind;
use historyserver::index::{DocumentAnswer, KnownUnit, Presence, Urgency};
use historyserver::problem::{Problem, ProblemCode};

use super::support::*;

async fn unit(index: &Index) -> Option<KnownUnit> {
    index.reader.known(&url("one")).await.unwrap().applications.into_values().next()
}

fn codes(problems: &[Problem]) -> Vec<ProblemCode> {
    problems.iter().map(|problem| problem.code).collect()
}

#[tokio::test]
async fn what_is_gone_stays_browsable_over_a_restart_until_it_is_forgotten() {
    let index = Index::open();
    let key = application_key("one", "c", 1);
    index.apply(simple("one", "c", 1, 100, "first")).await;
    index.writer.note_presence(vec![Presence::UnitGone(key.clone())], NOW).await.unwrap();
    index.writer.note_presence(vec![Presence::UnitGone(key.clone())], NOW + Duration::from_millis(5)).await.unwrap();
    assert!(index.reader.unit_files(&key).await.unwrap().is_empty());
    let (index, _) = index.reopen().await;
    assert_eq!(unit(&index).await.unwrap().gone_since, Some(NOW), "since it went first");
    assert_eq!(index.applications().await, ["first"]);
    let (owner, path) = of_job(1);
    assert_eq!(index.read(owner, &path).await.as_deref(), Some("first"));
    let figures = index.reader.everything().figures().await.unwrap();
    assert_eq!(figures.gone_pack_bytes, figures.pack_bytes);
    index.writer.note_presence(vec![Presence::UnitBack(key.clone())], NOW).await.unwrap();
    assert_eq!(unit(&index).await.unwrap().gone_since, None);
    assert_eq!(index.reader.everything().figures().await.unwrap().gone_pack_bytes, 0);
    index.writer.forget(vec![key]).await.unwrap();
    assert_eq!((unit(&index).await, index.jobs().await.len()), (None, 0));
    assert_eq!(index.answer(owner, &path).await, DocumentAnswer::Unknown);
}

#[tokio::test]
async fn a_single_file_that_is_gone_stays_browsable() {
    let index = Index::open();
    let (key, file) = (application_key("one", "c", 1), FileKind::Job(job(1)));
    index.apply(simple("one", "c", 1, 100, "first")).await;
    index.writer.note_presence(vec![Presence::FileGone(key.clone(), file)], NOW).await.unwrap();
    let known = unit(&index).await.unwrap();
    assert_eq!(known.files.iter().filter(|file| file.gone).map(|file| file.kind).collect::<Vec<_>>(), [file]);
    assert_eq!(known.gone_since, None);
    assert_eq!(index.reader.unit_files(&key).await.unwrap().len(), 1);
    let (owner, path) = of_job(1);
    assert_eq!(index.read(owner, &path).await.as_deref(), Some("first"));
    index.writer.forget_files(vec![(key.clone(), file)]).await.unwrap();
    assert_eq!(index.answer(owner, &path).await, DocumentAnswer::NotArchived, "the summary still names it");
    assert_eq!((index.jobs().await.len(), index.applications().await.len()), (0, 1));
    index.writer.forget_files(vec![(key, FileKind::Summary)]).await.unwrap();
    assert_eq!(index.answer(owner, &path).await, DocumentAnswer::Unknown);
    assert_eq!(index.reader.everything().figures().await.unwrap().pack_bytes, 0);
}

#[tokio::test]
async fn files_that_are_fetched_are_there() {
    let index = Index::open();
    let key = application_key("one", "c", 1);
    index.apply(simple("one", "c", 1, 100, "first")).await;
    let gone = vec![Presence::FileGone(key.clone(), FileKind::Summary), Presence::UnitGone(key.clone())];
    index.writer.note_presence(gone, NOW).await.unwrap();
    index.apply(Change::of(key).job(job(1), 200, 200, "again").0).await;
    let known = unit(&index).await.unwrap();
    assert_eq!(known.gone_since, None);
    assert!(known.files.iter().all(|file| file.gone == (file.kind == FileKind::Summary)));
    let figures = index.reader.everything().figures().await.unwrap();
    assert!(0 < figures.gone_pack_bytes && figures.gone_pack_bytes < figures.pack_bytes, "the summary is still gone");
}

#[tokio::test]
async fn what_was_never_readable_leaves_nothing_behind_when_it_is_gone() {
    let index = Index::open();
    let (key, file) = (application_key("one", "c", 1), FileKind::Job(job(1)));
    let broken = Change::of(key.clone()).unreadable(file, 1, None).problem(ProblemCode::ArchiveUnreadable, Some(file), 7);
    index.apply(broken.0).await;
    let changes = index.writer.note_presence(vec![Presence::UnitGone(key.clone())], NOW).await.unwrap();
    assert_eq!((codes(&changes.resolved), codes(&changes.appeared)), (vec![ProblemCode::ArchiveUnreadable], vec![]));
    assert_eq!(unit(&index).await, None);

    let broken = Change::of(key.clone()).summary(1, 1, "a", &[]).unreadable(file, 1, None);
    index.apply(broken.problem(ProblemCode::ArchiveUnreadable, Some(file), 7).0).await;
    let changes = index.writer.note_presence(vec![Presence::FileGone(key, file)], NOW).await.unwrap();
    assert_eq!(codes(&changes.resolved), [ProblemCode::ArchiveUnreadable]);
    assert_eq!(unit(&index).await.unwrap().files.len(), 1);
}

#[tokio::test]
async fn problems_appear_stay_and_go_with_what_is_wrong() {
    let index = Index::open();
    let (key, file) = (application_key("one", "c", 1), FileKind::Job(job(1)));
    let broken = |since| {
        Change::of(key.clone())
            .unreadable(file, 1, None)
            .problem(ProblemCode::ArchiveUnreadable, Some(file), since)
            .problem(ProblemCode::SummaryMissing, None, since)
            .0
    };
    let changes = index.writer.apply(broken(10), Urgency::Now).await.unwrap();
    assert_eq!(codes(&changes.appeared), [ProblemCode::ArchiveUnreadable, ProblemCode::SummaryMissing]);
    let changes = index.writer.apply(broken(20), Urgency::Now).await.unwrap();
    assert!(changes.appeared.is_empty() && changes.resolved.is_empty(), "{changes:?}");
    let problems = index.problems().await;
    assert_eq!(codes(&problems), [ProblemCode::ArchiveUnreadable, ProblemCode::SummaryMissing]);
    assert!(problems.iter().all(|problem| problem.since == Timestamp::from_millis(10)), "since it appeared");
    assert_eq!(problems[0].subject, problem(&key, ProblemCode::ArchiveUnreadable, Some(file), 0).subject);
    assert_eq!(
        (
            index.reader.everything().problem_page(historyserver::index::ProblemFilter::default(), None, 1).await.unwrap().0.rows.len(),
            index.reader.everything().figures().await.unwrap().problems
        ),
        (1, 2)
    );

    // The summary comes: the unit's own problem goes, that of a file not tried now stays.
    let changes = index.writer.apply(Change::of(key.clone()).summary(2, 2, "a", &[job(1)]).0, Urgency::Now).await.unwrap();
    assert_eq!((codes(&changes.resolved), codes(&changes.appeared)), (vec![ProblemCode::SummaryMissing], vec![]));
    let changes = index.writer.apply(Change::of(key).job(job(1), 3, 3, "j").0, Urgency::Now).await.unwrap();
    assert_eq!(codes(&changes.resolved), [ProblemCode::ArchiveUnreadable]);
    assert!(index.problems().await.is_empty());
}

#[tokio::test]
async fn problems_of_what_is_gone_are_hidden_until_it_is_back() {
    let index = Index::open();
    let (key, file) = (application_key("one", "c", 1), FileKind::Job(job(1)));
    let flawed = Change::of(key.clone()).job(job(1), 1, 1, "j").problem(ProblemCode::EntryMalformed, Some(file), 7);
    index.apply(flawed.0).await;
    for (gone, back) in [
        (Presence::UnitGone(key.clone()), Presence::UnitBack(key.clone())),
        (Presence::FileGone(key.clone(), file), Presence::FileBack(key.clone(), file)),
    ] {
        let changes = index.writer.note_presence(vec![gone], NOW).await.unwrap();
        assert_eq!(codes(&changes.resolved), [ProblemCode::EntryMalformed]);
        assert!(index.problems().await.is_empty());
        let changes = index.writer.note_presence(vec![back], NOW).await.unwrap();
        assert_eq!(codes(&changes.appeared), [ProblemCode::EntryMalformed]);
        assert_eq!(index.problems().await[0].since, Timestamp::from_millis(7));
    }
}

#[tokio::test]
async fn the_number_of_problems_is_kept_whatever_comes_and_goes() {
    let index = Index::open();
    let file = |number| FileKind::Job(job(number));
    let mut expected = 0;
    for number in 1..=3 {
        let key = application_key("one", "c", number);
        let change = Change::of(key).summary(1, 1, "a", &[job(1), job(2)]).job(job(1), 1, 1, "j").unreadable(file(2), 1, None);
        let change =
            change.problem(ProblemCode::EntryMalformed, Some(file(1)), 1).problem(ProblemCode::ArchiveUnreadable, Some(file(2)), 1);
        index.apply(change.problem(ProblemCode::OverviewUnusable, Some(FileKind::Summary), 1).0).await;
        expected += 3;
        assert_eq!(index.problems().await.len(), expected);
    }
    let (one, two, three) = (application_key("one", "c", 1), application_key("one", "c", 2), application_key("one", "c", 3));
    let steps = [
        (Presence::FileGone(one.clone(), file(1)), 8),
        (Presence::UnitGone(one.clone()), 6),
        (Presence::UnitBack(one.clone()), 8),
        (Presence::UnitGone(one.clone()), 6),
        (Presence::FileBack(one.clone(), file(1)), 6),
        (Presence::UnitBack(one.clone()), 9),
        // Never read, so that nothing of it stays.
        (Presence::FileGone(two.clone(), file(2)), 8),
        (Presence::FileGone(two.clone(), FileKind::Summary), 7),
        (Presence::UnitGone(three.clone()), 4),
    ];
    for (step, left) in steps {
        index.writer.note_presence(vec![step.clone()], NOW).await.unwrap();
        assert_eq!(index.problems().await.len(), left, "{step:?}");
    }
    // A problem of a file that is gone appears when the file is read again.
    let again = Change::of(two.clone()).summary(2, 2, "a", &[job(1)]).problem(ProblemCode::OverviewUnusable, Some(FileKind::Summary), 2);
    index.apply(again.0).await;
    assert_eq!(index.problems().await.len(), 5);
    index.writer.forget_files(vec![(two.clone(), file(1)), (three.clone(), file(1))]).await.unwrap();
    assert_eq!(index.problems().await.len(), 4);
    index.writer.forget(vec![one, three]).await.unwrap();
    assert_eq!(index.problems().await.len(), 1);
    index.writer.forget(vec![two]).await.unwrap();
    assert_eq!(index.problems().await.len(), 0);
}

#[tokio::test]
async fn problems_of_a_listing_replace_one_another_and_leave_those_of_units_alone() {
    let index = Index::open();
    let (key, file) = (application_key("one", "c", 1), FileKind::Job(job(1)));
    index.apply(Change::of(key.clone()).unreadable(file, 1, None).problem(ProblemCode::ArchiveUnreadable, Some(file), 5).0).await;
    let of_listing = |code, since| {
        let mut problem = problem(&key, code, None, since);
        problem.subject.application = None;
        problem
    };
    let (one, two) = (of_listing(ProblemCode::ListingFailed, 1), of_listing(ProblemCode::PermissionDenied, 2));
    let changes = index.writer.set_listing_problems(&url("one"), vec![one.clone(), two.clone(), two.clone()]).await.unwrap();
    assert_eq!(codes(&changes.appeared), [ProblemCode::ListingFailed, ProblemCode::PermissionDenied]);
    let again = Problem { since: Timestamp::from_millis(9), reason: "another reason".to_owned(), ..two };
    let changes = index.writer.set_listing_problems(&url("one"), vec![again]).await.unwrap();
    assert_eq!((codes(&changes.resolved), codes(&changes.appeared)), (vec![ProblemCode::ListingFailed], vec![]));
    let problems = index.problems().await;
    assert_eq!(codes(&problems), [ProblemCode::PermissionDenied, ProblemCode::ArchiveUnreadable]);
    assert_eq!((problems[0].since.as_millis(), problems[0].reason.as_str()), (2, "another reason"));
    index.writer.set_listing_problems(&url("one"), Vec::new()).await.unwrap();
    assert_eq!(index.problems().await.len(), 1);
}

#[tokio::test]
async fn how_listings_ended_is_remembered() {
    let index = Index::open();
    let state = async |index: &Index| {
        let known = index.reader.known(&url("one")).await.unwrap();
        (known.held_archives, known.vanished_since)
    };
    assert_eq!(state(&index).await, (false, None));
    index.writer.note_listing(&url("one"), true, false, NOW).await.unwrap();
    index.writer.note_listing(&url("one"), true, true, NOW + Duration::from_millis(1)).await.unwrap();
    let version = index.reader.known_version();
    index.writer.note_listing(&url("one"), true, true, NOW + Duration::from_millis(2)).await.unwrap();
    assert_eq!(index.reader.known_version(), version);
    let (index, _) = index.reopen().await;
    assert_eq!(state(&index).await, (true, Some(NOW + Duration::from_millis(1))));
    index.writer.note_listing(&url("one"), true, false, NOW + Duration::from_millis(3)).await.unwrap();
    assert_eq!(state(&index).await, (true, None));
}

#[tokio::test]
async fn many_units_are_forgotten_in_groups_while_others_write() {
    let index = Index::open();
    let key = |n: u32| {
        let mut id = [0; 16];
        id[..4].copy_from_slice(&n.to_be_bytes());
        historyserver::index::UnitKey::LegacyJob(url("one"), historyserver::ids::JobId::from_bytes(id))
    };
    let change = |n| {
        let historyserver::index::UnitKey::LegacyJob(_, id) = key(n) else { unreachable!() };
        Change::of(key(n)).job(id, 1, 1, "x").0
    };
    let writing: Vec<_> = (0..1_200).map(|n| index.writer.apply(change(n), Urgency::Batched)).collect();
    futures::future::try_join_all(writing).await.unwrap();
    assert_eq!(index.jobs().await.len(), 1_200);
    let generation = index.reader.generation().number;
    index.writer.forget((0..1_199).map(key).collect()).await.unwrap();
    assert_eq!(index.reader.generation().number - generation, 3, "groups of 500");
    assert_eq!(index.jobs().await.len(), 1);
}
