//! Whether archives lie below a folder that is not listed. Bounded: snapshots of a file system may be huge.

use std::fs::{self, DirEntry};
use std::io::Read as _;
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};

use super::read::open_no_link;
use crate::directory::layout;
use crate::ids::{ApplicationId, JobId};

/// Maximum number of folders that are read.
const MAX_FOLDERS: usize = 128;
/// Maximum number of entries that are read.
const MAX_ENTRIES: usize = 4_096;
/// The first bytes of an archive that Flink writes.
const BEGIN: &[u8] = b"{\"archive\":[";

/// Whether a bounded search finds an archive below a folder. Links are not followed.
pub(super) fn holds_archives(folder: &Path) -> bool {
    let mut open: Vec<PathBuf> = vec![folder.to_path_buf()];
    let mut entries_left = MAX_ENTRIES;
    for _ in 0..MAX_FOLDERS {
        let Some(folder) = open.pop() else { return false };
        // Folders that cannot be read are skipped.
        let Ok(entries) = fs::read_dir(&folder) else { continue };
        for entry in entries.map_while(Result::ok) {
            if entries_left == 0 {
                return false;
            }
            entries_left -= 1;
            let Ok(kind) = entry.file_type() else { continue };
            if kind.is_dir() {
                if is_application(&folder, &entry) {
                    return true;
                }
                open.push(entry.path());
            } else if kind.is_file() && is_archive(&entry) {
                return true;
            }
        }
    }
    false
}

/// Whether a folder belongs to an application: `applications/<id>`.
fn is_application(parent: &Path, entry: &DirEntry) -> bool {
    parent.ends_with(layout::APPLICATIONS) && ApplicationId::from_name(entry.file_name().as_bytes()).is_ok()
}

/// Whether a file is an archive. A job archive is recognised by its first bytes, since caches also use names of 32 hex digits.
fn is_archive(entry: &DirEntry) -> bool {
    let name = entry.file_name();
    name == layout::SUMMARY || JobId::from_name(name.as_bytes()).is_ok() && begins_like_an_archive(&entry.path())
}

/// Whether a file begins like an archive that Flink writes.
pub(super) fn begins_like_an_archive(path: &Path) -> bool {
    let mut begin = Vec::with_capacity(BEGIN.len());
    let read = open_no_link(path).and_then(|file| file.take(BEGIN.len() as u64).read_to_end(&mut begin));
    read.is_ok() && begin == BEGIN
}

#[cfg(test)]
mod tests {
    use super::*;

    const ID: &str = "0d6f4f6e8da5b7e7a3551550ff16c873";

    fn holds(files: &[(&str, &str)]) -> bool {
        let folder = tempfile::tempdir().unwrap();
        for (path, content) in files {
            let file = folder.path().join(path);
            fs::create_dir_all(file.parent().unwrap()).unwrap();
            fs::write(file, content).unwrap();
        }
        holds_archives(folder.path())
    }

    #[test]
    fn archives_are_found_wherever_they_lie_below_a_folder() {
        assert!(holds(&[(&format!("applications/{ID}/application-summary"), "x")]));
        assert!(holds(&[(&format!("hourly.0/prod/applications/{ID}/jobs/{ID}"), "x")]));
        assert!(holds(&[(&format!("a/{ID}/application-summary"), "x")]));
        assert!(holds(&[(ID, "{\"archive\":[]}")]));
    }

    #[test]
    fn other_files_are_no_archives() {
        assert!(!holds(&[("a/b/c", "x"), (ID, "a file of a cache"), ("applications/x/y", "x")]));
    }

    #[test]
    fn a_huge_tree_is_not_read_to_its_end() {
        let many: Vec<String> = (0..MAX_ENTRIES + 10).map(|number| format!("a/{number}")).collect();
        let many: Vec<(&str, &str)> = many.iter().map(|path| (path.as_str(), "x")).collect();
        assert!(!holds(&many));
    }
}
