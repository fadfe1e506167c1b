//! The traits that a resource type implements, and the values that they exchange with the engine.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;

use super::diff::Change;
use super::graph::{Output, ResourceId};
use super::state::State;
use crate::error::{Error, Result};
use crate::hint::Hint;
use crate::ownership::Ownership;

/// Values that a resource provides to others, by name: `arn`, `url`.
pub type Outputs = BTreeMap<&'static str, String>;

/// A resource as it exists in the cloud.
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

    /// Returns an output that a call cannot do without.
    ///
    /// # Errors
    /// If the read did not return it.
    pub fn require(&self, output: &'static str) -> Result<&str> {
        let value = self.outputs.get(output).filter(|value| !value.is_empty());
        value.map(String::as_str).ok_or_else(|| {
            Error::failed(
                format!("use the {output} of the resource"),
                "AWS did not return it",
            )
        })
    }
}

/// A further copy of a resource that an interrupted run left. Its ID has the identifier of the copy as name.
#[derive(Clone, Debug)]
pub struct Duplicate {
    pub id: ResourceId,
    pub actual: Actual,
}

/// Others that use a resource.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct OtherUsers {
    /// The words between the resource and its users, such as "has other subscribers".
    pub relation: &'static str,
    /// A description of each user.
    pub users: Vec<String>,
    /// The command that ends each use; empty if there is none.
    pub release_commands: Vec<String>,
}

impl OtherUsers {
    pub(crate) fn add(&mut self, user: String, release_command: String) {
        self.users.push(user);
        self.release_commands.push(release_command);
    }

    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.users.is_empty()
    }

    /// Returns a hint with the commands that end each use.
    #[must_use]
    pub fn release_hint(&self) -> Hint {
        let mut hint = Hint::from("to continue, run: ");
        for (number, command) in self.release_commands.iter().enumerate() {
            if number > 0 {
                hint = hint.and(&Hint::from("; "));
            }
            hint = hint.and_command(command.as_str());
        }
        hint
    }
}

/// The resource whose tags decide the ownership of a resource that has none.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Parent {
    pub id: ResourceId,
    /// Deleting the parent deletes the child as well.
    pub deletes_children: bool,
}

/// The outputs known so far in a run.
#[derive(Debug, Default)]
pub struct KnownOutputs {
    values: Mutex<BTreeMap<Output, String>>,
    /// Returns a description of an output that is not known, for display.
    describes_unknown: bool,
}

impl KnownOutputs {
    #[must_use]
    pub fn get(&self, output: &Output) -> Option<String> {
        let values = self.values.lock().unwrap_or_else(PoisonError::into_inner);
        let known = values.get(output).cloned();
        let described = || format!("({} of {})", output.name, output.resource);
        known.or_else(|| self.describes_unknown.then(described))
    }

    /// Returns the same outputs, where each unknown one has a description instead, such as `(arn of kms key name)`. It
    /// is for display only.
    #[must_use]
    pub(crate) fn with_descriptions(&self) -> Self {
        let values = self.values.lock().unwrap_or_else(PoisonError::into_inner);
        Self {
            values: Mutex::new(values.clone()),
            describes_unknown: true,
        }
    }

    /// Returns an output that the execution order guarantees to be known.
    ///
    /// # Errors
    /// If it is not known, which is a mistake in [`ResourceSpec::dependencies`].
    pub fn require(&self, output: &Output) -> Result<String> {
        self.get(output).ok_or_else(|| {
            Error::failed(
                format!("use the {} of {}", output.name, output.resource),
                "it is not known yet",
            )
        })
    }

    pub(crate) fn record(&self, resource: &ResourceId, outputs: &Outputs) {
        let mut known = self.values.lock().unwrap_or_else(PoisonError::into_inner);
        for (name, value) in outputs {
            known.insert(
                Output {
                    resource: resource.clone(),
                    name,
                },
                value.clone(),
            );
        }
    }
}

/// Constant properties of a resource. Most resources use the defaults.
#[derive(Clone, Copy, Debug)]
pub struct Properties {
    /// Fields that cannot change in place. A difference in one of them is a conflict, not an update.
    pub immutable_fields: &'static [&'static str],
    /// Fields whose former value cannot be written again. A rollback reports them.
    pub irreversible_fields: &'static [&'static str],
    /// Its dependencies cannot be deleted while it exists.
    pub blocks_deletion_of_dependencies: bool,
    /// The other resources are found through this one, so it is deleted last.
    pub is_anchor: bool,
    /// Number of concurrent reads that must agree after a write, for services whose replicas differ for a while.
    pub agreeing_reads: usize,
    /// Its deletion starts when the cloud has accepted the deletion of its dependents, not only when they are absent.
    pub deletes_on_acceptance: bool,
    /// The time that the cloud keeps the resource after a delete call. `None` if it is deleted at once.
    pub deletion_delay: Option<Duration>,
}

impl Default for Properties {
    fn default() -> Self {
        Self {
            immutable_fields: &[],
            irreversible_fields: &[],
            blocks_deletion_of_dependencies: false,
            is_anchor: false,
            agreeing_reads: 1,
            deletes_on_acceptance: false,
            deletion_delay: None,
        }
    }
}

/// Facts about one resource. No method makes a call.
pub trait ResourceSpec: Send + Sync {
    /// The kind and the name.
    fn id(&self) -> ResourceId;

    /// Outputs of other resources that this one uses.
    fn dependencies(&self) -> Vec<Output>;

    /// Outputs that follow from names alone, known before the resource exists.
    fn static_outputs(&self) -> Outputs {
        Outputs::new()
    }

    /// The state that the resource should have. A field is unknown while an output that it needs is unknown.
    fn desired(&self, known: &KnownOutputs) -> State;

    fn properties(&self) -> Properties {
        Properties::default()
    }

    /// The resource that this one belongs to, for a resource without tags of its own.
    fn parent(&self) -> Option<Parent> {
        None
    }

    /// Returns false if the resource records that another run created it. Then this run neither uses nor deletes it
    /// after an ambiguous create.
    fn is_own_creation(&self, _actual: &Actual) -> bool {
        true
    }

    /// Explanation of a change whose values do not explain themselves.
    fn reason(&self, _change: &Change) -> Option<String> {
        None
    }

    /// Returns true if AWS removes the resource on its own, such as a subscription pending confirmation. It cannot be
    /// deleted, and the engine does not wait for it.
    fn is_expiring(&self, _actual: &Actual) -> bool {
        false
    }

    /// Tags that [`Resource::take_ownership`] writes, with their values.
    fn ownership_tags(&self) -> Vec<(String, String)> {
        Vec::new()
    }

    /// Time during which a refused call is retried; `None` for a final refusal.
    fn retry_budget(&self, _refusal: &Error) -> Option<Duration> {
        None
    }

    /// The text that says why a refused call is retried. The default is the cause of the refusal.
    fn retry_reason(&self, refusal: &Error) -> String {
        refusal.cause()
    }

    /// Documents that contain this resource. They may contain resources of others as well, and each write replaces a
    /// whole document.
    fn shared_documents(&self, _known: &KnownOutputs) -> Vec<ResourceId> {
        Vec::new()
    }
}

/// Calls to the cloud `C` for one resource. Each method makes its calls once; the engine retries and waits.
#[async_trait]
pub trait Resource<C: Sync>: ResourceSpec {
    /// Reads the resource; `None` if it does not exist.
    async fn read(&self, cloud: &C, known: &KnownOutputs) -> Result<Option<Actual>>;

    /// Creates the resource with its ownership tags. Returns the outputs that the response contains.
    async fn create(&self, cloud: &C, desired: &State, known: &KnownOutputs) -> Result<Outputs>;

    /// Changes the resource from `actual` to `desired`, which is the desired state or, in a rollback, the former one.
    async fn update(
        &self,
        cloud: &C,
        actual: &Actual,
        desired: &State,
        known: &KnownOutputs,
    ) -> Result<()>;

    async fn delete(&self, cloud: &C, actual: &Actual) -> Result<()>;

    /// Reverts a create of this run, and keeps everything that existed before.
    async fn undo_create(&self, cloud: &C, actual: &Actual) -> Result<()> {
        self.delete(cloud, actual).await
    }

    /// Tags an existing resource as managed and changes nothing else. No-op for resources that cannot have tags.
    async fn take_ownership(&self, _cloud: &C, _actual: &Actual) -> Result<()> {
        Ok(())
    }

    /// Descriptions of the other entries in the same document, which a write preserves.
    async fn preserved_content(&self, _cloud: &C, _known: &KnownOutputs) -> Result<Vec<String>> {
        Ok(Vec::new())
    }

    /// Checks that the resources of others allow the write of the desired state. It makes only reading calls.
    ///
    /// # Errors
    /// If the cloud would reject the write.
    async fn check_write(&self, _cloud: &C, _known: &KnownOutputs) -> Result<()> {
        Ok(())
    }

    /// Further copies of this resource that interrupted runs left. A destroy deletes them, too.
    async fn duplicates(&self, _cloud: &C, _actual: &Actual) -> Result<Vec<Duplicate>> {
        Ok(Vec::new())
    }

    /// Others that use this resource. Deleting it would break them, or they prevent its deletion.
    async fn used_by(&self, _cloud: &C) -> Result<OtherUsers> {
        Ok(OtherUsers::default())
    }
}
