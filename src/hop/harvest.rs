//! The harvest: Heeler assumes the role and polls the queue. The last use of the role shows whether Heeler polls.

use std::time::Duration;

use super::trail::age;
use super::{Hop, HopDraft, HopId, into_hop};
use crate::inventory::pipeline::PipelineFacts;

/// Maximum age of the role's last use while Heeler polls. Heeler polls every minute, but IAM reports the use of a role
/// with a delay of hours.
const SILENCE: Duration = Duration::from_secs(86_400);

/// Evaluates the harvest by the last use of the role.
#[must_use]
pub fn harvest(facts: &PipelineFacts) -> Hop {
    into_hop(evaluate_harvest(facts))
}

fn evaluate_harvest(facts: &PipelineFacts) -> Result<Hop, Box<Hop>> {
    let draft = HopDraft::new(
        HopId::Harvest,
        facts.queue_arn(),
        "Heeler receives from the queue and deletes what it received",
    );
    let role = draft.require(&facts.role.role, "the role does not exist")?;
    let Some(used) = role.last_used else {
        return Ok(draft
            .unknown("Heeler has not polled yet")
            .with_hint(format!(
                "enter the values of `{}` in Heeler; a refused attempt with a wrong external ID is not visible here",
                facts.heeler_ec_command("outputs")
            )));
    };
    let region = role.last_used_region.as_deref().unwrap_or("unknown region");
    let last = format!(
        "Heeler last used the role {} ({region})",
        age(facts.now, used)
    );
    let silence = facts.now.duration_since(used).unwrap_or_default();
    Ok(if silence > SILENCE {
        draft
            .broken(last)
            .with_hint("ask Heeler why it stopped polling")
    } else {
        draft.ok(last)
    })
}
