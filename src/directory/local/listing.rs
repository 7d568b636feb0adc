//! The listing of a local archive directory. Blocking.

use std::fs::{self, DirEntry};
use std::io;
use std::path::{Path, PathBuf};

use super::walk::{Sink, Walk};
use super::{Local, failed, search};
use crate::directory::error::DirectoryError;
use crate::directory::found::{Extent, Listed};
use crate::directory::level;
use crate::names::ClusterName;

/// Maximum number of folders whose names are compared with the name of a root that does not exist.
const MAX_COMPARED: usize = 1_000;
/// Similarity from which one name may be a misspelling of another; 1 is equal.
const SIMILAR: f64 = 0.7;

/// Lists the directory. See [`crate::directory::Directory::list`].
pub(super) fn list(local: &Local, extent: &Extent, known: &[ClusterName], sink: Sink<'_>) -> Result<Listed, DirectoryError> {
    let root = local.root();
    let start = match fs::metadata(root) {
        Ok(metadata) if metadata.is_dir() => metadata,
        Ok(_) => return Err(DirectoryError::refused(format!("the archive directory {} is not a folder", root.display()))),
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            return Ok(Listed { exists: false, doubt: Some(missing(root)), requests: 1 });
        }
        Err(error) => return Err(failed("list the archive directory", root, &error)),
    };
    let mut walk = Walk::new(local, start, extent, sink);
    let top = walk.root()?;
    let (applications, mut sights) = search::clusters(&mut walk, top.folders, extent, known)?;
    sights.has_archives |= !top.legacy.is_empty();
    sights.is_application |= top.has_summary;
    walk.details(applications, top.legacy)?;
    walk.check_root()?;
    walk.listed.doubt = level::likely_other(&format!("file://{}", root.display()), &sights);
    Ok(walk.listed)
}

/// The problem of a root that does not exist. It names the closest folder that exists.
fn missing(root: &Path) -> String {
    let nearest = root.ancestors().skip(1).find(|ancestor| ancestor.is_dir());
    let more = match nearest {
        Some(nearest) if Some(nearest) != root.parent() => {
            format!("; the last existing folder of its path is {}", nearest.display())
        }
        _ => closest_match(root).map_or_else(String::new, |closest| format!("; did you mean {}?", closest.display())),
    };
    level::missing(&format!("file://{}", root.display()), &more)
}

/// The sibling of a root whose name is most similar to its name.
fn closest_match(root: &Path) -> Option<PathBuf> {
    let name = root.file_name()?.to_str()?;
    let siblings = fs::read_dir(root.parent()?).ok()?.map_while(Result::ok).take(MAX_COMPARED);
    let similarity = |other: &DirEntry| other.file_name().to_str().map_or(0.0, |other| strsim::normalized_damerau_levenshtein(name, other));
    let folders = siblings.filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_dir()));
    let (similarity, closest) = folders.map(|entry| (similarity(&entry), entry)).max_by(|left, right| left.0.total_cmp(&right.0))?;
    (similarity >= SIMILAR).then(|| closest.path())
}
