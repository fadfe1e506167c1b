//! Who is told of grave events: a command, a web address. A slow or failing receiver never holds up the reading; what
//! it could not be told is counted.

mod command;
mod mask;
mod webhook;

#[cfg(test)]
mod tests;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep, sleep_until, timeout, timeout_at};

use crate::severity::Level;
pub use command::Command;
pub use webhook::{Form, Webhook};

/// An event that somebody is to be told of.
#[derive(Clone, Debug)]
pub struct Alert {
    pub level: Level,
    pub time: Option<String>,
    pub account: Option<String>,
    pub region: Option<String>,
    pub service: Option<String>,
    pub event: Option<String>,
    pub actor: Option<String>,
    pub error: Option<String>,
    pub event_id: Option<String>,
    /// As delivered, on one line.
    pub record: String,
}

/// Somebody who is told.
#[derive(Debug)]
pub enum Receiver {
    Command(Command),
    Webhook(Webhook),
}

/// Why somebody could not be told.
#[derive(Debug, PartialEq, Eq)]
enum Refusal {
    /// It may go better next time, but not before this has passed.
    ForNow(String, Option<Duration>),
    Final(String),
}

impl Receiver {
    async fn tell(&self, alert: &Alert) -> Result<(), Refusal> {
        match self {
            Self::Command(command) => command.tell(alert).await,
            Self::Webhook(webhook) => webhook.tell(alert).await,
        }
    }

    fn name(&self) -> &'static str {
        match self {
            Self::Command(_) => "the command",
            Self::Webhook(_) => "the webhook",
        }
    }
}

/// How much a receiver is asked to take.
#[derive(Clone, Copy, Debug)]
pub struct Manner {
    /// As many at once are fine, and after them one in each `pace`.
    pub burst: u32,
    pub pace: Duration,
    /// As many may wait; further ones are held back.
    pub waiting: usize,
    /// One telling may take this long.
    pub patience: Duration,
    /// Before the second attempt; twice as long before the third, and so on.
    pub pause: Duration,
    pub attempts: u32,
}

impl Default for Manner {
    fn default() -> Self {
        Self {
            burst: 10,
            // What Slack takes.
            pace: Duration::from_secs(1),
            waiting: 1000,
            patience: Duration::from_secs(30),
            pause: Duration::from_secs(1),
            attempts: 4,
        }
    }
}

/// A receiver that asks for more is not waited for.
const LONGEST_PAUSE: Duration = Duration::from_secs(60);

/// What became of the alerts so far. Each is counted once.
#[derive(Debug, Default)]
struct Counts {
    handed: AtomicU64,
    told: AtomicU64,
    failed: AtomicU64,
}

/// What became of the alerts for one receiver.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Told {
    pub receiver: &'static str,
    pub told: u64,
    pub failed: u64,
    /// They were too many at once, or came too shortly before the end.
    pub held_back: u64,
}

/// Hears of each alert that failed in the end: the receiver, and why.
pub type Listener = Arc<dyn Fn(&'static str, &str) + Send + Sync>;

struct Line {
    receiver: &'static str,
    queue: mpsc::Sender<Arc<Alert>>,
    counts: Arc<Counts>,
    worker: JoinHandle<()>,
}

/// All receivers, each with a queue of its own.
pub struct Alerts(Vec<Line>);

impl Alerts {
    /// Starts a worker for each receiver; it needs a runtime.
    #[must_use]
    pub fn new(receivers: Vec<Receiver>, manner: Manner, listener: &Listener) -> Self {
        let lines = receivers.into_iter().map(|receiver| {
            let (queue, due) = mpsc::channel(manner.waiting.max(1));
            let counts = Arc::new(Counts::default());
            let name = receiver.name();
            let worker = Worker {
                receiver,
                manner,
                counts: Arc::clone(&counts),
                listener: Arc::clone(listener),
            };
            Line {
                receiver: name,
                queue,
                counts,
                worker: tokio::spawn(worker.run(due)),
            }
        });
        Self(lines.collect())
    }

    /// Whether nobody is to be told.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Has everybody told, some time.
    pub fn tell(&self, alert: Alert) {
        let alert = Arc::new(alert);
        for line in &self.0 {
            line.counts.handed.fetch_add(1, Ordering::Relaxed);
            // A full queue holds it back.
            let _ = line.queue.try_send(Arc::clone(&alert));
        }
    }

    /// Waits for what is under way, but not for ever, and says what became of all.
    pub async fn end(self, grace: Duration) -> Vec<Told> {
        let until = Instant::now() + grace;
        let mut all = Vec::new();
        for line in self.0 {
            drop(line.queue);
            let stop = line.worker.abort_handle();
            if timeout_at(until, line.worker).await.is_err() {
                stop.abort();
            }
            all.push(line.counts.told(line.receiver));
        }
        all
    }
}

impl Counts {
    fn told(&self, receiver: &'static str) -> Told {
        let [handed, told, failed] =
            [&self.handed, &self.told, &self.failed].map(|count| count.load(Ordering::Relaxed));
        Told {
            receiver,
            told,
            failed,
            held_back: handed.saturating_sub(told + failed),
        }
    }
}

/// Tells one receiver of one alert after another.
struct Worker {
    receiver: Receiver,
    manner: Manner,
    counts: Arc<Counts>,
    listener: Listener,
}

impl Worker {
    async fn run(self, mut due: mpsc::Receiver<Arc<Alert>>) {
        let Manner { burst, pace, .. } = self.manner;
        // When the next may go, had there been no burst.
        let mut turn = Instant::now();
        while let Some(alert) = due.recv().await {
            turn = turn.max(Instant::now()) + pace;
            sleep_until(turn - pace * burst.max(1)).await;
            match self.insist(&alert).await {
                Ok(()) => self.counts.told.fetch_add(1, Ordering::Relaxed),
                Err(why) => {
                    (self.listener)(self.receiver.name(), &why);
                    self.counts.failed.fetch_add(1, Ordering::Relaxed)
                }
            };
        }
    }

    async fn insist(&self, alert: &Alert) -> Result<(), String> {
        let mut pause = self.manner.pause;
        for attempt in 1.. {
            let told = timeout(self.manner.patience, self.receiver.tell(alert)).await;
            let refusal = match told {
                Ok(Ok(())) => return Ok(()),
                Ok(Err(refusal)) => refusal,
                Err(_) => Refusal::ForNow(
                    format!("no answer within {} s", self.manner.patience.as_secs()),
                    None,
                ),
            };
            match refusal {
                Refusal::ForNow(_, asked) if attempt < self.manner.attempts => {
                    sleep(asked.unwrap_or(pause).min(LONGEST_PAUSE)).await;
                    pause *= 2;
                }
                Refusal::ForNow(why, _) | Refusal::Final(why) => return Err(why),
            }
        }
        Ok(())
    }
}
