//! The subscription of an SQS queue to an SNS topic. SNS wraps each message in its envelope.

use std::time::Duration;

use async_trait::async_trait;

use super::kind::ResourceKind;
use super::{PROPAGATION_TIMEOUT, observed};
use crate::aws::Aws;
use crate::aws::arn;
use crate::aws::error::AwsResultExt;
use crate::aws::{message_filter, not_found};
use crate::error::{Error, Result};
use crate::ownership::Ownership;
use crate::reconcile::diff::Change;
use crate::reconcile::graph::{Output, ResourceId};
use crate::reconcile::state::State;
use crate::reconcile::{Actual, KnownOutputs, Outputs, Parent, Properties, Resource, ResourceSpec};

pub struct Subscription {
    /// ARN of the topic.
    pub topic: Output,
    /// ARN of the queue.
    pub queue: Output,
    /// Prefix of the keys of the objects whose events pass; `None` for every message. A topic of the customer may also
    /// announce objects that the role cannot read.
    pub key_prefix: Option<String>,
    /// The queue policy that allows the topic to send. SNS drops messages that it is not allowed to deliver.
    pub depends_on: Vec<Output>,
}

/// The value that SNS returns in place of the ARN while a subscription waits for confirmation.
const PENDING_CONFIRMATION: &str = "PendingConfirmation";

/// The scope of a subscription that has none.
const DEFAULT_SCOPE: &str = "MessageAttributes";

/// A compared field, the attribute of SNS, and the attribute's value.
type AttributeValue = (&'static str, &'static str, String);

impl ResourceSpec for Subscription {
    fn id(&self) -> ResourceId {
        let (topic, queue) = (&self.topic.resource.name, &self.queue.resource.name);
        ResourceKind::SnsSubscription.id(format!("{} → {queue}", arn::resource_name(topic)))
    }

    fn dependencies(&self) -> Vec<Output> {
        [&self.topic, &self.queue]
            .into_iter()
            .chain(&self.depends_on)
            .cloned()
            .collect()
    }

    fn desired(&self, _: &KnownOutputs) -> State {
        let state = State::default()
            .with("confirmed", true)
            .with("raw_delivery", false);
        match &self.key_prefix {
            None => state.with("filter", ""),
            Some(prefix) => state
                .with("filter", message_filter::policy(prefix).to_string())
                .with("filter_scope", message_filter::MESSAGE_BODY),
        }
    }

    fn properties(&self) -> Properties {
        Properties {
            irreversible_fields: &["confirmed"],
            ..Properties::default()
        }
    }

    /// A subscription is managed if its queue is managed, regardless of the topic.
    fn parent(&self) -> Option<Parent> {
        Some(Parent {
            id: self.queue.resource.clone(),
            deletes_children: false,
        })
    }

    fn reason(&self, change: &Change) -> Option<String> {
        let reason = match change.field {
            "confirmed" => "the subscription is pending: SNS sends nothing until it is confirmed",
            "filter" if change.before.as_ref().is_some_and(|before| before == "") => {
                "the topic may announce objects that the role cannot read"
            }
            "filter" => "only messages that match the filter policy reach the queue",
            "filter_scope" => "the filter policy applies to the message, not to its attributes",
            "raw_delivery" => "setup delivers messages in the SNS envelope, the default of SNS",
            _ => return None,
        };
        Some(reason.to_owned())
    }

    /// Returns true for a pending subscription. It cannot be deleted because it has no ARN, but SNS removes it
    /// automatically.
    fn is_expiring(&self, actual: &Actual) -> bool {
        !actual.outputs.contains_key("arn")
    }

    fn retry_budget(&self, refusal: &Error) -> Option<Duration> {
        // A new topic may not be visible yet.
        refusal
            .has_any_code(not_found::TOPIC)
            .then_some(PROPAGATION_TIMEOUT)
    }
}

#[async_trait]
impl Resource<Aws> for Subscription {
    async fn read(&self, aws: &Aws, known: &KnownOutputs) -> Result<Option<Actual>> {
        let (topic, queue) = (known.require(&self.topic)?, known.require(&self.queue)?);
        let subscription = match self.find_subscription_arn(aws, &topic, &queue).await? {
            Some(found) if found.starts_with("arn:") => found,
            Some(_) => {
                return Ok(Some(Actual {
                    state: State::default()
                        .with("confirmed", false)
                        .with("filter", "")
                        .with("filter_scope", DEFAULT_SCOPE)
                        .with("raw_delivery", false)
                        .with(observed::TOPIC, topic)
                        .with(observed::QUEUE, queue),
                    outputs: Outputs::new(),
                    ownership: Ownership::Managed,
                }));
            }
            None => return Ok(None),
        };
        let found = aws
            .sns
            .get_subscription_attributes()
            .subscription_arn(&subscription)
            .send()
            .await
            .optional_for("sns:GetSubscriptionAttributes", not_found::TOPIC, || {
                format!("read {}", self.id())
            })?;
        let Some(attributes) = found.and_then(|found| found.attributes) else {
            return Ok(None);
        };
        let is_true = |name: &str| {
            attributes
                .get(name)
                .is_some_and(|text| text.eq_ignore_ascii_case("true"))
        };
        let filter = attributes
            .get("FilterPolicy")
            .map(|text| message_filter::canonical(text));
        let filter_scope = attributes
            .get("FilterPolicyScope")
            .map_or(DEFAULT_SCOPE, String::as_str);
        Ok(Some(Actual {
            state: State::default()
                .with("confirmed", !is_true("PendingConfirmation"))
                .with("filter", filter.unwrap_or_default())
                .with("filter_scope", filter_scope)
                .with("raw_delivery", is_true("RawMessageDelivery"))
                .with(observed::TOPIC, topic)
                .with(observed::QUEUE, queue),
            outputs: Outputs::from([("arn", subscription)]),
            // Only the queue determines the owner of the subscription.
            ownership: Ownership::Managed,
        }))
    }

    async fn create(&self, aws: &Aws, want: &State, known: &KnownOutputs) -> Result<Outputs> {
        self.subscribe(aws, want, known).await
    }

    async fn update(
        &self,
        aws: &Aws,
        actual: &Actual,
        want: &State,
        known: &KnownOutputs,
    ) -> Result<()> {
        if self.is_expiring(actual) {
            return self.subscribe(aws, want, known).await.map(|_| ());
        }
        for (field, attribute, value) in attributes(want) {
            if actual.state.get(field) != want.get(field) {
                self.set_attribute(aws, actual.require("arn")?, attribute, &value)
                    .await?;
            }
        }
        Ok(())
    }

    async fn delete(&self, aws: &Aws, actual: &Actual) -> Result<()> {
        let unsubscribed = aws
            .sns
            .unsubscribe()
            .subscription_arn(actual.require("arn")?)
            .send()
            .await
            .optional_for("sns:Unsubscribe", not_found::TOPIC, || {
                format!("delete {}", self.id())
            });
        match unsubscribed {
            // SNS removes a pending subscription automatically.
            Err(error) if error.matches("InvalidParameter", "pending confirmation") => Ok(()),
            other => other.map(|_| ()),
        }
    }
}

impl Subscription {
    /// Subscribes with the filter policy, so that no other message passes before it is set.
    async fn subscribe(&self, aws: &Aws, want: &State, known: &KnownOutputs) -> Result<Outputs> {
        let call = aws
            .sns
            .subscribe()
            .topic_arn(known.require(&self.topic)?)
            .protocol("sqs")
            .endpoint(known.require(&self.queue)?)
            .return_subscription_arn(true);
        let operation = || format!("create {}", self.id());
        let filters = filter_attributes(want);
        let with_filter = filters
            .iter()
            .fold(call.clone(), |call, (_, attribute, value)| {
                call.attributes(*attribute, value)
            });
        let created = with_filter
            .send()
            .await
            .context_for("sns:Subscribe", operation);
        let arn = match created {
            // The subscription was not listed yet.
            Err(error)
                if !filters.is_empty()
                    && error.matches(
                        "InvalidParameter",
                        "already exists with different attributes",
                    ) =>
            {
                let existing = call.send().await.context_for("sns:Subscribe", operation)?;
                let arn = existing.subscription_arn;
                if let Some(arn) = arn.as_deref().filter(|arn| arn.starts_with("arn:")) {
                    for (_, attribute, value) in &filters {
                        self.set_attribute(aws, arn, attribute, value).await?;
                    }
                }
                arn
            }
            created => created?.subscription_arn,
        };
        Ok(arn.map(|arn| ("arn", arn)).into_iter().collect())
    }

    async fn set_attribute(&self, aws: &Aws, arn: &str, name: &str, value: &str) -> Result<()> {
        aws.sns
            .set_subscription_attributes()
            .subscription_arn(arn)
            .attribute_name(name)
            .attribute_value(value)
            .send()
            .await
            .context_for("sns:SetSubscriptionAttributes", || {
                format!("update {}", self.id())
            })
            .map(|_| ())
    }

    /// Finds the ARN of the subscription, or `PENDING_CONFIRMATION` for a pending subscription. Deleted subscriptions
    /// are skipped.
    async fn find_subscription_arn(
        &self,
        aws: &Aws,
        topic: &str,
        queue: &str,
    ) -> Result<Option<String>> {
        let mut pages = aws
            .sns
            .list_subscriptions_by_topic()
            .topic_arn(topic)
            .into_paginator()
            .send();
        while let Some(page) = pages.next().await {
            let Some(page) =
                page.optional_for("sns:ListSubscriptionsByTopic", not_found::TOPIC, || {
                    format!("look for {}", self.id())
                })?
            else {
                return Ok(None);
            };
            let found = page
                .subscriptions()
                .iter()
                .find(|subscription| subscription.endpoint() == Some(queue))
                .and_then(|subscription| subscription.subscription_arn.clone())
                .filter(|arn| arn.starts_with("arn:") || arn == PENDING_CONFIRMATION);
            if found.is_some() {
                return Ok(found);
            }
        }
        Ok(None)
    }
}

/// The attributes of a desired state, in the order in which they are set.
fn attributes(want: &State) -> Vec<AttributeValue> {
    let raw = want.get("raw_delivery").is_some_and(|raw| raw == true);
    let mut attributes = filter_attributes(want);
    if attributes.is_empty() {
        attributes.push(("filter", "FilterPolicy", "{}".to_owned()));
    }
    attributes.push(("raw_delivery", "RawMessageDelivery", raw.to_string()));
    attributes
}

/// The attributes of a filter policy; empty if every message passes. The scope comes first, because SNS checks the
/// policy against it.
fn filter_attributes(want: &State) -> Vec<AttributeValue> {
    match want.text("filter") {
        None | Some("") => Vec::new(),
        Some(filter) => {
            let scope = want.text("filter_scope").unwrap_or(DEFAULT_SCOPE);
            vec![
                ("filter_scope", "FilterPolicyScope", scope.to_owned()),
                ("filter", "FilterPolicy", filter.to_owned()),
            ]
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::aws::canned::{CannedResponse, SentRequests};
    use crate::reconcile::graph::Graph;
    use crate::reconcile::scope::Scope;
    use crate::resource::queue::Queue;
    use crate::resource::topic::Topic;

    const TOPIC: &str = "arn:aws:sns:us-east-1:111122223333:topic";
    const QUEUE: &str = "arn:aws:sqs:us-east-1:111122223333:queue";
    const FILTER: &str = r#"{"Records":{"s3":{"object":{"key":[{"prefix":"AWSLogs/o-1/"}]}}}}"#;

    /// A subscription of a queue to a topic of the customer.
    fn filtered_subscription() -> (Graph<Aws>, KnownOutputs) {
        let mut graph = Graph::new(Scope::new("111122223333", "us-east-1"));
        let arn = |arn: &str| Outputs::from([("arn", arn.to_owned())]);
        let topic = graph.existing::<Topic>(ResourceKind::SnsTopic.id("topic"), arn(TOPIC));
        let queue = graph.existing::<Queue>(ResourceKind::SqsQueue.id("queue"), arn(QUEUE));
        graph.add(Subscription {
            topic: topic.arn(),
            queue: queue.arn(),
            key_prefix: Some("AWSLogs/o-1/".to_owned()),
            depends_on: Vec::new(),
        });
        let known = graph.initial_outputs();
        (graph, known)
    }

    fn subscribed() -> CannedResponse {
        let result = format!("<SubscriptionArn>{TOPIC}:1</SubscriptionArn>");
        CannedResponse::ok(format!(
            "<SubscribeResponse><SubscribeResult>{result}</SubscribeResult></SubscribeResponse>"
        ))
    }

    fn changed() -> (&'static str, CannedResponse) {
        let response = "<SetSubscriptionAttributesResponse/>";
        ("SetSubscriptionAttributes", CannedResponse::ok(response))
    }

    /// The names of the attributes that were set, in order.
    fn set_attributes(sent: &SentRequests) -> Vec<String> {
        let bodies = sent.bodies("SetSubscriptionAttributes");
        bodies
            .iter()
            .filter_map(|body| {
                let mut parameters = body.split('&');
                parameters.find_map(|parameter| parameter.strip_prefix("AttributeName="))
            })
            .map(str::to_owned)
            .collect()
    }

    #[tokio::test]
    async fn create_sends_filter_policy_with_subscription() {
        let (graph, known) = filtered_subscription();
        let subscription = &graph.nodes()[0].resource;
        let (aws, sent) = Aws::canned(vec![("Subscribe", subscribed())]);
        let desired = subscription.desired(&known);
        let outputs = subscription.create(&aws, &desired, &known).await.unwrap();
        assert_eq!(outputs["arn"], format!("{TOPIC}:1"));
        let body = sent.body("Subscribe");
        let body = percent_encoding::percent_decode_str(&body).decode_utf8_lossy();
        assert!(body.contains(FILTER), "{body}");
        assert!(body.contains("MessageBody"), "{body}");
    }

    #[tokio::test]
    async fn unlisted_subscription_gets_filter_policy() {
        let (graph, known) = filtered_subscription();
        let subscription = &graph.nodes()[0].resource;
        let refusal = "Invalid parameter: Attributes Reason: Subscription already exists with different attributes";
        let (aws, sent) = Aws::canned(vec![
            (
                "Subscribe",
                CannedResponse::xml_error("InvalidParameter", refusal),
            ),
            ("Subscribe", subscribed()),
            changed(),
            changed(),
        ]);
        let desired = subscription.desired(&known);
        subscription.create(&aws, &desired, &known).await.unwrap();
        assert_eq!(set_attributes(&sent), ["FilterPolicyScope", "FilterPolicy"]);
    }

    #[tokio::test]
    async fn scope_is_set_before_filter_policy() {
        let (graph, known) = filtered_subscription();
        let subscription = &graph.nodes()[0].resource;
        let desired = subscription.desired(&known);
        assert_eq!(desired.get("filter"), Some(&json!(FILTER)));
        let actual = |filter: &str, scope: &str| Actual {
            state: State::default()
                .with("confirmed", true)
                .with("filter", filter)
                .with("filter_scope", scope)
                .with("raw_delivery", false),
            outputs: Outputs::from([("arn", format!("{TOPIC}:1"))]),
            ownership: Ownership::Managed,
        };
        let (aws, sent) = Aws::canned(vec![changed(), changed()]);
        let unfiltered = actual("", DEFAULT_SCOPE);
        let update = subscription.update(&aws, &unfiltered, &desired, &known);
        update.await.unwrap();
        assert_eq!(set_attributes(&sent), ["FilterPolicyScope", "FilterPolicy"]);

        // A subscription without a filter keeps its scope, which then has no effect.
        let (aws, sent) = Aws::canned(vec![changed()]);
        let every_message = State::default()
            .with("confirmed", true)
            .with("filter", "")
            .with("raw_delivery", false);
        let filtered = actual(FILTER, "MessageBody");
        let update = subscription.update(&aws, &filtered, &every_message, &known);
        update.await.unwrap();
        assert_eq!(set_attributes(&sent), ["FilterPolicy"]);
        assert!(
            sent.body("SetSubscriptionAttributes")
                .contains("AttributeValue=%7B%7D")
        );
    }
}
