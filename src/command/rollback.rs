//! Rolls back a failed setup, and reports what could not be rolled back.

use tokio_util::sync::CancellationToken;

use super::Context;
use crate::aws::Aws;
use crate::error::Error;
use crate::reconcile::apply::{ApplyResult, ExecutionOptions};
use crate::reconcile::event::ReconcileEvent;
use crate::reconcile::graph::ResourceId;
use crate::reconcile::plan::Plan;
use crate::reconcile::rollback::{Reverted, rollback};
use crate::reconcile::scheduler::Outcome;
use crate::render::notices::interrupt::CleanUp;
use crate::render::notices::rollback::{ChangeReason, RemainingChange, RollbackNotice};
use crate::render::progress::ProgressDisplay;
use crate::render::step_status::StepStatus;

/// Rolls back the steps of a run, and updates their statuses. Failures of the rollback are listed; the caller reports the
/// failure of the run.
pub(super) async fn roll_back(
    context: &Context,
    plan: &Plan<'_, Aws>,
    applied: &ApplyResult,
    statuses: &mut [StepStatus],
) {
    context.ui.notify(&RollbackNotice::Started);
    context.interrupt.set_clean_up(CleanUp::RollBack);
    // The first Ctrl-C started this rollback, so only the second one ends it.
    let cancellation = CancellationToken::new();
    let delayed = applied
        .attempted_steps(plan)
        .filter_map(|step| Some((step.id.clone(), step.deletion_delay_days()?)));
    let progress = ProgressDisplay::new(context.ui, applied.attempted_steps(plan).count())
        .with_deletion_days(delayed);
    let observer = |event: ReconcileEvent| progress.on_event(&event);
    let options = ExecutionOptions::new(&cancellation, &observer);
    let outcomes = rollback(plan, applied, options).await;
    progress.finish();
    update_statuses(plan, applied, &outcomes, statuses);
    report_rollback(context, plan, &outcomes);
}

/// Updates the statuses of the steps that were rolled back. A step that failed before it changed anything stays failed.
fn update_statuses(
    plan: &Plan<'_, Aws>,
    applied: &ApplyResult,
    outcomes: &[Outcome<Reverted, Error>],
    statuses: &mut [StepStatus],
) {
    let attempted: Vec<&ResourceId> = applied.attempted_steps(plan).map(|step| &step.id).collect();
    for ((step, outcome), status) in plan.steps.iter().zip(outcomes).zip(statuses) {
        if !attempted.contains(&&step.id) {
            continue;
        }
        *status = match outcome {
            Outcome::Done(reverted) => StepStatus::RolledBack(reverted.irreversible_fields.clone()),
            Outcome::Failed(error) => StepStatus::NotRolledBack(Some(error.clone())),
            Outcome::Skipped { .. } => StepStatus::NotRolledBack(None),
        };
    }
}

fn report_rollback(context: &Context, plan: &Plan<'_, Aws>, outcomes: &[Outcome<Reverted, Error>]) {
    let remaining: Vec<RemainingChange> = plan
        .steps
        .iter()
        .zip(outcomes)
        .filter_map(|(step, outcome)| {
            let reason = match outcome {
                Outcome::Done(reverted) if reverted.irreversible_fields.is_empty() => return None,
                Outcome::Done(reverted) => {
                    ChangeReason::Irreversible(reverted.irreversible_fields.clone())
                }
                Outcome::Failed(error) => ChangeReason::Failed {
                    cause: error.cause(),
                },
                Outcome::Skipped { blocked_by } => {
                    ChangeReason::DependsOn(plan.steps[*blocked_by].id.clone())
                }
            };
            Some(RemainingChange {
                id: step.id.clone(),
                reason,
            })
        })
        .collect();
    let deleted =
        plan.steps.iter().zip(outcomes).filter(
            |(_, outcome)| matches!(outcome, Outcome::Done(reverted) if reverted.is_deleted),
        );
    for (step, days) in deleted.filter_map(|(step, _)| Some((step, step.deletion_delay_days()?))) {
        context.ui.notify(&RollbackNotice::DeletionDelayed {
            id: step.id.clone(),
            days,
        });
    }
    if remaining.is_empty() {
        context.ui.notify(&RollbackNotice::Completed {
            exception: context.writes.exception(),
        });
    } else {
        context.ui.notify(&RollbackNotice::Incomplete(remaining));
    }
}
