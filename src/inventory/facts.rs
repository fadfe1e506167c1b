//! What can be found: plain values, so that a judge needs no AWS and a test needs no emulator. Long, since it is the
//! whole list of what is asked, and nothing else.

use std::collections::BTreeMap;
use std::time::SystemTime;

use crate::aws::CallerIdentity;
use crate::aws::arn::Arn;
use crate::aws::bucket_notification::NotificationEntry;
use crate::check::event_selectors::EventSelector;
use crate::error::Result;

/// Of the account and its organization, whichever trail is taken.
#[derive(Clone, Debug)]
pub struct AccountFacts {
    pub caller: Result<CallerIdentity>,
    pub organization: Result<Option<Organization>>,
    /// The services that may act in all accounts of the organization.
    pub trusted_services: Result<Vec<String>>,
    /// Accounts that may administer CloudTrail for the organization.
    pub delegated_administrators: Result<Vec<String>>,
    /// Regions that are switched on here, and are not by default.
    pub opt_in_regions: Result<Vec<String>>,
    pub trails: Result<Vec<Trail>>,
    /// Trails of other regions, asked for only when none fits here.
    pub trails_in_other_regions: Option<Result<Vec<Trail>>>,
    pub iam_quotas: Option<IamQuotaFacts>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Organization {
    pub id: String,
    pub management_account: String,
    pub all_features: bool,
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "so does CloudTrail describe a trail"
)]
pub struct Trail {
    pub name: String,
    pub arn: String,
    pub home_region: String,
    pub is_organization: bool,
    pub is_multi_region: bool,
    pub includes_global_events: bool,
    pub log_file_validation: bool,
    pub bucket: String,
    pub prefix: String,
    pub kms_key: Option<String>,
    pub sns_topic: Option<String>,
    /// Without the `:*` that CloudTrail writes behind it.
    pub log_group: Option<String>,
    pub log_group_role: Option<String>,
}

/// Which trail everything else is about.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum TrailSelection {
    Selected(Trail),
    /// None was named, and not exactly one is known to pass every check.
    Several {
        /// Their names, with the checks that each fails.
        candidates: Vec<(String, Vec<&'static str>)>,
        /// Those that could pass, and that nobody looked into.
        not_inspected: Vec<String>,
    },
    /// The one that was named does not exist.
    NotFound(String),
    #[default]
    None,
}

impl TrailSelection {
    #[must_use]
    pub fn trail(&self) -> Option<&Trail> {
        match self {
            Self::Selected(trail) => Some(trail),
            _ => None,
        }
    }
}

/// A trail that could do: what it records, and what hangs from it.
#[derive(Clone, Debug)]
pub struct TrailCandidate {
    pub trail: Trail,
    pub status: Result<TrailStatus>,
    pub selectors: Result<EventSelectors>,
    /// Of very many trails only the most promising are looked into. Without this, a trail is never taken.
    pub details: Option<CandidateDetails>,
}

/// What hangs from a trail.
#[derive(Clone, Debug)]
pub struct CandidateDetails {
    pub shadow_trails: Vec<ShadowTrail>,
    pub bucket: (Option<BucketFacts>, NameOwners),
    pub log_group: (Option<LogGroupFacts>, NameOwners),
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TrailStatus {
    pub logging: bool,
    pub started: Option<SystemTime>,
    pub stopped: Option<SystemTime>,
    pub to_bucket: DeliveryStatus,
    pub to_log_group: DeliveryStatus,
    pub notification_error: Option<String>,
}

/// How the last delivery to one place went.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DeliveryStatus {
    pub error: Option<String>,
    pub at: Option<SystemTime>,
}

/// The event selectors, in the one form of the two that the trail has.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct EventSelectors {
    pub selectors: Vec<EventSelector>,
    /// The same as `put-event-selectors` takes them.
    pub raw: Vec<serde_json::Value>,
}

/// The trail's copy in one region.
#[derive(Clone, Debug)]
pub struct ShadowTrail {
    pub region: String,
    pub status: Result<()>,
}

/// The bucket that the trail delivers to.
#[derive(Clone, Debug)]
pub struct BucketFacts {
    pub name: String,
    pub owner: Result<BucketOwner>,
    pub encryption: Option<Result<Encryption>>,
    /// The newest log object, if there is one of today or yesterday.
    pub newest_log_object: Option<Result<Option<LogObject>>>,
    /// Every key that was named: by the operator, the trail, the bucket, or the newest object.
    pub keys: Vec<KeyFacts>,
    pub notifications: Option<Result<Vec<NotificationEntry>>>,
    pub topic: Option<Result<Option<TopicFacts>>>,
    /// The bucket's policy; nothing when it has none.
    pub policy: Option<Result<Option<String>>>,
    /// How objects of others are owned; nothing when that was never said.
    pub object_ownership: Option<Result<Option<String>>>,
    pub lifecycle: Option<Result<Vec<LifecycleRule>>>,
    pub requester_pays: Option<Result<bool>>,
}

impl BucketFacts {
    /// One that could not be looked into.
    #[must_use]
    pub fn not_inspected(name: &str, owner: Result<BucketOwner>) -> Self {
        Self {
            name: name.to_owned(),
            owner,
            encryption: None,
            newest_log_object: None,
            keys: Vec::new(),
            notifications: None,
            topic: None,
            policy: None,
            object_ownership: None,
            lifecycle: None,
            requester_pays: None,
        }
    }

    /// What is known of the key that goes by this name somewhere.
    #[must_use]
    pub fn key(&self, asked: &str) -> Option<&KeyFacts> {
        self.keys.iter().find(|key| key.has_name(asked))
    }
}

/// Whether the bucket is the caller's, and where it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum BucketOwner {
    ThisAccount { region: String },
    OtherAccount { region: Option<String> },
    Missing,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Encryption {
    S3,
    /// With the key as it is named there; nothing for the key of AWS's own.
    Kms(Option<String>),
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogObject {
    pub key: String,
    pub last_modified: Option<SystemTime>,
    pub encryption: Encryption,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LifecycleRule {
    pub id: String,
    pub prefix: String,
    pub expires: Option<LifecycleTiming>,
    /// Storage classes that objects go to, and when.
    pub transitions: Vec<(String, LifecycleTiming)>,
}

/// When a lifecycle rule does something to an object.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LifecycleTiming {
    /// So many days after the object was made.
    AfterDays(i32),
    /// From this day on, to every object that is there then or comes later.
    OnDate(SystemTime),
}

/// A key under one of its names.
#[derive(Clone, Debug)]
pub struct KeyFacts {
    pub identifier: String,
    pub key: Result<Option<KmsKeyDetails>>,
    /// Not asked of a key of another account.
    pub policy: Option<Result<String>>,
    /// What the harvest role was granted on it.
    pub grants: Option<Result<Vec<KmsGrantFacts>>>,
}

impl KeyFacts {
    /// Whether this is one of the key's names.
    #[must_use]
    pub fn has_name(&self, name: &str) -> bool {
        let arn = match &self.key {
            Ok(Some(key)) => key.arn.as_str(),
            _ => return self.identifier == name,
        };
        self.identifier == name || arn == name || arn.rsplit('/').next() == Some(name)
    }

    #[must_use]
    pub fn is_managed_by_aws(&self) -> bool {
        matches!(&self.key, Ok(Some(key)) if !key.customer_managed)
    }

    /// The key's ARN, once it is known; else the name that was asked for.
    #[must_use]
    pub fn name(&self) -> &str {
        match &self.key {
            Ok(Some(key)) => &key.arn,
            _ => &self.identifier,
        }
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KmsKeyDetails {
    pub arn: String,
    pub account: String,
    pub state: String,
    pub description: String,
    pub customer_managed: bool,
    pub deletion_date: Option<SystemTime>,
    /// When imported key material ends.
    pub key_material_expires: Option<SystemTime>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KmsGrantFacts {
    pub name: Option<String>,
    pub operations: Vec<String>,
}

#[derive(Clone, Debug)]
pub struct TopicFacts {
    pub arn: String,
    pub policy: String,
    pub key: Option<String>,
    /// The policy of that key, when it is the customer's.
    pub key_policy: Option<Result<String>>,
}

impl TopicFacts {
    /// Of which only the ARN is known.
    #[must_use]
    pub fn arn_only(arn: String) -> Self {
        Self {
            arn,
            policy: String::new(),
            key: None,
            key_policy: None,
        }
    }
}

/// The log group that the trail delivers to.
#[derive(Clone, Debug)]
pub struct LogGroupFacts {
    pub name: String,
    pub account: String,
    pub region: String,
    /// Nothing when there is no such group.
    pub settings: Result<Option<LogGroupSettings>>,
    pub streams: Result<LogStreamPresence>,
    pub subscription_filters: Result<Vec<SubscriptionFilterFacts>>,
    /// Subscription filters of the whole account.
    pub account_subscription_filters: Result<Vec<AccountSubscriptionFilter>>,
    pub key: Option<KeyFacts>,
    pub concurrency: Result<LambdaConcurrency>,
    /// Whether the group has a transformer; asked only in depth.
    pub transformer: Option<Result<bool>>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LogGroupSettings {
    pub class: Option<String>,
    pub retention_days: Option<i32>,
    /// The account's retention policy that rules this group.
    pub retention_policy: Option<String>,
    pub key: Option<String>,
    pub metric_filter_count: i32,
    pub has_data_protection: bool,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LogStreamPresence {
    pub member_accounts: bool,
    pub any: bool,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SubscriptionFilterFacts {
    pub name: String,
    pub destination: String,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AccountSubscriptionFilter {
    pub name: String,
    pub selection_criteria: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LambdaConcurrency {
    pub total: i32,
    pub unreserved: Option<i32>,
}

/// What is there under the names that setup would take, by the check that asks.
#[derive(Clone, Debug, Default)]
pub struct NameOwners {
    pub by_check: BTreeMap<&'static str, Result<Option<NameOwner>>>,
}

impl NameOwners {
    #[must_use]
    pub fn merge(mut self, other: Self) -> Self {
        self.by_check.extend(other.by_check);
        self
    }
}

/// Whose something is, as its tags tell.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct NameOwner {
    /// What it is called, to be told.
    pub name: String,
    pub managed: bool,
    pub option: Option<String>,
    /// Whether it bears anybody's mark, ours or not.
    pub has_owner_tag: bool,
    /// Whether it looks like the work of the vendor's Terraform module.
    pub from_vendor_terraform: bool,
    /// The state of the key behind an alias.
    pub key_state: Option<String>,
}

/// What only a caller with more permissions can ask.
#[derive(Clone, Debug)]
pub struct IamQuotaFacts {
    /// So many roles and policies there are, and may be.
    pub quotas: Result<IamQuotas>,
}

/// What IAM's simulator says of the caller.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SimulationResult {
    /// The simulator takes no root user.
    RootUser,
    Simulated(PermissionSimulation),
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PermissionSimulation {
    /// The user or the role behind the session.
    pub principal: String,
    /// How many actions it was asked about.
    pub action_count: usize,
    /// Those that it would be refused, each once.
    pub denied_actions: Vec<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct IamQuotas {
    pub roles: i32,
    pub roles_quota: i32,
    pub policies: i32,
    pub policies_quota: i32,
}

/// Whether an ARN belongs to this account.
#[must_use]
pub fn belongs_to_account(arn: &str, account: &str) -> bool {
    Arn::parse(arn).is_none_or(|arn| arn.account == account)
}
