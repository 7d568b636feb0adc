//! Tasks and blocking work, which run within the current tracing span. No other module starts them.

mod workers;

pub use workers::Workers;

use tokio::task::JoinHandle;
use tracing::Instrument as _;

/// Starts a task that carries the current span.
pub fn spawn<F>(future: F) -> JoinHandle<F::Output>
where
    F: Future<Output: Send + 'static> + Send + 'static,
{
    #[expect(clippy::disallowed_methods, reason = "this is the wrapper that carries the span")]
    tokio::spawn(future.in_current_span())
}

/// Runs blocking work outside the async threads, within the current span. A panic of the work is resumed in the caller.
pub async fn spawn_blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> T {
    let span = tracing::Span::current();
    #[expect(clippy::disallowed_methods, reason = "this is the wrapper that carries the span")]
    let handle = tokio::task::spawn_blocking(move || span.in_scope(work));
    match handle.await {
        Ok(value) => value,
        Err(error) => match error.try_into_panic() {
            Ok(panic) => std::panic::resume_unwind(panic),
            // Only a runtime that shuts down cancels blocking work. Then no caller needs the result.
            Err(_cancelled) => std::future::pending().await,
        },
    }
}
