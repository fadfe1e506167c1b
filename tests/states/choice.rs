//! What the operator makes of the verdicts: what is accepted, what counts as ready.

use heeler_ec::check::survey::Survey;
use heeler_ec::check::survey::facts::Owned;
use heeler_ec::check::{Report, checks, run};
use heeler_ec::route::Route;

use super::account::{bucket, trail};
use super::fixture::ready;
use super::refused;
use super::trail::status;

/// The report when one thing is different and these checks are accepted.
fn report(differs: impl FnOnce(&mut Survey), accepted: &[&str], strict: bool) -> Report {
    let mut survey = ready(Route::S3);
    differs(&mut survey);
    survey.hints.accepted = accepted.iter().map(|id| (*id).to_owned()).collect();
    run(&survey, strict)
}

#[test]
fn a_failure_is_in_the_way_until_it_is_accepted() {
    let stopped = |survey: &mut Survey| trail(survey).multi_region = false;
    assert!(!report(stopped, &[], false).is_ready());
    let accepted = report(stopped, &["trail.multi_region"], false);
    assert!(accepted.is_ready());
    assert_eq!(
        (accepted.counts().failed, accepted.counts().accepted),
        (1, 1)
    );
}

#[test]
fn what_setup_cannot_do_without_is_never_accepted() {
    let archive = |survey: &mut Survey| {
        bucket(survey).owned = Ok(Owned::Missing);
    };
    assert!(!report(archive, &["bucket.owner"], false).is_ready());
}

#[test]
fn nothing_about_account_and_organization_can_be_accepted() {
    for check in checks(Route::S3).iter().copied().flatten() {
        let of_account = check.id.starts_with("account.") || check.id.starts_with("org.");
        assert!(
            !of_account || !check.weight.can_be_accepted(),
            "{}",
            check.id
        );
    }
}

#[test]
fn what_is_not_known_counts_as_a_failure_only_where_it_is_required() {
    let required = |survey: &mut Survey| {
        survey.status = Some(Err(refused("cloudtrail:GetTrailStatus")));
    };
    let advisory = |survey: &mut Survey| {
        bucket(survey).ownership = Some(Err(refused("s3:GetBucketOwnershipControls")));
    };
    assert!(!report(required, &[], false).is_ready());
    assert!(report(advisory, &[], false).is_ready());
    assert!(!report(advisory, &[], true).is_ready());
}

#[test]
fn under_strict_terms_a_warning_is_in_the_way() {
    let late = |survey: &mut Survey| {
        status(survey).to_bucket.at = Some(super::fixture::minutes_ago(90));
    };
    assert!(report(late, &[], false).is_ready());
    assert!(!report(late, &[], true).is_ready());
    assert!(report(|_| {}, &[], true).is_ready());
}

#[test]
fn under_strict_terms_a_warning_that_is_accepted_is_not_in_the_way() {
    let written_by_others = |survey: &mut Survey| bucket(survey).ownership = Some(Ok(None));
    assert!(!report(written_by_others, &[], true).is_ready());
    assert!(report(written_by_others, &["bucket.ownership"], true).is_ready());
}
