//! Whether the log group has room for a subscription, and whether Heeler would get the events through it as they are.

use super::logs::{on_group, on_own_log_group};
use super::streams::deliver_to_new;
use super::survey::Survey;
use super::{Finding, Verdict, quoted};

/// Subscription filters that a log group may have.
const FILTERS: usize = 5;

pub(super) fn filters(survey: &Survey) -> Verdict {
    on_group(survey, |named, _| {
        let list = || {
            format!(
                "aws logs describe-subscription-filters --region {} --log-group-name {}",
                named.region,
                quoted(&named.name)
            )
        };
        let filters = match &named.filters {
            Err(error) => return Verdict::Unknown(error.clone()),
            Ok(filters) => filters,
        };
        let (own, function) = (
            survey.hints.names.subscription_filter(),
            survey.hints.names.function(),
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
            many if many < FILTERS => Verdict::Pass(format!(
                "{many} other filters, which stay as they are (some regions allow two in all)"
            )),
            many => Verdict::Fail(
                Finding::new(
                    format!("{many} filters: {}", told.join("; ")),
                    format!("fewer than {FILTERS}"),
                )
                .because("a log group takes no more subscription filters")
                .cli(list())
                .advice("chain one destination behind another, or use --option s3"),
            ),
        }
    })
}

pub(super) fn account_filter(survey: &Survey) -> Verdict {
    on_own_log_group(survey, |group| {
        let filters = match &group.account_filters {
            Err(error) => return Verdict::Unknown(error.clone()),
            Ok(filters) => filters,
        };
        let own = own_log_group(survey);
        // The only selection that there is leaves groups out by name.
        let meeting = filters.iter().find(|filter| {
            filter
                .selection
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

fn own_log_group(survey: &Survey) -> String {
    format!("/aws/lambda/{}", survey.hints.names.function())
}

pub(super) fn data_protection(survey: &Survey) -> Verdict {
    on_group(survey, |named, group| {
        if !group.masked {
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
                    quoted(&named.name)
                )),
        )
    })
}

pub(super) fn transformer(survey: &Survey) -> Verdict {
    on_group(survey, |named, _| {
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
                    quoted(&named.name)
                )),
        ),
    }
    })
}

pub(super) fn no_loop(survey: &Survey) -> Verdict {
    on_own_log_group(survey, |group| {
        let own = own_log_group(survey);
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
            Some(trail) => deliver_to_new(survey, trail, "aws-cloudtrail-logs", finding),
            None => finding,
        })
    })
}
