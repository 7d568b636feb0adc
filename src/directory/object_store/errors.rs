//! Kind and cause of errors of object stores, without credentials and without whole response bodies.

use std::error::Error;

use ::object_store::Error as StoreError;

use crate::directory::error::DirectoryErrorKind;

/// Maximum length of a cause, in characters.
const MAX_LENGTH: usize = 300;

/// Texts that must not appear in any message.
#[derive(Debug, Clone, Default)]
pub(super) struct Redaction {
    secrets: Vec<String>,
}

impl Redaction {
    /// Hides these texts. Very short texts are not hidden, since this would garble messages.
    pub(super) fn new(secrets: impl IntoIterator<Item = String>) -> Self {
        let mut secrets: Vec<String> = secrets.into_iter().filter(|secret| secret.len() >= 4).collect();
        // The longest first: one may be part of another.
        secrets.sort_by_key(|secret| std::cmp::Reverse(secret.len()));
        Self { secrets }
    }

    /// The text without secrets and without queries of URLs, shortened to the maximum length.
    pub(super) fn apply(&self, text: &str) -> String {
        let mut text = text.to_owned();
        for secret in &self.secrets {
            text = text.replace(secret.as_str(), "***");
        }
        let mut words: Vec<String> = Vec::new();
        for word in text.split_whitespace() {
            words.push(match (word.contains("://"), word.split_once('?')) {
                (true, Some((url, _))) => url.to_owned(),
                _ => word.to_owned(),
            });
        }
        let mut text = words.join(" ");
        if let Some((end, _)) = text.char_indices().nth(MAX_LENGTH) {
            text.truncate(end);
            text.push('…');
        }
        text
    }
}

/// The purpose of a request, for the advice about a missing permission.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Purpose {
    /// Listing and reading.
    Read,
    /// Deleting.
    Delete,
}

/// Kind and cause of an error.
pub(super) fn describe(error: &StoreError, redaction: &Redaction, purpose: Purpose) -> (DirectoryErrorKind, String) {
    let text = full_text(error);
    let status = status(&text);
    let refusal = refusal_of_one(&text);
    let kind = match (error, status) {
        (StoreError::NotFound { .. }, _) | (_, Some(404)) => DirectoryErrorKind::NotFound,
        // The object can be read only after it was restored: a retry does not help.
        _ if is_frozen(&text) => DirectoryErrorKind::Refused,
        (StoreError::PermissionDenied { .. } | StoreError::Unauthenticated { .. }, _) | (_, Some(401 | 403)) => DirectoryErrorKind::Denied,
        _ if refusal.is_some() => match refusal.as_ref().map(|refusal| refusal.code.as_str()) {
            Some("AccessDenied" | "401" | "403") => DirectoryErrorKind::Denied,
            Some("InternalError" | "SlowDown" | "ServiceUnavailable" | "429" | "500" | "503") => DirectoryErrorKind::Unavailable,
            _ => DirectoryErrorKind::Refused,
        },
        (StoreError::InvalidPath { .. } | StoreError::NotSupported { .. } | StoreError::NotImplemented { .. }, _) => {
            DirectoryErrorKind::Refused
        }
        _ => DirectoryErrorKind::Unavailable,
    };
    let host = host(&text);
    let (mut code, message) = (element(&text, "Code"), element(&text, "Message").map(|message| without_request_id(&message)));
    let options = ecosystem(error, &text);
    let cause = match (status, &code, message) {
        _ if refusal.is_some() => {
            let refusal = refusal.unwrap_or_default();
            let cause = format!("the store answers {}: {}", refusal.code, refusal.message);
            code = Some(refusal.code);
            cause
        }
        _ if host.as_deref().is_some_and(is_metadata) => {
            format!("no credentials are configured, and the machine has no role: {} does not give any", host.as_deref().unwrap_or_default())
        }
        (Some(status), Some(code), Some(message)) => format!("the store answers {status} {code}: {message}"),
        (Some(status), Some(code), None) => format!("the store answers {status} {code}"),
        (Some(status), None, _) => format!("the store answers {status}"),
        (None, _, _) => network(error, &text, host.as_deref().unwrap_or("the store")),
    };
    let advice = if host.as_deref().is_some_and(is_metadata) {
        Some(format!("set {}", options.credentials))
    } else if is_frozen(&text) {
        Some("the object is in an archive storage class: restore it, and exclude the archive directory from the lifecycle rule".to_owned())
    } else if purpose == Purpose::Delete && kind == DirectoryErrorKind::Denied && !is_about_credentials(code.as_deref()) {
        Some(format!("allow these credentials to delete objects ({})", options.delete))
    } else {
        advice(status, code.as_deref(), &text, &options)
    };
    let cause = redaction.apply(&cause);
    (kind, advice.map_or(cause.clone(), |advice| format!("{cause}; {advice}")))
}

/// The options of the store that an error is about.
struct Ecosystem {
    endpoint: &'static str,
    credentials: &'static str,
    region: &'static str,
    /// The permission to delete.
    delete: &'static str,
}

fn ecosystem(error: &StoreError, text: &str) -> Ecosystem {
    let is = |name: &str| {
        matches!(error, StoreError::Generic { store, .. } if *store == name) || text.contains(&format!("Generic {name} error"))
    };
    if is("GCS") {
        Ecosystem {
            endpoint: "fs.gs.storage.root.url",
            credentials: "fs.gs.auth.service.account.json.keyfile or GOOGLE_APPLICATION_CREDENTIALS",
            region: "fs.gs.storage.root.url",
            delete: "storage.objects.delete",
        }
    } else if is("MicrosoftAzure") {
        Ecosystem {
            endpoint: "the account in historyserver.archive.fs.dir",
            credentials: "fs.azure.account.key or AZURE_STORAGE_ACCOUNT_KEY, or the options of OAuth",
            region: "the account in historyserver.archive.fs.dir",
            delete: "Storage Blob Data Contributor, or d in the permissions of a SAS token",
        }
    } else if is("HDFS") {
        Ecosystem {
            endpoint: "the NameNode in historyserver.archive.fs.dir, or HADOOP_CONF_DIR",
            credentials: "security.kerberos.login.keytab and security.kerberos.login.principal",
            region: "HADOOP_CONF_DIR",
            delete: "write on the folders",
        }
    } else {
        Ecosystem {
            endpoint: "s3.endpoint",
            credentials: "s3.access-key and s3.secret-key, or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY",
            region: "s3.region",
            delete: "s3:DeleteObject",
        }
    }
}

/// What to do about a failure; `None` if nothing special.
fn advice(status: Option<u16>, code: Option<&str>, text: &str, options: &Ecosystem) -> Option<String> {
    match code {
        Some("InvalidAccessKeyId" | "SignatureDoesNotMatch" | "AuthenticationFailed" | "InvalidAuthenticationInfo") => {
            return Some(format!("check {}", options.credentials));
        }
        Some("ExpiredToken" | "ExpiredTokenException" | "InvalidToken" | "TokenRefreshRequired" | "InvalidClientTokenId") => {
            return Some(format!("the session token has expired or is not valid: renew it, or set {}", options.credentials));
        }
        Some("AuthorizationHeaderMalformed" | "PermanentRedirect" | "IllegalLocationConstraintException" | "TemporaryRedirect") => {
            return Some(format!("the bucket is in another region: set {} to it", options.region));
        }
        Some("RequestTimeTooSkewed") => return Some("set the clock of this machine".to_owned()),
        Some("AccessDenied" | "AuthorizationPermissionMismatch" | "AuthorizationFailure") => {
            return Some("allow these credentials to list and read this place (on S3: s3:ListBucket and s3:GetObject)".to_owned());
        }
        _ => {}
    }
    if text.contains("incorrectly configured region") || status == Some(301) {
        Some(format!("the bucket is in another region: set {} to it", options.region))
    } else if is_tls(text) {
        Some("set SSL_CERT_FILE to a PEM file with the authority that signed it, and check the name in the certificate".to_owned())
    } else if is_name(text) || is_refused(text) {
        Some(format!("check {}", options.endpoint))
    } else {
        None
    }
}

/// Whether a code is about the credentials and not about their permissions.
fn is_about_credentials(code: Option<&str>) -> bool {
    code.is_some_and(|code| !matches!(code, "AccessDenied" | "AuthorizationPermissionMismatch" | "AuthorizationFailure" | "401" | "403"))
}

/// Whether an object must be restored from an archive storage class before it can be read (S3, Azure).
fn is_frozen(text: &str) -> bool {
    text.contains("<Code>InvalidObjectState</Code>") || text.contains("<Code>BlobArchived</Code>")
}

/// The refusal of one object within the answer to a deletion of several.
#[derive(Debug, Default)]
struct Refusal {
    code: String,
    message: String,
}

/// Reads `… request failed for key KEY: MESSAGE (code: CODE)`, of `object_store` 0.14.2.
fn refusal_of_one(text: &str) -> Option<Refusal> {
    let (_, after) = text.rsplit_once(" request failed for key ")?;
    let (before, code) = after.rsplit_once(" (code: ")?;
    let (code, _) = code.split_once(')')?;
    let message = before.split_once(": ").map_or(before, |(_, message)| message);
    Some(Refusal { code: code.to_owned(), message: message.to_owned() })
}

fn is_tls(text: &str) -> bool {
    ["invalid peer certificate", "certificate verify failed", "UnknownIssuer", "received fatal alert", "received corrupt message"]
        .iter()
        .any(|part| text.contains(part))
}

fn is_name(text: &str) -> bool {
    text.contains("dns error") || text.contains("failed to lookup address")
}

fn is_refused(text: &str) -> bool {
    text.contains("Connection refused")
}

/// A failure below HTTP, with the host.
fn network(error: &StoreError, text: &str, host: &str) -> String {
    let cause = innermost(error);
    if is_tls(text) {
        format!("TLS with {host} failed: {cause}")
    } else if is_name(text) {
        format!("the name of {host} cannot be resolved: {cause}")
    } else if is_refused(text) {
        format!("{host} refuses the connection")
    } else if text.contains("error sending request") || text.contains("HTTP error") {
        format!("no answer from {host}: {cause}")
    } else {
        cause
    }
}

/// Host and port of the request, which `object_store` writes as `Error performing GET http://host:port/path in 1ms`.
fn host(text: &str) -> Option<String> {
    // `Error performing list request: Error performing GET http://…` for a listing.
    let mut urls = text.split("Error performing ").skip(1).filter_map(|after| url::Url::parse(after.split_whitespace().nth(1)?).ok());
    let url = urls.find(url::Url::has_host)?;
    let host = url.host_str()?.to_owned();
    Some(url.port().map_or(host.clone(), |port| format!("{host}:{port}")))
}

/// Whether a host gives credentials to machines of a cloud.
fn is_metadata(host: &str) -> bool {
    ["169.254.169.254", "169.254.170.2", "169.254.170.23", "metadata.google.internal"].contains(&host.split(':').next().unwrap_or(host))
}

/// A message of Azure without the number and time of the request, which differ each time.
fn without_request_id(message: &str) -> String {
    let end = message.find("RequestId:").unwrap_or(message.len());
    message[..end].trim().to_owned()
}

/// The HTTP status of an error, which `object_store` contains only in the text.
fn status(text: &str) -> Option<u16> {
    let (_, after) = text.split_once("status code: ")?;
    after.get(..3)?.parse().ok()
}

fn full_text(error: &StoreError) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text.push_str(": ");
        text.push_str(&error.to_string());
        cause = error.source();
    }
    text
}

/// The innermost cause, such as "connection refused".
fn innermost(error: &StoreError) -> String {
    let mut cause: &dyn Error = error;
    while let Some(next) = cause.source() {
        cause = next;
    }
    cause.to_string()
}

fn element(text: &str, name: &str) -> Option<String> {
    let (_, after) = text.split_once(&format!("<{name}>"))?;
    let (content, _) = after.split_once(&format!("</{name}>"))?;
    Some(content.trim().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn generic(text: &str) -> StoreError {
        StoreError::Generic { store: "S3", source: text.to_owned().into() }
    }

    #[test]
    fn a_refusal_contains_only_code_and_message() {
        let body = "Server returned non-2xx status code: 403 Forbidden: <Error><Code>SignatureDoesNotMatch</Code>\
                    <Message>The signature does not match</Message><StringToSign>AWS4 hunter2</StringToSign></Error>";
        let (kind, cause) = describe(&generic(body), &Redaction::default(), Purpose::Read);
        assert_eq!(kind, DirectoryErrorKind::Denied);
        let expected = "the store answers 403 SignatureDoesNotMatch: The signature does not match; check s3.access-key and s3.secret-key, or \
                        AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY";
        assert_eq!(cause, expected);
    }

    #[test]
    fn neither_secrets_nor_queries_are_repeated() {
        let redaction = Redaction::new(["hunter2".to_owned(), "hunter2hunter2".to_owned(), "x".to_owned()]);
        let error = generic("error sending request for url (https://a.b/c?sig=abc&se=1) with key hunter2hunter2 and hunter2");
        let (kind, cause) = describe(&error, &redaction, Purpose::Read);
        assert_eq!(kind, DirectoryErrorKind::Unavailable);
        assert_eq!(cause, "no answer from the store: error sending request for url (https://a.b/c with key *** and ***");
    }

    #[test]
    fn causes_name_the_host_and_the_option() {
        let performing =
            "Error performing list request: Error performing GET http://store:9000/bucket?list-type=2 in 1ms, after 3 retries - ";
        for (text, parts) in [
            (
                "HTTP error: error sending request: tcp connect error: Connection refused (os error 111)",
                &["store:9000 refuses", "s3.endpoint"][..],
            ),
            ("HTTP error: dns error: failed to lookup address information", &["store:9000 cannot be resolved", "s3.endpoint"]),
            ("HTTP error: invalid peer certificate: UnknownIssuer", &["TLS with store:9000 failed", "SSL_CERT_FILE"]),
            ("status code: 404 Not Found: <Code>NoSuchBucket</Code><Message>m</Message>", &["404 NoSuchBucket: m"]),
            ("status code: 403 Forbidden: <Code>InvalidAccessKeyId</Code><Message>m</Message>", &["check s3.access-key"]),
            ("status code: 403 Forbidden: <Code>AccessDenied</Code><Message>m</Message>", &["s3:ListBucket"]),
            ("status code: 400 Bad Request: <Code>ExpiredToken</Code><Message>m</Message>", &["has expired"]),
            (
                "status code: 400 Bad Request: <Code>AuthorizationHeaderMalformed</Code><Message>expecting 'eu'</Message>",
                &["s3.region", "expecting 'eu'"],
            ),
            ("Received redirect without LOCATION, this normally indicates an incorrectly configured region", &["s3.region"]),
        ] {
            let (_, cause) = describe(&generic(&format!("{performing}{text}")), &Redaction::default(), Purpose::Read);
            assert!(parts.iter().all(|part| cause.contains(part)), "{text}: {cause}");
        }
        let metadata = "Error performing PUT http://169.254.169.254/latest/api/token in 1s - HTTP error: Connection refused (os error 111)";
        let (_, cause) = describe(&generic(metadata), &Redaction::default(), Purpose::Read);
        assert!(cause.starts_with("no credentials are configured") && cause.contains("AWS_ACCESS_KEY_ID"), "{cause}");
        assert!(!cause.contains("os error"), "{cause}");
    }

    #[test]
    fn a_missing_permission_to_delete_is_named() {
        for (text, code) in [
            ("DeleteObjects request failed for key a/b: c: no way (code: AccessDenied)", "AccessDenied"),
            ("Bulk delete request failed for key a/b: no way (code: 403)", "403"),
        ] {
            let (kind, cause) = describe(&generic(text), &Redaction::default(), Purpose::Delete);
            assert_eq!(kind, DirectoryErrorKind::Denied, "{cause}");
            assert!(cause.starts_with(&format!("the store answers {code}: ")) && cause.contains("no way; allow"), "{cause}");
            assert!(cause.ends_with("(s3:DeleteObject)"), "{cause}");
        }
        let whole = generic("status code: 403 Forbidden: <Code>AccessDenied</Code><Message>m</Message>");
        assert!(describe(&whole, &Redaction::default(), Purpose::Delete).1.contains("s3:DeleteObject"));
        let locked = generic("DeleteObjects request failed for key a: retained (code: ObjectLocked)");
        assert_eq!(describe(&locked, &Redaction::default(), Purpose::Delete).0, DirectoryErrorKind::Refused);
    }

    #[test]
    fn an_object_in_an_archive_storage_class_is_not_retried_like_a_failure() {
        let frozen = generic("status code: 403 Forbidden: <Code>InvalidObjectState</Code><Message>m</Message>");
        let (kind, cause) = describe(&frozen, &Redaction::default(), Purpose::Read);
        assert_eq!(kind, DirectoryErrorKind::Refused);
        assert!(cause.contains("restore it"), "{cause}");
    }

    #[test]
    fn the_number_of_a_request_is_left_out() {
        let body = "status code: 403 Forbidden: <Code>AuthenticationFailed</Code><Message>No header.\nRequestId:1-2\nTime:2026</Message>";
        let error = StoreError::Generic { store: "MicrosoftAzure", source: body.into() };
        let (_, cause) = describe(&error, &Redaction::default(), Purpose::Read);
        let expected = "the store answers 403 AuthenticationFailed: No header.; check fs.azure.account.key or AZURE_STORAGE_ACCOUNT_KEY, or the options of OAuth";
        assert_eq!(cause, expected);
    }

    #[test]
    fn kinds_follow_the_status() {
        for (status, kind) in [
            ("404 Not Found", DirectoryErrorKind::NotFound),
            ("401 Unauthorized", DirectoryErrorKind::Denied),
            ("503 Slow Down", DirectoryErrorKind::Unavailable),
        ] {
            let error = generic(&format!("Server returned non-2xx status code: {status}: "));
            assert_eq!(describe(&error, &Redaction::default(), Purpose::Read).0, kind, "{status}");
        }
    }
}
