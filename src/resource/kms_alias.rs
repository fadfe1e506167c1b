//! A KMS alias: the name of a key.

use std::time::Duration;

use async_trait::async_trait;

use super::kms_key::{describe, tags};
use super::{Mark, PROPAGATION};
use crate::aws::Aws;
use crate::aws::fault::Doing;
use crate::converge::graph::{Id, Output};
use crate::converge::state::State;
use crate::converge::{Known, Live, Outputs, Part, Resource};
use crate::error::{Error, Result};

pub struct KmsAlias {
    pub name: String,
    /// The key's ARN.
    pub key: Output,
    pub mark: Mark,
}

#[async_trait]
impl Resource<Aws> for KmsAlias {
    fn id(&self) -> Id {
        Id {
            kind: "kms alias",
            name: self.name.clone(),
        }
    }

    fn needs(&self) -> Vec<Output> {
        vec![self.key.clone()]
    }

    fn desired(&self, known: &Known) -> State {
        State::default().with_known("key", known.get(&self.key))
    }

    fn part_of(&self) -> Option<Part> {
        Some(Part {
            of: self.key.of.clone(),
            goes_with_it: false,
        })
    }

    fn patience(&self, refusal: &Error) -> Option<Duration> {
        // The key has not reached every server of KMS.
        if refusal.is("NotFoundException") {
            return Some(PROPAGATION);
        }
        super::kms_key::tags_are_spreading(refusal)
    }

    /// An alias may still point at a key that is being deleted; then its key's tags say whose it is.
    async fn read(&self, aws: &Aws, _: &Known) -> Result<Option<Live>> {
        let Some(key) = describe(aws, &self.name).await? else {
            return Ok(None);
        };
        let arn = key.arn().unwrap_or(key.key_id());
        let tags = tags(aws, arn).await?;
        Ok(Some(Live {
            state: State::default().with("key", arn),
            outputs: Outputs::new(),
            owner: self
                .mark
                .owner(tags.iter().map(|tag| (tag.tag_key(), tag.tag_value()))),
        }))
    }

    async fn create(&self, aws: &Aws, want: &State, _: &Known) -> Result<Outputs> {
        aws.kms
            .create_alias()
            .alias_name(&self.name)
            .set_target_key_id(want.text("key").map(str::to_owned))
            .send()
            .await
            .doing("kms:CreateAlias", || format!("create {}", self.id()))?;
        Ok(Outputs::new())
    }

    async fn update(&self, aws: &Aws, _: &Live, want: &State, _: &Known) -> Result<()> {
        aws.kms
            .update_alias()
            .alias_name(&self.name)
            .set_target_key_id(want.text("key").map(str::to_owned))
            .send()
            .await
            .doing("kms:UpdateAlias", || {
                format!("point {} at our key", self.id())
            })?;
        Ok(())
    }

    async fn delete(&self, aws: &Aws, _: &Live) -> Result<()> {
        aws.kms
            .delete_alias()
            .alias_name(&self.name)
            .send()
            .await
            .finding("kms:DeleteAlias", &["NotFoundException"], || {
                format!("delete {}", self.id())
            })?;
        Ok(())
    }
}
