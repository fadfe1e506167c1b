//! Message move tasks: SQS moves the messages of a dead-letter queue back to Heeler's queue.
//!
//! Source: SQS Developer Guide, "Dead-letter queue redrive". One task per queue can be active, for at most 36 hours. All
//! counts are approximate. SQS makes the moves with the permissions of the caller who started the task.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use aws_sdk_sqs::types::ListMessageMoveTasksResultEntry;

use crate::aws::Aws;
use crate::aws::arn::resource_name;
use crate::aws::error::AwsResultExt;
use crate::error::{Error, Result};

/// The time for which a FIFO queue drops a message that it has received before.
pub const DEDUPLICATION_INTERVAL: Duration = Duration::from_secs(300);
/// SQS lists at most this number of tasks.
const MAX_LISTED_TASKS: i32 = 10;

/// A message move task, as SQS lists it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct MoveTask {
    /// Identifies the task; only while it is running.
    pub handle: Option<String>,
    pub status: MoveTaskStatus,
    pub moved: u64,
    /// The number of messages in the queue at the start; `None` if SQS did not count them.
    pub total: Option<u64>,
    pub started_at: Option<SystemTime>,
    pub failure_reason: Option<String>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum MoveTaskStatus {
    Running,
    Completed,
    Cancelling,
    Cancelled,
    Failed,
    /// A status that is not documented.
    #[default]
    Unknown,
}

impl MoveTaskStatus {
    /// Returns the value that is used in output.
    #[must_use]
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::Running => "running",
            Self::Completed => "completed",
            Self::Cancelling => "cancelling",
            Self::Cancelled => "cancelled",
            Self::Failed => "failed",
            Self::Unknown => "unknown",
        }
    }

    /// Returns true if the task moves no further message.
    #[must_use]
    pub fn is_final(&self) -> bool {
        matches!(self, Self::Completed | Self::Cancelled | Self::Failed)
    }

    fn parse(text: &str) -> Self {
        match text {
            "RUNNING" => Self::Running,
            "COMPLETED" => Self::Completed,
            "CANCELLING" => Self::Cancelling,
            "CANCELLED" => Self::Cancelled,
            "FAILED" => Self::Failed,
            _ => Self::Unknown,
        }
    }
}

/// Lists the newest tasks of a dead-letter queue, the newest first.
///
/// # Errors
/// If SQS refuses the call.
pub async fn list_tasks(aws: &Aws, source: &str) -> Result<Vec<MoveTask>> {
    let call = aws.sqs.list_message_move_tasks().source_arn(source);
    let found = call
        .max_results(MAX_LISTED_TASKS)
        .send()
        .await
        .context_for("sqs:ListMessageMoveTasks", || {
            format!("list the message move tasks of {}", resource_name(source))
        })?;
    let mut tasks: Vec<MoveTask> = found.results().iter().map(to_task).collect();
    tasks.sort_by_key(|task| std::cmp::Reverse(task.started_at));
    Ok(tasks)
}

fn to_task(found: &ListMessageMoveTasksResultEntry) -> MoveTask {
    let milliseconds = u64::try_from(found.started_timestamp()).ok();
    let milliseconds = milliseconds.filter(|time| *time > 0);
    let total = found.approximate_number_of_messages_to_move();
    MoveTask {
        handle: found.task_handle().map(str::to_owned),
        status: MoveTaskStatus::parse(found.status().unwrap_or_default()),
        moved: u64::try_from(found.approximate_number_of_messages_moved()).unwrap_or_default(),
        total: total.and_then(|total| u64::try_from(total).ok()),
        started_at: milliseconds
            .and_then(|time| UNIX_EPOCH.checked_add(Duration::from_millis(time))),
        failure_reason: found.failure_reason().map(str::to_owned),
    }
}

/// Starts a task and returns its handle. `rate` is the maximum number of messages per second; without it, SQS chooses.
///
/// # Errors
/// If SQS refuses the call, for example because another task is active.
pub async fn start_task(
    aws: &Aws,
    source: &str,
    destination: &str,
    rate: Option<u32>,
) -> Result<String> {
    let operation = || {
        format!(
            "move the messages of {} to {}",
            resource_name(source),
            resource_name(destination)
        )
    };
    let call = aws.sqs.start_message_move_task().source_arn(source);
    let started = call
        .destination_arn(destination)
        .set_max_number_of_messages_per_second(rate.and_then(|rate| i32::try_from(rate).ok()))
        .send()
        .await
        .context_for("sqs:StartMessageMoveTask", operation)?;
    started
        .task_handle
        .ok_or_else(|| Error::failed(operation(), "AWS returned no task handle"))
}

/// Cancels a task. Returns the number of messages that were moved, which stay where they are.
///
/// # Errors
/// If SQS refuses the call, for example because the task has ended.
pub async fn cancel_task(aws: &Aws, handle: &str) -> Result<u64> {
    let call = aws.sqs.cancel_message_move_task().task_handle(handle);
    let cancelled = call
        .send()
        .await
        .context_for("sqs:CancelMessageMoveTask", || {
            "cancel the message move task".to_owned()
        })?;
    Ok(u64::try_from(cancelled.approximate_number_of_messages_moved).unwrap_or_default())
}

/// A task that is followed by its start time, because SQS lists the handle only of a running task.
#[derive(Clone, Debug)]
pub struct FollowedTask {
    /// The start times of the tasks that were listed before this one was started.
    earlier: Vec<Option<SystemTime>>,
    started_at: Option<SystemTime>,
}

impl FollowedTask {
    /// A task that is started after `earlier` was listed.
    #[must_use]
    pub fn after(earlier: &[MoveTask]) -> Self {
        Self {
            earlier: earlier.iter().map(|task| task.started_at).collect(),
            started_at: None,
        }
    }

    /// A task that is running already.
    #[must_use]
    pub fn existing(task: &MoveTask) -> Self {
        Self {
            earlier: Vec::new(),
            started_at: task.started_at,
        }
    }

    /// Finds the task in a list. Returns `None` if SQS does not list it yet.
    pub fn find<'t>(&mut self, listed: &'t [MoveTask]) -> Option<&'t MoveTask> {
        let found = match self.started_at {
            Some(started_at) => listed
                .iter()
                .find(|task| task.started_at == Some(started_at)),
            None => listed
                .iter()
                .find(|task| !self.earlier.contains(&task.started_at)),
        };
        self.started_at = self.started_at.or(found.and_then(|task| task.started_at));
        found
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::aws::canned::CannedResponse;

    const SOURCE: &str = "arn:aws:sqs:us-east-1:111122223333:dlq";

    #[tokio::test]
    async fn listed_tasks_are_read() {
        let body = json!({ "Results": [
            { "Status": "COMPLETED", "StartedTimestamp": 1_000, "ApproximateNumberOfMessagesMoved": 3,
              "ApproximateNumberOfMessagesToMove": 3 },
            { "TaskHandle": "h", "Status": "RUNNING", "StartedTimestamp": 2_000 },
            { "Status": "FAILED", "StartedTimestamp": 500, "FailureReason": "CouldNotDetermineMessageSource" },
        ] });
        let response = CannedResponse::ok(body.to_string());
        let (aws, sent) = Aws::canned(vec![("ListMessageMoveTasks", response)]);
        let tasks = list_tasks(&aws, SOURCE).await.expect("tasks");
        let statuses: Vec<&str> = tasks.iter().map(|task| task.status.as_str()).collect();
        assert_eq!(statuses, ["running", "completed", "failed"]);
        assert_eq!(tasks[0].handle.as_deref(), Some("h"));
        assert_eq!((tasks[1].moved, tasks[1].total), (3, Some(3)));
        assert_eq!(tasks[0].total, None);
        assert!(tasks[2].failure_reason.is_some());
        assert!(sent.body("ListMessageMoveTasks").contains(SOURCE));
    }

    #[tokio::test]
    async fn task_is_started_with_its_destination_and_rate() {
        let response = CannedResponse::ok(r#"{"TaskHandle":"h"}"#);
        let (aws, sent) = Aws::canned(vec![("StartMessageMoveTask", response)]);
        let handle = start_task(&aws, SOURCE, "arn:q", Some(5)).await;
        assert_eq!(handle.expect("a handle"), "h");
        let request: serde_json::Value =
            serde_json::from_str(&sent.body("StartMessageMoveTask")).expect("JSON");
        assert_eq!(request["DestinationArn"], "arn:q");
        assert_eq!(request["MaxNumberOfMessagesPerSecond"], 5);
    }

    #[test]
    fn followed_task_is_found_without_its_handle() {
        let at = |seconds| UNIX_EPOCH.checked_add(Duration::from_secs(seconds));
        let task = |seconds, status| MoveTask {
            started_at: at(seconds),
            status,
            ..MoveTask::default()
        };
        let earlier = [task(1, MoveTaskStatus::Completed)];
        let mut followed = FollowedTask::after(&earlier);
        assert_eq!(followed.find(&earlier), None);
        let listed = [task(2, MoveTaskStatus::Running), earlier[0].clone()];
        assert_eq!(followed.find(&listed), Some(&listed[0]));
        let listed = [
            task(3, MoveTaskStatus::Running),
            task(2, MoveTaskStatus::Completed),
        ];
        assert_eq!(followed.find(&listed), Some(&listed[1]));
        let mut existing = FollowedTask::existing(&listed[0]);
        assert_eq!(existing.find(&listed), Some(&listed[0]));
    }
}
