//! The access policy of an SQS queue, where it names another resource: who may send to it.

use std::time::Duration;

use async_trait::async_trait;
use aws_sdk_sqs::types::QueueAttributeName;
use serde_json::Value;

use super::queue::{NO_QUEUE, url};
use super::{PROPAGATION, document, policy_text, who_died, with_policy};
use crate::aws::Aws;
use crate::aws::arn;
use crate::aws::fault::Doing;
use crate::converge::diff::Change;
use crate::converge::graph::{Id, Output};
use crate::converge::state::State;
use crate::converge::{Known, Live, Outputs, Owner, Part, Resource};
use crate::error::{Error, Result};
use crate::policy;

pub struct QueuePolicy {
    /// ARN of the queue.
    pub queue: Output,
    pub document: Value,
}

#[async_trait]
impl Resource<Aws> for QueuePolicy {
    fn id(&self) -> Id {
        Id {
            kind: "sqs queue policy",
            name: self.queue.of.name.clone(),
        }
    }

    fn needs(&self) -> Vec<Output> {
        vec![self.queue.clone()]
    }

    fn desired(&self, _: &Known) -> State {
        with_policy(State::default(), "policy", &self.document)
    }

    fn part_of(&self) -> Option<Part> {
        Some(Part {
            of: self.queue.of.clone(),
            goes_with_it: true,
        })
    }

    fn reason(&self, change: &Change) -> Option<String> {
        who_died(change)
    }

    fn documents(&self, _: &Known) -> Vec<Id> {
        vec![document::id(document::QUEUE_POLICY, &self.queue.of.name)]
    }

    fn patience(&self, refusal: &Error) -> Option<Duration> {
        // A principal made a moment ago.
        let spreading = refusal.says(
            "InvalidAttributeValue",
            "Invalid value for the parameter Policy",
        );
        spreading.then_some(PROPAGATION)
    }

    fn reads_to_agree(&self) -> usize {
        2
    }

    async fn read(&self, aws: &Aws, known: &Known) -> Result<Option<Live>> {
        let arn = known.need(&self.queue)?;
        let Some(url) = url(aws, arn::last(&arn)).await? else {
            return Ok(None);
        };
        let found = aws
            .sqs
            .get_queue_attributes()
            .queue_url(&url)
            .attribute_names(QueueAttributeName::Policy)
            .send()
            .await
            .finding("sqs:GetQueueAttributes", NO_QUEUE, || {
                format!("read {}", self.id())
            })?;
        let text = found
            .and_then(|found| found.attributes?.remove(&QueueAttributeName::Policy))
            .filter(|text| !text.is_empty());
        Ok(text.map(|text| Live {
            state: with_policy(State::default(), "policy", &policy::parsed(&text)),
            outputs: Outputs::from([("url", url)]),
            owner: Owner::Us,
        }))
    }

    async fn create(&self, aws: &Aws, want: &State, known: &Known) -> Result<Outputs> {
        let arn = known.need(&self.queue)?;
        let url = url(aws, arn::last(&arn)).await?;
        self.write(aws, url, &policy_text(want, "policy")).await?;
        Ok(Outputs::new())
    }

    async fn update(&self, aws: &Aws, live: &Live, want: &State, _: &Known) -> Result<()> {
        let url = live.outputs.get("url").cloned();
        self.write(aws, url, &policy_text(want, "policy")).await
    }

    async fn delete(&self, aws: &Aws, live: &Live) -> Result<()> {
        self.write(aws, live.outputs.get("url").cloned(), "").await
    }
}

impl QueuePolicy {
    async fn write(&self, aws: &Aws, url: Option<String>, document: &str) -> Result<()> {
        aws.sqs
            .set_queue_attributes()
            .set_queue_url(url)
            .attributes(QueueAttributeName::Policy, document)
            .send()
            .await
            .doing("sqs:SetQueueAttributes", || format!("write {}", self.id()))?;
        Ok(())
    }
}
