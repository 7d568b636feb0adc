//! An archive directory: listing, reading and describing what Flink clusters leave in it.
//!
//! Flink 2.3 and later write `<cluster-id>/applications/<application-id>/{application-summary,jobs/<job-id>}`,
//! earlier versions (and jobs without an application) `<job-id>`, all below one root. A cluster id may have slashes.
//! Hidden names (`.…` and `_…`) are ignored, as in Flink and Hadoop.
//! Other modules do not depend on whether the root is a local folder or an object store.
//!
//! # Complete or not
//!
//! A listing that returns [`Listed`] has seen everything except the parts that its [`Obstacle`]s hide. Only then does a file that was
//! not found count as missing. After a listing that fails, everything that it found is true, and the rest is unknown.

mod address;
mod contained;
mod error;
mod found;
mod layout;
mod level;
mod local;
mod object_store;
mod objects;
mod pieces;
mod requests;

use std::collections::BTreeMap;
use std::future::Future;
use std::ops::Range;
use std::path::Path;
use std::sync::Arc;

use bytes::Bytes;
use futures::stream::BoxStream;
use tokio::sync::mpsc::Sender;

use crate::clock::Timestamp;
use crate::ids::JobId;
use crate::names::{ClusterName, DirectoryUrl, FilePath};
use crate::telemetry;

use self::address::Address;
use self::contained::{contained, contained_stream};
use self::local::Local;
use self::object_store::{Remark, Store};

pub use self::address::has_scheme;
pub use self::error::{DirectoryError, DirectoryErrorKind};
pub use self::found::{
    Extent, FileKind, FileVersion, Fingerprint, Found, FoundApplication, FoundFile, Hidden, Listed, Obstacle, WantsFiles,
};
pub use self::local::FolderIdentity;
/// The option by which the configuration passes the content of the file that `AWS_CA_BUNDLE` names.
pub use self::object_store::AUTHORITIES as S3_AUTHORITIES;
pub use self::objects::{FolderMarker, ObjectDeletion, StoredObject, UnitObjects};
pub use self::pieces::Pieces;
pub use self::requests::RequestCounts;

/// Levels of the libraries below this module that log each retry and each failed handshake, as a filter of the log. Their failures are in
/// the messages of this server. A later filter can set them by name (`info,object_store=debug`).
pub const QUIET_LIBRARIES: &str = "object_store=warn,hdfs_native=off,rustls_platform_verifier=off";

/// Name of objects that test permissions. It is hidden.
const TEST_OBJECT: &str = ".historyserver-test";

/// Maximum bytes of one chunk of a stream.
const MAX_CHUNK: usize = 1 << 20;

/// Content of an archive file.
pub enum Contents {
    /// Small enough to be read at once.
    Whole(Bytes),
    /// Chunks in order, each of 1 MiB or less.
    Stream(BoxStream<'static, Result<Bytes, DirectoryError>>),
}

/// The result of a deletion.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Deleted {
    /// The file was deleted. Some stores also answer this for a file that did not exist.
    Done,
    /// The file did not exist.
    AlreadyMissing,
    /// The file has another version than expected, and was not deleted.
    Changed,
}

#[derive(Clone)]
enum Backend {
    Local(Local),
    Store(Store),
}

/// An archive directory, opened. Cheap to clone.
#[derive(Clone)]
pub struct Directory {
    url: DirectoryUrl,
    backend: Backend,
}

/// Checks whether a text is a valid archive directory: a path, or a URL with a supported scheme.
///
/// # Errors
/// The fault of the text, without credentials.
pub fn check_address(text: &str) -> Result<(), DirectoryError> {
    Address::parse(text).map(|_| ())
}

/// An option or an environment variable that is invalid or has no effect.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OptionRemark {
    /// The option, or the environment variable.
    pub key: String,
    /// The end of a sentence about it, without the value.
    pub message: String,
    /// Whether the directory cannot be opened with it.
    pub is_fault: bool,
}

/// Checks the options and environment variables that the store of an archive directory reads. Empty for a local directory and for an
/// invalid address.
#[must_use]
pub fn check_options(text: &str, options: &BTreeMap<String, String>, variables: &BTreeMap<String, String>) -> Vec<OptionRemark> {
    match Address::parse(text) {
        Ok(Address::Store(address)) => object_store::remarks(&address, options, variables)
            .into_iter()
            .map(|Remark { key, message, is_fault }| OptionRemark { key, message, is_fault })
            .collect(),
        Ok(Address::Local(_)) | Err(_) => Vec::new(),
    }
}

impl Directory {
    /// Opens one entry of `historyserver.archive.fs.dir`. Does no IO: the directory need not exist yet.
    ///
    /// Options are those of Flink and Hadoop (`s3.access-key`, `fs.azure.account.key.…`) and those of `object_store` with their
    /// prefix (`aws_access_key_id`); the latter win. Other values come from the environment, as for the tools of the clouds.
    ///
    /// # Errors
    /// The text is neither a path nor a URL with a supported scheme, or options are invalid.
    pub fn open(text: &str, options: &BTreeMap<String, String>) -> Result<Self, DirectoryError> {
        let variables = std::env::vars_os().filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)));
        let address = Address::parse(text)?;
        let url = DirectoryUrl::new(address.url());
        let backend = match address {
            Address::Local(root) => Backend::Local(Local::new(root)),
            Address::Store(address) => Backend::Store(Store::open(url.clone(), &address, options, &variables.collect())?),
        };
        Ok(Self { url, backend })
    }

    /// A directory in a store of `object_store`, below the literal `prefix`.
    #[must_use]
    pub fn in_store(url: DirectoryUrl, store: Arc<dyn ::object_store::ObjectStore>, prefix: &str) -> Self {
        Self { url: url.clone(), backend: Backend::Store(Store::new(url, store, None, prefix)) }
    }

    /// Runs an operation and counts it by its result. A panic of the client of a store is an error.
    async fn counted<T>(
        &self,
        kind: &'static str,
        operation: impl Future<Output = Result<T, DirectoryError>>,
    ) -> Result<T, DirectoryError> {
        let result = contained(&self.url, operation).await;
        telemetry::store_request(kind, result.as_ref().err().map_or("ok", |error| error.kind.into()));
        result
    }

    /// The URL of the directory.
    #[must_use]
    pub fn url(&self) -> &DirectoryUrl {
        &self.url
    }

    /// The folder of a local directory, for file events.
    #[must_use]
    pub fn local_root(&self) -> Option<&Path> {
        match &self.backend {
            Backend::Local(local) => Some(local.root()),
            Backend::Store(_) => None,
        }
    }

    /// The present time by the clock of the store, if its answers contain the time. A local directory has no clock of its own.
    #[must_use]
    pub fn store_time(&self) -> Option<Timestamp> {
        match &self.backend {
            Backend::Local(_) => None,
            Backend::Store(store) => store.time(),
        }
    }

    /// HTTP requests since the start; `None` where requests are not counted.
    #[must_use]
    pub fn requests(&self) -> Option<RequestCounts> {
        match &self.backend {
            Backend::Local(_) => None,
            Backend::Store(store) => store.requests(),
        }
    }

    /// The list price of one listing request in US dollars; `None` where there is none.
    #[must_use]
    pub fn listing_price(&self) -> Option<f64> {
        match &self.backend {
            Backend::Local(_) => None,
            Backend::Store(store) => store.listing_price(),
        }
    }

    /// Lists the directory, and sends its findings while the listing runs. The `known` clusters are always listed. Other clusters are
    /// searched for at a bounded cost, since their names may have slashes.
    ///
    /// # Errors
    /// The root cannot be listed, or the listing was interrupted. A missing root is no error, but [`Listed::exists`] = false. Findings
    /// sent before the error are true, but a file that was not sent may exist.
    pub async fn list(&self, extent: &Extent, known: &Arc<[ClusterName]>, found: Sender<Found>) -> Result<Listed, DirectoryError> {
        self.counted("list", async {
            match &self.backend {
                Backend::Local(local) => local.list(extent, known, found).await,
                Backend::Store(store) => store.list(extent, known, found).await,
            }
        })
        .await
    }

    /// Lists the archive files of one application; `None` when its folder is missing.
    ///
    /// # Errors
    /// The folder cannot be listed.
    pub async fn application_files(&self, folder: &FilePath) -> Result<Option<Vec<FoundFile>>, DirectoryError> {
        self.counted("list", async {
            match &self.backend {
                Backend::Local(local) => local.application_files(folder).await,
                Backend::Store(store) => store.application_files(folder).await,
            }
        })
        .await
    }

    /// Finds one legacy job archive by its lower-case name.
    ///
    /// # Errors
    /// The store does not answer.
    pub async fn legacy_job_file(&self, job: JobId) -> Result<Option<FoundFile>, DirectoryError> {
        self.legacy_job_file_named(&FilePath::new(job.to_string()), job).await
    }

    /// Finds one legacy job archive by its listed name, in any case.
    ///
    /// # Errors
    /// The store does not answer.
    pub async fn legacy_job_file_named(&self, name: &FilePath, job: JobId) -> Result<Option<FoundFile>, DirectoryError> {
        self.counted("list", async {
            match &self.backend {
                Backend::Local(local) => local.legacy_job_file(name.clone(), job).await,
                Backend::Store(store) => store.legacy_job_file(name.clone(), job).await,
            }
        })
        .await
    }

    /// Reads a file: at once when it has `whole_up_to` bytes or less, else as a stream.
    ///
    /// # Errors
    /// [`DirectoryError`] by kind. [`DirectoryErrorKind::NotFound`] only when the directory itself exists.
    pub async fn read(&self, file: &FilePath, whole_up_to: u64) -> Result<Contents, DirectoryError> {
        self.counted("read", async {
            match &self.backend {
                Backend::Local(local) => local.read(file, whole_up_to).await,
                Backend::Store(store) => match store.read(file, whole_up_to).await? {
                    Contents::Stream(chunks) => Ok(Contents::Stream(contained_stream(&self.url, chunks))),
                    whole @ Contents::Whole(_) => Ok(whole),
                },
            }
        })
        .await
    }

    /// Reads a part of a file. The result is shorter when the file is shorter.
    ///
    /// # Errors
    /// As [`Self::read`].
    pub async fn read_part(&self, file: &FilePath, part: Range<u64>) -> Result<Bytes, DirectoryError> {
        self.counted("read", async {
            match &self.backend {
                Backend::Local(local) => local.read_part(file, part).await,
                Backend::Store(store) => store.read_part(file, part).await,
            }
        })
        .await
    }

    /// A file, to be read piece by piece. Does no IO yet.
    #[must_use]
    pub fn pieces(&self, file: &FilePath) -> Pieces {
        Pieces::new(self.clone(), file.clone())
    }

    /// Deletes a file if it has the expected version. Only `retention::delete` may call this.
    ///
    /// In a local directory the version is checked when the file cannot be replaced any more. `object_store` has no conditional
    /// deletion: in a store the version is checked directly before, and a file that is written in between is lost.
    ///
    /// # Errors
    /// The store refuses or fails, the path is a folder, or it lies below a symbolic link.
    pub async fn delete_file(&self, file: &FilePath, expected: &FileVersion) -> Result<Deleted, DirectoryError> {
        self.counted("delete", async {
            match &self.backend {
                Backend::Local(local) => local.delete_file(file, expected).await,
                Backend::Store(store) => store.delete_file(file, expected).await,
            }
        })
        .await
    }

    /// Whether units are deleted together, by [`Self::survey`] and [`Self::delete_objects`]: in object stores, where each request is slow
    /// and one request concerns many objects.
    #[must_use]
    pub fn deletes_together(&self) -> bool {
        match &self.backend {
            Backend::Local(_) => false,
            Backend::Store(store) => store.deletes_together(),
        }
    }

    /// Lists the objects of units (folders of applications, names of legacy job archives), in their order. It takes at most one page for
    /// each unit, and at most all pages of their folders. With `may_be_missing` a unit that does not appear in a listing of many clusters
    /// is not looked for on its own.
    ///
    /// # Errors
    /// A listing fails.
    pub async fn survey(&self, units: &[FilePath], may_be_missing: bool) -> Result<Vec<UnitObjects>, DirectoryError> {
        self.counted("list", async {
            match &self.backend {
                Backend::Store(store) if store.deletes_together() => store.survey(units, may_be_missing).await,
                _ => Err(DirectoryError::refused(format!("{} does not delete units together", self.url))),
            }
        })
        .await
    }

    /// Deletes objects by few requests. The results are in the order of `objects`. Only `retention::delete` may call this.
    ///
    /// Stores have no deletion on condition of a version: the caller has listed the objects directly before.
    pub async fn delete_objects(&self, objects: &[StoredObject]) -> Vec<ObjectDeletion> {
        let results = match &self.backend {
            Backend::Store(store) => store.delete_objects(objects).await,
            Backend::Local(_) => {
                let refused = DirectoryError::refused(format!("{} does not delete units together", self.url));
                vec![ObjectDeletion::Refused(refused); objects.len()]
            }
        };
        let failure = results.iter().find_map(|result| match result {
            ObjectDeletion::Done | ObjectDeletion::AlreadyMissing => None,
            ObjectDeletion::Refused(error) | ObjectDeletion::NotSent(error) | ObjectDeletion::Unclear(error) => Some(error.kind.into()),
        });
        telemetry::store_request("delete", failure.unwrap_or("ok"));
        results
    }

    /// Creates a test object with a hidden name and deletes it again. Returns its name. Only `check-config --probe` calls this.
    ///
    /// # Errors
    /// The directory cannot be written, or the object could not be deleted, so that it is left.
    pub async fn write_test_object(&self) -> Result<String, DirectoryError> {
        let name = format!("{TEST_OBJECT}-{}", std::process::id());
        self.counted("write", async {
            match &self.backend {
                Backend::Local(local) => local.write_and_delete(&name).await,
                Backend::Store(store) => store.write_and_delete(&name).await,
            }
        })
        .await?;
        Ok(name)
    }

    /// Checks whether archives may be deleted. In a store, an object that does not exist is deleted.
    ///
    /// # Errors
    /// [`DirectoryErrorKind::Denied`] without the permission; other kinds if that cannot be found out.
    pub async fn may_delete(&self) -> Result<(), DirectoryError> {
        self.counted("delete", async {
            match &self.backend {
                Backend::Local(local) => local.may_delete().await,
                Backend::Store(store) => store.may_delete(TEST_OBJECT).await,
            }
        })
        .await
    }

    /// Restores the names of the archives of an application (its folder), or of a legacy job archive (its file), if a crash
    /// interrupted their deletion. Only `retention::delete` may call this.
    ///
    /// # Errors
    /// The file system refuses or fails.
    pub async fn undo_deletion(&self, unit: &FilePath) -> Result<(), DirectoryError> {
        match &self.backend {
            Backend::Local(local) => local.undo_deletion(unit).await,
            Backend::Store(_) => Ok(()),
        }
    }

    /// Removes the folder of an application, or its `jobs`, if it is empty. Returns whether the folder is missing now, which is always
    /// true where folders do not exist. Only `retention::delete` may call this.
    ///
    /// # Errors
    /// The file system refuses or fails, the folder is another folder, or it lies below a symbolic link.
    pub async fn remove_folder_if_empty(&self, folder: &FilePath) -> Result<bool, DirectoryError> {
        match &self.backend {
            Backend::Local(local) => local.remove_folder_if_empty(folder).await,
            Backend::Store(store) => store.remove_folder_if_empty(folder).await,
        }
    }

    /// The first symbolic link in the path of an application's folder; `None` for a plain folder.
    ///
    /// # Errors
    /// The state of the folder cannot be read.
    pub async fn application_link(&self, folder: &FilePath) -> Result<Option<FilePath>, DirectoryError> {
        match &self.backend {
            Backend::Local(local) => local.application_link(folder).await,
            Backend::Store(_) => Ok(None),
        }
    }

    /// Removes a symbolic link, and not its target. Only `retention::delete` may call this.
    ///
    /// # Errors
    /// The file system refuses or fails, the path is not a link, or it lies below another link.
    pub async fn remove_link(&self, link: &FilePath) -> Result<Deleted, DirectoryError> {
        match &self.backend {
            Backend::Local(local) => local.remove_link(link).await,
            Backend::Store(_) => Ok(Deleted::AlreadyMissing),
        }
    }
}

impl std::fmt::Debug for Directory {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_tuple("Directory").field(&self.url).finish()
    }
}
