//! Cursors of pages: the position of the last row, as text that clients send back for the next page.
//!
//! A cursor is base64url of a digest and a position as JSON. The digest covers the position and the list that it belongs to, so a cursor
//! that is damaged, or that comes from another list, filter, sort or format, is refused.

use std::fmt::Debug;
use std::marker::PhantomData;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Serialize;
use serde::de::DeserializeOwned;
use sha1::{Digest as _, Sha1};

use crate::index::error::IndexError;

/// Version of the format, part of every digest.
const VERSION: u8 = 2;

/// Length of a digest in bytes: against mistakes, not against attackers, who gain nothing from another position.
const DIGEST: usize = 9;

/// The cursors of one list, whose positions are of type `T`.
pub(in crate::index) struct Cursors<T> {
    list: String,
    position: PhantomData<T>,
}

impl<T: Serialize + DeserializeOwned> Cursors<T> {
    /// Cursors of the list that `list` describes: its name, filter and sort, but not the number of rows of a page.
    pub(in crate::index) fn of(list: &impl Debug) -> Self {
        Self { list: format!("{VERSION} {list:?} "), position: PhantomData }
    }

    /// The cursor that leads to the rows after this position.
    ///
    /// # Errors
    /// [`IndexError::Failed`]: the position cannot be written as JSON.
    pub(in crate::index) fn after(&self, position: &T) -> Result<String, IndexError> {
        let json = serde_json::to_vec(position).map_err(|error| IndexError::Failed(format!("writing a cursor as JSON failed: {error}")))?;
        Ok(URL_SAFE_NO_PAD.encode([self.digest(&json).as_slice(), &json].concat()))
    }

    /// The position that a cursor stands for.
    ///
    /// # Errors
    /// [`IndexError::InvalidCursor`]: damaged, or of another list, filter, sort or format.
    pub(in crate::index) fn position(&self, cursor: &str) -> Result<T, IndexError> {
        let bytes = URL_SAFE_NO_PAD.decode(cursor).map_err(|_not_base64| IndexError::InvalidCursor)?;
        let (digest, json) = bytes.split_first_chunk::<DIGEST>().ok_or(IndexError::InvalidCursor)?;
        if *digest != self.digest(json) {
            return Err(IndexError::InvalidCursor);
        }
        serde_json::from_slice(json).map_err(|_other_position| IndexError::InvalidCursor)
    }

    /// Cuts rows that were read with one beyond `limit` to a page. Returns the cursor of the next page, if there is one.
    ///
    /// # Errors
    /// As of [`Cursors::after`].
    pub(in crate::index) fn cut<R>(
        &self,
        rows: &mut Vec<R>,
        limit: usize,
        position: impl FnOnce(&R) -> T,
    ) -> Result<Option<String>, IndexError> {
        let more = rows.len() > limit;
        rows.truncate(limit);
        rows.last().filter(|_| more).map(|last| self.after(&position(last))).transpose()
    }

    fn digest(&self, json: &[u8]) -> [u8; DIGEST] {
        let digest = Sha1::new().chain_update(&self.list).chain_update(json).finalize();
        std::array::from_fn(|byte| digest[byte])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_leads_to_its_position_in_its_own_list_only() {
        let cursors = Cursors::<(String, i64)>::of(&("jobs", "name"));
        let position = ("é \0".to_owned(), i64::MIN);
        let cursor = cursors.after(&position).unwrap();
        assert!(cursor.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte)), "{cursor}");
        assert_eq!(cursors.position(&cursor), Ok(position));
        for other in [("jobs", "end"), ("applications", "name")] {
            assert_eq!(Cursors::<(String, i64)>::of(&other).position(&cursor), Err(IndexError::InvalidCursor));
        }
        assert_eq!(Cursors::<(i64, i64)>::of(&("jobs", "name")).position(&cursor), Err(IndexError::InvalidCursor));
    }

    #[test]
    fn a_damaged_cursor_is_refused() {
        let cursors = Cursors::<i64>::of(&"runs");
        let cursor = cursors.after(&12_345).unwrap();
        for place in 0..cursor.len() {
            let mut damaged = cursor.clone();
            let other = if cursor.as_bytes()[place] == b'x' { "y" } else { "x" };
            damaged.replace_range(place..=place, other);
            assert_eq!(cursors.position(&damaged), Err(IndexError::InvalidCursor), "{damaged}");
        }
        for wrong in ["", "AAAA", "1.2.3", "é", "a b", &cursor[1..], &format!("{cursor}=")] {
            assert_eq!(cursors.position(wrong), Err(IndexError::InvalidCursor), "{wrong}");
        }
    }

    #[test]
    fn rows_beyond_the_limit_become_a_cursor() {
        let cursors = Cursors::<i64>::of(&"rows");
        for (count, left, more) in [(0, 0, false), (2, 2, false), (3, 2, true)] {
            let mut rows: Vec<i64> = (0..count).collect();
            let next = cursors.cut(&mut rows, 2, |row| *row).unwrap();
            assert_eq!((rows.len(), next.is_some()), (left, more));
            assert!(next.is_none_or(|next| cursors.position(&next) == Ok(1)));
        }
    }
}
