//! Whether events arrive in the log group, those of member accounts too, and what lets `CloudTrail` write them.

use serde_json::json;

use super::delivery::delivery_verdict;
use super::logs::{
    log_group_arn, update_trail_log_group_command, with_existing_log_group, with_log_group,
};
use super::{Finding, Verdict, shell_quote, skipped_because};
use crate::aws::arn::{Arn, build, resource_name};
use crate::inventory::Snapshot;
use crate::inventory::facts::{LogGroupFacts, Trail};

pub(super) fn delivery(survey: &Snapshot) -> Verdict {
    with_log_group(survey, |group| {
        delivery_verdict(
            survey,
            "trail.found",
            |status| &status.to_log_group,
            |finding, _| {
                let role = survey
                    .trail()
                    .and_then(|trail| trail.log_group_role.as_deref())
                    .unwrap_or("the trail's role");
                let finding = finding.because(format!(
                    "CloudTrail could not write to {}: {role} needs logs:CreateLogStream and logs:PutLogEvents on its streams",
                    group.name
                ));
                with_write_permission(survey, group, finding)
            },
        )
    })
}

/// With what lets the role of an organization trail write to all its streams.
fn with_write_permission(survey: &Snapshot, group: &LogGroupFacts, finding: Finding) -> Finding {
    let role = survey
        .trail()
        .and_then(|trail| trail.log_group_role.as_deref());
    let [own, of_members] = stream_patterns(survey, &group.account);
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
    match role_policy_command(survey, role, place) {
        Some(command) => finding.cli(command),
        None => finding,
    }
}

/// The command that lets the role write to all streams of a log group, given by name, region and account; none where
/// it is not known what the streams of the organization are called.
fn role_policy_command(
    survey: &Snapshot,
    role: &str,
    [group, region, account]: [&str; 3],
) -> Option<String> {
    if !matches!(survey.account.organization, Ok(Some(_))) {
        return None;
    }
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
            "Resource": stream_patterns(survey, account).map(stream),
        }],
    });
    Some(format!(
        "aws iam put-role-policy --role-name {} --policy-name {} --policy-document {}",
        shell_quote(resource_name(role)),
        shell_quote(&role_policy_name(group)),
        shell_quote(&document.to_string())
    ))
}

/// What the streams of the account are called, and those of the organization's others.
fn stream_patterns(survey: &Snapshot, account: &str) -> [String; 2] {
    let home = survey.trail().map_or("REGION", |trail| &trail.home_region);
    let organization = match &survey.account.organization {
        Ok(Some(organization)) => &organization.id,
        _ => "o-ORGANIZATION",
    };
    [
        format!("{account}_CloudTrail_{home}*"),
        format!("{organization}_*"),
    ]
}

/// A name of its own for each log group, as IAM takes it: else the grant for one would replace that for another.
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

/// With the commands by which the trail delivers to a log group that may not be there yet: the group, what lets the
/// trail's role write to it, and the trail. Which role it is to write with, nobody here can know unless it has one.
pub(super) fn with_new_log_group_commands(
    survey: &Snapshot,
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
        .and_then(|role| role_policy_command(survey, role, [group, &trail.home_region, account]));
    let finding = match grant {
        Some(command) => finding.cli(command),
        None => finding,
    };
    finding.cli(update_trail_log_group_command(
        trail,
        &log_group_arn(trail, group),
    ))
}

pub(super) fn member_streams(survey: &Snapshot) -> Verdict {
    with_existing_log_group(survey, |group, _| {
        match &group.streams {
        Err(error) => Verdict::Unknown(error.clone()),
        Ok(streams) if streams.member_accounts => Verdict::Pass("there are streams of the organization".into()),
        Ok(streams) if streams.any => Verdict::Fail(with_write_permission(survey, group,
            Finding::new("only streams of this account", "streams of the organization's other accounts")
                .because("the role that CloudTrail writes with allows this account's stream only, so member accounts are missing"),
        )),
        Ok(_) if matches!(delivery(survey), Verdict::Pass(_)) => Verdict::Warn(
            Finding::new("there is no stream yet", "streams of the organization's accounts")
                .because("the trail says that it delivers, so the streams were deleted or have not been made yet")
                .cli(format!(
                    "aws logs describe-log-streams --region {} --log-group-name {}",
                    group.region,
                    shell_quote(&group.name)
                ))
                .retryable(),
        ),
        Ok(_) => skipped_because("logs.delivery"),
    }
    })
}
