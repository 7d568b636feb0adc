//! Tests of the permissions to write and to delete, with an object of a hidden name, which no listing counts.

use ::object_store::ObjectStoreExt as _;

use super::Inner;
use crate::directory::error::{DirectoryError, DirectoryErrorKind};
use crate::names::FilePath;

/// Creates an object and deletes it.
pub(super) async fn write_and_delete(store: &Inner, name: &FilePath) -> Result<(), DirectoryError> {
    let key = store.key(name)?;
    let content = "Written by `historyserver check-config --probe`. It can be deleted.\n";
    store.store.put(&key, content.into()).await.map_err(|error| store.failed("write", name.as_str(), &error))?;
    match store.store.delete(&key).await {
        Ok(()) => Ok(()),
        Err(error) => {
            let DirectoryError { kind, message } = store.failed("delete", name.as_str(), &error);
            Err(DirectoryError::new(kind, format!("{message}; the test object was written and is left there, delete it by hand")))
        }
    }
}

/// Checks whether objects may be deleted, by the deletion of an object that does not exist.
///
/// # Errors
/// The store denies it, or does not answer.
pub(super) async fn may_delete(store: &Inner, name: &FilePath) -> Result<(), DirectoryError> {
    match store.store.delete(&store.key(name)?).await {
        Ok(()) => Ok(()),
        Err(error) => match store.failed("delete in", "", &error) {
            error if error.kind == DirectoryErrorKind::NotFound => Ok(()),
            error => Err(error),
        },
    }
}
