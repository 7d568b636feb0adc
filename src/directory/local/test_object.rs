//! A test of the permission to create and delete files in the root.

use std::io;
use std::path::Path;

use crate::directory::error::DirectoryError;

/// Creates a new file with this name in the root and deletes it.
pub(super) fn write_and_delete(root: &Path, name: &str) -> Result<(), DirectoryError> {
    let path = root.join(name);
    let failed = |doing: &str, error: &io::Error| DirectoryError::io(doing, &path.display(), error);
    std::fs::File::create_new(&path).map_err(|error| failed("create", &error))?;
    std::fs::remove_file(&path).map_err(|error| failed("delete", &error))
}

/// Checks whether files in the root may be deleted. A root that does not exist is no error.
pub(super) fn may_delete(root: &Path) -> Result<(), DirectoryError> {
    match rustix::fs::access(root, rustix::fs::Access::WRITE_OK) {
        Err(rustix::io::Errno::ACCESS | rustix::io::Errno::ROFS | rustix::io::Errno::PERM) => {
            Err(DirectoryError::io("write in", &root.display(), &io::ErrorKind::PermissionDenied.into()))
        }
        Ok(()) | Err(_) => Ok(()),
    }
}
