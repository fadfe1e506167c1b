//! Compares the reports of several options and recommends one.

use std::fmt::Write;

use super::check_results::{result_json, result_lines};
use super::{Tone, Ui};
use crate::check::{CheckResult, Report};

/// The text after the comparison of several options.
pub struct Advice<'a> {
    /// The next command, with `OPTION` as a placeholder for the option.
    pub next: &'a str,
    /// Returns the reason to choose an option.
    pub reason: &'a dyn Fn(&str) -> &'static str,
}

impl Advice<'_> {
    /// Returns the line with the next command. It is never wrapped, so that the command can be copied.
    pub(super) fn next_command(&self, ui: Ui, option: &str) -> String {
        let next = self.next.replace("OPTION", option);
        format!("Next: {}", ui.repeated.complete(&next))
    }
}

/// Formats the common results once, then those of each option, and finally the comparison.
pub(super) fn side_by_side(ui: Ui, reports: &[Report], advice: &Advice<'_>) -> String {
    let common = |found: &CheckResult| {
        reports.iter().all(|report| {
            report
                .results
                .iter()
                .any(|other| result_json(ui, other) == result_json(ui, found))
        })
    };
    let Some(first) = reports.first() else {
        return String::new();
    };
    let shared: Vec<&CheckResult> = first
        .results
        .iter()
        .filter(|result| common(result))
        .collect();
    let mut text = result_lines(ui, &shared, "");
    for report in reports {
        let own: Vec<&CheckResult> = report
            .results
            .iter()
            .filter(|result| !common(result))
            .collect();
        text.push('\n');
        text.push_str(&result_lines(
            ui,
            &own,
            &format!("option {}: ", report.option),
        ));
    }
    text.push('\n');
    text.push_str(&comparison(ui, reports, advice));
    text
}

fn comparison(ui: Ui, reports: &[Report], advice: &Advice<'_>) -> String {
    let mut text = format!(
        "{:<12}{:<11}{:>7}{:>9}{:>10}{:>8}\n",
        "option", "", "failed", "unknown", "warnings", "passed"
    );
    for report in reports {
        let counts = report.unaccepted_counts();
        let (word, tone) = if report.is_ready() {
            ("ready", Tone::Good)
        } else {
            ("not ready", Tone::Bad)
        };
        let _ = writeln!(
            text,
            "{:<12}{}{:>7}{:>9}{:>10}{:>8}",
            report.option,
            ui.paint(tone, &format!("{word:<11}")),
            counts.failed,
            counts.unknown,
            counts.warnings,
            counts.passed
        );
    }
    text.push('\n');
    let closing = match recommended(reports) {
        Some(report) => {
            let name = report.option;
            let reason = (advice.reason)(name);
            let recommendation = format!("Recommended: option {name} ({reason}).");
            let next = advice.next_command(ui, name);
            format!("{}\n{next}", ui.wrap_stdout(&recommendation, 2))
        }
        None => match nearest(reports) {
            Some(report) => ui.wrap_stdout(
                &format!(
                    "Not ready. Option {} is closest: fix {} and run preflight again.",
                    report.option,
                    if report.results.iter().any(CheckResult::is_blocking) {
                        "the failed checks"
                    } else {
                        "the warnings, which --strict counts as failures,"
                    }
                ),
                2,
            ),
            None => String::new(),
        },
    };
    text.push_str(&closing);
    text.push('\n');
    text
}

/// Returns the first option that is ready. Reports are in the order of recommendation.
pub(super) fn recommended(reports: &[Report]) -> Option<&Report> {
    reports.iter().find(|report| report.is_ready())
}

fn nearest(reports: &[Report]) -> Option<&Report> {
    reports.iter().min_by_key(|report| {
        let rows = report.results.iter();
        rows.filter(|result| result.is_blocking()).count()
    })
}
