//! What would change: reads everything, writes nothing.

use futures_util::future::join_all;
use tokio::try_join;

use super::diff::{Change, diff};
use super::graph::{Graph, Id};
use super::{Known, Live, Resource};
use crate::error::Result;

#[derive(Clone, Debug, PartialEq)]
pub enum Action {
    Create,
    Update(Vec<Change>),
    Keep,
    Conflict(Conflict),
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
            async move { try_join!(node.read(cloud, known), node.stays(cloud)) }
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

/// A part is ours when the whole is and it does not say otherwise; when the whole is gone, it speaks for itself.
fn inherit_ownership<C: Sync>(graph: &Graph<C>, found: &mut [Option<Live>]) {
    let owners: Vec<Option<bool>> = graph
        .nodes()
        .iter()
        .map(|node| {
            let part = node.part_of()?;
            let whole = graph
                .nodes()
                .iter()
                .position(|other| other.id() == part.of)?;
            found[whole].as_ref().map(|live| live.ours)
        })
        .collect();
    for (live, ours) in found.iter_mut().zip(owners) {
        if let (Some(live), Some(ours)) = (live, ours) {
            live.ours &= ours;
        }
    }
}

fn step<C: Sync>(node: &dyn Resource<C>, live: Option<Live>, known: &Known) -> Step {
    let action = match &live {
        None => Action::Create,
        Some(live) if !live.ours => Action::Conflict(Conflict::Foreign),
        Some(live) => {
            let changes = diff(&live.state, &node.desired(known));
            if changes.is_empty() {
                Action::Keep
            } else if changes
                .iter()
                .any(|change| node.fixed().contains(&change.field))
            {
                Action::Conflict(Conflict::Fixed(changes))
            } else {
                Action::Update(changes)
            }
        }
    };
    Step {
        id: node.id(),
        action,
        live,
        stays: Vec::new(),
    }
}
