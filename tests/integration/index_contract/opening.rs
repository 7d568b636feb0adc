//! The data directory and the file in it: owner, damage, other schemas, full and read-only disks.

use std::fs::{self, OpenOptions};
use std::os::unix::fs::{FileExt as _, PermissionsExt as _};
use std::os::unix::process::CommandExt as _;
use std::process::Command;

use historyserver::archive::Owner;
use historyserver::index::{self, CopySelector, DocumentAnswer, IndexError, IndexOptions, Opened, Pack, Presence, Urgency};

use super::support::*;

/// Closes the index and writes these bytes into its file.
async fn overwrite(index: &Index, offset: u64, bytes: &[u8]) {
    index.writer.close().await;
    let file = OpenOptions::new().write(true).open(index.file()).unwrap();
    file.write_all_at(bytes, offset).unwrap();
}

fn names(index: &Index) -> Vec<String> {
    let mut names: Vec<_> =
        fs::read_dir(&index.options.data_directory).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

#[tokio::test]
async fn a_data_directory_has_one_owner() {
    let index = Index::open();
    let Err(error) = index::open(&index.options) else { panic!("two owners") };
    assert!(matches!(error, IndexError::Owned(_)));
    let sentence = error.to_string();
    assert!(sentence.contains(&format!("process {}", std::process::id())) && sentence.contains(" on host "), "{sentence}");
    index.apply(simple("one", "c", 1, 1, "not disturbed")).await;
    index.writer.close().await;
    assert_eq!(names(&index), ["historyserver.lock", "historyserver.sqlite"], "nothing is left beside the file");
    index::open(&index.options).unwrap();
}

#[tokio::test]
async fn a_file_that_is_no_database_is_moved_aside() {
    let index = Index::open();
    index.apply(simple("one", "c", 1, 1, "x")).await;
    let generation = index.reader.generation();
    overwrite(&index, 0, &[0xee; 4096]).await;
    let (index, opened) = index.reopen().await;
    let Opened::Rebuilt { moved_to, lost: None } = opened else { panic!("{opened:?}") };
    assert!(fs::read(&moved_to).unwrap().starts_with(&[0xee; 4096]));
    assert_ne!(index.reader.generation().index, generation.index, "another file, other entity tags");
    assert!(index.applications().await.is_empty());
    index.apply(simple("one", "c", 1, 1, "again")).await;
    let (index, opened) = index.reopen().await;
    assert_eq!((opened, index.applications().await), (Opened::Ready, vec!["again".to_owned()]));
}

#[tokio::test]
async fn a_damaged_page_is_found_and_what_is_lost_is_counted() {
    let index = Index::open();
    for n in 1..=3 {
        index.apply(legacy("one", n, 1, &noise(50_000, n.into()))).await;
    }
    let gone = [1, 2].map(|n| Presence::UnitGone(legacy_key("one", n)));
    index.writer.note_presence(gone.to_vec(), NOW).await.unwrap();
    index.writer.close().await;
    let pages = fs::metadata(index.file()).unwrap().len() / 4096;
    // The last pages hold documents: the lists can still be read.
    overwrite(&index, (pages - 12) * 4096, &vec![0xee; 12 * 4096]).await;
    let (index, opened) = index.reopen().await;
    let Opened::Rebuilt { moved_to, lost } = opened else { panic!("{opened:?}") };
    assert_eq!(lost, Some(2));
    assert!(moved_to.file_name().unwrap().to_str().unwrap().starts_with("historyserver.sqlite.damaged-2023"), "{moved_to:?}");
    assert!(index.jobs().await.is_empty());
}

#[tokio::test]
async fn damage_that_a_reader_finds_is_told_and_mended_by_a_restart() {
    let index = Index::open();
    index.apply(legacy("one", 1, 1, &noise(500_000, 1))).await;
    let (index, _) = index.reopen().await;
    let pages = fs::metadata(index.file()).unwrap().len() / 4096;
    let file = OpenOptions::new().write(true).open(index.file()).unwrap();
    file.write_all_at(&vec![0xee; usize::try_from((pages - 5) * 4096).unwrap()], 5 * 4096).unwrap();
    let mut told = Vec::new();
    told.extend(index.reader.everything().document(Owner::Job(job(1)), &of_job(1).1, &CopySelector::default()).await.err());
    told.extend(index.reader.known(&url("one")).await.err());
    assert!(told.iter().any(|error| matches!(error, IndexError::Damaged(_))), "{told:?}");
    let (_index, opened) = index.reopen().await;
    assert!(matches!(opened, Opened::Rebuilt { .. }), "{opened:?}");
}

#[tokio::test]
async fn a_damaged_document_is_told_once_and_read_again_from_its_archive() {
    let index = Index::open();
    let text = noise(800_000, 1);
    let (owner, path) = of_job(1);
    let change = || Change::of(legacy_key("one", 1)).job_pack(job(1), Pack::Whole(parts(&[(&path, &text)]))).0;
    index.apply(change()).await;
    index.writer.close().await;
    // Somewhere in the frames, where SQLite itself notices nothing.
    let middle = fs::metadata(index.file()).unwrap().len() / 4096 / 2;
    overwrite(&index, middle * 4096 + 100, &[0xee; 64]).await;
    let (index, opened) = index.reopen().await;
    assert_eq!(opened, Opened::Ready);
    let DocumentAnswer::Found(document) = index.answer(owner, &path).await else { panic!() };
    let mut position = 0;
    let error = loop {
        match index.reader.everything().document_piece(&document, position, usize::MAX).await {
            Ok(chunk) => position += chunk.len() as u64,
            Err(error) => break error,
        }
        assert!(position < document.length, "the damage was not noticed");
    };
    assert!(matches!(error, IndexError::Damaged(_)), "{error}");
    drop(document);
    let evicted = DocumentAnswer::Evicted(legacy_key("one", 1));
    index.until("taking out the damaged pack", async |index| index.answer(owner, &path).await == evicted).await;
    index.apply(change()).await;
    assert!(index.read(owner, &path).await == Some(text));
}

#[tokio::test]
async fn a_newer_schema_is_refused_and_not_touched() {
    let index = Index::open();
    index.apply(simple("one", "c", 1, 1, "x")).await;
    // `user_version` in the header.
    overwrite(&index, 60, &99_u32.to_be_bytes()).await;
    let before = fs::read(index.file()).unwrap();
    let Err(error) = index::open(&index.options) else { panic!("opened") };
    assert!(matches!(error, IndexError::NewerSchema(_)) && error.to_string().contains("schema 99"), "{error}");
    assert!(fs::read(index.file()).unwrap() == before);
}

#[tokio::test]
async fn a_database_of_something_else_is_refused_and_not_touched() {
    let index = Index::open();
    // `application_id` in the header.
    overwrite(&index, 68, &7_u32.to_be_bytes()).await;
    let before = fs::read(index.file()).unwrap();
    let Err(error) = index::open(&index.options) else { panic!("opened") };
    assert!(matches!(error, IndexError::Failed(_)) && error.to_string().contains("not an index of this server"), "{error}");
    assert!(fs::read(index.file()).unwrap() == before);
}

#[tokio::test]
async fn a_full_disk_fails_with_a_sentence_serves_what_is_indexed_and_recovers() {
    let index = Index::with(|options| options.max_file_pages = Some(400));
    index.apply(simple("one", "c", 1, 1, "first")).await;
    let big = legacy_key("one", 9);
    let huge = || Change::of(big.clone()).job(job(9), 1, 1, &noise(8 << 20, 9)).0;
    for _ in 0..3 {
        let together = futures::future::join(
            index.writer.apply(huge(), Urgency::Batched),
            index.writer.apply(simple("one", "c", 2, 2, "second"), Urgency::Batched),
        );
        let (failed, _neighbour) = together.await;
        let error = failed.unwrap_err();
        assert!(matches!(error, IndexError::Unwritable(_)), "{error:?}");
        assert!(error.to_string().contains("is full") && error.to_string().contains("historyserver.data.dir"), "{error}");
        let (owner, path) = of_job(1);
        assert_eq!(index.read(owner, &path).await.as_deref(), Some("first"));
    }
    assert_eq!(index.answer(Owner::Job(job(9)), "/").await, DocumentAnswer::Unknown, "nothing of it is visible");
    index.apply(simple("one", "c", 3, 3, "third")).await;
    assert!(index.applications().await.contains(&"third".to_owned()));
    let (index, _) = index.reopen_with(|options| options.max_file_pages = None).await;
    index.apply(huge()).await;
    assert!(index.applications().await.contains(&"first".to_owned()));
    assert_eq!(index.jobs().await.len() - index.applications().await.len(), 1);
}

#[tokio::test]
async fn a_data_directory_that_cannot_be_made_is_told() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("file"), "").unwrap();
    let Err(error) = index::open(&IndexOptions::new(folder.path().join("file/data"), 0, Vec::new())) else { panic!("opened") };
    assert!(matches!(error, IndexError::Unwritable(_)) && error.to_string().contains("historyserver.data.dir"), "{error}");
}

/// Names the data directory for the part of the next test that runs as a user without rights.
const READ_ONLY: &str = "HISTORYSERVER_TEST_READ_ONLY";

#[tokio::test]
async fn a_read_only_data_directory_is_served_and_says_why_nothing_is_written() {
    if let Some(path) = std::env::var_os(READ_ONLY) {
        return serve_read_only(path.into()).await;
    }
    let index = Index::open();
    index.apply(simple("one", "c", 1, 1, "first")).await;
    index.writer.close().await;
    for (path, mode) in [(index.folder.path().to_owned(), 0o755), (index.options.data_directory.clone(), 0o555), (index.file(), 0o444)] {
        fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
    }
    // Root may write everywhere: this test again, as somebody who may not.
    let copy = index.folder.path().join("test");
    fs::copy(std::env::current_exe().unwrap(), &copy).unwrap();
    let name = "index_contract::opening::a_read_only_data_directory_is_served_and_says_why_nothing_is_written";
    let output = Command::new(copy)
        .args(["--exact", name, "--nocapture"])
        .env(READ_ONLY, &index.options.data_directory)
        .current_dir(index.folder.path())
        .uid(65_534)
        .gid(65_534)
        .output()
        .unwrap();
    let told = String::from_utf8_lossy(&output.stdout) + String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success() && told.contains("1 passed"), "{told}");
}

async fn serve_read_only(path: std::path::PathBuf) {
    let (writer, reader, opened) = index::open(&IndexOptions::new(&path, 0, vec![url("one"), url("two")])).unwrap();
    assert_eq!(opened, Opened::Ready);
    let (owner, document) = of_job(1);
    let DocumentAnswer::Found(document) = reader.everything().document(owner, &document, &CopySelector::default()).await.unwrap() else {
        panic!()
    };
    assert_eq!(reader.everything().document_piece(&document, 0, usize::MAX).await.unwrap(), "first");
    assert_ne!(reader.generation().number, 0);
    let error = writer.apply(simple("one", "c", 2, 2, "second"), Urgency::Now).await.unwrap_err();
    assert!(matches!(error, IndexError::Unwritable(_)) && error.to_string().contains("historyserver.data.dir"), "{error}");
    assert_eq!(reader.everything().figures().await.unwrap().applications, 1);
    writer.close().await;
}
