//! Requests of a deployment for the policy evaluator, and the words for its decisions.

use super::{CheckId, Verdict, skipped_because};
use crate::aws::arn::{Arn, bucket_arn};
use crate::error::Error;
use crate::iam::evaluate::{
    AccessRequest, Caller, Decision, MissingFacts, Policy, PolicyInput, PolicySet, ResourcePolicy,
    StatementSummary, evaluate,
};
use crate::inventory::facts::{KeyFacts, Trail};
use crate::inventory::{Fact, Snapshot};

/// Evaluates a request whose identity-based policies allow it: those of the role, which setup creates, and those of
/// the caller, which `caller.permissions` checks. A service has none.
pub(super) fn decide(
    caller: &Caller,
    action: &str,
    resource: &str,
    resource_account: &str,
    policy: ResourcePolicy,
) -> Decision {
    let request = AccessRequest {
        principal: &caller.principal,
        context: &caller.context,
        action,
        resource,
        resource_account,
    };
    evaluate(
        &request,
        &PolicySet::new(PolicyInput::AssumedToAllow, policy),
    )
}

/// Parses a policy. If that fails, the verdict on it is unknown.
pub(super) fn parse(document: &str, owner: &str) -> Result<PolicyInput, Box<Verdict>> {
    match Policy::parse(document) {
        Ok(policy) => Ok(policy.into()),
        Err(error) => Err(Box::new(Verdict::Unknown(Error::failed(
            format!("evaluate the policy of {owner}"),
            error.to_string(),
        )))),
    }
}

/// Describes a Deny, such as `statement X denies s3:GetObject, if Bool aws:SecureTransport false`.
pub(super) fn describe_deny(statement: &StatementSummary, action: &str) -> String {
    let when = if statement.conditions.is_empty() {
        "always".to_owned()
    } else {
        format!("if {}", statement.conditions.join(" and "))
    };
    format!("{statement} denies {action}, {when}")
}

/// Describes why a decision is unknown: the statement, and the condition keys whose values are unknown.
pub(super) fn describe_unknown(missing: &MissingFacts, action: &str, caller: &str) -> String {
    match missing.statements.iter().find(|statement| statement.denies) {
        Some(deny) => format!(
            "{}; not known for {caller}: {missing}",
            describe_deny(deny, action)
        ),
        None => {
            format!("{action} is allowed only under conditions that cannot be evaluated: {missing}")
        }
    }
}

/// Heeler in a session of the role that setup creates. Heeler calls from its own network.
pub(super) fn heeler(snapshot: &Snapshot) -> Caller {
    let role = snapshot.access_role_arn().unwrap_or_default();
    let account = snapshot.account_id().unwrap_or_default();
    with_organization(snapshot, Caller::role(&role, account, None))
}

/// Heeler as S3 calls KMS for it, to decrypt a log object.
pub(super) fn heeler_via_s3(snapshot: &Snapshot, key: &KeyFacts) -> Caller {
    let region = snapshot.region().unwrap_or_default();
    let caller = heeler(snapshot).via_service(&format!("s3.{region}.amazonaws.com"));
    let caller = match key.owner() {
        Some(owner) => caller.with("aws:ResourceAccount", owner),
        None => caller,
    };
    let object = log_object_arn(snapshot);
    let bucket = object.split('/').next().unwrap_or_default().to_owned();
    // With an S3 Bucket Key, the encryption context has the bucket instead of the object.
    let context = caller
        .context
        .with_one_of("kms:EncryptionContext:aws:s3:arn", [object, bucket]);
    let caller = Caller { context, ..caller };
    match snapshot.trail() {
        Some(Trail {
            arn,
            kms_key: Some(own),
            ..
        }) if key.has_name(own) => caller.with("kms:EncryptionContext:aws:cloudtrail:arn", arn),
        _ => caller,
    }
}

/// The caller of setup, as it creates the grant for the role.
pub(super) fn granting_caller(snapshot: &Snapshot) -> Caller {
    let arn = snapshot
        .account
        .caller
        .as_ref()
        .map_or("", |caller| caller.arn.as_str());
    let account = snapshot.account_id().unwrap_or_default();
    let caller = match role_of_session(arn) {
        Some(role) => Caller::role(&role, account, Some(arn)),
        None => Caller::user(arn, account),
    };
    // Roles of IAM Identity Center have a path, which the ARN of a session does not show.
    let caller = if arn.contains("/AWSReservedSSO_") {
        let context = caller.context.with_unknown("aws:PrincipalArn");
        Caller { context, ..caller }
    } else {
        caller
    };
    let role = snapshot.access_role_arn().unwrap_or_default();
    let caller = with_organization(snapshot, caller)
        .with("kms:GrantIsForAWSResource", "false")
        .with("kms:GranteePrincipal", role);
    let context = caller
        .context
        .with_list("kms:GrantOperations", ["Decrypt"])
        .without(&["kms:GrantConstraintType", "kms:ViaService"]);
    Caller { context, ..caller }
}

/// S3, as it publishes notifications of the trail's bucket.
pub(super) fn notifying_bucket(snapshot: &Snapshot, bucket: &str) -> Caller {
    let arn = bucket_arn(partition(snapshot), bucket);
    let account = snapshot.account_id().unwrap_or_default();
    with_organization(snapshot, Caller::service("s3.amazonaws.com", &arn, account))
}

/// CloudTrail, as it delivers log files of the trail for any account.
pub(super) fn delivering_trail(snapshot: &Snapshot, trail: &Trail) -> Caller {
    let owner = Arn::parse(&trail.arn).map_or("", |arn| arn.account);
    with_organization(snapshot, Caller::trail(&trail.arn, owner))
}

fn with_organization(snapshot: &Snapshot, caller: Caller) -> Caller {
    let account = snapshot.account_id().unwrap_or_default();
    let caller = caller.with("aws:ResourceAccount", account);
    match &snapshot.account.organization {
        Fact::Present(organization) => caller
            .in_organization(&organization.id)
            .with("aws:ResourceOrgID", &organization.id),
        _ => caller,
    }
}

/// Returns the ARN of a log object. Its name stands for every name.
pub(super) fn log_object_arn(snapshot: &Snapshot) -> String {
    let bucket = snapshot
        .bucket
        .as_ref()
        .map_or("", |bucket| bucket.name.as_str());
    format!(
        "{}/{}object",
        bucket_arn(partition(snapshot), bucket),
        snapshot.log_prefix()
    )
}

pub(super) fn partition(snapshot: &Snapshot) -> &str {
    let caller = snapshot.account.caller.as_ref();
    caller.map_or("aws", |caller| &caller.partition)
}

/// Returns the ARN of a session's role without its path.
fn role_of_session(caller: &str) -> Option<String> {
    let arn = Arn::parse(caller)?;
    let name = arn
        .resource
        .strip_prefix("assumed-role/")?
        .split('/')
        .next()?;
    Some(format!(
        "arn:{}:iam::{}:role/{name}",
        arn.partition, arn.account
    ))
}

/// Returns the policy of a resource, or the verdict if it is not known. `prerequisite` is the check because of which it
/// was not requested.
pub(super) fn known_policy(
    policy: &Fact<String>,
    prerequisite: CheckId,
    owner: &str,
) -> Result<PolicyInput, Box<Verdict>> {
    match policy {
        Fact::NotRequested => Err(Box::new(skipped_because(prerequisite))),
        Fact::Failed(error) => Err(Box::new(Verdict::Unknown(error.clone()))),
        Fact::Absent => Ok(PolicyInput::none()),
        Fact::Present(document) => parse(document, owner),
    }
}
