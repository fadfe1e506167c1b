//! Rollback of a failed apply.

use super::*;

#[tokio::test(start_paused = true)]
async fn rollback_deletes_created_resources_in_reverse() {
    let cloud = FakeCloud::new();
    cloud.refuse("create record", usize::MAX, "Denied");
    let (applied, reverted) = run_apply_and_rollback(&sample_graph(), &cloud).await;
    assert!(!all_done(&applied.outcomes), "{applied:?}");
    assert!(all_done(&reverted), "{reverted:?}");
    assert_eq!(cloud.names(), NONE);
    assert!(cloud.position("delete server") < cloud.position("delete network"));
    assert!(!cloud.deletions().contains(&"delete record".to_owned()));
}

#[tokio::test(start_paused = true)]
async fn rollback_restores_updates_and_keeps_existing() {
    let cloud = FakeCloud::with_resources(&[
        ("network", "new", Ownership::Managed),
        ("server", "old/network-0", Ownership::Managed),
        ("bucket", "new", Ownership::Managed),
    ]);
    cloud.refuse("create record", usize::MAX, "Denied");
    let (_, reverted) = run_apply_and_rollback(&sample_graph(), &cloud).await;
    assert!(all_done(&reverted), "{reverted:?}");
    assert_eq!(cloud.names(), ["bucket", "network", "server"]);
    assert_eq!(cloud.content("server"), "old/network-0");
    assert_eq!(cloud.log(), ["update server", "update server"]);
}

#[tokio::test(start_paused = true)]
async fn rollback_skips_updates_that_changed_nothing() {
    let cloud = FakeCloud::with_resources(&[("network", "old", Ownership::Managed)]);
    cloud.refuse("update network", 1, "Denied");
    let (_, reverted) = run_apply_and_rollback(&sample_graph(), &cloud).await;
    assert!(all_done(&reverted), "{reverted:?}");
    assert_eq!(cloud.content("network"), "old");
    assert_eq!(cloud.log(), ["create bucket", "delete bucket"]);
}

#[tokio::test(start_paused = true)]
async fn failed_create_with_existing_resource_is_rolled_back() {
    let cloud = FakeCloud::new();
    // The server is created, and the reads never show it in time.
    cloud.delay_visibility("server", 30);
    cloud.refuse("create record", usize::MAX, "Denied");
    let (applied, reverted) = run_apply_and_rollback(&sample_graph(), &cloud).await;
    let outcomes = applied.outcomes;
    assert!(matches!(outcomes[1], Outcome::Failed(_)), "{outcomes:?}");
    assert!(all_done(&reverted), "{reverted:?}");
    assert_eq!(cloud.names(), NONE);
}

#[tokio::test(start_paused = true)]
async fn failed_rollback_keeps_only_dependencies() {
    let cloud = FakeCloud::new();
    cloud.refuse("create record", usize::MAX, "Denied");
    cloud.refuse("delete server", usize::MAX, "Denied");
    let (_, reverted) = run_apply_and_rollback(&sample_graph(), &cloud).await;
    let is_deleted =
        |node: usize| matches!(&reverted[node], Outcome::Done(step) if step.is_deleted);
    assert!(!is_deleted(0) && !is_deleted(1) && !is_deleted(2) && is_deleted(3));
    let is_skipped = matches!(reverted[0], Outcome::Skipped { blocked_by: 1 });
    assert!(is_skipped, "{reverted:?}");
    assert!(matches!(reverted[1], Outcome::Failed(_)), "{reverted:?}");
    assert_eq!(cloud.names(), ["network", "server"]);
}

#[tokio::test(start_paused = true)]
async fn rollback_deletes_child_with_created_parent() {
    for (found, deleted) in [
        (&[][..], ["delete topic"]),
        (&[("topic", "new", Ownership::Managed)], ["delete policy"]),
    ] {
        let cloud = FakeCloud::with_resources(found);
        cloud.refuse("create queue", usize::MAX, "Denied");
        let mut graph = parent_and_child(true);
        graph.add(fake_resource("queue", &[]));
        let (_, reverted) = run_apply_and_rollback(&graph, &cloud).await;
        assert!(all_done(&reverted), "{reverted:?}");
        assert_eq!(cloud.deletions(), deleted);
    }
}
