//! Measures cleanups: verdicts, deletions against `rm -r`, and what a refresh with nothing to do costs beyond its listing.
//!
//! ```text
//! cargo run --release --example cleanup_figures -- --folder /tmp/cleanup-figures
//! ```
//!
//! Writes archives of real shape twice below the folder, lets the older half expire, and deletes it: in one copy with `rm -r`, in the
//! other with a cleanup. Then the rest is read, and refreshed again and again. The folder is left without archives.

#![expect(clippy::print_stdout, reason = "a tool for the command line")]

use std::collections::BTreeMap;
use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};
use clap::Parser;
use historyserver::archive::Limits;
use historyserver::clock::Clock;
use historyserver::directory::{Directory, Extent};
use historyserver::index::{self, IndexOptions, IndexReader, IndexWriter, Pending};
use historyserver::ingest::{Ingest, IngestOptions, LookUpUnlisted};
use historyserver::refresh::plan::Rules;
use historyserver::refresh::{DirectoryRefresh, Duty, Refresh, RetentionRules};
use historyserver::retention::cleanup::{Cleanup, Extent as CleanupExtent};
use historyserver::retention::policy::Policy;
use tokio_util::sync::CancellationToken;

#[path = "../tests/support/generator.rs"]
mod generator;
#[path = "../tests/support/template.rs"]
mod template;

use generator::{Generator, Plan};

/// Measures cleanups.
#[derive(Parser)]
struct Options {
    /// Folder to work in; what lies in its `ours`, `theirs` and `data` is taken away first.
    #[arg(long)]
    folder: PathBuf,
    /// Applications; half of them expire.
    #[arg(long, default_value_t = 20_000)]
    applications: u64,
    /// Applications of more bytes are rarely made.
    #[arg(long, default_value_t = 40_000)]
    most_bytes: u64,
    /// How often a refresh with nothing to do is measured.
    #[arg(long, default_value_t = 9)]
    times: usize,
}

const DAY: i64 = 86_400_000;

/// A server's parts, as its composition root puts them together.
struct Parts {
    directory: Directory,
    writer: IndexWriter,
    reader: IndexReader,
    clock: Clock,
}

impl Parts {
    fn open(root: &Path, data: &Path) -> Result<Self> {
        let directory = Directory::open(root.to_str().context("a path that is no text")?, &BTreeMap::new())?;
        let (writer, reader, _) = index::open(&IndexOptions::new(data, 10 << 30, vec![directory.url().clone()]))?;
        Ok(Self { directory, writer, reader, clock: Clock::System })
    }

    fn refresh(&self, duty: Duty, keep: u64) -> Refresh {
        let options = IngestOptions { limits: Limits::default(), bytes_in_flight: 64 << 20, look_up_unlisted: LookUpUnlisted::Off };
        let ingest = Ingest::new([self.directory.clone()], self.writer.clone(), self.reader.clone(), options, self.clock.clone());
        let policy = Policy { applications: Some(keep), ..Policy::default() };
        let (writer, reader) = (self.writer.clone(), self.reader.clone());
        let refresh = DirectoryRefresh::new(self.directory.clone(), ingest, writer, reader, Rules::default(), self.clock.clone())
            .with_retention(RetentionRules { policy, ..RetentionRules::default() })
            .with_duty(duty);
        Refresh::new(vec![refresh], self.clock.clone()).0
    }
}

#[tokio::main]
async fn main() -> Result<()> {
    let options = Options::parse();
    let (ours, theirs, data) = (options.folder.join("ours"), options.folder.join("theirs"), options.folder.join("data"));
    for folder in [&ours, &theirs, &data] {
        if folder.exists() {
            fs::remove_dir_all(folder)?;
        }
    }
    let plan = Plan {
        applications: options.applications,
        most_bytes: options.most_bytes,
        start_time: Clock::System.now() - 40 * DAY,
        ..Plan::default()
    };
    let made = Generator::new(plan)?.write_all(&ours)?;
    run(Command::new("cp").arg("-a").arg(&ours).arg(&theirs))?;
    run(&mut Command::new("sync"))?;
    println!("{} applications, {} files, {:.0} MB", options.applications, made.files, made.bytes as f64 / 1e6);

    let keep = options.applications / 2;
    let parts = Parts::open(&ours, &data)?;
    let stop = CancellationToken::new();
    let begun = Instant::now();
    parts.refresh(Duty::Retention, keep).run(true, &stop).await;
    let expired = expired(&parts.reader).await?;
    println!("verdict on record: {:.2} s, {} expired", begun.elapsed().as_secs_f64(), expired.len());
    ensure!(expired.len() as u64 == options.applications - keep, "another number than that beyond the limit is expired");

    let removed = rm(&theirs, &expired)?;
    let count = expired.len() as f64;
    println!("rm -r: {:.2} s, {:.0} a second", removed.as_secs_f64(), count / removed.as_secs_f64());
    let cleanup = Cleanup::new([parts.directory.clone()], parts.writer.clone(), parts.reader.clone(), parts.clock.clone(), 365 * DAY);
    cleanup.note_judged(parts.directory.url());
    let (begun, cpu) = (Instant::now(), processor_time()?);
    let report = cleanup.run(CleanupExtent::Due, &stop).await;
    let took = begun.elapsed();
    ensure!(report.deleted == expired.len() as u64 && report.failed == 0, "not all were deleted: {report:?}");
    println!(
        "cleanup: {:.2} s, {:.0} a second, {:.2} s of CPU; {:.0} % of the speed of rm -r",
        took.as_secs_f64(),
        count / took.as_secs_f64(),
        processor_time()?.saturating_sub(cpu).as_secs_f64(),
        100.0 * removed.as_secs_f64() / took.as_secs_f64()
    );

    let mut refresh = parts.refresh(Duty::All, keep);
    refresh.run(true, &stop).await;
    idle(&parts, &mut refresh, keep, options.times).await?;
    drop(refresh);
    parts.writer.close().await;
    for folder in [&ours, &theirs, &data] {
        fs::remove_dir_all(folder)?;
    }
    Ok(())
}

/// Folders of what is expired, below the root.
async fn expired(reader: &IndexReader) -> Result<Vec<String>> {
    let (mut folders, mut cursor) = (Vec::new(), None);
    loop {
        let page = reader.pending_removals(Pending::All, cursor, 1_000).await?;
        folders.extend(page.rows.iter().map(|each| each.expiry.folder.to_string()));
        cursor = page.next;
        if cursor.is_none() {
            return Ok(folders);
        }
    }
}

/// Deletes these folders below a root as an operator would.
fn rm(root: &Path, folders: &[String]) -> Result<Duration> {
    let mut command = Command::new("xargs");
    command.args(["-0", "rm", "-r", "--"]).current_dir(root).stdin(Stdio::piped());
    let begun = Instant::now();
    let mut child = command.spawn()?;
    child.stdin.take().context("the input of xargs")?.write_all(folders.join("\0").as_bytes())?;
    ensure!(child.wait()?.success(), "rm failed");
    Ok(begun.elapsed())
}

/// Compares refreshes with nothing to do with the listing that each of them makes.
async fn idle(parts: &Parts, refresh: &mut Refresh, keep: u64, times: usize) -> Result<()> {
    let stop = CancellationToken::new();
    let look = || Extent::Look(Arc::new(|_: &_, _: &_| false));
    for (name, audit) in [("look", false), ("audit", true)] {
        let (mut whole, mut listing) = (Vec::new(), Vec::new());
        for _ in 0..times {
            let before = processor_time()?;
            refresh.run(audit, &stop).await;
            let between = processor_time()?;
            list(&parts.directory, if audit { Extent::Audit } else { look() }).await?;
            whole.push(between.saturating_sub(before));
            listing.push(processor_time()?.saturating_sub(between));
        }
        let (whole, listing) = (median(whole), median(listing));
        let beyond = whole.saturating_sub(listing).as_secs_f64() * 1e3;
        println!(
            "{name} with nothing to do: {:.1} ms of CPU, its listing {:.1} ms, beyond it {:.2} ms per 1,000 applications",
            whole.as_secs_f64() * 1e3,
            listing.as_secs_f64() * 1e3,
            beyond * 1_000.0 / keep as f64
        );
    }
    Ok(())
}

async fn list(directory: &Directory, extent: Extent) -> Result<()> {
    let (sender, mut found) = tokio::sync::mpsc::channel(64);
    let (listed, ()) = tokio::join!(directory.list(&extent, sender), async { while found.recv().await.is_some() {} });
    listed?;
    Ok(())
}

fn median(mut times: Vec<Duration>) -> Duration {
    times.sort_unstable();
    times[times.len() / 2]
}

fn run(command: &mut Command) -> Result<()> {
    ensure!(command.status().with_context(|| format!("{command:?}"))?.success(), "{command:?} failed");
    Ok(())
}

/// Processor time of all threads of this process that are alive, from Linux's scheduler.
fn processor_time() -> Result<Duration> {
    let mut nanoseconds = 0;
    for thread in fs::read_dir("/proc/self/task")? {
        let statistics = fs::read_to_string(thread?.path().join("schedstat"))?;
        nanoseconds += statistics.split_whitespace().next().unwrap_or("0").parse::<u64>()?;
    }
    Ok(Duration::from_nanos(nanoseconds))
}
