//! An archive directory: listing, reading and describing what Flink clusters leave in it.
//!
//! Flink 2.3 and later write `<cluster-id>/applications/<application-id>/{application-summary,jobs/<job-id>}`,
//! earlier versions (and jobs without an application) `<job-id>`, all below one root. A cluster id may have slashes.
//! Names that begin with `.` or `_` are left alone, as Flink and Hadoop do.
//! Nothing above this module knows whether the root is a local folder or an object store.
//!
//! # Complete or not
//!
//! A listing that returns [`Listed`] has seen everything except what its [`Obstacle`]s hide. Only then may something that
//! was not found be taken for gone. A listing that fails has told the truth so far, and nothing about the rest.

mod address;
mod error;
mod found;
mod layout;
mod level;
mod local;
mod object_store;
mod pieces;

use std::collections::BTreeMap;
use std::ops::Range;
use std::path::Path;
use std::sync::Arc;

use bytes::Bytes;
use futures::stream::BoxStream;
use tokio::sync::mpsc::Sender;

use crate::clock::Millis;
use crate::ids::JobId;
use crate::names::{ClusterName, DirectoryUrl, FilePath};
use crate::telemetry;

use self::address::Address;
use self::local::Local;
use self::object_store::Store;

pub use self::address::{DirectoryList, has_scheme, split_list};
pub use self::error::{DirectoryError, DirectoryErrorKind};
pub use self::found::{
    Extent, FileKind, FileVersion, Fingerprint, Found, FoundApplication, FoundFile, Hidden, Listed, Obstacle, WantsFiles,
};
pub use self::pieces::Pieces;

/// Most bytes of one chunk of a stream.
const CHUNK: usize = 1 << 20;

/// Content of an archive file.
pub enum Contents {
    /// Small enough to be read at once.
    Whole(Bytes),
    /// Chunks in order, of at most 1 MiB.
    Stream(BoxStream<'static, Result<Bytes, DirectoryError>>),
}

/// What became of something that was to be deleted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Deleted {
    /// It was there and is not any more. Stores that do not tell say so in any case.
    Done,
    /// It was not there.
    AlreadyGone,
    /// It is there in another version than was expected, and stays.
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

/// Whether a text names an archive directory: a path, or a URL of a scheme that is supported, of the form that it has.
///
/// # Errors
/// What is wrong with it; no credentials are repeated.
pub fn check_address(text: &str) -> Result<(), DirectoryError> {
    Address::parse(text).map(|_| ())
}

impl Directory {
    /// Opens one entry of `historyserver.archive.fs.dir`. Does no IO: the directory need not exist yet.
    ///
    /// Options are those of Flink and Hadoop (`s3.access-key`, `fs.azure.account.key.…`) and those of `object_store` with their
    /// prefix (`aws_access_key_id`); the latter win. What they do not say is taken from the environment as the clouds' own tools do.
    ///
    /// # Errors
    /// A text that is no path and no URL of a known scheme, or options that do not fit.
    pub fn open(text: &str, options: &BTreeMap<String, String>) -> Result<Self, DirectoryError> {
        let address = Address::parse(text)?;
        let url = DirectoryUrl::new(address.url());
        let backend = match address {
            Address::Local(root) => Backend::Local(Local::new(root)),
            Address::Store(address) => Backend::Store(Store::open(url.clone(), &address, options)?),
        };
        Ok(Self { url, backend })
    }

    /// A directory in any store of `object_store`, below `prefix`, which is literal.
    #[must_use]
    pub fn in_store(url: DirectoryUrl, store: Arc<dyn ::object_store::ObjectStore>, prefix: &str) -> Self {
        Self { url: url.clone(), backend: Backend::Store(Store::new(url, store, None, prefix)) }
    }

    /// Key of the directory.
    #[must_use]
    pub fn url(&self) -> &DirectoryUrl {
        &self.url
    }

    /// The local folder, if this is one: for file events.
    #[must_use]
    pub fn local_root(&self) -> Option<&Path> {
        match &self.backend {
            Backend::Local(local) => Some(local.root()),
            Backend::Store(_) => None,
        }
    }

    /// The present time by the clock of the store, if its answers tell it. A local directory has no clock of its own.
    #[must_use]
    pub fn store_time(&self) -> Option<Millis> {
        match &self.backend {
            Backend::Local(_) => None,
            Backend::Store(store) => store.time(),
        }
    }

    /// Lists the directory and sends what it finds while it goes on. The clusters that are `known` are listed whatever else there is;
    /// others are searched for, at a bounded cost, since their names may have slashes.
    ///
    /// # Errors
    /// The root itself cannot be listed (an absent root is [`Listed::exists`] = false, not an error), or listing was cut short.
    /// What was sent before an error is true, but nothing may be concluded from what was not sent.
    pub async fn list(&self, extent: &Extent, known: &Arc<[ClusterName]>, found: Sender<Found>) -> Result<Listed, DirectoryError> {
        counted(
            "list",
            match &self.backend {
                Backend::Local(local) => local.list(extent, known, found).await,
                Backend::Store(store) => store.list(extent, known, found).await,
            },
        )
    }

    /// Lists the archive files of one application; `None` when its folder is not there.
    ///
    /// # Errors
    /// The folder cannot be listed.
    pub async fn application_files(&self, folder: &FilePath) -> Result<Option<Vec<FoundFile>>, DirectoryError> {
        counted(
            "list",
            match &self.backend {
                Backend::Local(local) => local.application_files(folder).await,
                Backend::Store(store) => store.application_files(folder).await,
            },
        )
    }

    /// Looks for one legacy job archive by its lower-case name.
    ///
    /// # Errors
    /// The store cannot be asked.
    pub async fn legacy_job_file(&self, job: JobId) -> Result<Option<FoundFile>, DirectoryError> {
        self.legacy_job_file_named(&FilePath::new(job.to_string()), job).await
    }

    /// Looks for one legacy job archive by the name that a listing told, in any case.
    ///
    /// # Errors
    /// The store cannot be asked.
    pub async fn legacy_job_file_named(&self, name: &FilePath, job: JobId) -> Result<Option<FoundFile>, DirectoryError> {
        counted(
            "list",
            match &self.backend {
                Backend::Local(local) => local.legacy_job_file(name.clone(), job).await,
                Backend::Store(store) => store.legacy_job_file(name.clone(), job).await,
            },
        )
    }

    /// Reads a file: at once when it has at most `whole_up_to` bytes, else as a stream.
    ///
    /// # Errors
    /// [`DirectoryError`] by kind. [`DirectoryErrorKind::NotFound`] only when the directory itself is there.
    pub async fn read(&self, file: &FilePath, whole_up_to: u64) -> Result<Contents, DirectoryError> {
        counted(
            "read",
            match &self.backend {
                Backend::Local(local) => local.read(file, whole_up_to).await,
                Backend::Store(store) => store.read(file, whole_up_to).await,
            },
        )
    }

    /// Reads a part of a file. Fewer bytes come where the file has become shorter.
    ///
    /// # Errors
    /// As [`Self::read`].
    pub async fn read_part(&self, file: &FilePath, part: Range<u64>) -> Result<Bytes, DirectoryError> {
        counted(
            "read",
            match &self.backend {
                Backend::Local(local) => local.read_part(file, part).await,
                Backend::Store(store) => store.read_part(file, part).await,
            },
        )
    }

    /// A file, to be read piece by piece. Does no IO yet.
    #[must_use]
    pub fn pieces(&self, file: &FilePath) -> Pieces {
        Pieces::new(self.clone(), file.clone())
    }

    /// Deletes a file that is in the version that is expected, as it was listed. One that is not there is deleted already. Only
    /// `retention::delete` may call this.
    ///
    /// In a local directory the file is looked at when it cannot be replaced any more. Object stores have no deletion under a
    /// condition that `object_store` knows: there it is looked at directly before, and what is written in between is lost.
    ///
    /// # Errors
    /// The store refuses or fails; a folder, or a file below a symbolic link.
    pub async fn delete_file(&self, file: &FilePath, expected: &FileVersion) -> Result<Deleted, DirectoryError> {
        counted(
            "delete",
            match &self.backend {
                Backend::Local(local) => local.delete_file(file, expected).await,
                Backend::Store(store) => store.delete_file(file, expected).await,
            },
        )
    }

    /// Makes the archives of an application (its folder), or a legacy job archive (its file), visible again if a crash cut their
    /// deletion short. Only `retention::delete` may call this.
    ///
    /// # Errors
    /// The file system refuses or fails.
    pub async fn undo_deletion(&self, unit: &FilePath) -> Result<(), DirectoryError> {
        match &self.backend {
            Backend::Local(local) => local.undo_deletion(unit).await,
            Backend::Store(_) => Ok(()),
        }
    }

    /// Removes the folder of an application, or its `jobs`, if nothing is in it, and returns whether it is gone now.
    /// Object stores have no folders: nothing to do there. Only `retention::delete` may call this.
    ///
    /// # Errors
    /// The file system refuses or fails; any other folder, or one below a symbolic link.
    pub async fn remove_folder_if_empty(&self, folder: &FilePath) -> Result<bool, DirectoryError> {
        match &self.backend {
            Backend::Local(local) => local.remove_folder_if_empty(folder).await,
            Backend::Store(_) => Ok(true),
        }
    }

    /// The symbolic link that the folder of an application is, or the first one that it lies below. `None` for a plain folder.
    ///
    /// # Errors
    /// The folder cannot be looked at.
    pub async fn application_link(&self, folder: &FilePath) -> Result<Option<FilePath>, DirectoryError> {
        match &self.backend {
            Backend::Local(local) => local.application_link(folder).await,
            Backend::Store(_) => Ok(None),
        }
    }

    /// Removes a symbolic link, never what it leads to. Only `retention::delete` may call this.
    ///
    /// # Errors
    /// The file system refuses or fails; something that is no link, or lies below another.
    pub async fn remove_link(&self, link: &FilePath) -> Result<Deleted, DirectoryError> {
        match &self.backend {
            Backend::Local(local) => local.remove_link(link).await,
            Backend::Store(_) => Ok(Deleted::AlreadyGone),
        }
    }
}

/// Counts an operation by its result.
fn counted<T>(kind: &'static str, result: Result<T, DirectoryError>) -> Result<T, DirectoryError> {
    telemetry::store_request(kind, result.as_ref().err().map_or("ok", |error| error.kind.into()));
    result
}

impl std::fmt::Debug for Directory {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_tuple("Directory").field(&self.url).finish()
    }
}
