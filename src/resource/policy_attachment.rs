//! A managed policy attached to a role.

use std::time::Duration;

use async_trait::async_trait;

use super::kind::ResourceKind;
use super::{PROPAGATION_TIMEOUT, observed};
use crate::aws::Aws;
use crate::aws::arn;
use crate::aws::error::AwsResultExt;
use crate::aws::not_found;
use crate::error::{Error, Result};
use crate::ownership::Ownership;
use crate::reconcile::graph::{Output, ResourceId};
use crate::reconcile::state::State;
use crate::reconcile::{Actual, KnownOutputs, Outputs, Parent, Properties, Resource, ResourceSpec};

pub struct PolicyAttachment {
    /// ARN of the role.
    pub role: Output,
    /// ARN of the policy.
    pub policy: Output,
}

/// The field with the ARN of the role.
pub const ROLE: &str = "role";
/// The field with the ARN of the policy.
pub const POLICY: &str = "policy";

impl ResourceSpec for PolicyAttachment {
    fn id(&self) -> ResourceId {
        let (role, policy) = (&self.role.resource.name, &self.policy.resource.name);
        ResourceKind::IamAttachment.id(format!("{policy} → {role}"))
    }

    fn dependencies(&self) -> Vec<Output> {
        vec![self.role.clone(), self.policy.clone()]
    }

    fn desired(&self, known: &KnownOutputs) -> State {
        State::default()
            .with_optional(ROLE, known.get(&self.role))
            .with_optional(POLICY, known.get(&self.policy))
    }

    fn properties(&self) -> Properties {
        Properties {
            blocks_deletion_of_dependencies: true,
            ..Properties::default()
        }
    }

    fn parent(&self) -> Option<Parent> {
        Some(Parent {
            id: self.role.resource.clone(),
            deletes_children: false,
        })
    }

    fn retry_budget(&self, refusal: &Error) -> Option<Duration> {
        let is_transient = refusal.has_code("ConcurrentModification")
            || refusal.has_any_code(not_found::IAM_ENTITY);
        is_transient.then_some(PROPAGATION_TIMEOUT)
    }
}

#[async_trait]
impl Resource<Aws> for PolicyAttachment {
    async fn read(&self, aws: &Aws, known: &KnownOutputs) -> Result<Option<Actual>> {
        let (role, policy) = (known.require(&self.role)?, known.require(&self.policy)?);
        let mut pages = aws
            .iam
            .list_attached_role_policies()
            .role_name(arn::resource_name(&role))
            .into_paginator()
            .send();
        while let Some(page) = pages.next().await {
            let Some(page) = page.optional_for(
                "iam:ListAttachedRolePolicies",
                not_found::IAM_ENTITY,
                || format!("look for {}", self.id()),
            )?
            else {
                return Ok(None);
            };
            if page
                .attached_policies()
                .iter()
                .any(|found| found.policy_arn() == Some(&policy))
            {
                return Ok(Some(Actual {
                    state: State::default()
                        .with(observed::ROLE, arn::resource_name(&role))
                        .with(ROLE, role)
                        .with(POLICY, policy.as_str()),
                    outputs: Outputs::from([("policy", policy)]),
                    ownership: Ownership::Managed,
                }));
            }
        }
        Ok(None)
    }

    async fn create(&self, aws: &Aws, _: &State, known: &KnownOutputs) -> Result<Outputs> {
        let (role, policy) = (known.require(&self.role)?, known.require(&self.policy)?);
        aws.iam
            .attach_role_policy()
            .role_name(arn::resource_name(&role))
            .policy_arn(policy)
            .send()
            .await
            .context_for("iam:AttachRolePolicy", || format!("attach {}", self.id()))?;
        Ok(Outputs::new())
    }

    /// Does nothing, because an attachment cannot be changed.
    async fn update(&self, _: &Aws, _: &Actual, _: &State, _: &KnownOutputs) -> Result<()> {
        Ok(())
    }

    async fn delete(&self, aws: &Aws, actual: &Actual) -> Result<()> {
        aws.iam
            .detach_role_policy()
            .role_name(&self.role.resource.name)
            .policy_arn(actual.require("policy")?)
            .send()
            .await
            .optional_for("iam:DetachRolePolicy", not_found::IAM_ENTITY, || {
                format!("detach {}", self.id())
            })?;
        Ok(())
    }
}
