//! The reconciliation engine: brings a cloud to a described state. It knows neither AWS nor the terminal.
//!
//! # Steps of a run
//!
//! 1. Describe: a [`Graph`](graph::Graph) lists the resources. Each one comes after those that it depends on, because
//!    it takes their [`Handle`](graph::Handle)s.
//! 2. Plan: [`Plan::read`](plan::Plan::read) reads every resource, compares it with its desired state, and decides an
//!    [`Action`](plan::Action) for each. It writes nothing.
//! 3. Execute: [`apply`](apply::apply) creates and updates, [`rollback`](rollback::rollback) reverts an apply, and
//!    [`destroy`](destroy::destroy) deletes. Independent steps run concurrently. After each write the engine reads until
//!    the write is visible.
//!
//! A run reports what it does as [`ReconcileEvent`](event::ReconcileEvent)s; it never prints.
//!
//! # Resource types
//!
//! A resource type implements two traits:
//!
//! - [`ResourceSpec`] holds facts that need no call: identity, dependencies, desired state, properties. Its methods are
//!   pure.
//! - [`Resource`] holds the calls: read, create, update, delete, and the reads before a deletion.
//!
//! The engine owns everything between the calls: order, concurrency, retries, ownership, waiting, and cancellation. A
//! resource type therefore makes each call once and returns the error of the service.
//!
//! # Ownership
//!
//! A resource is managed if its tags say so. The engine updates and deletes only managed resources. A resource without
//! tags of its own inherits the ownership of its [`Parent`]. An unmanaged resource is a conflict, or is adopted if the
//! caller asks for it.
//!
//! # Scopes
//!
//! Every node has a [`Scope`](scope::Scope): an account and a region. A [`CloudProvider`](scope::CloudProvider) connects
//! to each scope once per plan. If it is denied access to a scope, the resources in that scope are unknown, and the other
//! scopes are still reconciled.
//!
//! # Example
//!
//! ```
//! use std::collections::BTreeMap;
//! use std::sync::{Arc, Mutex};
//!
//! use async_trait::async_trait;
//! use heeler_ec::error::Result;
//! use heeler_ec::ownership::Ownership;
//! use heeler_ec::reconcile::apply::{ExecutionOptions, apply};
//! use heeler_ec::reconcile::graph::{Graph, Output, ResourceId};
//! use heeler_ec::reconcile::plan::Plan;
//! use heeler_ec::reconcile::scope::{CloudProvider, Scope};
//! use heeler_ec::reconcile::state::State;
//! use heeler_ec::reconcile::{Actual, KnownOutputs, Outputs, Resource, ResourceSpec};
//! use tokio_util::sync::CancellationToken;
//!
//! /// The cloud of this example: the content of each file, by name.
//! #[derive(Default)]
//! struct Disk(Mutex<BTreeMap<&'static str, String>>);
//!
//! struct File {
//!     name: &'static str,
//!     content: &'static str,
//! }
//!
//! impl ResourceSpec for File {
//!     fn id(&self) -> ResourceId {
//!         ResourceId::new("file", self.name)
//!     }
//!
//!     fn dependencies(&self) -> Vec<Output> {
//!         Vec::new()
//!     }
//!
//!     fn desired(&self, _: &KnownOutputs) -> State {
//!         State::default().with("content", self.content)
//!     }
//! }
//!
//! impl File {
//!     fn write(&self, disk: &Disk, desired: &State) {
//!         let content = desired.text("content").unwrap_or_default().to_owned();
//!         disk.0.lock().unwrap().insert(self.name, content);
//!     }
//! }
//!
//! #[async_trait]
//! impl Resource<Disk> for File {
//!     async fn read(&self, disk: &Disk, _: &KnownOutputs) -> Result<Option<Actual>> {
//!         Ok(disk.0.lock().unwrap().get(self.name).map(|content| Actual {
//!             state: State::default().with("content", content.as_str()),
//!             outputs: Outputs::new(),
//!             ownership: Ownership::Managed,
//!         }))
//!     }
//!
//!     async fn create(&self, disk: &Disk, desired: &State, _: &KnownOutputs) -> Result<Outputs> {
//!         self.write(disk, desired);
//!         Ok(Outputs::new())
//!     }
//!
//!     async fn update(&self, disk: &Disk, _: &Actual, desired: &State, _: &KnownOutputs) -> Result<()> {
//!         self.write(disk, desired);
//!         Ok(())
//!     }
//!
//!     async fn delete(&self, disk: &Disk, _: &Actual) -> Result<()> {
//!         disk.0.lock().unwrap().remove(self.name);
//!         Ok(())
//!     }
//! }
//!
//! /// One disk for every scope.
//! struct OneDisk(Arc<Disk>);
//!
//! #[async_trait]
//! impl CloudProvider<Disk> for OneDisk {
//!     async fn connect(&self, _: &Scope) -> Result<Arc<Disk>> {
//!         Ok(Arc::clone(&self.0))
//!     }
//! }
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<()> {
//! let mut graph = Graph::new(Scope::new("111122223333", "eu-west-1"));
//! graph.add(File { name: "greeting", content: "hello" });
//! let provider = OneDisk(Arc::default());
//!
//! let plan = Plan::read(&graph, &provider).await?;
//! assert!(!plan.is_empty());
//! apply(&plan, ExecutionOptions::new(&CancellationToken::new(), &|_| {})).await?;
//!
//! let second = Plan::read(&graph, &provider).await?;
//! assert!(second.is_empty());
//! # Ok(())
//! # }
//! ```

pub mod apply;
mod conflicting_run;
pub mod destroy;
pub mod diff;
pub mod event;
pub mod graph;
pub mod plan;
mod resource;
mod resource_id;
pub mod retry;
pub mod rollback;
pub mod scheduler;
pub mod scope;
pub mod state;

#[cfg(test)]
mod tests;

pub use resource::{
    Actual, Duplicate, KnownOutputs, OtherUsers, Outputs, Parent, Properties, Resource,
    ResourceSpec,
};
