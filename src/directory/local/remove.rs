//! Deletion of files, empty folders and links. No link is followed.
//!
//! An entry is deleted by its name, and another program may replace the entry before that. So the entry is first renamed to an unused
//! name, then checked, and deleted if it is the expected one. Otherwise its name is restored.

use std::ffi::{OsStr, OsString};
use std::io;
use std::path::Path;
use std::time::Duration;

use rustix::fs::Stat;

use super::held::{self, Folder, Way, is_folder, is_link};
use super::{Local, failed, is_absent};
use crate::directory::error::DirectoryError;
use crate::directory::found::FileVersion;
use crate::directory::{Deleted, layout};
use crate::ids::JobId;
use crate::names::FilePath;

impl Local {
    pub(super) fn remove_file(&self, below: &FilePath, expected: &FileVersion) -> Result<Deleted, DirectoryError> {
        layout::check_deletable(below)?;
        let path = self.path(below)?;
        let (folder, name) = split(below);
        let folder = match self.hold(folder)? {
            Way::Folder(folder) => folder,
            Way::Link(link) => {
                let link = link.display();
                return Err(DirectoryError::refused(format!("{} is not deleted: {link} in its path is a symbolic link", path.display())));
            }
            Way::Absent => return Ok(Deleted::AlreadyMissing),
        };
        if folder.state(name).is_ok_and(|state| is_folder(&state)) {
            return Err(DirectoryError::refused(format!("{} is not deleted: it is a folder", path.display())));
        }
        // The listing contains the state of the target of a link.
        let as_expected = |name: &OsStr, state: &Stat| {
            let file = if is_link(state) { folder.target_state(name).ok() } else { Some(*state) };
            file.is_some_and(|file| held::version(&file) == *expected)
        };
        match delete_expected(&folder, name, &as_expected) {
            Ok(Deleted::AlreadyMissing) => self.check_root().map(|()| Deleted::AlreadyMissing),
            Ok(deleted) => Ok(deleted),
            Err(error) => Err(failed("delete", &path, &error)),
        }
    }

    pub(super) fn remove_empty_folder(&self, below: &FilePath) -> Result<bool, DirectoryError> {
        let path = self.path(below)?;
        let folder = below.as_str().strip_suffix(layout::JOBS).and_then(|folder| folder.strip_suffix('/'));
        if layout::application_of(&folder.map_or_else(|| below.clone(), FilePath::new)).is_none() {
            return Err(DirectoryError::refused(format!("{} is not removed: it is not the folder of an application", path.display())));
        }
        let link =
            |link: &Path| Err(DirectoryError::refused(format!("{} is not removed: {} is a symbolic link", path.display(), link.display())));
        let (folder, name) = split(below);
        let folder = match self.hold(folder)? {
            Way::Folder(folder) => folder,
            Way::Link(found) => return link(&found),
            Way::Absent => return Ok(true),
        };
        match folder.remove_folder(name) {
            Ok(()) => Ok(true),
            Err(_) if folder.state(name).is_ok_and(|state| is_link(&state)) => link(Path::new(below.as_str())),
            // Some systems answer AlreadyExists for a folder that is not empty.
            Err(error) if matches!(error.kind(), io::ErrorKind::DirectoryNotEmpty | io::ErrorKind::AlreadyExists) => Ok(false),
            Err(error) if is_absent(&error) => self.check_root().map(|()| true),
            Err(error) => Err(failed("delete", &path, &error)),
        }
    }

    pub(super) fn first_link_in(&self, folder: &FilePath) -> Result<Option<FilePath>, DirectoryError> {
        Ok(match self.hold(Path::new(layout::check(folder)?))? {
            Way::Link(link) => Some(FilePath::new(link.to_string_lossy())),
            Way::Folder(_) | Way::Absent => None,
        })
    }

    pub(super) fn remove_symbolic_link(&self, below: &FilePath) -> Result<Deleted, DirectoryError> {
        layout::check_deletable(below)?;
        let path = self.path(below)?;
        let (folder, name) = split(below);
        let folder = match self.hold(folder)? {
            Way::Folder(folder) => folder,
            Way::Link(link) => {
                let link = link.display();
                return Err(DirectoryError::refused(format!("{} is not removed: it lies below the symbolic link {link}", path.display())));
            }
            Way::Absent => return Ok(Deleted::AlreadyMissing),
        };
        match delete_expected(&folder, name, &|_, state| is_link(state)) {
            Ok(Deleted::AlreadyMissing) => self.check_root().map(|()| Deleted::AlreadyMissing),
            Ok(Deleted::Changed) => Err(DirectoryError::refused(format!("{} is not removed: it is not a symbolic link", path.display()))),
            Ok(Deleted::Done) => Ok(Deleted::Done),
            Err(error) => Err(failed("delete", &path, &error)),
        }
    }

    /// Restores the names of the archives of an application, or of a legacy job archive, after an interrupted deletion.
    pub(super) fn restore_names(&self, unit: &FilePath) -> Result<(), DirectoryError> {
        self.path(unit)?;
        let (parent, name) = split(unit);
        if layout::application_of(unit).is_none() {
            if let Way::Folder(root) = self.hold(parent)? {
                self.restore_name(&root, parent, name)?;
            }
            return Ok(());
        }
        // The application may be a symbolic link, and so may its folder of jobs.
        if let Way::Folder(applications) = self.hold(parent)? {
            self.restore_name(&applications, parent, name)?;
        }
        let folder = Path::new(unit.as_str());
        if let Way::Folder(application) = self.hold(folder)? {
            self.restore_name(&application, folder, OsStr::new(layout::SUMMARY))?;
            self.restore_name(&application, folder, OsStr::new(layout::JOBS))?;
        }
        let below = folder.join(layout::JOBS);
        let Way::Folder(jobs) = self.hold(&below)? else { return Ok(()) };
        let names = match jobs.names() {
            Ok(names) => names,
            Err(error) if is_absent(&error) => return Ok(()),
            Err(error) => return Err(failed("list", &self.root().join(below), &error)),
        };
        names.iter().filter_map(|aside| job_aside(aside)).try_for_each(|name| self.restore_name(&jobs, &below, OsStr::new(name)))
    }

    /// Restores the name of an entry of `folder` after an interrupted deletion. A listing does this, since an index that was lost does not
    /// know which deletions had begun. An entry that was renamed within the last minute is not changed: its deletion may be running, in
    /// this or another server.
    pub(super) fn restore_interrupted(&self, folder: &Path, name: &OsStr) {
        let restored = self.hold(folder).and_then(|way| {
            let Way::Folder(held) = way else { return Ok(()) };
            match held.state(&aside(name)) {
                Ok(state) if self.clock.now().since(held::renamed(&state)) >= INTERRUPTED_AFTER => self.restore_name(&held, folder, name),
                _ => Ok(()),
            }
        });
        if let Err(error) = restored {
            tracing::warn!(archive.directory = %self.root().display(), "the name of an archive could not be restored after an interrupted deletion: {error}");
        }
    }

    fn restore_name(&self, folder: &Folder, below: &Path, name: &OsStr) -> Result<(), DirectoryError> {
        let aside = aside(name);
        let path = || self.root().join(below).join(&aside);
        match folder.rename(&aside, name) {
            Ok(()) => tracing::info!(archive.path = %path().display(), "the name of an archive was restored after an interrupted deletion"),
            Err(error) if is_absent(&error) => {}
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                tracing::warn!(
                    archive.path = %path().display(),
                    "a deletion was interrupted, and the archive was written again since: check this file, and remove it"
                );
            }
            Err(error) => return Err(failed("rename", &path(), &error)),
        }
        Ok(())
    }
}

/// Deletes an entry if it is the expected one, which is checked before and after it is renamed.
fn delete_expected(folder: &Folder, name: &OsStr, is_expected: &dyn Fn(&OsStr, &Stat) -> bool) -> io::Result<Deleted> {
    let missing = |error: io::Error| if is_absent(&error) { Ok(Deleted::AlreadyMissing) } else { Err(error) };
    match folder.state(name) {
        Ok(state) if is_expected(name, &state) => {}
        Ok(_) => return Ok(Deleted::Changed),
        Err(error) => return missing(error),
    }
    let aside = aside(name);
    match if folder.renaming_keeps_files() { folder.rename(name, &aside) } else { Err(io::ErrorKind::Unsupported.into()) } {
        Ok(()) => {}
        Err(error) if is_absent(&error) => return Ok(Deleted::AlreadyMissing),
        // Left by an earlier deletion; `restore_names` has reported it.
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => return Err(error),
        // On file systems without renames, the check before must be enough.
        Err(_) => return folder.unlink(name).map(|()| Deleted::Done).or_else(missing),
    }
    let taken = match folder.state(&aside) {
        Ok(state) if is_expected(&aside, &state) => folder.unlink(&aside).map(|()| Deleted::Done),
        Ok(_) => Ok(Deleted::Changed),
        Err(error) => Err(error),
    };
    match taken {
        Ok(Deleted::Done) => Ok(Deleted::Done),
        // Another server that cleans this directory has restored the name or deleted the entry.
        Err(error) if is_absent(&error) => Ok(Deleted::AlreadyMissing),
        other => {
            folder.rename(&aside, name)?;
            other
        }
    }
}

/// The name of an entry while it is deleted. It is a hidden name, which Flink's server ignores, too.
fn aside(name: &OsStr) -> OsString {
    let mut aside = OsString::from(BEFORE);
    aside.push(name);
    aside.push(AFTER);
    aside
}

const BEFORE: &str = ".";
const AFTER: &str = ".deleting";

/// A deletion is instant. After this time an entry with such a name was left by a process that ended during the deletion.
const INTERRUPTED_AFTER: Duration = Duration::from_mins(1);

/// The name of the entry that has this name while it is deleted.
pub(super) fn name_of_aside(aside: &OsStr) -> Option<&str> {
    aside.to_str()?.strip_prefix(BEFORE)?.strip_suffix(AFTER)
}

/// The name of the job archive that has this name while it is deleted.
fn job_aside(aside: &str) -> Option<&str> {
    name_of_aside(OsStr::new(aside)).filter(|name| JobId::from_name(name.as_bytes()).is_ok())
}

/// The folder of a path below the root, which is empty for the root, and the last name.
fn split(below: &FilePath) -> (&Path, &OsStr) {
    let (folder, name) = below.as_str().rsplit_once('/').unwrap_or(("", below.as_str()));
    (Path::new(folder), OsStr::new(name))
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;
    use std::fs;
    use std::os::unix::fs::symlink;
    use std::path::PathBuf;
    use std::sync::atomic::{AtomicBool, Ordering};

    use super::*;
    use crate::clock::Clock;
    use crate::clock::Timestamp;
    use crate::directory::found::Extent;

    /// Writes to a file in some way.
    type Rewrite = fn(&Path);

    const JOB: &str = "0123456789abcdef0123456789abcdef";
    const FOLDER: &str = "c/applications/00000000000000000000000000000001";

    /// Archives below `archives`, and the same again, with the same times, below `outside`.
    fn twice(folder: &tempfile::TempDir) -> (Local, PathBuf, PathBuf) {
        let (root, outside) = (folder.path().join("archives"), folder.path().join("outside"));
        for place in [&root, &outside] {
            fs::create_dir_all(place.join(FOLDER).join("jobs")).unwrap();
            for file in ["application-summary".to_owned(), format!("jobs/{JOB}")] {
                write(&place.join(FOLDER).join(file), "{}", 1_700_000_000);
            }
        }
        (Local::new(root.clone()), root, outside)
    }

    fn write(file: &Path, content: &str, seconds: u64) {
        fs::write(file, content).unwrap();
        let time = std::time::UNIX_EPOCH + Duration::from_secs(seconds);
        fs::File::options().write(true).open(file).unwrap().set_modified(time).unwrap();
    }

    fn job() -> FilePath {
        FilePath::new(format!("{FOLDER}/jobs/{JOB}"))
    }

    fn listed() -> FileVersion {
        FileVersion { size: 2, modified: Timestamp::from_millis(1_700_000_000_000), etag: None }
    }

    fn held(local: &Local, below: &str) -> Folder {
        let Way::Folder(folder) = local.hold(Path::new(below)).unwrap() else { panic!("{below} is no folder") };
        folder
    }

    /// Puts a link to the folder outside in the place of that one.
    fn swap(root: &Path, outside: &Path, part: &str) {
        fs::rename(root.join(part), root.with_extension("moved")).unwrap();
        symlink(outside.join(part), root.join(part)).unwrap();
    }

    #[test]
    fn a_folder_that_becomes_a_link_leads_to_no_deletion_outside() {
        for part in ["c", "c/applications", FOLDER, &format!("{FOLDER}/jobs")] {
            let folder = tempfile::tempdir().unwrap();
            let (local, root, outside) = twice(&folder);
            // Directly after the check of the file.
            let swapped = Cell::new(false);
            let is_expected = |_: &OsStr, _: &Stat| {
                if !swapped.replace(true) {
                    swap(&root, &outside, part);
                }
                true
            };
            assert_eq!(delete_expected(&held(&local, &format!("{FOLDER}/jobs")), OsStr::new(JOB), &is_expected).unwrap(), Deleted::Done);
            assert!(outside.join(job().as_str()).exists(), "{part}");
            // And from then on.
            let error = local.remove_file(&job(), &listed()).unwrap_err();
            assert!(error.message.contains("is a symbolic link"), "{error}");
            let error = local.remove_empty_folder(&FilePath::new(format!("{FOLDER}/jobs"))).unwrap_err();
            assert!(error.message.contains("is a symbolic link"), "{error}");
            assert!(outside.join(job().as_str()).exists(), "{part}");
        }
    }

    #[test]
    fn a_file_that_is_modified_before_its_deletion_keeps_its_name() {
        let ways: [(&str, Rewrite); 4] = [
            ("in place", |file| fs::write(file, "other").unwrap()),
            ("in place, of the same size", |file| fs::write(file, "[]").unwrap()),
            ("by another file", |file| {
                fs::write(file.with_extension("new"), "other").unwrap();
                fs::rename(file.with_extension("new"), file).unwrap();
            }),
            ("by a folder", |file| {
                fs::remove_file(file).unwrap();
                fs::create_dir(file).unwrap();
            }),
        ];
        for (way, rewrite) in ways {
            let folder = tempfile::tempdir().unwrap();
            let (local, root, _) = twice(&folder);
            let jobs = held(&local, &format!("{FOLDER}/jobs"));
            let file = root.join(job().as_str());
            let rewritten = Cell::new(false);
            let is_expected = |_: &OsStr, state: &Stat| {
                let is_expected = held::version(state) == listed();
                if !rewritten.replace(true) {
                    rewrite(&file);
                }
                is_expected
            };
            assert_eq!(delete_expected(&jobs, OsStr::new(JOB), &is_expected).unwrap(), Deleted::Changed, "{way}");
            assert!(file.exists(), "{way}");
            assert_eq!(jobs.names().unwrap().len(), 3, "{way}: nothing is left under another name");
        }
    }

    #[test]
    fn a_link_that_becomes_a_file_in_the_last_moment_stays() {
        let folder = tempfile::tempdir().unwrap();
        let (local, root, outside) = twice(&folder);
        symlink(&outside, root.join("link")).unwrap();
        let replaced = Cell::new(false);
        let is_expected = |_: &OsStr, state: &Stat| {
            let is_expected = is_link(state);
            if !replaced.replace(true) {
                fs::remove_file(root.join("link")).unwrap();
                fs::write(root.join("link"), "an archive").unwrap();
            }
            is_expected
        };
        assert_eq!(delete_expected(&held(&local, ""), OsStr::new("link"), &is_expected).unwrap(), Deleted::Changed);
        assert_eq!(fs::read(root.join("link")).unwrap(), b"an archive");
    }

    #[test]
    fn nothing_outside_is_deleted_while_a_folder_is_swapped_all_the_time() {
        let folder = tempfile::tempdir().unwrap();
        let (local, root, outside) = twice(&folder);
        let (place, away, link) = (root.join(FOLDER), root.with_extension("away"), root.with_extension("link"));
        symlink(outside.join(FOLDER), &link).unwrap();
        let stop = AtomicBool::new(false);
        let deleted = std::thread::scope(|scope| {
            scope.spawn(|| {
                while !stop.load(Ordering::SeqCst) {
                    fs::rename(&place, &away).unwrap();
                    fs::rename(&link, &place).unwrap();
                    fs::rename(&place, &link).unwrap();
                    fs::rename(&away, &place).unwrap();
                }
            });
            let mut deleted = 0;
            for round in 0..500_000 {
                // On a busy machine the folder may be elsewhere in all of the first rounds.
                if round >= 2_000 && deleted > 0 {
                    break;
                }
                deleted += u32::from(matches!(local.remove_file(&job(), &listed()), Ok(Deleted::Done)));
                // The folder may be in either place.
                for folder in [&place, &away] {
                    let file = folder.join("jobs").join(JOB);
                    if fs::symlink_metadata(folder).is_ok_and(|state| state.is_dir()) && !file.exists() {
                        // It may have been moved meanwhile; another round follows.
                        let _ = fs::hard_link(outside.join("again"), &file);
                    }
                }
                if !outside.join("again").exists() {
                    write(&outside.join("again"), "{}", 1_700_000_000);
                }
            }
            stop.store(true, Ordering::SeqCst);
            deleted
        });
        assert!(outside.join(job().as_str()).exists());
        assert!(deleted > 0, "the folder was never in its place");
    }

    #[test]
    fn an_interrupted_deletion_restores_the_name() {
        let folder = tempfile::tempdir().unwrap();
        let (local, root, _) = twice(&folder);
        fs::write(root.join(JOB), "legacy").unwrap();
        let files = [root.join(JOB), root.join(FOLDER).join("application-summary"), root.join(job().as_str())];
        let left = |file: &Path| file.with_file_name(aside(file.file_name().unwrap()));
        for file in &files {
            fs::rename(file, left(file)).unwrap();
        }
        let foreign = root.join(FOLDER).join("jobs/.notes.deleting");
        fs::write(&foreign, "x").unwrap();
        for _ in 0..2 {
            local.restore_names(&FilePath::new(FOLDER)).unwrap();
            local.restore_names(&FilePath::new(JOB)).unwrap();
            assert!(files.iter().all(|file| file.exists() && !left(file).exists()));
        }
        assert!(foreign.exists());
        // One that was written anew is not overwritten.
        fs::write(left(&files[2]), "old").unwrap();
        fs::write(&files[2], "new").unwrap();
        local.restore_names(&FilePath::new(FOLDER)).unwrap();
        assert_eq!((fs::read(left(&files[2])).unwrap(), fs::read(&files[2]).unwrap()), (b"old".to_vec(), b"new".to_vec()));
        // No link is followed for that either.
        fs::rename(root.join("c"), root.with_extension("moved")).unwrap();
        symlink(root.with_extension("moved"), root.join("c")).unwrap();
        fs::remove_file(root.join(job().as_str())).unwrap();
        local.restore_names(&FilePath::new(FOLDER)).unwrap();
        assert!(left(&files[2]).exists());
    }

    #[test]
    fn a_listing_undoes_deletions_that_were_interrupted_more_than_a_minute_ago() {
        let folder = tempfile::tempdir().unwrap();
        let (local, root, outside) = twice(&folder);
        let clock = Clock::manual(Clock::System.now());
        let local = Local { clock: clock.clone(), ..local };
        fs::write(root.join(JOB), "legacy").unwrap();
        let linked = root.join("c/applications/00000000000000000000000000000002");
        symlink(outside.join(FOLDER), &linked).unwrap();
        let entries = [root.join(JOB), linked, root.join(FOLDER).join("application-summary"), root.join(job().as_str())];
        let left = |entry: &Path| entry.with_file_name(aside(entry.file_name().unwrap()));
        for entry in &entries {
            fs::rename(entry, left(entry)).unwrap();
        }
        let list = || super::super::listing::list(&local, &Extent::Full, &[], &mut |_| Ok(())).unwrap();
        // A deletion may be running.
        list();
        assert!(entries.iter().all(|entry| fs::symlink_metadata(left(entry)).is_ok()));
        clock.advance(INTERRUPTED_AFTER + Duration::from_secs(1));
        list();
        assert!(entries.iter().all(|entry| fs::symlink_metadata(entry).is_ok() && fs::symlink_metadata(left(entry)).is_err()));
    }
}
