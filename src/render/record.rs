//! One event, one line.

use std::fmt::Write;

use super::{Tone, Ui};
use crate::cli::Format;
use crate::tail::record::{Record, visible};

/// Prints a record. False when nobody reads any more.
#[must_use]
pub fn record(ui: &Ui, record: &Record) -> bool {
    match ui.format {
        Format::Json => ui.answer(&format!("{}\n", as_json(*ui, record.json()))),
        Format::Table => ui.answer(&format!("{}\n", line(*ui, record))),
    }
}

/// As delivered; on a terminal, what could steer it is spelt in JSON's own way, which means the same.
fn as_json(ui: Ui, json: &str) -> String {
    if ui.width_out.is_none() {
        return json.to_owned();
    }
    json.chars()
        .map(|c| {
            if visible(c.encode_utf8(&mut [0; 4])).starts_with('\\') {
                spelt(c)
            } else {
                c.to_string()
            }
        })
        .collect()
}

fn spelt(c: char) -> String {
    let mut units = [0; 2];
    // A backslash is JSON's own, and not to be spelt.
    if c == '\\' {
        return c.to_string();
    }
    c.encode_utf16(&mut units)
        .iter()
        .map(|unit| format!("\\u{unit:04x}"))
        .collect()
}

/// The heading over the lines.
pub fn heading(ui: &Ui) {
    if ui.format == Format::Table {
        let words = [
            "TIME", "ACCOUNT", "REGION", "SERVICE", "EVENT", "ACTOR", "ERROR",
        ];
        let words = columns(*ui, words.map(str::to_owned));
        ui.story(&ui.tint_story(Tone::Strong, &words));
    }
}

/// Something that is not shown, and why.
pub fn skipped(ui: &Ui, why: &str, what: &str) {
    ui.story(&ui.tint_story(Tone::Faint, &format!("skipped: {why} {}", visible(what))));
}

/// Something that should have been shown.
pub fn trouble(ui: &Ui, what: &str, why: &str, hint: Option<&str>) {
    let mark = ui.tint_story(Tone::Change, "warning:");
    ui.alert(&format!(
        "{mark} cannot read {}: {}",
        visible(what),
        visible(why)
    ));
    if let Some(hint) = hint {
        ui.alert(&format!("  hint: {}", visible(hint)));
    }
}

fn line(ui: Ui, record: &Record) -> String {
    if !record.is_readable() {
        let text = format!("(not a CloudTrail record) {}", visible(record.json()));
        return cut(ui, text, ui.width_out);
    }
    let text = |field: &Option<String>| field.as_deref().map_or_else(|| "-".to_owned(), visible);
    let error = record
        .error_code
        .as_deref()
        .map(visible)
        .unwrap_or_default();
    let line = columns(
        ui,
        [
            time(ui, text(&record.event_time)),
            text(&record.account),
            text(&record.region),
            text(&record.event_source),
            text(&record.event_name),
            text(&record.actor),
            error.clone(),
        ],
    );
    if error.is_empty() {
        line
    } else {
        ui.tint(Tone::Change, &line)
    }
}

/// The widths of all columns but the last, which takes the rest, and the space between two.
struct Layout {
    widths: [usize; 6],
    space: usize,
}

const WIDE: Layout = Layout {
    widths: [20, 12, 14, 14, 28, 32],
    space: 2,
};
const MIDDLE: Layout = Layout {
    widths: [9, 12, 14, 12, 24, 22],
    space: 2,
};
const NARROW: Layout = Layout {
    widths: [9, 12, 14, 7, 12, 8],
    space: 1,
};

/// What a terminal has room for: on a narrow one every column is there, and cut.
fn layout(ui: Ui) -> &'static Layout {
    match ui.width_out {
        Some(..118) => &NARROW,
        Some(118..146) => &MIDDLE,
        Some(_) | None => &WIDE,
    }
}

/// The time of day where the date has no room.
fn time(ui: Ui, time: String) -> String {
    let has_room = time.chars().count() <= layout(ui).widths[0] || ui.width_out.is_none();
    match time.split_once('T') {
        Some((_, of_day)) if !has_room => of_day.to_owned(),
        _ => time,
    }
}

/// Below each other, each cut to its column; in a pipe nothing is cut.
fn columns(ui: Ui, texts: [String; 7]) -> String {
    let layout = layout(ui);
    let mut rest = ui.width_out;
    let mut line = String::new();
    for (number, text) in texts.into_iter().enumerate() {
        let width = layout.widths.get(number).copied();
        let text = cut(ui, text, ui.width_out.and(width).or(rest));
        let Some(width) = width else {
            line.push_str(&text);
            break;
        };
        let _ = write!(line, "{text:<width$}{:space$}", "", space = layout.space);
        rest = rest.map(|rest| rest.saturating_sub(width + layout.space));
    }
    line.trim_end().to_owned()
}

/// The text, or as much of it as fits before a sign that it goes on.
fn cut(ui: Ui, text: String, room: Option<usize>) -> String {
    let Some(room) = room.filter(|room| text.chars().count() > *room) else {
        return text;
    };
    let kept: String = text.chars().take(room.saturating_sub(1)).collect();
    format!("{kept}{}", ui.sign("…", "~"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn on_a_terminal_json_cannot_steer_it_and_means_the_same() {
        let json = "{\"userAgent\":\"a\\n\u{9b}31m\u{202e}ü\"}";
        let shown = as_json(Ui::plain(Some(80)), json);
        assert_eq!(shown, "{\"userAgent\":\"a\\n\\u009b31m\\u202eü\"}");
        assert_eq!(as_json(Ui::plain(None), json), json);
    }

    const TEXTS: [&str; 7] = [
        "2026-01-02T03:04:05Z",
        "111122223333",
        "ap-southeast-1",
        "cloudformation",
        "DescribeReplicationConfigurationTemplates",
        "deploy-with-a-long-name/session-of-the-build",
        "Client.UnauthorizedOperation",
    ];

    fn shown(width: Option<usize>) -> String {
        let ui = Ui::plain(width);
        let mut texts = TEXTS.map(str::to_owned);
        texts[0] = time(ui, texts[0].clone());
        columns(ui, texts)
    }

    #[test]
    fn every_column_is_shown_on_every_terminal() {
        for width in [80, 117, 118, 120, 145, 146, 200] {
            let line = shown(Some(width));
            assert!(line.chars().count() <= width, "{width}: {line}");
            assert!(
                line.contains("03:04:05Z") && line.contains("Client.Una"),
                "{width}: {line}"
            );
        }
    }

    #[test]
    fn nothing_is_cut_in_a_pipe() {
        let line = shown(None);
        assert!(TEXTS.iter().all(|text| line.contains(text)), "{line}");
    }
}
