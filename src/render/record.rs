//! One event, one line: for people, for programs, or for a spreadsheet.

use std::borrow::Cow;
use std::ops::Range;
use std::sync::Arc;

use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

use super::{Tone, Ui};
use crate::alert::Told;
use crate::cli::Format;
use crate::severity::{Level, Table};
use crate::tail::accounts::Accounts;
use crate::tail::press::{Batch, Write};
use crate::tail::record::{Record, visible};
use crate::tail::tally::{Tally, Units};
use crate::tail::visible::is_plain;

/// How a record is written in the form that was asked for.
#[must_use]
pub fn writer(ui: Ui, severities: Arc<Table>, accounts: Accounts) -> Write {
    match ui.format {
        Format::Json => Box::new(move |record, out| json(ui, record, out)),
        Format::Table => Box::new(move |record, out| {
            line(ui, record, record.level(&severities), &accounts, out);
        }),
        Format::Csv => Box::new(move |record, out| row(record, record.level(&severities), out)),
    }
}

/// Prints a part of a batch. False when nobody reads any more.
#[must_use]
pub fn records(ui: &Ui, batch: &Batch, part: Range<usize>) -> bool {
    part.is_empty() || ui.answer_bytes(batch.text(part))
}

/// The heading over the lines. False when nobody reads any more.
#[must_use]
pub fn heading(ui: &Ui) -> bool {
    match ui.format {
        Format::Json => true,
        Format::Csv => ui.answer(&format!("{}\r\n", COLUMNS.join(","))),
        Format::Table => {
            let mut words = String::new();
            columns(*ui, &HEADINGS, None, &mut words);
            ui.story_as_it_is(&ui.tint_story(Tone::Strong, &words));
            true
        }
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

/// What became of everything.
pub fn sums(ui: &Ui, tally: &Tally) {
    units(ui, "Messages", &tally.messages);
    units(ui, "Objects", &tally.objects);
    ui.story(&format!("Records: {}.", tally.records));
    if !tally.lag.is_empty() {
        let late = |of_hundred| humantime::format_duration(tally.lag.percentile(of_hundred));
        ui.story(&format!(
            "Delivered after: p50 {}, p95 {}, at most {}.",
            late(50),
            late(95),
            late(100)
        ));
    }
    if !tally.balances() {
        ui.alert("These sums do not come out even, which is a mistake of this program.");
    }
}

/// What became of alerts.
pub fn told(ui: &Ui, all: &[Told]) {
    for told in all {
        ui.story(&format!(
            "Alerts: {} was told of {}; {} failed, {} held back.",
            told.receiver, told.told, told.failed, told.held_back
        ));
    }
}

/// An alert that nobody heard.
pub fn untold(ui: &Ui, receiver: &str, why: &str) {
    let mark = ui.tint_story(Tone::Change, "warning:");
    ui.alert(&format!(
        "{mark} cannot tell {receiver} of an event: {}",
        visible(why)
    ));
}

fn units(ui: &Ui, name: &str, units: &Units) {
    if units.taken == 0 {
        return;
    }
    ui.story(&format!("{name}: {units}."));
    for (why, count) in &units.skipped {
        ui.story(&format!("  skipped: {count} {why}"));
    }
}

/// As delivered; on a terminal, what could steer it is spelt in JSON's own way, which means the same.
fn json(ui: Ui, record: &Record<'_>, out: &mut Vec<u8>) {
    let text = record.on_one_line();
    if ui.terminal_out && !is_plain(&text) {
        let text: String = text.chars().map(harmless).collect();
        out.extend_from_slice(text.as_bytes());
    } else {
        out.extend_from_slice(text.as_bytes());
    }
    out.push(b'\n');
}

fn harmless(c: char) -> String {
    // A backslash is JSON's own, and not to be spelt.
    if c == '\\' || !visible(c.encode_utf8(&mut [0; 4])).starts_with('\\') {
        return c.to_string();
    }
    let mut units = [0; 2];
    c.encode_utf16(&mut units)
        .iter()
        .map(|unit| format!("\\u{unit:04x}"))
        .collect()
}

/// The columns of a row, which are part of what programs rely on.
const COLUMNS: [&str; 12] = [
    "time",
    "account",
    "region",
    "service",
    "event",
    "actor",
    "source_address",
    "error_code",
    "error_message",
    "read_only",
    "event_id",
    "severity",
];

/// A row as RFC 4180 has it.
fn row(record: &Record<'_>, level: Level, out: &mut Vec<u8>) {
    let read_only = record.read_only().map(|flag| flag.to_string().into());
    let fields: [Option<Cow<'_, str>>; COLUMNS.len()] = [
        record.event_time(),
        record.account(),
        record.region(),
        record.service(),
        record.event_name(),
        record.actor(),
        record.source_address(),
        record.error_code(),
        record.error_message(),
        read_only,
        record.event_id(),
        Some(level.name().into()),
    ];
    for (number, field) in fields.iter().enumerate() {
        if number > 0 {
            out.push(b',');
        }
        if let Some(field) = field {
            quoted(field, out);
        }
    }
    out.extend_from_slice(b"\r\n");
}

/// A spreadsheet takes what begins like a formula for one, unless an apostrophe stands before it.
fn quoted(field: &str, out: &mut Vec<u8>) {
    let field = if is_plain(field) {
        Cow::Borrowed(field)
    } else {
        Cow::Owned(visible(field))
    };
    let is_formula = field.starts_with(['=', '+', '-', '@']);
    if !is_formula && !field.contains(['"', ',']) {
        out.extend_from_slice(field.as_bytes());
        return;
    }
    out.push(b'"');
    if is_formula {
        out.push(b'\'');
    }
    out.extend_from_slice(field.replace('"', "\"\"").as_bytes());
    out.push(b'"');
}

const HEADINGS: [&str; 8] = [
    "TIME", "LEVEL", "ACCOUNT", "REGION", "SERVICE", "EVENT", "ACTOR", "ERROR",
];

/// No column holds what a caller sent or was given, so no secret can be in one.
fn line(ui: Ui, record: &Record<'_>, level: Level, accounts: &Accounts, out: &mut Vec<u8>) {
    // A refused sign-in to the console has a message and no code.
    let error = record.error_code().or_else(|| record.error_message());
    let error = error.map(shown).unwrap_or_default();
    let texts = [
        time(ui, text(record.event_time())),
        Cow::Borrowed(level.name()),
        text(record.account().map(|id| match accounts.get(&*id) {
            Some(name) => Cow::Borrowed(name.as_str()),
            None => id,
        })),
        text(record.region()),
        text(record.service()),
        text(record.event_name()),
        text(record.actor()),
        error,
    ];
    let mut line = String::with_capacity(160);
    columns(ui, &texts, Some(level), &mut line);
    out.extend_from_slice(line.as_bytes());
    out.push(b'\n');
}

fn text(field: Option<Cow<'_, str>>) -> Cow<'_, str> {
    field.map_or(Cow::Borrowed("-"), shown)
}

fn shown(text: Cow<'_, str>) -> Cow<'_, str> {
    if is_plain(&text) {
        text
    } else {
        Cow::Owned(visible(&text))
    }
}

/// The widths of all columns but the last, which takes the rest, and the space between two.
struct Layout {
    widths: [usize; 7],
    space: usize,
}

const WIDE: Layout = Layout {
    widths: [20, 6, 12, 14, 14, 28, 32],
    space: 2,
};
const MIDDLE: Layout = Layout {
    widths: [9, 6, 12, 14, 12, 24, 20],
    space: 2,
};
const NARROW: Layout = Layout {
    widths: [9, 6, 12, 9, 7, 11, 8],
    space: 1,
};

/// What a terminal has room for: on a narrow one every column is there, and cut.
fn layout(ui: Ui) -> &'static Layout {
    match ui.width_out {
        Some(..124) => &NARROW,
        Some(124..154) => &MIDDLE,
        Some(_) | None => &WIDE,
    }
}

/// The time of day where the date has no room.
fn time(ui: Ui, time: Cow<'_, str>) -> Cow<'_, str> {
    let has_room = time.len() <= layout(ui).widths[0] || ui.width_out.is_none();
    match time.split_once('T') {
        Some((_, of_day)) if !has_room => Cow::Owned(of_day.to_owned()),
        _ => time,
    }
}

/// Below each other, each cut to its column; in a pipe nothing is cut.
fn columns<T: AsRef<str>>(ui: Ui, texts: &[T; 8], level: Option<Level>, line: &mut String) {
    const SPACES: &str = "                                  ";
    let layout = layout(ui);
    let mut rest = ui.width_out;
    for (number, text) in texts.iter().enumerate() {
        let width = layout.widths.get(number).copied();
        let room = ui.width_out.and(width).or(rest);
        let used = match tone(number, level, text.as_ref()) {
            Some(tone) if ui.colour_out => {
                let mut cell = String::new();
                let used = put(ui, text.as_ref(), room, &mut cell);
                line.push_str(&ui.tint(tone, &cell));
                used
            }
            _ => put(ui, text.as_ref(), room, line),
        };
        let Some(width) = width else {
            break;
        };
        let space = width.saturating_sub(used) + layout.space;
        line.push_str(SPACES.get(..space).unwrap_or(SPACES));
        rest = rest.map(|rest| rest.saturating_sub(width + layout.space));
    }
    line.truncate(line.trim_end().len());
}

/// The level has a colour besides its word, and so has an error.
fn tone(column: usize, level: Option<Level>, text: &str) -> Option<Tone> {
    match (column, level?) {
        (1, Level::High) => Some(Tone::Bad),
        (1, Level::Medium) => Some(Tone::Change),
        (7, _) if !text.is_empty() => Some(Tone::Change),
        _ => None,
    }
}

/// Puts the text there, or as much of it as fits before a sign that it goes on. Tells how wide that is.
fn put(ui: Ui, text: &str, room: Option<usize>, line: &mut String) -> usize {
    let width = if is_plain(text) {
        text.len()
    } else {
        text.width()
    };
    let Some(room) = room.filter(|room| width > *room) else {
        line.push_str(text);
        return width;
    };
    let mut used = 0;
    for letter in text.chars() {
        let width = letter.width().unwrap_or_default();
        if used + width >= room {
            break;
        }
        line.push(letter);
        used += width;
    }
    line.push_str(ui.sign("…", "~"));
    used + 1
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(write: impl Fn(&Record<'_>, &mut Vec<u8>), record: &str) -> String {
        let mut out = Vec::new();
        write(&Record::read(record).expect("a record"), &mut out);
        String::from_utf8(out).expect("text")
    }

    #[test]
    fn on_a_terminal_json_cannot_steer_it_and_means_the_same() {
        let text = "{\"userAgent\":\"a\\n\u{9b}31m\u{202e}ü\"}";
        let on = |width| written(|record, out| json(Ui::plain(width), record, out), text);
        assert_eq!(on(Some(80)), "{\"userAgent\":\"a\\n\\u009b31m\\u202eü\"}\n");
        assert_eq!(on(None), format!("{text}\n"));
    }

    #[test]
    fn a_row_is_read_as_it_was_meant_and_runs_nothing() {
        let record = r#"{"eventTime":"2026-01-02T03:04:05Z","recipientAccountId":"111122223333","awsRegion":"eu-west-1","eventSource":"s3.amazonaws.com","eventName":"=cmd|'/C calc'!A0","userIdentity":{"userName":"a, \"b\""},"sourceIPAddress":"@SUM(1)","errorCode":"-1","errorMessage":"no\n\u001b[31m","readOnly":false,"eventID":"e"}"#;
        assert_eq!(
            written(|record, out| row(record, Level::High, out), record),
            "2026-01-02T03:04:05Z,111122223333,eu-west-1,s3,\"'=cmd|'/C calc'!A0\",\"a, \"\"b\"\"\",\"'@SUM(1)\",\"'-1\",no\\n\\u{1b}[31m,false,e,high\r\n"
        );
        let empty = written(|record, out| row(record, Level::Low, out), "{}");
        assert_eq!(empty, ",,,,,,,,,,,low\r\n");
    }

    const TEXTS: [&str; 8] = [
        "2026-01-02T03:04:05Z",
        "medium",
        "111122223333",
        "ap-southeast-1",
        "cloudformation",
        "DescribeReplicationConfigurationTemplates",
        "deploy-with-a-long-name/session-of-the-build",
        "Client.UnauthorizedOperation",
    ];

    fn shown_on(width: Option<usize>, texts: [&str; 8]) -> String {
        let ui = Ui::plain(width);
        let mut texts = texts.map(Cow::Borrowed);
        texts[0] = time(ui, texts[0].clone());
        let mut line = String::new();
        columns(ui, &texts, None, &mut line);
        line
    }

    #[test]
    fn every_column_is_shown_on_every_terminal() {
        for width in [80, 123, 124, 130, 153, 154, 200] {
            let line = shown_on(Some(width), TEXTS);
            assert!(line.width() <= width, "{width}: {line}");
            assert!(
                line.contains("03:04:05Z") && line.contains("Client.Una"),
                "{width}: {line}"
            );
        }
    }

    #[test]
    fn wide_letters_do_not_push_the_columns_apart() {
        let mut texts = TEXTS;
        texts[6] = "管理者管理者管理者管理者管理者管理者";
        for width in [80, 120, 200] {
            let line = shown_on(Some(width), texts);
            assert!(line.width() <= width, "{width}: {line}");
            assert!(line.contains("Client.Una"), "{width}: {line}");
        }
    }

    #[test]
    fn nothing_is_cut_in_a_pipe() {
        let line = shown_on(None, TEXTS);
        assert!(TEXTS.iter().all(|text| line.contains(text)), "{line}");
    }
}
