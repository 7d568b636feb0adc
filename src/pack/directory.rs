//! The directory of one part, as stored.
//!
//! ```text
//! 1                  version of this format
//! number             set of dictionaries
//! number             bytes at the beginning that belong to a document of an earlier part
//! number             bytes of documents, uncompressed, up to 1 MiB; the number of frames follows from it
//! number per frame   bytes of the frame, as stored
//! number             bytes of the table, uncompressed
//! rest               the table: compressed, or unchanged where that is shorter
//! ```
//!
//! The table contains the number of documents, three numbers for each (bytes that its path shares with the previous path, further bytes
//! of the path, bytes of the document), and then the further bytes of all paths. Documents are concatenated, so their begins follow from
//! their lengths. Numbers are variable-length ([`varint`]).

use std::ops::Range;

use super::codec::{self, Codec, Kind};
use super::{Damaged, DocumentLocation, FRAME_BYTES, PART_BYTES, varint};

const VERSION: u8 = 1;
/// Maximum of bytes of a table, uncompressed. The packer closes a part long before, so a larger table is damaged.
const MAX_TABLE_BYTES: usize = 4 << 20;

fn damaged(what: &str) -> Damaged {
    Damaged(what.to_owned())
}

/// Builds the table of a part.
#[derive(Debug, Default)]
pub(super) struct TableBuilder {
    documents: u64,
    numbers: Vec<u8>,
    paths: Vec<u8>,
    last_path: String,
}

impl TableBuilder {
    pub(super) fn add(&mut self, path: &str, length: u64) {
        let shared = self.last_path.bytes().zip(path.bytes()).take_while(|(last, this)| last == this).count();
        let further = &path.as_bytes()[shared..];
        varint::put(&mut self.numbers, shared as u64);
        varint::put(&mut self.numbers, further.len() as u64);
        varint::put(&mut self.numbers, length);
        self.paths.extend_from_slice(further);
        path.clone_into(&mut self.last_path);
        self.documents += 1;
    }

    pub(super) fn is_empty(&self) -> bool {
        self.documents == 0
    }

    /// Approximate bytes of the table.
    pub(super) fn bytes(&self) -> usize {
        self.numbers.len() + self.paths.len()
    }

    /// Returns the directory of a part whose frames have these stored lengths, and clears the builder for the next part.
    pub(super) fn finish(&mut self, continued: u64, raw_bytes: u64, stored: &[u64]) -> Vec<u8> {
        let mut table = Vec::with_capacity(self.bytes() + 8);
        varint::put(&mut table, self.documents);
        table.append(&mut self.numbers);
        table.append(&mut self.paths);
        self.documents = 0;
        self.last_path.clear();

        let mut directory = vec![VERSION];
        varint::put(&mut directory, codec::CURRENT);
        varint::put(&mut directory, continued);
        varint::put(&mut directory, raw_bytes);
        for &bytes in stored {
            varint::put(&mut directory, bytes);
        }
        varint::put(&mut directory, table.len() as u64);
        codec::current(Kind::Paths).compress(&table, &mut directory);
        directory
    }
}

/// The uncompressed beginning of a directory.
#[derive(Debug)]
pub(super) struct Header<'a> {
    set: u64,
    continued: u64,
    /// Bytes of documents, uncompressed.
    pub(super) raw_bytes: u64,
    /// Ends of the frames; the first value is 0.
    ends: Vec<usize>,
    table_bytes: usize,
    table: &'a [u8],
}

impl<'a> Header<'a> {
    pub(super) fn parse(mut directory: &'a [u8]) -> Result<Self, Damaged> {
        let bytes = &mut directory;
        let truncated = || damaged("its directory is truncated");
        let (&version, rest) = bytes.split_first().ok_or_else(truncated)?;
        *bytes = rest;
        if version != VERSION {
            return Err(damaged("its directory has an unknown format"));
        }
        let set = varint::take(bytes).ok_or_else(truncated)?;
        let continued = varint::take(bytes).ok_or_else(truncated)?;
        let raw_bytes = varint::take(bytes).ok_or_else(truncated)?;
        if raw_bytes > PART_BYTES || continued > raw_bytes {
            return Err(damaged("its directory contains an invalid size"));
        }
        let mut ends = vec![0_usize];
        let mut end = 0_usize;
        for _ in 0..raw_bytes.div_ceil(FRAME_BYTES) {
            let stored = varint::take(bytes).and_then(|stored| usize::try_from(stored).ok()).ok_or_else(truncated)?;
            end = end.checked_add(stored).ok_or_else(truncated)?;
            ends.push(end);
        }
        let table_bytes = varint::take(bytes).and_then(|length| usize::try_from(length).ok()).ok_or_else(truncated)?;
        if table_bytes > MAX_TABLE_BYTES {
            return Err(damaged("its directory contains an invalid size"));
        }
        Ok(Self { set, continued, raw_bytes, ends, table_bytes, table: bytes })
    }

    pub(super) fn codec(&self, kind: Kind) -> Result<&'static Codec, Damaged> {
        codec::codec(self.set, kind)
            .ok_or_else(|| damaged("it needs compression dictionaries that this version of the server does not have"))
    }

    /// The range of a frame in the stored frames, and its uncompressed length.
    pub(super) fn frame(&self, frame: usize) -> Option<(Range<usize>, usize)> {
        let (&start, &end) = (self.ends.get(frame)?, self.ends.get(frame.checked_add(1)?)?);
        let before = (frame as u64).checked_mul(FRAME_BYTES)?;
        let raw = self.raw_bytes.checked_sub(before)?.min(FRAME_BYTES);
        Some((start..end, usize::try_from(raw).ok()?))
    }

    /// Stored bytes of all frames.
    pub(super) fn frames_bytes(&self) -> usize {
        self.ends.last().copied().unwrap_or(0)
    }

    /// Passes each document to `visit`: the bytes that its path shares with the previous path, the rest of the path, and the location.
    pub(super) fn documents(&self, mut visit: impl FnMut(usize, &[u8], DocumentLocation) -> Result<(), Damaged>) -> Result<(), Damaged> {
        let truncated = || damaged("its table is truncated");
        let mut table = Vec::new();
        let unpacked = self.codec(Kind::Paths)?.decompress(self.table, self.table_bytes, &mut table);
        unpacked.ok_or_else(|| damaged("its table cannot be decompressed"))?;

        let mut numbers = table.as_slice();
        let documents = varint::take(&mut numbers).ok_or_else(truncated)?;
        // The paths follow the numbers: skip those to find the paths.
        let mut paths = numbers;
        let three = documents.checked_mul(3).filter(|&three| three <= table.len() as u64).ok_or_else(truncated)?;
        for _ in 0..three {
            let length = paths.iter().position(|&byte| byte < 0x80).ok_or_else(truncated)?;
            paths = &paths[length + 1..];
        }
        let mut position = self.continued;
        for _ in 0..documents {
            let mut number = || varint::take(&mut numbers).ok_or_else(truncated);
            let (shared, further, length) = (number()?, number()?, number()?);
            let further = usize::try_from(further).map_err(|_| truncated())?;
            let (path, rest) = paths.split_at_checked(further).ok_or_else(truncated)?;
            paths = rest;
            if position > self.raw_bytes {
                return Err(damaged("its documents are longer than its frames"));
            }
            let location = DocumentLocation::at(position, length);
            visit(usize::try_from(shared).map_err(|_| truncated())?, path, location)?;
            position = position.saturating_add(length);
        }
        Ok(())
    }
}

/// Finds a path. When it repeats, the last document counts.
pub(super) fn find(directory: &[u8], path: &str) -> Result<Option<DocumentLocation>, Damaged> {
    let wanted = path.as_bytes();
    let mut found = None;
    // Bytes that the previous path shares with the wanted one. This is enough to compare the next path without building it.
    let mut matched = 0;
    let mut last_length = 0;
    Header::parse(directory)?.documents(|shared, further, location| {
        if shared > last_length {
            return Err(damaged("its table contains an invalid path"));
        }
        last_length = shared + further.len();
        if shared <= matched {
            let rest = &wanted[shared..];
            matched = shared + rest.iter().zip(further).take_while(|(wanted, this)| wanted == this).count();
            if matched == wanted.len() && matched == last_length {
                found = Some(location);
            }
        }
        Ok(())
    })?;
    Ok(found)
}

/// All documents that begin in a part.
pub(super) fn list(directory: &[u8]) -> Result<Vec<(String, DocumentLocation)>, Damaged> {
    let mut documents: Vec<(String, DocumentLocation)> = Vec::new();
    let mut path = Vec::new();
    // A few bytes of the table can represent long paths that each share nearly all of the previous path.
    let mut room = 64 * MAX_TABLE_BYTES;
    Header::parse(directory)?.documents(|shared, further, location| {
        if shared > path.len() {
            return Err(damaged("its table contains an invalid path"));
        }
        path.truncate(shared);
        path.extend_from_slice(further);
        room = room.checked_sub(path.len()).ok_or_else(|| damaged("the paths in its table are too long"))?;
        let text = str::from_utf8(&path).map_err(|_| damaged("its table contains a path that is not UTF-8"))?;
        documents.push((text.to_owned(), location));
        Ok(())
    })?;
    Ok(documents)
}
