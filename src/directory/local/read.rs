//! Reading of files, at once or in chunks. Links are not followed, and pipes do not block.
//!
//! A file that is modified while it is read would be a mixture of two versions. So its state is compared before and after the read, and
//! in a stream after each chunk. A recently modified file must rest first, since a write in progress need not change its state again.

use std::ffi::OsStr;
use std::fs::{File, Metadata, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom};
use std::ops::Range;
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::time::Duration;

use bytes::Bytes;
use futures::stream::{self, StreamExt};
use rustix::fs::OFlags;
use rustix::io::Errno;

use super::files::{Link, link_out_of_root, modified};
use super::held::Way;
use super::{Local, failed, is_absent, is_loop};
use crate::clock::{Clock, Timestamp};
use crate::directory::error::DirectoryError;
use crate::directory::pieces::Piece;
use crate::directory::{Contents, MAX_CHUNK};
use crate::names::FilePath;
use crate::tasks::spawn_blocking;

/// Minimum time between the last modification of a file and its read.
const REST: Duration = Duration::from_millis(20);

/// Maximum number of attempts to read a file that is being modified.
const MAX_ATTEMPTS: usize = 5;

/// Pause between two attempts.
const PAUSE: Duration = Duration::from_millis(20);

/// Reads a file. A file that is being modified is retried a few times, and otherwise left to the next refresh.
pub(super) async fn read(local: &Local, file: &FilePath, whole_up_to: u64) -> Result<Contents, DirectoryError> {
    at_rest(local, file, move |opened| opened.read(whole_up_to)).await
}

/// Reads a piece of a file.
pub(super) async fn read_piece(local: &Local, file: &FilePath, position: u64, max_bytes: usize) -> Result<Piece, DirectoryError> {
    at_rest(local, file, move |opened| opened.piece(position, max_bytes)).await
}

/// Reads from a file that is not being modified. `read` returns `None` for a file that was modified, which is retried.
async fn at_rest<T: Send + 'static>(
    local: &Local,
    file: &FilePath,
    read: impl Fn(Opened) -> Result<Option<T>, DirectoryError> + Copy + Send + 'static,
) -> Result<T, DirectoryError> {
    for attempt in 0..MAX_ATTEMPTS {
        if attempt > 0 {
            tokio::time::sleep(PAUSE).await;
        }
        let file = file.clone();
        let done = local.blocking(move |local| {
            let opened = local.open(&file)?;
            if opened.rests(Clock::System.now()) { read(opened) } else { Ok(None) }
        });
        if let Some(done) = done.await? {
            return Ok(done);
        }
    }
    Err(modified_while_read(&local.path(file)?))
}

impl Local {
    /// Reads a part of a file that is not being modified. Blocking.
    pub(super) fn read_file_part(&self, below: &FilePath, part: &Range<u64>) -> Result<Bytes, DirectoryError> {
        let mut opened = self.open(below)?;
        let mut content = Vec::new();
        let length = part.end.saturating_sub(part.start);
        let read = opened.file.seek(SeekFrom::Start(part.start)).and_then(|_| (&opened.file).take(length).read_to_end(&mut content));
        let unchanged = read.and_then(|_| opened.is_unchanged()).map_err(|error| failed("read", &opened.path, &error))?;
        if unchanged && opened.rests(Clock::System.now()) { Ok(content.into()) } else { Err(modified_while_read(&opened.path)) }
    }

    fn open(&self, below: &FilePath) -> Result<Opened, DirectoryError> {
        let path = self.path(below)?;
        let opened = match open_no_link(&path) {
            // The last name is a link, or links in the path form a loop.
            Err(error) if is_loop(&error) => match self.follow(&path) {
                Link::File(target, _) => self.open_below(&target, &path)?,
                Link::Refused(reason) => return Err(DirectoryError::refused(reason)),
                Link::Failed(error) => Err(error),
                Link::Other | Link::Folder => return Err(not_regular(&path)),
            },
            opened => opened,
        };
        let file = opened.map_err(|error| match error.raw_os_error() {
            // The error of a socket.
            Some(code) if code == Errno::NXIO.raw_os_error() => not_regular(&path),
            _ if is_absent(&error) => self.check_root().err().unwrap_or_else(|| failed("read", &path, &error)),
            _ => failed("read", &path, &error),
        })?;
        let state = file.metadata().map_err(|error| failed("read", &path, &error))?;
        if state.is_file() { Ok(Opened { file, path, state }) } else { Err(not_regular(&path)) }
    }

    /// Opens the target that a link had when it was followed. No other link is followed, since it may have another target now.
    fn open_below(&self, target: &Path, link: &Path) -> Result<io::Result<File>, DirectoryError> {
        let (folder, name) = (target.parent().unwrap_or(Path::new("")), target.file_name().unwrap_or(OsStr::new(".")));
        let opened = match self.hold(folder)? {
            Way::Folder(folder) => folder.open(name),
            Way::Link(_) => return Err(DirectoryError::refused(link_out_of_root(link))),
            Way::Absent => Err(io::ErrorKind::NotFound.into()),
        };
        if opened.as_ref().is_err_and(is_loop) { Err(DirectoryError::refused(link_out_of_root(link))) } else { Ok(opened) }
    }
}

/// A regular file, open, with its state at that moment.
struct Opened {
    file: File,
    path: PathBuf,
    state: Metadata,
}

impl Opened {
    /// Whether the last modification was long enough before this time.
    fn rests(&self, now: Timestamp) -> bool {
        // The time of the state counts, too: a program that copies a file may set its modification time to the past.
        let changed = self.state.ctime().saturating_mul(1_000).saturating_add(self.state.ctime_nsec() / 1_000_000);
        [modified(&self.state), Timestamp::from_millis(changed)].iter().all(|time| time.abs_diff(now) > REST)
    }

    /// Whether the state is the same as when the file was opened.
    fn is_unchanged(&self) -> io::Result<bool> {
        let now = self.file.metadata()?;
        let state = |of: &Metadata| (of.len(), of.mtime(), of.mtime_nsec(), of.ctime(), of.ctime_nsec());
        Ok(state(&now) == state(&self.state))
    }

    /// A piece of the content; `None` if the file was modified.
    fn piece(mut self, position: u64, max_bytes: usize) -> Result<Option<Piece>, DirectoryError> {
        let (size, failed) = (self.state.len(), |error: io::Error, path: &Path| failed("read", path, &error));
        let mut bytes = Vec::with_capacity(max_bytes.min(usize::try_from(size.saturating_sub(position)).unwrap_or(max_bytes)));
        let read = self.file.seek(SeekFrom::Start(position)).and_then(|_| (&self.file).take(max_bytes as u64).read_to_end(&mut bytes));
        read.map_err(|error| failed(error, &self.path))?;
        let unchanged = self.is_unchanged().map_err(|error| failed(error, &self.path))?;
        let (of, unique) = (&self.state, self.state.ino());
        let stamp = format!("{unique} {} {} {} {}", of.mtime(), of.mtime_nsec(), of.ctime(), of.ctime_nsec());
        Ok(unchanged.then(|| Piece { bytes: bytes.into(), size, stamp }))
    }

    /// The content; `None` if the file was modified. A stream reports that as an error.
    fn read(mut self, whole_up_to: u64) -> Result<Option<Contents>, DirectoryError> {
        let size = self.state.len();
        if size > whole_up_to {
            return Ok(Some(Contents::Stream(self.chunks())));
        }
        let mut content = Vec::with_capacity(usize::try_from(size).unwrap_or(0).saturating_add(1));
        // A file that grows is not read to its end.
        let read = (&mut self.file).take(size.saturating_add(1)).read_to_end(&mut content);
        let unchanged = read.and_then(|_| self.is_unchanged()).map_err(|error| failed("read", &self.path, &error))?;
        Ok(unchanged.then(|| Contents::Whole(content.into())))
    }

    fn chunks(self) -> stream::BoxStream<'static, Result<Bytes, DirectoryError>> {
        stream::try_unfold(self, |opened| async move {
            spawn_blocking(move || {
                let mut chunk = Vec::with_capacity(MAX_CHUNK);
                let read = (&opened.file).take(MAX_CHUNK as u64).read_to_end(&mut chunk);
                // The reader may stop before the end, so each chunk is checked.
                match read.and_then(|_| opened.is_unchanged()) {
                    Ok(true) => Ok((!chunk.is_empty()).then(|| (Bytes::from(chunk), opened))),
                    Ok(false) => Err(modified_while_read(&opened.path)),
                    Err(error) => Err(failed("read", &opened.path, &error)),
                }
            })
            .await
        })
        .boxed()
    }
}

/// Opens a file. Links are not followed, and a pipe without a writer does not block.
pub(super) fn open_no_link(path: &Path) -> io::Result<File> {
    let flags = OFlags::NOFOLLOW | OFlags::NONBLOCK;
    OpenOptions::new().read(true).custom_flags(flags.bits().cast_signed()).open(path)
}

fn not_regular(path: &Path) -> DirectoryError {
    DirectoryError::refused(format!("{} is not a regular file", path.display()))
}

fn modified_while_read(path: &Path) -> DirectoryError {
    DirectoryError::unavailable(format!(
        "{} was modified while it was read; the documents read before stay, and the next refresh reads the file again",
        path.display()
    ))
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::symlink;

    use futures::TryStreamExt;

    use super::*;
    use crate::directory::DirectoryErrorKind;

    /// Writes to a file in some way.
    type Rewrite = fn(&Path);

    /// Opens a file once it rests.
    fn rested(local: &Local, file: &FilePath) -> Opened {
        std::iter::repeat_with(|| local.open(file).unwrap()).find(|opened| opened.rests(Clock::System.now())).unwrap()
    }

    fn file(folder: &tempfile::TempDir) -> (Local, FilePath, PathBuf) {
        (Local::new(folder.path().to_owned()), FilePath::new("file"), folder.path().join("file"))
    }

    #[tokio::test]
    async fn a_file_that_is_modified_while_it_is_read_is_no_mixture() {
        let folder = tempfile::tempdir().unwrap();
        let (local, file, path) = file(&folder);
        let ways: [(&str, Rewrite); 4] = [
            ("in place", |path| fs::write(path, "b".repeat(100)).unwrap()),
            ("longer", |path| fs::write(path, "b".repeat(200)).unwrap()),
            ("shorter", |path| fs::write(path, "b").unwrap()),
            ("with its time kept", |path| {
                let time = fs::metadata(path).unwrap().modified().unwrap();
                fs::write(path, "b".repeat(100)).unwrap();
                File::options().write(true).open(path).unwrap().set_modified(time).unwrap();
            }),
        ];
        for (way, rewrite) in ways {
            fs::write(&path, "a".repeat(100)).unwrap();
            let opened = rested(&local, &file);
            rewrite(&path);
            assert!(opened.read(1_000).unwrap().is_none(), "{way}");
        }
        let Contents::Whole(content) = read(&local, &file, 1_000).await.unwrap() else { panic!("not at once") };
        assert_eq!(content, "b".repeat(100));
    }

    #[tokio::test]
    async fn a_stream_ends_with_an_error_when_its_file_is_modified() {
        let folder = tempfile::tempdir().unwrap();
        let (local, file, path) = file(&folder);
        fs::write(&path, "a".repeat(3 * MAX_CHUNK)).unwrap();
        let Some(Contents::Stream(mut chunks)) = rested(&local, &file).read(1).unwrap() else { panic!("read at once") };
        assert_eq!(chunks.try_next().await.unwrap().map(|chunk| chunk.len()), Some(MAX_CHUNK));
        fs::write(&path, "b".repeat(3 * MAX_CHUNK)).unwrap();
        let error = chunks.try_next().await.unwrap_err();
        assert_eq!(error.kind, DirectoryErrorKind::Unavailable);
        assert!(error.message.contains("was modified while it was read"), "{error}");
    }

    #[tokio::test]
    async fn a_recently_modified_file_rests_before_it_is_read() {
        let folder = tempfile::tempdir().unwrap();
        let (local, file, path) = file(&folder);
        fs::write(&path, "a").unwrap();
        let written = modified(&fs::metadata(&path).unwrap());
        let opened = local.open(&file).unwrap();
        assert!(!opened.rests(written) && !opened.rests(written + REST) && opened.rests(written + 2 * REST));
        // The clock of a file server may be ahead, and a copy may keep the time of its content.
        assert!(!opened.rests(written - REST));
        File::options().write(true).open(&path).unwrap().set_modified(std::time::UNIX_EPOCH).unwrap();
        assert!(!local.open(&file).unwrap().rests(written));
        let Contents::Whole(content) = read(&local, &file, 10).await.unwrap() else { panic!("not at once") };
        assert_eq!(content, "a");
        assert!(Clock::System.now() > written + REST);
    }

    #[test]
    fn a_link_that_leads_elsewhere_after_it_was_followed_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let (root, outside) = (folder.path().join("archives"), folder.path().join("outside"));
        for place in [&root, &outside] {
            fs::create_dir_all(place.join("shared/deep")).unwrap();
            fs::write(place.join("shared/deep/file"), "a secret").unwrap();
        }
        symlink(root.join("shared/deep/file"), root.join("link")).unwrap();
        let local = Local::new(root.clone());
        let Link::File(target, _) = local.follow(&root.join("link")) else { panic!("not followed") };
        assert_eq!(target, Path::new("shared/deep/file"));
        assert!(local.open_below(&target, &root.join("link")).unwrap().is_ok());
        for part in ["shared/deep/file", "shared/deep", "shared"] {
            fs::rename(root.join(part), root.join("away")).unwrap();
            symlink(outside.join(part), root.join(part)).unwrap();
            let error = local.open_below(&target, &root.join("link")).unwrap_err();
            assert!(error.message.contains("leads out of the archive directory"), "{part}: {error}");
            fs::remove_file(root.join(part)).unwrap();
            fs::rename(root.join("away"), root.join(part)).unwrap();
        }
    }
}
