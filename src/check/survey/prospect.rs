//! The trails that could do, and everything that hangs from one.

use futures_util::future::join_all;
use tokio::join;

use super::ask::Ask;
use super::facts::{Account, Bucket, Found, LogGroup, Organization, Prospect, Taken, Trail};
use super::{Facts, Hints, bucket, logs, names, trail};
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

/// So many trails are looked into at once. No region has more: a sixth is refused.
const AT_ONCE: usize = 5;

/// So often that is done, should there ever be more and none of those before be right: a hundred trails are no reason
/// for thousands of calls.
const ROUNDS: usize = 4;

/// Everything about each trail and what it delivers to. More trails than there can be today are only asked what they
/// record.
pub(super) async fn look_into(
    ask: &Ask,
    trails: Vec<Trail>,
    account: &Account,
    hints: &Hints,
    routes: &[Route],
) -> Vec<Prospect> {
    if trails.len() > AT_ONCE {
        return join_all(trails.into_iter().map(|trail| recorded(ask, trail))).await;
    }
    let all = trails.into_iter().map(|trail| async move {
        // Boxed: what asks so much is too large to be moved about on the stack.
        let found = Box::pin(found(ask, &trail, account, hints, routes));
        let (mut prospect, found) = join!(recorded(ask, trail.clone()), found);
        prospect.found = Some(found);
        prospect
    });
    join_all(all).await
}

impl Facts {
    /// Looks into the most promising of the trails that were only asked what they record; then, as long as an option
    /// has none that is sure to pass, into the next that could.
    pub(super) async fn look_further(&mut self, ask: &Ask, routes: &[Route]) {
        if self.prospects.len() <= AT_ONCE {
            return;
        }
        for round in 0..ROUNDS {
            let next = self.most_promising(routes, round == 0);
            if next.is_empty() {
                return;
            }
            let found = next.iter().map(|at| {
                let trail = &self.prospects[*at].trail;
                Box::pin(found(ask, trail, &self.account, &self.hints, routes))
            });
            let found = join_all(found).await;
            for (at, found) in next.into_iter().zip(found) {
                self.prospects[at].found = Some(found);
            }
        }
    }

    /// The places of those trails against which least speaks already by what they record. In the first round also such
    /// as fail, so that it can be told all that they lack.
    fn most_promising(&self, routes: &[Route], first: bool) -> Vec<usize> {
        let unsettled: Vec<Route> = routes
            .iter()
            .copied()
            .filter(|route| {
                let sure = |prospect| self.flaws(*route, prospect).is_sure();
                !self.prospects.iter().any(sure)
            })
            .collect();
        let unseen = self.prospects.iter().enumerate();
        let mut unseen: Vec<(usize, usize)> = unseen
            .filter(|(_, prospect)| prospect.found.is_none())
            .filter_map(|(at, prospect)| {
                let flaws = unsettled.iter().map(|route| self.flaws(*route, prospect));
                let flaws: Vec<usize> = flaws.map(|flaws| flaws.failed.len()).collect();
                let could_do = flaws.contains(&0) || (first && !flaws.is_empty());
                could_do.then(|| (flaws.iter().sum(), at))
            })
            .collect();
        unseen.sort_unstable();
        let best = unseen.into_iter().take(AT_ONCE);
        best.map(|(_, at)| at).collect()
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
        found: None,
    }
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
