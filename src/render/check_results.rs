//! The results of checks, as lines and as JSON.

use std::fmt::Write;

use serde_json::{Value, json};

use super::docs_link::{linked_id, page_of_check};
use super::result_sign::ResultSign;
use super::{Tone, Ui};
use crate::check::{Check, CheckResult, Finding, Verdict};
use crate::error::Error;
use crate::sanitize::escape_control_chars;

/// Formats results under the headings of their groups. `before` is written in front of each heading.
pub(super) fn result_lines(ui: Ui, results: &[&CheckResult], before: &str) -> String {
    let mut text = String::new();
    let mut heading = "";
    for alike in results.chunk_by(|one, next| have_same_skip_reason(one, next)) {
        let Some(first) = alike.first() else { continue };
        if first.check.id.group() != heading {
            heading = first.check.id.group();
            let title = format!("{before}{heading}");
            let rule = ui.symbol("─", "-").repeat(title.chars().count());
            let _ = writeln!(text, "{}\n{rule}", ui.paint(Tone::Strong, &title));
        }
        match &first.verdict {
            Verdict::Skip(why) if alike.len() >= MIN_FOLDED_SKIPS => {
                let sign = ui.paint(Tone::Faint, "-");
                let _ = writeln!(
                    text,
                    "{sign} {} checks (skipped: {})",
                    alike.len(),
                    escape_control_chars(why)
                );
            }
            _ => alike
                .iter()
                .for_each(|result| write_result(ui, &mut text, result)),
        }
    }
    text
}

/// Number of consecutive checks, skipped for the same reason, that are folded into one line.
const MIN_FOLDED_SKIPS: usize = 3;

fn have_same_skip_reason(one: &CheckResult, next: &CheckResult) -> bool {
    one.check.id.group() == next.check.id.group()
        && matches!(
            (&one.verdict, &next.verdict),
            (Verdict::Skip(why), Verdict::Skip(other)) if why == other
        )
}

/// Formats one result: a line, and for a problem also its details.
fn write_result(ui: Ui, text: &mut String, result: &CheckResult) {
    let aside = match &result.verdict {
        Verdict::Pass(found) => format!(" ({})", escape_control_chars(found)),
        Verdict::Skip(why) => format!(" (skipped: {})", escape_control_chars(why)),
        _ => return text.push_str(&problem_lines(ui, result)),
    };
    let check = result.check;
    let (sign, tone) = sign(ui, result);
    // Wrapped before it is coloured, because colours take no columns.
    let head = ui.wrap_stdout(
        &ui.ascii_fallback(&format!(
            "{sign} {}: {}{aside}",
            check.id, check.description
        )),
        2,
    );
    let _ = writeln!(text, "{}", head.replacen(sign, &ui.paint(tone, sign), 1));
}

/// Returns the sign of a result and its color.
pub(super) fn sign(ui: Ui, result: &CheckResult) -> (&'static str, Tone) {
    let (sign, tone) = match &result.verdict {
        Verdict::Pass(_) => (ResultSign::Good, Tone::Good),
        Verdict::Warn(_) => (ResultSign::Warning, Tone::Change),
        Verdict::Fail(_) if result.accepted => (ResultSign::Bad, Tone::Change),
        Verdict::Fail(_) => (ResultSign::Bad, Tone::Bad),
        Verdict::Skip(_) => (ResultSign::Skipped, Tone::Faint),
        Verdict::Unknown(_) if result.is_blocking() => (ResultSign::Unknown, Tone::Bad),
        Verdict::Unknown(_) | Verdict::Undetermined(_) => (ResultSign::Unknown, Tone::Change),
    };
    (sign.text(ui), tone)
}

/// Formats a result that is neither passed nor skipped: the check and what was observed, then the ways to fix it.
pub(super) fn problem_lines(ui: Ui, result: &CheckResult) -> String {
    let check = result.check;
    let (observed, finding) = match &result.verdict {
        Verdict::Pass(found) => (found.clone(), None),
        Verdict::Skip(why) => (why.clone(), None),
        Verdict::Unknown(error) => (error.to_string(), None),
        Verdict::Warn(finding) | Verdict::Fail(finding) | Verdict::Undetermined(finding) => {
            (finding.observed.clone(), Some(finding))
        }
    };
    let (sign, tone) = sign(ui, result);
    let aside = if result.accepted { " (accepted)" } else { "" };
    let head = ui.wrap_stdout(
        &ui.ascii_fallback(&format!(
            "{sign} {}{aside}: {}",
            check.id,
            escape_control_chars(&observed)
        )),
        2,
    );
    let id = check.id.as_str();
    // Colored after it was wrapped, because colors take no columns.
    let head = head.replacen(id, &linked_id(ui, check.id), 1);
    let mut lines = format!("{}\n", head.replacen(sign, &ui.paint(tone, sign), 1));
    if result.accepted {
        return lines;
    }
    match (&result.verdict, finding) {
        (Verdict::Unknown(error), _) => {
            if error.is_denied() {
                add_detail(ui, &mut lines, "needs:", &missing_permission(check, error));
            }
            if let Some(hint) = error.hint() {
                add_detail(ui, &mut lines, "fix:", &hint.to_string());
            }
        }
        (_, Some(finding)) => add_finding(ui, &mut lines, finding),
        (_, None) => {}
    }
    add_detail(ui, &mut lines, "accept:", &acceptance(result));
    add_detail(ui, &mut lines, "help:", &help_command(check));
    lines
}

/// Adds what was expected, why, and the ways to fix it.
fn add_finding(ui: Ui, lines: &mut String, finding: &Finding) {
    let fix = &finding.fix;
    add_detail(ui, lines, "expected:", &finding.expected);
    add_detail(ui, lines, "reason:", &finding.reason);
    add_detail(ui, lines, "console:", fix.console.as_deref().unwrap_or(""));
    add_detail(ui, lines, "fix:", fix.advice.as_deref().unwrap_or(""));
    if let Some(loss) = fix.loss.filter(|_| !fix.cli.is_empty()) {
        add_detail(ui, lines, "warning:", &format!("this command {loss}"));
    }
    for (number, command) in fix.cli.iter().enumerate() {
        let name = if number == 0 { "command:" } else { "" };
        // Commands are never wrapped, so that a terminal copies them as one line.
        let command = escape_control_chars(&ui.repeated.complete(command));
        let _ = writeln!(lines, "    {name:<9} {command}");
    }
}

fn add_detail(ui: Ui, lines: &mut String, name: &str, value: &str) {
    if value.is_empty() {
        return;
    }
    let value = escape_control_chars(&ui.repeated.complete_text(value));
    let line = ui.ascii_fallback(&format!("    {name:<9} {value}"));
    let _ = writeln!(lines, "{}", ui.wrap_stdout(&line, 14));
}

/// Describes whether and how the operator can accept a result. A warning does not have to be accepted.
fn acceptance(result: &CheckResult) -> String {
    let requirement = result.check.requirement;
    if requirement.acceptable {
        format!("--accept {}", result.check.id)
    } else if !result.is_blocking() {
        String::new()
    } else {
        "not possible, because setup cannot work without it".to_owned()
    }
}

/// Returns the permission of the refused call, or those of the check if it is unknown.
pub(super) fn missing_permission(check: &Check, error: &Error) -> String {
    error
        .required_permission()
        .map_or_else(|| check.permissions.join(", "), str::to_owned)
}

/// Returns the command that prints the check's page of the documentation.
fn help_command(check: &Check) -> String {
    format!("heeler-ec explain {}", check.id)
}

pub(super) fn result_json(ui: Ui, result: &CheckResult) -> Value {
    let complete = |command: &String| ui.repeated.complete(command);
    let (check, verdict) = (result.check, &result.verdict);
    let empty = Finding::default();
    let (observed, reason, finding) = match verdict {
        Verdict::Pass(found) => (found.clone(), String::new(), &empty),
        Verdict::Skip(why) => (String::new(), why.clone(), &empty),
        Verdict::Unknown(error) => (String::new(), error.to_string(), &empty),
        Verdict::Warn(finding) | Verdict::Fail(finding) | Verdict::Undetermined(finding) => {
            (finding.observed.clone(), finding.reason.clone(), finding)
        }
    };
    let advice = match verdict {
        Verdict::Unknown(error) => error.hint().map(ToString::to_string),
        _ => finding.fix.advice.clone(),
    };
    json!({
        "id": check.id.as_str(),
        "group": check.id.group(),
        "title": check.description,
        "status": status(verdict),
        "required": !check.requirement.is_advisory(),
        "observed": observed,
        "expected": finding.expected,
        "reason": reason,
        "resource": result.resource,
        "accepted": result.accepted,
        "error_code": match verdict {
            Verdict::Unknown(error) => json!(error.error_code()),
            _ => Value::Null,
        },
        "fix": { "console": finding.fix.console, "cli": finding.fix.cli.iter().map(complete).collect::<Vec<_>>(), "advice": advice, "documentation": page_of_check(check.id), "loss": finding.fix.loss, "fixable": finding.fix.action.is_some() },
        "permissions": match verdict {
            Verdict::Unknown(error) if error.required_permission().is_some() => json!([error.required_permission()]),
            _ => json!(check.permissions),
        },
        "help": help_command(check),
    })
}

fn status(verdict: &Verdict) -> &'static str {
    match verdict {
        Verdict::Pass(_) => "pass",
        Verdict::Warn(_) => "warn",
        Verdict::Fail(_) => "fail",
        Verdict::Skip(_) => "skip",
        Verdict::Unknown(_) | Verdict::Undetermined(_) => "unknown",
    }
}
