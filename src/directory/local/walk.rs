//! The walk over the root, its clusters and their applications. Blocking.

use std::fs::{self, DirEntry, Metadata};
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use super::files::{ApplicationFiles, Link, code_of, modified, version};
use super::remove::name_of_aside;
use super::{Local, failed, is_absent, is_loop, probe};
use crate::clock::Timestamp;
use crate::directory::error::DirectoryError;
use crate::directory::found::{Extent, FileKind, Found, FoundApplication, FoundFile, Hidden, Listed, Obstacle};
use crate::directory::layout;
use crate::ids::{ApplicationId, JobId};
use crate::names::{ClusterName, FilePath, is_hidden};
use crate::problem::ProblemCode;

/// Receives the pieces of a listing. An error ends the walk.
pub(super) type Sink<'a> = &'a mut dyn FnMut(Found) -> Result<(), DirectoryError>;

/// Maximum size of a batch. The receiver works on it while the walk goes on.
const MAX_BATCH: usize = 1000;
/// Size of the first batch: small, so that the newest archives are read at once.
const FIRST_BATCH: usize = 16;

/// Maximum number of hidden folders that one full scan searches for archives.
const MAX_PROBED: usize = 64;

/// A folder with the name of an application.
pub(super) struct Candidate {
    /// Position of its cluster.
    cluster: usize,
    id: ApplicationId,
    /// Its name, if it is not the id in lower case.
    spelled: Option<Box<str>>,
    /// Modification time of the folder.
    modified: Timestamp,
}

/// Whether a folder belongs to a cluster.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Cluster {
    /// It does, and was listed.
    Listed,
    /// It does not.
    Absent,
    /// Unknown, since it could not be listed.
    Hidden,
}

/// A folder that may belong to a cluster, or contain folders of clusters.
pub(super) struct Folder {
    /// Path below the root.
    pub(super) path: PathBuf,
    pub(super) is_link: bool,
}

/// The content of the root.
#[derive(Default)]
pub(super) struct Top {
    pub(super) folders: Vec<Folder>,
    /// Legacy job archives.
    pub(super) legacy: Vec<FoundFile>,
    pub(super) has_summary: bool,
}

/// A walk over one archive directory.
pub(super) struct Walk<'a> {
    local: &'a Local,
    /// State of the root at the start of the walk. The root must be the same folder at the end.
    start: Metadata,
    sink: Sink<'a>,
    pub(super) listed: Listed,
    clusters: Vec<ClusterName>,
    /// Applications found so far.
    pub(super) applications: usize,
    full_scan: bool,
    /// Hidden folders that were searched for archives.
    probed: usize,
}

impl<'a> Walk<'a> {
    /// A walk that has not begun. `start` is the state of the root.
    pub(super) fn new(local: &'a Local, start: Metadata, extent: &Extent, sink: Sink<'a>) -> Self {
        let listed = Listed { exists: true, doubt: None, requests: 1 };
        let full_scan = matches!(extent, Extent::Full);
        Self { local, start, sink, listed, clusters: Vec::new(), applications: 0, full_scan, probed: 0 }
    }

    /// The path of a file or folder below the root.
    pub(super) fn path(&self, below: &Path) -> PathBuf {
        self.local.root().join(below)
    }

    /// Device and inode of the root.
    pub(super) fn root_identity(&self) -> (u64, u64) {
        (self.start.dev(), self.start.ino())
    }

    pub(super) fn count_request(&mut self) {
        self.listed.requests += 1;
    }

    pub(super) fn send(&mut self, found: Found) -> Result<(), DirectoryError> {
        (self.sink)(found)
    }

    /// Reports archives below a hidden folder. Only a full scan does, since it needs a search.
    pub(super) fn hidden(&mut self, below: &Path) -> Result<(), DirectoryError> {
        if !self.full_scan || self.probed == MAX_PROBED {
            return Ok(());
        }
        self.probed += 1;
        if !probe::holds_archives(&self.path(below)) {
            return Ok(());
        }
        let name = below.to_string_lossy();
        let (path, code) = (FilePath::new(&*name), ProblemCode::HiddenFolder);
        (self.sink)(Found::Obstacle(Obstacle { hides: Hidden::Nothing, path, code, reason: layout::hidden_archives(&name) }))
    }

    /// Reads the root.
    pub(super) fn root(&mut self) -> Result<Top, DirectoryError> {
        let root = self.local.root();
        let broken = |error: &io::Error| failed("list the archive directory", root, error);
        let mut top = Top::default();
        for entry in fs::read_dir(root).map_err(|error| broken(&error))? {
            let entry = entry.map_err(|error| broken(&error))?;
            let name = entry.file_name();
            if is_hidden(name.as_bytes()) {
                if let Some(job) = name_of_aside(&name).filter(|name| JobId::from_name(name.as_bytes()).is_ok()) {
                    self.local.restore_interrupted(Path::new(""), job.as_ref());
                } else {
                    self.hidden(Path::new(&name))?;
                }
                continue;
            }
            let kind = match entry.file_type() {
                Ok(kind) => kind,
                Err(error) if is_absent(&error) => continue,
                Err(error) => {
                    self.top_obstacle(&entry, code_of(&error), &failed("read the state of", &entry.path(), &error).message)?;
                    continue;
                }
            };
            if kind.is_dir() {
                top.folders.push(Folder { path: name.into(), is_link: false });
            } else if kind.is_symlink() {
                self.top_link(&entry, &mut top)?;
            } else if kind.is_file()
                && let Ok(job) = JobId::from_name(name.as_bytes())
            {
                match entry.metadata() {
                    Ok(metadata) => top.legacy.push(legacy_file(&entry, job, &metadata)),
                    Err(error) if is_absent(&error) => {}
                    Err(error) => {
                        self.top_obstacle(&entry, code_of(&error), &failed("read the state of", &entry.path(), &error).message)?;
                    }
                }
            } else if kind.is_file() {
                top.has_summary |= name == layout::SUMMARY;
            }
        }
        for obstacle in layout::resolve_twins(&mut top.legacy) {
            (self.sink)(Found::Obstacle(obstacle))?;
        }
        Ok(top)
    }

    /// A symbolic link in the root: to a cluster, to a legacy job archive, or to something foreign.
    fn top_link(&mut self, entry: &DirEntry, top: &mut Top) -> Result<(), DirectoryError> {
        let path = entry.path();
        let job = JobId::from_name(entry.file_name().as_bytes());
        match (self.local.follow(&path), job) {
            (Link::Folder, _) => top.folders.push(Folder { path: entry.file_name().into(), is_link: true }),
            (Link::File(_, metadata), Ok(job)) => top.legacy.push(legacy_file(entry, job, &metadata)),
            (Link::File(..) | Link::Other, _) => {}
            // A link to a file outside that is no archive is ignored.
            (Link::Refused(_), Err(_)) if fs::metadata(&path).is_ok() => {}
            (Link::Refused(reason), _) => self.top_obstacle(entry, ProblemCode::LinkRefused, &reason)?,
            (Link::Failed(error), _) => self.top_obstacle(entry, code_of(&error), &failed("follow", &path, &error).message)?,
        }
        Ok(())
    }

    /// Reports an entry of the root whose kind is unknown. It may hide a cluster or a legacy job archive.
    fn top_obstacle(&mut self, entry: &DirEntry, code: ProblemCode, reason: &str) -> Result<(), DirectoryError> {
        let name = entry.file_name();
        let path = FilePath::new(name.to_string_lossy());
        let cluster = name.to_str().map(ClusterName::new);
        let hides = match (cluster, JobId::from_name(name.as_bytes())) {
            (Some(cluster), Ok(job)) => Hidden::ClusterOrLegacyJob(cluster, job),
            (Some(cluster), Err(_)) => Hidden::Cluster(cluster),
            (None, _) => Hidden::Nothing,
        };
        (self.sink)(Found::Obstacle(Obstacle { hides, path, code, reason: reason.to_owned() }))
    }

    /// Reads the names of a cluster's applications. Applications whose files are not wanted are sent at once.
    pub(super) fn cluster(&mut self, folder: &Path, extent: &Extent, wanted: &mut Vec<Candidate>) -> Result<Cluster, DirectoryError> {
        let applications = self.path(&folder.join(layout::APPLICATIONS));
        self.count_request();
        let entries = match fs::read_dir(&applications) {
            Ok(entries) => entries,
            Err(error) if is_absent(&error) => return self.no_applications(folder, &applications),
            Err(error) => {
                let hint = if folder.as_os_str() == "lost+found" {
                    "; this folder belongs to the file system, so this is normal unless a cluster has this name"
                } else {
                    ""
                };
                let reason = format!("{}{hint}", failed("list", &applications, &error).message);
                return self.cluster_obstacle(folder, code_of(&error), reason);
            }
        };
        let Some(name) = folder.to_str() else {
            let reason =
                format!("the name of {} is not UTF-8, so its applications cannot be shown; rename the folder", self.path(folder).display());
            return self.cluster_obstacle(folder, ProblemCode::NameUndecodable, reason);
        };
        // Names are readable without permission to enter the folder. Then files are hidden, and none counts as missing.
        if let Err(error) = fs::metadata(applications.join(".")) {
            let reason = failed("enter", &applications, &error).message;
            return self.cluster_obstacle(folder, code_of(&error), reason);
        }
        let position = self.clusters.len();
        let cluster = ClusterName::new(name);
        self.clusters.push(cluster.clone());
        let mut candidates = Vec::new();
        for entry in entries {
            match entry {
                Ok(entry) => candidates.extend(self.candidate(&entry, folder, position)?),
                Err(error) => {
                    let reason = failed("list", &applications, &error).message;
                    self.cluster_obstacle(folder, code_of(&error), reason)?;
                    break;
                }
            }
        }
        self.resolve_twins(&mut candidates)?;
        self.applications += candidates.len();
        let mut names = Vec::new();
        for candidate in candidates {
            match extent {
                Extent::Quick(wants_files) if !wants_files(&cluster, &candidate.id) => {
                    names.push(FoundApplication {
                        folder: self.folder(&candidate),
                        cluster: cluster.clone(),
                        id: candidate.id,
                        files: None,
                    });
                    if names.len() == MAX_BATCH {
                        (self.sink)(Found::Applications(std::mem::replace(&mut names, Vec::with_capacity(MAX_BATCH))))?;
                    }
                }
                _ => wanted.push(candidate),
            }
        }
        if !names.is_empty() {
            (self.sink)(Found::Applications(names))?;
        }
        Ok(Cluster::Listed)
    }

    /// Classifies a folder without `applications`: it is no cluster, unless that is a broken link or the root is missing.
    fn no_applications(&mut self, folder: &Path, applications: &Path) -> Result<Cluster, DirectoryError> {
        self.check_root()?;
        let is_link = fs::symlink_metadata(applications).is_ok_and(|metadata| metadata.is_symlink());
        if is_link && fs::metadata(applications).is_err() {
            let reason = format!("the target of the symbolic link {} does not exist; correct or remove the link", applications.display());
            return self.cluster_obstacle(folder, ProblemCode::LinkRefused, reason);
        }
        Ok(Cluster::Absent)
    }

    fn cluster_obstacle(&mut self, folder: &Path, code: ProblemCode, reason: String) -> Result<Cluster, DirectoryError> {
        let hides = folder.to_str().map_or(Hidden::Nothing, |name| Hidden::Cluster(ClusterName::new(name)));
        let path = FilePath::new(folder.join(layout::APPLICATIONS).to_string_lossy());
        (self.sink)(Found::Obstacle(Obstacle { hides, path, code, reason }))?;
        Ok(Cluster::Hidden)
    }

    /// An entry of `applications/`, if it is an application.
    fn candidate(&mut self, entry: &DirEntry, folder: &Path, cluster: usize) -> Result<Option<Candidate>, DirectoryError> {
        let name = entry.file_name();
        let (Ok(id), Some(name)) = (ApplicationId::from_name(name.as_bytes()), name.to_str()) else {
            let applications = folder.join(layout::APPLICATIONS);
            let name = entry.file_name();
            if let Some(link) = name_of_aside(&name).filter(|name| ApplicationId::from_name(name.as_bytes()).is_ok()) {
                self.local.restore_interrupted(&applications, link.as_ref());
            } else if is_hidden(name.as_bytes()) {
                self.hidden(&applications.join(&name))?;
            }
            return Ok(None);
        };
        let spelled = layout::has_upper_case(name).then(|| name.into());
        let candidate = Candidate { cluster, id, spelled, modified: Timestamp::EPOCH };
        let error = match entry.file_type() {
            Ok(kind) if kind.is_dir() => return Ok(Some(candidate)),
            Ok(kind) if kind.is_symlink() => match fs::metadata(entry.path()) {
                Ok(target) => return Ok(target.is_dir().then_some(candidate)),
                Err(error) => error,
            },
            Ok(_) => return Ok(None),
            Err(error) if is_absent(&error) => return Ok(None),
            Err(error) => error,
        };
        let (code, reason) = if is_absent(&error) || is_loop(&error) {
            let path = entry.path();
            let reason = if is_loop(&error) {
                format!("the symbolic link {} is part of a loop; correct or remove the link", path.display())
            } else {
                format!("the target of the symbolic link {} does not exist; correct or remove the link", path.display())
            };
            (ProblemCode::LinkRefused, reason)
        } else {
            (code_of(&error), failed("read the state of", &entry.path(), &error).message)
        };
        self.application_obstacle(&candidate, code, reason)?;
        Ok(None)
    }

    fn application_obstacle(&mut self, candidate: &Candidate, code: ProblemCode, reason: String) -> Result<(), DirectoryError> {
        let hides = Hidden::Application(self.clusters[candidate.cluster].clone(), candidate.id);
        let path = self.folder(candidate);
        (self.sink)(Found::Obstacle(Obstacle { hides, path, code, reason }))
    }

    /// Keeps one folder per id: the name in lower case, else the first name.
    fn resolve_twins(&mut self, candidates: &mut Vec<Candidate>) -> Result<(), DirectoryError> {
        // Names are unique in a folder, so only names in another case can be twins.
        if candidates.iter().all(|candidate| candidate.spelled.is_none()) {
            return Ok(());
        }
        candidates.sort_by(|left, right| (left.id, &left.spelled).cmp(&(right.id, &right.spelled)));
        let mut refused = Vec::new();
        let mut taken: Option<(ApplicationId, FilePath)> = None;
        candidates.retain(|candidate| match &taken {
            Some((id, first)) if *id == candidate.id => {
                refused.push(layout::ambiguous(&self.folder(candidate), layout::file_name(first.as_str())));
                false
            }
            _ => {
                taken = Some((candidate.id, self.folder(candidate)));
                true
            }
        });
        refused.into_iter().try_for_each(|obstacle| (self.sink)(Found::Obstacle(obstacle)))
    }

    fn folder(&self, candidate: &Candidate) -> FilePath {
        let cluster = &self.clusters[candidate.cluster];
        match &candidate.spelled {
            Some(name) => layout::application_folder(cluster, name),
            None => layout::application_folder(cluster, candidate.id),
        }
    }

    /// Sends applications with their files, and legacy job archives, both newest first.
    pub(super) fn details(&mut self, applications: Vec<Candidate>, mut legacy: Vec<FoundFile>) -> Result<(), DirectoryError> {
        let mut dated = Vec::with_capacity(applications.len());
        for mut candidate in applications {
            let path = self.local.root().join(self.folder(&candidate).as_str());
            match fs::metadata(&path) {
                Ok(metadata) => {
                    candidate.modified = modified(&metadata);
                    dated.push(candidate);
                }
                // It was removed after its name was read.
                Err(error) if is_absent(&error) => self.check_root()?,
                Err(error) => self.application_obstacle(&candidate, code_of(&error), failed("read the state of", &path, &error).message)?,
            }
        }
        dated.sort_by_key(|candidate| std::cmp::Reverse(candidate.modified));
        legacy.sort_by_key(|file| std::cmp::Reverse(file.version.modified));

        let mut applications = Batches::new();
        let mut jobs = Batches::new();
        let mut legacy = legacy.into_iter().peekable();
        for candidate in dated {
            while let Some(file) = legacy.next_if(|file| file.version.modified > candidate.modified) {
                if let Some(batch) = jobs.push(file) {
                    (self.sink)(Found::LegacyJobs(batch))?;
                }
            }
            let application = self.application(&candidate)?;
            if let Some(batch) = applications.push(application) {
                (self.sink)(Found::Applications(batch))?;
            }
        }
        for file in legacy {
            if let Some(batch) = jobs.push(file) {
                (self.sink)(Found::LegacyJobs(batch))?;
            }
        }
        if !applications.rest.is_empty() {
            (self.sink)(Found::Applications(applications.rest))?;
        }
        if !jobs.rest.is_empty() {
            (self.sink)(Found::LegacyJobs(jobs.rest))?;
        }
        Ok(())
    }

    fn application(&mut self, candidate: &Candidate) -> Result<FoundApplication, DirectoryError> {
        let folder = self.folder(candidate);
        let cluster = self.clusters[candidate.cluster].clone();
        self.listed.requests += 1;
        let mut found = ApplicationFiles::new(self.local, &cluster, candidate.id, &folder);
        found.collect(&self.local.root().join(folder.as_str()));
        let files = found.files;
        if files.is_empty() {
            self.check_root()?;
        }
        for obstacle in found.obstacles {
            (self.sink)(Found::Obstacle(obstacle))?;
        }
        Ok(FoundApplication { cluster, id: candidate.id, folder, files: Some(files) })
    }

    /// Fails when the root is another folder than at the start. Then files that were not found do not count as missing.
    pub(super) fn check_root(&self) -> Result<(), DirectoryError> {
        let root = self.local.root();
        match fs::metadata(root) {
            Ok(now) if now.dev() == self.start.dev() && now.ino() == self.start.ino() => Ok(()),
            Ok(_) => Err(DirectoryError::unavailable(format!(
                "the archive directory {} was replaced by another folder while it was listed; the next refresh lists it again",
                root.display()
            ))),
            Err(error) => Err(DirectoryError::unavailable(format!(
                "the archive directory {} became unreachable while it was listed: {error}; the next refresh lists it again",
                root.display()
            ))),
        }
    }
}

fn legacy_file(entry: &DirEntry, job: JobId, metadata: &Metadata) -> FoundFile {
    FoundFile { path: FilePath::new(entry.file_name().to_string_lossy()), kind: FileKind::Job(job), version: version(metadata) }
}

/// Batches that begin small and grow.
struct Batches<T> {
    rest: Vec<T>,
    limit: usize,
}

impl<T> Batches<T> {
    fn new() -> Self {
        Self { rest: Vec::new(), limit: FIRST_BATCH }
    }

    fn push(&mut self, item: T) -> Option<Vec<T>> {
        self.rest.push(item);
        if self.rest.len() < self.limit {
            return None;
        }
        self.limit = (self.limit * 4).min(MAX_BATCH);
        Some(std::mem::replace(&mut self.rest, Vec::with_capacity(self.limit)))
    }
}
