//! The limit of a first refresh: reads all archives below a folder, parses and compresses them on two threads, and keeps nothing.
//!
//! ```text
//! cargo run --release --example parse_and_pack -- /tmp/archives
//! ```
//!
//! Prints one line of JSON: `seconds`, `files`, `bytes` of the files and `packed` bytes.

#![expect(clippy::print_stdout, reason = "a tool for the command line")]

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::Instant;

use anyhow::{Context as _, Result};
use historyserver::archive::{ArchiveLimits, DocumentSink, Owner, SinkError, read_slice};
use historyserver::pack::{Packer, Part};

const THREADS: usize = 2;

/// Counts the bytes of the parts.
#[derive(Default)]
struct Packed {
    packer: Packer,
    bytes: usize,
}

impl Packed {
    fn count(&mut self, parts: impl IntoIterator<Item = Part>) {
        self.bytes += parts.into_iter().map(|part| part.directory.len() + part.frames.len()).sum::<usize>();
    }
}

impl DocumentSink for Packed {
    fn document(&mut self, path: &str, json: &str) -> Result<(), SinkError> {
        let parts = self.packer.push(path, json.as_bytes());
        self.count(parts);
        Ok(())
    }
}

/// Archive files by the layouts of Flink: `…/<application>/application-summary` and job archives named by the id of the job.
fn owner(file: &Path) -> Option<Owner> {
    let name = file.file_name()?.to_str()?;
    if name == "application-summary" {
        return Some(Owner::Application(file.parent()?.file_name()?.to_str()?.parse().ok()?));
    }
    Some(Owner::Job(name.parse().ok()?))
}

fn find_files(folder: &Path, files: &mut Vec<(PathBuf, Owner)>) -> Result<()> {
    for entry in fs::read_dir(folder).with_context(|| format!("cannot list {}", folder.display()))? {
        let entry = entry?;
        let path = entry.path();
        if entry.file_type()?.is_dir() {
            find_files(&path, files)?;
        } else if let Some(owner) = owner(&path) {
            files.push((path, owner));
        }
    }
    Ok(())
}

/// Bytes read and bytes packed by one of the threads; the next file is that of the counter.
fn work(files: &[(PathBuf, Owner)], next: &AtomicUsize) -> Result<(usize, usize)> {
    let (mut read, mut packed) = (0, 0);
    while let Some((path, owner)) = files.get(next.fetch_add(1, Ordering::Relaxed)) {
        let bytes = fs::read(path).with_context(|| format!("cannot read {}", path.display()))?;
        let mut documents = Packed::default();
        read_slice(&bytes, *owner, &ArchiveLimits::default(), &mut documents)
            .with_context(|| format!("cannot parse {}", path.display()))?;
        let last = documents.packer.finish();
        packed += documents.bytes + last.map_or(0, |part| part.directory.len() + part.frames.len());
        read += bytes.len();
    }
    Ok((read, packed))
}

fn main() -> Result<()> {
    let folder = std::env::args_os().nth(1).context("name the folder of the archives: parse_and_pack FOLDER")?;
    let began = Instant::now();
    let mut files = Vec::new();
    find_files(Path::new(&folder), &mut files)?;
    let next = AtomicUsize::new(0);
    let sums = thread::scope(|scope| {
        let threads: Vec<_> = (0..THREADS).map(|_| scope.spawn(|| work(&files, &next))).collect();
        threads.into_iter().map(|thread| thread.join().map_err(|_| anyhow::anyhow!("a thread panicked"))?).collect::<Result<Vec<_>>>()
    })?;
    let (read, packed) = sums.iter().fold((0, 0), |sum, one| (sum.0 + one.0, sum.1 + one.1));
    let seconds = began.elapsed().as_secs_f64();
    println!(r#"{{"seconds": {seconds:.3}, "files": {}, "bytes": {read}, "packed": {packed}}}"#, files.len());
    Ok(())
}
