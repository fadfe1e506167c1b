//! The trails that may be selected, and the facts about each of them.

use std::collections::BTreeMap;

use futures_util::future::join_all;
use tokio::join;

use super::bucket_events::BucketEvents;
use super::facts::{
    AccountFacts, BucketFacts, CandidateDetails, LogGroupFacts, NameOwners, Organization, Trail,
    TrailCandidate,
};
use super::limiter::LimitedClients;
use super::log_objects::log_prefix;
use super::named_resource::NamedResource;
use super::read_scope::ReadScope;
use super::{InventoryRequest, Lookups, TrailDestination, bucket, logs, names, trail};
use crate::aws::CallerIdentity;
use crate::aws::arn::Arn;

/// Returns the trail given by the operator. If none is given, returns the trails of the organization, or else those of
/// this account.
pub(super) fn candidates(
    trails: &[Trail],
    given: Option<&str>,
    reader: Option<&CallerIdentity>,
) -> Vec<Trail> {
    let all = || trails.iter().cloned();
    if let Some(given) = given {
        return all()
            .filter(|trail| trail.name == given || trail.arn == given)
            .take(1)
            .collect();
    }
    let is_own = |trail: &Trail| {
        reader.is_none_or(|reader| {
            Arn::parse(&trail.arn).is_none_or(|arn| arn.account == reader.account)
        })
    };
    let of_organization: Vec<Trail> = all().filter(|trail| trail.is_organization).collect();
    if of_organization.is_empty() {
        return all().filter(is_own).collect();
    }
    // If some trails record all regions and global services, the other trails are ignored to save calls.
    let complete: Vec<Trail> = of_organization
        .iter()
        .filter(|trail| trail.is_multi_region && trail.includes_global_events)
        .cloned()
        .collect();
    if complete.is_empty() {
        of_organization
    } else {
        complete
    }
}

/// Returns the trail that delivers to the bucket and whose log files are among the requested objects, if there is one. It
/// shows how these objects are encrypted.
pub(super) fn bucket_trail(
    trails: &[Trail],
    bucket: Option<&str>,
    events: &BucketEvents,
) -> Vec<Trail> {
    let delivering = trails.iter().filter(|trail| {
        Some(trail.bucket.as_str()) == bucket
            && events.shares_prefix(&log_prefix(Some(trail), None))
    });
    let best = delivering.max_by_key(|trail| (trail.is_organization, trail.is_multi_region));
    best.cloned().into_iter().collect()
}

/// Number of trails that are inspected at the same time. A region has at most five trails.
pub const MAX_INSPECTED_AT_ONCE: usize = 5;

/// Inspects all trails. If there are more than [`MAX_INSPECTED_AT_ONCE`], reads only the status and the event selectors
/// of each trail.
pub(super) async fn inspect_candidates(
    clients: &LimitedClients,
    trails: Vec<Trail>,
    account: &AccountFacts,
    request: &InventoryRequest,
    lookups: &Lookups,
) -> Vec<TrailCandidate> {
    if trails.len() > MAX_INSPECTED_AT_ONCE {
        let recordings = trails
            .into_iter()
            .map(|trail| fetch_recording(clients, trail));
        return join_all(recordings).await;
    }
    let all = trails.into_iter().map(|trail| async move {
        // Boxed, because the future is too large for the stack.
        let details = Box::pin(inspect(clients, &trail, account, request, lookups));
        let (mut candidate, details) = join!(fetch_recording(clients, trail.clone()), details);
        candidate.details = Some(details);
        candidate
    });
    join_all(all).await
}

/// Requests the status and the event selectors of a trail.
async fn fetch_recording(clients: &LimitedClients, trail: Trail) -> TrailCandidate {
    let home = clients.in_region(&trail.home_region);
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

/// Requests the facts about the destinations of a trail.
pub(super) async fn inspect(
    clients: &LimitedClients,
    trail: &Trail,
    account: &AccountFacts,
    request: &InventoryRequest,
    lookups: &Lookups,
) -> CandidateDetails {
    let organization = account.organization.present();
    let caller = account.caller.as_ref().ok();
    let (bucket, log_group, shadow_trails) = join!(
        async {
            match caller.zip(lookups.names_at(TrailDestination::Bucket)) {
                Some((caller, names)) => {
                    inspect_bucket(clients, trail, caller, account, request, names).await
                }
                None => (None, NameOwners::default()),
            }
        },
        async {
            match caller.zip(lookups.names_at(TrailDestination::LogGroup)) {
                Some((caller, names)) => {
                    inspect_log_group(clients, trail, caller, organization, request, names).await
                }
                None => (None, NameOwners::default()),
            }
        },
        trail::shadow_trails(clients, trail, account),
    );
    let ((bucket, at_bucket), (log_group, at_log_group)) = (bucket, log_group);
    CandidateDetails {
        shadow_trails,
        bucket,
        log_group,
        name_owners: BTreeMap::from([
            (TrailDestination::Bucket, at_bucket),
            (TrailDestination::LogGroup, at_log_group),
        ]),
    }
}

pub(super) async fn inspect_bucket(
    clients: &LimitedClients,
    trail: &Trail,
    caller: &CallerIdentity,
    account: &AccountFacts,
    request: &InventoryRequest,
    names: &[NamedResource],
) -> (Option<BucketFacts>, NameOwners) {
    let name = request.bucket.as_ref().unwrap_or(&trail.bucket);
    let prioritized = clients.prioritized();
    let (located, near, global) = join!(
        bucket::find(&prioritized, name, caller),
        bucket::notifications(clients, name, &caller.account),
        names::global_names(clients, names, caller, request)
    );
    let Some(region) = located.region() else {
        return (
            Some(BucketFacts::not_inspected(name, located.owner)),
            global,
        );
    };
    let regional_clients = clients.in_region(region);
    // The notifications were requested in this region, so the response is used only if the bucket is in this region.
    let near = (region == clients.region()).then_some(near);
    let scope = ReadScope {
        trail,
        caller,
        organization: &account.organization,
        request,
    };
    let inspect = bucket::inspect(&regional_clients, located.clone(), near, &scope);
    // The names are requested first, because their tags need a second call.
    let (regional, bucket) = join!(
        names::regional_names(&regional_clients, names, caller, request),
        inspect
    );
    (Some(bucket), global.merge(regional))
}

async fn inspect_log_group(
    clients: &LimitedClients,
    trail: &Trail,
    caller: &CallerIdentity,
    organization: Option<&Organization>,
    request: &InventoryRequest,
    names: &[NamedResource],
) -> (Option<LogGroupFacts>, NameOwners) {
    let Some(arn) = trail.log_group.as_deref().and_then(Arn::parse) else {
        return (
            None,
            names::global_names(clients, names, caller, request).await,
        );
    };
    let regional_clients = clients.in_region(arn.region);
    if arn.account != caller.account {
        // A log group of this account with the same name would be another resource, so it is not read.
        let global = names::global_names(clients, names, caller, request).await;
        return (Some(logs::in_other_account(&arn)), global);
    }
    let (group, global, regional) = join!(
        logs::inspect(&regional_clients, &arn, organization, request),
        names::global_names(clients, names, caller, request),
        names::regional_names(&regional_clients, names, caller, request),
    );
    (Some(group), global.merge(regional))
}
