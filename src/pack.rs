//! Packs: the documents of one archive, compressed, in parts. Pure: bytes in, bytes out.
//!
//! Documents are concatenated in archive order and divided into frames of 64 KiB. Each frame is compressed on its own, with a
//! dictionary that was trained on Flink's documents. A part contains up to 1 MiB of documents, so an archive of any size is written
//! while it is read. A document up to that size is in one part. A larger one begins at the beginning of a part and continues in the
//! following parts. The directory of a part lists the documents that begin in it, with their locations.
//!
//! ```
//! use historyserver::pack::{Packer, find, unpack};
//!
//! let mut packer = Packer::default();
//! let full = packer.push("/jobs/overview", br#"{"jobs":[]}"#);
//! assert!(full.is_empty(), "a small document fills no part");
//! let part = packer.finish().expect("the last part has the document");
//!
//! let location = find(&part.directory, "/jobs/overview")?.expect("the document is in the part");
//! let json = unpack(&part.directory, &part.frames, location.frame, location.offset, location.length)?;
//! assert_eq!(json, br#"{"jobs":[]}"#);
//! # Ok::<(), historyserver::pack::Damaged>(())
//! ```

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
/// Maximum of bytes of documents in a part, uncompressed.
pub const PART_BYTES: u64 = 1 << 20;

/// One part of a pack, as stored: up to 1 MiB of documents in zstd frames of 64 KiB.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Part {
    /// Compressed table: path → (frame, offset, length).
    pub directory: Vec<u8>,
    /// The frames, one after another.
    pub frames: Vec<u8>,
}

impl Part {
    /// Bytes of the stored part.
    #[must_use]
    pub fn stored_bytes(&self) -> u64 {
        (self.directory.len() + self.frames.len()) as u64
    }
}

/// A stored part or text is damaged.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("a stored pack is damaged: {0}")]
pub struct Damaged(pub String);

/// The location of a document: where it begins in a part, and its length.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DocumentLocation {
    /// Frame within the part.
    pub frame: u32,
    /// Bytes into that frame, uncompressed.
    pub offset: u32,
    /// Bytes of the document, uncompressed. It continues in the following frames and parts.
    pub length: u64,
}

impl DocumentLocation {
    /// The location of a document that begins at this position of a part.
    #[expect(clippy::cast_possible_truncation, reason = "a position is within a part, which is far smaller")]
    fn at(position: u64, length: u64) -> Self {
        Self { frame: (position / FRAME_BYTES) as u32, offset: (position % FRAME_BYTES) as u32, length }
    }

    /// The location of byte `position` of the document: the number of parts after the first one, and the frame and offset there.
    #[must_use]
    pub fn seek(&self, position: u64) -> (u64, u32, u32) {
        let from_part = (u64::from(self.frame) * FRAME_BYTES + u64::from(self.offset)).saturating_add(position);
        let location = Self::at(from_part % PART_BYTES, 0);
        (from_part / PART_BYTES, location.frame, location.offset)
    }
}

/// Finds a path in the directory of a stored part. When a path repeats, the last document counts.
///
/// # Errors
/// [`Damaged`].
pub fn find(directory: &[u8], path: &str) -> Result<Option<DocumentLocation>, Damaged> {
    directory::find(directory, path)
}

/// Lists all documents that begin in a part, in archive order. A repeated path is listed each time.
///
/// # Errors
/// [`Damaged`].
pub fn list(directory: &[u8]) -> Result<Vec<(String, DocumentLocation)>, Damaged> {
    directory::list(directory)
}

/// Unpacks up to `wanted` bytes from a location on, within this part. Returns fewer bytes only at the end of the part.
///
/// # Errors
/// [`Damaged`].
pub fn unpack(directory: &[u8], frames: &[u8], frame: u32, offset: u32, wanted: u64) -> Result<Vec<u8>, Damaged> {
    let header = Header::parse(directory)?;
    if header.frames_bytes() != frames.len() {
        return Err(Damaged("the length of its frames differs from its directory".to_owned()));
    }
    let start = u64::from(frame) * FRAME_BYTES + u64::from(offset);
    let length = header.raw_bytes.saturating_sub(start).min(wanted);
    let codec = header.codec(Kind::Documents)?;
    let cannot_decompress = || Damaged("a frame cannot be decompressed".to_owned());
    // At most one part. Kept in memory as it is, so it has no spare room.
    let mut unpacked = Vec::with_capacity(usize::try_from(length).map_err(|_| cannot_decompress())?);
    let mut raw = Vec::new();
    let (mut at, end) = (start, start + length);
    while at < end {
        let number = usize::try_from(at / FRAME_BYTES).map_err(|_| cannot_decompress())?;
        let (range, raw_bytes) = header.frame(number).ok_or_else(cannot_decompress)?;
        let stored = frames.get(range).ok_or_else(cannot_decompress)?;
        codec.decompress(stored, raw_bytes, &mut raw).ok_or_else(cannot_decompress)?;
        let frame_start = at - at % FRAME_BYTES;
        let from = usize::try_from(at - frame_start).map_err(|_| cannot_decompress())?;
        let to = usize::try_from(end - frame_start).map_err(|_| cannot_decompress())?.min(raw_bytes);
        unpacked.extend_from_slice(raw.get(from..to).ok_or_else(cannot_decompress)?);
        at = frame_start + to as u64;
    }
    Ok(unpacked)
}

#[cfg(test)]
mod tests;
