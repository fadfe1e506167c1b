//! The hops of a function: its resource-based policy, its state and its role.

use super::access::{
    AccessCheck, evaluate_access, identity_side, parse_policy, resource_side, role, service,
    via_sqs,
};
use super::log_group::group_name;
use super::topic::with_repair;
use super::{Hop, HopDraft, HopId, HopStatus, into_hop};
use crate::aws::arn::resource_name;
use crate::iam::evaluate::{Caller, PolicyInput, PolicySet, ResourcePolicy};
use crate::inventory::Fact;
use crate::inventory::facts::KeyFacts;
use crate::inventory::pipeline::{PipelineFacts, PipelineSource, RoleFacts, TrafficMetric};

/// Evaluates the resource-based policy: CloudWatch Logs may invoke the function for the log group.
#[must_use]
pub fn function_permission(facts: &PipelineFacts) -> Hop {
    into_hop(evaluate_function_permission(facts))
}

fn evaluate_function_permission(facts: &PipelineFacts) -> Result<Hop, Box<Hop>> {
    let arn = function_arn(facts);
    let draft = HopDraft::new(
        HopId::FunctionPermission,
        &arn,
        "a statement that allows CloudWatch Logs to invoke the function",
    );
    let policy = match &facts.function_policy {
        Fact::Absent => None,
        known => Some(draft.require(known, "")?.as_str()),
    };
    let policy = parse_policy(&draft, policy)?;
    let group = format!("log-group:{}:*", group_name(facts));
    let source = facts.regional_arn("logs", &group);
    let check = AccessCheck {
        who: "CloudWatch Logs",
        caller: service(facts, "logs.amazonaws.com", &source),
        action: "lambda:InvokeFunction",
        resource: arn,
        policies: resource_side(ResourcePolicy::Resource(policy)),
    };
    let hop = evaluate_access(
        draft,
        facts,
        &[check],
        "CloudWatch Logs may invoke the function",
    );
    Ok(match hop.status {
        HopStatus::Ok => hop,
        _ => with_repair(facts, hop),
    })
}

/// Evaluates the function: it is active and not throttled, has the right role, and its variable `queue_variable` names
/// the queue.
#[must_use]
pub fn function(facts: &PipelineFacts, queue_variable: &str) -> Hop {
    into_hop(evaluate_function(facts, queue_variable))
}

fn evaluate_function(facts: &PipelineFacts, queue_variable: &str) -> Result<Hop, Box<Hop>> {
    let arn = function_arn(facts);
    let draft = HopDraft::new(
        HopId::Function,
        &arn,
        "an active function that is not throttled and sends to Heeler's queue",
    );
    let repair = |hop: Hop| with_repair(facts, hop);
    let found = draft
        .require(&facts.function, "the function does not exist")
        .map_err(|hop| Box::new(repair(*hop)))?;
    if found.reserved_concurrency == Some(0) {
        let command = format!(
            "`aws lambda delete-function-concurrency --region {} --function-name {}`",
            facts.request.region,
            resource_name(&arn)
        );
        return Ok(draft
            .broken("the reserved concurrency is 0, so Lambda throttles every invocation")
            .with_hint(command));
    }
    if found.state.as_deref() == Some("Failed") {
        let reason = found.state_reason.as_deref().unwrap_or("no reason given");
        return Ok(repair(
            draft.broken(format!("the function failed: {reason}")),
        ));
    }
    if found.last_update.as_deref() == Some("Failed") {
        return Ok(repair(
            draft.broken("the last update of the function failed"),
        ));
    }
    if resource_name(&found.role) != function_role_name(facts) {
        return Ok(repair(
            draft.broken(format!("the function runs with {}", found.role)),
        ));
    }
    let target = found.variables.get(queue_variable);
    let target = target.map_or("", |url| resource_name(url));
    if target != facts.request.queue {
        return Ok(repair(draft.broken(format!(
            "the variable {queue_variable} names queue {target:?}"
        ))));
    }
    if let Some(traffic) = facts.traffic.present() {
        for (metric, what) in [
            (TrafficMetric::FunctionErrors, "failed"),
            (TrafficMetric::FunctionThrottles, "were throttled"),
        ] {
            let count = traffic.get(metric).unwrap_or_default();
            if count > 0 {
                let observed = format!("{count} invocations {what} in the last 15 minutes");
                let logs = format!(
                    "`aws logs tail /aws/lambda/{} --region {}`",
                    resource_name(&arn),
                    facts.request.region
                );
                return Ok(draft.broken(observed).with_hint(logs));
            }
        }
    }
    Ok(match found.state.as_deref() {
        Some("Pending") => draft.unknown("Lambda is creating the function"),
        _ => draft.ok("active"),
    })
}

/// Evaluates the role of the function: Lambda may assume it, and it may send to the encrypted queue.
#[must_use]
pub fn function_role(facts: &PipelineFacts) -> Hop {
    into_hop(evaluate_function_role(facts))
}

fn evaluate_function_role(facts: &PipelineFacts) -> Result<Hop, Box<Hop>> {
    let name = function_role_name(facts);
    let found: &RoleFacts = &facts.function_role;
    let draft = HopDraft::new(
        HopId::FunctionRole,
        name,
        "a role that Lambda may assume and that may send to the queue",
    );
    let repair = |hop: Hop| with_repair(facts, hop);
    let details = draft
        .require(&found.role, "the role does not exist")
        .map_err(|hop| Box::new(repair(*hop)))?;
    draft.require(&found.policies, "")?;
    let trust = crate::iam::parse_encoded_document(&details.trust_policy).to_string();
    let trust = parse_policy(&draft, Some(&trust))?;
    let caller = function_role_caller(facts);
    let mut checks = vec![
        AccessCheck {
            who: "Lambda",
            caller: Caller::service(
                "lambda.amazonaws.com",
                &function_arn(facts),
                &facts.request.account,
            ),
            action: "sts:AssumeRole",
            resource: details.arn.clone(),
            policies: PolicySet::new(PolicyInput::none(), ResourcePolicy::Trust(trust)),
        },
        AccessCheck {
            who: "the function's role",
            caller: caller.clone(),
            action: "sqs:SendMessage",
            resource: facts.queue_arn(),
            policies: identity_side(found),
        },
    ];
    if let Some(key) = &facts.queue_key
        && !key.is_managed_by_aws()
    {
        for action in ["kms:GenerateDataKey", "kms:Decrypt"] {
            checks.push(AccessCheck {
                who: "the function's role",
                caller: via_sqs(facts, caller.clone()),
                action,
                resource: KeyFacts::name(key).to_owned(),
                policies: identity_side(found),
            });
        }
    }
    let hop = evaluate_access(draft, facts, &checks, "the role may send to the queue");
    Ok(match hop.status {
        HopStatus::Ok => hop,
        _ => repair(hop),
    })
}

fn function_arn(facts: &PipelineFacts) -> String {
    match &facts.request.source {
        PipelineSource::LogGroup { function, .. } => {
            facts.regional_arn("lambda", &format!("function:{function}"))
        }
        PipelineSource::Bucket { .. } => String::new(),
    }
}

/// Returns a session of the function's role as the caller.
pub(super) fn function_role_caller(facts: &PipelineFacts) -> Caller {
    let expected = match &facts.request.source {
        PipelineSource::LogGroup {
            function_role_arn, ..
        } => function_role_arn,
        PipelineSource::Bucket { .. } => "",
    };
    role(facts, expected, &facts.function_role)
}

/// Returns the name of the role of the function.
fn function_role_name(facts: &PipelineFacts) -> &str {
    match &facts.request.source {
        PipelineSource::LogGroup { function_role, .. } => function_role,
        PipelineSource::Bucket { .. } => "",
    }
}
