//! Large documents, and archives that are written before they are read to their end.

use historyserver::archive::Owner;
use historyserver::index::{DocumentAnswer, IndexError, Pack, Urgency};
use historyserver::pack::{Packer, Part};

use super::support::*;

const FIVE_MIB: usize = (5 << 20) + 12_345;

#[tokio::test]
async fn a_document_larger_than_a_part_is_read_in_chunks_from_any_position() {
    let index = Index::open();
    let (text, path) = (noise(FIVE_MIB, 1), format!("/jobs/{}", job(1)));
    let documents = [("/jobs/a", "before"), (path.as_str(), text.as_str()), ("/jobs/b", "after")];
    index.apply(Change::of(legacy_key("one", 1)).job_pack(job(1), Pack::Whole(parts(&documents))).0).await;
    let owner = Owner::Job(job(1));
    assert!(index.read(owner, &path).await.as_ref() == Some(&text));
    for (path, expected) in [documents[0], documents[2]] {
        assert_eq!(index.read(owner, path).await.as_deref(), Some(expected));
    }
    let DocumentAnswer::Found(document) = index.answer(owner, &path).await else { panic!() };
    for position in [1, 65_535, 65_536, (1 << 20) - 1, 1 << 20, (3 << 20) + 77, FIVE_MIB - 1] {
        let chunk = index.reader.everything().document_piece(&document, position as u64, usize::MAX).await.unwrap();
        assert!(!chunk.is_empty() && text.as_bytes()[position..].starts_with(&chunk), "{position}");
    }
    for position in [FIVE_MIB as u64, u64::MAX] {
        assert!(index.reader.everything().document_piece(&document, position, usize::MAX).await.unwrap().is_empty());
    }
}

#[tokio::test]
async fn of_equal_paths_the_last_counts_across_parts() {
    let index = Index::open();
    let filler = noise(2 << 20, 1);
    let documents = [("/jobs/x", "first"), ("/jobs/filler", filler.as_str()), ("/jobs/x", "second")];
    index.apply(Change::of(legacy_key("one", 1)).job_pack(job(1), Pack::Whole(parts(&documents))).0).await;
    assert_eq!(index.read(Owner::Job(job(1)), "/jobs/x").await.as_deref(), Some("second"));
}

#[tokio::test]
async fn an_empty_document_and_an_empty_pack_are_served() {
    let index = Index::open();
    index.apply(Change::of(legacy_key("one", 1)).job_pack(job(1), Pack::Whole(parts(&[("/jobs/x", "")]))).0).await;
    index.apply(Change::of(legacy_key("one", 2)).job_pack(job(2), Pack::Whole(Vec::new())).0).await;
    assert_eq!(index.read(Owner::Job(job(1)), "/jobs/x").await.as_deref(), Some(""));
    assert_eq!(index.answer(Owner::Job(job(2)), "/jobs/x").await, DocumentAnswer::NotInArchive);
}

/// The parts of a large archive in two halves, as a reader would give them.
fn halves(text: &str, path: &str) -> (Vec<Part>, Vec<Part>) {
    let mut packer = Packer::default();
    let first = packer.push("/jobs/first", b"first");
    let mut second = packer.push(path, text.as_bytes());
    second.extend(packer.finish());
    let mut all: Vec<_> = first.into_iter().chain(second).collect();
    let rest = all.split_off(all.len() / 2);
    (all, rest)
}

#[tokio::test(flavor = "multi_thread")]
async fn parts_written_ahead_become_the_archive_with_its_change() {
    let index = Index::open();
    let (text, path) = (noise(FIVE_MIB, 1), format!("/jobs/{}", job(1)));
    let (first, second) = halves(&text, &path);
    let bytes = stored_bytes(&first) + stored_bytes(&second);
    let writer = index.writer.clone();
    let staged = historyserver::tasks::spawn_blocking(move || {
        let staged = writer.stage(None, first)?;
        writer.stage(Some(staged), second)
    })
    .await
    .unwrap();
    assert_eq!(index.answer(Owner::Job(job(1)), &path).await, DocumentAnswer::Unknown, "not before its change");
    index.apply(Change::of(legacy_key("one", 1)).job_pack(job(1), Pack::Staged(staged)).0).await;
    assert!(index.read(Owner::Job(job(1)), &path).await.as_ref() == Some(&text));
    assert_eq!(index.read(Owner::Job(job(1)), "/jobs/first").await.as_deref(), Some("first"));
    let (index, _) = index.reopen().await;
    assert!(index.read(Owner::Job(job(1)), &path).await.as_ref() == Some(&text));
    assert_eq!(index.reader.everything().figures().await.unwrap().pack_bytes, bytes);
}

#[tokio::test(flavor = "multi_thread")]
async fn parts_written_ahead_and_not_wanted_are_taken_out() {
    let index = Index::open();
    let (first, second) = halves(&noise(FIVE_MIB, 1), "/jobs/x");
    let stage = async |index: &Index, parts: &Vec<Part>| {
        let (writer, parts) = (index.writer.clone(), parts.clone());
        historyserver::tasks::spawn_blocking(move || writer.stage(None, parts)).await.unwrap()
    };
    let staged = stage(&index, &first).await;
    assert_eq!(index.reader.everything().figures().await.unwrap().pack_bytes, stored_bytes(&first));
    drop(staged);
    index.until("taking out what was dropped", async |index| index.reader.everything().figures().await.unwrap().pack_bytes == 0).await;

    // What nobody could take out before the end goes at the next start.
    let staged = stage(&index, &second).await;
    index.writer.close().await;
    drop(staged);
    let (index, _) = index.reopen().await;
    assert_eq!(index.reader.everything().figures().await.unwrap().pack_bytes, 0);
}

#[tokio::test]
async fn a_closed_index_says_so() {
    let index = Index::open();
    index.writer.close().await;
    index.writer.close().await;
    let closed = Err(IndexError::Closed);
    assert_eq!(index.writer.apply(simple("one", "c", 1, 1, "x"), Urgency::Now).await.map(|_| ()), closed);
    assert_eq!(index.writer.stage(None, Vec::new()).map(|_| ()), closed);
    assert_eq!(index.reader.known(&url("one")).await.map(|_| ()), closed);
}
