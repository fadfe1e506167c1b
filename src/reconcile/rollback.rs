//! Undoes a run that failed: deletes what it made, puts back what it changed, and leaves what it found.

use std::sync::atomic::Ordering;

use super::apply::{ApplyResult, ExecutionOptions, StepProgress, StepRunner, with_events};
use super::destroy::{DeleteReason, delete_and_wait, order_anchors_last};
use super::diff::Change;
use super::event::{ReconcileEvent, Verb};
use super::plan::{Action, Plan, PlanStep};
use super::retry::Backoff;
use super::scheduler::{Outcome, reverse_edges, run_in_order};
use super::{Actual, Resource};
use crate::error::{Error, Result};

impl ApplyResult {
    /// The steps that may have written something: those that a rollback has to look at.
    pub fn attempted_steps<'p, C: Sync>(
        &self,
        plan: &'p Plan<'_, C>,
    ) -> impl Iterator<Item = &'p PlanStep> {
        let steps = plan.steps.iter().enumerate();
        steps.filter_map(|(node, step)| self.was_attempted(step, node).then_some(step))
    }

    fn was_attempted(&self, step: &PlanStep, node: usize) -> bool {
        let planned = matches!(step.action, Action::Create | Action::Update(_));
        let begun = match &self.outcomes[node] {
            Outcome::Done(()) => true,
            // Of one that another run was first with, nothing is this run's.
            Outcome::Failed(refusal) => {
                let begun = self.progress[node].attempted.load(Ordering::Relaxed);
                self.has_created(node) || (begun && !refusal.is_already_exists())
            }
            Outcome::Skipped { .. } => false,
        };
        planned && begun
    }

    fn has_created(&self, node: usize) -> bool {
        self.progress[node].created.load(Ordering::Relaxed)
    }
}

/// The fields that cannot be put back, and stay as the run wrote them.
pub type IrreversibleFields = Vec<&'static str>;

/// Walks the plan backwards, and says of each step whether it is as it was. A failure keeps only what hangs from it.
pub async fn rollback<C: Sync>(
    plan: &Plan<'_, C>,
    applied: &ApplyResult,
    cloud: &C,
    manner: ExecutionOptions<'_>,
) -> Vec<Outcome<IrreversibleFields, Error>> {
    let edges = order_anchors_last(plan, reverse_edges(&plan.graph.edges()));
    let undo = |node: usize| {
        let undo = StepRollback {
            plan,
            applied,
            node,
            cloud,
            options: manner,
        };
        async move { undo.run().await }
    };
    let mut outcomes = run_in_order(&edges, undo).await;
    for (node, (step, outcome)) in plan.steps.iter().zip(&mut outcomes).enumerate() {
        let Outcome::Skipped {
            blocked_by: because,
        } = outcome
        else {
            continue;
        };
        if applied.was_attempted(step, node) {
            (manner.observer)(ReconcileEvent::Skipped {
                id: step.id.clone(),
                verb: rollback_verb(&step.action),
                blocked_by: plan.steps[*because].id.to_string(),
            });
        } else {
            *outcome = Outcome::Done(IrreversibleFields::new());
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

/// Whether nothing has come of the changes, so that nothing is to be written.
fn is_unchanged(live: Option<&Actual>, before: &Actual, changes: &[Change]) -> bool {
    live.is_some_and(|live| {
        let is_same = |field| live.state.get(field) == before.state.get(field);
        changes.iter().all(|change| is_same(change.field))
    })
}

struct StepRollback<'a, C> {
    plan: &'a Plan<'a, C>,
    applied: &'a ApplyResult,
    node: usize,
    cloud: &'a C,
    options: ExecutionOptions<'a>,
}

impl<C: Sync> StepRollback<'_, C> {
    async fn run(&self) -> Result<IrreversibleFields> {
        let step = &self.plan.steps[self.node];
        if !self.applied.was_attempted(step, self.node) || self.is_deleted_with_parent() {
            return Ok(IrreversibleFields::new());
        }
        let verb = rollback_verb(&step.action);
        let live = match self.read_actual().await {
            Ok(live) => live,
            Err(refusal) => {
                with_events(&step.id, verb, self.options, async { Err(refusal) }).await?;
                return Ok(IrreversibleFields::new());
            }
        };
        match (&step.action, live, &step.actual) {
            (Action::Create, Some(live), _) if live.is_managed() => {
                with_events(&step.id, verb, self.options, self.delete(&live)).await?;
                Ok(IrreversibleFields::new())
            }
            (Action::Update(changes), live, Some(before))
                if !is_unchanged(live.as_ref(), before, changes) =>
            {
                let put_back = self.restore(live.as_ref(), before);
                with_events(&step.id, verb, self.options, put_back).await?;
                let lasting = self.resource().irreversible_fields();
                let fields = changes.iter().map(|change| change.field);
                Ok(fields.filter(|field| lasting.contains(field)).collect())
            }
            _ => Ok(IrreversibleFields::new()),
        }
    }

    fn resource(&self) -> &dyn Resource<C> {
        self.plan.graph.nodes()[self.node].as_ref()
    }

    /// Whether it goes when the whole goes, which this run made, too.
    fn is_deleted_with_parent(&self) -> bool {
        let part = self
            .resource()
            .parent()
            .filter(|part| part.deletes_children);
        let whole =
            part.and_then(|part| self.plan.steps.iter().position(|step| step.id == part.id));
        whole.is_some_and(|whole| {
            self.plan.steps[whole].action == Action::Create && self.applied.has_created(whole)
        })
    }

    /// What is there now. Where no answer came, or a write did not show, it may still be on its way.
    async fn read_actual(&self) -> Result<Option<Actual>> {
        let lost = match &self.applied.outcomes[self.node] {
            Outcome::Failed(error) => {
                error.is_outcome_unknown() || self.applied.has_created(self.node)
            }
            _ => false,
        };
        let mut pauses = Backoff::new(self.options.retry_policy, self.options.cancellation);
        loop {
            let live = self.resource().read(self.cloud, &self.plan.known).await?;
            if live.is_some()
                || !lost
                || !pauses.wait(super::apply::REPLICATION_DELAY, "look").await?
            {
                return Ok(live);
            }
        }
    }

    /// Also within a minute somebody may have begun to use what this run made.
    async fn delete(&self, live: &Actual) -> Result<()> {
        let users = self.resource().used_by(self.cloud).await?;
        if !users.is_empty() {
            let id = self.resource().id();
            return Err(Error::negative(format!("cannot delete {id}"))
                .with_reason(format!("it is used by {}", users.join(", "))));
        }
        delete_and_wait(
            self.resource(),
            self.plan,
            live,
            DeleteReason::Rollback,
            self.cloud,
            self.options,
        )
        .await
    }

    async fn restore(&self, live: Option<&Actual>, before: &Actual) -> Result<()> {
        let work = StepRunner {
            resource: self.resource(),
            cloud: self.cloud,
            known: &self.plan.known,
            progress: &StepProgress::default(),
            options: self.options,
        };
        let former = before.state.without(self.resource().irreversible_fields());
        work.restore(live, &former).await
    }
}
