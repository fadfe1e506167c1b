//! From announcements to objects: who tells of them, and what becomes of what they tell.

use futures_util::future::join;
use futures_util::stream::{self, BoxStream, StreamExt};
use std::collections::HashSet;

use super::bucket::Bucket;
use super::fetch::{Fetched, Fetcher};
use super::heelers_queue::{self, HeelersQueue, Look};
use super::name::unfit;
use super::notice::{self, Object, Skip};
use super::object::Packed;
use super::tap::{Message, Tap};
use super::{Arrival, Source, Unit};
use crate::aws::Aws;
use crate::error::{Error, Result};

/// What came of one question to the source.
#[derive(Default)]
struct Announced {
    arrivals: Vec<Arrival>,
    objects: Vec<Object>,
}

/// Announcements and the objects they tell of, side by side.
pub struct Reader<'a> {
    announcements: BoxStream<'a, Result<Announced>>,
    fetcher: Fetcher<'a>,
    /// Whether to ask only when all is given out.
    sparing: bool,
    /// A question is under way.
    asking: bool,
    /// No more announcements come.
    ended: bool,
}

impl<'a> Reader<'a> {
    /// Of what the topic tells our own queue.
    #[must_use]
    pub fn of_tap(aws: &'a Aws, tap: &'a Tap, source: Source, largest: u64) -> Self {
        let bucket = source.bucket.clone();
        let announcements = stream::unfold(Vec::new(), move |read: Vec<Message>| {
            let bucket = bucket.clone();
            async move {
                // What could not be taken off comes again, and is known then.
                let (received, taken_off) = join(tap.receive(aws), tap.done_with(aws, &read)).await;
                let (announced, messages) = match received {
                    Ok(messages) => {
                        let bodies = messages
                            .iter()
                            .map(|message| (&*message.id, &*message.body));
                        let mut announced = told(bodies, &bucket);
                        if let Err(error) = taken_off {
                            let what = format!("{} messages a second time", read.len());
                            announced.arrivals.push(trouble(None, what, &error));
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
    pub fn of_bucket(aws: &'a Aws, bucket: Bucket<'a>, source: Source, largest: u64) -> Self {
        let announcements = stream::unfold(bucket, |mut bucket| async {
            let found = bucket.next().await.map(listed);
            Some((found, bucket))
        });
        Self::new(Box::pin(announcements), aws, source, largest)
    }

    /// Of what lies in Heeler's own queue, until one of the messages has been received too often.
    #[must_use]
    pub fn of_heelers_queue(
        aws: &'a Aws,
        queue: HeelersQueue,
        source: Source,
        largest: u64,
    ) -> Self {
        let looking = Looking {
            queue,
            bucket: source.bucket.clone(),
            seen: HashSet::new(),
        };
        let announcements = stream::unfold(Some(looking), move |looking| async move {
            let mut looking = looking?;
            Some(match looking.queue.look(aws).await {
                Ok(look) => {
                    let goes_on = look.worn.is_none();
                    let announced = looking.announced(look);
                    (Ok(announced), goes_on.then_some(looking))
                }
                Err(error) => (Err(error), Some(looking)),
            })
        });
        Self {
            sparing: true,
            ..Self::new(Box::pin(announcements), aws, source, largest)
        }
    }

    fn new(
        announcements: BoxStream<'a, Result<Announced>>,
        aws: &'a Aws,
        source: Source,
        largest: u64,
    ) -> Self {
        Self {
            announcements,
            fetcher: Fetcher::new(aws, source, largest),
            sparing: false,
            asking: false,
            ended: false,
        }
    }

    /// Whether each question has its price.
    #[must_use]
    pub fn is_sparing(&self) -> bool {
        self.sparing
    }

    /// Finishes the question that is under way, so that messages that were received are given back, and tells what
    /// went wrong with it.
    ///
    /// # Errors
    /// When the question itself was refused.
    pub async fn finish(&mut self) -> Result<Vec<Arrival>> {
        if !self.asking {
            return Ok(Vec::new());
        }
        self.asking = false;
        let announced = self.announcements.next().await.transpose()?;
        let mut arrivals = announced.unwrap_or_default().arrivals;
        arrivals.retain(|arrival| matches!(arrival, Arrival::Trouble { unit: None, .. }));
        Ok(arrivals)
    }

    /// What comes next; nothing when nothing more can come. Whoever stops waiting loses nothing.
    ///
    /// # Errors
    /// When the source tells nothing any more.
    pub async fn next(&mut self) -> Result<Option<Vec<Arrival>>> {
        let has_room = if self.sparing {
            self.fetcher.is_idle()
        } else {
            !self.fetcher.is_busy()
        };
        let asks = !self.ended && (self.asking || has_room);
        self.asking |= asks;
        tokio::select! {
            biased;
            Some(fetched) = self.fetcher.next() => Ok(Some(vec![arrived(fetched)])),
            announced = self.announcements.next(), if asks => {
                self.asking = false;
                let Some(announced) = announced else {
                    self.ended = true;
                    return Ok(Some(Vec::new()));
                };
                let announced = announced?;
                self.fetcher.ask_for(announced.objects);
                Ok(Some(announced.arrivals))
            }
            else => Ok(None),
        }
    }
}

/// What messages tell, as far as it is about the trail's bucket.
fn told<'m>(messages: impl Iterator<Item = (&'m str, &'m str)>, bucket: &str) -> Announced {
    let mut announced = Announced::default();
    for (id, body) in messages {
        let notice = match notice::read(body) {
            Ok(notice) => notice,
            Err(unreadable) => {
                announced.arrivals.push(Arrival::Trouble {
                    unit: Some(Unit::Message),
                    what: format!("message {id} ({})", unreadable.start),
                    why: unreadable.why,
                    hint: None,
                });
                continue;
            }
        };
        if notice.skipped.iter().all(|(skip, _)| !skip.is_of_message()) {
            announced.arrivals.push(Arrival::Read(Unit::Message));
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
                unit: Unit::Object,
                why: "it names another bucket than the trail's",
                what: format!("{}/{}", object.bucket, object.key),
            }));
    }
    announced
}

fn listed(found: Vec<Object>) -> Announced {
    let mut announced = Announced::default();
    for object in found {
        match unfit(&object.key) {
            None => announced.objects.push(object),
            Some(skip) => announced.arrivals.push(skipped(skip, Some(object.key))),
        }
    }
    announced
}

/// What goes from one look into Heeler's queue to the next.
struct Looking {
    queue: HeelersQueue,
    bucket: String,
    /// Ids of messages, since each comes back.
    seen: HashSet<String>,
}

impl Looking {
    fn announced(&mut self, look: Look) -> Announced {
        let (first, again): (Vec<_>, Vec<_>) = look
            .messages
            .into_iter()
            .partition(|message| self.seen.insert(message.id.clone()));
        let (records, notices): (Vec<_>, Vec<_>) = first
            .into_iter()
            .partition(|message| heelers_queue::holds_records(&message.body));
        let bodies = notices.iter().map(|message| (&*message.id, &*message.body));
        let mut announced = told(bodies, &self.bucket);
        announced
            .arrivals
            .extend(records.into_iter().map(|message| Arrival::Object {
                unit: Unit::Message,
                what: format!("message {}", message.id),
                packed: Packed::Bytes(message.body.into_bytes()),
            }));
        announced
            .arrivals
            .extend(again.into_iter().map(|message| Arrival::Skipped {
                unit: Unit::Message,
                why: "it was looked at before and has come back",
                what: message.id,
            }));
        if let Some(error) = look.hidden {
            let what = "the queue without hiding messages from Heeler for a while".to_owned();
            announced.arrivals.push(trouble(None, what, &error));
        }
        announced.arrivals.extend(look.worn.map(Arrival::Worn));
        announced
    }
}

fn arrived(fetched: Fetched) -> Arrival {
    match fetched.packed {
        Ok(packed) => Arrival::Object {
            unit: Unit::Object,
            what: fetched.object.key,
            packed,
        },
        Err(error) => trouble(Some(Unit::Object), fetched.object.key, &error),
    }
}

fn trouble(unit: Option<Unit>, what: String, error: &Error) -> Arrival {
    Arrival::Trouble {
        unit,
        what,
        why: error.cause(),
        hint: error.what_to_do().map(str::to_owned),
    }
}

fn skipped(skip: Skip, key: Option<String>) -> Arrival {
    Arrival::Skipped {
        unit: if skip.is_of_message() {
            Unit::Message
        } else {
            Unit::Object
        },
        why: skip.reason(),
        what: key.unwrap_or_default(),
    }
}
