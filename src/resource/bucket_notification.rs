//! The entry of one topic or queue in the notification configuration of a bucket. The configuration is shared, and each write
//! replaces it as a whole. A write therefore reads it, adds or removes one entry, and writes all other entries back
//! unchanged. S3 rejects overlapping entries. An overlapping entry that sends to the same destination is therefore managed
//! even if it has another ID.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use super::kind::ResourceKind;
use super::{PROPAGATION_TIMEOUT, observed};
use crate::aws::Aws;
use crate::aws::bucket_notification::{
    NotificationEntry, NotificationTarget, OBJECT_CREATED, OtherEntries, entries,
};
use crate::aws::bucket_notification_merge::{ManagedEntry, key_filter, merge_entry};
use crate::aws::error::AwsResultExt;
use crate::aws::not_found;
use crate::aws::notification_filter;
use crate::error::{Error, Result};
use crate::ownership::Ownership;
use crate::reconcile::graph::{Output, ResourceId};
use crate::reconcile::state::State;
use crate::reconcile::{Actual, KnownOutputs, Outputs, Parent, Resource, ResourceSpec};
use crate::shared_document::kind::DocumentKind;
use async_trait::async_trait;
use aws_sdk_s3::error::SdkError;
use aws_sdk_s3::operation::get_bucket_notification_configuration::GetBucketNotificationConfigurationOutput as Configuration;
use aws_sdk_s3::types::{Event, QueueConfiguration, TopicConfiguration};
use serde_json::{Value, json};

pub struct BucketNotification {
    pub bucket: String,
    /// The account that the bucket must belong to. S3 rejects calls to a bucket of the same name in another account.
    pub bucket_owner: String,
    /// ID of the managed entry.
    pub entry_id: String,
    /// The key prefix of the objects, in unencoded form.
    pub prefix: String,
    /// The end of the keys of the objects, in unencoded form; empty for all.
    pub suffix: String,
    pub destination: NotificationDestination,
    /// Resources that receive the notifications. They must exist first, so that no notification is lost.
    pub depends_on: Vec<Output>,
    pub reviewed: ReviewedEntries,
}

/// ARN of the topic or queue that S3 sends to.
pub enum NotificationDestination {
    Topic(Output),
    Queue(Output),
}

impl NotificationDestination {
    fn arn(&self) -> &Output {
        match self {
            Self::Topic(arn) | Self::Queue(arn) => arn,
        }
    }

    fn target(&self) -> NotificationTarget {
        match self {
            Self::Topic(_) => NotificationTarget::Topic,
            Self::Queue(_) => NotificationTarget::Queue,
        }
    }
}

/// The other entries that the operator last saw in a plan or an error. A write is rejected if they have changed since
/// then.
#[derive(Default)]
pub struct ReviewedEntries(Mutex<Option<OtherEntries>>);

impl ReviewedEntries {
    fn record(&self, others: &OtherEntries) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(others.clone());
    }

    /// Describes how `others` differ from the entries that were recorded.
    fn diff_since(&self, others: &OtherEntries) -> Option<String> {
        let reviewed = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        reviewed.as_ref().and_then(|reviewed| reviewed.diff(others))
    }
}

/// The output that contains the ID of the existing entry.
const ENTRY_ID: &str = "entry";

impl ResourceSpec for BucketNotification {
    fn id(&self) -> ResourceId {
        ResourceKind::S3Notification.id(format!("{}#{}", self.bucket, self.entry_id))
    }

    fn dependencies(&self) -> Vec<Output> {
        [self.destination.arn()]
            .into_iter()
            .chain(&self.depends_on)
            .cloned()
            .collect()
    }

    fn desired(&self, known: &KnownOutputs) -> State {
        State::default()
            .with("events", vec![OBJECT_CREATED])
            .with("prefix", notification_filter::encode(&self.prefix))
            .with("suffix", notification_filter::encode(&self.suffix))
            .with_optional(
                self.destination.target().name(),
                known.get(self.destination.arn()),
            )
    }

    /// An entry is managed if its destination is managed, regardless of its ID.
    fn parent(&self) -> Option<Parent> {
        Some(Parent {
            id: self.destination.arn().resource.clone(),
            deletes_children: false,
        })
    }

    fn retry_budget(&self, refusal: &Error) -> Option<Duration> {
        if refusal.matches("OperationAborted", "conflicting conditional operation") {
            return Some(PROPAGATION_TIMEOUT);
        }
        // S3 validates every destination of the configuration. The validation of a new topic succeeds after some
        // seconds. A deleted destination of another owner causes the same error permanently, so the timeout is short.
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
        let wanted = self.desired_entry(&known.require(self.destination.arn())?);
        let Some(found) = self.get_configuration(aws).await? else {
            return Ok(Vec::new());
        };
        let entries = entries(&found);
        let managed =
            find_managed_entry(&entries, &wanted).map_or(&self.entry_id, |entry| &entry.id);
        let others = OtherEntries::excluding(&found, managed);
        self.reviewed.record(&others);
        Ok(others.descriptions().to_vec())
    }

    async fn check_write(&self, aws: &Aws, known: &KnownOutputs) -> Result<()> {
        let wanted = self.desired_entry(&known.require(self.destination.arn())?);
        let Some(found) = self.get_configuration(aws).await? else {
            return Ok(());
        };
        let entries = entries(&found);
        let managed =
            find_managed_entry(&entries, &wanted).map_or(&self.entry_id, |entry| &entry.id);
        let entry = self.managed_entry(managed, &self.desired(known))?;
        self.reject_overlaps(&found, &entry)
    }

    /// An entry with the managed ID and another destination is not managed. An entry with another ID that covers the
    /// desired entry and has its prefix is returned as the desired entry, so that it stays unchanged.
    async fn read(&self, aws: &Aws, known: &KnownOutputs) -> Result<Option<Actual>> {
        let wanted = self.desired_entry(&known.require(self.destination.arn())?);
        let Some(found) = self.get_configuration(aws).await? else {
            return Ok(None);
        };
        let entries = entries(&found);
        let Some(entry) = find_managed_entry(&entries, &wanted) else {
            return Ok(None);
        };
        let has_filter = notification_filter::canonical(&entry.prefix) == wanted.prefix
            && notification_filter::canonical(&entry.suffix) == wanted.suffix;
        let shown = if entry.id != self.entry_id && has_filter && entry.covers(&wanted) {
            &wanted
        } else {
            entry
        };
        Ok(Some(Actual {
            state: State::default()
                .with("events", shown.events.clone())
                .with("prefix", notification_filter::canonical(&shown.prefix))
                .with("suffix", notification_filter::canonical(&shown.suffix))
                .with(wanted.target.name(), entry.destination.as_str())
                .with(observed::DOCUMENT, export_document(&entries, &found)),
            outputs: Outputs::from([(ENTRY_ID, entry.id.clone())]),
            ownership: if has_destination(entry, &wanted) {
                Ownership::Managed
            } else {
                Ownership::other_tool(&entry.destination)
            },
        }))
    }

    async fn create(&self, aws: &Aws, want: &State, _: &KnownOutputs) -> Result<Outputs> {
        let entry = self.managed_entry(&self.entry_id, want)?;
        self.put_entry(aws, &self.entry_id, Some(entry)).await?;
        Ok(Outputs::new())
    }

    async fn update(
        &self,
        aws: &Aws,
        actual: &Actual,
        want: &State,
        _: &KnownOutputs,
    ) -> Result<()> {
        let id = self.actual_entry_id(actual);
        let entry = self.managed_entry(id, want)?;
        self.put_entry(aws, id, Some(entry)).await
    }

    async fn delete(&self, aws: &Aws, actual: &Actual) -> Result<()> {
        self.put_entry(aws, self.actual_entry_id(actual), None)
            .await
    }

    /// Keeps an entry with another ID, because no run created that entry.
    async fn undo_create(&self, aws: &Aws, actual: &Actual) -> Result<()> {
        if self.actual_entry_id(actual) == self.entry_id {
            self.delete(aws, actual).await
        } else {
            Ok(())
        }
    }
}

impl BucketNotification {
    /// Reads the configuration. Returns `None` if the bucket does not exist.
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

    /// Reads the configuration, replaces the entry, writes the configuration, and reads it again to compare the other
    /// entries.
    async fn put_entry(&self, aws: &Aws, id: &str, entry: Option<ManagedEntry>) -> Result<()> {
        let Some(before) = self.get_configuration(aws).await? else {
            return Err(self.bucket_deleted_error());
        };
        self.reject_unreviewed_changes(&OtherEntries::excluding(&before, id))?;
        if let Some(entry) = &entry {
            self.reject_overlaps(&before, entry)?;
        }
        let own_destination = entry.as_ref().map(ManagedEntry::destination);
        let own_destination = own_destination.unwrap_or_default().to_owned();
        let sent = aws
            .s3
            .put_bucket_notification_configuration()
            .bucket(&self.bucket)
            .expected_bucket_owner(&self.bucket_owner)
            .notification_configuration(merge_entry(before.clone(), id, entry))
            .send()
            .await;
        let response = sent.as_ref().err().and_then(SdkError::raw_response);
        let body = response.and_then(|response| response.body().bytes());
        let body = String::from_utf8_lossy(body.unwrap_or_default()).into_owned();
        sent.context_for("s3:PutBucketNotification", || {
            format!(
                "write the notification configuration of bucket {}",
                self.bucket
            )
        })
        .map_err(|refusal| {
            match find_refused_entry(&body, &entries(&before), &own_destination) {
                Some(entry) => refusal
                    .with_reason(format!(
                        "S3 refuses the destination of another notification of the bucket: {entry}"
                    ))
                    .with_hint(format!(
                        "ask the owner of the notification to repair or remove it: {}",
                        entry.destination
                    )),
                None => with_destination_hint(refusal, &OtherEntries::excluding(&before, id)),
            }
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
                format!("keep the other notifications of bucket {} unchanged", self.bucket),
                format!("they were written back unchanged, but S3 now returns: {change}"),
            )
            .with_hint(
                "someone changed them at the same moment: find out who, compare with the plan, and run the same command again",
            ))
    }

    /// Returns an error if the other entries have changed since the operator saw them.
    fn reject_unreviewed_changes(&self, others: &OtherEntries) -> Result<()> {
        match self.reviewed.diff_since(others) {
            None => Ok(()),
            Some(change) => Err(Error::failed(
                format!(
                    "write the notification configuration of bucket {}",
                    self.bucket
                ),
                format!("it changed after the plan was made: {change}; nothing was written"),
            )
            .with_hint("run the same command again to plan with the current configuration")),
        }
    }

    /// Returns an error if S3 would reject the write because of an overlap. Also returns an error if the write would
    /// replace an unmanaged entry with the same ID.
    fn reject_overlaps(&self, before: &Configuration, wanted: &ManagedEntry) -> Result<()> {
        let alone = wanted.clone().into_configuration();
        let existing = entries(before);
        let overlapping = entries(&alone).into_iter().find_map(|managed| {
            existing.iter().find(|entry| {
                if entry.id == managed.id {
                    !has_destination(entry, &managed)
                } else {
                    entry.overlaps(&managed)
                }
            })
        });
        match overlapping {
            None => Ok(()),
            Some(entry) => Err(Error::negative(format!(
                "bucket {} has a notification that overlaps that of setup: {entry}",
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
            "the bucket does not exist",
        )
    }

    /// The ID of the existing entry.
    fn actual_entry_id<'l>(&'l self, actual: &'l Actual) -> &'l str {
        actual.outputs.get(ENTRY_ID).unwrap_or(&self.entry_id)
    }

    fn desired_entry(&self, destination: &str) -> NotificationEntry {
        NotificationEntry {
            id: self.entry_id.clone(),
            target: self.destination.target(),
            destination: destination.to_owned(),
            events: vec![OBJECT_CREATED.to_owned()],
            prefix: notification_filter::encode(&self.prefix),
            suffix: notification_filter::encode(&self.suffix),
        }
    }

    fn managed_entry(&self, id: &str, want: &State) -> Result<ManagedEntry> {
        let text = |field: &str| want.text(field).unwrap_or_default();
        let events = want.get("events").and_then(Value::as_array);
        let events = events.into_iter().flatten().filter_map(Value::as_str);
        let events: Vec<Event> = events.map(Event::from).collect();
        let filter = key_filter(text("prefix"), text("suffix"));
        let destination = text(self.destination.target().name());
        let entry = match self.destination {
            NotificationDestination::Topic(_) => TopicConfiguration::builder()
                .id(id)
                .topic_arn(destination)
                .set_events(Some(events))
                .set_filter(filter)
                .build()
                .map(ManagedEntry::Topic),
            NotificationDestination::Queue(_) => QueueConfiguration::builder()
                .id(id)
                .queue_arn(destination)
                .set_events(Some(events))
                .set_filter(filter)
                .build()
                .map(ManagedEntry::Queue),
        };
        entry.map_err(|why| Error::failed(format!("describe {}", self.id()), why.to_string()))
    }
}

/// The whole configuration for an export, because Terraform manages all entries of a bucket together.
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

/// Finds the entry with the managed ID. If there is none, finds an overlapping entry that sends to the same destination.
/// An entry that covers the desired entry is preferred.
fn find_managed_entry<'e>(
    entries: &'e [NotificationEntry],
    wanted: &NotificationEntry,
) -> Option<&'e NotificationEntry> {
    let is_alternative =
        |entry: &&NotificationEntry| has_destination(entry, wanted) && entry.overlaps(wanted);
    let same_id = entries.iter().find(|entry| entry.id == wanted.id);
    same_id
        .or_else(|| {
            let mut alternatives = entries.iter().filter(is_alternative);
            alternatives.find(|entry| entry.covers(wanted))
        })
        .or_else(|| entries.iter().find(is_alternative))
}

/// Adds the other entries to a destination error, because S3 did not name one of their destinations.
fn with_destination_hint(refusal: Error, others: &OtherEntries) -> Error {
    if !refusal.has_code("InvalidArgument") || others.descriptions().is_empty() {
        return refusal;
    }
    refusal.with_hint(format!(
        "S3 validates every destination of the bucket, and one of these may no longer exist: {}",
        others.descriptions().join("; ")
    ))
}

/// Returns the entry whose destination S3 names in an error. S3 names it in `ArgumentName1`, which the SDK does not
/// return. One ARN can be a prefix of another ARN, so the longest match is returned.
fn find_refused_entry<'e>(
    body: &str,
    entries: &'e [NotificationEntry],
    own_destination: &str,
) -> Option<&'e NotificationEntry> {
    if own_destination.is_empty() || body.contains(own_destination) {
        return None;
    }
    let named = entries
        .iter()
        .filter(|entry| body.contains(&entry.destination));
    named.max_by_key(|entry| entry.destination.len())
}

fn has_destination(entry: &NotificationEntry, wanted: &NotificationEntry) -> bool {
    entry.target == wanted.target && entry.destination == wanted.destination
}
