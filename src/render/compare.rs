//! Compares the reports of several options and selects the one to show.

use super::Ui;
use super::check_results::{result_json, result_lines};
use crate::check::{CheckResult, Report};

/// Formats the common results once, then those of each option.
pub(super) fn side_by_side(ui: Ui, reports: &[Report]) -> String {
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
    text
}

/// Returns the report to show in full: of the deployed option, else the first that is ready, else the closest one.
pub(super) fn main_report(reports: &[Report]) -> Option<&Report> {
    let deployed = reports.iter().find(|report| report.is_deployed());
    deployed
        .or_else(|| recommended(reports))
        .or_else(|| nearest(reports))
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
