//! zstd with numbered dictionaries. Contexts are expensive to create, so they are reused.
//!
//! A part contains the number of the set of dictionaries that it was written with, so new sets can be added. Sets are append-only: a
//! part whose set was removed could not be read.

use std::sync::{LazyLock, Mutex, PoisonError};

use zstd::bulk::{Compressor, Decompressor};
use zstd::dict::{DecoderDictionary, EncoderDictionary};
use zstd::zstd_safe::CParameter;

/// Level 6 halves the speed for a few percent; level 1 costs a tenth of the space.
const LEVEL: i32 = 3;
/// Limit of the unused contexts per dictionary: a compressing one takes about 1 MiB.
const MAX_IDLE_CONTEXTS: usize = 8;

/// The set for new parts.
pub(super) const CURRENT: u64 = 1;

/// The content of a block of a part. Each kind has a dictionary of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// Bytes of documents.
    Documents,
    /// The table of paths.
    Paths,
}

/// One dictionary, prepared for both directions.
pub(super) struct Codec {
    encoder: &'static LazyLock<EncoderDictionary<'static>>,
    decoder: &'static LazyLock<DecoderDictionary<'static>>,
    encoders: Mutex<Vec<Encoder>>,
    decoders: Mutex<Vec<Decompressor<'static>>>,
}

struct Encoder {
    compressor: Compressor<'static>,
    buffer: Vec<u8>,
}

macro_rules! codec {
    ($name:ident, $bytes:expr) => {
        static $name: Codec = {
            static ENCODER: LazyLock<EncoderDictionary<'static>> = LazyLock::new(|| EncoderDictionary::copy($bytes, LEVEL));
            static DECODER: LazyLock<DecoderDictionary<'static>> = LazyLock::new(|| DecoderDictionary::copy($bytes));
            Codec { encoder: &ENCODER, decoder: &DECODER, encoders: Mutex::new(Vec::new()), decoders: Mutex::new(Vec::new()) }
        };
    };
}

codec!(DOCUMENTS_1, include_bytes!("documents-1.zstd-dict"));
codec!(PATHS_1, include_bytes!("paths-1.txt"));

/// The dictionary of a set; `None` if there is no such set.
pub(super) fn codec(set: u64, kind: Kind) -> Option<&'static Codec> {
    match (set, kind) {
        (1, Kind::Documents) => Some(&DOCUMENTS_1),
        (1, Kind::Paths) => Some(&PATHS_1),
        _ => None,
    }
}

/// The dictionary of the set [`CURRENT`].
pub(super) fn current(kind: Kind) -> &'static Codec {
    match kind {
        Kind::Documents => &DOCUMENTS_1,
        Kind::Paths => &PATHS_1,
    }
}

impl Codec {
    /// Appends `raw` compressed, or unchanged where compression does not shorten it. Returns the number of appended bytes.
    pub(super) fn compress(&self, raw: &[u8], stored: &mut Vec<u8>) -> usize {
        let before = stored.len();
        // Without memory for a context, bytes are stored unchanged.
        if let Some(mut encoder) = reuse(&self.encoders, || self.make_encoder()) {
            encoder.buffer.clear();
            encoder.buffer.reserve(zstd::zstd_safe::compress_bound(raw.len()));
            match encoder.compressor.compress_to_buffer(raw, &mut encoder.buffer) {
                Ok(length) if length < raw.len() => stored.extend_from_slice(&encoder.buffer),
                _ => {}
            }
            put_back(&self.encoders, encoder);
        }
        if stored.len() == before {
            stored.extend_from_slice(raw);
        }
        stored.len() - before
    }

    fn make_encoder(&self) -> Option<Encoder> {
        let mut compressor = Compressor::with_prepared_dictionary(self.encoder).ok()?;
        // Four bytes each: the checksum detects damage. The number of the dictionary is in the part already.
        compressor.set_parameter(CParameter::ChecksumFlag(true)).ok()?;
        compressor.set_parameter(CParameter::DictIdFlag(false)).ok()?;
        Some(Encoder { compressor, buffer: Vec::new() })
    }

    /// Decompresses into `raw`, which is cleared before. `None` if the result does not have exactly `length` bytes.
    pub(super) fn decompress(&self, stored: &[u8], length: usize, raw: &mut Vec<u8>) -> Option<()> {
        raw.clear();
        if stored.len() == length {
            raw.extend_from_slice(stored);
            return Some(());
        }
        if raw.capacity() < length {
            raw.try_reserve_exact(length).ok()?;
        }
        let mut decoder = reuse(&self.decoders, || Decompressor::with_prepared_dictionary(self.decoder).ok())?;
        // The context can be reused after a failure: each call resets it.
        let result = decoder.decompress_to_buffer(stored, raw);
        put_back(&self.decoders, decoder);
        (result.ok()? == length).then_some(())
    }
}

fn reuse<T>(kept: &Mutex<Vec<T>>, make: impl FnOnce() -> Option<T>) -> Option<T> {
    let context = kept.lock().unwrap_or_else(PoisonError::into_inner).pop();
    context.or_else(make)
}

fn put_back<T>(kept: &Mutex<Vec<T>>, context: T) {
    let mut kept = kept.lock().unwrap_or_else(PoisonError::into_inner);
    if kept.len() < MAX_IDLE_CONTEXTS {
        kept.push(context);
    }
}
