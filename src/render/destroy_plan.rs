//! The plan of a destroy, as a table.

use std::fmt::Write;

use super::action_table::ActionTable;
use super::plan::{
    PlanLocation, UNKNOWN_LABEL, print_announcement, unmanaged_entries, unreadable_reason,
};
use super::{Tone, Ui};
use crate::reconcile::destroy::DestroyAction;
use crate::reconcile::plan::{Action, PlanStep};

/// Prints the plan of a destroy on stderr, before the prompt.
pub fn announce_destroy_plan(
    ui: &Ui,
    location: &PlanLocation<'_>,
    actions: &[(&PlanStep, DestroyAction)],
    asked: bool,
) {
    print_announcement(
        *ui,
        &destroy_table(ui.for_stderr(), location, actions),
        asked,
    );
}

pub(super) fn destroy_action_label(action: &DestroyAction) -> (&'static str, &'static str, Tone) {
    match action {
        DestroyAction::Delete | DestroyAction::DeletedWith(_) => ("-", "delete", Tone::Bad),
        DestroyAction::NotManaged | DestroyAction::BlockedBy(_) => ("=", "skip", Tone::Faint),
        DestroyAction::Unknown => UNKNOWN_LABEL,
        DestroyAction::Absent => (" ", "absent", Tone::Faint),
    }
}

/// Describes why a resource is kept, or what happens to it later.
pub(super) fn destroy_reason(step: &PlanStep, action: &DestroyAction) -> Option<String> {
    match action {
        DestroyAction::NotManaged => Some("not managed by heeler-ec".to_owned()),
        DestroyAction::BlockedBy(by) => Some(format!("in use by {by}")),
        DestroyAction::DeletedWith(parent) => Some(format!("deleted with {parent}")),
        DestroyAction::Delete => step
            .deletion_delay_days()
            .map(|days| format!("AWS deletes it in {days} days")),
        DestroyAction::Unknown => match &step.action {
            Action::Unknown(refusal) => Some(refusal.to_string()),
            _ => None,
        },
        DestroyAction::Absent => None,
    }
}

/// Describes a further copy of a resource, and what happens to it later.
pub(super) fn duplicate_reason(step: &PlanStep) -> String {
    let later = destroy_reason(step, &DestroyAction::Delete);
    let later = later.map(|reason| format!("; {reason}"));
    format!("left by an interrupted setup{}", later.unwrap_or_default())
}

pub(super) fn destroy_table(
    ui: Ui,
    location: &PlanLocation<'_>,
    actions: &[(&PlanStep, DestroyAction)],
) -> String {
    let mut text = format!(
        "Option {} in account {}, region {}:\n\n",
        location.option, location.account, location.region
    );
    let mut table = ActionTable::new();
    let mut deleted = 0;
    for (step, action) in actions
        .iter()
        .filter(|(_, action)| *action != DestroyAction::Absent)
    {
        let label = destroy_action_label(action);
        deleted += usize::from(label.1 == "delete");
        let note = match action {
            DestroyAction::NotManaged => "  (not managed by heeler-ec)".to_owned(),
            DestroyAction::BlockedBy(by) => format!("  (in use by {})", by.kind),
            DestroyAction::Delete => destroy_reason(step, action)
                .map(|reason| format!("  ({reason})"))
                .unwrap_or_default(),
            _ => String::new(),
        };
        let name = format!("{}{note}", ui.ascii_fallback(&step.id.name));
        table.add_action(label, step.id.kind, name);
        for duplicate in &step.duplicates {
            deleted += 1;
            let reason = duplicate_reason(step);
            let name = format!("{}  ({reason})", ui.ascii_fallback(&duplicate.id.name));
            table.add_action(label, duplicate.id.kind, name);
        }
        if let (DestroyAction::Unknown, Action::Unknown(refusal)) = (action, &step.action) {
            table.add_detail(unreadable_reason(refusal));
        }
    }
    text.push_str(&table.to_text(ui));
    text.push_str(&unmanaged_entries(
        ui,
        actions.iter().map(|(step, _)| *step),
    ));
    let _ = writeln!(text, "\nDestroy: {deleted} to delete.");
    ui.ascii_fallback(&text)
}
