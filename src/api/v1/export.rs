//! `/api/v1/{applications,jobs}/export`: a whole list as a file.
//!
//! The list is read page by page with cursors, each page from its own snapshot. A page is read when the client has taken the one before:
//! an export of any length takes the memory of a page or two, and pages are shorter when memory is short. A client that disconnects ends
//! the export. A row that exists during the whole export is in the file exactly once. A failure after the head was sent cuts the
//! connection, so that no client takes a part of a list for the whole list.

use std::io;

use axum::body::Body;
use axum::http::{HeaderMap, HeaderValue, Method, header};
use axum::response::Response;
use bytes::Bytes;
use chrono::DateTime;
use futures::stream;
use serde::Deserialize;
use tokio::sync::mpsc;

use crate::api::http::budget::{Budget, Room};
use crate::api::http::client::Client;
use crate::api::http::deflate::FILES;
use crate::api::http::encoding::{Encoding, negotiate};
use crate::api::http::error::ApiError;
use crate::api::http::extract::{Parameters, Query, read};
use crate::api::http::gzip;
use crate::api::http::response;
use crate::api::state::Shared;
use crate::api::v1::filters::{ApplicationFilterParameters, FilterParameters, JobFilterParameters};
use crate::api::v1::page;
use crate::api::v1::sort::{ApplicationSortParameters, JobSortParameters};
use crate::api::v1::table::Format;
use crate::index::query::{Filter, Item, ListKind, ListPage, ListQuery, RunFigures, Sort};
use crate::index::{IndexError, ScopedReader};
use crate::tasks;

/// Rows of a page.
const PAGE: usize = 1_000;
/// Rows of a page when memory is short.
const SHORT_PAGE: usize = 16;

/// Approximate memory of a page in bytes.
const PAGE_BYTES: usize = 512 << 10;

/// The form of an export.
#[derive(Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct ExportParameters {
    /// Format of the file; default `csv`. `ndjson` is one JSON object per line, with the members of a run in a history.
    #[param(inline)]
    format: Option<Format>,
    /// Maximum number of rows; default all.
    #[serde(default, deserialize_with = "read::number::<_, 1, { i64::MAX }>")]
    #[param(minimum = 1)]
    limit: Option<i64>,
}

impl Parameters for ExportParameters {}

/// Export applications as a file
///
/// All applications that match the filter.
///
/// CSV columns: `id`, `name`, `status`, `start`, `end`, `duration` (milliseconds), `started`, `ended` (ISO 8601), `cluster`, `directory`,
/// `jobs`, `failed_jobs`, `complete`, `gone_since`, `problems`, `shown`, then the figures of a history, of all jobs together: `parallelism`
/// (of jobs only), `restarts`, `read_records`, `write_records`, `read_bytes`, `write_bytes`, `checkpoints_completed`, `checkpoints_failed`,
/// `last_checkpoint_size`, `longest_checkpoint_duration`, `root_exception_class`, `root_cause_class`. An absent value is an empty cell. A
/// text that a spreadsheet would read as a formula begins with an apostrophe.
#[utoipa::path(
    get, path = "/api/v1/applications/export", tag = "lists", operation_id = "export_applications",
    params(FilterParameters, ApplicationFilterParameters, ApplicationSortParameters, ExportParameters),
    responses((status = 200, content((String = "text/csv"), (String = "application/x-ndjson"))))
)]
pub(super) async fn applications(
    Client(shared): Client,
    Query((filter, own, sort, parameters)): Query<(
        FilterParameters,
        ApplicationFilterParameters,
        ApplicationSortParameters,
        ExportParameters,
    )>,
    method: Method,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    let request = ExportRequest { kind: ListKind::Applications, filter: own.narrow(filter), sort: sort.into(), parameters };
    export(&shared, request, &method, &headers).await
}

/// Export jobs as a file
///
/// All jobs that match the filter.
///
/// CSV columns: `id`, `name`, `status`, `start`, `end`, `duration` (milliseconds), `started`, `ended` (ISO 8601), `cluster`, `directory`,
/// `job_type`, `tasks`, `failed_tasks`, `application`, `gone_since`, `problems`, `shown`, `archived`, then the figures of a history:
/// `parallelism`, `restarts`, `read_records`, `write_records`, `read_bytes`, `write_bytes`, `checkpoints_completed`, `checkpoints_failed`,
/// `last_checkpoint_size`, `longest_checkpoint_duration`, `root_exception_class`, `root_cause_class`. An absent value is an empty cell. A
/// text that a spreadsheet would read as a formula begins with an apostrophe.
#[utoipa::path(
    get, path = "/api/v1/jobs/export", tag = "lists", operation_id = "export_jobs",
    params(FilterParameters, JobFilterParameters, JobSortParameters, ExportParameters),
    responses((status = 200, content((String = "text/csv"), (String = "application/x-ndjson"))))
)]
pub(super) async fn jobs(
    Client(shared): Client,
    Query((filter, own, sort, parameters)): Query<(FilterParameters, JobFilterParameters, JobSortParameters, ExportParameters)>,
    method: Method,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    let request = ExportRequest { kind: ListKind::Jobs, filter: own.narrow(filter), sort: sort.into(), parameters };
    export(&shared, request, &method, &headers).await
}

/// The rows, the order and the form of an export.
struct ExportRequest {
    kind: ListKind,
    filter: Filter,
    sort: Sort,
    parameters: ExportParameters,
}

async fn export(shared: &Shared, request: ExportRequest, method: &Method, headers: &HeaderMap) -> Result<Response, ApiError> {
    let ExportRequest { kind, filter, sort, parameters } = request;
    let format = parameters.format.unwrap_or(Format::Csv);
    let max_rows = page::rows(parameters.limit, usize::MAX);
    let budget = &shared.options.budget;
    let room = budget.piece(PAGE_BYTES);
    let query = ListQuery { kind, filter, sort, limit: rows(&room).min(max_rows), cursor: None };
    let reader = shared.scoped();
    // The first page is read before the head is sent, so that an early failure still becomes an error.
    let first = (reader.exported(query.clone()).await?, room);
    let encoding = negotiate(headers);
    let form = Form { format, encoding, max_rows };
    let body = if *method == Method::HEAD { Body::empty() } else { body(reader, query, form, budget, first) };

    let mut answer = Response::new(body);
    let headers = answer.headers_mut();
    let (media_type, extension) = match format {
        Format::Csv => ("text/csv; charset=utf-8; header=present", "csv"),
        Format::Ndjson => ("application/x-ndjson", "ndjson"),
    };
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(media_type));
    headers.insert(header::CACHE_CONTROL, response::NO_STORE);
    headers.insert(header::VARY, HeaderValue::from_static("accept-encoding"));
    if encoding == Encoding::Gzip {
        headers.insert(header::CONTENT_ENCODING, HeaderValue::from_static("gzip"));
    }
    let list: &'static str = kind.into();
    let day =
        DateTime::from_timestamp_millis(shared.clock.now().as_millis()).map_or_else(String::new, |now| now.format("-%Y-%m-%d").to_string());
    if let Ok(disposition) = HeaderValue::try_from(format!("attachment; filename=\"{list}{day}.{extension}\"")) {
        headers.insert(header::CONTENT_DISPOSITION, disposition);
    }
    Ok(answer)
}

/// The form of a file.
#[derive(Clone, Copy)]
struct Form {
    format: Format,
    encoding: Encoding,
    max_rows: usize,
}

/// Rows of a page, by the memory that is available for it.
fn rows(room: &Room) -> usize {
    if room.bytes() < PAGE_BYTES { SHORT_PAGE } else { PAGE }
}

/// The body with all rows.
fn body(pages: impl Pages, query: ListQuery, form: Form, budget: &Budget, first: (RunPage, Room)) -> Body {
    Body::from_stream(stream::unfold(begin(pages, query, form, budget, first), async |mut receiver| {
        receiver.recv().await.map(|chunk| (chunk, receiver))
    }))
}

/// Starts to read and write pages. This goes on until the end of the list, or until the receiver is dropped.
fn begin(pages: impl Pages, query: ListQuery, form: Form, budget: &Budget, first: (RunPage, Room)) -> mpsc::Receiver<io::Result<Bytes>> {
    let (chunks, receiver) = mpsc::channel(1);
    let packer = (form.encoding == Encoding::Gzip).then(gzip::Packer::new);
    let writing =
        Writing { pages, query, format: form.format, left: form.max_rows, packer, chunks: chunks.clone(), budget: budget.clone() };
    tasks::spawn(async move {
        tokio::select! {
            // The client disconnected.
            () = chunks.closed() => {}
            written = writing.all(first) => if let Err(Ended::Failed(cause)) = written {
                tracing::warn!(error.cause = %cause, "an export failed after its first page: the connection is cut, and the client has an incomplete file");
                // A client that has disconnected needs no error.
                let _ = chunks.send(Err(io::Error::other("the rest of the list could not be read"))).await;
            },
        }
    });
    receiver
}

/// A page of a list, and the figures of each of its rows.
type RunPage = (ListPage, Vec<RunFigures>);

/// The source of pages.
trait Pages: Send + Sync + 'static {
    /// A page of a list with figures.
    fn page(&self, query: ListQuery) -> impl Future<Output = Result<RunPage, IndexError>> + Send;
}

impl Pages for ScopedReader {
    fn page(&self, query: ListQuery) -> impl Future<Output = Result<RunPage, IndexError>> + Send {
        self.exported(query)
    }
}

/// The reason that an export stopped early.
enum Ended {
    /// The client disconnected.
    ClientLeft,
    /// Reading or writing failed.
    Failed(String),
}

/// A file that is being written.
struct Writing<P> {
    pages: P,
    query: ListQuery,
    format: Format,
    /// Rows that are still to be written.
    left: usize,
    packer: Option<gzip::Packer>,
    chunks: mpsc::Sender<io::Result<Bytes>>,
    budget: Budget,
}

impl<P: Pages> Writing<P> {
    async fn all(mut self, first: (RunPage, Room)) -> Result<(), Ended> {
        let ((mut page, mut figures), mut room) = first;
        let mut head = self.format.head(self.query.kind);
        loop {
            self.left = self.left.saturating_sub(page.items.len());
            self.query.cursor = page.next;
            let runs = page.items.into_iter().zip(figures).collect();
            self.send(std::mem::take(&mut head), runs, room).await?;
            if self.query.cursor.is_none() || self.left == 0 {
                break;
            }
            // The next page is read when the client has taken the one before. This is the only sender, so the place stays free.
            drop(self.chunks.reserve().await.map_err(|_closed| Ended::ClientLeft)?);
            room = self.budget.piece(PAGE_BYTES);
            self.query.limit = rows(&room).min(self.left);
            (page, figures) = self.pages.page(self.query.clone()).await.map_err(|error| Ended::Failed(error.to_string()))?;
        }
        if let Some(packer) = self.packer.take() {
            self.pass(packer.finish()).await?;
        }
        Ok(())
    }

    /// Formats rows on the threads for blocking work, then sends them.
    async fn send(&mut self, head: Vec<u8>, runs: Vec<(Item, RunFigures)>, room: Room) -> Result<(), Ended> {
        let (format, kind, packer) = (self.format, self.query.kind, self.packer.take());
        let written = FILES.run(move || {
            let text = [head, format.rows(kind, runs)?].concat();
            let Some(mut packer) = packer else { return Ok((None, Bytes::from(text))) };
            let packed = packer.pack(&text).map_err(|error| error.to_string())?;
            Ok((Some(packer), packed))
        });
        let (packer, written) = written.await.map_err(Ended::Failed)?;
        self.packer = packer;
        self.pass(room.holding(written)).await
    }

    /// Waits until the client has taken the chunk before, then sends this one.
    async fn pass(&self, chunk: Bytes) -> Result<(), Ended> {
        if chunk.is_empty() {
            return Ok(());
        }
        self.chunks.send(Ok(chunk)).await.map_err(|_closed| Ended::ClientLeft)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};

    use http_body_util::BodyExt as _;

    use super::*;
    use crate::index::query::{SortKey, Total};

    /// A number of pages, then the end or a failure.
    #[derive(Clone)]
    struct Made {
        read: Arc<AtomicUsize>,
        pages: usize,
        fails: bool,
    }

    impl Made {
        fn of(pages: usize, fails: bool) -> Self {
            Self { read: Arc::default(), pages, fails }
        }
    }

    impl Pages for Made {
        async fn page(&self, query: ListQuery) -> Result<RunPage, IndexError> {
            let read = self.read.fetch_add(1, Ordering::SeqCst) + 1;
            assert_eq!(query.cursor, Some((read - 1).to_string()));
            if read == self.pages && self.fails {
                return Err(IndexError::Failed("the disk is broken".to_owned()));
            }
            Ok(page(read, read < self.pages))
        }
    }

    fn page(number: usize, more: bool) -> RunPage {
        let item = Item {
            id: number.to_string(),
            name: None,
            status: None,
            start: None,
            end: None,
            duration: None,
            counts: std::collections::BTreeMap::new(),
            job_type: None,
            application: None,
            cluster: None,
            directory: String::new(),
            complete: true,
            archived: true,
            read: true,
            gone_since: None,
            problems: 0,
            shown: true,
            flat: false,
            run_facts: None,
        };
        let page = ListPage { items: vec![item], next: more.then(|| number.to_string()), total: Total::default(), queued: 0 };
        (page, vec![RunFigures::default()])
    }

    fn budget() -> Budget {
        Budget::new(4 << 20)
    }

    fn first() -> (RunPage, Room) {
        (page(0, true), budget().piece(PAGE_BYTES))
    }

    fn form(format: Format, encoding: Encoding) -> Form {
        Form { format, encoding, max_rows: usize::MAX }
    }

    fn query() -> ListQuery {
        ListQuery {
            kind: ListKind::Jobs,
            filter: Filter::default(),
            sort: Sort { key: SortKey::End, descending: true },
            limit: PAGE,
            cursor: None,
        }
    }

    #[tokio::test]
    async fn all_pages_are_read() {
        let text = body(Made::of(3, false), query(), form(Format::Ndjson, Encoding::Identity), &budget(), first())
            .collect()
            .await
            .unwrap()
            .to_bytes();
        let ids: Vec<String> = text
            .split(|byte| *byte == b'\n')
            .filter(|line| !line.is_empty())
            .map(|line| serde_json::from_slice::<serde_json::Value>(line).unwrap()["id"].as_str().unwrap().to_owned())
            .collect();
        assert_eq!(ids, ["0", "1", "2", "3"]);
    }

    #[tokio::test]
    async fn a_late_failure_is_an_error_of_the_body() {
        for encoding in [Encoding::Identity, Encoding::Gzip] {
            let body = body(Made::of(3, true), query(), form(Format::Csv, encoding), &budget(), first());
            assert!(body.collect().await.is_err(), "{encoding:?}");
        }
    }

    #[tokio::test]
    async fn a_slow_client_pauses_the_export_and_a_disconnect_ends_it() {
        let pages = Made::of(1_000, false);
        let mut receiver = begin(pages.clone(), query(), form(Format::Csv, Encoding::Identity), &budget(), first());
        // The channel is full and the task waits.
        while receiver.is_empty() {
            tokio::task::yield_now().await;
        }
        for _ in 0..100 {
            tokio::task::yield_now().await;
        }
        assert_eq!(pages.read.load(Ordering::SeqCst), 0);
        receiver.recv().await.unwrap().unwrap();
        drop(receiver);
        // The task has ended.
        while Arc::strong_count(&pages.read) > 1 {
            tokio::task::yield_now().await;
        }
        assert!(pages.read.load(Ordering::SeqCst) <= 1);
    }

    #[tokio::test]
    async fn pages_are_short_when_memory_is_short() {
        struct Limits(std::sync::Mutex<Vec<usize>>);
        impl Pages for Arc<Limits> {
            async fn page(&self, query: ListQuery) -> Result<RunPage, IndexError> {
                let mut limits = self.0.lock().unwrap();
                limits.push(query.limit);
                Ok(page(limits.len(), limits.len() < 3))
            }
        }
        for (bytes, limit) in [(4 << 20, PAGE), (1 << 10, SHORT_PAGE)] {
            let (limits, budget) = (Arc::new(Limits(std::sync::Mutex::default())), Budget::new(bytes));
            let body = body(Arc::clone(&limits), query(), form(Format::Csv, Encoding::Gzip), &budget, first());
            body.collect().await.unwrap();
            assert_eq!(*limits.0.lock().unwrap(), [limit; 3]);
            assert_eq!(budget.used(), 0);
        }
    }
}
