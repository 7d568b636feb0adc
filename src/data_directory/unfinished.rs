//! A file that is complete or not there: it is written beside its place, with `.part` after its name, and renamed when it is complete.

use std::fs::{self, File};
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};

use crate::data_directory::private;

/// A file that is being written. Dropped before [`finish`](Self::finish), it leaves nothing behind.
#[derive(Debug)]
pub(crate) struct Unfinished {
    path: PathBuf,
    part: PathBuf,
}

impl Unfinished {
    /// Creates an empty file, which only its owner may read.
    ///
    /// # Errors
    /// There is a file at `path`, or another process writes one there, or the folder cannot be written. The sentence says what to do.
    pub(crate) fn create(path: &Path) -> Result<Self, String> {
        let shown = path.display();
        if fs::symlink_metadata(path).is_ok() {
            return Err(format!("{shown} exists already, and nothing was changed: delete it, or name another file"));
        }
        let name = path.file_name().ok_or_else(|| format!("{shown} is not the name of a file: name a file that does not exist yet"))?;
        let mut part = name.to_owned();
        part.push(".part");
        let part = path.with_file_name(part);
        match private::create(&part) {
            Ok(_) => Ok(Self { path: path.to_owned(), part }),
            Err(error) if error.kind() == ErrorKind::AlreadyExists => Err(format!(
                "{} exists: another process writes {shown}, or was killed while it did. If none runs, delete that file",
                part.display()
            )),
            Err(error) => Err(format!("{shown} cannot be written: {error}")),
        }
    }

    /// The path to write to.
    pub(crate) fn part(&self) -> &Path {
        &self.part
    }

    /// Copies a file into this one.
    pub(crate) fn copy(&self, from: &Path) -> io::Result<()> {
        let mut target = File::options().write(true).open(&self.part)?;
        io::copy(&mut File::open(from)?, &mut target).map(drop)
    }

    /// Gives the file its name once its bytes are on the disk. Returns their number.
    pub(crate) fn finish(self) -> io::Result<u64> {
        let file = File::open(&self.part)?;
        file.sync_all()?;
        let bytes = file.metadata()?.len();
        if fs::symlink_metadata(&self.path).is_ok() {
            return Err(io::Error::new(ErrorKind::AlreadyExists, "another process has created it meanwhile"));
        }
        fs::rename(&self.part, &self.path)?;
        let folder = self.path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
        // Without it, the new name could be lost when the power fails. Some file systems cannot do it.
        if let Err(error) = File::open(folder).and_then(|folder| folder.sync_all()) {
            tracing::debug!("the folder {} could not be flushed to the disk: {error}", folder.display());
        }
        Ok(bytes)
    }
}

impl Drop for Unfinished {
    fn drop(&mut self) {
        // After `finish` it is not there any more.
        let _ = fs::remove_file(&self.part);
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    #[test]
    fn a_file_is_there_when_it_is_complete_and_never_replaces_another() {
        let folder = tempfile::tempdir().unwrap();
        let (path, from) = (folder.path().join("copy"), folder.path().join("from"));
        fs::write(&from, "content").unwrap();
        let names = || fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect::<Vec<_>>();

        drop(Unfinished::create(&path).unwrap());
        assert_eq!(names(), ["from"]);

        let new = Unfinished::create(&path).unwrap();
        assert!(Unfinished::create(&path).unwrap_err().contains("copy.part exists"));
        new.copy(&from).unwrap();
        assert!(!path.exists());
        assert_eq!(new.finish().unwrap(), 7);
        assert_eq!(fs::read_to_string(&path).unwrap(), "content");
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(names().len(), 2);

        assert!(Unfinished::create(&path).unwrap_err().contains("exists already"));
        assert!(Unfinished::create(Path::new("/")).unwrap_err().contains("exists already"));
        assert!(Unfinished::create(&folder.path().join("missing/copy")).unwrap_err().contains("cannot be written"));

        let other = folder.path().join("other");
        let new = Unfinished::create(&other).unwrap();
        fs::write(&other, "first").unwrap();
        assert_eq!(new.finish().unwrap_err().kind(), ErrorKind::AlreadyExists);
        assert_eq!(fs::read_to_string(&other).unwrap(), "first");
    }
}
