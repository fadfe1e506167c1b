//! Evaluation of policies: would AWS allow a request? The result is allow, deny, or unknown with the facts that are missing.
//!
//! An [`AccessRequest`] has a [`Principal`], an action, a resource and a [`RequestContext`]; a [`PolicySet`] has the policies
//! that apply to it. [`evaluate`] combines them as AWS does:
//!
//! 1. A Deny in any policy that applies wins.
//! 2. In the same account, an Allow in the identity-based or in the resource-based policy is enough. The policies of KMS
//!    keys and roles must allow themselves; if they name only the account, they delegate to identity-based policies.
//! 3. Across accounts, both must allow. A grant of a KMS key is enough on its own.
//! 4. A service principal has no identity-based policy.
//! 5. A permissions boundary and each level of control policies must allow too.
//!
//! Sources: IAM user guide, "Policy evaluation logic" and "Cross-account policy evaluation logic"; KMS developer guide,
//! "Troubleshooting key access" and "Default key policy".
//!
//! A fact that was not given makes the decision [`Decision::Unknown`], unless the decision does not depend on it: an unknown
//! Allow does not matter if another statement allows, and an unknown Deny does not matter if nothing allows. The same holds
//! for the conditions of a statement. The evaluator never guesses.
//!
//! Session policies and VPC endpoint policies are not part of the evaluation.

mod caller;
mod condition;
mod context;
mod decision;
mod document;
mod operator;
mod pattern;
mod policy_set;
mod principal;
mod statement;
mod truth;

pub use caller::Caller;
pub use context::{ContextValue, RequestContext};
pub use decision::{Decision, MissingFacts, PolicyLayer, StatementSummary};
pub use document::{Policy, PolicySyntaxError};
pub use policy_set::{KeyGrant, PolicyInput, PolicySet, ResourcePolicy};
pub use principal::{Principal, RolePrincipal};

use statement::{LayerResult, evaluate_layer};
use truth::Truth;

/// A request to AWS.
#[derive(Clone, Copy, Debug)]
pub struct AccessRequest<'a> {
    pub principal: &'a Principal,
    /// Conditions of policies are evaluated with these keys.
    pub context: &'a RequestContext,
    /// An IAM action, such as `sqs:SendMessage`.
    pub action: &'a str,
    /// ARN of the resource.
    pub resource: &'a str,
    /// The account that owns the resource. The ARN of a bucket does not contain it.
    pub resource_account: &'a str,
}

/// Decides whether AWS would allow a request.
#[must_use]
pub fn evaluate(request: &AccessRequest<'_>, policies: &PolicySet) -> Decision {
    let is_service = matches!(request.principal, Principal::Service(_));
    let identity = if is_service {
        LayerResult::NEUTRAL
    } else {
        evaluate_layer(request, PolicyLayer::Identity, &policies.identity)
    };
    let (resource, grants, is_usable) = match &policies.resource {
        ResourcePolicy::Resource(input) | ResourcePolicy::Trust(input) => {
            let resource = evaluate_layer(request, PolicyLayer::Resource, input);
            (resource, Truth::False, true)
        }
        ResourcePolicy::Key {
            policy,
            grants,
            is_enabled,
        } => {
            let resource = evaluate_layer(request, PolicyLayer::Resource, policy);
            let grants = statement::match_grants(request, grants);
            (resource, grants, *is_enabled)
        }
    };
    let limits: Vec<LayerResult> = policies
        .boundary
        .iter()
        .filter(|_| !is_service)
        .map(|boundary| evaluate_layer(request, PolicyLayer::Boundary, boundary))
        .chain(
            policies
                .control_policies
                .iter()
                .map(|level| evaluate_layer(request, PolicyLayer::Organization, level)),
        )
        .collect();
    let denying = [&identity, &resource]
        .into_iter()
        .chain(&limits)
        .find_map(|layer| layer.denying.clone());
    if let Some(statement) = denying {
        return Decision::ExplicitDeny(statement);
    }
    if !is_usable {
        return Decision::ImplicitDeny(vec![PolicyLayer::KeyState]);
    }
    let layers = Layers {
        identity: &identity,
        resource: &resource,
        grants: &grants,
    };
    let is_same_account = request.principal.account() == Some(request.resource_account);
    let (limited, unlimited) = match request.principal {
        Principal::Service(_) => (resource.direct.clone(), Truth::False),
        _ => layers.allowed(&policies.resource, is_same_account),
    };
    let within = |layer: PolicyLayer| {
        let limits = limits.iter().filter(move |limit| limit.layer == layer);
        Truth::all(limits.map(LayerResult::allow))
    };
    let granted = unlimited.clone().or(limited.clone());
    let allowed = unlimited
        .or(limited.and(within(PolicyLayer::Boundary)))
        .and(within(PolicyLayer::Organization));
    let denied = Truth::any(
        [&identity, &resource]
            .into_iter()
            .chain(&limits)
            .map(|layer| layer.deny.clone()),
    );
    match allowed.and(denied.negate()) {
        Truth::True => Decision::Allow,
        Truth::Unknown(missing) => Decision::Unknown(missing),
        Truth::False if granted == Truth::False => {
            Decision::ImplicitDeny(layers.not_allowing(&policies.resource, is_service))
        }
        Truth::False => {
            let refusing = limits.iter().filter(|limit| limit.allow() == Truth::False);
            let mut layers: Vec<PolicyLayer> = refusing.map(|limit| limit.layer).collect();
            layers.dedup();
            Decision::ImplicitDeny(layers)
        }
    }
}

/// The results of the layers that can allow a request.
struct Layers<'a> {
    identity: &'a LayerResult,
    resource: &'a LayerResult,
    grants: &'a Truth,
}

impl Layers<'_> {
    /// Combines what allows a request of a role or user. The first result is limited by a permissions boundary; the second,
    /// what a resource policy allows to a session of a role in the same account, is not.
    fn allowed(&self, kind: &ResourcePolicy, is_same_account: bool) -> (Truth, Truth) {
        let identity = self.identity.allow();
        let direct = self.resource.direct.clone();
        let by_account = self.resource.account.clone().and(identity.clone());
        let session = self.resource.session.clone();
        if !is_same_account {
            let any = Truth::any([direct, session, self.resource.account.clone()]);
            return (any.and(identity).or(self.grants.clone()), Truth::False);
        }
        let limited = match kind {
            ResourcePolicy::Resource(_) => direct.or(identity),
            ResourcePolicy::Trust(_) => direct.or(by_account),
            ResourcePolicy::Key { .. } => direct.or(by_account).or(self.grants.clone()),
        };
        (limited, session)
    }

    /// Returns the layers that could allow the request and do not.
    fn not_allowing(&self, kind: &ResourcePolicy, is_service: bool) -> Vec<PolicyLayer> {
        let mut layers = Vec::new();
        if !is_service && self.identity.allow() == Truth::False {
            layers.push(PolicyLayer::Identity);
        }
        let LayerResult {
            direct,
            session,
            account,
            ..
        } = self.resource;
        if [direct, session, account] == [&Truth::False; 3] {
            layers.push(PolicyLayer::Resource);
        }
        if matches!(kind, ResourcePolicy::Key { .. }) && *self.grants == Truth::False {
            layers.push(PolicyLayer::KeyGrants);
        }
        layers
    }
}
