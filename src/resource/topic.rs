//! An SNS topic.

use std::time::Duration;

use async_trait::async_trait;
use aws_sdk_sns::types::Tag;
use tokio::try_join;

use super::kind::ResourceKind;
use super::{extra_tags, observed};
use crate::aws::Aws;
use crate::aws::arn;
use crate::aws::error::AwsResultExt;
use crate::aws::lookup;
use crate::aws::not_found;
use crate::error::{Error, Result};
use crate::ownership::OwnershipTags;
use crate::reconcile::graph::{Handle, Output, ResourceId};
use crate::reconcile::state::State;
use crate::reconcile::{
    Actual, KnownOutputs, OtherUsers, Outputs, Properties, Resource, ResourceSpec,
};

/// A standard SNS topic. S3 cannot publish to a FIFO topic.
pub struct Topic {
    pub arn: String,
    /// ARN of the managed queue. All other subscribers except temporary queues are unmanaged.
    pub queue_arn: String,
    /// Prefix of the ARNs of temporary queues.
    pub temporary_queue_arn_prefix: String,
    pub ownership: OwnershipTags,
}

impl Handle<Topic> {
    #[must_use]
    pub fn arn(&self) -> Output {
        self.output("arn")
    }
}

impl ResourceSpec for Topic {
    fn id(&self) -> ResourceId {
        ResourceKind::SnsTopic.id(arn::resource_name(&self.arn))
    }

    fn dependencies(&self) -> Vec<Output> {
        Vec::new()
    }

    fn static_outputs(&self) -> Outputs {
        Outputs::from([("arn", self.arn.clone())])
    }

    /// Leaves the topic unencrypted. Its messages contain only object keys, and an encrypted topic would require a key
    /// policy that allows S3.
    fn desired(&self, _: &KnownOutputs) -> State {
        let state = State::default().with("kms_key", "");
        extra_tags::with_wanted(state, &self.ownership)
    }

    fn properties(&self) -> Properties {
        Properties {
            irreversible_fields: extra_tags::FIELDS,
            ..Properties::default()
        }
    }

    fn ownership_tags(&self) -> Vec<(String, String)> {
        self.ownership.to_vec()
    }

    fn retry_budget(&self, refusal: &Error) -> Option<Duration> {
        // SNS rejects concurrent changes of a tag ("Can't perform multiple operations on a tag simultaneously") and
        // changes of a stale tag.
        let is_busy = [
            "ConcurrentAccess",
            "ConcurrentAccessException",
            "StaleTag",
            "StaleTagException",
        ]
        .iter()
        .any(|code| refusal.has_code(code));
        let is_new = not_found::TOPIC.iter().any(|code| refusal.has_code(code));
        (is_busy || is_new).then_some(Duration::from_secs(20))
    }
}

#[async_trait]
impl Resource<Aws> for Topic {
    async fn used_by(&self, aws: &Aws) -> Result<OtherUsers> {
        let mut others = Vec::new();
        let mut pages = aws
            .sns
            .list_subscriptions_by_topic()
            .topic_arn(&self.arn)
            .into_paginator()
            .send();
        while let Some(page) = pages.next().await {
            let Some(page) =
                page.optional_for("sns:ListSubscriptionsByTopic", not_found::TOPIC, || {
                    format!("list the subscriptions of {}", self.id())
                })?
            else {
                break;
            };
            others.extend(page.subscriptions().iter().filter_map(|subscription| {
                // SNS returns a status instead of an ARN for a deleted or pending subscription.
                subscription
                    .subscription_arn()
                    .filter(|arn| arn.starts_with("arn:"))?;
                let endpoint = subscription.endpoint()?;
                let is_managed = endpoint == self.queue_arn
                    || endpoint.starts_with(&self.temporary_queue_arn_prefix);
                (!is_managed)
                    .then(|| format!("{} {endpoint}", subscription.protocol().unwrap_or_default()))
            }));
        }
        Ok(OtherUsers {
            relation: "has other subscribers",
            users: others,
            release_commands: Vec::new(),
        })
    }

    async fn read(&self, aws: &Aws, _: &KnownOutputs) -> Result<Option<Actual>> {
        let (attributes, tags) = try_join!(
            async {
                aws.sns
                    .get_topic_attributes()
                    .topic_arn(&self.arn)
                    .send()
                    .await
                    .optional_for("sns:GetTopicAttributes", not_found::TOPIC, || {
                        format!("read {}", self.id())
                    })
            },
            lookup::topic_tags(aws, &self.arn),
        )?;
        let (Some(attributes), Some(tags)) = (attributes, tags) else {
            return Ok(None);
        };
        let key = attributes
            .attributes
            .and_then(|mut found| found.remove("KmsMasterKeyId"))
            .unwrap_or_default();
        let pairs = || lookup::borrow_pairs(&tags);
        let state = State::default()
            .with("kms_key", key)
            .with(observed::TAGS, observed::tags(pairs()));
        Ok(Some(Actual {
            state: extra_tags::with_found(state, &self.ownership, pairs()),
            outputs: Outputs::new(),
            ownership: self.ownership.ownership(pairs()),
        }))
    }

    async fn create(&self, aws: &Aws, _: &State, _: &KnownOutputs) -> Result<Outputs> {
        aws.sns
            .create_topic()
            .name(arn::resource_name(&self.arn))
            .set_tags(Some(self.sdk_tags()?))
            .send()
            .await
            .context_for("sns:CreateTopic", || format!("create {}", self.id()))?;
        Ok(Outputs::new())
    }

    async fn update(
        &self,
        aws: &Aws,
        actual: &Actual,
        want: &State,
        _: &KnownOutputs,
    ) -> Result<()> {
        if extra_tags::must_write(&actual.state, want) {
            self.take_ownership(aws, actual).await?;
        }
        if extra_tags::is_only_difference(&actual.state, want) {
            return Ok(());
        }
        aws.sns
            .set_topic_attributes()
            .topic_arn(&self.arn)
            .attribute_name("KmsMasterKeyId")
            .attribute_value(want.text("kms_key").unwrap_or_default())
            .send()
            .await
            .context_for("sns:SetTopicAttributes", || format!("update {}", self.id()))?;
        Ok(())
    }

    async fn take_ownership(&self, aws: &Aws, _: &Actual) -> Result<()> {
        aws.sns
            .tag_resource()
            .resource_arn(&self.arn)
            .set_tags(Some(self.sdk_tags()?))
            .send()
            .await
            .context_for("sns:TagResource", || format!("tag {}", self.id()))?;
        Ok(())
    }

    async fn delete(&self, aws: &Aws, _: &Actual) -> Result<()> {
        aws.sns
            .delete_topic()
            .topic_arn(&self.arn)
            .send()
            .await
            .optional_for("sns:DeleteTopic", not_found::TOPIC, || {
                format!("delete {}", self.id())
            })?;
        Ok(())
    }
}

impl Topic {
    fn sdk_tags(&self) -> Result<Vec<Tag>> {
        let tag = |(key, value): (&str, &str)| {
            let tag = Tag::builder().key(key).value(value).build();
            tag.map_err(|why| Error::failed(format!("write the tag {key}"), why.to_string()))
        };
        self.ownership.iter().map(tag).collect()
    }
}
