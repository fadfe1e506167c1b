//! When things are done: the engine that brings a cloud to a described state. Knows no AWS and no terminal.

pub mod apply;
pub mod cancel;
pub mod destroy;
pub mod diff;
pub mod event;
pub mod graph;
pub mod plan;
pub mod retry;
pub mod rollback;
pub mod scheduler;
pub mod state;

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;

use crate::error::{Error, Result};
use crate::ownership::Ownership;
use diff::Change;
use graph::{Output, ResourceId};
use state::State;

/// What a resource gives to others, by name: `arn`, `url`.
pub type Outputs = BTreeMap<&'static str, String>;

/// A resource as the cloud has it.
#[derive(Clone, Debug)]
pub struct Actual {
    pub state: State,
    pub outputs: Outputs,
    pub ownership: Ownership,
}

impl Actual {
    #[must_use]
    pub fn is_managed(&self) -> bool {
        self.ownership == Ownership::Managed
    }
}

/// The resource whose mark speaks for one that can bear none.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Parent {
    pub id: ResourceId,
    /// Whether deleting the whole deletes the part.
    pub deletes_children: bool,
}

/// The outputs learnt so far.
#[derive(Debug, Default)]
pub struct KnownOutputs(Mutex<BTreeMap<Output, String>>);

impl KnownOutputs {
    #[must_use]
    pub fn get(&self, output: &Output) -> Option<String> {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .get(output)
            .cloned()
    }

    /// The same, where the walk's order promises that it is known.
    ///
    /// # Errors
    /// When it is not, which is a mistake in the description.
    pub fn require(&self, output: &Output) -> Result<String> {
        self.get(output).ok_or_else(|| {
            Error::failed(
                format!("use the {} of {}", output.name, output.resource),
                "it is not known yet",
            )
        })
    }

    pub(crate) fn record(&self, of: &ResourceId, outputs: &Outputs) {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        for (name, value) in outputs {
            known.insert(
                Output {
                    resource: of.clone(),
                    name,
                },
                value.clone(),
            );
        }
    }
}

/// One kind of thing in the cloud `C`: how it is read, made, changed and deleted.
#[async_trait]
pub trait Resource<C: Sync>: Send + Sync {
    fn id(&self) -> ResourceId;

    /// The outputs of others that it is made of.
    fn dependencies(&self) -> Vec<Output>;

    /// The outputs that follow from names alone, known before anything exists.
    fn static_outputs(&self) -> Outputs {
        Outputs::new()
    }

    fn desired(&self, known: &KnownOutputs) -> State;

    /// Fields that cannot change in place; a difference there is a conflict, not an update.
    fn immutable_fields(&self) -> &'static [&'static str] {
        &[]
    }

    /// Fields whose former value cannot be written again.
    fn irreversible_fields(&self) -> &'static [&'static str] {
        &[]
    }

    fn parent(&self) -> Option<Parent> {
        None
    }

    /// What a difference means, where it does not speak for itself.
    fn reason(&self, _change: &Change) -> Option<String> {
        None
    }

    /// Whether it goes by itself: then nothing can delete it, and nobody waits for it.
    fn is_expiring(&self, _live: &Actual) -> bool {
        false
    }

    /// Whether what it needs cannot be deleted as long as it is there.
    fn blocks_deletion_of_dependencies(&self) -> bool {
        false
    }

    /// Whether the others are found again through it: then it is taken down last of all.
    fn is_anchor(&self) -> bool {
        false
    }

    /// What `mark` writes: tags, with their values.
    fn ownership_tags(&self) -> Vec<(&'static str, String)> {
        Vec::new()
    }

    /// How long the same call may be refused like this and still succeed later. `None` for a final refusal.
    fn retry_budget(&self, _refusal: &Error) -> Option<Duration> {
        None
    }

    /// How many reads side by side have to agree, for a service whose replicas answer differently for a while.
    fn agreeing_reads(&self) -> usize {
        1
    }

    /// What else is in the document that it is written into, and stays in it.
    async fn preserved_content(&self, _cloud: &C, _known: &KnownOutputs) -> Result<Vec<String>> {
        Ok(Vec::new())
    }

    /// The documents that it is written into, as wholes; each may belong to others, too.
    fn shared_documents(&self, _known: &KnownOutputs) -> Vec<ResourceId> {
        Vec::new()
    }

    /// What of others would break if it were deleted.
    async fn used_by(&self, _cloud: &C) -> Result<Vec<String>> {
        Ok(Vec::new())
    }

    /// Makes one that is there ours, and changes nothing else of it. What can bear no mark needs none.
    async fn take_ownership(&self, _cloud: &C, _live: &Actual) -> Result<()> {
        Ok(())
    }

    async fn read(&self, cloud: &C, known: &KnownOutputs) -> Result<Option<Actual>>;
    /// Makes it, and says what the cloud's answer told of it.
    async fn create(&self, cloud: &C, want: &State, known: &KnownOutputs) -> Result<Outputs>;
    /// Brings it from `live` to `want`: what is desired, or what was there before.
    async fn update(
        &self,
        cloud: &C,
        live: &Actual,
        want: &State,
        known: &KnownOutputs,
    ) -> Result<()>;
    async fn delete(&self, cloud: &C, live: &Actual) -> Result<()>;

    /// Takes back what this run made, and nothing that was there before it.
    async fn undo_create(&self, cloud: &C, live: &Actual) -> Result<()> {
        self.delete(cloud, live).await
    }
}
