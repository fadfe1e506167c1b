//! Selects the trail of an option by running the option's checks on every candidate.

use super::destination::mismatch_check;
use super::{CheckId, OptionProfile, Verdict};
use crate::inventory::facts::{CandidateDetails, Trail, TrailCandidate, TrailSelection};
use crate::inventory::trail_candidates::MAX_INSPECTED_AT_ONCE;
use crate::inventory::{Inventory, Snapshot};

/// Returns the facts of one option, with the trail selected for it.
#[must_use]
pub fn snapshot(inventory: &Inventory, option: &OptionProfile) -> Snapshot {
    snapshot_preferring(inventory, option, |_| false)
}

/// Does the same as [`snapshot`], but resolves ties between passing trails in favour of the preferred one. A candidate
/// that was not inspected is never selected.
#[must_use]
pub fn snapshot_preferring(
    inventory: &Inventory,
    option: &OptionProfile,
    prefers: impl Fn(&Trail) -> bool,
) -> Snapshot {
    let identity = option.identity;
    if inventory.candidates.is_empty() {
        return inventory.snapshot_without_trail(identity);
    }
    let inspected: Vec<(&TrailCandidate, &CandidateDetails)> = inventory
        .candidates
        .iter()
        .filter_map(|candidate| Some((candidate, candidate.details.as_ref()?)))
        .collect();
    if let ([(candidate, details)], 1) = (inspected.as_slice(), inventory.candidates.len()) {
        return inventory.snapshot_with(identity, candidate, details);
    }
    let scored: Vec<(&TrailCandidate, &CandidateDetails, CandidateScore)> = inspected
        .into_iter()
        .map(|(candidate, details)| (candidate, details, score(inventory, option, candidate)))
        .collect();
    // A failed call is no failed check, but a candidate that passes everything is better.
    let any_passes = scored.iter().any(|(_, _, score)| score.passes_all());
    let test = if any_passes {
        CandidateScore::passes_all
    } else {
        CandidateScore::has_no_failures
    };
    let passing: Vec<(&TrailCandidate, &CandidateDetails)> = scored
        .iter()
        .filter(|(_, _, score)| test(score))
        .map(|(candidate, details, _)| (*candidate, *details))
        .collect();
    let selected = match passing.as_slice() {
        [one] => Some(one),
        several => several.iter().find(|(one, _)| prefers(&one.trail)),
    };
    match selected {
        Some((candidate, details)) => inventory.snapshot_with(identity, candidate, details),
        None => Snapshot {
            trail_selection: ambiguous_selection(inventory, option),
            ..inventory.snapshot_without_trail(identity)
        },
    }
}

/// Describes the choice: the passing candidates, or all candidates with their failed checks if none passes; and those
/// that were not inspected.
fn ambiguous_selection(inventory: &Inventory, option: &OptionProfile) -> TrailSelection {
    let mut scored: Vec<(&TrailCandidate, CandidateScore)> = inventory
        .candidates
        .iter()
        .map(|candidate| (candidate, score(inventory, option, candidate)))
        .collect();
    let not_inspected = scored
        .extract_if(.., |(candidate, score)| {
            candidate.details.is_none() && score.has_no_failures()
        })
        .map(|(candidate, _)| candidate.trail.name.clone())
        .collect();
    scored.sort_by_key(|(_, score)| score.failed_checks.len());
    let any_passes = scored
        .first()
        .is_some_and(|(_, score)| score.has_no_failures());
    let candidates = scored
        .into_iter()
        .filter(|(_, score)| !any_passes || score.has_no_failures())
        .map(|(candidate, score)| (candidate.trail.name.clone(), score.failed_checks))
        .collect();
    TrailSelection::Several {
        candidates,
        not_inspected,
    }
}

/// Returns the positions of the candidates to inspect next: those with the fewest failed checks, as long as an option has
/// no candidate that passes everything. The first round includes failing candidates, so that all of their failed checks
/// can be reported.
pub(super) fn next_to_inspect(
    inventory: &Inventory,
    options: &[OptionProfile],
    is_first_round: bool,
) -> Vec<usize> {
    if inventory.candidates.len() <= MAX_INSPECTED_AT_ONCE {
        return Vec::new();
    }
    let unsolved: Vec<&OptionProfile> = options
        .iter()
        .filter(|option| {
            let passes =
                |candidate: &TrailCandidate| score(inventory, option, candidate).passes_all();
            !inventory.candidates.iter().any(passes)
        })
        .collect();
    let mut open: Vec<(usize, usize)> = inventory
        .candidates
        .iter()
        .enumerate()
        .filter(|(_, candidate)| candidate.details.is_none())
        .filter_map(|(position, candidate)| {
            let failures: Vec<usize> = unsolved
                .iter()
                .map(|option| score(inventory, option, candidate).failed_checks.len())
                .collect();
            let may_pass = failures.contains(&0) || (is_first_round && !failures.is_empty());
            may_pass.then(|| (failures.iter().sum(), position))
        })
        .collect();
    open.sort_unstable();
    open.into_iter()
        .take(MAX_INSPECTED_AT_ONCE)
        .map(|(_, position)| position)
        .collect()
}

/// Scores a candidate; one that was not inspected is scored by what it records.
fn score(
    inventory: &Inventory,
    option: &OptionProfile,
    candidate: &TrailCandidate,
) -> CandidateScore {
    let identity = option.identity;
    if let Some(details) = &candidate.details {
        let snapshot = inventory.snapshot_with(identity, candidate, details);
        return CandidateScore::evaluate(&snapshot, option);
    }
    let snapshot = inventory.snapshot_of_recording(identity, candidate);
    let mut score = CandidateScore::evaluate(&snapshot, option);
    score.has_unknown_checks = true;
    let (destination, request) = (identity.destination, &inventory.request);
    let mismatch = mismatch_check(destination, request, &candidate.trail);
    score.failed_checks.extend(mismatch);
    score
}

/// The verdicts on a candidate and its destination.
struct CandidateScore {
    failed_checks: Vec<CheckId>,
    /// True if a required check is unknown.
    has_unknown_checks: bool,
}

impl CandidateScore {
    fn has_no_failures(&self) -> bool {
        self.failed_checks.is_empty()
    }

    fn passes_all(&self) -> bool {
        self.has_no_failures() && !self.has_unknown_checks
    }

    /// Runs the checks of the trail and its destination. Accepted checks count as passed.
    fn evaluate(snapshot: &Snapshot, option: &OptionProfile) -> Self {
        const GROUPS: [&str; 4] = ["trail", "bucket", "key", "logs"];
        let mut score = Self {
            failed_checks: Vec::new(),
            has_unknown_checks: false,
        };
        let checks = option
            .checks
            .iter()
            .copied()
            .flatten()
            .filter(|check| GROUPS.contains(&check.id.group()))
            .filter(|check| !check.id.is_accepted(snapshot));
        for check in checks {
            match (check.evaluate)(snapshot) {
                Verdict::Fail(_) => score.failed_checks.push(check.id),
                Verdict::Unknown(_) => {
                    score.has_unknown_checks |= !check.requirement.is_advisory();
                }
                _ => {}
            }
        }
        score
    }
}
