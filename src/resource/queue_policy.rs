//! An access policy of an SQS queue that refers to other resources. It allows these resources to send messages.

use std::time::Duration;

use async_trait::async_trait;
use serde_json::Value;

use super::access_policy::{actual_policy, policy_parent, policy_state, written_policy};
use super::kind::ResourceKind;
use super::queue::QUEUE_PROPAGATION_TIMEOUT;
use super::{PROPAGATION_TIMEOUT, deleted_principals_reason};
use crate::aws::queue_url::{is_not_found, queue_url, require_queue_url};
use crate::aws::{Aws, arn};
use crate::error::{Error, Result};
use crate::reconcile::diff::Change;
use crate::reconcile::graph::{Output, ResourceId};
use crate::reconcile::state::State;
use crate::reconcile::{Actual, KnownOutputs, Outputs, Parent, Properties, Resource, ResourceSpec};
use crate::shared_document::kind::DocumentKind;
use crate::shared_document::queue_policy;

pub struct QueuePolicy {
    /// ARN of the queue.
    pub queue: Output,
    pub document: Value,
}

impl ResourceSpec for QueuePolicy {
    fn id(&self) -> ResourceId {
        ResourceKind::SqsQueuePolicy.id(self.queue.resource.name.clone())
    }

    fn dependencies(&self) -> Vec<Output> {
        vec![self.queue.clone()]
    }

    fn desired(&self, _: &KnownOutputs) -> State {
        policy_state(&self.document)
    }

    fn properties(&self) -> Properties {
        Properties {
            agreeing_reads: 2,
            ..Properties::default()
        }
    }

    fn parent(&self) -> Option<Parent> {
        Some(policy_parent(&self.queue))
    }

    fn reason(&self, change: &Change) -> Option<String> {
        deleted_principals_reason(change)
    }

    fn shared_documents(&self, _: &KnownOutputs) -> Vec<ResourceId> {
        vec![DocumentKind::QueuePolicy.id(&self.queue.resource.name)]
    }

    fn retry_budget(&self, refusal: &Error) -> Option<Duration> {
        // A new principal may not be visible yet.
        let is_propagating = refusal.matches(
            "InvalidAttributeValue",
            "Invalid value for the parameter Policy",
        );
        is_propagating
            .then_some(PROPAGATION_TIMEOUT)
            .or(is_not_found(refusal).then_some(QUEUE_PROPAGATION_TIMEOUT))
    }
}

#[async_trait]
impl Resource<Aws> for QueuePolicy {
    async fn read(&self, aws: &Aws, known: &KnownOutputs) -> Result<Option<Actual>> {
        let arn = known.require(&self.queue)?;
        let Some(url) = queue_url(aws, arn::resource_name(&arn)).await? else {
            return Ok(None);
        };
        let text = queue_policy::read(aws, &url, || format!("read {}", self.id())).await?;
        let text = text.filter(|text| !text.is_empty());
        Ok(text.map(|text| actual_policy(&text, ("url", url))))
    }

    async fn create(&self, aws: &Aws, want: &State, known: &KnownOutputs) -> Result<Outputs> {
        let arn = known.require(&self.queue)?;
        let url = require_queue_url(aws, arn::resource_name(&arn)).await?;
        self.write(aws, &url, &written_policy(want)).await?;
        Ok(Outputs::new())
    }

    async fn update(
        &self,
        aws: &Aws,
        actual: &Actual,
        want: &State,
        _: &KnownOutputs,
    ) -> Result<()> {
        let url = actual.require("url")?;
        self.write(aws, url, &written_policy(want)).await
    }

    async fn delete(&self, aws: &Aws, actual: &Actual) -> Result<()> {
        self.write(aws, actual.require("url")?, "").await
    }
}

impl QueuePolicy {
    async fn write(&self, aws: &Aws, url: &str, text: &str) -> Result<()> {
        queue_policy::write(aws, url, text, || format!("write {}", self.id())).await
    }
}
