//! Long lines on a terminal: broken between words, so that no name is torn. In a pipe nothing is broken.

/// Breaks a line between words, the later lines indented. A word that is too long for the rest of a line goes to the
/// left as far as it has to; one that is longer than a line, such as an ARN, stays whole to be copied.
pub(super) fn wrap_line(line: &str, indent: usize, width: Option<usize>) -> String {
    let Some(width) = width.filter(|width| columns(line) > *width && *width > indent + 20) else {
        return line.to_owned();
    };
    let lead = line.len() - line.trim_start().len();
    let mut text = line[..lead].to_owned();
    let mut column = lead;
    for (number, word) in line[lead..].split(' ').enumerate() {
        let length = columns(word);
        if number > 0 && column + 1 + length > width {
            let indent = match width.checked_sub(length) {
                Some(room) => indent.min(room),
                None => indent,
            };
            text.truncate(text.trim_end_matches(' ').len());
            text.push('\n');
            text.push_str(&" ".repeat(indent));
            column = indent;
        } else if number > 0 {
            text.push(' ');
            column += 1;
        }
        text.push_str(word);
        column += length;
    }
    text
}

/// The same for each line of a text, the later ones two columns further to the right than its first.
pub(super) fn wrap_lines(text: &str, width: Option<usize>) -> String {
    let lines = text.split('\n').map(|line| {
        let lead = line.len() - line.trim_start().len();
        wrap_line(line, lead + 2, width)
    });
    lines.collect::<Vec<_>>().join("\n")
}

/// Where the third column of a row of a table begins; for a row that has nothing before it, two columns further.
pub(super) fn third_column_offset(row: &str) -> usize {
    let (mut at, mut blanks, mut gaps, mut begun) = (0, 0, 0, false);
    for (c, shows) in mark_visible(row) {
        if !shows {
            continue;
        }
        if c == ' ' {
            blanks += 1;
        } else {
            gaps += usize::from(begun && blanks > 1);
            if gaps == 2 {
                return at;
            }
            (blanks, begun) = (0, true);
        }
        at += 1;
    }
    row.len() - row.trim_start().len() + 2
}

/// How many columns a text takes: colours take none.
fn columns(text: &str) -> usize {
    mark_visible(text).filter(|(_, shows)| *shows).count()
}

/// Each character, and whether it is seen: a colour goes from ESC to the first letter.
fn mark_visible(text: &str) -> impl Iterator<Item = (char, bool)> {
    text.chars().scan(false, |hidden, c| {
        let before = *hidden;
        *hidden = c == '\u{1b}' || (before && !c.is_ascii_alphabetic());
        Some((c, !before && !*hidden))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_lines_wrap_between_words() {
        let text = wrap_line(
            "    reason:   S3 publishes only to a topic in its own region",
            14,
            Some(40),
        );
        assert_eq!(
            text,
            "    reason:   S3 publishes only to a\n              topic in its own region"
        );
    }

    #[test]
    fn overlong_word_is_not_split() {
        let word = "x".repeat(60);
        assert_eq!(
            wrap_line(&format!("a {word} b"), 2, Some(40)),
            format!("a\n  {word}\n  b")
        );
    }

    #[test]
    fn long_word_reduces_the_indent() {
        let word = "x".repeat(35);
        assert_eq!(
            wrap_line(&format!(" + create     key     {word}"), 18, Some(40)),
            format!(" + create     key\n     {word}")
        );
    }

    #[test]
    fn pipes_are_not_wrapped() {
        let line = "word ".repeat(40);
        assert_eq!(wrap_line(&line, 2, None), line);
        assert_eq!(wrap_lines(&line, None), line);
    }

    #[test]
    fn color_codes_have_no_width() {
        let line = "\u{1b}[31m+ create\u{1b}[0m  queue  of thirty-nine columns in all";
        assert_eq!(wrap_line(line, 2, Some(46)), line);
        assert_eq!(third_column_offset(line), 17);
    }

    #[test]
    fn each_line_wraps_separately() {
        let text = "\nReading log group aws-cloudtrail-logs\n  - what Heeler's filter lets pass";
        assert_eq!(
            wrap_lines(text, Some(30)),
            "\nReading log group\n  aws-cloudtrail-logs\n  - what Heeler's filter lets\n    pass"
        );
    }
}
