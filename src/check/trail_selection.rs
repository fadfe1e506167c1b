//! Which trail everything else is about, and what to do when none or several could be.

use super::{Finding, Verdict, shell_quote};
use crate::inventory::Snapshot;
use crate::inventory::facts::{Trail, TrailSelection};

pub(super) fn trail_found(survey: &Snapshot) -> Verdict {
    let trails = match &survey.account.trails {
        Err(error) => return Verdict::Unknown(error.clone()),
        Ok(trails) => trails,
    };
    match &survey.trail_selection {
        TrailSelection::Selected(trail) => {
            Verdict::Pass(format!("{}, home {}", trail.name, trail.home_region))
        }
        TrailSelection::Several {
            candidates: judged,
            not_inspected: unseen,
        } => Verdict::Fail(ambiguous_trails_finding(survey, judged, unseen)),
        TrailSelection::NotFound(named) => Verdict::Fail(
            Finding::new(
                format!("there is no trail {named} here"),
                "the trail named by --trail",
            )
            .because(format!(
                "the trails that can be seen are: {}",
                trail_names(trails).unwrap_or_else(|| "none".into())
            ))
            .cli("aws cloudtrail list-trails"),
        ),
        TrailSelection::None => {
            if let Some(Err(error)) = &survey.account.trails_in_other_regions {
                return Verdict::Unknown(error.clone());
            }
            let finding = Finding::new("there is no trail", "an organization trail")
                .because("without a trail there are no events to collect");
            Verdict::Fail(match &survey.account.trails_in_other_regions {
                Some(Ok(elsewhere)) if !elsewhere.is_empty() => finding.because(format!(
                    "those of other regions, {}, record one region each; an organization trail of all regions shows up everywhere",
                    trail_names(elsewhere).unwrap_or_default()
                )),
                _ => finding,
            }
            .console("CloudTrail > Trails > Create trail > Enable for all accounts in my organization")
            .cli("aws cloudtrail create-trail --name organization-trail --s3-bucket-name BUCKET --is-organization-trail --is-multi-region-trail --include-global-service-events"))
        }
    }
}

/// Each with what it lacks, if all of them lack something; and those of which it is not known.
fn ambiguous_trails_finding(
    survey: &Snapshot,
    judged: &[(String, Vec<&'static str>)],
    unseen: &[String],
) -> Finding {
    let option = survey.route.name();
    let qualify = !judged.is_empty() && judged.iter().all(|(_, lacks)| lacks.is_empty());
    let told: Vec<String> = judged
        .iter()
        .map(|(name, lacks)| match lacks.as_slice() {
            [] => name.clone(),
            lacks => format!("{name} (fails {})", lacks.join(", ")),
        })
        .collect();
    let mut observed = if qualify {
        format!("{} trails qualify: {}", judged.len(), told.join(", "))
    } else {
        format!(
            "none of {} trails passes: {}",
            judged.len(),
            told.join("; ")
        )
    };
    if !unseen.is_empty() {
        observed.push_str("; not looked into, as there are so many: ");
        observed.push_str(&unseen.join(", "));
    }
    let finding = Finding::new(observed, "one trail to work with")
        .because("events must be taken from one of them, or each would come twice");
    let nearest = judged.first().filter(|_| qualify || unseen.is_empty());
    let finding = match nearest {
        Some((name, lacks)) if !lacks.is_empty() => finding.advice(format!(
            "{name} is the nearest: mend {} of it; what is printed for it says how",
            lacks.join(", ")
        )),
        _ => finding.advice("say with --trail which one it is to be"),
    };
    // Of those that are known to lack something, none is better than one that is not known.
    match nearest.map(|(name, _)| name).or(unseen.first()) {
        Some(name) => finding.cli(survey.heeler_ec_command(&format!(
            "preflight --option {option} --trail {}",
            shell_quote(name)
        ))),
        None => finding,
    }
}

fn trail_names(trails: &[Trail]) -> Option<String> {
    let told: Vec<String> = trails
        .iter()
        .map(|trail| format!("{} ({})", trail.name, trail.home_region))
        .collect();
    (!told.is_empty()).then(|| told.join(", "))
}
