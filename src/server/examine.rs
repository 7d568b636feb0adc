//! Whether archive directories are there and likely those that are meant: for `check-config`, which changes nothing.

use std::sync::Arc;
use std::time::Duration;

use futures::future::join_all;
use tokio::sync::mpsc;

use crate::config::{Config, options};
use crate::directory::{Directory, Extent};

/// How long a directory may take to be listed.
const PATIENCE: Duration = Duration::from_secs(10);

/// Looks at every archive directory and says what is likely wrong with each.
pub async fn directories(config: &Config) -> Vec<String> {
    let look = async |entry: &String| match Directory::open(entry, &config.archive.store_options) {
        Ok(directory) => examine(&directory).await,
        Err(error) => Some(error.message),
    };
    let sentences = join_all(config.archive.directories.iter().map(look)).await;
    sentences.into_iter().flatten().map(|sentence| format!("{}: {sentence}", options::ARCHIVE_DIR.key)).collect()
}

/// What is likely wrong with a directory. One that is still being listed when the time is over is there.
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
    match tokio::time::timeout(PATIENCE, listing).await {
        Ok(Ok(listed)) => listed.doubt,
        Ok(Err(error)) => Some(error.message),
        Err(_) if any => None,
        Err(_) => Some(format!("archive directory {} does not answer within {} s", directory.url(), PATIENCE.as_secs())),
    }
}
