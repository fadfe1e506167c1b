//! The results of checks, as lines and as JSON.

use std::fmt::Write;

use serde_json::{Value, json};

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

fn write_result(ui: Ui, text: &mut String, result: &CheckResult) {
    let check = result.check;
    let (sign, tone) = match &result.verdict {
        Verdict::Pass(_) => (ui.symbol("√", "ok"), Tone::Good),
        Verdict::Warn(_) => (ui.symbol("‼", "!!"), Tone::Change),
        Verdict::Fail(_) if result.accepted => (ui.symbol("×", "x"), Tone::Change),
        Verdict::Fail(_) => (ui.symbol("×", "x"), Tone::Bad),
        Verdict::Skip(_) => ("-", Tone::Faint),
        Verdict::Unknown(_) if result.is_blocking() => ("?", Tone::Bad),
        Verdict::Unknown(_) | Verdict::Undetermined(_) => ("?", Tone::Change),
    };
    let aside = match &result.verdict {
        Verdict::Pass(found) => format!(" ({})", escape_control_chars(found)),
        Verdict::Skip(why) => format!(" (skipped: {})", escape_control_chars(why)),
        _ if result.accepted => " (accepted)".to_owned(),
        _ => String::new(),
    };
    // Wrapped before it is coloured, because colours take no columns.
    let head = ui.wrap_stdout(
        &ui.ascii_fallback(&format!("{sign} {}{aside}", check.description)),
        2,
    );
    let _ = writeln!(text, "{}", head.replacen(sign, &ui.paint(tone, sign), 1));
    let detail = |text: &mut String, name: &str, value: &str| {
        if !value.is_empty() {
            let _ = writeln!(
                text,
                "{}",
                ui.wrap_stdout(
                    &ui.ascii_fallback(&format!(
                        "    {name:<9} {}",
                        escape_control_chars(&ui.repeated.complete_text(value))
                    )),
                    14
                )
            );
        }
    };
    match &result.verdict {
        Verdict::Pass(_) | Verdict::Skip(_) => {}
        Verdict::Unknown(error) => {
            detail(text, "unknown:", &error.to_string());
            if error.is_denied() {
                detail(text, "needs:", &missing_permission(check, error));
            }
            if let Some(hint) = error.hint() {
                detail(text, "fix:", &hint.to_string());
            }
            detail(text, "help:", &help_link(check));
        }
        Verdict::Warn(finding) | Verdict::Fail(finding) | Verdict::Undetermined(finding) => {
            detail(text, "observed:", &finding.observed);
            detail(text, "expected:", &finding.expected);
            detail(text, "reason:", &finding.reason);
            if let Some(console) = &finding.fix.console {
                detail(text, "console:", console);
            }
            if let Some(advice) = &finding.fix.advice {
                detail(text, "fix:", advice);
            }
            for (number, command) in finding.fix.cli.iter().enumerate() {
                let name = if number == 0 { "command:" } else { "" };
                // Commands are never wrapped, so that a terminal copies them as one line.
                let _ = writeln!(
                    text,
                    "    {name:<9} {}",
                    escape_control_chars(&ui.repeated.complete(command))
                );
            }
            detail(text, "help:", &help_link(check));
        }
    }
}

/// Returns the permission of the refused call, or those of the check if it is unknown.
fn missing_permission(check: &Check, error: &Error) -> String {
    error
        .required_permission()
        .map_or_else(|| check.permissions.join(", "), str::to_owned)
}

/// Returns the link to the check's section of the documentation. An anchor drops the dots of its heading.
#[must_use]
pub fn help_link(check: &Check) -> String {
    format!(
        "docs/troubleshooting.md#{}",
        check.id.as_str().replace('.', "")
    )
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
        "fix": { "console": finding.fix.console, "cli": finding.fix.cli.iter().map(complete).collect::<Vec<_>>(), "advice": advice, "documentation": help_link(check), "fixable": finding.fix.action.is_some() },
        "permissions": match verdict {
            Verdict::Unknown(error) if error.required_permission().is_some() => json!([error.required_permission()]),
            _ => json!(check.permissions),
        },
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
