//! Packs: the documents of one archive, compressed, in parts. Pure: bytes in, bytes out.

/// One part of a pack, as stored: at most 1 MiB of documents in zstd frames of 64 KiB.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Part {
    /// Bytes of documents in it, uncompressed.
    pub length: u64,
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

/// Compresses documents into parts as they come.
#[derive(Default)]
pub struct Packer {}

impl Packer {
    /// Adds a document. Gives back the parts that are full with it, in order; a document larger than a part spans several.
    pub fn push(&mut self, _path: &str, _document: &[u8]) -> Vec<Part> {
        unimplemented!("skeleton")
    }

    /// Closes the last part.
    #[must_use]
    pub fn finish(self) -> Option<Part> {
        unimplemented!("skeleton")
    }
}

/// Where a document begins in a part.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place {
    /// Frame within the part.
    pub frame: u32,
    /// Bytes into that frame, uncompressed.
    pub offset: u32,
    /// Bytes of the document, uncompressed; it goes on in the following frames, and parts.
    pub length: u64,
}

/// Looks a path up in a stored part's directory.
///
/// # Errors
/// [`Damaged`].
pub fn find(_directory: &[u8], _path: &str) -> Result<Option<Place>, Damaged> {
    unimplemented!("skeleton")
}

/// All documents that begin in a part, in archive order: path and place. Duplicates of a path are all given.
///
/// # Errors
/// [`Damaged`].
pub fn list(_directory: &[u8]) -> Result<Vec<(String, Place)>, Damaged> {
    unimplemented!("skeleton")
}

/// Bytes of documents from a place to the end of its part, uncompressed.
///
/// # Errors
/// [`Damaged`].
pub fn remaining(_directory: &[u8], _frame: u32, _offset: u32) -> Result<u64, Damaged> {
    unimplemented!("skeleton")
}

/// Unpacks up to `wanted` bytes from a place on, within this part: fewer only when the part ends.
/// An offset beyond its frame goes on counting in the following ones; beyond the part there is nothing.
///
/// # Errors
/// [`Damaged`].
pub fn unpack(_directory: &[u8], _frames: &[u8], _frame: u32, _offset: u32, _wanted: u64) -> Result<Vec<u8>, Damaged> {
    unimplemented!("skeleton")
}
