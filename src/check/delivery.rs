//! The verdict on the trail's last delivery, to the bucket or to the log group.

use std::time::{Duration, SystemTime};

use super::{CheckId, Finding, Verdict, format_time, skipped_because};
use crate::inventory::facts::{DeliveryStatus, TrailStatus};
use crate::inventory::{Fact, Snapshot};

const HOUR: Duration = Duration::from_secs(3_600);
const DAY: Duration = Duration::from_secs(86_400);
/// Time after which the first delivery is overdue. CloudTrail delivers about every five minutes.
const FIRST_DELIVERY_LIMIT: Duration = Duration::from_secs(1_800);

/// Evaluates the last delivery to one destination. `explain` adds the meaning of an error.
pub(super) fn delivery_verdict(
    snapshot: &Snapshot,
    place: impl FnOnce(&TrailStatus) -> &DeliveryStatus,
    explain: impl FnOnce(Finding, &str) -> Finding,
) -> Verdict {
    let status = match &snapshot.trail_status {
        Fact::NotRequested | Fact::Absent => return skipped_because(CheckId::TrailFound),
        Fact::Failed(error) => return Verdict::Unknown(error.clone()),
        Fact::Present(status) if !status.logging => return skipped_because(CheckId::TrailLogging),
        Fact::Present(status) => status,
    };
    let delivery = place(status);
    let look = snapshot.trail().map(|trail| {
        format!(
            "aws cloudtrail get-trail-status --region {} --name {}",
            trail.home_region, trail.arn
        )
    });
    let looked = |finding: Finding| match look.clone() {
        Some(command) => finding.cli(command),
        None => finding,
    };
    let age = |time: SystemTime| snapshot.now.duration_since(time).unwrap_or_default();
    if let Some(error) = &delivery.error {
        let last = match delivery.at {
            Some(at) => format!("; the last success was {}", format_time(at)),
            None => "; there was no successful delivery".into(),
        };
        let finding = Finding::new(
            format!("the last error was {error}{last}"),
            "no delivery error",
        );
        let finding = explain(finding, error);
        // AWS does not report the time of the error. A recent delivery may be later than the error.
        return match delivery.at {
            Some(at) if age(at) < HOUR => Verdict::Warn(finding.retryable()),
            _ => Verdict::Fail(finding),
        };
    }
    let Some(at) = delivery.at else {
        let finding = Finding::new("nothing has been delivered yet", "a delivery");
        return match status.started {
            Some(started) if age(started) >= FIRST_DELIVERY_LIMIT => Verdict::Fail(
                looked(finding)
                    .because(format!("the trail was started {}; the first delivery takes only minutes", format_time(started)))
                    .advice("wait 15 minutes and run preflight again; if there is still no delivery, contact AWS Support"),
            ),
            _ => Verdict::Warn(
                finding
                    .because("the trail was started less than half an hour ago; the first delivery takes some minutes")
                    .advice(format!(
                        "wait for the first delivery: {}",
                        snapshot.heeler_ec_command("preflight --wait 15m")
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
        .because("an organization produces events continuously, so something blocks their delivery")
        .console(format!(
            "CloudTrail > Trails > {} > General details (shows delivery errors)",
            snapshot.trail_name()
        ))
    };
    match age(at) {
        age if age < HOUR => Verdict::Pass(format!("last delivery: {}", format_time(at))),
        age if age < DAY => Verdict::Warn(finding().retryable()),
        _ => Verdict::Fail(finding()),
    }
}
