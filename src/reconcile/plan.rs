//! The plan: reads every resource and decides what would change. It writes nothing.

use std::collections::BTreeMap;

use std::time::Duration;

use futures_util::future::join_all;
use tokio::try_join;

use super::diff::{Change, diff};
use super::graph::{Graph, Node, Output, ResourceId};
use super::scope::{CloudProvider, Connections, Scope};
use super::state::State;
use super::{Actual, Duplicate, KnownOutputs, Resource};
use crate::error::{Error, Result};
use crate::ownership::Ownership;

/// The planned change of one resource.
#[derive(Clone, Debug, PartialEq)]
pub enum Action {
    Create,
    Update(Vec<Change>),
    /// It is not managed: tag it as managed, then update it.
    Adopt(AdoptionPlan),
    Keep,
    Conflict(Conflict),
    /// Access is denied to the resource, or to another one that decides its action.
    Unknown(Error),
}

impl Action {
    /// The fields of an existing resource that differ.
    #[must_use]
    pub fn changes(&self) -> &[Change] {
        match self {
            Self::Update(changes)
            | Self::Adopt(AdoptionPlan { changes, .. })
            | Self::Conflict(Conflict::Immutable(changes)) => changes,
            Self::Create
            | Self::Keep
            | Self::Conflict(Conflict::NotManaged { .. })
            | Self::Unknown(_) => &[],
        }
    }
}

/// Changes to a resource that is adopted.
#[derive(Clone, Debug, PartialEq)]
pub struct AdoptionPlan {
    /// Tags that are added.
    pub tags: Vec<(String, String)>,
    pub changes: Vec<Change>,
}

/// Reason why an existing resource cannot be brought to its desired state.
#[derive(Clone, Debug, PartialEq)]
pub enum Conflict {
    /// It is not managed.
    NotManaged {
        /// True if its own tags decide that. Otherwise its parent or its content does.
        lacks_tags: bool,
    },
    /// It would have to be replaced, because these fields cannot change in place.
    Immutable(Vec<Change>),
}

/// One resource with its planned action.
#[derive(Debug)]
pub struct PlanStep {
    pub id: ResourceId,
    pub action: Action,
    pub actual: Option<Actual>,
    /// Further copies that a destroy deletes as well. They are read only for a destroy.
    pub duplicates: Vec<Duplicate>,
    /// The time that the cloud keeps the resource after a delete call.
    pub deletion_delay: Option<Duration>,
    /// Descriptions of the other entries in the same document, which a write preserves.
    pub preserved: Vec<String>,
    pub preview: DesiredPreview,
}

/// The desired state of a resource for display. Values that AWS assigns are described: `(arn of kms key name)`.
#[derive(Clone, Debug, Default)]
pub struct DesiredPreview {
    pub state: State,
    /// The fields with such a description.
    pub unknown_fields: Vec<&'static str>,
}

impl DesiredPreview {
    fn of<C: Sync>(resource: &dyn Resource<C>, known: &KnownOutputs) -> Self {
        let desired = resource.desired(known);
        let unknown = desired.fields().filter(|(_, field)| field.value.is_none());
        Self {
            unknown_fields: unknown.map(|(name, _)| name).collect(),
            state: resource.desired(&known.with_descriptions()),
        }
    }

    /// The fields of a resource that is created, as changes from nothing. The values of unknown fields are described.
    #[must_use]
    pub fn as_changes(&self) -> Vec<Change> {
        let fields = self.state.fields();
        let changes = fields.map(|(field, desired)| Change {
            field,
            before: None,
            after: desired.value.clone(),
            secret: desired.secret,
            reason: None,
        });
        changes.collect()
    }

    /// Returns true if the value of the field is known before the apply.
    #[must_use]
    pub fn is_known(&self, field: &str) -> bool {
        !self.unknown_fields.contains(&field)
    }
}

impl PlanStep {
    /// The days that the cloud keeps the resource after a delete call.
    #[must_use]
    pub fn deletion_delay_days(&self) -> Option<u64> {
        self.deletion_delay.map(|delay| delay.as_secs() / 86_400)
    }

    /// Returns true if the only conflict is the missing ownership.
    #[must_use]
    pub fn can_be_adopted(&self) -> bool {
        let is_unmanaged = |actual: &Actual| actual.ownership == Ownership::Unmanaged;
        matches!(self.action, Action::Conflict(Conflict::NotManaged { .. }))
            && self.actual.as_ref().is_some_and(is_unmanaged)
    }
}

/// The action of every resource, with the connections that execute it.
pub struct Plan<'g, C> {
    pub(crate) graph: &'g Graph<C>,
    pub steps: Vec<PlanStep>,
    pub(crate) known: KnownOutputs,
    unreadable: UnreadableResources,
    connections: Connections<C>,
}

impl<'g, C: Send + Sync> Plan<'g, C> {
    /// Connects to every scope and reads every resource, concurrently. Resources to which access is denied become
    /// unknown.
    ///
    /// # Errors
    /// The first read that failed for another reason than a denial: the plan would be incomplete.
    pub async fn read(graph: &'g Graph<C>, provider: &dyn CloudProvider<C>) -> Result<Self> {
        let connections = Connections::open(graph.scopes(), provider).await?;
        let known = graph.initial_outputs();
        let nodes = graph.nodes().iter();
        let reads = nodes.map(|node| ReadResult::of(node, &connections, &known));
        let mut results = Vec::new();
        for read in join_all(reads).await {
            results.push(read?);
        }
        for (node, result) in graph.nodes().iter().zip(&results) {
            if let Some(actual) = result.actual() {
                known.record(&node.id, &actual.outputs);
            }
        }
        inherit_ownership(graph, &mut results);
        let unreadable = unreadable_resources(graph, &results);
        let steps = graph
            .nodes()
            .iter()
            .zip(results)
            .map(|(node, result)| plan_step(node, result, &known, &unreadable))
            .collect();
        Ok(Self {
            graph,
            steps,
            known,
            unreadable,
            connections,
        })
    }

    /// Plans to adopt unmanaged resources instead of reporting them as conflicts.
    #[must_use]
    pub fn with_adoption(mut self) -> Self {
        for (step, node) in self.steps.iter_mut().zip(self.graph.nodes()) {
            if step.can_be_adopted()
                && let Some(actual) = &step.actual
            {
                let resource = node.resource.as_ref();
                step.action = match compare(resource, actual, &self.known, &self.unreadable) {
                    Ok(changes) => Action::Adopt(AdoptionPlan {
                        tags: resource.ownership_tags(),
                        changes,
                    }),
                    Err(instead) => instead,
                };
            }
        }
        self
    }

    /// Checks every planned write against the resources of others, so that a run does not stop halfway.
    ///
    /// # Errors
    /// The first write that the cloud would reject, or the first read that failed.
    pub async fn check_writes(&self) -> Result<()> {
        let nodes = self.steps.iter().zip(self.graph.nodes()).enumerate();
        let checks = nodes.map(|(index, (step, node))| async move {
            let is_written = matches!(
                step.action,
                Action::Create | Action::Update(_) | Action::Adopt(_)
            );
            if !is_written || self.scope_refusal(index).is_some() {
                return Ok(());
            }
            let cloud = self.cloud(index)?;
            node.resource.check_write(cloud, &self.known).await
        });
        join_all(checks).await.into_iter().collect()
    }

    /// The first denied read in the home scope. With one, nothing may be written.
    #[must_use]
    pub fn first_unreadable(&self) -> Option<&Error> {
        let mut in_home = self.unreadable.iter().filter(|(id, _)| id.scope.is_none());
        in_home.next().map(|(_, refusal)| refusal)
    }

    /// The other scopes in which nothing may be written, because they or one of their resources cannot be read.
    #[must_use]
    pub fn unavailable_scopes(&self) -> BTreeMap<&Scope, &Error> {
        let mut scopes = BTreeMap::new();
        for (id, refusal) in &self.unreadable {
            if let Some(scope) = &id.scope {
                scopes.entry(scope).or_insert(refusal);
            }
        }
        scopes
    }

    /// The refusal because of which this node may not be written, if its scope is unavailable.
    pub(super) fn scope_refusal(&self, node: usize) -> Option<&Error> {
        let scope = self.steps[node].id.scope.as_ref()?;
        let mut unreadable = self.unreadable.iter();
        let (_, refusal) = unreadable.find(|(id, _)| id.scope.as_ref() == Some(scope))?;
        Some(refusal)
    }

    /// The clients for the scope of a node.
    pub(super) fn cloud(&self, node: usize) -> Result<&C> {
        self.connections.cloud(&self.graph.nodes()[node].scope)
    }

    /// Returns true if nothing would be created or changed.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.steps.iter().all(|step| step.action == Action::Keep)
    }

    pub fn conflicts(&self) -> impl Iterator<Item = &PlanStep> {
        self.steps
            .iter()
            .filter(|step| matches!(step.action, Action::Conflict(_)))
    }

    /// Returns an output that was read, or that follows from a name.
    #[must_use]
    pub fn output(&self, output: &Output) -> Option<String> {
        self.known.get(output)
    }

    /// Returns the shared documents of the selected steps, each once.
    #[must_use]
    pub fn documents(&self, selects: impl Fn(&PlanStep) -> bool) -> Vec<ResourceId> {
        let nodes = self.steps.iter().zip(self.graph.nodes());
        let mut documents: Vec<ResourceId> = nodes
            .filter(|(step, _)| selects(step))
            .flat_map(|(_, node)| {
                let documents = node.resource.shared_documents(&self.known).into_iter();
                documents.map(|document| ResourceId {
                    scope: node.id.scope.clone(),
                    ..document
                })
            })
            .collect();
        documents.sort();
        documents.dedup();
        documents
    }

    /// The resources of the customer that the plan refers to, and never changes.
    #[must_use]
    pub fn existing_resources(&self) -> Vec<ResourceId> {
        self.graph.existing_resources().cloned().collect()
    }

    /// Returns one resource as it exists.
    #[must_use]
    pub fn actual(&self, id: &ResourceId) -> Option<&Actual> {
        let step = self.steps.iter().find(|step| step.id == *id)?;
        step.actual.as_ref()
    }
}

/// The result of reading one resource.
enum ReadResult {
    Read(Option<Actual>, Vec<String>),
    Denied(Error),
}

impl ReadResult {
    async fn of<C: Sync>(
        node: &Node<C>,
        connections: &Connections<C>,
        known: &KnownOutputs,
    ) -> Result<Self> {
        let read = async {
            let cloud = connections.cloud(&node.scope)?;
            try_join!(
                node.resource.read(cloud, known),
                node.resource.preserved_content(cloud, known)
            )
        };
        match read.await {
            Ok((actual, preserved)) => Ok(Self::Read(actual, preserved)),
            Err(refusal) if refusal.is_denied() => Ok(Self::Denied(refusal)),
            Err(failure) => Err(failure),
        }
    }

    fn actual(&self) -> Option<&Actual> {
        match self {
            Self::Read(actual, _) => actual.as_ref(),
            Self::Denied(_) => None,
        }
    }
}

/// The resources to which access is denied, with the refusal.
type UnreadableResources = Vec<(ResourceId, Error)>;

fn unreadable_resources<C: Sync>(graph: &Graph<C>, results: &[ReadResult]) -> UnreadableResources {
    let nodes = graph.nodes().iter().zip(results);
    nodes
        .filter_map(|(node, result)| match result {
            ReadResult::Denied(refusal) => Some((node.id.clone(), refusal.clone())),
            ReadResult::Read(..) => None,
        })
        .collect()
}

fn unreadable_reason<'u>(
    unreadable: &'u UnreadableResources,
    id: &ResourceId,
) -> Option<&'u Error> {
    let (_, refusal) = unreadable.iter().find(|(other, _)| other == id)?;
    Some(refusal)
}

/// Limits the ownership of each child to that of its parent. A child without a parent keeps its own.
fn inherit_ownership<C: Sync>(graph: &Graph<C>, results: &mut [ReadResult]) {
    let of_parents: Vec<Option<Ownership>> = graph
        .nodes()
        .iter()
        .map(|node| {
            let parent = graph.index_of(&node.resource.parent()?.id)?;
            let actual = results[parent].actual();
            actual.map(|actual| actual.ownership.clone())
        })
        .collect();
    for (result, of_parent) in results.iter_mut().zip(of_parents) {
        if let (ReadResult::Read(Some(actual), _), Some(of_parent)) = (result, of_parent)
            && of_parent < actual.ownership
        {
            actual.ownership = of_parent;
        }
    }
}

fn plan_step<C: Sync>(
    node: &Node<C>,
    result: ReadResult,
    known: &KnownOutputs,
    unreadable: &UnreadableResources,
) -> PlanStep {
    let (actual, preserved, action) = match result {
        ReadResult::Denied(refusal) => (None, Vec::new(), Action::Unknown(refusal)),
        ReadResult::Read(actual, preserved) => {
            let resource = node.resource.as_ref();
            let action = decide_action(resource, actual.as_ref(), known, unreadable);
            (actual, preserved, action)
        }
    };
    PlanStep {
        id: node.id.clone(),
        action,
        actual,
        duplicates: Vec::new(),
        deletion_delay: node.resource.properties().deletion_delay,
        preserved,
        preview: DesiredPreview::of(node.resource.as_ref(), known),
    }
}

fn decide_action<C: Sync>(
    resource: &dyn Resource<C>,
    actual: Option<&Actual>,
    known: &KnownOutputs,
    unreadable: &UnreadableResources,
) -> Action {
    let Some(actual) = actual else {
        return Action::Create;
    };
    // The ownership of a child is unknown if its parent cannot be read.
    let parent = resource.parent();
    if let Some(refusal) = parent.and_then(|parent| unreadable_reason(unreadable, &parent.id)) {
        return Action::Unknown(refusal.clone());
    }
    if !actual.is_managed() {
        return Action::Conflict(Conflict::NotManaged {
            lacks_tags: !resource.ownership_tags().is_empty(),
        });
    }
    match compare(resource, actual, known, unreadable) {
        Ok(changes) if changes.is_empty() => Action::Keep,
        Ok(changes) => Action::Update(changes),
        Err(instead) => instead,
    }
}

/// Returns the changes to make. If they are unknown, or impossible in place, returns the action to plan instead.
fn compare<C: Sync>(
    resource: &dyn Resource<C>,
    actual: &Actual,
    known: &KnownOutputs,
    unreadable: &UnreadableResources,
) -> std::result::Result<Vec<Change>, Action> {
    let mut changes = diff(&actual.state, &resource.desired(known));
    // A value that depends on an unreadable resource may be correct already.
    let dependencies = resource.dependencies();
    let refusal = dependencies
        .iter()
        .find_map(|output| unreadable_reason(unreadable, &output.resource));
    if let Some(refusal) = refusal {
        let differed = !changes.is_empty();
        changes.retain(|change| change.after.is_some());
        if differed && changes.is_empty() {
            return Err(Action::Unknown(refusal.clone()));
        }
    }
    for change in &mut changes {
        change.reason = resource.reason(change);
    }
    let immutable = resource.properties().immutable_fields;
    if changes
        .iter()
        .any(|change| immutable.contains(&change.field))
    {
        return Err(Action::Conflict(Conflict::Immutable(changes)));
    }
    Ok(changes)
}
