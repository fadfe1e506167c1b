//! What arrives: messages, the objects they announce, and the records in them.

mod actor;
pub mod bucket;
pub mod decode;
pub mod heelers_queue;
mod lock;
pub mod log_group;
pub mod notice;
pub mod record;
pub mod seen;
mod shape;
pub mod tap;

use futures_util::stream::{self, StreamExt};

use crate::aws::Aws;
use crate::aws::fault::Doing;
use crate::error::{Error, Result};
use notice::{Object, Skip};
use record::Record;
use seen::Seen;
use tap::{Message, Tap};

/// Objects that are fetched at the same time.
const IN_FLIGHT: usize = 16;
/// An object that unpacks to more is refused.
const LARGEST_OBJECT: u64 = 512 * 1024 * 1024;

/// One thing that came out of a message.
#[derive(Debug)]
pub enum Arrival {
    Record(Record),
    /// Shown before: trail, topic and queue all deliver at least once.
    Duplicate,
    Skipped {
        why: &'static str,
        what: String,
    },
    /// It should have been shown and could not be.
    Trouble {
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
    seen: Seen,
}

impl<'a> Reader<'a> {
    #[must_use]
    pub fn new(aws: &'a Aws, source: Source) -> Self {
        Self {
            aws,
            source,
            seen: Seen::default(),
        }
    }

    /// Waits for messages, reads all they announce, and takes them off the tap.
    ///
    /// # Errors
    /// When the tap gives nothing any more.
    pub async fn next(&mut self, tap: &Tap) -> Result<Vec<Arrival>> {
        let messages = tap.receive(self.aws).await?;
        let (mut arrivals, objects) = self.announced(&messages);
        let fetched: Vec<_> = stream::iter(objects)
            .map(|object| fetch(self.aws, &self.source, object))
            .buffered(IN_FLIGHT)
            .collect()
            .await;
        for (object, records) in fetched {
            match records {
                Ok(records) => {
                    arrivals.extend(records.into_iter().map(|record| self.first(record)));
                }
                Err(error) => arrivals.push(Arrival::Trouble {
                    what: object.key,
                    why: error.cause(),
                    hint: error.what_to_do().map(str::to_owned),
                }),
            }
        }
        // What could not be taken off comes again, and is known then.
        if let Err(error) = tap.done_with(self.aws, &messages).await {
            arrivals.push(Arrival::Trouble {
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
                                why: "it names another bucket than the trail's",
                                what: format!("{}/{}", object.bucket, object.key),
                            });
                        }
                    }
                }
                Err(unreadable) => arrivals.push(Arrival::Trouble {
                    what: format!("message {} ({})", message.id, unreadable.start),
                    why: unreadable.why,
                    hint: None,
                }),
            }
        }
        (arrivals, objects)
    }

    fn first(&mut self, record: Record) -> Arrival {
        match record.key() {
            Some((account, id)) if !self.seen.is_new(account, id) => Arrival::Duplicate,
            _ => Arrival::Record(record),
        }
    }
}

fn skipped(skip: Skip, key: Option<String>) -> Arrival {
    Arrival::Skipped {
        why: skip.reason(),
        what: key.unwrap_or_default(),
    }
}

async fn fetch(aws: &Aws, source: &Source, object: Object) -> (Object, Result<Vec<Record>>) {
    let records = read_object(aws, source, &object).await;
    (object, records)
}

async fn read_object(aws: &Aws, source: &Source, object: &Object) -> Result<Vec<Record>> {
    let doing = || format!("read object {}", object.key);
    let found = aws
        .s3
        .get_object()
        .bucket(&source.bucket)
        .key(&object.key)
        .expected_bucket_owner(&source.owner)
        .send()
        .await
        .doing("s3:GetObject", doing)?;
    let bytes = found
        .body
        .collect()
        .await
        .map_err(|why| Error::unanswered(doing(), why.to_string()))?
        .into_bytes();
    decode::records(&bytes, LARGEST_OBJECT)
        .map_err(|why| Error::unanswered(doing(), why.to_string()))
}
