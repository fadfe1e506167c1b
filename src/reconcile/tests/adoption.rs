//! Adoption of unmanaged resources.

use super::super::plan::{AdoptionPlan, Conflict};
use super::*;

async fn run_adoption(
    graph: &Graph<FakeCloud>,
    cloud: &Arc<FakeCloud>,
) -> Result<Vec<Outcome<(), Error>>> {
    let plan = Plan::read(graph, cloud).await?.with_adoption();
    let applied = apply(&plan, options(&CancellationToken::new())).await?;
    Ok(applied.outcomes)
}

/// A cloud with an unmanaged network that differs, and an unmanaged bucket that does not.
fn unmanaged_cloud() -> Arc<FakeCloud> {
    FakeCloud::with_resources(&[
        ("network", "old", Ownership::Unmanaged),
        ("bucket", "new", Ownership::Unmanaged),
    ])
}

#[tokio::test(start_paused = true)]
async fn unmanaged_resources_are_adopted_only_on_request() {
    let (cloud, graph) = (unmanaged_cloud(), sample_graph());
    let plan = Plan::read(&graph, &cloud).await.unwrap();
    assert_eq!(plan.conflicts().count(), 2);
    let plan = plan.with_adoption();
    let adoption = |step: usize| match &plan.steps[step].action {
        Action::Adopt(AdoptionPlan { tags, changes }) => {
            let fields: Vec<&str> = changes.iter().map(|change| change.field).collect();
            (tags.clone(), fields)
        }
        other => panic!("{other:?}"),
    };
    let tags = vec![("managed-by".to_owned(), "test".to_owned())];
    assert_eq!(adoption(0), (tags.clone(), vec!["value"]));
    assert_eq!(adoption(3), (tags, vec![]));
    assert_eq!(cloud.log(), NONE);
}

#[tokio::test(start_paused = true)]
async fn adopted_resources_are_tagged_updated_and_managed() {
    let (cloud, graph) = (unmanaged_cloud(), sample_graph());
    assert!(all_done(&run_adoption(&graph, &cloud).await.unwrap()));
    let writes_of = |name: &str| {
        let log = cloud.log().into_iter();
        log.filter(|line| line.ends_with(name)).collect::<Vec<_>>()
    };
    assert_eq!(writes_of("network"), ["tag network", "update network"]);
    assert_eq!(writes_of("bucket"), ["tag bucket"]);
    assert!(Plan::read(&graph, &cloud).await.unwrap().is_empty());
    run_destroy(&graph, &cloud).await;
    assert_eq!(cloud.names(), NONE);
}

#[tokio::test(start_paused = true)]
async fn resources_managed_by_others_are_never_adopted() {
    let cloud = FakeCloud::with_resources(&[
        ("network", "new", Ownership::Unmanaged),
        ("bucket", "new", Ownership::other_tool("other")),
    ]);
    assert!(run_adoption(&sample_graph(), &cloud).await.is_err());
    assert_eq!(cloud.log(), NONE);
}

#[tokio::test(start_paused = true)]
async fn resource_with_immutable_difference_is_not_adopted() {
    let cloud = FakeCloud::with_resources(&[("topic", "old", Ownership::Unmanaged)]);
    let mut graph = empty_graph();
    graph.add(super::planning::immutable("topic"));
    let plan = Plan::read(&graph, &cloud).await.unwrap().with_adoption();
    assert!(matches!(
        &plan.steps[0].action,
        Action::Conflict(Conflict::Immutable(_))
    ));
}

#[tokio::test(start_paused = true)]
async fn adopting_dependent_of_unreadable_resource_is_unknown() {
    let cloud = FakeCloud::with_resources(&[
        ("network", "new", Ownership::Managed),
        ("server", "new/network-1", Ownership::Unmanaged),
    ]);
    cloud.make_unreadable("network", "AccessDenied");
    let graph = sample_graph();
    let plan = Plan::read(&graph, &cloud).await.unwrap().with_adoption();
    let action = &plan.steps[1].action;
    assert!(matches!(action, Action::Unknown(_)), "{action:?}");
    assert!(plan.first_unreadable().is_some());
}

#[tokio::test(start_paused = true)]
async fn refused_tagging_leaves_resource_unchanged() {
    let cloud = FakeCloud::with_resources(&[("network", "old", Ownership::Unmanaged)]);
    cloud.refuse("tag network", 1, "Denied");
    let graph = sample_graph();
    let outcomes = run_adoption(&graph, &cloud).await.unwrap();
    assert!(matches!(&outcomes[0], Outcome::Failed(_)));
    assert_eq!(
        cloud.stored("network"),
        ("old".into(), Ownership::Unmanaged)
    );
    assert!(all_done(&run_adoption(&graph, &cloud).await.unwrap()));
}

#[tokio::test(start_paused = true)]
async fn delayed_tags_are_awaited() {
    let cloud = FakeCloud::with_resources(&[("network", "new", Ownership::Unmanaged)]);
    cloud.delay_visibility("network", 4);
    let graph = sample_graph();
    let plan = Plan::read(&graph, &cloud).await.unwrap();
    assert_eq!(plan.conflicts().count(), 1);
    assert!(all_done(&run_adoption(&graph, &cloud).await.unwrap()));
    assert!(Plan::read(&graph, &cloud).await.unwrap().is_empty());
}
