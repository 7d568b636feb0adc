//! Passes the documents of an archive to the sink, and reads its overview.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::io::BufRead;

use super::depth::nests_deeper;
use super::derivation::{Derivation, Derived, OtherOwner};
use super::entry_path::{DocumentKind, EntryPaths, Refused};
use super::envelope::{Entry, Field, walk};
use super::facts::MAX_DOCUMENT_BYTES;
use super::flaws::Flaws;
use super::{ArchiveLimits, DocumentSink, MAX_PATH_BYTES, Owner, ParsedArchive, ReadError, Unreadable};
use crate::problem::ProblemCode;

/// Reads an archive from the chunks of a source.
pub(super) fn read(
    source: impl BufRead,
    owner: Owner,
    limits: &ArchiveLimits,
    sink: &mut dyn DocumentSink,
) -> Result<ParsedArchive, ReadError> {
    let limits = ArchiveLimits { path_length: limits.path_length.min(MAX_PATH_BYTES), ..*limits };
    let mut reader = Reader {
        paths: EntryPaths::new(owner),
        limits,
        sink,
        flaws: Flaws::default(),
        documents: 0,
        document_bytes: 0,
        own: 0,
        foreign: 0,
        owner,
        derivation: Derivation::new(owner),
        large: BTreeSet::new(),
    };
    let entries = walk(source, &limits, &mut |number, entry| reader.entry(number, entry))?;
    reader.finish(entries)
}

struct Reader<'a> {
    paths: EntryPaths,
    limits: ArchiveLimits,
    sink: &'a mut dyn DocumentSink,
    flaws: Flaws,
    documents: u64,
    document_bytes: u64,
    /// Documents under the owner's id.
    own: u64,
    /// Entries under the id of another application or job.
    foreign: u64,
    owner: Owner,
    derivation: Derivation,
    /// Documents that are too large for facts and the search.
    large: BTreeSet<&'static str>,
}

impl Reader<'_> {
    fn entry(&mut self, number: u64, entry: Entry<'_>) -> Result<(), ReadError> {
        let (kind, path, json) = match check(&self.paths, &self.limits, entry) {
            Ok(document) => document,
            Err(fault) => {
                self.foreign += u64::from(fault.foreign);
                self.flaws.entry(fault.code, number, &fault.reason);
                return Ok(());
            }
        };
        self.sink.document(&path, json)?;
        self.documents += 1;
        self.document_bytes += json.len() as u64;
        self.own += u64::from(matches!(kind, DocumentKind::Details | DocumentKind::Below));
        self.large.extend(self.derivation.too_large(kind, &path, json));
        self.derivation.checked_document(kind, &path, json).map_err(|OtherOwner| other(self.owner))?;
        Ok(())
    }

    fn finish(mut self, entries: u64) -> Result<ParsedArchive, ReadError> {
        if self.own == 0 && self.foreign > 0 {
            return Err(other(self.owner).into());
        }
        if self.documents == 0 {
            let left_out = self.flaws.count();
            let first = self.flaws.finish().into_iter().next().map(|flaw| flaw.reason).unwrap_or_default();
            let reason = format!("none of the {entries} entries can be served. {left_out} of them are invalid, the first one: {first}");
            return Err(Unreadable { code: ProblemCode::ArchiveEmpty, reason }.into());
        }
        let Derived { record, facts, flaw } = self.derivation.finish();
        if let Some(flaw) = flaw {
            self.flaws.archive(ProblemCode::OverviewUnusable, flaw);
        }
        if !self.large.is_empty() {
            let which = self.large.into_iter().collect::<Vec<_>>().join(", ");
            let reason = format!(
                "documents larger than {} MiB are served, but they are missing from the search, the facts and the figures: {which}",
                MAX_DOCUMENT_BYTES >> 20
            );
            self.flaws.archive(ProblemCode::DocumentNotSearched, &reason);
        }
        Ok(ParsedArchive { record, facts, flaws: self.flaws.finish(), documents: self.documents, document_bytes: self.document_bytes })
    }
}

/// The reason why an entry is left out.
pub(super) struct Fault {
    code: ProblemCode,
    reason: Cow<'static, str>,
    /// Its path is that of another application or job.
    foreign: bool,
}

impl Fault {
    fn new(code: ProblemCode, reason: impl Into<Cow<'static, str>>) -> Self {
        Self { code, reason: reason.into(), foreign: false }
    }

    fn malformed(reason: &'static str) -> Self {
        Self::new(ProblemCode::EntryMalformed, reason)
    }
}

/// The document of an entry, with its path as it is served, if the entry is valid.
pub(super) fn check<'e>(
    paths: &EntryPaths,
    limits: &ArchiveLimits,
    entry: Entry<'e>,
) -> Result<(DocumentKind, Cow<'e, str>, &'e str), Fault> {
    let Entry::Object { path, json, too_deep } = entry else { return Err(Fault::malformed("it is not an object")) };
    let path = match path {
        Field::Text(path) => path,
        Field::TooLong => {
            let reason = format!("its path is longer than {} bytes (historyserver.limits.path-length)", limits.path_length);
            return Err(Fault::new(ProblemCode::PathTooLong, reason));
        }
        Field::Missing => return Err(Fault::malformed("it has no path")),
        Field::NotText => return Err(Fault::malformed("its path is not a string")),
        Field::Malformed => return Err(Fault::malformed("its path is not text in UTF-8")),
    };
    let (kind, path) = paths.check(path).map_err(|refused| match refused {
        Refused::Foreign => {
            Fault { foreign: true, ..Fault::new(ProblemCode::EntryPathRefused, "its path belongs to another application or job") }
        }
        Refused::Unknown => Fault::new(ProblemCode::EntryPathRefused, "Flink writes no such path into this archive"),
    })?;
    let json = match json {
        Field::Text(json) => json,
        Field::TooLong => {
            let reason = format!("its document is larger than {} bytes (historyserver.limits.document-size)", limits.document_size);
            return Err(Fault::new(ProblemCode::DocumentTooLarge, reason));
        }
        Field::Missing => return Err(Fault::malformed("it has no document")),
        Field::NotText => return Err(Fault::malformed("its document is not a string")),
        Field::Malformed => return Err(Fault::malformed("its document is not text in UTF-8")),
    };
    if too_deep || nests_deeper(json, limits.depth) {
        let reason = format!("it nests deeper than {} levels (historyserver.limits.depth)", limits.depth);
        return Err(Fault::new(ProblemCode::DocumentTooDeep, reason));
    }
    Ok((kind, path, json))
}

/// The archive has another owner than its name says. Listed under the id of its file, it would stand for another owner.
fn other(owner: Owner) -> Unreadable {
    let kind = match owner {
        Owner::Application(_) => "application",
        Owner::Job(_) => "job",
    };
    Unreadable {
        code: ProblemCode::IdMismatch,
        reason: format!("the archive belongs to another {kind}: the id in its documents differs from the name of its file or folder"),
    }
}
