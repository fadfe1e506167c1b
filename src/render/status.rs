//! The health of a deployment, hop by hop, as text and as JSON.

use std::fmt::Write;

use serde_json::{Value, json};

use super::document::Document;
use super::result_sign::ResultSign;
use super::{OutputFormat, Tone, Ui};
use crate::check::lint::LintWarning;
use crate::hint::{Hint, HintPart};
use crate::hop::{Hop, HopStatus, PipelineHealth};
use crate::inventory::Fact;
use crate::inventory::pipeline::{PipelineFacts, QueueFacts, TrafficMetric, WINDOW_SECONDS};
use crate::sanitize::escape_control_chars;

/// The width of the longest ID of a hop.
const ID_WIDTH: usize = 19;
/// The width of the longest status.
const STATUS_WIDTH: usize = 11;

/// The result of `status`.
pub struct StatusReport<'a> {
    pub option: &'a str,
    pub name_prefix: &'a str,
    pub facts: &'a PipelineFacts,
    pub health: &'a PipelineHealth,
    /// Warnings about policies that do not prevent the delivery.
    pub warnings: &'a [LintWarning],
}

/// Returns the health as the result.
#[must_use]
pub fn status_document(ui: &Ui, report: &StatusReport<'_>) -> Document {
    match ui.format() {
        OutputFormat::Json => Document::Json(status_json(ui, report)),
        OutputFormat::Text | OutputFormat::Csv => Document::Text(status_text(*ui, report)),
    }
}

/// Prints the health as text. On a terminal, it replaces what the terminal shows. Returns false if the reader has closed
/// the pipe.
#[must_use]
pub fn redraw(ui: &Ui, report: &StatusReport<'_>) -> bool {
    let text = status_text(*ui, report);
    if ui.stdout.is_terminal {
        // To the first line, then erase everything below.
        ui.stdout(&format!("\u{1b}[H\u{1b}[J{text}"))
    } else {
        ui.stdout(&format!("{text}\n"))
    }
}

/// Returns the health as `JUnit` XML: a test case per hop, failed if broken and skipped if not known.
#[must_use]
pub fn junit_document(ui: &Ui, report: &StatusReport<'_>) -> Document {
    let hops = &report.health.hops;
    let count = |statuses: &[HopStatus]| {
        let matching = hops.iter().filter(|hop| statuses.contains(&hop.status));
        matching.count()
    };
    let mut text = String::from("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites>\n");
    let _ = writeln!(
        text,
        "  <testsuite name=\"heeler-ec status\" tests=\"{}\" failures=\"{}\" errors=\"0\" skipped=\"{}\">",
        hops.len(),
        count(&[HopStatus::Broken]),
        count(&[HopStatus::Unknown, HopStatus::NotReached]),
    );
    for hop in hops {
        let id = hop.id.as_str();
        let start = format!(
            "    <testcase classname=\"{}\" name=\"{id}\"",
            escape_xml(report.option)
        );
        let observed = escape_xml(&hop.observed);
        let _ = match hop.status {
            HopStatus::Ok => writeln!(text, "{start}/>"),
            HopStatus::Broken => {
                let hint = hop.hint.as_ref().map(|hint| plain_hint(ui, hint));
                writeln!(
                    text,
                    "{start}><failure message=\"{observed}\">expected: {}\nhint: {}</failure></testcase>",
                    escape_xml(&hop.expected),
                    escape_xml(&hint.unwrap_or_default()),
                )
            }
            HopStatus::Unknown | HopStatus::NotReached => {
                writeln!(text, "{start}><skipped message=\"{observed}\"/></testcase>")
            }
        };
    }
    text.push_str("  </testsuite>\n</testsuites>\n");
    Document::Text(text)
}

/// Escapes text for XML. Control characters, which XML does not allow, are shown as escapes.
fn escape_xml(text: &str) -> String {
    escape_control_chars(text)
        .replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('"', "&quot;")
}

pub(super) fn status_json(ui: &Ui, report: &StatusReport<'_>) -> Value {
    let StatusReport {
        option,
        name_prefix,
        facts,
        health,
        ..
    } = report;
    let queue = |queue: &Fact<QueueFacts>| match queue {
        Fact::Present(queue) => json!({
            "visible": queue.visible,
            "in_flight": queue.in_flight,
            "delayed": queue.delayed,
        }),
        _ => Value::Null,
    };
    let last_used = facts.role.role.present().and_then(|role| role.last_used);
    json!({
        "deployment": {
            "option": option,
            "name_prefix": name_prefix,
            "account": facts.request.account,
            "region": facts.request.region,
        },
        "healthy": health.is_healthy(),
        "cause": health.cause().map(|hop| hop.id.as_str()),
        "hops": health.hops.iter().map(|hop| hop_json(ui, hop)).collect::<Vec<_>>(),
        "warnings": report.warnings.iter().map(warning_json).collect::<Vec<_>>(),
        "metrics": {
            "queue": queue(&facts.queue),
            "dead_letter_queue": queue(&facts.dead_letter_queue),
            "window_seconds": WINDOW_SECONDS,
            "traffic": facts.traffic.present().map(|traffic| {
                let values = traffic.iter();
                values.map(|(metric, value)| (metric.as_str().to_owned(), json!(value))).collect::<serde_json::Map<_, _>>()
            }),
            "role_last_used": last_used.map(|time| humantime::format_rfc3339_seconds(time).to_string()),
        },
    })
}

fn warning_json(warning: &LintWarning) -> Value {
    let finding = &warning.finding;
    json!({
        "id": warning.id.as_str(),
        "observed": finding.observed,
        "expected": finding.expected,
        "reason": finding.reason,
        "hint": finding.fix.advice,
    })
}

fn hop_json(ui: &Ui, hop: &Hop) -> Value {
    json!({
        "id": hop.id.as_str(),
        "status": hop.status.as_str(),
        "observed": hop.observed,
        "expected": hop.expected,
        "hint": hop.hint.as_ref().map(|hint| plain_hint(ui, hint)),
        "resource": hop.resource,
    })
}

fn status_text(ui: Ui, report: &StatusReport<'_>) -> String {
    let facts = report.facts;
    let mut text = String::new();
    let title = format!(
        "Option {}, prefix {}, {}",
        report.option, report.name_prefix, facts.request.region
    );
    let time = humantime::format_rfc3339_seconds(facts.now).to_string();
    let title = format!("{title}, {time}");
    let _ = writeln!(text, "{}\n", ui.paint(Tone::Strong, &title));
    for hop in &report.health.hops {
        write_hop(ui, &mut text, hop);
    }
    text.push('\n');
    if let Some(cause) = report.health.cause() {
        write_labelled(
            ui,
            &mut text,
            "Cause:",
            &format!("{}: {}", cause.id.as_str(), cause.observed),
        );
        write_labelled(ui, &mut text, "Expected:", &cause.expected);
        if let Some(hint) = &cause.hint {
            write_fix(ui, &mut text, hint);
        }
        text.push('\n');
    }
    write_warnings(ui, &mut text, report.warnings);
    write_numbers(ui, &mut text, facts);
    write_traffic(ui, &mut text, facts);
    let drift = format!(
        "Drift is not part of the status; to see it, run `{}`",
        ui.repeated.complete("heeler-ec plan --check")
    );
    let _ = writeln!(text, "{}", ui.wrap_stdout(&drift, 0));
    text
}

/// Writes the ID of each warning with what was observed, and how to read more.
fn write_warnings(ui: Ui, text: &mut String, warnings: &[LintWarning]) {
    let Some(first) = warnings.first() else {
        return;
    };
    let sign = ResultSign::Warning.text(ui);
    for warning in warnings {
        let (id, observed) = (warning.id, &warning.finding.observed);
        let line = escape_control_chars(&format!("{id}  {observed}"));
        let line = ui.wrap_stdout(&format!("{sign} {line}"), 4);
        let _ = writeln!(text, "{}", ui.paint(Tone::Change, &line));
    }
    let command = ui
        .repeated
        .complete(&format!("heeler-ec explain {}", first.id));
    let line = format!("These policies do not prevent the delivery. To read more, run `{command}`");
    let _ = writeln!(text, "{}\n", ui.wrap_stdout(&line, 0));
}

/// Writes a hop as one line, and its hint below it unless it works.
fn write_hop(ui: Ui, text: &mut String, hop: &Hop) {
    let (sign, tone) = match hop.status {
        HopStatus::Ok => (ResultSign::Good, Tone::Good),
        HopStatus::Broken => (ResultSign::Bad, Tone::Bad),
        HopStatus::Unknown => (ResultSign::Unknown, Tone::Change),
        HopStatus::NotReached => (ResultSign::Skipped, Tone::Faint),
    };
    let sign = sign.text(ui);
    let status = hop.status.as_str().replace('_', " ");
    let line = format!(
        "{sign} {status:<STATUS_WIDTH$} {:<ID_WIDTH$} {}",
        hop.id.as_str(),
        escape_control_chars(&hop.observed)
    );
    let indent = STATUS_WIDTH + ID_WIDTH + 4;
    // Wrapped before it is coloured, because colours take no columns.
    let line = ui.wrap_stdout(&ui.ascii_fallback(&line), indent);
    let _ = writeln!(text, "{}", line.replacen(sign, &ui.paint(tone, sign), 1));
    if let (HopStatus::Unknown, Some(hint)) = (hop.status, &hop.hint) {
        let line = format!("{}{}", " ".repeat(indent), hint_text(ui, hint));
        let _ = writeln!(text, "{}", ui.wrap_stdout(&line, indent));
    }
}

fn write_labelled(ui: Ui, text: &mut String, label: &str, value: &str) {
    let line = format!("{label:<9} {}", escape_control_chars(value));
    let line = ui.wrap_stdout(&ui.ascii_fallback(&line), 10);
    let painted = ui.paint(Tone::Strong, label);
    let _ = writeln!(text, "{}", line.replacen(label, &painted, 1));
}

/// Writes how to repair the cause. A single command is neither wrapped nor quoted, so that it can be copied.
fn write_fix(ui: Ui, text: &mut String, hint: &Hint) {
    let [HintPart::Command(command)] = hint.parts() else {
        write_labelled(ui, text, "Fix:", &hint_text(ui, hint));
        return;
    };
    let label = ui.paint(Tone::Strong, "Fix:");
    let command = escape_control_chars(&ui.repeated.complete(command));
    let _ = writeln!(text, "{label}      {command}");
}

/// Writes the counters of the queues and the last use of the role. Counters that could not be read are missing.
fn write_numbers(ui: Ui, text: &mut String, facts: &PipelineFacts) {
    for (name, queue) in [
        ("Queue", &facts.queue),
        ("Dead-letter queue", &facts.dead_letter_queue),
    ] {
        if let Fact::Present(queue) = queue {
            let line = format!(
                "{name:<18} {} visible, {} in flight, {} delayed",
                queue.visible, queue.in_flight, queue.delayed
            );
            let _ = writeln!(text, "{}", ui.wrap_stdout(&line, 19));
        }
    }
}

/// Returns a hint as text for programs, without backticks.
fn plain_hint(ui: &Ui, hint: &Hint) -> String {
    let parts = hint.parts().iter().map(|part| match part {
        HintPart::Text(text) => text.clone(),
        HintPart::Command(command) => ui.repeated.complete(command),
    });
    parts.collect()
}

/// Writes the metrics of the last minutes that have data points.
fn write_traffic(ui: Ui, text: &mut String, facts: &PipelineFacts) {
    let traffic = match &facts.traffic {
        Fact::Present(traffic) => traffic,
        Fact::Failed(error) => {
            let line = format!(
                "Metrics            not known: {}",
                escape_control_chars(&error.to_string())
            );
            let _ = writeln!(text, "{}", ui.wrap_stdout(&line, 19));
            return;
        }
        Fact::Absent | Fact::NotRequested => return,
    };
    let shown = [
        (TrafficMetric::LogEventsIncoming, "events in the log group"),
        (TrafficMetric::FunctionInvocations, "invocations"),
        (TrafficMetric::TopicPublished, "published"),
        (TrafficMetric::TopicDelivered, "delivered"),
        (TrafficMetric::TopicFailed, "failed"),
        (TrafficMetric::QueueSent, "sent to the queue"),
        (TrafficMetric::QueueReceived, "received"),
        (TrafficMetric::QueueDeleted, "deleted"),
    ];
    let counts: Vec<String> = shown
        .into_iter()
        .filter_map(|(metric, words)| Some(format!("{} {words}", traffic.get(metric)?)))
        .collect();
    let line = if counts.is_empty() {
        "Last 15 minutes    no metrics yet".to_owned()
    } else {
        format!("Last 15 minutes    {}", counts.join(", "))
    };
    let _ = writeln!(text, "{}", ui.wrap_stdout(&line, 19));
    if let Some(seconds) = traffic.get(TrafficMetric::QueueOldestAgeSeconds) {
        let _ = writeln!(text, "Oldest message     {seconds} s");
    }
}

/// Returns a hint as text; backticks around a command keep it from being wrapped.
fn hint_text(ui: Ui, hint: &Hint) -> String {
    let parts = hint.parts().iter();
    parts
        .map(|part| match part {
            HintPart::Text(text) => text.clone(),
            HintPart::Command(command) => format!("`{}`", ui.repeated.complete(command)),
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::hop::HopId;

    #[test]
    fn command_of_a_fix_is_not_wrapped() {
        let command = "aws cloudtrail start-logging --region us-east-1 --name arn:aws:cloudtrail:us-east-1:111122223333:trail/org-trail";
        let mut text = String::new();
        write_fix(Ui::plain(Some(80)), &mut text, &Hint::command(command));
        assert_eq!(text, format!("Fix:      {command}\n"));
    }

    #[test]
    fn columns_fit_every_id_and_status() {
        let longest = HopId::ALL.iter().map(|id| id.as_str().len()).max();
        assert_eq!(longest, Some(ID_WIDTH));
        assert_eq!(HopStatus::NotReached.as_str().len(), STATUS_WIDTH);
    }
}
