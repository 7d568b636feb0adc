//! Cursors: where a page ended, of which list, and what was counted for the first page.

use serde::Serialize;
use serde::de::DeserializeOwned;
use sha1::{Digest as _, Sha1};

use super::order::Position;
use crate::index::IndexError;
use crate::index::query::{ListQuery, Total};

/// First member of a cursor: cursors of another version are refused.
const VERSION: u8 = 1;

const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

/// What of a cursor is told by its text: version, digest, count, exact, text, key, end, row.
type Members = (u8, String, u64, bool, String, i64, i64, i64);

pub(super) fn encode(query: &ListQuery, total: Total, position: Position) -> Result<String, IndexError> {
    let members: Members = (VERSION, digest(query), total.count, total.exact, position.text, position.key, position.end, position.id);
    write(&members)
}

/// # Errors
/// [`IndexError::InvalidCursor`]: damaged, of another version, or of another list, filter or sort.
pub(super) fn decode(query: &ListQuery, cursor: &str) -> Result<(Total, Position), IndexError> {
    let (version, of, count, exact, text, key, end, id): Members = read(cursor)?;
    if version != VERSION || of != digest(query) {
        return Err(IndexError::InvalidCursor);
    }
    Ok((Total { count, exact }, Position { text, key, end, id }))
}

/// Of list, filter and sort.
fn digest(query: &ListQuery) -> String {
    digest_of(&format!("{:?} {:?} {:?}", query.kind, query.filter, query.sort))
}

/// Tells what a cursor is of from everything else.
pub(super) fn digest_of(text: &str) -> String {
    base64url(&Sha1::digest(text.as_bytes())[..9])
}

/// The text of a cursor with these members.
pub(super) fn write(members: &impl Serialize) -> Result<String, IndexError> {
    let text = serde_json::to_vec(members).map_err(|error| IndexError::Failed(format!("a cursor could not be written: {error}")))?;
    Ok(base64url(&text))
}

/// The members of a cursor.
///
/// # Errors
/// [`IndexError::InvalidCursor`]: damaged.
pub(super) fn read<M: DeserializeOwned>(cursor: &str) -> Result<M, IndexError> {
    let bytes = from_base64url(cursor).ok_or(IndexError::InvalidCursor)?;
    serde_json::from_slice(&bytes).map_err(|_other| IndexError::InvalidCursor)
}

fn base64url(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for chunk in bytes.chunks(3) {
        let word = chunk.iter().fold(0_u32, |word, byte| word << 8 | u32::from(*byte)) << (8 * (3 - chunk.len()));
        for place in 0..=chunk.len() {
            text.push(char::from(ALPHABET[(word >> (18 - 6 * place) & 63) as usize]));
        }
    }
    text
}

fn from_base64url(text: &str) -> Option<Vec<u8>> {
    let mut bytes = Vec::with_capacity(text.len() / 4 * 3);
    for chunk in text.as_bytes().chunks(4) {
        let mut word = 0_u32;
        for byte in chunk {
            word = word << 6 | u32::try_from(ALPHABET.iter().position(|known| known == byte)?).ok()?;
        }
        word <<= 6 * (4 - chunk.len());
        bytes.extend_from_slice(word.to_be_bytes().get(1..chunk.len())?);
    }
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_come_back_from_their_text() {
        for length in 0..70_u8 {
            let bytes: Vec<u8> = (0..length).map(|byte| byte.wrapping_mul(73)).collect();
            assert_eq!(from_base64url(&base64url(&bytes)), Some(bytes));
        }
        assert_eq!(base64url(b"light w"), "bGlnaHQgdw");
        for wrong in ["a b", "é", "a=", "%"] {
            assert_eq!(from_base64url(wrong), None, "{wrong}");
        }
    }
}
