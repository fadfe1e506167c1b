//! A plan: what would be created, changed, kept, deleted, and what is in the way.

use std::fmt::Write;

use comfy_table::{Table, presets};
use serde_json::{Value, json};

use super::wrap::third_column;
use super::{Tone, Ui, change, document};
use crate::cli::Format;
use crate::converge::destroy::Fate;
use crate::converge::diff::Change;
use crate::converge::plan::{Action, Adoption, Conflict, Step};
use crate::error::Error;
use crate::tail::record::visible;

/// Where it would happen.
pub struct Place<'a> {
    pub option: &'a str,
    pub account: &'a str,
    pub region: &'a str,
}

#[derive(Default)]
struct Counts {
    create: usize,
    update: usize,
    adopt: usize,
    keep: usize,
    conflict: usize,
    unknown: usize,
}

fn count(steps: &[Step]) -> Counts {
    let mut counts = Counts::default();
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

fn word(action: &Action) -> (&'static str, &'static str, Tone) {
    match action {
        Action::Create => ("+", "create", Tone::Good),
        Action::Update(_) => ("~", "update", Tone::Change),
        Action::Adopt(_) => (">", "adopt", Tone::Change),
        Action::Keep => ("=", "keep", Tone::Faint),
        Action::Conflict(_) => ("!", "conflict", Tone::Bad),
        Action::Unknown(_) => UNKNOWN,
    }
}

const UNKNOWN: (&str, &str, Tone) = ("?", "unknown", Tone::Bad);

/// The plan as the answer.
pub fn plan(ui: &Ui, place: &Place<'_>, steps: &[Step]) {
    let text = match ui.format {
        Format::Json => document(&as_json(place, steps)),
        Format::Table | Format::Csv => as_table(*ui, place, steps),
    };
    ui.answer(&text);
}

/// The plan as a part of the story, before the writes. Whoever is asked sees it, also with `--quiet`.
pub fn announce(ui: &Ui, place: &Place<'_>, steps: &[Step], asked: bool) {
    told(*ui, &as_table(ui.for_story(), place, steps), asked);
}

pub(super) fn told(ui: Ui, text: &str, asked: bool) {
    if asked {
        ui.alert_as_it_is(text.trim_end());
    } else {
        ui.story_as_it_is(text.trim_end());
    }
}

fn as_table(ui: Ui, place: &Place<'_>, steps: &[Step]) -> String {
    let mut text = format!(
        "Option {} in account {}, region {}:\n\n",
        place.option, place.account, place.region
    );
    let mut table = bare_table();
    for step in steps {
        let (sign, word, tone) = word(&step.action);
        table.add_row([
            ui.tint(tone, &format!("{sign} {word}")),
            step.id.kind.to_owned(),
            ui.spell(&step.id.name),
        ]);
        for line in details(ui, &step.action) {
            table.add_row([String::new(), String::new(), line]);
        }
    }
    text.push_str(&laid_out(ui, &table));
    text.push_str(&neighbours(ui, steps.iter()));
    let counts = count(steps);
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
        let _ = writeln!(text, "{}", ui.fitted(ADOPTED, 0));
    }
    text
}

/// What it means to adopt, said before anybody is asked.
const ADOPTED: &str = "What is adopted is heeler-ec's own from then on: destroy deletes it. Take it out of the state of \
    what made it (terraform state rm) before that runs again.";

fn details(ui: Ui, action: &Action) -> Vec<String> {
    let told = |changes: &[Change]| {
        let lines: Vec<String> = changes.iter().flat_map(change::lines).collect();
        lines.into_iter().map(move |line| ui.spell(&visible(&line)))
    };
    match action {
        Action::Update(changes) => told(changes).collect(),
        Action::Adopt(Adoption { marks, changes }) => {
            let tags: Vec<String> = marks
                .iter()
                .map(|(key, value)| format!("{key}={value}"))
                .collect();
            // What can bear none is ours by what it is a part of.
            let tags = (!tags.is_empty()).then(|| format!("tags: + {}", tags.join(", ")));
            let tags = tags.map(|line| ui.spell(&visible(&line)));
            tags.into_iter().chain(told(changes)).collect()
        }
        Action::Conflict(Conflict::Foreign) => vec![
            "there is one of this name that heeler-ec did not make (it lacks our tags)".to_owned(),
        ],
        Action::Conflict(Conflict::Fixed(changes)) => told(changes)
            .map(|line| format!("{line} (cannot be changed in place)"))
            .collect(),
        Action::Unknown(refusal) => vec![hidden(refusal)],
        Action::Create | Action::Keep => Vec::new(),
    }
}

/// What is missing to tell.
fn hidden(refusal: &Error) -> String {
    let needs = refusal
        .needed_action()
        .map(|action| format!("; it needs {action}"));
    visible(&format!("{refusal}{}", needs.unwrap_or_default()))
}

fn as_json(place: &Place<'_>, steps: &[Step]) -> Value {
    let counts = count(steps);
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

fn step_json(step: &Step) -> Value {
    let changes = step.action.changes();
    let conflict = match &step.action {
        Action::Conflict(Conflict::Fixed(_)) => Some("fixed"),
        Action::Conflict(Conflict::Foreign) => Some("foreign"),
        _ => None,
    };
    let mut row = json!({
        "action": word(&step.action).1,
        "kind": step.id.kind,
        "name": step.id.name,
        "changes": changes.iter().map(change::as_json).collect::<Vec<_>>(),
        "stays": step.stays,
    });
    if let (Some(conflict), Some(row)) = (conflict, row.as_object_mut()) {
        row.insert("conflict".into(), conflict.into());
    }
    if let (Action::Adopt(adoption), Some(row)) = (&step.action, row.as_object_mut()) {
        let marks = adoption.marks.iter();
        let tags = marks.map(|(key, value)| ((*key).to_owned(), Value::from(value.as_str())));
        row.insert("tags".into(), Value::Object(tags.collect()));
    }
    if let (Action::Unknown(refusal), Some(row)) = (&step.action, row.as_object_mut()) {
        row.insert("reason".into(), refusal.to_string().into());
        row.insert("permission".into(), refusal.needed_action().into());
    }
    row
}

/// What taking down would do.
pub fn fates(ui: &Ui, place: &Place<'_>, fates: &[(&Step, Fate)]) {
    let text = match ui.format {
        Format::Json => document(&json!({
            "option": place.option,
            "account": place.account,
            "region": place.region,
            "steps": fates.iter().filter(|(_, fate)| *fate != Fate::Absent).map(|(step, fate)| json!({
                "action": fate_word(fate).1,
                "kind": step.id.kind,
                "name": step.id.name,
                "stays": step.stays,
            })).collect::<Vec<_>>(),
        })),
        Format::Table | Format::Csv => fates_table(*ui, place, fates),
    };
    ui.answer(&text);
}

/// The same as a part of the story, before a question.
pub fn announce_fates(ui: &Ui, place: &Place<'_>, fates: &[(&Step, Fate)], asked: bool) {
    told(*ui, &fates_table(ui.for_story(), place, fates), asked);
}

fn fate_word(fate: &Fate) -> (&'static str, &'static str, Tone) {
    match fate {
        Fate::Delete | Fate::GoesWith(_) => ("-", "delete", Tone::Bad),
        Fate::Stays | Fate::Held(_) => ("=", "leave", Tone::Faint),
        Fate::Unknown => UNKNOWN,
        Fate::Absent => (" ", "absent", Tone::Faint),
    }
}

fn fates_table(ui: Ui, place: &Place<'_>, fates: &[(&Step, Fate)]) -> String {
    let mut text = format!(
        "Option {} in account {}, region {}:\n\n",
        place.option, place.account, place.region
    );
    let mut table = bare_table();
    let mut deleted = 0;
    for (step, fate) in fates.iter().filter(|(_, fate)| *fate != Fate::Absent) {
        let (sign, word, tone) = fate_word(fate);
        deleted += usize::from(word == "delete");
        let note = match fate {
            Fate::Stays => "  (nothing says that heeler-ec made it)".to_owned(),
            Fate::Held(by) => format!("  (held by {})", by.kind),
            Fate::Delete if step.id.kind == "kms key" => "  (scheduled, in 7 days)".to_owned(),
            _ => String::new(),
        };
        table.add_row([
            ui.tint(tone, &format!("{sign} {word}")),
            step.id.kind.to_owned(),
            format!("{}{note}", ui.spell(&step.id.name)),
        ]);
        if let (Fate::Unknown, Action::Unknown(refusal)) = (fate, &step.action) {
            table.add_row([String::new(), String::new(), hidden(refusal)]);
        }
    }
    text.push_str(&laid_out(ui, &table));
    text.push_str(&neighbours(ui, fates.iter().map(|(step, _)| *step)));
    let _ = writeln!(text, "\nDestroy: {deleted} to delete.");
    text
}

/// What else is in a shared document.
fn neighbours<'a>(ui: Ui, steps: impl Iterator<Item = &'a Step>) -> String {
    let mut text = String::new();
    for step in steps.filter(|step| !step.stays.is_empty()) {
        let _ = writeln!(text, "\nLeft as it is beside {}:", step.id);
        for entry in &step.stays {
            let _ = writeln!(text, "{}", ui.fitted(&format!("  {}", visible(entry)), 6));
        }
    }
    text
}

pub(super) fn bare_table() -> Table {
    let mut table = Table::new();
    table.load_style(presets::NOTHING);
    table
}

/// What is too long for the terminal goes on under the last column, where it began.
pub(super) fn laid_out(ui: Ui, table: &Table) -> String {
    let rows = table.lines().map(|line| {
        let row = line.trim_end();
        format!("{}\n", ui.fitted(row, third_column(row)))
    });
    rows.collect()
}
