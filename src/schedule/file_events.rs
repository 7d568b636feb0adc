//! File events of local archive directories. They start the next quick scan early; new archives are found without them, too.
//!
//! The root, the `applications/` folder of each cluster and the folders of open applications are watched, without the folders below
//! them, and only the [`MAX_WATCHES`] folders that changed last. A network file system may send no events.
//!
//! A watch follows its folder when the folder is moved. So folders are compared by device and inode after each refresh and each event,
//! and a path that is another folder by now is watched again. While the root is missing, the closest folder above it is watched.

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use notify::event::{AccessKind, AccessMode};
use notify::{EventKind, RecommendedWatcher, RecursiveMode, Watcher as _};
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

use crate::directory::FolderIdentity;
use crate::refresh::Watched;
use crate::tasks;

/// Maximum number of watched folders of one archive directory.
pub const MAX_WATCHES: usize = 256;

/// Delay of a quick scan after the first event, since an application has several files.
const SETTLE: Duration = Duration::from_millis(100);

/// Minimum time between two quick scans that events start.
const PAUSE: Duration = Duration::from_secs(1);

/// Watches every directory until `stop` is cancelled. A directory whose file system does not answer delays no other.
pub async fn watch_all(directories: Vec<Watched>, stop: CancellationToken) {
    let watching: Vec<_> = directories.into_iter().map(|each| tasks::spawn(watch(each, stop.clone()))).collect();
    for each in watching {
        if let Err(error) = each.await {
            tracing::error!(
                "the file events of an archive directory ended unexpectedly: {error}; its new archives are found every \
                 historyserver.archive.fs.refresh-interval"
            );
        }
    }
}

/// Starts a quick scan of a directory soon after something changes in one of its folders, until `stop` is cancelled.
async fn watch(Watched { mut folders, changed }: Watched, stop: CancellationToken) {
    let happened = Arc::new(Notify::new());
    let signal = happened.clone();
    let watcher = notify::recommended_watcher(move |event: notify::Result<notify::Event>| {
        // Reads are events, too, and most of them are this server's.
        if event.is_ok_and(|event| is_change(event.kind)) {
            signal.notify_one();
        }
    });
    let watcher = match watcher {
        Ok(watcher) => watcher,
        Err(error) => {
            tracing::warn!(
                "file events are not available: {error}; new archives are found only every historyserver.archive.fs.refresh-interval"
            );
            return;
        }
    };
    let mut watches = Watches { watcher, folders: HashMap::new() };
    loop {
        let wanted: Vec<PathBuf> = folders.borrow_and_update().iter().take(MAX_WATCHES).cloned().collect();
        let Some(root) = wanted.first().cloned() else { return };
        // A file system that does not answer must not stop the async threads.
        let following = tasks::spawn_blocking(move || {
            let replaced = watches.follow(wanted);
            (watches, replaced)
        });
        let replaced;
        (watches, replaced) = tokio::select! {
            () = stop.cancelled() => return,
            followed = following => followed,
        };
        // Archives may have come before the watch.
        if replaced {
            changed.notify_one();
        }
        tokio::select! {
            () = stop.cancelled() => return,
            more = folders.changed() => if more.is_err() { return },
            () = happened.notified() => {
                tokio::time::sleep(SETTLE).await;
                // An event above a missing root is about something else, unless the root is back.
                if watches.folders.contains_key(&root) {
                    changed.notify_one();
                    tokio::select! {
                        () = stop.cancelled() => return,
                        () = tokio::time::sleep(PAUSE) => {}
                    }
                }
            }
        }
    }
}

/// The watched folders of one archive directory.
struct Watches {
    watcher: RecommendedWatcher,
    folders: HashMap<PathBuf, FolderIdentity>,
}

impl Watches {
    /// Watches the wanted folders and no others, and those again whose path is another folder by now. The first one is the root; if it is
    /// missing, the closest folder above it is watched. Returns whether the root has come or gone, or a watched path has become another
    /// folder. Blocking.
    fn follow(&mut self, wanted: Vec<PathBuf>) -> bool {
        let mut present: HashMap<PathBuf, FolderIdentity> = HashMap::new();
        let root = wanted.first().cloned();
        for folder in wanted {
            present.extend(FolderIdentity::of(&folder).map(|identity| (folder, identity)));
        }
        let Self { watcher, folders } = self;
        let is_other = |(folder, identity): (&PathBuf, &FolderIdentity)| {
            folders.get(folder).map_or(root.as_ref() == Some(folder), |before| before != identity)
        };
        let is_gone = |root: &PathBuf| folders.contains_key(root) && !present.contains_key(root);
        let replaced = present.iter().any(is_other) || root.as_ref().is_some_and(is_gone);
        if let Some(root) = root.filter(|root| !present.contains_key(root)) {
            let above = root.ancestors().skip(1).find_map(|above| Some((above.to_path_buf(), FolderIdentity::of(above)?)));
            present.extend(above);
        }
        folders.retain(|folder, identity| {
            let keep = present.get(folder) == Some(identity);
            if !keep && let Err(error) = watcher.unwatch(folder) {
                tracing::trace!("a folder that is no longer watched is missing: {error}");
            }
            keep
        });
        for (folder, identity) in present {
            if folders.contains_key(&folder) {
                continue;
            }
            match watcher.watch(&folder, RecursiveMode::NonRecursive) {
                Ok(()) => {
                    folders.insert(folder, identity);
                }
                Err(error) => tracing::debug!("file events of the folder {} are not available: {error}", folder.display()),
            }
        }
        replaced
    }
}

fn is_change(kind: EventKind) -> bool {
    match kind {
        EventKind::Access(access) => access == AccessKind::Close(AccessMode::Write),
        EventKind::Any | EventKind::Create(_) | EventKind::Modify(_) | EventKind::Remove(_) | EventKind::Other => true,
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use tokio::sync::watch;
    use tokio::task::JoinHandle;

    use super::*;

    /// A watched root. The sender stands for the refreshes.
    struct Root {
        path: PathBuf,
        folders: watch::Sender<Vec<PathBuf>>,
        changed: Arc<Notify>,
        watching: JoinHandle<()>,
        stop: CancellationToken,
    }

    impl Root {
        fn watch(path: PathBuf) -> Self {
            let (folders, receiver) = watch::channel(vec![path.clone()]);
            let (changed, stop) = (Arc::new(Notify::new()), CancellationToken::new());
            let watching = tasks::spawn(watch(Watched { folders: receiver, changed: changed.clone() }, stop.clone()));
            Self { path, folders, changed, watching, stop }
        }

        async fn quick_scan(&self) {
            tokio::time::timeout(Duration::from_secs(20), self.changed.notified()).await.expect("a quick scan is started");
        }

        /// Writes until a quick scan is started: the watch may begin after the first write.
        async fn quick_scan_after_writes(&self) {
            let path = self.path.join("0d6f4f6e8da5b7e7a3551550ff16c873");
            let writing = async {
                loop {
                    tokio::fs::write(&path, "{}").await.unwrap();
                    tokio::time::sleep(Duration::from_millis(20)).await;
                }
            };
            tokio::select! {
                () = writing => {}
                () = self.quick_scan() => {}
            }
        }

        async fn stop(self) {
            self.stop.cancel();
            self.watching.await.unwrap();
            assert_eq!(self.folders.borrow().len(), 1);
        }
    }

    #[tokio::test]
    async fn a_new_file_in_a_watched_folder_starts_a_quick_scan() {
        let folder = tempfile::tempdir().unwrap();
        let root = Root::watch(folder.path().to_path_buf());
        // The start of the watch.
        root.quick_scan().await;
        root.quick_scan_after_writes().await;
        root.stop().await;
    }

    #[tokio::test]
    async fn a_root_that_is_moved_away_and_made_again_is_watched_again_without_a_refresh() {
        let folder = tempfile::tempdir().unwrap();
        let root = Root::watch(folder.path().join("archives/of/flink"));
        fs::create_dir_all(&root.path).unwrap();
        root.quick_scan().await;
        root.quick_scan_after_writes().await;
        // Moved away and made again at once, so that the path always seems to be the same folder.
        fs::rename(&root.path, folder.path().join("old")).unwrap();
        fs::create_dir(&root.path).unwrap();
        root.quick_scan_after_writes().await;
        root.quick_scan_after_writes().await;
        // Missing for a while, with the folders above it.
        fs::rename(&root.path, folder.path().join("older")).unwrap();
        fs::remove_dir_all(folder.path().join("archives")).unwrap();
        root.quick_scan().await;
        fs::create_dir_all(&root.path).unwrap();
        root.quick_scan_after_writes().await;
        root.quick_scan_after_writes().await;
        // A folder above it is moved, which is no event of the root: the end of the next refresh shows it.
        fs::rename(folder.path().join("archives"), folder.path().join("oldest")).unwrap();
        fs::create_dir_all(&root.path).unwrap();
        root.folders.send_replace(vec![root.path.clone()]);
        root.quick_scan_after_writes().await;
        root.quick_scan_after_writes().await;
        root.stop().await;
    }

    #[test]
    fn reading_is_no_change() {
        assert!(!is_change(EventKind::Access(AccessKind::Open(AccessMode::Any))));
        assert!(!is_change(EventKind::Access(AccessKind::Close(AccessMode::Read))));
        assert!(is_change(EventKind::Access(AccessKind::Close(AccessMode::Write))));
    }
}
