//! Foreign text on a terminal: shown, and never obeyed.

/// How much of what cannot be read is shown.
const PREVIEW_CHARS: usize = 80;

/// Shows what a terminal would act on or hide. Event data is written by whoever makes the call, and a user agent or an
/// error message with an escape sequence could otherwise recolour, overwrite or reorder what is on the screen.
#[must_use]
pub fn escape_control_chars(text: &str) -> String {
    if is_printable_ascii(text) {
        return text.to_owned();
    }
    let mut shown = String::with_capacity(text.len());
    for letter in text.chars() {
        if is_control_or_invisible(letter) {
            shown.extend(letter.escape_default());
        } else {
            shown.push(letter);
        }
    }
    shown
}

/// Whether there is nothing in it but ASCII that is seen, as in nearly all event data.
#[must_use]
pub fn is_printable_ascii(text: &str) -> bool {
    // Without a way out in between, so that the compiler looks at many bytes at a time.
    text.bytes()
        .fold(true, |plain, byte| plain & matches!(byte, b' '..=b'~'))
}

/// Tells control characters, line breaks, direction overrides and characters without width.
fn is_control_or_invisible(letter: char) -> bool {
    letter.is_control()
        || matches!(letter,
            '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{180e}'
            | '\u{200b}'..='\u{200f}'
            | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}'
            | '\u{3164}' | '\u{feff}' | '\u{ffa0}'
            | '\u{fff9}'..='\u{fffb}'
            | '\u{e0000}'..='\u{e007f}')
}

/// Shows the first characters of what cannot be read. An escape is shown whole or not at all.
#[must_use]
pub fn preview(body: &str) -> String {
    let mut shown = String::new();
    let mut length = 0;
    for letter in body.chars() {
        let letter = escape_control_chars(letter.encode_utf8(&mut [0; 4]));
        length += letter.chars().count();
        if length > PREVIEW_CHARS {
            break;
        }
        shown.push_str(&letter);
    }
    shown
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
