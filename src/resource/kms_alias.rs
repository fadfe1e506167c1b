//! A KMS alias: the name of a key.

use std::time::Duration;

use async_trait::async_trait;

use super::PROPAGATION_TIMEOUT;
use super::kind::ResourceKind;
use super::kms_tag_propagation::TagPropagation;
use crate::aws::Aws;
use crate::aws::error::AwsResultExt;
use crate::aws::kms_keys::{describe_key, list_tags};
use crate::aws::not_found;
use crate::error::{Error, Result};
use crate::ownership::OwnershipTags;
use crate::reconcile::graph::{Output, ResourceId};
use crate::reconcile::state::State;
use crate::reconcile::{Actual, KnownOutputs, Outputs, Parent, Resource, ResourceSpec};

pub struct KmsAlias {
    pub name: String,
    /// ARN of the key.
    pub key: Output,
    pub ownership: OwnershipTags,
    /// The propagation of the key's tags. A change of an alias also requires permission for its key.
    pub tag_propagation: TagPropagation,
}

impl ResourceSpec for KmsAlias {
    fn id(&self) -> ResourceId {
        ResourceKind::KmsAlias.id(self.name.clone())
    }

    fn dependencies(&self) -> Vec<Output> {
        vec![self.key.clone()]
    }

    fn desired(&self, known: &KnownOutputs) -> State {
        State::default().with_optional("key", known.get(&self.key))
    }

    fn parent(&self) -> Option<Parent> {
        Some(Parent {
            id: self.key.resource.clone(),
            deletes_children: false,
        })
    }

    fn retry_budget(&self, refusal: &Error) -> Option<Duration> {
        // A new key may not have reached all KMS servers yet.
        if refusal.has_any_code(not_found::KEY) {
            return Some(PROPAGATION_TIMEOUT);
        }
        self.tag_propagation.retry_budget(refusal)
    }

    fn retry_reason(&self, refusal: &Error) -> String {
        self.tag_propagation.retry_reason(refusal)
    }
}

#[async_trait]
impl Resource<Aws> for KmsAlias {
    /// Reads the alias and the tags of its key. A key that is being deleted still has its alias and its tags.
    async fn read(&self, aws: &Aws, _: &KnownOutputs) -> Result<Option<Actual>> {
        let Some(key) = describe_key(aws, &self.name).await? else {
            return Ok(None);
        };
        let arn = key.arn().unwrap_or(key.key_id());
        let tags = list_tags(aws, arn).await?;
        Ok(Some(Actual {
            state: State::default().with("key", arn),
            outputs: Outputs::new(),
            ownership: self
                .ownership
                .ownership(tags.iter().map(|tag| (tag.tag_key(), tag.tag_value()))),
        }))
    }

    async fn create(&self, aws: &Aws, want: &State, _: &KnownOutputs) -> Result<Outputs> {
        aws.kms
            .create_alias()
            .alias_name(&self.name)
            .set_target_key_id(want.text("key").map(str::to_owned))
            .send()
            .await
            .context_for("kms:CreateAlias", || format!("create {}", self.id()))?;
        Ok(Outputs::new())
    }

    async fn update(&self, aws: &Aws, _: &Actual, want: &State, _: &KnownOutputs) -> Result<()> {
        aws.kms
            .update_alias()
            .alias_name(&self.name)
            .set_target_key_id(want.text("key").map(str::to_owned))
            .send()
            .await
            .context_for("kms:UpdateAlias", || format!("update {}", self.id()))?;
        Ok(())
    }

    async fn delete(&self, aws: &Aws, _: &Actual) -> Result<()> {
        aws.kms
            .delete_alias()
            .alias_name(&self.name)
            .send()
            .await
            .optional_for("kms:DeleteAlias", not_found::KEY, || {
                format!("delete {}", self.id())
            })?;
        Ok(())
    }
}
