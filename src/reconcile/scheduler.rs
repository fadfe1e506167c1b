//! Visits each node as soon as what it waits for is done.

use futures_util::stream::{FuturesUnordered, StreamExt};

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome<T, E> {
    Done(T),
    Failed(E),
    /// Not begun, because the node of this index failed.
    Skipped {
        blocked_by: usize,
    },
}

/// Visits all nodes; a failure skips only what hangs from it.
pub async fn run_in_order<T, E, F>(
    waits_for: &[Vec<usize>],
    visit: impl Fn(usize) -> F,
) -> Vec<Outcome<T, E>>
where
    F: Future<Output = Result<T, E>>,
{
    let mut outcomes: Vec<Option<Outcome<T, E>>> = waits_for.iter().map(|_| None).collect();
    let mut begun = vec![false; waits_for.len()];
    let mut running = FuturesUnordered::new();
    loop {
        skip_dependents_of_failures(waits_for, &begun, &mut outcomes);
        for (node, needed) in waits_for.iter().enumerate() {
            let ready = !begun[node]
                && outcomes[node].is_none()
                && needed
                    .iter()
                    .all(|other| matches!(outcomes[*other], Some(Outcome::Done(_))));
            if ready {
                begun[node] = true;
                let visit = visit(node);
                running.push(async move { (node, visit.await) });
            }
        }
        let Some((node, result)) = running.next().await else {
            break;
        };
        outcomes[node] = Some(match result {
            Ok(done) => Outcome::Done(done),
            Err(failed) => Outcome::Failed(failed),
        });
    }
    // A node that is still without an outcome waits for itself; a graph of handles cannot say that.
    outcomes
        .into_iter()
        .enumerate()
        .map(|(node, outcome)| outcome.unwrap_or(Outcome::Skipped { blocked_by: node }))
        .collect()
}

fn skip_dependents_of_failures<T, E>(
    waits_for: &[Vec<usize>],
    begun: &[bool],
    outcomes: &mut [Option<Outcome<T, E>>],
) {
    loop {
        let mut changed = false;
        for (node, needed) in waits_for.iter().enumerate() {
            if begun[node] || outcomes[node].is_some() {
                continue;
            }
            let because = needed.iter().find_map(|other| match &outcomes[*other] {
                Some(Outcome::Failed(_)) => Some(*other),
                Some(Outcome::Skipped {
                    blocked_by: because,
                }) => Some(*because),
                _ => None,
            });
            if let Some(because) = because {
                outcomes[node] = Some(Outcome::Skipped {
                    blocked_by: because,
                });
                changed = true;
            }
        }
        if !changed {
            return;
        }
    }
}

/// The same edges for taking down: each waits for those that needed it.
#[must_use]
pub fn reverse_edges(waits_for: &[Vec<usize>]) -> Vec<Vec<usize>> {
    let mut back = vec![Vec::new(); waits_for.len()];
    for (node, needed) in waits_for.iter().enumerate() {
        for other in needed {
            back[*other].push(node);
        }
    }
    back
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
        let began = Instant::now();
        let outcomes = run_in_order::<_, (), _>(&edges(), |_| async {
            sleep(Duration::from_secs(1)).await;
            Ok(())
        })
        .await;
        assert_eq!(outcomes, vec![Outcome::Done(()); 4]);
        assert_eq!(began.elapsed(), Duration::from_secs(3));
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
        let place = |node| order.iter().position(|visited| *visited == node).unwrap();
        assert!(place(2) < place(1) && place(1) < place(0), "{order:?}");
    }
}
