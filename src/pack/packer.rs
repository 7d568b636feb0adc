//! Documents in, parts out.

use std::mem;

use super::codec::{self, Kind};
use super::directory::TableBuilder;
use super::{FRAME, PART_BYTES, Part};

/// Bytes of a table from which on a part is closed, however few bytes its documents have.
const FULL_TABLE_BYTES: usize = 256 << 10;

/// Compresses documents into parts one by one. Keeps no more than one part in memory.
#[derive(Default)]
pub struct Packer {
    table: TableBuilder,
    /// Bytes at the beginning of the part that belong to a document of an earlier part.
    continued: u64,
    /// Bytes of documents in the part.
    raw_bytes: u64,
    /// Bytes of documents not yet in a frame: fewer than a frame.
    pending: Vec<u8>,
    frames: Vec<u8>,
    stored: Vec<u64>,
}

impl Packer {
    /// Adds a document and returns the parts that became full, in order. A document larger than a part spans several parts.
    /// Paths must not be longer than 64 KiB.
    pub fn push(&mut self, path: &str, document: &[u8]) -> Vec<Part> {
        let mut full = Vec::new();
        let fits = document.len() as u64 <= PART_BYTES - self.raw_bytes && self.table.bytes() < FULL_TABLE_BYTES;
        if !fits && !self.is_empty() {
            full.push(self.close());
        }
        self.table.add(path, document.len() as u64);
        let mut rest = document;
        let mut begins_here = true;
        while !rest.is_empty() {
            let pending = self.pending.len();
            let (now, later) = rest.split_at(rest.len().min(FRAME - pending));
            rest = later;
            self.raw_bytes += now.len() as u64;
            if !begins_here {
                self.continued += now.len() as u64;
            }
            if now.len() == FRAME {
                self.frame(now);
            } else {
                self.pending.extend_from_slice(now);
                if self.pending.len() == FRAME {
                    self.close_frame();
                }
            }
            if self.raw_bytes == PART_BYTES {
                full.push(self.close());
                begins_here = false;
            }
        }
        full
    }

    /// Closes and returns the last part; `None` if it is empty.
    #[must_use]
    pub fn finish(mut self) -> Option<Part> {
        if self.is_empty() { None } else { Some(self.close()) }
    }

    fn is_empty(&self) -> bool {
        self.table.is_empty() && self.raw_bytes == 0
    }

    fn frame(&mut self, raw: &[u8]) {
        let stored = codec::current(Kind::Documents).compress(raw, &mut self.frames);
        self.stored.push(stored as u64);
    }

    fn close_frame(&mut self) {
        let mut raw = mem::take(&mut self.pending);
        self.frame(&raw);
        raw.clear();
        self.pending = raw;
    }

    /// Closes the part and begins the next one, which continues with the rest of the current document.
    fn close(&mut self) -> Part {
        if !self.pending.is_empty() {
            self.close_frame();
        }
        let directory = self.table.finish(self.continued, self.raw_bytes, &self.stored);
        self.continued = 0;
        self.raw_bytes = 0;
        self.stored.clear();
        Part { directory, frames: mem::take(&mut self.frames) }
    }
}
