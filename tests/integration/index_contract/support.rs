//! An index in a folder of its own, and changes as an ingest would find them.

use std::fmt::Write as _;

use std::collections::BTreeMap;

use historyserver::archive::facts::JobApplication;
use historyserver::archive::{ApplicationRecord, JobRecord, NamedJob, Owner};
use historyserver::clock::{Clock, Timestamp};
use historyserver::directory::{FileKind, FileVersion};
use historyserver::ids::{ApplicationId, JobId};
use historyserver::index::{
    self, ApplicationKey, CopySelector, DocumentAnswer, Fault, FileChange, FileOutcome, IndexOptions, IndexReader, IndexWriter, Opened,
    OverviewList, Pack, ParsedRecord, ProblemFilter, UnitChange, UnitKey, Urgency,
};
use historyserver::names::{ClusterName, DirectoryUrl, FilePath};
use historyserver::pack::{Packer, Part};
use historyserver::problem::{Problem, ProblemCode, Subject};

pub(super) const NOW: Timestamp = Timestamp::from_millis(1_700_000_000_000);

/// An open index.
pub(super) struct Index {
    pub(super) folder: tempfile::TempDir,
    pub(super) writer: IndexWriter,
    pub(super) reader: IndexReader,
    pub(super) options: IndexOptions,
}

impl Index {
    pub(super) fn open() -> Self {
        Self::with(|_| {})
    }

    pub(super) fn with_budget(max_pack_bytes: u64) -> Self {
        Self::with(|options| options.max_pack_bytes = max_pack_bytes)
    }

    pub(super) fn with(change: impl FnOnce(&mut IndexOptions)) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut options = IndexOptions::new(folder.path().join("data"), u64::MAX, vec![url("one"), url("two")]);
        options.clock = Clock::manual(NOW);
        change(&mut options);
        let (writer, reader, opened) = index::open(&options).unwrap();
        assert_eq!(opened, Opened::Created);
        Self { folder, writer, reader, options }
    }

    /// Closes the index and opens it again.
    pub(super) async fn reopen(self) -> (Self, Opened) {
        self.reopen_with(|_| {}).await
    }

    pub(super) async fn reopen_with(mut self, change: impl FnOnce(&mut IndexOptions)) -> (Self, Opened) {
        self.writer.close().await;
        change(&mut self.options);
        let (writer, reader, opened) = index::open(&self.options).unwrap();
        (Self { writer, reader, ..self }, opened)
    }

    pub(super) fn file(&self) -> std::path::PathBuf {
        self.options.data_directory.join("historyserver.sqlite")
    }

    pub(super) async fn apply(&self, change: UnitChange) {
        self.writer.apply(change, Urgency::Now).await.unwrap();
    }

    pub(super) async fn list(&self, list: OverviewList) -> Vec<String> {
        let (sender, rows) = std::sync::mpsc::channel();
        self.reader
            .everything()
            .overview(list, move |row| {
                sender.send(row.to_owned()).unwrap();
                std::ops::ControlFlow::Continue(())
            })
            .await
            .unwrap();
        rows.into_iter().collect()
    }

    pub(super) async fn applications(&self) -> Vec<String> {
        self.list(OverviewList::Applications).await
    }

    pub(super) async fn jobs(&self) -> Vec<String> {
        self.list(OverviewList::Jobs).await
    }

    /// Problems on record; their kept numbers are held against them.
    pub(super) async fn problems(&self) -> Vec<Problem> {
        let problems = self.reader.everything().problem_page(ProblemFilter::default(), None, 1_000).await.unwrap().0.rows;
        let mut counted = BTreeMap::new();
        for problem in &problems {
            *counted.entry((problem.subject.directory.clone(), problem.code)).or_insert(0) += 1;
        }
        let kept = self.reader.everything().problem_counts().await.unwrap();
        assert_eq!(kept.into_iter().map(|(url, code, number)| ((url, code), number)).collect::<BTreeMap<_, _>>(), counted);
        assert_eq!(self.reader.everything().figures().await.unwrap().problems, problems.len() as u64);
        let (_, total) = self.reader.everything().problem_page(ProblemFilter::default(), None, 1).await.unwrap();
        assert_eq!((total.count, total.exact), (problems.len() as u64, true));
        problems
    }

    pub(super) async fn answer(&self, owner: Owner, path: &str) -> DocumentAnswer {
        self.reader.everything().document(owner, path, &CopySelector::default()).await.unwrap()
    }

    /// The whole document of the copy shown.
    pub(super) async fn read(&self, owner: Owner, path: &str) -> Option<String> {
        self.read_copy(owner, path, &CopySelector::default()).await
    }

    pub(super) async fn read_copy(&self, owner: Owner, path: &str, copy: &CopySelector) -> Option<String> {
        let DocumentAnswer::Found(document) = self.reader.everything().document(owner, path, copy).await.unwrap() else { return None };
        let mut bytes = Vec::new();
        while (bytes.len() as u64) < document.length {
            let chunk = self.reader.everything().document_piece(&document, bytes.len() as u64, usize::MAX).await.unwrap();
            assert!(!chunk.is_empty() && chunk.len() <= 256 << 10);
            bytes.extend_from_slice(&chunk);
        }
        assert_eq!(bytes.len() as u64, document.length);
        Some(String::from_utf8(bytes).unwrap())
    }

    /// Waits until the index says so: its housework runs by itself.
    pub(super) async fn until(&self, what: &str, mut holds: impl AsyncFnMut(&Self) -> bool) {
        let deadline = tokio::time::Instant::now() + std::time::Duration::from_secs(30);
        while !holds(self).await {
            assert!(tokio::time::Instant::now() < deadline, "{what} did not happen");
            tokio::time::sleep(std::time::Duration::from_millis(20)).await;
        }
    }
}

pub(super) fn url(name: &str) -> DirectoryUrl {
    DirectoryUrl::new(format!("file:///archives/{name}"))
}

pub(super) fn job(n: u8) -> JobId {
    JobId::from_bytes([n; 16])
}

pub(super) fn application(n: u8) -> ApplicationId {
    ApplicationId::from_bytes([n; 16])
}

pub(super) fn application_key(directory: &str, cluster: &str, n: u8) -> UnitKey {
    UnitKey::Application(ApplicationKey { directory: url(directory), cluster: ClusterName::new(cluster), id: application(n) })
}

pub(super) fn legacy_key(directory: &str, n: u8) -> UnitKey {
    UnitKey::LegacyJob(url(directory), job(n))
}

pub(super) fn parts(documents: &[(&str, &str)]) -> Vec<Part> {
    let mut packer = Packer::default();
    let mut parts: Vec<Part> = Vec::new();
    for (path, document) in documents {
        parts.extend(packer.push(path, document.as_bytes()));
    }
    parts.extend(packer.finish());
    parts
}

pub(super) fn stored_bytes(parts: &[Part]) -> u64 {
    parts.iter().map(Part::stored_bytes).sum()
}

pub(super) fn version(modified: i64) -> FileVersion {
    FileVersion { size: 1_000, modified: Timestamp::from_millis(modified), etag: None }
}

pub(super) fn path(key: &UnitKey, kind: FileKind) -> FilePath {
    FilePath::new(match (key, kind) {
        (UnitKey::Application(key), FileKind::Summary) => format!("{}/applications/{}/application-summary", key.cluster, key.id),
        (UnitKey::Application(key), FileKind::Job(job)) => format!("{}/applications/{}/jobs/{job}", key.cluster, key.id),
        (UnitKey::LegacyJob(_, job), _) => job.to_string(),
    })
}

fn file(key: &UnitKey, kind: FileKind, modified: i64, outcome: FileOutcome) -> FileChange {
    FileChange { path: path(key, kind), kind, version: version(modified), racy: false, outcome }
}

fn parsed(record: ParsedRecord, documents: &[(&str, &str)]) -> FileOutcome {
    FileOutcome::Parsed {
        record: Some(Box::new(record)),
        facts: Box::default(),
        pack: Pack::Whole(parts(documents)),
        documents: documents.len() as u64,
        document_bytes: documents.iter().map(|(_, document)| document.len() as u64).sum(),
    }
}

/// A change of a unit, put together file by file.
pub(super) struct Change(pub(super) UnitChange);

impl Change {
    pub(super) fn of(key: UnitKey) -> Self {
        Self(UnitChange { key, files: Vec::new(), problems: Vec::new(), at: NOW })
    }

    /// A summary that ended at `end` and says `text` wherever it says something.
    pub(super) fn summary(mut self, modified: i64, end: i64, text: &str, jobs: &[JobId]) -> Self {
        let UnitKey::Application(key) = &self.0.key else { panic!("legacy jobs have no summary") };
        let record = ApplicationRecord {
            name: text.to_owned(),
            status: "FINISHED".to_owned(),
            start: Some(Timestamp::from_millis(end - 10)),
            end: Some(Timestamp::from_millis(end)),
            duration: Some(10),
            job_counts: vec![("FINISHED".to_owned(), jobs.len() as u64)],
            jobs: jobs.iter().map(|id| NamedJob { id: *id, start: None }).collect(),
            overview: text.to_owned(),
        };
        let path = format!("/applications/{}", key.id);
        let outcome = parsed(ParsedRecord::Application(record), &[(&path, text)]);
        self.0.files.push(file(&self.0.key, FileKind::Summary, modified, outcome));
        self
    }

    /// A job archive that ended at `end` and says `text`.
    pub(super) fn job(mut self, id: JobId, modified: i64, end: i64, text: &str) -> Self {
        let outcome = parsed(ParsedRecord::Job(job_record(end, text)), &[(&format!("/jobs/{id}"), text)]);
        self.0.files.push(file(&self.0.key, FileKind::Job(id), modified, outcome));
        self
    }

    /// A job archive with these parts.
    pub(super) fn job_pack(mut self, id: JobId, pack: Pack) -> Self {
        let record = Some(Box::new(ParsedRecord::Job(job_record(1, "big"))));
        let outcome = FileOutcome::Parsed { record, facts: Box::default(), pack, documents: 1, document_bytes: 1 };
        self.0.files.push(file(&self.0.key, FileKind::Job(id), 1, outcome));
        self
    }

    /// A job archive without an overview.
    pub(super) fn job_without_overview(mut self, id: JobId, modified: i64, text: &str) -> Self {
        let pack = Pack::Whole(parts(&[(&format!("/jobs/{id}"), text)]));
        let outcome = FileOutcome::Parsed { record: None, facts: Box::default(), pack, documents: 1, document_bytes: 1 };
        self.0.files.push(file(&self.0.key, FileKind::Job(id), modified, outcome));
        self
    }

    pub(super) fn unreadable(mut self, kind: FileKind, modified: i64, next_attempt: Option<i64>) -> Self {
        self.0.files.push(file(
            &self.0.key,
            kind,
            modified,
            FileOutcome::Unreadable { fault: Fault::Content, next_attempt: next_attempt.map(Timestamp::from_millis) },
        ));
        self
    }

    pub(super) fn problem(mut self, code: ProblemCode, kind: Option<FileKind>, since: i64) -> Self {
        self.0.problems.push(problem(&self.0.key, code, kind, since));
        self
    }
}

pub(super) fn job_record(end: i64, text: &str) -> JobRecord {
    JobRecord {
        name: text.to_owned(),
        status: "FINISHED".to_owned(),
        start: Some(Timestamp::from_millis(end - 10)),
        end: Some(Timestamp::from_millis(end)),
        duration: Some(10),
        job_type: Some("BATCH".to_owned()),
        application: JobApplication::default(),
        tasks: vec![("total".to_owned(), 3), ("failed".to_owned(), 1)],
        overview: text.to_owned(),
    }
}

pub(super) fn problem(key: &UnitKey, code: ProblemCode, kind: Option<FileKind>, since: i64) -> Problem {
    let file = kind.map(|kind| path(key, kind));
    let subject = match key {
        UnitKey::Application(key) => {
            Subject { directory: key.directory.clone(), cluster: Some(key.cluster.clone()), application: Some(key.id), file }
        }
        UnitKey::LegacyJob(directory, _) => Subject { directory: directory.clone(), cluster: None, application: None, file },
    };
    Problem { code, subject, reason: format!("{code} is what is wrong"), since: Timestamp::from_millis(since), next_attempt: None }
}

/// One application with one job, both telling `text`.
pub(super) fn simple(directory: &str, cluster: &str, n: u8, end: i64, text: &str) -> UnitChange {
    Change::of(application_key(directory, cluster, n)).summary(end, end, text, &[job(n)]).job(job(n), end, end, text).0
}

/// One legacy job archive telling `text`.
pub(super) fn legacy(directory: &str, n: u8, end: i64, text: &str) -> UnitChange {
    Change::of(legacy_key(directory, n)).job(job(n), end, end, text).0
}

pub(super) fn of_application(n: u8) -> (Owner, String) {
    (Owner::Application(application(n)), format!("/applications/{}", application(n)))
}

pub(super) fn of_job(n: u8) -> (Owner, String) {
    (Owner::Job(job(n)), format!("/jobs/{}", job(n)))
}

/// Text of so many bytes that hardly compresses below half.
pub(super) fn noise(bytes: usize, seed: u64) -> String {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    let mut text = String::with_capacity(bytes + 16);
    while text.len() < bytes {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        write!(text, "{state:016x}").unwrap();
    }
    text.truncate(bytes);
    text
}
