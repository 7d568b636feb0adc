//! The order of modules and the other invariants of `ARCHITECTURE.md` that are about imports, checked in the source code.

mod imports;
mod sources;

use imports::{Imports, circles};
use sources::{places, sources};

/// The modules in the order of their imports: a module uses only modules before it.
const ORDER: &[&str] = &[
    "clock",
    "ids",
    "names",
    "problem",
    "spreadsheet",
    "tasks",
    "telemetry",
    "directory",
    "archive",
    "pack",
    "data_directory",
    "index",
    "diagnosis",
    "retention",
    "ingest",
    "refresh",
    "schedule",
    "access",
    "api",
    "config",
    "logging",
    "tls",
    "web",
    "server",
    "cli",
    "main",
];

/// Imports against the order: the importing module, the imported module, the reason.
const AGAINST_THE_ORDER: &[(&str, &str, &str)] = &[("api", "tls", "the connection handler of the API performs the TLS handshakes")];

#[test]
fn modules_import_only_modules_before_them() {
    let sources = sources();
    let position = |module: &str| ORDER.iter().position(|known| *known == module);
    let mut wrong = Vec::new();
    for source in sources.iter().filter(|source| source.path != "lib.rs") {
        let own = position(source.module()).unwrap_or_else(|| panic!("src/{} belongs to no module of the order", source.path));
        for module in &ORDER[own + 1..] {
            let found = places([source].into_iter(), &[&format!("crate::{module}")]);
            if !AGAINST_THE_ORDER.iter().any(|(from, to, _)| (*from, *to) == (source.module(), *module)) {
                wrong.extend(found);
            }
        }
    }
    assert_eq!(wrong, Vec::<String>::new());
}

/// Imports that close a circle of files: the importing file, the imported file, the reason.
const IN_A_CIRCLE: &[(&str, &str, &str)] =
    &[("api/http/response.rs", "api/http/error.rs", "writing JSON can fail, and an error is written as JSON")];

#[test]
fn no_files_import_each_other_in_a_circle() {
    let sources = sources();
    let imports = Imports::read(&sources);
    let mut edges = imports.edges();
    for (from, to, _) in IN_A_CIRCLE {
        edges.entry(from).or_default().remove(to);
    }
    let circles = circles(&edges);
    assert!(circles.is_empty(), "files import each other in a circle:\n{}", circles.join("\n"));
}

/// Modules that do no IO and take the time as an argument.
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
fn pure_modules_import_no_module_that_does_io() {
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

/// Modules that use files.
const WITH_FILES: &[&str] = &[
    "config",
    "tls",
    "data_directory",
    "directory/local",
    "cli/client/download",
    "access/watched_file",
    "access/authentication/token_file",
];

#[test]
fn only_configuration_data_directory_index_local_directories_and_downloads_use_files() {
    let sources = sources();
    let others = sources.iter().filter(|source| !source.is_in(WITH_FILES));
    assert_eq!(places(others, &["std::fs", "fs::", "tokio::fs", "File::", "OpenOptions", "read_dir"]), Vec::<String>::new());
}

#[test]
fn only_tasks_starts_tasks_and_threads() {
    let sources = sources();
    // The writer of the index has a thread of its own for as long as the index is open.
    let others = sources.iter().filter(|source| !source.is_in(&["tasks", "index/opening"]));
    let words = ["tokio::spawn", "task::spawn_blocking", "thread::spawn", "thread::Builder", "JoinSet"];
    assert_eq!(places(others, &words), Vec::<String>::new());
}

#[test]
fn only_the_server_opens_directories_and_the_index() {
    let sources = sources();
    let others = sources.iter().filter(|source| !source.is_in(&["server", "directory", "index"]));
    assert_eq!(places(others, &["Directory::open", "Directory::in_store", "index::open", "Ingest::new"]), Vec::<String>::new());
}

#[test]
fn only_the_index_uses_sqlite() {
    let sources = sources();
    let others = sources.iter().filter(|source| !source.is_in(&["index/sqlite"]));
    assert_eq!(places(others, &["rusqlite"]), Vec::<String>::new());
}

#[test]
fn only_archive_directories_use_object_stores() {
    let sources = sources();
    let others = sources.iter().filter(|source| !source.is_in(&["directory"]));
    assert_eq!(places(others, &["object_store"]), Vec::<String>::new());
}

#[test]
fn http_does_not_list_or_delete_archives_or_write_the_index() {
    let sources = sources();
    let api = || sources.iter().filter(|source| source.is_in(&["api", "web"]));
    let words = [
        "Directory::open",
        "Directory::in_store",
        "IndexWriter",
        "Extent",
        "delete_file",
        "delete_objects",
        "crate::retention::delete",
        "crate::server",
    ];
    assert_eq!(places(api(), &words), Vec::<String>::new());
}

#[test]
fn http_reads_the_index_only_within_a_scope() {
    let sources = sources();
    // `api/state` holds the reading handle, and `Shared::scoped` narrows it for the client.
    let others = sources.iter().filter(|source| source.is_in(&["api"]) && source.path != "api/state.rs");
    let words = ["IndexReader", "shared.reader", "state.reader", "self.reader"];
    assert_eq!(places(others, &words), Vec::<String>::new());
    let narrowing = sources.iter().filter(|source| source.is_in(&["api"]));
    assert_eq!(
        places(narrowing, &["shared.reader", "state.reader", "self.reader"]).len(),
        1,
        "one place decides which part of the index a client sees"
    );
}

#[test]
fn only_api_web_cli_and_the_program_use_http_and_command_line_libraries() {
    let sources = sources();
    let inner = sources.iter().filter(|source| !source.is_in(&["api", "web", "cli", "server", "main"]));
    assert_eq!(places(inner, &["axum", "clap"]), Vec::<String>::new());
}

#[test]
fn only_the_cleanup_deletes_archives() {
    let sources = sources();
    let others = sources.iter().filter(|source| !source.is_in(&["directory", "retention/delete"]));
    assert_eq!(
        places(others, &["delete_file", "delete_objects", "undo_deletion", "remove_folder_if_empty", "remove_link"]),
        Vec::<String>::new()
    );
}

#[test]
fn no_file_is_named_mod_or_longer_than_six_hundred_lines() {
    for source in sources() {
        assert!(!source.path.ends_with("/mod.rs"), "{}", source.path);
        assert!(source.lines.len() <= 600, "src/{} has {} lines of code", source.path, source.lines.len());
    }
}
