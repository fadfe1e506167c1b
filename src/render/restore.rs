//! What a restore would put back, and what it would leave.

use std::fmt::Write;

use serde_json::json;

use super::plan::{bare_table, laid_out, told};
use super::{Tone, Ui, document};
use crate::backup::Backup;
use crate::cli::Format;
use crate::tail::record::visible;

/// What would happen to one document.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    /// It is as the run left it.
    PutBack,
    AsBefore,
    /// It is neither as it was before nor as the run left it.
    Changed,
    /// What it belonged to is not there any more.
    Gone,
    /// The run ended before it could note what it had written.
    Unfinished,
}

pub struct Row<'a> {
    pub kind: &'a str,
    pub of: &'a str,
    pub fate: Fate,
}

impl Fate {
    fn word(self) -> (&'static str, &'static str, Tone) {
        match self {
            Self::PutBack => ("~", "put back", Tone::Change),
            Self::AsBefore => ("=", "keep", Tone::Faint),
            Self::Changed | Self::Gone | Self::Unfinished => ("!", "leave", Tone::Bad),
        }
    }

    fn why(self) -> Option<&'static str> {
        match self {
            Self::PutBack => None,
            Self::AsBefore => Some("it is as it was before"),
            Self::Changed => Some("somebody has changed it since"),
            Self::Gone => Some("what it belonged to is gone"),
            Self::Unfinished => Some("the run was ended before it noted what it wrote"),
        }
    }
}

/// As the answer.
pub fn rows(ui: &Ui, backup: &Backup, rows: &[Row<'_>]) {
    let text = match ui.format {
        Format::Json => document(&json!({
            "account": backup.account,
            "region": backup.region,
            "time": backup.time,
            "documents": rows.iter().map(|row| json!({
                "action": row.fate.word().1.replace(' ', "_"),
                "kind": row.kind,
                "of": row.of,
                "reason": row.fate.why(),
            })).collect::<Vec<_>>(),
        })),
        Format::Table | Format::Csv => as_table(*ui, backup, rows),
    };
    ui.answer(&text);
}

/// As a part of the story, before a question.
pub fn announce(ui: &Ui, backup: &Backup, rows: &[Row<'_>], asked: bool) {
    told(*ui, &as_table(ui.for_story(), backup, rows), asked);
}

fn as_table(ui: Ui, backup: &Backup, rows: &[Row<'_>]) -> String {
    let mut text = format!(
        "Backup of {}, account {}, region {}:\n\n",
        visible(&backup.time),
        visible(&backup.account),
        visible(&backup.region)
    );
    let mut table = bare_table();
    for row in rows {
        let (sign, word, tone) = row.fate.word();
        let why = row.fate.why().map(|why| format!("  ({why})"));
        table.add_row([
            ui.tint(tone, &format!("{sign} {word}")),
            row.kind.to_owned(),
            format!("{}{}", visible(row.of), why.unwrap_or_default()),
        ]);
    }
    text.push_str(&laid_out(ui, &table));
    let count = |word: &str| rows.iter().filter(|row| row.fate.word().1 == word).count();
    let _ = writeln!(
        text,
        "\nRestore: {} to put back, {} as before, {} to leave.",
        count("put back"),
        count("keep"),
        count("leave")
    );
    text
}
