//! Rolls back a failed setup, and prints what could not be rolled back.

use tokio_util::sync::CancellationToken;

use super::Context;
use super::next_steps::print_recovery_steps;
use crate::aws::Aws;
use crate::error::Error;
use crate::reconcile::apply::{ApplyResult, ExecutionOptions};
use crate::reconcile::event::ReconcileEvent;
use crate::reconcile::plan::Plan;
use crate::reconcile::rollback::{Reverted, rollback};
use crate::reconcile::scheduler::Outcome;
use crate::render::progress::ProgressDisplay;
use crate::sanitize::escape_control_chars;

/// Rolls back the steps of a run. Failures of the rollback are listed; the caller reports the failure of the run.
pub(super) async fn roll_back(context: &Context, plan: &Plan<'_, Aws>, applied: &ApplyResult) {
    context.ui.warn("\nRolling back the changes of this run:");
    context.interrupt.set_cleanup_message("rolling back");
    // The first Ctrl-C started this rollback, so only the second one ends it.
    let cancellation = CancellationToken::new();
    let progress = ProgressDisplay::new(context.ui, applied.attempted_steps(plan).count());
    let observer = |event: ReconcileEvent| progress.on_event(&event);
    let options = ExecutionOptions::new(&cancellation, &observer);
    let outcomes = rollback(plan, applied, options).await;
    progress.finish();
    report_rollback(context, plan, &outcomes);
}

fn report_rollback(context: &Context, plan: &Plan<'_, Aws>, outcomes: &[Outcome<Reverted, Error>]) {
    let left: Vec<String> = plan
        .steps
        .iter()
        .zip(outcomes)
        .filter_map(|(step, outcome)| match outcome {
            Outcome::Done(reverted) if reverted.irreversible_fields.is_empty() => None,
            Outcome::Done(reverted) => Some(format!(
                "{}: {} keeps the new value, because the previous one cannot be restored",
                step.id,
                reverted.irreversible_fields.join(", ")
            )),
            Outcome::Failed(error) => Some(format!("{}: {}", step.id, error.cause())),
            Outcome::Skipped {
                blocked_by: because,
            } => Some(format!(
                "{}: depends on {}",
                step.id, plan.steps[*because].id
            )),
        })
        .collect();
    let deleted =
        plan.steps.iter().zip(outcomes).filter(
            |(_, outcome)| matches!(outcome, Outcome::Done(reverted) if reverted.is_deleted),
        );
    for (step, days) in deleted.filter_map(|(step, _)| Some((step, step.deletion_delay_days()?))) {
        context.ui.status(&format!(
            "AWS deletes {} in {days} days. It costs nothing until then.",
            step.id
        ));
    }
    if left.is_empty() {
        context.ui.warn(&format!(
            "Rolled back: all changes of this run were undone{}.",
            context.writes.exception()
        ));
        return;
    }
    context
        .ui
        .warn("Some changes could not be rolled back. Remaining:");
    for line in left {
        context
            .ui
            .warn(&format!("  {}", escape_control_chars(&line)));
    }
    print_recovery_steps(context);
}
