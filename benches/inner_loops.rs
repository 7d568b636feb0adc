//! The inner loops of a first refresh, and those of requests for a document and for a page of a list.
//!
//! ```text
//! cargo bench --bench inner_loops
//! ```

use std::fs;
use std::hint::black_box;
use std::path::{Path, PathBuf};

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use historyserver::archive::{ArchiveLimits, DocumentSink, Owner, ParsedArchive, Record, SinkError, read_slice, read_stream};
use historyserver::clock::Timestamp;
use historyserver::directory::{FileKind, FileVersion, Found, FoundFile};
use historyserver::ids::JobId;
use historyserver::index::query::{Filter, ListKind, ListQuery, Sort, SortKey};
use historyserver::index::{
    self, CopySelector, DocumentAnswer, FileChange, FileOutcome, IndexOptions, IndexReader, IndexWriter, KnownDirectory, Pack,
    ParsedRecord, UnitChange, UnitKey, Urgency,
};
use historyserver::names::{DirectoryUrl, FilePath};
use historyserver::pack::{Packer, Part, find, unpack};
use historyserver::refresh::plan::{Judging, Planner, Probed, Rules};
use tokio::runtime::Runtime;

struct Archive {
    owner: Owner,
    bytes: Vec<u8>,
}

fn archives() -> Vec<Archive> {
    let mut files = Vec::new();
    find_files(&Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/archives"), &mut files);
    files.sort();
    let owned = files.iter().filter_map(|file| Some(Archive { owner: owner(file)?, bytes: fs::read(file).ok()? }));
    owned.collect()
}

fn find_files(folder: &Path, files: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        if path.is_dir() { find_files(&path, files) } else { files.push(path) }
    }
}

fn owner(file: &Path) -> Option<Owner> {
    let name = file.file_name()?.to_str()?;
    if name == "application-summary" {
        return Some(Owner::Application(file.parent()?.file_name()?.to_str()?.parse().ok()?));
    }
    Some(Owner::Job(name.parse().ok()?))
}

struct Nowhere;

impl DocumentSink for Nowhere {
    fn document(&mut self, path: &str, json: &str) -> Result<(), SinkError> {
        black_box((path, json));
        Ok(())
    }
}

#[derive(Default)]
struct Kept(Vec<(String, Vec<u8>)>);

impl DocumentSink for Kept {
    fn document(&mut self, path: &str, json: &str) -> Result<(), SinkError> {
        self.0.push((path.to_owned(), json.as_bytes().to_vec()));
        Ok(())
    }
}

fn documents(archive: &Archive) -> Vec<(String, Vec<u8>)> {
    let mut kept = Kept::default();
    // A fixture that cannot be read is a failure of the tests, not of a measurement.
    let _ = read_slice(&archive.bytes, archive.owner, &ArchiveLimits::default(), &mut kept);
    kept.0
}

fn pack(documents: &[(String, Vec<u8>)]) -> Vec<Part> {
    let mut packer = Packer::default();
    let mut parts: Vec<Part> = documents.iter().flat_map(|(path, document)| packer.push(path, document)).collect();
    parts.extend(packer.finish());
    parts
}

/// The time of all archives of the index.
const MODIFIED: i64 = 1_700_000_000_000;

/// Job archives in the index of the benches.
const JOBS: u64 = 4_000;

fn directory() -> DirectoryUrl {
    DirectoryUrl::new("file:///archives/")
}

fn job(number: u64) -> JobId {
    JobId::from_bytes(u128::from(number).to_be_bytes())
}

fn found(job: JobId) -> FoundFile {
    let version = FileVersion { size: 1, modified: Timestamp::from_millis(MODIFIED), etag: None };
    FoundFile { path: FilePath::new(job.to_string()), kind: FileKind::Job(job), version }
}

/// The archive of a job as an ingest has read it. Copies have the documents of the original.
fn change(id: JobId, documents: &[(String, Vec<u8>)], read: &ParsedArchive) -> UnitChange {
    let FoundFile { path, kind, version } = found(id);
    let record = match read.record.clone() {
        Some(Record::Job(record)) => Some(Box::new(ParsedRecord::Job(record))),
        _ => None,
    };
    let outcome = FileOutcome::Parsed {
        record,
        facts: Box::new(read.facts.clone()),
        pack: Pack::Whole(pack(documents)),
        documents: read.documents,
        document_bytes: read.document_bytes,
    };
    let files = vec![FileChange { path, kind, version, racy: false, outcome }];
    UnitChange { key: UnitKey::LegacyJob(directory(), id), files, problems: Vec::new(), at: Timestamp::from_millis(MODIFIED) }
}

/// A job archive: its id, its documents by path, and the rest of it.
type Original = (JobId, Vec<(String, Vec<u8>)>, ParsedArchive);

/// A job archive of the fixtures.
fn original() -> Option<Original> {
    archives().into_iter().find_map(|archive| {
        let Owner::Job(id) = archive.owner else { return None };
        let mut kept = Kept::default();
        let read = read_slice(&archive.bytes, archive.owner, &ArchiveLimits::default(), &mut kept).ok()?;
        read.record.is_some().then_some((id, kept.0, read))
    })
}

fn open(folder: &Path) -> (IndexWriter, IndexReader) {
    let options = IndexOptions::new(folder, u64::MAX, vec![directory()]);
    let (writer, reader, _) = index::open(&options).expect("a new folder can hold an index");
    (writer, reader)
}

/// Applies the archives of jobs with these numbers, in batches as the writer makes them.
async fn apply(writer: &IndexWriter, numbers: std::ops::Range<u64>, documents: &[(String, Vec<u8>)], read: &ParsedArchive) {
    let written = numbers.map(|number| writer.apply(change(job(number), documents, read), Urgency::Batched));
    for written in futures::future::join_all(written).await {
        written.expect("the change is valid");
    }
}

fn plan(criterion: &mut Criterion) {
    let probed = Probed::new();
    let files: Vec<FoundFile> = (0..JOBS).map(|number| found(job(number))).collect();
    let listing = Found::LegacyJobs(files);
    let plan = |known: &KnownDirectory| {
        let mut planner = Planner::new(directory(), known, &probed, Judging::default(), Timestamp::from_millis(MODIFIED));
        let tasks = planner.take(black_box(&listing)).len();
        (tasks, planner.finish(&Rules::default()))
    };
    let mut group = criterion.benchmark_group("plan");
    group.throughput(Throughput::Elements(JOBS));
    group.bench_function("all new", |bencher| bencher.iter(|| plan(&KnownDirectory::default())));
    group.finish();
}

fn indexed(criterion: &mut Criterion) {
    let Some((id, documents, read)) = original() else { return };
    let folder = tempfile::tempdir().expect("a temporary folder");
    let runtime = Runtime::new().expect("a runtime");
    let mut group = criterion.benchmark_group("index");
    group.throughput(Throughput::Elements(250));
    group.sample_size(10);
    let (writer, reader) = open(folder.path());
    let mut next = 0;
    group.bench_function("250 new job archives", |bencher| {
        bencher.iter(|| {
            runtime.block_on(apply(&writer, next..next + 250, &documents, &read));
            next += 250;
        });
    });
    group.finish();
    runtime.block_on(async {
        apply(&writer, next..next.max(JOBS), &documents, &read).await;
        writer.apply(change(id, &documents, &read), Urgency::Now).await.expect("the change is valid");
    });
    let reader = reader.everything();
    let mut paths = documents.iter().map(|(path, _)| path).cycle();
    criterion.bench_function("index/one document", |bencher| {
        bencher.iter(|| {
            let path = paths.next().map_or("", String::as_str);
            runtime.block_on(async {
                match reader.document(Owner::Job(id), path, &CopySelector::default()).await {
                    Ok(DocumentAnswer::Found(document)) => reader.document_piece(&document, 0, usize::MAX).await.ok(),
                    _ => None,
                }
            })
        });
    });
    for (name, key) in [("newest first", SortKey::End), ("by name", SortKey::Name)] {
        criterion.bench_function(&format!("index/one page, {name}"), |bencher| {
            let query = || ListQuery {
                kind: ListKind::Jobs,
                filter: Filter::default(),
                sort: Sort { key, descending: true },
                limit: 100,
                cursor: None,
            };
            bencher.iter(|| runtime.block_on(reader.page(query())).ok());
        });
    }
    runtime.block_on(writer.close());
}

fn parse(criterion: &mut Criterion) {
    let archives = archives();
    let mut group = criterion.benchmark_group("parse");
    group.throughput(Throughput::Bytes(archives.iter().map(|archive| archive.bytes.len() as u64).sum()));
    group.bench_function("slice", |bencher| {
        bencher.iter(|| {
            for archive in &archives {
                let _ = black_box(read_slice(&archive.bytes, archive.owner, &ArchiveLimits::default(), &mut Nowhere));
            }
        });
    });
    group.bench_function("stream", |bencher| {
        bencher.iter(|| {
            for archive in &archives {
                let _ = black_box(read_stream(archive.bytes.as_slice(), archive.owner, &ArchiveLimits::default(), &mut Nowhere));
            }
        });
    });
    group.finish();
}

fn packs(criterion: &mut Criterion) {
    let archives: Vec<_> = archives().iter().map(documents).collect();
    let raw: usize = archives.iter().flatten().map(|(_, document)| document.len()).sum();
    let mut group = criterion.benchmark_group("pack");
    group.throughput(Throughput::Bytes(raw as u64));
    group.bench_function("documents into parts", |bencher| {
        bencher.iter(|| archives.iter().map(|documents| pack(black_box(documents)).len()).sum::<usize>());
    });
    group.finish();
}

fn reading(criterion: &mut Criterion) {
    let mut archives: Vec<_> = archives().iter().map(documents).collect();
    archives.sort_by_key(Vec::len);
    let mut group = criterion.benchmark_group("document");
    for (name, documents) in [("of a common job", &archives[archives.len() / 2]), ("of a wide job", &archives[archives.len() - 1])] {
        let parts = pack(documents);
        let part = &parts[0];
        let paths: Vec<_> =
            documents.iter().map(|(path, _)| path).filter(|path| matches!(find(&part.directory, path), Ok(Some(_)))).collect();
        let mut next = paths.iter().cycle();
        group.bench_function(format!("found {name}"), |bencher| {
            bencher.iter(|| find(&part.directory, next.next().map_or("", |path| path.as_str())));
        });
        group.bench_function(format!("found and unpacked {name}"), |bencher| {
            bencher.iter(|| {
                let place = find(&part.directory, next.next().map_or("", |path| path.as_str())).ok()??;
                unpack(&part.directory, &part.frames, place.frame, place.offset, place.length).ok()
            });
        });
    }
    group.finish();
}

criterion_group!(benches, parse, packs, reading, plan, indexed);
criterion_main!(benches);
