//! Summaries that were read to list their applications, kept until the archives of the same applications are read.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use bytes::Bytes;

use crate::clock::Timestamp;
use crate::directory::{FileVersion, Fingerprint, FoundFile};
use crate::index::UnitKey;
use crate::ingest::task::RACY_WINDOW;
use crate::names::DirectoryUrl;

/// Limit of the bytes that are kept. Summaries that are read later are read once more.
const MOST_BYTES: usize = 16 << 20;

/// Summaries by unit, in the version that was listed before they were read.
#[derive(Default)]
pub(super) struct KeptSummaries(Mutex<Kept>);

#[derive(Default)]
struct Kept {
    bytes: usize,
    by_unit: HashMap<UnitKey, (Fingerprint, Bytes)>,
}

impl KeptSummaries {
    fn lock(&self) -> MutexGuard<'_, Kept> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Keeps a summary that was read at this time, if there is room. One that was recently modified is not kept: it may have been written
    /// again without a visible change.
    pub(super) fn keep(&self, unit: &UnitKey, version: &FileVersion, bytes: &Bytes, at: Timestamp) {
        if at.abs_diff(version.modified) <= RACY_WINDOW {
            return;
        }
        let mut kept = self.lock();
        if kept.bytes + bytes.len() > MOST_BYTES {
            return;
        }
        kept.bytes += bytes.len();
        // A copy, because the bytes of a client of a store may be a part of a large buffer.
        let copy = Bytes::copy_from_slice(bytes);
        if let Some((_, before)) = kept.by_unit.insert(unit.clone(), (version.fingerprint(), copy)) {
            kept.bytes -= before.len();
        }
    }

    /// Takes the summary of a unit out, if it was kept in the version of this file.
    pub(super) fn take(&self, unit: &UnitKey, file: &FoundFile) -> Option<Bytes> {
        let mut kept = self.lock();
        let (version, bytes) = kept.by_unit.remove(unit)?;
        kept.bytes -= bytes.len();
        (version == file.version.fingerprint()).then_some(bytes)
    }

    /// Forgets the summaries of a directory.
    pub(super) fn forget(&self, directory: &DirectoryUrl) {
        let mut kept = self.lock();
        kept.by_unit.retain(|unit, _| unit.directory() != directory);
        kept.bytes = kept.by_unit.values().map(|(_, bytes)| bytes.len()).sum();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::directory::FileKind;
    use crate::ids::ApplicationId;
    use crate::names::{ClusterName, FilePath};

    const MODIFIED: Timestamp = Timestamp::from_millis(1_795_000_000_000);
    const LATER: Timestamp = Timestamp::from_millis(1_795_000_002_001);

    fn unit(number: u8) -> UnitKey {
        UnitKey::application(&DirectoryUrl::new("file:///a/"), &ClusterName::new("c"), ApplicationId::from_bytes([number; 16]))
    }

    fn file(size: u64) -> FoundFile {
        let version = FileVersion { size, modified: MODIFIED, etag: None };
        FoundFile { path: FilePath::new("application-summary"), kind: FileKind::Summary, version }
    }

    #[test]
    fn a_summary_is_kept_once_and_in_its_version() {
        let kept = KeptSummaries::default();
        let bytes = Bytes::from_static(b"{}");
        for number in [1, 2, 3] {
            kept.keep(&unit(number), &file(2).version, &bytes, LATER);
        }
        assert_eq!(kept.take(&unit(1), &file(2)), Some(bytes.clone()));
        assert_eq!(kept.take(&unit(1), &file(2)), None);
        assert_eq!(kept.take(&unit(2), &file(3)), None, "another version");
        assert_eq!(kept.take(&unit(2), &file(2)), None, "which replaced the one that was kept");
        kept.forget(&DirectoryUrl::new("file:///b/"));
        assert_eq!(kept.lock().bytes, bytes.len());
        kept.forget(&DirectoryUrl::new("file:///a/"));
        assert_eq!((kept.take(&unit(3), &file(2)), kept.lock().bytes), (None, 0));
    }

    #[test]
    fn a_recently_modified_summary_and_one_beyond_the_limit_are_not_kept() {
        let kept = KeptSummaries::default();
        kept.keep(&unit(1), &file(2).version, &Bytes::from_static(b"{}"), MODIFIED + RACY_WINDOW);
        assert_eq!(kept.take(&unit(1), &file(2)), None);
        let large = Bytes::from(vec![0; MOST_BYTES / 2]);
        for number in [1, 2, 2, 3] {
            kept.keep(&unit(number), &file(9).version, &large, LATER);
        }
        assert_eq!(kept.lock().by_unit.len(), 2);
        assert!(kept.take(&unit(3), &file(9)).is_none() && kept.take(&unit(2), &file(9)).is_some());
    }
}
