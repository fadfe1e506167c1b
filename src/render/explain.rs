//! The documentation of a check, as text.

use std::fmt::Write;

use serde_json::json;

use super::docs_link::linked_id;
use super::document::Document;
use super::layout::wrap_line;
use super::{OutputFormat, Ui};
use crate::check_id::CheckId;

/// The columns of the text on a wide terminal and in a pipe.
const MAX_WIDTH: usize = 100;

/// Returns the documentation of a check as the result.
#[must_use]
pub fn explanation(ui: &Ui, check: CheckId) -> Document {
    let text = plain_text(check.documentation());
    if ui.format() == OutputFormat::Json {
        return Document::Json(json!({
            "id": check.as_str(),
            "group": check.group(),
            "text": text,
        }));
    }
    let width = ui.stdout.width.unwrap_or(MAX_WIDTH).min(MAX_WIDTH);
    let lines = text.lines().map(|line| {
        let indent = line.len() - line.trim_start_matches([' ', '-', '|']).len();
        wrap_line(&ui.ascii_fallback(line), indent, Some(width)) + "\n"
    });
    let heading = linked_id(*ui, check);
    Document::Text(format!("{heading}\n\n{}", lines.collect::<String>()))
}

/// Removes the line breaks of paragraphs and the signs of Markdown. Backticks stay, because they mark commands.
fn plain_text(markdown: &str) -> String {
    let mut lines: Vec<String> = Vec::new();
    let mut is_open = false;
    let mut is_code = false;
    for line in markdown.lines() {
        let text = line.trim();
        if text.starts_with("```") {
            is_code = !is_code;
            is_open = false;
            continue;
        }
        let starts_item = ["- ", "| ", "* "].iter().any(|sign| text.starts_with(sign));
        match lines.last_mut() {
            Some(last) if is_open && !starts_item && !is_code && !text.is_empty() => {
                last.push(' ');
                last.push_str(text);
            }
            _ => lines.push(line.trim_end().to_owned()),
        }
        is_open = !text.is_empty() && !is_code;
    }
    let lines = lines.iter().map(|line| without_links(line));
    lines.collect::<Vec<_>>().join("\n").replace("**", "")
}

/// Replaces links by their texts; a link to a website also keeps its address.
fn without_links(line: &str) -> String {
    let mut text = String::new();
    let mut rest = line;
    while let Some((before, after)) = rest.split_once('[') {
        let parts = after
            .split_once("](")
            .and_then(|(label, target)| Some((label, target.split_once(')')?)));
        let Some((label, (target, behind))) = parts.filter(|(label, _)| !label.contains('['))
        else {
            text.push_str(before);
            text.push('[');
            rest = after;
            continue;
        };
        text.push_str(before);
        text.push_str(label);
        if target.contains("://") {
            let _ = write!(text, " ({target})");
        }
        rest = behind;
    }
    text + rest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paragraphs_are_joined_and_items_kept() {
        let markdown = "First line\nand second.\n\n- Item with `a\n  command`.\n- **Other**.";
        assert_eq!(
            plain_text(markdown),
            "First line and second.\n\n- Item with `a command`.\n- Other."
        );
    }

    #[test]
    fn only_links_to_websites_keep_their_address() {
        assert_eq!(
            without_links("see [this](#a), [that](https://b.c/d) and [x] y"),
            "see this, that (https://b.c/d) and [x] y"
        );
    }

    #[test]
    fn text_wraps_on_a_narrow_terminal() {
        let Document::Text(text) = explanation(&Ui::plain(Some(40)), CheckId::AccountRegion) else {
            panic!("text")
        };
        assert!(text.lines().all(|line| line.len() <= 40), "{text}");
        assert!(text.contains("\n  "), "{text}");
    }
}
