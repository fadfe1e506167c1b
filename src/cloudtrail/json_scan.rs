//! Where a JSON value ends: only quotes, backslashes and brackets are looked at, sixty-four bytes at a time.
//!
//! An object has to be seen to its end before any of it is shown, so all of its text is walked over once more than it is
//! read. A parser would spend more time on that than unpacking does.

use wide::u8x16;

const BLOCK_BYTES: usize = 64;
const LANE_BYTES: usize = 16;

/// Where the value that begins at `from` ends; nothing when the text ends first. A value that is no text, object or
/// list ends before the sign after it, so it has to have one.
#[must_use]
pub fn value_end(text: &[u8], from: usize) -> Option<usize> {
    match text.get(from)? {
        b'"' => string_end(text, from + 1),
        b'{' | b'[' => nested_end(text, from),
        _ => {
            let rest = text.get(from..)?;
            let length = rest.iter().position(|byte| {
                matches!(byte, b',' | b'}' | b']') || byte.is_ascii_whitespace()
            })?;
            Some(from + length)
        }
    }
}

/// Where the string whose inside begins at `from` ends, behind its quote.
#[must_use]
pub fn string_end(text: &[u8], from: usize) -> Option<usize> {
    let mut at = from;
    loop {
        let rest = text.get(at..)?;
        let found = if let Some(part) = rest.first_chunk::<LANE_BYTES>() {
            let part = u8x16::from(*part);
            let found = (part.simd_eq(u8x16::splat(b'"')) | part.simd_eq(u8x16::splat(b'\\')))
                .to_bitmask()
                .trailing_zeros() as usize;
            if found >= LANE_BYTES {
                at += LANE_BYTES;
                continue;
            }
            found
        } else {
            rest.iter().position(|byte| matches!(byte, b'"' | b'\\'))?
        };
        at += found;
        if text.get(at) == Some(&b'"') {
            return Some(at + 1);
        }
        at += 2;
    }
}

/// Where the object or list that begins at `from` ends, behind its bracket.
fn nested_end(text: &[u8], from: usize) -> Option<usize> {
    let mut walk = BracketScanner::default();
    let (blocks, rest) = text.get(from..)?.as_chunks::<BLOCK_BYTES>();
    for (number, block) in blocks.iter().enumerate() {
        if let Some(at) = walk.scan_block(block) {
            return Some(from + number * BLOCK_BYTES + at + 1);
        }
    }
    let mut last = [b' '; BLOCK_BYTES];
    last.iter_mut().zip(rest).for_each(|(to, byte)| *to = *byte);
    let at = walk.scan_block(&last)?;
    Some(from + blocks.len() * BLOCK_BYTES + at + 1)
}

/// What has to be known of all blocks before.
#[derive(Default)]
struct BracketScanner {
    /// How many brackets are open.
    depth: u32,
    /// All bits, when the next block begins inside a string.
    in_string: u64,
    /// One, when the first byte of the next block stands behind a backslash.
    escaped: u64,
}

impl BracketScanner {
    /// Where in the block the outermost bracket is closed.
    fn scan_block(&mut self, block: &[u8; BLOCK_BYTES]) -> Option<usize> {
        let signs = BlockMasks::find(block);
        let quotes = signs.quotes & !self.escaped_bytes(signs.backslashes);
        let within = prefix_xor(quotes) ^ self.in_string;
        self.in_string = (within >> 63).wrapping_neg();
        let (opened, closed) = (signs.opening & !within, signs.closing & !within);
        if closed.count_ones() < self.depth {
            self.depth = self.depth + opened.count_ones() - closed.count_ones();
            return None;
        }
        let mut brackets = opened | closed;
        while brackets != 0 {
            let first = brackets & brackets.wrapping_neg();
            brackets ^= first;
            if opened & first != 0 {
                self.depth += 1;
                continue;
            }
            self.depth = self.depth.saturating_sub(1);
            if self.depth == 0 {
                return Some(first.trailing_zeros() as usize);
            }
        }
        None
    }

    /// The bytes behind a backslash that is not behind one itself.
    fn escaped_bytes(&mut self, backslashes: u64) -> u64 {
        const EVEN: u64 = 0x5555_5555_5555_5555;
        if backslashes == 0 {
            return std::mem::take(&mut self.escaped);
        }
        let backslashes = backslashes & !self.escaped;
        let follows = backslashes << 1 | self.escaped;
        // A row that begins at an odd place runs, added to its own begin, over into the place behind it.
        let begins_odd = backslashes & !EVEN & !follows;
        let (rows, over) = begins_odd.overflowing_add(backslashes);
        self.escaped = u64::from(over);
        (EVEN ^ (rows << 1)) & follows
    }
}

/// Where in a block each sign stands, one bit a byte.
struct BlockMasks {
    quotes: u64,
    backslashes: u64,
    opening: u64,
    closing: u64,
}

impl BlockMasks {
    fn find(block: &[u8; BLOCK_BYTES]) -> Self {
        let mut signs = Self {
            quotes: 0,
            backslashes: 0,
            opening: 0,
            closing: 0,
        };
        let (parts, _) = block.as_chunks::<LANE_BYTES>();
        for (number, part) in parts.iter().enumerate() {
            let part = u8x16::from(*part);
            // Square and curly brackets differ by this bit alone.
            let curly = part | u8x16::splat(0x20);
            let place = |found: u8x16| u64::from(found.to_bitmask()) << (number * LANE_BYTES);
            signs.quotes |= place(part.simd_eq(u8x16::splat(b'"')));
            signs.backslashes |= place(part.simd_eq(u8x16::splat(b'\\')));
            signs.opening |= place(curly.simd_eq(u8x16::splat(b'{')));
            signs.closing |= place(curly.simd_eq(u8x16::splat(b'}')));
        }
        signs
    }
}

/// The bits before which, themselves included, an odd number of bits is set: the insides of strings, by their quotes.
fn prefix_xor(mut bits: u64) -> u64 {
    for distance in [1, 2, 4, 8, 16, 32] {
        bits ^= bits << distance;
    }
    bits
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The same answer, found byte by byte.
    fn value_end_byte_by_byte(text: &[u8]) -> Option<usize> {
        let (mut depth, mut within, mut escaped) = (0, false, false);
        for (at, byte) in text.iter().enumerate() {
            match byte {
                _ if escaped => escaped = false,
                b'\\' if within => escaped = true,
                b'"' => {
                    within = !within;
                    if depth == 0 && !within {
                        return Some(at + 1);
                    }
                }
                b'{' | b'[' if !within => depth += 1,
                b'}' | b']' if !within => {
                    depth -= 1;
                    if depth == 0 {
                        return Some(at + 1);
                    }
                }
                _ => {}
            }
        }
        None
    }

    #[test]
    fn scanner_agrees_with_byte_by_byte_reference() {
        // A sequence that is the same in every run; no two cases alike.
        let mut state = 0x2545_f491_4f6c_dd1d_u64;
        let mut next = move || {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            usize::try_from(state >> 33).expect("31 bits")
        };
        let inside = [
            "\\\\",
            "\\\"",
            "{",
            "]",
            "x",
            "é",
            ",",
            " ",
            "\\n",
            "abcdefghijklmnop",
        ];
        let outside = ["{", "}", "[", "]", ",", ":", "1", " "];
        let (mut ended, mut open) = (0, 0);
        for _ in 0..20_000 {
            let mut text = String::from(if next() % 4 == 0 { "\"a\"" } else { "{" });
            for _ in 0..next() % 60 {
                if next() % 3 == 0 {
                    text.push('"');
                    for _ in 0..next() % 20 {
                        text.push_str(inside[next() % inside.len()]);
                    }
                    text.push('"');
                } else {
                    text.push_str(outside[next() % outside.len()]);
                }
            }
            let end = value_end(text.as_bytes(), 0);
            assert_eq!(end, value_end_byte_by_byte(text.as_bytes()), "{text}");
            *(if end.is_some() { &mut ended } else { &mut open }) += 1;
        }
        assert!(ended > 1000 && open > 1000, "{ended} ended, {open} did not");
    }

    #[test]
    fn scalar_ends_before_the_next_delimiter() {
        for (text, expected) in [
            ("7,", Some(1)),
            ("null}", Some(4)),
            ("true ", Some(4)),
            ("-1.5e3]", Some(6)),
            ("12", None),
            ("", None),
        ] {
            assert_eq!(value_end(text.as_bytes(), 0), expected, "{text}");
        }
    }

    #[test]
    fn truncated_value_has_no_end() {
        let text = br#"{"a":["x\\\"y",{"b":"}"}],"c":"0123456789012345678901234567890123456789"}"#;
        for length in 0..text.len() {
            assert_eq!(value_end(&text[..length], 0), None, "cut at {length}");
        }
        assert_eq!(value_end(text, 0), Some(text.len()));
    }
}
