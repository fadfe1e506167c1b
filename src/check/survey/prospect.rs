//! The trails that could do, and everything that hangs from one.

use futures_util::future::join_all;
use tokio::join;

use super::ask::Ask;
use super::facts::{
    Account, Bucket, LogGroup, Organization, Prospect, SelectorList, Shadow, Taken, Trail,
};
use super::{Hints, bucket, logs, names, trail};
use crate::aws::Caller;
use crate::aws::arn::Arn;
use crate::check::selectors::Coverage;
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

/// So many trails are looked into with all that hangs from them. No region has more: a sixth is refused.
const IN_FULL: usize = 5;

/// Everything about each trail and what it delivers to. Of more trails than there can be today, all are asked what they
/// record, and only the most promising are looked into.
pub(super) async fn look_into(
    ask: &Ask,
    trails: Vec<Trail>,
    account: &Account,
    hints: &Hints,
    routes: &[Route],
) -> Vec<Prospect> {
    if trails.len() <= IN_FULL {
        let all = trails.into_iter().map(|trail| async move {
            // Boxed: what asks so much is too large to be moved about on the stack.
            let found = Box::pin(found(ask, &trail, account, hints, routes));
            let (mut prospect, found) = join!(recorded(ask, trail.clone()), found);
            prospect.add(found);
            prospect
        });
        return join_all(all).await;
    }
    let all = trails.into_iter().map(|trail| recorded(ask, trail));
    let mut all = join_all(all).await;
    all.sort_by_key(|prospect| prospect.shortcomings(hints, routes));
    let best = all.iter().take(IN_FULL);
    let found = best.map(|prospect| Box::pin(found(ask, &prospect.trail, account, hints, routes)));
    let found = join_all(found).await;
    for (prospect, found) in all.iter_mut().zip(found) {
        prospect.add(found);
    }
    all
}

impl Prospect {
    /// What speaks against a trail already by what it records.
    fn shortcomings(&self, hints: &Hints, routes: &[Route]) -> usize {
        let trail = &self.trail;
        let complete = |list: &SelectorList| {
            let coverage = Coverage::of(&list.selectors);
            coverage.read && coverage.write && coverage.excluded.is_empty()
        };
        [
            matches!(&self.status, Ok(status) if !status.logging),
            matches!(&self.selectors, Ok(list) if !complete(list)),
            hints
                .bucket
                .as_ref()
                .is_some_and(|named| *named != trail.bucket),
            !routes.contains(&Route::S3) && trail.log_group.is_none(),
        ]
        .into_iter()
        .filter(|speaks_against| *speaks_against)
        .count()
    }

    fn add(&mut self, found: Found) {
        self.looked_into = true;
        self.shadows = found.shadows;
        (self.bucket, self.taken_for_s3) = found.for_s3;
        (self.log_group, self.taken_for_cloudwatch) = found.for_cloudwatch;
    }
}

/// What a trail records, and whether it does.
async fn recorded(ask: &Ask, trail: Trail) -> Prospect {
    let home = ask.at(&trail.home);
    let (status, selectors) = join!(
        trail::status(&home, &trail),
        trail::selectors(&home, &trail)
    );
    Prospect {
        trail,
        status,
        selectors,
        looked_into: false,
        shadows: Vec::new(),
        bucket: None,
        log_group: None,
        taken_for_s3: Taken::default(),
        taken_for_cloudwatch: Taken::default(),
    }
}

/// What hangs from a trail.
struct Found {
    shadows: Vec<Shadow>,
    for_s3: (Option<Bucket>, Taken),
    for_cloudwatch: (Option<LogGroup>, Taken),
}

async fn found(
    ask: &Ask,
    trail: &Trail,
    account: &Account,
    hints: &Hints,
    routes: &[Route],
) -> Found {
    let organization = account.organization.as_ref();
    let caller_for = |route| {
        let caller = account.caller.as_ref().ok();
        caller.filter(|_| routes.contains(&route))
    };
    let (for_s3, for_cloudwatch, shadows) = join!(
        async {
            match caller_for(Route::S3) {
                Some(caller) => for_s3(ask, trail, caller, organization, hints).await,
                None => (None, Taken::default()),
            }
        },
        async {
            match caller_for(Route::CloudWatch) {
                Some(caller) => for_cloudwatch(ask, trail, caller, organization, hints).await,
                None => (None, Taken::default()),
            }
        },
        trail::shadows(ask, trail, account),
    );
    Found {
        shadows,
        for_s3,
        for_cloudwatch,
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
    let ahead = ask.ahead();
    let (found, near, global) = join!(
        bucket::find(&ahead, name, caller),
        bucket::notifications(ask, name, &caller.account),
        names::global(ask, Route::S3, caller, hints)
    );
    let Some(region) = found.region() else {
        return (Some(Bucket::unseen(name, found.owned)), global);
    };
    let there = ask.at(region);
    // Mostly the bucket is in the region at hand. What another region says of it is nothing.
    let near = (region == ask.region()).then_some(near);
    let look = bucket::look(
        &there,
        found.clone(),
        near,
        trail,
        caller,
        organization,
        hints,
    );
    // The names first: their tags come after them.
    let (regional, bucket) = join!(names::regional(&there, Route::S3, caller, hints), look);
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
