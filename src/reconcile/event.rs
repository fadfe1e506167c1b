//! Events that the engine emits while it works.

use std::time::Duration;

use super::graph::ResourceId;
use super::scope::Scope;

/// The kind of work on a resource.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verb {
    Create,
    Update,
    Adopt,
    Delete,
    /// Write the state from before the run.
    Restore,
}

/// One event of a run.
#[derive(Clone, Debug)]
pub enum ReconcileEvent {
    Started {
        id: ResourceId,
        verb: Verb,
    },
    /// AWS refused a call for now, or does not show a write yet.
    Waiting {
        id: ResourceId,
        reason: String,
    },
    Finished {
        id: ResourceId,
        verb: Verb,
        elapsed: Duration,
    },
    /// A child was deleted together with its parent.
    DeletedWith {
        id: ResourceId,
        parent: ResourceId,
    },
    Failed {
        id: ResourceId,
        verb: Verb,
        reason: String,
    },
    Skipped {
        id: ResourceId,
        verb: Verb,
        blocked_by: String,
    },
    /// The scope, or a resource in it, cannot be read, so nothing is written there.
    ScopeUnavailable {
        scope: Scope,
        reason: String,
    },
}

/// Receives the events of a run.
pub type EventObserver<'a> = &'a (dyn Fn(ReconcileEvent) + Send + Sync);
