//! Short texts outside of packs, with the dictionary of documents.

use super::codec::{CURRENT, Kind, codec, current};
use super::{Damaged, varint};

/// No text is longer, in bytes.
const LONGEST: usize = 1 << 20;

/// Compresses a text of at most 1 MiB.
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
    unpack(stored).ok_or_else(|| Damaged("a text that is searched does not unpack".to_owned()))
}

fn unpack(mut stored: &[u8]) -> Option<String> {
    let set = varint::take(&mut stored)?;
    let length = usize::try_from(varint::take(&mut stored)?).ok().filter(|length| *length <= LONGEST)?;
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
        fn a_text_comes_back(text in ".{0,200}", times in 0..20_usize) {
            let text = text.repeat(times);
            prop_assert_eq!(unpack_text(&pack_text(&text)), Ok(text));
        }

        #[test]
        fn damage_is_told(bytes in prop::collection::vec(any::<u8>(), 0..40)) {
            // Whatever it is, nothing panics; a text that comes of it is one.
            let _text = unpack_text(&bytes);
        }
    }
}
