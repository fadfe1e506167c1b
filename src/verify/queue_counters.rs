//! Counts the messages in Heeler's queue. No message is received.

use std::time::Duration;

use aws_sdk_sqs::types::QueueAttributeName;
use tokio::time::{Instant, sleep};

use super::canary::Canary;
use super::retry::retry_transient;
use super::sighting::SightingBoard;
use crate::aws::Aws;
use crate::aws::error::AwsResultExt;
use crate::aws::queue_url::require_queue_url;
use crate::error::Result;

const POINT: &str = "queue";
const POLL_INTERVAL: Duration = Duration::from_secs(5);
/// The counters reach consistency at least one minute after the producers stop. Source:
/// <https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_GetQueueAttributes.html>.
const COUNTER_DELAY: Duration = Duration::from_secs(90);

/// The approximate numbers of messages in a queue.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct QueueCounters {
    pub visible: u64,
    pub in_flight: u64,
    pub delayed: u64,
}

impl QueueCounters {
    /// The number of all messages.
    #[must_use]
    pub fn total(self) -> u64 {
        self.visible + self.in_flight + self.delayed
    }
}

/// Reads the numbers of messages in a queue.
///
/// # Errors
/// If a call fails.
pub async fn count_messages(aws: &Aws, queue: &str) -> Result<QueueCounters> {
    let operation = || format!("count the messages in queue {queue}");
    let url = require_queue_url(aws, queue).await?;
    let names = [
        QueueAttributeName::ApproximateNumberOfMessages,
        QueueAttributeName::ApproximateNumberOfMessagesNotVisible,
        QueueAttributeName::ApproximateNumberOfMessagesDelayed,
    ];
    let read = aws.sqs.get_queue_attributes().queue_url(url);
    let read = read.set_attribute_names(Some(names.to_vec())).send().await;
    let attributes = read
        .context_for("sqs:GetQueueAttributes", operation)?
        .attributes;
    let attributes = attributes.unwrap_or_default();
    let count = |name| {
        let text = attributes.get(name);
        text.and_then(|text| text.parse().ok()).unwrap_or_default()
    };
    let [visible, in_flight, delayed] = names.each_ref().map(count);
    Ok(QueueCounters {
        visible,
        in_flight,
        delayed,
    })
}

/// Waits until the canary was seen at an earlier point, then until the queue has more messages than before.
pub(super) async fn observe(
    aws: &Aws,
    queue: &str,
    before: QueueCounters,
    earlier_points: &[&str],
    canary: &Canary,
    board: &SightingBoard<'_>,
) -> Result<()> {
    board
        .wait_until(|board| earlier_points.iter().any(|point| board.is_seen(point)))
        .await;
    let end = Instant::now() + COUNTER_DELAY;
    loop {
        let now = retry_transient(async || count_messages(aws, queue).await).await?;
        let (total, earlier) = (now.total(), before.total());
        if total > earlier {
            let observed = format!("messages: {total}, before the canary: {earlier}");
            board.record_seen(POINT, None, Some(canary.age()), observed, None);
            return Ok(());
        }
        if Instant::now() >= end {
            let reason = format!(
                "messages: {total}, before the canary: {earlier}; Heeler may have received the message"
            );
            board.record_not_observable(POINT, None, &reason);
            return Ok(());
        }
        sleep(POLL_INTERVAL).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::aws::canned::CannedResponse;
    use crate::verify::{CanaryId, ObservationPoint, SightingStatus};

    /// Observes the queue with these total numbers of messages. Returns the status and the seconds.
    async fn observe_counts(
        before: u64,
        counts: impl Iterator<Item = u64>,
    ) -> (SightingStatus, u64) {
        let responses = counts.flat_map(|count| {
            let url = r#"{"QueueUrl": "https://sqs.us-east-1.amazonaws.com/1/q"}"#;
            let attributes = serde_json::json!({ "Attributes": {
                "ApproximateNumberOfMessages": count.to_string(),
                "ApproximateNumberOfMessagesNotVisible": "0",
            }});
            [
                ("GetQueueUrl", CannedResponse::ok(url)),
                (
                    "GetQueueAttributes",
                    CannedResponse::ok(attributes.to_string()),
                ),
            ]
        });
        let (aws, _) = Aws::canned(responses.collect());
        let points = [
            ObservationPoint::EventHistory,
            ObservationPoint::Queue { name: "q".into() },
        ];
        let board = SightingBoard::new(&points, &["r".to_owned()], |_| {});
        board.record_seen("event_history", Some("r"), None, "recorded", None);
        let before = QueueCounters {
            visible: before,
            ..QueueCounters::default()
        };
        let canary = Canary::new(CanaryId::parse("20261127T210305-9f2c71d0").expect("an ID"));
        let started = Instant::now();
        let observed = observe(&aws, "q", before, &["event_history"], &canary, &board).await;
        observed.expect("counters");
        let sightings = board.sightings();
        (sightings[1].status, started.elapsed().as_secs())
    }

    #[tokio::test(start_paused = true)]
    async fn rising_counter_shows_the_canary() {
        let observed = observe_counts(2, [2, 3].into_iter()).await;
        assert_eq!(observed, (SightingStatus::Seen, 5));
    }

    #[tokio::test(start_paused = true)]
    async fn counter_that_stays_shows_nothing() {
        let observed = observe_counts(2, std::iter::repeat_n(2, 30)).await;
        assert_eq!(observed, (SightingStatus::NotObservable, 90));
    }
}
