//! Any text as the value of a tag. IAM accepts letters, digits, spaces and `_.:/=+-@` only, and object keys may have
//! other characters.

use std::fmt::Write;

/// Characters that are not encoded, beside ASCII letters and digits.
const PLAIN: &[u8] = b"_.:/+-@";
/// The longest value of a tag in characters.
pub const MAX_LENGTH: usize = 256;

/// Encodes a text. Each byte of other characters becomes `=` and two hexadecimal digits.
#[must_use]
pub fn encode(text: &str) -> String {
    let mut encoded = String::new();
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || PLAIN.contains(&byte) {
            encoded.push(char::from(byte));
        } else {
            let _ = write!(encoded, "={byte:02X}");
        }
    }
    encoded
}

/// Decodes a text. A sequence that is not an encoded byte stays as it is.
#[must_use]
pub fn decode(encoded: &str) -> String {
    let bytes = encoded.as_bytes();
    let mut decoded = Vec::new();
    let mut at = 0;
    while let Some(&byte) = bytes.get(at) {
        let digits = encoded.get(at + 1..at + 3).filter(|_| byte == b'=');
        if let Some(byte) = digits.and_then(|digits| u8::from_str_radix(digits, 16).ok()) {
            decoded.push(byte);
            at += 3;
        } else {
            decoded.push(byte);
            at += 1;
        }
    }
    String::from_utf8_lossy(&decoded).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_text_round_trips() {
        for text in [
            "",
            "AWSLogs/",
            "a=b/",
            "=41",
            "100%",
            "für/ÿ *",
            "#1",
            "a b ",
        ] {
            let encoded = encode(text);
            assert!(
                encoded
                    .bytes()
                    .all(|byte| byte.is_ascii_alphanumeric() || b"_.:/=+-@".contains(&byte)),
                "{encoded}"
            );
            assert_eq!(decode(&encoded), text);
        }
    }

    #[test]
    fn changed_values_are_decoded_without_panic() {
        for text in ["=", "=4", "=zz", "x=é1", "=C3"] {
            let _ = decode(text);
        }
        assert_eq!(decode("=zz"), "=zz");
    }
}
