//! Trains the dictionary that documents are compressed with.
//!
//! ```text
//! cargo run --release --example train_dictionary -- --out src/pack/documents-1.zstd-dict
//! ```
//!
//! It learns from every other summary and every other job archive, in the order of their paths, and never sees the rest; the ratios of both
//! halves are printed. The same archives give the same dictionary. A dictionary that was released is never replaced, because packs
//! written with it could not be read any more: a better one gets the next number, and a line in `src/pack/codec.rs`.

#![expect(clippy::print_stdout, reason = "a tool for the command line")]

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail};
use clap::Parser;
use historyserver::archive::{ArchiveLimits, DocumentSink, Owner, SinkError, read_slice};
use historyserver::pack::{FRAME_BYTES, Packer};
use zstd::bulk::Compressor;

/// Trains a dictionary on half of the archives and prints its ratios for both halves.
#[derive(Parser)]
struct Options {
    /// Folder of archives, at any depth.
    #[arg(long, default_value = "tests/fixtures/archives")]
    archives: PathBuf,
    /// File to write; without it nothing is written.
    #[arg(long)]
    out: Option<PathBuf>,
    /// Bytes of the dictionary.
    #[arg(long, default_value_t = 64 << 10)]
    size: usize,
    /// Level to measure with: that of the packs.
    #[arg(long, default_value_t = 3)]
    level: i32,
    /// Bytes that one archive may contribute, so that a wide job does not outvote all others: of 50,000 to 256,000, this gave the best ratio.
    #[arg(long, default_value_t = 90_000)]
    most_of_one: usize,
}

/// The documents of one archive, in order.
#[derive(Default)]
struct Documents(Vec<(String, String)>);

impl DocumentSink for Documents {
    fn document(&mut self, path: &str, json: &str) -> Result<(), SinkError> {
        self.0.push((path.to_owned(), json.to_owned()));
        Ok(())
    }
}

fn main() -> Result<()> {
    let options = Options::parse();
    let archives = read_archives(&options.archives)?;
    if archives.len() < 2 {
        bail!("{} holds fewer than two archives: nothing to train on and to test with", options.archives.display());
    }
    let (learned, unseen) = halves(archives);
    let halves = [("learned from", learned), ("never seen", unseen)];

    let samples: Vec<&str> = halves[0].1.iter().flat_map(|archive| contribution(archive, options.most_of_one)).collect();
    let dictionary = zstd::dict::from_samples(&samples, options.size).context("training failed")?;
    println!("dictionary of {} bytes, trained on {} documents", dictionary.len(), samples.len());

    println!(
        "{:<14}{:>10}{:>14}{:>18}{:>18}{:>20}",
        "half", "archives", "documents", "no dictionary", "this dictionary", "packs of this build"
    );
    for (name, archives) in &halves {
        let raw: usize = archives.iter().flat_map(|archive| &archive.0).map(|(_, json)| json.len()).sum();
        let plain = in_frames(archives, options.level, &[])?;
        let trained = in_frames(archives, options.level, &dictionary)?;
        let packed = archives.iter().map(packed).sum();
        print!("{name:<14}{:>10}{raw:>14}", archives.len());
        for (stored, width) in [(plain, 18), (trained, 18), (packed, 20)] {
            let text = format!("{stored} ({:.1} %)", 100.0 * stored as f64 / raw as f64);
            print!("{text:>width$}");
        }
        println!();
    }
    if let Some(out) = &options.out {
        fs::write(out, &dictionary).with_context(|| format!("cannot write {}", out.display()))?;
        println!("written to {}: the packs of this build still used the one before", out.display());
    }
    Ok(())
}

/// Every other summary and every other job archive, in the order of their paths, and the rest.
fn halves(archives: Vec<(Owner, Documents)>) -> (Vec<Documents>, Vec<Documents>) {
    let (mut first, mut second) = (Vec::new(), Vec::new());
    let (summaries, jobs): (Vec<_>, Vec<_>) = archives.into_iter().partition(|(owner, _)| matches!(owner, Owner::Application(_)));
    for kind in [summaries, jobs] {
        for (number, (_, documents)) in kind.into_iter().enumerate() {
            if number % 2 == 0 { first.push(documents) } else { second.push(documents) }
        }
    }
    (first, second)
}

/// Documents of one archive, evenly picked where it has too many.
fn contribution(archive: &Documents, most: usize) -> impl Iterator<Item = &str> {
    let bytes: usize = archive.0.iter().map(|(_, json)| json.len()).sum();
    archive.0.iter().map(|(_, json)| json.as_str()).step_by(bytes.div_ceil(most).max(1))
}

/// Bytes of all documents in frames as a pack has them, without directories.
fn in_frames(archives: &[Documents], level: i32, dictionary: &[u8]) -> Result<u64> {
    let mut compressor = Compressor::with_dictionary(level, dictionary)?;
    let mut stored = 0;
    for archive in archives {
        let bytes: Vec<u8> = archive.0.iter().flat_map(|(_, json)| json.bytes()).collect();
        for frame in bytes.chunks(usize::try_from(FRAME_BYTES)?) {
            stored += compressor.compress(frame)?.len() as u64;
        }
    }
    Ok(stored)
}

/// Bytes that an archive takes when stored, directories included.
fn packed(archive: &Documents) -> u64 {
    let mut packer = Packer::default();
    let mut parts: Vec<_> = archive.0.iter().flat_map(|(path, json)| packer.push(path, json.as_bytes())).collect();
    parts.extend(packer.finish());
    parts.iter().map(historyserver::pack::Part::stored_bytes).sum()
}

fn read_archives(folder: &Path) -> Result<Vec<(Owner, Documents)>> {
    let mut files = Vec::new();
    find_files(folder, &mut files)?;
    files.sort();
    files.iter().filter_map(|file| Some((file, owner(file)?))).map(|(file, owner)| Ok((owner, read_archive(file, owner)?))).collect()
}

fn find_files(folder: &Path, files: &mut Vec<PathBuf>) -> Result<()> {
    for entry in fs::read_dir(folder).with_context(|| format!("cannot list {}", folder.display()))? {
        let path = entry?.path();
        if path.is_dir() { find_files(&path, files)? } else { files.push(path) }
    }
    Ok(())
}

fn owner(file: &Path) -> Option<Owner> {
    let name = file.file_name()?.to_str()?;
    if name == "application-summary" {
        return Some(Owner::Application(file.parent()?.file_name()?.to_str()?.parse().ok()?));
    }
    Some(Owner::Job(name.parse().ok()?))
}

fn read_archive(file: &Path, owner: Owner) -> Result<Documents> {
    let bytes = fs::read(file).with_context(|| format!("cannot read {}", file.display()))?;
    let mut documents = Documents::default();
    read_slice(&bytes, owner, &ArchiveLimits::default(), &mut documents).with_context(|| format!("cannot read {}", file.display()))?;
    Ok(documents)
}
