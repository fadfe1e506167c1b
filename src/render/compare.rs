//! The options side by side: what they share is told once, and one is recommended.

use std::fmt::Write;

use super::report::{result_json, result_lines};
use super::{Tone, Ui};
use crate::check::{CheckResult, Report};
use crate::inventory::trail_destination::TrailDestination;

/// What all options have in common once, then each by itself, then how they compare.
pub(super) fn side_by_side(ui: Ui, reports: &[Report], next: &str) -> String {
    let common = |found: &CheckResult| {
        reports.iter().all(|report| {
            report
                .results
                .iter()
                .any(|other| result_json(other) == result_json(found))
        })
    };
    let Some(first) = reports.first() else {
        return String::new();
    };
    let shared: Vec<&CheckResult> = first.results.iter().filter(|row| common(row)).collect();
    let mut text = result_lines(ui, &shared, "");
    for report in reports {
        let own: Vec<&CheckResult> = report.results.iter().filter(|row| !common(row)).collect();
        text.push('\n');
        text.push_str(&result_lines(
            ui,
            &own,
            &format!("option {}: ", report.route.name()),
        ));
    }
    text.push('\n');
    text.push_str(&comparison(ui, reports, next));
    text
}

fn comparison(ui: Ui, reports: &[Report], next: &str) -> String {
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
            report.route.name(),
            ui.paint(tone, &format!("{word:<11}")),
            counts.failed,
            counts.unknown,
            counts.warnings,
            counts.passed
        );
    }
    text.push('\n');
    let advice = match recommended(reports) {
        Some(report) => {
            let name = report.route.name();
            let reason = match report.route {
                TrailDestination::Bucket => {
                    "it costs next to nothing and runs no code of its own; events take some minutes"
                }
                TrailDestination::LogGroup => {
                    "events arrive within a minute or so; it costs per GB of events and runs a function"
                }
            };
            let next = next.replace("OPTION", name);
            let advice = format!("Recommended: option {name} ({reason}).");
            // The command stays whole, to be copied.
            format!("{}\nNext: {next}", ui.wrap_stdout(&advice, 2))
        }
        None => match nearest(reports) {
            Some(report) => ui.wrap_stdout(
                &format!(
                    "Not ready. Option {} is the nearest: fix what {} and run preflight again.",
                    report.route.name(),
                    if report.results.iter().any(CheckResult::is_blocking) {
                        "failed"
                    } else {
                        "warns, which --strict counts as a failure,"
                    }
                ),
                2,
            ),
            None => String::new(),
        },
    };
    text.push_str(&advice);
    text.push('\n');
    text
}

/// The first option that is ready; they are in the order in which they are recommended.
pub(super) fn recommended(reports: &[Report]) -> Option<&Report> {
    reports.iter().find(|report| report.is_ready())
}

fn nearest(reports: &[Report]) -> Option<&Report> {
    reports.iter().min_by_key(|report| {
        let rows = report.results.iter();
        rows.filter(|row| row.is_blocking()).count()
    })
}
