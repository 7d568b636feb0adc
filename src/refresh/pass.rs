//! A listing pass: one listing of a directory, compared with the index while it runs.

use std::pin::Pin;
use std::sync::Arc;
use std::time::Instant;

use tokio::sync::mpsc;

use super::active_folders::ActiveFolders;
use super::plan::Planner;
use crate::clock::{Timestamp, whole_millis};
use crate::directory::{Directory, DirectoryError, Extent, Found, Listed, Obstacle};
use crate::index::KnownDirectory;
use crate::ingest::task::Task;
use crate::names::{ClusterName, FilePath};
use crate::telemetry;

/// Pieces of a listing that wait for the planner at once.
const PIECES: usize = 64;

type Listing = Pin<Box<dyn Future<Output = Result<Listed, DirectoryError>> + Send>>;

/// A listing that is running.
pub(super) struct Pass<'known> {
    /// `None` once the listing is complete and the planner was taken.
    planner: Option<Planner<'known>>,
    listing: Listing,
    found: mpsc::Receiver<Found>,
    listed: Option<Result<Listed, DirectoryError>>,
    all_found: bool,
    obstacles: Vec<Obstacle>,
    folders: ActiveFolders,
    directory: Directory,
    full: bool,
    started: Instant,
    took_ms: u64,
    now: Timestamp,
}

/// The findings of a complete pass, besides the plan.
pub(super) struct PassResult {
    pub(super) listed: Listed,
    pub(super) obstacles: Vec<Obstacle>,
    /// Folders below the root where the next change is likely, most important first.
    pub(super) folders: Vec<FilePath>,
    /// Milliseconds that the listing took.
    pub(super) took_ms: u64,
}

impl<'known> Pass<'known> {
    /// Starts to list a directory.
    pub(super) fn start(directory: Directory, extent: Extent, known: &KnownDirectory, planner: Planner<'known>, now: Timestamp) -> Self {
        let (sender, found) = mpsc::channel(PIECES);
        let full = matches!(extent, Extent::Full);
        let (listed, clusters): (_, Arc<[ClusterName]>) = (directory.clone(), known.clusters.clone());
        let listing = Box::pin(async move { listed.list(&extent, &clusters, sender).await });
        Self {
            planner: Some(planner),
            listing,
            found,
            listed: None,
            all_found: false,
            obstacles: Vec::new(),
            folders: ActiveFolders::default(),
            directory,
            full,
            started: Instant::now(),
            took_ms: 0,
            now,
        }
    }

    /// Waits for the next piece of the listing and returns its tasks, or `None` when the listing or its pieces have ended.
    /// Must not be called when the pass is over.
    pub(super) async fn next(&mut self) -> Option<Vec<Task>> {
        tokio::select! {
            biased;
            listed = &mut self.listing, if self.listed.is_none() => {
                // Pieces that were found before a failure are correct, and are ingested all the same.
                if listed.is_ok() {
                    telemetry::listed(self.directory.url(), self.full, self.started.elapsed());
                }
                self.listed = Some(listed);
                self.took_ms = whole_millis(self.started.elapsed());
                None
            }
            piece = self.found.recv(), if !self.all_found => {
                let tasks = piece.map(|piece| self.take(piece));
                self.all_found = tasks.is_none();
                tasks
            }
        }
    }

    fn take(&mut self, piece: Found) -> Vec<Task> {
        self.folders.take(&piece, self.now);
        let tasks = self.planner.as_mut().map(|planner| planner.take(&piece)).unwrap_or_default();
        if let Found::Obstacle(obstacle) = piece {
            self.obstacles.push(obstacle);
        }
        tasks
    }

    /// Whether the listing has ended and all its pieces were taken.
    pub(super) fn is_over(&self) -> bool {
        self.listed.is_some() && self.all_found
    }

    /// The planner, once, when the listing is complete.
    pub(super) fn take_complete_planner(&mut self) -> Option<Planner<'known>> {
        let complete = self.all_found && matches!(self.listed, Some(Ok(_)));
        self.planner.take_if(|_| complete)
    }

    /// The findings of a pass that is over.
    ///
    /// # Errors
    /// [`DirectoryError`] when the listing failed.
    pub(super) fn finish(self) -> Result<PassResult, DirectoryError> {
        let listed = self.listed.unwrap_or(Ok(Listed::default()))?;
        Ok(PassResult { listed, obstacles: self.obstacles, folders: self.folders.into_paths(), took_ms: self.took_ms })
    }
}
