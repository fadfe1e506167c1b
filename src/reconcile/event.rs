//! What the engine tells while it works.

use std::time::Duration;

use super::graph::ResourceId;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verb {
    Create,
    Update,
    Adopt,
    Delete,
    /// Write again what was there before.
    Restore,
}

#[derive(Clone, Debug)]
pub enum ReconcileEvent {
    Started {
        id: ResourceId,
        verb: Verb,
    },
    /// AWS refused for now, or does not show a write yet.
    Waiting {
        id: ResourceId,
        reason: String,
    },
    Finished {
        id: ResourceId,
        verb: Verb,
        elapsed: Duration,
    },
    /// A part is gone, since what it was a part of is.
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
}

pub type EventObserver<'a> = &'a (dyn Fn(ReconcileEvent) + Send + Sync);
