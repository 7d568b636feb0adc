//! Files that only their owner may read: the index holds configurations and stack traces of every archived job.

use std::fs::{self, File, OpenOptions, Permissions};
use std::io;
use std::os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _};
use std::path::Path;

/// Mode of all files in the data directory.
const MODE: u32 = 0o600;

/// Opens a file for reading and writing, and creates it if it is missing. Whatever the umask is, only the owner can read and write a
/// new file.
pub(super) fn open(path: &Path) -> io::Result<File> {
    let options = || OpenOptions::new().read(true).write(true).clone();
    match options().create_new(true).mode(MODE).open(path) {
        Ok(file) => {
            set_mode(&file, path, MODE);
            Ok(file)
        }
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
            let file = options().open(path)?;
            make_private(&file, path);
            Ok(file)
        }
        Err(error) => Err(error),
    }
}

/// Creates a file for writing, which must not exist.
pub(super) fn create(path: &Path) -> io::Result<File> {
    let file = OpenOptions::new().write(true).create_new(true).mode(MODE).open(path)?;
    set_mode(&file, path, MODE);
    Ok(file)
}

/// Takes the rights of others from every file whose name is one of this server's; links are left alone.
pub(super) fn make_all_private(folder: &Path, is_ours: impl Fn(&str) -> bool) {
    let entries = match fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) => return tracing::debug!("the modes of files in {} cannot be read: {error}", folder.display()),
    };
    for entry in entries.flatten() {
        if entry.file_name().to_str().is_some_and(&is_ours)
            && entry.file_type().is_ok_and(|kind| kind.is_file())
            && let Ok(file) = File::open(entry.path())
        {
            make_private(&file, &entry.path());
        }
    }
}

/// Takes the rights of others. A file that its owner may only read stays so.
fn make_private(file: &File, path: &Path) {
    match file.metadata().map(|state| state.permissions().mode() & 0o7777) {
        Ok(mode) if mode & MODE == mode => {}
        Ok(mode) => set_mode(file, path, mode & MODE),
        Err(error) => tracing::debug!("the mode of {} cannot be read: {error}", path.display()),
    }
}

fn set_mode(file: &File, path: &Path, mode: u32) {
    if let Err(error) = file.set_permissions(Permissions::from_mode(mode)) {
        tracing::warn!(
            "the mode of {} cannot be set to {mode:04o} ({error}): other users may be able to read this file, so change its mode by hand",
            path.display()
        );
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    #[test]
    fn the_rights_of_others_go_from_our_files_alone() {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name);
        let mode = |name: &str| fs::metadata(path(name)).unwrap().permissions().mode() & 0o7777;
        for (name, mode) in [("ours", 0o644), ("ours-wal", 0o666), ("ours-shm", 0o755), ("ours.old", 0o444), ("theirs", 0o644)] {
            fs::write(path(name), "x").unwrap();
            fs::set_permissions(path(name), Permissions::from_mode(mode)).unwrap();
        }
        fs::create_dir(path("ours-folder")).unwrap();
        fs::set_permissions(path("ours-folder"), Permissions::from_mode(0o755)).unwrap();
        symlink(path("theirs"), path("ours-link")).unwrap();
        make_all_private(folder.path(), |name| name.starts_with("ours"));
        let modes = ["ours", "ours-wal", "ours-shm", "ours.old", "ours-folder", "theirs"].map(mode);
        assert_eq!(modes, [0o600, 0o600, 0o600, 0o400, 0o755, 0o644]);
        drop(open(&path("new")).unwrap());
        drop(open(&path("theirs")).unwrap());
        assert_eq!(["new", "theirs"].map(mode), [0o600, 0o600]);
        assert_eq!(fs::read(path("theirs")).unwrap(), b"x");
    }
}
