//! One entry in the notification configuration of a bucket. The document is shared: each write replaces it as a
//! whole, so it is read, one entry is put in or taken out, and all others are written back as they were. An entry of
//! another id that leads to our topic stands in for ours, since S3 takes no two that overlap. Long, since
//! everything that keeps the entries of others as they are is here.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use super::{PROPAGATION, document, seen};
use crate::aws::Aws;
use crate::aws::fault::Doing;
use crate::aws::notification::{CREATED, Entry, Others, Target, entries};
use crate::converge::graph::{Id, Output};
use crate::converge::state::State;
use crate::converge::{Known, Live, Outputs, Owner, Part, Resource};
use crate::error::{Error, Result};
use async_trait::async_trait;
use aws_sdk_s3::operation::get_bucket_notification_configuration::GetBucketNotificationConfigurationOutput as Configuration;
use aws_sdk_s3::types::{
    Event, FilterRule, FilterRuleName, NotificationConfiguration, NotificationConfigurationFilter,
    S3KeyFilter, TopicConfiguration,
};
use serde_json::{Value, json};

pub struct BucketNotification {
    pub bucket: String,
    /// The account that the bucket must belong to; a bucket of the same name elsewhere is refused.
    pub owner: String,
    /// Id of our entry.
    pub entry: String,
    pub prefix: String,
    /// ARN of the topic.
    pub topic: Output,
    /// All that must take what it announces: nothing is published to a pipeline that is not complete.
    pub after: Vec<Output>,
    pub told: Told,
}

/// What others had when the operator was last told of it, by the plan or by an error. What has changed since must be
/// seen before it is written back.
#[derive(Default)]
pub struct Told(Mutex<Option<Others>>);

impl Told {
    fn of(&self, others: &Others) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(others.clone());
    }

    /// What differs from it.
    fn change_to(&self, others: &Others) -> Option<String> {
        let told = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        told.as_ref().and_then(|told| told.change_to(others))
    }
}

/// The output that holds the id of the entry that was found.
const ENTRY: &str = "entry";

#[async_trait]
impl Resource<Aws> for BucketNotification {
    fn id(&self) -> Id {
        Id {
            kind: "s3 notification",
            name: format!("{}#{}", self.bucket, self.entry),
        }
    }

    fn needs(&self) -> Vec<Output> {
        [&self.topic]
            .into_iter()
            .chain(&self.after)
            .cloned()
            .collect()
    }

    fn desired(&self, known: &Known) -> State {
        State::default()
            .with("events", vec![CREATED])
            .with("prefix", self.prefix.as_str())
            .with("suffix", "")
            .with_known("topic", known.get(&self.topic))
    }

    /// Ours when the topic is, whatever its id.
    fn part_of(&self) -> Option<Part> {
        Some(Part {
            of: self.topic.of.clone(),
            goes_with_it: false,
        })
    }

    fn patience(&self, refusal: &Error) -> Option<Duration> {
        if refusal.says("OperationAborted", "conflicting conditional operation") {
            return Some(PROPAGATION);
        }
        // S3 tries every destination of the document; ours was made a moment ago. A dead one of somebody else
        // gives the same refusal and never passes, so the wait is short.
        refusal
            .says(
                "InvalidArgument",
                "Unable to validate the following destination configurations",
            )
            .then_some(Duration::from_secs(60))
    }

    fn documents(&self, _: &Known) -> Vec<Id> {
        vec![document::id(document::BUCKET_NOTIFICATION, &self.bucket)]
    }

    async fn stays(&self, aws: &Aws, known: &Known) -> Result<Vec<String>> {
        let wanted = self.entry_to(&known.need(&self.topic)?);
        let Some(found) = self.configuration(aws).await? else {
            return Ok(Vec::new());
        };
        let entries = entries(&found);
        let ours = of_ours(&entries, &wanted).map_or(&self.entry, |entry| &entry.id);
        let others = Others::than(&found, ours);
        self.told.of(&others);
        Ok(others.words().to_vec())
    }

    /// An entry of our id that leads to another topic is somebody else's. One that stands in for ours is left as it is
    /// while it announces all that ours would.
    async fn read(&self, aws: &Aws, known: &Known) -> Result<Option<Live>> {
        let wanted = self.entry_to(&known.need(&self.topic)?);
        let Some(found) = self.configuration(aws).await? else {
            return Ok(None);
        };
        let entries = entries(&found);
        let Some(entry) = of_ours(&entries, &wanted) else {
            return Ok(None);
        };
        let shown = if entry.id != self.entry && entry.covers(&wanted) {
            &wanted
        } else {
            entry
        };
        Ok(Some(Live {
            state: State::default()
                .with("events", shown.events.clone())
                .with("prefix", shown.prefix.as_str())
                .with("suffix", shown.suffix.as_str())
                .with("topic", entry.destination.as_str())
                .with(seen::DOCUMENT, told(&entries, &found)),
            outputs: Outputs::from([(ENTRY, entry.id.clone())]),
            owner: if leads_to(entry, &wanted.destination) {
                Owner::Us
            } else {
                Owner::Other
            },
        }))
    }

    async fn create(&self, aws: &Aws, want: &State, _: &Known) -> Result<Outputs> {
        let entry = self.wanted(&self.entry, want)?;
        self.replace(aws, &self.entry, Some(entry)).await?;
        Ok(Outputs::new())
    }

    async fn update(&self, aws: &Aws, live: &Live, want: &State, _: &Known) -> Result<()> {
        let id = self.id_of(live);
        let entry = self.wanted(id, want)?;
        self.replace(aws, id, Some(entry)).await
    }

    async fn delete(&self, aws: &Aws, live: &Live) -> Result<()> {
        self.replace(aws, self.id_of(live), None).await
    }

    /// An entry of another id stands in for ours, and is no run's.
    async fn undo(&self, aws: &Aws, live: &Live) -> Result<()> {
        if self.id_of(live) == self.entry {
            self.delete(aws, live).await
        } else {
            Ok(())
        }
    }
}

impl BucketNotification {
    /// A bucket that is gone announces nothing.
    async fn configuration(&self, aws: &Aws) -> Result<Option<Configuration>> {
        aws.s3
            .get_bucket_notification_configuration()
            .bucket(&self.bucket)
            .expected_bucket_owner(&self.owner)
            .send()
            .await
            .finding("s3:GetBucketNotification", &["NoSuchBucket"], || {
                format!(
                    "read the notification configuration of bucket {}",
                    self.bucket
                )
            })
    }

    /// Reads the document at the last moment, puts our entry in its place, writes it, reads it again.
    async fn replace(&self, aws: &Aws, id: &str, entry: Option<TopicConfiguration>) -> Result<()> {
        let Some(before) = self.configuration(aws).await? else {
            return Err(self.without_bucket());
        };
        self.refuse_changed(&Others::than(&before, id))?;
        if let Some(entry) = &entry {
            self.refuse_in_the_way(&before, entry)?;
        }
        aws.s3
            .put_bucket_notification_configuration()
            .bucket(&self.bucket)
            .expected_bucket_owner(&self.owner)
            .notification_configuration(merged(before.clone(), id, entry))
            .send()
            .await
            .doing("s3:PutBucketNotification", || {
                format!(
                    "write the notification configuration of bucket {}",
                    self.bucket
                )
            })
            .map_err(|refusal| explain(refusal, &Others::than(&before, id)))?;
        let Some(after) = self.configuration(aws).await? else {
            return Err(self.without_bucket());
        };
        let (had, has) = (Others::than(&before, id), Others::than(&after, id));
        let Some(change) = had.change_to(&has) else {
            return Ok(());
        };
        self.told.of(&has);
        Err(Error::unanswered(
                format!("keep the other notifications of bucket {} as they were", self.bucket),
                format!("they were written back unchanged, and S3 now shows another state: {change}"),
            )
            .hint(
                "somebody changed them at the same moment: ask who, compare with what the plan listed, and run the same \
                 command again",
            ))
    }

    /// What the operator has not seen is not written back in his name.
    fn refuse_changed(&self, others: &Others) -> Result<()> {
        match self.told.change_to(others) {
            None => Ok(()),
            Some(change) => Err(Error::unanswered(
                format!(
                    "write the notification configuration of bucket {}",
                    self.bucket
                ),
                format!(
                    "somebody changed it since the plan was made: {change}; it was not written"
                ),
            )
            .hint("run the same command again: it plans with what is there now")),
        }
    }

    /// The rules of S3, and an entry of our id that is not ours: a write would be refused, or replace it.
    fn refuse_in_the_way(&self, before: &Configuration, wanted: &TopicConfiguration) -> Result<()> {
        let alone = Configuration::builder()
            .topic_configurations(wanted.clone())
            .build();
        let there = entries(before);
        let in_the_way = entries(&alone).into_iter().find_map(|ours| {
            there.iter().find(|entry| {
                if entry.id == ours.id {
                    !leads_to(entry, &ours.destination)
                } else {
                    entry.overlaps(&ours)
                }
            })
        });
        match in_the_way {
            None => Ok(()),
            Some(entry) => Err(Error::no(
                format!("announce the log objects of bucket {}", self.bucket),
                format!(
                    "the notification {entry} is in the way; nothing of the bucket was changed"
                ),
            )
            .hint(
                "heeler-ec preflight --option s3 says what to do about it (bucket.notifications)",
            )),
        }
    }

    fn without_bucket(&self) -> Error {
        Error::unanswered(
            format!(
                "write the notification configuration of bucket {}",
                self.bucket
            ),
            "the bucket is gone",
        )
    }

    /// The id of the entry that was found.
    fn id_of<'l>(&'l self, live: &'l Live) -> &'l str {
        live.outputs.get(ENTRY).unwrap_or(&self.entry)
    }

    fn entry_to(&self, topic: &str) -> Entry {
        Entry {
            id: self.entry.clone(),
            target: Target::Topic,
            destination: topic.to_owned(),
            events: vec![CREATED.to_owned()],
            prefix: self.prefix.clone(),
            suffix: String::new(),
        }
    }

    fn wanted(&self, id: &str, want: &State) -> Result<TopicConfiguration> {
        let text = |field: &str| want.text(field).unwrap_or_default();
        let events = want.get("events").and_then(Value::as_array);
        let events = events.into_iter().flatten().filter_map(Value::as_str);
        TopicConfiguration::builder()
            .id(id)
            .topic_arn(text("topic"))
            .set_events(Some(events.map(Event::from).collect()))
            .set_filter(filter(text("prefix"), text("suffix")))
            .build()
            .map_err(|why| Error::unanswered(format!("describe {}", self.id()), why.to_string()))
    }
}

/// The whole document, for an export: whoever writes it has to know it all.
fn told(entries: &[Entry], found: &Configuration) -> Value {
    let entry = |entry: &Entry| {
        json!({
            "target": entry.target.name(),
            "id": entry.id,
            "destination": entry.destination,
            "events": entry.events,
            "prefix": entry.prefix,
            "suffix": entry.suffix,
        })
    };
    json!({
        "entries": entries.iter().map(entry).collect::<Vec<_>>(),
        "bridge": found.event_bridge_configuration().is_some(),
    })
}

/// The entry of our id; else one to our topic that ours would overlap, best one that announces all that ours would.
fn of_ours<'e>(entries: &'e [Entry], wanted: &Entry) -> Option<&'e Entry> {
    let stands_in = |entry: &&Entry| leads_to(entry, &wanted.destination) && entry.overlaps(wanted);
    let of_our_id = entries.iter().find(|entry| entry.id == wanted.id);
    of_our_id
        .or_else(|| {
            let mut standing_in = entries.iter().filter(stands_in);
            standing_in.find(|entry| entry.covers(wanted))
        })
        .or_else(|| entries.iter().find(stands_in))
}

/// Names the entries of others, one of which may be what S3 cannot reach.
fn explain(refusal: Error, others: &Others) -> Error {
    if !refusal.is("InvalidArgument") || others.words().is_empty() {
        return refusal;
    }
    refusal.hint(format!(
        "S3 tries every destination of the bucket, also those of others; one of these may be gone: {}",
        others.words().join("; ")
    ))
}

fn leads_to(entry: &Entry, topic: &str) -> bool {
    entry.target == Target::Topic && entry.destination == topic
}

fn filter(prefix: &str, suffix: &str) -> Option<NotificationConfigurationFilter> {
    let rules: Vec<FilterRule> = [
        (FilterRuleName::Prefix, prefix),
        (FilterRuleName::Suffix, suffix),
    ]
    .into_iter()
    .filter(|(_, value)| !value.is_empty())
    .map(|(name, value)| FilterRule::builder().name(name).value(value).build())
    .collect();
    let key = S3KeyFilter::builder().set_filter_rules(Some(rules.clone()));
    (!rules.is_empty()).then(|| {
        NotificationConfigurationFilter::builder()
            .key(key.build())
            .build()
    })
}

/// The document with our entry in it, or without; every other entry as it was.
fn merged(
    before: Configuration,
    id: &str,
    entry: Option<TopicConfiguration>,
) -> NotificationConfiguration {
    let mut topics = before.topic_configurations.unwrap_or_default();
    topics.retain(|topic| topic.id() != Some(id));
    topics.extend(entry);
    NotificationConfiguration::builder()
        .set_topic_configurations((!topics.is_empty()).then_some(topics))
        .set_queue_configurations(before.queue_configurations)
        .set_lambda_function_configurations(before.lambda_function_configurations)
        .set_event_bridge_configuration(before.event_bridge_configuration)
        .build()
}

#[cfg(test)]
mod tests {
    use super::*;
    use aws_sdk_s3::types::{EventBridgeConfiguration, QueueConfiguration};

    fn topic(id: &str) -> TopicConfiguration {
        TopicConfiguration::builder()
            .id(id)
            .topic_arn("arn:aws:sns:us-east-1:111122223333:topic")
            .events(Event::from(CREATED))
            .build()
            .unwrap()
    }

    fn theirs() -> Configuration {
        Configuration::builder()
            .topic_configurations(topic("theirs"))
            .queue_configurations(
                QueueConfiguration::builder()
                    .id("exports")
                    .queue_arn("arn:aws:sqs:us-east-1:111122223333:exports")
                    .events(Event::from("s3:ObjectCreated:Put"))
                    .build()
                    .unwrap(),
            )
            .event_bridge_configuration(EventBridgeConfiguration::builder().build())
            .build()
    }

    #[test]
    fn an_entry_is_put_beside_those_of_others() {
        let merged = merged(theirs(), "heeler-ec", Some(topic("heeler-ec")));
        assert_eq!(
            merged.topic_configurations(),
            [topic("theirs"), topic("heeler-ec")]
        );
        assert_eq!(merged.queue_configurations().len(), 1);
        assert!(merged.event_bridge_configuration().is_some());
    }

    #[test]
    fn putting_it_in_twice_leaves_one() {
        let once = theirs()
            .topic_configurations
            .unwrap()
            .into_iter()
            .chain([topic("heeler-ec")]);
        let once = Configuration::builder()
            .set_topic_configurations(Some(once.collect()))
            .build();
        let merged = merged(once, "heeler-ec", Some(topic("heeler-ec")));
        assert_eq!(merged.topic_configurations().len(), 2);
    }

    #[test]
    fn taking_it_out_leaves_exactly_what_was_there() {
        let with = merged(theirs(), "heeler-ec", Some(topic("heeler-ec")));
        let with = Configuration::builder()
            .set_topic_configurations(with.topic_configurations)
            .set_queue_configurations(with.queue_configurations)
            .set_event_bridge_configuration(with.event_bridge_configuration)
            .build();
        let without = merged(with, "heeler-ec", None);
        assert_eq!(without, merged(theirs(), "heeler-ec", None));
    }
}
