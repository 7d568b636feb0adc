//! Deletes archives; the only code that deletes in archive directories.
//!
//! The job archives of an application are deleted first, then its summary, then the folders that are empty by then. If the index is lost
//! in between, the application is found and expires again, and no orphan is left. The files are listed again directly before the
//! deletion: if they are not the files that were judged, nothing is deleted. The version of each file is checked once more when it is
//! deleted. A missing file counts as deleted, so several servers may clean one directory.
//!
//! In object stores many units are deleted together: see `delete/together.rs`.

pub(super) mod together;

use std::sync::Arc;

use crate::directory::{Deleted, Directory, DirectoryError, FileKind, FoundFile};
use crate::ids::JobId;
use crate::index::{Removal, RemovalOutcome, UnitKey};
use crate::names::FilePath;

/// Declares the steps together with the list of all of them, so that the list is complete.
macro_rules! steps {
    ($($(#[$doc:meta])+ $step:ident,)+) => {
        /// A step of a removal, in order. A crash after a step leaves the disk and the index as they are then.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum Step {
            $($(#[$doc])+ $step,)+
        }

        impl Step {
            /// Every step.
            pub const ALL: &'static [Self] = &[$(Self::$step,)+];
        }
    };
}

steps! {
    /// The removal is recorded as running.
    Started,
    /// The first job archive is deleted.
    FirstJobDeleted,
    /// All job archives are deleted.
    JobsDeleted,
    /// The summary is deleted, or the file of a legacy job.
    SummaryDeleted,
    /// The emptied folders are removed.
    FoldersRemoved,
    /// The symbolic link is removed.
    LinkRemoved,
    /// The unit is forgotten, and its deletion is recorded.
    Forgotten,
}

/// Called directly after every step. Tests end the process there; the server does nothing.
pub type Witness = Arc<dyn Fn(Step) + Send + Sync>;

/// The outcome of a deletion.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Outcome {
    /// Nothing is left of the unit; with a note for the record.
    Done(RemovalOutcome, Option<String>),
    /// Nothing may be deleted for this reason: the unit is only forgotten.
    Kept(String),
    /// The files are not the files that were judged: nothing more is deleted.
    Changed,
}

/// A deletion that failed.
#[derive(Debug)]
pub(super) struct Failed {
    /// The error.
    pub(super) error: DirectoryError,
    /// Whether files were deleted before it.
    pub(super) touched: bool,
}

/// Deletes the archive of one expired unit.
pub(super) async fn delete(directory: &Directory, removal: &Removal, witness: &Witness) -> Result<Outcome, Failed> {
    let mut touched = false;
    directory.undo_deletion(&removal.folder).await.map_err(|error| Failed { error, touched })?;
    let outcome = match &removal.key {
        UnitKey::Application(_) => application(directory, removal, witness, &mut touched).await,
        UnitKey::LegacyJob(_, job) => legacy_job(directory, removal, *job, witness).await,
    };
    outcome.map_err(|error| Failed { error, touched })
}

/// Whether all judged files are present: an interrupted deletion has deleted nothing. A file that was only renamed by it gets
/// its name back first.
pub(super) async fn is_untouched(directory: &Directory, removal: &Removal) -> Result<bool, DirectoryError> {
    directory.undo_deletion(&removal.folder).await?;
    let files = match &removal.key {
        UnitKey::Application(_) => directory.application_files(&removal.folder).await?,
        UnitKey::LegacyJob(_, job) => directory.legacy_job_file_named(&removal.folder, *job).await?.map(|file| vec![file]),
    };
    Ok(files.is_some_and(|files| files.len() == removal.files.len() && is_as_judged(&files, removal)))
}

async fn legacy_job(directory: &Directory, removal: &Removal, job: JobId, witness: &Witness) -> Result<Outcome, DirectoryError> {
    let found = directory.legacy_job_file_named(&removal.folder, job).await?;
    let Some(file) = found else { return Ok(Outcome::Done(RemovalOutcome::AlreadyGone, None)) };
    if !is_as_judged(std::slice::from_ref(&file), removal) {
        return Ok(Outcome::Changed);
    }
    let deleted = directory.delete_file(&file.path, &file.version).await?;
    if deleted == Deleted::Changed {
        return Ok(Outcome::Changed);
    }
    witness(Step::SummaryDeleted);
    Ok(Outcome::Done(done(deleted), None))
}

async fn application(directory: &Directory, removal: &Removal, witness: &Witness, touched: &mut bool) -> Result<Outcome, DirectoryError> {
    let folder = &removal.folder;
    let link = directory.application_link(folder).await?;
    let Some(mut files) = directory.application_files(folder).await? else {
        // A link whose target is missing still belongs to the application.
        return match link {
            Some(link) if link == *folder => remove_link(directory, &link, witness).await,
            _ => Ok(Outcome::Done(RemovalOutcome::AlreadyGone, None)),
        };
    };
    if !is_as_judged(&files, removal) {
        return Ok(Outcome::Changed);
    }
    if let Some(link) = link {
        if link == *folder {
            return remove_link(directory, &link, witness).await;
        }
        // The folder of its cluster is the link, and holds other applications too.
        return Ok(Outcome::Kept(format!(
            "its files stay, because it is below the symbolic link {link} and nothing is deleted through a link"
        )));
    }
    let jobs = FilePath::new(format!("{folder}/jobs"));
    let mut note = None;
    if directory.application_link(&jobs).await?.is_some_and(|link| link == jobs) {
        directory.remove_link(&jobs).await?;
        *touched = true;
        witness(Step::LinkRemoved);
        files.retain(|file| file.kind == FileKind::Summary);
        note = Some("its jobs were below a symbolic link: only the link was removed, and its target stays".to_owned());
    }
    files.sort_by_key(|file| file.kind == FileKind::Summary);
    let archives_of_jobs = files.iter().filter(|file| file.kind != FileKind::Summary).count();
    let mut any = Deleted::AlreadyMissing;
    for (number, file) in files.iter().enumerate() {
        if number == archives_of_jobs {
            witness(Step::JobsDeleted);
        }
        match directory.delete_file(&file.path, &file.version).await? {
            Deleted::Done => {
                any = Deleted::Done;
                *touched = true;
            }
            Deleted::AlreadyMissing => {}
            // The files that are left are listed and judged again.
            Deleted::Changed => return Ok(Outcome::Changed),
        }
        match file.kind {
            FileKind::Summary => witness(Step::SummaryDeleted),
            FileKind::Job(_) if number == 0 => witness(Step::FirstJobDeleted),
            FileKind::Job(_) => {}
        }
    }
    if !directory.remove_folder_if_empty(&jobs).await? || !directory.remove_folder_if_empty(folder).await? {
        note = Some("its folder stays, because it holds files that are no archives".to_owned());
    }
    witness(Step::FoldersRemoved);
    Ok(Outcome::Done(done(any), note))
}

async fn remove_link(directory: &Directory, link: &FilePath, witness: &Witness) -> Result<Outcome, DirectoryError> {
    let deleted = directory.remove_link(link).await?;
    witness(Step::LinkRemoved);
    let note = "it was a symbolic link: only the link was removed, and its target stays".to_owned();
    Ok(match deleted {
        Deleted::Done => Outcome::Done(RemovalOutcome::LinkRemoved, Some(note)),
        Deleted::AlreadyMissing | Deleted::Changed => Outcome::Done(RemovalOutcome::AlreadyGone, None),
    })
}

fn done(deleted: Deleted) -> RemovalOutcome {
    match deleted {
        Deleted::Done => RemovalOutcome::Deleted,
        Deleted::AlreadyMissing | Deleted::Changed => RemovalOutcome::AlreadyGone,
    }
}

/// Whether every file was judged in this version. Files may be missing after an interrupted deletion, or that of another server.
fn is_as_judged(files: &[FoundFile], removal: &Removal) -> bool {
    files.iter().all(|file| {
        let fingerprint = file.version.fingerprint();
        removal.files.iter().any(|judged| judged.kind == file.kind && judged.fingerprint == fingerprint)
    })
}
