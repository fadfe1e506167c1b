//! What the operator makes of the verdicts: what is accepted, what counts as ready.

use heeler_ec::check::{Report, Terms, Weight, checks, run};
use heeler_ec::route::Route;

use super::account::{bucket, trail};
use super::fixture::ready;
use super::refused;
use super::trail::status;

fn terms(accepted: &[&str], strict: bool) -> Terms {
    Terms {
        accepted: accepted.iter().map(|id| (*id).to_owned()).collect(),
        strict,
    }
}

fn report(differs: impl FnOnce(&mut heeler_ec::check::survey::Survey), terms: &Terms) -> Report {
    let mut survey = ready(Route::S3);
    differs(&mut survey);
    run(&survey, terms)
}

#[test]
fn a_failure_is_in_the_way_until_it_is_accepted() {
    let stopped =
        |survey: &mut heeler_ec::check::survey::Survey| trail(survey).multi_region = false;
    assert!(!report(stopped, &terms(&[], false)).is_ready());
    let accepted = report(stopped, &terms(&["trail.multi_region"], false));
    assert!(accepted.is_ready());
    assert_eq!(
        (accepted.counts().failed, accepted.counts().accepted),
        (1, 1)
    );
}

#[test]
fn what_setup_cannot_do_without_is_never_accepted() {
    let archive = |survey: &mut heeler_ec::check::survey::Survey| {
        bucket(survey).owned = Ok(heeler_ec::check::survey::facts::Owned::Missing);
    };
    assert!(!report(archive, &terms(&["bucket.owner"], false)).is_ready());
}

#[test]
fn nothing_about_account_and_organization_that_is_required_can_be_accepted() {
    for check in checks(Route::S3).iter().copied().flatten() {
        let of_account = check.id.starts_with("account.") || check.id.starts_with("org.");
        assert!(
            !of_account || check.weight != Weight::Required,
            "{}",
            check.id
        );
    }
}

#[test]
fn what_is_not_known_counts_as_a_failure_only_where_it_is_required() {
    let required = |survey: &mut heeler_ec::check::survey::Survey| {
        survey.status = Some(Err(refused("cloudtrail:GetTrailStatus")));
    };
    let advisory = |survey: &mut heeler_ec::check::survey::Survey| {
        bucket(survey).ownership = Some(Err(refused("s3:GetBucketOwnershipControls")));
    };
    assert!(!report(required, &terms(&[], false)).is_ready());
    assert!(report(advisory, &terms(&[], false)).is_ready());
    assert!(!report(advisory, &terms(&[], true)).is_ready());
}

#[test]
fn under_strict_terms_a_warning_is_in_the_way() {
    let late = |survey: &mut heeler_ec::check::survey::Survey| {
        status(survey).to_bucket.at = Some(super::fixture::minutes_ago(90));
    };
    assert!(report(late, &terms(&[], false)).is_ready());
    assert!(!report(late, &terms(&[], true)).is_ready());
    assert!(report(|_| {}, &terms(&[], true)).is_ready());
}
