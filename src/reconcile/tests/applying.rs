//! Execution of a plan: order, retries, delayed visibility, concurrent runs, and cancellation.

use super::super::event::ReconcileEvent;
use super::*;
use crate::error::Exit;

#[tokio::test(start_paused = true)]
async fn resources_are_created_after_their_dependencies() {
    let cloud = FakeCloud::new();
    assert!(all_done(&run_apply(&sample_graph(), &cloud).await));
    assert!(cloud.position("create network") < cloud.position("create server"));
    assert!(cloud.position("create server") < cloud.position("create record"));
    assert_eq!(cloud.log().len(), 4);
}

#[tokio::test(start_paused = true)]
async fn outputs_of_create_reach_dependents() {
    let cloud = FakeCloud::new();
    run_apply(&sample_graph(), &cloud).await;
    assert_eq!(cloud.content("server"), "new/network-1");
}

#[tokio::test(start_paused = true)]
async fn transient_refusal_is_retried() {
    let cloud = FakeCloud::new();
    cloud.refuse("create server", 3, "NotYet");
    assert!(all_done(&run_apply(&sample_graph(), &cloud).await));
}

#[tokio::test(start_paused = true)]
async fn retry_ends_at_its_deadline() {
    let cloud = FakeCloud::new();
    cloud.refuse("create server", usize::MAX, "NotYet");
    let started = tokio::time::Instant::now();
    let outcomes = run_apply(&sample_graph(), &cloud).await;
    let Outcome::Failed(error) = &outcomes[1] else {
        panic!("{outcomes:?}")
    };
    let hint = error.hint().expect("a hint").to_string();
    assert!(hint.contains("still refused after 30 s"), "{error:?}");
    assert!(started.elapsed() < Duration::from_secs(31));
}

#[tokio::test(start_paused = true)]
async fn failed_create_skips_dependents_and_rerun_completes() {
    let (cloud, graph) = (FakeCloud::new(), sample_graph());
    cloud.refuse("create server", 1, "Denied");
    let outcomes = run_apply(&graph, &cloud).await;
    assert!(matches!(outcomes[1], Outcome::Failed(_)));
    assert!(matches!(outcomes[2], Outcome::Skipped { blocked_by: 1 }));
    assert_eq!(cloud.names(), ["bucket", "network"]);
    assert!(all_done(&run_apply(&graph, &cloud).await));
    assert_eq!(cloud.names(), ["bucket", "network", "record", "server"]);
}

#[tokio::test(start_paused = true)]
async fn delayed_write_is_awaited_and_made_once() {
    let cloud = FakeCloud::new();
    cloud.delay_visibility("network", 5);
    assert!(all_done(&run_apply(&sample_graph(), &cloud).await));
    let log = cloud.log().into_iter();
    let creates = log.filter(|line| line == "create network");
    assert_eq!(creates.count(), 1);
}

#[tokio::test(start_paused = true)]
async fn late_reads_cause_no_second_update() {
    let cloud = FakeCloud::with_resources(&[("network", "old", Ownership::Managed)]);
    cloud.delay_visibility("network", 10);
    assert!(all_done(&run_apply(&sample_graph(), &cloud).await));
    let updates = cloud.log().into_iter();
    assert_eq!(updates.filter(|line| line == "update network").count(), 1);
}

#[tokio::test(start_paused = true)]
async fn write_that_never_shows_names_the_field() {
    let cloud = FakeCloud::with_resources(&[("network", "old", Ownership::Managed)]);
    cloud.delay_visibility("network", usize::MAX);
    let outcomes = run_apply(&sample_graph(), &cloud).await;
    let Outcome::Failed(error) = &outcomes[0] else {
        panic!("{outcomes:?}")
    };
    assert!(error.reason().contains("value"), "{error}");
}

#[tokio::test(start_paused = true)]
async fn cancelled_apply_starts_no_step() {
    let (cloud, graph) = (FakeCloud::new(), sample_graph());
    let plan = Plan::read(&graph, &cloud).await.unwrap();
    let cancellation = CancellationToken::new();
    let cancel_after_first = |event: ReconcileEvent| {
        if matches!(event, ReconcileEvent::Finished { .. }) {
            cancellation.cancel();
        }
    };
    let options = ExecutionOptions::new(&cancellation, &cancel_after_first);
    let outcomes = apply(&plan, options).await.unwrap().outcomes;
    assert!(cloud.names().len() < 4, "{:?}", cloud.names());
    assert!(outcomes.iter().any(
        |outcome| matches!(outcome, Outcome::Failed(error) if error.exit() == Exit::Interrupted)
    ));
}

#[tokio::test(start_paused = true)]
async fn create_with_lost_response_succeeds() {
    let cloud = FakeCloud::new();
    cloud.lose_responses("create server", 1);
    assert!(all_done(&run_apply(&sample_graph(), &cloud).await));
    assert_eq!(cloud.log().len(), 4, "{:?}", cloud.log());
}

#[tokio::test(start_paused = true)]
async fn matching_resource_of_concurrent_run_is_accepted() {
    let (cloud, graph) = (FakeCloud::new(), sample_graph());
    let plan = Plan::read(&graph, &cloud).await.unwrap();
    cloud.insert("bucket", "new", Ownership::Managed);
    cloud.refuse("create bucket", usize::MAX, "AlreadyExistsException");
    let applied = apply(&plan, options(&CancellationToken::new())).await;
    let outcomes = applied.unwrap().outcomes;
    assert!(all_done(&outcomes), "{outcomes:?}");
}

#[tokio::test(start_paused = true)]
async fn resource_of_concurrent_run_is_never_rolled_back() {
    let found = [
        ("otherwise", Ownership::Managed),
        ("new", Ownership::Unmanaged),
    ];
    for (content, ownership) in found {
        let (cloud, graph) = (FakeCloud::new(), sample_graph());
        let plan = Plan::read(&graph, &cloud).await.unwrap();
        cloud.insert("bucket", content, ownership);
        cloud.refuse("create bucket", usize::MAX, "AlreadyExistsException");
        let cancellation = CancellationToken::new();
        let applied = apply(&plan, options(&cancellation)).await.unwrap();
        let failure = applied.failure().expect("a failure");
        let hint = failure.hint().expect("a hint").to_string();
        assert!(hint.contains("another run"), "{failure:?}");
        let reverted = rollback(&plan, &applied, options(&cancellation)).await;
        assert!(all_done(&reverted), "{reverted:?}");
        assert_eq!(cloud.names(), ["bucket"], "{content}");
    }
}

/// A graph in which only one of several concurrent runs can create the alias.
fn locked_graph() -> Graph<FakeCloud> {
    let mut graph = empty_graph();
    let key = graph.add(fake_resource("key", &[]));
    graph.add(fake_resource("alias", &[&key]));
    graph.lock();
    graph.add(fake_resource("queue", &[]));
    graph
}

#[tokio::test(start_paused = true)]
async fn losing_the_lock_race_creates_nothing_more() {
    let (cloud, graph) = (FakeCloud::new(), locked_graph());
    let plan = Plan::read(&graph, &cloud).await.unwrap();
    cloud.insert("alias", "new/key-of-other", Ownership::Managed);
    cloud.refuse("create alias", usize::MAX, "AlreadyExistsException");
    let cancellation = CancellationToken::new();
    let applied = apply(&plan, options(&cancellation)).await.unwrap();
    assert!(applied.lost_lock_race(&plan), "{:?}", applied.outcomes);
    assert_eq!(cloud.log(), ["create key"]);
    rollback(&plan, &applied, options(&cancellation)).await;
    assert_eq!(cloud.names(), ["alias"]);
}

/// A graph with two locks, of which the first is the anchor, like the role of a deployment before the alias of the key.
fn graph_with_anchor_as_lock() -> Graph<FakeCloud> {
    let mut graph = empty_graph();
    graph.add(FakeResource {
        properties: Properties {
            is_anchor: true,
            ..Properties::default()
        },
        ..fake_resource("role", &[])
    });
    graph.lock();
    let key = graph.add(fake_resource("key", &[]));
    graph.add(fake_resource("alias", &[&key]));
    graph.lock();
    graph.add(fake_resource("queue", &[]));
    graph
}

#[tokio::test(start_paused = true)]
async fn losing_the_first_lock_creates_nothing() {
    let (cloud, graph) = (FakeCloud::new(), graph_with_anchor_as_lock());
    let plan = Plan::read(&graph, &cloud).await.unwrap();
    cloud.insert("role", "of-other", Ownership::Managed);
    cloud.refuse("create role", usize::MAX, "EntityAlreadyExists");
    let cancellation = CancellationToken::new();
    let applied = apply(&plan, options(&cancellation)).await.unwrap();
    assert!(applied.lost_lock_race(&plan), "{:?}", applied.outcomes);
    assert_eq!(applied.attempted_steps(&plan).count(), 0);
    assert_eq!(cloud.log(), NONE);
}

#[tokio::test(start_paused = true)]
async fn losing_the_second_lock_keeps_the_anchor() {
    let (cloud, graph) = (FakeCloud::new(), graph_with_anchor_as_lock());
    let plan = Plan::read(&graph, &cloud).await.unwrap();
    // Another run found the role and created its key and the alias first.
    cloud.insert("alias", "new/key-of-other", Ownership::Managed);
    cloud.refuse("create alias", usize::MAX, "AlreadyExistsException");
    let cancellation = CancellationToken::new();
    let applied = apply(&plan, options(&cancellation)).await.unwrap();
    assert_eq!(cloud.log(), ["create role", "create key"]);
    rollback(&plan, &applied, options(&cancellation)).await;
    assert_eq!(cloud.names(), ["alias", "role"]);
}

#[tokio::test(start_paused = true)]
async fn anchor_as_lock_is_created_first_deleted_last() {
    let (cloud, graph) = (FakeCloud::new(), graph_with_anchor_as_lock());
    run_apply(&graph, &cloud).await;
    assert_eq!(cloud.log().first().map(String::as_str), Some("create role"));
    assert!(all_done(&run_destroy(&graph, &cloud).await));
    assert_eq!(cloud.log().last().map(String::as_str), Some("delete role"));
}

#[tokio::test(start_paused = true)]
async fn lock_is_deleted_after_its_dependents() {
    let (cloud, graph) = (FakeCloud::new(), locked_graph());
    run_apply(&graph, &cloud).await;
    assert!(all_done(&run_destroy(&graph, &cloud).await));
    assert!(cloud.position("delete queue") < cloud.position("delete alias"));
}

#[tokio::test(start_paused = true)]
async fn wait_ends_if_another_run_deletes_dependency() {
    // The create is refused, or it is accepted and AWS deletes the resource with its dependency.
    for is_accepted in [false, true] {
        let mut graph = empty_graph();
        let topic = graph.add(fake_resource("topic", &[]));
        graph.add(fake_resource("subscription", &[&topic]));
        let cloud = FakeCloud::with_resources(&[("topic", "new", Ownership::Managed)]);
        if is_accepted {
            cloud.delay_visibility("subscription", usize::MAX);
        } else {
            cloud.refuse("create subscription", usize::MAX, "NotYet");
        }
        let plan = Plan::read(&graph, &cloud).await.unwrap();
        cloud.resources.lock().unwrap().remove("topic");
        let started = tokio::time::Instant::now();
        let result = apply(&plan, options(&CancellationToken::new())).await;
        let outcomes = result.unwrap().outcomes;
        let Outcome::Failed(error) = &outcomes[1] else {
            panic!("{outcomes:?}");
        };
        assert_eq!(error.has_code("NotYet"), !is_accepted, "{error:?}");
        let hint = error.hint().expect("a hint").to_string();
        assert!(
            hint.contains("topic was deleted after the plan was read"),
            "{hint}"
        );
        // The retry budget is 30 s, and a write becomes visible within 120 s.
        assert!(started.elapsed() < Duration::from_secs(20));
    }
}
