//! Packs: the documents of one archive, compressed, in parts. Pure: bytes in, bytes out.
//!
//! Documents lie one behind another in archive order, cut into frames of 64 KiB that are compressed each for itself, with a
//! dictionary that knows Flink's documents. A part holds at most 1 MiB of documents, so that an archive of any size is
//! written as it is read. A document up to that size lies in one part; a larger one begins at the beginning of a part and
//! goes on in those that follow. The directory of a part tells which documents begin in it, and where.

mod codec;
mod directory;
mod packer;
mod text;
mod unpacker;
mod varint;

pub use packer::Packer;
pub use text::{pack_text, unpack_text};
pub use unpacker::Unpacker;

use codec::Kind;
use directory::Header;

/// Bytes of documents in a frame, uncompressed. The last frame of a part may have fewer.
pub const FRAME_BYTES: u64 = FRAME as u64;
const FRAME: usize = 64 << 10;
/// Bytes of documents in a part, uncompressed, at most.
pub const PART_BYTES: u64 = 1 << 20;

/// One part of a pack, as stored: at most 1 MiB of documents in zstd frames of 64 KiB.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Part {
    /// Compressed table: path → (frame, offset, length).
    pub directory: Vec<u8>,
    /// The frames, one after another.
    pub frames: Vec<u8>,
}

impl Part {
    /// Bytes that the part takes when stored.
    #[must_use]
    pub fn stored_bytes(&self) -> u64 {
        (self.directory.len() + self.frames.len()) as u64
    }
}

/// A stored part that does not unpack: damage.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("a stored pack is damaged: {0}")]
pub struct Damaged(pub String);

/// Where a document begins in a part.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DocumentLocation {
    /// Frame within the part.
    pub frame: u32,
    /// Bytes into that frame, uncompressed.
    pub offset: u32,
    /// Bytes of the document, uncompressed; it goes on in the following frames, and parts.
    pub length: u64,
}

impl DocumentLocation {
    /// The place of a document that begins so many bytes into a part.
    #[expect(clippy::cast_possible_truncation, reason = "a position lies within a part, which is far smaller")]
    fn at(position: u64, length: u64) -> Self {
        Self { frame: (position / FRAME_BYTES) as u32, offset: (position % FRAME_BYTES) as u32, length }
    }

    /// Where byte `position` of the document lies: how many parts further on, and the frame and offset there.
    #[must_use]
    pub fn seek(&self, position: u64) -> (u64, u32, u32) {
        let from_part = (u64::from(self.frame) * FRAME_BYTES + u64::from(self.offset)).saturating_add(position);
        let place = Self::at(from_part % PART_BYTES, 0);
        (from_part / PART_BYTES, place.frame, place.offset)
    }
}

/// Looks a path up in a stored part's directory. Of equal paths the last counts.
///
/// # Errors
/// [`Damaged`].
pub fn find(directory: &[u8], path: &str) -> Result<Option<DocumentLocation>, Damaged> {
    directory::find(directory, path)
}

/// All documents that begin in a part, in archive order: path and place. Duplicates of a path are all given.
///
/// # Errors
/// [`Damaged`].
pub fn list(directory: &[u8]) -> Result<Vec<(String, DocumentLocation)>, Damaged> {
    directory::list(directory)
}

/// Unpacks up to `wanted` bytes from a place on, within this part: fewer only when the part ends.
///
/// # Errors
/// [`Damaged`].
pub fn unpack(directory: &[u8], frames: &[u8], frame: u32, offset: u32, wanted: u64) -> Result<Vec<u8>, Damaged> {
    let header = Header::parse(directory)?;
    if header.frames_bytes() != frames.len() {
        return Err(Damaged("its frames are not as long as its directory tells".to_owned()));
    }
    let start = u64::from(frame) * FRAME_BYTES + u64::from(offset);
    let length = header.raw_bytes.saturating_sub(start).min(wanted);
    let codec = header.codec(Kind::Documents)?;
    let does_not_unpack = || Damaged("a frame does not unpack".to_owned());
    let mut unpacked = Vec::new();
    let mut raw = Vec::new();
    let (mut at, end) = (start, start + length);
    while at < end {
        let number = usize::try_from(at / FRAME_BYTES).map_err(|_| does_not_unpack())?;
        let (range, raw_bytes) = header.frame(number).ok_or_else(does_not_unpack)?;
        let stored = frames.get(range).ok_or_else(does_not_unpack)?;
        codec.decompress(stored, raw_bytes, &mut raw).ok_or_else(does_not_unpack)?;
        let frame_start = at - at % FRAME_BYTES;
        let from = usize::try_from(at - frame_start).map_err(|_| does_not_unpack())?;
        let to = usize::try_from(end - frame_start).map_err(|_| does_not_unpack())?.min(raw_bytes);
        unpacked.extend_from_slice(raw.get(from..to).ok_or_else(does_not_unpack)?);
        at = frame_start + to as u64;
    }
    Ok(unpacked)
}

#[cfg(test)]
mod tests;
