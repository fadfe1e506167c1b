//! Runs each node of a graph as soon as its dependencies have succeeded.

use std::sync::atomic::{AtomicBool, Ordering};

use futures_util::stream::{FuturesUnordered, StreamExt};
use tokio::sync::Notify;

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome<T, E> {
    Done(T),
    Failed(E),
    /// Not started, because the node with this index failed.
    Skipped {
        blocked_by: usize,
    },
}

/// Nodes that still run, but no longer hold up some of their dependents.
pub(super) struct EarlyReleases<'a> {
    /// Returns true for a dependent that a release is enough for.
    pub applies_to: &'a (dyn Fn(usize) -> bool + Sync),
    released: Vec<AtomicBool>,
    notification: Notify,
}

impl<'a> EarlyReleases<'a> {
    pub fn new(nodes: usize, applies_to: &'a (dyn Fn(usize) -> bool + Sync)) -> Self {
        Self {
            applies_to,
            released: (0..nodes).map(|_| AtomicBool::new(false)).collect(),
            notification: Notify::new(),
        }
    }

    /// Lets the dependents of a running node start.
    pub fn release(&self, node: usize) {
        self.released[node].store(true, Ordering::Relaxed);
        self.notification.notify_one();
    }

    fn permits(&self, dependent: usize, dependency: usize) -> bool {
        (self.applies_to)(dependent) && self.released[dependency].load(Ordering::Relaxed)
    }
}

/// Runs all nodes; a failure skips only the nodes that depend on it.
pub async fn run_in_order<T, E, F>(
    edges: &[Vec<usize>],
    run: impl Fn(usize) -> F,
) -> Vec<Outcome<T, E>>
where
    F: Future<Output = Result<T, E>>,
{
    let releases = EarlyReleases::new(edges.len(), &|_| false);
    run_with_releases(edges, &releases, run).await
}

/// Runs all nodes like [`run_in_order`], and starts some dependents when a node is released.
pub(super) async fn run_with_releases<T, E, F>(
    edges: &[Vec<usize>],
    releases: &EarlyReleases<'_>,
    run: impl Fn(usize) -> F,
) -> Vec<Outcome<T, E>>
where
    F: Future<Output = Result<T, E>>,
{
    let mut outcomes: Vec<Option<Outcome<T, E>>> = edges.iter().map(|_| None).collect();
    let mut started = vec![false; edges.len()];
    let mut running = FuturesUnordered::new();
    loop {
        skip_dependents_of_failures(edges, &started, &mut outcomes);
        for (node, dependencies) in edges.iter().enumerate() {
            let is_ready = !started[node]
                && outcomes[node].is_none()
                && dependencies.iter().all(|other| match &outcomes[*other] {
                    Some(outcome) => matches!(outcome, Outcome::Done(_)),
                    None => releases.permits(node, *other),
                });
            if is_ready {
                started[node] = true;
                let future = run(node);
                running.push(async move { (node, future.await) });
            }
        }
        let finished = tokio::select! {
            finished = running.next() => finished,
            () = releases.notification.notified() => continue,
        };
        let Some((node, result)) = finished else {
            break;
        };
        outcomes[node] = Some(match result {
            Ok(value) => Outcome::Done(value),
            Err(error) => Outcome::Failed(error),
        });
    }
    // A node without an outcome depends on itself, which a graph of handles cannot express.
    outcomes
        .into_iter()
        .enumerate()
        .map(|(node, outcome)| outcome.unwrap_or(Outcome::Skipped { blocked_by: node }))
        .collect()
}

fn skip_dependents_of_failures<T, E>(
    edges: &[Vec<usize>],
    started: &[bool],
    outcomes: &mut [Option<Outcome<T, E>>],
) {
    loop {
        let mut changed = false;
        for (node, dependencies) in edges.iter().enumerate() {
            if started[node] || outcomes[node].is_some() {
                continue;
            }
            let blocked_by = dependencies
                .iter()
                .find_map(|other| match &outcomes[*other] {
                    Some(Outcome::Failed(_)) => Some(*other),
                    Some(Outcome::Skipped { blocked_by }) => Some(*blocked_by),
                    _ => None,
                });
            if let Some(blocked_by) = blocked_by {
                outcomes[node] = Some(Outcome::Skipped { blocked_by });
                changed = true;
            }
        }
        if !changed {
            return;
        }
    }
}

/// Reverses the edges for deletion: each node waits for its dependents.
#[must_use]
pub fn reverse_edges(edges: &[Vec<usize>]) -> Vec<Vec<usize>> {
    let mut reversed = vec![Vec::new(); edges.len()];
    for (node, dependencies) in edges.iter().enumerate() {
        for other in dependencies {
            reversed[*other].push(node);
        }
    }
    reversed
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Mutex;
    use std::time::Duration;
    use tokio::time::{Instant, sleep};

    /// 0 ← 1 ← 2, and 3 on its own.
    fn edges() -> Vec<Vec<usize>> {
        vec![vec![], vec![0], vec![1], vec![]]
    }

    #[tokio::test(start_paused = true)]
    async fn independent_nodes_run_concurrently() {
        let started = Instant::now();
        let outcomes = run_in_order::<_, (), _>(&edges(), |_| async {
            sleep(Duration::from_secs(1)).await;
            Ok(())
        })
        .await;
        assert_eq!(outcomes, vec![Outcome::Done(()); 4]);
        assert_eq!(started.elapsed(), Duration::from_secs(3));
    }

    #[tokio::test]
    async fn failure_skips_only_dependents() {
        let outcomes = run_in_order(&edges(), |node| async move {
            if node == 1 { Err("no") } else { Ok(()) }
        })
        .await;
        assert_eq!(
            outcomes,
            [
                Outcome::Done(()),
                Outcome::Failed("no"),
                Outcome::Skipped { blocked_by: 1 },
                Outcome::Done(())
            ]
        );
    }

    #[tokio::test]
    async fn reversed_edges_run_last_node_first() {
        let order = Mutex::new(Vec::new());
        run_in_order::<_, (), _>(&reverse_edges(&edges()), |node| {
            let order = &order;
            async move {
                order.lock().unwrap().push(node);
                Ok(())
            }
        })
        .await;
        let order = order.into_inner().unwrap();
        let position = |node| order.iter().position(|visited| *visited == node).unwrap();
        assert!(
            position(2) < position(1) && position(1) < position(0),
            "{order:?}"
        );
    }
}
