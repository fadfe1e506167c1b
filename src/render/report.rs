//! The verdicts of preflight.

use std::fmt::Write;

use serde_json::{Value, json};

use super::{OutputFormat, Tone, Ui, compare, json_document};
use crate::check::{Check, CheckResult, Finding, Report, Verdict};
use crate::error::Error;
use crate::sanitize::escape_control_chars;

/// All verdicts on one option, or on all of them side by side, as the answer.
/// `next` is the command to go on with, with a place for the option.
pub fn reports(ui: &Ui, reports: &[Report], next: &str) {
    let text = match (ui.format(), reports) {
        (OutputFormat::Json, [one]) => json_document(&report_json(one)),
        (OutputFormat::Json, several) => json_document(&json!({
            "recommended": compare::recommended(several).map(|report| report.route.name()),
            "options": several.iter().map(report_json).collect::<Vec<_>>(),
        })),
        (OutputFormat::Table | OutputFormat::Csv, [one]) => {
            format!(
                "{}{}",
                result_lines(*ui, &result_refs(one), ""),
                closing_line(*ui, one)
            )
        }
        (OutputFormat::Table | OutputFormat::Csv, several) => {
            compare::side_by_side(*ui, several, next)
        }
    };
    ui.stdout(&text);
}

/// What `--wait` waits for: the checks of the option that is nearest to being ready. Nothing when there is no need.
#[must_use]
pub fn pending_checks(reports: &[Report]) -> Option<String> {
    let unsettled = |report: &Report| -> Vec<&'static str> {
        report
            .results
            .iter()
            .filter(|row| row.is_retryable())
            .map(|row| row.check.id)
            .collect()
    };
    let nearest = reports
        .iter()
        .map(unsettled)
        .min_by_key(Vec::len)
        .unwrap_or_default();
    (!nearest.is_empty()).then(|| nearest.join(", "))
}

/// What stands in the way of setup, as a part of the story.
pub fn blocking_results(ui: &Ui, report: &Report) {
    let obstacles: Vec<&CheckResult> = report
        .results
        .iter()
        .filter(|row| row.is_blocking())
        .collect();
    ui.warn_unwrapped(result_lines(ui.for_stderr(), &obstacles, "").trim_end());
    ui.warn("");
}

/// Warnings and the sum, before a plan.
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
    for row in &report.results {
        let observed = match &row.verdict {
            Verdict::Warn(finding) | Verdict::Fail(finding) if row.accepted => {
                format!("accepted: {}", finding.observed)
            }
            Verdict::Warn(finding) | Verdict::Fail(finding) => finding.observed.clone(),
            Verdict::Unknown(error) if row.accepted => format!("accepted: {error}"),
            Verdict::Unknown(error) => error.to_string(),
            Verdict::Pass(_) | Verdict::Skip(_) => continue,
        };
        ui.status(&format!(
            "  {} {}: {}",
            ui.symbol("‼", "!"),
            row.check.id,
            escape_control_chars(&observed)
        ));
    }
}

fn status(verdict: &Verdict) -> &'static str {
    match verdict {
        Verdict::Pass(_) => "pass",
        Verdict::Warn(_) => "warn",
        Verdict::Fail(_) => "fail",
        Verdict::Skip(_) => "skip",
        Verdict::Unknown(_) => "unknown",
    }
}

fn result_refs(report: &Report) -> Vec<&CheckResult> {
    report.results.iter().collect()
}

/// The rows under the headings of their groups, each heading with something before it.
pub(super) fn result_lines(ui: Ui, rows: &[&CheckResult], before: &str) -> String {
    let mut text = String::new();
    let mut heading = "";
    for alike in rows.chunk_by(|one, next| have_same_skip_reason(one, next)) {
        let Some(first) = alike.first() else { continue };
        if first.check.group() != heading {
            heading = first.check.group();
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
                .for_each(|row| write_result(ui, &mut text, row)),
        }
    }
    text
}

/// So many checks that were skipped for the same reason are told in one line.
const MIN_FOLDED_SKIPS: usize = 3;

fn have_same_skip_reason(one: &CheckResult, next: &CheckResult) -> bool {
    one.check.group() == next.check.group()
        && matches!(
            (&one.verdict, &next.verdict),
            (Verdict::Skip(why), Verdict::Skip(other)) if why == other
        )
}

fn write_result(ui: Ui, text: &mut String, row: &CheckResult) {
    let check = row.check;
    let (sign, tone) = match &row.verdict {
        Verdict::Pass(_) => (ui.symbol("√", "ok"), Tone::Good),
        Verdict::Warn(_) => (ui.symbol("‼", "!!"), Tone::Change),
        Verdict::Fail(_) if row.accepted => (ui.symbol("×", "x"), Tone::Change),
        Verdict::Fail(_) => (ui.symbol("×", "x"), Tone::Bad),
        Verdict::Skip(_) => ("-", Tone::Faint),
        Verdict::Unknown(_) if row.is_blocking() => ("?", Tone::Bad),
        Verdict::Unknown(_) => ("?", Tone::Change),
    };
    let aside = match &row.verdict {
        Verdict::Pass(found) => format!(" ({})", escape_control_chars(found)),
        Verdict::Skip(why) => format!(" (skipped: {})", escape_control_chars(why)),
        _ if row.accepted => " (accepted)".to_owned(),
        _ => String::new(),
    };
    // Laid out without the colour, which takes no columns.
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
                    &ui.ascii_fallback(&format!("    {name:<9} {}", escape_control_chars(value))),
                    14
                )
            );
        }
    };
    match &row.verdict {
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
        Verdict::Warn(finding) | Verdict::Fail(finding) => {
            detail(text, "observed:", &finding.observed);
            detail(text, "wanted:", &finding.expected);
            detail(text, "reason:", &finding.reason);
            if let Some(console) = &finding.fix.console {
                detail(text, "fix:", console);
            }
            if let Some(advice) = &finding.fix.advice {
                detail(text, "fix:", advice);
            }
            for command in &finding.fix.cli {
                // Never broken: what a terminal breaks itself is copied as the one line that it is.
                let _ = writeln!(text, "    {:<9} {}", "fix:", escape_control_chars(command));
            }
            detail(text, "help:", &help_link(check));
        }
    }
}

/// The permission that is missing: that of the call that was refused.
fn missing_permission(check: &Check, error: &Error) -> String {
    error
        .required_permission()
        .map_or_else(|| check.permissions.join(", "), str::to_owned)
}

/// The check's section of the documentation; an anchor keeps the underscores of its heading and drops the dots.
#[must_use]
pub fn help_link(check: &Check) -> String {
    format!("docs/troubleshooting.md#{}", check.id.replace('.', ""))
}

fn warnings(count: usize) -> String {
    format!("{count} warning{}", if count == 1 { "" } else { "s" })
}

fn closing_line(ui: Ui, report: &Report) -> String {
    let stands = |row: &&CheckResult| row.is_blocking();
    let mut obstacles = report.results.iter().filter(stands);
    let (word, tone) = if report.is_ready() {
        ("Ready for setup.", Tone::Good)
    } else if obstacles
        .clone()
        .any(|row| matches!(row.verdict, Verdict::Fail(_)))
    {
        (
            "Not ready: fix what failed and run preflight again.",
            Tone::Bad,
        )
    } else if obstacles.next().is_some() {
        (
            "Not ready: what setup stands on could not be asked.",
            Tone::Bad,
        )
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
    // Laid out without the colour, which takes no columns.
    let line = ui.wrap_stdout(&sum, 2);
    format!("\n{}\n", line.replacen(word, &ui.paint(tone, word), 1))
}

fn report_json(report: &Report) -> Value {
    let counts = report.counts();
    json!({
        "option": report.route.name(),
        "ready": report.is_ready(),
        "checks": report.results.iter().map(result_json).collect::<Vec<_>>(),
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

pub(super) fn result_json(row: &CheckResult) -> Value {
    let (check, verdict) = (row.check, &row.verdict);
    let empty = Finding::default();
    let (observed, reason, finding) = match verdict {
        Verdict::Pass(found) => (found.clone(), String::new(), &empty),
        Verdict::Skip(why) => (String::new(), why.clone(), &empty),
        Verdict::Unknown(error) => (String::new(), error.to_string(), &empty),
        Verdict::Warn(finding) | Verdict::Fail(finding) => {
            (finding.observed.clone(), finding.reason.clone(), finding)
        }
    };
    let advice = match verdict {
        Verdict::Unknown(error) => error.hint().map(ToString::to_string),
        _ => finding.fix.advice.clone(),
    };
    json!({
        "id": check.id,
        "group": check.group(),
        "title": check.description,
        "status": status(verdict),
        "required": !check.requirement.is_advisory(),
        "observed": observed,
        "wanted": finding.expected,
        "reason": reason,
        "resource": row.resource,
        "accepted": row.accepted,
        "code": match verdict {
            Verdict::Unknown(error) => json!(error.error_code()),
            _ => Value::Null,
        },
        "fix": { "console": finding.fix.console, "cli": finding.fix.cli, "advice": advice, "url": help_link(check), "auto": finding.fix.repair.is_some() },
        "permission": match verdict {
            Verdict::Unknown(error) if error.required_permission().is_some() => json!([error.required_permission()]),
            _ => json!(check.permissions),
        },
    })
}
