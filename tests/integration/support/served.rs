//! The server within the test, on a free port: for what depends on the socket, or on what a real client sees.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use historyserver::api::{Drained, ServeOptions, serve};
use historyserver::tasks;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use super::world::{World, WorldOptions};

/// A running server.
pub(crate) struct Served {
    pub(crate) world: World,
    pub(crate) address: SocketAddr,
    /// Takes no compressed answers by itself.
    client: reqwest::Client,
    stopping: CancellationToken,
    serving: JoinHandle<Drained>,
    data: tempfile::TempDir,
}

impl Served {
    /// Serves the archives in these directories, read once.
    pub(crate) async fn over(archives: &[PathBuf]) -> Self {
        let mut server = Self::unread(archives, WorldOptions::default()).await;
        server.world.full_scan().await;
        server
    }

    /// Serves these directories; nothing is read before the test says so.
    pub(crate) async fn unread(archives: &[PathBuf], options: WorldOptions) -> Self {
        Self::begin(archives, options, tempfile::tempdir().unwrap()).await
    }

    /// Stops and serves these directories again from the same index; nothing is listed before the test says so.
    pub(crate) async fn restarted(self, archives: &[PathBuf], options: WorldOptions) -> Self {
        let data = self.stop().await;
        Self::begin(archives, options, data).await
    }

    async fn begin(archives: &[PathBuf], options: WorldOptions, data: tempfile::TempDir) -> Self {
        let folders: Vec<&Path> = archives.iter().map(PathBuf::as_path).collect();
        let limits = ServeOptions { budget: options.api.budget.clone(), ..ServeOptions::default() };
        let world = World::over(&folders, data.path(), options);
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let stopping = CancellationToken::new();
        let serving = tasks::spawn(serve(listener, None, world.router.clone(), stopping.clone(), limits));
        let client = reqwest::Client::builder().no_gzip().timeout(Duration::from_mins(2)).build().unwrap();
        Self { world, address, client, stopping, serving, data }
    }

    pub(crate) fn request(&self, method: &str, path: &str) -> reqwest::RequestBuilder {
        self.client.request(method.parse().unwrap(), format!("http://{}{path}", self.address))
    }

    pub(crate) async fn get(&self, path: &str) -> reqwest::Response {
        self.request("GET", path).send().await.unwrap()
    }

    /// The JSON body of a path that answers 200.
    pub(crate) async fn json(&self, path: &str) -> serde_json::Value {
        let answer = self.get(path).await;
        assert_eq!(answer.status(), 200, "{path}");
        assert_eq!(answer.headers()["content-type"], "application/json", "{path}");
        serde_json::from_slice(&answer.bytes().await.unwrap()).unwrap()
    }

    /// Stops as on SIGTERM. Gives back the data directory.
    pub(crate) async fn stop(self) -> tempfile::TempDir {
        self.stopping.cancel();
        assert_eq!(self.serving.await.unwrap(), Drained { cut: 0 });
        self.world.close().await;
        self.data
    }
}

/// Folders of the sample archives, one per version of Flink.
pub(crate) fn samples() -> Vec<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/archives");
    ["flink-1.20.5", "flink-2.2.1", "flink-2.3.0"].map(|folder| root.join(folder)).into()
}

/// One archive file, read by the test itself.
pub(crate) struct Archive {
    /// Lower-case id of its application or job.
    pub(crate) id: String,
    /// Path and document; the last of equal paths.
    pub(crate) documents: Vec<(String, String)>,
}

impl Archive {
    /// Each document: the path that it is requested with, and its text.
    pub(crate) fn requested(&self) -> impl Iterator<Item = (String, String)> {
        let requested_with = |path: &str| match path {
            // Flink's own paths of these are the merged lists; the Java server keeps the single ones here.
            "/jobs/overview" => format!("/overviews/{}", self.id),
            "/applications/overview" => format!("/application-overviews/{}", self.id),
            path => path.to_owned(),
        };
        self.documents.iter().map(move |(path, text)| (requested_with(path), text.clone()))
    }
}

/// Every archive file below these folders.
pub(crate) fn archives_in(folders: &[PathBuf]) -> Vec<Archive> {
    let mut archives = Vec::new();
    let mut folders = folders.to_vec();
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else {
                archives.push(archive(&path));
            }
        }
    }
    archives
}

fn archive(path: &Path) -> Archive {
    let name = |path: &Path| path.file_name().unwrap().to_str().unwrap().to_lowercase();
    let is_summary = name(path) == "application-summary";
    let id = if is_summary { name(path.parent().unwrap()) } else { name(path) };
    let envelope: serde_json::Value = serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap();
    let text = |entry: &serde_json::Value, key: &str| entry[key].as_str().unwrap().to_owned();
    let entries = envelope["archive"].as_array().unwrap().iter();
    let documents = entries.map(|entry| (text(entry, "path"), text(entry, "json"))).collect();
    Archive { id, documents }
}
