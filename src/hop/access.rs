//! Builds the requests for the policy evaluator, and turns its decisions into hops.

use super::{Hop, HopDraft};
use crate::aws::arn::Arn;
use crate::iam;
use crate::iam::evaluate::{
    AccessRequest, Caller, Decision, KeyGrant, Policy, PolicyInput, PolicyLayer, PolicySet,
    ResourcePolicy, evaluate,
};
use crate::inventory::Fact;
use crate::inventory::facts::KeyFacts;
use crate::inventory::pipeline::{PipelineFacts, RoleFacts};

/// A request that must be allowed for a hop to work.
pub(super) struct AccessCheck {
    /// Name of the caller in messages, such as `CloudTrail`.
    pub who: &'static str,
    pub caller: Caller,
    pub action: &'static str,
    /// ARN of the resource.
    pub resource: String,
    pub policies: PolicySet,
}

/// Evaluates the requests of a hop. The first denied request makes the hop broken. Otherwise, the first request that
/// cannot be decided makes it unknown.
pub(super) fn evaluate_access(
    draft: HopDraft,
    facts: &PipelineFacts,
    checks: &[AccessCheck],
    allowed: impl Into<String>,
) -> Hop {
    let mut undetermined = None;
    for check in checks {
        let AccessCheck { who, action, .. } = check;
        let request = AccessRequest {
            principal: &check.caller.principal,
            context: &check.caller.context,
            action,
            resource: &check.resource,
            resource_account: resource_account(facts, &check.resource),
        };
        match evaluate(&request, &check.policies) {
            Decision::Allow => {}
            Decision::ExplicitDeny(statement) => {
                let when = match statement.conditions.as_slice() {
                    [] => "always".to_owned(),
                    conditions => format!("if {}", conditions.join(" and ")),
                };
                return draft.broken(format!("{statement} denies {who} {action}, {when}"));
            }
            Decision::ImplicitDeny(layers) if layers == [PolicyLayer::KeyState] => {
                return draft.broken("the key is not enabled");
            }
            Decision::ImplicitDeny(_) => {
                return draft.broken(format!("no statement allows {who} {action}"));
            }
            Decision::Unknown(missing) => {
                undetermined.get_or_insert_with(|| {
                    format!("whether {who} may call {action} depends on {missing}")
                });
            }
        }
    }
    match undetermined {
        Some(observed) => draft.unknown(observed),
        None => draft.ok(allowed),
    }
}

/// Returns the account of a resource. ARNs of S3 have none.
fn resource_account<'a>(facts: &'a PipelineFacts, resource: &'a str) -> &'a str {
    let account = Arn::parse(resource).map(|arn| arn.account);
    let account = account.filter(|account| !account.is_empty());
    account.unwrap_or(&facts.request.account)
}

/// Sets the condition keys for the account of the resource, and for the organization of the caller and of the resource.
pub(super) fn in_organization(facts: &PipelineFacts, caller: Caller) -> Caller {
    let caller = caller.with("aws:ResourceAccount", &facts.request.account);
    match &facts.organization {
        Fact::Present(organization) => caller
            .in_organization(&organization.id)
            .with("aws:ResourceOrgID", &organization.id),
        _ => caller,
    }
}

/// Returns an AWS service as the caller that acts for a resource of this account.
pub(super) fn service(facts: &PipelineFacts, name: &str, source_arn: &str) -> Caller {
    let caller = Caller::service(name, source_arn, &facts.request.account);
    in_organization(facts, caller)
}

/// Returns a session of a role of the deployment as the caller. If the role could not be read, its ARN is `expected`.
pub(super) fn role(facts: &PipelineFacts, expected: &str, found: &RoleFacts) -> Caller {
    let details = found.role.present();
    let arn = details.map_or(expected, |role| role.arn.as_str());
    in_organization(facts, Caller::role(arn, &facts.request.account, None))
}

/// Returns a session of the role that Heeler assumes as the caller.
pub(super) fn heeler(facts: &PipelineFacts) -> Caller {
    role(facts, &facts.request.role_arn, &facts.role)
}

/// Returns the caller for the KMS calls that SQS makes on its behalf.
pub(super) fn via_sqs(facts: &PipelineFacts, caller: Caller) -> Caller {
    caller
        .via_service(&format!("sqs.{}.amazonaws.com", facts.request.region))
        .with("kms:EncryptionContext:aws:sqs:arn", facts.queue_arn())
}

/// Parses a resource-based policy. A missing or empty policy allows nothing.
pub(super) fn parse_policy(draft: &HopDraft, text: Option<&str>) -> Result<PolicyInput, Box<Hop>> {
    match text.filter(|text| !text.is_empty()).map(Policy::parse) {
        None => Ok(PolicyInput::none()),
        Some(Ok(policy)) => Ok(policy.into()),
        Some(Err(why)) => Err(Box::new(
            draft
                .clone()
                .unknown(format!("the policy cannot be read: {why}")),
        )),
    }
}

/// Returns the policies of a role and its permissions boundary, or `Unreadable` for those that could not be read.
pub(super) fn identity_policies(role: &RoleFacts) -> (PolicyInput, Option<PolicyInput>) {
    let identity = match &role.policies {
        Fact::Present(documents) => decode_all(documents),
        _ => PolicyInput::Unreadable,
    };
    let boundary = match &role.boundary {
        Fact::Present(document) => Some(decode_all(std::slice::from_ref(document))),
        Fact::Failed(_) => Some(PolicyInput::Unreadable),
        Fact::Absent | Fact::NotRequested => None,
    };
    (identity, boundary)
}

/// Parses policy documents of IAM. If one cannot be parsed, the result is `Unreadable`.
fn decode_all(documents: &[String]) -> PolicyInput {
    let parsed = documents
        .iter()
        .map(|text| Policy::from_document(&iam::parse_encoded_document(text)));
    match parsed.collect::<Result<Vec<Policy>, _>>() {
        Ok(policies) => PolicyInput::Documents(policies),
        Err(_) => PolicyInput::Unreadable,
    }
}

/// Returns the policies of a request for a hop that evaluates only the resource-based policy.
pub(super) fn resource_side(policy: ResourcePolicy) -> PolicySet {
    PolicySet::new(PolicyInput::AssumedToAllow, policy)
}

/// Returns the policies of a request for a hop that evaluates only the identity-based policies.
pub(super) fn identity_side(role: &RoleFacts) -> PolicySet {
    let (identity, boundary) = identity_policies(role);
    PolicySet {
        boundary,
        ..PolicySet::new(identity, ResourcePolicy::Resource(PolicyInput::none()))
    }
}

/// Returns the policy and grants of a key. If the key is unknown or not enabled, returns the evaluated hop as the
/// error.
pub(super) fn key_policy(
    draft: &HopDraft,
    key: &KeyFacts,
    grantee: &str,
) -> Result<ResourcePolicy, Box<Hop>> {
    let details = draft.require(&key.key, &format!("key {} does not exist", key.identifier))?;
    if details.state != "Enabled" {
        let hop = draft.clone().broken(format!(
            "key {} is {}",
            details.arn,
            describe_state(&details.state)
        ));
        let region = Arn::parse(&details.arn).map_or("REGION", |arn| arn.region);
        let command = |operation: &str| {
            format!(
                "`aws kms {operation} --region {region} --key-id {}`",
                details.arn
            )
        };
        let enable = command("enable-key");
        // A key is disabled after its deletion was cancelled.
        return Err(Box::new(hop.with_hint(match details.state.as_str() {
            "PendingDeletion" | "PendingReplicaDeletion" => {
                format!("{}, then {enable}", command("cancel-key-deletion"))
            }
            "Disabled" => enable,
            _ => format!("{} shows the reason", command("describe-key")),
        })));
    }
    let policy = match &key.policy {
        Fact::Present(text) => parse_policy(draft, Some(text))?,
        Fact::Failed(error) => return Err(Box::new(draft.clone().failed(error))),
        // The policy of a key in another account cannot be read.
        Fact::Absent | Fact::NotRequested => PolicyInput::Unreadable,
    };
    let grants = key.grants.present().map(Vec::as_slice).unwrap_or_default();
    Ok(ResourcePolicy::Key {
        policy,
        grants: grants
            .iter()
            .map(|grant| KeyGrant {
                grantee: grantee.to_owned(),
                operations: grant.operations.clone(),
                ..KeyGrant::default()
            })
            .collect(),
        is_enabled: true,
    })
}

/// Returns the state of a key in words.
fn describe_state(state: &str) -> &str {
    match state {
        "Disabled" => "disabled",
        "PendingDeletion" => "scheduled for deletion",
        "PendingImport" => "waiting for key material",
        other => other,
    }
}
