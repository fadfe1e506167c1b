//! Makes untrusted text safe to print on a terminal.

/// Length of a preview, in characters.
const PREVIEW_CHARS: usize = 80;

/// Escapes control characters and invisible characters. The caller of an API controls parts of the event data: a user agent
/// or an error message with an escape sequence could otherwise recolour, overwrite or reorder the output.
#[must_use]
pub fn escape_control_chars(text: &str) -> String {
    if is_printable_ascii(text) {
        return text.to_owned();
    }
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        if is_control_or_invisible(c) {
            escaped.extend(c.escape_default());
        } else {
            escaped.push(c);
        }
    }
    escaped
}

/// Returns true if the text consists of printable ASCII, as nearly all event data does.
#[must_use]
pub fn is_printable_ascii(text: &str) -> bool {
    // No early exit, so that the compiler can vectorize the loop.
    text.bytes().fold(true, |printable, byte| {
        printable & matches!(byte, b' '..=b'~')
    })
}

/// Returns true for control characters, line breaks, direction overrides and characters that show nothing: the property
/// `Default_Ignorable_Code_Point` of Unicode, and the blank Braille pattern.
fn is_control_or_invisible(c: char) -> bool {
    c.is_control()
        || matches!(c,
            '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}' | '\u{1160}'
            | '\u{17b4}' | '\u{17b5}' | '\u{180b}'..='\u{180f}'
            | '\u{200b}'..='\u{200f}'
            | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}'
            | '\u{2800}' | '\u{3164}' | '\u{fe00}'..='\u{fe0f}' | '\u{feff}' | '\u{ffa0}'
            | '\u{fff0}'..='\u{fffb}'
            | '\u{1bca0}'..='\u{1bca3}'
            | '\u{1d173}'..='\u{1d17a}'
            | '\u{e0000}'..='\u{e0fff}')
}

/// The first characters of a text that cannot be read. An escape sequence is never cut.
#[must_use]
pub fn preview(text: &str) -> String {
    let mut preview = String::new();
    let mut length = 0;
    for c in text.chars() {
        let c = escape_control_chars(c.encode_utf8(&mut [0; 4]));
        length += c.chars().count();
        if length > PREVIEW_CHARS {
            break;
        }
        preview.push_str(&c);
    }
    preview
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn terminal_control_characters_are_escaped() {
        for (text, expected) in [
            ("a\nb\r\tc", r"a\nb\r\tc"),
            ("\u{1b}[31mred", r"\u{1b}[31mred"),
            ("\u{7}\u{8}\u{7f}", r"\u{7}\u{8}\u{7f}"),
            ("\u{9b}2J\u{85}", r"\u{9b}2J\u{85}"),
            ("a\u{2028}b\u{2029}c", r"a\u{2028}b\u{2029}c"),
            ("\u{202e}gpj.exe\u{2066}", r"\u{202e}gpj.exe\u{2066}"),
            (
                "ad\u{200b}min\u{feff}\u{e0041}",
                r"ad\u{200b}min\u{feff}\u{e0041}",
            ),
            (
                "a\u{e0100}b\u{1d173}c\u{2800}d\u{fe0f}",
                r"a\u{e0100}b\u{1d173}c\u{2800}d\u{fe0f}",
            ),
            ("ü ☃ 日本 'quotes' \\ stay", "ü ☃ 日本 'quotes' \\ stay"),
        ] {
            assert_eq!(escape_control_chars(text), expected);
        }
    }

    #[test]
    fn preview_is_short_and_escaped() {
        let shown = preview(&format!("\u{1b}[2J\r\n{}", "é".repeat(200)));
        assert!(shown.starts_with(r"\u{1b}[2J\r\né"));
        assert_eq!(shown.chars().count(), 80);
        assert_eq!(
            preview(&format!("{}\u{1b}", "x".repeat(79))),
            "x".repeat(79)
        );
    }
}
