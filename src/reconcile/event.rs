//! Events that the engine emits while it works.

use std::time::Duration;

use super::graph::ResourceId;
use super::scope::Scope;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verb {
    Create,
    Update,
    Adopt,
    Delete,
    /// Write the state from before the run.
    Restore,
}

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
    /// Nothing is written in this scope, because it cannot be read.
    ScopeUnavailable {
        scope: Scope,
        reason: String,
    },
}

pub type EventObserver<'a> = &'a (dyn Fn(ReconcileEvent) + Send + Sync);
