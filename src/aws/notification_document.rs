//! The notification configuration of a bucket as a JSON document: the one that the AWS CLI prints and takes.

use aws_sdk_s3::operation::get_bucket_notification_configuration::GetBucketNotificationConfigurationOutput as Configuration;
use aws_sdk_s3::types::{
    Event, EventBridgeConfiguration, FilterRule, FilterRuleName, LambdaFunctionConfiguration,
    NotificationConfiguration, NotificationConfigurationFilter, QueueConfiguration, S3KeyFilter,
    TopicConfiguration,
};
use serde_json::{Map, Value, json};

use crate::error::{Error, Result};

const TOPICS: (&str, &str) = ("TopicConfigurations", "TopicArn");
const QUEUES: (&str, &str) = ("QueueConfigurations", "QueueArn");
const FUNCTIONS: (&str, &str) = ("LambdaFunctionConfigurations", "LambdaFunctionArn");
const BRIDGE: &str = "EventBridgeConfiguration";

/// Everything that is in it.
#[must_use]
pub fn document(found: &Configuration) -> Value {
    let topics = found.topic_configurations().iter();
    let topics = topics.map(|one| {
        entry(
            TOPICS.1,
            one.topic_arn(),
            one.id(),
            one.events(),
            one.filter(),
        )
    });
    let queues = found.queue_configurations().iter();
    let queues = queues.map(|one| {
        entry(
            QUEUES.1,
            one.queue_arn(),
            one.id(),
            one.events(),
            one.filter(),
        )
    });
    let functions = found.lambda_function_configurations().iter();
    let functions = functions.map(|one| {
        entry(
            FUNCTIONS.1,
            one.lambda_function_arn(),
            one.id(),
            one.events(),
            one.filter(),
        )
    });
    let lists: [(&str, Vec<Value>); 3] = [
        (TOPICS.0, topics.collect()),
        (QUEUES.0, queues.collect()),
        (FUNCTIONS.0, functions.collect()),
    ];
    let lists = lists.into_iter().filter(|(_, list)| !list.is_empty());
    let mut all: Map<String, Value> = lists
        .map(|(name, list)| (name.to_owned(), Value::Array(list)))
        .collect();
    if found.event_bridge_configuration().is_some() {
        all.insert(BRIDGE.to_owned(), json!({}));
    }
    Value::Object(all)
}

fn entry(
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

/// The document in a form in which two are equal that mean the same: S3 keeps no order and ignores the case of rules.
#[must_use]
pub fn canonical(document: &Value) -> Value {
    let mut lists = Map::new();
    for (name, target) in [TOPICS, QUEUES, FUNCTIONS] {
        let mut entries: Vec<String> = items(&document[name])
            .map(|entry| {
                let mut events: Vec<&str> = texts(&entry["Events"]).collect();
                events.sort_unstable();
                let mut rules: Vec<(String, &str)> = rules(entry)
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
    let bridge = document[BRIDGE].is_object();
    lists.insert(BRIDGE.to_owned(), bridge.into());
    Value::Object(lists)
}

/// The document as S3 takes it.
///
/// # Errors
/// When it is no such document.
pub fn configuration(document: &Value) -> Result<NotificationConfiguration> {
    let wrong = |why: &str| Error::usage("read a notification configuration", why.to_owned());
    let mut all = NotificationConfiguration::builder();
    for entry in items(&document[TOPICS.0]) {
        let one = TopicConfiguration::builder()
            .set_id(text(&entry["Id"]))
            .set_topic_arn(text(&entry[TOPICS.1]))
            .set_events(Some(events(entry)))
            .set_filter(filter(entry));
        all = all.topic_configurations(one.build().map_err(|why| wrong(&why.to_string()))?);
    }
    for entry in items(&document[QUEUES.0]) {
        let one = QueueConfiguration::builder()
            .set_id(text(&entry["Id"]))
            .set_queue_arn(text(&entry[QUEUES.1]))
            .set_events(Some(events(entry)))
            .set_filter(filter(entry));
        all = all.queue_configurations(one.build().map_err(|why| wrong(&why.to_string()))?);
    }
    for entry in items(&document[FUNCTIONS.0]) {
        let one = LambdaFunctionConfiguration::builder()
            .set_id(text(&entry["Id"]))
            .set_lambda_function_arn(text(&entry[FUNCTIONS.1]))
            .set_events(Some(events(entry)))
            .set_filter(filter(entry));
        all =
            all.lambda_function_configurations(one.build().map_err(|why| wrong(&why.to_string()))?);
    }
    let bridge = document[BRIDGE].is_object();
    let bridge = bridge.then(|| EventBridgeConfiguration::builder().build());
    Ok(all.set_event_bridge_configuration(bridge).build())
}

fn filter(entry: &Value) -> Option<NotificationConfigurationFilter> {
    entry["Filter"]["Key"].is_object().then(|| {
        let rules = rules(entry).map(|(name, value)| {
            let name = FilterRuleName::from(name.to_lowercase().as_str());
            FilterRule::builder().name(name).value(value).build()
        });
        let key = S3KeyFilter::builder().set_filter_rules(Some(rules.collect()));
        NotificationConfigurationFilter::builder()
            .key(key.build())
            .build()
    })
}

fn rules(entry: &Value) -> impl Iterator<Item = (&str, &str)> {
    items(&entry["Filter"]["Key"]["FilterRules"])
        .filter_map(|rule| Some((rule["Name"].as_str()?, rule["Value"].as_str()?)))
}

fn events(entry: &Value) -> Vec<Event> {
    texts(&entry["Events"]).map(Event::from).collect()
}

fn items(list: &Value) -> impl Iterator<Item = &Value> {
    list.as_array().into_iter().flatten()
}

fn texts(list: &Value) -> impl Iterator<Item = &str> {
    items(list).filter_map(Value::as_str)
}

fn text(value: &Value) -> Option<String> {
    value.as_str().map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shared() -> Value {
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

    fn there_and_back(given: &Value) -> Value {
        let given = configuration(given).unwrap();
        document(
            &Configuration::builder()
                .set_topic_configurations(given.topic_configurations)
                .set_queue_configurations(given.queue_configurations)
                .set_lambda_function_configurations(given.lambda_function_configurations)
                .set_event_bridge_configuration(given.event_bridge_configuration)
                .build(),
        )
    }

    #[test]
    fn what_is_read_can_be_written() {
        assert_eq!(there_and_back(&shared()), shared());
        assert_eq!(there_and_back(&json!({})), json!({}));
    }

    #[test]
    fn order_and_case_are_no_difference_and_all_else_is() {
        let mut other = shared();
        other["TopicConfigurations"]
            .as_array_mut()
            .unwrap()
            .reverse();
        other["TopicConfigurations"][1]["Filter"]["Key"]["FilterRules"][0]["Name"] =
            "Prefix".into();
        assert_eq!(canonical(&other), canonical(&shared()));
        for (list, field) in [
            ("TopicConfigurations", "Id"),
            ("QueueConfigurations", "QueueArn"),
        ] {
            let mut other = shared();
            other[list][0][field] = "another".into();
            assert_ne!(canonical(&other), canonical(&shared()), "{field}");
        }
        let mut other = shared();
        other["EventBridgeConfiguration"].take();
        assert_ne!(canonical(&other), canonical(&shared()));
    }

    #[test]
    fn an_entry_without_a_destination_is_refused() {
        let refused = configuration(&json!({ "QueueConfigurations": [{ "Id": "q" }] }));
        assert!(refused.unwrap_err().why().contains("queue_arn"));
    }
}
