//! Takes down what is ours, in reverse order, and leaves everything else.

use futures_util::future::join_all;

use super::apply::{Manner, report};
use super::event::{Event, Verb};
use super::graph::Id;
use super::patience::Pauses;
use super::plan::{Action, Plan, Step};
use super::walk::{Outcome, reversed, walk};
use super::{Live, Resource};
use crate::error::{Error, Result};

/// What taking down would do to one resource.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fate {
    Delete,
    /// It goes when the whole that it is a part of goes.
    GoesWith(Id),
    /// It is there, and not ours.
    Stays,
    /// It is ours, and this, which stays, keeps it from being deleted.
    Held(Id),
    /// It must not be read.
    Unknown,
    Absent,
}

impl<C: Sync> Plan<'_, C> {
    /// What taking down would do, resource by resource.
    #[must_use]
    pub fn fates(&self) -> Vec<(&Step, Fate)> {
        let mut fates: Vec<_> = self
            .steps
            .iter()
            .zip(self.graph.nodes())
            .map(|(step, node)| (step, self.fate(step, node.as_ref())))
            .collect();
        let holders = self.graph.nodes().iter().zip(self.graph.edges());
        for (holder, (node, needed)) in holders.enumerate() {
            if !node.holds() || fates[holder].1 != Fate::Stays {
                continue;
            }
            for held in needed {
                if fates[held].1 == Fate::Delete {
                    fates[held].1 = Fate::Held(node.id());
                }
            }
        }
        fates
    }

    /// What of others would break: resource by resource, where there is something.
    ///
    /// # Errors
    /// When the cloud does not tell.
    pub async fn used_by(&self, cloud: &C) -> Result<Vec<(&Step, Vec<String>)>> {
        let asked = self
            .steps
            .iter()
            .zip(self.graph.nodes())
            .map(|(step, node)| async move {
                let doomed = self.fate(step, node.as_ref()) == Fate::Delete;
                let users = if doomed {
                    node.used_by(cloud).await?
                } else {
                    Vec::new()
                };
                Ok((step, users))
            });
        let used: Result<Vec<_>> = join_all(asked).await.into_iter().collect();
        Ok(used?
            .into_iter()
            .filter(|(_, users)| !users.is_empty())
            .collect())
    }

    fn fate(&self, step: &Step, node: &dyn Resource<C>) -> Fate {
        if let Action::Unknown(_) = step.action {
            return Fate::Unknown;
        }
        let Some(live) = step.live.as_ref().filter(|live| !node.lapses(live)) else {
            return Fate::Absent;
        };
        if !live.is_ours() {
            return Fate::Stays;
        }
        match node.part_of() {
            Some(part) if part.goes_with_it && self.live(&part.of).is_some() => {
                Fate::GoesWith(part.of)
            }
            _ => Fate::Delete,
        }
    }
}

/// Deletes what is ours; a failure, and what could not be read, keeps only what hangs from it.
pub async fn destroy<C: Sync>(
    plan: &Plan<'_, C>,
    cloud: &C,
    manner: Manner<'_>,
) -> Vec<Outcome<(), Error>> {
    let fates: Vec<Fate> = plan.fates().into_iter().map(|(_, fate)| fate).collect();
    let edges = leaders_last(plan, reversed(&plan.graph.edges()));
    let outcomes = walk(&edges, |node| {
        let (fates, fate) = (&fates, &fates[node]);
        async move {
            let step = &plan.steps[node];
            if let Action::Unknown(refusal) = &step.action {
                return Err(refusal.clone());
            }
            let (Fate::Delete, Some(live)) = (fate, &step.live) else {
                return Ok(());
            };
            let resource = plan.graph.nodes()[node].as_ref();
            report(
                &step.id,
                Verb::Delete,
                manner,
                take_away(resource, plan, live, Way::Delete, cloud, manner),
            )
            .await?;
            for (part, fate) in plan.steps.iter().zip(fates) {
                if *fate == Fate::GoesWith(step.id.clone()) {
                    (manner.watch)(Event::Gone {
                        id: part.id.clone(),
                        with: step.id.clone(),
                    });
                }
            }
            Ok(())
        }
    })
    .await;
    for ((step, fate), outcome) in plan.steps.iter().zip(&fates).zip(&outcomes) {
        if let (Fate::Delete, Outcome::Skipped { because }) = (fate, outcome) {
            let because = plan.steps[*because].id.to_string();
            (manner.watch)(Event::Skipped {
                id: step.id.clone(),
                verb: Verb::Delete,
                because,
            });
        }
    }
    outcomes
}

/// What leads to the others waits for all of them, so that what is left after a failure can be found again.
pub(super) fn leaders_last<C: Sync>(
    plan: &Plan<'_, C>,
    mut edges: Vec<Vec<usize>>,
) -> Vec<Vec<usize>> {
    let nodes = plan.graph.nodes();
    let (leaders, others): (Vec<usize>, Vec<usize>) =
        (0..nodes.len()).partition(|node| nodes[*node].leads_to_others());
    for other in &others {
        edges[*other].retain(|node| !leaders.contains(node));
    }
    for leader in leaders {
        edges[leader].clone_from(&others);
    }
    edges
}

/// Why something is taken away.
#[derive(Clone, Copy, Debug)]
pub(super) enum Way {
    /// The operator wants it gone.
    Delete,
    /// This run made it, and failed.
    Undo,
}

/// Deletes one resource and reads until it is gone.
pub(super) async fn take_away<C: Sync>(
    resource: &dyn Resource<C>,
    plan: &Plan<'_, C>,
    live: &Live,
    way: Way,
    cloud: &C,
    manner: Manner<'_>,
) -> Result<()> {
    let waiting = |why: String| {
        (manner.watch)(Event::Waiting {
            id: resource.id(),
            why,
        });
    };
    manner
        .patience
        .insist(
            |refusal| resource.patience(refusal),
            manner.stop,
            |refusal| waiting(refusal.cause()),
            async || match way {
                Way::Delete => resource.delete(cloud, live).await,
                Way::Undo => resource.undo(cloud, live).await,
            },
        )
        .await?;
    let doing = format!("see that {} is gone", resource.id());
    let mut pauses = Pauses::new(manner.patience, manner.stop);
    while let Some(live) = resource.read(cloud, &plan.known).await? {
        if resource.lapses(&live) {
            break;
        }
        waiting("it still shows".to_owned());
        if !pauses.pause(manner.patience.settle, &doing).await? {
            return Err(Error::unanswered(doing, "AWS still shows it")
                .hint("run heeler-ec destroy again in a few minutes"));
        }
    }
    Ok(())
}
