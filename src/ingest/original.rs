//! The archive files themselves, as they lie in their directory.

use super::{Ingest, WHOLE_UP_TO};
use crate::directory::{Contents, DirectoryError, DirectoryErrorKind, FilePath};
use crate::index::UnitKey;

impl Ingest {
    /// The content of an archive file of a unit; `None`: it is not there any more, or its directory is not configured.
    ///
    /// # Errors
    /// [`DirectoryError`]: the directory cannot be read.
    pub async fn original(&self, unit: &UnitKey, file: &FilePath) -> Result<Option<Contents>, DirectoryError> {
        let Some(directory) = self.directory(unit.directory()) else { return Ok(None) };
        match directory.read(file, WHOLE_UP_TO).await {
            Ok(contents) => Ok(Some(contents)),
            Err(error) if error.kind == DirectoryErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }
}
