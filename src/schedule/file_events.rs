//! File events of local archive directories. They start the next quick scan early; new archives are found without them, too.
//!
//! The root, the `applications/` folder of each cluster and the folders of open applications are watched, without the folders below
//! them, and only the [`MAX_WATCHES`] folders that changed last. A network file system may send no events.

use std::collections::HashSet;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use notify::event::{AccessKind, AccessMode};
use notify::{EventKind, RecommendedWatcher, RecursiveMode, Watcher as _};
use tokio::sync::{Notify, watch};
use tokio_util::sync::CancellationToken;

use super::periodic::Activator;

/// Maximum number of watched folders.
pub const MAX_WATCHES: usize = 256;

/// Delay of a quick scan after the first event, since an application has several files.
const SETTLE: Duration = Duration::from_millis(100);

/// Minimum time between two quick scans that events start.
const PAUSE: Duration = Duration::from_secs(1);

/// Starts a quick scan soon after something changes in one of the folders, until `stop` is cancelled.
/// `folders` are the folders to watch, the most important first. They may change at any time.
pub async fn watch(mut folders: watch::Receiver<Vec<PathBuf>>, activator: Activator, stop: CancellationToken) {
    let happened = Arc::new(Notify::new());
    let signal = happened.clone();
    let watcher = notify::recommended_watcher(move |event: notify::Result<notify::Event>| {
        // Reads are events, too, and most of them are this server's.
        if event.is_ok_and(|event| is_change(event.kind)) {
            signal.notify_one();
        }
    });
    let mut watcher = match watcher {
        Ok(watcher) => watcher,
        Err(error) => {
            tracing::warn!(
                "file events are not available: {error}; new archives are found only every historyserver.archive.fs.refresh-interval"
            );
            return;
        }
    };
    let mut watched = HashSet::new();
    loop {
        let wanted: Vec<PathBuf> = folders.borrow_and_update().iter().take(MAX_WATCHES).cloned().collect();
        follow(&mut watcher, &mut watched, &wanted);
        tokio::select! {
            () = stop.cancelled() => return,
            changed = folders.changed() => if changed.is_err() { return },
            () = happened.notified() => {
                tokio::time::sleep(SETTLE).await;
                activator.quick_scan();
                tokio::select! {
                    () = stop.cancelled() => return,
                    () = tokio::time::sleep(PAUSE) => {}
                }
            }
        }
    }
}

/// Watches the wanted folders, and no others.
fn follow(watcher: &mut RecommendedWatcher, watched: &mut HashSet<PathBuf>, wanted: &[PathBuf]) {
    let wanted: HashSet<PathBuf> = wanted.iter().cloned().collect();
    watched.retain(|folder| {
        let keep = wanted.contains(folder);
        if !keep && let Err(error) = watcher.unwatch(folder) {
            tracing::trace!("a folder that is no longer watched is missing: {error}");
        }
        keep
    });
    for folder in wanted {
        if watched.contains(&folder) {
            continue;
        }
        match watcher.watch(&folder, RecursiveMode::NonRecursive) {
            Ok(()) => {
                watched.insert(folder);
            }
            Err(error) => tracing::debug!("file events of the folder {} are not available: {error}", folder.display()),
        }
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
    use super::*;
    use crate::schedule::periodic::Activator;

    #[tokio::test]
    async fn a_new_file_in_a_watched_folder_starts_a_quick_scan() {
        let folder = tempfile::tempdir().unwrap();
        let (_sender, folders) = watch::channel(vec![folder.path().to_path_buf()]);
        let activator = Activator::default();
        let stop = CancellationToken::new();
        let watching = crate::tasks::spawn(watch(folders, activator.clone(), stop.clone()));
        let path = folder.path().join("0d6f4f6e8da5b7e7a3551550ff16c873");
        // The watch may begin after the first write: write until it has seen one.
        let writing = async {
            loop {
                tokio::fs::write(&path, "{}").await.unwrap();
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        };
        tokio::select! {
            () = writing => {}
            activated = tokio::time::timeout(Duration::from_secs(20), activator.activated()) => activated.unwrap(),
        }
        stop.cancel();
        watching.await.unwrap();
    }

    #[test]
    fn reading_is_no_change() {
        assert!(!is_change(EventKind::Access(AccessKind::Open(AccessMode::Any))));
        assert!(!is_change(EventKind::Access(AccessKind::Close(AccessMode::Read))));
        assert!(is_change(EventKind::Access(AccessKind::Close(AccessMode::Write))));
    }
}
