//! Facts about the account and its organization, which do not depend on the trail.

use super::Trail;
use crate::aws::CallerIdentity;
use crate::error::{Error, Result};
use crate::inventory::fact::Fact;

#[derive(Clone, Debug)]
pub struct AccountFacts {
    /// The identity in the account that gets the resources.
    pub caller: Result<CallerIdentity>,
    /// The identity in the management account, if it has credentials of its own.
    pub management: Option<CallerIdentity>,
    pub organization: Fact<Organization>,
    /// Services that have trusted access to the organization.
    pub trusted_services: Result<Vec<String>>,
    /// Accounts that administer CloudTrail for the organization.
    pub delegated_administrators: Result<Vec<String>>,
    /// Opt-in regions that are enabled in this account.
    pub opt_in_regions: Result<Vec<String>>,
    pub trails: Result<Vec<Trail>>,
    /// Trails in other regions; requested only if no trail in this region matches.
    pub trails_in_other_regions: Fact<Vec<Trail>>,
    /// Requested only with `--deep`.
    pub iam_quotas: Fact<IamQuotas>,
}

impl AccountFacts {
    /// Returns the identity that reads the organization and its trails.
    #[must_use]
    pub fn trail_reader(&self) -> Option<&CallerIdentity> {
        let own = self.caller.as_ref().ok();
        self.management.as_ref().or(own)
    }

    /// Returns the errors of all failed calls.
    pub fn errors(&self) -> impl Iterator<Item = &Error> {
        let Self {
            caller,
            management: _,
            organization,
            trusted_services,
            delegated_administrators,
            opt_in_regions,
            trails,
            trails_in_other_regions,
            iam_quotas,
        } = self;
        [
            caller.as_ref().err(),
            organization.error(),
            trusted_services.as_ref().err(),
            delegated_administrators.as_ref().err(),
            opt_in_regions.as_ref().err(),
            trails.as_ref().err(),
            trails_in_other_regions.error(),
            iam_quotas.error(),
        ]
        .into_iter()
        .flatten()
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Organization {
    pub id: String,
    pub management_account: String,
    pub all_features: bool,
}

/// The numbers of IAM roles and policies in the account, and their quotas.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct IamQuotas {
    pub roles: i32,
    pub roles_quota: i32,
    pub policies: i32,
    pub policies_quota: i32,
}

/// The result of the IAM policy simulator.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SimulationResult {
    /// The simulator does not support the root user.
    RootUser,
    Simulated(PermissionSimulation),
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PermissionSimulation {
    /// ARN of the caller: an IAM user, or the role of a role session.
    pub principal: String,
    /// Number of simulated actions.
    pub action_count: usize,
    /// Denied actions, without duplicates.
    pub denied_actions: Vec<String>,
}
