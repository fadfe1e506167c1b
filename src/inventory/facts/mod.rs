//! The types of all facts. They are plain values, so checks make no AWS calls and their tests need no emulator.
//!
//! The method `errors` of a type destructures all fields, so the compiler reports a new field that it does not handle.

mod account;
mod bucket;
mod kms_key;
mod log_group;
mod name_owners;
mod trail;

pub use account::{AccountFacts, IamQuotas, Organization, PermissionSimulation, SimulationResult};
pub use bucket::{
    BucketFacts, BucketOwner, DestinationFacts, Encryption, LifecycleRule, LifecycleTiming,
    LogObject, MemberObjects, TopicFacts,
};
pub use kms_key::{KeyFacts, KmsGrantFacts, KmsKeyDetails};
pub use log_group::{
    AccountSubscriptionFilter, LambdaConcurrency, LogGroupFacts, LogGroupSettings,
    LogStreamPresence, SubscriptionFilterFacts,
};
pub use name_owners::{NameOwner, NameOwners};
pub use trail::{
    CandidateDetails, DeliveryStatus, EventSelectors, ShadowTrail, Trail, TrailCandidate,
    TrailSelection, TrailStatus,
};

use crate::aws::arn::Arn;

/// Returns true if an ARN belongs to this account, or names no account.
#[must_use]
pub fn belongs_to_account(arn: &str, account: &str) -> bool {
    Arn::parse(arn).is_none_or(|arn| arn.account == account)
}
