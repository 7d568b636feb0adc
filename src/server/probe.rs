//! The check of `check-config --probe`: whether each archive directory can be listed and read, and on request written.

use std::fmt::Write as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use futures::future::join_all;
use tokio::sync::mpsc;

use crate::config::Config;
use crate::directory::{Directory, DirectoryError, DirectoryErrorKind, Extent, Found};
use crate::names::FilePath;

/// Time limit of one operation.
const TIME_LIMIT: Duration = Duration::from_secs(30);
/// Bytes that are read of an archive.
const BYTES: u64 = 64;

/// The result of a probe.
#[derive(Debug)]
pub struct Probed {
    /// Lines for people, one for each operation.
    pub text: String,
    /// Whether every operation worked.
    pub works: bool,
}

/// Probes every archive directory: lists it, reads the beginning of one archive, and with `writes` creates and deletes a test object.
pub async fn directories(config: &Config, writes: bool) -> Probed {
    let probes = config.archive.directories.iter().map(|entry| async move {
        match Directory::open(entry, &config.archive.options_of(entry)) {
            Ok(directory) => Box::pin(probe(&directory, writes)).await,
            Err(error) => vec![("open", Err(error))],
        }
    });
    let mut probed = Probed { text: String::new(), works: true };
    for (entry, steps) in config.archive.directories.iter().zip(join_all(probes).await) {
        let shown = crate::config::secrets::mask_urls(entry);
        for (operation, result) in steps {
            // Writing to a string does not fail.
            let _ = match result {
                Ok(note) => writeln!(probed.text, "probe {shown}: {operation} works{note}"),
                Err(error) => {
                    probed.works = false;
                    writeln!(probed.text, "probe {shown}: {operation} fails: {}{}", error.message, meaning(operation, &error))
                }
            };
        }
    }
    probed
}

/// The consequence of a failure.
fn meaning(operation: &str, error: &DirectoryError) -> &'static str {
    match (operation, error.kind) {
        ("list", _) => " (no new archives are found in this directory; what is indexed is served)",
        ("get", DirectoryErrorKind::Denied) => " (archives are listed, but cannot be read)",
        ("get", _) => " (new archives cannot be read)",
        ("write and delete", DirectoryErrorKind::Denied) => " (a retention limit cannot delete archives with these credentials)",
        ("write and delete", _) => " (a retention limit probably cannot delete archives)",
        _ => "",
    }
}

type Step = (&'static str, Result<String, DirectoryError>);

async fn probe(directory: &Directory, writes: bool) -> Vec<Step> {
    let mut steps = Vec::new();
    let mut first = None;
    let listed = limited(directory, "list", Box::pin(list(directory, &mut first))).await;
    let can_list = listed.is_ok();
    steps.push(("list", listed.map(|doubt| doubt.map_or_else(String::new, |doubt| format!(", but {doubt}")))));
    if let Some(file) = first {
        let read = limited(directory, "get", directory.read_part(&file, 0..BYTES)).await;
        steps.push(("get", read.map(|bytes| format!(" ({} bytes of {file})", bytes.len()))));
    } else if can_list {
        steps.push(("get", Ok(", as far as it can be tried: the directory has no archive yet".to_owned())));
    }
    if writes {
        let written = limited(directory, "write and delete", directory.write_test_object()).await;
        steps.push(("write and delete", written.map(|object| format!(" ({object})"))));
    }
    steps
}

/// Lists the directory, and remembers one archive. Returns why it is probably the wrong directory.
async fn list(directory: &Directory, first: &mut Option<FilePath>) -> Result<Option<String>, DirectoryError> {
    let (sender, mut found) = mpsc::channel(64);
    let wanted = AtomicBool::new(true);
    // The files of one application are enough.
    let extent = Extent::Quick(Arc::new(move |_, _| wanted.swap(false, Ordering::Relaxed)));
    let take = async {
        while let Some(piece) = found.recv().await {
            let file = match &piece {
                Found::LegacyJobs(files) => files.first(),
                Found::Applications(applications) => applications.iter().find_map(|application| application.files.as_ref()?.first()),
                Found::Obstacle(_) => None,
            };
            if first.is_none() {
                *first = file.map(|file| file.path.clone());
            }
        }
    };
    let known = Arc::default();
    let (listed, ()) = tokio::join!(directory.list(&extent, &known, sender), take);
    listed.map(|listed| listed.doubt)
}

/// Runs an operation with a time limit.
async fn limited<T>(
    directory: &Directory,
    operation: &str,
    run: impl Future<Output = Result<T, DirectoryError>>,
) -> Result<T, DirectoryError> {
    tokio::time::timeout(TIME_LIMIT, run).await.unwrap_or_else(|_elapsed| {
        Err(DirectoryError {
            kind: DirectoryErrorKind::Unavailable,
            message: format!(
                "{} does not answer a {operation} within {} s; check that its host can be reached from this machine",
                directory.url(),
                TIME_LIMIT.as_secs()
            ),
        })
    })
}
