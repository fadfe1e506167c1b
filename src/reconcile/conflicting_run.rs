//! Detects that another run deletes or creates resources of the same deployment, while this run repeats a call.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use tokio::time::Instant;

use super::plan::Plan;

/// Time in which old reads are common.
const SETTLING_TIME: Duration = Duration::from_secs(5);
/// Consecutive searches that must agree, because a replica of AWS may return an old state.
const AGREEING_SEARCHES: usize = 3;

/// A search that is repeated with a call, in the resources on which the call depends.
pub(super) struct ConflictingRunSearch<'a, C> {
    plan: &'a Plan<'a, C>,
    /// Indices of the resources.
    nodes: Vec<usize>,
    interference: Interference,
    started: Instant,
    agreeing: AtomicUsize,
}

/// A change that only another run can have made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Interference {
    /// The plan had read the resource, and it no longer exists.
    Deleted,
    /// This run deleted the resource, and it exists again.
    CreatedAgain,
}

impl<'a, C: Send + Sync> ConflictingRunSearch<'a, C> {
    pub(super) fn new(
        plan: &'a Plan<'a, C>,
        nodes: Vec<usize>,
        interference: Interference,
    ) -> Self {
        Self {
            plan,
            nodes,
            interference,
            started: Instant::now(),
            agreeing: AtomicUsize::new(0),
        }
    }

    /// Reads the resources. Returns a hint if another run makes further repetitions useless.
    pub(super) async fn search(&self) -> Option<String> {
        if self.started.elapsed() < SETTLING_TIME {
            return None;
        }
        for node in &self.nodes {
            if self.is_changed(*node).await {
                let agreeing = self.agreeing.fetch_add(1, Ordering::Relaxed) + 1;
                return (agreeing >= AGREEING_SEARCHES).then(|| self.hint(*node));
            }
        }
        self.agreeing.store(0, Ordering::Relaxed);
        None
    }

    /// Returns true if another run has changed the resource. Returns false if it cannot be read.
    async fn is_changed(&self, node: usize) -> bool {
        let resource = &self.plan.graph.nodes()[node].resource;
        let Ok(cloud) = self.plan.cloud(node) else {
            return false;
        };
        match (
            resource.read(cloud, &self.plan.known).await,
            self.interference,
        ) {
            (Ok(found), Interference::Deleted) => found.is_none(),
            (Ok(Some(actual)), Interference::CreatedAgain) => {
                actual.is_managed() && !resource.is_expiring(&actual)
            }
            _ => false,
        }
    }

    fn hint(&self, node: usize) -> String {
        let id = &self.plan.steps[node].id;
        let event = match self.interference {
            Interference::Deleted => "was deleted after the plan was read",
            Interference::CreatedAgain => "was created again after this run had deleted it",
        };
        format!(
            "{id} {event}, perhaps by another run: run the same command again when that run has ended"
        )
    }
}
