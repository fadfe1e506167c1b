//! Checks of the log group that the trail delivers to, and of what a subscription on it needs.

use super::key::usable;
use super::streams;
use super::subscription;
use super::survey::Survey;
use super::survey::facts::{Group, LogGroup, Trail};
use super::trail::on_trail;
use super::{Check, Finding, Repair, Verdict, Weight, hangs_on, quoted};
use crate::aws::arn::Arn;

pub const CHECKS: &[Check] = &[
    Check {
        id: "logs.enabled",
        says: "the trail delivers to a log group",
        weight: Weight::Hard,
        permissions: &["cloudtrail:DescribeTrails"],
        judge: enabled,
    },
    Check {
        id: "logs.account",
        says: "the log group belongs to this account",
        weight: Weight::Hard,
        permissions: &["cloudtrail:DescribeTrails"],
        judge: account,
    },
    Check {
        id: "logs.exists",
        says: "the log group exists",
        weight: Weight::Hard,
        permissions: &["logs:DescribeLogGroups"],
        judge: exists,
    },
    Check {
        id: "logs.delivery",
        says: "events arrive in the log group",
        weight: Weight::Required,
        permissions: &["cloudtrail:GetTrailStatus"],
        judge: streams::delivery,
    },
    Check {
        id: "logs.org_streams",
        says: "events of member accounts arrive in the log group",
        weight: Weight::Required,
        permissions: &["logs:DescribeLogStreams"],
        judge: streams::org_streams,
    },
    Check {
        id: "logs.class",
        says: "the log group is of a class that can be subscribed to",
        weight: Weight::Hard,
        permissions: &["logs:DescribeLogGroups"],
        judge: class,
    },
    Check {
        id: "logs.retention",
        says: "the log group keeps its events for one day",
        weight: Weight::Required,
        permissions: &["logs:DescribeLogGroups"],
        judge: retention,
    },
    Check {
        id: "logs.filters",
        says: "the log group has room for a subscription filter",
        weight: Weight::Hard,
        permissions: &["logs:DescribeSubscriptionFilters"],
        judge: subscription::filters,
    },
    Check {
        id: "logs.account_filter",
        says: "no subscription filter of the account meets the function's own log",
        weight: Weight::Advisory,
        permissions: &["logs:DescribeAccountPolicies"],
        judge: subscription::account_filter,
    },
    Check {
        id: "logs.key",
        says: "the log group's key is usable",
        weight: Weight::Required,
        permissions: &["kms:DescribeKey"],
        judge: key,
    },
    Check {
        id: "logs.data_protection",
        says: "events reach Heeler unmasked",
        weight: Weight::Advisory,
        permissions: &["logs:DescribeLogGroups"],
        judge: subscription::data_protection,
    },
    Check {
        id: "logs.transformer",
        says: "events reach Heeler untransformed",
        weight: Weight::Advisory,
        permissions: &["logs:GetTransformer"],
        judge: subscription::transformer,
    },
    Check {
        id: "logs.trail_lambda_loop",
        says: "the log group is not the function's own",
        weight: Weight::Hard,
        permissions: &["cloudtrail:DescribeTrails"],
        judge: subscription::no_loop,
    },
];

pub(super) fn on_log_group(survey: &Survey, judge: impl FnOnce(&LogGroup) -> Verdict) -> Verdict {
    survey
        .log_group
        .as_ref()
        .map_or_else(|| hangs_on("logs.enabled"), judge)
}

/// The same, once it is known to be in this account: one of the same name here would be another.
pub(super) fn on_own_log_group(
    survey: &Survey,
    judge: impl FnOnce(&LogGroup) -> Verdict,
) -> Verdict {
    on_log_group(survey, |group| {
        if Some(group.account.as_str()) == survey.own_account() {
            judge(group)
        } else {
            hangs_on("logs.account")
        }
    })
}

/// The group, once it is known to be there.
pub(super) fn on_group(
    survey: &Survey,
    judge: impl FnOnce(&LogGroup, &Group) -> Verdict,
) -> Verdict {
    on_own_log_group(survey, |named| match &named.group {
        Ok(Some(group)) => judge(named, group),
        _ => hangs_on("logs.exists"),
    })
}

fn enabled(survey: &Survey) -> Verdict {
    on_trail(survey, |trail| {
        let named = survey.hints.log_group.as_deref();
        let Some(arn) = &trail.log_group else {
            return Verdict::Fail(streams::deliver_to_new(
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
        let name = group_name(arn);
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
        if trail.log_role.is_none() {
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
                .cli(deliver_to(trail, &format!("{arn}:*"))),
            );
        }
        Verdict::Pass(name.to_owned())
    })
}

/// The name in the ARN of a log group.
fn group_name(arn: &str) -> &str {
    Arn::parse(arn)
        .and_then(|arn| arn.resource.strip_prefix("log-group:"))
        .unwrap_or(arn)
}

pub(super) fn group_arn(trail: &Trail, name: &str) -> String {
    let (partition, account) =
        Arn::parse(&trail.arn).map_or(("aws", "ACCOUNT"), |arn| (arn.partition, arn.account));
    format!(
        "arn:{partition}:logs:{}:{account}:log-group:{name}:*",
        trail.home
    )
}

/// The command by which the trail delivers to this log group.
pub(super) fn deliver_to(trail: &Trail, group: &str) -> String {
    format!(
        "aws cloudtrail update-trail --region {} --name {} --cloud-watch-logs-log-group-arn {} --cloud-watch-logs-role-arn {}",
        trail.home,
        quoted(&trail.name),
        quoted(group),
        trail.log_role.as_deref().unwrap_or("ROLE_ARN"),
    )
}

fn account(survey: &Survey) -> Verdict {
    on_log_group(survey, |group| {
        let own = survey.own_account().unwrap_or_default();
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

fn exists(survey: &Survey) -> Verdict {
    on_own_log_group(survey, |named| match &named.group {
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
                quoted(&named.name)
            )),
        ),
    })
}

fn class(survey: &Survey) -> Verdict {
    on_group(survey, |named, group| {
        let class = group.class.as_deref().unwrap_or("STANDARD");
        if class == "STANDARD" {
            return Verdict::Pass(class.to_owned());
        }
        let new = format!("{}-standard", named.name);
        let finding = Finding::new(format!("class {class}"), "class STANDARD")
            .because("only that class has subscription filters, and the class of a log group cannot be changed");
        Verdict::Fail(match survey.trail() {
            Some(trail) => streams::deliver_to_new(survey, trail, &new, finding),
            None => finding,
        })
    })
}

fn retention(survey: &Survey) -> Verdict {
    on_group(survey, |named, group| {
        let observed = match group.retention {
            Some(1) => return Verdict::Pass("1 day".into()),
            Some(days) => format!("{days} days"),
            None => "events never expire".to_owned(),
        };
        let users = users(survey, named, group);
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
                quoted(&named.name)
            ));
        Verdict::Fail(finding.repair_if(true, Repair::RetentionOfOneDay))
    })
}

/// Who else lives on the events in the group, as far as that may be seen.
fn users(survey: &Survey, named: &LogGroup, group: &Group) -> String {
    let own = survey.hints.names.subscription_filter();
    let filters = match &named.filters {
        Ok(filters) => filters.iter().filter(|filter| filter.name != own).count(),
        Err(_) => 0,
    };
    let users: Vec<String> = [
        (
            group.metric_filters.try_into().unwrap_or(0),
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
    if named.filters.is_err() {
        told.push_str("; its subscription filters could not be read, so others may use it");
    }
    told
}

fn key(survey: &Survey) -> Verdict {
    on_group(survey, |named, _| match &named.key {
        None => Verdict::Skip("the log group has no key of its own".into()),
        Some(facts) => match &facts.key {
            Err(error) => Verdict::Unknown(error.clone()),
            Ok(Some(key)) => usable(survey, key, &facts.asked),
            Ok(None) => Verdict::Fail(
                Finding::new(format!("there is no key {}", facts.asked), "an enabled key")
                    .because("CloudWatch Logs cannot read the events to pass them on")
                    .cli(format!(
                        "aws logs disassociate-kms-key --region {} --log-group-name {}",
                        named.region,
                        quoted(&named.name)
                    )),
            ),
        },
    })
}
