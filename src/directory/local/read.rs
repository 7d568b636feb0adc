//! Reading a file: opened without following links, never waiting for a pipe, at once or in chunks.

use std::fs::{File, Metadata, OpenOptions};
use std::io::{self, Read};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use bytes::Bytes;
use futures::stream::{self, StreamExt};

use super::files::Link;
use super::{Local, failed, is_absent, is_loop};
use crate::directory::error::DirectoryError;
use crate::directory::found::FilePath;
use crate::directory::{CHUNK, Contents};
use crate::tasks::spawn_blocking;

impl Local {
    /// Reads a file. Blocking, except for the stream that it may return.
    pub(super) fn read_file(&self, below: &FilePath, whole_up_to: u64) -> Result<Contents, DirectoryError> {
        let path = self.path(below)?;
        let (mut file, metadata) = self.open(&path)?;
        if metadata.len() > whole_up_to {
            return Ok(Contents::Stream(chunks(file, path, None)));
        }
        let mut content = Vec::with_capacity(usize::try_from(metadata.len()).unwrap_or(0).saturating_add(1));
        // A file may grow while it is read: what is above the limit is not taken at once.
        let limit = whole_up_to.saturating_add(1);
        (&mut file).take(limit).read_to_end(&mut content).map_err(|error| failed("read", &path, &error))?;
        if content.len() as u64 == limit {
            return Ok(Contents::Stream(chunks(file, path, Some(content.into()))));
        }
        Ok(Contents::Whole(content.into()))
    }

    fn open(&self, path: &Path) -> Result<(File, Metadata), DirectoryError> {
        let opened = match open_no_link(path) {
            // The last name is a link, or links on the way lead in a circle.
            Err(error) if is_loop(&error) => match self.follow(path) {
                Link::File(real, _) => open_no_link(&real),
                Link::Refused(reason) => return Err(DirectoryError::refused(reason)),
                Link::Failed(error) => Err(error),
                Link::Other | Link::Folder => return Err(not_regular(path)),
            },
            opened => opened,
        };
        let file = opened.map_err(|error| match error.raw_os_error() {
            // What a socket answers.
            Some(libc::ENXIO) => not_regular(path),
            _ if is_absent(&error) => self.check_root().err().unwrap_or_else(|| failed("read", path, &error)),
            _ => failed("read", path, &error),
        })?;
        let metadata = file.metadata().map_err(|error| failed("read", path, &error))?;
        if metadata.is_file() { Ok((file, metadata)) } else { Err(not_regular(path)) }
    }
}

/// Opens a file that is no link; a pipe without a writer does not block.
fn open_no_link(path: &Path) -> io::Result<File> {
    OpenOptions::new().read(true).custom_flags(libc::O_NOFOLLOW | libc::O_NONBLOCK).open(path)
}

fn not_regular(path: &Path) -> DirectoryError {
    DirectoryError::refused(format!("{} is not a regular file", path.display()))
}

fn chunks(file: File, path: PathBuf, first: Option<Bytes>) -> stream::BoxStream<'static, Result<Bytes, DirectoryError>> {
    let rest = stream::try_unfold((file, path), |(file, path)| async move {
        spawn_blocking(move || {
            let mut chunk = Vec::with_capacity(CHUNK);
            (&file).take(CHUNK as u64).read_to_end(&mut chunk).map_err(|error| failed("read", &path, &error))?;
            Ok((!chunk.is_empty()).then(|| (Bytes::from(chunk), (file, path))))
        })
        .await
    });
    stream::iter(first.map(Ok)).chain(rest).boxed()
}
