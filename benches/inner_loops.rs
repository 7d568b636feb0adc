//! The inner loops of a first refresh, and the one of a request for a document.
//!
//! ```text
//! cargo bench --bench inner_loops
//! ```

use std::fs;
use std::hint::black_box;
use std::path::{Path, PathBuf};

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use historyserver::archive::{ArchiveLimits, DocumentSink, Owner, SinkError, read_slice, read_stream};
use historyserver::pack::{Packer, Part, find, unpack};

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

criterion_group!(benches, parse, packs, reading);
criterion_main!(benches);
