//! The verdicts of preflight.

use std::fmt::Write;

use serde_json::{Value, json};

use super::{Tone, Ui, compare, document};
use crate::check::{Check, Finding, Report, Row, Verdict};
use crate::cli::Format;
use crate::error::Error;
use crate::tail::record::visible;

/// All verdicts on one option, or on all of them side by side, as the answer.
/// `next` is the command to go on with, with a place for the option.
pub fn reports(ui: &Ui, reports: &[Report], next: &str) {
    let text = match (ui.format, reports) {
        (Format::Json, [one]) => document(&as_json(one)),
        (Format::Json, several) => document(&json!({
            "recommended": compare::recommended(several).map(|report| report.route.name()),
            "options": several.iter().map(as_json).collect::<Vec<_>>(),
        })),
        (Format::Table | Format::Csv, [one]) => {
            format!("{}{}", lines(*ui, &shown(one), ""), closing(*ui, one))
        }
        (Format::Table | Format::Csv, several) => compare::side_by_side(*ui, several, next),
    };
    ui.answer(&text);
}

/// What `--wait` waits for: the checks of the option that is nearest to being ready. Nothing when there is no need.
#[must_use]
pub fn waiting(reports: &[Report]) -> Option<String> {
    let unsettled = |report: &Report| -> Vec<&'static str> {
        report
            .rows
            .iter()
            .filter(|row| row.may_settle())
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
pub fn obstacles(ui: &Ui, report: &Report) {
    let obstacles: Vec<&Row> = report
        .rows
        .iter()
        .filter(|row| row.stands_in_the_way())
        .collect();
    ui.alert_as_it_is(lines(ui.for_story(), &obstacles, "").trim_end());
    ui.alert("");
}

/// Warnings and the sum, before a plan.
pub fn summary(ui: &Ui, report: &Report) {
    let counts = report.open();
    let accepted = match counts.accepted {
        0 => String::new(),
        many => format!(", {many} accepted"),
    };
    ui.story(&format!(
        "Preflight: {} passed, {}{accepted}, {} skipped.",
        counts.passed,
        warnings(counts.warnings),
        counts.skipped
    ));
    for row in &report.rows {
        let observed = match &row.verdict {
            Verdict::Warn(finding) | Verdict::Fail(finding) if row.accepted => {
                format!("accepted: {}", finding.observed)
            }
            Verdict::Warn(finding) | Verdict::Fail(finding) => finding.observed.clone(),
            Verdict::Unknown(error) if row.accepted => format!("accepted: {error}"),
            Verdict::Unknown(error) => error.to_string(),
            Verdict::Pass(_) | Verdict::Skip(_) => continue,
        };
        ui.told(
            &format!(
                "  {} {}: {}",
                ui.sign("‼", "!"),
                row.check.id,
                visible(&observed)
            ),
            4,
        );
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

fn shown(report: &Report) -> Vec<&Row> {
    report.rows.iter().collect()
}

/// The rows under the headings of their groups, each heading with something before it.
pub(super) fn lines(ui: Ui, rows: &[&Row], before: &str) -> String {
    let mut text = String::new();
    let mut heading = "";
    for alike in rows.chunk_by(|one, next| skipped_alike(one, next)) {
        let Some(first) = alike.first() else { continue };
        if first.check.group() != heading {
            heading = first.check.group();
            let title = format!("{before}{heading}");
            let rule = ui.sign("─", "-").repeat(title.chars().count());
            let _ = writeln!(text, "{}\n{rule}", ui.tint(Tone::Strong, &title));
        }
        match &first.verdict {
            Verdict::Skip(why) if alike.len() >= WORTH_FOLDING => {
                let sign = ui.tint(Tone::Faint, "-");
                let _ = writeln!(
                    text,
                    "{sign} {} checks (skipped: {})",
                    alike.len(),
                    visible(why)
                );
            }
            _ => alike.iter().for_each(|row| line(ui, &mut text, row)),
        }
    }
    text
}

/// So many checks that were skipped for the same reason are told in one line.
const WORTH_FOLDING: usize = 3;

fn skipped_alike(one: &Row, next: &Row) -> bool {
    one.check.group() == next.check.group()
        && matches!(
            (&one.verdict, &next.verdict),
            (Verdict::Skip(why), Verdict::Skip(other)) if why == other
        )
}

fn line(ui: Ui, text: &mut String, row: &Row) {
    let check = row.check;
    let (sign, tone) = match &row.verdict {
        Verdict::Pass(_) => (ui.sign("√", "ok"), Tone::Good),
        Verdict::Warn(_) => (ui.sign("‼", "!!"), Tone::Change),
        Verdict::Fail(_) if row.accepted => (ui.sign("×", "x"), Tone::Change),
        Verdict::Fail(_) => (ui.sign("×", "x"), Tone::Bad),
        Verdict::Skip(_) => ("-", Tone::Faint),
        Verdict::Unknown(_) if row.stands_in_the_way() => ("?", Tone::Bad),
        Verdict::Unknown(_) => ("?", Tone::Change),
    };
    let aside = match &row.verdict {
        Verdict::Pass(found) => format!(" ({})", visible(found)),
        Verdict::Skip(why) => format!(" (skipped: {})", visible(why)),
        _ if row.accepted => " (accepted)".to_owned(),
        _ => String::new(),
    };
    // Laid out without the colour, which takes no columns.
    let head = ui.fitted(&ui.spell(&format!("{sign} {}{aside}", check.says)), 2);
    let _ = writeln!(text, "{}", head.replacen(sign, &ui.tint(tone, sign), 1));
    let detail = |text: &mut String, name: &str, value: &str| {
        if !value.is_empty() {
            let _ = writeln!(
                text,
                "{}",
                ui.fitted(&ui.spell(&format!("    {name:<9} {}", visible(value))), 14)
            );
        }
    };
    match &row.verdict {
        Verdict::Pass(_) | Verdict::Skip(_) => {}
        Verdict::Unknown(error) => {
            detail(text, "unknown:", &error.to_string());
            if error.is_denied() {
                detail(text, "needs:", &needs(check, error));
            }
            if let Some(hint) = error.what_to_do() {
                detail(text, "fix:", hint);
            }
            detail(text, "help:", &help(check));
        }
        Verdict::Warn(finding) | Verdict::Fail(finding) => {
            detail(text, "observed:", &finding.observed);
            detail(text, "wanted:", &finding.wanted);
            detail(text, "reason:", &finding.reason);
            if let Some(console) = &finding.fix.console {
                detail(text, "fix:", console);
            }
            if let Some(advice) = &finding.fix.advice {
                detail(text, "fix:", advice);
            }
            for command in &finding.fix.cli {
                // Never broken: what a terminal breaks itself is copied as the one line that it is.
                let _ = writeln!(text, "    {:<9} {}", "fix:", visible(command));
            }
            detail(text, "help:", &help(check));
        }
    }
}

/// The permission that is missing: that of the call that was refused.
fn needs(check: &Check, error: &Error) -> String {
    error
        .needed_action()
        .map_or_else(|| check.permissions.join(", "), str::to_owned)
}

/// The check's section of the documentation; an anchor keeps the underscores of its heading and drops the dots.
#[must_use]
pub fn help(check: &Check) -> String {
    format!("docs/troubleshooting.md#{}", check.id.replace('.', ""))
}

fn warnings(count: usize) -> String {
    format!("{count} warning{}", if count == 1 { "" } else { "s" })
}

fn closing(ui: Ui, report: &Report) -> String {
    let stands = |row: &&Row| row.stands_in_the_way();
    let mut obstacles = report.rows.iter().filter(stands);
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
    let counts = report.open();
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
    let line = ui.fitted(&sum, 2);
    format!("\n{}\n", line.replacen(word, &ui.tint(tone, word), 1))
}

fn as_json(report: &Report) -> Value {
    let counts = report.counts();
    json!({
        "option": report.route.name(),
        "ready": report.is_ready(),
        "checks": report.rows.iter().map(as_row).collect::<Vec<_>>(),
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

pub(super) fn as_row(row: &Row) -> Value {
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
        Verdict::Unknown(error) => error.what_to_do(),
        _ => finding.fix.advice.as_deref(),
    };
    json!({
        "id": check.id,
        "group": check.group(),
        "title": check.says,
        "status": status(verdict),
        "required": !check.weight.is_advisory(),
        "observed": observed,
        "wanted": finding.wanted,
        "reason": reason,
        "resource": row.resource,
        "accepted": row.accepted,
        "code": match verdict {
            Verdict::Unknown(error) => json!(error.service_code()),
            _ => Value::Null,
        },
        "fix": { "console": finding.fix.console, "cli": finding.fix.cli, "advice": advice, "url": help(check), "auto": finding.fix.repair.is_some() },
        "permission": match verdict {
            Verdict::Unknown(error) if error.needed_action().is_some() => json!([error.needed_action()]),
            _ => json!(check.permissions),
        },
    })
}
