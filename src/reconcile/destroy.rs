//! Takes down what is ours, in reverse order, and leaves everything else.

use futures_util::future::join_all;

use super::apply::{ExecutionOptions, with_events};
use super::event::{ReconcileEvent, Verb};
use super::graph::ResourceId;
use super::plan::{Action, Plan, PlanStep};
use super::retry::Backoff;
use super::scheduler::{Outcome, reverse_edges, run_in_order};
use super::{Actual, Resource};
use crate::error::{Error, Result};

/// What taking down would do to one resource.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DestroyAction {
    Delete,
    /// It goes when the whole that it is a part of goes.
    DeletedWith(ResourceId),
    /// It is there, and not ours.
    NotManaged,
    /// It is ours, and this, which stays, keeps it from being deleted.
    BlockedBy(ResourceId),
    /// It must not be read.
    Unknown,
    Absent,
}

impl<C: Sync> Plan<'_, C> {
    /// What taking down would do, resource by resource.
    #[must_use]
    pub fn destroy_actions(&self) -> Vec<(&PlanStep, DestroyAction)> {
        let mut fates: Vec<_> = self
            .steps
            .iter()
            .zip(self.graph.nodes())
            .map(|(step, node)| (step, self.destroy_action(step, node.as_ref())))
            .collect();
        let holders = self.graph.nodes().iter().zip(self.graph.edges());
        for (holder, (node, needed)) in holders.enumerate() {
            if !node.blocks_deletion_of_dependencies()
                || fates[holder].1 != DestroyAction::NotManaged
            {
                continue;
            }
            for held in needed {
                if fates[held].1 == DestroyAction::Delete {
                    fates[held].1 = DestroyAction::BlockedBy(node.id());
                }
            }
        }
        fates
    }

    /// What of others would break: resource by resource, where there is something.
    ///
    /// # Errors
    /// When the cloud does not tell.
    pub async fn used_by(&self, cloud: &C) -> Result<Vec<(&PlanStep, Vec<String>)>> {
        let asked = self
            .steps
            .iter()
            .zip(self.graph.nodes())
            .map(|(step, node)| async move {
                let doomed = self.destroy_action(step, node.as_ref()) == DestroyAction::Delete;
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

    fn destroy_action(&self, step: &PlanStep, node: &dyn Resource<C>) -> DestroyAction {
        if let Action::Unknown(_) = step.action {
            return DestroyAction::Unknown;
        }
        let Some(live) = step.actual.as_ref().filter(|live| !node.is_expiring(live)) else {
            return DestroyAction::Absent;
        };
        if !live.is_managed() {
            return DestroyAction::NotManaged;
        }
        match node.parent() {
            Some(part) if part.deletes_children && self.actual(&part.id).is_some() => {
                DestroyAction::DeletedWith(part.id)
            }
            _ => DestroyAction::Delete,
        }
    }
}

/// Deletes what is ours; a failure, and what could not be read, keeps only what hangs from it.
pub async fn destroy<C: Sync>(
    plan: &Plan<'_, C>,
    cloud: &C,
    manner: ExecutionOptions<'_>,
) -> Vec<Outcome<(), Error>> {
    let fates: Vec<DestroyAction> = plan
        .destroy_actions()
        .into_iter()
        .map(|(_, fate)| fate)
        .collect();
    let edges = order_anchors_last(plan, reverse_edges(&plan.graph.edges()));
    let outcomes = run_in_order(&edges, |node| {
        let (fates, fate) = (&fates, &fates[node]);
        async move {
            let step = &plan.steps[node];
            if let Action::Unknown(refusal) = &step.action {
                return Err(refusal.clone());
            }
            let (DestroyAction::Delete, Some(live)) = (fate, &step.actual) else {
                return Ok(());
            };
            let resource = plan.graph.nodes()[node].as_ref();
            with_events(
                &step.id,
                Verb::Delete,
                manner,
                delete_and_wait(resource, plan, live, DeleteReason::Destroy, cloud, manner),
            )
            .await?;
            for (part, fate) in plan.steps.iter().zip(fates) {
                if *fate == DestroyAction::DeletedWith(step.id.clone()) {
                    (manner.observer)(ReconcileEvent::DeletedWith {
                        id: part.id.clone(),
                        parent: step.id.clone(),
                    });
                }
            }
            Ok(())
        }
    })
    .await;
    for ((step, fate), outcome) in plan.steps.iter().zip(&fates).zip(&outcomes) {
        if let (
            DestroyAction::Delete,
            Outcome::Skipped {
                blocked_by: because,
            },
        ) = (fate, outcome)
        {
            let because = plan.steps[*because].id.to_string();
            (manner.observer)(ReconcileEvent::Skipped {
                id: step.id.clone(),
                verb: Verb::Delete,
                blocked_by: because,
            });
        }
    }
    outcomes
}

/// What leads to the others waits for all of them, so that what is left after a failure can be found again.
pub(super) fn order_anchors_last<C: Sync>(
    plan: &Plan<'_, C>,
    mut edges: Vec<Vec<usize>>,
) -> Vec<Vec<usize>> {
    let nodes = plan.graph.nodes();
    let (leaders, others): (Vec<usize>, Vec<usize>) =
        (0..nodes.len()).partition(|node| nodes[*node].is_anchor());
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
pub(super) enum DeleteReason {
    /// The operator wants it gone.
    Destroy,
    /// This run made it, and failed.
    Rollback,
}

/// Deletes one resource and reads until it is gone.
pub(super) async fn delete_and_wait<C: Sync>(
    resource: &dyn Resource<C>,
    plan: &Plan<'_, C>,
    live: &Actual,
    way: DeleteReason,
    cloud: &C,
    manner: ExecutionOptions<'_>,
) -> Result<()> {
    let waiting = |why: String| {
        (manner.observer)(ReconcileEvent::Waiting {
            id: resource.id(),
            reason: why,
        });
    };
    manner
        .retry_policy
        .retry(
            |refusal| resource.retry_budget(refusal),
            manner.cancellation,
            |refusal| waiting(refusal.cause()),
            async || match way {
                DeleteReason::Destroy => resource.delete(cloud, live).await,
                DeleteReason::Rollback => resource.undo_create(cloud, live).await,
            },
        )
        .await?;
    let doing = format!("see that {} is gone", resource.id());
    let mut pauses = Backoff::new(manner.retry_policy, manner.cancellation);
    while let Some(live) = resource.read(cloud, &plan.known).await? {
        if resource.is_expiring(&live) {
            break;
        }
        waiting("it still shows".to_owned());
        if !pauses
            .wait(manner.retry_policy.visibility_timeout, &doing)
            .await?
        {
            return Err(Error::failed(doing, "AWS still shows it")
                .with_hint("run heeler-ec destroy again in a few minutes"));
        }
    }
    Ok(())
}
