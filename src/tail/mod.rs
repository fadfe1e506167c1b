//! What arrives: messages, the objects they announce, and the records in them.
//!
//! From the bytes of an object to a line it goes `unpack`, `window`, `walk` (with `scan`), `object`, `record` (with
//! `members`, `shape` and `actor`), `filter`, `press`; `crew` does so on all cores for objects that lie on this machine
//! (`files`). Messages are read by `notice`. What became of everything is counted in a `tally`.

pub mod accounts;
mod actor;
pub mod bucket;
pub mod crew;
mod fetch;
pub mod files;
pub mod filter;
pub mod heelers_queue;
pub mod lag;
mod lock;
pub mod log_group;
mod members;
mod name;
pub mod notice;
pub mod object;
pub mod press;
pub mod reader;
pub mod record;
mod scan;
pub mod seen;
mod shape;
pub mod tally;
pub mod tap;
mod unpack;
pub mod visible;
mod walk;
mod window;

use std::time::SystemTime;

use heelers_queue::Worn;
use object::Packed;

/// What a tally has a sum for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unit {
    Message,
    Object,
}

/// One thing that came out of a message.
pub enum Arrival {
    /// One record, from a log group, and when it came there.
    Record { text: String, at: SystemTime },
    /// Records, as they were packed.
    Object {
        unit: Unit,
        what: String,
        packed: Packed,
    },
    /// A record that the pipeline's own filter leaves out.
    LeftOut,
    /// A message or object that was read to its end.
    Read(Unit),
    Skipped {
        unit: Unit,
        why: &'static str,
        what: String,
    },
    /// It should have been shown and could not be. What is no unit comes again.
    Trouble {
        unit: Option<Unit>,
        what: String,
        why: String,
        hint: Option<String>,
    },
    /// For the sake of this message nothing more is read.
    Worn(Worn),
}

/// Where objects may be fetched from: a message that names another bucket is not believed.
#[derive(Clone, Debug)]
pub struct Source {
    pub bucket: String,
    pub owner: String,
}
