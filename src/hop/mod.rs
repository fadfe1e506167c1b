//! Hops: the stations that an event passes on its way to Heeler. They are evaluated from facts, without AWS calls.
//!
//! A delivery option lists its hops in order. Each function of this module evaluates one hop by its own documents.
//! Policies are evaluated for the service or role that uses them. Settings are compared with the expected ones. The
//! first broken hop is the cause. A later hop is broken only if its own documents are wrong.

mod access;
pub mod bucket;
pub mod function;
pub mod harvest;
pub mod log_group;
pub mod object_access;
pub mod queue;
pub mod role;
pub mod topic;
pub mod trail;

use crate::error::Error;
use crate::hint::Hint;
use crate::inventory::Fact;

/// The stable ID of a hop.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum HopId {
    Trail,
    BucketPolicy,
    Notification,
    TopicPolicy,
    Subscription,
    LogGroup,
    SubscriptionFilter,
    FunctionPermission,
    Function,
    FunctionRole,
    QueuePolicy,
    QueueKey,
    Queue,
    DeadLetterQueue,
    RoleTrust,
    RolePermissions,
    LogKey,
    Harvest,
}

impl HopId {
    /// Every ID, in the order of the documentation.
    pub const ALL: [Self; 18] = [
        Self::Trail,
        Self::BucketPolicy,
        Self::Notification,
        Self::TopicPolicy,
        Self::Subscription,
        Self::LogGroup,
        Self::SubscriptionFilter,
        Self::FunctionPermission,
        Self::Function,
        Self::FunctionRole,
        Self::QueuePolicy,
        Self::QueueKey,
        Self::Queue,
        Self::DeadLetterQueue,
        Self::RoleTrust,
        Self::RolePermissions,
        Self::LogKey,
        Self::Harvest,
    ];

    /// Returns the ID that output and documentation use.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Trail => "trail",
            Self::BucketPolicy => "bucket_policy",
            Self::Notification => "notification",
            Self::TopicPolicy => "topic_policy",
            Self::Subscription => "subscription",
            Self::LogGroup => "log_group",
            Self::SubscriptionFilter => "subscription_filter",
            Self::FunctionPermission => "function_permission",
            Self::Function => "function",
            Self::FunctionRole => "function_role",
            Self::QueuePolicy => "queue_policy",
            Self::QueueKey => "queue_key",
            Self::Queue => "queue",
            Self::DeadLetterQueue => "dead_letter_queue",
            Self::RoleTrust => "role_trust",
            Self::RolePermissions => "role_permissions",
            Self::LogKey => "log_key",
            Self::Harvest => "harvest",
        }
    }
}

/// The result of the evaluation of a hop.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HopStatus {
    Ok,
    Broken,
    /// A fact is missing: a call was refused, or a policy depends on a condition key that is not known.
    Unknown,
    /// Only traffic shows whether the hop works, and an earlier broken hop stops the traffic. Also a part of a resource that
    /// does not exist.
    NotReached,
}

impl HopStatus {
    /// Returns the value that is used in output.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Broken => "broken",
            Self::Unknown => "unknown",
            Self::NotReached => "not_reached",
        }
    }
}

/// An evaluated hop.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hop {
    pub id: HopId,
    pub status: HopStatus,
    pub observed: String,
    pub expected: String,
    /// Advice on how to repair the hop or learn more about it.
    pub hint: Option<Hint>,
    /// ARN, URL or name of the resource that was evaluated.
    pub resource: String,
}

impl Hop {
    fn with_hint(mut self, hint: impl Into<Hint>) -> Self {
        self.hint = Some(hint.into());
        self
    }
}

/// A hop that is not evaluated yet.
#[derive(Clone, Debug)]
struct HopDraft {
    id: HopId,
    resource: String,
    expected: String,
}

impl HopDraft {
    fn new(id: HopId, resource: impl Into<String>, expected: impl Into<String>) -> Self {
        Self {
            id,
            resource: resource.into(),
            expected: expected.into(),
        }
    }

    fn with_status(self, status: HopStatus, observed: impl Into<String>) -> Hop {
        Hop {
            id: self.id,
            status,
            observed: observed.into(),
            expected: self.expected,
            hint: None,
            resource: self.resource,
        }
    }

    fn ok(self, observed: impl Into<String>) -> Hop {
        self.with_status(HopStatus::Ok, observed)
    }

    fn broken(self, observed: impl Into<String>) -> Hop {
        self.with_status(HopStatus::Broken, observed)
    }

    fn unknown(self, observed: impl Into<String>) -> Hop {
        self.with_status(HopStatus::Unknown, observed)
    }

    /// Returns the hop as unknown after a refused or failed call, with AWS's error and the missing permission.
    fn failed(self, error: &Error) -> Hop {
        let hop = self.unknown(error.to_string());
        match (error.is_denied(), error.required_permission(), error.hint()) {
            (true, Some(action), _) => hop.with_hint(format!("the caller needs {action}")),
            (_, _, Some(hint)) => hop.with_hint(hint.clone()),
            _ => hop,
        }
    }

    /// Returns the value of a fact. If there is none, returns the evaluated hop as the error. If the resource is
    /// absent, the hop is broken and `missing` is its observation.
    fn require<'a, T>(&self, fact: &'a Fact<T>, missing: &str) -> Result<&'a T, Box<Hop>> {
        match fact {
            Fact::Present(value) => Ok(value),
            Fact::Absent => Err(Box::new(self.clone().broken(missing))),
            Fact::Failed(error) => Err(Box::new(self.clone().failed(error))),
            Fact::NotRequested => Err(Box::new(self.clone().unknown("not read"))),
        }
    }
}

/// The hops of a deployment in order.
#[derive(Clone, Debug)]
pub struct PipelineHealth {
    pub hops: Vec<Hop>,
}

impl PipelineHealth {
    /// Creates the result from evaluated hops. An unknown [`HopId::Harvest`] after a broken hop becomes
    /// [`HopStatus::NotReached`].
    #[must_use]
    pub fn new(mut hops: Vec<Hop>) -> Self {
        let mut is_broken = false;
        for hop in &mut hops {
            if is_broken && hop.id == HopId::Harvest && hop.status == HopStatus::Unknown {
                hop.status = HopStatus::NotReached;
            }
            is_broken |= hop.status == HopStatus::Broken;
        }
        Self { hops }
    }

    /// Returns the first broken hop.
    #[must_use]
    pub fn cause(&self) -> Option<&Hop> {
        self.hops.iter().find(|hop| hop.status == HopStatus::Broken)
    }

    /// Returns true if no hop is broken.
    #[must_use]
    pub fn is_healthy(&self) -> bool {
        self.cause().is_none()
    }
}

/// Returns the hop of an evaluation, whether it ran to its end or returned early.
fn into_hop(result: Result<Hop, Box<Hop>>) -> Hop {
    result.unwrap_or_else(|hop| *hop)
}

#[cfg(test)]
pub(crate) mod tests;
