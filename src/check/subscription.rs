//! Whether the log group has room for a subscription, and whether Heeler would get the events through it as they are.

use super::log_streams::with_new_log_group_commands;
use super::logs::{with_existing_log_group, with_own_log_group};
use super::{Finding, Verdict, shell_quote};
use crate::inventory::Snapshot;

/// Subscription filters that a log group may have.
const MAX_SUBSCRIPTION_FILTERS: usize = 5;

pub(super) fn subscription_filters(survey: &Snapshot) -> Verdict {
    with_existing_log_group(survey, |named, _| {
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
            survey.request.names.subscription_filter(),
            survey.request.names.function(),
        );
        if let Some(filter) = filters.iter().find(|filter| filter.name == own) {
            if filter
                .destination
                .ends_with(&format!(":function:{function}"))
            {
                return Verdict::Pass(format!("{own} is there already"));
            }
            return Verdict::Fail(
                Finding::new(
                    format!("{own} leads to {}", filter.destination),
                    format!("a filter of that name to {function}, or none"),
                )
                .because("the name is the one that setup uses, and what it leads to is not ours")
                .cli(list())
                .advice("choose other names with --name-prefix"),
            );
        }
        let told: Vec<String> = filters
            .iter()
            .map(|filter| format!("{} → {}", filter.name, filter.destination))
            .collect();
        match filters.len() {
            0 => Verdict::Pass("it has none".into()),
            1 => Verdict::Pass(format!("1 other filter, which stays as it is: {}", told[0])),
            many if many < MAX_SUBSCRIPTION_FILTERS => Verdict::Pass(format!(
                "{many} other filters, which stay as they are (some regions allow two in all)"
            )),
            many => Verdict::Fail(
                Finding::new(
                    format!("{many} filters: {}", told.join("; ")),
                    format!("fewer than {MAX_SUBSCRIPTION_FILTERS}"),
                )
                .because("a log group takes no more subscription filters")
                .cli(list())
                .advice("chain one destination behind another, or use --option s3"),
            ),
        }
    })
}

pub(super) fn account_subscription_filter(survey: &Snapshot) -> Verdict {
    with_own_log_group(survey, |group| {
        let filters = match &group.account_subscription_filters {
            Err(error) => return Verdict::Unknown(error.clone()),
            Ok(filters) => filters,
        };
        let own = function_log_group(survey);
        // The only selection that there is leaves groups out by name.
        let meeting = filters.iter().find(|filter| {
            filter
                .selection_criteria
                .as_deref()
                .is_none_or(|selection| !selection.contains(&format!("\"{own}\"")))
        });
        match (meeting, filters.len()) {
            (None, 0) => Verdict::Pass("there is none".into()),
            (None, _) => Verdict::Pass(format!("they leave {own} out")),
            (Some(filter), _) => Verdict::Warn(
                Finding::new(
                    format!("filter {} of the account takes in {own}", filter.name),
                    format!("a selection that leaves {own} out"),
                )
                .because(
                    "what the function logs is passed on, too: it costs, and may go in a circle",
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

fn function_log_group(survey: &Snapshot) -> String {
    format!("/aws/lambda/{}", survey.request.names.function())
}

pub(super) fn data_protection(survey: &Snapshot) -> Verdict {
    with_existing_log_group(survey, |named, group| {
        if !group.has_data_protection {
            return Verdict::Pass("no data protection policy is active".into());
        }
        Verdict::Warn(
            Finding::new("a data protection policy is active", "no masking")
                .because("what it masks reaches Heeler masked")
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

pub(super) fn transformer(survey: &Snapshot) -> Verdict {
    with_existing_log_group(survey, |named, _| {
        match &named.transformer {
        None => Verdict::Skip("asked with --deep only".into()),
        Some(Err(error)) => Verdict::Unknown(error.clone()),
        Some(Ok(false)) => Verdict::Pass("it has no transformer".into()),
        Some(Ok(true)) => Verdict::Warn(
            Finding::new("the log group has a transformer", "no transformer")
                .because("a subscription may pass on the transformed events, which Heeler does not expect")
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

pub(super) fn recursion(survey: &Snapshot) -> Verdict {
    with_own_log_group(survey, |group| {
        let own = function_log_group(survey);
        if group.name != own {
            return Verdict::Pass(format!("the function's own is {own}"));
        }
        let finding = Finding::new(
            format!("the trail delivers to {own}"),
            "a log group of its own",
        )
        .because("that is the log of the function itself: each event would make the next")
        .console(format!(
            "CloudTrail > Trails > {} > CloudWatch Logs > Edit",
            survey.trail_name()
        ));
        Verdict::Fail(match survey.trail() {
            Some(trail) => {
                with_new_log_group_commands(survey, trail, "aws-cloudtrail-logs", finding)
            }
            None => finding,
        })
    })
}
