//! Rollback of a failed run: deletes what the run created, restores what it changed, and keeps what existed.

use std::sync::atomic::Ordering;

use super::apply::{
    ApplyResult, ExecutionOptions, REPLICATION_DELAY, StepProgress, StepRunner, with_events,
};
use super::destroy::{DeleteReason, delete_and_wait, deletes_on_acceptance, order_anchors_last};
use super::diff::Change;
use super::event::{ReconcileEvent, Verb};
use super::plan::{Action, Plan, PlanStep};
use super::retry::Backoff;
use super::scheduler::{EarlyReleases, Outcome, reverse_edges, run_with_releases};
use super::{Actual, Resource};
use crate::error::{Error, Result};

impl ApplyResult {
    /// The steps that may have written something, which a rollback has to inspect.
    pub fn attempted_steps<'p, C: Sync>(
        &self,
        plan: &'p Plan<'_, C>,
    ) -> impl Iterator<Item = &'p PlanStep> {
        let steps = plan.steps.iter().enumerate();
        steps.filter_map(|(node, step)| self.was_attempted(step, node).then_some(step))
    }

    fn was_attempted(&self, step: &PlanStep, node: usize) -> bool {
        let is_planned = matches!(step.action, Action::Create | Action::Update(_));
        let was_attempted = match &self.outcomes[node] {
            Outcome::Done(()) => true,
            // If another run created the resource first, nothing of it belongs to this run.
            Outcome::Failed(refusal) => {
                let attempted = self.progress[node].attempted.load(Ordering::Relaxed);
                self.has_created(node) || (attempted && !refusal.is_already_exists())
            }
            Outcome::Skipped { .. } => false,
        };
        is_planned && was_attempted
    }

    fn has_created(&self, node: usize) -> bool {
        self.progress[node].created.load(Ordering::Relaxed)
    }
}

/// The effect of a rollback on one resource.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Reverted {
    /// The resource was deleted, or its deletion was scheduled.
    pub is_deleted: bool,
    /// Fields that could not be restored and keep the values that the run wrote.
    pub irreversible_fields: Vec<&'static str>,
}

/// Reverts the steps of a plan in reverse order. A failure keeps only the dependencies of the failed step.
pub async fn rollback<C: Send + Sync>(
    plan: &Plan<'_, C>,
    applied: &ApplyResult,
    options: ExecutionOptions<'_>,
) -> Vec<Outcome<Reverted, Error>> {
    let edges = order_anchors_last(plan, reverse_edges(&plan.graph.edges()));
    let starts_early = |node: usize| deletes_on_acceptance(plan, node);
    let accepted = EarlyReleases::new(edges.len(), &starts_early);
    let run = |node: usize| {
        let step = StepRollback {
            plan,
            applied,
            node,
            options,
            accepted: &accepted,
        };
        async move { step.run().await }
    };
    let mut outcomes = run_with_releases(&edges, &accepted, run).await;
    for (node, (step, outcome)) in plan.steps.iter().zip(&mut outcomes).enumerate() {
        let Outcome::Skipped { blocked_by } = outcome else {
            continue;
        };
        if applied.was_attempted(step, node) {
            (options.observer)(ReconcileEvent::Skipped {
                id: step.id.clone(),
                verb: rollback_verb(&step.action),
                blocked_by: plan.steps[*blocked_by].id.to_string(),
            });
        } else {
            *outcome = Outcome::Done(Reverted::default());
        }
    }
    outcomes
}

fn rollback_verb(action: &Action) -> Verb {
    match action {
        Action::Update(_) => Verb::Restore,
        _ => Verb::Delete,
    }
}

/// Returns true if none of the changes was made, so that nothing has to be written.
fn is_unchanged(actual: Option<&Actual>, before: &Actual, changes: &[Change]) -> bool {
    actual.is_some_and(|actual| {
        let is_same = |field| actual.state.get(field) == before.state.get(field);
        changes.iter().all(|change| is_same(change.field))
    })
}

struct StepRollback<'a, C> {
    plan: &'a Plan<'a, C>,
    applied: &'a ApplyResult,
    node: usize,
    options: ExecutionOptions<'a>,
    accepted: &'a EarlyReleases<'a>,
}

impl<C: Send + Sync> StepRollback<'_, C> {
    async fn run(&self) -> Result<Reverted> {
        let step = &self.plan.steps[self.node];
        if !self.applied.was_attempted(step, self.node)
            || self.is_deleted_with_parent()
            || self.is_anchor_of_other_run()
        {
            return Ok(Reverted::default());
        }
        let verb = rollback_verb(&step.action);
        let actual = match self.read_actual().await {
            Ok(actual) => actual,
            Err(refusal) => {
                with_events(&step.id, verb, self.options, async { Err(refusal) }).await?;
                return Ok(Reverted::default());
            }
        };
        match (&step.action, actual, &step.actual) {
            (Action::Create, Some(actual), _)
                if actual.is_managed() && self.resource().is_own_creation(&actual) =>
            {
                with_events(&step.id, verb, self.options, self.delete(&actual)).await?;
                Ok(Reverted {
                    is_deleted: true,
                    ..Reverted::default()
                })
            }
            (Action::Update(changes), actual, Some(before))
                if !is_unchanged(actual.as_ref(), before, changes) =>
            {
                let restore = self.restore(actual.as_ref(), before);
                with_events(&step.id, verb, self.options, restore).await?;
                let irreversible = self.resource().properties().irreversible_fields;
                let fields = changes.iter().map(|change| change.field);
                Ok(Reverted {
                    irreversible_fields: fields
                        .filter(|field| irreversible.contains(field))
                        .collect(),
                    ..Reverted::default()
                })
            }
            _ => Ok(Reverted::default()),
        }
    }

    fn resource(&self) -> &dyn Resource<C> {
        self.plan.graph.nodes()[self.node].resource.as_ref()
    }

    /// Returns true if the parent deletes it and was created by this run as well.
    fn is_deleted_with_parent(&self) -> bool {
        let parent = self
            .resource()
            .parent()
            .filter(|parent| parent.deletes_children);
        let parent = parent.and_then(|parent| self.plan.graph.index_of(&parent.id));
        parent.is_some_and(|parent| {
            self.plan.steps[parent].action == Action::Create && self.applied.has_created(parent)
        })
    }

    /// Returns true for an anchor if another run won the race for a lock, because that run uses the anchor by now.
    fn is_anchor_of_other_run(&self) -> bool {
        self.resource().properties().is_anchor && self.applied.lost_lock_race(self.plan)
    }

    /// Reads the resource. If a response was lost, or a write did not become visible, waits for the resource to appear.
    async fn read_actual(&self) -> Result<Option<Actual>> {
        let may_appear = match &self.applied.outcomes[self.node] {
            Outcome::Failed(error) => {
                error.is_outcome_unknown() || self.applied.has_created(self.node)
            }
            _ => false,
        };
        let cloud = self.plan.cloud(self.node)?;
        let mut backoff = Backoff::new(self.options.retry_policy, self.options.cancellation);
        loop {
            let actual = self.resource().read(cloud, &self.plan.known).await?;
            if actual.is_some()
                || !may_appear
                || !backoff.wait(REPLICATION_DELAY, "read the resource").await?
            {
                return Ok(actual);
            }
        }
    }

    /// Deletes a resource that this run created, unless others use it by now.
    async fn delete(&self, actual: &Actual) -> Result<()> {
        let users = self.resource().used_by(self.plan.cloud(self.node)?).await?;
        if !users.is_empty() {
            let id = &self.plan.steps[self.node].id;
            return Err(
                Error::negative(format!("cannot delete {id}")).with_reason(format!(
                    "it {}: {}",
                    users.relation,
                    users.users.join(", ")
                )),
            );
        }
        let reason = DeleteReason::Rollback;
        let (plan, node) = (self.plan, self.node);
        delete_and_wait(plan, node, actual, reason, self.options, self.accepted).await
    }

    async fn restore(&self, actual: Option<&Actual>, before: &Actual) -> Result<()> {
        let progress = StepProgress::default();
        let runner = StepRunner::new(self.plan, self.node, &progress, self.options)?;
        let irreversible = self.resource().properties().irreversible_fields;
        let former = before.state.without(irreversible);
        runner.restore(actual, &former).await
    }
}
