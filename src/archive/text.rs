//! Decodes a JSON string, or a scalar as text, into a reused buffer that never grows beyond a limit.
//!
//! Reading an archive spends most of its time here: documents are JSON inside JSON strings, so a quote or an escape comes every few
//! bytes. Eight bytes are checked and copied at once.

/// Room that a copied word or a decoded escape may take beyond the content.
const SLACK: usize = 8;
/// First size of the buffer.
const FIRST_BYTES: usize = 1 << 10;

const ONES: u64 = 0x0101_0101_0101_0101;
const HIGHS: u64 = ONES << 7;

/// Marks bytes of a word that end a run: quotes, backslashes, control characters. The lowest mark is exact, those above it need not be.
#[inline]
const fn specials(word: u64) -> u64 {
    let quote = word ^ (ONES * b'"' as u64);
    let backslash = word ^ (ONES * b'\\' as u64);
    ((quote.wrapping_sub(ONES) & !quote) | (backslash.wrapping_sub(ONES) & !backslash) | (word.wrapping_sub(ONES * 0x20) & !word)) & HIGHS
}

/// Number of bytes before the first that ends a run; all of `chunk` if none does.
pub(super) fn run_length(chunk: &[u8]) -> usize {
    let (words, rest) = chunk.as_chunks::<8>();
    for (number, word) in words.iter().enumerate() {
        let found = specials(u64::from_le_bytes(*word));
        if found != 0 {
            return number * 8 + first(found);
        }
    }
    let plain = rest.iter().take_while(|&&byte| byte >= 0x20 && byte != b'"' && byte != b'\\').count();
    words.len() * 8 + plain
}

/// Index of the byte that the lowest mark stands for.
#[inline]
const fn first(marks: u64) -> usize {
    (marks.trailing_zeros() / 8) as usize
}

/// The reason why [`Text::unescape`] returned.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Stop {
    /// The closing quote was consumed.
    Closed,
    /// The chunk was consumed.
    ChunkEnd,
    /// An escape begins, and the chunk may end within it. Its backslash is the next byte.
    Escape,
    /// The content is longer than the limit. The rest is not needed.
    TooLong,
}

/// The state of the content.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum ContentState {
    Whole,
    Malformed,
    TooLong,
}

/// The content of one string.
#[derive(Debug)]
pub(super) struct Text {
    bytes: Vec<u8>,
    length: usize,
    limit: usize,
    state: ContentState,
    /// End of the content after an escaped high surrogate: only a low surrogate directly after it makes a character.
    high_surrogate_end: usize,
}

/// The checked content of a string.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Content<'a> {
    Whole(&'a str),
    /// Not UTF-8, half a surrogate pair, an unknown escape or a raw control character.
    Malformed,
    TooLong,
}

impl Text {
    pub(super) fn new(limit: usize) -> Self {
        Self { bytes: Vec::new(), length: 0, limit, state: ContentState::Whole, high_surrogate_end: 0 }
    }

    pub(super) fn clear(&mut self) {
        self.length = 0;
        self.state = ContentState::Whole;
        self.high_surrogate_end = 0;
    }

    pub(super) fn content(&self) -> Content<'_> {
        match self.state {
            ContentState::TooLong => Content::TooLong,
            ContentState::Malformed => Content::Malformed,
            ContentState::Whole => {
                self.bytes.get(..self.length).and_then(|bytes| str::from_utf8(bytes).ok()).map_or(Content::Malformed, Content::Whole)
            }
        }
    }

    /// The content, if it is valid.
    pub(super) fn whole(&self) -> Option<&str> {
        match self.content() {
            Content::Whole(text) => Some(text),
            Content::Malformed | Content::TooLong => None,
        }
    }

    pub(super) fn malformed(&mut self) {
        if self.state == ContentState::Whole {
            self.state = ContentState::Malformed;
        }
    }

    /// Makes room for [`SLACK`] more bytes; `false` when the content is already longer than the limit.
    #[inline]
    fn room(&mut self) -> bool {
        self.length + SLACK <= self.bytes.len() || self.grow()
    }

    #[cold]
    fn grow(&mut self) -> bool {
        if self.length > self.limit {
            return false;
        }
        let max = self.limit.saturating_add(2 * SLACK);
        let wanted = self.bytes.len().saturating_mul(2).clamp(FIRST_BYTES, max.max(FIRST_BYTES));
        self.bytes.resize(wanted, 0);
        true
    }

    /// Appends one byte.
    pub(super) fn push(&mut self, byte: u8) -> Stop {
        if !self.room() {
            return self.too_long();
        }
        self.bytes[self.length] = byte;
        self.length += 1;
        Stop::ChunkEnd
    }

    fn too_long(&mut self) -> Stop {
        self.state = ContentState::TooLong;
        Stop::TooLong
    }

    /// Checks the length at the end of the string.
    pub(super) fn close(&mut self) -> Stop {
        if self.length > self.limit {
            self.state = ContentState::TooLong;
        }
        Stop::Closed
    }

    /// Decodes a chunk up to the closing quote. Returns the number of consumed bytes and the reason for the stop.
    pub(super) fn unescape(&mut self, chunk: &[u8]) -> (usize, Stop) {
        let mut at = 0;
        loop {
            let Some(word) = chunk[at..].first_chunk::<8>() else {
                return self.unescape_tail(chunk, at);
            };
            if !self.room() {
                return (at, self.too_long());
            }
            if let Some(room) = self.bytes[self.length..].first_chunk_mut::<8>() {
                *room = *word;
            }
            let found = specials(u64::from_le_bytes(*word));
            if found == 0 {
                at += 8;
                self.length += 8;
                continue;
            }
            at += first(found);
            self.length += first(found);
            match chunk[at] {
                b'"' => return (at + 1, self.close()),
                b'\\' => match self.escape(&chunk[at..]) {
                    Some(used) => at += used,
                    None => return (at, Stop::Escape),
                },
                // Its byte was copied with the word.
                _control => {
                    self.malformed();
                    at += 1;
                    self.length += 1;
                }
            }
        }
    }

    /// The last few bytes of a chunk, one by one.
    fn unescape_tail(&mut self, chunk: &[u8], mut at: usize) -> (usize, Stop) {
        while let Some(&byte) = chunk.get(at) {
            match byte {
                b'"' => return (at + 1, self.close()),
                b'\\' => match self.escape(&chunk[at..]) {
                    Some(used) => at += used,
                    None => return (at, Stop::Escape),
                },
                _ => {
                    if byte < 0x20 {
                        self.malformed();
                    }
                    if self.push(byte) == Stop::TooLong {
                        return (at, Stop::TooLong);
                    }
                    at += 1;
                }
            }
        }
        (at, Stop::ChunkEnd)
    }

    /// Decodes the escape at the begin of `chunk`. Returns its length in bytes; `None` if the chunk may end within it.
    #[inline]
    fn escape(&mut self, chunk: &[u8]) -> Option<usize> {
        let &kind = chunk.get(1)?;
        if kind == b'u' {
            let digits = chunk.get(2..6)?;
            let Some(unit) = digits.iter().try_fold(0, |unit, &digit| hex(digit).map(|value| unit << 4 | value)) else {
                self.malformed();
                return Some(2);
            };
            self.utf16(unit);
            return Some(6);
        }
        self.short_escape(kind);
        Some(2)
    }

    /// Decodes `\kind`, except `\u`.
    pub(super) fn short_escape(&mut self, kind: u8) {
        let byte = match kind {
            b'"' | b'\\' | b'/' => kind,
            b'n' => b'\n',
            b't' => b'\t',
            b'r' => b'\r',
            b'b' => 0x08,
            b'f' => 0x0c,
            _ => {
                self.malformed();
                return;
            }
        };
        if self.push(byte) == Stop::TooLong {
            self.too_long();
        }
    }

    /// Appends a UTF-16 unit. Half a pair is written as three bytes that are not UTF-8, so that its string counts as malformed.
    pub(super) fn utf16(&mut self, unit: u16) {
        if !self.room() {
            self.too_long();
            return;
        }
        let low = u32::from(unit);
        let joined = (0xDC00..0xE000).contains(&unit) && self.high_surrogate_end == self.length && self.length >= 3;
        let code = if joined {
            self.length -= 3;
            let high = u32::from(self.bytes[self.length + 1] & 0x0f) << 6 | u32::from(self.bytes[self.length + 2] & 0x3f);
            0x1_0000 + (high << 10) + (low & 0x3ff)
        } else {
            low
        };
        let mut encoded = [0; 4];
        let encoded: &[u8] = if let Some(character) = char::from_u32(code) {
            character.encode_utf8(&mut encoded).as_bytes()
        } else {
            let [high, low] = unit.to_be_bytes();
            encoded = [0xe0 | high >> 4, 0x80 | (high & 0x0f) << 2 | low >> 6, 0x80 | low & 0x3f, 0];
            &encoded[..3]
        };
        self.bytes[self.length..self.length + encoded.len()].copy_from_slice(encoded);
        self.length += encoded.len();
        if (0xD800..0xDC00).contains(&unit) {
            self.high_surrogate_end = self.length;
        }
    }
}

/// Value of a hex digit.
pub(super) fn hex(digit: u8) -> Option<u16> {
    char::from(digit).to_digit(16).and_then(|value| u16::try_from(value).ok())
}
