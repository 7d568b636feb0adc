//! Documents that were requested lately, as they are sent: as they are, and compressed.
//!
//! A document is answered from here only while the index says that it is still its answer ([`ScopedReader::is_valid`]): never after its
//! archive was replaced, evicted or forgotten, or another copy took precedence. Documents that are no longer valid stay until they are
//! requested again or others need their memory.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use bytes::Bytes;
use quick_cache::sync::{Cache, DefaultLifecycle};
use quick_cache::{DefaultHashBuilder, Equivalent, OptionsBuilder, Weighter};

use crate::api::http::conditional::Tag;
use crate::api::http::encoding::Encoding;
use crate::archive::Owner;
use crate::index::{ScopedReader, Validity};

/// Bytes of memory of an entry besides its path, tag and body: key, value, allocations and its share of the table.
const OVERHEAD: u64 = 320;

/// A document may take one part in this many of the memory, so that one document never displaces all others.
const PART: u64 = 16;

/// Parts of the memory with a lock of their own, at most.
const SHARDS: u64 = 8;

/// Typical bytes of an entry, for the initial size of the table only.
const TYPICAL: u64 = 4 << 10;

/// A document as it is sent.
pub(super) struct Hot {
    /// Its tag.
    pub(super) tag: Tag,
    /// The body.
    pub(super) body: Bytes,
    /// The encoding of the body.
    pub(super) encoding: Encoding,
    /// Whether it is still the answer of the index.
    pub(super) validity: Validity,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Key {
    owner: Owner,
    encoding: Encoding,
    path: Box<str>,
}

/// A [`Key`] that borrows its path. Its members are hashed in the same order.
#[derive(Hash)]
struct BorrowedKey<'a> {
    owner: Owner,
    encoding: Encoding,
    path: &'a str,
}

impl Equivalent<Key> for BorrowedKey<'_> {
    fn equivalent(&self, key: &Key) -> bool {
        self.owner == key.owner && self.encoding == key.encoding && *self.path == *key.path
    }
}

#[derive(Debug, Clone)]
struct Bytewise;

impl Weighter<Key, Arc<Hot>> for Bytewise {
    fn weight(&self, key: &Key, hot: &Arc<Hot>) -> u64 {
        OVERHEAD + (key.path.len() + hot.tag.len() + hot.body.len()) as u64
    }
}

/// The figures of the cache.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::api) struct Figures {
    /// Requests that were answered from the cache.
    pub(in crate::api) hits: u64,
    /// Requests that were not.
    pub(in crate::api) misses: u64,
    /// Bytes of memory that are used.
    pub(in crate::api) bytes: u64,
}

/// The cache.
pub(in crate::api) struct DocumentCache {
    /// `None`: nothing is kept.
    kept: Option<Cache<Key, Arc<Hot>, Bytewise>>,
    largest: u64,
    hits: AtomicU64,
    misses: AtomicU64,
}

impl DocumentCache {
    /// A cache of so many bytes; 0: nothing is kept.
    pub(in crate::api) fn new(bytes: u64) -> Self {
        let items = usize::try_from(bytes / TYPICAL).unwrap_or(usize::MAX).clamp(1, 1 << 20);
        // Each shard has an equal part of the memory, rounded up: so that the sum is not more.
        let capacity = bytes / SHARDS * SHARDS;
        let options = OptionsBuilder::new()
            .estimated_items_capacity(items)
            .weight_capacity(capacity)
            .shards(usize::try_from(SHARDS).unwrap_or(1))
            .build();
        let kept = options
            .ok()
            .filter(|_| capacity > 0)
            .map(|options| Cache::with_options(options, Bytewise, DefaultHashBuilder::default(), DefaultLifecycle::default()));
        Self { kept, largest: bytes / PART, hits: AtomicU64::new(0), misses: AtomicU64::new(0) }
    }

    /// Whether a body of so many bytes is kept.
    fn takes(&self, bytes: usize) -> bool {
        self.kept.is_some() && bytes as u64 + OVERHEAD <= self.largest
    }

    /// The document with this path, if it is kept in this encoding and is still the answer of the index.
    pub(super) fn get(&self, reader: &ScopedReader, owner: Owner, path: &str, encoding: Encoding) -> Option<Arc<Hot>> {
        let hot = self.kept.as_ref()?.get(&BorrowedKey { owner, encoding, path })?;
        reader.is_valid(&hot.validity).then_some(hot)
    }

    /// Keeps a document that was read from the index.
    pub(super) fn keep(&self, owner: Owner, path: &str, encoding: Encoding, tag: Tag, body: Bytes, validity: Validity) {
        if let Some(kept) = &self.kept
            && self.takes(body.len())
        {
            kept.insert(Key { owner, encoding, path: path.into() }, Arc::new(Hot { tag, body, encoding, validity }));
        }
    }

    /// Counts a request that was answered from the cache, or not.
    pub(super) fn count(&self, hit: bool) {
        if self.kept.is_some() {
            let counter = if hit { &self.hits } else { &self.misses };
            counter.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// See [`Figures`].
    pub(in crate::api) fn figures(&self) -> Figures {
        Figures {
            hits: self.hits.load(Ordering::Relaxed),
            misses: self.misses.load(Ordering::Relaxed),
            bytes: self.kept.as_ref().map_or(0, Cache::weight),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::index::{IndexOptions, open};

    const OWNER: &str = "0d6f4f6e8da5b7e7a3551550ff16c873";

    fn reader() -> (tempfile::TempDir, ScopedReader) {
        let folder = tempfile::tempdir().unwrap();
        let (_writer, reader, _) = open(&IndexOptions::new(folder.path(), 0, Vec::new())).unwrap();
        (folder, reader.everything())
    }

    #[test]
    fn the_memory_is_never_exceeded_and_one_document_never_takes_it_all() {
        let (_folder, reader) = reader();
        let owner = Owner::Job(OWNER.parse().unwrap());
        for bytes in [0, 1, 10_000, 1 << 20] {
            let cache = DocumentCache::new(bytes);
            let mut found = 0;
            for number in 0..3_000_usize {
                let body = Bytes::from(vec![b'x'; number]);
                let path = format!("/jobs/{number}");
                cache.keep(owner, &path, Encoding::Identity, Tag::of_content(&body), body.clone(), reader.validity(owner));
                assert!(cache.figures().bytes <= bytes, "{bytes}");
                assert!(cache.get(&reader, owner, &path, Encoding::Gzip).is_none());
                if let Some(hot) = cache.get(&reader, owner, &path, Encoding::Identity) {
                    assert_eq!(hot.body, body);
                    assert!(cache.takes(number));
                    found += 1;
                }
            }
            assert_eq!((cache.figures().bytes > 0, found > 0), (bytes >= 10_000, bytes >= 10_000), "{bytes}");
        }
    }
}
