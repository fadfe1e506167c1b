//! The end of a report: the problems in full, then the IDs of the checks that did not pass, and the next command.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;

use super::check_groups::ids_of;
use super::check_results::{missing_permission, problem_lines};
use super::{Tone, Ui};
use crate::check::{CheckResult, FixAction, Report, ResultClass, Verdict};
use crate::inventory::bucket_events::HEELER;
use crate::sanitize::escape_control_chars;

/// The text after the report.
pub struct Advice<'a> {
    /// True if a deployment has the ARN of the Heeler role. Otherwise setup asks for it.
    pub trust_is_known: bool,
    /// Returns the reason to choose an option.
    pub reason: &'a dyn Fn(&str) -> &'static str,
}

/// Formats the problems: warnings first, and at the end what prevents setup. Missing permissions are one block.
pub(super) fn problems(ui: Ui, report: &Report) -> String {
    let mut problems: Vec<&CheckResult> = report.problems().collect();
    problems.sort_by_key(|result| match &result.verdict {
        _ if result.accepted => 0,
        _ if !result.is_blocking() => 1,
        Verdict::Unknown(_) => 2,
        _ => 3,
    });
    let (denied, others): (Vec<&CheckResult>, Vec<&CheckResult>) = problems
        .into_iter()
        .partition(|result| result.lacks_permission() && !result.accepted);
    let mut blocks: Vec<String> = others
        .into_iter()
        .map(|result| problem_lines(ui, result))
        .collect();
    if !denied.is_empty() {
        blocks.push(missing_permissions(ui, &denied));
    }
    blocks.join("\n")
}

/// Formats the checks that could not run by missing permission, and the command that prints a policy.
fn missing_permissions(ui: Ui, denied: &[&CheckResult]) -> String {
    let is_blocking = denied.iter().any(|result| result.is_blocking());
    let tone = if is_blocking { Tone::Bad } else { Tone::Change };
    let mut checks: BTreeMap<String, Vec<&str>> = BTreeMap::new();
    let mut hints: BTreeSet<String> = BTreeSet::new();
    for result in denied {
        let Verdict::Unknown(error) = &result.verdict else {
            continue;
        };
        let permission = missing_permission(result.check, error);
        let ids = checks.entry(permission).or_default();
        ids.push(result.check.id.as_str());
        hints.extend(error.hint().map(ToString::to_string));
    }
    // The command below replaces the advice to grant a single permission.
    hints.retain(|hint| !hint.starts_with("grant "));
    let sign = ui.paint(tone, "?");
    let head = match denied.len() {
        1 => "1 check could not run, because the caller lacks a permission:".to_owned(),
        many => format!("{many} checks could not run, because the caller lacks permissions:"),
    };
    let mut text = format!("{sign} {head}\n");
    let width = checks.keys().map(String::len).max().unwrap_or_default();
    for (permission, ids) in &checks {
        let line = format!("    {permission:<width$}  {}", ids.join(", "));
        let _ = writeln!(text, "{}", ui.wrap_stdout(&line, width + 6));
    }
    for hint in hints {
        let line = format!("    fix:      {}", escape_control_chars(&hint));
        let _ = writeln!(text, "{}", ui.wrap_stdout(&line, 14));
    }
    let command = ui.repeated.complete("heeler-ec policy preflight");
    let _ = writeln!(
        text,
        "    To print a policy with all permissions of preflight, run:\n    command:  {command}"
    );
    text
}

/// Formats the state of the option and the IDs of the checks that did not pass.
pub(super) fn recap(ui: Ui, report: &Report) -> String {
    let ids = |class| ids_of(report.results.iter(), class);
    let listed = ResultClass::ALL.into_iter().filter_map(|class| {
        let count = ids(class).len();
        (count > 0).then(|| format!("{count} {}", class.label(count)))
    });
    let listed = listed.collect::<Vec<_>>().join(", ");
    let (state, tone) = state(report);
    let name = format!("Option {}", report.option);
    let line = ui.wrap_stdout(&format!("{name} {state}: {listed}."), 2);
    let mut text = format!("{}\n", line.replacen(&name, &ui.paint(tone, &name), 1));
    for class in ResultClass::ALL {
        let ids = ids(class);
        if !ids.is_empty() && !matches!(class, ResultClass::Passed | ResultClass::Skipped) {
            let label = format!("{}:", class.label(ids.len()));
            let line = format!("  {label:<9} {}", ids.join(", "));
            let _ = writeln!(text, "{}", ui.wrap_stdout(&line, 12));
        }
    }
    text
}

/// Returns the option that is deployed under the name prefix, if it is another one and nothing else prevents setup.
fn occupying_option(report: &Report) -> Option<&str> {
    let other = report.deployed_option.as_deref();
    let other = other.filter(|name| *name != report.option)?;
    let is_blocked = report.results.iter().any(CheckResult::is_blocking);
    let has_problem = report.problems().any(CheckResult::is_blocking);
    (is_blocked && !has_problem).then_some(other)
}

/// Describes the state of the option, as the predicate of a sentence.
fn state(report: &Report) -> (String, Tone) {
    if let Some(other) = occupying_option(report) {
        let state = format!("needs another --name-prefix, because option {other} uses this one");
        return (state, Tone::Change);
    }
    let is_blocked = report.results.iter().any(CheckResult::is_blocking);
    let (state, tone) = match (report.is_deployed(), report.is_ready()) {
        (true, true) => ("is deployed, and its prerequisites are met", Tone::Good),
        (true, false) if is_blocked => ("is deployed, but a prerequisite is not met", Tone::Bad),
        (false, true) => ("is ready for setup", Tone::Good),
        (false, false) if is_blocked => ("is not ready", Tone::Bad),
        (_, false) => (
            "is not ready, because warnings count as failures (--strict)",
            Tone::Bad,
        ),
    };
    (state.to_owned(), tone)
}

/// Formats one line about an option that is not shown in full.
pub(super) fn other_option(ui: Ui, report: &Report) -> String {
    let blocking = report.problems().filter(|result| result.is_blocking());
    let ids: Vec<&str> = blocking.map(|result| result.check.id.as_str()).collect();
    let deployed = report.deployed_option.as_deref();
    let text = match (deployed.filter(|name| *name != report.option), ids.len()) {
        (Some(deployed), 0) => {
            format!("needs another --name-prefix, because option {deployed} uses this one")
        }
        (Some(deployed), count) => format!(
            "needs another --name-prefix, because option {deployed} uses this one; {count} failed ({})",
            ids.join(", ")
        ),
        (None, 0) if report.is_ready() => "is ready, too".to_owned(),
        (None, 0) => "is not ready: warnings count as failures".to_owned(),
        (None, count) => format!("is not ready: {count} failed ({})", ids.join(", ")),
    };
    let line = format!("Option {} {text}.", report.option);
    format!("{}\n", ui.wrap_stdout(&line, 2))
}

/// Formats the next step: the fixes that the program can make, and the next command.
pub(super) fn next_steps(ui: Ui, report: &Report, advice: &Advice<'_>) -> String {
    let mut text = String::new();
    let actions = report
        .problems()
        .filter(|result| !result.accepted)
        .filter_map(|result| result.finding()?.fix.action);
    let mut offers: Vec<&str> = actions
        .map(|action| match action {
            FixAction::StartLogging => "start the trail",
            FixAction::SetRetentionToOneDay => "set the retention of the log group to one day",
        })
        .collect();
    offers.dedup();
    if !offers.is_empty() {
        let line = format!(
            "`{}` offers to {}. It asks first.",
            ui.repeated.complete("heeler-ec preflight --fix"),
            offers.join(" and to ")
        );
        let _ = writeln!(text, "{}", ui.wrap_stdout(&line, 2));
    }
    let is_blocked = report.results.iter().any(CheckResult::is_blocking);
    if report.is_deployed() && !is_blocked {
        let _ = writeln!(text, "Next: {}", ui.repeated.complete("heeler-ec status"));
    } else if report.is_ready() {
        // The command is never wrapped, so that it can be copied.
        let command = if advice.trust_is_known {
            "plan"
        } else {
            "setup"
        };
        let next = format!("heeler-ec {command} {}", report.arguments);
        let _ = writeln!(text, "Next: {}", ui.repeated.complete(&next));
        if !advice.trust_is_known {
            let line = if report.vendor == HEELER {
                "setup asks for the ARN of the Heeler role, which Heeler provides as heeler_security_role_arns in the variables file of its zip. It then shows the plan and asks before it creates anything."
            } else {
                "setup needs the ARN of the role that the vendor assumes yours with (--vendor-role-arn). It shows the plan and asks before it creates anything."
            };
            let _ = writeln!(text, "{}", ui.wrap_stdout(line, 0));
        }
    } else if occupying_option(report).is_some() {
        let prefix = match ui.repeated.name_prefix.as_deref() {
            Some("heeler_next") => "heeler",
            _ => "heeler_next",
        };
        let option = report.option;
        let next = format!("heeler-ec preflight --option {option} --name-prefix {prefix}");
        let _ = writeln!(text, "Next: {}", ui.repeated.complete(&next));
    } else {
        let line =
            "Fix these checks, or accept those that you can do without. Then run preflight again.";
        let _ = writeln!(text, "{}", ui.wrap_stdout(line, 0));
    }
    text
}
