//! The cost of listing an archive directory: time, processor time and requests of quick and full scans.
//!
//! ```text
//! cargo run --release --example listing_cost -- DIRECTORY [ROUNDS]
//! ```
//!
//! Object stores are opened with the credentials of the environment (`AWS_ACCESS_KEY_ID` and so on). Only names, sizes and times are
//! read, and nothing is written.
#![allow(clippy::print_stdout, reason = "a program for the command line")]

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use historyserver::directory::{Directory, Extent, Found, Listed};

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let mut arguments = std::env::args().skip(1);
    let entry = arguments.next().ok_or_else(|| anyhow::anyhow!("usage: listing_cost DIRECTORY [ROUNDS]"))?;
    let rounds: usize = arguments.next().map_or(Ok(3), |rounds| rounds.parse())?;
    let directory = Directory::open(&entry, &BTreeMap::new())?;
    println!("{}", directory.url());
    println!(
        "{:<22} {:>9} {:>9} {:>9} {:>9} {:>12} {:>9} {:>9}",
        "", "first", "all", "CPU", "requests", "applications", "files", "obstacles"
    );
    for _ in 0..rounds {
        for (name, extent) in [
            ("quick scan, all settled", Extent::Quick(Arc::new(|_, _| false))),
            ("quick scan, one in 100 open", Extent::Quick(Arc::new(|_, id| id.as_bytes()[15] < 3))),
            ("full scan", Extent::Full),
        ] {
            measure(name, &directory, &extent).await?;
        }
    }
    Ok(())
}

async fn measure(name: &str, directory: &Directory, extent: &Extent) -> anyhow::Result<()> {
    let (sender, mut receiver) = tokio::sync::mpsc::channel(16);
    let (start, cpu) = (Instant::now(), processor_time()?);
    let count = async {
        let (mut first, mut applications, mut files, mut obstacles) = (None, 0, 0, 0);
        while let Some(found) = receiver.recv().await {
            first.get_or_insert_with(|| start.elapsed());
            match found {
                Found::Applications(found) => {
                    applications += found.len();
                    files += found.iter().flat_map(|application| &application.files).map(Vec::len).sum::<usize>();
                }
                Found::LegacyJobs(found) => files += found.len(),
                Found::Obstacle(_) => obstacles += 1,
            }
        }
        (first, applications, files, obstacles)
    };
    let known = Arc::default();
    let (listed, (first, applications, files, obstacles)) = tokio::join!(directory.list(extent, &known, sender), count);
    let Listed { requests, .. } = listed?;
    println!(
        "{name:<22} {:>7.3} s {:>7.3} s {:>7.3} s {requests:>9} {applications:>12} {files:>9} {obstacles:>9}",
        first.unwrap_or_default().as_secs_f64(),
        start.elapsed().as_secs_f64(),
        processor_time()?.saturating_sub(cpu).as_secs_f64(),
    );
    Ok(())
}

/// Processor time of all threads of this process that are alive, from Linux's scheduler.
fn processor_time() -> anyhow::Result<Duration> {
    let mut nanoseconds = 0;
    for thread in std::fs::read_dir("/proc/self/task")? {
        let statistics = std::fs::read_to_string(thread?.path().join("schedstat"))?;
        nanoseconds += statistics.split_whitespace().next().unwrap_or("0").parse::<u64>()?;
    }
    Ok(Duration::from_nanos(nanoseconds))
}
