//! An archive directory in an object store.
//!
//! Object stores have keys and no folders: an application exists when one of its archives exists.
//! Keys are literal in both directions, whatever characters they contain.

mod bulk;
mod costs;
mod errors;
mod groups;
mod hdfs;
mod limit;
mod listing;
mod listing_body;
mod open;
mod page;
#[cfg(test)]
mod paged_tests;
mod pages;
mod ranges;
mod read;
mod search;
mod settings;
mod store_clock;
mod survey;
mod test_object;
mod traffic;

use std::ops::Range;
use std::sync::Arc;

use ::object_store::list::PaginatedListStore;
use ::object_store::path::Path;
use ::object_store::{ObjectMeta, ObjectStore, ObjectStoreExt};
use bytes::Bytes;
use futures::TryStreamExt;
use tokio::sync::mpsc::Sender;

use self::bulk::Deletion;
use self::costs::Costs;
use self::errors::{Purpose, Redaction};
use self::hdfs::Hdfs;
pub(super) use self::open::remarks;
use self::pages::Requests;
pub(super) use self::settings::Remark;
pub use self::settings::s3::AUTHORITIES;
use self::traffic::Traffic;
use super::error::{DirectoryError, DirectoryErrorKind};
use super::found::{Extent, FileKind, FileVersion, Found, FoundFile, Listed};
use super::objects::{ObjectDeletion, StoredObject, UnitObjects};
use super::pieces::Piece;
use super::requests::RequestCounts;
use super::{Contents, Deleted, layout};
use crate::clock::Timestamp;
use crate::ids::JobId;
use crate::names::{ClusterName, DirectoryUrl, FilePath};

/// A root in an object store. Cheap to clone.
#[derive(Clone)]
pub(super) struct Store {
    inner: Arc<Inner>,
}

struct Inner {
    url: DirectoryUrl,
    store: Arc<dyn ObjectStore>,
    /// The same store, if it supports paged listings with any prefix.
    paged: Option<Arc<dyn PaginatedListStore>>,
    /// Number of objects of a page; `None`: the default of the store.
    page_size: Option<usize>,
    deletion: Deletion,
    costs: Costs,
    root: Path,
    /// The same store, if it has real folders.
    hdfs: Option<Hdfs>,
    redaction: Redaction,
    /// The requests of the HTTP client of the store; none for other stores.
    traffic: Arc<Traffic>,
}

impl Store {
    /// A directory below `prefix`, which is normalised.
    pub(super) fn new(url: DirectoryUrl, store: Arc<dyn ObjectStore>, paged: Option<Arc<dyn PaginatedListStore>>, prefix: &str) -> Self {
        Self::assemble(Inner {
            url,
            store,
            paged,
            page_size: None,
            deletion: Deletion::Single,
            costs: Costs::default(),
            root: literal(prefix),
            hdfs: None,
            redaction: Redaction::default(),
            traffic: Arc::default(),
        })
    }

    /// The present time by the clock of the store, if an answer contained it.
    pub(super) fn time(&self) -> Option<Timestamp> {
        self.inner.traffic.clock().now()
    }

    /// HTTP requests since the start; `None` in HDFS, which has none.
    pub(super) fn requests(&self) -> Option<RequestCounts> {
        self.inner.hdfs.is_none().then(|| self.inner.traffic.counts())
    }

    /// The list price of one listing request in US dollars.
    pub(super) fn listing_price(&self) -> Option<f64> {
        self.inner.costs.listing_price()
    }

    fn assemble(inner: Inner) -> Self {
        Self { inner: Arc::new(inner) }
    }

    pub(super) async fn list(&self, extent: &Extent, known: &[ClusterName], found: Sender<Found>) -> Result<Listed, DirectoryError> {
        listing::list(&self.inner, extent, known, found).await
    }

    pub(super) async fn application_files(&self, folder: &FilePath) -> Result<Option<Vec<FoundFile>>, DirectoryError> {
        if layout::application_of(folder).is_none() {
            return Err(DirectoryError::refused(format!("{folder} is not the folder of an application")));
        }
        let key = self.inner.key(folder)?;
        let files = self.inner.files_below(folder, &key).await.map_err(|error| self.inner.failed("list", folder.as_str(), &error))?;
        Ok((!files.is_empty()).then_some(files))
    }

    pub(super) async fn legacy_job_file(&self, path: FilePath, job: JobId) -> Result<Option<FoundFile>, DirectoryError> {
        let key = self.inner.key(&path)?;
        // Some listings have no tag where the state of one object has one, and versions are compared with those of listings.
        let state = match &self.inner.paged {
            Some(_) => self.inner.listed_object(&key).await,
            None => self.inner.store.head(&key).await,
        };
        match state {
            Ok(object) => Ok(Some(FoundFile { path, kind: FileKind::Job(job), version: version(&object) })),
            Err(::object_store::Error::NotFound { .. }) => Ok(None),
            Err(error) => Err(self.inner.failed("read the state of", path.as_str(), &error)),
        }
    }

    pub(super) async fn read_piece(&self, file: &FilePath, position: u64, max_bytes: usize) -> Result<Piece, DirectoryError> {
        read::read_piece(&self.inner, file, position, max_bytes).await
    }

    pub(super) async fn read(&self, file: &FilePath, whole_up_to: u64) -> Result<Contents, DirectoryError> {
        read::read(&self.inner, file, whole_up_to).await
    }

    pub(super) async fn read_part(&self, file: &FilePath, part: Range<u64>) -> Result<Bytes, DirectoryError> {
        let key = self.inner.key(file)?;
        self.inner.store.get_range(&key, part).await.map_err(|error| self.inner.failed("read", file.as_str(), &error))
    }

    pub(super) async fn delete_file(&self, file: &FilePath, expected: &FileVersion) -> Result<Deleted, DirectoryError> {
        layout::check_deletable(file)?;
        let key = self.inner.key(file)?;
        match self.inner.store.head(&key).await {
            Ok(object) if is_version(&object, expected) => {}
            Ok(_) => return Ok(Deleted::Changed),
            Err(::object_store::Error::NotFound { .. }) => return Ok(Deleted::AlreadyMissing),
            Err(error) => return Err(self.inner.failed("read the state of", file.as_str(), &error)),
        }
        match self.inner.store.delete(&key).await {
            Ok(()) => Ok(Deleted::Done),
            Err(::object_store::Error::NotFound { .. }) => Ok(Deleted::AlreadyMissing),
            Err(error) => Err(self.inner.failed("delete", file.as_str(), &error)),
        }
    }
}

impl Store {
    /// Whether the objects of many units can be listed and deleted together.
    pub(super) fn deletes_together(&self) -> bool {
        self.inner.paged.is_some()
    }

    pub(super) async fn survey(&self, units: &[FilePath], may_be_missing: bool) -> Result<Vec<UnitObjects>, DirectoryError> {
        survey::survey(&self.inner, units, may_be_missing).await
    }

    pub(super) async fn delete_objects(&self, objects: &[StoredObject]) -> Vec<ObjectDeletion> {
        bulk::delete(&self.inner, objects).await
    }

    pub(super) async fn write_and_delete(&self, name: &str) -> Result<(), DirectoryError> {
        test_object::write_and_delete(&self.inner, &FilePath::new(name)).await
    }

    pub(super) async fn may_delete(&self, name: &str) -> Result<(), DirectoryError> {
        test_object::may_delete(&self.inner, &FilePath::new(name)).await
    }

    /// Removes a folder if it is empty, where folders exist. Returns whether it is missing now.
    pub(super) async fn remove_folder_if_empty(&self, folder: &FilePath) -> Result<bool, DirectoryError> {
        let Some(hdfs) = &self.inner.hdfs else { return Ok(true) };
        let key = self.inner.key(folder)?;
        hdfs.remove_folder_if_empty(&key).await.map_err(|error| self.inner.failed("delete the folder", folder.as_str(), &error))
    }
}

impl Inner {
    /// Key of a file below the root.
    fn key(&self, file: &FilePath) -> Result<Path, DirectoryError> {
        let text = layout::check(file)?;
        let key = if self.root.as_ref().is_empty() { text.to_owned() } else { format!("{}/{text}", self.root) };
        Path::parse(key).map_err(|_| DirectoryError::refused(format!("{text:?} is not a valid path of an object")))
    }

    /// Path of an object below the root; `None` for the marker of the root itself.
    fn below<'a>(&self, key: &'a Path) -> Option<&'a str> {
        self.below_text(key.as_ref())
    }

    /// As [`Self::below`], of a key as text.
    fn below_text<'a>(&self, key: &'a str) -> Option<&'a str> {
        let root = self.root.as_ref();
        if root.is_empty() { Some(key) } else { key.strip_prefix(root)?.strip_prefix('/') }
    }

    /// The state of one object as a listing shows it.
    async fn listed_object(&self, key: &Path) -> ::object_store::Result<ObjectMeta> {
        let requests = Requests::new();
        // One character less than the key: of Azure's listings `object_store` 0.14.2 drops an object that is named as the prefix.
        let mut prefix = key.to_string();
        prefix.pop();
        let mut pages = self.keys_from(&requests, prefix);
        while let Some(page) = pages.try_next().await? {
            if let Some(object) = page.objects.iter().find(|object| object.location == *key) {
                return Ok(object.clone());
            }
        }
        Err(::object_store::Error::NotFound { path: key.to_string(), source: "it is not in the listing".into() })
    }

    /// Lists the archives of an application. Of names with the same id, the name in lower case is used.
    async fn files_below(&self, folder: &FilePath, key: &Path) -> ::object_store::Result<Vec<FoundFile>> {
        let mut objects = self.store.list(Some(key));
        let mut files = Vec::new();
        while let Some(object) = objects.try_next().await? {
            let kind = self
                .below(&object.location)
                .and_then(|path| path.strip_prefix(folder.as_str())?.strip_prefix('/'))
                .and_then(layout::kind_below_application);
            if let (Some(kind), Some(path)) = (kind, self.below(&object.location)) {
                files.push(FoundFile { path: FilePath::new(path), kind, version: version(&object) });
            }
        }
        layout::resolve_twins(&mut files);
        Ok(files)
    }

    /// The error of a request about `what` below the root.
    fn failed(&self, doing: &str, what: &str, error: &::object_store::Error) -> DirectoryError {
        let place = if what.is_empty() { self.url.to_string() } else { format!("{}/{what}", self.url) };
        let purpose = if doing.starts_with("delete") { Purpose::Delete } else { Purpose::Read };
        let (kind, cause) = errors::describe(error, &self.redaction, purpose);
        let hint = match kind {
            // The cause has its own advice.
            _ if cause.contains("; ") => "",
            DirectoryErrorKind::Denied => "; check the credentials and their permissions",
            // In an existing bucket, a missing prefix gives an empty listing.
            DirectoryErrorKind::NotFound if what.is_empty() => {
                "; the bucket or container probably does not exist: check its name in historyserver.archive.fs.dir, and the endpoint"
            }
            _ => "",
        };
        DirectoryError::new(kind, format!("cannot {doing} {place}: {cause}{hint}"))
    }
}

fn version(object: &ObjectMeta) -> FileVersion {
    // A listing may contain milliseconds where the state of one object contains seconds. The tag distinguishes versions.
    let modified = if object.e_tag.is_some() { object.last_modified.timestamp() * 1_000 } else { object.last_modified.timestamp_millis() };
    FileVersion { size: object.size, modified: Timestamp::from_millis(modified), etag: object.e_tag.as_deref().map(quoted) }
}

/// An entity tag in quotes, which listings of Azure omit.
fn quoted(tag: &str) -> String {
    if tag.ends_with('"') { tag.to_owned() } else { format!("\"{tag}\"") }
}

/// Whether an object has the listed version. A tag decides if both have one. Otherwise size and time do, in whole seconds, since the
/// state of one object has no fractions of a second.
fn is_version(object: &ObjectMeta, listed: &FileVersion) -> bool {
    let same_state = match (&object.e_tag, &listed.etag) {
        (Some(tag), Some(listed)) => bare(tag) == bare(listed),
        _ => object.last_modified.timestamp() == listed.modified.as_millis().div_euclid(1_000),
    };
    object.size == listed.size && same_state
}

/// An entity tag without quotes and without the mark of a weak one.
fn bare(tag: &str) -> &str {
    tag.strip_prefix("W/").unwrap_or(tag).trim_matches('"')
}

/// A literal prefix without empty segments. Only characters that no key can contain (control characters, `..`) are encoded.
fn literal(prefix: &str) -> Path {
    let segments: Vec<&str> = prefix.split('/').filter(|segment| !segment.is_empty()).collect();
    let plain = segments.join("/");
    Path::parse(&plain).unwrap_or_else(|_| Path::from(plain))
}
