//! A body that is sent in small portions, so that little of it waits for the client.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use axum::body::{Body, HttpBody};
use bytes::Bytes;
use http_body::{Frame, SizeHint};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio_util::sync::PollSemaphore;

/// Maximum bytes of a portion.
const PORTION: usize = 16 << 10;

/// Portions in flight at a time.
const PORTIONS: usize = 2;

/// Sends a body in portions, each once an earlier one was written to the socket. `K` is kept until the body has ended.
pub(super) struct Portions<K> {
    body: Body,
    /// Bytes of the body that are not sent yet.
    rest: Bytes,
    places: PollSemaphore,
    _kept: K,
}

impl<K> Portions<K> {
    pub(super) fn new(body: Body, kept: K) -> Self {
        Self { body, rest: Bytes::new(), places: PollSemaphore::new(Arc::new(Semaphore::new(PORTIONS))), _kept: kept }
    }
}

/// A portion in flight.
struct Portion {
    bytes: Bytes,
    _place: OwnedSemaphorePermit,
}

impl AsRef<[u8]> for Portion {
    fn as_ref(&self) -> &[u8] {
        &self.bytes
    }
}

impl<K: Unpin> HttpBody for Portions<K> {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        let this = self.get_mut();
        // The next chunk is made once there is room for it.
        let Some(place) = ready!(this.places.poll_acquire(context)) else { return Poll::Ready(None) };
        while this.rest.is_empty() {
            let frame = match ready!(Pin::new(&mut this.body).poll_frame(context)) {
                Some(Ok(frame)) => frame,
                ended => return Poll::Ready(ended),
            };
            match frame.into_data() {
                Ok(data) => this.rest = data,
                Err(other) => return Poll::Ready(Some(Ok(other))),
            }
        }
        let bytes = this.rest.split_to(this.rest.len().min(PORTION));
        Poll::Ready(Some(Ok(Frame::data(Bytes::from_owner(Portion { bytes, _place: place })))))
    }

    fn is_end_stream(&self) -> bool {
        self.rest.is_empty() && self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        let rest = self.rest.len() as u64;
        let of_body = self.body.size_hint();
        let mut hint = SizeHint::new();
        hint.set_lower(of_body.lower() + rest);
        if let Some(upper) = of_body.upper() {
            hint.set_upper(upper + rest);
        }
        hint
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use futures::{StreamExt as _, stream};
    use http_body_util::BodyExt as _;

    use super::*;

    #[tokio::test]
    async fn a_body_comes_whole_in_small_portions() {
        let text: Vec<u8> = (0..100_000_u32).flat_map(u32::to_le_bytes).collect();
        let mut portions = Portions::new(Body::from(text.clone()), ());
        assert_eq!(portions.size_hint().exact(), Some(text.len() as u64));
        let mut read = Vec::new();
        while let Some(frame) = portions.frame().await {
            let data = frame.unwrap().into_data().unwrap();
            assert!(data.len() <= PORTION);
            read.extend_from_slice(&data);
        }
        assert_eq!(read, text);
        assert!(portions.is_end_stream());
        assert!(Portions::new(Body::empty(), ()).is_end_stream());
    }

    #[tokio::test]
    async fn nothing_is_made_for_a_client_that_takes_nothing() {
        let made = Arc::new(AtomicUsize::new(0));
        let making = Arc::clone(&made);
        let chunks = stream::repeat(Bytes::from_static(&[0; PORTION])).map(move |chunk| {
            making.fetch_add(1, Ordering::SeqCst);
            std::io::Result::Ok(chunk)
        });
        let mut portions = Portions::new(Body::from_stream(chunks), ());
        let mut taken = Vec::new();
        for _ in 0..PORTIONS {
            taken.push(portions.frame().await.unwrap().unwrap());
        }
        assert!(futures::poll!(portions.frame()).is_pending());
        assert_eq!(made.load(Ordering::SeqCst), PORTIONS);
        taken.pop();
        taken.push(portions.frame().await.unwrap().unwrap());
        assert!(futures::poll!(portions.frame()).is_pending());
        assert_eq!(made.load(Ordering::SeqCst), PORTIONS + 1);
    }
}
