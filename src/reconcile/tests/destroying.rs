//! Destroy: order, unmanaged resources, and failures.

use super::*;

#[tokio::test(start_paused = true)]
async fn destroy_runs_in_reverse_and_deletes_everything() {
    let (cloud, graph) = (FakeCloud::new(), sample_graph());
    run_apply(&graph, &cloud).await;
    assert!(all_done(&run_destroy(&graph, &cloud).await));
    assert_eq!(cloud.names(), NONE);
    assert!(cloud.position("delete record") < cloud.position("delete server"));
    assert!(cloud.position("delete server") < cloud.position("delete network"));
}

#[tokio::test(start_paused = true)]
async fn anchor_is_deleted_last() {
    let cloud = FakeCloud::new();
    let mut graph = empty_graph();
    graph.add(FakeResource {
        properties: Properties {
            is_anchor: true,
            ..Properties::default()
        },
        ..fake_resource("role", &[])
    });
    graph.add(fake_resource("bucket", &[]));
    run_apply(&graph, &cloud).await;
    cloud.refuse("delete bucket", 1, "Denied");
    run_destroy(&graph, &cloud).await;
    assert_eq!(cloud.names(), ["bucket", "role"]);
    assert!(all_done(&run_destroy(&graph, &cloud).await));
    assert_eq!(cloud.deletions(), ["delete bucket", "delete role"]);
}

#[tokio::test(start_paused = true)]
async fn slow_deletions_are_awaited_together() {
    let mut waits = Vec::new();
    for deletes_on_acceptance in [false, true] {
        let cloud = FakeCloud::new();
        let mut graph = empty_graph();
        let properties = Properties {
            deletes_on_acceptance,
            ..Properties::default()
        };
        let key = graph.add(fake_resource("key", &[]));
        let dead_letters = graph.add(FakeResource {
            properties,
            ..fake_resource("dead letters", &[&key])
        });
        graph.add(FakeResource {
            properties,
            ..fake_resource("queue", &[&dead_letters])
        });
        run_apply(&graph, &cloud).await;
        let plan = Plan::read(&graph, &cloud).await.unwrap();
        for name in ["queue", "dead letters"] {
            cloud.before.lock().unwrap().remove(name);
            cloud.delay_visibility(name, 14);
        }
        let started = tokio::time::Instant::now();
        let outcomes = destroy(&plan, options(&CancellationToken::new())).await;
        assert!(all_done(&outcomes), "{outcomes:?}");
        let deletions = ["delete queue", "delete dead letters", "delete key"];
        assert_eq!(cloud.deletions(), deletions);
        waits.push(started.elapsed());
    }
    let [in_turn, together] = waits[..] else {
        panic!("{waits:?}")
    };
    assert!(in_turn.as_secs() > 80, "{waits:?}");
    assert!(together < in_turn * 6 / 10, "{waits:?}");
}

#[tokio::test(start_paused = true)]
async fn destroy_keeps_unmanaged_resources() {
    let cloud = FakeCloud::with_resources(&[
        ("network", "new", Ownership::Managed),
        ("bucket", "other", Ownership::Unmanaged),
    ]);
    run_destroy(&sample_graph(), &cloud).await;
    assert_eq!(cloud.names(), ["bucket"]);
}

#[tokio::test(start_paused = true)]
async fn failed_delete_keeps_only_dependencies() {
    let (cloud, graph) = (FakeCloud::new(), sample_graph());
    run_apply(&graph, &cloud).await;
    cloud.refuse("delete server", 1, "Denied");
    run_destroy(&graph, &cloud).await;
    assert_eq!(cloud.names(), ["network", "server"]);
    run_destroy(&graph, &cloud).await;
    assert_eq!(cloud.names(), NONE);
}

#[tokio::test(start_paused = true)]
async fn destroy_survives_lost_responses() {
    let (cloud, graph) = (FakeCloud::new(), sample_graph());
    run_apply(&graph, &cloud).await;
    cloud.lose_responses("delete server", 5);
    assert!(all_done(&run_destroy(&graph, &cloud).await));
    assert_eq!(cloud.names(), NONE);
}

#[tokio::test(start_paused = true)]
async fn unmanaged_dependent_blocks_deletion() {
    for (blocks, left) in [
        (true, &["attachment", "policy"][..]),
        (false, &["attachment"]),
    ] {
        let cloud = FakeCloud::with_resources(&[
            ("policy", "new", Ownership::Managed),
            ("attachment", "new/policy-1", Ownership::Unmanaged),
        ]);
        let mut graph = empty_graph();
        let policy = graph.add(fake_resource("policy", &[]));
        graph.add(FakeResource {
            properties: Properties {
                blocks_deletion_of_dependencies: blocks,
                ..Properties::default()
            },
            ..fake_resource("attachment", &[&policy])
        });
        run_destroy(&graph, &cloud).await;
        assert_eq!(cloud.names(), left);
    }
}

#[tokio::test(start_paused = true)]
async fn child_deleted_with_parent_is_not_deleted_separately() {
    let (cloud, graph) = (FakeCloud::new(), parent_and_child(true));
    run_apply(&graph, &cloud).await;
    run_destroy(&graph, &cloud).await;
    assert_eq!(cloud.deletions(), ["delete topic"]);
}

#[tokio::test(start_paused = true)]
async fn wait_ends_if_another_run_creates_dependent_again() {
    let mut graph = empty_graph();
    let network = graph.add(fake_resource("network", &[]));
    graph.add(fake_resource("server", &[&network]));
    let managed = Ownership::Managed;
    let cloud = FakeCloud::with_resources(&[
        ("network", "new", managed.clone()),
        ("server", "new/network-1", managed.clone()),
    ]);
    cloud.refuse("delete network", usize::MAX, "NotYet");
    let other_run = async {
        while !cloud.log().contains(&"delete server".to_owned()) {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        tokio::time::sleep(Duration::from_secs(1)).await;
        cloud.insert("server", "new/network-1", managed.clone());
    };
    let started = tokio::time::Instant::now();
    let (outcomes, ()) = tokio::join!(run_destroy(&graph, &cloud), other_run);
    let Outcome::Failed(error) = &outcomes[0] else {
        panic!("{outcomes:?}");
    };
    let hint = error.hint().expect("a hint").to_string();
    assert!(hint.contains("server was created again"), "{hint}");
    // The retry budget is 30 s.
    assert!(started.elapsed() < Duration::from_secs(20));
}
