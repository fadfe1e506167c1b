//! From announcements to objects: who tells of them, and what becomes of what they tell.

use futures_util::future::join;
use futures_util::stream::{self, BoxStream, StreamExt};
use std::collections::HashSet;

use super::LogBucket;
use super::object_fetcher::{FetchedObject, ObjectFetcher};
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

/// What came of one question to the source.
#[derive(Default)]
struct Announcements {
    arrivals: Vec<Arrival>,
    objects: Vec<S3Object>,
}

/// Announcements and the objects they tell of, side by side.
pub struct ObjectReader<'a> {
    announcements: BoxStream<'a, Result<Announcements>>,
    fetcher: ObjectFetcher<'a>,
    /// Whether to ask only when all is given out.
    metered: bool,
    /// A question is under way.
    poll_in_flight: bool,
    /// No more announcements come.
    ended: bool,
}

impl<'a> ObjectReader<'a> {
    /// Of what the topic tells our own queue.
    #[must_use]
    pub fn from_temporary_queue(
        aws: &'a Aws,
        tap: &'a TemporaryQueue,
        source: LogBucket,
        largest: u64,
    ) -> Self {
        let bucket = source.bucket.clone();
        let announcements = stream::unfold(Vec::new(), move |read: Vec<ReceivedMessage>| {
            let bucket = bucket.clone();
            async move {
                // What could not be taken off comes again, and is known then.
                let (received, taken_off) =
                    join(tap.receive(aws), tap.delete_messages(aws, &read)).await;
                let (announced, messages) = match received {
                    Ok(messages) => {
                        let bodies = messages
                            .iter()
                            .map(|message| (&*message.id, &*message.body));
                        let mut announced = announcements_from_messages(bodies, &bucket);
                        if let Err(error) = taken_off {
                            let what = format!("{} messages a second time", read.len());
                            announced.arrivals.push(failed(None, what, &error));
                        }
                        (Ok(announced), messages)
                    }
                    Err(error) => (Err(error), Vec::new()),
                };
                Some((announced, messages))
            }
        });
        Self::new(Box::pin(announcements), aws, source, largest)
    }

    /// Of what is found in the bucket.
    #[must_use]
    pub fn from_bucket_listing(
        aws: &'a Aws,
        bucket: BucketListing<'a>,
        source: LogBucket,
        largest: u64,
    ) -> Self {
        let announcements = stream::unfold(bucket, |mut bucket| async {
            let found = bucket.next().await.map(announcements_from_listing);
            Some((found, bucket))
        });
        Self::new(Box::pin(announcements), aws, source, largest)
    }

    /// Of what lies in Heeler's own queue, until one of the messages has been received too often.
    #[must_use]
    pub fn from_heeler_queue(
        aws: &'a Aws,
        queue: HeelerQueue,
        source: LogBucket,
        largest: u64,
    ) -> Self {
        let looking = HeelerQueuePoller {
            queue,
            bucket: source.bucket.clone(),
            seen_message_ids: HashSet::new(),
        };
        let announcements = stream::unfold(Some(looking), move |looking| async move {
            let mut looking = looking?;
            Some(match looking.queue.receive(aws).await {
                Ok(look) => {
                    let goes_on = look.limit_reached.is_none();
                    let announced = looking.process(look);
                    (Ok(announced), goes_on.then_some(looking))
                }
                Err(error) => (Err(error), Some(looking)),
            })
        });
        Self {
            metered: true,
            ..Self::new(Box::pin(announcements), aws, source, largest)
        }
    }

    fn new(
        announcements: BoxStream<'a, Result<Announcements>>,
        aws: &'a Aws,
        source: LogBucket,
        largest: u64,
    ) -> Self {
        Self {
            announcements,
            fetcher: ObjectFetcher::new(aws, source, largest),
            metered: false,
            poll_in_flight: false,
            ended: false,
        }
    }

    /// Whether each question has its price.
    #[must_use]
    pub fn is_metered(&self) -> bool {
        self.metered
    }

    /// Finishes the question that is under way, so that messages that were received are given back, and tells what
    /// went wrong with it.
    ///
    /// # Errors
    /// When the question itself was refused.
    pub async fn finish(&mut self) -> Result<Vec<Arrival>> {
        if !self.poll_in_flight {
            return Ok(Vec::new());
        }
        self.poll_in_flight = false;
        let announced = self.announcements.next().await.transpose()?;
        let mut arrivals = announced.unwrap_or_default().arrivals;
        arrivals.retain(|arrival| matches!(arrival, Arrival::Failed { unit: None, .. }));
        Ok(arrivals)
    }

    /// What comes next; nothing when nothing more can come. Whoever stops waiting loses nothing.
    ///
    /// # Errors
    /// When the source tells nothing any more.
    pub async fn next(&mut self) -> Result<Option<Vec<Arrival>>> {
        let has_room = if self.metered {
            self.fetcher.is_idle()
        } else {
            !self.fetcher.is_busy()
        };
        let asks = !self.ended && (self.poll_in_flight || has_room);
        self.poll_in_flight |= asks;
        tokio::select! {
            biased;
            Some(fetched) = self.fetcher.next() => Ok(Some(vec![arrival_of_object(fetched)])),
            announced = self.announcements.next(), if asks => {
                self.poll_in_flight = false;
                let Some(announced) = announced else {
                    self.ended = true;
                    return Ok(Some(Vec::new()));
                };
                let announced = announced?;
                self.fetcher.enqueue(announced.objects);
                Ok(Some(announced.arrivals))
            }
            else => Ok(None),
        }
    }
}

/// What messages tell, as far as it is about the trail's bucket.
fn announcements_from_messages<'m>(
    messages: impl Iterator<Item = (&'m str, &'m str)>,
    bucket: &str,
) -> Announcements {
    let mut announced = Announcements::default();
    for (id, body) in messages {
        let notice = match s3_notification::parse(body) {
            Ok(notice) => notice,
            Err(unreadable) => {
                announced.arrivals.push(Arrival::Failed {
                    unit: Some(StatsUnit::Message),
                    name: format!("message {id} ({})", unreadable.preview),
                    cause: unreadable.reason,
                    hint: None,
                });
                continue;
            }
        };
        if notice
            .skipped
            .iter()
            .all(|(skip, _)| !skip.is_about_message())
        {
            announced.arrivals.push(Arrival::Read(StatsUnit::Message));
        }
        let skips = notice.skipped.into_iter();
        announced
            .arrivals
            .extend(skips.map(|(skip, key)| skipped(skip, key)));
        let (ours, others) = notice
            .objects
            .into_iter()
            .partition::<Vec<_>, _>(|object| object.bucket == bucket);
        announced.objects.extend(ours);
        announced
            .arrivals
            .extend(others.into_iter().map(|object| Arrival::Skipped {
                unit: StatsUnit::Object,
                reason: "it names another bucket than the trail's",
                name: format!("{}/{}", object.bucket, object.key),
            }));
    }
    announced
}

fn announcements_from_listing(found: Vec<S3Object>) -> Announcements {
    let mut announced = Announcements::default();
    for object in found {
        match skip_reason(&object.key) {
            None => announced.objects.push(object),
            Some(skip) => announced.arrivals.push(skipped(skip, Some(object.key))),
        }
    }
    announced
}

/// What goes from one look into Heeler's queue to the next.
struct HeelerQueuePoller {
    queue: HeelerQueue,
    bucket: String,
    /// Ids of messages, since each comes back.
    seen_message_ids: HashSet<String>,
}

impl HeelerQueuePoller {
    fn process(&mut self, look: ReceiveBatch) -> Announcements {
        let (first, again): (Vec<_>, Vec<_>) = look
            .messages
            .into_iter()
            .partition(|message| self.seen_message_ids.insert(message.id.clone()));
        let (records, notices): (Vec<_>, Vec<_>) = first
            .into_iter()
            .partition(|message| heeler_queue::contains_records(&message.body));
        let bodies = notices.iter().map(|message| (&*message.id, &*message.body));
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
            .extend(again.into_iter().map(|message| Arrival::Skipped {
                unit: StatsUnit::Message,
                reason: "it was looked at before and has come back",
                name: message.id,
            }));
        if let Some(error) = look.return_error {
            let what = "the queue without hiding messages from Heeler for a while".to_owned();
            announced.arrivals.push(failed(None, what, &error));
        }
        announced
            .arrivals
            .extend(look.limit_reached.map(Arrival::ReceiveLimitReached));
        announced
    }
}

fn arrival_of_object(fetched: FetchedObject) -> Arrival {
    match fetched.data {
        Ok(packed) => Arrival::Object {
            unit: StatsUnit::Object,
            name: fetched.object.key,
            data: packed,
        },
        Err(error) => failed(Some(StatsUnit::Object), fetched.object.key, &error),
    }
}

fn failed(unit: Option<StatsUnit>, what: String, error: &Error) -> Arrival {
    Arrival::Failed {
        unit,
        name: what,
        cause: error.cause(),
        hint: error.hint().map(ToString::to_string),
    }
}

fn skipped(skip: SkipReason, key: Option<String>) -> Arrival {
    Arrival::Skipped {
        unit: if skip.is_about_message() {
            StatsUnit::Message
        } else {
            StatsUnit::Object
        },
        reason: skip.description(),
        name: key.unwrap_or_default(),
    }
}
