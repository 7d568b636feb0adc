//! Entry point for fuzzing: the properties that hold for all bytes.

use std::io;

use serde::de::IgnoredAny;
use serde_json::value::RawValue;

use super::members::Members;
use super::{ArchiveLimits, DocumentSink, Owner, ParsedArchive, ReadError, SinkError, read_buffered, read_slice};
use crate::ids::{ApplicationId, JobId};
use crate::problem::ProblemCode;

/// Reads bytes as an archive in every way that the parser offers.
///
/// # Panics
/// When a read panics, when two reads differ, when a limit does not hold, when a path of another owner is accepted, or when an archive
/// is reported as unreadable that another parser reads.
pub fn envelope(data: &[u8]) {
    let limits = [
        ArchiveLimits::default(),
        ArchiveLimits { document_size: 512, entries: 8, depth: 3, path_length: 48 },
        ArchiveLimits { document_size: 0, entries: u64::MAX, depth: 0, path_length: 0 },
    ];
    for owner in owners(data) {
        for limits in &limits {
            let from_slice = outcome(owner, limits, |sink| read_slice(data, owner, limits, sink));
            for buffer_bytes in [1, 2, 7, 64, 4096] {
                let source = Dribble { data, step: buffer_bytes };
                let from_stream = outcome(owner, limits, |sink| read_buffered(source, buffer_bytes, owner, limits, sink));
                assert_eq!(from_slice, from_stream, "a stream read in steps of {buffer_bytes} bytes differs");
            }
            agrees_with_another_parser(data, limits, &from_slice);
        }
    }
}

/// Owners for the data: those that it names, and one that it does not name.
fn owners(data: &[u8]) -> Vec<Owner> {
    let id_behind = |prefix: &[u8]| {
        let at = data.windows(prefix.len()).position(|window| window == prefix)? + prefix.len();
        JobId::from_name(data.get(at..at + 32)?).ok()
    };
    let job = id_behind(b"/jobs/").unwrap_or(JobId::from_bytes([7; 16]));
    let application =
        id_behind(b"/applications/").map_or(ApplicationId::from_bytes([7; 16]), |id| ApplicationId::from_bytes(*id.as_bytes()));
    vec![Owner::Job(job), Owner::Application(application)]
}

/// The result of a read, comparable.
#[derive(Debug, PartialEq, Eq)]
enum Outcome {
    Read(Box<ParsedArchive>, Vec<(String, String)>),
    Unreadable(ProblemCode, String),
}

fn outcome(owner: Owner, limits: &ArchiveLimits, read: impl FnOnce(&mut dyn DocumentSink) -> Result<ParsedArchive, ReadError>) -> Outcome {
    let mut sink = Checked { owner, limits: *limits, documents: Vec::new() };
    match read(&mut sink) {
        Ok(read) => {
            assert_eq!(read.documents, sink.documents.len() as u64, "documents are counted");
            assert!(read.documents > 0, "an archive without documents is unreadable");
            assert!(read.flaws.len() <= 101 * ProblemCode::ALL.len(), "flaws are bounded");
            Outcome::Read(Box::new(read), sink.documents)
        }
        Err(ReadError::Unreadable(unreadable)) => Outcome::Unreadable(unreadable.code, unreadable.reason),
        Err(ReadError::Source(error)) => panic!("the source cannot fail: {error}"),
        Err(ReadError::Sink(error)) => panic!("the sink cannot fail: {error}"),
    }
}

/// Keeps documents, and checks their path and size.
struct Checked {
    owner: Owner,
    limits: ArchiveLimits,
    documents: Vec<(String, String)>,
}

impl DocumentSink for Checked {
    fn document(&mut self, path: &str, json: &str) -> Result<(), SinkError> {
        let (overviews, own): (&[&str], String) = match self.owner {
            Owner::Application(id) => (&["/applications/overview"], format!("/applications/{id}")),
            Owner::Job(id) => (&["/jobs/overview", "/joboverview"], format!("/jobs/{id}")),
        };
        let below = path.strip_prefix(&own).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'));
        assert!(below || overviews.contains(&path), "a path of another owner was accepted");
        assert!(path[1..].split('/').all(|segment| !matches!(segment, "" | "." | "..")), "an invalid path was accepted");
        assert!(path.len() <= self.limits.path_length, "the limit of path length holds");
        assert!(json.len() as u64 <= self.limits.document_size, "the limit of document size holds");
        self.documents.push((path.to_owned(), json.to_owned()));
        Ok(())
    }
}

/// Returns only a few bytes at a time.
struct Dribble<'a> {
    data: &'a [u8],
    step: usize,
}

impl io::Read for Dribble<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let step = self.step.min(buffer.len()).min(self.data.len());
        let (now, later) = self.data.split_at(step);
        buffer[..step].copy_from_slice(now);
        self.data = later;
        Ok(step)
    }
}

/// An archive that a parser of the whole JSON accepts is accepted here, with the same documents.
fn agrees_with_another_parser(data: &[u8], limits: &ArchiveLimits, outcome: &Outcome) {
    if *limits != ArchiveLimits::default() {
        return;
    }
    let Some(archive) = str::from_utf8(data).ok().and_then(Members::parse) else { return };
    let values: Vec<&RawValue> = archive.iter().filter(|(name, _)| *name == "archive").map(|(_, value)| value).collect();
    let [value] = values[..] else { return };
    let Ok(entries) = serde_json::from_str::<Vec<&RawValue>>(value.get()) else { return };
    if serde_json::from_slice::<IgnoredAny>(data).is_err() {
        return;
    }
    match outcome {
        Outcome::Unreadable(ProblemCode::ArchiveUnreadable, reason) => {
            let deep = archive.iter().any(|(_, value)| super::depth::nests_deeper(value.get(), limits.depth));
            assert!(deep, "an archive of {} entries was not read: {reason}", entries.len());
        }
        Outcome::Unreadable(..) => {}
        Outcome::Read(_, documents) => {
            let mut expected = Vec::new();
            for entry in entries {
                let Some(members) = Members::parse(entry.get()) else {
                    // The other parser reads no member names with half a surrogate pair, which are skipped here.
                    if entry.get().starts_with('{') {
                        return;
                    }
                    continue;
                };
                let strings = |name| members.get(name).and_then(|value: &RawValue| serde_json::from_str::<String>(value.get()).ok());
                if let (Some(path), Some(json)) = (strings("path"), strings("json")) {
                    expected.push((path, json));
                }
            }
            // Paths are served in lower case, scalars as text, and refused documents are missing here. So only the served documents are compared.
            let mut expected = expected.into_iter();
            for (path, json) in documents.iter().filter(|(_, json)| json.starts_with(['{', '['])) {
                assert!(
                    expected.any(|(other_path, other)| other == *json && other_path.eq_ignore_ascii_case(path)),
                    "a document differs from what another parser reads"
                );
            }
        }
    }
}
