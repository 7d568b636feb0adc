//! Parts in, documents out.

use super::{Damaged, FRAME_BYTES, PART_BYTES, list, unpack};

/// Unpacks all documents of a pack in order. Keeps one part in memory, and a document that spans several.
#[derive(Default)]
pub struct Unpacker {
    begun: Option<Begun>,
}

/// A document that continues in the next part.
struct Begun {
    path: String,
    length: u64,
    bytes: Vec<u8>,
}

impl Unpacker {
    /// Takes the next part, and passes each document that ends in it to `visit`. A repeated path is passed each time: the last one counts.
    ///
    /// # Errors
    /// [`Damaged`].
    pub fn part(&mut self, directory: &[u8], frames: &[u8], mut visit: impl FnMut(&str, &str)) -> Result<(), Damaged> {
        let raw = unpack(directory, frames, 0, 0, PART_BYTES)?;
        let mut pass = |path: &str, document: &[u8]| {
            visit(path, std::str::from_utf8(document).map_err(|_| Damaged("a document is not UTF-8".to_owned()))?);
            Ok(())
        };
        if let Some(mut begun) = self.begun.take() {
            let missing = begun.length - begun.bytes.len() as u64;
            let here = usize::try_from(missing).unwrap_or(usize::MAX).min(raw.len());
            begun.bytes.extend_from_slice(&raw[..here]);
            if (here as u64) < missing {
                self.begun = Some(begun);
            } else {
                pass(&begun.path, &begun.bytes)?;
            }
        }
        for (path, location) in list(directory)? {
            let beyond = || Damaged("a document begins after the end of its part".to_owned());
            let begin = usize::try_from(u64::from(location.frame) * FRAME_BYTES + u64::from(location.offset)).map_err(|_| beyond())?;
            let rest = raw.get(begin..).ok_or_else(beyond)?;
            match usize::try_from(location.length).ok().and_then(|length| rest.get(..length)) {
                Some(document) => pass(&path, document)?,
                None => self.begun = Some(Begun { path, length: location.length, bytes: rest.to_vec() }),
            }
        }
        Ok(())
    }

    /// Ends after the last part.
    ///
    /// # Errors
    /// [`Damaged`]: the last document does not end.
    pub fn finish(self) -> Result<(), Damaged> {
        match self.begun {
            None => Ok(()),
            Some(_) => Err(Damaged("the last part is missing".to_owned())),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::pack::{Packer, Part};

    fn packed(documents: &[(String, String)]) -> Vec<Part> {
        let mut packer = Packer::default();
        let mut parts: Vec<Part> = documents.iter().flat_map(|(path, document)| packer.push(path, document.as_bytes())).collect();
        parts.extend(packer.finish());
        parts
    }

    fn unpacked(parts: &[Part]) -> Result<Vec<(String, String)>, Damaged> {
        let mut unpacker = Unpacker::default();
        let mut found = Vec::new();
        for part in parts {
            unpacker.part(&part.directory, &part.frames, |path, document| found.push((path.to_owned(), document.to_owned())))?;
        }
        unpacker.finish().map(|()| found)
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(24))]

        #[test]
        fn packed_documents_survive_unpacking(documents in prop::collection::vec(("/[ab/]{0,9}", "[a-zé]{0,9}", 0..300_000_usize), 0..9)) {
            let documents: Vec<_> = documents.into_iter().map(|(path, text, times)| (path, text.repeat(times))).collect();
            prop_assert_eq!(unpacked(&packed(&documents)), Ok(documents));
        }
    }

    #[test]
    fn a_missing_part_is_damage() {
        let parts = packed(&[("/a".to_owned(), "a".repeat(3 << 20))]);
        assert!(parts.len() > 2);
        assert!(unpacked(&parts[..1]).is_err());
    }
}
