//! Backups: a copy of the index in one file, and an index made of one.

use std::path::Path;

use crate::data_directory::{self, DataDirectory, Unfinished};
use crate::index::error::IndexError;
use crate::index::sqlite::{self, store::health::Health};

/// The content of a backup, which was checked completely.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Backup {
    /// Bytes of the file.
    pub bytes: u64,
    /// Applications in it, hidden ones included.
    pub applications: u64,
    /// Jobs in it, hidden ones included.
    pub jobs: u64,
    /// Version of its schema.
    pub schema: usize,
}

/// Copies the index in a data directory into `target`, a new file. A server may run on the data directory: the copy is the state of one
/// moment, and the server goes on. Reads the whole copy to check it.
///
/// # Errors
/// There is no index, or it cannot be read or is damaged; `target` exists or cannot be written. No file is left then.
pub fn back_up(data_directory: &Path, target: &Path) -> Result<Backup, IndexError> {
    let index = data_directory::index_file(data_directory);
    if !data_directory::has_index(data_directory) {
        return Err(IndexError::Failed(format!(
            "there is no index in the data directory {}: name the data directory of the server (--data-dir, or historyserver.data.dir)",
            data_directory.display()
        )));
    }
    let target = std::path::absolute(target).map_err(|error| IndexError::Failed(format!("the working directory is gone: {error}")))?;
    let file = Unfinished::create(&target).map_err(IndexError::Failed)?;
    let path = file
        .part()
        .to_str()
        .ok_or_else(|| IndexError::Failed(format!("the path {} is not UTF-8: choose another place for the backup", target.display())))?;
    sqlite::copy_into(&index, path).map_err(|failure| match failure.into_index_error(data_directory) {
        IndexError::Damaged(why) => IndexError::Damaged(why),
        other => IndexError::Failed(format!("the index {} cannot be copied to {}: {other}", index.display(), target.display())),
    })?;
    let (schema, applications, jobs) = check(file.part(), &target)?;
    let bytes = file.finish().map_err(|error| IndexError::Failed(format!("{} cannot be written: {error}", target.display())))?;
    Ok(Backup { bytes, applications, jobs, schema })
}

/// Makes an index in a data directory from a backup. The data directory must have none, and no server may run on it.
///
/// # Errors
/// The file is no backup, is damaged or is of a newer version; the data directory has an index, belongs to another process or cannot be
/// written. Nothing is changed then.
pub fn restore(backup: &Path, data_directory: &Path) -> Result<Backup, IndexError> {
    check(backup, backup)?;
    let place = DataDirectory::open(data_directory)?;
    let index = place.index_file();
    let file = Unfinished::create(&index).map_err(|why| {
        IndexError::Failed(format!("{why}. A backup is restored only into a data directory without an index: move that index away first"))
    })?;
    let failed =
        |why: &dyn std::fmt::Display| IndexError::Failed(format!("{} cannot be restored to {}: {why}", backup.display(), index.display()));
    file.copy(backup).map_err(|error| failed(&error))?;
    sqlite::renew_identity(file.part()).map_err(|failure| failed(&failure.into_index_error(data_directory)))?;
    // What was written, and not only what was read.
    let (schema, applications, jobs) = check(file.part(), &index)?;
    let bytes = file.finish().map_err(|error| failed(&error))?;
    Ok(Backup { bytes, applications, jobs, schema })
}

/// Reads the whole file at `path`, which messages call `shown`. Returns its schema, applications and jobs.
fn check(path: &Path, shown: &Path) -> Result<(usize, u64, u64), IndexError> {
    let shown = shown.display();
    let unreadable = |error: IndexError| IndexError::Failed(format!("{shown} cannot be read as a backup: {error}"));
    let folder = path.parent().unwrap_or(path);
    match sqlite::examine(path, true, true).map_err(|failure| unreadable(failure.into_index_error(folder)))? {
        Health::Good(0) | Health::Foreign => {
            Err(IndexError::Failed(format!("{shown} is not a backup of this server: name a file that `historyserver backup` has written")))
        }
        Health::Good(schema) => {
            let (applications, jobs) = sqlite::contents(path).map_err(|failure| unreadable(failure.into_index_error(folder)))?;
            Ok((schema, applications, jobs))
        }
        Health::Newer(schema) => Err(IndexError::NewerSchema(format!(
            "{shown} has schema {schema}, but this version of the server supports schemas up to {}: use the version that wrote it",
            sqlite::SCHEMA_VERSION
        ))),
        Health::Damaged(why) => Err(IndexError::Damaged(format!("{shown} is damaged ({why}): use another backup"))),
    }
}
