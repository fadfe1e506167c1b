//! What arrives: messages, the objects they announce, and the records in them.
//!
//! From the bytes of an object to a line it goes `unpack`, `window`, `walk` (with `scan`), `object`, `record` (with
//! `members`, `shape` and `actor`), `filter`, `press`; `crew` does so on all cores for objects that lie on this machine
//! (`files`). Messages are read by `notice`. What became of everything is counted in a `tally`.

mod actor;
pub mod bucket;
pub mod crew;
pub mod files;
pub mod filter;
pub mod heelers_queue;
pub mod lag;
mod lock;
pub mod log_group;
mod members;
mod name;
pub mod notice;
pub mod object;
pub mod press;
pub mod record;
mod scan;
pub mod seen;
mod shape;
pub mod tally;
pub mod tap;
mod unpack;
pub mod visible;
mod walk;
mod window;

use futures_util::stream::{self, StreamExt};

use crate::aws::Aws;
use crate::aws::fault::Doing;
use crate::error::{Error, Result};
use notice::{Object, Skip};
use tap::{Message, Tap};

/// Objects that are fetched at the same time.
const IN_FLIGHT: usize = 16;

/// What a tally has a sum for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unit {
    Message,
    Object,
}

/// One thing that came out of a message.
#[derive(Debug)]
pub enum Arrival {
    Record(String),
    /// A record that the pipeline's own filter leaves out.
    LeftOut,
    /// A message or object that was read to its end.
    Read(Unit),
    Skipped {
        unit: Unit,
        why: &'static str,
        what: String,
    },
    /// It should have been shown and could not be. What is no unit comes again.
    Trouble {
        unit: Option<Unit>,
        what: String,
        why: String,
        hint: Option<String>,
    },
}

/// Where objects may be fetched from: a message that names another bucket is not believed.
#[derive(Clone, Debug)]
pub struct Source {
    pub bucket: String,
    pub owner: String,
}

/// Messages become records.
pub struct Reader<'a> {
    aws: &'a Aws,
    source: Source,
    /// An object that unpacks to more is refused.
    largest: u64,
}

impl<'a> Reader<'a> {
    #[must_use]
    pub fn new(aws: &'a Aws, source: Source, largest: u64) -> Self {
        Self {
            aws,
            source,
            largest,
        }
    }

    /// Waits for messages, reads all they announce, and takes them off the tap.
    ///
    /// # Errors
    /// When the tap gives nothing any more.
    pub async fn next(&self, tap: &Tap) -> Result<Vec<Arrival>> {
        let messages = tap.receive(self.aws).await?;
        let (mut arrivals, objects) = self.announced(&messages);
        let fetched: Vec<_> = stream::iter(objects)
            .map(|object| self.fetch(object))
            .buffered(IN_FLIGHT)
            .collect()
            .await;
        for (object, records) in fetched {
            match records {
                Ok(records) => {
                    arrivals.push(Arrival::Read(Unit::Object));
                    arrivals.extend(records.into_iter().map(Arrival::Record));
                }
                Err(error) => arrivals.push(Arrival::Trouble {
                    unit: Some(Unit::Object),
                    what: object.key,
                    why: error.cause(),
                    hint: error.what_to_do().map(str::to_owned),
                }),
            }
        }
        // What could not be taken off comes again, and is known then.
        if let Err(error) = tap.done_with(self.aws, &messages).await {
            arrivals.push(Arrival::Trouble {
                unit: None,
                what: format!("{} messages a second time", messages.len()),
                why: error.cause(),
                hint: error.what_to_do().map(str::to_owned),
            });
        }
        Ok(arrivals)
    }

    fn announced(&self, messages: &[Message]) -> (Vec<Arrival>, Vec<Object>) {
        let (mut arrivals, mut objects) = (Vec::new(), Vec::new());
        for message in messages {
            match notice::read(&message.body) {
                Ok(notice) => {
                    if notice.skipped.iter().all(|(skip, _)| !skip.is_of_message()) {
                        arrivals.push(Arrival::Read(Unit::Message));
                    }
                    arrivals.extend(
                        notice
                            .skipped
                            .into_iter()
                            .map(|(skip, key)| skipped(skip, key)),
                    );
                    for object in notice.objects {
                        if object.bucket == self.source.bucket {
                            objects.push(object);
                        } else {
                            arrivals.push(Arrival::Skipped {
                                unit: Unit::Object,
                                why: "it names another bucket than the trail's",
                                what: format!("{}/{}", object.bucket, object.key),
                            });
                        }
                    }
                }
                Err(unreadable) => arrivals.push(Arrival::Trouble {
                    unit: Some(Unit::Message),
                    what: format!("message {} ({})", message.id, unreadable.start),
                    why: unreadable.why,
                    hint: None,
                }),
            }
        }
        (arrivals, objects)
    }

    async fn fetch(&self, object: Object) -> (Object, Result<Vec<String>>) {
        let records = self.read(&object).await;
        (object, records)
    }

    async fn read(&self, object: &Object) -> Result<Vec<String>> {
        let doing = || format!("read object {}", object.key);
        let found = self
            .aws
            .s3
            .get_object()
            .bucket(&self.source.bucket)
            .key(&object.key)
            .expected_bucket_owner(&self.source.owner)
            .send()
            .await
            .doing("s3:GetObject", doing)?;
        let bytes = found
            .body
            .collect()
            .await
            .map_err(|why| Error::unanswered(doing(), why.to_string()))?
            .into_bytes();
        object::records(&bytes, self.largest)
            .map_err(|why| Error::unanswered(doing(), why.to_string()))
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
