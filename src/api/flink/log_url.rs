//! Where the logs of a job are kept: `/jobs/:id/jobmanager/log-url` and `/jobs/:id/taskmanagers/:tmid/log-url`.

use axum::http::HeaderMap;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use crate::api::http::error::ApiError;
use crate::api::http::represent::Representation;

/// Everything but RFC 3986's unreserved characters and the colon: an id cannot leave its place in the URL. The ids of task managers
/// are `host:port-…`; the colon is plain in paths and queries, and left as it is the URL is the one that Flink's server gives.
const ENCODED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~').remove(b':');

/// Where logs are kept, as far as configured.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LogUrls {
    /// `historyserver.log.jobmanager.url-pattern`.
    pub jobmanager: Option<LogUrlPattern>,
    /// `historyserver.log.taskmanager.url-pattern`.
    pub taskmanager: Option<LogUrlPattern>,
}

/// An `http` or `https` URL with `<jobid>` and `<tmid>` in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogUrlPattern(String);

/// A pattern of another scheme than `http` and `https`.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the scheme `{0}` is neither http nor https")]
pub struct SchemeRefused(String);

impl LogUrlPattern {
    /// Takes a pattern as configured. `None` when it is blank; `http://` is put before one without a scheme.
    ///
    /// # Errors
    /// [`SchemeRefused`]: the pattern cannot be used, and the route answers 404.
    pub fn parse(text: &str) -> Result<Option<Self>, SchemeRefused> {
        let text = text.trim();
        if text.is_empty() {
            return Ok(None);
        }
        match text.split_once("://") {
            None | Some(("", _)) => Ok(Some(Self(format!("http://{text}")))),
            Some((scheme, _)) if ["http", "https"].iter().any(|known| scheme.eq_ignore_ascii_case(known)) => {
                Ok(Some(Self(text.to_owned())))
            }
            Some((scheme, _)) => Err(SchemeRefused(scheme.to_owned())),
        }
    }

    /// The URL for a job and, where there is one, a task manager.
    fn url(&self, job: &str, task_manager: Option<&str>) -> String {
        let url = self.0.replace("<jobid>", &utf8_percent_encode(job, ENCODED).to_string());
        match task_manager {
            Some(id) => url.replace("<tmid>", &utf8_percent_encode(id, ENCODED).to_string()),
            None => url,
        }
    }
}

/// Answers `{"url":"…"}`. As in Flink, the job need not be known here: its logs may outlive its archive.
pub(in crate::api) async fn answer(
    pattern: Option<&LogUrlPattern>,
    job: &str,
    task_manager: Option<&str>,
    request: &HeaderMap,
) -> Result<Representation, ApiError> {
    let Some(pattern) = pattern else {
        return Err(ApiError::not_found(
            "The URL of these logs is not configured: set historyserver.log.jobmanager.url-pattern and historyserver.log.taskmanager.url-pattern.",
        ));
    };
    let text = serde_json::json!({ "url": pattern.url(job, task_manager) }).to_string();
    Representation::of_content(request, text).await
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pattern(text: &str) -> LogUrlPattern {
        LogUrlPattern::parse(text).unwrap().unwrap()
    }

    #[test]
    fn only_http_and_https_are_taken_and_a_missing_scheme_is_added() {
        for (text, expected) in [
            ("http://localhost/<jobid>", "http://localhost/<jobid>"),
            ("https://localhost", "https://localhost"),
            ("HTTPS://localhost", "HTTPS://localhost"),
            ("  localhost:9000/log ", "http://localhost:9000/log"),
        ] {
            assert_eq!(pattern(text).0, expected);
        }
        for text in ["", "  "] {
            assert_eq!(LogUrlPattern::parse(text), Ok(None));
        }
        for text in ["ftp://localhost", "file:///var/log", "javascript://x"] {
            assert!(LogUrlPattern::parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn every_placeholder_is_replaced_and_ids_are_encoded() {
        let pattern = pattern("http://logs/<jobid>/tm/<tmid>?again=<tmid>&other=<other>");
        assert_eq!(
            pattern.url("e1d9", Some("10.0.0.1:4242-ab c/../é#?&<jobid>")),
            "http://logs/e1d9/tm/10.0.0.1:4242-ab%20c%2F..%2F%C3%A9%23%3F%26%3Cjobid%3E?again=10.0.0.1:4242-ab%20c%2F..%2F%C3%A9%23%3F%26%3Cjobid%3E&other=<other>"
        );
        assert_eq!(pattern.url("<tmid>", None), "http://logs/%3Ctmid%3E/tm/<tmid>?again=<tmid>&other=<other>");
    }
}
