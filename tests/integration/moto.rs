//! A real S3 server for tests: moto, on a free port of 127.0.0.1, stopped when it is dropped.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;

use object_store::ObjectStore;
use object_store::aws::AmazonS3Builder;

const SECRET: &str = "moto-takes-any-secret";

/// A running server.
pub(crate) struct Moto {
    process: Child,
    endpoint: String,
}

impl Moto {
    /// Starts a server. It keeps what it holds in memory.
    pub(crate) fn start() -> Self {
        let program = Path::new(env!("CARGO_MANIFEST_DIR")).join(".test-tools/moto/bin/moto_server");
        assert!(program.exists(), "the S3 server of the tests is not installed: run tests/tools/install-moto.sh (make test does)");
        let mut process = Command::new(program)
            .args(["-H", "127.0.0.1", "-p", "0"])
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut log = BufReader::new(process.stderr.take().unwrap()).lines();
        let endpoint = log
            .by_ref()
            .map_while(Result::ok)
            .find_map(|line| line.split_once("Running on ").map(|(_, url)| url.trim().to_owned()))
            .expect("moto tells its address before it ends");
        // Its log of requests is read, so that it never waits for a full pipe.
        std::thread::spawn(move || log.map_while(Result::ok).for_each(drop));
        Self { process, endpoint }
    }

    /// Makes a bucket.
    pub(crate) async fn make_bucket(&self, bucket: &str) {
        let answer = reqwest::Client::new().put(format!("{}/{bucket}", self.endpoint)).send().await.unwrap();
        assert!(answer.status().is_success(), "{}", answer.status());
    }

    /// Options, as in Flink's configuration, that open its buckets.
    pub(crate) fn options(&self) -> BTreeMap<String, String> {
        [("s3.endpoint", self.endpoint.as_str()), ("s3.access-key", "moto"), ("s3.secret-key", SECRET), ("s3.path.style.access", "true")]
            .into_iter()
            .map(|(key, value)| (key.to_owned(), value.to_owned()))
            .collect()
    }

    /// A client of its own for a bucket: what tests write does not go through what they test.
    pub(crate) fn client(&self, bucket: &str) -> Arc<dyn ObjectStore> {
        let builder = AmazonS3Builder::new()
            .with_endpoint(&self.endpoint)
            .with_allow_http(true)
            .with_region("us-east-1")
            .with_access_key_id("moto")
            .with_secret_access_key(SECRET)
            .with_bucket_name(bucket);
        Arc::new(builder.build().unwrap())
    }
}

impl Drop for Moto {
    fn drop(&mut self) {
        // It may have ended already; the test that notices fails by itself.
        self.process.kill().ok();
        self.process.wait().ok();
    }
}
