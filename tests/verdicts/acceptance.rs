//! What the operator makes of the verdicts: what is accepted, what counts as ready.

use heeler_ec::check::{Report, checks, run};
use heeler_ec::inventory::Snapshot;
use heeler_ec::inventory::facts::BucketOwner;
use heeler_ec::inventory::trail_destination::TrailDestination;

use super::account::{bucket, trail};
use super::fixture::ready;
use super::refused;
use super::trail::status;

/// The report when one thing is different and these checks are accepted.
fn report(differs: impl FnOnce(&mut Snapshot), accepted: &[&str], strict: bool) -> Report {
    let mut survey = ready(TrailDestination::Bucket);
    differs(&mut survey);
    survey.request.accepted_checks = accepted.iter().map(|id| (*id).to_owned()).collect();
    run(&survey, strict)
}

#[test]
fn failure_blocks_until_accepted() {
    let stopped = |survey: &mut Snapshot| trail(survey).is_multi_region = false;
    assert!(!report(stopped, &[], false).is_ready());
    let accepted = report(stopped, &["trail.multi_region"], false);
    assert!(accepted.is_ready());
    assert_eq!(
        (accepted.counts().failed, accepted.counts().accepted),
        (1, 1)
    );
}

#[test]
fn blocking_check_cannot_be_accepted() {
    let archive = |survey: &mut Snapshot| {
        bucket(survey).owner = Ok(BucketOwner::Missing);
    };
    assert!(!report(archive, &["bucket.owner"], false).is_ready());
}

#[test]
fn account_checks_cannot_be_accepted() {
    for check in checks(TrailDestination::Bucket).iter().copied().flatten() {
        let of_account = check.id.starts_with("account.") || check.id.starts_with("org.");
        assert!(
            !of_account || !check.requirement.can_be_accepted(),
            "{}",
            check.id
        );
    }
}

#[test]
fn unknown_blocks_only_required_checks() {
    let required = |survey: &mut Snapshot| {
        survey.trail_status = Some(Err(refused("cloudtrail:GetTrailStatus")));
    };
    let advisory = |survey: &mut Snapshot| {
        bucket(survey).object_ownership = Some(Err(refused("s3:GetBucketOwnershipControls")));
    };
    assert!(!report(required, &[], false).is_ready());
    assert!(report(advisory, &[], false).is_ready());
    assert!(!report(advisory, &[], true).is_ready());
}

#[test]
fn strict_warning_blocks() {
    let late = |survey: &mut Snapshot| {
        status(survey).to_bucket.at = Some(super::fixture::minutes_ago(90));
    };
    assert!(report(late, &[], false).is_ready());
    assert!(!report(late, &[], true).is_ready());
    assert!(report(|_| {}, &[], true).is_ready());
}

#[test]
fn strict_accepted_warning_does_not_block() {
    let written_by_others =
        |survey: &mut Snapshot| bucket(survey).object_ownership = Some(Ok(None));
    assert!(!report(written_by_others, &[], true).is_ready());
    assert!(report(written_by_others, &["bucket.ownership"], true).is_ready());
}
