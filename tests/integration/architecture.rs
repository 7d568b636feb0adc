//! Directions that hold between modules, read from the source: what a module may know is not left to memory.

use std::path::{Path, PathBuf};

/// A source file below `src/`: path with `/`, and its code without comments and without its tests.
struct Source {
    path: String,
    lines: Vec<(usize, String)>,
}

impl Source {
    /// Whether the file is one of these modules, or below one: `archive` is `archive.rs` and `archive/`.
    fn is_in(&self, modules: &[&str]) -> bool {
        modules.iter().any(|module| self.path == format!("{module}.rs") || self.path.starts_with(&format!("{module}/")))
    }
}

fn sources() -> Vec<Source> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut files = Vec::new();
    collect(&root, &mut files);
    files.sort();
    let sources: Vec<Source> = files
        .into_iter()
        .map(|file| {
            let path = file.strip_prefix(&root).unwrap().to_str().unwrap().replace('\\', "/");
            let lines = code(&std::fs::read_to_string(&file).unwrap());
            Source { path, lines }
        })
        .filter(|source| !source.path.ends_with("/tests.rs") && !source.path.contains("/tests/"))
        .collect();
    assert!(sources.len() > 10, "the sources are not where they were");
    sources
}

fn collect(folder: &Path, files: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            collect(&path, files);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            files.push(path);
        }
    }
}

/// Lines of code with their numbers: without comments, and up to the module of tests, which ends a file.
fn code(text: &str) -> Vec<(usize, String)> {
    let mut lines = Vec::new();
    let mut tests = false;
    for (number, line) in text.lines().enumerate() {
        if line.starts_with("#[cfg(test)]") {
            tests = true;
        } else if tests && line.starts_with("mod ") && line.ends_with('{') {
            break;
        } else if !line.trim().is_empty() && !line.starts_with("#[") {
            tests = false;
        }
        let code = line.split("//").next().unwrap_or_default();
        lines.push((number + 1, code.to_owned()));
    }
    lines
}

/// Whether `word` stands in `line` as a path of its own, not as the end or the beginning of a longer name. One that ends with `::`
/// is the beginning of a path.
fn names(line: &str, word: &str) -> bool {
    let inside = |character: char| character.is_alphanumeric() || character == '_';
    line.match_indices(word).any(|(position, _)| {
        let before = line[..position].chars().next_back();
        let after = line[position + word.len()..].chars().next();
        !before.is_some_and(inside) && (word.ends_with("::") || !after.is_some_and(inside))
    })
}

/// Every place in `sources` that names one of `words`.
fn places<'a>(sources: impl Iterator<Item = &'a Source>, words: &[&str]) -> Vec<String> {
    let mut places = Vec::new();
    for source in sources {
        for (number, line) in &source.lines {
            for word in words.iter().filter(|word| names(line, word)) {
                places.push(format!("src/{}:{number} names {word}", source.path));
            }
        }
    }
    places
}

/// Modules that are given everything they need, the time included.
const PURE: &[&str] = &["archive", "pack", "retention/policy", "refresh/plan"];

#[test]
fn pure_modules_do_no_io_and_read_no_clock() {
    let words = [
        "std::fs",
        "std::net",
        "std::env",
        "std::thread",
        "std::process",
        "tokio",
        "object_store",
        "rusqlite",
        "reqwest",
        "Instant",
        "SystemTime",
        "Utc::now",
        "Local::now",
        "Clock",
    ];
    assert_eq!(places(sources().iter().filter(|source| source.is_in(PURE)), &words), Vec::<String>::new());
}

#[test]
fn pure_modules_know_no_module_that_does_io() {
    let words = [
        "crate::ingest::{",
        "crate::ingest::Ingest",
        "crate::api",
        "crate::server",
        "crate::schedule",
        "crate::tasks",
        "crate::telemetry",
        "crate::logging",
        "crate::config",
        "crate::tls",
    ];
    assert_eq!(places(sources().iter().filter(|source| source.is_in(PURE)), &words), Vec::<String>::new());
}

#[test]
fn files_are_touched_only_by_configuration_the_data_directory_local_archive_directories_and_downloads() {
    let sources = sources();
    let others = sources.iter().filter(|source| {
        !source.is_in(&["config", "tls", "data_directory", "directory/local", "cli/client/download"])
            && !source.path.starts_with("directory/local")
    });
    assert_eq!(places(others, &["std::fs", "fs::", "tokio::fs", "File::", "OpenOptions", "read_dir"]), Vec::<String>::new());
}

#[test]
fn sqlite_stays_below_the_index() {
    let sources = sources();
    let others = sources.iter().filter(|source| !source.is_in(&["index/sqlite"]));
    assert_eq!(places(others, &["rusqlite"]), Vec::<String>::new());
}

#[test]
fn object_stores_stay_below_the_archive_directory() {
    let sources = sources();
    let others = sources.iter().filter(|source| !source.is_in(&["directory"]));
    assert_eq!(places(others, &["object_store"]), Vec::<String>::new());
}

#[test]
fn http_neither_lists_nor_deletes_nor_writes_the_index() {
    let sources = sources();
    let api = || sources.iter().filter(|source| source.is_in(&["api", "web"]));
    let words =
        ["Directory::open", "Directory::in_store", "IndexWriter", "Extent", "delete_file", "crate::retention::delete", "crate::server"];
    assert_eq!(places(api(), &words), Vec::<String>::new());
}

#[test]
fn http_reads_the_index_within_a_scope_alone() {
    let sources = sources();
    // `api/state` holds the reading handle, and `Shared::scoped` narrows it for the client.
    let others = sources.iter().filter(|source| source.is_in(&["api"]) && source.path != "api/state.rs");
    let words = ["IndexReader", "shared.reader", "state.reader", "self.reader"];
    assert_eq!(places(others, &words), Vec::<String>::new());
    let narrowing = sources.iter().filter(|source| source.is_in(&["api"]));
    assert_eq!(places(narrowing, &["shared.reader", "state.reader", "self.reader"]).len(), 1, "one place decides what somebody may see");
}

#[test]
fn nothing_but_the_composition_root_and_the_program_knows_http_or_the_command_line() {
    let sources = sources();
    let inner = sources.iter().filter(|source| {
        source.is_in(&[
            "archive",
            "pack",
            "directory",
            "index",
            "ingest",
            "refresh",
            "retention",
            "schedule",
            "config",
            "problem",
            "ids",
            "clock",
        ])
    });
    assert_eq!(places(inner, &["crate::api", "crate::web", "crate::cli", "crate::server", "axum", "clap"]), Vec::<String>::new());
}

#[test]
fn only_the_deletion_of_expired_archives_deletes_in_archive_directories() {
    let sources = sources();
    let others = sources.iter().filter(|source| !source.is_in(&["directory", "retention/delete"]));
    assert_eq!(places(others, &["delete_file", "undo_deletion", "remove_folder_if_empty", "remove_link"]), Vec::<String>::new());
}

#[test]
fn no_file_named_mod_and_none_above_six_hundred_lines() {
    for source in sources() {
        assert!(!source.path.ends_with("/mod.rs"), "{}", source.path);
        assert!(source.lines.len() <= 600, "src/{} has {} lines of code", source.path, source.lines.len());
    }
}

#[test]
fn the_reader_of_sources_sees_what_it_should() {
    let text = "use std::fs; // std::net\n#[cfg(test)]\nuse tempfile;\nfn f() {}\n#[cfg(test)]\nmod tests {\n    use std::env;\n}\n";
    let source = Source { path: "archive/entry.rs".to_owned(), lines: code(text) };
    assert!(source.is_in(&["archive"]) && !source.is_in(&["arch", "pack"]));
    assert_eq!(
        places([source].iter(), &["std::fs", "std::net", "std::env", "fs"]),
        ["src/archive/entry.rs:1 names std::fs", "src/archive/entry.rs:1 names fs"]
    );
    assert!(!names("tokio_util::x", "tokio"));
    assert!(names("std::fs::read(path)", "fs::") && names("fs::read(path)", "fs::") && !names("vfs::read(path)", "fs::"));
}
