//! A canonical form of a bucket's notification configuration, for comparisons.

use aws_sdk_s3::operation::get_bucket_notification_configuration::GetBucketNotificationConfigurationOutput;
use aws_sdk_s3::types::{Event, NotificationConfigurationFilter};
use serde_json::{Value, json};

/// Converts the configuration to JSON with a fixed order.
pub fn canonical(read: &GetBucketNotificationConfigurationOutput) -> Value {
    let topics = read.topic_configurations().iter().map(|topic| {
        entry(
            topic.id(),
            topic.topic_arn(),
            topic.events(),
            topic.filter(),
        )
    });
    let queues = read.queue_configurations().iter().map(|queue| {
        entry(
            queue.id(),
            queue.queue_arn(),
            queue.events(),
            queue.filter(),
        )
    });
    let functions = read
        .lambda_function_configurations()
        .iter()
        .map(|function| {
            entry(
                function.id(),
                function.lambda_function_arn(),
                function.events(),
                function.filter(),
            )
        });
    json!({
        "topics": ordered(topics),
        "queues": ordered(queues),
        "functions": ordered(functions),
        "event_bridge": read.event_bridge_configuration().is_some(),
    })
}

fn entry(
    id: Option<&str>,
    destination: &str,
    events: &[Event],
    filter: Option<&NotificationConfigurationFilter>,
) -> Value {
    let mut events: Vec<&str> = events.iter().map(Event::as_str).collect();
    events.sort_unstable();
    let mut rules: Vec<(String, String)> = filter
        .and_then(NotificationConfigurationFilter::key)
        .map(aws_sdk_s3::types::S3KeyFilter::filter_rules)
        .unwrap_or_default()
        .iter()
        .map(|rule| {
            // The emulators write the rule's name in different cases, and S3 ignores the case.
            let name = rule.name().map(|name| name.as_str().to_lowercase());
            (
                name.unwrap_or_default(),
                rule.value().unwrap_or_default().to_owned(),
            )
        })
        .collect();
    rules.sort_unstable();
    json!({"destination": destination, "events": events, "id": id, "rules": rules})
}

fn ordered(entries: impl Iterator<Item = Value>) -> Vec<Value> {
    let mut entries: Vec<Value> = entries.collect();
    entries.sort_by_key(Value::to_string);
    entries
}
