//! Retries files of a unit that could not be read, although no listing has found them changed.

use super::task::Task;
use super::{Ingest, Ingested};
use crate::directory::{Directory, FileKind};
use crate::index::{IndexError, UnitKey};
use crate::telemetry::IngestReason;

impl Ingest {
    /// Reads these files of a unit again. `failures` holds the failures in a row of each; `None`: the files are missing.
    ///
    /// # Errors
    /// [`IndexError`] when the paths of the files cannot be read from the index.
    pub async fn retry(&self, directory: &Directory, key: UnitKey, failures: Vec<(FileKind, u32)>) -> Result<Option<Ingested>, IndexError> {
        let known = self.inner.reader.unit_files(&key).await?;
        let has_summary = matches!(key, UnitKey::LegacyJob(..)) || known.iter().any(|file| file.kind == FileKind::Summary);
        let files: Vec<_> = known.into_iter().filter(|file| failures.iter().any(|(kind, _)| *kind == file.kind)).collect();
        let Some(newest) = files.iter().map(|file| file.version.modified).max() else { return Ok(None) };
        let task = Task { key, files, failures, has_summary, newest };
        let ingested = self.ingest(directory, task, IngestReason::Refresh).await;
        // The files are missing, which the next listing records.
        Ok((!ingested.change.files.is_empty() || ingested.index_error.is_some()).then_some(ingested))
    }
}
