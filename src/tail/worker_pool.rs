//! Several objects at once, on all cores, given out in their order.

use std::num::NonZero;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::thread;
use std::time::Duration;

use super::formatter::{BatchingSink, RecordBatch, RecordFormatter};
use crate::cloudtrail::log_file;
use crate::cloudtrail::log_file::{LogFileError, LogFileSource, ReadLimits, RecordSink};
use crate::tail::source::local_files;

/// What all objects that are under way may hold together.
const MAX_BYTES_IN_MEMORY: usize = 50_000_000;

/// More would only share the same memory.
const MAX_WORKERS: usize = 4;

/// Where an object is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LocalInput {
    File(PathBuf),
    Stream(PathBuf),
}

/// A word from the one who works on an object.
pub enum WorkerMessage {
    Batch(RecordBatch),
    /// The last word about an object.
    Finished(Result<(), LogFileError>),
}

/// Workers, each with every so manieth object.
///
/// Each hands its batches over one by one, so no more than one object a worker is in memory. They are not waited for in
/// the end: one may be reading a pipe that nobody writes to any more.
pub struct WorkerPool {
    receivers: Vec<Receiver<WorkerMessage>>,
}

impl WorkerPool {
    /// Puts them to work.
    ///
    /// # Errors
    /// When the system gives no thread.
    pub fn spawn(
        places: &Arc<[LocalInput]>,
        press: &Arc<RecordFormatter>,
        largest: u64,
    ) -> std::io::Result<Self> {
        let cores = thread::available_parallelism().map_or(1, NonZero::get);
        let count = cores.min(MAX_WORKERS).min(places.len()).max(1);
        // One object a worker, and another of which the last batch waits.
        let limits = ReadLimits {
            max_file_bytes: largest,
            max_bytes_in_memory: MAX_BYTES_IN_MEMORY / count,
        };
        let mut lanes = Vec::new();
        for first in 0..count {
            let (hand_on, lane) = sync_channel(0);
            let (places, press) = (Arc::clone(places), Arc::clone(press));
            thread::Builder::new()
                .name("reader".to_owned())
                .spawn(move || {
                    run_worker(
                        places.iter().skip(first).step_by(count),
                        &press,
                        limits,
                        &hand_on,
                    );
                })?;
            lanes.push(lane);
        }
        Ok(Self { receivers: lanes })
    }

    /// The next word about the object of this number; nothing within the time. A worker that is gone has failed.
    #[must_use]
    pub fn recv_timeout(&self, number: usize, patience: Duration) -> Option<WorkerMessage> {
        let lane = self.receivers.get(number % self.receivers.len().max(1))?;
        match lane.recv_timeout(patience) {
            Ok(word) => Some(word),
            Err(RecvTimeoutError::Timeout) => None,
            Err(RecvTimeoutError::Disconnected) => {
                let why = "the reader has ended".to_owned();
                Some(WorkerMessage::Finished(Err(LogFileError::ReadFailed(why))))
            }
        }
    }
}

fn run_worker<'a>(
    places: impl Iterator<Item = &'a LocalInput>,
    press: &RecordFormatter,
    limits: ReadLimits,
    hand_on: &SyncSender<WorkerMessage>,
) {
    use std::ops::ControlFlow::{Break, Continue};
    for place in places {
        let mut pressing = BatchingSink::new(press, |batch| {
            match hand_on.send(WorkerMessage::Batch(batch)) {
                Ok(()) => Continue(()),
                Err(_) => Break(()),
            }
        });
        let read = open_input(place, limits.max_file_bytes)
            .and_then(|packed| log_file::read_records(packed, limits, &mut pressing));
        if pressing.flush().is_break() || hand_on.send(WorkerMessage::Finished(read)).is_err() {
            return;
        }
    }
}

fn open_input(place: &LocalInput, cap: u64) -> Result<LogFileSource, LogFileError> {
    match place {
        LocalInput::File(path) => Ok(LogFileSource::File(path.clone())),
        LocalInput::Stream(path) if path.as_os_str() == local_files::STANDARD_INPUT => {
            local_files::buffer_stream(Box::new(std::io::stdin()), cap)
        }
        LocalInput::Stream(path) => {
            local_files::buffer_stream(local_files::open_stream(path)?, cap)
        }
    }
}
