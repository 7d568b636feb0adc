//! Compresses short texts outside of packs, with the dictionary of documents.

use super::codec::{CURRENT, Kind, codec, current};
use super::{Damaged, varint};

/// Maximum of bytes of a text.
const MAX_TEXT_BYTES: usize = 1 << 20;

/// Compresses a text of up to 1 MiB.
#[must_use]
pub fn pack_text(text: &str) -> Vec<u8> {
    let mut stored = Vec::new();
    varint::put(&mut stored, CURRENT);
    varint::put(&mut stored, text.len() as u64);
    current(Kind::Documents).compress(text.as_bytes(), &mut stored);
    stored
}

/// The inverse of [`pack_text`].
///
/// # Errors
/// [`Damaged`].
pub fn unpack_text(stored: &[u8]) -> Result<String, Damaged> {
    unpack(stored).ok_or_else(|| Damaged("a text of the search cannot be decompressed".to_owned()))
}

fn unpack(mut stored: &[u8]) -> Option<String> {
    let set = varint::take(&mut stored)?;
    let length = usize::try_from(varint::take(&mut stored)?).ok().filter(|length| *length <= MAX_TEXT_BYTES)?;
    let mut raw = Vec::new();
    codec(set, Kind::Documents)?.decompress(stored, length, &mut raw)?;
    String::from_utf8(raw).ok()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_text_survives_packing(text in ".{0,200}", times in 0..20_usize) {
            let text = text.repeat(times);
            prop_assert_eq!(unpack_text(&pack_text(&text)), Ok(text));
        }

        #[test]
        fn damage_never_panics(bytes in prop::collection::vec(any::<u8>(), 0..40)) {
            let _text = unpack_text(&bytes);
        }
    }
}
