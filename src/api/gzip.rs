//! gzip on the way to the client, and back for clients that do not take it.
//!
//! Level 1 throughout: documents shrink to about a tenth with it already, and a server on two cores has better uses for its time.

use std::io::{self, Read, Write};

use axum::body::Body;
use bytes::Bytes;
use flate2::Compression;
use flate2::read::GzDecoder;
use flate2::write::GzEncoder;
use futures::stream;

use crate::tasks;

use super::error::ApiError;

/// Bodies smaller than this are sent as they are: they fit in one packet anyway.
pub(super) const WORTHWHILE: u64 = 1024;

/// Up to this size compressing takes less time than handing it to another thread.
const INLINE: usize = 32 << 10;

/// Bytes that are unpacked at once while a kept list is streamed as identity.
const UNPACKED_AT_ONCE: usize = 64 << 10;

/// Compresses what is pushed into it.
pub(super) struct Packer(GzEncoder<Vec<u8>>);

impl Packer {
    /// An empty one.
    pub(super) fn new() -> Self {
        Self(GzEncoder::new(Vec::new(), Compression::fast()))
    }

    /// Adds bytes.
    ///
    /// # Errors
    /// Never in practice: it writes to memory.
    pub(super) fn push(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.0.write_all(bytes)
    }

    /// Compressed bytes that are ready.
    pub(super) fn take(&mut self) -> Bytes {
        std::mem::take(self.0.get_mut()).into()
    }

    /// The rest.
    ///
    /// # Errors
    /// Never in practice: it writes to memory.
    pub(super) fn finish(self) -> io::Result<Bytes> {
        self.0.finish().map(Bytes::from)
    }
}

/// Compresses a whole body.
pub(super) async fn whole(text: Bytes) -> Result<Bytes, ApiError> {
    let inline = text.len() <= INLINE;
    let pack = move || {
        let mut packer = Packer::new();
        packer.push(&text)?;
        packer.finish()
    };
    let packed = if inline { pack() } else { tasks::spawn_blocking(pack).await };
    packed.map_err(|error| ApiError::internal(format!("compressing an answer failed: {error}")))
}

/// Adds a chunk and gives back what is ready, off the async threads where the chunk is large.
pub(super) async fn push(mut packer: Packer, chunk: Bytes) -> io::Result<(Packer, Bytes)> {
    let inline = chunk.len() <= INLINE;
    let pack = move || {
        packer.push(&chunk)?;
        let ready = packer.take();
        Ok((packer, ready))
    };
    if inline { pack() } else { tasks::spawn_blocking(pack).await }
}

/// Unpacks a kept body piece by piece while it is sent.
pub(super) fn unpacked(packed: Bytes) -> Body {
    let decoder = GzDecoder::new(io::Cursor::new(packed));
    Body::from_stream(stream::try_unfold(decoder, async |mut decoder| {
        let mut piece = Vec::with_capacity(UNPACKED_AT_ONCE);
        let read = decoder.by_ref().take(UNPACKED_AT_ONCE as u64).read_to_end(&mut piece)?;
        io::Result::Ok((read > 0).then(|| (Bytes::from(piece), decoder)))
    }))
}

#[cfg(test)]
mod tests {
    use http_body_util::BodyExt as _;

    use super::*;

    #[tokio::test]
    async fn what_is_packed_whole_or_in_chunks_unpacks_to_the_same() {
        let text: Vec<u8> = (0..300_000_u32).flat_map(u32::to_le_bytes).collect();
        let packed = whole(Bytes::from(text.clone())).await.unwrap();
        assert_eq!(unpacked(packed).collect().await.unwrap().to_bytes(), text);

        let (mut packer, mut packed) = (Packer::new(), Vec::new());
        for chunk in text.chunks(70_000) {
            let ready;
            (packer, ready) = push(packer, Bytes::copy_from_slice(chunk)).await.unwrap();
            packed.extend_from_slice(&ready);
        }
        packed.extend_from_slice(&packer.finish().unwrap());
        assert_eq!(unpacked(packed.into()).collect().await.unwrap().to_bytes(), text);
    }
}
