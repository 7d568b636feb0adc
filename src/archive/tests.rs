use super::*;

mod fixtures;
mod hostile;
mod overviews;
mod properties;

/// Keeps all documents.
#[derive(Default)]
struct Kept(Vec<(String, String)>);

impl DocumentSink for Kept {
    fn document(&mut self, path: &str, json: &str) -> Result<(), SinkError> {
        self.0.push((path.to_owned(), json.to_owned()));
        Ok(())
    }
}

const JOB: &str = "0d6f4f6e8da5b7e7a3551550ff16c873";

fn job() -> Owner {
    Owner::Job(JOB.parse().unwrap())
}

fn application() -> Owner {
    Owner::Application(JOB.parse().unwrap())
}

/// Reads in both ways, which must not differ.
fn read_both(bytes: &[u8], owner: Owner, limits: &ArchiveLimits) -> Result<(ParsedArchive, Vec<(String, String)>), ReadError> {
    let mut from_slice = Kept::default();
    let slice = read_slice(bytes, owner, limits, &mut from_slice);
    for buffer_bytes in [5, 4096] {
        let mut from_stream = Kept::default();
        let stream = read_buffered(bytes, buffer_bytes, owner, limits, &mut from_stream);
        assert_eq!(format!("{slice:?}"), format!("{stream:?}"), "slice and stream differ");
        assert_eq!(from_slice.0, from_stream.0, "slice and stream differ");
    }
    slice.map(|read| (read, from_slice.0))
}

fn read(text: &str, owner: Owner) -> (ParsedArchive, Vec<(String, String)>) {
    read_both(text.as_bytes(), owner, &ArchiveLimits::default()).unwrap()
}

fn unreadable(bytes: &[u8], owner: Owner, limits: &ArchiveLimits) -> Unreadable {
    match read_both(bytes, owner, limits) {
        Err(ReadError::Unreadable(unreadable)) => unreadable,
        other => panic!("read: {other:?}"),
    }
}

/// An archive as Flink writes it.
fn archive<P: AsRef<str>, J: AsRef<str>>(entries: &[(P, J)]) -> String {
    let entries = entries.iter().map(|(path, json)| serde_json::json!({ "path": path.as_ref(), "json": json.as_ref() }));
    serde_json::json!({ "archive": entries.collect::<Vec<_>>() }).to_string()
}

fn codes(read: &ParsedArchive) -> Vec<ProblemCode> {
    read.flaws.iter().map(|flaw| flaw.code).collect()
}

fn job_record(read: &ParsedArchive) -> &JobRecord {
    match &read.record {
        Some(Record::Job(record)) => record,
        other => panic!("no job: {other:?}"),
    }
}

fn application_record(read: &ParsedArchive) -> &ApplicationRecord {
    match &read.record {
        Some(Record::Application(record)) => record,
        other => panic!("no application: {other:?}"),
    }
}

#[test]
fn documents_that_are_too_large_for_facts_are_served_and_reported() {
    let exceptions = format!(r#"{{"root-exception":"{}"}}"#, "x".repeat(16 << 20));
    // The second one is never searched.
    let entries = [(format!("/jobs/{JOB}/exceptions"), exceptions.clone()), (format!("/jobs/{JOB}/plan"), exceptions)];
    let mut kept = Kept::default();
    let read = read_slice(archive(&entries).as_bytes(), job(), &ArchiveLimits::default(), &mut kept).unwrap();
    assert_eq!(kept.0.len(), 2);
    let reported: Vec<&str> =
        read.flaws.iter().filter(|flaw| flaw.code == ProblemCode::DocumentNotSearched).map(|flaw| &*flaw.reason).collect();
    let [reported] = reported[..] else { panic!("{reported:?}") };
    assert!(reported.starts_with("documents larger than 16 MiB") && reported.ends_with(": exceptions"), "{reported}");
}
