//! The verdicts of preflight.

use std::fmt::Write;

use serde_json::{Value, json};

use super::{Tone, Ui, document};
use crate::check::{Check, Finding, Report, Verdict, Weight};
use crate::cli::Format;
use crate::tail::record::visible;

/// All verdicts, as the answer.
pub fn report(ui: &Ui, option: &str, report: &Report) {
    let text = match ui.format {
        Format::Json => document(&as_json(option, report)),
        Format::Table => format!("{}{}", lines(*ui, report, true), closing(*ui, report)),
    };
    ui.answer(&text);
}

/// What stands in the way of setup, as a part of the story.
pub fn obstacles(ui: &Ui, report: &Report) {
    ui.alert(lines(ui.for_story(), report, false).trim_end());
    ui.alert("");
}

/// Warnings and the sum, before a plan.
pub fn summary(ui: &Ui, report: &Report) {
    let counts = report.counts();
    ui.story(&format!(
        "Preflight: {} passed, {}, {} skipped.",
        counts.passed,
        warnings(counts.warnings),
        counts.skipped
    ));
    for (check, verdict) in &report.rows {
        if let Verdict::Warn(finding) = verdict {
            ui.story(&format!(
                "  {} {}: {}",
                ui.sign("‼", "!"),
                check.id,
                visible(&finding.observed)
            ));
        }
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

fn group(check: &Check) -> &'static str {
    check.id.split('.').next().unwrap_or(check.id)
}

fn lines(ui: Ui, report: &Report, all: bool) -> String {
    let mut text = String::new();
    let mut heading = "";
    for (check, verdict) in &report.rows {
        if !all
            && matches!(
                verdict,
                Verdict::Pass(_) | Verdict::Skip(_) | Verdict::Warn(_)
            )
        {
            continue;
        }
        if group(check) != heading {
            heading = group(check);
            let rule = ui.sign("─", "-").repeat(heading.len());
            let _ = writeln!(text, "{}\n{rule}", ui.tint(Tone::Strong, heading));
        }
        line(ui, &mut text, check, verdict);
    }
    text
}

fn line(ui: Ui, text: &mut String, check: &Check, verdict: &Verdict) {
    let (sign, tone) = match verdict {
        Verdict::Pass(_) => (ui.sign("√", "ok"), Tone::Good),
        Verdict::Warn(_) => (ui.sign("‼", "!!"), Tone::Change),
        Verdict::Fail(_) => (ui.sign("×", "x"), Tone::Bad),
        Verdict::Skip(_) => ("-", Tone::Faint),
        Verdict::Unknown(_) => ("?", Tone::Bad),
    };
    let aside = match verdict {
        Verdict::Pass(found) => format!(" ({})", visible(found)),
        Verdict::Skip(why) => format!(" (skipped: {})", visible(why)),
        _ => String::new(),
    };
    // Laid out without the colour, which takes no columns.
    let head = ui.fitted(&format!("{sign} {}{aside}", check.says), 2);
    let _ = writeln!(text, "{}", head.replacen(sign, &ui.tint(tone, sign), 1));
    let mut detail = |name: &str, value: &str| {
        if !value.is_empty() {
            let _ = writeln!(
                text,
                "{}",
                ui.fitted(&format!("    {name:<9} {}", visible(value)), 14)
            );
        }
    };
    match verdict {
        Verdict::Pass(_) | Verdict::Skip(_) => {}
        Verdict::Unknown(error) => {
            detail("unknown:", &error.to_string());
            detail("needs:", &check.permissions.join(", "));
            detail("help:", &help(check));
        }
        Verdict::Warn(finding) | Verdict::Fail(finding) => {
            detail("observed:", &finding.observed);
            detail("wanted:", &finding.wanted);
            detail("reason:", &finding.reason);
            if let Some(console) = &finding.fix.console {
                detail("fix:", console);
            }
            if let Some(advice) = &finding.fix.advice {
                detail("fix:", advice);
            }
            for command in &finding.fix.cli {
                detail("fix:", command);
            }
            detail("help:", &help(check));
        }
    }
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
    let counts = report.counts();
    let ready = report.is_ready();
    let word = if ready {
        ui.tint(Tone::Good, "Ready for setup.")
    } else {
        ui.tint(
            Tone::Bad,
            "Not ready: fix what failed and run preflight again.",
        )
    };
    format!(
        "\n{} failed, {} unknown, {}, {} passed, {} skipped. {word}\n",
        counts.failed,
        counts.unknown,
        warnings(counts.warnings),
        counts.passed,
        counts.skipped
    )
}

fn as_json(option: &str, report: &Report) -> Value {
    let counts = report.counts();
    json!({
        "option": option,
        "ready": report.is_ready(),
        "checks": report.rows.iter().map(|(check, verdict)| row(check, verdict)).collect::<Vec<_>>(),
        "counts": {
            "fail": counts.failed,
            "unknown": counts.unknown,
            "warn": counts.warnings,
            "pass": counts.passed,
            "skip": counts.skipped,
        },
    })
}

fn row(check: &Check, verdict: &Verdict) -> Value {
    let empty = Finding::default();
    let (observed, reason, finding) = match verdict {
        Verdict::Pass(found) => (found.clone(), String::new(), &empty),
        Verdict::Skip(why) => (String::new(), why.clone(), &empty),
        Verdict::Unknown(error) => (String::new(), error.to_string(), &empty),
        Verdict::Warn(finding) | Verdict::Fail(finding) => {
            (finding.observed.clone(), finding.reason.clone(), finding)
        }
    };
    json!({
        "id": check.id,
        "group": group(check),
        "title": check.says,
        "status": status(verdict),
        "required": check.weight != Weight::Advisory,
        "observed": observed,
        "wanted": finding.wanted,
        "reason": reason,
        "fix": { "console": finding.fix.console, "cli": finding.fix.cli, "advice": finding.fix.advice, "url": help(check) },
        "permission": check.permissions,
    })
}
