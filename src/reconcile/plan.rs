//! What would change: reads everything, writes nothing.

use futures_util::future::join_all;
use tokio::try_join;

use super::diff::{Change, diff};
use super::graph::{Graph, ResourceId};
use super::{Actual, KnownOutputs, Resource};
use crate::error::{Error, Result};
use crate::ownership::Ownership;

#[derive(Clone, Debug, PartialEq)]
pub enum Action {
    Create,
    Update(Vec<Change>),
    /// It bears nobody's mark: it is given ours, and brought in line.
    Adopt(AdoptionPlan),
    Keep,
    Conflict(Conflict),
    /// It, or what it is judged by, must not be read.
    Unknown(Error),
}

impl Action {
    /// What differs of one that is there.
    #[must_use]
    pub fn changes(&self) -> &[Change] {
        match self {
            Self::Update(changes)
            | Self::Adopt(AdoptionPlan { changes, .. })
            | Self::Conflict(Conflict::Immutable(changes)) => changes,
            Self::Create | Self::Keep | Self::Conflict(Conflict::NotManaged) | Self::Unknown(_) => {
                &[]
            }
        }
    }
}

/// What becomes of a resource that is adopted.
#[derive(Clone, Debug, PartialEq)]
pub struct AdoptionPlan {
    /// The tags that it gets.
    pub tags: Vec<(&'static str, String)>,
    pub changes: Vec<Change>,
}

/// Why a resource of that name cannot become ours.
#[derive(Clone, Debug, PartialEq)]
pub enum Conflict {
    /// It does not bear our mark.
    NotManaged,
    /// It would have to be made anew.
    Immutable(Vec<Change>),
}

#[derive(Debug)]
pub struct PlanStep {
    pub id: ResourceId,
    pub action: Action,
    pub actual: Option<Actual>,
    /// What else the document it lives in holds, and keeps.
    pub preserved: Vec<String>,
}

impl PlanStep {
    /// Whether it is in the way only because it bears nobody's mark.
    #[must_use]
    pub fn can_be_adopted(&self) -> bool {
        let nobodys = |live: &Actual| live.ownership == Ownership::Unmanaged;
        self.action == Action::Conflict(Conflict::NotManaged)
            && self.actual.as_ref().is_some_and(nobodys)
    }
}

pub struct Plan<'g, C> {
    pub(crate) graph: &'g Graph<C>,
    pub steps: Vec<PlanStep>,
    pub(crate) known: KnownOutputs,
    unreadable: UnreadableResources,
}

impl<'g, C: Sync> Plan<'g, C> {
    /// Reads every resource, all at once. What the caller may not read is a hole, and the rest is told.
    ///
    /// # Errors
    /// The first read that failed for another reason: nobody can tell then what there is.
    pub async fn read(graph: &'g Graph<C>, cloud: &C) -> Result<Self> {
        let known = graph.initial_outputs();
        let reads = graph.nodes().iter().map(|node| {
            let known = &known;
            async move {
                try_join!(
                    node.read(cloud, known),
                    node.preserved_content(cloud, known)
                )
            }
        });
        let mut found = Vec::new();
        for read in join_all(reads).await {
            found.push(match read {
                Ok((live, stays)) => ReadResult::Read(live, stays),
                Err(refusal) if refusal.is_denied() => ReadResult::Denied(refusal),
                Err(failure) => return Err(failure),
            });
        }
        for (node, found) in graph.nodes().iter().zip(&found) {
            if let Some(live) = found.actual() {
                known.record(&node.id(), &live.outputs);
            }
        }
        inherit_ownership(graph, &mut found);
        let holes = unreadable_resources(graph, &found);
        let steps = graph
            .nodes()
            .iter()
            .zip(found)
            .map(|(node, found)| plan_step(node.as_ref(), found, &known, &holes))
            .collect();
        Ok(Self {
            graph,
            steps,
            known,
            unreadable: holes,
        })
    }

    /// The same plan, where what bears nobody's mark is taken over instead of being in the way.
    #[must_use]
    pub fn with_adoption(mut self) -> Self {
        for (step, node) in self.steps.iter_mut().zip(self.graph.nodes()) {
            if step.can_be_adopted()
                && let Some(live) = &step.actual
            {
                step.action = match compare(node.as_ref(), live, &self.known, &self.unreadable) {
                    Ok(changes) => Action::Adopt(AdoptionPlan {
                        tags: node.ownership_tags(),
                        changes,
                    }),
                    Err(instead) => instead,
                };
            }
        }
        self
    }

    /// The first refusal to let something be read: with one nothing may be written.
    #[must_use]
    pub fn first_unreadable(&self) -> Option<&Error> {
        self.unreadable.first().map(|(_, refusal)| refusal)
    }

    /// Whether nothing would be created or changed.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.steps.iter().all(|step| step.action == Action::Keep)
    }

    pub fn conflicts(&self) -> impl Iterator<Item = &PlanStep> {
        self.steps
            .iter()
            .filter(|step| matches!(step.action, Action::Conflict(_)))
    }

    /// An output that was read, or that follows from a name.
    #[must_use]
    pub fn output(&self, output: &super::graph::Output) -> Option<String> {
        self.known.get(output)
    }

    /// The documents that these steps write, each once.
    #[must_use]
    pub fn documents(&self, writes: impl Fn(&PlanStep) -> bool) -> Vec<ResourceId> {
        let nodes = self.steps.iter().zip(self.graph.nodes());
        let mut documents: Vec<ResourceId> = nodes
            .filter(|(step, _)| writes(step))
            .flat_map(|(_, node)| node.shared_documents(&self.known))
            .collect();
        documents.sort();
        documents.dedup();
        documents
    }

    /// The live form of one resource.
    #[must_use]
    pub fn actual(&self, id: &ResourceId) -> Option<&Actual> {
        self.steps
            .iter()
            .find(|step| step.id == *id)?
            .actual
            .as_ref()
    }
}

/// What one read told.
enum ReadResult {
    Read(Option<Actual>, Vec<String>),
    Denied(Error),
}

impl ReadResult {
    fn actual(&self) -> Option<&Actual> {
        match self {
            Self::Read(live, _) => live.as_ref(),
            Self::Denied(_) => None,
        }
    }
}

/// The resources that could not be read, with the refusal.
type UnreadableResources = Vec<(ResourceId, Error)>;

fn unreadable_resources<C: Sync>(graph: &Graph<C>, found: &[ReadResult]) -> UnreadableResources {
    let nodes = graph.nodes().iter().zip(found);
    nodes
        .filter_map(|(node, found)| match found {
            ReadResult::Denied(refusal) => Some((node.id(), refusal.clone())),
            ReadResult::Read(..) => None,
        })
        .collect()
}

fn unreadable_reason<'h>(holes: &'h UnreadableResources, id: &ResourceId) -> Option<&'h Error> {
    let (_, refusal) = holes.iter().find(|(hidden, _)| hidden == id)?;
    Some(refusal)
}

/// A part is ours when the whole is and it does not say otherwise; when the whole is gone, it speaks for itself.
fn inherit_ownership<C: Sync>(graph: &Graph<C>, found: &mut [ReadResult]) {
    let owners: Vec<Option<Ownership>> = graph
        .nodes()
        .iter()
        .map(|node| {
            let part = node.parent()?;
            let whole = graph
                .nodes()
                .iter()
                .position(|other| other.id() == part.id)?;
            found[whole].actual().map(|live| live.ownership.clone())
        })
        .collect();
    for (found, whole) in found.iter_mut().zip(owners) {
        if let (ReadResult::Read(Some(live), _), Some(whole)) = (found, whole) {
            if whole < live.ownership {
                live.ownership = whole;
            }
        }
    }
}

fn plan_step<C: Sync>(
    node: &dyn Resource<C>,
    found: ReadResult,
    known: &KnownOutputs,
    holes: &UnreadableResources,
) -> PlanStep {
    let (live, stays, action) = match found {
        ReadResult::Denied(refusal) => (None, Vec::new(), Action::Unknown(refusal)),
        ReadResult::Read(live, stays) => {
            let action = decide_action(node, live.as_ref(), known, holes);
            (live, stays, action)
        }
    };
    PlanStep {
        id: node.id(),
        action,
        actual: live,
        preserved: stays,
    }
}

fn decide_action<C: Sync>(
    node: &dyn Resource<C>,
    live: Option<&Actual>,
    known: &KnownOutputs,
    holes: &UnreadableResources,
) -> Action {
    let Some(live) = live else {
        return Action::Create;
    };
    // Whose a part is, its whole would tell.
    if let Some(refusal) = node
        .parent()
        .and_then(|part| unreadable_reason(holes, &part.id))
    {
        return Action::Unknown(refusal.clone());
    }
    if !live.is_managed() {
        return Action::Conflict(Conflict::NotManaged);
    }
    match compare(node, live, known, holes) {
        Ok(changes) if changes.is_empty() => Action::Keep,
        Ok(changes) => Action::Update(changes),
        Err(instead) => instead,
    }
}

/// What would have to change; when that cannot be told, or cannot be done in place, what its step is instead.
fn compare<C: Sync>(
    node: &dyn Resource<C>,
    live: &Actual,
    known: &KnownOutputs,
    holes: &UnreadableResources,
) -> std::result::Result<Vec<Change>, Action> {
    let mut changes = diff(&live.state, &node.desired(known));
    // A value that only a hole would tell may be what is there already.
    let needs = node.dependencies();
    if let Some(refusal) = needs
        .iter()
        .find_map(|output| unreadable_reason(holes, &output.resource))
    {
        let differed = !changes.is_empty();
        changes.retain(|change| change.after.is_some());
        if differed && changes.is_empty() {
            return Err(Action::Unknown(refusal.clone()));
        }
    }
    for change in &mut changes {
        change.reason = node.reason(change);
    }
    let is_fixed = |change: &Change| node.immutable_fields().contains(&change.field);
    if changes.iter().any(is_fixed) {
        return Err(Action::Conflict(Conflict::Immutable(changes)));
    }
    Ok(changes)
}
