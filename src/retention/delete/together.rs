//! Deletes many units of an object store together.
//!
//! The objects of all units are listed again directly before the deletion, and a unit that is not as it was judged is left alone. The
//! store deletes by name: an object that is written again between that listing and its deletion, within seconds, is lost. Then the job
//! archives of all units are deleted, then the summaries of the units whose job archives are deleted, then what stands for their folders.
//! At the end they are listed once more: answers to deletions name failures only, and some stores answer wrongly.

use tokio_util::sync::CancellationToken;

use super::{Step, Witness, is_as_judged};
use crate::directory::{Directory, DirectoryError, DirectoryErrorKind, FileKind, ObjectDeletion, StoredObject, UnitObjects};
use crate::index::{RecordedRemoval, Removal, RemovalOutcome, RemovalState, UnitKey};
use crate::names::FilePath;

/// The state of a unit before its deletion.
#[derive(Debug)]
pub(in crate::retention) enum Sight {
    /// An earlier deletion was begun, and all files are present: the unit is judged again.
    Untouched,
    /// The files are not those that were judged.
    Changed,
    /// It is to be deleted.
    ToDelete(UnitObjects),
}

/// A unit to be deleted.
pub(in crate::retention) struct Doomed {
    pub(in crate::retention) recorded: RecordedRemoval,
    pub(in crate::retention) objects: UnitObjects,
}

/// The end of one deletion.
#[derive(Debug)]
pub(in crate::retention) enum Ended {
    /// Nothing is left of the unit; with a note for the record.
    Done(RemovalOutcome, Option<String>),
    /// Files were written while the others were deleted.
    Changed,
    /// It failed. `touched`: files were deleted.
    Failed { error: DirectoryError, touched: bool },
    /// Nothing is known: neither the deletion nor the listing after it was answered.
    Unknown(DirectoryError),
    /// The server stops.
    Stopped,
}

impl Ended {
    fn error(&self) -> Option<&DirectoryError> {
        match self {
            Self::Failed { error, .. } | Self::Unknown(error) => Some(error),
            Self::Done(..) | Self::Changed | Self::Stopped => None,
        }
    }
}

/// Lists the units again. The results are in their order.
pub(in crate::retention) async fn survey(directory: &Directory, removals: &[RecordedRemoval]) -> Result<Vec<Sight>, DirectoryError> {
    let folders: Vec<FilePath> = removals.iter().map(|each| each.removal.folder.clone()).collect();
    let found = directory.survey(&folders, false).await?;
    let sights = removals.iter().zip(found).map(|(each, objects)| {
        if !is_as_judged(&objects.archives, &each.removal) {
            Sight::Changed
        } else if each.state == RemovalState::Running && !objects.archives.is_empty() && is_whole(&objects, &each.removal) {
            Sight::Untouched
        } else {
            Sight::ToDelete(objects)
        }
    });
    Ok(sights.collect())
}

fn is_whole(objects: &UnitObjects, removal: &Removal) -> bool {
    objects.archives.len() == removal.files.len()
}

/// What the store has answered about the objects of one unit.
#[derive(Default)]
struct Answers {
    deleted: bool,
    refused: Option<DirectoryError>,
    unclear: Option<DirectoryError>,
}

impl Answers {
    fn is_good(&self) -> bool {
        self.refused.is_none() && self.unclear.is_none()
    }

    fn take(&mut self, answer: ObjectDeletion) {
        match answer {
            ObjectDeletion::Done => self.deleted = true,
            ObjectDeletion::AlreadyMissing => {}
            ObjectDeletion::Refused(error) | ObjectDeletion::NotSent(error) => {
                self.refused.get_or_insert(error);
            }
            ObjectDeletion::Unclear(error) => {
                self.unclear.get_or_insert(error);
            }
        }
    }
}

/// The objects of one request after another: those of a later phase are deleted only after all of the earlier ones.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Phase {
    Jobs,
    Rest,
    Folders,
}

/// Deletes units. The results are in their order.
pub(in crate::retention) async fn delete(
    directory: &Directory,
    units: &[Doomed],
    witness: &Witness,
    stop: &CancellationToken,
) -> Vec<Ended> {
    let mut answers: Vec<Answers> = units.iter().map(|_| Answers::default()).collect();
    for (phase, step) in [(Phase::Jobs, Step::JobsDeleted), (Phase::Rest, Step::SummaryDeleted), (Phase::Folders, Step::FoldersRemoved)] {
        if stop.is_cancelled() {
            return units.iter().map(|_| Ended::Stopped).collect();
        }
        let (mut owners, mut objects) = (Vec::new(), Vec::new());
        for (number, unit) in units.iter().enumerate().filter(|(number, _)| answers[*number].is_good()) {
            for object in objects_of(unit, phase) {
                owners.push(number);
                objects.push(object);
            }
        }
        if objects.is_empty() {
            continue;
        }
        for (owner, answer) in owners.into_iter().zip(directory.delete_objects(&objects).await) {
            answers[owner].take(answer);
        }
        if phase == Phase::Jobs {
            settle(directory, units, &mut answers).await;
        }
        witness(step);
    }
    let folders: Vec<FilePath> = units.iter().map(|unit| unit.recorded.removal.folder.clone()).collect();
    let is_certain = units.iter().all(|unit| unit.objects.is_empty());
    let left = if is_certain { Ok(vec![UnitObjects::default(); units.len()]) } else { directory.survey(&folders, true).await };
    match left {
        Ok(left) => units.iter().zip(answers).zip(left).map(|((unit, answers), left)| checked(directory, unit, answers, &left)).collect(),
        Err(error) => {
            tracing::warn!(directory.url = %directory.url(), "the listing after a deletion failed, and its answers are believed: {error}");
            units.iter().zip(answers).map(|(unit, answers)| unchecked(unit, answers)).collect()
        }
    }
}

/// Finds out by a listing what was deleted by requests whose answer is lost or no answer, so that the rest of these units follows.
async fn settle(directory: &Directory, units: &[Doomed], answers: &mut [Answers]) {
    let unclear: Vec<usize> = (0..units.len()).filter(|number| answers[*number].unclear.is_some()).collect();
    if unclear.is_empty() {
        return;
    }
    let folders: Vec<FilePath> = unclear.iter().map(|number| units[*number].recorded.removal.folder.clone()).collect();
    // If the store does not answer, the listing at the end fails, too.
    let Ok(left) = directory.survey(&folders, true).await else { return };
    for (number, left) in unclear.into_iter().zip(left) {
        let is_job = |kind| matches!(kind, FileKind::Job(_));
        if is_as_judged(&left.archives, &units[number].recorded.removal) && !left.archives.iter().any(|file| is_job(file.kind)) {
            answers[number] = Answers { deleted: true, ..Answers::default() };
        }
    }
}

fn objects_of(unit: &Doomed, phase: Phase) -> impl Iterator<Item = StoredObject> {
    let is_job = |kind| matches!((kind, &unit.recorded.removal.key), (FileKind::Job(_), UnitKey::Application(_)));
    let archives = unit.objects.archives.iter().filter(move |file| match phase {
        Phase::Jobs => is_job(file.kind),
        Phase::Rest => !is_job(file.kind),
        Phase::Folders => false,
    });
    // With other objects in it the folder stays.
    let markers = unit.objects.markers.iter().filter(move |marker| match phase {
        _ if unit.objects.has_others => false,
        Phase::Jobs => false,
        Phase::Rest => !marker.is_last(),
        Phase::Folders => marker.is_last(),
    });
    let archives = archives.map(|file| StoredObject::Archive(file.path.clone()));
    archives.chain(markers.cloned().map(StoredObject::Marker))
}

/// The end of a deletion after which the unit was listed.
fn checked(directory: &Directory, unit: &Doomed, answers: Answers, left: &UnitObjects) -> Ended {
    let markers_stay = !left.has_others && !left.markers.is_empty();
    if left.archives.is_empty() && !markers_stay {
        return done(unit, &answers, left.has_others);
    }
    if !is_as_judged(&left.archives, &unit.recorded.removal) {
        return Ended::Changed;
    }
    let touched = left.archives.len() < unit.recorded.removal.files.len();
    let folder = &unit.recorded.removal.folder;
    let unexpected = || DirectoryError {
        kind: DirectoryErrorKind::Refused,
        message: format!(
            "the store answers that the objects of {}/{folder} are deleted, and lists them still: check its versioning and its retention \
             of objects",
            directory.url()
        ),
    };
    Ended::Failed { error: answers.refused.or(answers.unclear).unwrap_or_else(unexpected), touched }
}

/// The end of a deletion after which the store could not be listed.
fn unchecked(unit: &Doomed, answers: Answers) -> Ended {
    if let Some(error) = answers.unclear {
        return Ended::Unknown(error);
    }
    let touched = answers.deleted || !is_whole(&unit.objects, &unit.recorded.removal);
    match answers.refused {
        Some(error) => Ended::Failed { error, touched },
        None => done(unit, &answers, unit.objects.has_others),
    }
}

fn done(unit: &Doomed, answers: &Answers, has_others: bool) -> Ended {
    let note = has_others.then(|| "its folder stays, because it holds files that are no archives".to_owned());
    // What is missing since an earlier attempt was deleted by it.
    let is_own = answers.deleted || answers.unclear.is_some() || unit.recorded.state == RemovalState::Running;
    Ended::Done(if is_own { RemovalOutcome::Deleted } else { RemovalOutcome::AlreadyGone }, note)
}

/// The failure that concerns the whole directory and not single objects: no permission, or a store that does not answer.
pub(in crate::retention) fn failure_of_all(ended: &[Ended]) -> Option<&DirectoryError> {
    let errors: Vec<&DirectoryError> = ended.iter().filter_map(Ended::error).collect();
    let first = *errors.first()?;
    let none_ended = !ended.iter().any(|ended| matches!(ended, Ended::Done(RemovalOutcome::Deleted, _)));
    let concerns_all = |error: &&DirectoryError| match error.kind {
        DirectoryErrorKind::Unavailable => true,
        DirectoryErrorKind::Denied => none_ended,
        DirectoryErrorKind::NotFound | DirectoryErrorKind::Refused => false,
    };
    errors.iter().all(concerns_all).then_some(first)
}
