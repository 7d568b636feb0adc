//! Deleting in archive directories: nothing else does.
//!
//! Of one application first the job archives go, then the summary, then the folders that are empty by then. Whoever loses their
//! index in the middle still finds an application that expires again, not orphans. Directly before, its files are listed again:
//! are they others than those that were judged, nothing is deleted. Each is looked at once more as it goes. What is gone already is deleted already, so several servers
//! may clean one directory.

use std::sync::Arc;

use crate::directory::{Deleted, Directory, DirectoryError, FileKind, FoundFile};
use crate::ids::JobId;
use crate::index::{Done, Expiry, UnitKey};
use crate::names::FilePath;

/// Makes the steps and the list of all of them in one, so that none can be missing in it.
macro_rules! steps {
    ($($(#[$doc:meta])+ $step:ident,)+) => {
        /// A moment of a removal, in order. What is on disk and in the index at each is what a crash would leave.
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
    /// It is on record that the deletion begins.
    Begun,
    /// The first job archive is gone.
    FirstJobDeleted,
    /// All job archives are gone.
    JobsDeleted,
    /// The summary is gone, or the file of a legacy job.
    SummaryDeleted,
    /// The emptied folders are gone.
    FoldersRemoved,
    /// The symbolic link is gone.
    LinkRemoved,
    /// It is forgotten and on the record of deletions.
    Forgotten,
}

/// Is told of every step, directly after it. Tests end the process there; the server does nothing.
pub type Witness = Arc<dyn Fn(Step) + Send + Sync>;

/// How a deletion ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Outcome {
    /// Nothing of it is left; with what else is to be said.
    Done(Done, Option<String>),
    /// Nothing was deleted, and nothing may be: it is forgotten, for this reason.
    Kept(String),
    /// Its files are not those that were judged: it is left alone.
    Changed,
}

/// A deletion that failed.
#[derive(Debug)]
pub(super) struct Failed {
    /// Why.
    pub(super) error: DirectoryError,
    /// Whether something of it was taken away before.
    pub(super) touched: bool,
}

/// Deletes the archive of one expired unit.
pub(super) async fn delete(directory: &Directory, expiry: &Expiry, witness: &Witness) -> Result<Outcome, Failed> {
    let mut touched = false;
    directory.undo_deletion(&expiry.folder).await.map_err(|error| Failed { error, touched })?;
    let outcome = match &expiry.key {
        UnitKey::Application(_) => application(directory, expiry, witness, &mut touched).await,
        UnitKey::LegacyJob(_, job) => legacy_job(directory, expiry, *job, witness).await,
    };
    outcome.map_err(|error| Failed { error, touched })
}

/// Whether all that was judged is still there: a deletion that was begun has deleted nothing. A file that was only renamed by it gets
/// its name back first.
pub(super) async fn is_untouched(directory: &Directory, expiry: &Expiry) -> Result<bool, DirectoryError> {
    directory.undo_deletion(&expiry.folder).await?;
    let files = match &expiry.key {
        UnitKey::Application(_) => directory.application_files(&expiry.folder).await?,
        UnitKey::LegacyJob(_, job) => directory.legacy_job_file_named(&expiry.folder, *job).await?.map(|file| vec![file]),
    };
    Ok(files.is_some_and(|files| files.len() == expiry.files.len() && is_as_judged(&files, expiry)))
}

async fn legacy_job(directory: &Directory, expiry: &Expiry, job: JobId, witness: &Witness) -> Result<Outcome, DirectoryError> {
    let found = directory.legacy_job_file_named(&expiry.folder, job).await?;
    let Some(file) = found else { return Ok(Outcome::Done(Done::AlreadyGone, None)) };
    if !is_as_judged(std::slice::from_ref(&file), expiry) {
        return Ok(Outcome::Changed);
    }
    let deleted = directory.delete_file(&file.path, &file.version).await?;
    if deleted == Deleted::Changed {
        return Ok(Outcome::Changed);
    }
    witness(Step::SummaryDeleted);
    Ok(Outcome::Done(done(deleted), None))
}

async fn application(directory: &Directory, expiry: &Expiry, witness: &Witness, touched: &mut bool) -> Result<Outcome, DirectoryError> {
    let folder = &expiry.folder;
    let link = directory.application_link(folder).await?;
    let Some(mut files) = directory.application_files(folder).await? else {
        // A link that leads nowhere any more is still the application's.
        return match link {
            Some(link) if link == *folder => remove_link(directory, &link, witness).await,
            _ => Ok(Outcome::Done(Done::AlreadyGone, None)),
        };
    };
    if !is_as_judged(&files, expiry) {
        return Ok(Outcome::Changed);
    }
    if let Some(link) = link {
        if link == *folder {
            return remove_link(directory, &link, witness).await;
        }
        // Its cluster is the link, and holds other applications too.
        return Ok(Outcome::Kept(format!("it lies below the symbolic link {link}, and nothing is deleted through a link: its files stay")));
    }
    let jobs = FilePath::new(format!("{folder}/jobs"));
    let mut note = None;
    if directory.application_link(&jobs).await?.is_some_and(|link| link == jobs) {
        directory.remove_link(&jobs).await?;
        *touched = true;
        witness(Step::LinkRemoved);
        files.retain(|file| file.kind == FileKind::Summary);
        note = Some("its jobs lay below a symbolic link: only that was removed, what it led to stays".to_owned());
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
            // What is left is listed, and judged again.
            Deleted::Changed => return Ok(Outcome::Changed),
        }
        match file.kind {
            FileKind::Summary => witness(Step::SummaryDeleted),
            FileKind::Job(_) if number == 0 => witness(Step::FirstJobDeleted),
            FileKind::Job(_) => {}
        }
    }
    if !directory.remove_folder_if_empty(&jobs).await? || !directory.remove_folder_if_empty(folder).await? {
        note = Some("its folder holds files that are no archives, and stays with them".to_owned());
    }
    witness(Step::FoldersRemoved);
    Ok(Outcome::Done(done(any), note))
}

async fn remove_link(directory: &Directory, link: &FilePath, witness: &Witness) -> Result<Outcome, DirectoryError> {
    let deleted = directory.remove_link(link).await?;
    witness(Step::LinkRemoved);
    let note = "it was a symbolic link: only that was removed, what it led to stays".to_owned();
    Ok(match deleted {
        Deleted::Done => Outcome::Done(Done::LinkRemoved, Some(note)),
        Deleted::AlreadyMissing | Deleted::Changed => Outcome::Done(Done::AlreadyGone, None),
    })
}

fn done(deleted: Deleted) -> Done {
    match deleted {
        Deleted::Done => Done::Deleted,
        Deleted::AlreadyMissing | Deleted::Changed => Done::AlreadyGone,
    }
}

/// Whether every file was judged, in this version. Fewer may be there: an interrupted deletion, or another server's.
fn is_as_judged(files: &[FoundFile], expiry: &Expiry) -> bool {
    files.iter().all(|file| {
        let fingerprint = file.version.fingerprint();
        expiry.files.iter().any(|judged| judged.kind == file.kind && judged.fingerprint == fingerprint)
    })
}
