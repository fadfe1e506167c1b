//! The plan of a setup, as text and as JSON.

use std::fmt::Write;

use serde_json::{Value, json};

use super::access::{access_json, access_text, external_id_json};
use super::action_table::ActionTable;
use super::document::Document;
use super::{OutputFormat, Tone, Ui, change};
use crate::deployment::access::AccessSummary;
use crate::error::Error;
use crate::reconcile::diff::Change;
use crate::reconcile::graph::ResourceId;
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

pub(super) const UNKNOWN_LABEL: (&str, &str, Tone) = ("?", "unknown", Tone::Bad);

/// A plan to show.
#[derive(Clone, Copy, Debug)]
pub struct PlanView<'a> {
    pub location: PlanLocation<'a>,
    pub steps: &'a [PlanStep],
    /// Resources of the customer that the plan uses and never changes.
    pub existing: &'a [ResourceId],
    pub access: &'a AccessSummary,
    /// Also show unchanged resources and whole documents.
    pub is_detailed: bool,
}

impl PlanView<'_> {
    fn is_empty(&self) -> bool {
        self.steps.iter().all(|step| step.action == Action::Keep)
    }
}

/// Returns the plan of a setup as the result.
#[must_use]
pub fn plan_document(ui: &Ui, view: &PlanView<'_>) -> Document {
    match ui.format() {
        OutputFormat::Json => Document::Json(plan_json(view)),
        OutputFormat::Text | OutputFormat::Csv => Document::Text(plan_text(*ui, view)),
    }
}

/// Prints the plan on stderr, before the prompt. If the user is asked, it is printed also with `--quiet`.
pub fn announce_plan(ui: &Ui, view: &PlanView<'_>, asked: bool) {
    let asked = asked && !view.is_empty();
    print_announcement(*ui, &plan_text(ui.for_stderr(), view), asked);
}

/// Prints a plan on stderr; with `asked` also if `--quiet` is given.
pub(super) fn print_announcement(ui: Ui, text: &str, asked: bool) {
    if asked {
        ui.warn_unwrapped(text.trim_end());
    } else {
        ui.status_unwrapped(text.trim_end());
    }
}

fn plan_text(ui: Ui, view: &PlanView<'_>) -> String {
    let PlanLocation {
        option,
        account,
        region,
    } = view.location;
    let counts = PlanCounts::of(view.steps);
    let no_changes = format!(
        "No changes. All {} resources are as they were set up (option {option}, {region}).",
        counts.keep
    );
    let no_changes = format!("{}\n", ui.wrap_stdout(&no_changes, 0));
    if view.is_empty() && !view.is_detailed {
        return no_changes;
    }
    let mut text = format!("Option {option} in account {account}, region {region}:\n\n");
    let access = access_text(ui, view.access);
    if !access.is_empty() {
        let _ = writeln!(text, "{access}");
    }
    let is_shown = |step: &&PlanStep| view.is_detailed || step.action != Action::Keep;
    let mut table = ActionTable::new();
    for step in view.steps.iter().filter(is_shown) {
        let name = ui.ascii_fallback(&step.id.name);
        table.add_action(action_label(&step.action), step.id.kind, name);
        for line in step_details(ui, step, view.is_detailed) {
            table.add_detail(line);
        }
    }
    text.push_str(&table.to_text(ui));
    text.push_str(&unmanaged_entries(ui, view.steps.iter().filter(is_shown)));
    if !view.existing.is_empty() {
        text.push_str("\nExisting resources that it uses (unchanged):\n");
        for id in view.existing {
            let line = format!("  {}", escape_control_chars(&id.to_string()));
            let _ = writeln!(text, "{}", ui.wrap_stdout(&line, 4));
        }
    }
    if view.is_empty() {
        let _ = write!(text, "\n{no_changes}");
        return text;
    }
    let counted = [
        (counts.create, "to create"),
        (counts.update, "to update"),
        (counts.adopt, "to adopt"),
        (counts.conflict, "in conflict"),
        (counts.unknown, "unknown"),
        (counts.keep, "unchanged"),
    ];
    let counted = counted.into_iter().filter(|(count, _)| *count > 0);
    let counted: Vec<String> = counted
        .map(|(count, words)| format!("{count} {words}"))
        .collect();
    let _ = writeln!(text, "\nPlan: {}.", counted.join(", "));
    if counts.adopt > 0 {
        let _ = writeln!(text, "{}", ui.wrap_stdout(ADOPTION_NOTE, 0));
    }
    ui.ascii_fallback(&text)
}

/// Note about the consequences of adopting resources.
const ADOPTION_NOTE: &str = "Adopted resources are managed by heeler-ec: destroy deletes them. Before you run the tool that \
    created them again, remove them from its state (terraform state rm).";

fn step_details(ui: Ui, step: &PlanStep, is_detailed: bool) -> Vec<String> {
    let changes = |changes: &[Change]| changes.iter().flat_map(change::change_lines).collect();
    let mut lines: Vec<String> = match &step.action {
        Action::Update(fields) => changes(fields),
        Action::Adopt(AdoptionPlan {
            tags,
            changes: fields,
        }) => {
            let tags: Vec<String> = tags
                .iter()
                .map(|(key, value)| format!("{key}={value}"))
                .collect();
            // A resource that cannot have tags is managed through its parent.
            let tags = (!tags.is_empty()).then(|| format!("tags: + {}", tags.join(", ")));
            // The ownership tags are among these tags.
            let fields = fields
                .iter()
                .filter(|field| field.field != "ownership_tags");
            tags.into_iter()
                .chain(fields.flat_map(change::change_lines))
                .collect()
        }
        Action::Conflict(Conflict::NotManaged { lacks_tags: true }) => {
            vec!["exists, but is not managed by heeler-ec (it lacks the tags)".to_owned()]
        }
        Action::Conflict(Conflict::NotManaged { lacks_tags: false }) => {
            vec!["exists, but is not managed by heeler-ec".to_owned()]
        }
        Action::Conflict(Conflict::Immutable(fields)) => {
            let lines: Vec<String> = changes(fields);
            let lines = lines.into_iter();
            lines
                .map(|line| format!("{line} (cannot be changed in place)"))
                .collect()
        }
        Action::Unknown(error) => vec![unreadable_reason(error)],
        Action::Create | Action::Keep => Vec::new(),
    };
    if is_detailed {
        lines.extend(change::state_lines(&step.preview.state));
    }
    let lines = lines.into_iter();
    lines
        .map(|line| ui.ascii_fallback(&escape_control_chars(&line)))
        .collect()
}

/// Describes why a resource could not be read, and the missing permission.
pub(super) fn unreadable_reason(error: &Error) -> String {
    let needs = error
        .required_permission()
        .map(|action| format!("; it needs {action}"));
    escape_control_chars(&format!("{error}{}", needs.unwrap_or_default()))
}

pub(super) fn plan_json(view: &PlanView<'_>) -> Value {
    let counts = PlanCounts::of(view.steps);
    json!({
        "option": view.location.option,
        "account": view.location.account,
        "region": view.location.region,
        "steps": view.steps.iter().map(step_json).collect::<Vec<_>>(),
        "counts": {
            "create": counts.create,
            "update": counts.update,
            "adopt": counts.adopt,
            "keep": counts.keep,
            "conflict": counts.conflict,
            "unknown": counts.unknown,
        },
        "existing": view.existing.iter().map(existing_json).collect::<Vec<_>>(),
        "access": access_json(view.access),
        "external_id": external_id_json(view.access.external_id),
    })
}

fn existing_json(id: &ResourceId) -> Value {
    json!({ "kind": id.kind, "name": id.name })
}

fn step_json(step: &PlanStep) -> Value {
    let changes: Vec<Value> = match &step.action {
        Action::Create => {
            let fields = step.preview.as_changes();
            let fields = fields.iter();
            fields
                .map(|field| change::created_json(field, step.preview.is_known(field.field)))
                .collect()
        }
        action => action.changes().iter().map(change::as_json).collect(),
    };
    let conflict = match &step.action {
        Action::Conflict(Conflict::Immutable(_)) => Some("immutable"),
        Action::Conflict(Conflict::NotManaged { .. }) => Some("not_managed"),
        _ => None,
    };
    let mut row = json!({
        "action": action_label(&step.action).1,
        "kind": step.id.kind,
        "name": step.id.name,
        "changes": changes,
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

/// Lists the other entries of shared documents.
pub(super) fn unmanaged_entries<'a>(ui: Ui, steps: impl Iterator<Item = &'a PlanStep>) -> String {
    let mut text = String::new();
    for step in steps.filter(|step| !step.preserved.is_empty()) {
        // The name of an S3 notification is `BUCKET#ENTRY`.
        let headline = match step.id.name.rsplit_once('#') {
            Some((bucket, _)) => format!("Other notifications of bucket {bucket} (unchanged):"),
            None => format!("Other entries of {} (unchanged):", step.id),
        };
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
