//! Reads the log objects that a queue or a listing announces.

use futures_util::future::join;
use futures_util::stream::{self, BoxStream, StreamExt};
use std::collections::HashSet;

use super::LogBucket;
pub use super::object_fetcher::DownloadLimits;
use super::object_fetcher::{DownloadEvent, FetchedObject, ObjectFetcher};
use crate::aws::Aws;
use crate::cloudtrail::log_file::LogFileSource;
use crate::cloudtrail::object_key::skip_reason;
use crate::cloudtrail::s3_notification;
use crate::cloudtrail::s3_notification::S3Object;
use crate::cloudtrail::skip_reason::SkipReason;
use crate::error::{Error, Result};
use crate::tail::arrival::{Arrival, StatsUnit};
use crate::tail::source::bucket_listing::BucketListing;
use crate::tail::source::heeler_queue;
use crate::tail::source::heeler_queue::{HeelerQueue, ReceiveBatch};
use crate::tail::source::temporary_queue::{ReceivedMessage, TemporaryQueue};

/// The result of one poll of the source.
#[derive(Default)]
struct Announcements {
    arrivals: Vec<Arrival>,
    objects: Vec<S3Object>,
}

/// The state of the polls for announcements.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum PollState {
    Idle,
    /// A poll has started and has not finished.
    InFlight,
    /// The source has no further announcements.
    Ended,
}

/// A stream of log objects. It polls for announcements and downloads the announced objects concurrently.
pub struct ObjectReader<'a> {
    announcements: BoxStream<'a, Result<Announcements>>,
    fetcher: ObjectFetcher<'a>,
    /// Polls only after all objects have been returned.
    metered: bool,
    poll: PollState,
    /// The objects of the first poll have been read, or their download is repeated.
    has_answered: bool,
}

impl<'a> ObjectReader<'a> {
    /// Reads the objects announced by messages in a temporary queue.
    #[must_use]
    pub fn from_temporary_queue(
        aws: &'a Aws,
        queue: &'a TemporaryQueue,
        log_bucket: LogBucket,
        limits: DownloadLimits,
    ) -> Self {
        let bucket = log_bucket.bucket.clone();
        let announcements = stream::unfold(Vec::new(), move |read: Vec<ReceivedMessage>| {
            let bucket = bucket.clone();
            async move {
                // Messages that could not be deleted are received again. Their events are then recognised as
                // duplicates.
                let (received, deleted) =
                    join(queue.receive(aws), queue.delete_messages(aws, &read)).await;
                let (announced, messages) = match received {
                    Ok(messages) => {
                        let bodies = messages
                            .iter()
                            .map(|message| (&*message.id, &*message.body));
                        let mut announced = announcements_from_messages(bodies, &bucket);
                        if let Err(error) = deleted {
                            let problem =
                                format!("cannot delete {} messages that were read", read.len());
                            announced.arrivals.push(failed(None, problem, &error));
                        }
                        (Ok(announced), messages)
                    }
                    Err(error) => (Err(error), read),
                };
                Some((announced, messages))
            }
        });
        Self::new(Box::pin(announcements), aws, log_bucket, limits)
    }

    /// Reads the objects found by listing the bucket.
    #[must_use]
    pub fn from_bucket_listing(
        aws: &'a Aws,
        bucket: BucketListing<'a>,
        log_bucket: LogBucket,
        limits: DownloadLimits,
    ) -> Self {
        let announcements = stream::unfold(bucket, |mut bucket| async {
            let objects = bucket.next().await.map(announcements_from_listing);
            Some((objects, bucket))
        });
        Self {
            has_answered: false,
            ..Self::new(Box::pin(announcements), aws, log_bucket, limits)
        }
    }

    /// Reads the messages in Heeler's own queue, until one of them has been received too often.
    #[must_use]
    pub fn from_heeler_queue(
        aws: &'a Aws,
        queue: HeelerQueue,
        log_bucket: LogBucket,
        limits: DownloadLimits,
    ) -> Self {
        let poller = HeelerQueuePoller {
            queue,
            bucket: log_bucket.bucket.clone(),
            seen_message_ids: HashSet::new(),
        };
        let announcements = stream::unfold(Some(poller), move |poller| async move {
            let mut poller = poller?;
            Some(match poller.queue.receive(aws).await {
                Ok(batch) => {
                    let continues = batch.limit_reached.is_none();
                    let announced = poller.process(batch);
                    (Ok(announced), continues.then_some(poller))
                }
                Err(error) => (Err(error), Some(poller)),
            })
        });
        Self {
            metered: true,
            ..Self::new(Box::pin(announcements), aws, log_bucket, limits)
        }
    }

    fn new(
        announcements: BoxStream<'a, Result<Announcements>>,
        aws: &'a Aws,
        log_bucket: LogBucket,
        limits: DownloadLimits,
    ) -> Self {
        Self {
            announcements,
            fetcher: ObjectFetcher::new(aws, log_bucket, limits),
            metered: false,
            poll: PollState::Idle,
            // A receive waits for messages, so silence means that there are none.
            has_answered: true,
        }
    }

    /// Returns true if silence means that there are no events. A listing has to be complete before, with its downloads,
    /// unless these fail.
    #[must_use]
    pub fn has_answered(&self) -> bool {
        self.has_answered
    }

    /// Returns true if each poll has a cost. A poll raises the receive count of Heeler's messages.
    #[must_use]
    pub fn is_metered(&self) -> bool {
        self.metered
    }

    /// Finishes a poll that has started, so that its messages are returned to the queue. Returns the errors of that
    /// step.
    ///
    /// # Errors
    /// Returns an error if the poll fails.
    pub async fn finish(&mut self) -> Result<Vec<Arrival>> {
        if self.poll != PollState::InFlight {
            return Ok(Vec::new());
        }
        self.poll = PollState::Idle;
        let announced = self.announcements.next().await.transpose()?;
        let mut arrivals = announced.unwrap_or_default().arrivals;
        arrivals.retain(|arrival| matches!(arrival, Arrival::Failed { unit: None, .. }));
        Ok(arrivals)
    }

    /// Returns the next arrivals, or `None` if the source has ended. This method is cancel safe.
    ///
    /// # Errors
    /// Returns an error if a poll fails.
    pub async fn next(&mut self) -> Result<Option<Vec<Arrival>>> {
        let has_room = if self.metered {
            self.fetcher.is_idle()
        } else {
            !self.fetcher.is_busy()
        };
        let polls = match self.poll {
            PollState::Idle => has_room,
            PollState::InFlight => true,
            PollState::Ended => false,
        };
        if polls {
            self.poll = PollState::InFlight;
        }
        tokio::select! {
            biased;
            Some(event) = self.fetcher.next() => Ok(Some(vec![match event {
                DownloadEvent::Finished(fetched) => {
                    self.has_answered |= self.fetcher.is_idle();
                    arrival_of_object(fetched)
                }
                DownloadEvent::Repeated(error) => {
                    self.has_answered = true;
                    Arrival::Repeated(error)
                }
            }])),
            announced = self.announcements.next(), if polls => {
                self.poll = PollState::Idle;
                let Some(announced) = announced else {
                    self.poll = PollState::Ended;
                    return Ok(Some(Vec::new()));
                };
                let announced = announced?;
                self.fetcher.enqueue(announced.objects);
                self.has_answered |= self.fetcher.is_idle();
                Ok(Some(announced.arrivals))
            }
            else => Ok(None),
        }
    }
}

/// Reads messages. Objects outside the trail's bucket are skipped.
fn announcements_from_messages<'m>(
    messages: impl Iterator<Item = (&'m str, &'m str)>,
    bucket: &str,
) -> Announcements {
    let mut announced = Announcements::default();
    for (id, body) in messages {
        let notification = match s3_notification::parse(body) {
            Ok(notification) => notification,
            Err(unreadable) => {
                announced.arrivals.push(Arrival::Failed {
                    unit: Some(StatsUnit::Message),
                    problem: format!("cannot read message {id} ({})", unreadable.preview),
                    cause: unreadable.reason,
                    hint: None,
                });
                continue;
            }
        };
        if notification
            .skipped
            .iter()
            .all(|(reason, _)| !reason.is_about_message())
        {
            announced.arrivals.push(Arrival::Read(StatsUnit::Message));
        }
        let skipped_entries = notification.skipped.into_iter();
        announced
            .arrivals
            .extend(skipped_entries.map(|(reason, key)| skipped(reason, key)));
        let (in_bucket, others) = notification
            .objects
            .into_iter()
            .partition::<Vec<_>, _>(|object| object.bucket == bucket);
        announced.objects.extend(in_bucket);
        announced
            .arrivals
            .extend(others.into_iter().map(|object| Arrival::Skipped {
                unit: StatsUnit::Object,
                reason: "an object in another bucket",
                name: format!("{}/{}", object.bucket, object.key),
            }));
    }
    announced
}

fn announcements_from_listing(objects: Vec<S3Object>) -> Announcements {
    let mut announced = Announcements::default();
    for object in objects {
        match skip_reason(&object.key) {
            None => announced.objects.push(object),
            Some(reason) => announced.arrivals.push(skipped(reason, Some(object.key))),
        }
    }
    announced
}

/// The state between two polls of Heeler's queue.
struct HeelerQueuePoller {
    queue: HeelerQueue,
    bucket: String,
    /// IDs of received messages. Each message is returned to the queue, and is therefore received again.
    seen_message_ids: HashSet<String>,
}

impl HeelerQueuePoller {
    fn process(&mut self, batch: ReceiveBatch) -> Announcements {
        let (first, repeated): (Vec<_>, Vec<_>) = batch
            .messages
            .into_iter()
            .partition(|message| self.seen_message_ids.insert(message.id.clone()));
        let (records, notifications): (Vec<_>, Vec<_>) = first
            .into_iter()
            .partition(|message| heeler_queue::contains_records(&message.body));
        let bodies = notifications
            .iter()
            .map(|message| (&*message.id, &*message.body));
        let mut announced = announcements_from_messages(bodies, &self.bucket);
        announced
            .arrivals
            .extend(records.into_iter().map(|message| Arrival::Object {
                unit: StatsUnit::Message,
                name: format!("message {}", message.id),
                data: LogFileSource::Bytes(message.body.into_bytes()),
            }));
        announced
            .arrivals
            .extend(repeated.into_iter().map(|message| Arrival::Skipped {
                unit: StatsUnit::Message,
                reason: "a message that was received before",
                name: message.id,
            }));
        if let Some(error) = batch.return_error {
            let problem = "cannot return messages to Heeler's queue, which stay hidden from Heeler until their \
                           visibility timeout ends";
            announced
                .arrivals
                .push(failed(None, problem.to_owned(), &error));
        }
        announced
            .arrivals
            .extend(batch.limit_reached.map(Arrival::ReceiveLimitReached));
        announced
    }
}

fn arrival_of_object(fetched: FetchedObject) -> Arrival {
    match fetched.data {
        Ok(data) => Arrival::Object {
            unit: StatsUnit::Object,
            name: fetched.object.key,
            data,
        },
        Err(error) => failed(
            Some(StatsUnit::Object),
            format!("cannot read {}", fetched.object.key),
            &error,
        ),
    }
}

fn failed(unit: Option<StatsUnit>, problem: String, error: &Error) -> Arrival {
    Arrival::Failed {
        unit,
        problem,
        cause: error.cause(),
        hint: error.hint().map(ToString::to_string),
    }
}

fn skipped(reason: SkipReason, key: Option<String>) -> Arrival {
    Arrival::Skipped {
        unit: if reason.is_about_message() {
            StatsUnit::Message
        } else {
            StatsUnit::Object
        },
        reason: reason.description(),
        name: key.unwrap_or_else(|| "a message".to_owned()),
    }
}
