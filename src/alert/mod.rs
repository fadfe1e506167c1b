//! Alerts for events of high severity, delivered to a command or a webhook. A slow or failing receiver never blocks the
//! reading; alerts that are not delivered are counted.

mod command;
mod delivery;
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

pub use command::ShellCommand;
pub use delivery::Alert;
use delivery::DeliveryError;
pub use webhook::{PayloadFormat, Webhook};

/// A receiver of alerts.
#[derive(Debug)]
pub enum AlertReceiver {
    Command(ShellCommand),
    Webhook(Webhook),
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

/// Rate limit, queue size and retries of a receiver.
#[derive(Clone, Copy, Debug)]
pub struct DeliveryPolicy {
    /// Number of alerts that may be delivered without waiting.
    pub burst: u32,
    /// Interval between alerts after a burst.
    pub interval: Duration,
    /// Queue capacity. Further alerts are dropped and counted.
    pub queue_capacity: usize,
    /// Timeout of one attempt.
    pub timeout: Duration,
    /// Delay before the second attempt. It doubles with each further attempt.
    pub first_retry_delay: Duration,
    pub max_attempts: u32,
}

impl Default for DeliveryPolicy {
    fn default() -> Self {
        Self {
            burst: 10,
            // The rate limit of Slack's incoming webhooks: <https://api.slack.com/docs/rate-limits>.
            interval: Duration::from_secs(1),
            queue_capacity: 1000,
            timeout: Duration::from_secs(30),
            first_retry_delay: Duration::from_secs(1),
            max_attempts: 4,
        }
    }
}

/// Maximum delay, also if the receiver requests a longer one.
const MAX_RETRY_DELAY: Duration = Duration::from_secs(60);

/// Counters of one receiver. Each alert is counted once.
#[derive(Debug, Default)]
struct AlertCounters {
    submitted: AtomicU64,
    delivered: AtomicU64,
    failed: AtomicU64,
}

/// Delivery statistics of one receiver.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeliveryStats {
    pub receiver: &'static str,
    pub delivered: u64,
    pub failed: u64,
    /// Alerts that did not fit into the queue or were not delivered before the end.
    pub dropped: u64,
}

/// A callback for each alert that finally failed: receiver and reason.
pub type FailureListener = Arc<dyn Fn(&'static str, &str) + Send + Sync>;

/// A receiver with its queue and worker.
struct ReceiverQueue {
    receiver: &'static str,
    queue: mpsc::Sender<Arc<Alert>>,
    counts: Arc<AlertCounters>,
    worker: JoinHandle<()>,
}

/// Delivers alerts to all receivers, each through its own queue.
pub struct AlertDispatcher(Vec<ReceiverQueue>);

impl AlertDispatcher {
    /// Starts a worker for each receiver. Must be called within a Tokio runtime.
    #[must_use]
    pub fn new(
        receivers: Vec<AlertReceiver>,
        policy: DeliveryPolicy,
        listener: &FailureListener,
    ) -> Self {
        let lines = receivers.into_iter().map(|receiver| {
            let (queue, due) = mpsc::channel(policy.queue_capacity.max(1));
            let counts = Arc::new(AlertCounters::default());
            let name = receiver.name();
            let worker = ReceiverWorker {
                receiver,
                policy,
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

    /// Returns true if there are no receivers.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Queues an alert for every receiver. Does not block.
    pub fn submit(&self, alert: Alert) {
        let alert = Arc::new(alert);
        for line in &self.0 {
            line.counts.submitted.fetch_add(1, Ordering::Relaxed);
            // If the queue is full, the alert is dropped.
            let _ = line.queue.try_send(Arc::clone(&alert));
        }
    }

    /// The statistics so far. Waiting alerts count as dropped.
    #[must_use]
    pub fn stats(&self) -> Vec<DeliveryStats> {
        let of = |line: &ReceiverQueue| line.counts.stats(line.receiver);
        self.0.iter().map(of).collect()
    }

    /// Waits up to `timeout` for the queued alerts and returns the final statistics.
    pub async fn finish(self, timeout: Duration) -> Vec<DeliveryStats> {
        let until = Instant::now() + timeout;
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
        let [submitted, delivered, failed] = [&self.submitted, &self.delivered, &self.failed]
            .map(|count| count.load(Ordering::Relaxed));
        DeliveryStats {
            receiver,
            delivered,
            failed,
            dropped: submitted.saturating_sub(delivered + failed),
        }
    }
}

/// Delivers the alerts of one receiver, one after another.
struct ReceiverWorker {
    receiver: AlertReceiver,
    policy: DeliveryPolicy,
    counts: Arc<AlertCounters>,
    listener: FailureListener,
}

impl ReceiverWorker {
    async fn run(self, mut pending: mpsc::Receiver<Arc<Alert>>) {
        let DeliveryPolicy {
            burst, interval, ..
        } = self.policy;
        // The time at which the next alert would be pending without a burst.
        let mut next_due = Instant::now();
        while let Some(alert) = pending.recv().await {
            next_due = next_due.max(Instant::now()) + interval;
            sleep_until(next_due - interval * burst.max(1)).await;
            match self.deliver_with_retry(&alert).await {
                Ok(()) => self.counts.delivered.fetch_add(1, Ordering::Relaxed),
                Err(reason) => {
                    (self.listener)(self.receiver.name(), &reason);
                    self.counts.failed.fetch_add(1, Ordering::Relaxed)
                }
            };
        }
    }

    async fn deliver_with_retry(&self, alert: &Alert) -> Result<(), String> {
        let mut delay = self.policy.first_retry_delay;
        for attempt in 1.. {
            let result = timeout(self.policy.timeout, self.receiver.deliver(alert)).await;
            let error = match result {
                Ok(Ok(())) => return Ok(()),
                Ok(Err(error)) => error,
                Err(_) => DeliveryError::Retryable(
                    format!("no response within {} s", self.policy.timeout.as_secs()),
                    None,
                ),
            };
            match error {
                DeliveryError::Retryable(_, requested) if attempt < self.policy.max_attempts => {
                    sleep(requested.unwrap_or(delay).min(MAX_RETRY_DELAY)).await;
                    delay *= 2;
                }
                DeliveryError::Retryable(reason, _) | DeliveryError::Permanent(reason) => {
                    return Err(reason);
                }
            }
        }
        Ok(())
    }
}
