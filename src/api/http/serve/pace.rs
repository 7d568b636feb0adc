//! A stream that fails when its peer reads too slowly.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::{Duration, Instant};

use metrics::counter;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Sleep, sleep_until};

use super::closed::CLOSED;
use super::places::Connection;

/// The minimum rate of a peer.
#[derive(Debug, Clone, Copy)]
pub(super) struct Pace {
    /// Time of waiting for the peer, after which its rate is checked.
    pub(super) window: Duration,
    /// Bytes that the peer must have taken in each second of it; one byte in all is the minimum.
    pub(super) min_rate: u64,
}

/// Fails writes to a peer that is too slow. Only time in which bytes were ready and could not be written counts: a server that is slow
/// is not held against it. Reads have other limits.
pub(super) struct PaceGuard<S> {
    stream: S,
    pace: Pace,
    connection: Arc<Connection>,
    /// Waited and taken since it was judged last.
    waited: Duration,
    taken: u64,
    /// Since when a write waits, and when it has failed.
    waiting: Option<(Instant, Pin<Box<Sleep>>)>,
}

impl<S> PaceGuard<S> {
    pub(super) fn new(stream: S, pace: Pace, connection: Arc<Connection>) -> Self {
        Self { stream, pace, connection, waited: Duration::ZERO, taken: 0, waiting: None }
    }

    /// Passes the result of a write on, and counts the bytes that were taken.
    fn watched(&mut self, context: &mut Context<'_>, written: Poll<io::Result<usize>>) -> Poll<io::Result<usize>> {
        if let Poll::Ready(done) = &written {
            if let Some((since, _)) = self.waiting.take() {
                self.waited += since.elapsed();
                self.connection.note_stalled(None);
            }
            self.taken += done.as_ref().map_or(0, |bytes| *bytes as u64);
            if self.waited >= self.pace.window {
                if self.is_too_slow() {
                    return Poll::Ready(Err(too_slow()));
                }
                (self.waited, self.taken) = (Duration::ZERO, 0);
            }
            return written;
        }
        if self.waiting.is_none() {
            let now = Instant::now();
            self.connection.note_stalled(Some(now));
            self.waiting = Some((now, Box::pin(sleep_until((now + self.pace.window.saturating_sub(self.waited)).into()))));
        }
        while let Some((since, sleep)) = &mut self.waiting {
            ready!(sleep.as_mut().poll(context));
            let now = Instant::now();
            self.waited += now - *since;
            *since = now;
            sleep.as_mut().reset((now + self.pace.window).into());
            if self.is_too_slow() {
                return Poll::Ready(Err(too_slow()));
            }
            (self.waited, self.taken) = (Duration::ZERO, 0);
        }
        Poll::Pending
    }

    fn is_too_slow(&self) -> bool {
        let min = (u128::from(self.pace.min_rate) * self.waited.as_millis() / 1000).max(1);
        u128::from(self.taken) < min
    }
}

fn too_slow() -> io::Error {
    counter!(CLOSED, "reason" => "slow").increment(1);
    io::Error::new(io::ErrorKind::TimedOut, "the client reads its answer too slowly")
}

impl<S: AsyncRead + Unpin> AsyncRead for PaceGuard<S> {
    fn poll_read(mut self: Pin<&mut Self>, context: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(context, buffer)
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for PaceGuard<S> {
    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write(context, bytes);
        self.watched(context, written)
    }

    fn poll_write_vectored(mut self: Pin<&mut Self>, context: &mut Context<'_>, slices: &[io::IoSlice<'_>]) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write_vectored(context, slices);
        self.watched(context, written)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    // A socket has nothing to flush, and does not wait to be closed.
    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, DuplexStream};

    use super::super::places::{Entered, Places};
    use super::*;
    use crate::api::http::budget::Stalled as _;

    /// A peer, a stream to it that holds 1,000 bytes, and the connection.
    fn guarded(window: Duration) -> (DuplexStream, PaceGuard<DuplexStream>, Entered) {
        let entered = Arc::new(Places::new(1, 1)).enter(Ipv4Addr::LOCALHOST.into());
        let (near, far) = tokio::io::duplex(1_000);
        let guard = PaceGuard::new(near, Pace { window, min_rate: 1_000 }, Arc::clone(&entered.connection));
        (far, guard, entered)
    }

    #[tokio::test]
    async fn a_peer_that_takes_nothing_is_given_up() {
        let (_far, mut guarded, _entered) = guarded(Duration::from_millis(10));
        let error = guarded.write_all(&[0; 2_000]).await.unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::TimedOut);
    }

    #[tokio::test]
    async fn a_peer_that_takes_something_every_now_and_then_but_too_little_is_given_up() {
        let (mut far, mut guarded, _entered) = guarded(Duration::from_millis(50));
        // One byte whenever a write waits, however long this takes.
        let error = loop {
            tokio::select! {
                written = guarded.write(&[0; 2_000]) => if let Err(error) = written { break error },
                () = tokio::time::sleep(Duration::from_millis(5)) => { far.read_u8().await.unwrap(); }
            }
        };
        assert_eq!(error.kind(), io::ErrorKind::TimedOut);
    }

    #[tokio::test]
    async fn a_peer_that_is_slow_enough_to_wait_for_is_noted_while_it_waits_alone() {
        let (mut far, mut guarded, entered) = guarded(Duration::from_hours(1));
        for _ in 0..3 {
            while futures::poll!(std::pin::pin!(guarded.write(&[0; 1_000]))).is_ready() {}
            assert!(guarded.waiting.is_some());
            far.read_exact(&mut [0; 1_000]).await.unwrap();
            assert!(futures::poll!(std::pin::pin!(guarded.write(&[0; 1_000]))).is_ready());
            assert!(guarded.waiting.is_none() && !entered.places.close_stalled(Duration::ZERO));
        }
        while futures::poll!(std::pin::pin!(guarded.write(&[0; 1_000]))).is_ready() {}
        assert!(entered.places.close_stalled(Duration::ZERO));
    }

    #[tokio::test]
    async fn a_peer_is_judged_by_what_it_takes_in_the_time_that_was_waited_for_it() {
        let (_far, mut guarded, _entered) = guarded(Duration::from_mins(1));
        for (waited, taken, too_slow) in [(60, 170 * 60, true), (60, 59_999, true), (60, 60_000, false), (90, 60_000, true), (0, 1, false)]
        {
            (guarded.waited, guarded.taken) = (Duration::from_secs(waited), taken);
            assert_eq!(guarded.is_too_slow(), too_slow, "{taken} bytes in {waited} s");
        }
    }
}
