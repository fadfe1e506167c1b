//! Asks what needs permissions beyond those of preflight: the quotas of IAM, and what the caller may do.

use std::collections::BTreeSet;

use aws_sdk_iam::types::{
    ContextEntry, ContextKeyTypeEnum, PolicyEvaluationDecisionType, SummaryKeyType,
};
use futures_util::future::try_join_all;

use crate::aws::CallerIdentity;
use crate::aws::arn::Arn;
use crate::aws::error::AwsResultExt;
use crate::check::permission_scope::fill_scope;
use crate::error::Result;
use crate::inventory::facts::{IamQuotaFacts, IamQuotas, PermissionSimulation, SimulationResult};
use crate::inventory::limiter::LimitedClients;
use crate::inventory::{InventoryRequest, Snapshot};
use crate::permissions::scope::PolicyScope;
use crate::permissions::statement::{Statement, StatementCondition};
use crate::permissions::{CommandName, PermittedCommand, statements};

pub(crate) async fn iam_quota_facts(
    ask: &LimitedClients,
    hints: &InventoryRequest,
) -> Option<IamQuotaFacts> {
    if !hints.deep {
        return None;
    }
    Some(IamQuotaFacts {
        quotas: iam_quotas(ask).await,
    })
}

async fn iam_quotas(ask: &LimitedClients) -> Result<IamQuotas> {
    let aws = ask.acquire().await;
    let found = aws
        .iam
        .get_account_summary()
        .send()
        .await
        .context_for("iam:GetAccountSummary", || "read the quotas of IAM".into())?;
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

/// Asks the simulator about everything that setup of the survey's option does. Nothing without a place to do it at.
pub(crate) async fn simulate(
    ask: &LimitedClients,
    survey: &Snapshot,
) -> Option<Result<SimulationResult>> {
    let caller = survey.account.caller.as_ref().ok()?;
    survey.region()?;
    let mut place = PolicyScope::unknown(survey.request.names.clone());
    fill_scope(&mut place, survey);
    let option = crate::option::OPTIONS
        .iter()
        .find(|option| option.destination() == survey.route)?;
    let setup = PermittedCommand::new(CommandName::Setup, vec![option.permissions()]);
    let wanted: Vec<Statement> = statements(&setup, &place)
        .into_iter()
        // What is not known cannot be asked about.
        .filter(|statement| !statement.resources.iter().any(|arn| arn.contains("${")))
        .collect();
    Some(simulate_all(ask, caller, &wanted).await)
}

async fn simulate_all(
    ask: &LimitedClients,
    caller: &CallerIdentity,
    wanted: &[Statement],
) -> Result<SimulationResult> {
    let Some(principal) = caller_principal(ask, caller).await? else {
        return Ok(SimulationResult::RootUser);
    };
    let asked = wanted
        .iter()
        .map(|statement| denied_actions(ask, &principal, statement));
    let denied: BTreeSet<String> = try_join_all(asked).await?.into_iter().flatten().collect();
    let actions: BTreeSet<&str> = wanted
        .iter()
        .flat_map(|statement| statement.actions.iter().copied())
        .collect();
    Ok(SimulationResult::Simulated(PermissionSimulation {
        principal,
        action_count: actions.len(),
        denied_actions: denied.into_iter().collect(),
    }))
}

/// The caller as IAM knows it: for a session the role behind it, whose path only IAM tells. Nothing for the root
/// user.
async fn caller_principal(ask: &LimitedClients, caller: &CallerIdentity) -> Result<Option<String>> {
    let resource = Arn::parse(&caller.arn).map_or("", |arn| arn.resource);
    let Some(session) = resource.strip_prefix("assumed-role/") else {
        return Ok(resource.starts_with("user/").then(|| caller.arn.clone()));
    };
    let name = session.split('/').next().unwrap_or(session);
    let aws = ask.acquire().await;
    let found = aws
        .iam
        .get_role()
        .role_name(name)
        .send()
        .await
        .context_for("iam:GetRole", || {
            format!("look up the caller's role {name}")
        })?;
    Ok(found.role().map(|role| role.arn().to_owned()))
}

/// The actions of a statement that the principal would be refused.
async fn denied_actions(
    ask: &LimitedClients,
    principal: &str,
    statement: &Statement,
) -> Result<Vec<String>> {
    let aws = ask.acquire().await;
    let call = aws
        .iam
        .simulate_principal_policy()
        .policy_source_arn(principal)
        .set_action_names(Some(
            statement.actions.iter().map(ToString::to_string).collect(),
        ))
        .set_resource_arns(Some(statement.resources.clone()))
        .set_context_entries(Some(
            statement
                .conditions
                .iter()
                .filter_map(context_entry)
                .collect(),
        ));
    let mut pages = call.into_paginator().send();
    let mut refused = Vec::new();
    while let Some(page) = pages.next().await {
        let page = page.context_for("iam:SimulatePrincipalPolicy", || {
            "simulate what the caller may do".into()
        })?;
        refused.extend(
            page.evaluation_results()
                .iter()
                .filter(|result| *result.eval_decision() != PolicyEvaluationDecisionType::Allowed)
                .map(|result| result.eval_action_name().to_owned()),
        );
    }
    Ok(refused)
}

/// What a request has to be like, told to the simulator as if it were so.
fn context_entry(condition: &StatementCondition) -> Option<ContextEntry> {
    // That a key is there is shown by giving it a value.
    if condition.operator == "Null" {
        return None;
    }
    let kind = if condition.operator.starts_with("For") {
        ContextKeyTypeEnum::StringList
    } else {
        ContextKeyTypeEnum::String
    };
    Some(
        ContextEntry::builder()
            .context_key_name(condition.key)
            .set_context_key_values(Some(condition.values.clone()))
            .context_key_type(kind)
            .build(),
    )
}
