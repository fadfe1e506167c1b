//! Fits text to the width of a terminal. Breaks between words only; a pipe has no width and nothing is broken.

use textwrap::{Options, WordSeparator, WordSplitter, WrapAlgorithm, core::display_width};

/// Stands for a space that must not be broken.
const NO_BREAK: char = '\u{a0}';

/// Breaks a line between words and indents the following lines.
///
/// A word that is longer than the line, such as an ARN, stays whole, to be copied. Text between backticks is a command
/// and stays whole, too.
pub(super) fn wrap_line(line: &str, indent: usize, width: Option<usize>) -> String {
    let Some(width) = width.filter(|width| display_width(line) > *width && *width > indent + 20)
    else {
        return line.to_owned();
    };
    let text = line.trim_start_matches(' ');
    let lead = &line[..line.len() - text.len()];
    let text = protect_commands(text);
    let widest = text.split(' ').map(display_width).max().unwrap_or_default();
    // A word that fits the line but not beside the indent moves to the left.
    let indent = " ".repeat(
        width
            .checked_sub(widest)
            .map_or(indent, |room| indent.min(room)),
    );
    let options = Options::new(width)
        .initial_indent(lead)
        .subsequent_indent(&indent)
        .break_words(false)
        .word_separator(WordSeparator::AsciiSpace)
        .word_splitter(WordSplitter::NoHyphenation)
        .wrap_algorithm(WrapAlgorithm::FirstFit);
    textwrap::fill(&text, options).replace(NO_BREAK, " ")
}

/// Breaks each line of a text; see [`hanging_indent`].
pub(super) fn wrap_text(text: &str, width: Option<usize>) -> String {
    let lines = text.split('\n');
    lines
        .map(|line| wrap_line(line, hanging_indent(line), width))
        .collect::<Vec<_>>()
        .join("\n")
}

/// Breaks each line of a table at the width of the terminal. The following lines are indented like the last column, which
/// begins after the last gap of two spaces.
pub(super) fn wrap_last_column(text: &str, width: Option<usize>) -> String {
    let lines = text.split('\n').map(|line| {
        let indent = line.rfind("  ").map_or(0, |gap| gap + 2);
        wrap_line(line, indent, width)
    });
    lines.collect::<Vec<_>>().join("\n")
}

/// Replaces the spaces of text between backticks, so that it is one word.
fn protect_commands(text: &str) -> String {
    let parts = text.split('`').enumerate();
    parts
        .map(|(number, part)| match number % 2 {
            0 => part.to_owned(),
            _ => part.replace(' ', &NO_BREAK.to_string()),
        })
        .collect::<Vec<_>>()
        .join("`")
}

/// Returns the column at which the text after a label (`cause: text`) or after a column (`s3          text`) begins, else
/// two more than the line's own indent.
fn hanging_indent(line: &str) -> usize {
    let lead = line.len() - line.trim_start_matches(' ').len();
    let (label, rest) = line[lead..].split_once(' ').unwrap_or_default();
    if label.ends_with(':') && (lead > 0 || rest.starts_with(' ')) {
        return line.len() - rest.trim_start_matches(' ').len();
    }
    // A wider column would leave too little room for the text.
    let column = line[lead..].split_once("  ").map(|(_, rest)| {
        let rest = rest.trim_start_matches(' ');
        display_width(&line[..line.len() - rest.len()])
    });
    column.filter(|at| *at <= 20).unwrap_or(lead + 2)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_lines_wrap_between_words() {
        let line = "    reason:   S3 publishes only to a topic in its own region";
        assert_eq!(
            wrap_line(line, 14, Some(40)),
            "    reason:   S3 publishes only to a\n              topic in its own region"
        );
    }

    #[test]
    fn text_after_a_column_keeps_its_indent() {
        let line = "  1. s3          (recommended) it costs almost nothing";
        assert_eq!(
            wrap_text(line, Some(50)),
            "  1. s3          (recommended) it costs almost\n                 nothing"
        );
    }

    #[test]
    fn last_column_keeps_its_indent() {
        let table = "title\n  trail.regions  accept  the trail covers every enabled region";
        assert_eq!(
            wrap_last_column(table, Some(50)),
            "title\n  trail.regions  accept  the trail covers every\n                         enabled region"
        );
        assert_eq!(wrap_last_column(table, None), table);
    }

    #[test]
    fn overlong_words_are_not_split() {
        let word = "x".repeat(60);
        assert_eq!(
            wrap_line(&format!("a {word} b"), 2, Some(40)),
            format!("a\n  {word}\n  b")
        );
    }

    #[test]
    fn long_words_reduce_the_indent() {
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
        assert_eq!(wrap_text(&line, None), line);
    }

    #[test]
    fn commands_are_not_wrapped() {
        let line =
            "  hint:  sign in again with `aws sso login --profile organization` and run it again";
        assert_eq!(
            wrap_text(line, Some(50)),
            "  hint:  sign in again with\n         `aws sso login --profile organization`\n         and run it again"
        );
    }

    #[test]
    fn colors_have_no_width() {
        let line = "\u{1b}[31m+ create\u{1b}[0m  queue  of thirty-nine columns in all";
        assert_eq!(wrap_line(line, 2, Some(46)), line);
    }

    #[test]
    fn wide_characters_take_two_columns() {
        assert_eq!(
            wrap_line("日本語 日本語 日本語 日本語", 2, Some(24)),
            "日本語 日本語 日本語\n  日本語"
        );
    }

    #[test]
    fn each_line_wraps_separately() {
        let text = "\nReading log group aws-cloudtrail-logs\n  - what Heeler's filter lets pass";
        assert_eq!(
            wrap_text(text, Some(30)),
            "\nReading log group\n  aws-cloudtrail-logs\n  - what Heeler's filter lets\n    pass"
        );
    }
}
