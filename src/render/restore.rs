//! The plan of a restore.

use std::fmt::Write;

use super::action_table::ActionTable;
use super::change::change_lines;
use super::plan::print_announcement;
use super::{Tone, Ui};
use crate::backup::Backup;
use crate::reconcile::diff::Change;
use crate::sanitize::escape_control_chars;

/// The action for one document of a backup.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RestoreAction {
    /// The document is as the run left it.
    Restore,
    /// The document has its saved content already.
    Keep,
    /// The document has changed since the run.
    SkipChanged,
    /// The resource of the document no longer exists.
    SkipMissing,
    /// The resource, or an entry that would change, is not managed.
    SkipNotManaged,
    /// The run ended before it completed the backup.
    SkipIncomplete,
}

pub struct RestoreRow<'a> {
    pub kind: &'a str,
    pub resource: &'a str,
    pub action: RestoreAction,
    /// The differences between the current and the saved document.
    pub changes: Vec<Change>,
}

impl RestoreAction {
    pub(super) fn label(self) -> (&'static str, &'static str, Tone) {
        match self {
            Self::Restore => ("~", "restore", Tone::Change),
            Self::Keep => ("=", "keep", Tone::Faint),
            Self::SkipChanged | Self::SkipMissing | Self::SkipNotManaged | Self::SkipIncomplete => {
                ("!", "skip", Tone::Bad)
            }
        }
    }

    pub(super) fn reason(self) -> Option<&'static str> {
        match self {
            Self::Restore => None,
            Self::Keep => Some("already has the saved content"),
            Self::SkipChanged => Some("changed since the backup"),
            Self::SkipMissing => Some("no longer exists"),
            Self::SkipNotManaged => Some("not managed by heeler-ec"),
            Self::SkipIncomplete => Some("the backup is incomplete: the run was killed"),
        }
    }
}

/// Prints the plan on stderr, before the prompt.
pub fn announce_restore(ui: &Ui, backup: &Backup, rows: &[RestoreRow<'_>], asked: bool) {
    print_announcement(*ui, &restore_table(ui.for_stderr(), backup, rows), asked);
}

pub(super) fn restore_table(ui: Ui, backup: &Backup, rows: &[RestoreRow<'_>]) -> String {
    let mut text = format!(
        "Backup of {}, account {}, region {}:\n\n",
        escape_control_chars(&backup.time),
        escape_control_chars(&backup.account),
        escape_control_chars(&backup.region)
    );
    let mut table = ActionTable::new();
    for row in rows {
        let why = row.action.reason().map(|why| format!("  ({why})"));
        let resource = escape_control_chars(row.resource);
        let text = format!("{resource}{}", why.unwrap_or_default());
        table.add_action(row.action.label(), row.kind, text);
        for line in row.changes.iter().flat_map(change_lines) {
            table.add_detail(ui.ascii_fallback(&escape_control_chars(&line)));
        }
    }
    text.push_str(&table.to_text(ui));
    let count = |word: &str| {
        rows.iter()
            .filter(|row| row.action.label().1 == word)
            .count()
    };
    let _ = writeln!(
        text,
        "\nRestore: {} to restore, {} to keep, {} to skip.",
        count("restore"),
        count("keep"),
        count("skip")
    );
    text
}
