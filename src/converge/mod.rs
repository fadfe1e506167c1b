//! When things are done: the engine that brings a cloud to a described state. Knows no AWS and no terminal.

pub mod apply;
pub mod destroy;
pub mod diff;
pub mod event;
pub mod graph;
pub mod patience;
pub mod plan;
pub mod rollback;
pub mod state;
pub mod stop;
pub mod walk;

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;

use crate::error::{Error, Result};
use diff::Change;
use graph::{Id, Output};
use state::State;

/// What a resource gives to others, by name: `arn`, `url`.
pub type Outputs = BTreeMap<&'static str, String>;

/// Whose a resource is, by the mark that it bears; in the order in which a whole rules its parts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Owner {
    /// It bears the mark of somebody else, or says otherwise that it is theirs.
    Other,
    /// It bears no mark, so it can be adopted.
    Nobody,
    Us,
}

/// A resource as the cloud has it.
#[derive(Clone, Debug)]
pub struct Live {
    pub state: State,
    pub outputs: Outputs,
    pub owner: Owner,
}

impl Live {
    #[must_use]
    pub fn is_ours(&self) -> bool {
        self.owner == Owner::Us
    }
}

/// The resource whose mark speaks for one that can bear none.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Part {
    pub of: Id,
    /// Whether deleting the whole deletes the part.
    pub goes_with_it: bool,
}

/// The outputs learnt so far.
#[derive(Debug, Default)]
pub struct Known(Mutex<BTreeMap<Output, String>>);

impl Known {
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
    pub fn need(&self, output: &Output) -> Result<String> {
        self.get(output).ok_or_else(|| {
            Error::unanswered(
                format!("use the {} of {}", output.name, output.of),
                "it is not known yet",
            )
        })
    }

    pub(crate) fn learn(&self, of: &Id, outputs: &Outputs) {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        for (name, value) in outputs {
            known.insert(
                Output {
                    of: of.clone(),
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
    fn id(&self) -> Id;

    /// The outputs of others that it is made of.
    fn needs(&self) -> Vec<Output>;

    /// The outputs that follow from names alone, known before anything exists.
    fn named(&self) -> Outputs {
        Outputs::new()
    }

    fn desired(&self, known: &Known) -> State;

    /// Fields that cannot change in place; a difference there is a conflict, not an update.
    fn fixed(&self) -> &'static [&'static str] {
        &[]
    }

    /// Fields whose former value cannot be written again.
    fn lasting(&self) -> &'static [&'static str] {
        &[]
    }

    fn part_of(&self) -> Option<Part> {
        None
    }

    /// What a difference means, where it does not speak for itself.
    fn reason(&self, _change: &Change) -> Option<String> {
        None
    }

    /// Whether it goes by itself: then nothing can delete it, and nobody waits for it.
    fn lapses(&self, _live: &Live) -> bool {
        false
    }

    /// Whether what it needs cannot be deleted as long as it is there.
    fn holds(&self) -> bool {
        false
    }

    /// Whether the others are found again through it: then it is taken down last of all.
    fn leads_to_others(&self) -> bool {
        false
    }

    /// What `mark` writes: tags, with their values.
    fn marks(&self) -> Vec<(&'static str, String)> {
        Vec::new()
    }

    /// How long the same call may be refused like this and still succeed later. `None` for a final refusal.
    fn patience(&self, _refusal: &Error) -> Option<Duration> {
        None
    }

    /// How many reads side by side have to agree, for a service whose replicas answer differently for a while.
    fn reads_to_agree(&self) -> usize {
        1
    }

    /// What else is in the document that it is written into, and stays in it.
    async fn stays(&self, _cloud: &C, _known: &Known) -> Result<Vec<String>> {
        Ok(Vec::new())
    }

    /// The documents that it is written into, as wholes; each may belong to others, too.
    fn documents(&self, _known: &Known) -> Vec<Id> {
        Vec::new()
    }

    /// What of others would break if it were deleted.
    async fn used_by(&self, _cloud: &C) -> Result<Vec<String>> {
        Ok(Vec::new())
    }

    /// Makes one that is there ours, and changes nothing else of it. What can bear no mark needs none.
    async fn mark(&self, _cloud: &C, _live: &Live) -> Result<()> {
        Ok(())
    }

    async fn read(&self, cloud: &C, known: &Known) -> Result<Option<Live>>;
    /// Makes it, and says what the cloud's answer told of it.
    async fn create(&self, cloud: &C, want: &State, known: &Known) -> Result<Outputs>;
    /// Brings it from `live` to `want`: what is desired, or what was there before.
    async fn update(&self, cloud: &C, live: &Live, want: &State, known: &Known) -> Result<()>;
    async fn delete(&self, cloud: &C, live: &Live) -> Result<()>;

    /// Takes back what this run made, and nothing that was there before it.
    async fn undo(&self, cloud: &C, live: &Live) -> Result<()> {
        self.delete(cloud, live).await
    }
}
