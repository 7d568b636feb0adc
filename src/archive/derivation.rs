//! Derives the row in lists and the facts of an archive's owner from its documents.

use super::application::{ApplicationFindings, OtherApplication};
use super::entry_path::{DocumentKind, EntryPaths};
use super::facts::{Deriver, Facts};
use super::job::{JobFindings, OtherJob};
use super::{Owner, Record};

/// The overview belongs to another application or job.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OtherOwner;

impl From<OtherApplication> for OtherOwner {
    fn from(_: OtherApplication) -> Self {
        Self
    }
}

impl From<OtherJob> for OtherOwner {
    fn from(_: OtherJob) -> Self {
        Self
    }
}

/// The values derived from one archive.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Derived {
    /// The row in lists; `None`: no document has a name and a state.
    pub record: Option<Record>,
    /// Facts beyond that row.
    pub facts: Facts,
    /// The problem of the overview.
    pub flaw: Option<&'static str>,
}

#[derive(Debug)]
enum Findings {
    Application(Box<ApplicationFindings>),
    Job(Box<JobFindings>),
}

/// Reads the documents of one archive one by one, in archive order. When a path repeats, the last document counts.
#[derive(Debug)]
pub struct Derivation {
    paths: EntryPaths,
    deriver: Deriver,
    findings: Findings,
}

impl Derivation {
    /// A derivation for the archive of this owner.
    #[must_use]
    pub fn new(owner: Owner) -> Self {
        let findings = match owner {
            Owner::Application(id) => Findings::Application(Box::new(ApplicationFindings::new(id))),
            Owner::Job(id) => Findings::Job(Box::new(JobFindings::new(id))),
        };
        Self { paths: EntryPaths::new(owner), deriver: Deriver::new(owner), findings }
    }

    /// Takes a document by the path that it is served at. Documents of other owners are ignored.
    ///
    /// # Errors
    /// The overview belongs to another application or job.
    pub fn document(&mut self, path: &str, json: &str) -> Result<(), OtherOwner> {
        match self.paths.check(path) {
            Ok((kind, path)) => self.checked_document(kind, &path, json),
            Err(_) => Ok(()),
        }
    }

    /// Takes a document whose path was checked.
    pub(super) fn checked_document(&mut self, kind: DocumentKind, path: &str, json: &str) -> Result<(), OtherOwner> {
        if matches!(kind, DocumentKind::Details | DocumentKind::Below) {
            self.deriver.document(path, json);
        }
        match (&mut self.findings, kind) {
            (Findings::Application(findings), DocumentKind::Overview) => findings.overview(json)?,
            (Findings::Application(findings), DocumentKind::Details) => findings.details(json),
            (Findings::Job(findings), DocumentKind::Overview) => findings.overview(json)?,
            (Findings::Job(findings), DocumentKind::LegacyOverview) => findings.legacy_overview(json)?,
            (Findings::Job(findings), DocumentKind::Details) => findings.details(json),
            (_, DocumentKind::Below) | (Findings::Application(_), DocumentKind::LegacyOverview) => {}
        }
        Ok(())
    }

    /// The description of a document that facts are derived from, if it is too large for that.
    pub(super) fn too_large(&self, kind: DocumentKind, path: &str, json: &str) -> Option<&'static str> {
        matches!(kind, DocumentKind::Details | DocumentKind::Below).then(|| self.deriver.too_large(path, json)).flatten()
    }

    /// Returns the derived values.
    #[must_use]
    pub fn finish(self) -> Derived {
        let facts = self.deriver.finish();
        let (record, flaw) = match self.findings {
            Findings::Application(findings) => {
                let (record, flaw) = findings.finish();
                (record.map(Record::Application), flaw)
            }
            Findings::Job(findings) => {
                let (record, flaw) = findings.finish();
                (record.map(|record| Record::Job(record.with_facts(&facts))), flaw)
            }
        };
        Derived { record, facts, flaw }
    }
}
