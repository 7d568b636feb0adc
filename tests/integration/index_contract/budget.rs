//! The byte budget: what goes first, what is safe, what is lost.

use std::time::Duration;

use historyserver::archive::Owner;
use historyserver::clock::Timestamp;
use historyserver::index::{DocumentAnswer, Opened, Presence, UnitChange, Urgency};

use super::support::*;

const DOCUMENT: usize = 20_000;

/// A legacy job archive that takes about ten thousand bytes; the newer, the higher its number.
fn archive(n: u8) -> UnitChange {
    legacy("one", n, i64::from(n), &noise(DOCUMENT, n.into()))
}

/// Bytes of the pack of one such archive.
fn pack_bytes() -> u64 {
    stored_bytes(&parts(&[(&format!("/jobs/{}", job(1)), &noise(DOCUMENT, 1))]))
}

/// Room for so many of them.
fn room_for(archives: u64) -> u64 {
    pack_bytes() * archives + pack_bytes() / 2
}

async fn ingest(index: &Index, n: u8) {
    index.writer.apply(archive(n), Urgency::Batched).await.unwrap();
}

async fn gone(index: &Index, n: u8, at: i64) {
    index.writer.note_presence(vec![Presence::UnitGone(legacy_key("one", n))], Timestamp::from_millis(at)).await.unwrap();
}

/// Those of the first `of` archives whose documents are in the cache.
async fn cached(index: &Index, of: u8) -> Vec<u8> {
    let mut cached = Vec::new();
    for n in 1..=of {
        if matches!(index.answer(Owner::Job(job(n)), &format!("/jobs/{}", job(n))).await, DocumentAnswer::Found(_)) {
            cached.push(n);
        }
    }
    cached
}

async fn read(index: &Index, n: u8) -> Option<String> {
    index.read(Owner::Job(job(n)), &format!("/jobs/{}", job(n))).await
}

#[tokio::test]
async fn of_packs_never_read_the_oldest_archive_goes_first_whatever_came_last() {
    let index = Index::with_budget(room_for(3));
    for n in [5, 4, 3, 2, 1] {
        ingest(&index, n).await;
    }
    assert_eq!(cached(&index, 5).await, [3, 4, 5]);
    assert_eq!(index.jobs().await.len(), 5, "all are listed");
    assert_eq!(index.answer(Owner::Job(job(1)), "/").await, DocumentAnswer::Evicted(legacy_key("one", 1)));
    let figures = index.reader.everything().figures().await.unwrap();
    assert!(figures.pack_bytes <= room_for(3) && figures.evictions == 2);
}

#[tokio::test]
async fn the_least_recently_read_goes_first_over_a_restart_too() {
    let index = Index::with_budget(room_for(3));
    for n in [1, 2, 3] {
        ingest(&index, n).await;
    }
    for n in [3, 1, 2] {
        read(&index, n).await.unwrap();
    }
    let (index, _) = index.reopen().await;
    read(&index, 3).await.unwrap();
    ingest(&index, 4).await;
    assert_eq!(cached(&index, 4).await, [1, 2, 3], "what nobody has read makes room for what somebody has");
    index.writer.forget(vec![legacy_key("one", 4)]).await.unwrap();
    let (index, opened) = index.reopen_with(|options| options.max_pack_bytes = room_for(2)).await;
    assert_eq!(opened, Opened::Ready);
    // Asking for a document would keep its pack from being evicted just then.
    let within = async |index: &Index| index.reader.everything().figures().await.unwrap().pack_bytes <= room_for(2);
    index.until("eviction after the budget was lowered", within).await;
    assert_eq!(cached(&index, 3).await, [2, 3]);
}

#[tokio::test]
async fn with_no_budget_at_all_documents_are_served_after_they_were_brought_back() {
    let index = Index::with(|options| {
        options.max_pack_bytes = 0;
        options.restored_grace = Duration::from_millis(300);
    });
    ingest(&index, 1).await;
    ingest(&index, 2).await;
    assert_eq!((cached(&index, 2).await, index.reader.everything().figures().await.unwrap().pack_bytes), (vec![], 0));
    assert_eq!(index.jobs().await.len(), 2);
    let generation = index.reader.generation();
    index.apply(archive(1)).await;
    index.apply(archive(2)).await;
    for n in [1, 2] {
        assert_eq!(read(&index, n).await, Some(noise(DOCUMENT, n.into())));
    }
    assert_eq!(index.reader.generation(), generation, "no list has changed");
    index.until("eviction after the grace", async |index| cached(index, 2).await.is_empty()).await;
}

#[tokio::test]
async fn a_document_that_is_being_read_is_not_evicted() {
    let index = Index::with(|options| {
        options.max_pack_bytes = 0;
        options.restored_grace = Duration::ZERO;
    });
    let (owner, path) = (Owner::Job(job(1)), format!("/jobs/{}", job(1)));
    let (index, _) = index.reopen_with(|options| options.max_pack_bytes = u64::MAX).await;
    ingest(&index, 1).await;
    let (index, _) = {
        let DocumentAnswer::Found(document) = index.answer(owner, &path).await else { panic!() };
        drop(document);
        index.reopen_with(|options| options.max_pack_bytes = pack_bytes() + pack_bytes() / 2).await
    };
    let DocumentAnswer::Found(document) = index.answer(owner, &path).await else { panic!() };
    let reader = document.clone();
    drop(document);
    for n in 2..6 {
        ingest(&index, n).await;
    }
    let bytes = index.reader.everything().document_piece(&reader, 0, usize::MAX).await.unwrap();
    assert_eq!(bytes, noise(DOCUMENT, 1).as_bytes());
    assert_eq!(cached(&index, 5).await, [1]);
    index.apply(legacy("one", 1, 1, &noise(DOCUMENT, 99))).await;
    let error = index.reader.everything().document_piece(&reader, 0, usize::MAX).await.unwrap_err();
    assert!(error.to_string().contains("replaced"), "a rewritten archive is never mixed with the former one: {error}");
}

#[tokio::test]
async fn what_went_after_its_pack_was_evicted_stays_listed_and_is_lost() {
    let index = Index::with_budget(0);
    ingest(&index, 1).await;
    let generation = index.reader.generation();
    gone(&index, 1, NOW.as_millis()).await;
    assert!(index.reader.generation().number > generation.number, "it is marked");
    assert_eq!(index.answer(Owner::Job(job(1)), "/").await, DocumentAnswer::Lost);
    assert_eq!(index.jobs().await.len(), 1);
    index.writer.note_presence(vec![Presence::UnitBack(legacy_key("one", 1))], NOW).await.unwrap();
    assert_eq!(index.answer(Owner::Job(job(1)), "/").await, DocumentAnswer::Evicted(legacy_key("one", 1)));
}

#[tokio::test]
async fn what_is_present_goes_first_then_the_longest_gone_is_forgotten() {
    let index = Index::with_budget(room_for(4));
    for n in 1..=4 {
        ingest(&index, n).await;
    }
    for (n, at) in [(2, 30), (3, 10), (4, 20)] {
        gone(&index, n, at).await;
    }
    ingest(&index, 5).await;
    assert_eq!((cached(&index, 5).await, index.jobs().await.len()), (vec![2, 3, 4, 5], 5), "1 is evicted: it can be read again");
    gone(&index, 5, 40).await;
    let (index, _) = index.reopen_with(|options| options.max_pack_bytes = room_for(2)).await;
    index.until("forgetting the longest gone", async |index| index.jobs().await.len() == 3).await;
    assert_eq!(cached(&index, 5).await, [2, 5]);
    assert_eq!(index.answer(Owner::Job(job(3)), "/").await, DocumentAnswer::Unknown);
    assert_eq!(index.answer(Owner::Job(job(1)), "/").await, DocumentAnswer::Evicted(legacy_key("one", 1)));
    assert_eq!(index.reader.everything().figures().await.unwrap().evictions, 2);
}

#[tokio::test]
async fn what_is_gone_is_not_forgotten_for_what_was_only_brought_back() {
    let index = Index::with_budget(room_for(1));
    ingest(&index, 1).await;
    gone(&index, 1, NOW.as_millis()).await;
    index.apply(archive(2)).await;
    assert_eq!(cached(&index, 2).await, [1, 2], "over the budget for a while");
    assert!(read(&index, 1).await.is_some());
}

#[tokio::test]
async fn a_single_gone_file_is_forgotten_without_its_application() {
    let index = Index::with_budget(u64::MAX);
    let key = application_key("one", "c", 1);
    let text = noise(DOCUMENT, 1);
    index.apply(Change::of(key.clone()).summary(1, 1, "a", &[job(1)]).job(job(1), 1, 1, &text).0).await;
    let file = historyserver::directory::FileKind::Job(job(1));
    index.writer.note_presence(vec![Presence::FileGone(key, file)], NOW).await.unwrap();
    let (index, _) = index.reopen_with(|options| options.max_pack_bytes = 5_000).await;
    index.until("forgetting the file", async |index| index.jobs().await.is_empty()).await;
    assert_eq!(index.applications().await, ["a"]);
    assert_eq!(index.answer(Owner::Job(job(1)), "/").await, DocumentAnswer::NotArchived);
}

#[tokio::test]
async fn pages_are_given_back_after_much_was_forgotten() {
    let index = Index::open();
    for n in 0..8 {
        let text = noise(4 << 20, n.into());
        index.apply(legacy("one", n, 1, &text)).await;
    }
    let before = index.reader.everything().figures().await.unwrap().file_bytes;
    assert!(before > 16 << 20);
    index.writer.forget((0..8).map(|n| legacy_key("one", n)).collect()).await.unwrap();
    index.until("giving pages back", async |index| index.reader.everything().figures().await.unwrap().file_bytes < before / 2).await;
}
