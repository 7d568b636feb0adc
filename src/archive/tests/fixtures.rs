//! Real archives, compared with the result of another parser.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;

use super::*;

fn files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() { found.extend(files(&path)) } else { found.push(path) }
    }
    found.sort();
    found
}

fn owner(file: &Path) -> Owner {
    let name = |path: &Path| path.file_name().unwrap().to_str().unwrap().to_owned();
    if name(file) == "application-summary" {
        Owner::Application(name(file.parent().unwrap()).parse().unwrap())
    } else {
        Owner::Job(name(file).parse().unwrap())
    }
}

#[test]
fn every_document_of_every_real_archive_is_read_byte_for_byte() {
    for (folder, archives, documents) in [("archives", 36, 3196), ("versions", 115, 3033)] {
        let files = files(&Path::new("tests/fixtures").join(folder));
        assert_eq!(files.len(), archives, "{folder}");
        assert_eq!(files.iter().map(|file| read_byte_for_byte(file)).sum::<usize>(), documents, "{folder}");
    }
}

/// Reads an archive in both ways and with another parser. Returns the number of its documents.
fn read_byte_for_byte(file: &Path) -> usize {
    let bytes = fs::read(file).unwrap();
    let (read, kept) = read_both(&bytes, owner(file), &ArchiveLimits::default()).unwrap();
    let other: Value = serde_json::from_slice(&bytes).unwrap();
    let entries = other["archive"].as_array().unwrap();
    assert_eq!(kept.len(), entries.len(), "{}", file.display());
    assert_eq!(read.documents, entries.len() as u64);
    assert_eq!(read.document_bytes, kept.iter().map(|(_, json)| json.len() as u64).sum::<u64>());
    assert_eq!(read.flaws, [], "{}", file.display());
    for ((path, json), entry) in kept.iter().zip(entries) {
        assert_eq!(path, entry["path"].as_str().unwrap());
        assert_eq!(json, entry["json"].as_str().unwrap());
    }
    record_tells_what_the_overview_tells(&read, entries);
    kept.len()
}

fn record_tells_what_the_overview_tells(read: &ParsedArchive, entries: &[Value]) {
    let document = |path: &str| -> Value {
        let entry = entries.iter().find(|entry| entry["path"] == path).unwrap();
        serde_json::from_str(entry["json"].as_str().unwrap()).unwrap()
    };
    match read.record.as_ref().unwrap() {
        Record::Application(record) => {
            let overview = &document("/applications/overview")["applications"][0];
            assert_eq!(&serde_json::from_str::<Value>(&record.overview).unwrap(), overview);
            assert_eq!(record.name, overview["name"].as_str().unwrap());
            assert_eq!(record.status, overview["status"].as_str().unwrap());
            assert_eq!(record.start.map(Timestamp::as_millis), overview["start-time"].as_i64());
            assert_eq!(record.end.map(Timestamp::as_millis), overview["end-time"].as_i64());
            assert_eq!(record.duration, overview["duration"].as_i64());
            let jobs: u64 = record.job_counts.iter().map(|(_, count)| count).sum();
            assert_eq!(jobs, record.jobs.len() as u64);
            let details = document(&format!("/applications/{}", overview["id"].as_str().unwrap()));
            let named: Vec<String> =
                details["jobs"].as_array().unwrap().iter().map(|job| job["jid"].as_str().unwrap().to_owned()).collect();
            assert_eq!(record.jobs.iter().map(|job| job.id.to_string()).collect::<Vec<_>>(), named);
        }
        Record::Job(record) => {
            let overview = &document("/jobs/overview")["jobs"][0];
            assert_eq!(record.name, overview["name"].as_str().unwrap());
            assert_eq!(record.status, overview["state"].as_str().unwrap());
            let details = document(&format!("/jobs/{}", overview["jid"].as_str().unwrap()));
            assert_eq!(record.start.map(Timestamp::as_millis), overview["start-time"].as_i64());
            // A job that never got its resources has no end there, but a duration in its details.
            let duration = details["duration"].as_i64();
            assert_eq!(record.duration, overview["duration"].as_i64().filter(|duration| *duration >= 0).or(duration));
            let end = overview["end-time"].as_i64().filter(|end| *end > 0);
            assert_eq!(record.end.map(Timestamp::as_millis), end.or_else(|| Some(overview["start-time"].as_i64()? + duration?)));
            let archived = details["job-type"].as_str().or(details["plan"]["type"].as_str().filter(|archived| !archived.is_empty()));
            assert_eq!(record.job_type.as_deref(), archived);
            assert_eq!(record.tasks.len(), overview["tasks"].as_object().unwrap().len());
            assert_eq!(&serde_json::from_str::<Value>(&record.overview).unwrap(), overview);
        }
    }
}

#[test]
fn every_real_archive_cut_anywhere_is_unreadable() {
    let file = files(Path::new("tests/fixtures/archives")).into_iter().min_by_key(|file| fs::metadata(file).unwrap().len()).unwrap();
    let bytes = fs::read(&file).unwrap();
    let whole = bytes.len() - usize::from(bytes.ends_with(b"\n"));
    for length in 0..whole {
        let error = unreadable(&bytes[..length], owner(&file), &ArchiveLimits::default());
        assert_eq!(error.code, ProblemCode::ArchiveUnreadable, "cut at {length}");
        assert!(error.reason.contains("Flink may still be writing it"), "{error}");
    }
}
