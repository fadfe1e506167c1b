//! Verdicts on the events that arrive in the log group, and the commands that allow `CloudTrail` to write them.

use serde_json::json;

use super::delivery::delivery_verdict;
use super::log_group_scope::{with_existing_log_group, with_log_group};
use super::{CheckId, Finding, Verdict, shell_quote, skipped_because};
use crate::aws::arn::{Arn, build, resource_name};
use crate::inventory::facts::{LogGroupFacts, Trail};
use crate::inventory::{Fact, Snapshot};

pub(super) fn delivery(snapshot: &Snapshot) -> Verdict {
    with_log_group(snapshot, |group| {
        delivery_verdict(
            snapshot,
            |status| &status.to_log_group,
            |finding, _| {
                let role = snapshot
                    .trail()
                    .and_then(|trail| trail.log_group_role.as_deref())
                    .unwrap_or("the trail's role");
                let finding = finding.because(format!(
                    "CloudTrail could not write to {}: {role} needs logs:CreateLogStream and logs:PutLogEvents on its streams",
                    group.name
                ));
                with_write_permission(snapshot, group, finding)
            },
        )
    })
}

/// Adds the steps that allow the trail's role to write to all of its streams.
fn with_write_permission(snapshot: &Snapshot, group: &LogGroupFacts, finding: Finding) -> Finding {
    let role = snapshot
        .trail()
        .and_then(|trail| trail.log_group_role.as_deref());
    let [own, of_members] = stream_patterns(snapshot, &group.account);
    let finding = finding.advice(format!(
        "allow both actions on log-group:{0}:log-stream:{own} and on log-group:{0}:log-stream:{of_members}",
        group.name
    ));
    let Some(role) = role else {
        return finding;
    };
    let finding = finding.console(format!(
        "IAM > Roles > {} > Permissions",
        resource_name(role)
    ));
    let place = [&group.name, &group.region, &group.account].map(String::as_str);
    match role_policy_command(snapshot, role, place) {
        Some(command) => finding.cli(command),
        None => finding,
    }
}

/// Returns the command that allows the role to write to all streams of a log group, given by name, region and account;
/// `None` if the organization's ID, which is part of the stream names, is unknown.
fn role_policy_command(
    snapshot: &Snapshot,
    role: &str,
    [group, region, account]: [&str; 3],
) -> Option<String> {
    snapshot.account.organization.present()?;
    let partition = Arn::parse(role).map_or("aws", |arn| arn.partition);
    let stream = |stream: String| {
        let resource = format!("log-group:{group}:log-stream:{stream}");
        build(partition, "logs", region, account, &resource)
    };
    let document = json!({
        "Version": "2012-10-17",
        "Statement": [{
            "Effect": "Allow",
            "Action": ["logs:CreateLogStream", "logs:PutLogEvents"],
            "Resource": stream_patterns(snapshot, account).map(stream),
        }],
    });
    Some(format!(
        "aws iam put-role-policy --role-name {} --policy-name {} --policy-document {}",
        shell_quote(resource_name(role)),
        shell_quote(&role_policy_name(group)),
        shell_quote(&document.to_string())
    ))
}

/// Returns the stream name patterns of this account and of member accounts.
fn stream_patterns(snapshot: &Snapshot, account: &str) -> [String; 2] {
    let home = snapshot
        .trail()
        .map_or("REGION", |trail| &trail.home_region);
    let organization = match &snapshot.account.organization {
        Fact::Present(organization) => &organization.id,
        _ => "o-ORGANIZATION",
    };
    [
        format!("{account}_CloudTrail_{home}*"),
        format!("{organization}_*"),
    ]
}

/// Returns a valid policy name that is unique per log group, so that policies do not replace each other.
fn role_policy_name(group: &str) -> String {
    const LONGEST: usize = 128;
    let safe = group.chars().map(|c| match c {
        '/' => '.',
        c if c.is_ascii_alphanumeric() || "+=,.@-_".contains(c) => c,
        _ => '_',
    });
    "cloudtrail-streams-"
        .chars()
        .chain(safe)
        .take(LONGEST)
        .collect()
}

/// Adds the commands that create a log group, allow the trail's role to write to it, and make the trail deliver to it. A
/// trail without a role gets a placeholder.
pub(super) fn with_new_log_group_commands(
    snapshot: &Snapshot,
    trail: &Trail,
    group: &str,
    finding: Finding,
) -> Finding {
    let finding = finding.cli(format!(
        "aws logs create-log-group --region {} --log-group-name {} --log-group-class STANDARD",
        trail.home_region,
        shell_quote(group)
    ));
    let account = Arn::parse(&trail.arn).map_or("ACCOUNT", |arn| arn.account);
    let role = trail.log_group_role.as_deref();
    let grant = role
        .and_then(|role| role_policy_command(snapshot, role, [group, &trail.home_region, account]));
    let finding = match grant {
        Some(command) => finding.cli(command),
        None => finding,
    };
    finding.cli(update_trail_log_group_command(
        trail,
        &log_group_arn(trail, group),
    ))
}

pub(super) fn log_group_arn(trail: &Trail, name: &str) -> String {
    let (partition, account) =
        Arn::parse(&trail.arn).map_or(("aws", "ACCOUNT"), |arn| (arn.partition, arn.account));
    format!(
        "arn:{partition}:logs:{}:{account}:log-group:{name}:*",
        trail.home_region
    )
}

/// Returns the command that makes the trail deliver to this log group.
pub(super) fn update_trail_log_group_command(trail: &Trail, group: &str) -> String {
    format!(
        "aws cloudtrail update-trail --region {} --name {} --cloud-watch-logs-log-group-arn {} --cloud-watch-logs-role-arn {}",
        trail.home_region,
        shell_quote(&trail.name),
        shell_quote(group),
        trail.log_group_role.as_deref().unwrap_or("ROLE_ARN"),
    )
}

pub(super) fn member_streams(snapshot: &Snapshot) -> Verdict {
    with_existing_log_group(snapshot, |group, _| {
        match &group.streams {
        Fact::Failed(error) => Verdict::Unknown(error.clone()),
        Fact::Present(streams) if streams.member_accounts => Verdict::Pass("member accounts have log streams".into()),
        Fact::Present(streams) if streams.any => Verdict::Fail(with_write_permission(snapshot, group,
            Finding::new("only this account has log streams", "log streams of member accounts")
                .because("the trail's role can write only to this account's log streams, so events of member accounts are missing"),
        )),
        _ if matches!(delivery(snapshot), Verdict::Pass(_)) => Verdict::Warn(
            Finding::new("the log group has no streams", "log streams of the organization's accounts")
                .because("the trail reports deliveries, so the streams were deleted or not created yet")
                .cli(format!(
                    "aws logs describe-log-streams --region {} --log-group-name {}",
                    group.region,
                    shell_quote(&group.name)
                ))
                .retryable(),
        ),
        _ => skipped_because(CheckId::LogsDelivery),
    }
    })
}
