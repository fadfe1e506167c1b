//! What can be found: plain values, so that a judge needs no AWS and a test needs no emulator. Long, since it is the
//! whole list of what is asked, and nothing else.

use std::collections::BTreeMap;
use std::time::SystemTime;

use crate::aws::Caller;
use crate::aws::arn::Arn;
use crate::aws::notification::Entry;
use crate::check::selectors::Selector;
use crate::error::Result;

/// Of the account and its organization, whichever trail is taken.
#[derive(Clone, Debug)]
pub struct Account {
    pub caller: Result<Caller>,
    pub organization: Result<Option<Organization>>,
    /// The services that may act in all accounts of the organization.
    pub trusted: Result<Vec<String>>,
    /// Accounts that may administer CloudTrail for the organization.
    pub delegated: Result<Vec<String>>,
    /// Regions that are switched on here, and are not by default.
    pub opted_in: Result<Vec<String>>,
    pub trails: Result<Vec<Trail>>,
    /// Trails of other regions, asked for only when none fits here.
    pub elsewhere: Option<Result<Vec<Trail>>>,
    pub deep: Option<Deep>,
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
    pub home: String,
    pub organization: bool,
    pub multi_region: bool,
    pub global_events: bool,
    pub validation: bool,
    pub bucket: String,
    pub prefix: String,
    pub key: Option<String>,
    pub own_topic: Option<String>,
    /// Without the `:*` that CloudTrail writes behind it.
    pub log_group: Option<String>,
    pub log_role: Option<String>,
}

/// Which trail everything else is about.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Choice {
    One(Trail),
    /// None was named, and not exactly one is known to pass every check.
    Several {
        /// Their names, with the checks that each fails.
        judged: Vec<(String, Vec<&'static str>)>,
        /// Those that could pass, and that nobody looked into.
        unseen: Vec<String>,
    },
    /// The one that was named does not exist.
    Unnamed(String),
    #[default]
    None,
}

impl Choice {
    #[must_use]
    pub fn trail(&self) -> Option<&Trail> {
        match self {
            Self::One(trail) => Some(trail),
            _ => None,
        }
    }
}

/// A trail that could do: what it records, and what hangs from it.
#[derive(Clone, Debug)]
pub struct Prospect {
    pub trail: Trail,
    pub status: Result<Status>,
    pub selectors: Result<SelectorList>,
    /// Of very many trails only the most promising are looked into. Without this, a trail is never taken.
    pub found: Option<Found>,
}

/// What hangs from a trail.
#[derive(Clone, Debug)]
pub struct Found {
    pub shadows: Vec<Shadow>,
    pub for_s3: (Option<Bucket>, Taken),
    pub for_cloudwatch: (Option<LogGroup>, Taken),
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Status {
    pub logging: bool,
    pub started: Option<SystemTime>,
    pub stopped: Option<SystemTime>,
    pub to_bucket: Delivery,
    pub to_log_group: Delivery,
    pub notification_error: Option<String>,
}

/// How the last delivery to one place went.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Delivery {
    pub error: Option<String>,
    pub at: Option<SystemTime>,
}

/// The event selectors, in the one form of the two that the trail has.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct SelectorList {
    pub selectors: Vec<Selector>,
    /// The same as `put-event-selectors` takes them.
    pub raw: Vec<serde_json::Value>,
}

/// The trail's copy in one region.
#[derive(Clone, Debug)]
pub struct Shadow {
    pub region: String,
    pub seen: Result<()>,
}

/// The bucket that the trail delivers to.
#[derive(Clone, Debug)]
pub struct Bucket {
    pub name: String,
    pub owned: Result<Owned>,
    pub encryption: Option<Result<Encryption>>,
    /// The newest log object, if there is one of today or yesterday.
    pub newest: Option<Result<Option<LogObject>>>,
    /// Every key that was named: by the operator, the trail, the bucket, or the newest object.
    pub keys: Vec<KeyFacts>,
    pub notifications: Option<Result<Vec<Entry>>>,
    pub topic: Option<Result<Option<TopicFacts>>>,
    /// The bucket's policy; nothing when it has none.
    pub policy: Option<Result<Option<String>>>,
    /// How objects of others are owned; nothing when that was never said.
    pub ownership: Option<Result<Option<String>>>,
    pub lifecycle: Option<Result<Vec<LifecycleRule>>>,
    pub requester_pays: Option<Result<bool>>,
}

impl Bucket {
    /// One that could not be looked into.
    #[must_use]
    pub fn unseen(name: &str, owned: Result<Owned>) -> Self {
        Self {
            name: name.to_owned(),
            owned,
            encryption: None,
            newest: None,
            keys: Vec::new(),
            notifications: None,
            topic: None,
            policy: None,
            ownership: None,
            lifecycle: None,
            requester_pays: None,
        }
    }

    /// What is known of the key that goes by this name somewhere.
    #[must_use]
    pub fn key(&self, asked: &str) -> Option<&KeyFacts> {
        self.keys.iter().find(|key| key.is(asked))
    }
}

/// Whether the bucket is the caller's, and where it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Owned {
    Here { region: String },
    Elsewhere { region: Option<String> },
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
    pub name: String,
    pub modified: Option<SystemTime>,
    pub encryption: Encryption,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LifecycleRule {
    pub id: String,
    pub prefix: String,
    pub expires: Option<Due>,
    /// Storage classes that objects go to, and when.
    pub transitions: Vec<(String, Due)>,
}

/// When a lifecycle rule does something to an object.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Due {
    /// So many days after the object was made.
    After(i32),
    /// From this day on, to every object that is there then or comes later.
    On(SystemTime),
}

/// A key under one of its names.
#[derive(Clone, Debug)]
pub struct KeyFacts {
    pub asked: String,
    pub key: Result<Option<Key>>,
    /// Not asked of a key of another account.
    pub policy: Option<Result<String>>,
    /// What the harvest role was granted on it.
    pub grants: Option<Result<Vec<Grant>>>,
}

impl KeyFacts {
    /// Whether this is one of the key's names.
    #[must_use]
    pub fn is(&self, name: &str) -> bool {
        let arn = match &self.key {
            Ok(Some(key)) => key.arn.as_str(),
            _ => return self.asked == name,
        };
        self.asked == name || arn == name || arn.rsplit('/').next() == Some(name)
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
            _ => &self.asked,
        }
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Key {
    pub arn: String,
    pub account: String,
    pub state: String,
    pub description: String,
    pub customer_managed: bool,
    pub deletion: Option<SystemTime>,
    /// When imported key material ends.
    pub material_ends: Option<SystemTime>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Grant {
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
    pub fn unseen(arn: String) -> Self {
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
pub struct LogGroup {
    pub name: String,
    pub account: String,
    pub region: String,
    /// Nothing when there is no such group.
    pub group: Result<Option<Group>>,
    pub streams: Result<Streams>,
    pub filters: Result<Vec<SubscriptionFilter>>,
    /// Subscription filters of the whole account.
    pub account_filters: Result<Vec<AccountFilter>>,
    pub key: Option<KeyFacts>,
    pub concurrency: Result<Concurrency>,
    /// Whether the group has a transformer; asked only in depth.
    pub transformer: Option<Result<bool>>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Group {
    pub class: Option<String>,
    pub retention: Option<i32>,
    /// The account's retention policy that rules this group.
    pub retention_policy: Option<String>,
    pub key: Option<String>,
    pub metric_filters: i32,
    pub masked: bool,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Streams {
    pub of_members: bool,
    pub any: bool,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SubscriptionFilter {
    pub name: String,
    pub destination: String,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AccountFilter {
    pub name: String,
    pub selection: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Concurrency {
    pub total: i32,
    pub unreserved: Option<i32>,
}

/// What is there under the names that setup would take, by the check that asks.
#[derive(Clone, Debug, Default)]
pub struct Taken {
    pub by_check: BTreeMap<&'static str, Result<Option<Owner>>>,
}

impl Taken {
    #[must_use]
    pub fn and(mut self, other: Self) -> Self {
        self.by_check.extend(other.by_check);
        self
    }
}

/// Whose something is, as its tags tell.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Owner {
    /// What it is called, to be told.
    pub name: String,
    pub managed: bool,
    pub option: Option<String>,
    /// Whether it bears anybody's mark, ours or not.
    pub marked: bool,
    /// Whether it looks like the work of the vendor's Terraform module.
    pub terraform: bool,
    /// The state of the key behind an alias.
    pub key_state: Option<String>,
}

/// What only a caller with more permissions can ask.
#[derive(Clone, Debug)]
pub struct Deep {
    /// So many roles and policies there are, and may be.
    pub iam: Result<IamQuota>,
}

/// What IAM's simulator says of the caller.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Simulated {
    /// The simulator takes no root user.
    Root,
    Asked(Simulation),
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Simulation {
    /// The user or the role behind the session.
    pub principal: String,
    /// How many actions it was asked about.
    pub actions: usize,
    /// Those that it would be refused, each once.
    pub denied: Vec<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct IamQuota {
    pub roles: i32,
    pub roles_quota: i32,
    pub policies: i32,
    pub policies_quota: i32,
}

/// Whether an ARN belongs to this account.
#[must_use]
pub fn is_of(arn: &str, account: &str) -> bool {
    Arn::parse(arn).is_none_or(|arn| arn.account == account)
}
