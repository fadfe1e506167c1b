//! Checks of the policies of an existing role and queue: weaknesses that other tools or people left.
//!
//! All of them warn. Setup does not depend on them, and it changes only its own statements.

use std::collections::BTreeSet;

use super::{Check, CheckId, Finding, Requirement, Verdict, skipped_because};
use crate::aws::arn::Arn;
use crate::error::Error;
use crate::iam::lint::{
    KnownCallers, PolicyWeakness, WeaknessKind, external_accounts, lint_permissions,
    lint_queue_policy, lint_trust_policy,
};
use crate::iam::{parse_document, parse_encoded_document};
use crate::inventory::named_resource::NamedResource;
use crate::inventory::pipeline::PipelineFacts;
use crate::inventory::{Fact, Snapshot};

/// The checks of every option.
pub const CHECKS: &[Check] = &[
    Check {
        id: CheckId::LintRootTrust,
        description: "the role trusts no whole account",
        requirement: Requirement::ADVISORY,
        permissions: TRUST_READS,
        evaluate: |snapshot| verdict(snapshot, CheckId::LintRootTrust),
    },
    Check {
        id: CheckId::LintExternalId,
        description: "the role requires an external ID from other accounts",
        requirement: Requirement::ADVISORY,
        permissions: TRUST_READS,
        evaluate: |snapshot| verdict(snapshot, CheckId::LintExternalId),
    },
    Check {
        id: CheckId::LintWildcardPrincipal,
        description: "the role and the queue name who may use them",
        requirement: Requirement::ADVISORY,
        permissions: TRUST_AND_QUEUE_READS,
        evaluate: |snapshot| verdict(snapshot, CheckId::LintWildcardPrincipal),
    },
    Check {
        id: CheckId::LintUnknownAccount,
        description: "the role and the queue trust no unknown account",
        requirement: Requirement::ADVISORY,
        permissions: TRUST_AND_QUEUE_READS,
        evaluate: |snapshot| verdict(snapshot, CheckId::LintUnknownAccount),
    },
    Check {
        id: CheckId::LintWildcardAction,
        description: "no policy allows all actions of a service",
        requirement: Requirement::ADVISORY,
        permissions: PERMISSION_AND_QUEUE_READS,
        evaluate: |snapshot| verdict(snapshot, CheckId::LintWildcardAction),
    },
    Check {
        id: CheckId::LintWildcardResource,
        description: "the role's policies name their resources",
        requirement: Requirement::ADVISORY,
        permissions: PERMISSION_READS,
        evaluate: |snapshot| verdict(snapshot, CheckId::LintWildcardResource),
    },
];

const TRUST_READS: &[&str] = &["iam:GetRole"];
const TRUST_AND_QUEUE_READS: &[&str] = &["iam:GetRole", "sqs:GetQueueAttributes"];
const PERMISSION_READS: &[&str] = &[
    "iam:GetPolicyVersion",
    "iam:GetRolePolicy",
    "iam:ListAttachedRolePolicies",
    "iam:ListRolePolicies",
];
const PERMISSION_AND_QUEUE_READS: &[&str] = &[
    "iam:GetPolicyVersion",
    "iam:GetRolePolicy",
    "iam:ListAttachedRolePolicies",
    "iam:ListRolePolicies",
    "sqs:GetQueueAttributes",
];

/// The resources whose policies are linted.
const RESOURCES: [NamedResource; 3] = [
    NamedResource::Role,
    NamedResource::Queue,
    NamedResource::FifoQueue,
];

/// The subject of a policy.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum PolicyKind {
    /// The trust policy of the role, percent-encoded.
    Trust,
    /// A policy with permissions of the role, percent-encoded.
    Permissions,
    /// The policy of the queue.
    Queue,
}

/// A policy of an existing resource.
#[derive(Clone, Copy, Debug)]
struct LintedPolicy<'a> {
    /// The resource, such as `role heeler_event_collection_sqs_role`.
    owner: &'a str,
    kind: PolicyKind,
    text: &'a str,
}

/// Returns the function that makes a policy of a text.
fn with_kind<'a>(owner: &'a str, kind: PolicyKind) -> impl Fn(&'a str) -> LintedPolicy<'a> {
    move |text| LintedPolicy { owner, kind, text }
}

/// A check that does not pass, for a deployment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LintWarning {
    pub id: CheckId,
    pub finding: Finding,
}

/// Returns the warnings about the role and the queue of a deployment. A policy that could not be read has none; a hop reports
/// that.
#[must_use]
pub fn lint_deployment(facts: &PipelineFacts, heeler_roles: &[String]) -> Vec<LintWarning> {
    let organization = facts.organization.present().map(|found| found.id.as_str());
    let role = format!("role {}", facts.request.role);
    let queue = format!("queue {}", facts.request.queue);
    let details = facts.role.role.present().into_iter();
    let trust = details.map(|role| role.trust_policy.as_str());
    let permissions = facts.role.policies.present().into_iter().flatten();
    let of_queue = facts
        .queue
        .present()
        .and_then(|queue| queue.policy.as_deref());
    let policies: Vec<LintedPolicy<'_>> = trust
        .map(with_kind(&role, PolicyKind::Trust))
        .chain(
            permissions
                .map(String::as_str)
                .map(with_kind(&role, PolicyKind::Permissions)),
        )
        .chain(
            of_queue
                .into_iter()
                .map(with_kind(&queue, PolicyKind::Queue)),
        )
        .collect();
    let known = known_callers(
        &facts.request.account,
        organization,
        heeler_roles,
        &policies,
    );
    CHECKS
        .iter()
        .filter_map(|check| {
            let found = weaknesses(&policies, &known, check.id);
            (!found.is_empty()).then(|| LintWarning {
                id: check.id,
                finding: finding(check.id, &found),
            })
        })
        .collect()
}

/// The policies that a check is about.
fn kinds(id: CheckId) -> &'static [PolicyKind] {
    match id {
        CheckId::LintRootTrust | CheckId::LintExternalId => &[PolicyKind::Trust],
        CheckId::LintWildcardAction => &[PolicyKind::Permissions, PolicyKind::Queue],
        CheckId::LintWildcardResource => &[PolicyKind::Permissions],
        _ => &[PolicyKind::Trust, PolicyKind::Queue],
    }
}

/// The policies of a snapshot, and the reason why some of them are not known.
#[derive(Default)]
struct FoundPolicies<'a> {
    policies: Vec<LintedPolicy<'a>>,
    failures: Vec<(PolicyKind, &'a Error)>,
    /// True if the names were looked up.
    is_requested: bool,
}

impl<'a> FoundPolicies<'a> {
    fn of(snapshot: &'a Snapshot) -> Self {
        let mut found = Self::default();
        let names = snapshot.option.names;
        for resource in RESOURCES.iter().filter(|resource| names.contains(resource)) {
            let (first, second) = if resource.is_role() {
                (Some(PolicyKind::Trust), PolicyKind::Permissions)
            } else {
                (None, PolicyKind::Queue)
            };
            let fact = snapshot.name_owners.get(*resource);
            found.is_requested |= !matches!(fact, Fact::NotRequested);
            if let Fact::Failed(error) = fact {
                let kinds = first.into_iter().chain([second]);
                found.failures.extend(kinds.map(|kind| (kind, error)));
            }
            let Some(owner) = fact.present() else {
                continue;
            };
            let trust = owner.trust_policy.as_deref().zip(first);
            found
                .policies
                .extend(trust.map(|(text, kind)| with_kind(&owner.name, kind)(text)));
            match &owner.policies {
                Fact::Failed(error) => found.failures.push((second, error)),
                Fact::Present(texts) => {
                    let texts = texts.iter().map(String::as_str);
                    found
                        .policies
                        .extend(texts.map(with_kind(&owner.name, second)));
                }
                Fact::NotRequested | Fact::Absent => {}
            }
        }
        found
    }
}

fn verdict(snapshot: &Snapshot, id: CheckId) -> Verdict {
    let FoundPolicies {
        policies,
        failures,
        is_requested,
    } = FoundPolicies::of(snapshot);
    let account = snapshot.account.caller.as_ref();
    let account = account.map_or("", |caller| caller.account.as_str());
    let organization = snapshot.account.organization.present();
    let organization = organization.map(|found| found.id.as_str());
    let roles = &snapshot.request.heeler_roles;
    let known = known_callers(account, organization, roles, &policies);
    let found = weaknesses(&policies, &known, id);
    if !found.is_empty() {
        return Verdict::Warn(finding(id, &found));
    }
    let failure = failures.iter().find(|(kind, _)| kinds(id).contains(kind));
    if let Some((_, error)) = failure {
        return Verdict::Unknown((*error).clone());
    }
    let relevant = policies
        .iter()
        .filter(|policy| kinds(id).contains(&policy.kind));
    match relevant.count() {
        0 if !is_requested => skipped_because(super::names::prerequisite_check(snapshot)),
        0 => Verdict::Skip("neither role nor queue has such a policy yet".into()),
        policies => Verdict::Pass(format!("{} without a weakness", count(policies))),
    }
}

fn count(policies: usize) -> String {
    match policies {
        1 => "1 policy".to_owned(),
        several => format!("{several} policies"),
    }
}

/// The accounts that the policies may name. If no Heeler role was given and only one other account is trusted, it is that of the
/// Heeler role.
fn known_callers(
    account: &str,
    organization: Option<&str>,
    heeler_roles: &[String],
    policies: &[LintedPolicy<'_>],
) -> KnownCallers {
    let given = heeler_roles.iter().filter_map(|role| Arn::parse(role));
    let mut heeler_accounts: BTreeSet<String> = given.map(|arn| arn.account.to_owned()).collect();
    if heeler_accounts.is_empty() {
        let trusts = policies
            .iter()
            .filter(|policy| policy.kind == PolicyKind::Trust);
        let trusts =
            trusts.map(|policy| external_accounts(&parse_encoded_document(policy.text), account));
        let trusted: BTreeSet<String> = trusts.flatten().collect();
        if trusted.len() == 1 {
            heeler_accounts = trusted;
        }
    }
    KnownCallers {
        account: account.to_owned(),
        heeler_accounts,
        organization: organization.map(str::to_owned),
    }
}

/// A weakness, and the resource that has the policy.
type OwnedWeakness = (String, PolicyWeakness);

/// The weaknesses that a check reports.
fn weaknesses(
    policies: &[LintedPolicy<'_>],
    known: &KnownCallers,
    id: CheckId,
) -> Vec<OwnedWeakness> {
    let mut all = Vec::new();
    for policy in policies {
        let found = match policy.kind {
            PolicyKind::Trust => lint_trust_policy(&parse_encoded_document(policy.text), known),
            PolicyKind::Permissions => lint_permissions(&parse_encoded_document(policy.text)),
            PolicyKind::Queue => lint_queue_policy(&parse_document(policy.text), known),
        };
        let found = found
            .into_iter()
            .filter(|weakness| check_of(weakness.kind) == id);
        all.extend(found.map(|weakness| (policy.owner.to_owned(), weakness)));
    }
    all
}

/// The check that reports a weakness.
fn check_of(kind: WeaknessKind) -> CheckId {
    match kind {
        WeaknessKind::RootTrust => CheckId::LintRootTrust,
        WeaknessKind::MissingExternalId => CheckId::LintExternalId,
        WeaknessKind::WildcardPrincipal => CheckId::LintWildcardPrincipal,
        WeaknessKind::WildcardAction => CheckId::LintWildcardAction,
        WeaknessKind::WildcardResource => CheckId::LintWildcardResource,
        WeaknessKind::UnknownAccount => CheckId::LintUnknownAccount,
    }
}

fn finding(id: CheckId, found: &[OwnedWeakness]) -> Finding {
    let (expected, reason, advice) = match id {
        CheckId::LintRootTrust => (
            "the ARN of the Heeler role as principal",
            "every principal of the account that its administrator permits may assume the role",
            "replace the account by the ARN of a role in the trust policy",
        ),
        CheckId::LintExternalId => (
            "a condition StringEquals on sts:ExternalId",
            "without an external ID, another customer of the same vendor may be able to use the role",
            "add the condition to the statement of the trust policy, or remove the statement",
        ),
        CheckId::LintWildcardPrincipal => (
            "named principals, or a condition such as aws:SourceArn",
            "every AWS account may use the resource",
            "name the principal, or add a condition on aws:SourceArn, aws:SourceAccount or aws:PrincipalOrgID",
        ),
        CheckId::LintUnknownAccount => (
            "principals of this account, of the Heeler role, or of your organization",
            "an account that is neither yours nor that of the Heeler role may use the resource",
            "remove the principal, or add a condition on aws:PrincipalOrgID if the account is in your organization",
        ),
        CheckId::LintWildcardAction => (
            "the actions that are needed",
            "new actions of the service are allowed without a decision of yours",
            "list the actions in the policy, or detach the policy from the role",
        ),
        _ => (
            "the ARNs of the resources",
            "anyone who assumes the role may use every resource of that type",
            "list the ARNs in the policy, or detach the policy from the role",
        ),
    };
    let texts: Vec<String> = found
        .iter()
        .map(|(owner, weakness)| format!("{owner}, {}: {}", weakness.statement, weakness.subject))
        .collect();
    let shown = texts.iter().take(3).map(String::as_str).collect::<Vec<_>>();
    let more = match texts.len().saturating_sub(shown.len()) {
        0 => String::new(),
        more => format!("; and {more} more"),
    };
    Finding::new(format!("{}{more}", shown.join("; ")), expected)
        .because(reason)
        .advice(advice)
}
