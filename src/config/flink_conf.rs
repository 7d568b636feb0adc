//! Flink's own configuration directory: `config.yaml` (nested or flat), or `flink-conf.yaml` of earlier versions.

use std::path::Path;

use super::options::ARCHIVE_DIR;
use super::problem::ConfigProblem;
use super::settings::{Origin, Setting};
use super::text_file;

mod legacy;
mod yaml;

/// The file of Flink 2.
const STANDARD: &str = "config.yaml";
/// The file of Flink 1.
const LEGACY: &str = "flink-conf.yaml";

/// Reads the directory at `path`, which messages call `shown`. `elsewhere`: whether another layer
/// names the archive directories.
pub(super) fn read(
    path: &Path,
    shown: &Path,
    elsewhere: bool,
    warnings: &mut Vec<String>,
    problems: &mut Vec<ConfigProblem>,
) -> Vec<Setting> {
    let (standard, legacy) = (path.join(STANDARD).exists(), path.join(LEGACY).exists());
    if !standard && !legacy {
        problems.push(ConfigProblem {
            key: None,
            origin: Origin::File(shown.to_owned(), None),
            message: format!("is not a configuration directory of Flink: it contains neither {STANDARD} nor {LEGACY}"),
        });
        return Vec::new();
    }
    let mut faults = Vec::new();
    let settings = if standard { read_standard(path, shown, warnings, &mut faults) } else { Vec::new() };
    if !legacy {
        problems.extend(faults);
        return settings;
    }
    // Flink 1.19 and 1.20 read the older file if both exist; Flink 2 never does. It is read only when no other source names the
    // archive directories: Flink 2 starts no history server with such a directory, so that no working set-up changes.
    let (mut older_warnings, mut older_problems) = (Vec::new(), Vec::new());
    let names_directories = |settings: &[Setting]| settings.iter().any(|setting| setting.key == ARCHIVE_DIR.key);
    let older = if standard && (elsewhere || names_directories(&settings) || !faults.is_empty()) {
        None
    } else {
        Some(read_legacy(path, shown, &mut older_warnings, &mut older_problems)).filter(|older| !standard || names_directories(older))
    };
    let (standard_file, legacy_file) = (shown.join(STANDARD), shown.join(LEGACY));
    if let Some(older) = older {
        if standard {
            warnings.push(format!(
                "{} is read and {} is not, as in Flink 1.19 and 1.20, since only the former names archive directories. Flink 2 reads only the \
                 latter: move the options there",
                legacy_file.display(),
                standard_file.display()
            ));
        }
        warnings.append(&mut older_warnings);
        problems.append(&mut older_problems);
        older
    } else {
        warnings.push(format!("{} is not read, since {STANDARD} is in the same directory, as in Flink 2", legacy_file.display()));
        problems.extend(faults);
        settings
    }
}

fn read_standard(path: &Path, shown: &Path, warnings: &mut Vec<String>, problems: &mut Vec<ConfigProblem>) -> Vec<Setting> {
    let Some(text) = text_file::read(&path.join(STANDARD), &shown.join(STANDARD), problems) else { return Vec::new() };
    yaml::settings(&text, &shown.join(STANDARD), warnings, problems)
}

fn read_legacy(path: &Path, shown: &Path, warnings: &mut Vec<String>, problems: &mut Vec<ConfigProblem>) -> Vec<Setting> {
    let Some(text) = text_file::read_lossy(&path.join(LEGACY), &shown.join(LEGACY), warnings, problems) else { return Vec::new() };
    legacy::lines(&text, &shown.join(LEGACY), warnings)
}
