//! Planning: actions, ownership, conflicts, and unreadable resources.

use super::super::destroy::DestroyAction;
use super::super::plan::Conflict;
use super::*;
use crate::error::Exit;

#[tokio::test(start_paused = true)]
async fn second_plan_is_empty() {
    let (cloud, graph) = (FakeCloud::new(), sample_graph());
    run_apply(&graph, &cloud).await;
    let writes = cloud.log().len();
    assert!(Plan::read(&graph, &cloud).await.unwrap().is_empty());
    run_apply(&graph, &cloud).await;
    assert_eq!(cloud.log().len(), writes);
}

#[tokio::test]
async fn reading_a_plan_writes_nothing() {
    let (cloud, graph) = (FakeCloud::new(), sample_graph());
    let plan = Plan::read(&graph, &cloud).await.unwrap();
    assert!(plan.steps.iter().all(|step| step.action == Action::Create));
    assert_eq!(cloud.log(), NONE);
}

#[tokio::test(start_paused = true)]
async fn blocked_write_is_found_while_planning() {
    let (cloud, graph) = (FakeCloud::new(), sample_graph());
    cloud.blocked.lock().unwrap().push("server");
    let plan = Plan::read(&graph, &cloud).await.unwrap();
    let error = plan.check_writes().await.unwrap_err();
    assert_eq!(error.to_string(), "server is blocked");
    assert_eq!(cloud.log(), NONE);
    // A resource that is not written is not checked.
    run_apply(&graph, &cloud).await;
    let plan = Plan::read(&graph, &cloud).await.unwrap();
    plan.check_writes().await.unwrap();
    cloud.insert("server", "old/network-1", Ownership::Managed);
    let plan = Plan::read(&graph, &cloud).await.unwrap();
    plan.check_writes().await.unwrap_err();
}

#[tokio::test(start_paused = true)]
async fn drift_updates_only_differing_fields() {
    let cloud = FakeCloud::with_resources(&[("network", "old", Ownership::Managed)]);
    let graph = sample_graph();
    let plan = Plan::read(&graph, &cloud).await.unwrap();
    let Action::Update(changes) = &plan.steps[0].action else {
        panic!("{:?}", plan.steps[0])
    };
    assert_eq!((changes[0].field, changes.len()), ("value", 1));
    run_apply(&graph, &cloud).await;
    assert_eq!(cloud.content("network"), "new");
}

#[tokio::test(start_paused = true)]
async fn unreadable_resource_is_unknown_others_are_planned() {
    let (cloud, graph) = (FakeCloud::new(), sample_graph());
    run_apply(&graph, &cloud).await;
    cloud.insert("bucket", "old", Ownership::Managed);
    cloud.make_unreadable("network", "AccessDenied");
    // The server contains the ID of the network, which is unknown.
    assert_eq!(
        planned_actions(&graph, &cloud).await,
        ["unknown", "unknown", "keep", "update"]
    );
    cloud.insert("server", "old/network-1", Ownership::Managed);
    assert_eq!(
        planned_actions(&graph, &cloud).await,
        ["unknown", "update", "keep", "update"]
    );
}

#[tokio::test(start_paused = true)]
async fn child_of_unreadable_parent_is_unknown() {
    let (cloud, graph) = (FakeCloud::new(), parent_and_child(false));
    run_apply(&graph, &cloud).await;
    cloud.make_unreadable("topic", "AccessDenied");
    assert_eq!(
        planned_actions(&graph, &cloud).await,
        ["unknown", "unknown"]
    );
}

#[tokio::test(start_paused = true)]
async fn unreadable_resource_blocks_apply_and_deletes_of_dependencies() {
    let (cloud, graph) = (FakeCloud::new(), sample_graph());
    run_apply(&graph, &cloud).await;
    let before = cloud.log();
    cloud.make_unreadable("server", "AccessDenied");
    let cancellation = CancellationToken::new();
    let plan = Plan::read(&graph, &cloud).await.unwrap();
    let refusal = apply(&plan, options(&cancellation)).await.unwrap_err();
    assert!(refusal.is_denied(), "{refusal}");
    assert_eq!(cloud.log(), before);
    destroy(&plan, options(&cancellation)).await;
    assert_eq!(cloud.names(), ["network", "record", "server"]);
}

#[tokio::test]
async fn failed_read_fails_the_plan() {
    let cloud = FakeCloud::new();
    cloud.make_unreadable("bucket", "ThrottlingException");
    assert!(Plan::read(&sample_graph(), &cloud).await.is_err());
}

#[tokio::test]
async fn unmanaged_resource_is_a_conflict_and_blocks_apply() {
    let cloud = FakeCloud::with_resources(&[("record", "other", Ownership::Unmanaged)]);
    let graph = sample_graph();
    let plan = Plan::read(&graph, &cloud).await.unwrap();
    let conflict = Action::Conflict(Conflict::NotManaged { lacks_tags: true });
    assert_eq!(plan.steps[2].action, conflict);
    let refusal = apply(&plan, options(&CancellationToken::new())).await;
    assert_eq!(refusal.unwrap_err().exit(), Exit::Negative);
    assert_eq!(cloud.log(), NONE);
}

#[tokio::test]
async fn changed_immutable_field_is_a_conflict() {
    let cloud = FakeCloud::with_resources(&[("network", "old", Ownership::Managed)]);
    let mut graph = empty_graph();
    graph.add(immutable("network"));
    let plan = Plan::read(&graph, &cloud).await.unwrap();
    assert!(matches!(
        plan.steps[0].action,
        Action::Conflict(Conflict::Immutable(_))
    ));
}

/// A resource whose value cannot change in place.
pub(super) fn immutable(name: &'static str) -> FakeResource {
    FakeResource {
        properties: Properties {
            immutable_fields: &["value"],
            ..Properties::default()
        },
        ..fake_resource(name, &[])
    }
}

#[tokio::test]
async fn child_is_never_more_managed_than_parent() {
    use Ownership::{Managed, Unmanaged};
    let other = || Ownership::other_tool("other");
    for (of_parent, of_child, expected) in [
        (Managed, Managed, Managed),
        (Unmanaged, Managed, Unmanaged),
        (other(), Managed, other()),
        (Managed, other(), other()),
        (Unmanaged, other(), other()),
    ] {
        let cloud = FakeCloud::with_resources(&[
            ("topic", "new", of_parent),
            ("policy", "new/topic-1", of_child),
        ]);
        let graph = parent_and_child(false);
        let plan = Plan::read(&graph, &cloud).await.unwrap();
        let actual = plan.steps[1].actual.as_ref();
        assert_eq!(actual.unwrap().ownership, expected);
    }
}

#[tokio::test]
async fn orphaned_child_keeps_its_own_ownership() {
    let cloud = FakeCloud::with_resources(&[("policy", "new/topic-1", Ownership::Managed)]);
    let graph = parent_and_child(false);
    let plan = Plan::read(&graph, &cloud).await.unwrap();
    assert_eq!(plan.destroy_actions()[1].1, DestroyAction::Delete);
}
