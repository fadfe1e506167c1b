//! Verdicts on the recorded management events, and the command that completes the selectors.

use serde_json::Value;

use super::trail_scope::with_trail;
use super::{CheckId, Finding, Verdict, shell_quote, skipped_because};
use crate::inventory::event_selectors::{Coverage, complete_selectors};
use crate::inventory::facts::Trail;
use crate::inventory::{Fact, Snapshot};

fn with_coverage(
    snapshot: &Snapshot,
    evaluate: impl FnOnce(&Trail, Coverage) -> Verdict,
) -> Verdict {
    with_trail(snapshot, |trail| match &snapshot.event_selectors {
        Fact::NotRequested | Fact::Absent => skipped_because(CheckId::TrailFound),
        Fact::Failed(error) => Verdict::Unknown(error.clone()),
        Fact::Present(list) => evaluate(trail, Coverage::from_selectors(&list.selectors)),
    })
}

pub(super) fn management_events(snapshot: &Snapshot) -> Verdict {
    with_coverage(snapshot, |trail, coverage| {
        let observed = match (coverage.read, coverage.write) {
            (true, true) => return Verdict::Pass("reads and writes are recorded".into()),
            (true, false) => "only read events are recorded".to_owned(),
            (false, true) => "only write events are recorded".to_owned(),
            (false, false) if coverage.narrowing_fields.is_empty() => {
                "no management events are recorded".to_owned()
            }
            (false, false) => format!(
                "management events are narrowed by {}",
                coverage
                    .narrowing_fields
                    .iter()
                    .cloned()
                    .collect::<Vec<_>>()
                    .join(", ")
            ),
        };
        Verdict::Fail(with_complete_selectors(
            snapshot,
            trail,
            Finding::new(observed, "read and write management events")
                .because("Heeler needs all management events; data event selectors can stay")
                .console(format!(
                    "CloudTrail > Trails > {} > Management events > Edit > Read, Write",
                    trail.name
                )),
        ))
    })
}

pub(super) fn event_sources(snapshot: &Snapshot) -> Verdict {
    with_coverage(snapshot, |trail, coverage| {
        if !coverage.read && !coverage.write {
            return skipped_because(CheckId::TrailEventsManagement);
        }
        if coverage.excluded_sources.is_empty() {
            return Verdict::Pass("no event source is excluded".into());
        }
        let sources: Vec<String> = coverage.excluded_sources.into_iter().collect();
        Verdict::Fail(with_complete_selectors(
            snapshot, trail, Finding::new(format!("excluded event sources: {}", sources.join(", ")), "no excluded event sources")
                .because("Heeler would miss events such as a key deletion or a key policy change")
                .console(format!(
                    "CloudTrail > Trails > {} > Management events > Edit > clear Exclude AWS KMS events and Exclude Amazon RDS Data API events",
                    trail.name
                ))
        ))
    })
}

/// Adds the command that completes the selectors. `put-event-selectors` replaces the whole list, so the command repeats
/// the selectors for data and network events.
fn with_complete_selectors(snapshot: &Snapshot, trail: &Trail, finding: Finding) -> Finding {
    let Fact::Present(list) = &snapshot.event_selectors else {
        return finding;
    };
    match complete_selectors(&list.raw) {
        Some((option, list)) => finding.cli(format!(
            "aws cloudtrail put-event-selectors --region {} --trail-name {} {option} {}",
            trail.home_region,
            shell_quote(&trail.name),
            shell_quote(&Value::from(list).to_string())
        )),
        None => finding
            .advice("a trail can have at most five basic event selectors: convert them to advanced event selectors"),
    }
}
