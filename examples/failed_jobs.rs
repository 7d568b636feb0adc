//! Prints the failed jobs of a history server, newest first, with their root causes.
//!
//! ```sh
//! cargo run --example failed_jobs -- http://127.0.0.1:8082
//! ```

use reqwest::{Client, Url};
use serde_json::Value;

/// A failed job.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct FailedJob {
    /// 32 hex digits.
    pub(crate) id: String,
    /// As Flink archived it.
    pub(crate) name: String,
    /// The class of the innermost cause of the newest failure; `None` where the archive does not hold it.
    pub(crate) root_cause: Option<String>,
}

/// Every failed job of a server, page by page.
///
/// # Errors
/// The URL is invalid, or the server cannot be reached or answers with an error.
pub(crate) async fn failed_jobs(server: &str) -> anyhow::Result<Vec<FailedJob>> {
    let client = Client::new();
    let base = Url::parse(server)?;
    let mut failed = Vec::new();
    let mut cursor: Option<String> = None;
    loop {
        let mut url = base.join("api/v1/jobs")?;
        url.query_pairs_mut().append_pair("status", "FAILED").append_pair("sort", "-end").append_pair("limit", "100");
        if let Some(cursor) = &cursor {
            url.query_pairs_mut().append_pair("cursor", cursor);
        }
        let page = get(&client, url).await?;
        for job in page["items"].as_array().into_iter().flatten() {
            failed.push(with_root_cause(&client, &base, job).await?);
        }
        match page["next"].as_str() {
            Some(next) => cursor = Some(next.to_owned()),
            None => return Ok(failed),
        }
    }
}

/// Adds the root cause, which is a fact of the job.
async fn with_root_cause(client: &Client, base: &Url, job: &Value) -> anyhow::Result<FailedJob> {
    let text = |value: &Value| value.as_str().map(ToOwned::to_owned);
    let id = text(&job["id"]).unwrap_or_default();
    let mut url = base.join(&format!("api/v1/jobs/{id}"))?;
    // One id may be archived several times: this copy.
    url.query_pairs_mut()
        .append_pair("directory", job["directory"].as_str().unwrap_or_default())
        .append_pair("cluster", job["cluster"].as_str().unwrap_or("/"));
    let failure = &get(client, url).await?["facts"]["root_exception"];
    let root_cause = text(&failure["cause_class"]).or_else(|| text(&failure["class"]));
    Ok(FailedJob { id, name: text(&job["name"]).unwrap_or_default(), root_cause })
}

async fn get(client: &Client, url: Url) -> anyhow::Result<Value> {
    Ok(client.get(url).send().await?.error_for_status()?.json().await?)
}

#[tokio::main]
#[expect(clippy::print_stdout, reason = "it prints")]
async fn main() -> anyhow::Result<()> {
    let server = std::env::args().nth(1).unwrap_or_else(|| "http://127.0.0.1:8082".to_owned());
    for job in failed_jobs(&server).await? {
        println!("{}\t{}\t{}", job.id, job.name, job.root_cause.as_deref().unwrap_or("unknown"));
    }
    Ok(())
}
