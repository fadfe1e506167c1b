//! The cost as tables: the options, the items of each option, the volume, and the assumptions.

use std::fmt::Write;

use unicode_width::UnicodeWidthStr;

use super::amount::{dollars, quantity};
use super::{CostReport, MeasuredTrail};
use crate::cost::{FigureSource, OptionCost, PriceId, UsageFigure};
use crate::render::coverage::{grouped, rfc3339};
use crate::render::{Tone, Ui};
use crate::sanitize::escape_control_chars;

const SERVICE_WIDTH: usize = 15;
const QUANTITY_WIDTH: usize = 14;
const PURPOSE_WIDTH: usize = 37;
const AMOUNT_WIDTH: usize = 10;
const LABEL_WIDTH: usize = 27;

pub(super) fn cost_text(ui: Ui, report: &CostReport<'_>) -> String {
    let mut text = String::new();
    write_headline(ui, &mut text, report);
    write_options(ui, &mut text, report);
    for option in report.options {
        write_items(ui, &mut text, report, option);
    }
    write_volume(ui, &mut text, report);
    write_unread(ui, &mut text, report);
    write_assumptions(ui, &mut text, report);
    write_end(ui, &mut text, report);
    text
}

fn write_headline(ui: Ui, text: &mut String, report: &CostReport<'_>) {
    let line = format!(
        "Cost of each option per month, in US dollars ({})",
        report.prices.region
    );
    let line = ui.wrap_stdout(&escape_control_chars(&line), 0);
    let _ = writeln!(text, "{}", ui.paint(Tone::Strong, &line));
    if let (Some(MeasuredTrail { name, bucket, .. }), Some(period)) = (report.trail, report.period)
    {
        let (start, end) = (rfc3339(period.start), rfc3339(period.end));
        let line = format!("Trail {name}, s3://{bucket}, {start} to {end}");
        let _ = writeln!(text, "{}", ui.wrap_stdout(&escape_control_chars(&line), 0));
    }
    text.push('\n');
}

/// One row per option: the amount, and the part that is charged without the option, too.
fn write_options(ui: Ui, text: &mut String, report: &CostReport<'_>) {
    let widths = report.options.iter().map(|option| option.option.width());
    let width = widths.max().unwrap_or_default().max("option".len());
    let heading = format!(
        "{:<width$}  {:>AMOUNT_WIDTH$}  {:>15}",
        "option", "a month", "charged already"
    );
    let _ = writeln!(text, "{}", ui.paint(Tone::Strong, heading.trim_end()));
    for option in report.options {
        let amount = |amount: Option<f64>| amount.map_or_else(|| "unknown".to_owned(), dollars);
        let line = format!(
            "{:<width$}  {:>AMOUNT_WIDTH$}  {:>15}",
            option.option,
            amount(option.total(report.prices)),
            amount(option.charged_already(report.prices))
        );
        let _ = writeln!(text, "{line}");
    }
    text.push('\n');
}

fn write_items(ui: Ui, text: &mut String, report: &CostReport<'_>, option: &OptionCost) {
    let heading = format!("Option {}", option.option);
    let _ = writeln!(text, "{}", ui.paint(Tone::Strong, &heading));
    match &option.estimate {
        Ok(estimate) => {
            for item in &estimate.items {
                let sign = if item.is_charged_already { "*" } else { "" };
                let line = format!(
                    "  {:<SERVICE_WIDTH$} {:>QUANTITY_WIDTH$} {:<PURPOSE_WIDTH$}{:>AMOUNT_WIDTH$}{sign}",
                    item.service,
                    quantity(item.quantity),
                    item.purpose,
                    dollars(report.prices.amount(item.price, item.quantity)),
                );
                let _ = writeln!(text, "{line}");
            }
            if estimate.items.iter().any(|item| item.is_charged_already) {
                let line = "  * charged already, because the trail delivers to this log group";
                let _ = writeln!(text, "{}", ui.wrap_stdout(line, 4));
            }
        }
        Err(missing) => {
            let flags: Vec<&str> = missing.iter().map(|figure| figure.flag()).collect();
            let line = format!(
                "  Not known. To give what is missing, add {}.",
                flags.join(", ")
            );
            let _ = writeln!(text, "{}", ui.wrap_stdout(&line, 2));
        }
    }
    text.push('\n');
}

fn write_volume(ui: Ui, text: &mut String, report: &CostReport<'_>) {
    let _ = writeln!(text, "{}", ui.paint(Tone::Strong, "Volume per month"));
    for figure in UsageFigure::ALL {
        let label = match figure {
            UsageFigure::LogFiles => "log files",
            UsageFigure::Events => "events",
            UsageFigure::EventBytes => "bytes per event",
            UsageFigure::MatchingShare => "match Heeler's filter",
        };
        let (value, source) = match report.usage.get(figure) {
            Some(found) => {
                let value = match figure {
                    UsageFigure::MatchingShare => format!("{:.1} %", found.value * 100.0),
                    _ => quantity(found.value),
                };
                (value, source_text(report, found.source))
            }
            None => ("unknown".to_owned(), String::new()),
        };
        let line = format!("  {label:<LABEL_WIDTH$} {value:>QUANTITY_WIDTH$}  {source}");
        let _ = writeln!(text, "{}", ui.wrap_stdout(line.trim_end(), 4));
    }
    write_large_events(ui, text, report);
    if let Some(events) = report.usage.get(UsageFigure::Events) {
        let amount = report.prices.amount(PriceId::TrailCopyEvent, events.value);
        let line = format!(
            "  A second organization trail for these events would add {} USD a month.",
            dollars(amount)
        );
        let _ = writeln!(text, "{}", ui.wrap_stdout(&line, 2));
    }
    text.push('\n');
}

fn source_text(report: &CostReport<'_>, source: FigureSource) -> String {
    match (source, &report.measured.log_files) {
        (FigureSource::Given, _) => "given".to_owned(),
        (FigureSource::LogFiles, Some(volume)) => {
            let (listed, all) = (grouped(volume.listed_accounts), grouped(volume.accounts));
            format!("log files of {listed} of {all} accounts")
        }
        (FigureSource::LogFiles, None) => "log files".to_owned(),
        (FigureSource::LogGroupMetrics, _) => "metrics of the log group".to_owned(),
        (FigureSource::LogGroupEvents, _) => "events in the log group".to_owned(),
    }
}

/// The number of events that some options do not deliver.
fn write_large_events(ui: Ui, text: &mut String, report: &CostReport<'_>) {
    let Some(sample) = report.measured.event_sample() else {
        return;
    };
    let options = report.options.iter();
    let affected: Vec<&str> = options
        .filter(|option| !option.delivers_large_events)
        .map(|option| option.option)
        .collect();
    let (large, events) = (sample.oversized, sample.events);
    let consequence = match (large, affected.as_slice()) {
        (0, _) | (_, []) => String::new(),
        (_, [only]) => format!(" Option {only} does not deliver these."),
        (_, several) => format!(" Options {} do not deliver these.", several.join(" and ")),
    };
    let number = |count: u64| usize::try_from(count).map_or_else(|_| count.to_string(), grouped);
    let line = format!(
        "  {} of {} events that were read are larger than 256 KB.{consequence}",
        number(large),
        number(events)
    );
    let line = ui.wrap_stdout(&line, 2);
    let tone = if consequence.is_empty() {
        Tone::Faint
    } else {
        Tone::Change
    };
    let _ = writeln!(text, "{}", ui.paint(tone, &line));
}

fn write_unread(ui: Ui, text: &mut String, report: &CostReport<'_>) {
    if report.unread.is_empty() {
        return;
    }
    let _ = writeln!(text, "{}", ui.paint(Tone::Strong, "Not measured"));
    for source in report.unread {
        let line = format!("  {}: {}", source.place, source.reason());
        let _ = writeln!(text, "{}", ui.wrap_stdout(&escape_control_chars(&line), 4));
    }
    text.push('\n');
}

fn write_assumptions(ui: Ui, text: &mut String, report: &CostReport<'_>) {
    let _ = writeln!(text, "{}", ui.paint(Tone::Strong, "Assumptions"));
    for line in report.all_assumptions() {
        let line = format!("  - {}", escape_control_chars(line));
        let _ = writeln!(text, "{}", ui.wrap_stdout(&line, 4));
    }
    text.push('\n');
}

/// The cost of the measurement itself.
fn write_end(ui: Ui, text: &mut String, report: &CostReport<'_>) {
    let calls = report.calls;
    let line = if report.trail.is_none() {
        "This estimate took no AWS calls.".to_owned()
    } else {
        let bytes = report
            .measured
            .log_files
            .as_ref()
            .map_or(0, |volume| volume.downloaded_bytes);
        format!(
            "This measurement took {} list and {} get requests of S3 ({} KB) and {} metrics: {} USD.",
            grouped(calls.list),
            grouped(calls.get),
            grouped(usize::try_from(bytes.div_ceil(1_000)).unwrap_or(usize::MAX)),
            calls.metrics,
            dollars(calls.amount(report.prices))
        )
    };
    let _ = writeln!(text, "{}", ui.wrap_stdout(&line, 0));
}
