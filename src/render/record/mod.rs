//! Prints events (as a table, JSON or CSV), the statistics of tail, and its warnings.

mod csv;
mod table;
#[cfg(test)]
mod tests;

use std::ops::Range;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use crate::alert::DeliveryStats;
use crate::cloudtrail::record::Record;
use crate::error::Error;
use crate::render::message::Message;
use crate::render::{OutputFormat, Tone, Ui};
use crate::sanitize::escape_control_chars;
use crate::sanitize::is_printable_ascii;
use crate::severity::SeverityTable;
use crate::tail::account_names::{AccountNames, SharedAccountNames};
use crate::tail::formatter::{FormatRecord, RecordBatch};
use crate::tail::stats::{Stats, UnitCounts};
pub(super) use csv::push_csv_field;
use csv::{CSV_COLUMNS, push_csv_row};
pub use table::{ColumnLayout, EventColumn};
use table::{push_headings, push_table_line};

/// Returns the function that formats a record in the output format.
#[must_use]
pub fn record_formatter(
    ui: Ui,
    severities: Arc<SeverityTable>,
    accounts: SharedAccountNames,
    columns: Vec<EventColumn>,
) -> FormatRecord {
    let layout = OnceLock::new();
    match ui.format() {
        OutputFormat::Json => Box::new(move |record, out| push_json(ui, record, out)),
        OutputFormat::Text => Box::new(move |record, out| {
            let no_names = AccountNames::new();
            let names = accounts.get().unwrap_or(&no_names);
            push_table_line(
                ui,
                layout.get_or_init(|| ColumnLayout::new(&ui, names, &columns)),
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
            push_headings(*ui, layout, &mut words);
            ui.status_unwrapped(&ui.paint_stderr(Tone::Strong, &words));
            true
        }
    }
}

/// Returns true if the table has no room for dates, so that they are lines of their own.
#[must_use]
pub fn separates_dates(ui: &Ui, columns: &[EventColumn]) -> bool {
    ui.format() == OutputFormat::Text
        && ColumnLayout::new(ui, &AccountNames::new(), columns).omits_dates()
}

/// Prints the date of the events that follow; returns false if standard output is closed.
#[must_use]
pub fn print_date(ui: &Ui, date: &str) -> bool {
    let date = escape_control_chars(date);
    ui.stdout(&format!("{}\n", ui.paint(Tone::Strong, &date)))
}

/// Prints the reason why something was skipped.
pub fn print_skipped(ui: &Ui, name: &str, reason: &str) {
    let text = format!("skipped {}: {reason}", escape_control_chars(name));
    ui.status("skipped", &ui.paint_stderr(Tone::Faint, &text));
}

/// Warns of something that could not be read.
pub fn warn_failed(ui: &Ui, problem: &str, cause: &str, hint: Option<&str>) {
    warn_problem(ui, "read_failed", problem, cause, hint);
}

fn warn_problem(ui: &Ui, id: &'static str, problem: &str, cause: &str, hint: Option<&str>) {
    let mark = ui.paint_stderr(Tone::Change, "warning:");
    let text = format!(
        "{mark} {}: {}",
        escape_control_chars(problem),
        escape_control_chars(cause)
    );
    let mut message = Message::warning(id, text);
    if let Some(hint) = hint {
        message = message.and_text(format!("  hint: {}", escape_control_chars(hint)));
    }
    ui.message(&message);
}

/// Warns of a call that is repeated for up to this time, because something else than AWS answered it.
pub fn warn_outage(ui: &Ui, error: &Error, give_up_after: Duration) {
    let limit = humantime::format_duration(give_up_after);
    let hint = format!("the call is repeated for up to {limit} (--give-up-after)");
    let problem = format!("{} at the moment", error.headline());
    warn_problem(ui, "outage", &problem, &error.cause(), Some(&hint));
}

/// Prints the statistics.
pub fn print_stats(ui: &Ui, stats: &Stats) {
    print_unit_counts(ui, "message_counts", "Messages", &stats.messages);
    print_unit_counts(ui, "object_counts", "Objects", &stats.objects);
    ui.status("record_counts", &format!("Records: {}.", stats.records));
    if !stats.delivery_delay.is_empty() {
        let delay = |percent| humantime::format_duration(stats.delivery_delay.percentile(percent));
        let text = format!(
            "Delivery delay: p50 {}, p95 {}, max {}.",
            delay(50),
            delay(95),
            delay(100)
        );
        ui.status("delivery_delay", &text);
    }
    if !stats.is_consistent() {
        let text = "Internal error: the statistics do not add up. Please report this.";
        ui.warn("inconsistent_counts", text);
    }
}

/// Prints the delivery statistics of alerts.
pub fn print_alert_stats(ui: &Ui, all: &[DeliveryStats]) {
    for stats in all {
        let text = format!(
            "Alerts to {}: {} delivered, {} failed, {} dropped.",
            stats.receiver, stats.delivered, stats.failed, stats.dropped
        );
        ui.status("alert_counts", &text);
    }
}

/// Warns that an alert could not be delivered.
pub fn warn_alert_failed(ui: &Ui, receiver: &str, reason: &str) {
    let mark = ui.paint_stderr(Tone::Change, "warning:");
    let text = format!(
        "{mark} cannot deliver an alert to {receiver}: {}",
        escape_control_chars(reason)
    );
    ui.warn("alert_failed", &text);
}

fn print_unit_counts(ui: &Ui, id: &'static str, name: &str, units: &UnitCounts) {
    if units.received == 0 {
        return;
    }
    let first = Message::status(id, format!("{name}: {units}."));
    let message = units
        .skipped
        .iter()
        .fold(first, |message, (reason, count)| {
            message.and_text(format!("  {count} skipped: {reason}"))
        });
    ui.message(&message);
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
