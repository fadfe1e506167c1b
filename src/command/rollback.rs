//! Takes back what a run of setup did that failed, and says what could not be taken back.

use tokio_util::sync::CancellationToken;

use super::Context;
use super::next_steps::print_recovery_steps;
use crate::aws::Aws;
use crate::error::Error;
use crate::reconcile::apply::{ApplyResult, ExecutionOptions};
use crate::reconcile::event::ReconcileEvent;
use crate::reconcile::plan::{Action, Plan};
use crate::reconcile::rollback::{IrreversibleFields, rollback};
use crate::reconcile::scheduler::Outcome;
use crate::render::progress::ProgressDisplay;
use crate::sanitize::escape_control_chars;

/// The failure that it is about is told by whoever calls; a failure of the rollback itself is among what is left.
pub(super) async fn roll_back(context: &Context, plan: &Plan<'_, Aws>, applied: &ApplyResult) {
    context.ui.warn("\nRolling back what this run did:");
    context.interrupt.set_cleanup_message("rolling back");
    // The first Ctrl-C started this rollback, so only the second one ends it.
    let cancellation = CancellationToken::new();
    let progress = ProgressDisplay::new(context.ui, applied.attempted_steps(plan).count());
    let observer = |event: ReconcileEvent| progress.on_event(&event);
    let options = ExecutionOptions::new(&cancellation, &observer);
    let outcomes = rollback(plan, applied, options).await;
    progress.finish();
    report_rollback(context, plan, applied, &outcomes);
}

fn report_rollback(
    context: &Context,
    plan: &Plan<'_, Aws>,
    applied: &ApplyResult,
    outcomes: &[Outcome<IrreversibleFields, Error>],
) {
    let left: Vec<String> = plan
        .steps
        .iter()
        .zip(outcomes)
        .filter_map(|(step, outcome)| match outcome {
            Outcome::Done(lasting) if lasting.is_empty() => None,
            Outcome::Done(lasting) => Some(format!(
                "{}: {} as this run wrote it; AWS does not give the former one out",
                step.id,
                lasting.join(", ")
            )),
            Outcome::Failed(error) => Some(format!("{}: {}", step.id, error.cause())),
            Outcome::Skipped {
                blocked_by: because,
            } => Some(format!(
                "{}: it waits for {}",
                step.id, plan.steps[*because].id
            )),
        })
        .collect();
    let created = applied
        .attempted_steps(plan)
        .filter(|step| step.action == Action::Create);
    for (step, days) in created.filter_map(|step| Some((step, step.deletion_delay_days()?))) {
        context.ui.status(&format!(
            "AWS deletes {} in {days} days; until then it costs nothing.",
            step.id
        ));
    }
    if left.is_empty() {
        context.ui.warn(&format!(
            "Rolled back: what this run made is gone, and what it changed is as before{}.",
            context.writes.exception()
        ));
        return;
    }
    context
        .ui
        .warn("Not everything could be rolled back. Left:");
    for line in left {
        context
            .ui
            .warn(&format!("  {}", escape_control_chars(&line)));
    }
    print_recovery_steps(context);
}
