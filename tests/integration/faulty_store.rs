//! An object store whose faults are switched on and off by tests: failing, waiting, counting.

#![allow(dead_code, reason = "not every test needs every switch")]

use std::fmt;
use std::ops::Range;
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use bytes::Bytes;
use futures::StreamExt;
use futures::stream::{self, BoxStream};
use object_store::path::Path;
use object_store::{
    CopyOptions, Error, GetOptions, GetResult, ListResult, MultipartUpload, ObjectMeta, ObjectStore, ObjectStoreExt, PutMultipartOptions,
    PutOptions, PutPayload, PutResult, Result,
};
use tokio::sync::watch;

/// A kind of request to a store.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Operation {
    /// List a folder, one level or all below it.
    List,
    /// Read a file, whole or in part, or look at its state.
    Get,
    /// Delete a file.
    Delete,
    /// Write a file.
    Put,
}

/// How a request fails.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Failure {
    /// As if the store were down.
    Unavailable,
    /// As if the credentials did not suffice.
    Denied,
}

struct Fault {
    operation: Operation,
    part: String,
    kind: FaultKind,
}

enum FaultKind {
    Fail(Failure),
    Hold(watch::Sender<Hold>),
}

#[derive(Clone, Copy, Default)]
struct Hold {
    released: bool,
    arrived: usize,
}

/// Wraps a store. Clones share the store, its faults and its record.
#[derive(Clone)]
pub(crate) struct FaultyStore {
    inner: Arc<dyn ObjectStore>,
    faults: Arc<Mutex<Vec<Arc<Fault>>>>,
    requests: Arc<Mutex<Vec<(Operation, String)>>>,
}

/// Requests that wait while this lives, and go on when it is dropped.
pub(crate) struct Held {
    hold: watch::Sender<Hold>,
    fault: Arc<Fault>,
    faults: Arc<Mutex<Vec<Arc<Fault>>>>,
}

impl Held {
    /// Waits until so many requests have come and been held up.
    pub(crate) async fn until_arrived(&self, requests: usize) {
        self.hold.subscribe().wait_for(|hold| hold.arrived >= requests).await.expect("the sender lives as long as self");
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        self.faults.lock().unwrap().retain(|fault| !Arc::ptr_eq(fault, &self.fault));
        self.hold.send_modify(|hold| hold.released = true);
    }
}

impl FaultyStore {
    pub(crate) fn new(inner: Arc<dyn ObjectStore>) -> Self {
        Self { inner, faults: Arc::default(), requests: Arc::default() }
    }

    /// An empty store in memory.
    pub(crate) fn in_memory() -> Self {
        Self::new(Arc::new(object_store::memory::InMemory::new()))
    }

    /// Itself, for `Directory::in_store`.
    pub(crate) fn store(&self) -> Arc<dyn ObjectStore> {
        Arc::new(self.clone())
    }

    /// Writes an object past all faults and counts. The key is literal.
    pub(crate) async fn write(&self, key: &str, content: impl Into<PutPayload>) {
        self.inner.put(&Path::parse(key).unwrap(), content.into()).await.unwrap();
    }

    /// Deletes an object past all faults and counts.
    pub(crate) async fn erase(&self, key: &str) {
        self.inner.delete(&Path::parse(key).unwrap()).await.unwrap();
    }

    /// From now on, requests whose key or folder contains `part` (all, if it is empty) fail.
    pub(crate) fn fail(&self, operation: Operation, part: &str, failure: Failure) {
        self.add(operation, part, FaultKind::Fail(failure));
    }

    /// From now on, requests whose key or folder contains `part` (all, if it is empty) wait until the returned value is dropped.
    pub(crate) fn hold(&self, operation: Operation, part: &str) -> Held {
        let (hold, _) = watch::channel(Hold::default());
        let fault = self.add(operation, part, FaultKind::Hold(hold.clone()));
        Held { hold, fault, faults: Arc::clone(&self.faults) }
    }

    /// Takes all failures away; what is held stays held.
    pub(crate) fn heal(&self) {
        self.faults.lock().unwrap().retain(|fault| matches!(fault.kind, FaultKind::Hold(_)));
    }

    /// Requests made so far whose key or folder contains `part`.
    pub(crate) fn count(&self, operation: Operation, part: &str) -> usize {
        let requests = self.requests.lock().unwrap();
        requests.iter().filter(|(done, place)| *done == operation && place.contains(part)).count()
    }

    /// Forgets the requests made so far.
    pub(crate) fn reset_counts(&self) {
        self.requests.lock().unwrap().clear();
    }

    fn add(&self, operation: Operation, part: &str, kind: FaultKind) -> Arc<Fault> {
        let fault = Arc::new(Fault { operation, part: part.to_owned(), kind });
        self.faults.lock().unwrap().push(Arc::clone(&fault));
        fault
    }

    /// Counts a request, and lets it wait or fail.
    async fn pass(&self, operation: Operation, place: String) -> Result<()> {
        self.requests.lock().unwrap().push((operation, place.clone()));
        let faults: Vec<_> = self.faults.lock().unwrap().iter().filter(|fault| fault.operation == operation).cloned().collect();
        for fault in faults.into_iter().filter(|fault| place.contains(&fault.part)) {
            match &fault.kind {
                FaultKind::Hold(hold) => {
                    hold.send_modify(|hold| hold.arrived += 1);
                    let released = hold.subscribe().wait_for(|hold| hold.released).await.is_ok();
                    assert!(released, "the hold was released");
                }
                FaultKind::Fail(Failure::Unavailable) => {
                    return Err(Error::Generic { store: "faulty", source: "the store is down".into() });
                }
                FaultKind::Fail(Failure::Denied) => {
                    return Err(Error::PermissionDenied { path: place, source: "the key does not open this".into() });
                }
            }
        }
        Ok(())
    }
}

fn folder(prefix: Option<&Path>) -> String {
    prefix.map(Path::to_string).unwrap_or_default()
}

impl fmt::Debug for FaultyStore {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "FaultyStore({:?})", self.inner)
    }
}

impl fmt::Display for FaultyStore {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "FaultyStore({})", self.inner)
    }
}

#[async_trait]
impl ObjectStore for FaultyStore {
    async fn put_opts(&self, location: &Path, payload: PutPayload, options: PutOptions) -> Result<PutResult> {
        self.pass(Operation::Put, location.to_string()).await?;
        self.inner.put_opts(location, payload, options).await
    }

    async fn put_multipart_opts(&self, location: &Path, options: PutMultipartOptions) -> Result<Box<dyn MultipartUpload>> {
        self.pass(Operation::Put, location.to_string()).await?;
        self.inner.put_multipart_opts(location, options).await
    }

    async fn get_opts(&self, location: &Path, options: GetOptions) -> Result<GetResult> {
        self.pass(Operation::Get, location.to_string()).await?;
        self.inner.get_opts(location, options).await
    }

    async fn get_ranges(&self, location: &Path, ranges: &[Range<u64>]) -> Result<Vec<Bytes>> {
        self.pass(Operation::Get, location.to_string()).await?;
        self.inner.get_ranges(location, ranges).await
    }

    fn delete_stream(&self, locations: BoxStream<'static, Result<Path>>) -> BoxStream<'static, Result<Path>> {
        let store = self.clone();
        let passed = locations.then(move |location| {
            let store = store.clone();
            async move {
                let location = location?;
                store.pass(Operation::Delete, location.to_string()).await?;
                Ok(location)
            }
        });
        self.inner.delete_stream(passed.boxed())
    }

    fn list(&self, prefix: Option<&Path>) -> BoxStream<'static, Result<ObjectMeta>> {
        let store = self.clone();
        let prefix = prefix.cloned();
        stream::once(async move {
            match store.pass(Operation::List, folder(prefix.as_ref())).await {
                Ok(()) => store.inner.list(prefix.as_ref()),
                Err(error) => stream::iter([Err(error)]).boxed(),
            }
        })
        .flatten()
        .boxed()
    }

    async fn list_with_delimiter(&self, prefix: Option<&Path>) -> Result<ListResult> {
        self.pass(Operation::List, folder(prefix)).await?;
        self.inner.list_with_delimiter(prefix).await
    }

    async fn copy_opts(&self, from: &Path, to: &Path, options: CopyOptions) -> Result<()> {
        self.pass(Operation::Put, to.to_string()).await?;
        self.inner.copy_opts(from, to, options).await
    }
}
