//! The access policy of an SNS topic: who may publish to it.

use std::time::Duration;

use async_trait::async_trait;
use serde_json::{Value, json};

use super::topic::NO_TOPIC;
use super::{PROPAGATION, document, policy_text, who_died, with_policy};
use crate::aws::Aws;
use crate::aws::arn::Arn;
use crate::aws::fault::Doing;
use crate::converge::diff::Change;
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
        with_policy(State::default(), "policy", &self.document)
    }

    fn part_of(&self) -> Option<Part> {
        Some(Part {
            of: self.topic.of.clone(),
            goes_with_it: true,
        })
    }

    fn reason(&self, change: &Change) -> Option<String> {
        who_died(change)
    }

    fn documents(&self, known: &Known) -> Vec<Id> {
        let topic = known.get(&self.topic).into_iter();
        topic
            .map(|topic| document::id(document::TOPIC_POLICY, topic))
            .collect()
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
            .filter(|text| !text.is_empty() && !is_the_first(text));
        Ok(text.map(|text| Live {
            state: with_policy(State::default(), "policy", &policy::parsed(&text)),
            outputs: Outputs::from([("topic", topic)]),
            owner: Owner::Us,
        }))
    }

    async fn create(&self, aws: &Aws, want: &State, known: &Known) -> Result<Outputs> {
        let topic = known.need(&self.topic)?;
        self.write(aws, &topic, policy_text(want, "policy")).await?;
        Ok(Outputs::new())
    }

    async fn update(&self, aws: &Aws, _: &Live, want: &State, known: &Known) -> Result<()> {
        let topic = known.need(&self.topic)?;
        self.write(aws, &topic, policy_text(want, "policy")).await
    }

    /// A topic is never without a policy: it gets back the one that SNS gives a new topic.
    async fn delete(&self, aws: &Aws, live: &Live) -> Result<()> {
        let topic = live
            .outputs
            .get("topic")
            .map(String::as_str)
            .unwrap_or_default();
        self.write(aws, topic, first_policy(topic).to_string())
            .await
    }
}

/// The policy of a new topic: its account may do everything.
fn first_policy(topic: &str) -> Value {
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
    async fn write(&self, aws: &Aws, topic: &str, document: String) -> Result<()> {
        aws.sns
            .set_topic_attributes()
            .topic_arn(topic)
            .attribute_name("Policy")
            .attribute_value(document)
            .send()
            .await
            .doing("sns:SetTopicAttributes", || format!("write {}", self.id()))?;
        Ok(())
    }
}
/// Whether it is what SNS gives a topic when nobody else says: that one statement alone. SNS keeps it beside the
/// statements that somebody adds.
fn is_the_first(policy: &str) -> bool {
    let policy = policy::parsed(policy);
    let statements = policy.get("Statement").and_then(Value::as_array);
    statements.is_some_and(|statements| {
        let [only] = statements.as_slice() else {
            return false;
        };
        only.get("Sid").and_then(Value::as_str) == Some(DEFAULT_STATEMENT)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_statement_beside_the_first_one_is_a_policy() {
        let first = json!({"Sid": DEFAULT_STATEMENT, "Effect": "Allow"});
        let theirs = json!({"Sid": "theirs", "Effect": "Allow"});
        let with = |statements: Value| json!({ "Statement": statements }).to_string();
        assert!(is_the_first(&with(json!([first]))));
        assert!(!is_the_first(&with(json!([first, theirs]))));
        assert!(!is_the_first(&with(json!([theirs]))));
        assert!(!is_the_first("{}"));
    }
}
