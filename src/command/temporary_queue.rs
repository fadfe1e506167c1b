//! A temporary queue that exists while some work runs, and is deleted at its end, also after Ctrl-C.

use std::convert::Infallible;
use std::time::Duration;

use tokio::time::sleep;

use super::Context;
use crate::aws::Aws;
use crate::error::{Error, Result};
use crate::render::Ui;
use crate::render::notices::interrupt::CleanUp;
use crate::render::notices::tail::TailNotice;
use crate::tail::retry::RetrySchedule;
use crate::tail::source::stale_queues;
use crate::tail::source::temporary_queue::{self, SubscriptionTarget, TemporaryQueue};

/// The settings of a temporary queue.
pub(super) struct TemporaryQueueSession<'a> {
    pub context: &'a Context,
    /// Clients for the region of the topic.
    pub aws: &'a Aws,
    pub target: &'a SubscriptionTarget,
    /// The time for which the deletion is repeated while AWS does not respond.
    pub give_up_after: Duration,
    /// Reports the first failed deletion of an outage.
    pub on_outage: &'a dyn Fn(&Error),
}

impl TemporaryQueueSession<'_> {
    /// Deletes the queues of killed runs, creates a queue, runs the work and deletes the queue.
    ///
    /// # Errors
    /// The error of the work, or that the queue could not be created or deleted; an interruption before the queue is created.
    pub async fn run<T>(&self, work: impl AsyncFnOnce(&TemporaryQueue) -> Result<T>) -> Result<T> {
        let Self {
            context,
            aws,
            target,
            ..
        } = *self;
        for queue in stale_queues::remove_stale(aws, target).await? {
            context.ui.notify(&TailNotice::StaleQueueRemoved { queue });
        }
        if context.interrupt.cancellation().is_cancelled() {
            return Err(context.interrupted_error());
        }
        let name = temporary_queue::generate_name(&target.name_prefix);
        let region = aws.region();
        context.interrupt.set_leftovers(&TailNotice::QueueNotDeleted {
            commands: vec![format!(
            "aws sqs delete-queue --region {region} --queue-url \"$(aws sqs get-queue-url --region {region} --queue-name {name} --query QueueUrl --output text)\"",
        )],
        });
        let mut queue = TemporaryQueue::create(aws, target, &name).await?;
        context
            .interrupt
            .set_leftovers(&TailNotice::QueueNotDeleted {
                commands: queue.manual_cleanup_commands(region),
            });
        context
            .interrupt
            .set_clean_up(CleanUp::DeleteTemporaryQueue);
        let result = tokio::select! {
            result = work(&queue) => result,
            never = send_heartbeats(context.ui, aws, &queue) => match never {},
        };
        let gave_up = result.as_ref().is_err_and(Error::is_transient);
        let deleted = self.delete_queue(&mut queue, gave_up).await;
        if deleted.is_err() {
            context.interrupt.print_leftovers(context.ui);
        }
        let result = result?;
        deleted?;
        context.interrupt.clear_leftovers();
        Ok(result)
    }

    /// Deletes the queue. While AWS does not respond, the calls are repeated, unless the run has given up already.
    async fn delete_queue(&self, queue: &mut TemporaryQueue, gave_up: bool) -> Result<()> {
        let give_up_after = if gave_up {
            Duration::ZERO
        } else {
            self.give_up_after
        };
        let mut schedule = RetrySchedule::new(give_up_after);
        loop {
            match queue.delete(self.aws).await {
                Err(error) if error.is_transient() => {
                    let is_first = !schedule.is_failing();
                    let Some(delay) = schedule.record_failure() else {
                        return Err(error);
                    };
                    if is_first {
                        (self.on_outage)(&error);
                    }
                    sleep(delay).await;
                }
                deleted => return deleted,
            }
        }
    }
}

/// Marks the temporary queue as in use at regular intervals.
async fn send_heartbeats(ui: Ui, aws: &Aws, queue: &TemporaryQueue) -> Infallible {
    loop {
        sleep(temporary_queue::heartbeat_interval()).await;
        match queue.heartbeat(aws).await {
            // The receives report an outage already.
            Err(error) if !error.is_transient() => ui.error(&error),
            _ => {}
        }
    }
}
