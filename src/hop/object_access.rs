//! The access of Heeler to one log object: the policies, and the key of the object.

use super::access::{
    AccessCheck, evaluate_access, heeler, identity_policies, key_policy, parse_policy,
};
use super::bucket::heeler_via_s3;
use super::{Hop, HopDraft, HopId, HopStatus, into_hop};
use crate::iam::evaluate::{PolicyInput, PolicySet, ResourcePolicy};
use crate::inventory::Fact;
use crate::inventory::facts::KeyFacts;
use crate::inventory::pipeline::PipelineFacts;

/// The decision whether Heeler may read a log object. Each reason is a part of a sentence.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ObjectAccess {
    Allowed,
    /// A policy of the role or of the bucket does not allow the request.
    PolicyDenies(String),
    /// The key of the object does not allow its use.
    KeyDenies(String),
    Unknown(String),
}

/// Evaluates the request of Heeler to read a log object. `object` is its ARN, and `key` the customer managed key that
/// encrypts it.
#[must_use]
pub fn object_access(facts: &PipelineFacts, object: &str, key: Option<&KeyFacts>) -> ObjectAccess {
    let policies = into_hop(evaluate_policies(facts, object));
    let by_key = key.map(|key| into_hop(evaluate_key(facts, object, key)));
    match (policies.status, by_key) {
        (HopStatus::Broken, _) => ObjectAccess::PolicyDenies(policies.observed),
        (_, Some(key)) if key.status == HopStatus::Broken => ObjectAccess::KeyDenies(key.observed),
        (HopStatus::Ok, Some(key)) if key.status != HopStatus::Ok => {
            ObjectAccess::Unknown(key.observed)
        }
        (HopStatus::Ok, _) => ObjectAccess::Allowed,
        _ => ObjectAccess::Unknown(policies.observed),
    }
}

fn evaluate_policies(facts: &PipelineFacts, object: &str) -> Result<Hop, Box<Hop>> {
    let draft = HopDraft::new(HopId::RolePermissions, object, "s3:GetObject for Heeler");
    draft.require(&facts.role.role, "the role does not exist")?;
    let bucket = match &facts.bucket_policy {
        Fact::Present(text) => parse_policy(&draft, Some(text))?,
        Fact::Absent => PolicyInput::none(),
        Fact::Failed(_) | Fact::NotRequested => PolicyInput::Unreadable,
    };
    let (identity, boundary) = identity_policies(&facts.role);
    let check = AccessCheck {
        who: "Heeler",
        caller: heeler(facts),
        action: "s3:GetObject",
        resource: object.to_owned(),
        policies: PolicySet {
            boundary,
            ..PolicySet::new(identity, ResourcePolicy::Resource(bucket))
        },
    };
    Ok(evaluate_access(draft, facts, &[check], "allowed"))
}

fn evaluate_key(facts: &PipelineFacts, object: &str, key: &KeyFacts) -> Result<Hop, Box<Hop>> {
    let draft = HopDraft::new(HopId::LogKey, key.name(), "kms:Decrypt for Heeler");
    if key.is_managed_by_aws() {
        return Ok(draft.ok("AWS manages the key"));
    }
    if let Fact::Failed(error) = &key.grants {
        return Ok(draft.failed(error));
    }
    let role = facts.role.role.present();
    let grantee = role.map_or("", |role| role.arn.as_str());
    let policy = key_policy(&draft, key, grantee)?;
    let (identity, boundary) = identity_policies(&facts.role);
    let check = AccessCheck {
        who: "Heeler",
        caller: heeler_via_s3(facts, key, object),
        action: "kms:Decrypt",
        resource: key.name().to_owned(),
        policies: PolicySet {
            boundary,
            ..PolicySet::new(identity, policy)
        },
    };
    Ok(evaluate_access(draft, facts, &[check], "allowed"))
}
