//! The subscription of an SQS queue to an SNS topic, with SNS's envelope around each message.

use std::time::Duration;

use async_trait::async_trait;

use super::topic::NO_TOPIC;
use super::{PROPAGATION, seen};
use crate::aws::Aws;
use crate::aws::arn;
use crate::aws::fault::Doing;
use crate::converge::diff::Change;
use crate::converge::graph::{Id, Output};
use crate::converge::state::State;
use crate::converge::{Known, Live, Outputs, Owner, Part, Resource};
use crate::error::{Error, Result};

pub struct Subscription {
    /// ARN of the topic.
    pub topic: Output,
    /// ARN of the queue.
    pub queue: Output,
    /// That the queue lets the topic in; SNS drops at once what it is not permitted to send.
    pub after: Vec<Output>,
}

/// In place of the ARN of a subscription that waits for its confirmation.
const PENDING: &str = "PendingConfirmation";

#[async_trait]
impl Resource<Aws> for Subscription {
    fn id(&self) -> Id {
        let (topic, queue) = (&self.topic.of.name, &self.queue.of.name);
        Id {
            kind: "sns subscription",
            name: format!("{} → {queue}", arn::last(topic)),
        }
    }

    fn needs(&self) -> Vec<Output> {
        [&self.topic, &self.queue]
            .into_iter()
            .chain(&self.after)
            .cloned()
            .collect()
    }

    fn desired(&self, _: &Known) -> State {
        State::default()
            .with("confirmed", true)
            .with("filter", "")
            .with("raw_delivery", false)
    }

    fn lasting(&self) -> &'static [&'static str] {
        &["confirmed"]
    }

    /// Ours when the queue is, whoever's the topic is.
    fn part_of(&self) -> Option<Part> {
        Some(Part {
            of: self.queue.of.clone(),
            goes_with_it: false,
        })
    }

    fn reason(&self, change: &Change) -> Option<String> {
        let says = match change.field {
            "confirmed" => "the subscription is pending: nothing is sent until it is confirmed",
            "filter" => "only what passes the filter reaches the queue",
            "raw_delivery" => "Heeler reads messages in the envelope of SNS",
            _ => return None,
        };
        Some(says.to_owned())
    }

    /// One that is pending has no ARN to be deleted by.
    fn lapses(&self, live: &Live) -> bool {
        !live.outputs.contains_key("arn")
    }

    fn patience(&self, refusal: &Error) -> Option<Duration> {
        // The topic was made a moment ago.
        NO_TOPIC
            .iter()
            .any(|code| refusal.is(code))
            .then_some(PROPAGATION)
    }

    async fn read(&self, aws: &Aws, known: &Known) -> Result<Option<Live>> {
        let (topic, queue) = (known.need(&self.topic)?, known.need(&self.queue)?);
        let subscription = match self.find(aws, &topic, &queue).await? {
            Some(found) if found.starts_with("arn:") => found,
            Some(_) => {
                return Ok(Some(Live {
                    state: State::default()
                        .with("confirmed", false)
                        .with("filter", "")
                        .with("raw_delivery", false)
                        .with(seen::TOPIC, topic)
                        .with(seen::QUEUE, queue),
                    outputs: Outputs::new(),
                    owner: Owner::Us,
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
            .finding("sns:GetSubscriptionAttributes", NO_TOPIC, || {
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
        Ok(Some(Live {
            state: State::default()
                .with("confirmed", !is_true("PendingConfirmation"))
                .with("filter", filter.cloned().unwrap_or_default())
                .with("raw_delivery", is_true("RawMessageDelivery"))
                .with(seen::TOPIC, topic)
                .with(seen::QUEUE, queue),
            outputs: Outputs::from([("arn", subscription)]),
            // When the queue is gone, a subscription that still names it serves nobody.
            owner: Owner::Us,
        }))
    }

    async fn create(&self, aws: &Aws, _: &State, known: &Known) -> Result<Outputs> {
        self.subscribe(aws, known).await
    }

    async fn update(&self, aws: &Aws, live: &Live, want: &State, known: &Known) -> Result<()> {
        if self.lapses(live) {
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
            if live.state.get(field) == want.get(field) {
                continue;
            }
            aws.sns
                .set_subscription_attributes()
                .set_subscription_arn(live.outputs.get("arn").cloned())
                .attribute_name(attribute)
                .attribute_value(value)
                .send()
                .await
                .doing("sns:SetSubscriptionAttributes", || {
                    format!("change {}", self.id())
                })?;
        }
        Ok(())
    }

    async fn delete(&self, aws: &Aws, live: &Live) -> Result<()> {
        let gone = aws
            .sns
            .unsubscribe()
            .set_subscription_arn(live.outputs.get("arn").cloned())
            .send()
            .await
            .finding("sns:Unsubscribe", NO_TOPIC, || {
                format!("delete {}", self.id())
            });
        match gone {
            // It lapses by itself.
            Err(error) if error.says("InvalidParameter", "pending confirmation") => Ok(()),
            other => other.map(|_| ()),
        }
    }
}

impl Subscription {
    async fn subscribe(&self, aws: &Aws, known: &Known) -> Result<Outputs> {
        let made = aws
            .sns
            .subscribe()
            .topic_arn(known.need(&self.topic)?)
            .protocol("sqs")
            .endpoint(known.need(&self.queue)?)
            .return_subscription_arn(true)
            .send()
            .await
            .doing("sns:Subscribe", || format!("create {}", self.id()))?;
        Ok(made
            .subscription_arn
            .map(|arn| ("arn", arn))
            .into_iter()
            .collect())
    }

    /// Its ARN; one that waits for its confirmation, or was deleted, has a word in place of it.
    async fn find(&self, aws: &Aws, topic: &str, queue: &str) -> Result<Option<String>> {
        let mut pages = aws
            .sns
            .list_subscriptions_by_topic()
            .topic_arn(topic)
            .into_paginator()
            .send();
        while let Some(page) = pages.next().await {
            let Some(page) = page.finding("sns:ListSubscriptionsByTopic", NO_TOPIC, || {
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
                .filter(|arn| arn.starts_with("arn:") || arn == PENDING);
            if found.is_some() {
                return Ok(found);
            }
        }
        Ok(None)
    }
}
