//! Checks of quotas and of the caller's permissions.

use super::names::prerequisite_check;
use super::{Check, CheckId, Finding, Requirement, Verdict, skipped_because};
use crate::inventory::facts::SimulationResult;
use crate::inventory::{Fact, Snapshot};

/// Checks of options with a Lambda function.
pub const FUNCTION_CHECKS: &[Check] = &[Check {
    id: CheckId::QuotaLambda,
    description: "the account has enough Lambda concurrency",
    requirement: Requirement::REQUIRED,
    permissions: &["lambda:GetAccountSettings"],
    evaluate: lambda_concurrency,
}];

/// Checks that run only with `--deep`.
pub const DEEP_CHECKS: &[Check] = &[
    Check {
        id: CheckId::QuotaIam,
        description: "the IAM quotas have room for the roles and policies",
        requirement: Requirement::ADVISORY,
        permissions: &["iam:GetAccountSummary"],
        evaluate: iam_quotas,
    },
    Check {
        id: CheckId::CallerPermissions,
        description: "the caller has the permissions that setup needs",
        requirement: Requirement::ADVISORY,
        permissions: &["iam:SimulatePrincipalPolicy", "iam:GetRole"],
        evaluate: caller_permissions,
    },
];

/// Number of unreserved concurrent executions below which a busy account may throttle the function.
const MIN_UNRESERVED_CONCURRENCY: i32 = 50;

fn lambda_concurrency(snapshot: &Snapshot) -> Verdict {
    let Some(group) = &snapshot.log_group else {
        return skipped_because(CheckId::LogsEnabled);
    };
    if Some(group.account.as_str()) != snapshot.account_id() {
        return skipped_because(CheckId::LogsAccount);
    }
    let limit = match &group.concurrency {
        Fact::Failed(error) => return Verdict::Unknown(error.clone()),
        Fact::Present(limit) => limit,
        Fact::NotRequested | Fact::Absent => return skipped_because(CheckId::LogsAccount),
    };
    let free = limit.unreserved.unwrap_or(limit.total);
    if free >= MIN_UNRESERVED_CONCURRENCY {
        return Verdict::Pass(format!(
            "{free} of {} concurrent executions are unreserved",
            limit.total
        ));
    }
    let finding = Finding::new(
        format!("{free} of {} concurrent executions are unreserved", limit.total),
        format!("{MIN_UNRESERVED_CONCURRENCY} or more"),
    )
    .because("CloudWatch Logs drops events that a throttled function does not accept within 24 hours")
    .console("Service Quotas > AWS Lambda > Concurrent executions")
    .cli(format!(
        "aws service-quotas request-service-quota-increase --region {} --service-code lambda --quota-code L-B99A9384 --desired-value {}",
        group.region,
        // New accounts have 10, others 1000. Higher quotas are multiples of 1000.
        (limit.total.max(0) / 1000 + 1) * 1000
    ));
    if free > 0 {
        Verdict::Warn(finding)
    } else {
        Verdict::Fail(finding.because("functions without reserved concurrency cannot run"))
    }
}

fn iam_quotas(snapshot: &Snapshot) -> Verdict {
    let quota = match &snapshot.account.iam_quotas {
        Fact::NotRequested | Fact::Absent => {
            return Verdict::Skip("checked only with --deep".into());
        }
        Fact::Failed(error) => return Verdict::Unknown(error.clone()),
        Fact::Present(quota) => quota,
    };
    let roles = snapshot.option.names.iter().filter(|name| name.is_role());
    let needed = i32::try_from(roles.count()).unwrap_or(i32::MAX);
    let observed = format!(
        "{} of {} roles, {} of {} policies",
        quota.roles, quota.roles_quota, quota.policies, quota.policies_quota
    );
    let room = |used: i32, quota: i32| quota == 0 || used.saturating_add(needed) <= quota;
    let full: Vec<(&str, i32)> = [
        ("L-FE177D64", quota.roles, quota.roles_quota),
        ("L-E95E4862", quota.policies, quota.policies_quota),
    ]
    .into_iter()
    .filter(|(_, used, quota)| !room(*used, *quota))
    .map(|(code, used, _)| (code, used))
    .collect();
    if full.is_empty() {
        return Verdict::Pass(observed);
    }
    let finding = Finding::new(observed, format!("room for {needed} more of each"))
        .because("IAM would refuse to create them")
        .console("Service Quotas > AWS Identity and Access Management");
    // The region of the IAM quotas in each partition.
    let region = match &snapshot.account.caller {
        Ok(caller) if caller.partition == "aws-us-gov" => "us-gov-west-1",
        _ => "us-east-1",
    };
    Verdict::Fail(full.into_iter().fold(finding, |finding, (code, used)| {
        finding.cli(format!(
            "aws service-quotas request-service-quota-increase --region {region} --service-code iam --quota-code {code} --desired-value {}",
            used.saturating_add(100)
        ))
    }))
}

/// Maximum number of denied actions in a finding.
const MAX_LISTED_ACTIONS: usize = 12;

/// Evaluates the result of the IAM policy simulator, which covers the caller's policies but not those of buckets and keys.
fn caller_permissions(snapshot: &Snapshot) -> Verdict {
    let simulated = match &snapshot.permission_simulation {
        Fact::NotRequested | Fact::Absent if snapshot.request.deep => {
            return skipped_because(prerequisite_check(snapshot));
        }
        Fact::NotRequested | Fact::Absent => {
            return Verdict::Skip("checked only with --deep".into());
        }
        Fact::Failed(error) => return Verdict::Unknown(error.clone()),
        Fact::Present(SimulationResult::RootUser) => {
            return Verdict::Skip("IAM simulates only users and roles".into());
        }
        Fact::Present(SimulationResult::Simulated(simulated)) => simulated,
    };
    if simulated.denied_actions.is_empty() {
        return Verdict::Pass(format!(
            "all {} actions are allowed by the caller's policies; bucket, key and session policies are not simulated",
            simulated.action_count
        ));
    }
    let mut listed: Vec<String> = simulated
        .denied_actions
        .iter()
        .take(MAX_LISTED_ACTIONS)
        .cloned()
        .collect();
    if simulated.denied_actions.len() > MAX_LISTED_ACTIONS {
        listed.push(format!(
            "and {} more",
            simulated.denied_actions.len() - MAX_LISTED_ACTIONS
        ));
    }
    Verdict::Fail(
        Finding::new(
            format!("{} is denied: {}", simulated.principal, listed.join(", ")),
            format!("all {} actions of setup", simulated.action_count),
        )
        .because(
            "the simulation covers the caller's policies, permissions boundary and service control policies, but \
             not bucket, key or session policies",
        )
        .cli(snapshot.heeler_ec_command(&format!("policy setup {}", snapshot.option.owner.arguments))),
    )
}
