//! The notification configuration of a bucket as a JSON document, in the form that the AWS CLI uses.

use aws_sdk_s3::operation::get_bucket_notification_configuration::GetBucketNotificationConfigurationOutput as Configuration;
use aws_sdk_s3::types::{
    Event, EventBridgeConfiguration, FilterRule, FilterRuleName, LambdaFunctionConfiguration,
    NotificationConfiguration, NotificationConfigurationFilter, QueueConfiguration, S3KeyFilter,
    TopicConfiguration,
};
use serde_json::{Map, Value, json};

use crate::error::{Error, Result};

const TOPIC_KEYS: (&str, &str) = ("TopicConfigurations", "TopicArn");
const QUEUE_KEYS: (&str, &str) = ("QueueConfigurations", "QueueArn");
const FUNCTION_KEYS: (&str, &str) = ("LambdaFunctionConfigurations", "LambdaFunctionArn");
const EVENT_BRIDGE: &str = "EventBridgeConfiguration";
/// The fields of a document.
pub const FIELDS: [&str; 4] = [TOPIC_KEYS.0, QUEUE_KEYS.0, FUNCTION_KEYS.0, EVENT_BRIDGE];

/// Converts a configuration to a document.
#[must_use]
pub fn to_document(found: &Configuration) -> Value {
    let topics = found.topic_configurations().iter();
    let topics = topics.map(|one| {
        entry_document(
            TOPIC_KEYS.1,
            one.topic_arn(),
            one.id(),
            one.events(),
            one.filter(),
        )
    });
    let queues = found.queue_configurations().iter();
    let queues = queues.map(|one| {
        entry_document(
            QUEUE_KEYS.1,
            one.queue_arn(),
            one.id(),
            one.events(),
            one.filter(),
        )
    });
    let functions = found.lambda_function_configurations().iter();
    let functions = functions.map(|one| {
        entry_document(
            FUNCTION_KEYS.1,
            one.lambda_function_arn(),
            one.id(),
            one.events(),
            one.filter(),
        )
    });
    let lists: [(&str, Vec<Value>); 3] = [
        (TOPIC_KEYS.0, topics.collect()),
        (QUEUE_KEYS.0, queues.collect()),
        (FUNCTION_KEYS.0, functions.collect()),
    ];
    let lists = lists.into_iter().filter(|(_, list)| !list.is_empty());
    let mut all: Map<String, Value> = lists
        .map(|(name, list)| (name.to_owned(), Value::Array(list)))
        .collect();
    if found.event_bridge_configuration().is_some() {
        all.insert(EVENT_BRIDGE.to_owned(), json!({}));
    }
    Value::Object(all)
}

fn entry_document(
    target: &str,
    arn: &str,
    id: Option<&str>,
    events: &[Event],
    filter: Option<&NotificationConfigurationFilter>,
) -> Value {
    let events: Vec<&str> = events.iter().map(Event::as_str).collect();
    let mut entry = json!({ "Id": id, target: arn, "Events": events });
    let key = filter.and_then(NotificationConfigurationFilter::key);
    if let (Some(key), Some(entry)) = (key, entry.as_object_mut()) {
        let rules = key.filter_rules().iter().map(|rule| {
            json!({ "Name": rule.name().map(FilterRuleName::as_str), "Value": rule.value() })
        });
        let rules: Vec<Value> = rules.collect();
        entry.insert(
            "Filter".to_owned(),
            json!({ "Key": { "FilterRules": rules } }),
        );
    }
    entry
}

/// The canonical form of a document, in which equivalent documents are equal. S3 keeps no order, and ignores the case
/// of rule names.
#[must_use]
pub fn canonical(document: &Value) -> Value {
    let mut lists = Map::new();
    for (name, target) in [TOPIC_KEYS, QUEUE_KEYS, FUNCTION_KEYS] {
        let mut entries: Vec<String> = array_items(&document[name])
            .map(|entry| {
                let mut events: Vec<&str> = array_texts(&entry["Events"]).collect();
                events.sort_unstable();
                let mut rules: Vec<(String, &str)> = filter_rules(entry)
                    .map(|(name, value)| (name.to_lowercase(), value))
                    .filter(|(_, value)| !value.is_empty())
                    .collect();
                rules.sort_unstable();
                json!([entry["Id"], entry[target], events, rules]).to_string()
            })
            .collect();
        entries.sort_unstable();
        lists.insert(name.to_owned(), entries.into());
    }
    let bridge = document[EVENT_BRIDGE].is_object();
    lists.insert(EVENT_BRIDGE.to_owned(), bridge.into());
    Value::Object(lists)
}

/// Returns the entries that are in only one of two documents, as two documents. A difference in the delivery to
/// EventBridge is a boolean.
#[must_use]
pub fn differing_entries(left: &Value, right: &Value) -> (Value, Value) {
    let is_on = |document: &Value| document[EVENT_BRIDGE].is_object();
    let only_in = |one: &Value, other: &Value| {
        let mut document = Map::new();
        for (list, _) in [TOPIC_KEYS, QUEUE_KEYS, FUNCTION_KEYS] {
            let single = |entry: &Value| canonical(&json!({ list: [entry] }));
            let others: Vec<Value> = array_items(&other[list]).map(single).collect();
            let entries = array_items(&one[list]);
            let entries = entries.filter(|entry| !others.contains(&single(entry)));
            document.insert(list.to_owned(), entries.cloned().collect());
        }
        if is_on(left) != is_on(right) {
            document.insert(EVENT_BRIDGE.to_owned(), is_on(one).into());
        }
        Value::Object(document)
    };
    (only_in(left, right), only_in(right, left))
}

/// Returns the ARNs of the topics whose entries are in only one of two documents. Returns `None` if the documents differ
/// in other entries.
#[must_use]
pub fn changed_topics(left: &Value, right: &Value) -> Option<Vec<String>> {
    let (left, right) = differing_entries(left, right);
    let documents = [&left, &right];
    let has_others = |document: &&Value| {
        let mut others = [QUEUE_KEYS.0, FUNCTION_KEYS.0].into_iter();
        !document[EVENT_BRIDGE].is_null()
            || others.any(|list| array_items(&document[list]).next().is_some())
    };
    if documents.iter().any(has_others) {
        return None;
    }
    let entries = documents
        .iter()
        .flat_map(|document| array_items(&document[TOPIC_KEYS.0]));
    entries
        .map(|entry| entry[TOPIC_KEYS.1].as_str().map(str::to_owned))
        .collect()
}

/// Converts a document to a configuration.
///
/// # Errors
/// When the document is not a notification configuration.
pub fn from_document(document: &Value) -> Result<NotificationConfiguration> {
    let wrong =
        |why: &str| Error::usage("the notification configuration is invalid").with_reason(why);
    let mut all = NotificationConfiguration::builder();
    for entry in array_items(&document[TOPIC_KEYS.0]) {
        let one = TopicConfiguration::builder()
            .set_id(text(&entry["Id"]))
            .set_topic_arn(text(&entry[TOPIC_KEYS.1]))
            .set_events(Some(events(entry)))
            .set_filter(filter(entry));
        all = all.topic_configurations(one.build().map_err(|why| wrong(&why.to_string()))?);
    }
    for entry in array_items(&document[QUEUE_KEYS.0]) {
        let one = QueueConfiguration::builder()
            .set_id(text(&entry["Id"]))
            .set_queue_arn(text(&entry[QUEUE_KEYS.1]))
            .set_events(Some(events(entry)))
            .set_filter(filter(entry));
        all = all.queue_configurations(one.build().map_err(|why| wrong(&why.to_string()))?);
    }
    for entry in array_items(&document[FUNCTION_KEYS.0]) {
        let one = LambdaFunctionConfiguration::builder()
            .set_id(text(&entry["Id"]))
            .set_lambda_function_arn(text(&entry[FUNCTION_KEYS.1]))
            .set_events(Some(events(entry)))
            .set_filter(filter(entry));
        all =
            all.lambda_function_configurations(one.build().map_err(|why| wrong(&why.to_string()))?);
    }
    let bridge = document[EVENT_BRIDGE].is_object();
    let bridge = bridge.then(|| EventBridgeConfiguration::builder().build());
    Ok(all.set_event_bridge_configuration(bridge).build())
}

fn filter(entry: &Value) -> Option<NotificationConfigurationFilter> {
    entry["Filter"]["Key"].is_object().then(|| {
        let rules = filter_rules(entry).map(|(name, value)| {
            let name = FilterRuleName::from(name.to_lowercase().as_str());
            FilterRule::builder().name(name).value(value).build()
        });
        let key = S3KeyFilter::builder().set_filter_rules(Some(rules.collect()));
        NotificationConfigurationFilter::builder()
            .key(key.build())
            .build()
    })
}

fn filter_rules(entry: &Value) -> impl Iterator<Item = (&str, &str)> {
    array_items(&entry["Filter"]["Key"]["FilterRules"])
        .filter_map(|rule| Some((rule["Name"].as_str()?, rule["Value"].as_str()?)))
}

fn events(entry: &Value) -> Vec<Event> {
    array_texts(&entry["Events"]).map(Event::from).collect()
}

fn array_items(list: &Value) -> impl Iterator<Item = &Value> {
    list.as_array().into_iter().flatten()
}

fn array_texts(list: &Value) -> impl Iterator<Item = &str> {
    array_items(list).filter_map(Value::as_str)
}

fn text(value: &Value) -> Option<String> {
    value.as_str().map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all_entry_types() -> Value {
        json!({
            "TopicConfigurations": [
                { "Id": "t", "TopicArn": "arn:t", "Events": ["s3:ObjectCreated:*"], "Filter": { "Key": { "FilterRules": [
                    { "Name": "prefix", "Value": "AWSLogs/" }, { "Name": "suffix", "Value": ".gz" },
                ] } } },
                { "Id": "all", "TopicArn": "arn:all", "Events": ["s3:ObjectRemoved:*"] },
            ],
            "QueueConfigurations": [{ "Id": "q", "QueueArn": "arn:q", "Events": ["s3:ObjectCreated:Put"] }],
            "LambdaFunctionConfigurations": [
                { "Id": "f", "LambdaFunctionArn": "arn:f", "Events": ["s3:ObjectCreated:Put", "s3:ObjectCreated:Post"] },
            ],
            "EventBridgeConfiguration": {},
        })
    }

    fn round_trip(given: &Value) -> Value {
        let given = from_document(given).unwrap();
        to_document(
            &Configuration::builder()
                .set_topic_configurations(given.topic_configurations)
                .set_queue_configurations(given.queue_configurations)
                .set_lambda_function_configurations(given.lambda_function_configurations)
                .set_event_bridge_configuration(given.event_bridge_configuration)
                .build(),
        )
    }

    #[test]
    fn document_round_trips() {
        assert_eq!(round_trip(&all_entry_types()), all_entry_types());
        assert_eq!(round_trip(&json!({})), json!({}));
    }

    #[test]
    fn canonical_ignores_order_and_case_only() {
        let mut other = all_entry_types();
        other["TopicConfigurations"]
            .as_array_mut()
            .unwrap()
            .reverse();
        other["TopicConfigurations"][1]["Filter"]["Key"]["FilterRules"][0]["Name"] =
            "Prefix".into();
        assert_eq!(canonical(&other), canonical(&all_entry_types()));
        for (list, field) in [
            ("TopicConfigurations", "Id"),
            ("QueueConfigurations", "QueueArn"),
        ] {
            let mut other = all_entry_types();
            other[list][0][field] = "another".into();
            assert_ne!(canonical(&other), canonical(&all_entry_types()), "{field}");
        }
        let mut other = all_entry_types();
        other["EventBridgeConfiguration"].take();
        assert_ne!(canonical(&other), canonical(&all_entry_types()));
    }

    #[test]
    fn entry_without_destination_is_rejected() {
        let refused = from_document(&json!({ "QueueConfigurations": [{ "Id": "q" }] }));
        assert!(refused.unwrap_err().reason().contains("queue_arn"));
    }
}
