//! The values of the filter rules of a bucket notification, which S3 compares with object keys after decoding them.
//!
//! "If your prefix or suffix contains a space, you must replace it with the + character. If you use any other special
//! characters in the value of the prefix or suffix, you must enter them in URL-encoded format." (Amazon S3 User Guide,
//! "Configuring event notifications using object key name filtering") S3 accepts a value that is not encoded, and then
//! sends nothing.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};

/// The characters that are not encoded: the safe characters of object keys, and the slash.
const ENCODED: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'!')
    .remove(b'-')
    .remove(b'_')
    .remove(b'.')
    .remove(b'*')
    .remove(b'\'')
    .remove(b'(')
    .remove(b')')
    .remove(b'/');

/// Encodes the start or the end of object keys as a filter value.
#[must_use]
pub fn encode(key_part: &str) -> String {
    utf8_percent_encode(key_part, ENCODED)
        .to_string()
        .replace("%20", "+")
}

/// Decodes a filter value. Returns `None` if the value has a character that must be encoded, because it then matches no
/// object key.
#[must_use]
pub fn decode(value: &str) -> Option<String> {
    let is_allowed = |c: char| c.is_ascii_alphanumeric() || "!-_.*'()/+%".contains(c);
    value.chars().all(is_allowed).then(|| decode_lossy(value))
}

/// Decodes a filter value, and keeps the characters that should have been encoded.
#[must_use]
pub fn decode_lossy(value: &str) -> String {
    let spaced = value.replace('+', " ");
    percent_decode_str(&spaced).decode_utf8_lossy().into_owned()
}

/// The one form of all values that S3 treats alike.
#[must_use]
pub fn canonical(value: &str) -> String {
    decode(value).map_or_else(|| value.to_owned(), |key_part| encode(&key_part))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn special_characters_are_encoded() {
        for (key_part, value) in [
            ("AWSLogs/", "AWSLogs/"),
            (
                "team=security/cloud trail/AWSLogs/",
                "team%3Dsecurity/cloud+trail/AWSLogs/",
            ),
            ("a@b:c,d&e$f;g+h", "a%40b%3Ac%2Cd%26e%24f%3Bg%2Bh"),
            ("100%/", "100%25/"),
            ("für/", "f%C3%BCr/"),
            ("!-_.*'()/", "!-_.*'()/"),
        ] {
            assert_eq!(encode(key_part), value);
            assert_eq!(decode(value).as_deref(), Some(key_part));
        }
    }

    #[test]
    fn every_key_part_survives_encoding() {
        let characters: Vec<char> = ('\u{1}'..'\u{250}').chain(['中', '\u{10FFFF}']).collect();
        for first in &characters {
            for second in characters.iter().step_by(7) {
                let key_part = format!("{first}{second}/");
                let value = encode(&key_part);
                assert_eq!(decode(&value), Some(key_part.clone()), "{value}");
                assert_eq!(canonical(&value), value);
            }
        }
    }

    #[test]
    fn equal_values_have_one_canonical_form() {
        for (value, same) in [
            ("AWSLogs%2F", "AWSLogs/"),
            ("team%3dx/", "team%3Dx/"),
            ("cloud%20trail/", "cloud+trail/"),
        ] {
            assert_eq!(canonical(value), same);
        }
    }

    #[test]
    fn value_that_is_not_encoded_matches_nothing() {
        for value in ["team=x/", "cloud trail/", "a@b", "für/"] {
            assert_eq!(decode(value), None, "{value}");
            assert_eq!(canonical(value), value);
        }
    }
}
