//! The trails that could do, and everything that hangs from one.

use futures_util::future::join_all;
use tokio::join;

use crate::aws::CallerIdentity;
use crate::aws::arn::Arn;
use crate::error::Error;
use crate::inventory::facts::{
    AccountFacts, BucketFacts, CandidateDetails, LogGroupFacts, NameOwners, Organization, Trail,
    TrailCandidate,
};
use crate::inventory::limiter::LimitedClients;
use crate::inventory::trail_destination::TrailDestination;
use crate::inventory::{Inventory, InventoryRequest, bucket, logs, names, trail};

/// The trails that could do: the named one; else those of the organization; else those of this account.
pub(crate) fn candidates(
    trails: &[Trail],
    named: Option<&str>,
    caller: Option<&CallerIdentity>,
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
    let of_organization: Vec<Trail> = all().filter(|trail| trail.is_organization).collect();
    if of_organization.is_empty() {
        return all().filter(here).collect();
    }
    // Where some record everything that a trail can, the others are not worth their calls.
    let wide: Vec<Trail> = of_organization
        .iter()
        .filter(|trail| trail.is_multi_region && trail.includes_global_events)
        .cloned()
        .collect();
    if wide.is_empty() {
        of_organization
    } else {
        wide
    }
}

/// So many trails are looked into at once. No region has more: a sixth is refused.
const MAX_INSPECTED_AT_ONCE: usize = 5;

/// So often that is done, should there ever be more and none of those before be right: a hundred trails are no reason
/// for thousands of calls.
const MAX_ROUNDS: usize = 4;

/// Everything about each trail and what it delivers to. More trails than there can be today are only asked what they
/// record.
pub(crate) async fn inspect_candidates(
    ask: &LimitedClients,
    trails: Vec<Trail>,
    account: &AccountFacts,
    hints: &InventoryRequest,
    routes: &[TrailDestination],
) -> Vec<TrailCandidate> {
    if trails.len() > MAX_INSPECTED_AT_ONCE {
        return join_all(trails.into_iter().map(|trail| fetch_recording(ask, trail))).await;
    }
    let all = trails.into_iter().map(|trail| async move {
        // Boxed: what asks so much is too large to be moved about on the stack.
        let found = Box::pin(inspect(ask, &trail, account, hints, routes));
        let (mut prospect, found) = join!(fetch_recording(ask, trail.clone()), found);
        prospect.details = Some(found);
        prospect
    });
    join_all(all).await
}

impl Inventory {
    /// Looks into the most promising of the trails that were only asked what they record; then, as long as an option
    /// has none that is sure to pass, into the next that could.
    pub(crate) async fn inspect_further(
        &mut self,
        ask: &LimitedClients,
        routes: &[TrailDestination],
    ) {
        if self.candidates.len() <= MAX_INSPECTED_AT_ONCE {
            return;
        }
        for round in 0..MAX_ROUNDS {
            let next = self.next_to_inspect(routes, round == 0);
            if next.is_empty() {
                return;
            }
            let found = next.iter().map(|at| {
                let trail = &self.candidates[*at].trail;
                Box::pin(inspect(ask, trail, &self.account, &self.request, routes))
            });
            let found = join_all(found).await;
            for (at, found) in next.into_iter().zip(found) {
                self.candidates[at].details = Some(found);
            }
        }
    }

    /// The places of those trails against which least speaks already by what they record. In the first round also such
    /// as fail, so that it can be told all that they lack.
    fn next_to_inspect(&self, routes: &[TrailDestination], first: bool) -> Vec<usize> {
        let unsettled: Vec<TrailDestination> = routes
            .iter()
            .copied()
            .filter(|route| {
                let sure = |prospect| self.score(*route, prospect).passes_all();
                !self.candidates.iter().any(sure)
            })
            .collect();
        let unseen = self.candidates.iter().enumerate();
        let mut unseen: Vec<(usize, usize)> = unseen
            .filter(|(_, prospect)| prospect.details.is_none())
            .filter_map(|(at, prospect)| {
                let flaws = unsettled.iter().map(|route| self.score(*route, prospect));
                let flaws: Vec<usize> = flaws.map(|flaws| flaws.failed_checks.len()).collect();
                let could_do = flaws.contains(&0) || (first && !flaws.is_empty());
                could_do.then(|| (flaws.iter().sum(), at))
            })
            .collect();
        unseen.sort_unstable();
        let best = unseen.into_iter().take(MAX_INSPECTED_AT_ONCE);
        best.map(|(_, at)| at).collect()
    }
}

/// What a trail records, and whether it does.
async fn fetch_recording(ask: &LimitedClients, trail: Trail) -> TrailCandidate {
    let home = ask.at(&trail.home_region);
    let (status, selectors) = join!(
        trail::trail_status(&home, &trail),
        trail::event_selectors(&home, &trail)
    );
    TrailCandidate {
        trail,
        status,
        selectors,
        details: None,
    }
}

async fn inspect(
    ask: &LimitedClients,
    trail: &Trail,
    account: &AccountFacts,
    hints: &InventoryRequest,
    routes: &[TrailDestination],
) -> CandidateDetails {
    let organization = account.organization.as_ref();
    let caller_for = |route| {
        let caller = account.caller.as_ref().ok();
        caller.filter(|_| routes.contains(&route))
    };
    let (for_s3, for_cloudwatch, shadows) = join!(
        async {
            match caller_for(TrailDestination::Bucket) {
                Some(caller) => inspect_bucket(ask, trail, caller, organization, hints).await,
                None => (None, NameOwners::default()),
            }
        },
        async {
            match caller_for(TrailDestination::LogGroup) {
                Some(caller) => inspect_log_group(ask, trail, caller, organization, hints).await,
                None => (None, NameOwners::default()),
            }
        },
        trail::shadow_trails(ask, trail, account),
    );
    CandidateDetails {
        shadow_trails: shadows,
        bucket: for_s3,
        log_group: for_cloudwatch,
    }
}

pub(crate) async fn inspect_bucket(
    ask: &LimitedClients,
    trail: &Trail,
    caller: &CallerIdentity,
    organization: std::result::Result<&Option<Organization>, &Error>,
    hints: &InventoryRequest,
) -> (Option<BucketFacts>, NameOwners) {
    let name = hints.bucket.as_ref().unwrap_or(&trail.bucket);
    let ahead = ask.prioritized();
    let (found, near, global) = join!(
        bucket::find(&ahead, name, caller),
        bucket::notifications(ask, name, &caller.account),
        names::global_names(ask, TrailDestination::Bucket, caller, hints)
    );
    let Some(region) = found.region() else {
        return (Some(BucketFacts::not_inspected(name, found.owner)), global);
    };
    let there = ask.at(region);
    // Mostly the bucket is in the region at hand. What another region says of it is nothing.
    let near = (region == ask.region()).then_some(near);
    let look = bucket::inspect(
        &there,
        found.clone(),
        near,
        trail,
        caller,
        organization,
        hints,
    );
    // The names first: their tags come after them.
    let (regional, bucket) = join!(
        names::regional_names(&there, TrailDestination::Bucket, caller, hints),
        look
    );
    (Some(bucket), global.merge(regional))
}

async fn inspect_log_group(
    ask: &LimitedClients,
    trail: &Trail,
    caller: &CallerIdentity,
    organization: std::result::Result<&Option<Organization>, &Error>,
    hints: &InventoryRequest,
) -> (Option<LogGroupFacts>, NameOwners) {
    let Some(arn) = trail.log_group.as_deref().and_then(Arn::parse) else {
        return (
            None,
            names::global_names(ask, TrailDestination::LogGroup, caller, hints).await,
        );
    };
    let there = ask.at(arn.region);
    if arn.account != caller.account {
        // One of the same name may be here, and is none of this.
        let global = names::global_names(ask, TrailDestination::LogGroup, caller, hints).await;
        return (Some(logs::in_other_account(&arn)), global);
    }
    let (group, global, regional) = join!(
        logs::inspect(
            &there,
            &arn,
            organization.ok().and_then(Option::as_ref),
            hints
        ),
        names::global_names(ask, TrailDestination::LogGroup, caller, hints),
        names::regional_names(&there, TrailDestination::LogGroup, caller, hints),
    );
    (Some(group), global.merge(regional))
}
