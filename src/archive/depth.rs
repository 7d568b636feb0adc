//! The nesting depth of a document, without parsing it.

const ONES: u64 = 0x0101_0101_0101_0101;
const HIGHS: u64 = ONES << 7;

/// One bit for each byte of a word that equals `byte`, lowest first.
#[inline]
const fn equal(word: u64, byte: u8) -> u64 {
    let zero_if_equal = word ^ (ONES * byte as u64);
    let equal = !(((zero_if_equal & !HIGHS) + !HIGHS) | zero_if_equal) & HIGHS;
    // Collects the high bits of the eight bytes in the highest byte.
    equal.wrapping_shr(7).wrapping_mul(0x0102_0408_1020_4080) >> 56
}

/// Each bit becomes the parity of all bits up to it. So the bits from an opening quote to its closing quote are set.
#[inline]
const fn prefix_parity(mut bits: u64) -> u64 {
    bits ^= bits << 1;
    bits ^= bits << 2;
    bits ^= bits << 4;
    bits ^= bits << 8;
    bits ^= bits << 16;
    bits ^ bits << 32
}

/// Whether objects and arrays nest deeper than `limit`. Text that is not JSON is checked up to the first unbalanced bracket.
pub(super) fn nests_deeper(document: &str, limit: usize) -> bool {
    let bytes = document.as_bytes();
    // Nearly all documents end here: they have fewer brackets than the limit.
    if bytes.iter().filter(|&&byte| byte | 0x20 == b'{').count() <= limit {
        return false;
    }
    let (blocks, rest) = bytes.as_chunks::<64>();
    let mut depth = Depth { level: 0, limit, in_string: 0, escaped: 0 };
    for block in blocks {
        if let Some(deeper) = depth.block(block) {
            return deeper;
        }
    }
    let mut last = [b' '; 64];
    last[..rest.len()].copy_from_slice(rest);
    depth.block(&last) == Some(true)
}

struct Depth {
    level: usize,
    limit: usize,
    /// All bits are set if the previous block ended within a string.
    in_string: u64,
    /// 1 if the previous block ended with a backslash that escapes the next byte.
    escaped: u64,
}

impl Depth {
    /// Reads 64 bytes. Returns the result as soon as it is known.
    fn block(&mut self, block: &[u8; 64]) -> Option<bool> {
        let (mut quotes, mut backslashes, mut opens, mut closes) = (0, 0, 0, 0);
        for (number, word) in block.as_chunks::<8>().0.iter().enumerate() {
            let word = u64::from_le_bytes(*word);
            // `[` and `{`, `]` and `}` differ in one bit, and nothing else folds onto them.
            let folded = word | (ONES * 0x20);
            quotes |= equal(word, b'"') << (number * 8);
            backslashes |= equal(word, b'\\') << (number * 8);
            opens |= equal(folded, b'{') << (number * 8);
            closes |= equal(folded, b'}') << (number * 8);
        }
        quotes &= !self.escapes(backslashes);
        let strings = prefix_parity(quotes) ^ self.in_string;
        self.in_string = if strings >> 63 == 1 { u64::MAX } else { 0 };
        opens &= !strings;
        closes &= !strings;
        let (opened, closed) = (opens.count_ones() as usize, closes.count_ones() as usize);
        if self.level + opened <= self.limit && self.level >= closed {
            self.level = self.level + opened - closed;
            return None;
        }
        self.step(opens, closes)
    }

    /// The bytes that are escaped by a backslash.
    fn escapes(&mut self, mut backslashes: u64) -> u64 {
        let mut escaped = self.escaped;
        backslashes &= !escaped;
        self.escaped = 0;
        while backslashes != 0 {
            let at = backslashes.trailing_zeros();
            if at == 63 {
                self.escaped = 1;
                break;
            }
            escaped |= 2 << at;
            // The escaped byte may be a backslash: it escapes nothing.
            backslashes &= !(3 << at);
        }
        escaped
    }

    /// Reads bracket by bracket, for the few blocks that are near the limit or the end.
    fn step(&mut self, opens: u64, closes: u64) -> Option<bool> {
        let mut brackets = opens | closes;
        while brackets != 0 {
            let bracket = brackets & brackets.wrapping_neg();
            brackets ^= bracket;
            if opens & bracket != 0 {
                self.level += 1;
                if self.level > self.limit {
                    return Some(true);
                }
            } else if self.level == 0 {
                // Closed more often than opened: no parser gets beyond this.
                return Some(false);
            } else {
                self.level -= 1;
            }
        }
        None
    }
}
