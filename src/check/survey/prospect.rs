//! The trails that could do, and everything that hangs from one.

use tokio::join;

use super::ask::Ask;
use super::facts::{Account, Bucket, LogGroup, Organization, Prospect, Taken, Trail};
use super::{Hints, bucket, logs, names, trail};
use crate::aws::Caller;
use crate::aws::arn::Arn;
use crate::error::Error;
use crate::route::Route;

/// The trails that could do: the named one; else those of the organization; else those of this account.
pub(super) fn prospects(
    trails: &[Trail],
    named: Option<&str>,
    caller: Option<&Caller>,
) -> Vec<Trail> {
    let all = || trails.iter().cloned();
    if let Some(named) = named {
        return all()
            .filter(|trail| trail.name == named || trail.arn == named)
            .take(1)
            .collect();
    }
    let here = |trail: &Trail| {
        caller.is_none_or(|caller| {
            Arn::parse(&trail.arn).is_none_or(|arn| arn.account == caller.account)
        })
    };
    let of_organization: Vec<Trail> = all().filter(|trail| trail.organization).collect();
    if of_organization.is_empty() {
        return all().filter(here).collect();
    }
    // Where some record everything that a trail can, the others are not worth their calls.
    let wide: Vec<Trail> = of_organization
        .iter()
        .filter(|trail| trail.multi_region && trail.global_events)
        .cloned()
        .collect();
    if wide.is_empty() {
        of_organization
    } else {
        wide
    }
}

/// Everything about one trail and what it delivers to.
pub(super) async fn prospect(
    ask: &Ask,
    trail: Trail,
    account: &Account,
    hints: &Hints,
    routes: &[Route],
) -> Prospect {
    let home = ask.at(&trail.home);
    let caller = account.caller.as_ref().ok();
    let organization = account.organization.as_ref();
    let (status, selectors, shadows, (bucket, taken_for_s3), (log_group, taken_for_cloudwatch)) = join!(
        trail::status(&home, &trail),
        trail::selectors(&home, &trail),
        trail::shadows(ask, &trail, account),
        async {
            match caller.filter(|_| routes.contains(&Route::S3)) {
                Some(caller) => for_s3(ask, &trail, caller, organization, hints).await,
                None => (None, Taken::default()),
            }
        },
        async {
            match caller.filter(|_| routes.contains(&Route::CloudWatch)) {
                Some(caller) => for_cloudwatch(ask, &trail, caller, organization, hints).await,
                None => (None, Taken::default()),
            }
        },
    );
    Prospect {
        trail,
        status,
        selectors,
        shadows,
        bucket,
        log_group,
        taken_for_s3,
        taken_for_cloudwatch,
    }
}

pub(super) async fn for_s3(
    ask: &Ask,
    trail: &Trail,
    caller: &Caller,
    organization: std::result::Result<&Option<Organization>, &Error>,
    hints: &Hints,
) -> (Option<Bucket>, Taken) {
    let name = hints.bucket.as_ref().unwrap_or(&trail.bucket);
    let (found, global) = join!(
        bucket::find(ask, name, caller),
        names::global(ask, Route::S3, caller, hints)
    );
    let Some(region) = found.region() else {
        return (Some(Bucket::unseen(name, found.owned)), global);
    };
    let there = ask.at(region);
    let (bucket, regional) = join!(
        bucket::look(&there, found.clone(), trail, caller, organization, hints),
        names::regional(&there, Route::S3, caller, hints),
    );
    (Some(bucket), global.and(regional))
}

async fn for_cloudwatch(
    ask: &Ask,
    trail: &Trail,
    caller: &Caller,
    organization: std::result::Result<&Option<Organization>, &Error>,
    hints: &Hints,
) -> (Option<LogGroup>, Taken) {
    let Some(arn) = trail.log_group.as_deref().and_then(Arn::parse) else {
        return (
            None,
            names::global(ask, Route::CloudWatch, caller, hints).await,
        );
    };
    let there = ask.at(arn.region);
    if arn.account != caller.account {
        // One of the same name may be here, and is none of this.
        let global = names::global(ask, Route::CloudWatch, caller, hints).await;
        return (Some(logs::elsewhere(&arn)), global);
    }
    let (group, global, regional) = join!(
        logs::look(
            &there,
            &arn,
            organization.ok().and_then(Option::as_ref),
            hints
        ),
        names::global(ask, Route::CloudWatch, caller, hints),
        names::regional(&there, Route::CloudWatch, caller, hints),
    );
    (Some(group), global.and(regional))
}
