//! One entry in the notification configuration of a bucket. The document is shared: each write replaces it as a
//! whole, so it is read, one entry is put in or taken out, and all others are written back as they were. An entry of
//! another id that leads to our topic stands in for ours, since S3 takes no two that overlap. Long, since
//! everything that keeps the entries of others as they are is here.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use super::document_kind::DocumentKind;
use super::kind::ResourceKind;
use super::{PROPAGATION_TIMEOUT, observed};
use crate::aws::Aws;
use crate::aws::bucket_notification::{
    NotificationEntry, NotificationTarget, OBJECT_CREATED, OtherEntries, entries,
};
use crate::aws::error::AwsResultExt;
use crate::aws::not_found;
use crate::error::{Error, Result};
use crate::ownership::Ownership;
use crate::reconcile::graph::{Output, ResourceId};
use crate::reconcile::state::State;
use crate::reconcile::{Actual, KnownOutputs, Outputs, Parent, Resource, ResourceSpec};
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
    pub bucket_owner: String,
    /// Id of our entry.
    pub entry_id: String,
    pub prefix: String,
    /// ARN of the topic.
    pub topic: Output,
    /// All that must take what it announces: nothing is published to a pipeline that is not complete.
    pub depends_on: Vec<Output>,
    pub reviewed: ReviewedEntries,
}

/// What others had when the operator was last told of it, by the plan or by an error. What has changed since must be
/// seen before it is written back.
#[derive(Default)]
pub struct ReviewedEntries(Mutex<Option<OtherEntries>>);

impl ReviewedEntries {
    fn record(&self, others: &OtherEntries) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(others.clone());
    }

    /// What differs from it.
    fn diff_since(&self, others: &OtherEntries) -> Option<String> {
        let told = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        told.as_ref().and_then(|told| told.diff(others))
    }
}

/// The output that holds the id of the entry that was found.
const ENTRY_ID: &str = "entry";

impl ResourceSpec for BucketNotification {
    fn id(&self) -> ResourceId {
        ResourceKind::S3Notification.id(format!("{}#{}", self.bucket, self.entry_id))
    }

    fn dependencies(&self) -> Vec<Output> {
        [&self.topic]
            .into_iter()
            .chain(&self.depends_on)
            .cloned()
            .collect()
    }

    fn desired(&self, known: &KnownOutputs) -> State {
        State::default()
            .with("events", vec![OBJECT_CREATED])
            .with("prefix", self.prefix.as_str())
            .with("suffix", "")
            .with_optional("topic", known.get(&self.topic))
    }

    /// Ours when the topic is, whatever its id.
    fn parent(&self) -> Option<Parent> {
        Some(Parent {
            id: self.topic.resource.clone(),
            deletes_children: false,
        })
    }

    fn retry_budget(&self, refusal: &Error) -> Option<Duration> {
        if refusal.matches("OperationAborted", "conflicting conditional operation") {
            return Some(PROPAGATION_TIMEOUT);
        }
        // S3 tries every destination of the document; ours was made a moment ago. A dead one of somebody else
        // gives the same refusal and never passes, so the wait is short.
        refusal
            .matches(
                "InvalidArgument",
                "Unable to validate the following destination configurations",
            )
            .then_some(Duration::from_secs(60))
    }

    fn shared_documents(&self, _: &KnownOutputs) -> Vec<ResourceId> {
        vec![DocumentKind::BucketNotification.id(&self.bucket)]
    }
}

#[async_trait]
impl Resource<Aws> for BucketNotification {
    async fn preserved_content(&self, aws: &Aws, known: &KnownOutputs) -> Result<Vec<String>> {
        let wanted = self.desired_entry(&known.require(&self.topic)?);
        let Some(found) = self.get_configuration(aws).await? else {
            return Ok(Vec::new());
        };
        let entries = entries(&found);
        let ours = find_managed_entry(&entries, &wanted).map_or(&self.entry_id, |entry| &entry.id);
        let others = OtherEntries::excluding(&found, ours);
        self.reviewed.record(&others);
        Ok(others.descriptions().to_vec())
    }

    /// An entry of our id that leads to another topic is somebody else's. One that stands in for ours is left as it is
    /// while it announces all that ours would.
    async fn read(&self, aws: &Aws, known: &KnownOutputs) -> Result<Option<Actual>> {
        let wanted = self.desired_entry(&known.require(&self.topic)?);
        let Some(found) = self.get_configuration(aws).await? else {
            return Ok(None);
        };
        let entries = entries(&found);
        let Some(entry) = find_managed_entry(&entries, &wanted) else {
            return Ok(None);
        };
        let shown = if entry.id != self.entry_id && entry.covers(&wanted) {
            &wanted
        } else {
            entry
        };
        Ok(Some(Actual {
            state: State::default()
                .with("events", shown.events.clone())
                .with("prefix", shown.prefix.as_str())
                .with("suffix", shown.suffix.as_str())
                .with("topic", entry.destination.as_str())
                .with(observed::DOCUMENT, export_document(&entries, &found)),
            outputs: Outputs::from([(ENTRY_ID, entry.id.clone())]),
            ownership: if targets_topic(entry, &wanted.destination) {
                Ownership::Managed
            } else {
                Ownership::other_tool(&entry.destination)
            },
        }))
    }

    async fn create(&self, aws: &Aws, want: &State, _: &KnownOutputs) -> Result<Outputs> {
        let entry = self.topic_configuration(&self.entry_id, want)?;
        self.put_entry(aws, &self.entry_id, Some(entry)).await?;
        Ok(Outputs::new())
    }

    async fn update(&self, aws: &Aws, live: &Actual, want: &State, _: &KnownOutputs) -> Result<()> {
        let id = self.actual_entry_id(live);
        let entry = self.topic_configuration(id, want)?;
        self.put_entry(aws, id, Some(entry)).await
    }

    async fn delete(&self, aws: &Aws, live: &Actual) -> Result<()> {
        self.put_entry(aws, self.actual_entry_id(live), None).await
    }

    /// An entry of another id stands in for ours, and is no run's.
    async fn undo_create(&self, aws: &Aws, live: &Actual) -> Result<()> {
        if self.actual_entry_id(live) == self.entry_id {
            self.delete(aws, live).await
        } else {
            Ok(())
        }
    }
}

impl BucketNotification {
    /// A bucket that is gone announces nothing.
    async fn get_configuration(&self, aws: &Aws) -> Result<Option<Configuration>> {
        aws.s3
            .get_bucket_notification_configuration()
            .bucket(&self.bucket)
            .expected_bucket_owner(&self.bucket_owner)
            .send()
            .await
            .optional_for("s3:GetBucketNotification", not_found::BUCKET, || {
                format!(
                    "read the notification configuration of bucket {}",
                    self.bucket
                )
            })
    }

    /// Reads the document at the last moment, puts our entry in its place, writes it, reads it again.
    async fn put_entry(
        &self,
        aws: &Aws,
        id: &str,
        entry: Option<TopicConfiguration>,
    ) -> Result<()> {
        let Some(before) = self.get_configuration(aws).await? else {
            return Err(self.bucket_deleted_error());
        };
        self.reject_unreviewed_changes(&OtherEntries::excluding(&before, id))?;
        if let Some(entry) = &entry {
            self.reject_overlaps(&before, entry)?;
        }
        aws.s3
            .put_bucket_notification_configuration()
            .bucket(&self.bucket)
            .expected_bucket_owner(&self.bucket_owner)
            .notification_configuration(merge_entry(before.clone(), id, entry))
            .send()
            .await
            .context_for("s3:PutBucketNotification", || {
                format!(
                    "write the notification configuration of bucket {}",
                    self.bucket
                )
            })
            .map_err(|refusal| {
                with_destination_hint(refusal, &OtherEntries::excluding(&before, id))
            })?;
        let Some(after) = self.get_configuration(aws).await? else {
            return Err(self.bucket_deleted_error());
        };
        let (had, has) = (
            OtherEntries::excluding(&before, id),
            OtherEntries::excluding(&after, id),
        );
        let Some(change) = had.diff(&has) else {
            return Ok(());
        };
        self.reviewed.record(&has);
        Err(Error::failed(
                format!("keep the other notifications of bucket {} as they were", self.bucket),
                format!("they were written back unchanged, and S3 now shows another state: {change}"),
            )
            .with_hint(
                "somebody changed them at the same moment: ask who, compare with what the plan listed, and run the same \
                 command again",
            ))
    }

    /// What the operator has not seen is not written back in his name.
    fn reject_unreviewed_changes(&self, others: &OtherEntries) -> Result<()> {
        match self.reviewed.diff_since(others) {
            None => Ok(()),
            Some(change) => Err(Error::failed(
                format!(
                    "write the notification configuration of bucket {}",
                    self.bucket
                ),
                format!(
                    "somebody changed it since the plan was made: {change}; it was not written"
                ),
            )
            .with_hint("run the same command again: it plans with what is there now")),
        }
    }

    /// The rules of S3, and an entry of our id that is not ours: a write would be refused, or replace it.
    fn reject_overlaps(&self, before: &Configuration, wanted: &TopicConfiguration) -> Result<()> {
        let alone = Configuration::builder()
            .topic_configurations(wanted.clone())
            .build();
        let there = entries(before);
        let in_the_way = entries(&alone).into_iter().find_map(|ours| {
            there.iter().find(|entry| {
                if entry.id == ours.id {
                    !targets_topic(entry, &ours.destination)
                } else {
                    entry.overlaps(&ours)
                }
            })
        });
        match in_the_way {
            None => Ok(()),
            Some(entry) => Err(Error::negative(format!(
                "bucket {} has a notification that overlaps the log files: {entry}",
                self.bucket
            ))
            .with_reason(
                "S3 allows only one notification per event and prefix; the bucket was not changed",
            )
            .with_hint("`heeler-ec preflight` shows how to resolve it (bucket.notifications)")),
        }
    }

    fn bucket_deleted_error(&self) -> Error {
        Error::failed(
            format!(
                "write the notification configuration of bucket {}",
                self.bucket
            ),
            "the bucket is gone",
        )
    }

    /// The id of the entry that was found.
    fn actual_entry_id<'l>(&'l self, live: &'l Actual) -> &'l str {
        live.outputs.get(ENTRY_ID).unwrap_or(&self.entry_id)
    }

    fn desired_entry(&self, topic: &str) -> NotificationEntry {
        NotificationEntry {
            id: self.entry_id.clone(),
            target: NotificationTarget::Topic,
            destination: topic.to_owned(),
            events: vec![OBJECT_CREATED.to_owned()],
            prefix: self.prefix.clone(),
            suffix: String::new(),
        }
    }

    fn topic_configuration(&self, id: &str, want: &State) -> Result<TopicConfiguration> {
        let text = |field: &str| want.text(field).unwrap_or_default();
        let events = want.get("events").and_then(Value::as_array);
        let events = events.into_iter().flatten().filter_map(Value::as_str);
        TopicConfiguration::builder()
            .id(id)
            .topic_arn(text("topic"))
            .set_events(Some(events.map(Event::from).collect()))
            .set_filter(key_filter(text("prefix"), text("suffix")))
            .build()
            .map_err(|why| Error::failed(format!("describe {}", self.id()), why.to_string()))
    }
}

/// The whole document, for an export: whoever writes it has to know it all.
fn export_document(entries: &[NotificationEntry], found: &Configuration) -> Value {
    let entry = |entry: &NotificationEntry| {
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
fn find_managed_entry<'e>(
    entries: &'e [NotificationEntry],
    wanted: &NotificationEntry,
) -> Option<&'e NotificationEntry> {
    let stands_in = |entry: &&NotificationEntry| {
        targets_topic(entry, &wanted.destination) && entry.overlaps(wanted)
    };
    let of_our_id = entries.iter().find(|entry| entry.id == wanted.id);
    of_our_id
        .or_else(|| {
            let mut standing_in = entries.iter().filter(stands_in);
            standing_in.find(|entry| entry.covers(wanted))
        })
        .or_else(|| entries.iter().find(stands_in))
}

/// Names the entries of others, one of which may be what S3 cannot reach.
fn with_destination_hint(refusal: Error, others: &OtherEntries) -> Error {
    if !refusal.has_code("InvalidArgument") || others.descriptions().is_empty() {
        return refusal;
    }
    refusal.with_hint(format!(
        "S3 tries every destination of the bucket, also those of others; one of these may be gone: {}",
        others.descriptions().join("; ")
    ))
}

fn targets_topic(entry: &NotificationEntry, topic: &str) -> bool {
    entry.target == NotificationTarget::Topic && entry.destination == topic
}

fn key_filter(prefix: &str, suffix: &str) -> Option<NotificationConfigurationFilter> {
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
fn merge_entry(
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
            .events(Event::from(OBJECT_CREATED))
            .build()
            .unwrap()
    }

    fn existing_configuration() -> Configuration {
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
    fn added_entry_keeps_other_entries() {
        let merged = merge_entry(
            existing_configuration(),
            "heeler-ec",
            Some(topic("heeler-ec")),
        );
        assert_eq!(
            merged.topic_configurations(),
            [topic("theirs"), topic("heeler-ec")]
        );
        assert_eq!(merged.queue_configurations().len(), 1);
        assert!(merged.event_bridge_configuration().is_some());
    }

    #[test]
    fn adding_twice_leaves_one_entry() {
        let once = existing_configuration()
            .topic_configurations
            .unwrap()
            .into_iter()
            .chain([topic("heeler-ec")]);
        let once = Configuration::builder()
            .set_topic_configurations(Some(once.collect()))
            .build();
        let merged = merge_entry(once, "heeler-ec", Some(topic("heeler-ec")));
        assert_eq!(merged.topic_configurations().len(), 2);
    }

    #[test]
    fn removing_entry_restores_configuration() {
        let with = merge_entry(
            existing_configuration(),
            "heeler-ec",
            Some(topic("heeler-ec")),
        );
        let with = Configuration::builder()
            .set_topic_configurations(with.topic_configurations)
            .set_queue_configurations(with.queue_configurations)
            .set_event_bridge_configuration(with.event_bridge_configuration)
            .build();
        let without = merge_entry(with, "heeler-ec", None);
        assert_eq!(
            without,
            merge_entry(existing_configuration(), "heeler-ec", None)
        );
    }
}
