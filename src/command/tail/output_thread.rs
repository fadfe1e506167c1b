//! A thread that decodes arrivals and writes them to standard output. Neither a large log file nor a blocked pipe delays
//! other work, such as handling Ctrl-C or sending heartbeats.

use std::ops::ControlFlow;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, SystemTime};

use tokio::sync::{mpsc, oneshot};
use tokio::time::{Instant, timeout};
use tokio_util::sync::CancellationToken;

use super::printer::RecordPrinter;
use crate::cloudtrail::log_file;
use crate::cloudtrail::log_file::{LogFileSource, ReadLimits, RecordSink};
use crate::cloudtrail::record::Record;
use crate::error::{Error, Result};
use crate::tail::arrival::{Arrival, StatsUnit};
use crate::tail::formatter::{RecordBatch, RecordFormatter};

/// Memory for one log file. A larger file is decompressed twice.
const MAX_BYTES_IN_MEMORY: usize = 16 * 1024 * 1024;
/// Number of batches that may wait for the thread.
const CHANNEL_CAPACITY: usize = 2;
/// Time to wait for the current write after Ctrl-C.
const JOIN_TIMEOUT: Duration = Duration::from_secs(1);

/// Handle for sending arrivals to the thread.
pub(super) struct OutputThread {
    arrivals: mpsc::Sender<OutputBatch>,
    finished: oneshot::Receiver<RecordPrinter>,
    cancelled: Arc<AtomicBool>,
    last_record: LastRecord,
}

/// The time at which the last record was read; `None` before the first one.
type LastRecord = Arc<Mutex<Option<Instant>>>;

/// The limit is reached, or standard output was closed.
pub(super) struct OutputClosed;

/// Arrivals, and a sender that is used when they have been written.
type OutputBatch = (Vec<Arrival>, oneshot::Sender<()>);

/// A receipt for a batch.
pub(super) struct OutputReceipt(oneshot::Receiver<()>);

impl OutputReceipt {
    /// Waits until the batch has been written.
    ///
    /// # Errors
    /// Returns an error if the thread has ended.
    pub async fn wait(self) -> std::result::Result<(), OutputClosed> {
        self.0.await.map_err(|_| OutputClosed)
    }
}

impl OutputThread {
    /// Starts the thread.
    ///
    /// # Errors
    /// Returns an error if the thread cannot be started.
    pub fn spawn(
        formatter: RecordFormatter,
        printer: RecordPrinter,
        max_file_bytes: u64,
    ) -> Result<Self> {
        let (arrivals, mut batches) = mpsc::channel::<OutputBatch>(CHANNEL_CAPACITY);
        let (printer_sender, finished) = oneshot::channel();
        let cancelled = Arc::new(AtomicBool::new(false));
        let last_record = LastRecord::default();
        let mut worker = OutputWorker {
            formatter,
            printer,
            limits: ReadLimits {
                max_file_bytes,
                max_bytes_in_memory: MAX_BYTES_IN_MEMORY,
            },
            cancelled: Arc::clone(&cancelled),
            last_record: Arc::clone(&last_record),
        };
        thread::Builder::new()
            .name("output".to_owned())
            .spawn(move || {
                while let Some((arrivals, written)) = batches.blocking_recv() {
                    if worker.process_all(arrivals).is_break() {
                        break;
                    }
                    // Most callers drop the receipt.
                    let _ = written.send(());
                }
                // Closes the channel, so that senders notice the end.
                drop(batches);
                let _ = printer_sender.send(worker.printer);
            })
            .map_err(|error| Error::failed("print events", error.to_string()))?;
        Ok(Self {
            arrivals,
            finished,
            cancelled,
            last_record,
        })
    }

    /// Returns the time at which the last record was read; `None` before the first one. An object that cannot be read
    /// has no records.
    pub fn last_record(&self) -> Option<Instant> {
        *lock(&self.last_record)
    }

    /// Sends arrivals as soon as there is room, and returns a receipt.
    ///
    /// # Errors
    /// Returns an error if the thread has ended.
    pub async fn send(
        &self,
        arrivals: Vec<Arrival>,
    ) -> std::result::Result<OutputReceipt, OutputClosed> {
        let (written_sender, written) = oneshot::channel();
        self.arrivals
            .send((arrivals, written_sender))
            .await
            .map_err(|_| OutputClosed)?;
        Ok(OutputReceipt(written))
    }

    /// Waits until the thread has ended.
    pub async fn closed(&self) {
        self.arrivals.closed().await;
    }

    /// Waits until everything has been written and returns the printer with its statistics. `None` if a write is still
    /// blocked after Ctrl-C.
    pub async fn join(self, cancellation: CancellationToken) -> Option<RecordPrinter> {
        drop(self.arrivals);
        let mut finished = self.finished;
        tokio::select! {
            biased;
            printer = &mut finished => return printer.ok(),
            () = cancellation.cancelled() => {}
        }
        self.cancelled.store(true, Ordering::Relaxed);
        timeout(JOIN_TIMEOUT, finished).await.ok()?.ok()
    }
}

fn lock(last_record: &LastRecord) -> MutexGuard<'_, Option<Instant>> {
    last_record.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The state of the thread.
struct OutputWorker {
    formatter: RecordFormatter,
    printer: RecordPrinter,
    limits: ReadLimits,
    /// Set when Ctrl-C is pressed.
    cancelled: Arc<AtomicBool>,
    last_record: LastRecord,
}

impl OutputWorker {
    fn process_all(&mut self, arrivals: Vec<Arrival>) -> ControlFlow<()> {
        self.printer.print_stats_if_due();
        arrivals
            .into_iter()
            .try_for_each(|arrival| self.process(arrival))
    }

    fn process(&mut self, arrival: Arrival) -> ControlFlow<()> {
        if self.cancelled.load(Ordering::Relaxed) {
            return ControlFlow::Break(());
        }
        match arrival {
            Arrival::Record { text, at } => {
                let mut batch = RecordBatch::default();
                self.record_delay(&text, at);
                self.formatter.push_record(&text, &mut batch);
                return self.print_batch(&batch, "the log group");
            }
            Arrival::Object { unit, name, data } => return self.print_object(unit, &name, data),
            Arrival::Filtered => self.printer.count_filtered(),
            Arrival::Read(unit) => self.printer.count_read(unit),
            Arrival::Skipped { unit, reason, name } => {
                self.printer.count_skipped(unit, reason, &name);
            }
            Arrival::Failed {
                unit,
                problem,
                cause,
                hint,
            } => self
                .printer
                .count_failed(unit, &problem, &cause, hint.as_deref()),
            Arrival::Repeated(error) => self.printer.report_repeated(&error),
            // Reported after everything has been written.
            Arrival::ReceiveLimitReached(_) => {}
        }
        ControlFlow::Continue(())
    }

    /// Prints a batch. The time in which the output is blocked is before the time of its last record.
    fn print_batch(&mut self, batch: &RecordBatch, source_name: &str) -> ControlFlow<()> {
        let flow = self.printer.print_batch(batch, source_name);
        if !batch.items.is_empty() {
            *lock(&self.last_record) = Some(Instant::now());
        }
        flow
    }

    fn record_delay(&mut self, record: &str, arrived: SystemTime) {
        if let Some(time) = Record::read(record).and_then(|record| record.event_time()) {
            self.printer.stats.delivery_delay.record(&time, arrived);
        }
    }

    /// Prints the records of a log file.
    fn print_object(
        &mut self,
        unit: StatsUnit,
        name: &str,
        data: LogFileSource,
    ) -> ControlFlow<()> {
        let limits = self.limits;
        let mut sink = ObjectSink {
            worker: self,
            name,
            batch: RecordBatch::default(),
            flow: ControlFlow::Continue(()),
        };
        let read = log_file::read_records(data, limits, &mut sink);
        sink.flush_batch();
        let flow = sink.flow;
        match read {
            Ok(()) => self.printer.count_read(unit),
            Err(reason) => self.printer.count_failed(
                Some(unit),
                &format!("cannot read {name}"),
                &reason.to_string(),
                None,
            ),
        }
        flow
    }
}

/// A sink that prints the records of a log file in batches.
struct ObjectSink<'d> {
    worker: &'d mut OutputWorker,
    name: &'d str,
    batch: RecordBatch,
    flow: ControlFlow<()>,
}

impl ObjectSink<'_> {
    fn flush_batch(&mut self) {
        if self.flow.is_continue() {
            let batch = std::mem::take(&mut self.batch);
            self.flow = self.worker.print_batch(&batch, self.name);
        }
        if self.worker.cancelled.load(Ordering::Relaxed) {
            self.flow = ControlFlow::Break(());
        }
    }
}

impl RecordSink for ObjectSink<'_> {
    fn push(&mut self, text: &str) -> ControlFlow<()> {
        self.worker.record_delay(text, SystemTime::now());
        self.worker.formatter.push_record(text, &mut self.batch);
        if self.batch.is_full() {
            self.flush_batch();
        }
        self.flow
    }

    fn flush(&mut self) -> ControlFlow<()> {
        self.flush_batch();
        self.flow
    }
}

/// A consumer of batches that a test controls, instead of the thread.
#[cfg(test)]
pub(super) struct ManualOutput {
    batches: mpsc::Receiver<OutputBatch>,
    last_record: LastRecord,
}

#[cfg(test)]
impl ManualOutput {
    /// Returns an output whose batches wait until the consumer takes them.
    pub fn start() -> (OutputThread, Self) {
        let (arrivals, batches) = mpsc::channel(CHANNEL_CAPACITY);
        let last_record = LastRecord::default();
        let output = OutputThread {
            arrivals,
            finished: oneshot::channel().1,
            cancelled: Arc::default(),
            last_record: Arc::clone(&last_record),
        };
        (
            output,
            Self {
                batches,
                last_record,
            },
        )
    }

    /// Takes the next batch after a pause. An object that was read counts as one with records.
    pub async fn take_batch(&mut self, pause: Duration) {
        tokio::time::sleep(pause).await;
        let Some((arrivals, written)) = self.batches.recv().await else {
            return std::future::pending().await;
        };
        if arrivals
            .iter()
            .any(|arrival| matches!(arrival, Arrival::Read(_)))
        {
            *lock(&self.last_record) = Some(Instant::now());
        }
        let _ = written.send(());
    }
}
