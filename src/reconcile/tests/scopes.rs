//! One plan over several accounts and regions.

use std::collections::BTreeSet;

use super::super::event::ReconcileEvent;
use super::*;

const ACCOUNTS: [&str; 3] = ["111122223333", "222233334444", "333344445555"];
const REGIONS: [&str; 3] = ["eu-west-1", "eu-central-1", "us-east-1"];

/// A separate cloud for each scope.
#[derive(Default)]
struct FakeOrganization {
    clouds: BTreeMap<Scope, Arc<FakeCloud>>,
    /// The account that denies access.
    refusing: Option<&'static str>,
    connections: Mutex<Vec<Scope>>,
}

impl FakeOrganization {
    fn new() -> Self {
        let clouds = scopes().map(|scope| (scope, FakeCloud::new()));
        Self {
            clouds: clouds.collect(),
            ..Self::default()
        }
    }

    fn cloud(&self, account: usize, region: usize) -> &FakeCloud {
        &self.clouds[&Scope::new(ACCOUNTS[account], REGIONS[region])]
    }

    /// The number of resources in each scope, account by account.
    fn resource_counts(&self) -> Vec<[usize; 3]> {
        let count = |account, region| self.cloud(account, region).names().len();
        (0..3)
            .map(|account| [0, 1, 2].map(|region| count(account, region)))
            .collect()
    }

    fn write_count(&self) -> usize {
        self.clouds.values().map(|cloud| cloud.log().len()).sum()
    }
}

#[async_trait]
impl CloudProvider<FakeCloud> for FakeOrganization {
    async fn connect(&self, scope: &Scope) -> Result<Arc<FakeCloud>> {
        self.connections.lock().unwrap().push(scope.clone());
        if self.refusing == Some(scope.account.as_str()) {
            let refusal = Error::failed(format!("assume a role in {scope}"), "not authorized");
            return Err(refusal.with_code(Some("AccessDenied".into()), None));
        }
        Ok(Arc::clone(&self.clouds[scope]))
    }
}

fn scopes() -> impl Iterator<Item = Scope> {
    ACCOUNTS
        .iter()
        .flat_map(|account| REGIONS.iter().map(|region| Scope::new(*account, *region)))
}

/// A queue in the home scope, and in every scope a bucket and a rule that refers to the bucket and the queue.
fn graph_of_nine_scopes() -> Graph<FakeCloud> {
    let mut graph = empty_graph();
    let queue = graph.add(fake_resource("queue", &[]));
    for scope in scopes() {
        let bucket = graph.add_in(&scope, fake_resource("bucket", &[]));
        graph.add_in(&scope, fake_resource("rule", &[&bucket, &queue]));
    }
    graph
}

#[tokio::test(start_paused = true)]
async fn one_plan_covers_three_accounts_and_regions() {
    let (organization, graph) = (FakeOrganization::new(), graph_of_nine_scopes());
    let cancellation = CancellationToken::new();
    let plan = Plan::read(&graph, &organization).await.unwrap();
    assert_eq!(organization.connections.lock().unwrap().len(), 9);
    assert_eq!(plan.steps.len(), 19);
    assert!(plan.steps.iter().all(|step| step.action == Action::Create));

    let applied = apply(&plan, options(&cancellation)).await.unwrap();
    assert!(all_done(&applied.outcomes), "{:?}", applied.outcomes);
    let expected = [[3, 2, 2], [2, 2, 2], [2, 2, 2]];
    assert_eq!(organization.resource_counts(), expected);

    let second = Plan::read(&graph, &organization).await.unwrap();
    assert!(second.is_empty());
    let writes = organization.write_count();
    apply(&second, options(&cancellation)).await.unwrap();
    assert_eq!(organization.write_count(), writes);

    assert!(all_done(&destroy(&second, options(&cancellation)).await));
    assert_eq!(organization.resource_counts(), [[0; 3]; 3]);
}

#[tokio::test(start_paused = true)]
async fn refusing_account_is_reported_and_others_complete() {
    let mut organization = FakeOrganization::new();
    organization.refusing = Some(ACCOUNTS[1]);
    let graph = graph_of_nine_scopes();
    let plan = Plan::read(&graph, &organization).await.unwrap();
    assert!(plan.first_unreadable().is_none());
    assert_eq!(plan.unavailable_scopes().len(), 3);
    let is_unknown =
        |action: &Action| matches!(action, Action::Unknown(refusal) if refusal.is_denied());
    for step in &plan.steps {
        let in_refusing = step
            .id
            .scope
            .as_ref()
            .is_some_and(|scope| scope.account == ACCOUNTS[1]);
        assert_eq!(is_unknown(&step.action), in_refusing, "{}", step.id);
    }

    let events = Mutex::new(Vec::new());
    let observer = |event: ReconcileEvent| events.lock().unwrap().push(event);
    let cancellation = CancellationToken::new();
    let options = ExecutionOptions::new(&cancellation, &observer);
    let applied = apply(&plan, options).await.unwrap();
    assert!(applied.failure().is_some_and(Error::is_denied));
    let expected = [[3, 2, 2], [0, 0, 0], [2, 2, 2]];
    assert_eq!(organization.resource_counts(), expected);
    let reported = events
        .lock()
        .unwrap()
        .iter()
        .filter(|event| matches!(event, ReconcileEvent::ScopeUnavailable { scope, .. } if scope.account == ACCOUNTS[1]))
        .count();
    assert_eq!(reported, 3);

    let plan = Plan::read(&graph, &organization).await.unwrap();
    let outcomes = destroy(&plan, options).await;
    let failed = outcomes
        .iter()
        .filter(|outcome| matches!(outcome, Outcome::Failed(_)));
    assert_eq!(failed.count(), 3);
    // Rules of the refusing account may still refer to the queue, so it stays.
    assert_eq!(organization.resource_counts(), [[1, 0, 0], [0; 3], [0; 3]]);

    organization.refusing = None;
    let plan = Plan::read(&graph, &organization).await.unwrap();
    assert!(all_done(&destroy(&plan, options).await));
    assert_eq!(organization.resource_counts(), [[0; 3]; 3]);
}

#[tokio::test(start_paused = true)]
async fn unreadable_resource_blocks_only_its_scope() {
    let (organization, graph) = (FakeOrganization::new(), graph_of_nine_scopes());
    organization
        .cloud(2, 1)
        .make_unreadable("rule", "AccessDenied");
    let plan = Plan::read(&graph, &organization).await.unwrap();
    let applied = apply(&plan, options(&CancellationToken::new())).await;
    assert!(applied.unwrap().failure().is_some_and(Error::is_denied));
    let expected = [[3, 2, 2], [2, 2, 2], [2, 0, 2]];
    assert_eq!(organization.resource_counts(), expected);
}

#[tokio::test]
async fn unreadable_resource_in_home_scope_blocks_apply() {
    let (organization, graph) = (FakeOrganization::new(), graph_of_nine_scopes());
    organization
        .cloud(0, 0)
        .make_unreadable("rule", "AccessDenied");
    let plan = Plan::read(&graph, &organization).await.unwrap();
    assert!(
        apply(&plan, options(&CancellationToken::new()))
            .await
            .is_err()
    );
    assert_eq!(organization.write_count(), 0);
}

#[tokio::test]
async fn connection_failure_fails_the_plan() {
    struct Unreachable;
    #[async_trait]
    impl CloudProvider<FakeCloud> for Unreachable {
        async fn connect(&self, scope: &Scope) -> Result<Arc<FakeCloud>> {
            Err(Error::failed(format!("connect to {scope}"), "no network"))
        }
    }
    let graph = graph_of_nine_scopes();
    assert!(Plan::read(&graph, &Unreachable).await.is_err());
}

#[test]
fn ids_in_other_scopes_name_their_scope() {
    let graph = graph_of_nine_scopes();
    let ids: BTreeSet<&ResourceId> = graph.nodes().iter().map(|node| &node.id).collect();
    assert_eq!(ids.len(), 19);
    let texts: Vec<String> = graph
        .nodes()
        .iter()
        .map(|node| node.id.to_string())
        .collect();
    assert_eq!(texts[1], "resource bucket");
    assert_eq!(
        texts[3],
        "resource bucket (account 111122223333, region eu-central-1)"
    );
}
