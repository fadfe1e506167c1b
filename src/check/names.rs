//! Checks of what setup would make: whether its names are free, and whether the account has room for it.
//! Long, since each kind of resource has a name of its own to be looked at.

use super::survey::Survey;
use super::survey::facts::{Owner, Simulated};
use super::{Check, Finding, Verdict, Weight, hangs_on};
use crate::aws::arn::last;
use crate::route::Route;

/// For any option.
pub const CHECKS: &[Check] = &[
    Check {
        id: "names.terraform",
        says: "no Terraform deployment owns the names",
        weight: Weight::Hard,
        permissions: &["iam:GetRole", "kms:DescribeKey"],
        judge: terraform,
    },
    Check {
        id: "names.role",
        says: "the name of Heeler's role is free or ours",
        weight: Weight::Hard,
        permissions: &["iam:GetRole"],
        judge: |survey| taken(survey, "names.role"),
    },
    Check {
        id: "names.policy",
        says: "the name of its policy is free or ours",
        weight: Weight::Hard,
        permissions: &["iam:GetPolicy"],
        judge: |survey| taken(survey, "names.policy"),
    },
    Check {
        id: "names.queue",
        says: "the name of the queue is free or ours",
        weight: Weight::Hard,
        permissions: &["sqs:GetQueueUrl", "sqs:ListQueueTags"],
        judge: |survey| taken(survey, "names.queue"),
    },
    Check {
        id: "names.dead_letter_queue",
        says: "the name of the dead letter queue is free or ours",
        weight: Weight::Hard,
        permissions: &["sqs:GetQueueUrl", "sqs:ListQueueTags"],
        judge: |survey| taken(survey, "names.dead_letter_queue"),
    },
    Check {
        id: "names.alias",
        says: "the alias of the queue's key is free or ours",
        weight: Weight::Hard,
        permissions: &["kms:DescribeKey", "kms:ListResourceTags"],
        judge: |survey| taken(survey, "names.alias"),
    },
    Check {
        id: "names.alias_key",
        says: "the key behind the alias can be used",
        weight: Weight::Advisory,
        permissions: &["kms:DescribeKey"],
        judge: alias_key,
    },
];

pub const S3_CHECKS: &[Check] = &[Check {
    id: "names.topic",
    says: "the name of the topic is free or ours",
    weight: Weight::Hard,
    permissions: &["sns:ListTagsForResource"],
    judge: topic,
}];

pub const CLOUDWATCH_CHECKS: &[Check] = &[
    Check {
        id: "names.function",
        says: "the name of the function is free or ours",
        weight: Weight::Hard,
        permissions: &["lambda:GetFunction"],
        judge: |survey| taken(survey, "names.function"),
    },
    Check {
        id: "names.function_role",
        says: "the name of the function's role is free or ours",
        weight: Weight::Hard,
        permissions: &["iam:GetRole"],
        judge: |survey| taken(survey, "names.function_role"),
    },
    Check {
        id: "names.function_policy",
        says: "the name of its policy is free or ours",
        weight: Weight::Hard,
        permissions: &["iam:GetPolicy"],
        judge: |survey| taken(survey, "names.function_policy"),
    },
    Check {
        id: "quota.lambda",
        says: "the account has room for the function to run",
        weight: Weight::Required,
        permissions: &["lambda:GetAccountSettings"],
        judge: concurrency,
    },
];

/// What only `--deep` asks.
pub const DEEP_CHECKS: &[Check] = &[
    Check {
        id: "quota.iam",
        says: "the account has room for roles and policies",
        weight: Weight::Advisory,
        permissions: &["iam:GetAccountSummary"],
        judge: iam,
    },
    Check {
        id: "caller.permissions",
        says: "the caller may do what setup does",
        weight: Weight::Advisory,
        permissions: &["iam:SimulatePrincipalPolicy", "iam:GetRole"],
        judge: permissions,
    },
];

/// What is there under the names that setup would take, ours or not.
fn there(survey: &Survey) -> impl Iterator<Item = &Owner> {
    survey
        .taken
        .by_check
        .values()
        .filter_map(|taken| taken.as_ref().ok()?.as_ref())
}

fn is_terraforms(owner: &Owner) -> bool {
    owner.terraform && !owner.managed && !owner.marked
}

/// Whether setup takes it over: nobody's mark is on it, and the operator asked for that.
fn is_adopted(survey: &Survey, owner: &Owner) -> bool {
    survey.hints.adopt && !owner.marked
}

fn terraform(survey: &Survey) -> Verdict {
    if survey.taken.by_check.is_empty() {
        return hangs_on(origin(survey));
    }
    let named = |adopted: bool| -> Vec<&str> {
        there(survey)
            .filter(|owner| is_terraforms(owner) && is_adopted(survey, owner) == adopted)
            .map(|owner| owner.name.as_str())
            .collect()
    };
    let (adopted, theirs) = (named(true), named(false));
    if theirs.is_empty() && !adopted.is_empty() {
        return Verdict::Pass(format!("{} will be adopted", adopted.join(", ")));
    }
    if theirs.is_empty() {
        // The one refusal that hides the mark by which such a deployment is known.
        return match survey.taken.by_check.get("names.role") {
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
        .cli(adopting(survey))
        .advice(
            "--adopt takes them over, after a plan that shows what would change, and Heeler keeps its values; or run \
             terraform destroy there first, then setup, and Heeler gets new values",
        ),
    )
}

/// The command that shows what taking over would change.
fn adopting(survey: &Survey) -> String {
    survey.own_command(&format!("plan --option {} --adopt", survey.route.name()))
}

/// What the names hang on: without a place there is nothing to look for.
fn origin(survey: &Survey) -> &'static str {
    match survey.route {
        Route::S3 => "bucket.owner",
        Route::CloudWatch => "logs.enabled",
    }
}

fn topic(survey: &Survey) -> Verdict {
    let own = survey.hints.names.topic();
    let existing = survey
        .bucket
        .as_ref()
        .and_then(|bucket| bucket.topic.as_ref());
    match existing {
        Some(Ok(Some(topic))) if last(&topic.arn) != own => {
            Verdict::Skip("an existing topic is used".into())
        }
        _ => taken(survey, "names.topic"),
    }
}

fn taken(survey: &Survey, check: &'static str) -> Verdict {
    let found = match survey.taken.by_check.get(check) {
        None => return hangs_on(origin(survey)),
        Some(Err(error)) => return Verdict::Unknown(error.clone()),
        Some(Ok(found)) => found,
    };
    let Some(owner) = found else {
        return Verdict::Pass(format!("{} is free", called(survey, check)));
    };
    let option = survey.route.name();
    if owner.managed {
        return match owner.option.as_deref() {
            Some(theirs) if theirs != option => {
                Verdict::Fail(of_other_option(survey, owner, theirs))
            }
            _ => Verdict::Pass(format!(
                "{} is ours, and will be compared and completed",
                owner.name
            )),
        };
    }
    if is_adopted(survey, owner) {
        return Verdict::Pass(format!("{} will be adopted", owner.name));
    }
    if there(survey).any(|owner| is_terraforms(owner) && !is_adopted(survey, owner)) {
        return hangs_on("names.terraform");
    }
    Verdict::Fail(of_others(survey, owner))
}

fn of_others(survey: &Survey, owner: &Owner) -> Finding {
    let other_names = "choose other names with --name-prefix";
    if owner.marked {
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
    .cli(adopting(survey))
    .advice(format!(
        "{other_names}; or take it over with --adopt, after a plan that shows what would change"
    ))
}

/// The name that a check is about.
fn called(survey: &Survey, check: &str) -> String {
    let names = &survey.hints.names;
    match (check, survey.route) {
        ("names.role", _) => names.role(),
        ("names.policy", _) => names.policy(),
        ("names.queue", Route::S3) => names.queue(),
        ("names.queue", Route::CloudWatch) => names.fifo_queue(),
        ("names.dead_letter_queue", Route::S3) => names.dead_letter_queue(),
        ("names.dead_letter_queue", Route::CloudWatch) => names.dead_letter_fifo_queue(),
        ("names.topic", _) => names.topic(),
        ("names.function", _) => names.function(),
        ("names.function_role", _) => names.function_role(),
        ("names.function_policy", _) => names.function_policy(),
        _ => names.alias(),
    }
}

fn of_other_option(survey: &Survey, owner: &Owner, theirs: &str) -> Finding {
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

fn alias_key(survey: &Survey) -> Verdict {
    let owner = match survey.taken.by_check.get("names.alias") {
        Some(Ok(Some(owner))) if owner.managed => owner,
        Some(Ok(None)) => return Verdict::Skip("there is no alias yet".into()),
        _ => return hangs_on("names.alias"),
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
const COMFORTABLE: i32 = 50;

fn concurrency(survey: &Survey) -> Verdict {
    let Some(group) = &survey.log_group else {
        return hangs_on("logs.enabled");
    };
    if Some(group.account.as_str()) != survey.own_account() {
        return hangs_on("logs.account");
    }
    let limit = match &group.concurrency {
        Err(error) => return Verdict::Unknown(error.clone()),
        Ok(limit) => limit,
    };
    let free = limit.unreserved.unwrap_or(limit.total);
    if free >= COMFORTABLE {
        return Verdict::Pass(format!(
            "{free} of {} concurrent executions are unreserved",
            limit.total
        ));
    }
    let finding = Finding::new(
        format!("{free} of {} concurrent executions are unreserved", limit.total),
        format!("{COMFORTABLE} or more"),
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

fn iam(survey: &Survey) -> Verdict {
    let quota = match survey.deep.as_ref().map(|deep| &deep.iam) {
        None => return Verdict::Skip("asked with --deep only".into()),
        Some(Err(error)) => return Verdict::Unknown(error.clone()),
        Some(Ok(quota)) => quota,
    };
    let needed = match survey.route {
        Route::S3 => 1,
        Route::CloudWatch => 2,
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
const NAMED: usize = 12;

/// What IAM's simulator says of the caller. It sees the caller's own policies, not those of buckets and keys.
fn permissions(survey: &Survey) -> Verdict {
    let Some(simulated) = &survey.simulated else {
        return if survey.hints.deep {
            hangs_on(origin(survey))
        } else {
            Verdict::Skip("asked with --deep only".into())
        };
    };
    let simulated = match simulated {
        Err(error) => return Verdict::Unknown(error.clone()),
        Ok(Simulated::Root) => {
            return Verdict::Skip("only users and roles are simulated".into());
        }
        Ok(Simulated::Asked(simulated)) => simulated,
    };
    if simulated.denied.is_empty() {
        return Verdict::Pass(format!(
            "all {} actions, by the caller's own policies; those of buckets, keys and sessions are not simulated",
            simulated.actions
        ));
    }
    let mut named: Vec<String> = simulated.denied.iter().take(NAMED).cloned().collect();
    if simulated.denied.len() > NAMED {
        named.push(format!("and {} more", simulated.denied.len() - NAMED));
    }
    Verdict::Fail(
        Finding::new(
            format!("{} may not: {}", simulated.principal, named.join(", ")),
            format!("all {} actions of setup", simulated.actions),
        )
        .because(
            "simulation sees the caller's policies, boundary and service control policies; it does not see bucket \
             and key policies, which may still allow or deny, nor the policy of a session",
        )
        .cli(survey.own_command(&format!("policy setup --option {}", survey.route.name()))),
    )
}
