//! Reads JSON tokens from a source of bytes, one buffer at a time, without recursion.

use std::io::BufRead;

use super::text::{Stop, Text, hex, run_length};
use super::{ReadError, Unreadable};
use crate::problem::ProblemCode;

/// The kind of a value that was read as text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ValueKind {
    /// A string, or a scalar as text.
    Text,
    /// An object or an array, skipped; `too_deep` when it nests deeper than the limit.
    Nested { too_deep: bool },
}

/// Reads tokens and counts bytes.
pub(super) struct Scanner<R> {
    source: R,
    /// Bytes consumed.
    position: u64,
}

impl<R: BufRead> Scanner<R> {
    pub(super) fn new(source: R) -> Self {
        Self { source, position: 0 }
    }

    /// The buffered bytes; empty only at the end of the source.
    fn chunk(&mut self) -> Result<&[u8], ReadError> {
        Ok(self.source.fill_buf()?)
    }

    fn consume(&mut self, bytes: usize) {
        self.source.consume(bytes);
        self.position += bytes as u64;
    }

    /// The next byte, not consumed; an error at the end of the source.
    fn peek(&mut self) -> Result<u8, ReadError> {
        match self.chunk()?.first() {
            Some(&byte) => Ok(byte),
            None => Err(self.ended()),
        }
    }

    fn ended(&self) -> ReadError {
        let reason = match self.position {
            0 => "the file is empty: Flink may still be writing it".to_owned(),
            bytes => format!("the archive is incomplete, its file ends after {bytes} bytes: Flink may still be writing it"),
        };
        Unreadable { code: ProblemCode::ArchiveUnreadable, reason }.into()
    }

    /// The error for an unexpected byte.
    pub(super) fn unexpected(&self, expected: &str) -> ReadError {
        let reason = format!("the file is not a Flink archive: expected {expected} at byte {}", self.position);
        Unreadable { code: ProblemCode::ArchiveUnreadable, reason }.into()
    }

    /// Skips a byte order mark at the beginning.
    pub(super) fn skip_byte_order_mark(&mut self) -> Result<(), ReadError> {
        for expected in [0xef, 0xbb, 0xbf] {
            if self.chunk()?.first() != Some(&expected) {
                // A part of it is not JSON either: the next token reports it.
                break;
            }
            self.consume(1);
        }
        Ok(())
    }

    /// The next byte that is not white space, not consumed.
    pub(super) fn token(&mut self) -> Result<u8, ReadError> {
        loop {
            let chunk = self.chunk()?;
            let blank = chunk.iter().take_while(|byte| matches!(byte, b' ' | b'\t' | b'\n' | b'\r')).count();
            if let Some(&byte) = chunk.get(blank) {
                self.consume(blank);
                return Ok(byte);
            }
            if blank == 0 {
                return Err(self.ended());
            }
            self.consume(blank);
        }
    }

    /// Consumes the token that [`Self::token`] has returned.
    pub(super) fn accept(&mut self) {
        self.consume(1);
    }

    /// Consumes the token that must come next.
    pub(super) fn expect(&mut self, byte: u8, expected: &str) -> Result<(), ReadError> {
        if self.token()? != byte {
            return Err(self.unexpected(expected));
        }
        self.consume(1);
        Ok(())
    }

    /// In an object or array: consumes a comma and returns `true`, or the closing bracket and returns `false`.
    pub(super) fn more(&mut self, close: u8) -> Result<bool, ReadError> {
        match self.token()? {
            b',' => {
                self.consume(1);
                Ok(true)
            }
            byte if byte == close => {
                self.consume(1);
                Ok(false)
            }
            _ => Err(self.unexpected("a comma or a closing bracket")),
        }
    }

    /// Consumes the closing bracket if the object or array that was just opened is empty.
    pub(super) fn closes(&mut self, close: u8) -> Result<bool, ReadError> {
        let closes = self.token()? == close;
        if closes {
            self.consume(1);
        }
        Ok(closes)
    }

    /// Reads the name of a member and the colon after it.
    pub(super) fn member_name(&mut self, name: &mut Text) -> Result<(), ReadError> {
        self.expect(b'"', "the name of a member in quotes")?;
        self.string(name)?;
        self.expect(b':', "a colon")
    }

    /// Reads a value as text: strings with their escapes decoded, scalars unchanged. Objects and arrays are skipped.
    pub(super) fn value(&mut self, text: &mut Text, depth: usize) -> Result<ValueKind, ReadError> {
        text.clear();
        match self.token()? {
            b'"' => {
                self.consume(1);
                self.string(text)?;
                Ok(ValueKind::Text)
            }
            b'{' | b'[' => Ok(ValueKind::Nested { too_deep: self.skip_nested(depth)? }),
            _ => {
                self.scalar(Some(text))?;
                Ok(ValueKind::Text)
            }
        }
    }

    /// Skips a value; `true` if it nests deeper than `depth`.
    pub(super) fn skip_value(&mut self, depth: usize) -> Result<bool, ReadError> {
        match self.token()? {
            b'"' => {
                self.consume(1);
                self.skip_string()?;
                Ok(false)
            }
            b'{' | b'[' => self.skip_nested(depth),
            _ => {
                self.scalar(None)?;
                Ok(false)
            }
        }
    }

    /// Skips an object or array by counting brackets, whatever its content and depth.
    fn skip_nested(&mut self, depth: usize) -> Result<bool, ReadError> {
        let mut open = 0_u64;
        let mut too_deep = false;
        loop {
            match self.token()? {
                b'"' => {
                    self.consume(1);
                    self.skip_string()?;
                    continue;
                }
                b'{' | b'[' => {
                    open += 1;
                    too_deep |= open > depth as u64;
                }
                b'}' | b']' => open -= 1,
                _ => {}
            }
            self.consume(1);
            if open == 0 {
                return Ok(too_deep);
            }
        }
    }

    /// Reads the rest of a string whose opening quote was consumed.
    fn string(&mut self, text: &mut Text) -> Result<(), ReadError> {
        text.clear();
        loop {
            let chunk = self.chunk()?;
            if chunk.is_empty() {
                return Err(self.ended());
            }
            let (used, stop) = text.unescape(chunk);
            self.consume(used);
            match stop {
                Stop::Closed => return Ok(()),
                Stop::ChunkEnd => {}
                Stop::TooLong => return self.skip_string(),
                Stop::Escape => self.escape(text)?,
            }
        }
    }

    /// Decodes an escape that may cross the end of a chunk.
    fn escape(&mut self, text: &mut Text) -> Result<(), ReadError> {
        self.consume(1);
        let kind = self.peek()?;
        self.consume(1);
        if kind != b'u' {
            text.short_escape(kind);
            return Ok(());
        }
        let mut digits = [0; 4];
        let mut unit = 0;
        for found in 0..digits.len() {
            let digit = self.peek()?;
            let Some(value) = hex(digit) else {
                text.malformed();
                digits[..found].iter().for_each(|&digit| {
                    text.push(digit);
                });
                return Ok(());
            };
            self.consume(1);
            digits[found] = digit;
            unit = unit << 4 | value;
        }
        text.utf16(unit);
        Ok(())
    }

    fn skip_string(&mut self) -> Result<(), ReadError> {
        loop {
            let chunk = self.chunk()?;
            if chunk.is_empty() {
                return Err(self.ended());
            }
            let plain = run_length(chunk);
            let stop = chunk.get(plain).copied();
            self.consume(plain);
            match stop {
                None => {}
                Some(b'"') => {
                    self.consume(1);
                    return Ok(());
                }
                Some(b'\\') => {
                    self.consume(1);
                    self.peek()?;
                    self.consume(1);
                }
                Some(_control) => self.consume(1),
            }
        }
    }

    /// Reads a number, `true`, `false` or `null`. Whether it is a valid one is judged only where it is kept.
    fn scalar(&mut self, mut text: Option<&mut Text>) -> Result<(), ReadError> {
        if !matches!(self.token()?, b'-' | b'0'..=b'9' | b't' | b'f' | b'n') {
            return Err(self.unexpected("a value"));
        }
        loop {
            // At the end of the source the archive is incomplete: the next token reports it.
            let chunk = self.chunk()?;
            let length =
                chunk.iter().take_while(|byte| matches!(byte, b'-' | b'+' | b'.' | b'0'..=b'9' | b'a'..=b'z' | b'A'..=b'Z')).count();
            if length == 0 {
                break;
            }
            if let Some(text) = &mut text {
                for &byte in &chunk[..length] {
                    text.push(byte);
                }
            }
            self.consume(length);
        }
        if let Some(text) = text {
            text.close();
            if text.whole().is_some_and(|scalar| serde_json::from_str::<serde::de::IgnoredAny>(scalar).is_err()) {
                text.malformed();
            }
        }
        Ok(())
    }
}
