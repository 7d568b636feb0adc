//! One archived document, byte for byte, streamed: only a chunk of it is in memory per client.
//!
//! Documents that were requested lately are answered from memory (`document_cache`). An evicted document is restored first; a document
//! that is being read is not evicted. If its archive is replaced while a slow client
//! still reads, the connection is closed, since a mixture of two versions must never look like a complete answer.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::http::{HeaderMap, header};
use bytes::Bytes;
use futures::stream;

use crate::api::http::budget::{Budget, Room};
use crate::api::http::conditional::Tag;
use crate::api::http::deflate::ANSWERS;
use crate::api::http::encoding::{Encoding, negotiate};
use crate::api::http::error::{ApiError, NOT_RESTORABLE};
use crate::api::http::gzip;
use crate::api::http::represent::{self, Representation};
use crate::api::state::Shared;
use crate::archive::{Owner, is_configuration};
use crate::index::{CopySelector, Document, DocumentAnswer, DocumentBeginning, IndexError, Validity};

/// Bytes that are read at once, when there is memory for them.
const PIECE: usize = 256 << 10;

/// Largest configuration that is masked, in bytes: it is held in memory.
const LARGEST_MASKED: u64 = 16 << 20;

/// Evictions of a document between its restoration and its read, after which the client gets a 503.
pub(in crate::api) const ATTEMPTS: u32 = 4;

/// Answers with the first of these paths that the owner's archive holds.
pub(in crate::api) async fn answer(
    shared: &Arc<Shared>,
    owner: Owner,
    paths: &[String],
    request: &HeaderMap,
) -> Result<Representation, ApiError> {
    found_first(shared, owner, paths, CopySelector::default(), request).await?.ok_or_else(|| not_in_archive(owner))
}

/// The document with this path, unless the archive is here and does not hold it.
pub(in crate::api) async fn found(
    shared: &Arc<Shared>,
    owner: Owner,
    path: &str,
    request: &HeaderMap,
) -> Result<Option<Representation>, ApiError> {
    found_in(shared, owner, path, CopySelector::default(), request).await
}

/// The document with this path in this copy, unless the archive is here and does not hold it.
pub(in crate::api) async fn found_in(
    shared: &Arc<Shared>,
    owner: Owner,
    path: &str,
    copy: CopySelector,
    request: &HeaderMap,
) -> Result<Option<Representation>, ApiError> {
    found_first(shared, owner, &[path.to_owned()], copy, request).await
}

/// The first of these paths that this copy holds.
async fn found_first(
    shared: &Arc<Shared>,
    owner: Owner,
    paths: &[String],
    copy: CopySelector,
    request: &HeaderMap,
) -> Result<Option<Representation>, ApiError> {
    let accepted = negotiate(request);
    // A configuration is shown with sensitive values only to those who may download the archive.
    if paths.iter().any(|path| is_configuration(path))
        && !shared.scope().is_unlimited()
        && !shared.scoped().shown_parts(owner, &copy).await?.is_some_and(|parts| parts.download)
    {
        return masked(shared, owner, paths, &copy, request).await;
    }
    if copy == CopySelector::default()
        && let Some(first) = paths.first()
        && let Some(answer) = in_memory(shared, owner, first, accepted, request).await?
    {
        shared.documents.count(true);
        return Ok(Some(answer));
    }
    let budget = &shared.options.budget;
    // A client that may have the document already gets its tag compared before anything of the document is read.
    let revalidates = request.contains_key(header::IF_NONE_MATCH);
    let Some(mut located) = locate(shared, owner, paths, &copy, (!revalidates).then_some(budget)).await? else {
        return Ok(None);
    };
    if revalidates {
        let encoding = represent::encoding(accepted, located.document.length);
        if let Some(unchanged) = Representation::unchanged(request, &located.tag(), encoding) {
            return Ok(Some(unchanged));
        }
        let Some(again) = locate(shared, owner, paths, &copy, Some(budget)).await? else { return Ok(None) };
        located = again;
    }
    let (encoding, tag) = (represent::encoding(accepted, located.document.length), located.tag());
    let Located { document, path, text, room, validity } = located;
    let holding = |text| room.map_or_else(Bytes::new, |room: Room| room.holding(text));
    let length = document.length;
    if text.len() as u64 == length {
        shared.documents.count(false);
        let keep = |body: &Bytes| {
            if let Some(validity) = validity {
                shared.documents.keep(owner, path, encoding, tag.clone(), body.clone(), validity);
            }
        };
        return Ok(Some(match encoding {
            Encoding::Identity => {
                keep(&text);
                // The memory of a piece is counted while it is read.
                Representation::new(tag, encoding, Some(length), Body::from(holding(text))).counted()
            }
            Encoding::Gzip => {
                let packed = gzip::whole(text).await?;
                keep(&packed);
                Representation::new(tag, encoding, Some(packed.len() as u64), Body::from(packed))
            }
        }));
    }
    let position = text.len() as u64;
    let reading = Reading { shared: Arc::clone(shared), owner, path: path.to_owned(), copy, document, position };
    let first = holding(text);
    Ok(Some(match encoding {
        Encoding::Identity => Representation::new(tag, encoding, Some(length), identity(first, reading)),
        Encoding::Gzip => Representation::new(tag, encoding, None, packed(first, reading)),
    }))
}

/// The first of these paths that this copy holds, a configuration, with its sensitive values masked.
async fn masked(
    shared: &Arc<Shared>,
    owner: Owner,
    paths: &[String],
    copy: &CopySelector,
    request: &HeaderMap,
) -> Result<Option<Representation>, ApiError> {
    for path in paths {
        let Some(text) = whole_in(shared, owner, path, copy.clone(), LARGEST_MASKED).await? else { continue };
        let sensitive = shared.options.rights.sensitive();
        let masked = ANSWERS.run(move || sensitive.mask(&text)).await;
        // What cannot be read cannot be masked.
        return match masked {
            Some(text) => Representation::of_content(request, text).await.map(Some),
            None => Ok(None),
        };
    }
    Ok(None)
}

/// The document from memory, if it is kept there and there is room for the answer.
async fn in_memory(
    shared: &Shared,
    owner: Owner,
    path: &str,
    accepted: Encoding,
    request: &HeaderMap,
) -> Result<Option<Representation>, ApiError> {
    let (documents, reader) = (&shared.documents, shared.scoped());
    let kept = |encoding| documents.get(&reader, owner, path, encoding);
    let (hot, encoding) = match kept(accepted) {
        Some(hot) => (hot, accepted),
        None if accepted == Encoding::Gzip => {
            let Some(hot) = kept(Encoding::Identity) else { return Ok(None) };
            let encoding = represent::encoding(accepted, hot.body.len() as u64);
            (hot, encoding)
        }
        None => return Ok(None),
    };
    if let Some(unchanged) = Representation::unchanged(request, &hot.tag, encoding) {
        return Ok(Some(unchanged));
    }
    let body = if encoding == hot.encoding {
        hot.body.clone()
    } else {
        let packed = gzip::whole(hot.body.clone()).await?;
        documents.keep(owner, path, encoding, hot.tag.clone(), packed.clone(), hot.validity);
        packed
    };
    // The memory of a client that is slow is not that of the cache: others may displace the document meanwhile.
    let room = shared.options.budget.piece(body.len());
    if room.bytes() < body.len() {
        return Ok(None);
    }
    let length = Some(body.len() as u64);
    Ok(Some(Representation::new(hot.tag.clone(), encoding, length, Body::from(room.holding(body))).counted()))
}

/// The whole text of a document of at most this many bytes; `None` when the archive is here and does not hold it.
pub(in crate::api) async fn whole(shared: &Arc<Shared>, owner: Owner, path: &str, largest: u64) -> Result<Option<Vec<u8>>, ApiError> {
    whole_in(shared, owner, path, CopySelector::default(), largest).await
}

/// The same in this copy.
pub(in crate::api) async fn whole_in(
    shared: &Arc<Shared>,
    owner: Owner,
    path: &str,
    copy: CopySelector,
    largest: u64,
) -> Result<Option<Vec<u8>>, ApiError> {
    let Some(mut reading) = Reading::begin(shared, owner, path, copy).await? else { return Ok(None) };
    let mut text = Vec::new();
    while let Some(chunk) = reading.next().await? {
        if reading.document.length > largest {
            return Err(ApiError::not_found(format!(
                "This answer is built from {path}, which is larger than {largest} bytes in the archive: request {path} instead."
            )));
        }
        text.extend_from_slice(&chunk);
    }
    Ok(Some(text))
}

/// 404 of an archive that is here.
pub(in crate::api) fn not_in_archive(owner: Owner) -> ApiError {
    ApiError::not_in_archive(match owner {
        Owner::Application(_) => {
            "The archive of this application has no such document: Flink archives only some of the documents that a running cluster answers with."
        }
        Owner::Job(_) => {
            "The archive of this job has no such document: Flink archives only some of the documents that a running cluster answers with."
        }
    })
}

/// A document that was found, with its first bytes.
struct Located<'a> {
    document: Document,
    path: &'a str,
    text: Bytes,
    /// Room for that text, if it was requested.
    room: Option<Room>,
    validity: Option<Validity>,
}

impl Located<'_> {
    fn tag(&self) -> Tag {
        Tag::of_document(&self.document, self.path)
    }
}

/// Finds the first of these paths that the archive holds, and with a budget reads its first piece. Looks the archive up if it is not
/// listed, and restores it if it was evicted.
async fn locate<'a>(
    shared: &Shared,
    owner: Owner,
    paths: &'a [String],
    copy: &CopySelector,
    budget: Option<&Budget>,
) -> Result<Option<Located<'a>>, ApiError> {
    let mut retried = false;
    for _ in 0..ATTEMPTS {
        // Held for the read only: restoring an archive may take long.
        let room = budget.map(|budget| budget.piece(PIECE));
        let found = shared.scoped().document_beginning(owner, paths, copy, room.as_ref().map_or(0, Room::bytes)).await?;
        let DocumentBeginning { answer, path, text, validity } = found;
        if let DocumentAnswer::Found(document) = answer {
            let path = paths.get(path).map_or("", String::as_str);
            return Ok(Some(Located { document, path, text, room, validity }));
        }
        drop(room);
        match answer {
            // Returned above.
            DocumentAnswer::Found(_) | DocumentAnswer::NotInArchive => return Ok(None),
            DocumentAnswer::NotArchived => return Err(not_archived()),
            // Written, but not seen by a refresh yet. Of a copy that is named, another one may be known: it would be found for ever.
            DocumentAnswer::Unknown if !retried && *copy == CopySelector::default() && shared.ingest.lookup(owner).await => retried = true,
            DocumentAnswer::Unknown => return Err(unknown(owner)),
            DocumentAnswer::Unreadable(unread) if retried => return Err(ApiError::unreadable(owner, &unread)),
            DocumentAnswer::Unreadable(unread) => {
                shared.ingest.retry_unread(&unread).await;
                retried = true;
            }
            DocumentAnswer::Lost => return Err(ApiError::gone(NOT_RESTORABLE)),
            DocumentAnswer::Evicted(unit) => shared.ingest.restore(&unit, Some(owner)).await?,
        }
    }
    Err(evicted_again())
}

/// Retries an archive that could not be read. Returns whether there is one, so that the index must be read again.
pub(in crate::api) async fn ask_again(shared: &Shared, owner: Owner, copy: &CopySelector) -> Result<bool, ApiError> {
    let unread = shared.scoped().unread(owner, copy).await?;
    if let Some(unread) = &unread {
        shared.ingest.retry_unread(unread).await;
    }
    Ok(unread.is_some())
}

/// The error for an owner without documents: its archive cannot be read, or else `otherwise`.
pub(in crate::api) async fn unread_or(shared: &Shared, owner: Owner, copy: &CopySelector, otherwise: ApiError) -> ApiError {
    match shared.scoped().unread(owner, copy).await {
        Ok(Some(unread)) => ApiError::unreadable(owner, &unread),
        Ok(None) => otherwise,
        Err(error) => error.into(),
    }
}

/// 404 of an unknown id.
pub(in crate::api) fn unknown(owner: Owner) -> ApiError {
    ApiError::not_found(match owner {
        Owner::Application(_) => "No application with this id is in the archive directories of this server.",
        Owner::Job(_) => "No job with this id is in the archive directories of this server.",
    })
}

/// 404 of a job without an archive.
pub(in crate::api) fn not_archived() -> ApiError {
    ApiError::not_found("This job was not archived: the summary of its application lists it, but the cluster wrote no archive of it.")
}

/// 503 of documents that do not stay.
pub(in crate::api) fn evicted_again() -> ApiError {
    ApiError::unavailable(
        "The documents of this archive are evicted again as soon as they are restored: historyserver.cache.max-size is too small for the concurrent requests. Try again later, or increase it.",
        Duration::from_secs(5),
        "a document was evicted again before it could be read",
    )
}

/// A document and how far it has been read.
pub(in crate::api) struct Reading {
    shared: Arc<Shared>,
    owner: Owner,
    path: String,
    copy: CopySelector,
    document: Document,
    position: u64,
}

impl Reading {
    /// Begins to read; `None` when the archive is here and does not hold the document.
    pub(in crate::api) async fn begin(
        shared: &Arc<Shared>,
        owner: Owner,
        path: &str,
        copy: CopySelector,
    ) -> Result<Option<Self>, ApiError> {
        let path = path.to_owned();
        let located = locate(shared, owner, std::slice::from_ref(&path), &copy, None).await?;
        let Some(document) = located.map(|located| located.document) else { return Ok(None) };
        Ok(Some(Self { shared: Arc::clone(shared), owner, path, copy, document, position: 0 }))
    }

    /// The next chunk; `None` at the end.
    pub(in crate::api) async fn next(&mut self) -> Result<Option<Bytes>, ApiError> {
        if self.position >= self.document.length {
            return Ok(None);
        }
        let room = self.shared.options.budget.piece(PIECE);
        let mut attempts = 0;
        loop {
            match self.shared.scoped().document_piece(&self.document, self.position, room.bytes()).await {
                Ok(chunk) if chunk.is_empty() => {
                    return Err(ApiError::internal("a stored document is shorter than its length"));
                }
                Ok(chunk) => {
                    self.position += chunk.len() as u64;
                    return Ok(Some(room.holding(chunk)));
                }
                Err(IndexError::Failed(cause)) if attempts < ATTEMPTS => {
                    attempts += 1;
                    self.locate_again(cause).await?;
                }
                Err(error) => return Err(error.into()),
            }
        }
    }

    /// Finds the document again after its archive was replaced.
    async fn locate_again(&mut self, cause: String) -> Result<(), ApiError> {
        let located = locate(&self.shared, self.owner, std::slice::from_ref(&self.path), &self.copy, None).await?;
        let Some(Located { document, .. }) = located else { return Err(ApiError::internal(cause)) };
        let same = document.fingerprint == self.document.fingerprint && document.length == self.document.length;
        if self.position > 0 && !same {
            return Err(ApiError::internal("the archive was rewritten while a document of it was being sent"));
        }
        self.document = document;
        Ok(())
    }

    /// The next chunk, for a body whose head is already sent.
    async fn next_of_body(&mut self) -> io::Result<Option<Bytes>> {
        self.next().await.map_err(|error| {
            tracing::warn!(error.cause = error.cause(), document.position = self.position, "a document could not be sent to its end");
            io::Error::other("the document could not be read to its end")
        })
    }
}

/// The rest of a document, as it is.
fn identity(first: Bytes, reading: Reading) -> Body {
    Body::from_stream(stream::try_unfold((Some(first), reading), async |(first, mut reading)| {
        let chunk = match first {
            Some(first) => Some(first),
            None => reading.next_of_body().await?,
        };
        io::Result::Ok(chunk.map(|chunk| (chunk, (None, reading))))
    }))
}

/// The rest of a document, compressed on the way.
fn packed(first: Bytes, reading: Reading) -> Body {
    enum Step {
        Chunk(gzip::Packer, Bytes, Reading),
        More(gzip::Packer, Reading),
        Done,
    }
    let steps = stream::try_unfold(Step::Chunk(gzip::Packer::new(), first, reading), async |mut step| {
        loop {
            step = match step {
                Step::Chunk(packer, chunk, reading) => {
                    let (packer, ready) = gzip::push(packer, chunk).await?;
                    if !ready.is_empty() {
                        return io::Result::Ok(Some((ready, Step::More(packer, reading))));
                    }
                    Step::More(packer, reading)
                }
                Step::More(packer, mut reading) => match reading.next_of_body().await? {
                    Some(chunk) => Step::Chunk(packer, chunk, reading),
                    None => return Ok(Some((packer.finish(), Step::Done))),
                },
                Step::Done => return Ok(None),
            };
        }
    });
    Body::from_stream(steps)
}
