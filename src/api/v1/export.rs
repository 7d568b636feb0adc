//! `/api/v1/{applications,jobs}/export`: a whole list as a file that is sent while it is read.
//!
//! Page after page is read by its cursor, each from a snapshot and a connection of its own, and none before the client has taken the one
//! before: a list of any length takes the memory of a page or two, and of short ones where many clients are slow. One that goes away ends
//! the reading. Rows that are there all the while are
//! in the file once. What fails after the head was sent cuts the connection, so that half a list is not taken for a whole one.

use std::io;
use std::sync::Arc;

use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::request::Parts;
use axum::http::{HeaderValue, Method, header};
use axum::response::Response;
use bytes::Bytes;
use chrono::DateTime;
use futures::stream;
use tokio::sync::mpsc;

use crate::api::http::budget::{Budget, Room};
use crate::api::http::deflate::FILES;
use crate::api::http::encoding::{Encoding, negotiate};
use crate::api::http::error::ApiError;
use crate::api::http::gzip;
use crate::api::http::parameters::Parameters;
use crate::api::http::response;
use crate::api::state::Shared;
use crate::api::v1::filters::{self, ApplicationFilterParameters, ApplicationSortParameter, JobFilterParameters, JobSortParameter};
use crate::api::v1::table::Format;
use crate::api::v1::words::words;
use crate::index::query::{Item, ListKind, ListPage, ListQuery, RunFigures};
use crate::index::{IndexError, ScopedReader};
use crate::tasks;

const FORMATS: &[(&str, Format)] = &[("csv", Format::Csv), ("ndjson", Format::Ndjson)];

words!(
    /// What a list is written as.
    ExportFormat,
    FORMATS.iter().map(|(word, _)| *word)
);

/// Rows that are read at once, and when memory is short.
const PAGE: usize = 1_000;
const SHORT_PAGE: usize = 16;

/// Memory that a page takes, about.
const PAGE_BYTES: usize = 512 << 10;

/// Parameters of an export beside the filter, for the OpenAPI document.
#[derive(utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "read by the macro alone")]
pub(in crate::api) struct ExportParameters {
    /// Usually `csv`; `ndjson` is one JSON object per line, as in the history.
    #[param(inline)]
    format: Option<ExportFormat>,
    /// Rows, at most; usually all.
    #[param(minimum = 1)]
    limit: Option<i64>,
}

/// All applications that a filter selects, as a file
///
/// Columns of CSV: `id`, `name`, `status`, `start`, `end`, `duration` (milliseconds), `started`, `ended` (ISO 8601), `cluster`, `directory`, `jobs`,
/// `failed_jobs`, `complete`, `gone_since`, `problems`, `shown`, then figures of all its jobs together as in the history: `parallelism` (of jobs
/// alone), `restarts`, `read_records`, `write_records`, `read_bytes`, `write_bytes`, `checkpoints_completed`, `checkpoints_failed`,
/// `last_checkpoint_size`, `longest_checkpoint_duration`, `root_exception_class`, `root_cause_class`. What is absent is empty. A text that a
/// spreadsheet would take for a formula has an apostrophe before it.
#[utoipa::path(
    get, path = "/api/v1/applications/export", tag = "lists", operation_id = "export_applications",
    params(ApplicationFilterParameters, ApplicationSortParameter, ExportParameters),
    responses((status = 200, content((String = "text/csv"), (String = "application/x-ndjson"))))
)]
pub(in crate::api) async fn applications(State(shared): State<Arc<Shared>>, request: Request) -> Result<Response, ApiError> {
    export(&shared, ListKind::Applications, &request.into_parts().0).await
}

/// All jobs that a filter selects, as a file
///
/// Columns of CSV: `id`, `name`, `status`, `start`, `end`, `duration` (milliseconds), `started`, `ended` (ISO 8601), `cluster`, `directory`, `job_type`,
/// `tasks`, `failed_tasks`, `application`, `gone_since`, `problems`, `shown`, `archived`, then figures as in the history: `parallelism`, `restarts`,
/// `read_records`, `write_records`, `read_bytes`, `write_bytes`, `checkpoints_completed`, `checkpoints_failed`, `last_checkpoint_size`,
/// `longest_checkpoint_duration`, `root_exception_class`, `root_cause_class`. What is absent is empty. A text that a spreadsheet would take for a
/// formula has an apostrophe before it.
#[utoipa::path(
    get, path = "/api/v1/jobs/export", tag = "lists", operation_id = "export_jobs",
    params(JobFilterParameters, JobSortParameter, ExportParameters),
    responses((status = 200, content((String = "text/csv"), (String = "application/x-ndjson"))))
)]
pub(in crate::api) async fn jobs(State(shared): State<Arc<Shared>>, request: Request) -> Result<Response, ApiError> {
    export(&shared, ListKind::Jobs, &request.into_parts().0).await
}

async fn export(shared: &Arc<Shared>, kind: ListKind, request: &Parts) -> Result<Response, ApiError> {
    let parameters = Parameters::of(&request.uri, &filters::names(kind, &["sort", "format", "limit"]))?;
    let format = parameters.choice("format", FORMATS)?.unwrap_or(Format::Csv);
    let most = parameters.number("limit", 1..=i64::MAX)?.map_or(usize::MAX, |most| usize::try_from(most).unwrap_or(usize::MAX));
    let budget = &shared.options.budget;
    let room = budget.piece(PAGE_BYTES);
    let query = ListQuery {
        kind,
        filter: filters::filter(kind, &parameters)?,
        sort: filters::sort(kind, &parameters)?,
        limit: rows(&room).min(most),
        cursor: None,
    };
    let reader = shared.scoped();
    // Read before the head is sent, so that what fails at once is still an answer.
    let first = (reader.exported(query.clone()).await?, room);
    let encoding = negotiate(&request.headers);
    let form = Form { format, encoding, most };
    let body = if request.method == Method::HEAD { Body::empty() } else { body(reader, query, form, budget, first) };

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
    let list = match kind {
        ListKind::Applications => "applications",
        ListKind::Jobs => "jobs",
    };
    let day = DateTime::from_timestamp_millis(shared.clock.now()).map_or_else(String::new, |now| now.format("-%Y-%m-%d").to_string());
    if let Ok(disposition) = HeaderValue::try_from(format!("attachment; filename=\"{list}{day}.{extension}\"")) {
        headers.insert(header::CONTENT_DISPOSITION, disposition);
    }
    Ok(answer)
}

/// What a file is to be like.
#[derive(Clone, Copy)]
struct Form {
    format: Format,
    encoding: Encoding,
    /// Rows, at most.
    most: usize,
}

/// Rows that there is room for.
fn rows(room: &Room) -> usize {
    if room.bytes() < PAGE_BYTES { SHORT_PAGE } else { PAGE }
}

/// The rows, from the first page on.
fn body(pages: impl Pages, query: ListQuery, form: Form, budget: &Budget, first: (RunPage, Room)) -> Body {
    Body::from_stream(stream::unfold(begin(pages, query, form, budget, first), async |mut receiver| {
        receiver.recv().await.map(|chunk| (chunk, receiver))
    }))
}

/// Starts the reading, which goes on for as long as somebody receives.
fn begin(pages: impl Pages, query: ListQuery, form: Form, budget: &Budget, first: (RunPage, Room)) -> mpsc::Receiver<io::Result<Bytes>> {
    let (chunks, receiver) = mpsc::channel(1);
    let packer = (form.encoding == Encoding::Gzip).then(gzip::Packer::new);
    let writing = Writing { pages, query, format: form.format, left: form.most, packer, chunks: chunks.clone(), budget: budget.clone() };
    tasks::spawn(async move {
        tokio::select! {
            // The client went away.
            () = chunks.closed() => {}
            written = writing.all(first) => if let Err(Ended::Failed(cause)) = written {
                tracing::warn!(error.cause = %cause, "a list could not be exported to its end");
                // Whoever went away needs no answer.
                let _ = chunks.send(Err(io::Error::other("the list could not be read to its end"))).await;
            },
        }
    });
    receiver
}

/// A page of a list, and figures of each of its rows.
type RunPage = (ListPage, Vec<RunFigures>);

/// Where pages come from.
trait Pages: Send + Sync + 'static {
    /// A page of a list with figures.
    fn page(&self, query: ListQuery) -> impl Future<Output = Result<RunPage, IndexError>> + Send;
}

impl Pages for ScopedReader {
    fn page(&self, query: ListQuery) -> impl Future<Output = Result<RunPage, IndexError>> + Send {
        self.exported(query)
    }
}

/// Why a file is not written to its end.
enum Ended {
    /// Nobody receives any more.
    ClientLeft,
    /// It could not be read, or written.
    Failed(String),
}

/// A file in the making.
struct Writing<P> {
    pages: P,
    query: ListQuery,
    format: Format,
    /// Rows that are still wanted.
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
            // Not read before the client has taken what came before. Nobody else sends: what is reserved stays free.
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

    /// Writes rows off the async threads, then sends them.
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

    /// Waits until the client has taken what came before.
    async fn pass(&self, chunk: Bytes) -> Result<(), Ended> {
        if chunk.is_empty() {
            return Ok(());
        }
        self.chunks.send(Ok(chunk)).await.map_err(|_closed| Ended::ClientLeft)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use http_body_util::BodyExt as _;

    use super::*;
    use crate::index::query::{Filter, Sort, SortKey, Total};

    /// So many empty pages, then an end or a failure.
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
                return Err(IndexError::Failed("the disk is gone".to_owned()));
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
            gone_since: None,
            problems: 0,
            shown: true,
            flat: false,
        };
        let page = ListPage { items: vec![item], next: more.then(|| number.to_string()), total: Total::default() };
        (page, vec![RunFigures::default()])
    }

    fn budget() -> Budget {
        Budget::new(4 << 20)
    }

    fn first() -> (RunPage, Room) {
        (page(0, true), budget().piece(PAGE_BYTES))
    }

    fn form(format: Format, encoding: Encoding) -> Form {
        Form { format, encoding, most: usize::MAX }
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
    async fn pages_are_read_until_there_are_no_more() {
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
    async fn a_failure_on_the_way_is_an_error_of_the_body_not_its_end() {
        for encoding in [Encoding::Identity, Encoding::Gzip] {
            let body = body(Made::of(3, true), query(), form(Format::Csv, encoding), &budget(), first());
            assert!(body.collect().await.is_err(), "{encoding:?}");
        }
    }

    #[tokio::test]
    async fn a_client_that_takes_nothing_stops_the_reading_and_one_that_leaves_ends_it() {
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
        // The task has given back what it held.
        while Arc::strong_count(&pages.read) > 1 {
            tokio::task::yield_now().await;
        }
        assert!(pages.read.load(Ordering::SeqCst) <= 1);
    }

    #[tokio::test]
    async fn pages_are_short_when_memory_is() {
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
