//! The subscription of an SQS queue to an SNS topic. SNS wraps each message in its envelope.

use std::time::Duration;

use async_trait::async_trait;

use super::kind::ResourceKind;
use super::{PROPAGATION_TIMEOUT, observed};
use crate::aws::Aws;
use crate::aws::arn;
use crate::aws::error::AwsResultExt;
use crate::aws::not_found;
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
    /// The queue policy that allows the topic to send. SNS drops messages that it is not allowed to deliver.
    pub depends_on: Vec<Output>,
}

/// The value that SNS returns in place of the ARN while a subscription waits for confirmation.
const PENDING_CONFIRMATION: &str = "PendingConfirmation";

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
        State::default()
            .with("confirmed", true)
            .with("filter", "")
            .with("raw_delivery", false)
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
            "filter" => "only messages that match the filter policy reach the queue",
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
            .filter(|text| text.as_str() != "{}");
        Ok(Some(Actual {
            state: State::default()
                .with("confirmed", !is_true("PendingConfirmation"))
                .with("filter", filter.cloned().unwrap_or_default())
                .with("raw_delivery", is_true("RawMessageDelivery"))
                .with(observed::TOPIC, topic)
                .with(observed::QUEUE, queue),
            outputs: Outputs::from([("arn", subscription)]),
            // Only the queue determines the owner of the subscription.
            ownership: Ownership::Managed,
        }))
    }

    async fn create(&self, aws: &Aws, _: &State, known: &KnownOutputs) -> Result<Outputs> {
        self.subscribe(aws, known).await
    }

    async fn update(
        &self,
        aws: &Aws,
        actual: &Actual,
        want: &State,
        known: &KnownOutputs,
    ) -> Result<()> {
        if self.is_expiring(actual) {
            return self.subscribe(aws, known).await.map(|_| ());
        }
        let raw = want.get("raw_delivery").is_some_and(|raw| raw == true);
        let filter = want.text("filter").filter(|filter| !filter.is_empty());
        for (field, attribute, value) in [
            (
                "raw_delivery",
                "RawMessageDelivery",
                if raw { "true" } else { "false" },
            ),
            ("filter", "FilterPolicy", filter.unwrap_or("{}")),
        ] {
            if actual.state.get(field) == want.get(field) {
                continue;
            }
            aws.sns
                .set_subscription_attributes()
                .subscription_arn(actual.require("arn")?)
                .attribute_name(attribute)
                .attribute_value(value)
                .send()
                .await
                .context_for("sns:SetSubscriptionAttributes", || {
                    format!("update {}", self.id())
                })?;
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
    async fn subscribe(&self, aws: &Aws, known: &KnownOutputs) -> Result<Outputs> {
        let created = aws
            .sns
            .subscribe()
            .topic_arn(known.require(&self.topic)?)
            .protocol("sqs")
            .endpoint(known.require(&self.queue)?)
            .return_subscription_arn(true)
            .send()
            .await
            .context_for("sns:Subscribe", || format!("create {}", self.id()))?;
        Ok(created
            .subscription_arn
            .map(|arn| ("arn", arn))
            .into_iter()
            .collect())
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
