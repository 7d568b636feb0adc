//! What the documents of one archive tell of its owner: its row in lists, and the facts beyond it.

use super::application::{ApplicationFindings, OtherApplication};
use super::entry_path::{DocumentKind, EntryPaths};
use super::facts::{Deriver, Facts};
use super::job::{JobFindings, OtherJob};
use super::{Owner, Record};

/// The overview is of another application or job.
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

/// What was derived from one archive.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Derived {
    /// What lists show; `None`: no document tells it.
    pub record: Option<Record>,
    /// What documents tell beyond it.
    pub facts: Facts,
    /// What is wrong with the overview.
    pub flaw: Option<&'static str>,
}

#[derive(Debug)]
enum Findings {
    Application(Box<ApplicationFindings>),
    Job(Box<JobFindings>),
}

/// Derives from the documents of one archive, given one by one in their order; of documents of one path the last counts.
#[derive(Debug)]
pub struct Derivation {
    paths: EntryPaths,
    deriver: Deriver,
    findings: Findings,
}

impl Derivation {
    /// One for the archive of this owner.
    #[must_use]
    pub fn new(owner: Owner) -> Self {
        let findings = match owner {
            Owner::Application(id) => Findings::Application(Box::new(ApplicationFindings::new(id))),
            Owner::Job(id) => Findings::Job(Box::new(JobFindings::new(id))),
        };
        Self { paths: EntryPaths::new(owner), deriver: Deriver::new(owner), findings }
    }

    /// Takes a document by the path that it is served at. One that is none of the owner's tells nothing.
    ///
    /// # Errors
    /// The overview is of another application or job.
    pub fn document(&mut self, path: &str, json: &str) -> Result<(), OtherOwner> {
        match self.paths.judge(path) {
            Ok((place, path)) => self.place(place, &path, json),
            Err(_) => Ok(()),
        }
    }

    /// Takes a document whose path was judged.
    pub(super) fn place(&mut self, place: DocumentKind, path: &str, json: &str) -> Result<(), OtherOwner> {
        if matches!(place, DocumentKind::Details | DocumentKind::Below) {
            self.deriver.document(path, json);
        }
        match (&mut self.findings, place) {
            (Findings::Application(findings), DocumentKind::Overview) => findings.overview(json)?,
            (Findings::Application(findings), DocumentKind::Details) => findings.details(json),
            (Findings::Job(findings), DocumentKind::Overview) => findings.overview(json)?,
            (Findings::Job(findings), DocumentKind::LegacyOverview) => findings.legacy_overview(json)?,
            (Findings::Job(findings), DocumentKind::Details) => findings.details(json),
            (_, DocumentKind::Below) | (Findings::Application(_), DocumentKind::LegacyOverview) => {}
        }
        Ok(())
    }

    /// Which document this is, if something would be derived from it and it is too large for that.
    pub(super) fn too_large(&self, place: DocumentKind, path: &str, json: &str) -> Option<&'static str> {
        matches!(place, DocumentKind::Details | DocumentKind::Below).then(|| self.deriver.too_large(path, json)).flatten()
    }

    /// What was derived.
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
                (record.map(|record| Record::Job(record.completed(&facts))), flaw)
            }
        };
        Derived { record, facts, flaw }
    }
}
