//! A grant on a key that is not ours: one operation for one role, beside the key's policy and without touching it.

use std::time::Duration;

use async_trait::async_trait;
use aws_sdk_kms::types::{GrantListEntry, GrantOperation};
use serde_json::Value;

use super::{PROPAGATION, seen, who_died};
use crate::aws::Aws;
use crate::aws::arn;
use crate::aws::fault::Doing;
use crate::converge::diff::Change;
use crate::converge::graph::{Id, Output};
use crate::converge::state::State;
use crate::converge::{Known, Live, Outputs, Owner, Part, Resource};
use crate::error::{Error, Result};
use crate::policy;

pub struct KmsGrant {
    /// With a name, asking twice gives the same grant; without, each asking makes another.
    pub name: String,
    /// ARN of the key.
    pub key: String,
    /// ARN of the role that may decrypt.
    pub grantee: Output,
}

/// The role or the key does not exist, so neither does a grant.
const NOTHING: &[&str] = &["InvalidArnException", "NotFoundException"];

#[async_trait]
impl Resource<Aws> for KmsGrant {
    fn id(&self) -> Id {
        Id {
            kind: "kms grant",
            name: format!("{} on {}", self.name, arn::last(&self.key)),
        }
    }

    fn needs(&self) -> Vec<Output> {
        vec![self.grantee.clone()]
    }

    fn desired(&self, known: &Known) -> State {
        State::default()
            .with_known("grantee", known.get(&self.grantee))
            .with("key", self.key.as_str())
            .with("operations", vec!["Decrypt"])
    }

    fn reason(&self, change: &Change) -> Option<String> {
        who_died(change)
    }

    fn part_of(&self) -> Option<Part> {
        Some(Part {
            of: self.grantee.of.clone(),
            goes_with_it: false,
        })
    }

    fn patience(&self, refusal: &Error) -> Option<Duration> {
        // A role made a moment ago shows as an invalid ARN.
        let spreading = [
            "InvalidArnException",
            "DependencyTimeoutException",
            "KMSInternalException",
        ]
        .iter()
        .any(|code| refusal.is(code));
        spreading.then_some(PROPAGATION)
    }

    /// Without one for the role, one that was left to a role that was deleted since.
    async fn read(&self, aws: &Aws, known: &Known) -> Result<Option<Live>> {
        let grantee = known.need(&self.grantee)?;
        match self.find(aws, Some(grantee)).await? {
            Some(found) => Ok(Some(found)),
            None => self.find(aws, None).await,
        }
    }

    async fn create(&self, aws: &Aws, want: &State, _: &Known) -> Result<Outputs> {
        let made = aws
            .kms
            .create_grant()
            .key_id(&self.key)
            .set_grantee_principal(want.text("grantee").map(str::to_owned))
            .set_operations(Some(operations(want)))
            .name(&self.name)
            .send()
            .await
            .doing("kms:CreateGrant", || {
                format!("create {} on {}", self.id(), self.key)
            })?;
        Ok(made.grant_id.map(|id| ("id", id)).into_iter().collect())
    }

    /// A grant cannot be changed: the old one is revoked and a new one made.
    async fn update(&self, aws: &Aws, live: &Live, want: &State, known: &Known) -> Result<()> {
        self.delete(aws, live).await?;
        self.create(aws, want, known).await.map(|_| ())
    }

    async fn delete(&self, aws: &Aws, live: &Live) -> Result<()> {
        aws.kms
            .revoke_grant()
            .key_id(&self.key)
            .set_grant_id(live.outputs.get("id").cloned())
            .send()
            .await
            .finding("kms:RevokeGrant", &["NotFoundException"], || {
                format!("revoke {} on {}", self.id(), self.key)
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
    /// The grant of our name for this principal; of all of them, only one for a principal that was deleted.
    async fn find(&self, aws: &Aws, grantee: Option<String>) -> Result<Option<Live>> {
        let of_somebody = grantee.is_some();
        let mut pages = aws
            .kms
            .list_grants()
            .key_id(&self.key)
            .set_grantee_principal(grantee)
            .into_paginator()
            .send();
        while let Some(page) = pages.next().await {
            let Some(page) = page.finding("kms:ListGrants", NOTHING, || {
                format!("look for {}", self.id())
            })?
            else {
                return Ok(None);
            };
            let ours = page.grants().iter().find(|grant| {
                let to_the_dead = || grant.grantee_principal().is_some_and(policy::is_dead);
                grant.name() == Some(&self.name) && (of_somebody || to_the_dead())
            });
            if let Some(grant) = ours {
                return Ok(Some(self.live(grant)));
            }
        }
        Ok(None)
    }

    fn live(&self, grant: &GrantListEntry) -> Live {
        let operations: Vec<&str> = grant
            .operations()
            .iter()
            .map(GrantOperation::as_str)
            .collect();
        Live {
            state: State::default()
                .with("grantee", grant.grantee_principal().unwrap_or_default())
                .with("key", self.key.as_str())
                .with("operations", operations)
                .with(seen::NAME, self.name.as_str()),
            outputs: grant
                .grant_id()
                .map(|id| ("id", id.to_owned()))
                .into_iter()
                .collect(),
            owner: Owner::Us,
        }
    }
}
