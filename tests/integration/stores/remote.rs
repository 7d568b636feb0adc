//! Archive directories in these servers, as tests fill and read them: through clients of their own.

use std::path::Path;
use std::process::Command;
use std::sync::Arc;

use futures::TryStreamExt as _;
use hdfs_native_object_store::HdfsObjectStoreBuilder;
use object_store::aws::AmazonS3Builder;
use object_store::azure::MicrosoftAzureBuilder;
use object_store::gcp::GoogleCloudStorageBuilder;
use object_store::path::Path as Key;
use object_store::{ObjectStore, ObjectStoreExt as _};

use super::files::Files;
use super::servers::{self, Running};
use crate::moto::Moto;
use crate::support::process::command;

const BUCKET: &str = "flink";
const ACCESS_KEY: &str = "a-known-access-key";
const SECRET_KEY: &str = "a-known-secret-key";
/// The account that every Azurite has (Microsoft's documentation of Azurite).
const AZURITE_KEY: &str = "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw==";

/// Everything in Azurite's account until the year 2100: an account SAS, signed with the key above.
const AZURITE_SAS: &str = "sv=2019-12-12&ss=b&srt=sco&sp=rwdlac&se=2100-01-01T00:00:00Z&sig=6Px4DBl9EbhM9UYKYthc2apX3i0oLhrUr2ObbvoSsGs%3D";

/// How the test writes keys that a client of `object_store` cannot: those that end with a slash, and all of Google Cloud Storage.
enum Raw {
    /// The server has folders of its own, or checks signatures.
    Unsupported,
    /// A PUT without signature below this URL.
    S3(String),
    /// A PUT with a SAS below this URL.
    Azure(String),
    /// The JSON API of Google Cloud Storage at this URL.
    GoogleJson(String),
}

/// One archive directory in a running server. The root of the bucket or file system has other files beside it.
pub(super) struct Remote {
    url: String,
    options: Vec<String>,
    variables: Vec<(String, String)>,
    client: Arc<dyn ObjectStore>,
    raw: Raw,
    /// Stopped before their folder is removed.
    _running: Vec<Running>,
    _moto: Option<Moto>,
    _folder: tempfile::TempDir,
}

impl Remote {
    fn s3(endpoint: &str, signed: bool, running: Vec<Running>, moto: Option<Moto>, folder: tempfile::TempDir) -> Self {
        let client = AmazonS3Builder::new()
            .with_endpoint(endpoint)
            .with_allow_http(true)
            .with_region("us-east-1")
            .with_access_key_id(ACCESS_KEY)
            .with_secret_access_key(SECRET_KEY)
            .with_bucket_name(BUCKET)
            .build()
            .unwrap();
        Self {
            url: format!("s3://{BUCKET}/archives"),
            options: vec![
                format!("s3.endpoint={endpoint}"),
                format!("s3.access-key={ACCESS_KEY}"),
                format!("s3.secret-key={SECRET_KEY}"),
                "s3.path.style.access=true".to_owned(),
            ],
            variables: Vec::new(),
            client: Arc::new(client),
            raw: if signed { Raw::Unsupported } else { Raw::S3(format!("{endpoint}/{BUCKET}")) },
            _running: running,
            _moto: moto,
            _folder: folder,
        }
    }

    pub(super) async fn seaweedfs() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let (running, endpoint) = servers::seaweedfs(folder.path(), BUCKET).await;
        Self::s3(&endpoint, false, vec![running], None, folder)
    }

    pub(super) async fn s3s_fs() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let (running, endpoint) = servers::s3s_fs(folder.path(), BUCKET, ACCESS_KEY, SECRET_KEY).await;
        Self::s3(&endpoint, true, vec![running], None, folder)
    }

    pub(super) async fn moto() -> Self {
        let moto = Moto::start();
        moto.make_bucket(BUCKET).await;
        let endpoint = moto.options()["s3.endpoint"].clone();
        Self::s3(&endpoint, false, Vec::new(), Some(moto), tempfile::tempdir().unwrap())
    }

    pub(super) async fn azurite() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let (running, url) = servers::azurite(folder.path()).await;
        // Azurite serves its account as the first folder of the path.
        let builder = MicrosoftAzureBuilder::new()
            .with_account("devstoreaccount1")
            .with_access_key(AZURITE_KEY)
            .with_container_name(BUCKET)
            .with_endpoint(format!("{url}/devstoreaccount1"))
            .with_allow_http(true);
        let container = format!("{url}/devstoreaccount1/{BUCKET}");
        send(reqwest::Client::new().put(format!("{container}?restype=container&{AZURITE_SAS}"))).await;
        Self {
            url: format!("abfs://{BUCKET}@devstoreaccount1.dfs.core.windows.net/archives"),
            options: vec![format!("fs.azure.account.key.devstoreaccount1.dfs.core.windows.net={AZURITE_KEY}")],
            variables: vec![("AZURE_STORAGE_USE_EMULATOR".to_owned(), "true".to_owned()), ("AZURITE_BLOB_STORAGE_URL".to_owned(), url)],
            client: Arc::new(builder.build().unwrap()),
            raw: Raw::Azure(container),
            _running: vec![running],
            _moto: None,
            _folder: folder,
        }
    }

    pub(super) async fn fake_gcs() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let (running, url) = servers::fake_gcs(folder.path(), BUCKET).await;
        let key = serde_json::json!({
            "gcs_base_url": url, "disable_oauth": true, "client_email": "", "private_key": "", "private_key_id": ""
        });
        let key_file = folder.path().join("key.json");
        std::fs::write(&key_file, key.to_string()).unwrap();
        let builder = GoogleCloudStorageBuilder::new().with_service_account_path(key_file.display().to_string()).with_bucket_name(BUCKET);
        Self {
            url: format!("gs://{BUCKET}/archives"),
            options: vec![format!("fs.gs.auth.service.account.json.keyfile={}", key_file.display())],
            variables: Vec::new(),
            client: Arc::new(builder.build().unwrap()),
            raw: Raw::GoogleJson(url),
            _running: vec![running],
            _moto: None,
            _folder: folder,
        }
    }

    pub(super) async fn hdfs() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let (running, name_node) = servers::hdfs(folder.path()).await;
        let url = format!("hdfs://{name_node}");
        Self {
            url: format!("{url}/archives"),
            options: Vec::new(),
            variables: Vec::new(),
            client: Arc::new(HdfsObjectStoreBuilder::new().with_url(url).build().unwrap()),
            raw: Raw::Unsupported,
            _running: running,
            _moto: None,
            _folder: folder,
        }
    }

    /// Lets the bucket keep versions: a deletion writes a marker of deletion.
    pub(super) async fn keep_versions(&self) {
        let Raw::S3(bucket) = &self.raw else { panic!("only for S3") };
        let configuration = "<VersioningConfiguration><Status>Enabled</Status></VersioningConfiguration>";
        send(reqwest::Client::new().put(format!("{bucket}?versioning")).body(configuration)).await;
    }

    /// Number of the markers of deletion in the bucket.
    pub(super) async fn deletion_markers(&self) -> usize {
        let Raw::S3(bucket) = &self.raw else { panic!("only for S3") };
        let answer = reqwest::get(format!("{bucket}?versions")).await.unwrap().text().await.unwrap();
        answer.matches("<DeleteMarker>").count()
    }

    /// The URL of the S3 endpoint.
    pub(super) fn endpoint(&self) -> String {
        self.options.iter().find_map(|option| option.strip_prefix("s3.endpoint=")).unwrap().to_owned()
    }

    /// Lets servers use another URL; the test itself goes on to use the server's.
    pub(super) fn connect_through(&mut self, endpoint: &str) {
        let own = self.options.iter_mut().find(|option| option.starts_with("s3.endpoint=")).unwrap();
        *own = format!("s3.endpoint={endpoint}");
    }

    /// The command line of a server over this archive directory.
    pub(super) fn command(&self, data: &Path, options: &[&str]) -> Command {
        self.command_beside(&[], data, options)
    }

    /// The command line of a server over this archive directory and local ones.
    pub(super) fn command_beside(&self, local: &[&Path], data: &Path, options: &[&str]) -> Command {
        let mut directories = vec![Path::new(&self.url)];
        directories.extend(local);
        let options: Vec<&str> = self.options.iter().map(String::as_str).chain(options.iter().copied()).collect();
        let mut command = command(&directories, data, &options);
        command.envs(self.variables.iter().map(|(name, value)| (name, value)));
        command
    }

    /// Writes a file. Its path is relative to the root of the bucket or file system.
    pub(super) async fn write(&self, path: &str, content: Vec<u8>) {
        if matches!(self.raw, Raw::GoogleJson(_)) {
            assert!(self.write_raw(path, content).await);
        } else {
            self.client.put(&Key::from(path), content.into()).await.unwrap();
        }
    }

    /// Writes an object with a key that need not be one of `object_store`, such as the marker of a folder, `path/`. `false`: not possible
    /// on this server.
    pub(super) async fn write_raw(&self, key: &str, content: Vec<u8>) -> bool {
        let client = reqwest::Client::new();
        let request = match &self.raw {
            Raw::Unsupported => return false,
            Raw::S3(bucket) => client.put(format!("{bucket}/{key}")),
            Raw::Azure(container) => client.put(format!("{container}/{key}?{AZURITE_SAS}")).header("x-ms-blob-type", "BlockBlob"),
            Raw::GoogleJson(url) => {
                let mut address = url::Url::parse(&format!("{url}/upload/storage/v1/b/{BUCKET}/o")).unwrap();
                address.query_pairs_mut().append_pair("uploadType", "media").append_pair("name", key);
                client.post(address)
            }
        };
        // Without this header reqwest sends no length of an empty body, and Azurite refuses it.
        send(request.header("content-length", content.len()).body(content)).await;
        true
    }

    /// The ends of keys that stand for a folder, its `jobs`, and once more for the folder.
    pub(super) fn folder_markers(&self) -> [&'static str; 3] {
        match self.raw {
            Raw::Azure(_) => ["", "/jobs", "_$folder$"],
            _ => ["/", "/jobs/", "_$folder$"],
        }
    }

    pub(super) async fn delete(&self, path: &str) {
        self.client.delete(&Key::from(path)).await.unwrap();
    }

    /// Paths of all files.
    pub(super) async fn files(&self) -> Files {
        let files: Vec<_> = self.client.list(None).try_collect().await.unwrap();
        Files(files.into_iter().map(|file| file.location.to_string()).collect())
    }
}

async fn send(request: reqwest::RequestBuilder) {
    let answer = request.send().await.unwrap();
    let (status, url) = (answer.status(), answer.url().path().to_owned());
    assert!(status.is_success(), "{url}: {status} {}", answer.text().await.unwrap());
}
