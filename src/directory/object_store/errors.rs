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

/// Kind and cause of an error.
pub(super) fn describe(error: &StoreError, redaction: &Redaction) -> (DirectoryErrorKind, String) {
    let status = status(error);
    let kind = match (error, status) {
        (StoreError::NotFound { .. }, _) | (_, Some(404)) => DirectoryErrorKind::NotFound,
        (StoreError::PermissionDenied { .. } | StoreError::Unauthenticated { .. }, _) | (_, Some(401 | 403)) => DirectoryErrorKind::Denied,
        (StoreError::InvalidPath { .. } | StoreError::NotSupported { .. } | StoreError::NotImplemented { .. }, _) => {
            DirectoryErrorKind::Refused
        }
        _ => DirectoryErrorKind::Unavailable,
    };
    let text = full_text(error);
    let cause = match (status, element(&text, "Code"), element(&text, "Message")) {
        (Some(status), Some(code), Some(message)) => format!("the store answers {status} {code}: {message}"),
        (Some(status), Some(code), None) => format!("the store answers {status} {code}"),
        (Some(status), None, _) => format!("the store answers {status}"),
        (None, _, _) => innermost(error),
    };
    (kind, redaction.apply(&cause))
}

/// The HTTP status of an error, which `object_store` contains only in the text.
fn status(error: &StoreError) -> Option<u16> {
    let text = full_text(error);
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
        let (kind, cause) = describe(&generic(body), &Redaction::default());
        assert_eq!(kind, DirectoryErrorKind::Denied);
        assert_eq!(cause, "the store answers 403 SignatureDoesNotMatch: The signature does not match");
    }

    #[test]
    fn neither_secrets_nor_queries_are_repeated() {
        let redaction = Redaction::new(["hunter2".to_owned(), "hunter2hunter2".to_owned(), "x".to_owned()]);
        let error = generic("error sending request for url (https://a.b/c?sig=abc&se=1) with key hunter2hunter2 and hunter2");
        let (kind, cause) = describe(&error, &redaction);
        assert_eq!(kind, DirectoryErrorKind::Unavailable);
        assert_eq!(cause, "error sending request for url (https://a.b/c with key *** and ***");
    }

    #[test]
    fn kinds_follow_the_status() {
        for (status, kind) in [
            ("404 Not Found", DirectoryErrorKind::NotFound),
            ("401 Unauthorized", DirectoryErrorKind::Denied),
            ("503 Slow Down", DirectoryErrorKind::Unavailable),
        ] {
            let error = generic(&format!("Server returned non-2xx status code: {status}: "));
            assert_eq!(describe(&error, &Redaction::default()).0, kind, "{status}");
        }
    }
}
