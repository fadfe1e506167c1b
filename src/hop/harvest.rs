//! The harvest: Heeler assumes the role and polls the queue. Evaluated by traffic.

use std::time::Duration;

use super::trail::age;
use super::{Hop, HopDraft, HopId, into_hop};
use crate::inventory::bucket_events::HEELER;
use crate::inventory::pipeline::{PipelineFacts, TrafficFacts, TrafficMetric};

/// Time after which the last use of the role is no sign of polling. Heeler polls every minute; IAM reports the use of a
/// role with a delay of up to hours.
const SILENCE: Duration = Duration::from_secs(86_400);

/// Number of minutes with metrics without which silence means nothing. Heeler polls every minute.
const MIN_POINTS: usize = 10;

/// Evaluates the harvest by the metrics of the queue, and by the last use of the role.
#[must_use]
pub fn harvest(facts: &PipelineFacts) -> Hop {
    into_hop(evaluate_harvest(facts))
}

fn evaluate_harvest(facts: &PipelineFacts) -> Result<Hop, Box<Hop>> {
    let draft = HopDraft::new(
        HopId::Harvest,
        facts.queue_arn(),
        format!(
            "{} receives from the queue and deletes what it received",
            facts.vendor()
        ),
    );
    let traffic = facts.traffic.present();
    if let Some(polled) = traffic.and_then(|traffic| evaluate_polling(facts, &draft, traffic)) {
        return Ok(polled);
    }
    let role = draft.require(&facts.role.role, "the role does not exist")?;
    let Some(used) = role.last_used else {
        return Ok(draft
            .unknown(format!("{} has not polled yet", facts.vendor()))
            .with_hint(format!(
                "{} the values of `{}`{}; a refused attempt with a wrong external ID is not visible here",
                if is_heeler(facts) { "enter" } else { "give the vendor" },
                facts.heeler_ec_command("outputs"),
                if is_heeler(facts) { " in Heeler" } else { "" },
            )));
    };
    let region = role.last_used_region.as_deref().unwrap_or("unknown region");
    let last = format!(
        "{} last used the role {} ({region})",
        facts.vendor(),
        age(facts.now, used)
    );
    let ask = format!("ask {} why it stopped polling", facts.vendor());
    if traffic.is_some_and(is_observed) {
        let observed = format!("nobody received in the last 15 minutes; {last}");
        return Ok(draft.broken(observed).with_hint(ask));
    }
    let silence = facts.now.duration_since(used).unwrap_or_default();
    Ok(if silence > SILENCE {
        draft.broken(last).with_hint(ask)
    } else {
        draft.ok(last)
    })
}

fn is_heeler(facts: &PipelineFacts) -> bool {
    facts.vendor() == HEELER
}

/// Returns true if the metrics show most minutes of the window. A queue without traffic becomes inactive and has no data
/// points; after its next use they start within 15 minutes. Source:
/// <https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-monitoring-using-cloudwatch.html>.
fn is_observed(traffic: &TrafficFacts) -> bool {
    traffic.points(TrafficMetric::QueueSent) >= MIN_POINTS
}

/// Evaluates what was received and deleted. Returns `None` if nobody received.
fn evaluate_polling(
    facts: &PipelineFacts,
    draft: &HopDraft,
    traffic: &TrafficFacts,
) -> Option<Hop> {
    let count = |metric| traffic.get(metric).unwrap_or_default();
    let received = count(TrafficMetric::QueueReceived);
    let deleted = count(TrafficMetric::QueueDeleted);
    if received + count(TrafficMetric::QueueEmptyReceives) == 0 {
        return None;
    }
    let queue = facts.queue.present();
    let remains = queue.is_some_and(|queue| queue.visible + queue.in_flight > 0);
    // SQS counts deletes approximately, so only none at all is a finding.
    Some(if received > 0 && deleted == 0 && remains {
        draft
            .clone()
            .broken(format!(
                "{} received {received} messages in the last 15 minutes and deleted none",
                facts.vendor()
            ))
            .with_hint(format!(
                "correct the hops of the role, the keys and the bucket; if they work, ask {}",
                facts.vendor()
            ))
    } else {
        draft.clone().ok(format!(
            "received {received} and deleted {deleted} messages in the last 15 minutes"
        ))
    })
}
