//! Destroy: deletes managed resources in reverse dependency order, and keeps everything else.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use futures_util::future::join_all;

use super::apply::{ExecutionOptions, report_unavailable_scopes, with_events};
use super::conflicting_run::{ConflictingRunSearch, Interference};
use super::event::{ReconcileEvent, Verb};
use super::graph::{Node, ResourceId};
use super::plan::{Action, Plan, PlanStep};
use super::retry::Backoff;
use super::scheduler::{EarlyReleases, Outcome, reverse_edges, run_with_releases};
use super::{Actual, OtherUsers};
use crate::error::{Error, Result};

/// The effect of a destroy on one resource.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DestroyAction {
    Delete,
    /// Deleted together with this parent.
    DeletedWith(ResourceId),
    /// Kept, because it is not managed.
    NotManaged,
    /// Kept, because this unmanaged resource prevents the deletion.
    BlockedBy(ResourceId),
    /// Access is denied.
    Unknown,
    Absent,
}

impl<C: Send + Sync> Plan<'_, C> {
    /// Returns the effect of a destroy on each resource.
    #[must_use]
    pub fn destroy_actions(&self) -> Vec<(&PlanStep, DestroyAction)> {
        let mut actions: Vec<_> = self
            .steps
            .iter()
            .zip(self.graph.nodes())
            .map(|(step, node)| (step, self.destroy_action(step, node)))
            .collect();
        let nodes = self.graph.nodes().iter().zip(self.graph.edges());
        for (index, (node, dependencies)) in nodes.enumerate() {
            let blocks = node.resource.properties().blocks_deletion_of_dependencies;
            if !blocks || actions[index].1 != DestroyAction::NotManaged {
                continue;
            }
            for dependency in dependencies {
                if actions[dependency].1 == DestroyAction::Delete {
                    actions[dependency].1 = DestroyAction::BlockedBy(node.id.clone());
                }
            }
        }
        actions
    }

    /// Reads the further copies of each resource that a destroy deletes.
    ///
    /// # Errors
    /// If a read fails.
    pub async fn with_duplicates(mut self) -> Result<Self> {
        let nodes = self.steps.iter().zip(self.graph.nodes()).enumerate();
        let reads = nodes.map(|(index, (step, node))| {
            let plan = &self;
            async move {
                match (plan.destroy_action(step, node), &step.actual) {
                    (DestroyAction::Delete, Some(actual))
                        if plan.scope_refusal(index).is_none() =>
                    {
                        node.resource.duplicates(plan.cloud(index)?, actual).await
                    }
                    _ => Ok(Vec::new()),
                }
            }
        });
        let found: Result<Vec<_>> = join_all(reads).await.into_iter().collect();
        for (step, duplicates) in self.steps.iter_mut().zip(found?) {
            step.duplicates = duplicates;
        }
        Ok(self)
    }

    /// Returns each resource that others use, with these.
    ///
    /// # Errors
    /// If a read fails.
    pub async fn used_by(&self) -> Result<Vec<(&PlanStep, OtherUsers)>> {
        let nodes = self.steps.iter().zip(self.graph.nodes()).enumerate();
        let reads = nodes.map(|(index, (step, node))| async move {
            let will_delete = self.destroy_action(step, node) == DestroyAction::Delete
                && self.scope_refusal(index).is_none();
            let users = if will_delete {
                node.resource.used_by(self.cloud(index)?).await?
            } else {
                OtherUsers::default()
            };
            Ok((step, users))
        });
        let used: Result<Vec<_>> = join_all(reads).await.into_iter().collect();
        Ok(used?
            .into_iter()
            .filter(|(_, users)| !users.is_empty())
            .collect())
    }

    fn destroy_action(&self, step: &PlanStep, node: &Node<C>) -> DestroyAction {
        if let Action::Unknown(_) = step.action {
            return DestroyAction::Unknown;
        }
        let Some(actual) = &step.actual else {
            return DestroyAction::Absent;
        };
        if node.resource.is_expiring(actual) {
            return DestroyAction::Absent;
        }
        if !actual.is_managed() {
            return DestroyAction::NotManaged;
        }
        match node.resource.parent() {
            Some(parent) if parent.deletes_children && self.actual(&parent.id).is_some() => {
                DestroyAction::DeletedWith(parent.id)
            }
            _ => DestroyAction::Delete,
        }
    }
}

/// Deletes managed resources. A failure, or an unreadable resource, keeps only the dependencies of that resource.
pub async fn destroy<C: Send + Sync>(
    plan: &Plan<'_, C>,
    options: ExecutionOptions<'_>,
) -> Vec<Outcome<(), Error>> {
    report_unavailable_scopes(plan, options);
    let actions: Vec<DestroyAction> = plan
        .destroy_actions()
        .into_iter()
        .map(|(_, action)| action)
        .collect();
    let edges = order_anchors_last(plan, reverse_edges(&plan.graph.edges()));
    let starts_early = |node: usize| deletes_on_acceptance(plan, node);
    let accepted = EarlyReleases::new(edges.len(), &starts_early);
    let outcomes = run_with_releases(&edges, &accepted, |node| {
        destroy_step(plan, node, &actions, options, &accepted)
    })
    .await;
    for ((step, action), outcome) in plan.steps.iter().zip(&actions).zip(&outcomes) {
        if let (DestroyAction::Delete, Outcome::Skipped { blocked_by }) = (action, outcome) {
            (options.observer)(ReconcileEvent::Skipped {
                id: step.id.clone(),
                verb: Verb::Delete,
                blocked_by: plan.steps[*blocked_by].id.to_string(),
            });
        }
    }
    outcomes
}

async fn destroy_step<C: Send + Sync>(
    plan: &Plan<'_, C>,
    node: usize,
    actions: &[DestroyAction],
    options: ExecutionOptions<'_>,
    accepted: &EarlyReleases<'_>,
) -> Result<()> {
    let step = &plan.steps[node];
    if let Action::Unknown(refusal) = &step.action {
        return Err(refusal.clone());
    }
    let (DestroyAction::Delete, Some(actual)) = (&actions[node], &step.actual) else {
        return Ok(());
    };
    let mut result = with_events(&step.id, Verb::Delete, options, async {
        if let Some(refusal) = plan.scope_refusal(node) {
            return Err(refusal.clone());
        }
        let reason = DeleteReason::Destroy;
        delete_and_wait(plan, node, actual, reason, options, accepted).await
    })
    .await;
    // Each duplicate is deleted, whether the others can be deleted or not. The events name those that remain.
    for duplicate in &step.duplicates {
        let deleted = with_events(&duplicate.id, Verb::Delete, options, async {
            let reason = DeleteReason::Destroy;
            delete_and_wait(plan, node, &duplicate.actual, reason, options, accepted).await
        });
        result = result.and(deleted.await);
    }
    result?;
    for (child, action) in plan.steps.iter().zip(actions) {
        if *action == DestroyAction::DeletedWith(step.id.clone()) {
            (options.observer)(ReconcileEvent::DeletedWith {
                id: child.id.clone(),
                parent: step.id.clone(),
            });
        }
    }
    Ok(())
}

/// Returns true if a node is deleted as soon as the deletion of its dependents is accepted.
pub(super) fn deletes_on_acceptance<C: Sync>(plan: &Plan<'_, C>, node: usize) -> bool {
    let resource = &plan.graph.nodes()[node].resource;
    resource.properties().deletes_on_acceptance
}

/// Makes the anchors wait for all other nodes, so that the rest can still be found after a failure.
pub(super) fn order_anchors_last<C: Sync>(
    plan: &Plan<'_, C>,
    mut edges: Vec<Vec<usize>>,
) -> Vec<Vec<usize>> {
    let nodes = plan.graph.nodes();
    let is_anchor = |node: &usize| nodes[*node].resource.properties().is_anchor;
    let (anchors, others): (Vec<usize>, Vec<usize>) = (0..nodes.len()).partition(is_anchor);
    for other in &others {
        edges[*other].retain(|node| !anchors.contains(node));
    }
    for anchor in anchors {
        edges[anchor].clone_from(&others);
    }
    edges
}

/// The time to repeat a delete call without a response.
const LOST_RESPONSE_TIMEOUT: Duration = Duration::from_secs(30);

/// The reason for a deletion.
#[derive(Clone, Copy, Debug)]
pub(super) enum DeleteReason {
    /// The operator runs destroy.
    Destroy,
    /// This run created the resource, and failed.
    Rollback,
}

/// Deletes one resource and reads until it is absent. Reports when the cloud has accepted the deletion.
pub(super) async fn delete_and_wait<C: Send + Sync>(
    plan: &Plan<'_, C>,
    node: usize,
    actual: &Actual,
    reason: DeleteReason,
    options: ExecutionOptions<'_>,
    accepted: &EarlyReleases<'_>,
) -> Result<()> {
    let cloud = plan.cloud(node)?;
    let Node { id, resource, .. } = &plan.graph.nodes()[node];
    let report_waiting = |reason: String| {
        (options.observer)(ReconcileEvent::Waiting {
            id: id.clone(),
            reason,
        });
    };
    let deleted = || match reason {
        DeleteReason::Destroy => deleted_dependents(plan, node),
        DeleteReason::Rollback => Vec::new(),
    };
    let search = ConflictingRunSearch::new(plan, deleted(), Interference::CreatedAgain);
    let is_final = AtomicBool::new(false);
    let budget_for = |refusal: &Error| {
        // A delete can be repeated without harm.
        let is_lost = refusal.is_unreachable();
        let lost = is_lost.then_some(LOST_RESPONSE_TIMEOUT);
        let budget = resource.retry_budget(refusal).or(lost);
        budget.filter(|_| !is_final.load(Ordering::Relaxed))
    };
    options
        .retry_policy
        .retry(
            budget_for,
            options.cancellation,
            |refusal| report_waiting(resource.retry_reason(refusal)),
            async || {
                let deleted = match reason {
                    DeleteReason::Destroy => resource.delete(cloud, actual).await,
                    DeleteReason::Rollback => resource.undo_create(cloud, actual).await,
                };
                match deleted {
                    Err(refusal) if budget_for(&refusal).is_some() => {
                        let Some(hint) = search.search().await else {
                            return Err(refusal);
                        };
                        is_final.store(true, Ordering::Relaxed);
                        Err(refusal.with_hint(hint))
                    }
                    result => result,
                }
            },
        )
        .await?;
    accepted.release(node);
    let operation = format!("verify the deletion of {id}");
    let search = ConflictingRunSearch::new(plan, deleted(), Interference::CreatedAgain);
    let mut backoff = Backoff::new(options.retry_policy, options.cancellation);
    while let Some(actual) = resource.read(cloud, &plan.known).await? {
        if resource.is_expiring(&actual) {
            break;
        }
        report_waiting("it is still visible".to_owned());
        let still_visible = || Error::failed(&operation, "AWS still shows it");
        if let Some(hint) = search.search().await {
            return Err(still_visible().with_hint(hint));
        }
        let timeout = options.retry_policy.visibility_timeout;
        if !backoff.wait(timeout, &operation).await? {
            return Err(still_visible().with_hint("run heeler-ec destroy again in a few minutes"));
        }
    }
    Ok(())
}

/// Returns the dependents of a resource that were deleted before it. Their deletion has been verified.
fn deleted_dependents<C: Send + Sync>(plan: &Plan<'_, C>, node: usize) -> Vec<usize> {
    if deletes_on_acceptance(plan, node) {
        return Vec::new();
    }
    let edges = plan.graph.edges();
    let actions = plan.destroy_actions();
    let dependents = actions.iter().zip(&edges).enumerate();
    dependents
        .filter(|(_, ((_, action), dependencies))| {
            *action == DestroyAction::Delete && dependencies.contains(&node)
        })
        .map(|(dependent, _)| dependent)
        .collect()
}
