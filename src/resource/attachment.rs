//! A managed policy attached to a role.

use std::time::Duration;

use async_trait::async_trait;

use super::role::NO_ENTITY;
use super::{PROPAGATION, seen};
use crate::aws::Aws;
use crate::aws::arn;
use crate::aws::fault::Doing;
use crate::converge::graph::{Id, Output};
use crate::converge::state::State;
use crate::converge::{Known, Live, Outputs, Owner, Part, Resource};
use crate::error::{Error, Result};

pub struct Attachment {
    /// ARN of the role.
    pub role: Output,
    /// ARN of the policy.
    pub policy: Output,
}

#[async_trait]
impl Resource<Aws> for Attachment {
    fn id(&self) -> Id {
        let (role, policy) = (&self.role.of.name, &self.policy.of.name);
        Id {
            kind: "iam attachment",
            name: format!("{policy} → {role}"),
        }
    }

    fn needs(&self) -> Vec<Output> {
        vec![self.role.clone(), self.policy.clone()]
    }

    fn desired(&self, _: &Known) -> State {
        State::default()
    }

    fn part_of(&self) -> Option<Part> {
        Some(Part {
            of: self.role.of.clone(),
            goes_with_it: false,
        })
    }

    fn holds(&self) -> bool {
        true
    }

    fn patience(&self, refusal: &Error) -> Option<Duration> {
        let spreading =
            refusal.is("ConcurrentModification") || NO_ENTITY.iter().any(|code| refusal.is(code));
        spreading.then_some(PROPAGATION)
    }

    async fn read(&self, aws: &Aws, known: &Known) -> Result<Option<Live>> {
        let (role, policy) = (known.need(&self.role)?, known.need(&self.policy)?);
        let mut pages = aws
            .iam
            .list_attached_role_policies()
            .role_name(arn::last(&role))
            .into_paginator()
            .send();
        while let Some(page) = pages.next().await {
            let Some(page) = page.finding("iam:ListAttachedRolePolicies", NO_ENTITY, || {
                format!("look for {}", self.id())
            })?
            else {
                return Ok(None);
            };
            if page
                .attached_policies()
                .iter()
                .any(|found| found.policy_arn() == Some(&policy))
            {
                return Ok(Some(Live {
                    state: State::default().with(seen::ROLE, arn::last(&role)),
                    outputs: Outputs::from([("policy", policy)]),
                    owner: Owner::Us,
                }));
            }
        }
        Ok(None)
    }

    async fn create(&self, aws: &Aws, _: &State, known: &Known) -> Result<Outputs> {
        let (role, policy) = (known.need(&self.role)?, known.need(&self.policy)?);
        aws.iam
            .attach_role_policy()
            .role_name(arn::last(&role))
            .policy_arn(policy)
            .send()
            .await
            .doing("iam:AttachRolePolicy", || format!("attach {}", self.id()))?;
        Ok(Outputs::new())
    }

    /// It has no fields that could differ.
    async fn update(&self, _: &Aws, _: &Live, _: &State, _: &Known) -> Result<()> {
        Ok(())
    }

    async fn delete(&self, aws: &Aws, live: &Live) -> Result<()> {
        aws.iam
            .detach_role_policy()
            .role_name(&self.role.of.name)
            .set_policy_arn(live.outputs.get("policy").cloned())
            .send()
            .await
            .finding("iam:DetachRolePolicy", NO_ENTITY, || {
                format!("detach {}", self.id())
            })?;
        Ok(())
    }
}
