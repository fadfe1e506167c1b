//! Several objects at once, on all cores, given out in their order.

use std::num::NonZero;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::thread;
use std::time::Duration;

use super::files;
use super::object::{self, Broken, Limits, Packed, Taker};
use super::press::{Batch, Press, Pressing};

/// What all objects that are under way may hold together.
const HELD: usize = 50_000_000;

/// More would only share the same memory.
const MOST: usize = 4;

/// Where an object is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Place {
    File(PathBuf),
    Stream(PathBuf),
}

/// A word from the one who works on an object.
pub enum Word {
    Batch(Batch),
    /// The last word about an object.
    Done(Result<(), Broken>),
}

/// Workers, each with every so manieth object.
///
/// Each hands its batches over one by one, so no more than one object a worker is in memory. They are not waited for in
/// the end: one may be reading a pipe that nobody writes to any more.
pub struct Crew {
    lanes: Vec<Receiver<Word>>,
}

impl Crew {
    /// Puts them to work.
    ///
    /// # Errors
    /// When the system gives no thread.
    pub fn hire(places: &Arc<[Place]>, press: &Arc<Press>, largest: u64) -> std::io::Result<Self> {
        let cores = thread::available_parallelism().map_or(1, NonZero::get);
        let count = cores.min(MOST).min(places.len()).max(1);
        // One object a worker, and another of which the last batch waits.
        let limits = Limits {
            object: largest,
            held: HELD / count,
        };
        let mut lanes = Vec::new();
        for first in 0..count {
            let (hand_on, lane) = sync_channel(0);
            let (places, press) = (Arc::clone(places), Arc::clone(press));
            thread::Builder::new()
                .name("reader".to_owned())
                .spawn(move || {
                    work(
                        places.iter().skip(first).step_by(count),
                        &press,
                        limits,
                        &hand_on,
                    );
                })?;
            lanes.push(lane);
        }
        Ok(Self { lanes })
    }

    /// The next word about the object of this number; nothing within the time. A worker that is gone has failed.
    #[must_use]
    pub fn word(&self, number: usize, patience: Duration) -> Option<Word> {
        let lane = self.lanes.get(number % self.lanes.len().max(1))?;
        match lane.recv_timeout(patience) {
            Ok(word) => Some(word),
            Err(RecvTimeoutError::Timeout) => None,
            Err(RecvTimeoutError::Disconnected) => {
                let why = "the reader has ended".to_owned();
                Some(Word::Done(Err(Broken::Unread(why))))
            }
        }
    }
}

fn work<'a>(
    places: impl Iterator<Item = &'a Place>,
    press: &Press,
    limits: Limits,
    hand_on: &SyncSender<Word>,
) {
    use std::ops::ControlFlow::{Break, Continue};
    for place in places {
        let mut pressing = Pressing::new(press, |batch| match hand_on.send(Word::Batch(batch)) {
            Ok(()) => Continue(()),
            Err(_) => Break(()),
        });
        let read = packed(place, limits.object)
            .and_then(|packed| object::read(packed, limits, &mut pressing));
        if pressing.pause().is_break() || hand_on.send(Word::Done(read)).is_err() {
            return;
        }
    }
}

fn packed(place: &Place, cap: u64) -> Result<Packed, Broken> {
    match place {
        Place::File(path) => Ok(Packed::File(path.clone())),
        Place::Stream(path) if path.as_os_str() == files::STANDARD_INPUT => {
            files::keep(Box::new(std::io::stdin()), cap)
        }
        Place::Stream(path) => files::keep(files::open(path)?, cap),
    }
}
