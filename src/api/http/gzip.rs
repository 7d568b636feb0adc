//! Compression with gzip for clients that accept it, and decompression of kept texts for the others.

use std::io;
use std::sync::Arc;

use axum::body::Body;
use bytes::Bytes;
use flate2::Crc;
use futures::stream;

use crate::api::http::budget::{Budget, Room};
use crate::api::http::deflate::{self, ANSWERS, Effort};
use crate::api::http::error::ApiError;

/// Bodies smaller than this are sent as they are: they fit in one packet anyway.
pub(in crate::api) const WORTHWHILE: u64 = 1024;

/// Up to this size compressing takes less time than handing it to another thread.
const INLINE: usize = 32 << 10;

/// Bytes of the text of one segment of a kept body: the unit of decompression for a client that does not accept gzip.
const SEGMENT: usize = 32 << 10;

/// Method deflate, no name, no time, fastest, unknown system.
const HEAD: [u8; 10] = [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 4, 255];

/// Compresses a text piece by piece.
pub(in crate::api) struct Packer {
    read: Crc,
    begun: bool,
}

impl Packer {
    /// An empty one.
    pub(in crate::api) fn new() -> Self {
        Self { read: Crc::new(), begun: false }
    }

    /// The compressed bytes of the next piece.
    ///
    /// # Errors
    /// Never in practice: it writes to memory.
    pub(in crate::api) fn pack(&mut self, text: &[u8]) -> io::Result<Bytes> {
        let segment = deflate::segment(text, Effort::Fast)?;
        self.read.update(text);
        if std::mem::replace(&mut self.begun, true) {
            return Ok(segment.into());
        }
        Ok([&HEAD[..], &segment].concat().into())
    }

    /// The end.
    pub(in crate::api) fn finish(self) -> Bytes {
        let head = if self.begun { &[][..] } else { &HEAD };
        [head, deflate::END, &self.read.sum().to_le_bytes(), &self.read.amount().to_le_bytes()].concat().into()
    }
}

/// Compresses a whole body.
pub(in crate::api) async fn whole(text: Bytes) -> Result<Bytes, ApiError> {
    let inline = text.len() <= INLINE;
    let pack = move || {
        let mut packer = Packer::new();
        let text = packer.pack(&text)?;
        io::Result::Ok(Bytes::from([text, packer.finish()].concat()))
    };
    let packed = if inline { pack() } else { ANSWERS.run(pack).await };
    packed.map_err(|error| ApiError::internal(format!("compressing an answer failed: {error}")))
}

/// Compresses a piece, off the async threads where it is large.
pub(in crate::api) async fn push(mut packer: Packer, piece: Bytes) -> io::Result<(Packer, Bytes)> {
    let inline = piece.len() <= INLINE;
    let pack = move || packer.pack(&piece).map(|packed| (packer, packed));
    if inline { pack() } else { ANSWERS.run(pack).await }
}

/// A text that is kept compressed and sent compressed or not, without a copy or a compressor for each client.
pub(in crate::api) struct Kept {
    /// Head, segments, end.
    packed: Vec<Bytes>,
    /// Bytes of the text.
    length: u64,
    /// Its memory is counted while it is sent to any client.
    _room: Room,
}

impl Kept {
    /// Bytes of the text.
    pub(in crate::api) fn length(&self) -> u64 {
        self.length
    }

    /// Bytes of it compressed.
    pub(in crate::api) fn packed_length(&self) -> u64 {
        self.packed.iter().map(|bytes| bytes.len() as u64).sum()
    }

    /// The body for clients that take gzip.
    pub(in crate::api) fn packed(self: &Arc<Self>) -> Body {
        let from = (Arc::clone(self), 0);
        Body::from_stream(stream::unfold(from, async |(kept, next)| {
            Some((io::Result::Ok(kept.packed.get(next)?.clone()), (kept, next + 1)))
        }))
    }

    /// The body for others.
    pub(in crate::api) fn unpacked(self: &Arc<Self>, budget: &Budget) -> Body {
        let from = (Arc::clone(self), 1, budget.clone());
        Body::from_stream(stream::try_unfold(from, async |(kept, next, budget)| {
            if next + 1 >= kept.packed.len() {
                return Ok(None);
            }
            let before = (next as u64 - 1) * SEGMENT as u64;
            let length = usize::try_from(kept.length - before).unwrap_or(usize::MAX).min(SEGMENT);
            let (room, segment) = (budget.piece(length), kept.packed[next].clone());
            let text = ANSWERS.run(move || deflate::text(&segment, length)).await?;
            io::Result::Ok(Some((room.holding(text.into()), (kept, next + 1, budget))))
        }))
    }
}

/// Writes a text that is kept.
pub(in crate::api) struct KeptWriter {
    packed: Vec<Bytes>,
    length: u64,
    read: Crc,
    text: Vec<u8>,
}

impl KeptWriter {
    /// An empty one.
    pub(in crate::api) fn new() -> Self {
        Self { packed: vec![Bytes::from_static(&HEAD)], length: 0, read: Crc::new(), text: Vec::with_capacity(SEGMENT) }
    }

    /// Adds to the text.
    ///
    /// # Errors
    /// Never in practice: it writes to memory.
    pub(in crate::api) fn push(&mut self, mut text: &[u8]) -> io::Result<()> {
        self.length += text.len() as u64;
        while !text.is_empty() {
            let (now, later) = text.split_at(text.len().min(SEGMENT - self.text.len()));
            self.text.extend_from_slice(now);
            text = later;
            if self.text.len() == SEGMENT {
                self.pack()?;
            }
        }
        Ok(())
    }

    fn pack(&mut self) -> io::Result<()> {
        self.read.update(&self.text);
        self.packed.push(deflate::segment(&self.text, Effort::Fast)?.into());
        self.text.clear();
        Ok(())
    }

    /// The text, whole. Its memory is counted from now on.
    ///
    /// # Errors
    /// Never in practice: it writes to memory.
    pub(in crate::api) fn finish(mut self, budget: &Budget) -> io::Result<Arc<Kept>> {
        if !self.text.is_empty() {
            self.pack()?;
        }
        self.packed.push([deflate::END, &self.read.sum().to_le_bytes(), &self.read.amount().to_le_bytes()].concat().into());
        let room = budget.needed(self.packed.iter().map(Bytes::len).sum());
        Ok(Arc::new(Kept { packed: self.packed, length: self.length, _room: room }))
    }
}

#[cfg(test)]
mod tests {
    use std::io::Read as _;

    use flate2::read::GzDecoder;
    use http_body_util::BodyExt as _;

    use super::*;

    fn unpacked(packed: &[u8]) -> Vec<u8> {
        let mut text = Vec::new();
        let mut decoder = GzDecoder::new(packed);
        decoder.read_to_end(&mut text).unwrap();
        assert_eq!(decoder.into_inner().len(), 0, "one member, and nothing after it");
        text
    }

    fn text() -> Vec<u8> {
        (0..300_000_u32).flat_map(u32::to_le_bytes).collect()
    }

    #[tokio::test]
    async fn what_is_packed_whole_or_in_pieces_unpacks_to_the_same() {
        assert_eq!(unpacked(&whole(Bytes::from(text())).await.unwrap()), text());
        assert_eq!(unpacked(&whole(Bytes::new()).await.unwrap()), b"");

        let (mut packer, mut packed) = (Packer::new(), Vec::new());
        for piece in text().chunks(70_000) {
            let ready;
            (packer, ready) = push(packer, Bytes::copy_from_slice(piece)).await.unwrap();
            packed.extend_from_slice(&ready);
        }
        packed.extend_from_slice(&packer.finish());
        assert_eq!(unpacked(&packed), text());
        assert_eq!(unpacked(&Packer::new().finish()), b"");
    }

    #[tokio::test]
    async fn a_kept_text_is_sent_either_way() {
        for length in [0, 1, SEGMENT - 1, SEGMENT, SEGMENT + 1, 5 * SEGMENT + 7] {
            let text = &text()[..length];
            let mut writer = KeptWriter::new();
            for piece in text.chunks(10_007) {
                writer.push(piece).unwrap();
            }
            let budget = Budget::default();
            let kept = writer.finish(&budget).unwrap();
            assert_eq!(budget.used(), kept.packed_length());
            let packed = kept.packed().collect().await.unwrap().to_bytes();
            assert_eq!((packed.len() as u64, kept.length()), (kept.packed_length(), length as u64));
            assert_eq!(unpacked(&packed), text);
            assert_eq!(kept.unpacked(&budget).collect().await.unwrap().to_bytes(), text);
            drop(kept);
            assert_eq!(budget.used(), 0);
        }
    }
}
