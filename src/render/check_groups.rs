//! The groups of checks, one line each, with their counts.

use super::check_results::sign;
use super::{Tone, Ui};
use crate::check::{CheckResult, Report, ResultClass, Verdict};
use crate::sanitize::escape_control_chars;

/// The results of one group.
struct Group<'a> {
    name: &'static str,
    results: Vec<&'a CheckResult>,
}

/// Formats one line per group, in the order of the checks.
pub(super) fn group_lines(ui: Ui, report: &Report) -> String {
    let groups = groups(report);
    let width = groups.iter().map(|group| group.name.len()).max();
    let width = width.unwrap_or_default();
    groups
        .iter()
        .map(|group| group_line(ui, group, width))
        .collect()
}

fn groups(report: &Report) -> Vec<Group<'_>> {
    let mut groups: Vec<Group<'_>> = Vec::new();
    for result in &report.results {
        let name = result.check.id.group();
        match groups.iter_mut().find(|group| group.name == name) {
            Some(group) => group.results.push(result),
            None => groups.push(Group {
                name,
                results: vec![result],
            }),
        }
    }
    groups
}

fn group_line(ui: Ui, group: &Group<'_>, width: usize) -> String {
    let worst = group.results.iter().max_by_key(|result| severity(result));
    let (sign, tone) = worst.map_or(("-", Tone::Faint), |result| sign(ui, result));
    let text = counts_text(&group.results);
    let aside = match single_skip_reason(&group.results) {
        Some(reason) => format!(" ({reason})"),
        None => subject(&group.results).map_or_else(String::new, |name| format!(" ({name})")),
    };
    let line = format!(
        "{sign} {:<width$}  {text}{}",
        group.name,
        escape_control_chars(&aside)
    );
    let line = ui.wrap_stdout(&line, width + 4);
    format!("{}\n", line.replacen(sign, &ui.paint(tone, sign), 1))
}

/// The rank of a result that decides about the sign of its group.
fn severity(result: &CheckResult) -> u8 {
    match &result.verdict {
        Verdict::Skip(_) => 0,
        Verdict::Pass(_) => 1,
        _ if result.accepted => 2,
        _ if !result.is_blocking() => 3,
        Verdict::Unknown(_) => 4,
        _ => 5,
    }
}

/// Formats the counts of the results that are not zero, such as `1 failed (trail.logging), 11 passed`.
fn counts_text(results: &[&CheckResult]) -> String {
    let parts = ResultClass::ALL.into_iter().filter_map(|class| {
        let ids = ids_of(results.iter().copied(), class);
        let label = class.label(ids.len());
        match class {
            _ if ids.is_empty() => None,
            ResultClass::Passed | ResultClass::Skipped => Some(format!("{} {label}", ids.len())),
            _ => Some(format!("{} {label} ({})", ids.len(), ids.join(", "))),
        }
    });
    parts.collect::<Vec<_>>().join(", ")
}

/// Returns the IDs of the checks whose results are of this class.
pub(super) fn ids_of<'a>(
    results: impl Iterator<Item = &'a CheckResult>,
    class: ResultClass,
) -> Vec<&'static str> {
    let of_class = results.filter(|result| result.class() == class);
    of_class.map(|result| result.check.id.as_str()).collect()
}

/// Returns the reason if all results were skipped for the same one.
fn single_skip_reason<'a>(results: &[&'a CheckResult]) -> Option<&'a str> {
    let reason = |result: &&'a CheckResult| match &result.verdict {
        Verdict::Skip(why) => Some(why.as_str()),
        _ => None,
    };
    let first = results.first().and_then(reason)?;
    let is_same = |result: &&'a CheckResult| reason(result) == Some(first);
    results.iter().all(is_same).then_some(first)
}

/// Returns the name of the resource that the group is about, from its ARN.
fn subject<'a>(results: &[&'a CheckResult]) -> Option<&'a str> {
    let arn = results
        .iter()
        .find_map(|result| result.resource.as_deref())?;
    let name = match arn.split_once(":log-group:") {
        Some((_, group)) => group.trim_end_matches(":*"),
        None => arn.rsplit([':', '/']).next()?,
    };
    Some(name).filter(|name| !name.is_empty())
}
