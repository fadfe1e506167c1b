//! Reads the trails of the caller's organization, and finds the bucket of a trail.

use tokio::join;

use super::bucket;
use super::facts::{BucketOwner, Organization, Trail};
use super::limiter::LimitedClients;
use super::log_objects::log_prefix;
use super::trail::{organization, trails};
use super::trail_candidates::candidates;
use crate::aws::{Aws, CallerIdentity};
use crate::error::Result;

/// The trails that may deliver the events of the organization.
#[derive(Clone, Debug)]
pub struct OrganizationTrails {
    /// The identity in the account that has the bucket.
    pub caller: CallerIdentity,
    /// `None` if the account is in no organization.
    pub organization: Option<Organization>,
    /// The trails of the organization, or else those of the account; only the given one if a trail was given.
    pub trails: Vec<Trail>,
}

impl OrganizationTrails {
    /// Reads the trails that are visible in the region of the clients. A trail may be given by its name or ARN.
    ///
    /// # Errors
    /// When there are no usable credentials, or AWS refuses a call.
    pub async fn read(aws: &Aws, given: Option<&str>) -> Result<Self> {
        let clients = &LimitedClients::new(aws);
        let (caller, organization, found) = join!(
            clients.without_timeout().caller_identity(),
            organization(clients),
            trails(clients, given)
        );
        let caller = caller?;
        Ok(Self {
            organization: organization?,
            trails: candidates(
                &found?,
                given,
                Some(aws.management_identity().unwrap_or(&caller)),
            ),
            caller,
        })
    }

    /// Returns the prefix of the log files of a trail, with a slash at the end.
    #[must_use]
    pub fn log_prefix(&self, trail: &Trail) -> String {
        log_prefix(Some(trail), self.organization.as_ref())
    }
}

/// Finds the owner and the region of a bucket.
///
/// # Errors
/// When AWS refuses the call.
pub async fn bucket_owner(aws: &Aws, name: &str, caller: &CallerIdentity) -> Result<BucketOwner> {
    let clients = &LimitedClients::new(aws);
    let found = bucket::find(clients, name, caller).await;
    match found.redirect_region {
        // Only the endpoint of the bucket's region knows the owner.
        Some(region) => {
            let there = clients.in_region(&region);
            bucket::find_owner(&there, name, &caller.account).await.0
        }
        None => found.owner,
    }
}
