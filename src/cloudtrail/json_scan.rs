//! Finds the end of a JSON value. It looks only at quotes, backslashes and brackets, 64 bytes at a time.
//!
//! A log file is validated to its end before any record is printed, so all of its text is scanned once more than it is
//! parsed. A full JSON parser would need more time for that than decompression.

use wide::u8x16;

const BLOCK_BYTES: usize = 64;
const LANE_BYTES: usize = 16;

/// The end of the value that begins at `from`; `None` if the text ends first. A number, boolean or null ends before the next
/// delimiter, so there must be one.
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

/// The position after the closing quote of the string whose content begins at `from`.
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

/// The position after the closing bracket of the object or array that begins at `from`.
fn nested_end(text: &[u8], from: usize) -> Option<usize> {
    let mut scanner = BracketScanner::default();
    let (blocks, rest) = text.get(from..)?.as_chunks::<BLOCK_BYTES>();
    for (number, block) in blocks.iter().enumerate() {
        if let Some(at) = scanner.scan_block(block) {
            return Some(from + number * BLOCK_BYTES + at + 1);
        }
    }
    let mut last = [b' '; BLOCK_BYTES];
    last.iter_mut().zip(rest).for_each(|(to, byte)| *to = *byte);
    let at = scanner.scan_block(&last)?;
    Some(from + blocks.len() * BLOCK_BYTES + at + 1)
}

/// The state of the scan after the previous blocks.
#[derive(Default)]
struct BracketScanner {
    /// Number of open brackets.
    depth: u32,
    /// All bits are set if the next block begins inside a string.
    in_string: u64,
    /// 1 if the first byte of the next block is escaped by a backslash.
    escaped: u64,
}

impl BracketScanner {
    /// The offset in the block at which the outermost bracket is closed.
    fn scan_block(&mut self, block: &[u8; BLOCK_BYTES]) -> Option<usize> {
        let masks = BlockMasks::find(block);
        let quotes = masks.quotes & !self.escaped_bytes(masks.backslashes);
        let inside = prefix_xor(quotes) ^ self.in_string;
        self.in_string = (inside >> 63).wrapping_neg();
        let (opened, closed) = (masks.opening & !inside, masks.closing & !inside);
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

    /// The bytes that are escaped by a backslash.
    fn escaped_bytes(&mut self, backslashes: u64) -> u64 {
        const EVEN: u64 = 0x5555_5555_5555_5555;
        if backslashes == 0 {
            return std::mem::take(&mut self.escaped);
        }
        let backslashes = backslashes & !self.escaped;
        let follows = backslashes << 1 | self.escaped;
        // Adding the start bit to a run of backslashes carries into the bit after the run.
        let begins_odd = backslashes & !EVEN & !follows;
        let (runs, overflow) = begins_odd.overflowing_add(backslashes);
        self.escaped = u64::from(overflow);
        (EVEN ^ (runs << 1)) & follows
    }
}

/// The positions of structural characters in a block, one bit per byte.
struct BlockMasks {
    quotes: u64,
    backslashes: u64,
    opening: u64,
    closing: u64,
}

impl BlockMasks {
    fn find(block: &[u8; BLOCK_BYTES]) -> Self {
        let mut masks = Self {
            quotes: 0,
            backslashes: 0,
            opening: 0,
            closing: 0,
        };
        let (parts, _) = block.as_chunks::<LANE_BYTES>();
        for (number, part) in parts.iter().enumerate() {
            let part = u8x16::from(*part);
            // Square and curly brackets differ only by this bit.
            let curly = part | u8x16::splat(0x20);
            let mask_of = |found: u8x16| u64::from(found.to_bitmask()) << (number * LANE_BYTES);
            masks.quotes |= mask_of(part.simd_eq(u8x16::splat(b'"')));
            masks.backslashes |= mask_of(part.simd_eq(u8x16::splat(b'\\')));
            masks.opening |= mask_of(curly.simd_eq(u8x16::splat(b'{')));
            masks.closing |= mask_of(curly.simd_eq(u8x16::splat(b'}')));
        }
        masks
    }
}

/// Prefix XOR: a bit of the result is set if an odd number of bits up to and including it are set. For quotes, the result
/// marks the insides of strings.
fn prefix_xor(mut bits: u64) -> u64 {
    for distance in [1, 2, 4, 8, 16, 32] {
        bits ^= bits << distance;
    }
    bits
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A simple reference implementation.
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
        // A fixed pseudo-random sequence.
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
