//! HDFS as an object store, by `hdfs-native`.
//!
//! Differences to the client of `hdfs-native-object-store`, which is used for the rest:
//!
//! - Each call has a time limit: a NameNode that accepts connections and is silent never ends a call otherwise. After the limit the
//!   next call uses new connections, and another NameNode first.
//! - Folders are listed in parallel. The client lists one after another.
//! - A file whose length changed between its listing and its reading is an error. (The client panics if it became shorter.) A file that
//!   is still being written has the length of its whole blocks and the time of its creation; closing it changes both.

mod client;
mod errors;
mod files;
mod settings;
mod walk;

use std::fmt;
use std::ops::Range;
use std::sync::Arc;

use ::object_store::path::Path;
use ::object_store::{
    CopyOptions, GetOptions, GetResult, ListResult, MultipartUpload, ObjectMeta, ObjectStore, PutMultipartOptions, PutOptions, PutPayload,
    PutResult, RenameOptions, Result,
};
use async_trait::async_trait;
use futures::stream::{self, BoxStream, StreamExt, TryStreamExt};
use hdfs_native_object_store::HdfsObjectStore;

use self::client::Clients;
use self::errors::{converted, is_not_empty, not_found};
use self::files::absolute;
pub(super) use self::settings::Settings;

/// The NameNodes of one name service. Cheap to clone.
#[derive(Debug, Clone)]
pub(super) struct Hdfs {
    clients: Arc<Clients>,
}

impl Hdfs {
    /// Does no IO: clients are made by the first call.
    pub(super) fn new(settings: Settings) -> Self {
        Self { clients: Arc::new(Clients::new(settings)) }
    }

    /// Removes a folder if it is empty. Returns whether it is missing now.
    pub(super) async fn remove_folder_if_empty(&self, folder: &Path) -> Result<bool> {
        let path = absolute(Some(folder));
        match self
            .clients
            .call(|client| {
                let path = path.clone();
                async move { client.delete(&path, false).await }
            })
            .await
        {
            Ok(_) => Ok(true),
            Err(error) if is_not_empty(&error) => Ok(false),
            Err(error) => Err(converted(error)),
        }
    }
}

impl fmt::Display for Hdfs {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("HDFS")
    }
}

#[async_trait]
impl ObjectStore for Hdfs {
    async fn put_opts(&self, location: &Path, payload: PutPayload, options: PutOptions) -> Result<PutResult> {
        let client = self.clients.current().map_err(converted)?;
        client::limited(client::WRITE_LIMIT, HdfsObjectStore::new(client).put_opts(location, payload, options)).await
    }

    async fn put_multipart_opts(&self, location: &Path, options: PutMultipartOptions) -> Result<Box<dyn MultipartUpload>> {
        let client = self.clients.current().map_err(converted)?;
        client::limited(client::WRITE_LIMIT, HdfsObjectStore::new(client).put_multipart_opts(location, options)).await
    }

    async fn get_opts(&self, location: &Path, options: GetOptions) -> Result<GetResult> {
        files::get(&self.clients, location, options).await
    }

    async fn get_ranges(&self, location: &Path, ranges: &[Range<u64>]) -> Result<Vec<bytes::Bytes>> {
        use ::object_store::ObjectStoreExt as _;
        stream::iter(ranges.to_vec()).then(|range| self.get_range(location, range)).try_collect().await
    }

    fn delete_stream(&self, locations: BoxStream<'static, Result<Path>>) -> BoxStream<'static, Result<Path>> {
        let clients = Arc::clone(&self.clients);
        locations
            .map(move |location| {
                let clients = Arc::clone(&clients);
                async move {
                    let location = location?;
                    let path = absolute(Some(&location));
                    let deleted = clients
                        .call(|client| {
                            let path = path.clone();
                            async move { client.delete(&path, false).await }
                        })
                        .await;
                    match deleted {
                        Ok(true) => Ok(location),
                        Ok(false) => Err(not_found(&path)),
                        Err(error) => Err(converted(error)),
                    }
                }
            })
            .buffered(client::CONCURRENCY)
            .boxed()
    }

    fn list(&self, prefix: Option<&Path>) -> BoxStream<'static, Result<ObjectMeta>> {
        walk::all(Arc::clone(&self.clients), absolute(prefix))
    }

    async fn list_with_delimiter(&self, prefix: Option<&Path>) -> Result<ListResult> {
        walk::level(Arc::clone(&self.clients), absolute(prefix)).await
    }

    async fn copy_opts(&self, from: &Path, to: &Path, options: CopyOptions) -> Result<()> {
        let client = self.clients.current().map_err(converted)?;
        client::limited(client::WRITE_LIMIT, HdfsObjectStore::new(client).copy_opts(from, to, options)).await
    }

    async fn rename_opts(&self, from: &Path, to: &Path, options: RenameOptions) -> Result<()> {
        let client = self.clients.current().map_err(converted)?;
        client::limited(client::WRITE_LIMIT, HdfsObjectStore::new(client).rename_opts(from, to, options)).await
    }
}
