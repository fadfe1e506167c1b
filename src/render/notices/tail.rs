//! The notices of `tail`.

use std::time::{Duration, SystemTime};

use crate::render::message::{Message, Notice};
use crate::tail::source::SourceKind;

/// Something that `tail` reports.
#[derive(Clone, Debug)]
pub enum TailNotice {
    ReadingLogGroup {
        log_group: String,
        since: Option<SystemTime>,
    },
    ListingBucket {
        bucket: String,
        since: Option<SystemTime>,
    },
    PeekingHeelerQueue {
        queue: String,
    },
    /// A temporary queue of a killed run was deleted.
    StaleQueueRemoved {
        queue: String,
    },
    ReceivingTopic {
        topic: String,
        queue: String,
    },
    /// The temporary queue was not deleted; these commands delete it.
    QueueNotDeleted {
        commands: Vec<String>,
    },
    /// Reading stopped before Heeler would lose a message.
    ReceiveLimitReached {
        message_id: String,
        receive_count: u32,
    },
    /// AWS responds again after an outage of this duration.
    OutageEnded {
        outage: Duration,
    },
    NoMoreEvents {
        timeout: Duration,
    },
    /// Fewer than `--limit` events were printed.
    FewEvents {
        timeout: Duration,
        shown: u64,
        limit: u64,
        filtered: u64,
    },
    /// Events arrived, and the filters of the command line removed all of them.
    AllFiltered {
        timeout: Duration,
        filtered: u64,
    },
    /// No event arrived.
    NoEvents {
        timeout: Duration,
        /// The options of preflight that select the option of the deployment.
        preflight_arguments: String,
        source: SourceKind,
    },
    /// Further unreadable records are only counted.
    FurtherRecordsCounted,
}

impl Notice for TailNotice {
    #[expect(clippy::too_many_lines, reason = "one sentence for each notice")]
    fn message(&self) -> Message {
        match self {
            Self::ReadingLogGroup { log_group, since } => Message::status(
                "reading_log_group",
                format!(
                    "Reading log group {log_group} from {} on. Only events that match Heeler's filter are shown. Press \
                     Ctrl-C to stop.",
                    start_description(*since)
                ),
            ),
            Self::ListingBucket { bucket, since } => Message::status(
                "listing_bucket",
                format!(
                    "Listing new objects in bucket {bucket} from {} on. Press Ctrl-C to stop.",
                    start_description(*since)
                ),
            ),
            Self::PeekingHeelerQueue { queue } => Message::warning(
                "peeking_heeler_queue",
                format!(
                    "Peeking at Heeler's own queue {queue}. Each receive hides messages from Heeler for a moment, and a \
                     message that was received four times moves to the dead-letter queue. All messages are returned \
                     immediately, none is deleted, and reading stops at the first message received more than twice."
                ),
            ),
            Self::StaleQueueRemoved { queue } => Message::status(
                "stale_queue_removed",
                format!("Removed queue {queue}, left by an earlier run."),
            ),
            Self::ReceivingTopic { topic, queue } => Message::status(
                "receiving_topic",
                format!(
                    "Receiving from topic {topic} through the temporary queue {queue}. Press Ctrl-C to stop; the queue is \
                     then deleted."
                ),
            ),
            Self::QueueNotDeleted { commands } => {
                let first = Message::warning(
                    "queue_not_deleted",
                    "The temporary queue was not deleted. To delete it, run:",
                );
                commands.iter().fold(first, Message::and_command)
            }
            Self::ReceiveLimitReached {
                message_id,
                receive_count,
            } => Message::warning(
                "receive_limit_reached",
                format!(
                    "Stopped: message {message_id} has been received {receive_count} times. After the fourth receive, \
                     SQS moves it to the dead-letter queue."
                ),
            ),
            Self::NoMoreEvents { timeout } => Message::status(
                "no_more_events",
                format!(
                    "No more events arrived within {}.",
                    humantime::format_duration(*timeout)
                ),
            ),
            Self::OutageEnded { outage } => Message::status(
                "outage_ended",
                format!(
                    "AWS responds again after {}. Reading continues.",
                    humantime::format_duration(Duration::from_secs(outage.as_secs()))
                ),
            ),
            Self::FewEvents {
                timeout,
                shown,
                limit,
                filtered,
            } => Message::warning(
                "few_events",
                format!(
                    "Only {shown} of {limit} events arrived within {}{}.",
                    humantime::format_duration(*timeout),
                    match filtered {
                        0 => String::new(),
                        count => format!("; the filters removed {}", events(*count)),
                    }
                ),
            ),
            Self::AllFiltered { timeout, filtered } => Message::warning(
                "all_filtered",
                format!(
                    "No event matched the filters within {}: they removed {}.",
                    humantime::format_duration(*timeout),
                    events(*filtered)
                ),
            )
            .and_advice("To see all events, run the same command without filters."),
            Self::NoEvents {
                timeout,
                preflight_arguments,
                source,
            } => no_events(*timeout, preflight_arguments, *source),
            Self::FurtherRecordsCounted => Message::warning(
                "further_records_counted",
                "Further unreadable records are only counted; use --verbose to show each.",
            ),
        }
    }
}

fn start_description(since: Option<SystemTime>) -> String {
    match since {
        None => "ten minutes ago".to_owned(),
        Some(since) => humantime::format_rfc3339_seconds(since).to_string(),
    }
}

fn events(count: u64) -> String {
    format!("{count} event{}", if count == 1 { "" } else { "s" })
}

fn no_events(timeout: Duration, preflight_arguments: &str, source: SourceKind) -> Message {
    let reason = match source {
        SourceKind::HeelerQueue => "Heeler may have processed all messages in its queue already",
        SourceKind::Queue | SourceKind::Bucket => {
            "CloudTrail delivers about every 5 minutes, and a new notification takes effect after about 5 more"
        }
        SourceKind::LogGroup => {
            "CloudTrail delivers some minutes late, and Heeler's filter matches only some of the successful write calls"
        }
    };
    let timeout = humantime::format_duration(timeout);
    Message::warning("no_events", format!("No events arrived within {timeout}."))
        .and_advice("Possible reasons:")
        .and_advice(format!("  - {reason}"))
        .and_advice("  - the trail may not log or deliver; check with:")
        .and_advised_command(format!("heeler-ec preflight {preflight_arguments}"))
        .and_advice("  - a resource of the deployment may have changed; check with:")
        .and_advised_command("heeler-ec plan --check")
}
