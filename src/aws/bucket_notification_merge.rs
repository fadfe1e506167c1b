//! One managed entry in the notification configuration of a bucket, which keeps all other entries.

use aws_sdk_s3::operation::get_bucket_notification_configuration::GetBucketNotificationConfigurationOutput as Configuration;
use aws_sdk_s3::types::{
    FilterRule, FilterRuleName, NotificationConfiguration, NotificationConfigurationFilter,
    QueueConfiguration, S3KeyFilter, TopicConfiguration,
};

/// The entry of setup: notifications to a topic, or directly to a queue.
#[derive(Clone, Debug, PartialEq)]
pub enum ManagedEntry {
    Topic(TopicConfiguration),
    Queue(QueueConfiguration),
}

impl ManagedEntry {
    /// ARN of the topic or queue.
    #[must_use]
    pub fn destination(&self) -> &str {
        match self {
            Self::Topic(entry) => entry.topic_arn(),
            Self::Queue(entry) => entry.queue_arn(),
        }
    }

    /// A configuration that has only this entry.
    #[must_use]
    pub fn into_configuration(self) -> Configuration {
        let configuration = Configuration::builder();
        match self {
            Self::Topic(entry) => configuration.topic_configurations(entry),
            Self::Queue(entry) => configuration.queue_configurations(entry),
        }
        .build()
    }
}

/// Builds the filter of an entry. An empty value needs no rule.
#[must_use]
pub fn key_filter(prefix: &str, suffix: &str) -> Option<NotificationConfigurationFilter> {
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

/// Replaces, adds or removes one entry, and keeps everything else. IDs are unique in a configuration, so an entry with
/// this ID may move from one list to the other.
#[must_use]
pub fn merge_entry(
    before: Configuration,
    id: &str,
    entry: Option<ManagedEntry>,
) -> NotificationConfiguration {
    let mut topics = before.topic_configurations.unwrap_or_default();
    topics.retain(|topic| topic.id() != Some(id));
    let mut queues = before.queue_configurations.unwrap_or_default();
    queues.retain(|queue| queue.id() != Some(id));
    match entry {
        Some(ManagedEntry::Topic(entry)) => topics.push(entry),
        Some(ManagedEntry::Queue(entry)) => queues.push(entry),
        None => {}
    }
    NotificationConfiguration::builder()
        .set_topic_configurations((!topics.is_empty()).then_some(topics))
        .set_queue_configurations((!queues.is_empty()).then_some(queues))
        .set_lambda_function_configurations(before.lambda_function_configurations)
        .set_event_bridge_configuration(before.event_bridge_configuration)
        .build()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::aws::bucket_notification::OBJECT_CREATED;
    use aws_sdk_s3::types::{Event, EventBridgeConfiguration};

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
            .topic_configurations(topic("other"))
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
            Some(ManagedEntry::Topic(topic("heeler-ec"))),
        );
        assert_eq!(
            merged.topic_configurations(),
            [topic("other"), topic("heeler-ec")]
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
        let merged = merge_entry(
            once,
            "heeler-ec",
            Some(ManagedEntry::Topic(topic("heeler-ec"))),
        );
        assert_eq!(merged.topic_configurations().len(), 2);
    }

    #[test]
    fn removing_entry_restores_configuration() {
        let with = merge_entry(
            existing_configuration(),
            "heeler-ec",
            Some(ManagedEntry::Topic(topic("heeler-ec"))),
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

    #[test]
    fn queue_entry_keeps_other_entries() {
        let queue = QueueConfiguration::builder()
            .id("heeler-ec")
            .queue_arn("arn:aws:sqs:us-east-1:111122223333:queue")
            .events(Event::from(OBJECT_CREATED))
            .build()
            .unwrap();
        let entry = ManagedEntry::Queue(queue.clone());
        let merged = merge_entry(existing_configuration(), "heeler-ec", Some(entry));
        let before = existing_configuration();
        assert_eq!(merged.topic_configurations(), before.topic_configurations());
        let queues = [before.queue_configurations(), &[queue]].concat();
        assert_eq!(merged.queue_configurations(), queues);
    }
}
