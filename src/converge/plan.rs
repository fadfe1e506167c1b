//! What would change: reads everything, writes nothing.

use futures_util::future::join_all;
use tokio::try_join;

use super::diff::{Change, diff};
use super::graph::{Graph, Id};
use super::{Known, Live, Owner, Resource};
use crate::error::Result;

#[derive(Clone, Debug, PartialEq)]
pub enum Action {
    Create,
    Update(Vec<Change>),
    /// It bears nobody's mark: it is given ours, and brought in line.
    Adopt(Adoption),
    Keep,
    Conflict(Conflict),
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
}

impl<'g, C: Sync> Plan<'g, C> {
    /// Reads every resource, all at once.
    ///
    /// # Errors
    /// The first read that failed: a plan with holes is no plan.
    pub async fn read(graph: &'g Graph<C>, cloud: &C) -> Result<Self> {
        let known = graph.known();
        let reads = graph.nodes().iter().map(|node| {
            let known = &known;
            async move { try_join!(node.read(cloud, known), node.stays(cloud, known)) }
        });
        let (mut found, mut stays) = (Vec::new(), Vec::new());
        for read in join_all(reads).await {
            let (live, others) = read?;
            found.push(live);
            stays.push(others);
        }
        for (node, live) in graph.nodes().iter().zip(&found) {
            if let Some(live) = live {
                known.learn(&node.id(), &live.outputs);
            }
        }
        inherit_ownership(graph, &mut found);
        let steps = graph
            .nodes()
            .iter()
            .zip(found.into_iter().zip(stays))
            .map(|(node, (live, stays))| Step {
                stays,
                ..step(node.as_ref(), live, &known)
            })
            .collect();
        Ok(Self {
            graph,
            steps,
            known,
        })
    }

    /// The same plan, where what bears nobody's mark is taken over instead of being in the way.
    #[must_use]
    pub fn adopting(mut self) -> Self {
        for (step, node) in self.steps.iter_mut().zip(self.graph.nodes()) {
            if step.can_be_adopted()
                && let Some(live) = &step.live
            {
                step.action = match compared(node.as_ref(), live, &self.known) {
                    Ok(changes) => Action::Adopt(Adoption {
                        marks: node.marks(),
                        changes,
                    }),
                    Err(fixed) => Action::Conflict(fixed),
                };
            }
        }
        self
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

    /// The live form of one resource.
    #[must_use]
    pub fn live(&self, id: &Id) -> Option<&Live> {
        self.steps.iter().find(|step| step.id == *id)?.live.as_ref()
    }
}

/// A part is ours when the whole is and it does not say otherwise; when the whole is gone, it speaks for itself.
fn inherit_ownership<C: Sync>(graph: &Graph<C>, found: &mut [Option<Live>]) {
    let owners: Vec<Option<Owner>> = graph
        .nodes()
        .iter()
        .map(|node| {
            let part = node.part_of()?;
            let whole = graph
                .nodes()
                .iter()
                .position(|other| other.id() == part.of)?;
            found[whole].as_ref().map(|live| live.owner)
        })
        .collect();
    for (live, whole) in found.iter_mut().zip(owners) {
        if let (Some(live), Some(whole)) = (live, whole) {
            live.owner = live.owner.min(whole);
        }
    }
}

fn step<C: Sync>(node: &dyn Resource<C>, live: Option<Live>, known: &Known) -> Step {
    let action = match &live {
        None => Action::Create,
        Some(live) if !live.is_ours() => Action::Conflict(Conflict::Foreign),
        Some(live) => match compared(node, live, known) {
            Ok(changes) if changes.is_empty() => Action::Keep,
            Ok(changes) => Action::Update(changes),
            Err(fixed) => Action::Conflict(fixed),
        },
    };
    Step {
        id: node.id(),
        action,
        live,
        stays: Vec::new(),
    }
}

/// What would have to change, unless it cannot in place.
fn compared<C: Sync>(
    node: &dyn Resource<C>,
    live: &Live,
    known: &Known,
) -> std::result::Result<Vec<Change>, Conflict> {
    let changes = diff(&live.state, &node.desired(known));
    let fixed = |change: &Change| node.fixed().contains(&change.field);
    if changes.iter().any(fixed) {
        return Err(Conflict::Fixed(changes));
    }
    Ok(changes)
}
