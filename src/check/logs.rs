//! Checks of the log group that the trail delivers to, and of what a subscription on it needs.

use super::key::key_state_verdict;
use super::log_streams;
use super::subscription;
use super::trail::with_trail;
use super::{Check, Finding, FixAction, Requirement, Verdict, shell_quote, skipped_because};
use crate::aws::arn::Arn;
use crate::inventory::Snapshot;
use crate::inventory::facts::{LogGroupFacts, LogGroupSettings, Trail};

pub const CHECKS: &[Check] = &[
    Check {
        id: "logs.enabled",
        description: "the trail delivers to a log group",
        requirement: Requirement::Hard,
        permissions: &["cloudtrail:DescribeTrails"],
        evaluate: enabled,
    },
    Check {
        id: "logs.account",
        description: "the log group belongs to this account",
        requirement: Requirement::Hard,
        permissions: &["cloudtrail:DescribeTrails"],
        evaluate: account,
    },
    Check {
        id: "logs.exists",
        description: "the log group exists",
        requirement: Requirement::Hard,
        permissions: &["logs:DescribeLogGroups"],
        evaluate: exists,
    },
    Check {
        id: "logs.delivery",
        description: "events arrive in the log group",
        requirement: Requirement::Required,
        permissions: &["cloudtrail:GetTrailStatus"],
        evaluate: log_streams::delivery,
    },
    Check {
        id: "logs.org_streams",
        description: "events of member accounts arrive in the log group",
        requirement: Requirement::Required,
        permissions: &["logs:DescribeLogStreams"],
        evaluate: log_streams::member_streams,
    },
    Check {
        id: "logs.class",
        description: "the log group is of a class that can be subscribed to",
        requirement: Requirement::Hard,
        permissions: &["logs:DescribeLogGroups"],
        evaluate: class,
    },
    Check {
        id: "logs.retention",
        description: "the log group keeps its events for one day",
        requirement: Requirement::Required,
        permissions: &["logs:DescribeLogGroups"],
        evaluate: retention,
    },
    Check {
        id: "logs.filters",
        description: "the log group has room for a subscription filter",
        requirement: Requirement::Hard,
        permissions: &["logs:DescribeSubscriptionFilters"],
        evaluate: subscription::subscription_filters,
    },
    Check {
        id: "logs.account_filter",
        description: "no subscription filter of the account meets the function's own log",
        requirement: Requirement::Advisory,
        permissions: &["logs:DescribeAccountPolicies"],
        evaluate: subscription::account_subscription_filter,
    },
    Check {
        id: "logs.key",
        description: "the log group's key is usable",
        requirement: Requirement::Required,
        permissions: &["kms:DescribeKey"],
        evaluate: key,
    },
    Check {
        id: "logs.data_protection",
        description: "events reach Heeler unmasked",
        requirement: Requirement::Advisory,
        permissions: &["logs:DescribeLogGroups"],
        evaluate: subscription::data_protection,
    },
    Check {
        id: "logs.transformer",
        description: "events reach Heeler untransformed",
        requirement: Requirement::Advisory,
        permissions: &["logs:GetTransformer"],
        evaluate: subscription::transformer,
    },
    Check {
        id: "logs.trail_lambda_loop",
        description: "the log group is not the function's own",
        requirement: Requirement::Hard,
        permissions: &["cloudtrail:DescribeTrails"],
        evaluate: subscription::recursion,
    },
];

pub(super) fn with_log_group(
    survey: &Snapshot,
    judge: impl FnOnce(&LogGroupFacts) -> Verdict,
) -> Verdict {
    survey
        .log_group
        .as_ref()
        .map_or_else(|| skipped_because("logs.enabled"), judge)
}

/// The same, once it is known to be in this account: one of the same name here would be another.
pub(super) fn with_own_log_group(
    survey: &Snapshot,
    judge: impl FnOnce(&LogGroupFacts) -> Verdict,
) -> Verdict {
    with_log_group(survey, |group| {
        if Some(group.account.as_str()) == survey.account_id() {
            judge(group)
        } else {
            skipped_because("logs.account")
        }
    })
}

/// The group, once it is known to be there.
pub(super) fn with_existing_log_group(
    survey: &Snapshot,
    judge: impl FnOnce(&LogGroupFacts, &LogGroupSettings) -> Verdict,
) -> Verdict {
    with_own_log_group(survey, |named| match &named.settings {
        Ok(Some(group)) => judge(named, group),
        _ => skipped_because("logs.exists"),
    })
}

fn enabled(survey: &Snapshot) -> Verdict {
    with_trail(survey, |trail| {
        let named = survey.request.log_group.as_deref();
        let Some(arn) = &trail.log_group else {
            return Verdict::Fail(log_streams::with_new_log_group_commands(
                survey,
                trail,
                named.unwrap_or("aws-cloudtrail-logs"),
                Finding::new(
                    format!("{} delivers to no log group", trail.name),
                    "a trail that delivers to CloudWatch Logs",
                )
                .because("option cloudwatch takes the events from there; it costs per GB of events")
                .console(format!(
                    "CloudTrail > Trails > {} > CloudWatch Logs > Edit > Enabled",
                    trail.name
                )),
            ));
        };
        let name = log_group_name(arn);
        if let Some(named) = named.filter(|named| *named != name) {
            return Verdict::Fail(
                Finding::new(
                    format!("{} delivers to log group {name}", trail.name),
                    format!("log group {named}"),
                )
                .because("a log group that gets no events has none to pass on")
                .advice("leave --log-group out: it is read from the trail"),
            );
        }
        if trail.log_group_role.is_none() {
            return Verdict::Fail(
                Finding::new(
                    "the trail has no role for CloudWatch Logs",
                    "a role that CloudTrail writes with",
                )
                .because("CloudTrail cannot write to the log group without it")
                .console(format!(
                    "CloudTrail > Trails > {} > CloudWatch Logs > Edit > IAM Role",
                    trail.name
                ))
                .cli(update_trail_log_group_command(trail, &format!("{arn}:*"))),
            );
        }
        Verdict::Pass(name.to_owned())
    })
}

/// The name in the ARN of a log group.
fn log_group_name(arn: &str) -> &str {
    Arn::parse(arn)
        .and_then(|arn| arn.resource.strip_prefix("log-group:"))
        .unwrap_or(arn)
}

pub(super) fn log_group_arn(trail: &Trail, name: &str) -> String {
    let (partition, account) =
        Arn::parse(&trail.arn).map_or(("aws", "ACCOUNT"), |arn| (arn.partition, arn.account));
    format!(
        "arn:{partition}:logs:{}:{account}:log-group:{name}:*",
        trail.home_region
    )
}

/// The command by which the trail delivers to this log group.
pub(super) fn update_trail_log_group_command(trail: &Trail, group: &str) -> String {
    format!(
        "aws cloudtrail update-trail --region {} --name {} --cloud-watch-logs-log-group-arn {} --cloud-watch-logs-role-arn {}",
        trail.home_region,
        shell_quote(&trail.name),
        shell_quote(group),
        trail.log_group_role.as_deref().unwrap_or("ROLE_ARN"),
    )
}

fn account(survey: &Snapshot) -> Verdict {
    with_log_group(survey, |group| {
        let own = survey.account_id().unwrap_or_default();
        if group.account == own {
            return Verdict::Pass(format!("account {own}"));
        }
        Verdict::Fail(
            Finding::new(
                format!("log group {} is in account {}", group.name, group.account),
                format!("a log group of {own}"),
            )
            .because("a log group invokes only functions of its own account")
            .advice(format!(
                "run heeler-ec with credentials of {}",
                group.account
            )),
        )
    })
}

fn exists(survey: &Snapshot) -> Verdict {
    with_own_log_group(survey, |named| match &named.settings {
        Err(error) => Verdict::Unknown(error.clone()),
        Ok(Some(_)) => Verdict::Pass(format!("{} in {}", named.name, named.region)),
        Ok(None) => Verdict::Fail(
            Finding::new(
                format!("there is no log group {} in {}", named.name, named.region),
                "the trail's log group",
            )
            .because("it was deleted, and the trail still names it")
            .cli(format!(
                "aws logs create-log-group --region {} --log-group-name {}",
                named.region,
                shell_quote(&named.name)
            )),
        ),
    })
}

fn class(survey: &Snapshot) -> Verdict {
    with_existing_log_group(survey, |named, group| {
        let class = group.class.as_deref().unwrap_or("STANDARD");
        if class == "STANDARD" {
            return Verdict::Pass(class.to_owned());
        }
        let new = format!("{}-standard", named.name);
        let finding = Finding::new(format!("class {class}"), "class STANDARD")
            .because("only that class has subscription filters, and the class of a log group cannot be changed");
        Verdict::Fail(match survey.trail() {
            Some(trail) => log_streams::with_new_log_group_commands(survey, trail, &new, finding),
            None => finding,
        })
    })
}

fn retention(survey: &Snapshot) -> Verdict {
    with_existing_log_group(survey, |named, group| {
        let observed = match group.retention_days {
            Some(1) => return Verdict::Pass("1 day".into()),
            Some(days) => format!("{days} days"),
            None => "events never expire".to_owned(),
        };
        let users = other_users_note(survey, named, group);
        let finding = Finding::new(format!("{observed}{users}"), "1 day");
        if let Some(policy) = &group.retention_policy {
            return Verdict::Fail(
                finding
                    .because(format!(
                        "the account's retention policy {policy} rules this log group; setting it on the group has no effect"
                    ))
                    .console("CloudWatch > Settings > Account > Retention policies"),
            );
        }
        if named.name.starts_with("aws-controltower/") {
            return Verdict::Warn(
                finding
                    .because("Heeler's prerequisite is one day, but this log group belongs to Control Tower, which puts back what is changed")
                    .advice("nothing has to be done: it works, and the events are kept, and paid for, longer"),
            );
        }
        let finding = finding
            .because("Heeler's prerequisite; setting it deletes what is older than a day from the log group, for ever")
            .console(format!("CloudWatch > Log groups > {} > Actions > Edit retention setting", named.name))
            .cli(format!(
                "aws logs put-retention-policy --region {} --log-group-name {} --retention-in-days 1",
                named.region,
                shell_quote(&named.name)
            ));
        Verdict::Fail(finding.fixable_if(true, FixAction::SetRetentionToOneDay))
    })
}

/// Who else lives on the events in the group, as far as that may be seen.
fn other_users_note(survey: &Snapshot, named: &LogGroupFacts, group: &LogGroupSettings) -> String {
    let own = survey.request.names.subscription_filter();
    let filters = match &named.subscription_filters {
        Ok(filters) => filters.iter().filter(|filter| filter.name != own).count(),
        Err(_) => 0,
    };
    let users: Vec<String> = [
        (
            group.metric_filter_count.try_into().unwrap_or(0),
            "metric filter",
        ),
        (filters, "other subscription filter"),
    ]
    .into_iter()
    .filter(|(count, _)| *count > 0)
    .map(|(count, what)| format!("{count} {what}{}", if count == 1 { "" } else { "s" }))
    .collect();
    let mut told = String::new();
    if !users.is_empty() {
        told = format!("; others use it: {}", users.join(", "));
    }
    if named.subscription_filters.is_err() {
        told.push_str("; its subscription filters could not be read, so others may use it");
    }
    told
}

fn key(survey: &Snapshot) -> Verdict {
    with_existing_log_group(survey, |named, _| match &named.key {
        None => Verdict::Skip("the log group has no key of its own".into()),
        Some(facts) => match &facts.key {
            Err(error) => Verdict::Unknown(error.clone()),
            Ok(Some(key)) => key_state_verdict(survey, key, &facts.identifier),
            Ok(None) => Verdict::Fail(
                Finding::new(
                    format!("there is no key {}", facts.identifier),
                    "an enabled key",
                )
                .because("CloudWatch Logs cannot read the events to pass them on")
                .cli(format!(
                    "aws logs disassociate-kms-key --region {} --log-group-name {}",
                    named.region,
                    shell_quote(&named.name)
                )),
            ),
        },
    })
}
