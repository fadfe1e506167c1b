//! Which management events the trail records, and the command that completes them.

use serde_json::Value;

use super::event_selectors::{Coverage, complete_selectors};
use super::trail::with_trail;
use super::{Finding, Verdict, shell_quote, skipped_because};
use crate::inventory::Snapshot;
use crate::inventory::facts::Trail;

fn with_coverage(survey: &Snapshot, judge: impl FnOnce(&Trail, Coverage) -> Verdict) -> Verdict {
    with_trail(survey, |trail| match &survey.event_selectors {
        None => skipped_because("trail.found"),
        Some(Err(error)) => Verdict::Unknown(error.clone()),
        Some(Ok(list)) => judge(trail, Coverage::from_selectors(&list.selectors)),
    })
}

pub(super) fn management_events(survey: &Snapshot) -> Verdict {
    with_coverage(survey, |trail, coverage| {
        let observed = match (coverage.read, coverage.write) {
            (true, true) => return Verdict::Pass("reads and writes are recorded".into()),
            (true, false) => "read events only".to_owned(),
            (false, true) => "write events only".to_owned(),
            (false, false) if coverage.narrowing_fields.is_empty() => {
                "no management events".to_owned()
            }
            (false, false) => format!(
                "narrowed by {}",
                coverage
                    .narrowing_fields
                    .iter()
                    .cloned()
                    .collect::<Vec<_>>()
                    .join(", ")
            ),
        };
        Verdict::Fail(with_complete_selectors(
            survey, trail, Finding::new(observed, "read and write management events")
                .because("Heeler needs all management events (the trail's data event selectors can stay)")
                .console(format!("CloudTrail > Trails > {} > Management events > Edit > Read, Write", trail.name))
        ))
    })
}

pub(super) fn event_sources(survey: &Snapshot) -> Verdict {
    with_coverage(survey, |trail, coverage| {
        if !coverage.read && !coverage.write {
            return skipped_because("trail.events.management");
        }
        if coverage.excluded_sources.is_empty() {
            return Verdict::Pass("no source is excluded".into());
        }
        let sources: Vec<String> = coverage.excluded_sources.into_iter().collect();
        Verdict::Fail(with_complete_selectors(
            survey, trail, Finding::new(format!("excluded: {}", sources.join(", ")), "no source excluded")
                .because("Heeler would not see, for instance, the deletion of a key or a change of its policy")
                .console(format!(
                    "CloudTrail > Trails > {} > Management events > Edit > clear Exclude AWS KMS events and Exclude Amazon RDS Data API events",
                    trail.name
                ))
        ))
    })
}

/// With the command that completes the list of selectors and keeps those of data and network events: it replaces
/// the whole list, so it has to hold them.
fn with_complete_selectors(survey: &Snapshot, trail: &Trail, finding: Finding) -> Finding {
    let Some(Ok(list)) = &survey.event_selectors else {
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
            .advice("a trail has at most five selectors: turn them into advanced event selectors"),
    }
}
