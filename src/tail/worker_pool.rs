//! Reads several log files in parallel and returns their records in file order.

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

/// Memory shared by all files being read.
const MAX_BYTES_IN_MEMORY: usize = 50_000_000;

/// Maximum number of threads. All threads share one memory budget, so more threads would only get smaller buffers.
const MAX_WORKERS: usize = 4;

/// A file or stream to read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LocalInput {
    File(PathBuf),
    Stream(PathBuf),
}

/// A message from a worker about one file.
pub enum WorkerMessage {
    Batch(RecordBatch),
    /// The file has been read to its end or has failed.
    Finished(Result<(), LogFileError>),
}

/// A pool of worker threads. Worker `i` of `n` reads files `i`, `i + n`, `i + 2n`, …
///
/// Each worker sends its batches one at a time, so at most one file per worker is in memory. The threads are not joined
/// at the end, because one of them may be blocked on a pipe without a writer.
pub struct WorkerPool {
    receivers: Vec<Receiver<WorkerMessage>>,
}

impl WorkerPool {
    /// Starts the workers.
    ///
    /// # Errors
    /// Returns an error if a thread cannot be started.
    pub fn spawn(
        inputs: &Arc<[LocalInput]>,
        formatter: &Arc<RecordFormatter>,
        max_file_bytes: u64,
    ) -> std::io::Result<Self> {
        let cores = thread::available_parallelism().map_or(1, NonZero::get);
        let count = cores.min(MAX_WORKERS).min(inputs.len()).max(1);
        let limits = ReadLimits {
            max_file_bytes,
            max_bytes_in_memory: MAX_BYTES_IN_MEMORY / count,
        };
        let mut receivers = Vec::new();
        for first in 0..count {
            let (sender, receiver) = sync_channel(0);
            let (inputs, formatter) = (Arc::clone(inputs), Arc::clone(formatter));
            thread::Builder::new()
                .name("reader".to_owned())
                .spawn(move || {
                    run_worker(
                        inputs.iter().skip(first).step_by(count),
                        &formatter,
                        limits,
                        &sender,
                    );
                })?;
            receivers.push(receiver);
        }
        Ok(Self { receivers })
    }

    /// Returns the next message about a file, or `None` after the timeout. If the worker has panicked, the file counts
    /// as failed.
    #[must_use]
    pub fn recv_timeout(&self, file: usize, timeout: Duration) -> Option<WorkerMessage> {
        let receiver = self.receivers.get(file % self.receivers.len().max(1))?;
        match receiver.recv_timeout(timeout) {
            Ok(message) => Some(message),
            Err(RecvTimeoutError::Timeout) => None,
            Err(RecvTimeoutError::Disconnected) => {
                let reason = "the worker thread has ended".to_owned();
                Some(WorkerMessage::Finished(Err(LogFileError::ReadFailed(
                    reason,
                ))))
            }
        }
    }
}

fn run_worker<'a>(
    inputs: impl Iterator<Item = &'a LocalInput>,
    formatter: &RecordFormatter,
    limits: ReadLimits,
    sender: &SyncSender<WorkerMessage>,
) {
    use std::ops::ControlFlow::{Break, Continue};
    for input in inputs {
        let mut sink = BatchingSink::new(formatter, |batch| {
            match sender.send(WorkerMessage::Batch(batch)) {
                Ok(()) => Continue(()),
                Err(_) => Break(()),
            }
        });
        let read = open_input(input, limits.max_file_bytes)
            .and_then(|source| log_file::read_records(source, limits, &mut sink));
        if sink.flush().is_break() || sender.send(WorkerMessage::Finished(read)).is_err() {
            return;
        }
    }
}

fn open_input(input: &LocalInput, max_bytes: u64) -> Result<LogFileSource, LogFileError> {
    match input {
        LocalInput::File(path) => Ok(LogFileSource::File(path.clone())),
        LocalInput::Stream(path) if path.as_os_str() == local_files::STANDARD_INPUT => {
            local_files::buffer_stream(Box::new(std::io::stdin()), max_bytes)
        }
        LocalInput::Stream(path) => {
            local_files::buffer_stream(local_files::open_stream(path)?, max_bytes)
        }
    }
}
