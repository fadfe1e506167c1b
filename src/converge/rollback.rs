//! Undoes a run that failed: deletes what it made, puts back what it changed, and leaves what it found.

use std::sync::atomic::Ordering;

use super::apply::{Applied, Manner, Progress, Work, report};
use super::destroy::{Way, leaders_last, take_away};
use super::diff::Change;
use super::event::{Event, Verb};
use super::patience::Pauses;
use super::plan::{Action, Plan, Step};
use super::walk::{Outcome, reversed, walk};
use super::{Live, Resource};
use crate::error::{Error, Result};

impl Applied {
    /// The steps that may have written something: those that a rollback has to look at.
    pub fn begun<'p, C: Sync>(&self, plan: &'p Plan<'_, C>) -> impl Iterator<Item = &'p Step> {
        let steps = plan.steps.iter().enumerate();
        steps.filter_map(|(node, step)| self.has_begun(step, node).then_some(step))
    }

    fn has_begun(&self, step: &Step, node: usize) -> bool {
        let planned = matches!(step.action, Action::Create | Action::Update(_));
        let begun = match &self.outcomes[node] {
            Outcome::Done(()) => true,
            // Of one that another run was first with, nothing is this run's.
            Outcome::Failed(refusal) => {
                let begun = self.progress[node].begun.load(Ordering::Relaxed);
                self.has_made(node) || (begun && !refusal.is_taken())
            }
            Outcome::Skipped { .. } => false,
        };
        planned && begun
    }

    fn has_made(&self, node: usize) -> bool {
        self.progress[node].made.load(Ordering::Relaxed)
    }
}

/// The fields that cannot be put back, and stay as the run wrote them.
pub type Lasting = Vec<&'static str>;

/// Walks the plan backwards, and says of each step whether it is as it was. A failure keeps only what hangs from it.
pub async fn rollback<C: Sync>(
    plan: &Plan<'_, C>,
    applied: &Applied,
    cloud: &C,
    manner: Manner<'_>,
) -> Vec<Outcome<Lasting, Error>> {
    let edges = leaders_last(plan, reversed(&plan.graph.edges()));
    let undo = |node: usize| {
        let undo = Undo {
            plan,
            applied,
            node,
            cloud,
            manner,
        };
        async move { undo.run().await }
    };
    let mut outcomes = walk(&edges, undo).await;
    for (node, (step, outcome)) in plan.steps.iter().zip(&mut outcomes).enumerate() {
        let Outcome::Skipped { because } = outcome else {
            continue;
        };
        if applied.has_begun(step, node) {
            (manner.watch)(Event::Skipped {
                id: step.id.clone(),
                verb: verb(&step.action),
                because: plan.steps[*because].id.to_string(),
            });
        } else {
            *outcome = Outcome::Done(Lasting::new());
        }
    }
    outcomes
}

fn verb(action: &Action) -> Verb {
    match action {
        Action::Update(_) => Verb::PutBack,
        _ => Verb::Delete,
    }
}

/// Whether nothing has come of the changes, so that nothing is to be written.
fn is_as_before(live: Option<&Live>, before: &Live, changes: &[Change]) -> bool {
    live.is_some_and(|live| {
        let is_same = |field| live.state.get(field) == before.state.get(field);
        changes.iter().all(|change| is_same(change.field))
    })
}

struct Undo<'a, C> {
    plan: &'a Plan<'a, C>,
    applied: &'a Applied,
    node: usize,
    cloud: &'a C,
    manner: Manner<'a>,
}

impl<C: Sync> Undo<'_, C> {
    async fn run(&self) -> Result<Lasting> {
        let step = &self.plan.steps[self.node];
        if !self.applied.has_begun(step, self.node) || self.goes_with_its_whole() {
            return Ok(Lasting::new());
        }
        let verb = verb(&step.action);
        let live = match self.look().await {
            Ok(live) => live,
            Err(refusal) => {
                report(&step.id, verb, self.manner, async { Err(refusal) }).await?;
                return Ok(Lasting::new());
            }
        };
        match (&step.action, live, &step.live) {
            (Action::Create, Some(live), _) if live.is_ours() => {
                report(&step.id, verb, self.manner, self.delete(&live)).await?;
                Ok(Lasting::new())
            }
            (Action::Update(changes), live, Some(before))
                if !is_as_before(live.as_ref(), before, changes) =>
            {
                let put_back = self.put_back(live.as_ref(), before);
                report(&step.id, verb, self.manner, put_back).await?;
                let lasting = self.resource().lasting();
                let fields = changes.iter().map(|change| change.field);
                Ok(fields.filter(|field| lasting.contains(field)).collect())
            }
            _ => Ok(Lasting::new()),
        }
    }

    fn resource(&self) -> &dyn Resource<C> {
        self.plan.graph.nodes()[self.node].as_ref()
    }

    /// Whether it goes when the whole goes, which this run made, too.
    fn goes_with_its_whole(&self) -> bool {
        let part = self.resource().part_of().filter(|part| part.goes_with_it);
        let whole =
            part.and_then(|part| self.plan.steps.iter().position(|step| step.id == part.of));
        whole.is_some_and(|whole| {
            self.plan.steps[whole].action == Action::Create && self.applied.has_made(whole)
        })
    }

    /// What is there now. Where no answer came, or a write did not show, it may still be on its way.
    async fn look(&self) -> Result<Option<Live>> {
        let lost = match &self.applied.outcomes[self.node] {
            Outcome::Failed(error) => error.is_silence() || self.applied.has_made(self.node),
            _ => false,
        };
        let mut pauses = Pauses::new(self.manner.patience, self.manner.stop);
        loop {
            let live = self.resource().read(self.cloud, &self.plan.known).await?;
            if live.is_some() || !lost || !pauses.pause(super::apply::DELAY, "look").await? {
                return Ok(live);
            }
        }
    }

    /// Also within a minute somebody may have begun to use what this run made.
    async fn delete(&self, live: &Live) -> Result<()> {
        let users = self.resource().used_by(self.cloud).await?;
        if !users.is_empty() {
            let id = self.resource().id();
            return Err(Error::no(
                format!("delete {id}"),
                format!("it also serves {}", users.join(", ")),
            ));
        }
        take_away(
            self.resource(),
            self.plan,
            live,
            Way::Undo,
            self.cloud,
            self.manner,
        )
        .await
    }

    async fn put_back(&self, live: Option<&Live>, before: &Live) -> Result<()> {
        let work = Work {
            resource: self.resource(),
            cloud: self.cloud,
            known: &self.plan.known,
            progress: &Progress::default(),
            manner: self.manner,
        };
        let former = before.state.without(self.resource().lasting());
        work.put_back(live, &former).await
    }
}
