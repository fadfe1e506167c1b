//! Facts about the bucket that a trail delivers to, and about the topic of its notifications.

use std::time::SystemTime;

use super::KeyFacts;
use crate::aws::bucket_notification::NotificationEntry;
use crate::error::{Error, Result};
use crate::inventory::fact::Fact;

#[derive(Clone, Debug)]
pub struct BucketFacts {
    pub name: String,
    pub owner: Result<BucketOwner>,
    pub encryption: Fact<Encryption>,
    /// The newest log object from today or yesterday.
    pub newest_log_object: Fact<LogObject>,
    /// Log objects of accounts other than that of the trail. Requested for organization trails only.
    pub member_objects: Fact<MemberObjects>,
    /// The keys that are named by the operator, the trail, the bucket or the newest object.
    pub keys: Vec<KeyFacts>,
    pub notifications: Fact<Vec<NotificationEntry>>,
    /// The destinations of these notifications in this account, except the topic of setup.
    pub destinations: Vec<DestinationFacts>,
    /// The existing topic that setup would use.
    pub topic: Fact<TopicFacts>,
    pub policy: Fact<String>,
    /// The Object Ownership setting.
    pub object_ownership: Fact<String>,
    pub lifecycle: Fact<Vec<LifecycleRule>>,
    pub requester_pays: Fact<bool>,
}

/// The log objects of member accounts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MemberObjects {
    Found,
    /// There are none, and the organization has other active accounts, or they may not be listed.
    Missing,
    /// There are none, because the organization has no other active account.
    NoOtherAccount,
}

impl BucketFacts {
    /// Creates the facts about a bucket if only its owner was requested.
    #[must_use]
    pub fn not_inspected(name: &str, owner: Result<BucketOwner>) -> Self {
        Self {
            name: name.to_owned(),
            owner,
            encryption: Fact::NotRequested,
            newest_log_object: Fact::NotRequested,
            member_objects: Fact::NotRequested,
            keys: Vec::new(),
            notifications: Fact::NotRequested,
            destinations: Vec::new(),
            topic: Fact::NotRequested,
            policy: Fact::NotRequested,
            object_ownership: Fact::NotRequested,
            lifecycle: Fact::NotRequested,
            requester_pays: Fact::NotRequested,
        }
    }

    /// Finds the facts about a key by its ID, its ARN, or the identifier that was looked up.
    #[must_use]
    pub fn key(&self, identifier: &str) -> Option<&KeyFacts> {
        self.keys.iter().find(|key| key.has_name(identifier))
    }

    /// Returns the errors of all failed calls.
    pub fn errors(&self) -> impl Iterator<Item = &Error> {
        let Self {
            name: _,
            owner,
            encryption,
            newest_log_object,
            member_objects,
            keys,
            notifications,
            destinations,
            topic,
            policy,
            object_ownership,
            lifecycle,
            requester_pays,
        } = self;
        [
            owner.as_ref().err(),
            encryption.error(),
            newest_log_object.error(),
            member_objects.error(),
            notifications.error(),
            topic.error(),
            policy.error(),
            object_ownership.error(),
            lifecycle.error(),
            requester_pays.error(),
        ]
        .into_iter()
        .flatten()
        .chain(topic.present().into_iter().flat_map(TopicFacts::errors))
        .chain(keys.iter().flat_map(KeyFacts::errors))
        .chain(
            destinations
                .iter()
                .filter_map(|found| found.exists.as_ref().err()),
        )
    }
}

/// A destination of a notification.
#[derive(Clone, Debug)]
pub struct DestinationFacts {
    pub arn: String,
    pub exists: Result<bool>,
}

/// The account that owns a bucket, and the bucket's region.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum BucketOwner {
    ThisAccount { region: String },
    OtherAccount { region: Option<String> },
    Missing,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Encryption {
    /// SSE-S3.
    S3,
    /// SSE-KMS, with the configured key identifier; `None` for the AWS managed key.
    Kms(Option<String>),
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogObject {
    pub key: String,
    pub last_modified: Option<SystemTime>,
    pub encryption: Encryption,
}

/// An enabled lifecycle rule that filters by prefix only.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LifecycleRule {
    pub id: String,
    pub prefix: String,
    pub expires: Option<LifecycleTiming>,
    /// Target storage classes, each with the time of the transition.
    pub transitions: Vec<(String, LifecycleTiming)>,
}

/// The time at which a lifecycle rule acts on an object.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LifecycleTiming {
    /// Days after the object was created.
    AfterDays(i32),
    /// The date from which the rule acts on every object, including objects that are created later.
    OnDate(SystemTime),
}

#[derive(Clone, Debug)]
pub struct TopicFacts {
    pub arn: String,
    pub policy: String,
    pub key: Option<String>,
    /// The key policy of a customer managed key in this account.
    pub key_policy: Fact<String>,
}

impl TopicFacts {
    /// Creates the facts about a topic if only its ARN is known.
    #[must_use]
    pub fn arn_only(arn: String) -> Self {
        Self {
            arn,
            policy: String::new(),
            key: None,
            key_policy: Fact::NotRequested,
        }
    }

    pub fn errors(&self) -> impl Iterator<Item = &Error> {
        let Self {
            arn: _,
            policy: _,
            key: _,
            key_policy,
        } = self;
        key_policy.error().into_iter()
    }
}
