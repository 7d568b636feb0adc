//! The search for clusters: folders that hold `applications`, directly in the root or in folders of folders. Blocking.
//!
//! Every folder of the root and every known cluster is read. Deeper folders are searched at a bounded cost, since the root may contain
//! many other files. A quick scan does not search known clusters; a full scan does.

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

/// Cost of reading a folder, and of a check for `applications` in it. Reading one entry costs 1.
const FOLDER_COST: usize = 50;
/// Maximum cost of a search in a quick scan: about two hundred folders.
const MAX_QUICK_SCAN_COST: usize = 20_000;
/// Maximum cost of a search in a full scan.
const MAX_FULL_SCAN_COST: usize = 500_000;
/// Maximum number of files of one folder that are opened to check whether they are archives.
const MAX_PEEKS: usize = 8;
/// Maximum number of folders that one listing reports.
const MAX_REPORTED: usize = 16;

/// The relevant content of one folder.
#[derive(Default)]
struct Inside {
    folders: Vec<Folder>,
    hidden: Vec<PathBuf>,
    job_archives: bool,
    application_files: bool,
    /// Number of files that were opened to check whether they are archives.
    peeks: usize,
}

pub(super) struct Search<'w, 'a> {
    walk: &'w mut Walk<'a>,
    extent: &'w Extent,
    known: HashSet<&'w str>,
    /// Device and inode of the folders that were visited, since links may lead to them again.
    visited: HashSet<(u64, u64)>,
    cost_left: usize,
    reported: usize,
    /// The first folder that was not searched because of the maximum cost.
    skipped: Option<PathBuf>,
    sights: Sights,
    wanted: Vec<Candidate>,
}

/// Finds all clusters and sends the applications whose files are not wanted. Returns the other applications and the findings about
/// the level of the root.
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
        visited: HashSet::new(),
        cost_left: if full_scan { MAX_FULL_SCAN_COST } else { MAX_QUICK_SCAN_COST },
        reported: 0,
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
        self.visited.insert(self.walk.root_identity());
        let (mut plain, mut links) = (VecDeque::new(), VecDeque::new());
        enqueue(folders, &mut plain, &mut links);
        // Folders come before links, so that a folder gets its path without links.
        while let Some(folder) = plain.pop_front().or_else(|| links.pop_front()) {
            let depth = folder.path.components().count();
            // Folders directly in the root are always read.
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
                if depth < layout::MAX_SEGMENTS {
                    enqueue(inside.folders, &mut plain, &mut links);
                } else {
                    self.report_deeper(&inside.folders)?;
                }
            }
        }
        match self.skipped.take() {
            Some(skipped) if self.full_scan() && !self.sights.holds_applications => self.report_skipped(&skipped),
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

    /// Whether a folder was not visited before under any name.
    fn is_new(&mut self, folder: &Path) -> bool {
        // A missing folder has no content.
        fs::metadata(self.walk.path(folder)).is_ok_and(|folder| self.visited.insert((folder.dev(), folder.ino())))
    }

    /// Subtracts the cost of a folder from the remaining cost. Returns `false` if too little is left.
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
                let hint = "; unknown clusters below it are not found";
                let reason = format!("{}{hint}", failed("list", &path, &error).message);
                self.report(folder, code_of(&error), reason)?;
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

    /// Records findings of a folder about the level of the root, and about archives that are not listed.
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

    /// Whether a folder `applications` directly in the root contains applications.
    fn holds_an_application(&self, folder: &Path) -> bool {
        let entries = fs::read_dir(self.walk.path(folder)).into_iter().flatten().map_while(Result::ok).take(FOLDER_COST);
        entries
            .filter(|entry| ApplicationId::from_name(entry.file_name().as_bytes()).is_ok())
            .any(|entry| entry.path().join(layout::SUMMARY).exists() || entry.path().join(layout::JOBS).exists())
    }

    /// Reports archives that lie too deep.
    fn report_deeper(&mut self, folders: &[Folder]) -> Result<(), DirectoryError> {
        if !self.full_scan() {
            return Ok(());
        }
        for folder in folders.iter().filter(|folder| !folder.is_link).take(MAX_REPORTED) {
            if self.reported < MAX_REPORTED && probe::holds_archives(&self.walk.path(&folder.path)) {
                let reason = layout::too_deep(&folder.path.to_string_lossy());
                self.report(&folder.path, ProblemCode::SearchLimited, reason)?;
            }
        }
        Ok(())
    }

    fn report_skipped(&mut self, folder: &Path) -> Result<(), DirectoryError> {
        self.report(folder, ProblemCode::SearchLimited, layout::too_many(&folder.to_string_lossy()))
    }

    fn report(&mut self, folder: &Path, code: ProblemCode, reason: String) -> Result<(), DirectoryError> {
        if self.reported == MAX_REPORTED && code != ProblemCode::SearchLimited {
            return Ok(());
        }
        self.reported += 1;
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
            if self.peeks < MAX_PEEKS && !self.job_archives && JobId::from_name(name.as_bytes()).is_ok() {
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
