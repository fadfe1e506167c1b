//! The access policy of an SNS topic. It allows principals to publish.

use std::time::Duration;

use async_trait::async_trait;
use serde_json::{Value, json};

use super::access_policy::{actual_policy, policy_parent, policy_state, written_policy};
use super::kind::ResourceKind;
use super::{PROPAGATION_TIMEOUT, deleted_principals_reason};
use crate::aws::Aws;
use crate::aws::arn::Arn;
use crate::aws::not_found;
use crate::error::{Error, Result};
use crate::iam;
use crate::reconcile::diff::Change;
use crate::reconcile::graph::{Output, ResourceId};
use crate::reconcile::state::State;
use crate::reconcile::{Actual, KnownOutputs, Outputs, Parent, Resource, ResourceSpec};
use crate::shared_document::kind::DocumentKind;
use crate::shared_document::topic_policy;

pub struct TopicPolicy {
    /// ARN of the topic.
    pub topic: Output,
    pub document: Value,
}

/// The statement that SNS gives every new topic. A policy with only this statement counts as no policy.
const DEFAULT_STATEMENT: &str = "__default_statement_ID";

impl ResourceSpec for TopicPolicy {
    fn id(&self) -> ResourceId {
        ResourceKind::SnsTopicPolicy.id(self.topic.resource.name.clone())
    }

    fn dependencies(&self) -> Vec<Output> {
        vec![self.topic.clone()]
    }

    fn desired(&self, _: &KnownOutputs) -> State {
        policy_state(&self.document)
    }

    fn parent(&self) -> Option<Parent> {
        Some(policy_parent(&self.topic))
    }

    fn reason(&self, change: &Change) -> Option<String> {
        deleted_principals_reason(change)
    }

    fn shared_documents(&self, known: &KnownOutputs) -> Vec<ResourceId> {
        let topic = known.get(&self.topic).into_iter();
        topic
            .map(|topic| DocumentKind::TopicPolicy.id(topic))
            .collect()
    }

    fn retry_budget(&self, refusal: &Error) -> Option<Duration> {
        // A new principal or a new topic may not be visible yet.
        let is_propagating = refusal.matches("InvalidParameter", "PrincipalNotFound")
            || refusal.has_any_code(not_found::TOPIC);
        if is_propagating {
            return Some(PROPAGATION_TIMEOUT);
        }
        // A permission that depends on the tags of the topic takes effect only after some seconds. A missing permission
        // causes the same error, so the timeout is short.
        (refusal.matches("AuthorizationError", "no identity-based policy allows")
            || refusal.matches("AuthorizationError", "is not authorized to perform"))
        .then_some(Duration::from_secs(20))
    }
}

#[async_trait]
impl Resource<Aws> for TopicPolicy {
    async fn read(&self, aws: &Aws, known: &KnownOutputs) -> Result<Option<Actual>> {
        let topic = known.require(&self.topic)?;
        let text = topic_policy::read(aws, &topic, || format!("read {}", self.id())).await?;
        let text = text.filter(|text| !text.is_empty() && !is_default_policy(text));
        Ok(text.map(|text| actual_policy(&text, ("topic", topic))))
    }

    async fn create(&self, aws: &Aws, want: &State, known: &KnownOutputs) -> Result<Outputs> {
        let topic = known.require(&self.topic)?;
        self.write(aws, &topic, &written_policy(want)).await?;
        Ok(Outputs::new())
    }

    async fn update(
        &self,
        aws: &Aws,
        _: &Actual,
        want: &State,
        known: &KnownOutputs,
    ) -> Result<()> {
        let topic = known.require(&self.topic)?;
        self.write(aws, &topic, &written_policy(want)).await
    }

    /// Restores the default policy, because a topic always has a policy.
    async fn delete(&self, aws: &Aws, actual: &Actual) -> Result<()> {
        let topic = actual.require("topic")?;
        self.write(aws, topic, &default_policy(topic).to_string())
            .await
    }
}

/// The default policy of a new topic, which gives its account full access.
fn default_policy(topic: &str) -> Value {
    let account = Arn::parse(topic).map(|arn| arn.account).unwrap_or_default();
    json!({
        "Version": "2008-10-17",
        "Id": "__default_policy_ID",
        "Statement": [{
            "Sid": DEFAULT_STATEMENT,
            "Effect": "Allow",
            "Principal": { "AWS": "*" },
            "Action": [
                "SNS:GetTopicAttributes",
                "SNS:SetTopicAttributes",
                "SNS:AddPermission",
                "SNS:RemovePermission",
                "SNS:DeleteTopic",
                "SNS:Subscribe",
                "SNS:ListSubscriptionsByTopic",
                "SNS:Publish",
            ],
            "Resource": topic,
            "Condition": { "StringEquals": { "AWS:SourceOwner": account } },
        }],
    })
}

impl TopicPolicy {
    async fn write(&self, aws: &Aws, topic: &str, text: &str) -> Result<()> {
        topic_policy::write(aws, topic, text, || format!("write {}", self.id())).await
    }
}

/// Returns true if the policy has only the default statement. SNS keeps that statement when other statements are added.
fn is_default_policy(policy: &str) -> bool {
    let policy = iam::parse_document(policy);
    let statements = iam::statements_of(&policy);
    let [only] = statements.as_slice() else {
        return false;
    };
    only.get("Sid").and_then(Value::as_str) == Some(DEFAULT_STATEMENT)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn added_statement_is_not_the_default_policy() {
        let first = json!({"Sid": DEFAULT_STATEMENT, "Effect": "Allow"});
        let added = json!({"Sid": "added", "Effect": "Allow"});
        let with = |statements: Value| json!({ "Statement": statements }).to_string();
        assert!(is_default_policy(&with(json!([first]))));
        assert!(!is_default_policy(&with(json!([first, added]))));
        assert!(!is_default_policy(&with(json!([added]))));
        assert!(!is_default_policy("{}"));
    }
}
