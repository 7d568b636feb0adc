//! Deletion of many objects by few requests.
//!
//! S3 deletes up to 1,000 objects by one request, Azure 256. Google and some stores that speak S3 have no such request: there each object
//! is a request of its own, and many are in flight at once.
//!
//! `object_store` 0.14.2 takes every object for deleted that the answer does not name as failed. So the caller lists once more.

use std::sync::{Mutex, PoisonError};

use ::object_store::path::Path;
use futures::stream::{self, StreamExt};

use super::Inner;
use crate::directory::contained::contained;
use crate::directory::error::{DirectoryError, DirectoryErrorKind};
use crate::directory::layout;
use crate::directory::objects::{MarkerForm, ObjectDeletion, StoredObject};
use crate::names::FilePath;

/// How a store deletes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Deletion {
    /// By requests for up to 1,000 objects: <https://docs.aws.amazon.com/AmazonS3/latest/API/API_DeleteObjects.html>.
    S3,
    /// By requests for up to 256 objects: <https://learn.microsoft.com/en-us/rest/api/storageservices/blob-batch>.
    Azure,
    /// By a request for each object.
    Single,
}

impl Deletion {
    fn size(self) -> usize {
        match self {
            Self::S3 => 1_000,
            Self::Azure => 256,
            Self::Single => SINGLE,
        }
    }

    /// Whether objects can be deleted whose keys end with a slash. For Azure `object_store` 0.14.2 leaves out the slash, and another object
    /// would be deleted; its own folders have no slash in their keys.
    pub(super) fn has_slashes(self) -> bool {
        self != Self::Azure
    }
}

/// Maximum number of parts that are deleted at once.
const LANES: usize = 8;
/// Number of objects of a part in a store that deletes one by one: enough to use all requests in flight, and few enough that a store that
/// is down is noticed soon.
const SINGLE: usize = 32;

/// Deletes objects. The results are in the order of `objects`. After a request that failed with all its objects no more are begun.
pub(super) async fn delete(store: &Inner, objects: &[StoredObject]) -> Vec<ObjectDeletion> {
    let size = store.deletion.size();
    let mut results: Vec<Option<ObjectDeletion>> = vec![None; objects.len()];
    let (mut plain, mut slashes) = (Vec::new(), Vec::new());
    for (number, object) in objects.iter().enumerate() {
        match key(store, object) {
            Ok(key) if key.as_ref().ends_with('/') => slashes.push((number, key)),
            Ok(key) => plain.push((number, key)),
            Err(error) => results[number] = Some(ObjectDeletion::Refused(error)),
        }
    }
    // A refusal of a key that ends with a slash makes `object_store` 0.14.2 panic, which must not concern other objects.
    let parts = plain.chunks(size).chain(slashes.chunks(size));
    let broken: Mutex<Option<DirectoryError>> = Mutex::default();
    // Futures in a list: a closure over borrowed parts makes a future that cannot be sent between threads.
    let deletions: Vec<_> = parts.map(|part| delete_part(store, part, &broken)).collect();
    let mut deleting = stream::iter(deletions).buffer_unordered(LANES);
    while let Some(part) = deleting.next().await {
        for (number, result) in part {
            results[number] = Some(result);
        }
    }
    let lost = || ObjectDeletion::Unclear(DirectoryError::unavailable("the deletion has no result"));
    results.into_iter().map(|result| result.unwrap_or_else(lost)).collect()
}

/// The key of an object. Keys of `object_store` end with a slash only if they are made of parts.
fn key(store: &Inner, object: &StoredObject) -> Result<Path, DirectoryError> {
    match object {
        StoredObject::Archive(file) => {
            layout::check_deletable(file)?;
            store.key(file)
        }
        StoredObject::Marker(marker) => {
            layout::check_deletable(&marker.folder)?;
            match marker.form {
                MarkerForm::Plain => store.key(&marker.folder),
                MarkerForm::Slash if !store.deletion.has_slashes() => {
                    let message = format!("the marker {}/ is not deleted: keys of this store cannot end with a slash", marker.folder);
                    Err(DirectoryError::refused(message))
                }
                MarkerForm::Slash => store.key(&marker.folder).map(|key| key.join("")),
                MarkerForm::Suffix => store.key(&FilePath::new(format!("{}{}", marker.folder, super::survey::FOLDER_SUFFIX))),
            }
        }
    }
}

async fn delete_part(store: &Inner, part: &[(usize, Path)], broken: &Mutex<Option<DirectoryError>>) -> Vec<(usize, ObjectDeletion)> {
    let all = |result: ObjectDeletion| part.iter().map(|(number, _)| (*number, result.clone())).collect();
    if let Some(error) = broken.lock().unwrap_or_else(PoisonError::into_inner).clone() {
        return all(ObjectDeletion::NotSent(error));
    }
    let keys: Vec<::object_store::Result<Path>> = part.iter().map(|(_, key)| Ok(key.clone())).collect();
    let answers = contained(&store.url, async {
        let answers: Vec<::object_store::Result<Path>> = store.store.delete_stream(stream::iter(keys).boxed()).collect().await;
        Ok(answers)
    })
    .await;
    let whole_failure = match answers {
        Ok(answers) if answers.len() == part.len() => {
            let results: Vec<_> = part.iter().zip(answers).map(|((number, _), answer)| (*number, result(store, answer))).collect();
            let failures: Vec<&DirectoryError> = results.iter().filter_map(|(_, result)| failure(result)).collect();
            if let Some(error) = failures.first().filter(|_| failures.len() == results.len()) {
                note(broken, error);
            }
            return results;
        }
        Ok(answers) => match answers.into_iter().find_map(Result::err) {
            Some(error) => store.failed("delete in", "", &error),
            None => DirectoryError::unavailable(format!("cannot delete in {}: the answer does not name every object", store.url)),
        },
        Err(error) => error,
    };
    note(broken, &whole_failure);
    all(of_failure(whole_failure))
}

fn note(broken: &Mutex<Option<DirectoryError>>, error: &DirectoryError) {
    broken.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert_with(|| error.clone());
}

/// The result for one object.
fn result(store: &Inner, answer: ::object_store::Result<Path>) -> ObjectDeletion {
    match answer {
        Ok(_) => ObjectDeletion::Done,
        Err(::object_store::Error::NotFound { .. }) => ObjectDeletion::AlreadyMissing,
        Err(error) => of_failure(store.failed("delete in", "", &error)),
    }
}

fn of_failure(error: DirectoryError) -> ObjectDeletion {
    if error.kind == DirectoryErrorKind::Unavailable { ObjectDeletion::Unclear(error) } else { ObjectDeletion::Refused(error) }
}

fn failure(result: &ObjectDeletion) -> Option<&DirectoryError> {
    match result {
        ObjectDeletion::Done | ObjectDeletion::AlreadyMissing => None,
        ObjectDeletion::Refused(error) | ObjectDeletion::NotSent(error) | ObjectDeletion::Unclear(error) => Some(error),
    }
}
