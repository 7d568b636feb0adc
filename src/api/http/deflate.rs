//! Compressed data in segments that know nothing of one another: between two of them no state is kept, which would be hundreds of
//! kilobytes for each client that takes its time.
//!
//! A segment ends at a whole byte (a sync flush) and refers to nothing before it, so that segments in a row are one deflate stream, and
//! each can be unpacked alone.

use std::cell::RefCell;
use std::io::{self, Read as _, Write as _};
use std::sync::LazyLock;
use std::thread::LocalKey;

use flate2::Compression;
use flate2::bufread::DeflateDecoder;
use flate2::write::DeflateEncoder;

use crate::tasks::Workers;

/// Ends a stream of segments: an empty last block.
pub(in crate::api) const END: &[u8] = &[3, 0];

/// Threads for answers that people wait for, and for files that are sent whole.
pub(in crate::api) static ANSWERS: LazyLock<Workers> = LazyLock::new(|| Workers::start("http-answers", threads()));
pub(in crate::api) static FILES: LazyLock<Workers> = LazyLock::new(|| Workers::start("http-files", threads()));

/// Half of the processors, so that the others serve small requests.
fn threads() -> usize {
    std::thread::available_parallelism().map_or(1, |processors| (processors.get() / 2).max(1))
}

/// How much work is put into a segment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::api) enum Effort {
    /// Documents shrink to about a tenth with it already.
    Fast,
    /// For files that are kept: nearly the best compression.
    Some,
}

type Encoder = DeflateEncoder<Vec<u8>>;

thread_local! {
    // Making one takes longer than to compress a few kilobytes with it.
    static FAST: RefCell<Encoder> = RefCell::new(Encoder::new(Vec::new(), Compression::fast()));
    static SOME: RefCell<Encoder> = RefCell::new(Encoder::new(Vec::new(), Compression::new(3)));
}

/// Compresses a text to one segment. Keeps a processor busy, about 10 ms for a megabyte.
///
/// # Errors
/// Never in practice: it writes to memory.
pub(in crate::api) fn segment(text: &[u8], effort: Effort) -> io::Result<Vec<u8>> {
    let encoder: &'static LocalKey<RefCell<Encoder>> = match effort {
        Effort::Fast => &FAST,
        Effort::Some => &SOME,
    };
    encoder.with_borrow_mut(|encoder| {
        encoder.write_all(text)?;
        encoder.flush()?;
        let mut segment = std::mem::take(encoder.get_mut());
        // It may wait for long; what is counted is its length.
        segment.shrink_to_fit();
        // Ends the stream, whose last bytes are not needed, and begins another.
        encoder.reset(Vec::new())?;
        Ok(segment)
    })
}

/// The text of a segment, which has so many bytes.
///
/// # Errors
/// It is none.
pub(in crate::api) fn text(segment: &[u8], length: usize) -> io::Result<Vec<u8>> {
    let mut text = vec![0; length];
    DeflateDecoder::new(segment).read_exact(&mut text)?;
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts() -> Vec<Vec<u8>> {
        let noise = (0..70_000_u32).map(|number| number.wrapping_mul(2_654_435_761).to_be_bytes()[0]).collect();
        vec![b"{\"jobs\":[".to_vec(), noise, Vec::new(), b"the same again ".repeat(4_000), b"the same again ".repeat(4_000), vec![b'x']]
    }

    #[test]
    fn segments_in_a_row_are_one_stream_and_each_unpacks_alone() {
        for effort in [Effort::Fast, Effort::Some] {
            let mut stream = Vec::new();
            for text in texts() {
                let segment = segment(&text, effort).unwrap();
                assert_eq!(super::text(&segment, text.len()).unwrap(), text);
                stream.extend_from_slice(&segment);
            }
            stream.extend_from_slice(END);
            let mut unpacked = Vec::new();
            let mut decoder = DeflateDecoder::new(&stream[..]);
            decoder.read_to_end(&mut unpacked).unwrap();
            assert_eq!((unpacked, decoder.total_in()), (texts().concat(), stream.len() as u64));
        }
    }

    #[test]
    fn what_is_no_segment_is_an_error() {
        assert!(text(&[0xff; 20], 10).is_err() && text(&[], 1).is_err());
    }
}
