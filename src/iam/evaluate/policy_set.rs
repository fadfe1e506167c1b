//! The policies that apply to a request.

use std::collections::BTreeMap;

use super::document::Policy;

/// The policies that apply to a request.
#[derive(Clone, Debug)]
pub struct PolicySet {
    /// Policies of the role or user. Service principals have none.
    pub identity: PolicyInput,
    pub resource: ResourcePolicy,
    /// The permissions boundary of the role or user.
    pub boundary: Option<PolicyInput>,
    /// The service control policies of each level of the organization, and the resource control policies. Each entry must
    /// allow the request. Service control policies apply neither to the management account nor to service principals:
    /// leave them out for those.
    pub control_policies: Vec<PolicyInput>,
}

impl PolicySet {
    /// Creates a set of identity-based policies and a resource policy, without a boundary or control policies.
    #[must_use]
    pub fn new(identity: PolicyInput, resource: ResourcePolicy) -> Self {
        Self {
            identity,
            resource,
            boundary: None,
            control_policies: Vec::new(),
        }
    }
}

/// The policies of one layer.
#[derive(Clone, Debug)]
pub enum PolicyInput {
    /// These policies and no others. An empty list allows nothing.
    Documents(Vec<Policy>),
    /// The policies exist or may exist, but are not readable.
    Unreadable,
    /// The policies are assumed to allow the request, such as those that setup will create, or those of Heeler's account.
    AssumedToAllow,
}

impl PolicyInput {
    #[must_use]
    pub fn none() -> Self {
        Self::Documents(Vec::new())
    }
}

impl From<Policy> for PolicyInput {
    fn from(policy: Policy) -> Self {
        Self::Documents(vec![policy])
    }
}

/// The policy of the resource. The variant determines how it combines with identity-based policies.
#[derive(Clone, Debug)]
pub enum ResourcePolicy {
    /// The policy of a bucket, topic, queue, function or event bus.
    Resource(PolicyInput),
    /// The trust policy of a role.
    Trust(PolicyInput),
    /// The policy and the grants of a KMS key.
    Key {
        policy: PolicyInput,
        grants: Vec<KeyGrant>,
        /// False in any state but `Enabled`, in which KMS refuses the use of the key.
        is_enabled: bool,
    },
}

/// A grant of a KMS key.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct KeyGrant {
    /// The grantee principal: an ARN, a unique ID, or a service principal.
    pub grantee: String,
    /// Names of operations, such as `Decrypt`.
    pub operations: Vec<String>,
    /// The encryption context of the request must contain these pairs.
    pub encryption_context_subset: BTreeMap<String, String>,
}
