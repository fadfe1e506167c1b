//! What the engine tells while it works.

use std::time::Duration;

use super::graph::Id;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verb {
    Create,
    Update,
    Adopt,
    Delete,
    /// Write again what was there before.
    PutBack,
}

#[derive(Clone, Debug)]
pub enum Event {
    Started {
        id: Id,
        verb: Verb,
    },
    /// AWS refused for now, or does not show a write yet.
    Waiting {
        id: Id,
        why: String,
    },
    Done {
        id: Id,
        verb: Verb,
        took: Duration,
    },
    /// A part is gone, since what it was a part of is.
    Gone {
        id: Id,
        with: Id,
    },
    Failed {
        id: Id,
        verb: Verb,
        why: String,
    },
    Skipped {
        id: Id,
        verb: Verb,
        because: String,
    },
}

pub type Observer<'a> = &'a (dyn Fn(Event) + Send + Sync);
