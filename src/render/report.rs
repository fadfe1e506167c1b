//! The report of preflight for one option or for all options.

use serde_json::{Value, json};

use super::check_groups::group_lines;
use super::check_results::{problem_lines, result_json, result_lines};
use super::document::Document;
use super::message::Message;
pub use super::recap::Advice;
use super::result_sign::ResultSign;
use super::{OutputFormat, ProgressFormat, Ui, compare, recap};
use crate::check::{CheckResult, Report, Verdict};
use crate::sanitize::escape_control_chars;

/// The amount of detail of a report as text.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ReportDetail {
    /// The problems and the recap.
    Short,
    /// One line per group of checks, and the problems in full.
    #[default]
    Groups,
    /// Each check.
    Full,
}

/// Returns the report of one option, or the comparison of several options, as the result.
#[must_use]
pub fn reports_document(
    ui: &Ui,
    reports: &[Report],
    advice: &Advice<'_>,
    detail: ReportDetail,
) -> Document {
    match (ui.format(), reports) {
        (OutputFormat::Json, [one]) => Document::Json(report_json(*ui, one)),
        (OutputFormat::Json, several) => Document::Json(json!({
            "recommended": compare::recommended(several).map(|report| report.option),
            "options": several.iter().map(|report| report_json(*ui, report)).collect::<Vec<_>>(),
        })),
        (OutputFormat::Text | OutputFormat::Csv, several) => {
            Document::Text(reports_text(*ui, several, advice, detail))
        }
    }
}

/// Formats the report of the option that is deployed or closest to setup, and one line about each other option.
fn reports_text(ui: Ui, reports: &[Report], advice: &Advice<'_>, detail: ReportDetail) -> String {
    let Some(main) = compare::main_report(reports) else {
        return String::new();
    };
    let mut parts = Vec::new();
    match (detail, reports) {
        (ReportDetail::Short, _) => parts.push(recap::problems(ui, main)),
        (ReportDetail::Groups, _) => {
            parts.push(group_lines(ui, main));
            parts.push(recap::problems(ui, main));
        }
        (ReportDetail::Full, [_]) => parts.push(result_lines(ui, &result_refs(main), "")),
        (ReportDetail::Full, several) => parts.push(compare::side_by_side(ui, several)),
    }
    let mut end = recap::recap(ui, main);
    let others = reports.iter().filter(|report| report.option != main.option);
    end.extend(others.map(|report| recap::other_option(ui, report)));
    if reports.len() > 1 && main.is_ready() && !main.is_deployed() {
        let reason = (advice.reason)(main.option);
        let line = format!("Recommended: option {} ({reason}).", main.option);
        end.push_str(&ui.wrap_stdout(&line, 2));
        end.push('\n');
        // The amounts need hundreds of calls, so that preflight does not measure them.
        if !ui.options.quiet {
            let command = ui.repeated.complete("heeler-ec cost");
            let line = format!("`{command}` shows what each option costs here in a month.");
            end.push_str(&ui.wrap_stdout(&line, 2));
            end.push('\n');
        }
    }
    if !ui.options.quiet {
        end.push_str(&recap::next_steps(ui, main, advice));
    }
    parts.push(end);
    parts.retain(|part| !part.is_empty());
    parts.join("\n")
}

/// A check that may pass later, and what it observed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PendingCheck {
    pub id: &'static str,
    pub observed: String,
}

/// Returns the checks that `--wait` waits for: those of the option that is closest to being ready. Returns none if an
/// option has none.
#[must_use]
pub fn pending_checks(reports: &[Report]) -> Vec<PendingCheck> {
    let pending = |report: &Report| -> Vec<PendingCheck> {
        let results = report.results.iter();
        let results = results.filter(|result| result.is_retryable());
        results
            .filter_map(|result| {
                Some(PendingCheck {
                    id: result.check.id.as_str(),
                    observed: observation(result)?,
                })
            })
            .collect()
    };
    let nearest = reports.iter().map(pending).min_by_key(Vec::len);
    nearest.unwrap_or_default()
}

/// Describes what prevents the setup of an option, such as `1 failed (trail.logging)`; `None` if it is ready.
#[must_use]
pub fn obstacle(report: &Report) -> Option<String> {
    let blocking = report.results.iter().filter(|result| result.is_blocking());
    let ids: Vec<&str> = blocking.map(|result| result.check.id.as_str()).collect();
    (!ids.is_empty()).then(|| format!("{} failed ({})", ids.len(), ids.join(", ")))
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
            let Some(observed) = observation(result) else {
                continue;
            };
            let text = format!("{}: {observed}", result.check.id);
            ui.message(&Message::warning("check_failed", text));
        }
        return;
    }
    let blocks = blocking
        .into_iter()
        .map(|result| problem_lines(ui.for_stderr(), result));
    ui.warn_unwrapped(&blocks.collect::<Vec<_>>().join("\n"));
}

/// Prints the counts and the warnings, before a plan.
pub fn summary(ui: &Ui, report: &Report) {
    let counts = report.unaccepted_counts();
    let accepted = report.results.iter().filter(|result| result.accepted);
    let accepted: Vec<&str> = accepted.map(|result| result.check.id.as_str()).collect();
    let accepted = match accepted.len() {
        0 => String::new(),
        many => format!(", {many} accepted ({})", accepted.join(", ")),
    };
    let text = format!(
        "Preflight: {} passed, {}{accepted}, {} skipped.",
        counts.passed,
        warnings(counts.warnings),
        counts.skipped
    );
    ui.status("preflight_counts", &text);
    for result in report.results.iter().filter(|result| !result.accepted) {
        let Some(observed) = observation(result) else {
            continue;
        };
        let text = format!(
            "  {} {}: {}",
            ResultSign::Warning.text(*ui),
            result.check.id,
            escape_control_chars(&observed)
        );
        ui.status("check_warning", &text);
    }
}

/// Returns what a check observed; `None` if it passed or was skipped.
fn observation(result: &CheckResult) -> Option<String> {
    match &result.verdict {
        Verdict::Warn(finding) | Verdict::Fail(finding) | Verdict::Undetermined(finding) => {
            Some(finding.observed.clone())
        }
        Verdict::Unknown(error) => Some(error.to_string()),
        Verdict::Pass(_) | Verdict::Skip(_) => None,
    }
}

fn result_refs(report: &Report) -> Vec<&CheckResult> {
    report.results.iter().collect()
}

fn warnings(count: usize) -> String {
    format!("{count} warning{}", if count == 1 { "" } else { "s" })
}

pub(super) fn report_json(ui: Ui, report: &Report) -> Value {
    let counts = report.counts();
    json!({
        "option": report.option,
        "ready": report.is_ready(),
        "deployed": report.is_deployed(),
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
