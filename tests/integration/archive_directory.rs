//! Archive directories for tests, in any kind of store, and whole listings of them.

#![allow(dead_code, reason = "not every test needs every part")]

use std::collections::BTreeMap;
use std::sync::Arc;

use historyserver::clock::Timestamp;
use historyserver::directory::{
    Contents, Directory, DirectoryError, Extent, FileVersion, Found, FoundApplication, FoundFile, Listed, Obstacle,
};
use historyserver::ids::{ApplicationId, JobId};
use historyserver::names::{ClusterName, DirectoryUrl};
use object_store::path::Path;
use object_store::{ObjectStore, ObjectStoreExt};
use tempfile::TempDir;

/// A directory that tests write to past the code under test.
pub(crate) struct Place {
    backing: Backing,
    pub(crate) directory: Directory,
}

enum Backing {
    Folder(TempDir),
    Store { store: Arc<dyn ObjectStore>, prefix: String },
}

impl Place {
    /// A local folder, `archives`, that does not exist until something is written. The folder around it goes with this value.
    pub(crate) fn local() -> Self {
        let folder = TempDir::new().unwrap();
        let root = folder.path().join("archives");
        let directory = Directory::open(root.to_str().unwrap(), &BTreeMap::new()).unwrap();
        Self { backing: Backing::Folder(folder), directory }
    }

    /// Below a prefix of a store in memory.
    pub(crate) fn in_memory() -> Self {
        Self::in_store(Arc::new(object_store::memory::InMemory::new()), "flink/archive with space%20+é")
    }

    /// Below a prefix of any store.
    pub(crate) fn in_store(store: Arc<dyn ObjectStore>, prefix: &str) -> Self {
        let directory = Directory::in_store(DirectoryUrl::new(format!("memory:///{prefix}")), Arc::clone(&store), prefix);
        Self::opened(directory, store, prefix)
    }

    /// A directory opened by the caller, that shows what `store` holds below `prefix`.
    pub(crate) fn opened(directory: Directory, store: Arc<dyn ObjectStore>, prefix: &str) -> Self {
        Self { backing: Backing::Store { store, prefix: prefix.to_owned() }, directory }
    }

    pub(crate) async fn write(&self, path: &str, content: impl Into<Vec<u8>>) {
        match &self.backing {
            Backing::Folder(folder) => {
                let file = folder.path().join("archives").join(path);
                std::fs::create_dir_all(file.parent().unwrap()).unwrap();
                std::fs::write(file, content.into()).unwrap();
            }
            Backing::Store { store, prefix } => {
                let key = Path::parse(format!("{prefix}/{path}")).unwrap();
                store.put(&key, content.into().into()).await.unwrap();
            }
        }
    }

    /// Removes what was written.
    pub(crate) async fn remove(&self, path: &str) {
        match &self.backing {
            Backing::Folder(folder) => std::fs::remove_file(folder.path().join("archives").join(path)).unwrap(),
            Backing::Store { store, prefix } => store.delete(&Path::parse(format!("{prefix}/{path}")).unwrap()).await.unwrap(),
        }
    }

    /// Writes beside the directory: `name` follows its own name directly.
    pub(crate) async fn write_beside(&self, name: &str) {
        match &self.backing {
            Backing::Folder(folder) => {
                let file = folder.path().join(format!("archives{name}"));
                std::fs::create_dir_all(file.parent().unwrap()).unwrap();
                std::fs::write(file, "x").unwrap();
            }
            Backing::Store { store, prefix } => {
                store.put(&Path::parse(format!("{prefix}{name}")).unwrap(), "x".into()).await.unwrap();
            }
        }
    }

    /// Whether folders are there without files in them.
    pub(crate) fn has_folders(&self) -> bool {
        matches!(self.backing, Backing::Folder(_))
    }
}

/// All that one listing found.
#[derive(Debug, Default)]
pub(crate) struct Listing {
    pub(crate) listed: Listed,
    pub(crate) applications: BTreeMap<(ClusterName, ApplicationId), FoundApplication>,
    pub(crate) legacy: BTreeMap<JobId, FoundFile>,
    pub(crate) obstacles: Vec<Obstacle>,
    /// Applications in the order in which they were sent.
    pub(crate) order: Vec<ApplicationId>,
    /// Sizes of the batches of applications.
    pub(crate) batches: Vec<usize>,
}

impl Listing {
    /// Paths of all archives found, in order.
    pub(crate) fn paths(&self) -> Vec<String> {
        let below = self.applications.values().flat_map(|application| application.files.iter().flatten());
        let mut paths: Vec<String> = below.chain(self.legacy.values()).map(|file| file.path.to_string()).collect();
        paths.sort();
        paths
    }

    /// Folders of all applications found, in order.
    pub(crate) fn folders(&self) -> Vec<String> {
        let mut folders: Vec<String> = self.applications.values().map(|application| application.folder.to_string()).collect();
        folders.sort();
        folders
    }
}

/// Lists a directory of which nothing is known; nothing may be found twice.
pub(crate) async fn list(directory: &Directory, extent: &Extent) -> Result<Listing, DirectoryError> {
    list_knowing(directory, extent, &[]).await
}

/// Lists a directory of which these clusters are known; nothing may be found twice.
pub(crate) async fn list_knowing(directory: &Directory, extent: &Extent, known: &[&str]) -> Result<Listing, DirectoryError> {
    let known: Arc<[ClusterName]> = known.iter().map(|name| ClusterName::new(*name)).collect();
    let (sender, mut receiver) = tokio::sync::mpsc::channel(4);
    let gather = async {
        let mut listing = Listing::default();
        while let Some(found) = receiver.recv().await {
            match found {
                Found::Applications(applications) => {
                    listing.batches.push(applications.len());
                    for application in applications {
                        listing.order.push(application.id);
                        let twice = listing.applications.insert((application.cluster.clone(), application.id), application);
                        assert_eq!(twice, None);
                    }
                }
                Found::LegacyJobs(files) => {
                    for file in files {
                        let historyserver::directory::FileKind::Job(job) = file.kind else { panic!("{file:?} is no job") };
                        assert_eq!(listing.legacy.insert(job, file), None);
                    }
                }
                Found::Obstacle(obstacle) => listing.obstacles.push(obstacle),
            }
        }
        listing
    };
    let (listed, mut listing) = tokio::join!(directory.list(extent, &known, sender), gather);
    listing.listed = listed?;
    Ok(listing)
}

/// Lists every file.
pub(crate) async fn full_scan(directory: &Directory) -> Listing {
    list(directory, &Extent::Full).await.unwrap()
}

/// A version that no file has.
pub(crate) const NO_VERSION: FileVersion = FileVersion { size: u64::MAX, modified: Timestamp::EPOCH, etag: None };

/// The version of a file in a listing.
pub(crate) async fn version_of(directory: &Directory, path: &str) -> FileVersion {
    let listing = full_scan(directory).await;
    let mut files = listing.applications.values().flat_map(|application| application.files.iter().flatten()).chain(listing.legacy.values());
    files.find(|file| file.path.as_str() == path).unwrap_or_else(|| panic!("{path} is not listed")).version.clone()
}

/// Lists names, and the files of those applications for which `wants_files` says true.
pub(crate) async fn quick_scan(directory: &Directory, wants_files: impl Fn(&ApplicationId) -> bool + Send + Sync + 'static) -> Listing {
    list(directory, &Extent::Quick(Arc::new(move |_, id| wants_files(id)))).await.unwrap()
}

/// Content of a file, and in how many pieces it came (0: at once).
pub(crate) async fn read(directory: &Directory, path: &str, whole_up_to: u64) -> Result<(Vec<u8>, usize), DirectoryError> {
    use futures::TryStreamExt;
    match directory.read(&historyserver::names::FilePath::new(path), whole_up_to).await? {
        Contents::Whole(bytes) => Ok((bytes.to_vec(), 0)),
        Contents::Stream(chunks) => {
            let chunks: Vec<bytes::Bytes> = chunks.try_collect().await?;
            assert!(chunks.iter().all(|chunk| !chunk.is_empty() && chunk.len() <= 1 << 20));
            Ok((chunks.concat(), chunks.len()))
        }
    }
}

/// An id of one repeated digit pair, for tests.
pub(crate) fn hex(byte: u8) -> String {
    format!("{byte:02x}").repeat(16)
}
