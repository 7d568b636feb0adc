//! `/api/v1/{applications,jobs}/{id}/archive`: the archive files themselves, in a zip file that is written while they are read.
//!
//! A file that is missing from its directory is rebuilt from its documents, and marked as rebuilt. Only one piece per client is in
//! memory: the next is read once the client has taken it, and a client that disconnects ends the reading. A failure after the head
//! was sent closes the connection, since a zip file without its end is known to be incomplete.

use std::io;
use std::sync::Arc;

use axum::body::Body;
use axum::http::{HeaderName, HeaderValue, header};
use axum::response::Response;
use bytes::Bytes;
use futures::stream;
use serde::Deserialize;
use tokio::sync::{Semaphore, mpsc};
use utoipa::ToSchema;

use crate::api::flink::document;
use crate::api::flink::document::Reading;
use crate::api::http::client::Client;
use crate::api::http::error::{ApiError, NOT_RESTORABLE};
use crate::api::http::extract::{Parameters, Path, Query};
use crate::api::http::response;
use crate::api::state::Shared;
use crate::api::v1::documents::listed;
use crate::api::v1::page::{ApplicationPath, CopyParameters, JobPath};
use crate::archive::Owner;
use crate::directory::{DirectoryError, DirectoryErrorKind, FileKind, FoundFile, Pieces};
use crate::index::{ArchivedFile, CopySelector, DocumentPage, UnitArchives, UnitKey};
use crate::tasks;

mod names;
mod zip_format;
mod zip_stream;

use zip_stream::ZipStream;

/// The header with the number of files that are rebuilt from their documents.
const REBUILT: HeaderName = HeaderName::from_static("historyserver-rebuilt-archives");

/// Bytes of one read, if memory is not short.
const PIECE: usize = 512 << 10;

/// Pieces that are read at the same time, of all downloads.
static READS: Semaphore = Semaphore::const_new(8);

/// Documents that are looked up at once.
const DOCUMENTS: usize = 256;

#[derive(Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub(in crate::api) struct FormatParameters {
    /// Of the answer.
    #[param(inline)]
    #[expect(dead_code, reason = "there is one format; it is read so that another is refused")]
    format: Option<Format>,
}

impl Parameters for FormatParameters {}

#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub(in crate::api) enum Format {
    /// The only one: a tar file has the size of a file before its content, and it is not known before the file was read.
    Zip,
}

/// The archive files of an application
///
/// Byte for byte as they are stored, in a zip file, below `<cluster>/applications/<id>/`; a job that Flink archived beside the clusters is at the
/// root of the zip file. A file that is missing from its archive directory is
/// rebuilt from its documents and marked by a file `<name>.rebuilt.txt` beside it. The header `historyserver-rebuilt-archives` has the number of
/// rebuilt files that was known at the start.
#[utoipa::path(
    get, path = "/api/v1/applications/{id}/archive", tag = "archives", operation_id = "application_archive",
    params(ApplicationPath, FormatParameters, CopyParameters),
    responses((status = 200, content_type = "application/zip", body = Vec<u8>))
)]
pub(in crate::api) async fn of_application(
    Client(shared): Client,
    Path(ApplicationPath { id }): Path<ApplicationPath>,
    Query((_format, copy)): Query<(FormatParameters, CopyParameters)>,
) -> Result<Response, ApiError> {
    answer(&shared, Owner::Application(id), &copy.into()).await
}

/// The archive file of a job
///
/// As that of an application; an archive beside the clusters is at the root of the zip file.
#[utoipa::path(
    get, path = "/api/v1/jobs/{id}/archive", tag = "archives", operation_id = "job_archive",
    params(JobPath, FormatParameters, CopyParameters),
    responses((status = 200, content_type = "application/zip", body = Vec<u8>))
)]
pub(in crate::api) async fn of_job(
    Client(shared): Client,
    Path(JobPath { id }): Path<JobPath>,
    Query((_format, copy)): Query<(FormatParameters, CopyParameters)>,
) -> Result<Response, ApiError> {
    answer(&shared, Owner::Job(id), &copy.into()).await
}

async fn answer(shared: &Arc<Shared>, owner: Owner, copy: &CopySelector) -> Result<Response, ApiError> {
    let UnitArchives { files } = archives(shared, owner, copy).await?;
    let rebuilt = files.iter().filter(|file| file.gone && file.kept).count();
    let files: Vec<ArchivedFile> = files.into_iter().filter(|file| !file.gone || file.kept).collect();
    let Some(first) = files.first() else { return Err(ApiError::gone(NOT_RESTORABLE)) };
    let (chunks, receiver) = mpsc::channel(1);
    let zip = ZipStream::new(chunks.clone(), shared.options.budget.clone());
    let writing = Writing { shared: Arc::clone(shared), owner, zip };
    // Read before the head is sent, so that a directory that cannot be read is still an answer.
    let opened = writing.open(&first.unit, &first.file).await;
    let opened = opened.map_err(|error| ApiError::directory_unavailable(format!("an archive could not be read: {error}")))?;
    tasks::spawn(async move {
        tokio::select! {
            // The client has disconnected.
            () = chunks.closed() => {}
            written = writing.all(files, opened) => if let Err(error) = written {
                tracing::warn!(error.cause = %error, "a download of archive files failed; its connection is closed");
                // A client that has disconnected needs no answer.
                let _ = chunks.send(Err(io::Error::other("the archive could not be read to its end"))).await;
            },
        }
    });
    let body = Body::from_stream(stream::unfold(receiver, async |mut receiver: mpsc::Receiver<io::Result<Bytes>>| {
        receiver.recv().await.map(|chunk| (chunk, receiver))
    }));
    let mut answer = Response::new(body);
    let headers = answer.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/zip"));
    headers.insert(header::CACHE_CONTROL, response::NO_STORE);
    headers.insert(REBUILT, HeaderValue::from(rebuilt));
    let id = match owner {
        Owner::Application(id) => id.to_string(),
        Owner::Job(id) => id.to_string(),
    };
    if let Ok(disposition) = HeaderValue::try_from(format!("attachment; filename=\"{id}.zip\"")) {
        headers.insert(header::CONTENT_DISPOSITION, disposition);
    }
    Ok(answer)
}

/// The archive files of the requested copy.
async fn archives(shared: &Shared, owner: Owner, copy: &CopySelector) -> Result<UnitArchives, ApiError> {
    let reader = shared.scoped();
    let was_read = |found: &UnitArchives| found.files.iter().any(|file| file.read);
    let mut found = reader.unit_archives(owner, copy).await?;
    if !found.as_ref().is_some_and(was_read) {
        let listed = found.is_some() || *copy != CopySelector::default();
        if document::ask_again(shared, owner, copy).await? || (!listed && shared.ingest.lookup(owner).await) {
            found = reader.unit_archives(owner, copy).await?;
        }
    }
    match found {
        Some(found) if was_read(&found) => Ok(found),
        Some(_) => Err(document::unread_or(shared, owner, copy, document::not_archived()).await),
        None => Err(document::unread_or(shared, owner, copy, document::unknown(owner)).await),
    }
}

/// A zip file in the making.
struct Writing {
    shared: Arc<Shared>,
    owner: Owner,
    zip: ZipStream,
}

/// An archive file that is there.
struct Original {
    pieces: Pieces,
    /// The piece that was read to find out.
    first: Option<Bytes>,
}

impl Writing {
    async fn all(mut self, files: Vec<ArchivedFile>, opened: Option<Original>) -> io::Result<()> {
        let mut opened = Some(opened);
        for ArchivedFile { unit, file, .. } in files {
            let original = match opened.take() {
                Some(opened) => opened,
                None => self.open(&unit, &file).await.map_err(io::Error::other)?,
            };
            let name = names::of(&unit, file.kind);
            match original {
                Some(original) => self.original(&name, &file, original).await?,
                None => self.rebuilt(&name, &unit, &file).await?,
            }
        }
        self.zip.finish().await
    }

    /// Begins to read an archive file; `None`: it is missing, or its directory is not configured.
    async fn open(&self, unit: &UnitKey, file: &FoundFile) -> Result<Option<Original>, DirectoryError> {
        let Some(mut pieces) = self.shared.ingest.original(unit, &file.path) else { return Ok(None) };
        let room = self.shared.options.budget.piece(PIECE);
        match read(&mut pieces, room.bytes()).await {
            Ok(first) => Ok(Some(Original { pieces, first: first.map(|bytes| room.holding(bytes)) })),
            Err(error) if error.kind == DirectoryErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    async fn original(&mut self, name: &str, file: &FoundFile, Original { mut pieces, first }: Original) -> io::Result<()> {
        self.zip.begin(name, file.version.modified, file.version.size).await?;
        let mut next = first;
        while let Some(piece) = next.take() {
            self.zip.write(piece).await?;
            let room = self.zip.room(PIECE).await?;
            next = read(&mut pieces, room.bytes()).await.map_err(io::Error::other)?.map(|bytes| room.holding(bytes));
        }
        Ok(())
    }

    async fn next(&self, reading: &mut Reading) -> io::Result<Option<Bytes>> {
        drop(self.zip.room(0).await?);
        reading.next().await.map_err(failed)
    }

    /// The envelope with the documents that are kept.
    async fn rebuilt(&mut self, name: &str, unit: &UnitKey, file: &FoundFile) -> io::Result<()> {
        let owner = match file.kind {
            FileKind::Summary => self.owner,
            FileKind::Job(job) => Owner::Job(job),
        };
        let cluster = match unit {
            UnitKey::Application(key) => Some(key.cluster.to_string()),
            UnitKey::LegacyJob(..) => Some(String::new()),
        };
        let copy = CopySelector { directory: Some(unit.directory().to_string()), cluster };
        let mut page = DocumentPage { owner, copy: copy.clone(), own: true, cursor: None, limit: DOCUMENTS };
        self.zip.begin(name, file.version.modified, file.version.size).await?;
        self.zip.write(Bytes::from_static(b"{\"archive\":[")).await?;
        let mut first = true;
        loop {
            let (_, found) = listed(&self.shared, page.clone()).await.map_err(failed)?;
            for document in found.rows {
                let reading = Reading::begin(&self.shared, owner, &document.path, copy.clone()).await.map_err(failed)?;
                let Some(mut reading) = reading else { return Err(io::Error::other("the archive changed while it was read")) };
                let mut head = if first { b"{\"path\":\"".to_vec() } else { b",{\"path\":\"".to_vec() };
                first = false;
                names::escape(document.path.as_bytes(), &mut head);
                head.extend_from_slice(b"\",\"json\":\"");
                self.zip.write(Bytes::from(head)).await?;
                // The next chunk is read once the client has taken the one before.
                while let Some(chunk) = self.next(&mut reading).await? {
                    let mut escaped = Vec::with_capacity(chunk.len() + chunk.len() / 8);
                    names::escape(&chunk, &mut escaped);
                    self.zip.write(Bytes::from(escaped)).await?;
                }
                self.zip.write(Bytes::from_static(b"\"}")).await?;
            }
            page.cursor = found.next;
            if page.cursor.is_none() {
                break;
            }
        }
        self.zip.write(Bytes::from_static(b"]}")).await?;
        self.zip.begin(&format!("{name}.rebuilt.txt"), file.version.modified, 0).await?;
        let note = "The archive file beside this one is missing from its archive directory. It was rebuilt from its documents, which are \
                    byte for byte as they were archived. Refused documents, and bytes between the documents, are not in it.\n";
        self.zip.write(Bytes::from_static(note.as_bytes())).await
    }
}

async fn read(pieces: &mut Pieces, max: usize) -> Result<Option<Bytes>, DirectoryError> {
    // It is never closed; were it, the reading would just not be bounded.
    let _place = READS.acquire().await;
    pieces.next(max).await
}

#[expect(clippy::needless_pass_by_value, reason = "taken by `map_err`")]
fn failed(error: ApiError) -> io::Error {
    io::Error::other(error.cause().to_owned())
}
