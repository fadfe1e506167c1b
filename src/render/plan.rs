//! Plans of setup and destroy, as tables and as JSON.

use std::fmt::Write;

use serde_json::{Value, json};

use super::action_table::ActionTable;
use super::document::Document;
use super::{OutputFormat, Tone, Ui, change};
use crate::error::Error;
use crate::reconcile::destroy::DestroyAction;
use crate::reconcile::diff::Change;
use crate::reconcile::plan::{Action, AdoptionPlan, Conflict, PlanStep};
use crate::sanitize::escape_control_chars;

/// The option, account and region of a plan.
#[derive(Clone, Copy, Debug)]
pub struct PlanLocation<'a> {
    pub option: &'a str,
    pub account: &'a str,
    pub region: &'a str,
}

/// The number of steps per action.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct PlanCounts {
    pub create: usize,
    pub update: usize,
    pub adopt: usize,
    pub keep: usize,
    pub conflict: usize,
    pub unknown: usize,
}

impl PlanCounts {
    pub(super) fn of(steps: &[PlanStep]) -> Self {
        let mut counts = Self::default();
        for step in steps {
            *match step.action {
                Action::Create => &mut counts.create,
                Action::Update(_) => &mut counts.update,
                Action::Adopt(_) => &mut counts.adopt,
                Action::Keep => &mut counts.keep,
                Action::Conflict(_) => &mut counts.conflict,
                Action::Unknown(_) => &mut counts.unknown,
            } += 1;
        }
        counts
    }
}

fn action_label(action: &Action) -> (&'static str, &'static str, Tone) {
    match action {
        Action::Create => ("+", "create", Tone::Good),
        Action::Update(_) => ("~", "update", Tone::Change),
        Action::Adopt(_) => (">", "adopt", Tone::Change),
        Action::Keep => ("=", "keep", Tone::Faint),
        Action::Conflict(_) => ("!", "conflict", Tone::Bad),
        Action::Unknown(_) => UNKNOWN_LABEL,
    }
}

const UNKNOWN_LABEL: (&str, &str, Tone) = ("?", "unknown", Tone::Bad);

/// Returns the plan of a setup as the result.
#[must_use]
pub fn plan_document(ui: &Ui, location: &PlanLocation<'_>, steps: &[PlanStep]) -> Document {
    match ui.format() {
        OutputFormat::Json => Document::Json(plan_json(location, steps)),
        OutputFormat::Text | OutputFormat::Csv => Document::Text(plan_table(*ui, location, steps)),
    }
}

/// Prints the plan on stderr, before the prompt. If the user is asked, it is printed also with `--quiet`.
pub fn announce_plan(ui: &Ui, location: &PlanLocation<'_>, steps: &[PlanStep], asked: bool) {
    print_announcement(*ui, &plan_table(ui.for_stderr(), location, steps), asked);
}

/// Prints a plan on stderr; with `asked` also if `--quiet` is given.
pub(super) fn print_announcement(ui: Ui, text: &str, asked: bool) {
    if asked {
        ui.warn_unwrapped(text.trim_end());
    } else {
        ui.status_unwrapped(text.trim_end());
    }
}

fn plan_table(ui: Ui, location: &PlanLocation<'_>, steps: &[PlanStep]) -> String {
    let mut text = format!(
        "Option {} in account {}, region {}:\n\n",
        location.option, location.account, location.region
    );
    let mut table = ActionTable::new();
    for step in steps {
        let name = ui.ascii_fallback(&step.id.name);
        table.add_action(action_label(&step.action), step.id.kind, name);
        for line in step_details(ui, &step.action) {
            table.add_detail(line);
        }
    }
    text.push_str(&table.to_text(ui));
    text.push_str(&unmanaged_entries(ui, steps.iter()));
    let counts = PlanCounts::of(steps);
    let _ = write!(
        text,
        "\nPlan: {} to create, {} to update, {} to keep",
        counts.create, counts.update, counts.keep
    );
    if counts.adopt > 0 {
        let _ = write!(text, ", {} to adopt", counts.adopt);
    }
    if counts.conflict > 0 {
        let _ = write!(text, ", {} in conflict", counts.conflict);
    }
    if counts.unknown > 0 {
        let _ = write!(text, ", {} unknown", counts.unknown);
    }
    text.push_str(".\n");
    if counts.adopt > 0 {
        let _ = writeln!(text, "{}", ui.wrap_stdout(ADOPTION_NOTE, 0));
    }
    ui.ascii_fallback(&text)
}

/// Note about the consequences of adopting resources.
const ADOPTION_NOTE: &str = "Adopted resources are managed by heeler-ec: destroy deletes them. Before you run the tool that \
    created them again, remove them from its state (terraform state rm).";

fn step_details(ui: Ui, action: &Action) -> Vec<String> {
    let describe = |changes: &[Change]| {
        let lines: Vec<String> = changes.iter().flat_map(change::change_lines).collect();
        lines
            .into_iter()
            .map(move |line| ui.ascii_fallback(&escape_control_chars(&line)))
    };
    match action {
        Action::Update(changes) => describe(changes).collect(),
        Action::Adopt(AdoptionPlan { tags, changes }) => {
            let tags: Vec<String> = tags
                .iter()
                .map(|(key, value)| format!("{key}={value}"))
                .collect();
            // A resource that cannot have tags is managed through its parent.
            let tags = (!tags.is_empty()).then(|| format!("tags: + {}", tags.join(", ")));
            let tags = tags.map(|line| ui.ascii_fallback(&escape_control_chars(&line)));
            tags.into_iter().chain(describe(changes)).collect()
        }
        Action::Conflict(Conflict::NotManaged { lacks_tags: true }) => {
            vec!["exists, but is not managed by heeler-ec (it lacks the tags)".to_owned()]
        }
        Action::Conflict(Conflict::NotManaged { lacks_tags: false }) => {
            vec!["exists, but is not managed by heeler-ec".to_owned()]
        }
        Action::Conflict(Conflict::Immutable(changes)) => describe(changes)
            .map(|line| format!("{line} (cannot be changed in place)"))
            .collect(),
        Action::Unknown(error) => vec![unreadable_reason(error)],
        Action::Create | Action::Keep => Vec::new(),
    }
}

/// Describes why a resource could not be read, and the missing permission.
fn unreadable_reason(error: &Error) -> String {
    let needs = error
        .required_permission()
        .map(|action| format!("; it needs {action}"));
    escape_control_chars(&format!("{error}{}", needs.unwrap_or_default()))
}

pub(super) fn plan_json(location: &PlanLocation<'_>, steps: &[PlanStep]) -> Value {
    let counts = PlanCounts::of(steps);
    json!({
        "option": location.option,
        "account": location.account,
        "region": location.region,
        "steps": steps.iter().map(step_json).collect::<Vec<_>>(),
        "counts": {
            "create": counts.create,
            "update": counts.update,
            "adopt": counts.adopt,
            "keep": counts.keep,
            "conflict": counts.conflict,
            "unknown": counts.unknown,
        },
    })
}

fn step_json(step: &PlanStep) -> Value {
    let changes = step.action.changes();
    let conflict = match &step.action {
        Action::Conflict(Conflict::Immutable(_)) => Some("immutable"),
        Action::Conflict(Conflict::NotManaged { .. }) => Some("not_managed"),
        _ => None,
    };
    let mut row = json!({
        "action": action_label(&step.action).1,
        "kind": step.id.kind,
        "name": step.id.name,
        "changes": changes.iter().map(change::as_json).collect::<Vec<_>>(),
        "preserved": step.preserved,
    });
    if let (Some(conflict), Some(row)) = (conflict, row.as_object_mut()) {
        row.insert("conflict".into(), conflict.into());
    }
    if let (Action::Adopt(adoption), Some(row)) = (&step.action, row.as_object_mut()) {
        let tags = adoption.tags.iter();
        let tags = tags.map(|(key, value)| (key.clone(), Value::from(value.as_str())));
        row.insert("tags".into(), Value::Object(tags.collect()));
    }
    if let (Action::Unknown(refusal), Some(row)) = (&step.action, row.as_object_mut()) {
        row.insert("reason".into(), refusal.to_string().into());
        row.insert("permission".into(), refusal.required_permission().into());
    }
    row
}

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
            DestroyAction::Delete => step
                .deletion_delay_days()
                .map(|days| format!("  (AWS deletes it in {days} days)"))
                .unwrap_or_default(),
            _ => String::new(),
        };
        let name = format!("{}{note}", ui.ascii_fallback(&step.id.name));
        table.add_action(label, step.id.kind, name);
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

/// Lists the other entries of shared documents.
fn unmanaged_entries<'a>(ui: Ui, steps: impl Iterator<Item = &'a PlanStep>) -> String {
    let mut text = String::new();
    for step in steps.filter(|step| !step.preserved.is_empty()) {
        let headline = format!("Other entries of {} (unchanged):", step.id);
        let _ = writeln!(text, "\n{}", ui.wrap_stdout(&headline, 0));
        for entry in &step.preserved {
            let _ = writeln!(
                text,
                "{}",
                ui.wrap_stdout(&format!("  {}", escape_control_chars(entry)), 6)
            );
        }
    }
    text
}
