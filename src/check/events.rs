//! Which management events the trail records, and the command that completes them.

use serde_json::Value;

use super::selectors::{Coverage, completed};
use super::survey::Survey;
use super::survey::facts::Trail;
use super::trail::on_trail;
use super::{Finding, Verdict, hangs_on, quoted};

fn coverage(survey: &Survey, judge: impl FnOnce(&Trail, Coverage) -> Verdict) -> Verdict {
    on_trail(survey, |trail| match &survey.selectors {
        None => hangs_on("trail.found"),
        Some(Err(error)) => Verdict::Unknown(error.clone()),
        Some(Ok(list)) => judge(trail, Coverage::of(&list.selectors)),
    })
}

pub(super) fn management(survey: &Survey) -> Verdict {
    coverage(survey, |trail, coverage| {
        let observed = match (coverage.read, coverage.write) {
            (true, true) => return Verdict::Pass("reads and writes are recorded".into()),
            (true, false) => "read events only".to_owned(),
            (false, true) => "write events only".to_owned(),
            (false, false) if coverage.narrowed.is_empty() => "no management events".to_owned(),
            (false, false) => format!(
                "narrowed by {}",
                coverage
                    .narrowed
                    .iter()
                    .cloned()
                    .collect::<Vec<_>>()
                    .join(", ")
            ),
        };
        Verdict::Fail(complete(
            survey, trail, Finding::new(observed, "read and write management events")
                .because("Heeler needs all management events (the trail's data event selectors can stay)")
                .console(format!("CloudTrail > Trails > {} > Management events > Edit > Read, Write", trail.name))
        ))
    })
}

pub(super) fn sources(survey: &Survey) -> Verdict {
    coverage(survey, |trail, coverage| {
        if !coverage.read && !coverage.write {
            return hangs_on("trail.events.management");
        }
        if coverage.excluded.is_empty() {
            return Verdict::Pass("no source is excluded".into());
        }
        let sources: Vec<String> = coverage.excluded.into_iter().collect();
        Verdict::Fail(complete(
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
fn complete(survey: &Survey, trail: &Trail, finding: Finding) -> Finding {
    let Some(Ok(list)) = &survey.selectors else {
        return finding;
    };
    match completed(&list.raw) {
        Some((option, list)) => finding.cli(format!(
            "aws cloudtrail put-event-selectors --region {} --trail-name {} {option} {}",
            trail.home,
            quoted(&trail.name),
            quoted(&Value::from(list).to_string())
        )),
        None => finding
            .advice("a trail has at most five selectors: turn them into advanced event selectors"),
    }
}
