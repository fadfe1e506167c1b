//! What would change: reads everything, writes nothing.

use futures_util::future::join_all;
use tokio::try_join;

use super::diff::{Change, diff};
use super::graph::{Graph, Id};
use super::{Known, Live, Owner, Resource};
use crate::error::{Error, Result};

#[derive(Clone, Debug, PartialEq)]
pub enum Action {
    Create,
    Update(Vec<Change>),
    /// It bears nobody's mark: it is given ours, and brought in line.
    Adopt(Adoption),
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
            | Self::Adopt(Adoption { changes, .. })
            | Self::Conflict(Conflict::Fixed(changes)) => changes,
            Self::Create | Self::Keep | Self::Conflict(Conflict::Foreign) | Self::Unknown(_) => &[],
        }
    }
}

/// What becomes of a resource that is adopted.
#[derive(Clone, Debug, PartialEq)]
pub struct Adoption {
    /// The tags that it gets.
    pub marks: Vec<(&'static str, String)>,
    pub changes: Vec<Change>,
}

/// Why a resource of that name cannot become ours.
#[derive(Clone, Debug, PartialEq)]
pub enum Conflict {
    /// It does not bear our mark.
    Foreign,
    /// It would have to be made anew.
    Fixed(Vec<Change>),
}

#[derive(Debug)]
pub struct Step {
    pub id: Id,
    pub action: Action,
    pub live: Option<Live>,
    /// What else the document it lives in holds, and keeps.
    pub stays: Vec<String>,
}

impl Step {
    /// Whether it is in the way only because it bears nobody's mark.
    #[must_use]
    pub fn can_be_adopted(&self) -> bool {
        let nobodys = |live: &Live| live.owner == Owner::Nobody;
        self.action == Action::Conflict(Conflict::Foreign)
            && self.live.as_ref().is_some_and(nobodys)
    }
}

pub struct Plan<'g, C> {
    pub(crate) graph: &'g Graph<C>,
    pub steps: Vec<Step>,
    pub(crate) known: Known,
    holes: Holes,
}

impl<'g, C: Sync> Plan<'g, C> {
    /// Reads every resource, all at once. What the caller may not read is a hole, and the rest is told.
    ///
    /// # Errors
    /// The first read that failed for another reason: nobody can tell then what there is.
    pub async fn read(graph: &'g Graph<C>, cloud: &C) -> Result<Self> {
        let known = graph.known();
        let reads = graph.nodes().iter().map(|node| {
            let known = &known;
            async move { try_join!(node.read(cloud, known), node.stays(cloud, known)) }
        });
        let mut found = Vec::new();
        for read in join_all(reads).await {
            found.push(match read {
                Ok((live, stays)) => Found::There(live, stays),
                Err(refusal) if refusal.is_denied() => Found::Hidden(refusal),
                Err(failure) => return Err(failure),
            });
        }
        for (node, found) in graph.nodes().iter().zip(&found) {
            if let Some(live) = found.live() {
                known.learn(&node.id(), &live.outputs);
            }
        }
        inherit_ownership(graph, &mut found);
        let holes = holes(graph, &found);
        let steps = graph
            .nodes()
            .iter()
            .zip(found)
            .map(|(node, found)| step(node.as_ref(), found, &known, &holes))
            .collect();
        Ok(Self {
            graph,
            steps,
            known,
            holes,
        })
    }

    /// The same plan, where what bears nobody's mark is taken over instead of being in the way.
    #[must_use]
    pub fn adopting(mut self) -> Self {
        for (step, node) in self.steps.iter_mut().zip(self.graph.nodes()) {
            if step.can_be_adopted()
                && let Some(live) = &step.live
            {
                step.action = match compared(node.as_ref(), live, &self.known, &self.holes) {
                    Ok(changes) => Action::Adopt(Adoption {
                        marks: node.marks(),
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
    pub fn hole(&self) -> Option<&Error> {
        self.holes.first().map(|(_, refusal)| refusal)
    }

    /// Whether nothing would be created or changed.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.steps.iter().all(|step| step.action == Action::Keep)
    }

    pub fn conflicts(&self) -> impl Iterator<Item = &Step> {
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
    pub fn documents(&self, writes: impl Fn(&Step) -> bool) -> Vec<Id> {
        let nodes = self.steps.iter().zip(self.graph.nodes());
        let mut documents: Vec<Id> = nodes
            .filter(|(step, _)| writes(step))
            .flat_map(|(_, node)| node.documents(&self.known))
            .collect();
        documents.sort();
        documents.dedup();
        documents
    }

    /// The live form of one resource.
    #[must_use]
    pub fn live(&self, id: &Id) -> Option<&Live> {
        self.steps.iter().find(|step| step.id == *id)?.live.as_ref()
    }
}

/// What one read told.
enum Found {
    There(Option<Live>, Vec<String>),
    Hidden(Error),
}

impl Found {
    fn live(&self) -> Option<&Live> {
        match self {
            Self::There(live, _) => live.as_ref(),
            Self::Hidden(_) => None,
        }
    }
}

/// The resources that could not be read, with the refusal.
type Holes = Vec<(Id, Error)>;

fn holes<C: Sync>(graph: &Graph<C>, found: &[Found]) -> Holes {
    let nodes = graph.nodes().iter().zip(found);
    nodes
        .filter_map(|(node, found)| match found {
            Found::Hidden(refusal) => Some((node.id(), refusal.clone())),
            Found::There(..) => None,
        })
        .collect()
}

fn hole<'h>(holes: &'h Holes, id: &Id) -> Option<&'h Error> {
    let (_, refusal) = holes.iter().find(|(hidden, _)| hidden == id)?;
    Some(refusal)
}

/// A part is ours when the whole is and it does not say otherwise; when the whole is gone, it speaks for itself.
fn inherit_ownership<C: Sync>(graph: &Graph<C>, found: &mut [Found]) {
    let owners: Vec<Option<Owner>> = graph
        .nodes()
        .iter()
        .map(|node| {
            let part = node.part_of()?;
            let whole = graph
                .nodes()
                .iter()
                .position(|other| other.id() == part.of)?;
            found[whole].live().map(|live| live.owner)
        })
        .collect();
    for (found, whole) in found.iter_mut().zip(owners) {
        if let (Found::There(Some(live), _), Some(whole)) = (found, whole) {
            live.owner = live.owner.min(whole);
        }
    }
}

fn step<C: Sync>(node: &dyn Resource<C>, found: Found, known: &Known, holes: &Holes) -> Step {
    let (live, stays, action) = match found {
        Found::Hidden(refusal) => (None, Vec::new(), Action::Unknown(refusal)),
        Found::There(live, stays) => {
            let action = action(node, live.as_ref(), known, holes);
            (live, stays, action)
        }
    };
    Step {
        id: node.id(),
        action,
        live,
        stays,
    }
}

fn action<C: Sync>(
    node: &dyn Resource<C>,
    live: Option<&Live>,
    known: &Known,
    holes: &Holes,
) -> Action {
    let Some(live) = live else {
        return Action::Create;
    };
    // Whose a part is, its whole would tell.
    if let Some(refusal) = node.part_of().and_then(|part| hole(holes, &part.of)) {
        return Action::Unknown(refusal.clone());
    }
    if !live.is_ours() {
        return Action::Conflict(Conflict::Foreign);
    }
    match compared(node, live, known, holes) {
        Ok(changes) if changes.is_empty() => Action::Keep,
        Ok(changes) => Action::Update(changes),
        Err(instead) => instead,
    }
}

/// What would have to change; when that cannot be told, or cannot be done in place, what its step is instead.
fn compared<C: Sync>(
    node: &dyn Resource<C>,
    live: &Live,
    known: &Known,
    holes: &Holes,
) -> std::result::Result<Vec<Change>, Action> {
    let mut changes = diff(&live.state, &node.desired(known));
    // A value that only a hole would tell may be what is there already.
    let needs = node.needs();
    if let Some(refusal) = needs.iter().find_map(|output| hole(holes, &output.of)) {
        let differed = !changes.is_empty();
        changes.retain(|change| change.after.is_some());
        if differed && changes.is_empty() {
            return Err(Action::Unknown(refusal.clone()));
        }
    }
    for change in &mut changes {
        change.reason = node.reason(change);
    }
    let is_fixed = |change: &Change| node.fixed().contains(&change.field);
    if changes.iter().any(is_fixed) {
        return Err(Action::Conflict(Conflict::Fixed(changes)));
    }
    Ok(changes)
}
