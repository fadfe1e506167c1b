//! One entry in the notification configuration of a bucket. The document is shared: each write replaces it as a
//! whole, so it is read, one entry is put in or taken out, and all others are written back as they were.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use super::{PROPAGATION, document};
use crate::aws::Aws;
use crate::aws::fault::Doing;
use crate::aws::notification::{CREATED, Entry, Others, Target, entries};
use crate::converge::graph::{Id, Output};
use crate::converge::state::State;
use crate::converge::{Known, Live, Outputs, Resource};
use crate::error::{Error, Result};
use async_trait::async_trait;
use aws_sdk_s3::operation::get_bucket_notification_configuration::GetBucketNotificationConfigurationOutput as Configuration;
use aws_sdk_s3::types::{
    Event, FilterRule, FilterRuleName, NotificationConfiguration, NotificationConfigurationFilter,
    S3KeyFilter, TopicConfiguration,
};
use serde_json::Value;

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

    async fn stays(&self, aws: &Aws) -> Result<Vec<String>> {
        let Some(found) = self.configuration(aws).await? else {
            return Ok(Vec::new());
        };
        let others = self.others(&found);
        self.told.of(&others);
        Ok(others.words().to_vec())
    }

    /// An entry of our id that leads to another topic is somebody else's.
    async fn read(&self, aws: &Aws, known: &Known) -> Result<Option<Live>> {
        let topic = known.need(&self.topic)?;
        let Some(found) = self.configuration(aws).await? else {
            return Ok(None);
        };
        Ok(entries(&found)
            .into_iter()
            .find(|entry| entry.id == self.entry)
            .map(|entry| {
                let ours = leads_to(&entry, &topic);
                Live {
                    state: State::default()
                        .with("events", entry.events.clone())
                        .with("prefix", entry.prefix.as_str())
                        .with("suffix", entry.suffix.as_str())
                        .with("topic", entry.destination.as_str()),
                    outputs: Outputs::new(),
                    ours,
                }
            }))
    }

    async fn create(&self, aws: &Aws, want: &State, _: &Known) -> Result<Outputs> {
        let entry = self.wanted(want)?;
        self.replace(aws, Some(entry)).await?;
        Ok(Outputs::new())
    }

    async fn update(&self, aws: &Aws, _: &Live, want: &State, _: &Known) -> Result<()> {
        let entry = self.wanted(want)?;
        self.replace(aws, Some(entry)).await
    }

    async fn delete(&self, aws: &Aws, _: &Live) -> Result<()> {
        self.replace(aws, None).await
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
    async fn replace(&self, aws: &Aws, entry: Option<TopicConfiguration>) -> Result<()> {
        let Some(before) = self.configuration(aws).await? else {
            return Err(self.without_bucket());
        };
        self.refuse_changed(&before)?;
        if let Some(entry) = &entry {
            self.refuse_in_the_way(&before, entry)?;
        }
        aws.s3
            .put_bucket_notification_configuration()
            .bucket(&self.bucket)
            .expected_bucket_owner(&self.owner)
            .notification_configuration(merged(before.clone(), &self.entry, entry))
            .send()
            .await
            .doing("s3:PutBucketNotification", || {
                format!(
                    "write the notification configuration of bucket {}",
                    self.bucket
                )
            })
            .map_err(|refusal| self.explain(refusal, &before))?;
        let Some(after) = self.configuration(aws).await? else {
            return Err(self.without_bucket());
        };
        let others = self.others(&after);
        let Some(change) = self.others(&before).change_to(&others) else {
            return Ok(());
        };
        self.told.of(&others);
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
    fn refuse_changed(&self, before: &Configuration) -> Result<()> {
        match self.told.change_to(&self.others(before)) {
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
                if entry.id == self.entry {
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

    /// Names the entries of others, one of which may be what S3 cannot reach.
    fn explain(&self, refusal: Error, before: &Configuration) -> Error {
        let others = self.others(before);
        if !refusal.is("InvalidArgument") || others.words().is_empty() {
            return refusal;
        }
        refusal.hint(format!(
            "S3 tries every destination of the bucket, also those of others; one of these may be gone: {}",
            others.words().join("; ")
        ))
    }

    fn others(&self, found: &Configuration) -> Others {
        Others::than(found, &self.entry)
    }

    fn wanted(&self, want: &State) -> Result<TopicConfiguration> {
        let text = |field: &str| want.text(field).unwrap_or_default();
        let events = want.get("events").and_then(Value::as_array);
        let events = events.into_iter().flatten().filter_map(Value::as_str);
        TopicConfiguration::builder()
            .id(&self.entry)
            .topic_arn(text("topic"))
            .set_events(Some(events.map(Event::from).collect()))
            .set_filter(filter(text("prefix"), text("suffix")))
            .build()
            .map_err(|why| Error::unanswered(format!("describe {}", self.id()), why.to_string()))
    }
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
