//! The verdict on the selection of a trail, and the commands that make it unambiguous.

use super::{CheckId, Finding, Verdict, shell_quote};
use crate::inventory::facts::{Trail, TrailSelection};
use crate::inventory::{Fact, Snapshot};

pub(super) fn trail_found(snapshot: &Snapshot) -> Verdict {
    let trails = match &snapshot.account.trails {
        Err(error) => return Verdict::Unknown(error.clone()),
        Ok(trails) => trails,
    };
    match &snapshot.trail_selection {
        TrailSelection::Selected(trail) => {
            Verdict::Pass(format!("{}, home region {}", trail.name, trail.home_region))
        }
        TrailSelection::Several {
            candidates,
            not_inspected,
        } => Verdict::Fail(ambiguous_trails_finding(
            snapshot,
            candidates,
            not_inspected,
        )),
        TrailSelection::NotFound(given) => Verdict::Fail(
            Finding::new(
                format!("trail {given} was not found"),
                "the trail given with --trail",
            )
            .because(format!(
                "visible trails: {}",
                trail_names(trails).unwrap_or_else(|| "none".into())
            ))
            .cli("aws cloudtrail list-trails"),
        ),
        TrailSelection::None => no_trail(&snapshot.account.trails_in_other_regions),
    }
}

fn no_trail(in_other_regions: &Fact<Vec<Trail>>) -> Verdict {
    let reason = match in_other_regions {
        Fact::Failed(error) => return Verdict::Unknown(error.clone()),
        Fact::Present(trails) if !trails.is_empty() => format!(
            "the trails in other regions ({}) each record one region; a multi-region organization trail is visible in every region",
            trail_names(trails).unwrap_or_default()
        ),
        _ => "without a trail there are no events to collect".to_owned(),
    };
    Verdict::Fail(
        Finding::new("no trail was found", "an organization trail")
            .because(reason)
            .console("CloudTrail > Trails > Create trail > Enable for all accounts in my organization")
            .cli("aws cloudtrail create-trail --name organization-trail --s3-bucket-name BUCKET --is-organization-trail --is-multi-region-trail --include-global-service-events"),
    )
}

/// Describes the candidates: the passing ones, or all with their failed checks; and those that were not inspected.
fn ambiguous_trails_finding(
    snapshot: &Snapshot,
    candidates: &[(String, Vec<CheckId>)],
    not_inspected: &[String],
) -> Finding {
    let all_pass = !candidates.is_empty() && candidates.iter().all(|(_, failed)| failed.is_empty());
    let descriptions: Vec<String> = candidates
        .iter()
        .map(|(name, failed)| match failed.as_slice() {
            [] => name.clone(),
            failed => format!("{name} (fails {})", join_ids(failed)),
        })
        .collect();
    let mut observed = if all_pass {
        format!(
            "{} trails qualify: {}",
            candidates.len(),
            descriptions.join(", ")
        )
    } else {
        format!(
            "none of {} trails passes: {}",
            candidates.len(),
            descriptions.join("; ")
        )
    };
    if !not_inspected.is_empty() {
        observed.push_str("; not inspected because there are too many: ");
        observed.push_str(&not_inspected.join(", "));
    }
    let finding = Finding::new(observed, "exactly one trail")
        .because("events must come from one trail, or Heeler would receive each event twice");
    // A candidate with failures is no better than one that was not inspected.
    let best = candidates
        .first()
        .filter(|_| all_pass || not_inspected.is_empty());
    let finding = match best {
        Some((name, failed)) if !failed.is_empty() => finding.advice(format!(
            "{name} fails the fewest checks: fix {}; the command below shows how",
            join_ids(failed)
        )),
        _ => finding.advice("select one with --trail"),
    };
    match best.map(|(name, _)| name).or(not_inspected.first()) {
        Some(name) => finding.cli(snapshot.heeler_ec_command(&format!(
            "preflight {} --trail {}",
            snapshot.option.owner.arguments,
            shell_quote(name)
        ))),
        None => finding,
    }
}

fn trail_names(trails: &[Trail]) -> Option<String> {
    let names: Vec<String> = trails
        .iter()
        .map(|trail| format!("{} ({})", trail.name, trail.home_region))
        .collect();
    (!names.is_empty()).then(|| names.join(", "))
}

fn join_ids(checks: &[CheckId]) -> String {
    let ids: Vec<&str> = checks.iter().map(|check| check.as_str()).collect();
    ids.join(", ")
}
