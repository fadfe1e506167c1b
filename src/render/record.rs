//! One event, one line: for people, for programs, or for a spreadsheet.

use std::borrow::Cow;
use std::ops::Range;
use std::sync::Arc;

use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

use super::{OutputFormat, Tone, Ui};
use crate::alert::DeliveryStats;
use crate::cloudtrail::record::Record;
use crate::sanitize::escape_control_chars;
use crate::sanitize::is_printable_ascii;
use crate::severity::{SeverityLevel, SeverityTable};
use crate::tail::account_names::AccountNames;
use crate::tail::formatter::{FormatRecord, RecordBatch};
use crate::tail::stats::{Stats, UnitCounts};

/// How a record is written in the form that was asked for.
#[must_use]
pub fn record_formatter(
    ui: Ui,
    severities: Arc<SeverityTable>,
    accounts: AccountNames,
) -> FormatRecord {
    match ui.format() {
        OutputFormat::Json => Box::new(move |record, out| push_json(ui, record, out)),
        OutputFormat::Table => Box::new(move |record, out| {
            push_table_line(
                ui,
                record,
                severities.level_of_record(record),
                &accounts,
                out,
            );
        }),
        OutputFormat::Csv => Box::new(move |record, out| {
            push_csv_row(record, severities.level_of_record(record), out)
        }),
    }
}

/// Prints a part of a batch. False when nobody reads any more.
#[must_use]
pub fn print_records(ui: &Ui, batch: &RecordBatch, part: Range<usize>) -> bool {
    part.is_empty() || ui.stdout_bytes(batch.text(part))
}

/// The heading over the lines. False when nobody reads any more.
#[must_use]
pub fn print_heading(ui: &Ui) -> bool {
    match ui.format() {
        OutputFormat::Json => true,
        OutputFormat::Csv => ui.stdout(&format!("{}\r\n", CSV_COLUMNS.join(","))),
        OutputFormat::Table => {
            let mut words = String::new();
            push_columns(*ui, &TABLE_HEADINGS, None, &mut words);
            ui.status_unwrapped(&ui.paint_stderr(Tone::Strong, &words));
            true
        }
    }
}

/// Something that is not shown, and why.
pub fn print_skipped(ui: &Ui, why: &str, what: &str) {
    ui.status(&ui.paint_stderr(
        Tone::Faint,
        &format!("skipped: {why} {}", escape_control_chars(what)),
    ));
}

/// Something that should have been shown.
pub fn warn_failed(ui: &Ui, problem: &str, cause: &str, hint: Option<&str>) {
    let mark = ui.paint_stderr(Tone::Change, "warning:");
    ui.warn(&format!(
        "{mark} {}: {}",
        escape_control_chars(problem),
        escape_control_chars(cause)
    ));
    if let Some(hint) = hint {
        ui.warn(&format!("  hint: {}", escape_control_chars(hint)));
    }
}

/// What became of everything.
pub fn print_stats(ui: &Ui, tally: &Stats) {
    print_unit_counts(ui, "Messages", &tally.messages);
    print_unit_counts(ui, "Objects", &tally.objects);
    ui.status(&format!("Records: {}.", tally.records));
    if !tally.delivery_delay.is_empty() {
        let late =
            |of_hundred| humantime::format_duration(tally.delivery_delay.percentile(of_hundred));
        ui.status(&format!(
            "Delivered after: p50 {}, p95 {}, at most {}.",
            late(50),
            late(95),
            late(100)
        ));
    }
    if !tally.is_consistent() {
        ui.warn("These sums do not come out even, which is a mistake of this program.");
    }
}

/// What became of alerts.
pub fn print_alert_stats(ui: &Ui, all: &[DeliveryStats]) {
    for told in all {
        ui.status(&format!(
            "Alerts: {} was told of {}; {} failed, {} held back.",
            told.receiver, told.delivered, told.failed, told.dropped
        ));
    }
}

/// An alert that nobody heard.
pub fn warn_alert_failed(ui: &Ui, receiver: &str, why: &str) {
    let mark = ui.paint_stderr(Tone::Change, "warning:");
    ui.warn(&format!(
        "{mark} cannot tell {receiver} of an event: {}",
        escape_control_chars(why)
    ));
}

fn print_unit_counts(ui: &Ui, name: &str, units: &UnitCounts) {
    if units.received == 0 {
        return;
    }
    ui.status(&format!("{name}: {units}."));
    for (why, count) in &units.skipped {
        ui.status(&format!("  skipped: {count} {why}"));
    }
}

/// As delivered; on a terminal, what could steer it is spelt in JSON's own way, which means the same.
fn push_json(ui: Ui, record: &Record<'_>, out: &mut Vec<u8>) {
    let text = record.to_single_line();
    if ui.stdout.is_terminal && !is_printable_ascii(&text) {
        let text: String = text.chars().map(escape_for_terminal).collect();
        out.extend_from_slice(text.as_bytes());
    } else {
        out.extend_from_slice(text.as_bytes());
    }
    out.push(b'\n');
}

fn escape_for_terminal(c: char) -> String {
    // A backslash is JSON's own, and not to be spelt.
    if c == '\\' || !escape_control_chars(c.encode_utf8(&mut [0; 4])).starts_with('\\') {
        return c.to_string();
    }
    let mut units = [0; 2];
    c.encode_utf16(&mut units)
        .iter()
        .map(|unit| format!("\\u{unit:04x}"))
        .collect()
}

/// The columns of a row, which are part of what programs rely on.
const CSV_COLUMNS: [&str; 12] = [
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
fn push_csv_row(record: &Record<'_>, level: SeverityLevel, out: &mut Vec<u8>) {
    let read_only = record.read_only().map(|flag| flag.to_string().into());
    let fields: [Option<Cow<'_, str>>; CSV_COLUMNS.len()] = [
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
            push_csv_field(field, out);
        }
    }
    out.extend_from_slice(b"\r\n");
}

/// A spreadsheet takes what begins like a formula for one, unless an apostrophe stands before it.
fn push_csv_field(field: &str, out: &mut Vec<u8>) {
    let field = if is_printable_ascii(field) {
        Cow::Borrowed(field)
    } else {
        Cow::Owned(escape_control_chars(field))
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

const TABLE_HEADINGS: [&str; 8] = [
    "TIME", "LEVEL", "ACCOUNT", "REGION", "SERVICE", "EVENT", "ACTOR", "ERROR",
];

/// No column holds what a caller sent or was given, so no secret can be in one.
fn push_table_line(
    ui: Ui,
    record: &Record<'_>,
    level: SeverityLevel,
    accounts: &AccountNames,
    out: &mut Vec<u8>,
) {
    // A refused sign-in to the console has a message and no code.
    let error = record.error_code().or_else(|| record.error_message());
    let error = error.map(sanitize).unwrap_or_default();
    let texts = [
        time_for_width(ui, field_or_dash(record.event_time())),
        Cow::Borrowed(level.name()),
        field_or_dash(record.account().map(|id| match accounts.get(&*id) {
            Some(name) => Cow::Borrowed(name.as_str()),
            None => id,
        })),
        field_or_dash(record.region()),
        field_or_dash(record.service()),
        field_or_dash(record.event_name()),
        field_or_dash(record.actor()),
        error,
    ];
    let mut line = String::with_capacity(160);
    push_columns(ui, &texts, Some(level), &mut line);
    out.extend_from_slice(line.as_bytes());
    out.push(b'\n');
}

fn field_or_dash(field: Option<Cow<'_, str>>) -> Cow<'_, str> {
    field.map_or(Cow::Borrowed("-"), sanitize)
}

fn sanitize(text: Cow<'_, str>) -> Cow<'_, str> {
    if is_printable_ascii(&text) {
        text
    } else {
        Cow::Owned(escape_control_chars(&text))
    }
}

/// The widths of all columns but the last, which takes the rest, and the space between two.
struct ColumnLayout {
    widths: [usize; 7],
    space: usize,
}

const WIDE: ColumnLayout = ColumnLayout {
    widths: [20, 6, 12, 14, 14, 28, 32],
    space: 2,
};
const MIDDLE: ColumnLayout = ColumnLayout {
    widths: [9, 6, 12, 14, 12, 24, 20],
    space: 2,
};
const NARROW: ColumnLayout = ColumnLayout {
    widths: [9, 6, 12, 9, 7, 11, 8],
    space: 1,
};

/// What a terminal has room for: on a narrow one every column is there, and cut.
fn layout_for_width(ui: Ui) -> &'static ColumnLayout {
    match ui.stdout.width {
        Some(..124) => &NARROW,
        Some(124..154) => &MIDDLE,
        Some(_) | None => &WIDE,
    }
}

/// The time of day where the date has no room.
fn time_for_width(ui: Ui, time: Cow<'_, str>) -> Cow<'_, str> {
    let has_room = time.len() <= layout_for_width(ui).widths[0] || ui.stdout.width.is_none();
    match time.split_once('T') {
        Some((_, of_day)) if !has_room => Cow::Owned(of_day.to_owned()),
        _ => time,
    }
}

/// Below each other, each cut to its column; in a pipe nothing is cut.
fn push_columns<T: AsRef<str>>(
    ui: Ui,
    texts: &[T; 8],
    level: Option<SeverityLevel>,
    line: &mut String,
) {
    const SPACES: &str = "                                  ";
    let layout = layout_for_width(ui);
    let mut rest = ui.stdout.width;
    for (number, text) in texts.iter().enumerate() {
        let width = layout.widths.get(number).copied();
        let room = ui.stdout.width.and(width).or(rest);
        let used = match cell_tone(number, level, text.as_ref()) {
            Some(tone) if ui.stdout.color => {
                let mut cell = String::new();
                let used = push_cell(ui, text.as_ref(), room, &mut cell);
                line.push_str(&ui.paint(tone, &cell));
                used
            }
            _ => push_cell(ui, text.as_ref(), room, line),
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
fn cell_tone(column: usize, level: Option<SeverityLevel>, text: &str) -> Option<Tone> {
    match (column, level?) {
        (1, SeverityLevel::High) => Some(Tone::Bad),
        (1, SeverityLevel::Medium) => Some(Tone::Change),
        (7, _) if !text.is_empty() => Some(Tone::Change),
        _ => None,
    }
}

/// Puts the text there, or as much of it as fits before a sign that it goes on. Tells how wide that is.
fn push_cell(ui: Ui, text: &str, room: Option<usize>, line: &mut String) -> usize {
    let width = if is_printable_ascii(text) {
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
    line.push_str(ui.symbol("…", "~"));
    used + 1
}

#[cfg(test)]
mod tests {
    use super::*;

    fn format_with(write: impl Fn(&Record<'_>, &mut Vec<u8>), record: &str) -> String {
        let mut out = Vec::new();
        write(&Record::read(record).expect("a record"), &mut out);
        String::from_utf8(out).expect("text")
    }

    #[test]
    fn json_on_a_terminal_is_escaped() {
        let text = "{\"userAgent\":\"a\\n\u{9b}31m\u{202e}ü\"}";
        let on = |width| format_with(|record, out| push_json(Ui::plain(width), record, out), text);
        assert_eq!(on(Some(80)), "{\"userAgent\":\"a\\n\\u009b31m\\u202eü\"}\n");
        assert_eq!(on(None), format!("{text}\n"));
    }

    #[test]
    fn csv_row_is_quoted_and_escapes_formulas() {
        let record = r#"{"eventTime":"2026-01-02T03:04:05Z","recipientAccountId":"111122223333","awsRegion":"eu-west-1","eventSource":"s3.amazonaws.com","eventName":"=cmd|'/C calc'!A0","userIdentity":{"userName":"a, \"b\""},"sourceIPAddress":"@SUM(1)","errorCode":"-1","errorMessage":"no\n\u001b[31m","readOnly":false,"eventID":"e"}"#;
        assert_eq!(
            format_with(
                |record, out| push_csv_row(record, SeverityLevel::High, out),
                record
            ),
            "2026-01-02T03:04:05Z,111122223333,eu-west-1,s3,\"'=cmd|'/C calc'!A0\",\"a, \"\"b\"\"\",\"'@SUM(1)\",\"'-1\",no\\n\\u{1b}[31m,false,e,high\r\n"
        );
        let empty = format_with(
            |record, out| push_csv_row(record, SeverityLevel::Low, out),
            "{}",
        );
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

    fn table_line_at(width: Option<usize>, texts: [&str; 8]) -> String {
        let ui = Ui::plain(width);
        let mut texts = texts.map(Cow::Borrowed);
        texts[0] = time_for_width(ui, texts[0].clone());
        let mut line = String::new();
        push_columns(ui, &texts, None, &mut line);
        line
    }

    #[test]
    fn every_column_fits_every_terminal_width() {
        for width in [80, 123, 124, 130, 153, 154, 200] {
            let line = table_line_at(Some(width), TEXTS);
            assert!(line.width() <= width, "{width}: {line}");
            assert!(
                line.contains("03:04:05Z") && line.contains("Client.Una"),
                "{width}: {line}"
            );
        }
    }

    #[test]
    fn wide_characters_keep_columns_aligned() {
        let mut texts = TEXTS;
        texts[6] = "管理者管理者管理者管理者管理者管理者";
        for width in [80, 120, 200] {
            let line = table_line_at(Some(width), texts);
            assert!(line.width() <= width, "{width}: {line}");
            assert!(line.contains("Client.Una"), "{width}: {line}");
        }
    }

    #[test]
    fn piped_output_is_not_truncated() {
        let line = table_line_at(None, TEXTS);
        assert!(TEXTS.iter().all(|text| line.contains(text)), "{line}");
    }
}
