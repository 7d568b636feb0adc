//! Containment of panics. A client of a store that panics must not end the refreshing of other directories.

use std::any::Any;
use std::future::Future;
use std::panic::AssertUnwindSafe;

use bytes::Bytes;
use futures::FutureExt as _;
use futures::stream::{BoxStream, StreamExt as _};

use super::error::DirectoryError;
use crate::names::DirectoryUrl;

/// Runs an operation on a directory. A panic becomes an error that can be retried.
pub(super) async fn contained<T>(
    url: &DirectoryUrl,
    operation: impl Future<Output = Result<T, DirectoryError>>,
) -> Result<T, DirectoryError> {
    AssertUnwindSafe(operation).catch_unwind().await.unwrap_or_else(|panic| Err(panicked(url, panic.as_ref())))
}

/// The stream, which ends with an error after a panic.
pub(super) fn contained_stream(
    url: &DirectoryUrl,
    chunks: BoxStream<'static, Result<Bytes, DirectoryError>>,
) -> BoxStream<'static, Result<Bytes, DirectoryError>> {
    let url = url.clone();
    AssertUnwindSafe(chunks).catch_unwind().map(move |chunk| chunk.unwrap_or_else(|panic| Err(panicked(&url, panic.as_ref())))).boxed()
}

/// The error after a panic. Its text may contain anything, so only its first line is repeated, shortened.
fn panicked(url: &DirectoryUrl, panic: &(dyn Any + Send)) -> DirectoryError {
    let text = panic.downcast_ref::<&str>().copied().or_else(|| panic.downcast_ref::<String>().map(String::as_str)).unwrap_or("no message");
    let line: String = text.lines().next().unwrap_or_default().chars().take(120).collect();
    DirectoryError::unavailable(format!(
        "the client of archive directory {url} failed by a fault of the program ({line}); check the options and environment variables of this \
         store, and report the fault; the directory is tried again at the next refresh"
    ))
}

#[cfg(test)]
mod tests {
    use futures::stream;

    use super::*;
    use crate::directory::DirectoryErrorKind;

    #[tokio::test]
    async fn a_panic_is_an_error_that_names_the_directory() {
        let url = DirectoryUrl::new("s3://bucket/a");
        let error =
            contained(&url, async { if url.as_str().is_empty() { Ok(()) } else { panic!("first line\nsecond") } }).await.unwrap_err();
        assert_eq!(error.kind, DirectoryErrorKind::Unavailable);
        assert!(error.message.contains("s3://bucket/a") && error.message.contains("(first line)"), "{error}");
        assert_eq!(contained(&url, async { Ok(1) }).await, Ok(1));
    }

    #[tokio::test]
    async fn a_stream_ends_after_a_panic() {
        let chunks = stream::iter(0..3).map(|number| if number == 1 { panic!("broken") } else { Ok(Bytes::from_static(b"x")) }).boxed();
        let chunks: Vec<_> = contained_stream(&DirectoryUrl::new("s3://bucket/a"), chunks).collect().await;
        assert_eq!(chunks.len(), 2);
        assert!(chunks[0].is_ok() && chunks[1].as_ref().is_err_and(|error| error.message.contains("(broken)")));
    }
}
