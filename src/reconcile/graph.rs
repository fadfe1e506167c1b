//! The resource graph: nodes in an order in which each one comes after its dependencies.

use std::collections::BTreeSet;
use std::marker::PhantomData;

use super::scope::Scope;
use super::{KnownOutputs, Outputs, Resource};

pub use super::resource_id::{Output, ResourceId};

/// Proof that a resource of type `R` is already in the graph.
pub struct Handle<R> {
    id: ResourceId,
    resource_type: PhantomData<fn() -> R>,
}

impl<R> Handle<R> {
    fn new(id: ResourceId) -> Self {
        Self {
            id,
            resource_type: PhantomData,
        }
    }

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

    /// Completion of the resource, for a dependent that uses none of its values.
    #[must_use]
    pub fn completed(&self) -> Output {
        self.output("completed")
    }
}

/// A resource in its scope.
pub struct Node<C> {
    pub id: ResourceId,
    pub scope: Scope,
    pub resource: Box<dyn Resource<C>>,
}

/// The resources to reconcile and their dependencies.
pub struct Graph<C> {
    home: Scope,
    nodes: Vec<Node<C>>,
    existing: Vec<(ResourceId, Outputs)>,
    /// Indices of the nodes that all later nodes wait for.
    lock_nodes: Vec<usize>,
}

impl<C: Sync> Graph<C> {
    /// Creates a graph whose resources are in the scope `home` unless another one is given.
    #[must_use]
    pub fn new(home: Scope) -> Self {
        Self {
            home,
            nodes: Vec::new(),
            existing: Vec::new(),
            lock_nodes: Vec::new(),
        }
    }

    #[must_use]
    pub fn home(&self) -> &Scope {
        &self.home
    }

    /// Adds a resource in the home scope.
    pub fn add<R: Resource<C> + 'static>(&mut self, resource: R) -> Handle<R> {
        self.add_in(&self.home.clone(), resource)
    }

    /// Adds a resource in another account or region.
    pub fn add_in<R: Resource<C> + 'static>(&mut self, scope: &Scope, resource: R) -> Handle<R> {
        let id = ResourceId {
            scope: (*scope != self.home).then(|| scope.clone()),
            ..resource.id()
        };
        self.nodes.push(Node {
            id: id.clone(),
            scope: scope.clone(),
            resource: Box::new(resource),
        });
        Handle::new(id)
    }

    /// Adds a resource of the customer: others refer to it, and it is never created, changed or deleted.
    pub fn existing<R>(&mut self, id: ResourceId, outputs: Outputs) -> Handle<R> {
        self.existing.push((id.clone(), outputs));
        Handle::new(id)
    }

    /// The resources of the customer that others refer to.
    pub fn existing_resources(&self) -> impl Iterator<Item = &ResourceId> {
        self.existing.iter().map(|(id, _)| id)
    }

    /// Makes all resources that are added later wait for the last one added so far. Only one of several concurrent runs
    /// can create that resource; the others stop before they create anything else. A graph may have several locks.
    pub fn lock(&mut self) {
        self.lock_nodes.extend(self.nodes.len().checked_sub(1));
    }

    pub(crate) fn lock_nodes(&self) -> &[usize] {
        &self.lock_nodes
    }

    #[must_use]
    pub fn nodes(&self) -> &[Node<C>] {
        &self.nodes
    }

    /// The scopes of all nodes.
    #[must_use]
    pub fn scopes(&self) -> BTreeSet<&Scope> {
        self.nodes.iter().map(|node| &node.scope).collect()
    }

    /// Outputs that are known before any call.
    #[must_use]
    pub fn initial_outputs(&self) -> KnownOutputs {
        let known = KnownOutputs::default();
        for (id, outputs) in &self.existing {
            known.record(id, outputs);
        }
        for node in &self.nodes {
            known.record(&node.id, &node.resource.static_outputs());
        }
        known
    }

    /// For each node, the indices of the nodes that it depends on.
    #[must_use]
    pub fn edges(&self) -> Vec<Vec<usize>> {
        self.nodes
            .iter()
            .enumerate()
            .map(|(index, node)| {
                let mut dependencies: Vec<usize> = node
                    .resource
                    .dependencies()
                    .iter()
                    .filter_map(|output| self.index_of(&output.resource))
                    .chain(self.lock_nodes.iter().copied().filter(|lock| *lock < index))
                    .collect();
                dependencies.sort_unstable();
                dependencies.dedup();
                dependencies
            })
            .collect()
    }

    pub(super) fn index_of(&self, id: &ResourceId) -> Option<usize> {
        self.nodes.iter().position(|node| node.id == *id)
    }
}
