//! The notices of `dlq`.

use crate::dead_letter::queue::HIDDEN_SECONDS;
use crate::render::message::{Message, Notice};

/// Something that `dlq` reports.
#[derive(Clone, Debug)]
pub enum DlqNotice {
    /// The messages were not returned, because the run was ended.
    NotReturned,
    Empty {
        queue: String,
    },
    /// Another run has started a task, which this run follows.
    FollowsTask,
    Progress {
        text: String,
    },
    /// A FIFO queue has rules that differ from what one may expect.
    FifoRules,
    /// The task goes on without this run.
    TaskGoesOn {
        region: String,
        /// `None` if this run did not start the task.
        handle: Option<String>,
    },
}

impl Notice for DlqNotice {
    fn message(&self) -> Message {
        match self {
            Self::NotReturned => Message::warning(
                "not_returned",
                format!("SQS hides the messages that were read for at most {HIDDEN_SECONDS} s."),
            ),
            Self::Empty { queue } => Message::status(
                "empty",
                format!("The dead-letter queue {queue} is empty. Nothing to move."),
            ),
            Self::FollowsTask => Message::status(
                "follows_task",
                "A move task is running already. Following it; Ctrl-C does not cancel it.",
            ),
            Self::Progress { text } => Message::status("progress", format!("{text}.")),
            Self::FifoRules => Message::status(
                "fifo_rules",
                "In a FIFO queue, a message that another reader holds blocks the others of its group. SQS drops a message \
                 that is moved twice within 5 minutes. All counts are approximate.",
            ),
            Self::TaskGoesOn { region, handle } => {
                let message = Message::warning(
                    "task_goes_on",
                    "The move task goes on. To follow it, run `heeler-ec dlq redrive` again.",
                );
                match handle {
                    Some(handle) => message
                        .and_text("To cancel it, run:")
                        .and_command(cancel_command(region, handle)),
                    None => message,
                }
            }
        }
    }
}

fn cancel_command(region: &str, handle: &str) -> String {
    let handle = shlex::try_quote(handle).unwrap_or_default();
    format!("aws sqs cancel-message-move-task --region {region} --task-handle {handle}")
}
