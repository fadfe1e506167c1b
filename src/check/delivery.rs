//! How the trail's last delivery to one place went: to the bucket, or to the log group.

use std::time::{Duration, SystemTime};

use super::{Finding, Verdict, format_time, skipped_because};
use crate::inventory::Snapshot;
use crate::inventory::facts::{DeliveryStatus, TrailStatus};

const HOUR: Duration = Duration::from_secs(3_600);
const DAY: Duration = Duration::from_secs(86_400);
/// CloudTrail delivers every five minutes or so.
const FIRST_DELIVERY_LIMIT: Duration = Duration::from_secs(1_800);

/// The verdict on how the last delivery to one place went. `explain` says what is behind an error.
pub(super) fn delivery_verdict(
    survey: &Snapshot,
    hangs: &str,
    place: impl FnOnce(&TrailStatus) -> &DeliveryStatus,
    explain: impl FnOnce(Finding, &str) -> Finding,
) -> Verdict {
    let status = match &survey.trail_status {
        None => return skipped_because(hangs),
        Some(Err(error)) => return Verdict::Unknown(error.clone()),
        Some(Ok(status)) if !status.logging => return skipped_because("trail.logging"),
        Some(Ok(status)) => status,
    };
    let delivery = place(status);
    let look = survey.trail().map(|trail| {
        format!(
            "aws cloudtrail get-trail-status --region {} --name {}",
            trail.home_region, trail.arn
        )
    });
    let looked = |finding: Finding| match look.clone() {
        Some(command) => finding.cli(command),
        None => finding,
    };
    let age = |time: SystemTime| survey.now.duration_since(time).unwrap_or_default();
    if let Some(error) = &delivery.error {
        let last = match delivery.at {
            Some(at) => format!("; the last success was {}", format_time(at)),
            None => "; nothing was ever delivered".into(),
        };
        let finding = Finding::new(
            format!("the last error was {error}{last}"),
            "no delivery error",
        );
        let finding = explain(finding, error);
        // AWS does not say when the error was. What was delivered lately may have come after it.
        return match delivery.at {
            Some(at) if age(at) < HOUR => Verdict::Warn(finding.retryable()),
            _ => Verdict::Fail(finding),
        };
    }
    let Some(at) = delivery.at else {
        let finding = Finding::new("nothing was delivered yet", "a delivery");
        return match status.started {
            Some(started) if age(started) >= FIRST_DELIVERY_LIMIT => Verdict::Fail(
                looked(finding)
                    .because(format!("the trail was started {}, and the first delivery takes minutes", format_time(started)))
                    .advice("wait 15 minutes and look again; then ask AWS Support"),
            ),
            _ => Verdict::Warn(
                finding
                    .because("the trail was started less than half an hour ago; the first delivery takes some minutes")
                    .advice(format!(
                        "wait for it: {}",
                        survey.heeler_ec_command("preflight --wait 15m")
                    ))
                    .retryable(),
            ),
        };
    };
    let finding = || {
        looked(Finding::new(
            format!("the last delivery was {}", format_time(at)),
            "a delivery within the last hour",
        ))
        .because("an organization makes events all the time; something keeps them from arriving")
        .console(format!(
            "CloudTrail > Trails > {} > General details, which tells of delivery errors",
            survey.trail_name()
        ))
    };
    match age(at) {
        age if age < HOUR => Verdict::Pass(format!("the last one was {}", format_time(at))),
        age if age < DAY => Verdict::Warn(finding().retryable()),
        _ => Verdict::Fail(finding()),
    }
}
