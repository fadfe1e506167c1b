//! The hops of a log group: the log group, and the subscription filter that sends events to the function.

use super::topic::with_repair;
use super::{Hop, HopDraft, HopId, HopStatus, into_hop};
use crate::inventory::Fact;
use crate::inventory::pipeline::{PipelineFacts, PipelineSource};

/// Evaluates the log group: it exists, and its class allows subscription filters.
#[must_use]
pub fn log_group(facts: &PipelineFacts) -> Hop {
    into_hop(evaluate_log_group(facts))
}

fn evaluate_log_group(facts: &PipelineFacts) -> Result<Hop, Box<Hop>> {
    let name = group_name(facts);
    let arn = facts.regional_arn("logs", &format!("log-group:{name}"));
    let draft = HopDraft::new(HopId::LogGroup, arn, "a log group of the class STANDARD");
    let missing = draft.require(&facts.log_group, "the log group does not exist");
    let found = missing.map_err(|mut hop| {
        if hop.status == HopStatus::Broken {
            hop.hint = Some(
                format!(
                    "create it again: `aws logs create-log-group --region {} --log-group-name {name}`, then run `{}`",
                    facts.request.region,
                    facts.setup_command()
                )
                .into(),
            );
        }
        hop
    })?;
    Ok(match found.class.as_deref() {
        Some(class) if class != "STANDARD" => draft.broken(format!(
            "the class is {class}, which has no subscription filters"
        )),
        _ => draft.ok("exists"),
    })
}

/// Evaluates the subscription filter of this name: it sends the events of `pattern` to the function.
#[must_use]
pub fn subscription_filter(facts: &PipelineFacts, name: &str, pattern: &str) -> Hop {
    into_hop(evaluate_subscription_filter(facts, name, pattern))
}

fn evaluate_subscription_filter(
    facts: &PipelineFacts,
    name: &str,
    pattern: &str,
) -> Result<Hop, Box<Hop>> {
    let draft = HopDraft::new(
        HopId::SubscriptionFilter,
        name,
        "a subscription filter with Heeler's pattern that names the function",
    );
    if matches!(facts.log_group, Fact::Absent) {
        // The filter was deleted with its log group, which is the broken hop.
        return Ok(draft.with_status(HopStatus::NotReached, "the log group does not exist"));
    }
    let filters = draft.require(&facts.subscription_filters, "")?;
    let repair = |hop: Hop| Ok(with_repair(facts, hop));
    let Some(filter) = filters.iter().find(|filter| filter.name == name) else {
        return repair(draft.broken(format!(
            "log group {} has no subscription filter {name}",
            group_name(facts)
        )));
    };
    let function = match &facts.request.source {
        PipelineSource::LogGroup { function, .. } => function.as_str(),
        PipelineSource::Bucket { .. } => "",
    };
    let function = facts.regional_arn("lambda", &format!("function:{function}"));
    if filter.destination != function {
        return repair(draft.broken(format!("the filter sends to {}", filter.destination)));
    }
    if filter.pattern.trim() != pattern.trim() {
        return repair(draft.broken("the filter has another pattern"));
    }
    Ok(draft.ok("Heeler's pattern → the function"))
}

/// Returns the name of the log group.
pub(super) fn group_name(facts: &PipelineFacts) -> &str {
    match &facts.request.source {
        PipelineSource::LogGroup { log_group, .. } => log_group,
        PipelineSource::Bucket { .. } => "",
    }
}
