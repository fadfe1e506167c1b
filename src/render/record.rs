//! Prints events (as a table, JSON or CSV), the statistics of tail, and its warnings.

use std::borrow::Cow;
use std::ops::Range;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

use super::{OutputFormat, Tone, Ui};
use crate::alert::DeliveryStats;
use crate::cloudtrail::record::Record;
use crate::error::Error;
use crate::sanitize::escape_control_chars;
use crate::sanitize::is_printable_ascii;
use crate::severity::{SeverityLevel, SeverityTable};
use crate::tail::account_names::{AccountNames, SharedAccountNames};
use crate::tail::formatter::{FormatRecord, RecordBatch};
use crate::tail::stats::{Stats, UnitCounts};

/// Returns the function that formats a record in the output format.
#[must_use]
pub fn record_formatter(
    ui: Ui,
    severities: Arc<SeverityTable>,
    accounts: SharedAccountNames,
) -> FormatRecord {
    let layout = OnceLock::new();
    match ui.format() {
        OutputFormat::Json => Box::new(move |record, out| push_json(ui, record, out)),
        OutputFormat::Text => Box::new(move |record, out| {
            let no_names = AccountNames::new();
            let names = accounts.get().unwrap_or(&no_names);
            push_table_line(
                ui,
                layout.get_or_init(|| ColumnLayout::new(&ui, names)),
                record,
                severities.level_of_record(record),
                names,
                out,
            );
        }),
        OutputFormat::Csv => Box::new(move |record, out| {
            push_csv_row(record, severities.level_of_record(record), out);
        }),
    }
}

/// Prints a part of a batch; returns false if standard output is closed.
#[must_use]
pub fn print_records(ui: &Ui, batch: &RecordBatch, part: Range<usize>) -> bool {
    part.is_empty() || ui.stdout_bytes(batch.text(part))
}

/// Prints the heading; returns false if standard output is closed.
#[must_use]
pub fn print_heading(ui: &Ui, layout: &ColumnLayout) -> bool {
    match ui.format() {
        OutputFormat::Json => true,
        OutputFormat::Csv => ui.stdout(&format!("{}\r\n", CSV_COLUMNS.join(","))),
        OutputFormat::Text => {
            let mut words = String::new();
            push_columns(*ui, layout, &TABLE_HEADINGS, None, &mut words);
            ui.status_unwrapped(&ui.paint_stderr(Tone::Strong, &words));
            true
        }
    }
}

/// Prints the reason why something was skipped.
pub fn print_skipped(ui: &Ui, name: &str, reason: &str) {
    ui.status(&ui.paint_stderr(
        Tone::Faint,
        &format!("skipped {}: {reason}", escape_control_chars(name)),
    ));
}

/// Warns of something that could not be read.
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

/// Warns of a call that is repeated for up to this time, because something else than AWS answered it.
pub fn warn_outage(ui: &Ui, error: &Error, give_up_after: Duration) {
    let limit = humantime::format_duration(give_up_after);
    let hint = format!("the call is repeated for up to {limit} (--give-up-after)");
    let problem = format!("{} at the moment", error.headline());
    warn_failed(ui, &problem, &error.cause(), Some(&hint));
}

/// Prints the statistics.
pub fn print_stats(ui: &Ui, stats: &Stats) {
    print_unit_counts(ui, "Messages", &stats.messages);
    print_unit_counts(ui, "Objects", &stats.objects);
    ui.status(&format!("Records: {}.", stats.records));
    if !stats.delivery_delay.is_empty() {
        let delay = |percent| humantime::format_duration(stats.delivery_delay.percentile(percent));
        ui.status(&format!(
            "Delivery delay: p50 {}, p95 {}, max {}.",
            delay(50),
            delay(95),
            delay(100)
        ));
    }
    if !stats.is_consistent() {
        ui.warn("Internal error: the statistics do not add up. Please report this.");
    }
}

/// Prints the delivery statistics of alerts.
pub fn print_alert_stats(ui: &Ui, all: &[DeliveryStats]) {
    for stats in all {
        ui.status(&format!(
            "Alerts to {}: {} delivered, {} failed, {} dropped.",
            stats.receiver, stats.delivered, stats.failed, stats.dropped
        ));
    }
}

/// Warns that an alert could not be delivered.
pub fn warn_alert_failed(ui: &Ui, receiver: &str, reason: &str) {
    let mark = ui.paint_stderr(Tone::Change, "warning:");
    ui.warn(&format!(
        "{mark} cannot deliver an alert to {receiver}: {}",
        escape_control_chars(reason)
    ));
}

fn print_unit_counts(ui: &Ui, name: &str, units: &UnitCounts) {
    if units.received == 0 {
        return;
    }
    ui.status(&format!("{name}: {units}."));
    for (reason, count) in &units.skipped {
        ui.status(&format!("  {count} skipped: {reason}"));
    }
}

/// Writes a record as delivered. On a terminal, control characters are written as JSON escapes, which have the same meaning.
fn push_json(ui: Ui, record: &Record<'_>, out: &mut Vec<u8>) {
    let text = record.to_single_line();
    if ui.stdout.is_terminal && !is_printable_ascii(&text) {
        out.extend_from_slice(escape_json(&text).as_bytes());
    } else {
        out.extend_from_slice(text.as_bytes());
    }
    out.push(b'\n');
}

/// Writes the control characters of a JSON text as JSON escapes.
pub(super) fn escape_json(text: &str) -> String {
    text.chars().map(escape_json_char).collect()
}

fn escape_json_char(c: char) -> String {
    // A backslash is part of a JSON escape already.
    if c == '\\' || !escape_control_chars(c.encode_utf8(&mut [0; 4])).starts_with('\\') {
        return c.to_string();
    }
    let mut units = [0; 2];
    c.encode_utf16(&mut units)
        .iter()
        .map(|unit| format!("\\u{unit:04x}"))
        .collect()
}

/// The columns of the CSV output. They are part of the public interface.
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

/// Writes a CSV row (RFC 4180).
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

/// Writes a CSV field. An apostrophe before a field that begins like a formula keeps spreadsheets from running it.
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

/// Writes a table line. No column contains request parameters or response elements, so no secret can occur in it.
fn push_table_line(
    ui: Ui,
    layout: &ColumnLayout,
    record: &Record<'_>,
    level: SeverityLevel,
    accounts: &AccountNames,
    out: &mut Vec<u8>,
) {
    // A failed console sign-in has an error message but no error code.
    let error = record.error_code().or_else(|| record.error_message());
    let error = error.map(sanitize).unwrap_or_default();
    let texts = [
        time_for_width(ui, layout, field_or_dash(record.event_time())),
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
    push_columns(ui, layout, &texts, Some(level), &mut line);
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

/// The widths of all columns but the last, which takes the rest, and the space between columns.
#[derive(Clone, Copy, Debug)]
pub struct ColumnLayout {
    widths: [usize; 7],
    space: usize,
}

/// The position of the account in the columns.
const ACCOUNT_COLUMN: usize = 2;
/// The width of a terminal from which on all columns have their full width.
const WIDE_TERMINAL: usize = 154;

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

impl ColumnLayout {
    /// Creates the layout for the width of the terminal and the names of the accounts. On a narrow terminal all columns
    /// are present, but shortened. Piped output has room for the longest account name.
    #[must_use]
    pub fn new(ui: &Ui, accounts: &AccountNames) -> Self {
        let mut layout = match ui.stdout.width {
            Some(..124) => NARROW,
            Some(124..WIDE_TERMINAL) => MIDDLE,
            Some(_) | None => WIDE,
        };
        let longest = accounts.values().map(|name| sanitized_width(name)).max();
        let longest = longest.unwrap_or_default();
        let account_width = &mut layout.widths[ACCOUNT_COLUMN];
        let room = match ui.stdout.width {
            // The last column gets the other half of what is left.
            Some(width) => *account_width + width.saturating_sub(WIDE_TERMINAL) / 2,
            None => longest,
        };
        *account_width = longest.min(room).max(*account_width);
        layout
    }
}

fn sanitized_width(name: &str) -> usize {
    sanitize(Cow::Borrowed(name)).width()
}

/// The time of day if the date does not fit.
fn time_for_width<'a>(ui: Ui, layout: &ColumnLayout, time: Cow<'a, str>) -> Cow<'a, str> {
    let has_room = time.len() <= layout.widths[0] || ui.stdout.width.is_none();
    match time.split_once('T') {
        Some((_, of_day)) if !has_room => Cow::Owned(of_day.to_owned()),
        _ => time,
    }
}

/// Writes aligned columns, each shortened to its width. Piped output is not shortened.
fn push_columns<T: AsRef<str>>(
    ui: Ui,
    layout: &ColumnLayout,
    texts: &[T; 8],
    level: Option<SeverityLevel>,
    line: &mut String,
) {
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
        line.extend(std::iter::repeat_n(' ', space));
        rest = rest.map(|rest| rest.saturating_sub(width + layout.space));
    }
    line.truncate(line.trim_end().len());
}

/// The colour of a cell: severities and errors are coloured.
fn cell_tone(column: usize, level: Option<SeverityLevel>, text: &str) -> Option<Tone> {
    match (column, level?) {
        (1, SeverityLevel::High) => Some(Tone::Bad),
        (1, SeverityLevel::Medium) => Some(Tone::Change),
        (7, _) if !text.is_empty() => Some(Tone::Change),
        _ => None,
    }
}

/// Writes the text, shortened with an ellipsis if it is too long, and returns its display width.
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
        table_line(Ui::plain(width), &AccountNames::new(), texts)
    }

    fn table_line(ui: Ui, accounts: &AccountNames, texts: [&str; 8]) -> String {
        let layout = ColumnLayout::new(&ui, accounts);
        let mut texts = texts.map(Cow::Borrowed);
        texts[0] = time_for_width(ui, &layout, texts[0].clone());
        let mut line = String::new();
        push_columns(ui, &layout, &texts, None, &mut line);
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
    fn long_account_names_keep_columns_aligned() {
        const NAMES: [&str; 3] = ["dev", "platform-production-eu", "データ分析-本番環境"];
        let accounts = NAMES.iter().enumerate();
        let accounts: AccountNames = accounts
            .map(|(number, name)| (number.to_string(), (*name).to_owned()))
            .collect();
        for width in [None, Some(80), Some(130), Some(160), Some(200)] {
            let columns = NAMES.map(|name| {
                let mut texts = TEXTS;
                (texts[2], texts[3]) = (name, "REGION");
                let line = table_line(Ui::plain(width), &accounts, texts);
                assert!(width.is_none_or(|width| line.width() <= width), "{line}");
                let is_whole = width.is_none_or(|width| width == 200);
                assert!(!is_whole || line.contains(name), "{width:?}: {line}");
                line.split_once("REGION").map(|(before, _)| before.width())
            });
            assert!(columns[0].is_some(), "{width:?}");
            assert_eq!(columns, [columns[0]; 3], "{width:?}");
        }
    }

    #[test]
    fn piped_output_is_not_truncated() {
        let line = table_line_at(None, TEXTS);
        assert!(TEXTS.iter().all(|text| line.contains(text)), "{line}");
    }
}
