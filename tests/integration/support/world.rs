//! The whole server within the test, but for its socket and its timers: refreshes run when the test says so, and time stands.

use std::path::{Path, PathBuf};
use std::sync::OnceLock;
use std::time::Duration;

use axum::body::Body;
use axum::http::{HeaderMap, HeaderValue, Method, Request, StatusCode, header};
use historyserver::api::{self, ApiOptions, ApiState};
use historyserver::archive::ArchiveLimits;
use historyserver::clock::{Clock, Timestamp};
use historyserver::directory::Directory;
use historyserver::index::{self, IndexOptions, IndexReader, IndexWriter, ProblemFilter};
use historyserver::ingest::{Backfill, BackfillStatus, Ingest, IngestOptions, LookupUnlisted};
use historyserver::refresh::plan::Rules;
use historyserver::refresh::{DirectoryRefresh, Refresh, RefreshStatus, RetentionRules};
use http_body_util::BodyExt as _;
use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusHandle};
use serde_json::Value;
use tokio_util::sync::CancellationToken;
use tower::ServiceExt as _;

/// Where the real archives are.
pub(crate) fn fixtures(folder: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/archives").join(folder)
}

/// Options of a world besides its directories.
#[derive(Clone)]
pub(crate) struct WorldOptions {
    pub(crate) max_pack_bytes: u64,
    pub(crate) restored_grace: Duration,
    pub(crate) max_file_pages: Option<u32>,
    pub(crate) rules: Rules,
    pub(crate) retention: RetentionRules,
    pub(crate) limits: ArchiveLimits,
    pub(crate) bytes_in_flight: u64,
    pub(crate) refresh_interval: Duration,
    pub(crate) lookup_unlisted: LookupUnlisted,
    pub(crate) clock: Clock,
    pub(crate) api: ApiOptions,
}

impl Default for WorldOptions {
    fn default() -> Self {
        Self {
            max_pack_bytes: 10 << 30,
            restored_grace: Duration::from_secs(30),
            max_file_pages: None,
            rules: Rules { empty_grace: Duration::from_hours(1), ..Rules::default() },
            retention: RetentionRules::default(),
            limits: ArchiveLimits::default(),
            bytes_in_flight: 64 << 20,
            refresh_interval: Duration::from_secs(10),
            lookup_unlisted: LookupUnlisted::Off,
            // Well after the fixtures' files were written, so that nothing is open.
            clock: Clock::manual(Timestamp::from_millis(2_000_000_000_000)),
            api: ApiOptions::default(),
        }
    }
}

/// A server over some directories, with its index in `data`.
pub(crate) struct World {
    pub(crate) writer: IndexWriter,
    pub(crate) reader: IndexReader,
    pub(crate) refresh: Refresh,
    pub(crate) status: tokio::sync::watch::Receiver<RefreshStatus>,
    pub(crate) backfill: tokio::sync::watch::Receiver<BackfillStatus>,
    pending_backfill: Option<Backfill>,
    pub(crate) router: axum::Router,
    pub(crate) clock: Clock,
}

/// An answer, whole.
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Vec<u8>,
}

impl Answer {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|error| panic!("{error}: {}", String::from_utf8_lossy(&self.body)))
    }

    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }
}

/// One recorder for the whole test process: there can be no second.
fn prometheus() -> PrometheusHandle {
    static HANDLE: OnceLock<PrometheusHandle> = OnceLock::new();
    let install = || {
        let durations = Matcher::Full(api::DURATION_METRIC.to_owned());
        PrometheusBuilder::new().set_buckets_for_metric(durations, api::DURATION_BUCKETS).unwrap().install_recorder().unwrap()
    };
    HANDLE.get_or_init(install).clone()
}

impl World {
    /// Opens (or opens again) the index in `data` over these directories.
    pub(crate) fn open(directories: &[Directory], data: &Path, options: WorldOptions) -> Self {
        let urls = directories.iter().map(|directory| directory.url().clone()).collect();
        let mut index_options = IndexOptions::new(data, options.max_pack_bytes, urls);
        index_options.clock = options.clock.clone();
        index_options.restored_grace = options.restored_grace;
        index_options.max_file_pages = options.max_file_pages;
        let (writer, reader, _) = index::open(&index_options).unwrap();
        let ingest_options = IngestOptions {
            limits: options.limits,
            bytes_in_flight: options.bytes_in_flight,
            refresh_interval: options.refresh_interval,
            lookup_unlisted: options.lookup_unlisted,
        };
        let clock = options.clock;
        let ingest = Ingest::new(directories.iter().cloned(), writer.clone(), reader.clone(), ingest_options, clock.clone());
        let refreshes = directories.iter().map(|directory| {
            DirectoryRefresh::new(directory.clone(), ingest.clone(), writer.clone(), reader.clone(), options.rules, clock.clone())
                .with_retention(options.retention)
        });
        let (refresh, status) = Refresh::new(refreshes.collect(), &clock);
        let (pending_backfill, backfill) = Backfill::new(reader.clone(), writer.clone(), clock.clone());
        let router = api::router(ApiState {
            reader: reader.clone(),
            ingest,
            refresh: status.clone(),
            backfill: backfill.clone(),
            clock: clock.clone(),
            started: clock.now(),
            options: options.api,
            pages: historyserver::web::answer,
            actions: None,
            prometheus: prometheus(),
            stopping: CancellationToken::new(),
        });
        Self { writer, reader, refresh, status, backfill, pending_backfill: Some(pending_backfill), router, clock }
    }

    /// A world over local folders.
    pub(crate) fn over(folders: &[&Path], data: &Path, options: WorldOptions) -> Self {
        let none = std::collections::BTreeMap::new();
        let directories: Vec<Directory> = folders.iter().map(|folder| Directory::open(folder.to_str().unwrap(), &none).unwrap()).collect();
        Self::open(&directories, data, options)
    }

    /// One full scan of all directories.
    pub(crate) async fn full_scan(&mut self) {
        self.refresh.run(true, &CancellationToken::new()).await;
    }

    /// One refresh: a quick scan, unless a full scan is due.
    pub(crate) async fn quick_scan(&mut self) {
        self.refresh.run(false, &CancellationToken::new()).await;
    }

    /// Derives from packs what the index lacks.
    pub(crate) async fn fill(&mut self) {
        self.pending_backfill.take().unwrap().run(CancellationToken::new()).await;
    }

    pub(crate) fn advance(&self, by: Duration) {
        self.clock.advance(by);
    }

    pub(crate) async fn request(&self, mut request: Request<Body>) -> Answer {
        request.headers_mut().entry(header::HOST).or_insert(HeaderValue::from_static("localhost"));
        let response = self.router.clone().oneshot(request).await.unwrap();
        let (parts, body) = response.into_parts();
        let body = body.collect().await.unwrap().to_bytes().to_vec();
        Answer { status: parts.status, headers: parts.headers, body }
    }

    pub(crate) async fn get(&self, path: &str) -> Answer {
        self.request(Request::builder().method(Method::GET).uri(path).body(Body::empty()).unwrap()).await
    }

    /// Ids of the listed applications, in the order of the list.
    pub(crate) async fn applications(&self) -> Vec<String> {
        ids(&self.get("/applications/overview").await.json()["applications"], "id")
    }

    /// Ids of the listed jobs, in the order of the list.
    pub(crate) async fn jobs(&self) -> Vec<String> {
        ids(&self.get("/jobs/overview").await.json()["jobs"], "jid")
    }

    /// Codes of the recorded problems, sorted.
    pub(crate) async fn problems(&self) -> Vec<String> {
        let mut codes: Vec<String> = self
            .reader
            .everything()
            .problem_page(ProblemFilter::default(), None, 1_000)
            .await
            .unwrap()
            .0
            .rows
            .iter()
            .map(|problem| problem.code.to_string())
            .collect();
        codes.sort();
        codes
    }

    /// Waits until the packs take no more than this, which is the work of the index alone.
    pub(crate) async fn until_evicted_to(&self, bytes: u64) {
        let deadline = std::time::Instant::now() + Duration::from_mins(1);
        while self.reader.everything().figures().await.unwrap().pack_bytes > bytes {
            assert!(std::time::Instant::now() < deadline, "never evicted to {bytes} bytes");
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }

    pub(crate) async fn close(self) {
        self.writer.close().await;
    }
}

fn ids(list: &Value, member: &str) -> Vec<String> {
    list.as_array().unwrap().iter().map(|each| each[member].as_str().unwrap().to_owned()).collect()
}
