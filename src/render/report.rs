//! The report of preflight for one option or for all options.

use serde_json::{Value, json};

use super::check_results::{result_json, result_lines};
pub use super::compare::Advice;
use super::document::Document;
use super::message::Message;
use super::{OutputFormat, ProgressFormat, Tone, Ui, compare};
use crate::check::{CheckResult, Report, Verdict};
use crate::sanitize::escape_control_chars;

/// Returns the report of one option, or the comparison of several options, as the result.
#[must_use]
pub fn reports_document(ui: &Ui, reports: &[Report], advice: &Advice<'_>) -> Document {
    match (ui.format(), reports) {
        (OutputFormat::Json, [one]) => Document::Json(report_json(*ui, one)),
        (OutputFormat::Json, several) => Document::Json(json!({
            "recommended": compare::recommended(several).map(|report| report.option),
            "options": several.iter().map(|report| report_json(*ui, report)).collect::<Vec<_>>(),
        })),
        (OutputFormat::Text | OutputFormat::Csv, [one]) => Document::Text(format!(
            "{}{}",
            result_lines(*ui, &result_refs(one), ""),
            closing_lines(*ui, one, advice)
        )),
        (OutputFormat::Text | OutputFormat::Csv, several) => {
            Document::Text(compare::side_by_side(*ui, several, advice))
        }
    }
}

/// Returns the checks that `--wait` waits for: those of the option that is closest to being ready. Returns `None` if an
/// option has none.
#[must_use]
pub fn pending_checks(reports: &[Report]) -> Option<String> {
    let pending = |report: &Report| -> Vec<&'static str> {
        report
            .results
            .iter()
            .filter(|result| result.is_retryable())
            .map(|result| result.check.id.as_str())
            .collect()
    };
    let nearest = reports
        .iter()
        .map(pending)
        .min_by_key(Vec::len)
        .unwrap_or_default();
    (!nearest.is_empty()).then(|| nearest.join(", "))
}

/// Prints the results that block setup to standard error.
pub fn blocking_results(ui: &Ui, report: &Report) {
    let blocking: Vec<&CheckResult> = report
        .results
        .iter()
        .filter(|result| result.is_blocking())
        .collect();
    if ui.options.progress == ProgressFormat::Json {
        for result in blocking {
            let observed = match &result.verdict {
                Verdict::Fail(finding)
                | Verdict::Warn(finding)
                | Verdict::Undetermined(finding) => finding.observed.clone(),
                Verdict::Unknown(error) => error.to_string(),
                Verdict::Pass(_) | Verdict::Skip(_) => continue,
            };
            let text = format!("{}: {observed}", result.check.id);
            ui.message(&Message::warning("check_failed", text));
        }
        return;
    }
    ui.warn_unwrapped(result_lines(ui.for_stderr(), &blocking, "").trim_end());
    ui.warn("");
}

/// Prints the counts and the warnings, before a plan.
pub fn summary(ui: &Ui, report: &Report) {
    let counts = report.unaccepted_counts();
    let accepted = match counts.accepted {
        0 => String::new(),
        many => format!(", {many} accepted"),
    };
    ui.status(&format!(
        "Preflight: {} passed, {}{accepted}, {} skipped.",
        counts.passed,
        warnings(counts.warnings),
        counts.skipped
    ));
    for result in &report.results {
        let observed = match &result.verdict {
            Verdict::Warn(finding) | Verdict::Fail(finding) | Verdict::Undetermined(finding)
                if result.accepted =>
            {
                format!("accepted: {}", finding.observed)
            }
            Verdict::Warn(finding) | Verdict::Fail(finding) | Verdict::Undetermined(finding) => {
                finding.observed.clone()
            }
            Verdict::Unknown(error) if result.accepted => format!("accepted: {error}"),
            Verdict::Unknown(error) => error.to_string(),
            Verdict::Pass(_) | Verdict::Skip(_) => continue,
        };
        ui.status(&format!(
            "  {} {}: {}",
            ui.symbol("‼", "!"),
            result.check.id,
            escape_control_chars(&observed)
        ));
    }
}

fn result_refs(report: &Report) -> Vec<&CheckResult> {
    report.results.iter().collect()
}

fn warnings(count: usize) -> String {
    format!("{count} warning{}", if count == 1 { "" } else { "s" })
}

fn closing_lines(ui: Ui, report: &Report, advice: &Advice<'_>) -> String {
    let is_blocking = |result: &&CheckResult| result.is_blocking();
    let mut blocking = report.results.iter().filter(is_blocking);
    let unknown = match blocking.clone().count() {
        1 => "Not ready: 1 required check could not run.".to_owned(),
        many => format!("Not ready: {many} required checks could not run."),
    };
    let (word, tone) = if report.is_ready() {
        ("Ready for setup.", Tone::Good)
    } else if blocking
        .clone()
        .any(|result| matches!(result.verdict, Verdict::Fail(_)))
    {
        (
            "Not ready: fix the failed checks and run preflight again.",
            Tone::Bad,
        )
    } else if blocking.next().is_some() {
        (unknown.as_str(), Tone::Bad)
    } else {
        (
            "Not ready: warnings count as failures (--strict).",
            Tone::Bad,
        )
    };
    let counts = report.unaccepted_counts();
    let accepted = match counts.accepted {
        0 => String::new(),
        many => format!(", {many} accepted"),
    };
    let sum = format!(
        "{} failed, {} unknown, {}{accepted}, {} passed, {} skipped. {word}",
        counts.failed,
        counts.unknown,
        warnings(counts.warnings),
        counts.passed,
        counts.skipped
    );
    // Wrapped before it is coloured, because colours take no columns.
    let line = ui.wrap_stdout(&sum, 2);
    let line = line.replacen(word, &ui.paint(tone, word), 1);
    let next = if report.is_ready() {
        format!("{}\n", advice.next_command(ui, report.option))
    } else {
        String::new()
    };
    format!("\n{line}\n{next}")
}

fn report_json(ui: Ui, report: &Report) -> Value {
    let counts = report.counts();
    json!({
        "option": report.option,
        "ready": report.is_ready(),
        "checks": report.results.iter().map(|result| result_json(ui, result)).collect::<Vec<_>>(),
        "counts": {
            "fail": counts.failed,
            "unknown": counts.unknown,
            "warn": counts.warnings,
            "pass": counts.passed,
            "skip": counts.skipped,
            "accepted": counts.accepted,
        },
    })
}
