//! Verdicts on subscription filters, and on settings that would change the forwarded events.

use super::log_group_scope::{with_existing_log_group, with_own_log_group};
use super::log_streams::with_new_log_group_commands;
use super::{Finding, Verdict, shell_quote};
use crate::inventory::{Fact, Snapshot};

/// Maximum number of subscription filters of a log group.
const MAX_SUBSCRIPTION_FILTERS: usize = 5;

pub(super) fn subscription_filters(snapshot: &Snapshot) -> Verdict {
    with_existing_log_group(snapshot, |named, _| {
        let list = || {
            format!(
                "aws logs describe-subscription-filters --region {} --log-group-name {}",
                named.region,
                shell_quote(&named.name)
            )
        };
        let filters = match &named.subscription_filters {
            Err(error) => return Verdict::Unknown(error.clone()),
            Ok(filters) => filters,
        };
        let (own, function) = (
            snapshot.request.names.subscription_filter(),
            snapshot.request.names.function(),
        );
        if let Some(filter) = filters.iter().find(|filter| filter.name == own) {
            if filter
                .destination
                .ends_with(&format!(":function:{function}"))
            {
                return Verdict::Pass(format!("{own} already exists"));
            }
            return Verdict::Fail(
                Finding::new(
                    format!("filter {own} sends to {}", filter.destination),
                    format!("no filter of that name, or one to {function}"),
                )
                .because("setup uses this name, and the destination is not managed by heeler-ec")
                .cli(list())
                .advice("choose other names with --name-prefix"),
            );
        }
        let descriptions: Vec<String> = filters
            .iter()
            .map(|filter| format!("{} → {}", filter.name, filter.destination))
            .collect();
        match filters.len() {
            0 => Verdict::Pass("no other filters".into()),
            1 => Verdict::Pass(format!("1 other filter (unchanged): {}", descriptions[0])),
            many if many < MAX_SUBSCRIPTION_FILTERS => Verdict::Pass(format!(
                "{many} other filters (unchanged; some regions allow only two filters in total)"
            )),
            many => Verdict::Fail(
                Finding::new(
                    format!("{many} filters: {}", descriptions.join("; ")),
                    format!("fewer than {MAX_SUBSCRIPTION_FILTERS}"),
                )
                .because("a log group supports no more subscription filters")
                .cli(list())
                .advice("combine two destinations behind one filter, or use an option that reads from the bucket"),
            ),
        }
    })
}

pub(super) fn account_subscription_filter(snapshot: &Snapshot) -> Verdict {
    with_own_log_group(snapshot, |group| {
        let filters = match &group.account_subscription_filters {
            Err(error) => return Verdict::Unknown(error.clone()),
            Ok(filters) => filters,
        };
        let own = function_log_group(snapshot);
        // Selection criteria can only exclude log groups by name.
        let meeting = filters.iter().find(|filter| {
            filter
                .selection_criteria
                .as_deref()
                .is_none_or(|selection| !selection.contains(&format!("\"{own}\"")))
        });
        match (meeting, filters.len()) {
            (None, 0) => Verdict::Pass("no account-level filter".into()),
            (None, _) => Verdict::Pass(format!("they exclude {own}")),
            (Some(filter), _) => Verdict::Warn(
                Finding::new(
                    format!("account-level filter {} includes {own}", filter.name),
                    format!("selection criteria that exclude {own}"),
                )
                .because(
                    "the function's logs would be forwarded too, which costs money and may cause recursion",
                )
                .console("CloudWatch > Settings > Account > Subscription filter policy")
                .cli(format!(
                    "aws logs describe-account-policies --region {} --policy-type SUBSCRIPTION_FILTER_POLICY",
                    group.region
                )),
            ),
        }
    })
}

fn function_log_group(snapshot: &Snapshot) -> String {
    format!("/aws/lambda/{}", snapshot.request.names.function())
}

pub(super) fn data_protection(snapshot: &Snapshot) -> Verdict {
    with_existing_log_group(snapshot, |named, group| {
        if !group.has_data_protection {
            return Verdict::Pass("no data protection policy is active".into());
        }
        Verdict::Warn(
            Finding::new("a data protection policy is active", "no masking")
                .because("Heeler would receive masked values")
                .console(format!(
                    "CloudWatch > Log groups > {} > Data protection",
                    named.name
                ))
                .cli(format!(
                    "aws logs get-data-protection-policy --region {} --log-group-identifier {}",
                    named.region,
                    shell_quote(&named.name)
                )),
        )
    })
}

pub(super) fn transformer(snapshot: &Snapshot) -> Verdict {
    with_existing_log_group(snapshot, |named, _| {
        match &named.transformer {
        Fact::NotRequested | Fact::Absent => Verdict::Skip("checked only with --deep".into()),
        Fact::Failed(error) => Verdict::Unknown(error.clone()),
        Fact::Present(false) => Verdict::Pass("no transformer".into()),
        Fact::Present(true) => Verdict::Warn(
            Finding::new("the log group has a transformer", "no transformer")
                .because("a subscription filter may forward transformed events instead of CloudTrail's records")
                .console(format!("CloudWatch > Log groups > {} > Transformer", named.name))
                .cli(format!(
                    "aws logs get-transformer --region {} --log-group-identifier {}",
                    named.region,
                    shell_quote(&named.name)
                )),
        ),
    }
    })
}

pub(super) fn recursion(snapshot: &Snapshot) -> Verdict {
    with_own_log_group(snapshot, |group| {
        let own = function_log_group(snapshot);
        if group.name != own {
            return Verdict::Pass(format!("the function logs to {own}"));
        }
        let finding = Finding::new(
            format!("the trail delivers to {own}"),
            "a dedicated log group",
        )
        .because("this is the function's own log group: each invocation would cause the next")
        .console(format!(
            "CloudTrail > Trails > {} > CloudWatch Logs > Edit",
            snapshot.trail_name()
        ));
        Verdict::Fail(match snapshot.trail() {
            Some(trail) => {
                with_new_log_group_commands(snapshot, trail, "aws-cloudtrail-logs", finding)
            }
            None => finding,
        })
    })
}
