//! The start or the end of object keys, as the operator gives it. Pure.

use super::tag_text;
use crate::error::{Error, Result};

/// Checks a part of object keys against the limits of IAM. `option` names it in errors.
///
/// S3 limits a filter to 1,024 bytes, which the limit of the tag includes.
///
/// # Errors
/// A usage error if the policy of the role or one of its tags cannot contain the text.
pub fn validate(option: &str, text: &str) -> Result<()> {
    if let Some(character) = text.chars().find(|character| !is_accepted(*character)) {
        return Err(Error::usage(format!(
            "{option} contains the character U+{:04X}",
            u32::from(character)
        ))
        .with_reason(
            "the policy of the role contains the text, and IAM accepts only printable characters up to U+00FF in policies",
        )
        .with_hint("use a shorter part of the keys, which ends before this character or begins after it"));
    }
    if tag_text::encode(text).len() > tag_text::MAX_LENGTH {
        return Err(
            Error::usage(format!("{option} is too long")).with_reason(format!(
                "a tag of the role keeps it, with at most {} characters",
                tag_text::MAX_LENGTH
            )),
        );
    }
    Ok(())
}

/// Returns true if IAM accepts the character in a policy, and it is no control character. Source: the pattern of
/// `PolicyDocument` of `CreatePolicy` in the IAM API Reference: U+0009, U+000A, U+000D and U+0020 to U+00FF.
fn is_accepted(character: char) -> bool {
    matches!(character, '\u{20}'..='\u{FF}') && !character.is_control()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::Exit;

    #[test]
    fn texts_that_iam_accepts_are_valid() {
        let longest = "x".repeat(tag_text::MAX_LENGTH);
        for text in ["", "AWSLogs/", "für #1/ÿ", "a=b %*?$\"\\~", &longest] {
            validate("--object-prefix", text).unwrap();
        }
    }

    #[test]
    fn characters_outside_policies_are_refused() {
        for text in [
            "日本", "a\u{100}", "\u{1}", "a\tb", "a\nb", "\u{7f}", "\u{9b}",
        ] {
            let error = validate("--object-prefix", text).unwrap_err();
            assert_eq!(error.exit(), Exit::Usage, "{text:?}");
            assert!(!error.to_string().contains(text), "{error}");
        }
    }

    #[test]
    fn texts_longer_than_tags_are_refused() {
        for text in ["x".repeat(257), "ü".repeat(100), "x".repeat(1_025)] {
            let error = validate("--object-suffix", &text).unwrap_err();
            assert_eq!(error.exit(), Exit::Usage);
            assert!(error.to_string().contains("too long"), "{error}");
        }
    }
}
