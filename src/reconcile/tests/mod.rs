//! Tests of the engine with a fake cloud: planning, execution, rollback, adoption, and scopes.

mod adoption;
mod applying;
mod destroying;
mod planning;
mod rolling_back;
mod scopes;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use tokio_util::sync::CancellationToken;

use super::apply::{ApplyResult, ExecutionOptions, apply};
use super::destroy::destroy;
use super::graph::{Graph, Handle, Output, ResourceId};
use super::plan::{Action, Plan};
use super::rollback::{Reverted, rollback};
use super::scheduler::Outcome;
use super::scope::{CloudProvider, Scope};
use super::state::State;
use super::{Actual, KnownOutputs, Outputs, Parent, Properties, Resource, ResourceSpec};
use crate::error::{Error, Result};
use crate::ownership::Ownership;

/// The content and the ownership of a resource. The content is `VALUE` or `VALUE/DEPENDENCY`.
type Stored = (String, Ownership);

/// A cloud with its resources, its log of writes, and its faults.
#[derive(Default)]
struct FakeCloud {
    resources: Mutex<BTreeMap<String, Stored>>,
    log: Mutex<Vec<String>>,
    /// Number of refusals still to come, and their code, by write.
    refusals: Mutex<BTreeMap<String, (usize, &'static str)>>,
    /// Number of reads that still show the resource as it was before the first write.
    stale_reads: Mutex<BTreeMap<String, usize>>,
    before: Mutex<BTreeMap<String, Option<Stored>>>,
    /// Writes that succeed without a response, and how often.
    lost_responses: Mutex<BTreeMap<String, usize>>,
    /// Error code of each resource that cannot be read.
    unreadable: Mutex<BTreeMap<&'static str, &'static str>>,
    /// Resources that others prevent from being written.
    blocked: Mutex<Vec<&'static str>>,
}

impl FakeCloud {
    fn new() -> Arc<Self> {
        Arc::default()
    }

    fn with_resources(resources: &[(&str, &str, Ownership)]) -> Arc<Self> {
        let cloud = Self::new();
        for (name, content, ownership) in resources {
            cloud.insert(name, content, ownership.clone());
        }
        cloud
    }

    /// Stores a resource as another run or person would, without a log entry.
    fn insert(&self, name: &str, content: &str, ownership: Ownership) {
        let stored = (content.to_owned(), ownership);
        self.resources.lock().unwrap().insert(name.into(), stored);
    }

    fn refuse(&self, write: &str, times: usize, code: &'static str) {
        let refusal = (times, code);
        self.refusals.lock().unwrap().insert(write.into(), refusal);
    }

    fn lose_responses(&self, write: &str, times: usize) {
        let mut lost = self.lost_responses.lock().unwrap();
        lost.insert(write.into(), times);
    }

    fn delay_visibility(&self, name: &str, reads: usize) {
        self.stale_reads.lock().unwrap().insert(name.into(), reads);
    }

    fn make_unreadable(&self, name: &'static str, code: &'static str) {
        self.unreadable.lock().unwrap().insert(name, code);
    }

    fn log(&self) -> Vec<String> {
        self.log.lock().unwrap().clone()
    }

    /// The position of a write in the log.
    fn position(&self, write: &str) -> usize {
        let log = self.log();
        let position = log.iter().position(|line| line == write);
        position.unwrap_or_else(|| panic!("no {write} in {log:?}"))
    }

    fn deletions(&self) -> Vec<String> {
        let log = self.log().into_iter();
        log.filter(|line| line.starts_with("delete")).collect()
    }

    fn names(&self) -> Vec<String> {
        self.resources.lock().unwrap().keys().cloned().collect()
    }

    fn stored(&self, name: &str) -> Stored {
        self.resources.lock().unwrap()[name].clone()
    }

    fn content(&self, name: &str) -> String {
        self.stored(name).0
    }

    fn write(&self, verb: &str, name: &str, stored: Option<Stored>) -> Result<()> {
        let write = format!("{verb} {name}");
        if let Some((times, code)) = self.refusals.lock().unwrap().get_mut(&write)
            && *times > 0
        {
            *times -= 1;
            return Err(Error::failed(write, "refused").with_code(Some((*code).into()), None));
        }
        let is_lost = match self.lost_responses.lock().unwrap().get_mut(&write) {
            Some(times) if *times > 0 => {
                *times -= 1;
                true
            }
            _ => false,
        };
        self.log.lock().unwrap().push(write.clone());
        let mut resources = self.resources.lock().unwrap();
        let shown = resources.get(name).cloned();
        let mut before = self.before.lock().unwrap();
        before.entry(name.into()).or_insert(shown);
        match stored {
            Some(stored) => resources.insert(name.into(), stored),
            None => resources.remove(name),
        };
        if is_lost {
            return Err(Error::failed(write, "no response").with_permission("fake:Write"));
        }
        Ok(())
    }

    fn read(&self, name: &str) -> Option<Stored> {
        if let Some(reads) = self.stale_reads.lock().unwrap().get_mut(name)
            && let Some(before) = self.before.lock().unwrap().get(name)
            && *reads > 0
        {
            *reads -= 1;
            return before.clone();
        }
        self.resources.lock().unwrap().get(name).cloned()
    }
}

/// One cloud for every scope.
#[async_trait]
impl CloudProvider<FakeCloud> for Arc<FakeCloud> {
    async fn connect(&self, _: &Scope) -> Result<Arc<FakeCloud>> {
        Ok(Self::clone(self))
    }
}

/// A resource with a value, and with the `id` of its first dependency.
struct FakeResource {
    name: &'static str,
    value: &'static str,
    dependencies: Vec<Output>,
    parent: Option<Parent>,
    properties: Properties,
}

fn fake_resource(name: &'static str, dependencies: &[&Handle<FakeResource>]) -> FakeResource {
    let dependencies = dependencies.iter().map(|handle| handle.output("id"));
    FakeResource {
        name,
        value: "new",
        dependencies: dependencies.collect(),
        parent: None,
        properties: Properties::default(),
    }
}

impl ResourceSpec for FakeResource {
    fn id(&self) -> ResourceId {
        ResourceId::new("resource", self.name)
    }

    fn dependencies(&self) -> Vec<Output> {
        self.dependencies.clone()
    }

    fn desired(&self, known: &KnownOutputs) -> State {
        let state = State::default().with("value", self.value);
        match self.dependencies.first() {
            Some(output) => state.with_optional("dependency", known.get(output)),
            None => state,
        }
    }

    fn properties(&self) -> Properties {
        self.properties
    }

    fn parent(&self) -> Option<Parent> {
        self.parent.clone()
    }

    fn ownership_tags(&self) -> Vec<(String, String)> {
        vec![("managed-by".into(), "test".into())]
    }

    fn retry_budget(&self, refusal: &Error) -> Option<Duration> {
        refusal
            .has_code("NotYet")
            .then_some(Duration::from_secs(30))
    }
}

#[async_trait]
impl Resource<FakeCloud> for FakeResource {
    async fn read(&self, cloud: &FakeCloud, _: &KnownOutputs) -> Result<Option<Actual>> {
        if let Some(code) = cloud.unreadable.lock().unwrap().get(self.name) {
            let refusal = Error::failed(format!("read {}", self.name), "refused");
            return Err(refusal.with_code(Some((*code).into()), None));
        }
        Ok(cloud.read(self.name).map(|(content, ownership)| {
            let mut parts = content.split('/');
            let mut state = State::default().with("value", parts.next().unwrap_or_default());
            if let Some(dependency) = parts.next() {
                state = state.with("dependency", dependency);
            }
            Actual {
                state,
                outputs: Outputs::from([("id", format!("{}-1", self.name))]),
                ownership,
            }
        }))
    }

    async fn create(
        &self,
        cloud: &FakeCloud,
        desired: &State,
        _: &KnownOutputs,
    ) -> Result<Outputs> {
        let stored = (content_of(desired), Ownership::Managed);
        cloud.write("create", self.name, Some(stored))?;
        Ok(Outputs::new())
    }

    async fn update(
        &self,
        cloud: &FakeCloud,
        _: &Actual,
        desired: &State,
        _: &KnownOutputs,
    ) -> Result<()> {
        let (_, ownership) = cloud.stored(self.name);
        cloud.write("update", self.name, Some((content_of(desired), ownership)))
    }

    async fn take_ownership(&self, cloud: &FakeCloud, _: &Actual) -> Result<()> {
        let stored = (cloud.content(self.name), Ownership::Managed);
        cloud.write("tag", self.name, Some(stored))
    }

    async fn delete(&self, cloud: &FakeCloud, _: &Actual) -> Result<()> {
        cloud.write("delete", self.name, None)
    }

    async fn check_write(&self, cloud: &FakeCloud, _: &KnownOutputs) -> Result<()> {
        if cloud.blocked.lock().unwrap().contains(&self.name) {
            return Err(Error::negative(format!("{} is blocked", self.name)));
        }
        Ok(())
    }
}

fn content_of(desired: &State) -> String {
    let value = desired.text("value").unwrap_or_default();
    desired
        .text("dependency")
        .map_or_else(|| value.to_owned(), |other| format!("{value}/{other}"))
}

fn empty_graph() -> Graph<FakeCloud> {
    Graph::new(Scope::new("111122223333", "eu-west-1"))
}

/// network ← server ← record, and a bucket on its own.
fn sample_graph() -> Graph<FakeCloud> {
    let mut graph = empty_graph();
    let network = graph.add(fake_resource("network", &[]));
    let server = graph.add(fake_resource("server", &[&network]));
    graph.add(fake_resource("record", &[&server]));
    graph.add(fake_resource("bucket", &[]));
    graph
}

/// A topic, and its policy, which has no tags of its own.
fn parent_and_child(deletes_children: bool) -> Graph<FakeCloud> {
    let mut graph = empty_graph();
    let topic = graph.add(fake_resource("topic", &[]));
    let parent = Parent {
        id: topic.id().clone(),
        deletes_children,
    };
    graph.add(FakeResource {
        parent: Some(parent),
        ..fake_resource("policy", &[&topic])
    });
    graph
}

/// Options of a run that nobody observes or cancels.
fn options(cancellation: &CancellationToken) -> ExecutionOptions<'_> {
    ExecutionOptions::new(cancellation, &|_| {})
}

async fn run_apply(graph: &Graph<FakeCloud>, cloud: &Arc<FakeCloud>) -> Vec<Outcome<(), Error>> {
    let plan = Plan::read(graph, cloud).await.unwrap();
    let result = apply(&plan, options(&CancellationToken::new())).await;
    result.unwrap().outcomes
}

async fn run_apply_and_rollback(
    graph: &Graph<FakeCloud>,
    cloud: &Arc<FakeCloud>,
) -> (ApplyResult, Vec<Outcome<Reverted, Error>>) {
    let cancellation = CancellationToken::new();
    let plan = Plan::read(graph, cloud).await.unwrap();
    let applied = apply(&plan, options(&cancellation)).await.unwrap();
    let reverted = rollback(&plan, &applied, options(&cancellation)).await;
    (applied, reverted)
}

async fn run_destroy(graph: &Graph<FakeCloud>, cloud: &Arc<FakeCloud>) -> Vec<Outcome<(), Error>> {
    let plan = Plan::read(graph, cloud).await.unwrap();
    destroy(&plan, options(&CancellationToken::new())).await
}

/// The planned action of each resource.
async fn planned_actions(graph: &Graph<FakeCloud>, cloud: &Arc<FakeCloud>) -> Vec<&'static str> {
    let plan = Plan::read(graph, cloud).await.unwrap();
    let actions = plan.steps.iter().map(|step| match step.action {
        Action::Create => "create",
        Action::Update(_) => "update",
        Action::Keep => "keep",
        Action::Conflict(_) => "conflict",
        Action::Adopt(_) => "adopt",
        Action::Unknown(_) => "unknown",
    });
    actions.collect()
}

fn all_done<T>(outcomes: &[Outcome<T, Error>]) -> bool {
    outcomes
        .iter()
        .all(|outcome| matches!(outcome, Outcome::Done(_)))
}

const NONE: [String; 0] = [];
