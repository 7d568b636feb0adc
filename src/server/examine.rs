//! The check of `check-config` whether archive directories exist and are probably the right ones. It changes nothing.

use std::sync::Arc;
use std::time::Duration;

use futures::future::join_all;
use tokio::sync::mpsc;

use crate::config::{Config, options};
use crate::directory::{Directory, Extent};

/// Time limit of the listing of one directory.
const TIME_LIMIT: Duration = Duration::from_secs(10);

/// Lists every archive directory. Returns a sentence for each that is probably wrong.
pub async fn directories(config: &Config) -> Vec<String> {
    let check = async |entry: &String| match Directory::open(entry, &config.archive.options_of(entry)) {
        Ok(directory) => examine(&directory).await,
        Err(error) => Some(error.message),
    };
    let sentences = join_all(config.archive.directories.iter().map(check)).await;
    sentences.into_iter().flatten().map(|sentence| format!("{}: {sentence}", options::ARCHIVE_DIR.key)).collect()
}

/// A sentence if a directory is probably wrong. A directory that is still being listed at the time limit exists.
async fn examine(directory: &Directory) -> Option<String> {
    let (sender, mut found) = mpsc::channel(16);
    let extent = Extent::Quick(Arc::new(|_, _| false));
    let known = Arc::default();
    let mut any = false;
    let listing = async {
        let count = async {
            while found.recv().await.is_some() {
                any = true;
            }
        };
        tokio::join!(directory.list(&extent, &known, sender), count).0
    };
    match tokio::time::timeout(TIME_LIMIT, listing).await {
        Ok(Ok(listed)) => listed.doubt,
        Ok(Err(error)) => Some(error.message),
        Err(_) if any => None,
        Err(_) => Some(format!("archive directory {} does not answer within {} s", directory.url(), TIME_LIMIT.as_secs())),
    }
}
