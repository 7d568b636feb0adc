//! Searches over rows with texts, which are given to the index as an ingest does.

use std::path::Path;
use std::time::Instant;

use anyhow::{Context as _, Result};
use futures::StreamExt as _;
use historyserver::archive::facts::{ConfigurationEntry, ExceptionFacts, ExceptionKind, Facts, JobApplication, VertexFacts};
use historyserver::archive::{ApplicationRecord, JobRecord, NamedJob};
use historyserver::clock::Timestamp;
use historyserver::directory::{FileKind, FileVersion};
use historyserver::ids::{ApplicationId, JobId};
use historyserver::index::query::{Filter, Scope, SearchQuery};
use historyserver::index::{
    self, FileChange, FileOutcome, IndexOptions, IndexWriter, Pack, ParsedRecord, ScopedReader, UnitChange, UnitKey, Urgency,
};
use historyserver::names::{ClusterName, DirectoryUrl, FilePath};
use rusqlite::Connection;

use super::{BEGIN, DAY, DIRECTORIES, Options, Random, millis, quantiles, word};

/// Bytes of a job archive of the fixtures, with its part of a summary, on average: shares are relative to it.
const ARCHIVE_BYTES: i64 = 24_000;

/// Changes in flight at the same time.
const AT_ONCE: usize = 2_000;

/// Writes rows if there are none, and measures.
pub(super) async fn measure(options: &Options, settings: &IndexOptions) -> Result<()> {
    let file = options.data.join("historyserver.sqlite");
    let is_new = !file.exists();
    let (writer, reader, _) = index::open(settings)?;
    if is_new {
        let begun = Instant::now();
        write(&writer, options.applications).await?;
        println!("rows written in {:.1} s", begun.elapsed().as_secs_f64());
    }
    let reader = reader.scoped(Scope::everything());
    let rare = rare_id(options.applications / 3).to_string();
    for (what, text) in [
        ("a word in half of all rows", "halfway"),
        ("a word in ten", "quintessential"),
        ("a word in none", "nowhereatall"),
        ("two words, both in half of all rows", "halfway checkpointing"),
        ("two words, one in ten", "halfway quintessential"),
        ("two words, one in a few thousand rows", "halfway braba"),
        ("a part of a class name", "BackoffTime"),
        ("three letters that begin many words", "con"),
        ("a part of a name", "bracle"),
        ("a phrase", "\"number of network buffers\""),
        ("the beginning of an id", &rare[..8]),
        ("four digits of an id", &rare[..4]),
    ] {
        searched(&reader, what, text, options.times).await?;
    }
    writer.close().await;
    sizes(&file)
}

async fn searched(reader: &ScopedReader, what: &str, text: &str, times: usize) -> Result<()> {
    let query = |cursor| SearchQuery { text: text.to_owned(), fields: Vec::new(), filter: Filter::default(), limit: 20, cursor };
    let mut spent = Vec::with_capacity(times);
    let mut found = 0;
    let mut cursor = None;
    for _ in 0..times {
        let begun = Instant::now();
        let page = reader.search(query(None)).await?;
        spent.push(begun.elapsed());
        found = page.items.len();
        cursor = page.next;
    }
    print!("{what:<45} {found:>3} on the first page {}", quantiles(spent));
    let (mut spent, mut pages, mut rows) = (Vec::new(), 1, found);
    while let Some(next) = cursor.filter(|_| pages < 50) {
        let begun = Instant::now();
        let page = reader.search(query(Some(next))).await?;
        spent.push(begun.elapsed());
        rows += page.items.len();
        cursor = page.next;
        pages += 1;
    }
    let slowest = spent.iter().max().copied().map_or(0.0, millis);
    println!("; {rows} in {pages} pages, later ones {}, slowest {slowest:.1} ms", quantiles(spent));
    Ok(())
}

/// The bytes of each table that only search needs.
fn sizes(file: &Path) -> Result<()> {
    #[expect(clippy::disallowed_methods, reason = "pages of tables are counted, which no query of the index does")]
    let connection = Connection::open(file)?;
    let mut query = connection.prepare(
        "SELECT coalesce(m.tbl_name, s.name), sum(s.pgsize) FROM dbstat s LEFT JOIN sqlite_schema m ON m.name = s.name
         WHERE s.name LIKE '%texts%' GROUP BY 1 ORDER BY 2 DESC",
    )?;
    let mut rows = query.query([])?;
    let jobs: i64 = connection.query_row("SELECT count(*) FROM jobs", [], |row| row.get(0))?;
    let mut all = 0_i64;
    while let Some(row) = rows.next()? {
        let (table, bytes): (String, i64) = (row.get(0)?, row.get(1)?);
        println!("{table:<30} {:>6} KB", bytes >> 10);
        all += bytes;
    }
    let share = 100.0 * all as f64 / (jobs * ARCHIVE_BYTES) as f64;
    println!("search: {} MB for {jobs} jobs, {share:.2} % of archives of {ARCHIVE_BYTES} bytes each", all >> 20);
    Ok(())
}

fn rare_id(number: u64) -> ApplicationId {
    let mut random = Random(number.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1);
    random.below(7);
    ApplicationId::from_bytes(random.id())
}

async fn write(writer: &IndexWriter, applications: u64) -> Result<()> {
    let traces = traces();
    let changes = futures::stream::iter((0..applications).map(|number| {
        let change = change(number, applications, &traces);
        async move { writer.apply(change?, Urgency::Batched).await.context("writing rows") }
    }));
    let mut applied = changes.buffer_unordered(AT_ONCE);
    while let Some(result) = applied.next().await {
        result?;
    }
    Ok(())
}

/// Stack traces as long as those of the fixtures: two thousand places where jobs fail.
fn traces() -> Vec<String> {
    let mut random = Random(77);
    (0..2_000)
        .map(|_| {
            let frames = (0..30 + random.below(60)).map(|_| {
                let (package, class, method) = (random.skewed(400), random.skewed(3_000), random.skewed(5_000));
                let class = capital(&word(class));
                format!(
                    "\n\tat org.apache.flink.{}.{class}Handler.{}({class}Handler.java:{})",
                    word(package),
                    word(method),
                    random.below(900)
                )
            });
            frames.collect()
        })
        .collect()
}

fn capital(word: &str) -> String {
    let mut characters = word.chars();
    characters.next().map(|first| first.to_uppercase().chain(characters).collect()).unwrap_or_default()
}

fn change(number: u64, applications: u64, traces: &[String]) -> Result<UnitChange> {
    let mut random = Random(number.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1);
    random.below(7);
    let id = ApplicationId::from_bytes(random.id());
    let span = u64::try_from(1_000 * DAY)? / applications.max(1);
    let start = BEGIN + i64::try_from(number * span)?;
    let duration = i64::try_from(1_000 + random.skewed(20_000_000))?;
    let failed = random.below(100) < 8;
    let status = if failed { "FAILED" } else { "FINISHED" };
    let cluster = random.skewed(2_000);
    let topic = random.below(60_000);
    let name = format!("{}-{}", word(topic), word(random.skewed(300)));
    let directory = DirectoryUrl::new(DIRECTORIES[usize::try_from(random.skewed(3))?]);
    let key = UnitKey::application(&directory, &ClusterName::new(format!("cluster-{cluster}")), id);
    let jobs: Vec<JobId> = (0..if number.is_multiple_of(4) { 2 } else { 1 }).map(|_| JobId::from_bytes(random.id())).collect();
    let exceptions = if failed { exceptions(number, applications, &mut random, traces) } else { Vec::new() };
    let cluster_configuration = cluster_configuration(cluster);
    let overview = format!("{{\"name\":\"{name}\",\"padding\":\"{}\"}}", "x".repeat(250));
    let mut files = Vec::new();
    let mut file = |path: String, kind, record, facts| {
        let version = FileVersion { size: 24_000, modified: Timestamp::from_millis(start + duration), etag: None };
        let outcome = FileOutcome::Parsed {
            record: Some(record),
            facts: Box::new(facts),
            pack: Pack::Whole(Vec::new()),
            documents: 0,
            document_bytes: 0,
        };
        files.push(FileChange { path: FilePath::new(path), kind, version, racy: false, outcome });
    };
    for job in &jobs {
        let record = JobRecord {
            name: name.clone(),
            status: status.to_owned(),
            start: Some(Timestamp::from_millis(start)),
            end: Some(Timestamp::from_millis(start + duration)),
            duration: Some(duration),
            job_type: Some("STREAMING".to_owned()),
            application: JobApplication::default(),
            tasks: vec![("total".to_owned(), 4)],
            overview: overview.clone(),
        };
        let mut configuration = vec![
            entry("restart-strategy", "Cluster level default restart strategy".to_owned()),
            entry("job-parallelism", (1 + topic % 16).to_string()),
            entry("input", format!("s3://{}/{}", word(topic % 50), word(topic))),
        ];
        let own_configuration = configuration.len();
        configuration.extend(cluster_configuration.iter().cloned());
        let facts =
            Facts { vertices: vertices(topic), exceptions: exceptions.clone(), configuration, own_configuration, ..Facts::default() };
        file(format!("c/applications/{id}/jobs/{job}"), FileKind::Job(*job), Box::new(ParsedRecord::Job(record)), facts);
    }
    let record = ApplicationRecord {
        name,
        status: status.to_owned(),
        start: Some(Timestamp::from_millis(start)),
        end: Some(Timestamp::from_millis(start + duration)),
        duration: Some(duration),
        job_counts: vec![(status.to_owned(), jobs.len() as u64)],
        jobs: jobs.into_iter().map(|id| NamedJob { id, start: None }).collect(),
        overview,
    };
    let facts = Facts { exceptions, configuration: cluster_configuration, ..Facts::default() };
    file(format!("c/applications/{id}/application-summary"), FileKind::Summary, Box::new(ParsedRecord::Application(record)), facts);
    Ok(UnitChange { key, files, problems: Vec::new(), at: Timestamp::from_millis(BEGIN) })
}

/// Every second topic goes half way.
fn vertices(topic: u64) -> Vec<VertexFacts> {
    let mut random = Random(topic | 1 << 40);
    let way = if topic.is_multiple_of(2) { "halfway" } else { "longway" };
    let mut names = vec![format!("Source: {} -> {way}", word(topic))];
    names.extend((0..=random.below(4)).map(|_| format!("keyed {} -> {}", word(random.below(60_000)), word(random.skewed(500)))));
    names.push("sink: Writer".to_owned());
    names.into_iter().map(|name| VertexFacts { name, ..VertexFacts::default() }).collect()
}

fn exceptions(number: u64, applications: u64, random: &mut Random, traces: &[String]) -> Vec<ExceptionFacts> {
    let rare = if number % (applications / 120).max(1) == 3 { " quintessential" } else { "" };
    let words: Vec<String> = (0..8).map(|_| word(random.below(60_000))).collect();
    let message = match random.below(10) {
        0 => "Insufficient number of network buffers: required 17, but only 3 available".to_owned(),
        _ => format!("{}{rare} ({number})", words.join(" ")),
    };
    let class = format!("java.util.{}Exception", capital(&word(random.skewed(40))));
    let trace = &traces[usize::try_from(random.skewed(traces.len() as u64)).unwrap_or(0)];
    let outer =
        "org.apache.flink.runtime.JobException: Recovery is suppressed by FixedDelayRestartBackoffTimeStrategy(maxNumberRestartAttempts=3)";
    vec![ExceptionFacts {
        kind: ExceptionKind::Root,
        class: "org.apache.flink.runtime.JobException".to_owned(),
        stack_trace: format!("{outer}{trace}\nCaused by: {class}: {message}{trace}"),
        message: None,
        cause_class: None,
        cause_message: None,
        at: None,
        task: None,
        labels: Vec::new(),
        job: None,
    }]
}

/// As many entries as real configurations have.
fn cluster_configuration(cluster: u64) -> Vec<ConfigurationEntry> {
    let mut random = Random(cluster | 1 << 41);
    let mut entries = vec![
        entry("cluster.id", format!("cluster-{cluster}")),
        entry("execution.checkpointing.interval", format!("{}s", 1 + random.below(60))),
        entry("web.tmpdir", format!("/var/flink/flink-web-{:032x}", u128::from_be_bytes(random.id()))),
    ];
    entries.extend((0..35).map(|each| entry(&format!("taskmanager.{}.{}", word(each * 7), word(each * 13)), word(random.skewed(2_000)))));
    entries
}

fn entry(key: &str, value: String) -> ConfigurationEntry {
    ConfigurationEntry { key: key.to_owned(), value }
}
