//! A customer managed IAM policy: its document is its default version.

use std::time::Duration;

use async_trait::async_trait;
use aws_sdk_iam::types::Tag;
use serde_json::Value;

use super::role::NO_ENTITY;
use super::{Document, Mark, PROPAGATION, document, seen, with_policy};
use crate::aws::Aws;
use crate::aws::arn;
use crate::aws::fault::Doing;
use crate::converge::graph::{Handle, Id, Output};
use crate::converge::state::State;
use crate::converge::{Known, Live, Outputs, Resource};
use crate::error::{Error, Result};
use crate::policy;

pub struct Policy {
    pub arn: String,
    pub description: &'static str,
    pub document: Document,
    /// What the document names and has to wait for.
    pub names: Vec<Output>,
    pub mark: Mark,
}

impl Handle<Policy> {
    #[must_use]
    pub fn arn(&self) -> Output {
        self.output("arn")
    }
}

/// AWS keeps this many versions of a policy.
const VERSIONS: usize = 5;

#[async_trait]
impl Resource<Aws> for Policy {
    fn id(&self) -> Id {
        Id {
            kind: "iam policy",
            name: arn::last(&self.arn).to_owned(),
        }
    }

    fn needs(&self) -> Vec<Output> {
        self.names.clone()
    }

    fn named(&self) -> Outputs {
        Outputs::from([("arn", self.arn.clone())])
    }

    /// Without its description, which AWS never lets anybody change.
    fn desired(&self, known: &Known) -> State {
        match (self.document)(known) {
            Some(document) => with_policy(State::default(), "document", &document),
            None => State::default().with_known("document", None::<Value>),
        }
    }

    fn marks(&self) -> Vec<(&'static str, String)> {
        self.mark.told()
    }

    fn documents(&self, _: &Known) -> Vec<Id> {
        vec![document::id(document::MANAGED_POLICY, &self.arn)]
    }

    fn patience(&self, refusal: &Error) -> Option<Duration> {
        (refusal.is("ConcurrentModification") || refusal.is("DeleteConflict"))
            .then_some(PROPAGATION)
    }

    async fn read(&self, aws: &Aws, _: &Known) -> Result<Option<Live>> {
        let doing = || format!("read {}", self.id());
        let found = aws
            .iam
            .get_policy()
            .policy_arn(&self.arn)
            .send()
            .await
            .finding("iam:GetPolicy", NO_ENTITY, doing)?;
        let Some(found) = found.and_then(|found| found.policy) else {
            return Ok(None);
        };
        let version = aws
            .iam
            .get_policy_version()
            .policy_arn(&self.arn)
            .version_id(found.default_version_id().unwrap_or("v1"))
            .send()
            .await
            .finding("iam:GetPolicyVersion", NO_ENTITY, doing)?;
        let document = version
            .and_then(|found| found.policy_version?.document)
            .unwrap_or_default();
        Ok(Some(Live {
            state: with_policy(
                State::default(),
                "document",
                &policy::parsed_encoded(&document),
            )
            .with(seen::DESCRIPTION, found.description().unwrap_or_default())
            .with(
                seen::TAGS,
                seen::tags(found.tags().iter().map(|tag| (tag.key(), tag.value()))),
            ),
            outputs: Outputs::new(),
            owner: self
                .mark
                .owner(found.tags().iter().map(|tag| (tag.key(), tag.value()))),
        }))
    }

    async fn create(&self, aws: &Aws, want: &State, _: &Known) -> Result<Outputs> {
        aws.iam
            .create_policy()
            .policy_name(arn::last(&self.arn))
            .description(self.description)
            .policy_document(self.text(want)?)
            .set_tags(Some(self.tags()?))
            .send()
            .await
            .doing("iam:CreatePolicy", || format!("create {}", self.id()))?;
        Ok(Outputs::new())
    }

    async fn update(&self, aws: &Aws, _: &Live, want: &State, _: &Known) -> Result<()> {
        put_version(aws, &self.arn, &self.text(want)?).await
    }

    async fn mark(&self, aws: &Aws, _: &Live) -> Result<()> {
        aws.iam
            .tag_policy()
            .policy_arn(&self.arn)
            .set_tags(Some(self.tags()?))
            .send()
            .await
            .doing("iam:TagPolicy", || format!("tag {}", self.id()))?;
        Ok(())
    }

    async fn delete(&self, aws: &Aws, _: &Live) -> Result<()> {
        for version in old_versions(aws, &self.arn).await? {
            delete_version(aws, &self.arn, &version).await?;
        }
        aws.iam
            .delete_policy()
            .policy_arn(&self.arn)
            .send()
            .await
            .finding("iam:DeletePolicy", NO_ENTITY, || {
                format!("delete {}", self.id())
            })?;
        Ok(())
    }
}

impl Policy {
    fn tags(&self) -> Result<Vec<Tag>> {
        let tag = |(key, value): (&str, &str)| {
            let tag = Tag::builder().key(key).value(value).build();
            tag.map_err(|why| Error::unanswered(format!("write the tag {key}"), why.to_string()))
        };
        self.mark.tags().map(tag).collect()
    }

    fn text(&self, want: &State) -> Result<String> {
        want.written("document").map(policy::text).ok_or_else(|| {
            Error::unanswered(
                format!("write {}", self.id()),
                "it names what is not known yet",
            )
        })
    }
}

/// Puts a document in force; of the versions that AWS keeps, the oldest makes room.
pub(super) async fn put_version(aws: &Aws, arn: &str, document: &str) -> Result<()> {
    let mut old = old_versions(aws, arn).await?;
    if old.len() + 1 >= VERSIONS
        && let Some(oldest) = old.pop()
    {
        delete_version(aws, arn, &oldest).await?;
    }
    aws.iam
        .create_policy_version()
        .policy_arn(arn)
        .policy_document(document)
        .set_as_default(true)
        .send()
        .await
        .doing("iam:CreatePolicyVersion", || {
            format!("change iam policy {}", arn::last(arn))
        })?;
    Ok(())
}

/// The versions that are not in force, newest first.
async fn old_versions(aws: &Aws, arn: &str) -> Result<Vec<String>> {
    let mut versions = Vec::new();
    let mut pages = aws
        .iam
        .list_policy_versions()
        .policy_arn(arn)
        .into_paginator()
        .send();
    while let Some(page) = pages.next().await {
        let Some(page) = page.finding("iam:ListPolicyVersions", NO_ENTITY, || {
            format!("list the versions of iam policy {}", arn::last(arn))
        })?
        else {
            break;
        };
        versions.extend(page.versions.unwrap_or_default());
    }
    versions.retain(|version| !version.is_default_version());
    versions.sort_by_key(|version| version.create_date().map(aws_smithy_types::DateTime::secs));
    Ok(versions
        .into_iter()
        .rev()
        .filter_map(|version| version.version_id)
        .collect())
}

async fn delete_version(aws: &Aws, arn: &str, version: &str) -> Result<()> {
    aws.iam
        .delete_policy_version()
        .policy_arn(arn)
        .version_id(version)
        .send()
        .await
        .finding("iam:DeletePolicyVersion", NO_ENTITY, || {
            format!("delete version {version} of iam policy {}", arn::last(arn))
        })?;
    Ok(())
}
