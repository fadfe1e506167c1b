//! The results of setup, destroy and restore: the steps of the plan and how far each of them got.

use serde_json::{Value, json};

use super::change;
use super::destroy_plan::{destroy_action_label, destroy_reason, destroy_table, duplicate_reason};
use super::document::Document;
use super::outputs::{OutputValues, outputs_document, outputs_json};
use super::plan::{PlanLocation, PlanView, plan_json};
use super::restore::{RestoreAction, RestoreRow, restore_table};
use super::step_status::StepStatus;
use super::{OutputFormat, Ui};
use crate::backup::Backup;
use crate::reconcile::destroy::DestroyAction;
use crate::reconcile::graph::ResourceId;
use crate::reconcile::plan::{Action, PlanStep};

/// Returns the status of each step of a plan that has not been applied.
#[must_use]
pub fn initial_statuses(steps: &[PlanStep]) -> Vec<StepStatus> {
    let status = |step: &PlanStep| match step.action {
        Action::Keep => StepStatus::Unchanged,
        _ => StepStatus::Pending,
    };
    steps.iter().map(status).collect()
}

/// A setup whose plan was shown.
#[derive(Clone, Copy, Debug)]
pub struct SetupResult<'a> {
    pub plan: PlanView<'a>,
    pub statuses: &'a [StepStatus],
    /// `None` if the setup is not complete.
    pub outputs: Option<&'a OutputValues<'a>>,
    /// The user did not confirm the plan.
    pub is_cancelled: bool,
}

/// Returns the result of a setup: as JSON the steps and the values, as text the values.
#[must_use]
pub fn setup_document(ui: &Ui, result: &SetupResult<'_>) -> Option<Document> {
    let outputs = result.outputs;
    if ui.format() != OutputFormat::Json {
        return outputs.map(|values| outputs_document(ui, values));
    }
    let mut document = plan_json(&result.plan);
    if let Some(rows) = document["steps"].as_array_mut() {
        add_statuses(ui, rows, result.statuses.iter());
    }
    document["cancelled"] = json!(result.is_cancelled);
    document["outputs"] = json!(outputs.map(outputs_json));
    Some(Document::Json(document))
}

/// The text that replaces a masked value.
pub const MASK: &str = "(masked)";

/// Returns the status of each action before a destroy.
#[must_use]
pub fn initial_destroy_statuses(actions: &[(&PlanStep, DestroyAction)]) -> Vec<Vec<StepStatus>> {
    let status = |action: &DestroyAction| match action {
        DestroyAction::Delete | DestroyAction::DeletedWith(_) | DestroyAction::Unknown => {
            StepStatus::Pending
        }
        DestroyAction::NotManaged | DestroyAction::BlockedBy(_) | DestroyAction::Absent => {
            StepStatus::Unchanged
        }
    };
    let statuses = actions
        .iter()
        .map(|(step, action)| vec![status(action); 1 + step.duplicates.len()]);
    statuses.collect()
}

/// Returns the plan of a destroy, or as JSON also its progress.
#[must_use]
pub fn destroy_document(
    ui: &Ui,
    location: &PlanLocation<'_>,
    actions: &[(&PlanStep, DestroyAction)],
    statuses: &[Vec<StepStatus>],
    is_cancelled: bool,
) -> Document {
    if ui.format() != OutputFormat::Json {
        return Document::Text(destroy_table(*ui, location, actions));
    }
    let mut rows = Vec::new();
    let mut row_statuses = Vec::new();
    for ((step, action), statuses) in actions.iter().zip(statuses) {
        if *action == DestroyAction::Absent {
            continue;
        }
        let mut add_row = |id: &ResourceId, reason: Option<String>| {
            rows.push(json!({
                "action": destroy_action_label(action).1,
                "kind": id.kind,
                "name": id.name,
                "preserved": step.preserved,
                "reason": reason,
            }));
        };
        add_row(&step.id, destroy_reason(step, action));
        for duplicate in &step.duplicates {
            add_row(&duplicate.id, Some(duplicate_reason(step)));
        }
        row_statuses.extend(statuses);
    }
    add_statuses(ui, &mut rows, row_statuses.into_iter());
    Document::Json(json!({
        "option": location.option,
        "account": location.account,
        "region": location.region,
        "steps": rows,
        "cancelled": is_cancelled,
    }))
}

/// Returns the status of each document before a restore.
#[must_use]
pub fn initial_restore_statuses(actions: &[RestoreAction]) -> Vec<StepStatus> {
    let status = |action: &RestoreAction| match action {
        RestoreAction::Restore => StepStatus::Pending,
        _ => StepStatus::Unchanged,
    };
    actions.iter().map(status).collect()
}

/// Returns the plan of a restore, or as JSON also its progress.
#[must_use]
pub fn restore_document(
    ui: &Ui,
    backup: &Backup,
    rows: &[RestoreRow<'_>],
    statuses: &[StepStatus],
    is_cancelled: bool,
) -> Document {
    if ui.format() != OutputFormat::Json {
        return Document::Text(restore_table(*ui, backup, rows));
    }
    let documents = rows.iter().map(|row| {
        json!({
            "action": row.action.label().1,
            "kind": row.kind,
            "resource": row.resource,
            "reason": row.action.reason(),
            "changes": row.changes.iter().map(change::as_json).collect::<Vec<_>>(),
        })
    });
    let mut documents: Vec<Value> = documents.collect();
    add_statuses(ui, &mut documents, statuses.iter());
    Document::Json(json!({
        "account": backup.account,
        "region": backup.region,
        "time": backup.time,
        "documents": documents,
        "cancelled": is_cancelled,
    }))
}

fn add_statuses<'a>(ui: &Ui, rows: &mut [Value], statuses: impl Iterator<Item = &'a StepStatus>) {
    for (row, status) in rows.iter_mut().zip(statuses) {
        if let Some(row) = row.as_object_mut() {
            status.add_to(ui, row);
        }
    }
}
