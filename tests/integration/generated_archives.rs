//! The archives of the generator are complete, distinct and consistent.

use std::collections::HashSet;
use std::fs;
use std::io::Write as _;
use std::path::Path;
use std::time::UNIX_EPOCH;

use historyserver::archive::{
    ApplicationRecord, ArchiveLimits, DocumentSink, JobRecord, Owner, ParsedArchive, Record, SinkError, read_slice, read_stream,
};
use historyserver::clock::Timestamp;
use historyserver::pack::{Packer, Part};

use crate::generator::{Generator, LargeJob, Plan};

/// Keeps the paths and all text, and packs it.
#[derive(Default)]
struct Paths(Vec<String>, String, Packer, Vec<Part>);

impl Paths {
    /// Stored bytes of the documents.
    fn packed(mut self) -> usize {
        self.3.extend(self.2.finish());
        usize::try_from(self.3.iter().map(Part::stored_bytes).sum::<u64>()).unwrap()
    }
}

impl DocumentSink for Paths {
    fn document(&mut self, path: &str, json: &str) -> Result<(), SinkError> {
        self.0.push(path.to_owned());
        self.1.push_str(json);
        self.3.extend(self.2.push(path, json.as_bytes()));
        Ok(())
    }
}

fn read(archive: &str, owner: Owner) -> (ParsedArchive, Paths) {
    let mut paths = Paths::default();
    let read = read_slice(archive.as_bytes(), owner, &ArchiveLimits::default(), &mut paths).unwrap();
    assert_eq!(read.flaws, []);
    (read, paths)
}

fn application_of(archive: &str, id: &str) -> ApplicationRecord {
    match read(archive, Owner::Application(id.parse().unwrap())).0.record {
        Some(Record::Application(record)) => record,
        other => panic!("no application: {other:?}"),
    }
}

fn job_of(archive: &str, id: &str) -> (JobRecord, Paths) {
    let (read, paths) = read(archive, Owner::Job(id.parse().unwrap()));
    match read.record {
        Some(Record::Job(record)) => (record, paths),
        other => panic!("no job: {other:?}"),
    }
}

#[test]
fn every_application_is_whole_and_new() {
    let plan = Plan { applications: 60, clusters: 3, start_time: 1_700_000_000_000, spread: 60_000_000, ..Plan::default() };
    let generator = Generator::new(plan.clone()).unwrap();
    let (mut ids, mut names, mut states, mut clusters) = (HashSet::new(), HashSet::new(), HashSet::new(), HashSet::new());
    let (mut bytes, mut packed) = (0, 0);
    for number in 0..60 {
        let made = generator.application(number);
        let record = application_of(&made.summary, &made.id);
        assert_eq!(record.start, Some(Timestamp::from_millis(1_700_000_000_000 + i64::try_from(number).unwrap() * 1_000_000)));
        assert_eq!((record.end.map(Timestamp::as_millis), &record.name), (Some(made.end), &made.name));
        assert_eq!(record.end.unwrap().as_millis() - record.start.unwrap().as_millis(), record.duration.unwrap());
        let made_jobs: HashSet<_> = made.jobs.iter().map(|job| job.id.parse().unwrap()).collect();
        assert_eq!(record.jobs.iter().map(|job| job.id).collect::<HashSet<_>>(), made_jobs);
        for job in &made.jobs {
            let (record, paths) = job_of(&job.archive, &job.id);
            assert!(
                record.start.unwrap() >= Timestamp::from_millis(1_700_000_000_000)
                    && record.end.map(Timestamp::as_millis) == Some(job.end)
                    && job.end <= made.end
            );
            assert!(record.name.ends_with(&format!(" {number}")), "{}", record.name);
            assert!(paths.1.contains(&format!("\"application-id\":\"{}\"", made.id)));
            assert!(!paths.1.contains("\"start-time\":17953"), "a time was left as it was");
            ids.insert(job.id.clone());
            bytes += job.archive.len();
            packed += paths.packed();
        }
        bytes += made.summary.len();
        packed += read(&made.summary, Owner::Application(made.id.parse().unwrap())).1.packed();
        ids.insert(made.id);
        names.insert(made.name);
        states.insert(record.status);
        clusters.insert(made.cluster);
    }
    assert_eq!(names.len(), 60, "each has a name of its own");
    assert!(ids.len() >= 60);
    assert_eq!(clusters.len(), 3);
    assert_eq!(states, ["FINISHED", "FAILED", "CANCELED"].map(str::to_owned).into());
    assert!((45_000..53_000).contains(&(bytes / 60)), "{} bytes on average", bytes / 60);
    assert!(packed < bytes / 10, "packs take {packed} of {bytes} bytes");
    assert_eq!(Generator::new(plan).unwrap().application(7), generator.application(7), "the same seed gives the same");
}

#[test]
fn files_have_the_paths_of_flink_and_the_times_of_their_ends() {
    let out = tempfile::tempdir().unwrap();
    let generator = Generator::new(Plan { applications: 20, legacy_jobs: 8, ..Plan::default() }).unwrap();
    let made = generator.write_all(out.path()).unwrap();
    let modified = |path: &Path| {
        let time = fs::metadata(path).unwrap().modified().unwrap().duration_since(UNIX_EPOCH).unwrap();
        i64::try_from(time.as_millis()).unwrap()
    };
    let mut bytes = 0;
    for number in 0..20 {
        let application = generator.application(number);
        let folder = out.path().join(&application.cluster).join("applications").join(&application.id);
        let summary = fs::read_to_string(folder.join("application-summary")).unwrap();
        assert_eq!(summary, application.summary);
        assert_eq!(modified(&folder.join("application-summary")), application.end);
        assert_eq!(modified(&folder), application.end);
        assert_eq!(folder.join("jobs").exists(), !application.jobs.is_empty());
        for job in &application.jobs {
            let file = folder.join("jobs").join(&job.id);
            assert_eq!(modified(&file), job.end);
            assert_eq!(fs::read_to_string(file).unwrap(), job.archive);
            bytes += job.archive.len() as u64;
        }
        bytes += summary.len() as u64;
    }
    for number in 0..8 {
        let job = generator.legacy_job(number);
        let file = out.path().join(&job.id);
        assert_eq!(modified(&file), job.end);
        let (record, _) = job_of(&fs::read_to_string(file).unwrap(), &job.id);
        assert!(record.name.ends_with(&format!(" {number}")), "{}", record.name);
        bytes += job.archive.len() as u64;
    }
    assert_eq!(made.bytes, bytes);
}

#[test]
fn a_job_archive_of_any_size_is_written_and_read_in_little_memory() {
    for (bytes, document_bytes, documents) in [(3_000_000, 2_000, 1_100..1_500), (3_000_000, 3_000_000, 3..4), (0, 1, 2..3)] {
        let job = LargeJob { bytes, document_bytes, start: 1_700_000_000_000 };
        let id = LargeJob::id(3);
        let mut written = Vec::new();
        let length = job.write(&id, &mut written).unwrap();
        written.flush().unwrap();
        assert_eq!(length, written.len() as u64);
        assert!((bytes..bytes + bytes / 4 + 4_000).contains(&length), "{length} of {bytes}");
        serde_json::from_slice::<serde::de::IgnoredAny>(&written).unwrap();
        let mut paths = Paths::default();
        let read = read_stream(written.as_slice(), Owner::Job(id.parse().unwrap()), &ArchiveLimits::default(), &mut paths).unwrap();
        assert_eq!(read.flaws, []);
        assert!(documents.contains(&paths.0.len()), "{} documents", paths.0.len());
        assert!(matches!(read.record, Some(Record::Job(record)) if record.end == Some(Timestamp::from_millis(1_700_000_060_000))));
    }
}
