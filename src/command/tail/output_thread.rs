//! Shows what arrives, on a thread of its own: neither a large object nor a reader that pauses keeps anything else
//! waiting, such as Ctrl-C, or the word to others that the queue is in use.

use std::ops::ControlFlow;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, SystemTime};

use tokio::sync::{mpsc, oneshot};
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

use super::printer::RecordPrinter;
use crate::cloudtrail::log_file;
use crate::cloudtrail::log_file::{LogFileSource, ReadLimits, RecordSink};
use crate::cloudtrail::record::Record;
use crate::error::{Error, Result};
use crate::tail::arrival::{Arrival, StatsUnit};
use crate::tail::formatter::{RecordBatch, RecordFormatter};

/// What an object may hold of memory while it is shown; a larger one is unpacked twice.
const MAX_BYTES_IN_MEMORY: usize = 16 * 1024 * 1024;
/// Arrivals that wait to be shown, several objects each at most.
const CHANNEL_CAPACITY: usize = 2;
/// How long somebody who wants to end waits for what is being written.
const JOIN_TIMEOUT: Duration = Duration::from_secs(1);

/// The end at which arrivals are put in.
pub(super) struct OutputThread {
    arrivals: mpsc::Sender<OutputBatch>,
    finished: oneshot::Receiver<RecordPrinter>,
    cancelled: Arc<AtomicBool>,
}

/// Nobody wants to see any more: there is enough, or the reader has gone.
pub(super) struct OutputClosed;

/// What is shown together, and who is told when it is.
type OutputBatch = (Vec<Arrival>, oneshot::Sender<()>);

/// The moment at which what was put in is shown.
pub(super) struct OutputReceipt(oneshot::Receiver<()>);

impl OutputReceipt {
    /// # Errors
    /// When nobody wants to see any more.
    pub async fn wait(self) -> std::result::Result<(), OutputClosed> {
        self.0.await.map_err(|_| OutputClosed)
    }
}

impl OutputThread {
    /// # Errors
    /// When the system has no thread to spare.
    pub fn spawn(press: RecordFormatter, show: RecordPrinter, largest: u64) -> Result<Self> {
        let (arrivals, mut to_show) = mpsc::channel::<OutputBatch>(CHANNEL_CAPACITY);
        let (at_end, ended) = oneshot::channel();
        let stopped = Arc::new(AtomicBool::new(false));
        let mut desk = OutputWorker {
            formatter: press,
            printer: show,
            limits: ReadLimits {
                max_file_bytes: largest,
                max_bytes_in_memory: MAX_BYTES_IN_MEMORY,
            },
            cancelled: Arc::clone(&stopped),
        };
        thread::Builder::new()
            .name("screen".to_owned())
            .spawn(move || {
                while let Some((arrivals, shown)) = to_show.blocking_recv() {
                    if desk.process_all(arrivals).is_break() {
                        break;
                    }
                    // Few wait for it.
                    let _ = shown.send(());
                }
                // By this the other end learns that nobody wants to see any more.
                drop(to_show);
                let _ = at_end.send(desk.printer);
            })
            .map_err(|why| Error::failed("show events", why.to_string()))?;
        Ok(Self {
            arrivals,
            finished: ended,
            cancelled: stopped,
        })
    }

    /// Puts them in, as soon as there is room. What it gives back can be waited for.
    ///
    /// # Errors
    /// When nobody wants to see them.
    pub async fn send(
        &self,
        arrivals: Vec<Arrival>,
    ) -> std::result::Result<OutputReceipt, OutputClosed> {
        let (show, shown) = oneshot::channel();
        self.arrivals
            .send((arrivals, show))
            .await
            .map_err(|_| OutputClosed)?;
        Ok(OutputReceipt(shown))
    }

    /// Comes when nobody wants to see any more.
    pub async fn closed(&self) {
        self.arrivals.closed().await;
    }

    /// Waits until all is shown, and gives back what was counted. Nothing when somebody wants to end, and what is being
    /// written does not come to its end.
    pub async fn join(self, cancellation: CancellationToken) -> Option<RecordPrinter> {
        drop(self.arrivals);
        let mut ended = self.finished;
        tokio::select! {
            biased;
            show = &mut ended => return show.ok(),
            () = cancellation.cancelled() => {}
        }
        self.cancelled.store(true, Ordering::Relaxed);
        timeout(JOIN_TIMEOUT, ended).await.ok()?.ok()
    }
}

/// Where arrivals are opened.
struct OutputWorker {
    formatter: RecordFormatter,
    printer: RecordPrinter,
    limits: ReadLimits,
    /// Set when the operator wants no more.
    cancelled: Arc<AtomicBool>,
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
                return self.printer.print_batch(&batch, "the log group");
            }
            Arrival::Object {
                unit,
                name: what,
                data: packed,
            } => return self.print_object(unit, &what, packed),
            Arrival::Filtered => self.printer.count_filtered(),
            Arrival::Read(unit) => self.printer.count_read(unit),
            Arrival::Skipped {
                unit,
                reason: why,
                name: what,
            } => self.printer.count_skipped(unit, why, &what),
            Arrival::Failed {
                unit,
                problem,
                cause,
                hint,
            } => self
                .printer
                .count_failed(unit, &problem, &cause, hint.as_deref()),
            // It is no event, and told when the rest is shown.
            Arrival::ReceiveLimitReached(_) => {}
        }
        ControlFlow::Continue(())
    }

    fn record_delay(&mut self, record: &str, arrived: SystemTime) {
        if let Some(time) = Record::read(record).and_then(|record| record.event_time()) {
            self.printer.stats.delivery_delay.record(&time, arrived);
        }
    }

    /// Shows the records of an object, which is looked through to its end before.
    fn print_object(
        &mut self,
        unit: StatsUnit,
        what: &str,
        packed: LogFileSource,
    ) -> ControlFlow<()> {
        let limits = self.limits;
        let mut opened = ObjectSink {
            worker: self,
            name: what,
            batch: RecordBatch::default(),
            flow: ControlFlow::Continue(()),
        };
        let read = log_file::read_records(packed, limits, &mut opened);
        opened.flush_batch();
        let flow = opened.flow;
        match read {
            Ok(()) => self.printer.count_read(unit),
            Err(why) => self.printer.count_failed(
                Some(unit),
                &format!("cannot read {what}"),
                &why.to_string(),
                None,
            ),
        }
        flow
    }
}

/// An object of which records are shown as they are read, some at a time.
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
            self.flow = self.worker.printer.print_batch(&batch, self.name);
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
