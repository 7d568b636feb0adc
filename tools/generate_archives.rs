//! Makes archives as Flink writes them, for tests and measurements: thousands of small applications, or one job archive of any size.
//!
//! ```text
//! cargo run --release --example generate_archives -- --applications 4000 --out /tmp/archives
//! cargo run --release --example generate_archives -- --job-archive-bytes 2gb --document-bytes 8mb --out /tmp/archives
//! ```
//!
//! Real archives are copied with ids, names and times of their own, so that Flink's own history server reads them too. The same options produce the same archives.

#![expect(clippy::print_stdout, reason = "a tool for the command line")]

use std::fs;
use std::path::PathBuf;
use std::time::Instant;

use anyhow::{Context as _, Result, bail};
use clap::Parser;

#[path = "../tests/support/generator.rs"]
mod generator;
#[path = "../tests/support/template.rs"]
mod template;

use generator::{Generator, LargeJob, Made, Plan};

/// Makes archives as Flink writes them.
#[derive(Parser)]
struct Options {
    /// Archive directory to write into; created if absent.
    #[arg(long)]
    out: PathBuf,
    /// Number of applications, of about 49 kB each on average.
    #[arg(long, default_value_t = 0)]
    applications: u64,
    /// Number of flat job archives, as Flink wrote them before 2.3.
    #[arg(long, default_value_t = 0)]
    legacy_jobs: u64,
    /// Number of clusters that the applications are spread over.
    #[arg(long, default_value_t = 1)]
    clusters: u64,
    /// Seed of the ids: another seed produces other archives.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Start of the first application, in milliseconds since 1970.
    #[arg(long, default_value_t = Plan::default().start_time)]
    start_time: i64,
    /// Time over which the starts are spread evenly: milliseconds, or with a unit (s, m, h, d).
    #[arg(long, default_value = "30d", value_parser = milliseconds)]
    spread: i64,
    /// Archive directory of Flink 2.3 to take applications from.
    #[arg(long, default_value_os_t = Plan::default().from)]
    from: PathBuf,
    /// Directories of flat job archives to take legacy jobs from.
    #[arg(long, default_values_os_t = Plan::default().legacy_from)]
    legacy_from: Vec<PathBuf>,
    /// Larger applications are not used, except if no smaller one has their state.
    #[arg(long, default_value = "120000", value_parser = bytes)]
    most_bytes: u64,
    /// Also one flat job archive of about this size (kb, mb, gb: powers of 1024).
    #[arg(long, value_parser = bytes)]
    job_archive_bytes: Option<u64>,
    /// Bytes of each of its documents; as large as the archive, it has one document beside its overview.
    #[arg(long, default_value = "2kb", value_parser = bytes)]
    document_bytes: u64,
}

fn bytes(text: &str) -> Result<u64, String> {
    with_unit(text, &[("kb", 1 << 10), ("mb", 1 << 20), ("gb", 1 << 30), ("", 1)])
}

fn milliseconds(text: &str) -> Result<i64, String> {
    let millis = with_unit(text, &[("ms", 1), ("s", 1000), ("m", 60_000), ("h", 3_600_000), ("d", 86_400_000), ("", 1)])?;
    i64::try_from(millis).map_err(|_| format!("{text} is too long"))
}

fn with_unit(text: &str, units: &[(&str, u64)]) -> Result<u64, String> {
    let digits = text.find(|character: char| !character.is_ascii_digit()).unwrap_or(text.len());
    let (number, unit) = text.split_at(digits);
    let &(_, factor) =
        units.iter().find(|(name, _)| name.eq_ignore_ascii_case(unit.trim())).ok_or_else(|| format!("{unit} is not a unit"))?;
    let number: u64 = number.parse().map_err(|_| format!("{text} does not begin with a number"))?;
    number.checked_mul(factor).ok_or_else(|| format!("{text} is too much"))
}

fn main() -> Result<()> {
    let options = Options::parse();
    if options.applications == 0 && options.legacy_jobs == 0 && options.job_archive_bytes.is_none() {
        bail!("nothing to make: say --applications, --legacy-jobs or --job-archive-bytes");
    }
    let begun = Instant::now();
    let plan = Plan {
        from: options.from,
        legacy_from: options.legacy_from,
        applications: options.applications,
        legacy_jobs: options.legacy_jobs,
        clusters: options.clusters,
        seed: options.seed,
        start_time: options.start_time,
        spread: options.spread,
        most_bytes: options.most_bytes,
    };
    let mut made = Generator::new(plan).and_then(|generator| generator.write_all(&options.out)).context("cannot make the archives")?;
    if let Some(size) = options.job_archive_bytes {
        fs::create_dir_all(&options.out).with_context(|| format!("cannot create {}", options.out.display()))?;
        let (id, job) =
            (LargeJob::id(options.seed), LargeJob { bytes: size, document_bytes: options.document_bytes, start: options.start_time });
        let written = job.write_file(&id, &options.out.join(&id)).context("cannot write the large job archive")?;
        println!("job {id}: {written} bytes");
        made = Made { files: made.files + 1, bytes: made.bytes + written };
    }
    println!("{} files of {} bytes in {}, {:.1} s", made.files, made.bytes, options.out.display(), begun.elapsed().as_secs_f64());
    Ok(())
}
