//! Calls that need more permissions than preflight without `--deep`: the IAM quotas and the IAM policy simulator.

use std::collections::BTreeSet;

use aws_sdk_iam::types::{
    ContextEntry, ContextKeyTypeEnum, PolicyEvaluationDecisionType, SummaryKeyType,
};
use futures_util::future::try_join_all;

use super::InventoryRequest;
use super::fact::Fact;
use super::facts::{IamQuotas, PermissionSimulation, SimulationResult};
use super::limiter::LimitedClients;
use crate::aws::CallerIdentity;
use crate::aws::arn::Arn;
use crate::aws::error::AwsResultExt;
use crate::error::Result;

/// The input of one simulation: actions, resources and context keys.
#[derive(Clone, Debug)]
pub struct SimulationQuery {
    pub actions: Vec<&'static str>,
    pub resources: Vec<String>,
    pub context: Vec<ContextKey>,
}

/// A condition key and the values that the request would have.
#[derive(Clone, Debug)]
pub struct ContextKey {
    pub name: &'static str,
    pub values: Vec<String>,
    pub is_list: bool,
}

pub(super) async fn iam_quota_facts(
    clients: &LimitedClients,
    request: &InventoryRequest,
) -> Fact<IamQuotas> {
    if request.deep {
        Fact::from_result(iam_quotas(clients).await)
    } else {
        Fact::NotRequested
    }
}

async fn iam_quotas(clients: &LimitedClients) -> Result<IamQuotas> {
    let aws = clients.acquire().await;
    let found = aws
        .iam
        .get_account_summary()
        .send()
        .await
        .context_for("iam:GetAccountSummary", || "read the IAM quotas".into())?;
    let count = |key: SummaryKeyType| {
        found
            .summary_map()
            .and_then(|map| map.get(&key))
            .copied()
            .unwrap_or_default()
    };
    Ok(IamQuotas {
        roles: count(SummaryKeyType::Roles),
        roles_quota: count(SummaryKeyType::RolesQuota),
        policies: count(SummaryKeyType::Policies),
        policies_quota: count(SummaryKeyType::PoliciesQuota),
    })
}

/// Simulates all queries as the caller.
pub(super) async fn simulate(
    clients: &LimitedClients,
    caller: &CallerIdentity,
    queries: &[SimulationQuery],
) -> Result<SimulationResult> {
    let Some(principal) = caller_principal(clients, caller).await? else {
        return Ok(SimulationResult::RootUser);
    };
    let calls = queries
        .iter()
        .map(|query| denied_actions(clients, &principal, query));
    let denied: BTreeSet<String> = try_join_all(calls).await?.into_iter().flatten().collect();
    let actions: BTreeSet<&str> = queries
        .iter()
        .flat_map(|query| query.actions.iter().copied())
        .collect();
    Ok(SimulationResult::Simulated(PermissionSimulation {
        principal,
        action_count: actions.len(),
        denied_actions: denied.into_iter().collect(),
    }))
}

/// Returns the ARN of the caller's IAM user or role, or `None` for the root user. The ARN of a session omits the path
/// of its role, so the role is read from IAM.
async fn caller_principal(
    clients: &LimitedClients,
    caller: &CallerIdentity,
) -> Result<Option<String>> {
    let resource = Arn::parse(&caller.arn).map_or("", |arn| arn.resource);
    let Some(session) = resource.strip_prefix("assumed-role/") else {
        return Ok(resource.starts_with("user/").then(|| caller.arn.clone()));
    };
    let name = session.split('/').next().unwrap_or(session);
    let aws = clients.acquire().await;
    let found = aws
        .iam
        .get_role()
        .role_name(name)
        .send()
        .await
        .context_for("iam:GetRole", || format!("find the caller's role {name}"))?;
    Ok(found.role().map(|role| role.arn().to_owned()))
}

async fn denied_actions(
    clients: &LimitedClients,
    principal: &str,
    query: &SimulationQuery,
) -> Result<Vec<String>> {
    let aws = clients.acquire().await;
    let call = aws
        .iam
        .simulate_principal_policy()
        .policy_source_arn(principal)
        .set_action_names(Some(
            query.actions.iter().map(ToString::to_string).collect(),
        ))
        .set_resource_arns(Some(query.resources.clone()))
        .set_context_entries(Some(query.context.iter().map(context_entry).collect()));
    let mut pages = call.into_paginator().send();
    let mut denied = Vec::new();
    while let Some(page) = pages.next().await {
        let page = page.context_for("iam:SimulatePrincipalPolicy", || {
            "simulate the caller's permissions".into()
        })?;
        denied.extend(
            page.evaluation_results()
                .iter()
                .filter(|result| *result.eval_decision() != PolicyEvaluationDecisionType::Allowed)
                .map(|result| result.eval_action_name().to_owned()),
        );
    }
    Ok(denied)
}

fn context_entry(key: &ContextKey) -> ContextEntry {
    ContextEntry::builder()
        .context_key_name(key.name)
        .set_context_key_values(Some(key.values.clone()))
        .context_key_type(if key.is_list {
            ContextKeyTypeEnum::StringList
        } else {
            ContextKeyTypeEnum::String
        })
        .build()
}
