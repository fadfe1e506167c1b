//! What a restore would put back, and what it would leave.

use std::fmt::Write;

use serde_json::json;

use super::plan::{bare_table, layout, print_announcement};
use super::{OutputFormat, Tone, Ui, json_document};
use crate::backup::Backup;
use crate::sanitize::escape_control_chars;

/// What would happen to one document.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RestoreAction {
    /// It is as the run left it.
    Restore,
    Keep,
    /// It is neither as it was before nor as the run left it.
    SkipChanged,
    /// What it belonged to is not there any more.
    SkipMissing,
    /// The run ended before it could note what it had written.
    SkipIncomplete,
}

pub struct RestoreRow<'a> {
    pub kind: &'a str,
    pub resource: &'a str,
    pub action: RestoreAction,
}

impl RestoreAction {
    fn label(self) -> (&'static str, &'static str, Tone) {
        match self {
            Self::Restore => ("~", "put back", Tone::Change),
            Self::Keep => ("=", "keep", Tone::Faint),
            Self::SkipChanged | Self::SkipMissing | Self::SkipIncomplete => {
                ("!", "leave", Tone::Bad)
            }
        }
    }

    fn reason(self) -> Option<&'static str> {
        match self {
            Self::Restore => None,
            Self::Keep => Some("it is as it was before"),
            Self::SkipChanged => Some("somebody has changed it since"),
            Self::SkipMissing => Some("what it belonged to is gone"),
            Self::SkipIncomplete => Some("the run was ended before it noted what it wrote"),
        }
    }
}

/// As the answer.
pub fn print_restore_plan(ui: &Ui, backup: &Backup, rows: &[RestoreRow<'_>]) {
    let text = match ui.format() {
        OutputFormat::Json => json_document(&json!({
            "account": backup.account,
            "region": backup.region,
            "time": backup.time,
            "documents": rows.iter().map(|row| json!({
                "action": row.action.label().1.replace(' ', "_"),
                "kind": row.kind,
                "of": row.resource,
                "reason": row.action.reason(),
            })).collect::<Vec<_>>(),
        })),
        OutputFormat::Table | OutputFormat::Csv => restore_table(*ui, backup, rows),
    };
    ui.stdout(&text);
}

/// As a part of the story, before a question.
pub fn announce_restore(ui: &Ui, backup: &Backup, rows: &[RestoreRow<'_>], asked: bool) {
    print_announcement(*ui, &restore_table(ui.for_stderr(), backup, rows), asked);
}

fn restore_table(ui: Ui, backup: &Backup, rows: &[RestoreRow<'_>]) -> String {
    let mut text = format!(
        "Backup of {}, account {}, region {}:\n\n",
        escape_control_chars(&backup.time),
        escape_control_chars(&backup.account),
        escape_control_chars(&backup.region)
    );
    let mut table = bare_table();
    for row in rows {
        let (sign, word, tone) = row.action.label();
        let why = row.action.reason().map(|why| format!("  ({why})"));
        table.add_row([
            ui.paint(tone, &format!("{sign} {word}")),
            row.kind.to_owned(),
            format!(
                "{}{}",
                escape_control_chars(row.resource),
                why.unwrap_or_default()
            ),
        ]);
    }
    text.push_str(&layout(ui, &table));
    let count = |word: &str| {
        rows.iter()
            .filter(|row| row.action.label().1 == word)
            .count()
    };
    let _ = writeln!(
        text,
        "\nRestore: {} to put back, {} as before, {} to leave.",
        count("put back"),
        count("keep"),
        count("leave")
    );
    text
}
