//! Accepted checks, and readiness.

use heeler_ec::check::{Level, Report, Requirement, run};
use heeler_ec::inventory::facts::BucketOwner;
use heeler_ec::inventory::trail_destination::TrailDestination;
use heeler_ec::inventory::{Fact, Snapshot};

use super::account::{bucket, trail};
use super::fixture::ready;
use super::trail::status;
use super::{checks, refused};

/// The report with one difference and these accepted checks.
fn report(differs: impl FnOnce(&mut Snapshot), accepted: &[&str], strict: bool) -> Report {
    let mut snapshot = ready(TrailDestination::Bucket);
    differs(&mut snapshot);
    snapshot.request.accepted_checks = accepted
        .iter()
        .map(|id| id.parse().expect("an ID of a check"))
        .collect();
    run(&snapshot, checks(TrailDestination::Bucket), strict)
}

#[test]
fn failure_blocks_until_accepted() {
    let stopped = |snapshot: &mut Snapshot| trail(snapshot).is_multi_region = false;
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
    let archive = |snapshot: &mut Snapshot| {
        bucket(snapshot).owner = Ok(BucketOwner::Missing);
    };
    assert!(!report(archive, &["bucket.owner"], false).is_ready());
}

#[test]
fn all_but_blocking_checks_can_be_accepted() {
    for check in checks(TrailDestination::Bucket).iter().copied().flatten() {
        let Requirement { level, acceptable } = check.requirement;
        assert_eq!(acceptable, level != Level::Blocking, "{}", check.id);
    }
}

#[test]
fn warnings_about_root_and_endpoint_can_be_accepted() {
    let differs = |snapshot: &mut Snapshot| {
        super::account::caller(snapshot).arn = "arn:aws:iam::111122223333:root".into();
        snapshot.endpoint = Some("http://127.0.0.1:4566".into());
    };
    let counts = report(differs, &[], false).unaccepted_counts();
    assert_eq!((counts.warnings, counts.accepted), (2, 0));
    let accepted = report(differs, &["account.root", "account.endpoint"], true);
    let counts = accepted.unaccepted_counts();
    assert_eq!((counts.warnings, counts.accepted), (0, 2));
    assert!(accepted.is_ready());
}

#[test]
fn unknown_blocks_only_required_checks() {
    let required = |snapshot: &mut Snapshot| {
        snapshot.trail_status = Fact::Failed(refused("cloudtrail:GetTrailStatus"));
    };
    let advisory = |snapshot: &mut Snapshot| {
        bucket(snapshot).object_ownership = Fact::Failed(refused("s3:GetBucketOwnershipControls"));
    };
    assert!(!report(required, &[], false).is_ready());
    assert!(report(advisory, &[], false).is_ready());
    assert!(!report(advisory, &[], true).is_ready());
}

#[test]
fn strict_warning_blocks() {
    let late = |snapshot: &mut Snapshot| {
        status(snapshot).to_bucket.at = Some(super::fixture::minutes_ago(90));
    };
    assert!(report(late, &[], false).is_ready());
    assert!(!report(late, &[], true).is_ready());
    assert!(report(|_| {}, &[], true).is_ready());
}

#[test]
fn strict_accepted_warning_does_not_block() {
    let written_by_others =
        |snapshot: &mut Snapshot| bucket(snapshot).object_ownership = Fact::Absent;
    assert!(!report(written_by_others, &[], true).is_ready());
    assert!(report(written_by_others, &["bucket.ownership"], true).is_ready());
}
