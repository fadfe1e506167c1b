//! The hop of the trail: it is logging, and its last delivery succeeded.

use std::time::{Duration, SystemTime};

use super::{Hop, HopDraft, HopId, into_hop};
use crate::inventory::Fact;
use crate::inventory::facts::{DeliveryStatus, TrailStatus};
use crate::inventory::pipeline::{PipelineFacts, PipelineSource};

/// Time after which a delivery is overdue. An organization produces events continuously.
const OVERDUE: Duration = Duration::from_secs(86_400);
/// Time after which the first delivery of a trail is overdue. CloudTrail delivers about every five minutes.
const FIRST_DELIVERY_LIMIT: Duration = Duration::from_secs(1_800);

/// Evaluates the trail by its status: logging, the last error and the last success.
#[must_use]
pub fn trail(facts: &PipelineFacts) -> Hop {
    into_hop(evaluate_trail(facts))
}

fn evaluate_trail(facts: &PipelineFacts) -> Result<Hop, Box<Hop>> {
    let place = match &facts.request.source {
        PipelineSource::Bucket { bucket, .. } => format!("bucket {bucket}"),
        PipelineSource::LogGroup { log_group, .. } => format!("log group {log_group}"),
    };
    let name = facts.trail.present().map_or("", |trail| &trail.arn);
    let draft = HopDraft::new(
        HopId::Trail,
        name,
        format!("a trail that delivers to {place}"),
    );
    let missing = format!(
        "no trail that is visible in {} delivers to {place}",
        facts.request.region
    );
    if let (Fact::Absent, Some(owner)) = (&facts.trail, unread_management_account(facts)) {
        let observed = format!("the trail belongs to the management account {owner}");
        let command = facts.heeler_ec_command(
            "status --profile PROFILE_OF_THE_MANAGEMENT_ACCOUNT --bucket-profile PROFILE_OF_THE_BUCKET_ACCOUNT",
        );
        return Ok(draft
            .unknown(observed)
            .with_hint(format!("to read it, run: `{command}`")));
    }
    let trail = draft
        .require(&facts.trail, &missing)
        .map_err(|hop| Box::new(add_preflight_hint(facts, *hop)))?;
    let status = draft.require(&facts.trail_status, "the trail does not exist")?;
    if !status.logging {
        let observed = match status.stopped {
            Some(time) => format!("logging stopped {}", age(facts.now, time)),
            None => "logging is stopped".to_owned(),
        };
        let command = format!(
            "`aws cloudtrail start-logging --region {} --name {}`",
            trail.home_region, trail.arn
        );
        return Ok(draft.broken(observed).with_hint(command));
    }
    let delivery = destination(facts, status);
    if let Some(error) = &delivery.error {
        let command = format!(
            "correct the cause; the error remains until the next delivery: `aws cloudtrail get-trail-status --region {} \
             --name {}`",
            trail.home_region, trail.arn
        );
        return Ok(draft
            .broken(format!("the last delivery failed: {error}"))
            .with_hint(command));
    }
    Ok(match (delivery.at, status.started) {
        (Some(at), _) if elapsed(facts.now, at) > OVERDUE => {
            draft.broken(format!("the last delivery was {}", age(facts.now, at)))
        }
        (Some(at), _) => draft.ok(format!("logging; last delivery {}", age(facts.now, at))),
        (None, Some(started)) if elapsed(facts.now, started) > FIRST_DELIVERY_LIMIT => draft
            .broken(format!(
                "logging started {}, but nothing has been delivered",
                age(facts.now, started)
            )),
        (None, _) => draft.ok("logging; no delivery yet"),
    })
}

/// Returns the management account, if the deployment is in another account and that one's credentials are not given.
fn unread_management_account(facts: &PipelineFacts) -> Option<&str> {
    let organization = facts.organization.present()?;
    let owner = organization.management_account.as_str();
    (facts.management.is_none() && owner != facts.request.account).then_some(owner)
}

fn add_preflight_hint(facts: &PipelineFacts, hop: Hop) -> Hop {
    let command = facts.heeler_ec_command("preflight");
    if hop.hint.is_none() {
        hop.with_hint(format!("to see the trails: `{command}`"))
    } else {
        hop
    }
}

fn destination<'a>(facts: &PipelineFacts, status: &'a TrailStatus) -> &'a DeliveryStatus {
    match facts.request.source {
        PipelineSource::Bucket { .. } => &status.to_bucket,
        PipelineSource::LogGroup { .. } => &status.to_log_group,
    }
}

fn elapsed(now: SystemTime, time: SystemTime) -> Duration {
    now.duration_since(time).unwrap_or_default()
}

/// Formats a time as `3 hours ago`.
pub(super) fn age(now: SystemTime, time: SystemTime) -> String {
    let seconds = elapsed(now, time).as_secs();
    let (count, unit) = match seconds {
        0..=119 => (seconds, "second"),
        120..=7_199 => (seconds / 60, "minute"),
        7_200..=172_799 => (seconds / 3_600, "hour"),
        _ => (seconds / 86_400, "day"),
    };
    let plural = if count == 1 { "" } else { "s" };
    format!("{count} {unit}{plural} ago")
}
