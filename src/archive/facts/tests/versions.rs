//! Facts of every archive of `tests/fixtures/versions`, compared with how each was created (`tests/fixtures/VERSIONS.md`).

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use crate::archive::{ArchiveLimits, DocumentSink, JobRecord, Owner, ParsedArchive, Record, SinkError, read_slice};

struct Nothing;

impl DocumentSink for Nothing {
    fn document(&mut self, _: &str, _: &str) -> Result<(), SinkError> {
        Ok(())
    }
}

fn job_archives(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            job_archives(&path, found);
        } else if path.file_name().unwrap() != "application-summary" {
            found.push(path);
        }
    }
}

fn read(path: &Path) -> (ParsedArchive, JobRecord) {
    let owner = Owner::Job(path.file_name().unwrap().to_str().unwrap().parse().unwrap());
    let read = read_slice(&std::fs::read(path).unwrap(), owner, &ArchiveLimits::default(), &mut Nothing).unwrap();
    let Some(Record::Job(record)) = read.record.clone() else { panic!("no job: {}", path.display()) };
    (read, record)
}

/// One line per archive: version, first digits of the id, name, state, duration, type, restarts, rescales, then further facts.
fn line(path: &Path) -> String {
    let (ParsedArchive { facts, .. }, record) = read(path);
    let version = path.strip_prefix("tests/fixtures/versions").unwrap().components().next().unwrap().as_os_str().to_str().unwrap();
    let id = path.file_name().unwrap().to_str().unwrap();
    let short = |class: &str| class.rsplit('.').next().unwrap().to_owned();
    let number = |number: Option<u64>| number.map_or_else(|| "?".to_owned(), |number| number.to_string());
    let mut line = format!(
        "{} {} {} {} {}+{} {} restarts {} rescales {}",
        version.trim_start_matches("flink-"),
        &id[..8],
        record.name.chars().filter(char::is_ascii_graphic).take(24).collect::<String>(),
        record.status,
        record.start.unwrap().as_millis() % 1_000_000,
        record.duration.unwrap(),
        record.job_type.as_deref().unwrap_or("-"),
        number(facts.restarts.count),
        number(facts.restarts.rescales),
    );
    assert_eq!(record.end.unwrap().as_millis() - record.start.unwrap().as_millis(), record.duration.unwrap(), "{line}");
    if facts.has_plan != Some(true) {
        line += " no-plan";
    }
    if let Some(root) = facts.exceptions.first() {
        let cause = root.cause_class.as_deref().map(|cause| format!("<-{}", short(cause))).unwrap_or_default();
        // Writing to a string cannot fail.
        let _ = write!(line, " {}{cause} of {} labels {}", short(&root.class), facts.exceptions.len(), root.labels.len());
    }
    line
}

#[test]
fn facts_of_twelve_versions() {
    let mut found = Vec::new();
    job_archives(Path::new("tests/fixtures/versions"), &mut found);
    found.sort();
    let lines: Vec<String> = found.iter().map(|path| line(path)).collect();
    let expected: Vec<&str> = include_str!("versions.txt").lines().collect();
    for (line, expected) in lines.iter().zip(&expected) {
        assert_eq!(line, expected);
    }
    assert_eq!(lines.len(), expected.len());
}
