//! The access policy of an SNS topic: who may publish to it.

use std::time::Duration;

use async_trait::async_trait;
use serde_json::Value;

use super::topic::NO_TOPIC;
use super::{PROPAGATION, seen};
use crate::aws::Aws;
use crate::aws::fault::Doing;
use crate::converge::graph::{Id, Output};
use crate::converge::state::State;
use crate::converge::{Known, Live, Outputs, Owner, Part, Resource};
use crate::error::{Error, Result};
use crate::policy;

pub struct TopicPolicy {
    /// ARN of the topic.
    pub topic: Output,
    pub document: Value,
}

/// What SNS gives every new topic; it counts as having none.
const DEFAULT_STATEMENT: &str = "__default_statement_ID";

#[async_trait]
impl Resource<Aws> for TopicPolicy {
    fn id(&self) -> Id {
        Id {
            kind: "sns topic policy",
            name: self.topic.of.name.clone(),
        }
    }

    fn needs(&self) -> Vec<Output> {
        vec![self.topic.clone()]
    }

    fn desired(&self, _: &Known) -> State {
        State::default().with("policy", policy::canonical(&self.document))
    }

    fn part_of(&self) -> Option<Part> {
        Some(Part {
            of: self.topic.of.clone(),
            goes_with_it: true,
        })
    }

    fn patience(&self, refusal: &Error) -> Option<Duration> {
        if refusal.is("InvalidParameter") {
            // A principal made a moment ago.
            return Some(PROPAGATION);
        }
        // The topic's tags have not reached the policy that lets the caller at it. A real lack of permission
        // looks the same, so the wait is short.
        (refusal.says("AuthorizationError", "no identity-based policy allows")
            || refusal.says("AuthorizationError", "is not authorized to perform"))
        .then_some(Duration::from_secs(20))
    }

    async fn read(&self, aws: &Aws, known: &Known) -> Result<Option<Live>> {
        let topic = known.need(&self.topic)?;
        let found = aws
            .sns
            .get_topic_attributes()
            .topic_arn(&topic)
            .send()
            .await
            .finding("sns:GetTopicAttributes", NO_TOPIC, || {
                format!("read {}", self.id())
            })?;
        let text = found
            .and_then(|found| found.attributes?.remove("Policy"))
            .filter(|text| !text.is_empty() && !text.contains(DEFAULT_STATEMENT));
        Ok(text.map(|text| Live {
            state: State::default()
                .with("policy", policy::canonical_text(&text))
                .with(seen::DOCUMENT, text)
                .with(seen::TOPIC, topic),
            outputs: Outputs::new(),
            owner: Owner::Us,
        }))
    }

    async fn create(&self, aws: &Aws, _: &State, known: &Known) -> Result<Outputs> {
        self.write(aws, known).await?;
        Ok(Outputs::new())
    }

    async fn update(&self, aws: &Aws, _: &Live, _: &State, known: &Known) -> Result<()> {
        self.write(aws, known).await
    }

    /// A topic policy cannot be taken away; it goes with its topic.
    async fn delete(&self, _: &Aws, _: &Live) -> Result<()> {
        Ok(())
    }
}

impl TopicPolicy {
    async fn write(&self, aws: &Aws, known: &Known) -> Result<()> {
        aws.sns
            .set_topic_attributes()
            .topic_arn(known.need(&self.topic)?)
            .attribute_name("Policy")
            .attribute_value(self.document.to_string())
            .send()
            .await
            .doing("sns:SetTopicAttributes", || format!("write {}", self.id()))?;
        Ok(())
    }
}
