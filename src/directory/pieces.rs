//! A file that is read piece by piece, for a reader that may be slow: between two pieces nothing is open and nothing in memory.

use bytes::Bytes;

use super::{Backend, Directory, DirectoryError, FilePath, counted};

/// A piece, and what is known of the file that it is of.
pub(super) struct Piece {
    pub(super) bytes: Bytes,
    /// Bytes of the whole file.
    pub(super) size: u64,
    /// Differs when the file is another one, or was written again.
    pub(super) stamp: String,
}

/// Reads a file from its beginning.
pub struct Pieces {
    directory: Directory,
    file: FilePath,
    position: u64,
    /// Size and stamp, since the first piece.
    seen: Option<(u64, String)>,
}

impl Pieces {
    pub(super) fn new(directory: Directory, file: FilePath) -> Self {
        Self { directory, file, position: 0, seen: None }
    }

    /// The next piece, of at most so many bytes; `None` at the end.
    ///
    /// # Errors
    /// [`DirectoryError`] by kind; also when the file was written again since the first piece.
    pub async fn next(&mut self, most: usize) -> Result<Option<Bytes>, DirectoryError> {
        if self.seen.as_ref().is_some_and(|(size, _)| self.position >= *size) {
            return Ok(None);
        }
        let piece = match &self.directory.backend {
            Backend::Local(local) => local.read_piece(&self.file, self.position, most).await,
            Backend::Store(store) => store.read_piece(&self.file, self.position, most).await,
        };
        let Piece { bytes, size, stamp } = counted("read", piece)?;
        let same = self.seen.as_ref().is_none_or(|seen| *seen == (size, stamp.clone()));
        if !same || (bytes.is_empty() && self.position < size) {
            return Err(DirectoryError::unavailable(format!("{}/{} was written again while it was read", self.directory.url, self.file)));
        }
        self.seen = Some((size, stamp));
        self.position += bytes.len() as u64;
        Ok((!bytes.is_empty()).then_some(bytes))
    }
}
