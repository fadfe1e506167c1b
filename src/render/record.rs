//! One event, one line.

use super::{Tone, Ui};
use crate::cli::Format;
use crate::tail::record::{Record, visible};

/// Prints a record. False when nobody reads any more.
#[must_use]
pub fn record(ui: &Ui, record: &Record) -> bool {
    match ui.format {
        Format::Json => ui.answer(&format!("{}\n", record.json())),
        Format::Table => ui.answer(&format!("{}\n", line(*ui, record))),
    }
}

/// The heading over the lines.
pub fn heading(ui: &Ui) {
    if ui.format == Format::Table {
        let words = columns(
            ["TIME", "ACCOUNT", "REGION", "SERVICE", "EVENT", "ACTOR", "ERROR"].map(str::to_owned),
        );
        let words = ui.cut(words.trim_end().to_owned());
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
    ui.alert(&format!("{mark} cannot read {}: {}", visible(what), visible(why)));
    if let Some(hint) = hint {
        ui.alerted(&format!("  hint: {}", visible(hint)), 8);
    }
}

fn line(ui: Ui, record: &Record) -> String {
    if !record.is_readable() {
        return ui.cut(format!("(not a CloudTrail record) {}", visible(record.json())));
    }
    let text = |field: &Option<String>| field.as_deref().map_or_else(|| "-".to_owned(), visible);
    let error = record.error_code.as_deref().map(visible).unwrap_or_default();
    let line = columns([
        text(&record.event_time),
        text(&record.account),
        text(&record.region),
        text(&record.event_source),
        text(&record.event_name),
        text(&record.actor),
        error.clone(),
    ]);
    let line = ui.cut(line.trim_end().to_owned());
    if error.is_empty() { line } else { ui.tint(Tone::Change, &line) }
}

fn columns([time, account, region, service, event, actor, error]: [String; 7]) -> String {
    format!("{time:<20}  {account:<12}  {region:<14}  {service:<14}  {event:<28}  {actor:<32}  {error}")
}

