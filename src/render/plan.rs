//! A plan: what would be created, changed, kept, deleted, and what is in the way.

use std::fmt::Write;

use comfy_table::{Table, presets};
use serde_json::{Value, json};

use super::{OutputFormat, Tone, Ui, change, json_document};
use crate::error::Error;
use crate::reconcile::destroy::DestroyAction;
use crate::reconcile::diff::Change;
use crate::reconcile::plan::{Action, AdoptionPlan, Conflict, PlanStep};
use crate::sanitize::escape_control_chars;

/// Where it would happen.
pub struct PlanLocation<'a> {
    pub option: &'a str,
    pub account: &'a str,
    pub region: &'a str,
}

#[derive(Default)]
struct PlanCounts {
    create: usize,
    update: usize,
    adopt: usize,
    keep: usize,
    conflict: usize,
    unknown: usize,
}

fn count_actions(steps: &[PlanStep]) -> PlanCounts {
    let mut counts = PlanCounts::default();
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

/// The plan as the answer.
pub fn print_plan(ui: &Ui, place: &PlanLocation<'_>, steps: &[PlanStep]) {
    let text = match ui.format() {
        OutputFormat::Json => json_document(&plan_json(place, steps)),
        OutputFormat::Table | OutputFormat::Csv => plan_table(*ui, place, steps),
    };
    ui.stdout(&text);
}

/// The plan as a part of the story, before the writes. Whoever is asked sees it, also with `--quiet`.
pub fn announce_plan(ui: &Ui, place: &PlanLocation<'_>, steps: &[PlanStep], asked: bool) {
    print_announcement(*ui, &plan_table(ui.for_stderr(), place, steps), asked);
}

pub(super) fn print_announcement(ui: Ui, text: &str, asked: bool) {
    if asked {
        ui.warn_unwrapped(text.trim_end());
    } else {
        ui.status_unwrapped(text.trim_end());
    }
}

fn plan_table(ui: Ui, place: &PlanLocation<'_>, steps: &[PlanStep]) -> String {
    let mut text = format!(
        "Option {} in account {}, region {}:\n\n",
        place.option, place.account, place.region
    );
    let mut table = bare_table();
    for step in steps {
        let (sign, word, tone) = action_label(&step.action);
        table.add_row([
            ui.paint(tone, &format!("{sign} {word}")),
            step.id.kind.to_owned(),
            ui.ascii_fallback(&step.id.name),
        ]);
        for line in step_details(ui, &step.action) {
            table.add_row([String::new(), String::new(), line]);
        }
    }
    text.push_str(&layout(ui, &table));
    text.push_str(&unmanaged_entries(ui, steps.iter()));
    let counts = count_actions(steps);
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
    text
}

/// What it means to adopt, said before anybody is asked.
const ADOPTION_NOTE: &str = "What is adopted is heeler-ec's own from then on: destroy deletes it. Take it out of the state of \
    what made it (terraform state rm) before that runs again.";

fn step_details(ui: Ui, action: &Action) -> Vec<String> {
    let told = |changes: &[Change]| {
        let lines: Vec<String> = changes.iter().flat_map(change::change_lines).collect();
        lines
            .into_iter()
            .map(move |line| ui.ascii_fallback(&escape_control_chars(&line)))
    };
    match action {
        Action::Update(changes) => told(changes).collect(),
        Action::Adopt(AdoptionPlan {
            tags: marks,
            changes,
        }) => {
            let tags: Vec<String> = marks
                .iter()
                .map(|(key, value)| format!("{key}={value}"))
                .collect();
            // What can bear none is ours by what it is a part of.
            let tags = (!tags.is_empty()).then(|| format!("tags: + {}", tags.join(", ")));
            let tags = tags.map(|line| ui.ascii_fallback(&escape_control_chars(&line)));
            tags.into_iter().chain(told(changes)).collect()
        }
        Action::Conflict(Conflict::NotManaged) => vec![
            "there is one of this name that heeler-ec did not make (it lacks our tags)".to_owned(),
        ],
        Action::Conflict(Conflict::Immutable(changes)) => told(changes)
            .map(|line| format!("{line} (cannot be changed in place)"))
            .collect(),
        Action::Unknown(refusal) => vec![unreadable_reason(refusal)],
        Action::Create | Action::Keep => Vec::new(),
    }
}

/// What is missing to tell.
fn unreadable_reason(refusal: &Error) -> String {
    let needs = refusal
        .required_permission()
        .map(|action| format!("; it needs {action}"));
    escape_control_chars(&format!("{refusal}{}", needs.unwrap_or_default()))
}

fn plan_json(place: &PlanLocation<'_>, steps: &[PlanStep]) -> Value {
    let counts = count_actions(steps);
    json!({
        "option": place.option,
        "account": place.account,
        "region": place.region,
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
        Action::Conflict(Conflict::Immutable(_)) => Some("fixed"),
        Action::Conflict(Conflict::NotManaged) => Some("foreign"),
        _ => None,
    };
    let mut row = json!({
        "action": action_label(&step.action).1,
        "kind": step.id.kind,
        "name": step.id.name,
        "changes": changes.iter().map(change::as_json).collect::<Vec<_>>(),
        "stays": step.preserved,
    });
    if let (Some(conflict), Some(row)) = (conflict, row.as_object_mut()) {
        row.insert("conflict".into(), conflict.into());
    }
    if let (Action::Adopt(adoption), Some(row)) = (&step.action, row.as_object_mut()) {
        let marks = adoption.tags.iter();
        let tags = marks.map(|(key, value)| ((*key).to_owned(), Value::from(value.as_str())));
        row.insert("tags".into(), Value::Object(tags.collect()));
    }
    if let (Action::Unknown(refusal), Some(row)) = (&step.action, row.as_object_mut()) {
        row.insert("reason".into(), refusal.to_string().into());
        row.insert("permission".into(), refusal.required_permission().into());
    }
    row
}

/// What taking down would do.
pub fn print_destroy_plan(ui: &Ui, place: &PlanLocation<'_>, fates: &[(&PlanStep, DestroyAction)]) {
    let text = match ui.format() {
        OutputFormat::Json => json_document(&json!({
            "option": place.option,
            "account": place.account,
            "region": place.region,
            "steps": fates.iter().filter(|(_, fate)| *fate != DestroyAction::Absent).map(|(step, fate)| json!({
                "action": destroy_action_label(fate).1,
                "kind": step.id.kind,
                "name": step.id.name,
                "stays": step.preserved,
            })).collect::<Vec<_>>(),
        })),
        OutputFormat::Table | OutputFormat::Csv => destroy_table(*ui, place, fates),
    };
    ui.stdout(&text);
}

/// The same as a part of the story, before a question.
pub fn announce_destroy_plan(
    ui: &Ui,
    place: &PlanLocation<'_>,
    fates: &[(&PlanStep, DestroyAction)],
    asked: bool,
) {
    print_announcement(*ui, &destroy_table(ui.for_stderr(), place, fates), asked);
}

fn destroy_action_label(fate: &DestroyAction) -> (&'static str, &'static str, Tone) {
    match fate {
        DestroyAction::Delete | DestroyAction::DeletedWith(_) => ("-", "delete", Tone::Bad),
        DestroyAction::NotManaged | DestroyAction::BlockedBy(_) => ("=", "leave", Tone::Faint),
        DestroyAction::Unknown => UNKNOWN_LABEL,
        DestroyAction::Absent => (" ", "absent", Tone::Faint),
    }
}

fn destroy_table(ui: Ui, place: &PlanLocation<'_>, fates: &[(&PlanStep, DestroyAction)]) -> String {
    let mut text = format!(
        "Option {} in account {}, region {}:\n\n",
        place.option, place.account, place.region
    );
    let mut table = bare_table();
    let mut deleted = 0;
    for (step, fate) in fates
        .iter()
        .filter(|(_, fate)| *fate != DestroyAction::Absent)
    {
        let (sign, word, tone) = destroy_action_label(fate);
        deleted += usize::from(word == "delete");
        let note = match fate {
            DestroyAction::NotManaged => "  (nothing says that heeler-ec made it)".to_owned(),
            DestroyAction::BlockedBy(by) => format!("  (held by {})", by.kind),
            DestroyAction::Delete => step
                .deletion_delay_days()
                .map(|days| format!("  (scheduled, in {days} days)"))
                .unwrap_or_default(),
            _ => String::new(),
        };
        table.add_row([
            ui.paint(tone, &format!("{sign} {word}")),
            step.id.kind.to_owned(),
            format!("{}{note}", ui.ascii_fallback(&step.id.name)),
        ]);
        if let (DestroyAction::Unknown, Action::Unknown(refusal)) = (fate, &step.action) {
            table.add_row([String::new(), String::new(), unreadable_reason(refusal)]);
        }
    }
    text.push_str(&layout(ui, &table));
    text.push_str(&unmanaged_entries(ui, fates.iter().map(|(step, _)| *step)));
    let _ = writeln!(text, "\nDestroy: {deleted} to delete.");
    text
}

/// What else is in a shared document.
fn unmanaged_entries<'a>(ui: Ui, steps: impl Iterator<Item = &'a PlanStep>) -> String {
    let mut text = String::new();
    for step in steps.filter(|step| !step.preserved.is_empty()) {
        let _ = writeln!(text, "\nLeft as it is beside {}:", step.id);
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

pub(super) fn bare_table() -> Table {
    let mut table = Table::new();
    table.load_style(presets::NOTHING);
    table
}

/// Formats a table of three columns. Text that is too long for the terminal continues below the third column.
pub(super) fn layout(ui: Ui, table: &Table) -> String {
    let widths = table.column_max_content_widths();
    // Each column has a blank on both sides.
    let third_column = 1 + widths
        .iter()
        .take(2)
        .map(|width| usize::from(*width) + 2)
        .sum::<usize>();
    let rows = table.lines().map(|line| {
        let row = line.trim_end();
        let is_detail = row.starts_with("    ");
        let indent = third_column + if is_detail { 2 } else { 0 };
        format!("{}\n", ui.wrap_stdout(row, indent))
    });
    rows.collect()
}
