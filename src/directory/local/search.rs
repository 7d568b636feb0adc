//! The search for clusters: folders that hold `applications`, directly in the root or in folders of folders. Blocking.
//!
//! Every folder of the root is looked at, and so is every cluster that is known. What lies deeper is searched at a bounded cost:
//! beside the archives there may be anything. A quick scan does not search clusters that it knows, a full scan does.

use std::collections::{HashSet, VecDeque};
use std::fs::{self, DirEntry, FileType};
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use super::files::code_of;
use super::walk::{Candidate, Cluster, Folder, Walk};
use super::{failed, is_absent, probe};
use crate::directory::error::DirectoryError;
use crate::directory::found::{Extent, Found, Hidden, Obstacle};
use crate::directory::layout;
use crate::directory::level::Sights;
use crate::ids::{ApplicationId, JobId};
use crate::names::{ClusterName, FilePath, is_hidden};
use crate::problem::ProblemCode;

/// What a search costs: an entry of a folder one, to look for `applications` in a folder and to read a folder so much each.
const FOLDER_COST: usize = 50;
/// What the search of a quick scan may cost: some two hundred folders.
const QUICK_SCAN_COST: usize = 20_000;
/// What the search of a full scan may cost.
const FULL_SCAN_COST: usize = 500_000;
/// Files of one folder that are read to tell whether they are archives.
const PEEKS: usize = 8;
/// Folders of one kind of trouble that are told in one listing.
const MOST_TOLD: usize = 16;

/// What one folder holds that matters.
#[derive(Default)]
struct Inside {
    folders: Vec<Folder>,
    hidden: Vec<PathBuf>,
    job_archives: bool,
    application_files: bool,
    /// Files that were read to tell whether they are archives.
    peeks: usize,
}

pub(super) struct Search<'w, 'a> {
    walk: &'w mut Walk<'a>,
    extent: &'w Extent,
    known: HashSet<&'w str>,
    /// Device and inode of the folders that were met: links may lead to them again.
    met: HashSet<(u64, u64)>,
    cost_left: usize,
    told: usize,
    /// The first folder that was not searched for want of means.
    skipped: Option<PathBuf>,
    sights: Sights,
    wanted: Vec<Candidate>,
}

/// Finds all clusters, sends the applications of which only names are wanted, and returns the others, with what else was seen.
pub(super) fn clusters<'w>(
    walk: &'w mut Walk<'_>,
    folders: Vec<Folder>,
    extent: &'w Extent,
    known: &'w [ClusterName],
) -> Result<(Vec<Candidate>, Sights), DirectoryError> {
    let full_scan = matches!(extent, Extent::Full);
    let mut search = Search {
        walk,
        extent,
        known: known.iter().map(ClusterName::as_str).collect(),
        met: HashSet::new(),
        cost_left: if full_scan { FULL_SCAN_COST } else { QUICK_SCAN_COST },
        told: 0,
        skipped: None,
        sights: Sights::default(),
        wanted: Vec::new(),
    };
    for cluster in known.iter().filter(|cluster| cluster.as_str().contains('/') && !cluster.is_hidden()) {
        search.cluster(Path::new(cluster.as_str()))?;
    }
    search.run(folders)?;
    Ok((search.wanted, search.sights))
}

impl Search<'_, '_> {
    fn full_scan(&self) -> bool {
        matches!(self.extent, Extent::Full)
    }

    fn run(&mut self, folders: Vec<Folder>) -> Result<(), DirectoryError> {
        self.met.insert(self.walk.root_identity());
        let (mut plain, mut links) = (VecDeque::new(), VecDeque::new());
        enqueue(folders, &mut plain, &mut links);
        // Of two ways to a folder the one without links counts.
        while let Some(folder) = plain.pop_front().or_else(|| links.pop_front()) {
            let depth = folder.path.components().count();
            // What lies directly in the root is always looked at.
            if depth > 1 && !self.pay(&folder.path) {
                continue;
            }
            let is_new = self.is_new(&folder.path);
            if depth > 1 && !is_new {
                continue;
            }
            let name = folder.path.to_str();
            let is_known = name.is_some_and(|name| self.known.contains(name));
            let found = if depth > 1 && is_known { Cluster::Listed } else { self.cluster(&folder.path)? };
            if folder.path.as_os_str() == layout::APPLICATIONS {
                self.sights.is_cluster = self.holds_an_application(&folder.path);
                continue;
            }
            let searched = match found {
                Cluster::Hidden => false,
                Cluster::Absent => true,
                Cluster::Listed => self.full_scan() || !is_known,
            };
            if searched && is_new {
                let inside = self.inside(&folder.path)?;
                self.note(&folder.path, depth, &inside)?;
                if depth < layout::MOST_SEGMENTS {
                    enqueue(inside.folders, &mut plain, &mut links);
                } else {
                    self.tell_deeper(&inside.folders)?;
                }
            }
        }
        match self.skipped.take() {
            Some(skipped) if self.full_scan() && !self.sights.holds_applications => self.tell_skipped(&skipped),
            _ => Ok(()),
        }
    }

    /// Lists a cluster, if the folder is one.
    fn cluster(&mut self, folder: &Path) -> Result<Cluster, DirectoryError> {
        let before = self.walk.applications;
        let found = self.walk.cluster(folder, self.extent, &mut self.wanted)?;
        if self.walk.applications > before {
            let mut parts = folder.components();
            match (parts.next(), parts.next()) {
                (Some(first), Some(_)) if folder.to_str().is_some_and(layout::ends_with_an_id) => {
                    self.sights.archive_directories.insert(first.as_os_str().to_string_lossy().into_owned());
                }
                (_, Some(_)) => {}
                _ => self.sights.has_archives = true,
            }
        }
        Ok(found)
    }

    /// Whether a folder was not met before, by this name or another.
    fn is_new(&mut self, folder: &Path) -> bool {
        // One that is gone by now has nothing in it.
        fs::metadata(self.walk.path(folder)).is_ok_and(|folder| self.met.insert((folder.dev(), folder.ino())))
    }

    /// Takes the cost of a folder from what is left; `false` when there is too little.
    fn pay(&mut self, folder: &Path) -> bool {
        if self.cost_left < FOLDER_COST {
            self.skipped.get_or_insert_with(|| folder.to_path_buf());
            return false;
        }
        self.cost_left -= FOLDER_COST;
        true
    }

    fn inside(&mut self, folder: &Path) -> Result<Inside, DirectoryError> {
        let mut inside = Inside::default();
        if !self.pay(folder) {
            return Ok(inside);
        }
        self.walk.count_request();
        let path = self.walk.path(folder);
        let entries = match fs::read_dir(&path) {
            Ok(entries) => entries,
            Err(error) if is_absent(&error) => return Ok(inside),
            Err(error) => {
                let hint = "; clusters below it are not found unless they are known";
                let reason = format!("{}{hint}", failed("list", &path, &error).message);
                self.tell(folder, code_of(&error), reason)?;
                return Ok(inside);
            }
        };
        for entry in entries.map_while(Result::ok) {
            if self.cost_left == 0 {
                self.skipped.get_or_insert_with(|| folder.to_path_buf());
                break;
            }
            self.cost_left -= 1;
            let Ok(kind) = entry.file_type() else { continue };
            inside.take(folder, &entry, kind);
        }
        Ok(inside)
    }

    /// What the inside of a folder tells of the place of the root, and of archives that are not listed.
    fn note(&mut self, folder: &Path, depth: usize, inside: &Inside) -> Result<(), DirectoryError> {
        if depth == 1 {
            let is_id = ApplicationId::from_name(folder.as_os_str().as_bytes()).is_ok();
            self.sights.holds_applications |= is_id && inside.application_files;
            if inside.job_archives {
                if folder.as_os_str() == layout::JOBS {
                    self.sights.is_application = true;
                } else {
                    self.sights.archive_directories.insert(folder.to_string_lossy().into_owned());
                }
            }
        }
        if self.full_scan() { inside.hidden.iter().try_for_each(|hidden| self.walk.hidden(hidden)) } else { Ok(()) }
    }

    /// Whether a folder `applications` directly in the root holds applications.
    fn holds_an_application(&self, folder: &Path) -> bool {
        let entries = fs::read_dir(self.walk.path(folder)).into_iter().flatten().map_while(Result::ok).take(FOLDER_COST);
        entries
            .filter(|entry| ApplicationId::from_name(entry.file_name().as_bytes()).is_ok())
            .any(|entry| entry.path().join(layout::SUMMARY).exists() || entry.path().join(layout::JOBS).exists())
    }

    /// Tells of archives that lie too deep.
    fn tell_deeper(&mut self, folders: &[Folder]) -> Result<(), DirectoryError> {
        if !self.full_scan() {
            return Ok(());
        }
        for folder in folders.iter().filter(|folder| !folder.is_link).take(MOST_TOLD) {
            if self.told < MOST_TOLD && probe::holds_archives(&self.walk.path(&folder.path)) {
                let reason = layout::too_deep(&folder.path.to_string_lossy());
                self.tell(&folder.path, ProblemCode::SearchLimited, reason)?;
            }
        }
        Ok(())
    }

    fn tell_skipped(&mut self, folder: &Path) -> Result<(), DirectoryError> {
        self.tell(folder, ProblemCode::SearchLimited, layout::too_many(&folder.to_string_lossy()))
    }

    fn tell(&mut self, folder: &Path, code: ProblemCode, reason: String) -> Result<(), DirectoryError> {
        if self.told == MOST_TOLD && code != ProblemCode::SearchLimited {
            return Ok(());
        }
        self.told += 1;
        let path = FilePath::new(folder.to_string_lossy());
        self.walk.send(Found::Obstacle(Obstacle { hides: Hidden::Nothing, path, code, reason }))
    }
}

fn enqueue(folders: Vec<Folder>, plain: &mut VecDeque<Folder>, links: &mut VecDeque<Folder>) {
    for folder in folders {
        if folder.is_link { links.push_back(folder) } else { plain.push_back(folder) }
    }
}

impl Inside {
    fn take(&mut self, folder: &Path, entry: &DirEntry, kind: FileType) {
        let name = entry.file_name();
        if kind.is_file() {
            self.application_files |= name == layout::SUMMARY;
            if self.peeks < PEEKS && !self.job_archives && JobId::from_name(name.as_bytes()).is_ok() {
                self.peeks += 1;
                self.job_archives = probe::begins_like_an_archive(&entry.path());
            }
        } else if kind.is_dir() || (kind.is_symlink() && fs::metadata(entry.path()).is_ok_and(|target| target.is_dir())) {
            let path = folder.join(&name);
            if is_hidden(name.as_bytes()) {
                self.hidden.push(path);
            } else if name != layout::APPLICATIONS {
                self.application_files |= name == layout::JOBS;
                self.folders.push(Folder { path, is_link: kind.is_symlink() });
            }
        }
    }
}
