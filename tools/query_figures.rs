//! Measures the query API over an index of many rows, which it writes itself: no archives are read.
//!
//! ```text
//! cargo run --release --example query_figures -- --data /tmp/query-figures
//! ```
//!
//! Rows have the shape of real ones: ids, names of two words out of 60,000, states, clusters and durations spread unevenly over a
//! thousand days. Each list is read page by page to its end; then its first, middle and last page are requested repeatedly.
//! With `--searches` the rows are given to the index as an ingest does it, with vertices, exceptions and configurations of realistic
//! sizes, and searched.

#![expect(clippy::print_stdout, reason = "a tool for the command line")]

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result};
use clap::Parser;
use historyserver::clock::Timestamp;
use historyserver::index::query::calendar::{Bucket, edges};
use historyserver::index::query::{
    Bounds, FacetKey, FacetQuery, Filter, ListKind, ListQuery, NameMatch, Scope, Sort, SortKey, StatisticsQuery,
};
use historyserver::index::{self, IndexOptions, ScopedReader};
use historyserver::names::DirectoryUrl;
use rusqlite::{Connection, params};

#[path = "query_figures/searches.rs"]
mod searches;

/// Measures lists, facets and statistics.
#[derive(Parser)]
struct Options {
    /// Folder for the index; an existing index is used again.
    #[arg(long)]
    data: PathBuf,
    /// Applications; a quarter of them have two jobs.
    #[arg(long, default_value_t = 400_000)]
    applications: u64,
    /// Write rows with texts, and search them.
    #[arg(long)]
    searches: bool,
    /// Number of requests for each page.
    #[arg(long, default_value_t = 60)]
    times: usize,
}

const DAY: i64 = 86_400_000;
const BEGIN: i64 = 1_700_000_000_000;
const DIRECTORIES: [&str; 3] = ["file:///archives/blue/", "file:///archives/green/", "file:///archives/red/"];

/// A small generator of numbers: the same each time.
struct Random(u64);

impl Random {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) % bound
    }

    fn id(&mut self) -> [u8; 16] {
        ((u128::from(self.below(u64::MAX)) << 64) | u128::from(self.below(u64::MAX))).to_be_bytes()
    }

    /// Small numbers are frequent.
    fn skewed(&mut self, bound: u64) -> u64 {
        self.below(bound).min(self.below(bound)).min(self.below(bound))
    }
}

/// One of 60,000 words.
fn word(number: u64) -> String {
    const SYLLABLES: [&str; 40] = [
        "ba", "co", "de", "fi", "gu", "ha", "je", "ki", "lo", "mu", "na", "pe", "qui", "ro", "su", "ta", "ve", "wi", "xo", "zu", "bra",
        "cle", "dri", "flo", "gru", "pla", "ste", "tri", "sno", "blu", "cha", "she", "thi", "pho", "an", "er", "is", "or", "um", "en",
    ];
    let mut rest = number + 1_600;
    let mut word = String::new();
    while rest > 0 {
        word.push_str(SYLLABLES[usize::try_from(rest % 40).unwrap_or(0)]);
        rest /= 40;
    }
    word
}

#[tokio::main]
async fn main() -> Result<()> {
    let options = Options::parse();
    let urls: Vec<DirectoryUrl> = DIRECTORIES.map(DirectoryUrl::new).into();
    let settings = IndexOptions::new(&options.data, 10 << 30, urls);
    let file = options.data.join("historyserver.sqlite");
    if options.searches {
        return searches::measure(&options, &settings).await;
    }
    if !file.exists() {
        let (writer, _, _) = index::open(&settings)?;
        writer.close().await;
        let begun = Instant::now();
        write(&file, options.applications)?;
        println!("rows written in {:.1} s", begun.elapsed().as_secs_f64());
    }
    let before = file.metadata()?.len();
    let begun = Instant::now();
    let (writer, reader, _) = index::open(&settings)?;
    println!("opened in {:.1} s, {} MB before and {} MB after", begun.elapsed().as_secs_f64(), before >> 20, file.metadata()?.len() >> 20);
    let reader = reader.scoped(Scope::everything());
    for (what, query) in lists() {
        pages(&reader, what, query, options.times).await?;
    }
    counts(&reader, options.times).await?;
    writer.close().await;
    Ok(())
}

/// Writes rows as an earlier schema left them: the other rows for lists are made when the index is opened.
fn write(file: &Path, applications: u64) -> Result<()> {
    #[expect(clippy::disallowed_methods, reason = "rows are written without archives to read them from")]
    let mut connection = Connection::open(file)?;
    let transaction = connection.transaction()?;
    let directories: Vec<i64> =
        transaction.prepare("SELECT id FROM directories ORDER BY url")?.query_map([], |row| row.get(0))?.collect::<Result<_, _>>()?;
    {
        let mut unit = transaction.prepare("INSERT INTO units (directory, cluster, name, complete, time) VALUES (?1, ?2, ?3, 1, ?4)")?;
        let mut application = transaction.prepare(
            "INSERT INTO applications (unit, application, shown, name, status, start_time, end_time, duration, jobs, failed_jobs, job_counts,
             overview) VALUES (?1, ?2, 1, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)",
        )?;
        let mut job = transaction.prepare(
            "INSERT INTO jobs (unit, job, named, archived, shown, name, status, start_time, end_time, duration, job_type, tasks, failed_tasks,
             task_counts, overview) VALUES (?1, ?2, 1, 1, 1, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12)",
        )?;
        let mut label = transaction.prepare("INSERT OR IGNORE INTO labels (kind, text) VALUES (4, ?1)")?;
        let mut failure = transaction
            .prepare("INSERT INTO job_facts (job, checkpointing, exception) SELECT ?1, 0, id FROM labels WHERE kind = 4 AND text = ?2")?;
        let mut problem = transaction
            .prepare("INSERT INTO problems (directory, unit, archive, code, cluster, application, file, reason, since) VALUES (?1, ?2, ?3, 'archive-unreadable', ?4, ?5, 'x', 'cannot be read', 0)")?;
        let mut random = Random(0x9e37_79b9_7f4a_7c15);
        let span = u64::try_from(1_000 * DAY).unwrap_or(1) / applications.max(1);
        let rare = [applications / 7, applications / 2, applications - 3];
        for number in 0..applications {
            let start = BEGIN + i64::try_from(number * span + random.below(span.max(1)))?;
            let duration = i64::try_from(1_000 + random.skewed(20_000_000) + random.below(1_000))?;
            let status = match random.below(100) {
                0..5 => "FAILED",
                5..20 => "CANCELED",
                _ => "FINISHED",
            };
            let cluster = format!("cluster-{}", random.skewed(200));
            let directory = directories[usize::try_from(random.skewed(3))?];
            let id = random.id();
            let words = (random.below(60_000), random.skewed(300));
            let name =
                if rare.contains(&number) { format!("{}-Zyxqv", word(words.0)) } else { format!("{}-{}", word(words.0), word(words.1)) };
            unit.execute(params![directory, cluster, id, start])?;
            let row = transaction.last_insert_rowid();
            let jobs = if number % 4 == 0 { 2 } else { 1 };
            let failed = i64::from(status == "FAILED");
            let overview = format!("{{\"name\":\"{name}\",\"padding\":\"{}\"}}", "x".repeat(250));
            let counts = format!("{{\"{status}\":{jobs}}}");
            application.execute(params![row, id, name, status, start, start + duration, duration, jobs, failed, counts, overview])?;
            for each in 0..jobs {
                let tasks = i64::try_from(1 + random.skewed(400))?;
                let failed_tasks = if status == "FAILED" || random.below(50) == 0 { i64::try_from(1 + random.below(9))? } else { 0 };
                let counts = format!("{{\"finished\":{},\"failed\":{failed_tasks},\"total\":{tasks}}}", (tasks - failed_tasks).max(0));
                let job_type = if random.below(5) == 0 { "BATCH" } else { "STREAMING" };
                let job_id = random.id();
                job.execute(params![
                    row,
                    job_id,
                    name,
                    status,
                    start + each,
                    start + duration,
                    duration - each,
                    job_type,
                    tasks,
                    failed_tasks,
                    counts,
                    overview
                ])?;
                if status == "FAILED" {
                    let job = transaction.last_insert_rowid();
                    let class = format!("com.example.{}Exception", word(random.skewed(300)));
                    label.execute([&class])?;
                    failure.execute(params![job, class])?;
                }
                if random.below(400) == 0 {
                    problem.execute(params![directory, row, job_id, cluster, id])?;
                }
            }
        }
    }
    transaction.execute("UPDATE meta SET value = 0 WHERE name = 'lists_filled'", [])?;
    transaction.commit().context("writing rows")
}

/// The lists that are measured.
fn lists() -> Vec<(&'static str, ListQuery)> {
    let query = |filter: Filter, key: SortKey, descending: bool| ListQuery {
        kind: ListKind::Jobs,
        filter,
        sort: Sort { key, descending },
        limit: 100,
        cursor: None,
    };
    let contains = |text: &str| Filter { name: Some((text.to_owned(), NameMatch::Contains)), ..Filter::default() };
    let words = |texts: &[&str]| texts.iter().map(|text| (*text).to_owned()).collect::<Vec<_>>();
    let range = |least: i64, most: i64| Bounds { min: Some(least), max: Some(most) };
    let of = Filter::default;
    let cluster = || words(&["cluster-12"]);
    vec![
        ("(1) no filter", query(of(), SortKey::End, true)),
        ("(1) no filter, applications", ListQuery { kind: ListKind::Applications, ..query(of(), SortKey::End, true) }),
        ("(2) FAILED, newest", query(Filter { status: words(&["FAILED"]), ..of() }, SortKey::End, true)),
        ("(3) name contains, 3 hits", query(contains("zyxQV"), SortKey::End, true)),
        ("(4) name contains, no hit", query(contains("zyxqx"), SortKey::End, true)),
        ("(4) name contains, many hits", query(contains("bra"), SortKey::Duration, true)),
        (
            "(5) cluster, failed tasks > 0, by duration",
            query(Filter { cluster: cluster(), failed_tasks: range(1, i64::MAX), ..of() }, SortKey::Duration, true),
        ),
        (
            "(6) two states, name prefix, by end",
            query(
                Filter { status: words(&["CANCELED", "FAILED"]), name: Some(("bra".to_owned(), NameMatch::Prefix)), ..of() },
                SortKey::End,
                false,
            ),
        ),
        ("(7) duration range, by name", query(Filter { duration: range(1_000_000, 3_000_000), ..of() }, SortKey::Name, false)),
        (
            "(8) start within one day, by status",
            query(Filter { start: range(BEGIN + 500 * DAY, BEGIN + 501 * DAY), ..of() }, SortKey::Status, false),
        ),
        (
            "(9) directory and problem",
            query(Filter { directory: words(&[DIRECTORIES[0]]), problems: Some(true), ..of() }, SortKey::End, true),
        ),
        (
            "(10) job type and cluster, by tasks",
            query(Filter { job_type: words(&["BATCH"]), cluster: cluster(), ..of() }, SortKey::Size, true),
        ),
        ("no filter, by name", query(of(), SortKey::Name, false)),
        ("no filter, by cluster", query(of(), SortKey::Cluster, true)),
    ]
}

async fn pages(reader: &ScopedReader, what: &str, query: ListQuery, times: usize) -> Result<()> {
    let (mut cursors, mut rows, mut slowest) = (vec![None], 0, Duration::ZERO);
    let mut cursor = None;
    loop {
        let begun = Instant::now();
        let page = reader.page(ListQuery { limit: 1_000, cursor: cursor.clone(), ..query.clone() }).await?;
        slowest = slowest.max(begun.elapsed());
        rows += page.items.len();
        cursor = page.next;
        if cursor.is_none() {
            break;
        }
        cursors.push(cursor.clone());
    }
    print!("{what:<45} {rows:>7} rows, {:>4} pages of 1,000, slowest {:>6.1} ms;", cursors.len(), millis(slowest));
    for (place, cursor) in [("first", 0), ("middle", cursors.len() / 2), ("last", cursors.len() - 1)] {
        let mut spent = Vec::with_capacity(times);
        for _ in 0..times {
            let query = ListQuery { cursor: cursors[cursor].clone(), ..query.clone() };
            let begun = Instant::now();
            reader.page(query).await?;
            spent.push(begun.elapsed());
        }
        print!(" {place} {}", quantiles(spent));
    }
    println!();
    Ok(())
}

async fn counts(reader: &ScopedReader, times: usize) -> Result<()> {
    let by = vec![FacetKey::Status, FacetKey::Cluster, FacetKey::Directory, FacetKey::Day, FacetKey::JobType];
    for (what, kind, filter) in [
        ("facets of all jobs", ListKind::Jobs, Filter::default()),
        ("facets of all applications", ListKind::Applications, Filter::default()),
        ("facets of FAILED jobs", ListKind::Jobs, Filter { status: vec!["FAILED".to_owned()], ..Filter::default() }),
    ] {
        let mut spent = Vec::new();
        for _ in 0..times / 3 {
            let begun = Instant::now();
            reader.facets(FacetQuery { kind, filter: filter.clone(), by: by.clone(), zone: chrono_tz::Tz::Europe__Berlin }).await?;
            spent.push(begun.elapsed());
        }
        println!("{what:<45} {}", quantiles(spent));
    }
    for (what, days) in [("statistics of a year of jobs, by day", 365), ("statistics of all 1,000 days of jobs", 999)] {
        let (from, to) = (BEGIN + DAY, BEGIN + (1 + days) * DAY);
        let edges = edges(chrono_tz::Tz::Europe__Berlin, Bucket::Day, Timestamp::from_millis(from), Timestamp::from_millis(to), 1_100)
            .context("edges of days")?;
        let mut spent = Vec::new();
        for _ in 0..times / 3 {
            let query = StatisticsQuery { kind: ListKind::Jobs, filter: Filter::default(), edges: edges.clone() };
            let begun = Instant::now();
            reader.statistics(query).await?;
            spent.push(begun.elapsed());
        }
        println!("{what:<45} {}", quantiles(spent));
    }
    Ok(())
}

fn millis(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1_000.0
}

fn quantiles(mut spent: Vec<Duration>) -> String {
    spent.sort_unstable();
    let rank = |percent: usize| spent.get((spent.len() * percent).div_ceil(100).saturating_sub(1)).copied().map_or(0.0, millis);
    format!("p50 {:.1} p99 {:.1} ms", rank(50), rank(99))
}
