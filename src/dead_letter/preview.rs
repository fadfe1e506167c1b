//! The beginning of a message body, without secrets and control characters.

use crate::sanitize::preview;

/// Ends of the names of secret values, in lower case and without `-` and `_`.
const SECRET_NAMES: &[&str] = &[
    "authorization",
    "credential",
    "password",
    "privatekey",
    "secret",
    "secretaccesskey",
    "secretkey",
    "signature",
    "token",
];
const MASKED: &str = "(masked)";
/// The characters of a body that may become visible in a preview.
const MAX_READ_CHARS: usize = 4_096;

/// Returns the first characters of a body, with masked secrets. The body need not be JSON, or may be cut off.
pub(super) fn masked_preview(body: &str) -> String {
    let start: String = body.chars().take(MAX_READ_CHARS).collect();
    preview(&mask_secrets(&start))
}

/// Masks the value after each name of a secret: up to the next quotation mark, comma, bracket, ampersand or space.
fn mask_secrets(text: &str) -> String {
    let mut masked = String::with_capacity(text.len());
    let mut name = String::new();
    let mut rest = text.chars().peekable();
    while let Some(c) = rest.next() {
        masked.push(c);
        if c.is_ascii_alphanumeric() {
            name.push(c.to_ascii_lowercase());
            continue;
        }
        if matches!(c, '-' | '_') {
            continue;
        }
        // Between a name and its value are only quotation marks, which may be escaped, a separator and spaces.
        let is_separator = |c: char| matches!(c, '"' | '\'' | '\\' | ':' | '=' | ' ');
        if is_separator(c) && SECRET_NAMES.iter().any(|secret| name.ends_with(secret)) {
            let mut is_value = matches!(c, ':' | '=');
            while let Some(next) = rest.next_if(|next| is_separator(*next)) {
                is_value |= matches!(next, ':' | '=');
                masked.push(next);
            }
            let is_end = |c: char| {
                matches!(c, '"' | '\'' | '\\' | ',' | '}' | ']' | '&') || c.is_whitespace()
            };
            if is_value && rest.next_if(|next| !is_end(*next)).is_some() {
                while rest.next_if(|next| !is_end(*next)).is_some() {}
                masked.push_str(MASKED);
            }
        }
        name.clear();
    }
    masked
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_are_masked_in_any_format() {
        for (body, expected) in [
            (
                r#"{"sessionToken":"IQoJb3Jp","expiration":"x"}"#,
                r#"{"sessionToken":"(masked)","expiration":"x"}"#,
            ),
            (
                r#"{"a":"{\"session_token\": \"IQoJb3Jp\"}"}"#,
                r#"{"a":"{\"session_token\": \"(masked)\"}"}"#,
            ),
            ("SecretAccessKey = abc/def+g", "SecretAccessKey = (masked)"),
            (
                "https://x/?X-Amz-Security-Token=IQoJ%2F&X-Amz-Signature=0a",
                "https://x/?X-Amz-Security-Token=(masked)&X-Amz-Signature=(masked)",
            ),
            (r#"{"sessionToken":"IQoJ"#, r#"{"sessionToken":"(masked)"#),
            (r#"["token"]"#, r#"["token"]"#),
            (r#"{"token":""}"#, r#"{"token":""}"#),
        ] {
            assert_eq!(mask_secrets(body), expected);
        }
    }

    #[test]
    fn preview_has_no_control_characters() {
        assert_eq!(masked_preview("\x1b]0;x\x07"), r"\u{1b}]0;x\u{7}");
    }
}
