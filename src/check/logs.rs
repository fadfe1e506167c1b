//! Checks of the log group that the trail delivers to.

use super::key::key_state_verdict;
use super::log_group_scope::{with_existing_log_group, with_log_group, with_own_log_group};
use super::log_streams;
use super::subscription;
use super::trail_scope::with_trail;
use super::{Check, CheckId, Finding, FixAction, Requirement, Verdict, shell_quote};
use crate::aws::arn::Arn;
use crate::inventory::facts::{LogGroupFacts, LogGroupSettings};
use crate::inventory::{Fact, Snapshot};

pub const CHECKS: &[Check] = &[
    Check {
        id: CheckId::LogsEnabled,
        description: "the trail delivers to a log group",
        requirement: Requirement::BLOCKING,
        permissions: &["cloudtrail:DescribeTrails"],
        evaluate: enabled,
    },
    Check {
        id: CheckId::LogsAccount,
        description: "the log group belongs to this account",
        requirement: Requirement::BLOCKING,
        permissions: &["cloudtrail:DescribeTrails"],
        evaluate: account,
    },
    Check {
        id: CheckId::LogsExists,
        description: "the log group exists",
        requirement: Requirement::BLOCKING,
        permissions: &["logs:DescribeLogGroups"],
        evaluate: exists,
    },
    Check {
        id: CheckId::LogsDelivery,
        description: "events arrive in the log group",
        requirement: Requirement::REQUIRED,
        permissions: &["cloudtrail:GetTrailStatus"],
        evaluate: log_streams::delivery,
    },
    Check {
        id: CheckId::LogsMemberStreams,
        description: "events of member accounts arrive in the log group",
        requirement: Requirement::REQUIRED,
        permissions: &["logs:DescribeLogStreams"],
        evaluate: log_streams::member_streams,
    },
    Check {
        id: CheckId::LogsClass,
        description: "the log group class supports subscription filters",
        requirement: Requirement::BLOCKING,
        permissions: &["logs:DescribeLogGroups"],
        evaluate: class,
    },
    Check {
        id: CheckId::LogsRetention,
        description: "the log group's retention is one day",
        requirement: Requirement::REQUIRED,
        permissions: &["logs:DescribeLogGroups"],
        evaluate: retention,
    },
    Check {
        id: CheckId::LogsFilters,
        description: "the log group can take another subscription filter",
        requirement: Requirement::BLOCKING,
        permissions: &["logs:DescribeSubscriptionFilters"],
        evaluate: subscription::subscription_filters,
    },
    Check {
        id: CheckId::LogsAccountSubscriptionFilter,
        description: "no account-level subscription filter applies to the function's log group",
        requirement: Requirement::ADVISORY,
        permissions: &["logs:DescribeAccountPolicies"],
        evaluate: subscription::account_subscription_filter,
    },
    Check {
        id: CheckId::LogsKey,
        description: "the log group's KMS key is usable",
        requirement: Requirement::REQUIRED,
        permissions: &["kms:DescribeKey"],
        evaluate: key,
    },
    Check {
        id: CheckId::LogsDataProtection,
        description: "events reach Heeler unmasked",
        requirement: Requirement::ADVISORY,
        permissions: &["logs:DescribeLogGroups"],
        evaluate: subscription::data_protection,
    },
    Check {
        id: CheckId::LogsTransformer,
        description: "events reach Heeler untransformed",
        requirement: Requirement::ADVISORY,
        permissions: &["logs:GetTransformer"],
        evaluate: subscription::transformer,
    },
    Check {
        id: CheckId::LogsRecursion,
        description: "the trail does not deliver to the function's own log group",
        requirement: Requirement::BLOCKING,
        permissions: &["cloudtrail:DescribeTrails"],
        evaluate: subscription::recursion,
    },
];

fn enabled(snapshot: &Snapshot) -> Verdict {
    with_trail(snapshot, |trail| {
        let named = snapshot.request.log_group.as_deref();
        let Some(arn) = &trail.log_group else {
            return Verdict::Fail(log_streams::with_new_log_group_commands(
                snapshot,
                trail,
                named.unwrap_or("aws-cloudtrail-logs"),
                Finding::new(
                    format!("trail {} does not deliver to a log group", trail.name),
                    "a trail that delivers to CloudWatch Logs",
                )
                .because(
                    "this option reads events from the log group; AWS charges per GB of events",
                )
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
                    format!("trail {} delivers to log group {name}", trail.name),
                    format!("log group {named}"),
                )
                .because("the given log group receives no events from the trail")
                .advice("remove --log-group: the log group is read from the trail"),
            );
        }
        if trail.log_group_role.is_none() {
            return Verdict::Fail(
                Finding::new(
                    "the trail has no role for CloudWatch Logs",
                    "a role that CloudTrail uses to write",
                )
                .because("without the role, CloudTrail cannot write to the log group")
                .console(format!(
                    "CloudTrail > Trails > {} > CloudWatch Logs > Edit > IAM Role",
                    trail.name
                ))
                .cli(log_streams::update_trail_log_group_command(
                    trail,
                    &format!("{arn}:*"),
                )),
            );
        }
        Verdict::Pass(name.to_owned())
    })
}

/// Returns the name in the ARN of a log group.
fn log_group_name(arn: &str) -> &str {
    Arn::parse(arn)
        .and_then(|arn| arn.resource.strip_prefix("log-group:"))
        .unwrap_or(arn)
}

fn account(snapshot: &Snapshot) -> Verdict {
    with_log_group(snapshot, |group| {
        let own = snapshot.account_id().unwrap_or_default();
        if group.account == own {
            return Verdict::Pass(format!("account {own}"));
        }
        Verdict::Fail(
            Finding::new(
                format!("log group {} is in account {}", group.name, group.account),
                format!("a log group in account {own}"),
            )
            .because("a log group can invoke only functions in its own account")
            .advice(format!(
                "run heeler-ec with credentials for {}",
                group.account
            )),
        )
    })
}

fn exists(snapshot: &Snapshot) -> Verdict {
    with_own_log_group(snapshot, |named| match &named.settings {
        Fact::Failed(error) => Verdict::Unknown(error.clone()),
        Fact::Present(_) => Verdict::Pass(format!("{} in {}", named.name, named.region)),
        Fact::NotRequested | Fact::Absent => Verdict::Fail(
            Finding::new(
                format!(
                    "log group {} does not exist in {}",
                    named.name, named.region
                ),
                "the trail's log group",
            )
            .because("it was deleted, but the trail still delivers to it")
            .cli(format!(
                "aws logs create-log-group --region {} --log-group-name {}",
                named.region,
                shell_quote(&named.name)
            )),
        ),
    })
}

fn class(snapshot: &Snapshot) -> Verdict {
    with_existing_log_group(snapshot, |named, group| {
        let class = group.class.as_deref().unwrap_or("STANDARD");
        if class == "STANDARD" {
            return Verdict::Pass(class.to_owned());
        }
        let new = format!("{}-standard", named.name);
        let finding = Finding::new(format!("class {class}"), "class STANDARD")
            .because("only class STANDARD supports subscription filters, and the class of a log group cannot be changed");
        Verdict::Fail(match snapshot.trail() {
            Some(trail) => log_streams::with_new_log_group_commands(snapshot, trail, &new, finding),
            None => finding,
        })
    })
}

fn retention(snapshot: &Snapshot) -> Verdict {
    with_existing_log_group(snapshot, |named, group| {
        let observed = match group.retention_days {
            Some(1) => return Verdict::Pass("1 day".into()),
            Some(days) => format!("events expire after {days} days"),
            None => "events never expire".to_owned(),
        };
        let users = other_users_note(snapshot, named, group);
        let finding = Finding::new(format!("{observed}{users}"), "1 day");
        if let Some(policy) = &group.retention_policy {
            return Verdict::Fail(
                finding
                    .because(format!(
                        "the account's retention policy {policy} overrides the retention of this log group"
                    ))
                    .console("CloudWatch > Settings > Account > Retention policies"),
            );
        }
        if named.name.starts_with("aws-controltower/") {
            return Verdict::Warn(
                finding
                    .because("Heeler's guide asks for one day, but Control Tower manages this log group and reverts changes")
                    .advice("no action is needed: collection works, but events are stored, and billed, for longer"),
            );
        }
        let finding = finding
            .because("Heeler's guide asks for one day; the change permanently deletes all events older than one day from the log group")
            .console(format!("CloudWatch > Log groups > {} > Actions > Edit retention setting", named.name))
            .cli(format!(
                "aws logs put-retention-policy --region {} --log-group-name {} --retention-in-days 1",
                named.region,
                shell_quote(&named.name)
            ));
        Verdict::Fail(
            finding
                .destructive("deletes all events older than one day")
                .fixable_if(true, FixAction::SetRetentionToOneDay),
        )
    })
}

/// Describes other users of the log group's events, as far as they are known.
fn other_users_note(
    snapshot: &Snapshot,
    named: &LogGroupFacts,
    group: &LogGroupSettings,
) -> String {
    let own = snapshot.request.names.subscription_filter();
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
    let mut other_users = String::new();
    if !users.is_empty() {
        other_users = format!("; also used by {}", users.join(", "));
    }
    if named.subscription_filters.is_err() {
        other_users
            .push_str("; its subscription filters could not be read, so it may have other users");
    }
    other_users
}

fn key(snapshot: &Snapshot) -> Verdict {
    with_existing_log_group(snapshot, |named, _| match &named.key {
        None => Verdict::Skip("the log group has no KMS key".into()),
        Some(facts) => match &facts.key {
            Fact::Failed(error) => Verdict::Unknown(error.clone()),
            Fact::Present(key) => key_state_verdict(snapshot, key, &facts.identifier),
            Fact::NotRequested | Fact::Absent => Verdict::Fail(
                Finding::new(
                    format!("KMS key {} does not exist", facts.identifier),
                    "an enabled key",
                )
                .because("CloudWatch Logs cannot decrypt the events to forward them")
                .cli(format!(
                    "aws logs disassociate-kms-key --region {} --log-group-name {}",
                    named.region,
                    shell_quote(&named.name)
                )),
            ),
        },
    })
}
