//! A customer managed IAM policy. Its document is its default version.

use std::time::Duration;

use async_trait::async_trait;
use aws_sdk_iam::types::Tag;
use serde_json::Value;

use super::iam_users::{entities_of_policy, explain_conflict};
use super::kind::ResourceKind;
use super::{PROPAGATION_TIMEOUT, PolicyTemplate, extra_tags, observed, with_policy};
use crate::aws::Aws;
use crate::aws::arn;
use crate::aws::error::AwsResultExt;
use crate::aws::lookup;
use crate::aws::not_found;
use crate::aws::policy_versions::{delete_version, list_old_versions, put_default_version};
use crate::error::{Error, Result};
use crate::iam;
use crate::ownership::OwnershipTags;
use crate::reconcile::graph::{Handle, Output, ResourceId};
use crate::reconcile::state::State;
use crate::reconcile::{
    Actual, KnownOutputs, OtherUsers, Outputs, Properties, Resource, ResourceSpec,
};
use crate::shared_document::kind::DocumentKind;
use crate::shared_document::managed_policy;

pub struct ManagedPolicy {
    pub arn: String,
    pub description: &'static str,
    pub document: PolicyTemplate,
    /// The resources that the document refers to.
    pub depends_on: Vec<Output>,
    pub ownership: OwnershipTags,
    /// Name of the managed role that the policy is attached to.
    pub role: String,
}

impl Handle<ManagedPolicy> {
    #[must_use]
    pub fn arn(&self) -> Output {
        self.output("arn")
    }
}

impl ResourceSpec for ManagedPolicy {
    fn id(&self) -> ResourceId {
        ResourceKind::IamPolicy.id(arn::resource_name(&self.arn))
    }

    fn dependencies(&self) -> Vec<Output> {
        self.depends_on.clone()
    }

    fn static_outputs(&self) -> Outputs {
        Outputs::from([("arn", self.arn.clone())])
    }

    /// Omits the description, because AWS does not support changes to it.
    fn desired(&self, known: &KnownOutputs) -> State {
        let state = match (self.document)(known) {
            Some(document) => with_policy(State::default(), "document", &document),
            None => State::default().with_optional("document", None::<Value>),
        };
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

    fn shared_documents(&self, _: &KnownOutputs) -> Vec<ResourceId> {
        vec![DocumentKind::ManagedPolicy.id(&self.arn)]
    }

    fn retry_budget(&self, refusal: &Error) -> Option<Duration> {
        (refusal.has_code("ConcurrentModification") || refusal.has_code("DeleteConflict"))
            .then_some(PROPAGATION_TIMEOUT)
    }
}

#[async_trait]
impl Resource<Aws> for ManagedPolicy {
    async fn read(&self, aws: &Aws, _: &KnownOutputs) -> Result<Option<Actual>> {
        let Some(found) = lookup::managed_policy(aws, &self.arn).await? else {
            return Ok(None);
        };
        let document = managed_policy::read_default_version(aws, &found).await?;
        let tags = || found.tags().iter().map(|tag| (tag.key(), tag.value()));
        let state = with_policy(State::default(), "document", &document.unwrap_or_default())
            .with(
                observed::DESCRIPTION,
                found.description().unwrap_or_default(),
            )
            .with(observed::TAGS, observed::tags(tags()));
        Ok(Some(Actual {
            state: extra_tags::with_found(state, &self.ownership, tags()),
            outputs: Outputs::new(),
            ownership: self.ownership.ownership(tags()),
        }))
    }

    async fn create(&self, aws: &Aws, want: &State, _: &KnownOutputs) -> Result<Outputs> {
        aws.iam
            .create_policy()
            .policy_name(arn::resource_name(&self.arn))
            .description(self.description)
            .policy_document(self.document_text(want)?)
            .set_tags(Some(self.sdk_tags()?))
            .send()
            .await
            .context_for("iam:CreatePolicy", || format!("create {}", self.id()))?;
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
        put_default_version(aws, &self.arn, &self.document_text(want)?).await
    }

    async fn take_ownership(&self, aws: &Aws, _: &Actual) -> Result<()> {
        aws.iam
            .tag_policy()
            .policy_arn(&self.arn)
            .set_tags(Some(self.sdk_tags()?))
            .send()
            .await
            .context_for("iam:TagPolicy", || format!("tag {}", self.id()))?;
        Ok(())
    }

    async fn delete(&self, aws: &Aws, _: &Actual) -> Result<()> {
        for version in list_old_versions(aws, &self.arn).await? {
            delete_version(aws, &self.arn, &version).await?;
        }
        let operation = || format!("delete {}", self.id());
        let deleted = aws.iam.delete_policy().policy_arn(&self.arn).send().await;
        match deleted.optional_for("iam:DeletePolicy", not_found::IAM_ENTITY, operation) {
            Ok(_) => Ok(()),
            Err(refusal) => {
                let others = entities_of_policy(aws, &self.arn, &self.role);
                Err(explain_conflict(refusal, &operation(), others).await)
            }
        }
    }

    /// Returns nothing if the caller may not list it. IAM then refuses the deletion.
    async fn used_by(&self, aws: &Aws) -> Result<OtherUsers> {
        match entities_of_policy(aws, &self.arn, &self.role).await {
            Err(refusal) if refusal.is_denied() => Ok(OtherUsers::default()),
            found => found,
        }
    }
}

impl ManagedPolicy {
    fn sdk_tags(&self) -> Result<Vec<Tag>> {
        let tag = |(key, value): (&str, &str)| {
            let tag = Tag::builder().key(key).value(value).build();
            tag.map_err(|why| Error::failed(format!("write the tag {key}"), why.to_string()))
        };
        self.ownership.iter().map(tag).collect()
    }

    fn document_text(&self, want: &State) -> Result<String> {
        want.write_form("document")
            .map(iam::to_text)
            .ok_or_else(|| {
                Error::failed(
                    format!("write {}", self.id()),
                    "it refers to a resource that does not exist yet",
                )
            })
    }
}
