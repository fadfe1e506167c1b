//! Read-only calls to AWS, and the facts that they return.
//!
//! A failed call is a fact too, so it affects only the checks that need it. The inventory decides nothing: trails are
//! selected, and facts evaluated, in [`crate::check`].

mod bucket;
pub mod bucket_events;
pub mod caller_permissions;
pub mod collector;
pub mod event_selectors;
pub mod fact;
pub mod facts;
mod key;
mod limiter;
pub mod log_group_volume;
mod log_objects;
mod logs;
mod memo;
pub mod named_resource;
mod names;
pub mod organization_trails;
pub mod pipeline;
mod read_scope;
pub mod regions;
pub mod snapshot;
mod topic;
mod trail;
pub mod trail_candidates;
pub mod trail_destination;

use std::collections::BTreeMap;
use std::time::SystemTime;

use crate::aws::{CallerIdentity, arn};
use crate::check_id::CheckId;
use crate::error::Error;
use crate::naming::ResourceNames;
use bucket_events::BucketEvents;
pub use collector::Collector;
pub use fact::Fact;
use facts::{
    AccountFacts, BucketFacts, CandidateDetails, NameOwners, SimulationResult, TrailCandidate,
    TrailSelection,
};
pub use log_objects::covers_log_objects;
use named_resource::NamedResource;
pub use snapshot::{LogEncryption, OptionIdentity, Snapshot};
pub use trail_destination::TrailDestination;

/// The parameters from the command line; the inventory discovers everything else.
#[derive(Clone, Debug)]
pub struct InventoryRequest {
    pub expected_account: Option<String>,
    pub expected_region: Option<String>,
    pub trail: Option<String>,
    pub bucket: Option<String>,
    pub bucket_key: Option<String>,
    pub topic: Option<String>,
    pub log_group: Option<String>,
    /// The objects of the bucket whose events setup sends directly to the queue. `None` if the events are those of a
    /// trail.
    pub bucket_events: Option<BucketEvents>,
    pub heeler_roles: Vec<String>,
    /// The names that setup would use.
    pub names: ResourceNames,
    /// ARN of the permissions boundary that setup would set.
    pub permissions_boundary: Option<String>,
    /// Further tags that setup would write, as `(key, value)`.
    pub extra_tags: Vec<(String, String)>,
    /// Checks whose failures the operator accepts.
    pub accepted_checks: Vec<CheckId>,
    /// True if setup adopts existing resources.
    pub adopt: bool,
    /// True with `--deep`: the calls that need more permissions are made, too.
    pub deep: bool,
}

/// The trail destinations to inspect, each with the names to look up there.
#[derive(Clone, Debug, Default)]
pub struct Lookups {
    by_destination: BTreeMap<TrailDestination, Vec<NamedResource>>,
}

impl Lookups {
    /// Combines the lookups of several options.
    #[must_use]
    pub fn for_options(options: impl Iterator<Item = OptionIdentity>) -> Self {
        let mut lookups = Self::default();
        for option in options {
            let names = lookups.by_destination.entry(option.destination);
            let names = names.or_default();
            for name in option.names {
                if !names.contains(name) {
                    names.push(*name);
                }
            }
        }
        lookups
    }

    /// Returns the names to look up at a destination, or `None` if it is not inspected.
    #[must_use]
    pub fn names_at(&self, destination: TrailDestination) -> Option<&[NamedResource]> {
        self.by_destination.get(&destination).map(Vec::as_slice)
    }
}

/// All facts, for every requested option and every candidate trail.
#[derive(Clone, Debug)]
pub struct Inventory {
    pub request: InventoryRequest,
    pub now: SystemTime,
    pub endpoint: Option<String>,
    pub account: AccountFacts,
    pub candidates: Vec<TrailCandidate>,
    /// The bucket given by the operator, if no candidate delivers to it.
    pub bucket_override: (Option<BucketFacts>, NameOwners),
    /// The simulations of setup, by option name.
    pub permission_simulations: BTreeMap<&'static str, Fact<SimulationResult>>,
}

impl Inventory {
    /// Returns the caller's identity.
    ///
    /// # Errors
    /// Returns the error of `sts:GetCallerIdentity`.
    pub fn caller(&self) -> Result<&CallerIdentity, &Error> {
        self.account.caller.as_ref()
    }

    /// Returns the facts without any trail.
    #[must_use]
    pub fn snapshot_without_trail(&self, option: OptionIdentity) -> Snapshot {
        let (bucket, name_owners) = if option.destination == TrailDestination::Bucket {
            self.bucket_override.clone()
        } else {
            (None, NameOwners::default())
        };
        let trail_selection = match (&self.request.trail, &self.account.trails) {
            (Some(given), Ok(_)) => TrailSelection::NotFound(given.clone()),
            _ => TrailSelection::None,
        };
        let simulation = self.permission_simulations.get(option.name);
        Snapshot {
            option,
            request: self.request.clone(),
            now: self.now,
            endpoint: self.endpoint.clone(),
            account: self.account.clone(),
            trail_selection,
            trail_status: Fact::NotRequested,
            event_selectors: Fact::NotRequested,
            shadow_trails: Vec::new(),
            bucket,
            log_group: None,
            name_owners: name_owners.restricted_to(option.names),
            permission_simulation: simulation.cloned().unwrap_or_default(),
        }
    }

    /// Returns the facts with those about the recording of a candidate, but without those about its destinations.
    #[must_use]
    pub fn snapshot_of_recording(
        &self,
        option: OptionIdentity,
        candidate: &TrailCandidate,
    ) -> Snapshot {
        Snapshot {
            trail_selection: TrailSelection::Selected(candidate.trail.clone()),
            trail_status: Fact::from_result(candidate.status.clone()),
            event_selectors: Fact::from_result(candidate.selectors.clone()),
            ..self.snapshot_without_trail(option)
        }
    }

    /// Returns the facts with an inspected candidate as the selected trail.
    #[must_use]
    pub fn snapshot_with(
        &self,
        option: OptionIdentity,
        candidate: &TrailCandidate,
        details: &CandidateDetails,
    ) -> Snapshot {
        let owners = details.name_owners.get(&option.destination);
        let name_owners = owners.map(|owners| owners.restricted_to(option.names));
        Snapshot {
            shadow_trails: details.shadow_trails.clone(),
            bucket: details.bucket.clone(),
            log_group: details.log_group.clone(),
            name_owners: name_owners.unwrap_or_default(),
            ..self.snapshot_of_recording(option, candidate)
        }
    }
}

fn access_role_arn(request: &InventoryRequest, caller: &CallerIdentity) -> String {
    let names = &request.names;
    let role = format!("role/{}", names.role_with_path(&names.role()));
    arn::build(&caller.partition, "iam", "", &caller.account, &role)
}

/// Returns true if an error means that the caller has no valid credentials.
#[must_use]
pub fn is_missing_credentials(error: &Error) -> bool {
    error.required_permission() == Some("sts:GetCallerIdentity")
}
