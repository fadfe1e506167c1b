//! Takes back what a run of setup did that failed, and says what could not be taken back.

use super::World;
use super::setup::tell_how_to_go_on;
use crate::aws::Aws;
use crate::converge::apply::{Applied, Manner};
use crate::converge::event::Event;
use crate::converge::patience::Patience;
use crate::converge::plan::{Action, Plan, Step};
use crate::converge::rollback::{Lasting, rollback};
use crate::converge::stop::Stopper;
use crate::converge::walk::Outcome;
use crate::error::Error;
use crate::render::progress::Progress;
use crate::tail::record::visible;

/// The failure that it is about is told by whoever calls; a failure of the rollback itself is among what is left.
pub(super) async fn roll_back(world: &World, aws: &Aws, plan: &Plan<'_, Aws>, applied: &Applied) {
    world.ui.alert("\nRolling back what this run did:");
    world.interrupt.cleans_up("rolling back");
    // The wish to end was the one to roll back; whoever insists leaves at once.
    let (_stopper, stop) = Stopper::new();
    let progress = Progress::new(world.ui, applied.begun(plan).count());
    let watch = |event: Event| progress.tell(&event);
    let manner = Manner {
        patience: Patience::default(),
        stop: &stop,
        watch: &watch,
    };
    let outcomes = rollback(plan, applied, aws, manner).await;
    progress.finish();
    told(world, plan, applied, &outcomes);
}

fn told(
    world: &World,
    plan: &Plan<'_, Aws>,
    applied: &Applied,
    outcomes: &[Outcome<Lasting, Error>],
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
            Outcome::Skipped { because } => Some(format!(
                "{}: it waits for {}",
                step.id, plan.steps[*because].id
            )),
        })
        .collect();
    let is_new_key = |step: &Step| step.id.kind == "kms key" && step.action == Action::Create;
    if applied.begun(plan).any(is_new_key) {
        world
            .ui
            .story("AWS deletes the KMS key in 7 days; until then it costs nothing.");
    }
    if left.is_empty() {
        world.ui.alert(&format!(
            "Rolled back: what this run made is gone, and what it changed is as before{}.",
            world.but_for()
        ));
        return;
    }
    world.ui.alert("Not everything could be rolled back. Left:");
    for line in left {
        world.ui.alerted(&format!("  {}", visible(&line)), 4);
    }
    tell_how_to_go_on(world);
}
