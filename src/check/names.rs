//! Checks of what setup would make: whether its names are free, and whether the account has room for it.
//! Long, since each kind of resource has a name of its own to be looked at.

use super::{Check, Finding, Requirement, Verdict, skipped_because};
use crate::aws::arn::resource_name;
use crate::inventory::Snapshot;
use crate::inventory::facts::{NameOwner, SimulationResult};
use crate::inventory::trail_destination::TrailDestination;

/// For any option.
pub const CHECKS: &[Check] = &[
    Check {
        id: "names.terraform",
        description: "no Terraform deployment owns the names",
        requirement: Requirement::Hard,
        permissions: &["iam:GetRole", "kms:DescribeKey"],
        evaluate: terraform_managed,
    },
    Check {
        id: "names.role",
        description: "the name of Heeler's role is free or ours",
        requirement: Requirement::Hard,
        permissions: &["iam:GetRole"],
        evaluate: |survey| name_verdict(survey, "names.role"),
    },
    Check {
        id: "names.policy",
        description: "the name of its policy is free or ours",
        requirement: Requirement::Hard,
        permissions: &["iam:GetPolicy"],
        evaluate: |survey| name_verdict(survey, "names.policy"),
    },
    Check {
        id: "names.queue",
        description: "the name of the queue is free or ours",
        requirement: Requirement::Hard,
        permissions: &["sqs:GetQueueUrl", "sqs:ListQueueTags"],
        evaluate: |survey| name_verdict(survey, "names.queue"),
    },
    Check {
        id: "names.dead_letter_queue",
        description: "the name of the dead letter queue is free or ours",
        requirement: Requirement::Hard,
        permissions: &["sqs:GetQueueUrl", "sqs:ListQueueTags"],
        evaluate: |survey| name_verdict(survey, "names.dead_letter_queue"),
    },
    Check {
        id: "names.alias",
        description: "the alias of the queue's key is free or ours",
        requirement: Requirement::Hard,
        permissions: &["kms:DescribeKey", "kms:ListResourceTags"],
        evaluate: |survey| name_verdict(survey, "names.alias"),
    },
    Check {
        id: "names.alias_key",
        description: "the key behind the alias can be used",
        requirement: Requirement::Advisory,
        permissions: &["kms:DescribeKey"],
        evaluate: alias_key,
    },
];

pub const S3_CHECKS: &[Check] = &[Check {
    id: "names.topic",
    description: "the name of the topic is free or ours",
    requirement: Requirement::Hard,
    permissions: &["sns:ListTagsForResource"],
    evaluate: topic_name,
}];

pub const CLOUDWATCH_CHECKS: &[Check] = &[
    Check {
        id: "names.function",
        description: "the name of the function is free or ours",
        requirement: Requirement::Hard,
        permissions: &["lambda:GetFunction"],
        evaluate: |survey| name_verdict(survey, "names.function"),
    },
    Check {
        id: "names.function_role",
        description: "the name of the function's role is free or ours",
        requirement: Requirement::Hard,
        permissions: &["iam:GetRole"],
        evaluate: |survey| name_verdict(survey, "names.function_role"),
    },
    Check {
        id: "names.function_policy",
        description: "the name of its policy is free or ours",
        requirement: Requirement::Hard,
        permissions: &["iam:GetPolicy"],
        evaluate: |survey| name_verdict(survey, "names.function_policy"),
    },
    Check {
        id: "quota.lambda",
        description: "the account has room for the function to run",
        requirement: Requirement::Required,
        permissions: &["lambda:GetAccountSettings"],
        evaluate: lambda_concurrency,
    },
];

/// What only `--deep` asks.
pub const DEEP_CHECKS: &[Check] = &[
    Check {
        id: "quota.iam",
        description: "the account has room for roles and policies",
        requirement: Requirement::Advisory,
        permissions: &["iam:GetAccountSummary"],
        evaluate: iam_quotas,
    },
    Check {
        id: "caller.permissions",
        description: "the caller may do what setup does",
        requirement: Requirement::Advisory,
        permissions: &["iam:SimulatePrincipalPolicy", "iam:GetRole"],
        evaluate: caller_permissions,
    },
];

/// What is there under the names that setup would take, ours or not.
fn existing(survey: &Snapshot) -> impl Iterator<Item = &NameOwner> {
    survey
        .name_owners
        .by_check
        .values()
        .filter_map(|taken| taken.as_ref().ok()?.as_ref())
}

fn is_from_vendor_terraform(owner: &NameOwner) -> bool {
    owner.from_vendor_terraform && !owner.managed && !owner.has_owner_tag
}

/// Whether setup takes it over: nobody's mark is on it, and the operator asked for that.
fn will_be_adopted(survey: &Snapshot, owner: &NameOwner) -> bool {
    survey.request.adopt && !owner.has_owner_tag
}

fn terraform_managed(survey: &Snapshot) -> Verdict {
    if survey.name_owners.by_check.is_empty() {
        return skipped_because(prerequisite_check(survey));
    }
    let named = |adopted: bool| -> Vec<&str> {
        existing(survey)
            .filter(|owner| {
                is_from_vendor_terraform(owner) && will_be_adopted(survey, owner) == adopted
            })
            .map(|owner| owner.name.as_str())
            .collect()
    };
    let (adopted, theirs) = (named(true), named(false));
    if theirs.is_empty() && !adopted.is_empty() {
        return Verdict::Pass(format!("{} will be adopted", adopted.join(", ")));
    }
    if theirs.is_empty() {
        // The one refusal that hides the mark by which such a deployment is known.
        return match survey.name_owners.by_check.get("names.role") {
            Some(Err(error)) => Verdict::Unknown(error.clone()),
            _ => Verdict::Pass("nothing looks like one".into()),
        };
    }
    Verdict::Fail(
        Finding::new(
            format!(
                "made by the vendor's Terraform module, as it seems: {}",
                theirs.join(", ")
            ),
            "names that nobody else manages",
        )
        .because("two owners would undo each other's changes, and setup touches nothing that is not tagged as its own")
        .cli(adopt_command(survey))
        .advice(
            "--adopt takes them over, after a plan that shows what would change, and Heeler keeps its values; or run \
             terraform destroy there first, then setup, and Heeler gets new values",
        ),
    )
}

/// The command that shows what taking over would change.
fn adopt_command(survey: &Snapshot) -> String {
    survey.heeler_ec_command(&format!("plan --option {} --adopt", survey.route.name()))
}

/// What the names hang on: without a place there is nothing to look for.
fn prerequisite_check(survey: &Snapshot) -> &'static str {
    match survey.route {
        TrailDestination::Bucket => "bucket.owner",
        TrailDestination::LogGroup => "logs.enabled",
    }
}

fn topic_name(survey: &Snapshot) -> Verdict {
    let own = survey.request.names.topic();
    let existing = survey
        .bucket
        .as_ref()
        .and_then(|bucket| bucket.topic.as_ref());
    match existing {
        Some(Ok(Some(topic))) if resource_name(&topic.arn) != own => {
            Verdict::Skip("an existing topic is used".into())
        }
        _ => name_verdict(survey, "names.topic"),
    }
}

fn name_verdict(survey: &Snapshot, check: &'static str) -> Verdict {
    let found = match survey.name_owners.by_check.get(check) {
        None => return skipped_because(prerequisite_check(survey)),
        Some(Err(error)) => return Verdict::Unknown(error.clone()),
        Some(Ok(found)) => found,
    };
    let Some(owner) = found else {
        return Verdict::Pass(format!("{} is free", name_for_check(survey, check)));
    };
    let option = survey.route.name();
    if owner.managed {
        return match owner.option.as_deref() {
            Some(theirs) if theirs != option => {
                Verdict::Fail(other_option_finding(survey, owner, theirs))
            }
            _ => Verdict::Pass(format!(
                "{} is ours, and will be compared and completed",
                owner.name
            )),
        };
    }
    if will_be_adopted(survey, owner) {
        return Verdict::Pass(format!("{} will be adopted", owner.name));
    }
    if existing(survey)
        .any(|owner| is_from_vendor_terraform(owner) && !will_be_adopted(survey, owner))
    {
        return skipped_because("names.terraform");
    }
    Verdict::Fail(not_managed_finding(survey, owner))
}

fn not_managed_finding(survey: &Snapshot, owner: &NameOwner) -> Finding {
    let other_names = "choose other names with --name-prefix";
    if owner.has_owner_tag {
        return Finding::new(
            format!("{} bears the tag of another owner", owner.name),
            "a name that is free",
        )
        .because("what somebody else has tagged as managed is neither changed nor adopted")
        .advice(other_names);
    }
    Finding::new(
        format!("{} is there, and not made by heeler-ec", owner.name),
        "a name that is free",
    )
    .because("setup never overwrites or deletes what is not tagged as its own")
    .cli(adopt_command(survey))
    .advice(format!(
        "{other_names}; or take it over with --adopt, after a plan that shows what would change"
    ))
}

/// The name that a check is about.
fn name_for_check(survey: &Snapshot, check: &str) -> String {
    let names = &survey.request.names;
    match (check, survey.route) {
        ("names.role", _) => names.role(),
        ("names.policy", _) => names.policy(),
        ("names.queue", TrailDestination::Bucket) => names.queue(),
        ("names.queue", TrailDestination::LogGroup) => names.fifo_queue(),
        ("names.dead_letter_queue", TrailDestination::Bucket) => names.dead_letter_queue(),
        ("names.dead_letter_queue", TrailDestination::LogGroup) => names.dead_letter_fifo_queue(),
        ("names.topic", _) => names.topic(),
        ("names.function", _) => names.function(),
        ("names.function_role", _) => names.function_role(),
        ("names.function_policy", _) => names.function_policy(),
        _ => names.key_alias(),
    }
}

fn other_option_finding(survey: &Snapshot, owner: &NameOwner, theirs: &str) -> Finding {
    let option = survey.route.name();
    Finding::new(
        format!("{} belongs to option {theirs}", owner.name),
        format!("a name that is free, or of option {option}"),
    )
    .because("both options use the same role and alias, so they cannot stand side by side under one prefix")
    .advice(format!(
        "set option {option} up beside it with another --name-prefix, let Heeler switch, and then destroy this one: \
         docs/switching.md says how, so that no event is lost"
    ))
}

fn alias_key(survey: &Snapshot) -> Verdict {
    let owner = match survey.name_owners.by_check.get("names.alias") {
        Some(Ok(Some(owner))) if owner.managed => owner,
        Some(Ok(None)) => return Verdict::Skip("there is no alias yet".into()),
        _ => return skipped_because("names.alias"),
    };
    let state = owner.key_state.as_deref().unwrap_or("Enabled");
    if state == "Enabled" {
        return Verdict::Pass(state.to_owned());
    }
    let finding = Finding::new(
        format!("the key of {} is in state {state}", owner.name),
        "state Enabled",
    );
    Verdict::Warn(if state == "PendingDeletion" {
        finding
            .because("an earlier destroy scheduled it for deletion")
            .advice("setup makes a new key and moves the alias; the deletion is not cancelled")
    } else {
        finding
            .because("queue and topic cannot use it")
            .advice("setup enables it again")
    })
}

/// Below this a busy account may throttle the function.
const MIN_UNRESERVED_CONCURRENCY: i32 = 50;

fn lambda_concurrency(survey: &Snapshot) -> Verdict {
    let Some(group) = &survey.log_group else {
        return skipped_because("logs.enabled");
    };
    if Some(group.account.as_str()) != survey.account_id() {
        return skipped_because("logs.account");
    }
    let limit = match &group.concurrency {
        Err(error) => return Verdict::Unknown(error.clone()),
        Ok(limit) => limit,
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
    .because("CloudWatch Logs gives up on a batch of events that the function could not take within a day")
    .console("Service Quotas > AWS Lambda > Concurrent executions")
    .cli(format!(
        "aws service-quotas request-service-quota-increase --region {} --service-code lambda --quota-code L-B99A9384 --desired-value {}",
        group.region,
        // New accounts have 10, old ones 1000; beyond that it goes by thousands.
        (limit.total.max(0) / 1000 + 1) * 1000
    ));
    if free > 0 {
        Verdict::Warn(finding)
    } else {
        Verdict::Fail(finding.because("no function without a reservation can run"))
    }
}

fn iam_quotas(survey: &Snapshot) -> Verdict {
    let quota = match survey.iam_quotas.as_ref().map(|deep| &deep.quotas) {
        None => return Verdict::Skip("asked with --deep only".into()),
        Some(Err(error)) => return Verdict::Unknown(error.clone()),
        Some(Ok(quota)) => quota,
    };
    let needed = match survey.route {
        TrailDestination::Bucket => 1,
        TrailDestination::LogGroup => 2,
    };
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
        .because("IAM would refuse them")
        .console("Service Quotas > AWS Identity and Access Management");
    // Where IAM of each partition has its quotas.
    let region = match &survey.account.caller {
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

/// So many refused actions are named.
const MAX_LISTED_ACTIONS: usize = 12;

/// What IAM's simulator says of the caller. It sees the caller's own policies, not those of buckets and keys.
fn caller_permissions(survey: &Snapshot) -> Verdict {
    let Some(simulated) = &survey.permission_simulation else {
        return if survey.request.deep {
            skipped_because(prerequisite_check(survey))
        } else {
            Verdict::Skip("asked with --deep only".into())
        };
    };
    let simulated = match simulated {
        Err(error) => return Verdict::Unknown(error.clone()),
        Ok(SimulationResult::RootUser) => {
            return Verdict::Skip("only users and roles are simulated".into());
        }
        Ok(SimulationResult::Simulated(simulated)) => simulated,
    };
    if simulated.denied_actions.is_empty() {
        return Verdict::Pass(format!(
            "all {} actions, by the caller's own policies; those of buckets, keys and sessions are not simulated",
            simulated.action_count
        ));
    }
    let mut named: Vec<String> = simulated
        .denied_actions
        .iter()
        .take(MAX_LISTED_ACTIONS)
        .cloned()
        .collect();
    if simulated.denied_actions.len() > MAX_LISTED_ACTIONS {
        named.push(format!(
            "and {} more",
            simulated.denied_actions.len() - MAX_LISTED_ACTIONS
        ));
    }
    Verdict::Fail(
        Finding::new(
            format!("{} may not: {}", simulated.principal, named.join(", ")),
            format!("all {} actions of setup", simulated.action_count),
        )
        .because(
            "simulation sees the caller's policies, boundary and service control policies; it does not see bucket \
             and key policies, which may still allow or deny, nor the policy of a session",
        )
        .cli(survey.heeler_ec_command(&format!("policy setup --option {}", survey.route.name()))),
    )
}
