//! A grant on a KMS key that setup does not manage. The grant allows one role to decrypt, and the key policy stays
//! unchanged.

use std::time::Duration;

use async_trait::async_trait;
use aws_sdk_kms::types::{GrantListEntry, GrantOperation};
use serde_json::Value;

use super::kind::ResourceKind;
use super::{PROPAGATION_TIMEOUT, deleted_principals_reason, observed};
use crate::aws::Aws;
use crate::aws::arn;
use crate::aws::error::AwsResultExt;
use crate::aws::not_found;
use crate::error::{Error, Result};
use crate::iam;
use crate::ownership::Ownership;
use crate::reconcile::diff::Change;
use crate::reconcile::graph::{Output, ResourceId};
use crate::reconcile::state::State;
use crate::reconcile::{Actual, KnownOutputs, Outputs, Parent, Resource, ResourceSpec};

pub struct KmsGrant {
    /// Name of the grant. It makes the call idempotent: KMS returns the existing grant for a repeated call with the
    /// same name.
    pub name: String,
    /// ARN of the key.
    pub key_arn: String,
    /// ARN of the role that may decrypt.
    pub grantee: Output,
}

impl ResourceSpec for KmsGrant {
    fn id(&self) -> ResourceId {
        ResourceKind::KmsGrant.id(format!(
            "{} on {}",
            self.name,
            arn::resource_name(&self.key_arn)
        ))
    }

    fn dependencies(&self) -> Vec<Output> {
        vec![self.grantee.clone()]
    }

    fn desired(&self, known: &KnownOutputs) -> State {
        State::default()
            .with_optional("grantee", known.get(&self.grantee))
            .with("key", self.key_arn.as_str())
            .with("operations", vec!["Decrypt"])
    }

    fn reason(&self, change: &Change) -> Option<String> {
        deleted_principals_reason(change)
    }

    fn parent(&self) -> Option<Parent> {
        Some(Parent {
            id: self.grantee.resource.clone(),
            deletes_children: false,
        })
    }

    fn retry_budget(&self, refusal: &Error) -> Option<Duration> {
        // KMS reports the ARN of a new role as invalid until the role is visible.
        let spreading = refusal.has_any_code(&[
            "InvalidArnException",
            "DependencyTimeoutException",
            "KMSInternalException",
        ]);
        spreading.then_some(PROPAGATION_TIMEOUT)
    }
}

#[async_trait]
impl Resource<Aws> for KmsGrant {
    /// Finds the grant for the role. If there is none, finds the grant for a deleted role.
    async fn read(&self, aws: &Aws, known: &KnownOutputs) -> Result<Option<Actual>> {
        let grantee = known.require(&self.grantee)?;
        match self.find_grant(aws, Some(grantee)).await? {
            Some(found) => Ok(Some(found)),
            None => self.find_grant(aws, None).await,
        }
    }

    async fn create(&self, aws: &Aws, want: &State, _: &KnownOutputs) -> Result<Outputs> {
        let created = aws
            .kms
            .create_grant()
            .key_id(&self.key_arn)
            .set_grantee_principal(want.text("grantee").map(str::to_owned))
            .set_operations(Some(operations(want)))
            .name(&self.name)
            .send()
            .await
            .context_for("kms:CreateGrant", || {
                format!("create {} on {}", self.id(), self.key_arn)
            })?;
        Ok(created.grant_id.map(|id| ("id", id)).into_iter().collect())
    }

    /// Revokes the grant and creates a new one, because a grant cannot be changed.
    async fn update(
        &self,
        aws: &Aws,
        actual: &Actual,
        want: &State,
        known: &KnownOutputs,
    ) -> Result<()> {
        self.delete(aws, actual).await?;
        self.create(aws, want, known).await.map(|_| ())
    }

    async fn delete(&self, aws: &Aws, actual: &Actual) -> Result<()> {
        aws.kms
            .revoke_grant()
            .key_id(&self.key_arn)
            .grant_id(actual.require("id")?)
            .send()
            .await
            .optional_for("kms:RevokeGrant", not_found::KEY, || {
                format!("revoke {} on {}", self.id(), self.key_arn)
            })?;
        Ok(())
    }
}

fn operations(want: &State) -> Vec<GrantOperation> {
    let names = want.get("operations").and_then(Value::as_array);
    names
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
        .map(GrantOperation::from)
        .collect()
}

impl KmsGrant {
    /// Finds the grant with this name for a principal. If `grantee` is `None`, finds a grant for a deleted principal.
    async fn find_grant(&self, aws: &Aws, grantee: Option<String>) -> Result<Option<Actual>> {
        let has_grantee = grantee.is_some();
        let mut pages = aws
            .kms
            .list_grants()
            .key_id(&self.key_arn)
            .set_grantee_principal(grantee)
            .into_paginator()
            .send();
        while let Some(page) = pages.next().await {
            let Some(page) = page.optional_for("kms:ListGrants", not_found::GRANT, || {
                format!("look for {}", self.id())
            })?
            else {
                return Ok(None);
            };
            let managed = page.grants().iter().find(|grant| {
                let is_for_deleted = || {
                    grant
                        .grantee_principal()
                        .is_some_and(iam::is_deleted_principal_id)
                };
                grant.name() == Some(&self.name) && (has_grantee || is_for_deleted())
            });
            if let Some(grant) = managed {
                return Ok(Some(self.to_actual(grant)));
            }
        }
        Ok(None)
    }

    fn to_actual(&self, grant: &GrantListEntry) -> Actual {
        let operations: Vec<&str> = grant
            .operations()
            .iter()
            .map(GrantOperation::as_str)
            .collect();
        Actual {
            state: State::default()
                .with("grantee", grant.grantee_principal().unwrap_or_default())
                .with("key", self.key_arn.as_str())
                .with("operations", operations)
                .with(observed::NAME, self.name.as_str()),
            outputs: grant
                .grant_id()
                .map(|id| ("id", id.to_owned()))
                .into_iter()
                .collect(),
            ownership: Ownership::Managed,
        }
    }
}
