//! Several copies of one id: one rule says which is shown, in lists, by id and for documents alike.

use std::time::Duration;

use historyserver::archive::Owner;
use historyserver::directory::FileKind;
use historyserver::index::{CopySelector, DocumentAnswer, FileOutcome, ParsedRecord, Presence, UnitChange, UnitKey};

use super::support::*;

/// What the lists, the overview by id and the document say of job 1 must agree.
async fn shown(index: &Index) -> Option<String> {
    let listed = index.jobs().await;
    assert!(listed.len() <= 1, "each id is listed once: {listed:?}");
    let (owner, path) = of_job(1);
    let by_id = index.reader.everything().overview_of(owner, &CopySelector::default()).await.unwrap();
    let document = index.read(owner, &path).await;
    assert_eq!((listed.first(), by_id.as_ref()), (document.as_ref(), document.as_ref()));
    document
}

/// What the job archive of a change says.
fn text(change: &UnitChange) -> String {
    let told = change.files.iter().find_map(|file| match &file.outcome {
        FileOutcome::Parsed { record: Some(record), .. } => match record.as_ref() {
            ParsedRecord::Job(record) => Some(record.overview.clone()),
            ParsedRecord::Application(_) => None,
        },
        _ => None,
    });
    told.unwrap()
}

fn key(change: &UnitChange) -> UnitKey {
    change.key.clone()
}

/// Copies from the best to the worst.
fn copies() -> Vec<UnitChange> {
    vec![
        simple("one", "c", 1, 900, "newer summary"),
        simple("two", "a", 1, 500, "later directory, first cluster"),
        simple("two", "b", 1, 500, "later directory, second cluster"),
        simple("one", "a", 1, 500, "earlier directory"),
        legacy("one", 1, 950, "newer legacy file"),
        legacy("two", 1, 800, "legacy, later directory"),
        Change::of(application_key("two", "z", 1)).job(job(1), 999, 999, "incomplete").0,
    ]
}

#[tokio::test]
async fn the_next_copy_steps_in_when_the_one_shown_is_forgotten() {
    let index = Index::open();
    let order: Vec<_> = copies().iter().map(|change| (key(change), text(change))).collect();
    for change in copies().into_iter().rev() {
        let expected = text(&change);
        index.apply(change).await;
        assert_eq!(shown(&index).await, Some(expected), "each is better than all before");
    }
    for (best, (key, expected)) in order.iter().enumerate() {
        assert_eq!(shown(&index).await.as_ref(), Some(expected), "place {best}");
        let generation = index.reader.generation();
        index.writer.forget(vec![key.clone()]).await.unwrap();
        assert!(index.reader.generation().number > generation.number);
    }
    assert_eq!(shown(&index).await, None);
    assert_eq!(index.answer(Owner::Job(job(1)), "/").await, DocumentAnswer::Unknown);
    assert_eq!(index.reader.everything().figures().await.unwrap().pack_bytes, 0);
}

#[tokio::test]
async fn the_order_of_arrival_does_not_matter() {
    let index = Index::open();
    let best = text(&copies()[0]);
    for change in copies() {
        index.apply(change).await;
        assert_eq!(shown(&index).await.as_ref(), Some(&best));
    }
}

#[tokio::test]
async fn a_copy_that_is_present_is_shown_before_one_that_is_gone() {
    let index = Index::open();
    for change in copies() {
        index.apply(change).await;
    }
    let complete: Vec<_> = copies().into_iter().filter(|change| text(change) != "incomplete").collect();
    for change in &complete {
        assert_eq!(shown(&index).await, Some(text(change)));
        index.writer.note_presence(vec![Presence::UnitGone(key(change))], NOW).await.unwrap();
    }
    assert_eq!(shown(&index).await, Some(text(&complete[0])), "all gone: what is gone stays browsable");
    let last = complete.last().unwrap();
    index.writer.note_presence(vec![Presence::UnitBack(key(last))], NOW).await.unwrap();
    assert_eq!(shown(&index).await, Some(text(last)));
}

#[tokio::test]
async fn an_expired_copy_is_hidden_at_once_and_shown_again_when_it_is_not() {
    let index = Index::open();
    index.apply(simple("one", "c", 1, 900, "better")).await;
    index.apply(simple("one", "d", 1, 500, "worse")).await;
    let better = vec![application_key("one", "c", 1)];
    index.writer.mark_expired(better.clone(), Some(NOW)).await.unwrap();
    assert_eq!(shown(&index).await.as_deref(), Some("worse"));
    assert_eq!(index.applications().await, ["worse"]);
    let known = index.reader.known(&url("one")).await.unwrap();
    assert_eq!(known.applications.values().filter(|unit| unit.expired_at == Some(NOW)).count(), 1);
    index.writer.mark_expired(better, None).await.unwrap();
    assert_eq!(shown(&index).await.as_deref(), Some("better"));
}

#[tokio::test]
async fn a_copy_can_be_named_by_directory_and_cluster() {
    let index = Index::open();
    for change in copies() {
        index.apply(change).await;
    }
    let (owner, path) = of_job(1);
    let named = |directory: Option<&str>, cluster: Option<&str>| CopySelector {
        directory: directory.map(|name| url(name).to_string()),
        cluster: cluster.map(str::to_owned),
    };
    for (copy, expected) in [
        (named(Some("two"), None), Some("later directory, first cluster")),
        (named(None, Some("b")), Some("later directory, second cluster")),
        (named(Some("one"), Some("a")), Some("earlier directory")),
        (named(Some("one"), Some("z")), None),
        (named(Some("three"), None), None),
    ] {
        assert_eq!(index.read_copy(owner, &path, &copy).await.as_deref(), expected, "{copy:?}");
    }
}

#[tokio::test]
async fn a_job_whose_archive_is_there_is_shown_before_one_that_is_only_named() {
    let index = Index::open();
    index.apply(legacy("one", 1, 5, "flat")).await;
    index.apply(Change::of(application_key("one", "c", 1)).summary(9, 9, "names it", &[job(1)]).0).await;
    assert_eq!(shown(&index).await.as_deref(), Some("flat"));
    index.writer.forget(vec![legacy_key("one", 1)]).await.unwrap();
    assert_eq!(index.answer(Owner::Job(job(1)), "/").await, DocumentAnswer::NotArchived);
}

#[tokio::test]
async fn a_directory_that_is_not_configured_any_more_is_hidden_and_comes_back() {
    let index = Index::open();
    index.apply(simple("one", "c", 1, 900, "of one")).await;
    index.apply(simple("two", "c", 1, 500, "of two")).await;
    assert_eq!(shown(&index).await.as_deref(), Some("of one"));
    let generation = index.reader.generation();
    let (index, _) = index.reopen_with(|options| options.directories = vec![url("two")]).await;
    assert!(index.reader.generation().number > generation.number);
    assert_eq!(shown(&index).await.as_deref(), Some("of two"));
    assert!(index.reader.known(&url("one")).await.unwrap().applications.is_empty());
    assert!(index.writer.forget(vec![application_key("one", "c", 1)]).await.is_err(), "it is not configured");
    let six_days = 6 * 24 * 3_600_000;
    let (index, _) = index
        .reopen_with(|options| {
            options.clock.advance(Duration::from_millis(six_days));
            options.directories = vec![url("one"), url("two")];
        })
        .await;
    assert_eq!(shown(&index).await.as_deref(), Some("of one"));
    let known = index.reader.known(&url("one")).await.unwrap();
    assert_eq!(known.applications.values().next().unwrap().files.len(), 2, "nothing is fetched again");
}

#[tokio::test]
async fn a_directory_not_configured_for_a_week_is_forgotten() {
    let index = Index::open();
    for n in 0..20 {
        index.apply(simple("one", "c", n, 900, "of one")).await;
    }
    let (index, _) = index.reopen_with(|options| options.directories = vec![url("two")]).await;
    assert!(index.reader.everything().figures().await.unwrap().pack_bytes > 0);
    index.options.clock.advance(Duration::from_hours(192));
    index.until("forgetting the directory", async |index| index.reader.everything().figures().await.unwrap().pack_bytes == 0).await;
    let (index, _) = index.reopen_with(|options| options.directories = vec![url("one")]).await;
    assert!(index.reader.known(&url("one")).await.unwrap().applications.is_empty());
}

#[tokio::test]
async fn the_order_of_directories_counts_as_configured_now() {
    let index = Index::open();
    index.apply(simple("one", "c", 1, 500, "of one")).await;
    index.apply(simple("two", "c", 1, 500, "of two")).await;
    assert_eq!(shown(&index).await.as_deref(), Some("of two"));
    let (index, _) = index.reopen_with(|options| options.directories.reverse()).await;
    assert_eq!(shown(&index).await.as_deref(), Some("of one"));
}

#[tokio::test]
async fn a_single_file_that_is_gone_lets_the_next_copy_step_in() {
    let index = Index::open();
    let better = application_key("one", "c", 1);
    index.apply(simple("one", "c", 1, 900, "better")).await;
    index.apply(simple("one", "d", 1, 500, "worse")).await;
    let file = FileKind::Job(job(1));
    index.writer.note_presence(vec![Presence::FileGone(better.clone(), file)], NOW).await.unwrap();
    assert_eq!(shown(&index).await.as_deref(), Some("worse"));
    assert_eq!(index.applications().await, ["better"], "the application itself is still there");
    index.writer.note_presence(vec![Presence::FileBack(better, file)], NOW).await.unwrap();
    assert_eq!(shown(&index).await.as_deref(), Some("better"));
}
