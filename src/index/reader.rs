//! The reading handle.

use bytes::Bytes;

use super::{Copy, Document, DocumentAnswer, Figures, Generation, IndexError, KnownDirectory, OverviewList, UnitKey};
use crate::archive::Owner;
use crate::directory::{DirectoryUrl, FoundFile};
use crate::ids::JobId;
use crate::problem::Problem;

/// Reads the index. Cheap to clone; never waits for the writer.
#[derive(Clone)]
pub struct IndexReader {}

impl IndexReader {
    /// All that is known of a directory.
    ///
    /// # Errors
    /// [`IndexError`].
    pub async fn known(&self, _directory: &DirectoryUrl) -> Result<KnownDirectory, IndexError> {
        unimplemented!("skeleton")
    }

    /// Counter that changes whenever [`IndexReader::known`] of any directory would answer differently. Not stored.
    #[must_use]
    pub fn known_version(&self) -> u64 {
        unimplemented!("skeleton")
    }

    /// See [`Generation`]. Reads no rows.
    #[must_use]
    pub fn generation(&self) -> Generation {
        unimplemented!("skeleton")
    }

    /// Gives every object of a merged overview to `row`, newest first, from one snapshot; answers that snapshot's generation.
    ///
    /// # Errors
    /// [`IndexError`].
    pub async fn overview(&self, _list: OverviewList, _row: impl FnMut(&str) + Send + 'static) -> Result<Generation, IndexError> {
        unimplemented!("skeleton")
    }

    /// The archived overview object of one copy, by precedence, if it is listed.
    ///
    /// # Errors
    /// [`IndexError`].
    pub async fn overview_of(&self, _owner: Owner, _copy: &Copy) -> Result<Option<String>, IndexError> {
        unimplemented!("skeleton")
    }

    /// Listed jobs by state: for `/overview`.
    ///
    /// # Errors
    /// [`IndexError`].
    pub async fn job_states(&self) -> Result<Vec<(String, u64)>, IndexError> {
        unimplemented!("skeleton")
    }

    /// Ids and states of listed jobs, newest first: for `/jobs`.
    ///
    /// # Errors
    /// [`IndexError`].
    pub async fn job_ids(&self) -> Result<Vec<(JobId, String)>, IndexError> {
        unimplemented!("skeleton")
    }

    /// Finds the document with this path of this owner, in the copy that precedence or `copy` names.
    ///
    /// # Errors
    /// [`IndexError`].
    pub async fn document(&self, _owner: Owner, _path: &str, _copy: &Copy) -> Result<DocumentAnswer, IndexError> {
        unimplemented!("skeleton")
    }

    /// Reads the next chunk of a document, from `position` on: at most 256 KiB. Holds nothing between calls.
    ///
    /// # Errors
    /// [`IndexError::Damaged`]; [`IndexError::Failed`] when the archive was replaced meanwhile.
    pub async fn document_chunk(&self, _document: &Document, _position: u64) -> Result<Bytes, IndexError> {
        unimplemented!("skeleton")
    }

    /// Problems on record, oldest first, at most `limit`.
    ///
    /// # Errors
    /// [`IndexError`].
    pub async fn problems(&self, _limit: usize) -> Result<Vec<Problem>, IndexError> {
        unimplemented!("skeleton")
    }

    /// Figures, from memory or cheap queries.
    ///
    /// # Errors
    /// [`IndexError`].
    pub async fn figures(&self) -> Result<Figures, IndexError> {
        unimplemented!("skeleton")
    }

    /// Where the archive files of a unit lie, for bringing it back: path, kind, and version as last tried; gone ones left out.
    ///
    /// # Errors
    /// [`IndexError`].
    pub async fn unit_files(&self, _unit: &UnitKey) -> Result<Vec<FoundFile>, IndexError> {
        unimplemented!("skeleton")
    }
}

impl IndexReader {
    /// Clusters of a directory that hold, or held, applications.
    ///
    /// # Errors
    /// [`IndexError`].
    pub async fn clusters(&self, _directory: &DirectoryUrl) -> Result<Vec<crate::directory::ClusterName>, IndexError> {
        unimplemented!("skeleton")
    }
}
