//! Shows what arrives, on a thread of its own: neither a large object nor a reader that pauses keeps anything else
//! waiting, such as Ctrl-C, or the word to others that the queue is in use.

use std::ops::ControlFlow;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, SystemTime};

use tokio::sync::{mpsc, oneshot};
use tokio::time::timeout;

use super::show::Show;
use crate::converge::stop::Stop;
use crate::error::{Error, Result};
use crate::tail::object::{self, Limits, Packed, Taker};
use crate::tail::press::{Batch, Press};
use crate::tail::record::Record;
use crate::tail::{Arrival, Unit};

/// What an object may hold of memory while it is shown; a larger one is unpacked twice.
const HELD: usize = 16 * 1024 * 1024;
/// Arrivals that wait to be shown, several objects each at most.
const WAITING: usize = 2;
/// How long somebody who wants to end waits for what is being written.
const PATIENCE: Duration = Duration::from_secs(1);

/// The end at which arrivals are put in.
pub(super) struct Screen {
    arrivals: mpsc::Sender<Turn>,
    ended: oneshot::Receiver<Show>,
    stopped: Arc<AtomicBool>,
}

/// Nobody wants to see any more: there is enough, or the reader has gone.
pub(super) struct Enough;

/// What is shown together, and who is told when it is.
type Turn = (Vec<Arrival>, oneshot::Sender<()>);

/// The moment at which what was put in is shown.
pub(super) struct Shown(oneshot::Receiver<()>);

impl Shown {
    /// # Errors
    /// When nobody wants to see any more.
    pub async fn wait(self) -> std::result::Result<(), Enough> {
        self.0.await.map_err(|_| Enough)
    }
}

impl Screen {
    /// # Errors
    /// When the system has no thread to spare.
    pub fn light(press: Press, show: Show, largest: u64) -> Result<Self> {
        let (arrivals, mut to_show) = mpsc::channel::<Turn>(WAITING);
        let (at_end, ended) = oneshot::channel();
        let stopped = Arc::new(AtomicBool::new(false));
        let mut desk = Desk {
            press,
            show,
            limits: Limits {
                object: largest,
                held: HELD,
            },
            stopped: Arc::clone(&stopped),
        };
        thread::Builder::new()
            .name("screen".to_owned())
            .spawn(move || {
                while let Some((arrivals, shown)) = to_show.blocking_recv() {
                    if desk.all(arrivals).is_break() {
                        break;
                    }
                    // Few wait for it.
                    let _ = shown.send(());
                }
                // By this the other end learns that nobody wants to see any more.
                drop(to_show);
                let _ = at_end.send(desk.show);
            })
            .map_err(|why| Error::unanswered("show events", why.to_string()))?;
        Ok(Self {
            arrivals,
            ended,
            stopped,
        })
    }

    /// Puts them in, as soon as there is room. What it gives back can be waited for.
    ///
    /// # Errors
    /// When nobody wants to see them.
    pub async fn put(&self, arrivals: Vec<Arrival>) -> std::result::Result<Shown, Enough> {
        let (show, shown) = oneshot::channel();
        self.arrivals
            .send((arrivals, show))
            .await
            .map_err(|_| Enough)?;
        Ok(Shown(shown))
    }

    /// Comes when nobody wants to see any more.
    pub async fn closed(&self) {
        self.arrivals.closed().await;
    }

    /// Waits until all is shown, and gives back what was counted. Nothing when somebody wants to end, and what is being
    /// written does not come to its end.
    pub async fn off(self, mut stop: Stop) -> Option<Show> {
        drop(self.arrivals);
        let mut ended = self.ended;
        tokio::select! {
            biased;
            show = &mut ended => return show.ok(),
            () = stop.wait() => {}
        }
        self.stopped.store(true, Ordering::Relaxed);
        timeout(PATIENCE, ended).await.ok()?.ok()
    }
}

/// Where arrivals are opened.
struct Desk {
    press: Press,
    show: Show,
    limits: Limits,
    /// Set when the operator wants no more.
    stopped: Arc<AtomicBool>,
}

impl Desk {
    fn all(&mut self, arrivals: Vec<Arrival>) -> ControlFlow<()> {
        self.show.sums_in_time();
        arrivals
            .into_iter()
            .try_for_each(|arrival| self.one(arrival))
    }

    fn one(&mut self, arrival: Arrival) -> ControlFlow<()> {
        if self.stopped.load(Ordering::Relaxed) {
            return ControlFlow::Break(());
        }
        match arrival {
            Arrival::Record { text, at } => {
                let mut batch = Batch::default();
                self.late(&text, at);
                self.press.press(&text, &mut batch);
                return self.show.batch(&batch, "the log group");
            }
            Arrival::Object { unit, what, packed } => return self.object(unit, &what, packed),
            Arrival::LeftOut => self.show.left_out(),
            Arrival::Read(unit) => self.show.read(unit),
            Arrival::Skipped { unit, why, what } => self.show.skipped(unit, why, &what),
            Arrival::Trouble {
                unit,
                what,
                why,
                hint,
            } => self.show.failed(unit, &what, &why, hint.as_deref()),
            // It is no event, and told when the rest is shown.
            Arrival::Worn(_) => {}
        }
        ControlFlow::Continue(())
    }

    fn late(&mut self, record: &str, arrived: SystemTime) {
        if let Some(time) = Record::read(record).and_then(|record| record.event_time()) {
            self.show.tally.lag.add(&time, arrived);
        }
    }

    /// Shows the records of an object, which is looked through to its end before.
    fn object(&mut self, unit: Unit, what: &str, packed: Packed) -> ControlFlow<()> {
        let limits = self.limits;
        let mut opened = Opened {
            desk: self,
            what,
            batch: Batch::default(),
            flow: ControlFlow::Continue(()),
        };
        let read = object::read(packed, limits, &mut opened);
        opened.hand_on();
        let flow = opened.flow;
        match read {
            Ok(()) => self.show.read(unit),
            Err(why) => self.show.failed(Some(unit), what, &why.to_string(), None),
        }
        flow
    }
}

/// An object of which records are shown as they are read, some at a time.
struct Opened<'d> {
    desk: &'d mut Desk,
    what: &'d str,
    batch: Batch,
    flow: ControlFlow<()>,
}

impl Opened<'_> {
    fn hand_on(&mut self) {
        if self.flow.is_continue() {
            let batch = std::mem::take(&mut self.batch);
            self.flow = self.desk.show.batch(&batch, self.what);
        }
        if self.desk.stopped.load(Ordering::Relaxed) {
            self.flow = ControlFlow::Break(());
        }
    }
}

impl Taker for Opened<'_> {
    fn take(&mut self, text: &str) -> ControlFlow<()> {
        self.desk.late(text, SystemTime::now());
        self.desk.press.press(text, &mut self.batch);
        if self.batch.is_full() {
            self.hand_on();
        }
        self.flow
    }

    fn pause(&mut self) -> ControlFlow<()> {
        self.hand_on();
        self.flow
    }
}
