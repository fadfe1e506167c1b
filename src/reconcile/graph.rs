//! Resources in an order in which each comes after all it needs.

use std::fmt;
use std::marker::PhantomData;

use super::{KnownOutputs, Outputs, Resource};

/// Kind and name: `queue heeler_event_collection_queue`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ResourceId {
    pub kind: &'static str,
    pub name: String,
}

impl fmt::Display for ResourceId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.kind, self.name)
    }
}

/// A value that a resource gives to others: that queue's `arn`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Output {
    pub resource: ResourceId,
    pub name: &'static str,
}

/// Proof that a resource of kind `R` is already in the graph.
pub struct Handle<R> {
    id: ResourceId,
    resource_type: PhantomData<fn() -> R>,
}

impl<R> Handle<R> {
    #[must_use]
    pub fn id(&self) -> &ResourceId {
        &self.id
    }

    #[must_use]
    pub fn output(&self, name: &'static str) -> Output {
        Output {
            resource: self.id.clone(),
            name,
        }
    }

    /// That it is there and settled, for one that has to come after it without using a value of it.
    #[must_use]
    pub fn completed(&self) -> Output {
        self.output("done")
    }
}

pub struct Graph<C> {
    nodes: Vec<Box<dyn Resource<C>>>,
    existing: Vec<(ResourceId, Outputs)>,
    /// The node that all later ones wait for.
    lock_node: Option<usize>,
}

impl<C: Sync> Default for Graph<C> {
    fn default() -> Self {
        Self {
            nodes: Vec::new(),
            existing: Vec::new(),
            lock_node: None,
        }
    }
}

impl<C: Sync> Graph<C> {
    pub fn add<R: Resource<C> + 'static>(&mut self, resource: R) -> Handle<R> {
        let id = resource.id();
        self.nodes.push(Box::new(resource));
        Handle {
            id,
            resource_type: PhantomData,
        }
    }

    /// A resource that is the customer's: referred to, never made, changed or deleted.
    pub fn existing<R>(&mut self, id: ResourceId, outputs: Outputs) -> Handle<R> {
        self.existing.push((id.clone(), outputs));
        Handle {
            id,
            resource_type: PhantomData,
        }
    }

    /// Everything that is added from now on waits for what was added last. Of runs side by side only one can make it,
    /// so the others end before they have made anything that two could have made.
    pub fn lock(&mut self) {
        self.lock_node = self.nodes.len().checked_sub(1);
    }

    pub(crate) fn lock_node(&self) -> Option<usize> {
        self.lock_node
    }

    #[must_use]
    pub fn nodes(&self) -> &[Box<dyn Resource<C>>] {
        &self.nodes
    }

    /// What names alone tell, before any call.
    #[must_use]
    pub fn initial_outputs(&self) -> KnownOutputs {
        let known = KnownOutputs::default();
        for (id, outputs) in &self.existing {
            known.record(id, outputs);
        }
        for node in &self.nodes {
            known.record(&node.id(), &node.static_outputs());
        }
        known
    }

    /// For each node the nodes that it needs.
    #[must_use]
    pub fn edges(&self) -> Vec<Vec<usize>> {
        let ids: Vec<ResourceId> = self.nodes.iter().map(|node| node.id()).collect();
        self.nodes
            .iter()
            .enumerate()
            .map(|(place, node)| {
                let mut needed: Vec<usize> = node
                    .dependencies()
                    .iter()
                    .filter_map(|output| ids.iter().position(|id| *id == output.resource))
                    .chain(self.lock_node.filter(|lock| *lock < place))
                    .collect();
                needed.sort_unstable();
                needed.dedup();
                needed
            })
            .collect()
    }
}
