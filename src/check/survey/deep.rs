//! Asks what needs permissions beyond those of preflight: the quotas of IAM, and what the caller may do.

use std::collections::BTreeSet;

use aws_sdk_iam::types::{
    ContextEntry, ContextKeyTypeEnum, PolicyEvaluationDecisionType, SummaryKeyType,
};
use futures_util::future::try_join_all;

use super::ask::Ask;
use super::facts::{Deep, IamQuota, Simulated, Simulation};
use super::{Hints, Survey};
use crate::aws::Caller;
use crate::aws::arn::Arn;
use crate::aws::fault::Doing;
use crate::check::place::fill;
use crate::error::Result;
use crate::permit::place::Place;
use crate::permit::statement::{Condition, Statement};
use crate::permit::{Task, statements};

pub(super) async fn account(ask: &Ask, hints: &Hints) -> Option<Deep> {
    if !hints.deep {
        return None;
    }
    Some(Deep {
        iam: iam(ask).await,
    })
}

async fn iam(ask: &Ask) -> Result<IamQuota> {
    let aws = ask.turn().await;
    let found = aws
        .iam
        .get_account_summary()
        .send()
        .await
        .doing("iam:GetAccountSummary", || "read the quotas of IAM".into())?;
    let count = |key: SummaryKeyType| {
        found
            .summary_map()
            .and_then(|map| map.get(&key))
            .copied()
            .unwrap_or_default()
    };
    Ok(IamQuota {
        roles: count(SummaryKeyType::Roles),
        roles_quota: count(SummaryKeyType::RolesQuota),
        policies: count(SummaryKeyType::Policies),
        policies_quota: count(SummaryKeyType::PoliciesQuota),
    })
}

/// Asks the simulator about everything that setup of the survey's option does. Nothing without a place to do it at.
pub(super) async fn simulate(ask: &Ask, survey: &Survey) -> Option<Result<Simulated>> {
    let caller = survey.account.caller.as_ref().ok()?;
    survey.region()?;
    let mut place = Place::anywhere(survey.hints.names.clone());
    fill(&mut place, survey);
    let wanted: Vec<Statement> = statements(Task::Setup(survey.route), &place)
        .into_iter()
        // What is not known cannot be asked about.
        .filter(|statement| !statement.resources.iter().any(|arn| arn.contains("${")))
        .collect();
    Some(ask_for_all(ask, caller, &wanted).await)
}

async fn ask_for_all(ask: &Ask, caller: &Caller, wanted: &[Statement]) -> Result<Simulated> {
    let Some(principal) = principal(ask, caller).await? else {
        return Ok(Simulated::Root);
    };
    let asked = wanted
        .iter()
        .map(|statement| refused(ask, &principal, statement));
    let denied: BTreeSet<String> = try_join_all(asked).await?.into_iter().flatten().collect();
    let actions: BTreeSet<&str> = wanted
        .iter()
        .flat_map(|statement| statement.actions.iter().copied())
        .collect();
    Ok(Simulated::Asked(Simulation {
        principal,
        actions: actions.len(),
        denied: denied.into_iter().collect(),
    }))
}

/// The caller as IAM knows it: for a session the role behind it, whose path only IAM tells. Nothing for the root
/// user.
async fn principal(ask: &Ask, caller: &Caller) -> Result<Option<String>> {
    let resource = Arn::parse(&caller.arn).map_or("", |arn| arn.resource);
    let Some(session) = resource.strip_prefix("assumed-role/") else {
        return Ok(resource.starts_with("user/").then(|| caller.arn.clone()));
    };
    let name = session.split('/').next().unwrap_or(session);
    let aws = ask.turn().await;
    let found = aws
        .iam
        .get_role()
        .role_name(name)
        .send()
        .await
        .doing("iam:GetRole", || {
            format!("look up the caller's role {name}")
        })?;
    Ok(found.role().map(|role| role.arn().to_owned()))
}

/// The actions of a statement that the principal would be refused.
async fn refused(ask: &Ask, principal: &str, statement: &Statement) -> Result<Vec<String>> {
    let aws = ask.turn().await;
    let call = aws
        .iam
        .simulate_principal_policy()
        .policy_source_arn(principal)
        .set_action_names(Some(
            statement.actions.iter().map(ToString::to_string).collect(),
        ))
        .set_resource_arns(Some(statement.resources.clone()))
        .set_context_entries(Some(
            statement.conditions.iter().filter_map(context).collect(),
        ));
    let mut pages = call.into_paginator().send();
    let mut refused = Vec::new();
    while let Some(page) = pages.next().await {
        let page = page.doing("iam:SimulatePrincipalPolicy", || {
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
fn context(condition: &Condition) -> Option<ContextEntry> {
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
