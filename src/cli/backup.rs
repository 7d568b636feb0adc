//! `historyserver backup` and `historyserver restore`.

use std::path::Path;

use super::{BackupArguments, RestoreArguments};
use crate::index::{self, Backup, IndexError};

/// Copies the index of a data directory, with or without a server that runs on it. Returns the text to print.
///
/// # Errors
/// See [`index::back_up`].
pub fn back_up(wanted: &BackupArguments, data_directory: &Path) -> Result<String, IndexError> {
    let backup = index::back_up(data_directory, &wanted.file)?;
    Ok(format!("wrote {}: {}\n", wanted.file.display(), described(&backup)))
}

/// Makes the index of a data directory from a backup. Returns the text to print.
///
/// # Errors
/// See [`index::restore`].
pub fn restore(wanted: &RestoreArguments, data_directory: &Path) -> Result<String, IndexError> {
    let backup = index::restore(&wanted.file, data_directory)?;
    Ok(format!("restored {} to {}: {}\n", wanted.file.display(), data_directory.display(), described(&backup)))
}

fn described(backup: &Backup) -> String {
    let Backup { bytes, applications, jobs, schema } = backup;
    format!("{applications} applications, {jobs} jobs, {bytes} bytes, schema {schema}; the whole file was read and is sound")
}
