//! Reads a role: its trust policy, its last use, its policies and its permissions boundary.

use futures_util::future::try_join_all;
use tokio::join;

use super::facts::{RoleDetails, RoleFacts};
use crate::aws::error::AwsResultExt;
use crate::aws::{arn, lookup, not_found};
use crate::error::Result;
use crate::inventory::Fact;
use crate::inventory::limiter::LimitedClients;
use crate::inventory::trail::system_time;

pub(super) async fn role_facts(clients: &LimitedClients, name: &str) -> RoleFacts {
    let (role, policies) = join!(role_details(clients, name), role_policies(clients, name));
    let boundary = match role.as_ref().ok().and_then(Option::as_ref) {
        Some(RoleDetails {
            boundary: Some(arn),
            ..
        }) => Fact::from_optional(policy_document(clients, arn).await),
        Some(_) => Fact::Absent,
        None => Fact::NotRequested,
    };
    RoleFacts {
        role: Fact::from_optional(role),
        policies: Fact::from_result(policies),
        boundary,
    }
}

async fn role_details(clients: &LimitedClients, name: &str) -> Result<Option<RoleDetails>> {
    let role = lookup::role(&*clients.acquire().await, name).await?;
    Ok(role.map(|role| {
        let last = role.role_last_used();
        let text = |value: Option<&str>| value.map(str::to_owned);
        RoleDetails {
            arn: role.arn().to_owned(),
            trust_policy: role
                .assume_role_policy_document()
                .unwrap_or_default()
                .to_owned(),
            last_used: last.and_then(|last| system_time(last.last_used_date())),
            last_used_region: last.and_then(|last| text(last.region())),
            boundary: role
                .permissions_boundary()
                .and_then(|boundary| text(boundary.permissions_boundary_arn())),
        }
    }))
}

/// Reads all policies of a role, percent-encoded. A role that does not exist has none.
///
/// # Errors
/// When IAM refuses a call.
pub(in crate::inventory) async fn role_policies(
    clients: &LimitedClients,
    name: &str,
) -> Result<Vec<String>> {
    let (attached, inline) = join!(
        attached_policies(clients, name),
        inline_policies(clients, name)
    );
    Ok([attached?, inline?].concat())
}

async fn attached_policies(clients: &LimitedClients, name: &str) -> Result<Vec<String>> {
    let arns = {
        let aws = clients.acquire().await;
        let call = aws.iam.list_attached_role_policies().role_name(name);
        let mut pages = call.into_paginator().send();
        let mut arns = Vec::new();
        while let Some(page) = pages.next().await {
            let page = page.optional_for(
                "iam:ListAttachedRolePolicies",
                not_found::IAM_ENTITY,
                || format!("list the policies of iam role {name}"),
            )?;
            let Some(page) = page else { break };
            let found = page.attached_policies().iter();
            arns.extend(found.filter_map(|policy| policy.policy_arn().map(str::to_owned)));
        }
        arns
    };
    let documents = arns.iter().map(|arn| policy_document(clients, arn));
    Ok(try_join_all(documents)
        .await?
        .into_iter()
        .flatten()
        .collect())
}

async fn inline_policies(clients: &LimitedClients, name: &str) -> Result<Vec<String>> {
    let names = {
        let aws = clients.acquire().await;
        let call = aws.iam.list_role_policies().role_name(name);
        let mut pages = call.into_paginator().send();
        let mut names = Vec::new();
        while let Some(page) = pages.next().await {
            let page = page.optional_for("iam:ListRolePolicies", not_found::IAM_ENTITY, || {
                format!("list the inline policies of iam role {name}")
            })?;
            let Some(page) = page else { break };
            names.extend_from_slice(page.policy_names());
        }
        names
    };
    let documents = names.iter().map(|policy| async move {
        let aws = clients.acquire().await;
        let call = aws
            .iam
            .get_role_policy()
            .role_name(name)
            .policy_name(policy);
        call.send()
            .await
            .context_for("iam:GetRolePolicy", || {
                format!("read the inline policy {policy} of iam role {name}")
            })
            .map(|found| found.policy_document)
    });
    try_join_all(documents).await
}

/// Reads the default version of a managed policy.
async fn policy_document(clients: &LimitedClients, arn: &str) -> Result<Option<String>> {
    let policy = lookup::managed_policy(&*clients.acquire().await, arn).await?;
    let Some(version) = policy.and_then(|policy| policy.default_version_id) else {
        return Ok(None);
    };
    let aws = clients.acquire().await;
    let call = aws.iam.get_policy_version().policy_arn(arn);
    let found = call.version_id(version).send().await.optional_for(
        "iam:GetPolicyVersion",
        not_found::IAM_ENTITY,
        || format!("read iam policy {}", arn::resource_name(arn)),
    )?;
    Ok(found
        .and_then(|found| found.policy_version)
        .and_then(|version| version.document))
}
