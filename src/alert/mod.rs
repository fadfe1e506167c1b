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

use crate::severity::SeverityLevel;
pub use command::ShellCommand;
pub use webhook::{PayloadFormat, Webhook};

/// An event that somebody is to be told of.
#[derive(Clone, Debug)]
pub struct Alert {
    pub level: SeverityLevel,
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
pub enum AlertReceiver {
    Command(ShellCommand),
    Webhook(Webhook),
}

/// Why somebody could not be told.
#[derive(Debug, PartialEq, Eq)]
enum DeliveryError {
    /// It may go better next time, but not before this has passed.
    Retryable(String, Option<Duration>),
    Permanent(String),
}

impl AlertReceiver {
    async fn deliver(&self, alert: &Alert) -> Result<(), DeliveryError> {
        match self {
            Self::Command(command) => command.deliver(alert).await,
            Self::Webhook(webhook) => webhook.deliver(alert).await,
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
pub struct DeliveryPolicy {
    /// As many at once are fine, and after them one in each `pace`.
    pub burst: u32,
    pub interval: Duration,
    /// As many may wait; further ones are held back.
    pub queue_capacity: usize,
    /// One telling may take this long.
    pub timeout: Duration,
    /// Before the second attempt; twice as long before the third, and so on.
    pub first_retry_delay: Duration,
    pub max_attempts: u32,
}

impl Default for DeliveryPolicy {
    fn default() -> Self {
        Self {
            burst: 10,
            // What Slack takes.
            interval: Duration::from_secs(1),
            queue_capacity: 1000,
            timeout: Duration::from_secs(30),
            first_retry_delay: Duration::from_secs(1),
            max_attempts: 4,
        }
    }
}

/// A receiver that asks for more is not waited for.
const MAX_RETRY_DELAY: Duration = Duration::from_secs(60);

/// What became of the alerts so far. Each is counted once.
#[derive(Debug, Default)]
struct AlertCounters {
    submitted: AtomicU64,
    delivered: AtomicU64,
    failed: AtomicU64,
}

/// What became of the alerts for one receiver.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeliveryStats {
    pub receiver: &'static str,
    pub delivered: u64,
    pub failed: u64,
    /// They were too many at once, or came too shortly before the end.
    pub dropped: u64,
}

/// Hears of each alert that failed in the end: the receiver, and why.
pub type FailureListener = Arc<dyn Fn(&'static str, &str) + Send + Sync>;

struct ReceiverQueue {
    receiver: &'static str,
    queue: mpsc::Sender<Arc<Alert>>,
    counts: Arc<AlertCounters>,
    worker: JoinHandle<()>,
}

/// All receivers, each with a queue of its own.
pub struct AlertDispatcher(Vec<ReceiverQueue>);

impl AlertDispatcher {
    /// Starts a worker for each receiver; it needs a runtime.
    #[must_use]
    pub fn new(
        receivers: Vec<AlertReceiver>,
        manner: DeliveryPolicy,
        listener: &FailureListener,
    ) -> Self {
        let lines = receivers.into_iter().map(|receiver| {
            let (queue, due) = mpsc::channel(manner.queue_capacity.max(1));
            let counts = Arc::new(AlertCounters::default());
            let name = receiver.name();
            let worker = ReceiverWorker {
                receiver,
                policy: manner,
                counts: Arc::clone(&counts),
                listener: Arc::clone(listener),
            };
            ReceiverQueue {
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
    pub fn submit(&self, alert: Alert) {
        let alert = Arc::new(alert);
        for line in &self.0 {
            line.counts.submitted.fetch_add(1, Ordering::Relaxed);
            // A full queue holds it back.
            let _ = line.queue.try_send(Arc::clone(&alert));
        }
    }

    /// What became of them so far; those that wait count as held back.
    #[must_use]
    pub fn stats(&self) -> Vec<DeliveryStats> {
        let of = |line: &ReceiverQueue| line.counts.stats(line.receiver);
        self.0.iter().map(of).collect()
    }

    /// Waits for what is under way, but not for ever, and says what became of all.
    pub async fn finish(self, grace: Duration) -> Vec<DeliveryStats> {
        let until = Instant::now() + grace;
        let mut all = Vec::new();
        for line in self.0 {
            drop(line.queue);
            let stop = line.worker.abort_handle();
            if timeout_at(until, line.worker).await.is_err() {
                stop.abort();
            }
            all.push(line.counts.stats(line.receiver));
        }
        all
    }
}

impl AlertCounters {
    fn stats(&self, receiver: &'static str) -> DeliveryStats {
        let [handed, told, failed] = [&self.submitted, &self.delivered, &self.failed]
            .map(|count| count.load(Ordering::Relaxed));
        DeliveryStats {
            receiver,
            delivered: told,
            failed,
            dropped: handed.saturating_sub(told + failed),
        }
    }
}

/// Tells one receiver of one alert after another.
struct ReceiverWorker {
    receiver: AlertReceiver,
    policy: DeliveryPolicy,
    counts: Arc<AlertCounters>,
    listener: FailureListener,
}

impl ReceiverWorker {
    async fn run(self, mut due: mpsc::Receiver<Arc<Alert>>) {
        let DeliveryPolicy {
            burst,
            interval: pace,
            ..
        } = self.policy;
        // When the next may go, had there been no burst.
        let mut turn = Instant::now();
        while let Some(alert) = due.recv().await {
            turn = turn.max(Instant::now()) + pace;
            sleep_until(turn - pace * burst.max(1)).await;
            match self.deliver_with_retry(&alert).await {
                Ok(()) => self.counts.delivered.fetch_add(1, Ordering::Relaxed),
                Err(why) => {
                    (self.listener)(self.receiver.name(), &why);
                    self.counts.failed.fetch_add(1, Ordering::Relaxed)
                }
            };
        }
    }

    async fn deliver_with_retry(&self, alert: &Alert) -> Result<(), String> {
        let mut pause = self.policy.first_retry_delay;
        for attempt in 1.. {
            let told = timeout(self.policy.timeout, self.receiver.deliver(alert)).await;
            let refusal = match told {
                Ok(Ok(())) => return Ok(()),
                Ok(Err(refusal)) => refusal,
                Err(_) => DeliveryError::Retryable(
                    format!("no answer within {} s", self.policy.timeout.as_secs()),
                    None,
                ),
            };
            match refusal {
                DeliveryError::Retryable(_, asked) if attempt < self.policy.max_attempts => {
                    sleep(asked.unwrap_or(pause).min(MAX_RETRY_DELAY)).await;
                    pause *= 2;
                }
                DeliveryError::Retryable(why, _) | DeliveryError::Permanent(why) => {
                    return Err(why);
                }
            }
        }
        Ok(())
    }
}
