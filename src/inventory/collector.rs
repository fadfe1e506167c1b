//! Collects the inventory in rounds. The caller decides between rounds which candidates to inspect next.

use std::collections::BTreeMap;
use std::time::SystemTime;

use futures_util::future::join_all;
use tokio::join;

use super::caller_permissions::{SimulationQuery, iam_quota_facts, simulate};
use super::facts::{NameOwners, Trail};
use super::limiter::LimitedClients;
use super::trail_candidates::{
    bucket_trail, candidates, inspect, inspect_bucket, inspect_candidates,
};
use super::{Fact, Inventory, InventoryRequest, Lookups, TrailDestination, trail};
use crate::aws::Aws;

/// An inventory in progress and the clients to extend it with.
pub struct Collector {
    clients: LimitedClients,
    lookups: Lookups,
    inventory: Inventory,
}

impl Collector {
    /// Makes all calls that do not depend on a decision, concurrently where possible. The critical path is five round
    /// trips.
    pub async fn start(aws: &Aws, request: InventoryRequest, lookups: Lookups) -> Self {
        let clients = LimitedClients::new(aws);
        let account = trail::account_facts(&clients, &request).await;
        let caller = account.caller.as_ref().ok();
        let trails = account.trails.as_deref().unwrap_or_default();
        let candidates = match (&request.bucket_events, &request.bucket) {
            (Some(events), bucket) => bucket_trail(trails, bucket.as_deref(), events),
            (None, _) => candidates(trails, request.trail.as_deref(), account.trail_reader()),
        };
        // `destroy` may request a bucket to which no trail delivers any more.
        let has_other_bucket = request
            .bucket
            .as_ref()
            .is_some_and(|given| candidates.iter().all(|trail| trail.bucket != *given));
        let other_bucket = caller
            .zip(lookups.names_at(TrailDestination::Bucket))
            .filter(|_| has_other_bucket);
        // Without an identity the run ends, and each further call without a response would delay its end.
        let (candidates, bucket_override, trails_in_other_regions, iam_quotas) = join!(
            inspect_candidates(&clients, candidates, &account, &request, &lookups),
            async {
                match other_bucket {
                    Some((caller, names)) => {
                        let no_trail = Trail::default();
                        inspect_bucket(&clients, &no_trail, caller, &account, &request, names).await
                    }
                    None => (None, NameOwners::default()),
                }
            },
            async {
                match caller {
                    Some(_) if request.bucket_events.is_none() => {
                        trail::trails_in_other_regions(&clients, trails, &request).await
                    }
                    _ => Fact::NotRequested,
                }
            },
            async {
                match caller {
                    Some(_) => iam_quota_facts(&clients, &request).await,
                    None => Fact::NotRequested,
                }
            },
        );
        let mut inventory = Inventory {
            request,
            now: SystemTime::now(),
            endpoint: aws.endpoint(),
            account,
            candidates,
            bucket_override,
            permission_simulations: BTreeMap::new(),
        };
        inventory.account.trails_in_other_regions = trails_in_other_regions;
        inventory.account.iam_quotas = iam_quotas;
        Self {
            clients,
            lookups,
            inventory,
        }
    }

    #[must_use]
    pub fn inventory(&self) -> &Inventory {
        &self.inventory
    }

    /// Inspects the candidates at the given positions.
    pub async fn inspect(&mut self, positions: &[usize]) {
        let inventory = &self.inventory;
        let calls = positions.iter().map(|position| {
            Box::pin(inspect(
                &self.clients,
                &inventory.candidates[*position].trail,
                &inventory.account,
                &inventory.request,
                &self.lookups,
            ))
        });
        let details = join_all(calls).await;
        for (position, details) in positions.iter().zip(details) {
            self.inventory.candidates[*position].details = Some(details);
        }
    }

    /// Simulates the queries of several options as the caller, and stores each result under the option's name.
    pub async fn simulate(&mut self, queries: Vec<(&'static str, Vec<SimulationQuery>)>) {
        let Ok(caller) = &self.inventory.account.caller else {
            return;
        };
        let clients = &self.clients;
        let calls = queries.into_iter().map(|(option, queries)| async move {
            let result = simulate(clients, caller, &queries).await;
            (option, Fact::from_result(result))
        });
        let results = join_all(calls).await;
        self.inventory.permission_simulations.extend(results);
    }

    #[must_use]
    pub fn finish(self) -> Inventory {
        self.inventory
    }
}
