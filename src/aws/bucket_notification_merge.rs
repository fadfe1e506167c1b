//! One topic entry in the notification configuration of a bucket, which keeps all other entries.

use aws_sdk_s3::operation::get_bucket_notification_configuration::GetBucketNotificationConfigurationOutput as Configuration;
use aws_sdk_s3::types::{
    FilterRule, FilterRuleName, NotificationConfiguration, NotificationConfigurationFilter,
    S3KeyFilter, TopicConfiguration,
};

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

/// Replaces, adds or removes one topic entry, and keeps everything else.
#[must_use]
pub fn merge_entry(
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
    use crate::aws::bucket_notification::OBJECT_CREATED;
    use aws_sdk_s3::types::{Event, EventBridgeConfiguration, QueueConfiguration};

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
            Some(topic("heeler-ec")),
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
