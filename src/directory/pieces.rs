//! A file that is read piece by piece for a slow reader. Between two pieces no file is open and nothing is in memory.

use bytes::Bytes;

use super::{Backend, Directory, DirectoryError};
use crate::names::FilePath;

/// A piece, and the state of its file.
pub(super) struct Piece {
    pub(super) bytes: Bytes,
    /// Bytes of the whole file.
    pub(super) size: u64,
    /// Changes when the file is replaced or written to.
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

    /// The next piece, of `max_bytes` or less; `None` at the end.
    ///
    /// # Errors
    /// [`DirectoryError`] by kind; also when the file was written again since the first piece.
    pub async fn next(&mut self, max_bytes: usize) -> Result<Option<Bytes>, DirectoryError> {
        if self.seen.as_ref().is_some_and(|(size, _)| self.position >= *size) {
            return Ok(None);
        }
        let piece = async {
            match &self.directory.backend {
                Backend::Local(local) => local.read_piece(&self.file, self.position, max_bytes).await,
                Backend::Store(store) => store.read_piece(&self.file, self.position, max_bytes).await,
            }
        };
        let Piece { bytes, size, stamp } = self.directory.counted("read", piece).await?;
        let same = self.seen.as_ref().is_none_or(|seen| *seen == (size, stamp.clone()));
        if !same || (bytes.is_empty() && self.position < size) {
            return Err(DirectoryError::unavailable(format!("{}/{} was modified while it was read", self.directory.url, self.file)));
        }
        self.seen = Some((size, stamp));
        self.position += bytes.len() as u64;
        Ok((!bytes.is_empty()).then_some(bytes))
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::path::Path;
    use std::sync::Arc;

    use ::object_store::ObjectStoreExt as _;
    use ::object_store::memory::InMemory;

    use super::super::DirectoryErrorKind;
    use super::*;
    use crate::names::DirectoryUrl;

    const NAME: &str = "0d6f4f6e8da5b7e7a3551550ff16c873";

    /// The same files in a folder and in an object store.
    async fn directories(folder: &Path, content: &[u8]) -> [Directory; 2] {
        std::fs::write(folder.join(NAME), content).unwrap();
        let store = Arc::new(InMemory::new());
        store.put(&NAME.into(), Bytes::copy_from_slice(content).into()).await.unwrap();
        let local = Directory::open(folder.to_str().unwrap(), &BTreeMap::new()).unwrap();
        [local, Directory::in_store(DirectoryUrl::new("s3://bucket"), store, "")]
    }

    async fn all(directory: &Directory, max_bytes: usize) -> Vec<u8> {
        let mut pieces = directory.pieces(&FilePath::new(NAME));
        let mut content = Vec::new();
        while let Some(piece) = pieces.next(max_bytes).await.unwrap() {
            assert!(piece.len() <= max_bytes && !piece.is_empty());
            content.extend_from_slice(&piece);
        }
        content
    }

    #[tokio::test]
    async fn a_file_comes_whole_in_pieces_of_any_size() {
        let folder = tempfile::tempdir().unwrap();
        for content in [&b""[..], b"x", &[7; 1000], &(0..=255).collect::<Vec<u8>>()] {
            for directory in directories(folder.path(), content).await {
                for max_bytes in [1, 100, 256, 5_000] {
                    assert_eq!(all(&directory, max_bytes).await, content, "{directory:?} {max_bytes}");
                }
            }
        }
    }

    #[tokio::test]
    async fn a_file_that_is_written_again_is_an_error_and_never_a_mixture() {
        let folder = tempfile::tempdir().unwrap();
        let [local, _] = directories(folder.path(), &[1; 1000]).await;
        let mut pieces = local.pieces(&FilePath::new(NAME));
        assert_eq!(pieces.next(400).await.unwrap().unwrap().len(), 400);
        std::fs::write(folder.path().join(NAME), [2; 1000]).unwrap();
        assert_eq!(pieces.next(400).await.unwrap_err().kind, DirectoryErrorKind::Unavailable);
    }

    #[tokio::test]
    async fn a_missing_file_is_not_found() {
        let folder = tempfile::tempdir().unwrap();
        for directory in directories(folder.path(), b"x").await {
            let mut pieces = directory.pieces(&FilePath::new("00000000000000000000000000000001"));
            assert_eq!(pieces.next(10).await.unwrap_err().kind, DirectoryErrorKind::NotFound);
        }
    }
}
