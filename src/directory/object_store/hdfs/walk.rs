//! Listing of one folder, and of all files below one, in the order of names.

use std::sync::Arc;

use ::object_store::{ListResult, ObjectMeta, Result};
use futures::stream::{self, BoxStream, StreamExt, TryStreamExt};
use hdfs_native::HdfsError;
use hdfs_native::client::{FileStatus, ListStatusIterator};

use super::client::{CONCURRENCY, Clients};
use super::errors::converted;
use super::files;

/// The folders and files directly below a folder. A missing folder is empty, as in an object store.
pub(super) async fn level(clients: Arc<Clients>, folder: String) -> Result<ListResult> {
    let mut result = ListResult { common_prefixes: Vec::new(), objects: Vec::new(), extensions: http::Extensions::default() };
    let mut entries = entries(clients, folder);
    while let Some(entry) = entries.try_next().await? {
        if entry.isdir {
            result.common_prefixes.push(files::location(&entry.path));
        } else {
            result.objects.push(files::meta(&entry)?);
        }
    }
    Ok(result)
}

/// All files below a folder. Folders in it are listed in parallel.
pub(super) fn all(clients: Arc<Clients>, folder: String) -> BoxStream<'static, Result<ObjectMeta>> {
    entries(Arc::clone(&clients), folder)
        .map_ok(move |entry| {
            let clients = Arc::clone(&clients);
            async move { if entry.isdir { below(clients, entry.path).await } else { Ok(vec![files::meta(&entry)?]) } }
        })
        .try_buffered(CONCURRENCY)
        .map_ok(|files| stream::iter(files.into_iter().map(Ok)))
        .try_flatten()
        .boxed()
}

/// All files below a folder, collected.
async fn below(clients: Arc<Clients>, folder: String) -> Result<Vec<ObjectMeta>> {
    let (mut found, mut waiting) = (Vec::new(), vec![folder]);
    while let Some(folder) = waiting.pop() {
        let mut entries = entries(Arc::clone(&clients), folder);
        while let Some(entry) = entries.try_next().await? {
            if entry.isdir {
                waiting.push(entry.path);
            } else {
                found.push(files::meta(&entry)?);
            }
        }
    }
    found.sort_by(|left, right| left.location.cmp(&right.location));
    Ok(found)
}

/// The entries of a folder. A folder that is missing has none, also if it vanishes during the listing: its files are gone with it.
fn entries(clients: Arc<Clients>, folder: String) -> BoxStream<'static, Result<FileStatus>> {
    stream::try_unfold((clients, folder, None), |(clients, folder, iterator)| async move {
        let (next, iterator) = match iterator {
            Some(iterator) => next(&clients, iterator).await,
            None => begin(&clients, &folder).await,
        }
        .map_err(converted)?;
        match next {
            // A file that is listed by its own path is no entry.
            Some(Ok(entry)) if entry.path == folder => Ok(None),
            Some(Ok(entry)) => Ok(Some((entry, (clients, folder, Some(iterator))))),
            Some(Err(HdfsError::FileNotFound(_))) | None => Ok(None),
            Some(Err(error)) => Err(converted(error)),
        }
    })
    .boxed()
}

/// The next entry of a listing, and the listing.
type Next = std::result::Result<(Option<std::result::Result<FileStatus, HdfsError>>, ListStatusIterator), HdfsError>;

async fn begin(clients: &Clients, folder: &str) -> Next {
    let begun = clients.call(|client| async move {
        let iterator = client.list_status_iter(folder, false);
        Ok((iterator.next().await, iterator))
    });
    begun.await
}

async fn next(clients: &Clients, iterator: ListStatusIterator) -> Next {
    let next = clients.within(iterator.next()).await?;
    Ok((next, iterator))
}
