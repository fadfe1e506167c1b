//! The hops of the role that Heeler assumes: its trust policy and its permissions.

use super::access::{AccessCheck, evaluate_access, heeler, identity_side, parse_policy, via_sqs};
use super::bucket::log_object;
use super::topic::with_repair;
use super::{Hop, HopDraft, HopId, HopStatus, into_hop};
use crate::aws::arn::Arn;
use crate::iam;
use crate::iam::evaluate::{
    AccessRequest, Caller, Decision, PolicyInput, PolicySet, ResourcePolicy, evaluate,
};
use crate::inventory::bucket_events::HEELER;
use crate::inventory::pipeline::{PipelineFacts, PipelineSource};
use crate::shared_document::role_trust::HeelerTrust;

/// Evaluates the trust policy: every Heeler role of the deployment may assume the role with the external ID.
///
/// The trust policy is the deployment's only record of the external ID. A changed ID is found only if the operator gave
/// the right one, which `trust` then contains.
#[must_use]
pub fn role_trust(facts: &PipelineFacts, trust: &HeelerTrust) -> Hop {
    into_hop(evaluate_role_trust(facts, trust))
}

fn evaluate_role_trust(facts: &PipelineFacts, trust: &HeelerTrust) -> Result<Hop, Box<Hop>> {
    let draft = HopDraft::new(
        HopId::RoleTrust,
        role_name(facts),
        format!(
            "a trust policy that allows {} with an external ID",
            trusted_role(facts)
        ),
    );
    let repair = |hop: Hop| {
        hop.with_hint(format!(
            "`{}` shows the difference, and `{} {} ARN` repairs it",
            facts.heeler_ec_command("plan"),
            facts.setup_command(),
            match facts.vendor() {
                HEELER => "--heeler-role-arn",
                _ => "--vendor-role-arn",
            }
        ))
    };
    let details = draft.require(&facts.role.role, "the role does not exist")?;
    let document = iam::parse_encoded_document(&details.trust_policy);
    let deleted = iam::deleted_principals(&document);
    if let Some(id) = deleted.first() {
        return Ok(repair(draft.broken(format!(
            "{} that may assume the role was deleted (IAM shows {id})",
            trusted_role(facts)
        ))));
    }
    if trust.principals.is_empty() || trust.external_id.expose().is_empty() {
        return Ok(repair(draft.broken(format!(
            "no statement allows {} with an external ID",
            trusted_role(facts)
        ))));
    }
    let policy = parse_policy(&draft, Some(&document.to_string()))?;
    for principal in &trust.principals {
        let account = Arn::parse(principal).map_or("", |arn| arn.account);
        let caller = Caller::role(principal, account, None)
            .with("sts:ExternalId", trust.external_id.expose())
            .with("aws:ResourceAccount", &facts.request.account);
        let request = AccessRequest {
            principal: &caller.principal,
            context: &caller.context,
            action: "sts:AssumeRole",
            resource: &details.arn,
            resource_account: &facts.request.account,
        };
        // The policies of the Heeler role are in Heeler's account, so they cannot be read.
        let policies = PolicySet::new(
            PolicyInput::AssumedToAllow,
            ResourcePolicy::Trust(policy.clone()),
        );
        // The conditions contain the external ID, so they are not shown.
        match evaluate(&request, &policies) {
            Decision::Allow => {}
            Decision::ExplicitDeny(statement) => {
                return Ok(repair(
                    draft.broken(format!("{statement} denies {principal} sts:AssumeRole")),
                ));
            }
            Decision::ImplicitDeny(_) => {
                return Ok(repair(draft.broken(format!(
                    "no statement allows {principal} sts:AssumeRole with the external ID"
                ))));
            }
            Decision::Unknown(missing) => {
                return Ok(draft.unknown(format!(
                    "whether {principal} may assume the role depends on {missing}"
                )));
            }
        }
    }
    Ok(draft.ok(format!(
        "{} may assume the role with the external ID",
        facts.vendor()
    )))
}

/// Evaluates the policies of the role: Heeler may receive, delete and decrypt messages, and read the log files that
/// they name.
#[must_use]
pub fn role_permissions(facts: &PipelineFacts) -> Hop {
    into_hop(evaluate_role_permissions(facts))
}

fn evaluate_role_permissions(facts: &PipelineFacts) -> Result<Hop, Box<Hop>> {
    let draft = HopDraft::new(
        HopId::RolePermissions,
        role_name(facts),
        format!(
            "policies that allow {} to receive, delete and decrypt messages, and to read log files",
            facts.vendor()
        ),
    );
    draft.require(&facts.role.role, "the role does not exist")?;
    draft.require(&facts.role.policies, "")?;
    let check = |caller, action, resource| AccessCheck {
        who: facts.vendor(),
        caller,
        action,
        resource,
        policies: identity_side(&facts.role),
    };
    let queue = facts.queue_arn();
    let mut checks = vec![
        check(heeler(facts), "sqs:ReceiveMessage", queue.clone()),
        check(heeler(facts), "sqs:DeleteMessage", queue),
    ];
    if let Some(key) = facts
        .queue_key
        .as_ref()
        .filter(|key| !key.is_managed_by_aws())
    {
        let caller = via_sqs(facts, heeler(facts));
        checks.push(check(caller, "kms:Decrypt", key.name().to_owned()));
    }
    if matches!(facts.request.source, PipelineSource::Bucket { .. }) {
        checks.push(check(heeler(facts), "s3:GetObject", log_object(facts)));
    }
    let hop = evaluate_access(
        draft,
        facts,
        &checks,
        format!("{} may receive and read", facts.vendor()),
    );
    Ok(match hop.status {
        HopStatus::Ok => hop,
        _ => with_repair(facts, hop),
    })
}

/// Returns the role of the vendor that may assume the role of the deployment.
fn trusted_role(facts: &PipelineFacts) -> String {
    match facts.vendor() {
        HEELER => "the Heeler role".to_owned(),
        vendor => format!("the role of {vendor}"),
    }
}

fn role_name(facts: &PipelineFacts) -> &str {
    let details = facts.role.role.present();
    details.map_or(facts.request.role.as_str(), |role| &role.arn)
}
