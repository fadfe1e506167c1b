//! Checks of the KMS key that encrypts the log objects.

use std::time::Duration;

use crate::aws::arn::{Arn, resource_name};
use crate::aws::key_grant_request::KeyGrantRequest;
use crate::check::policy_request::{
    decide, describe_deny, describe_unknown, granting_caller, heeler_via_s3, known_policy,
};
use crate::check::{
    Check, CheckId, Finding, Requirement, Verdict, format_time, shell_quote, skipped_because,
};
use crate::iam::evaluate::{Decision, KeyGrant, ResourcePolicy};
use crate::inventory::facts::{KeyFacts, KmsKeyDetails};
use crate::inventory::{Fact, LogEncryption, Snapshot};

pub const CHECKS: &[Check] = &[
    Check {
        id: CheckId::KeyState,
        description: "the KMS key of the log objects is usable",
        requirement: Requirement::BLOCKING,
        permissions: &["kms:DescribeKey"],
        evaluate: state,
    },
    Check {
        id: CheckId::KeyAccount,
        description: "the KMS key of the log objects belongs to this account",
        requirement: Requirement::ADVISORY,
        permissions: &["kms:DescribeKey"],
        evaluate: account,
    },
    Check {
        id: CheckId::KeyGrantable,
        description: "setup can grant the role use of the KMS key",
        requirement: Requirement::ADVISORY,
        permissions: &["kms:GetKeyPolicy"],
        evaluate: grantable,
    },
    Check {
        id: CheckId::KeyDecrypt,
        description: "the KMS key's policy does not deny the role to decrypt",
        requirement: Requirement::REQUIRED,
        permissions: &["kms:GetKeyPolicy"],
        evaluate: decrypt,
    },
    Check {
        id: CheckId::KeyExistingGrants,
        description: "the role has no other grants on the KMS key",
        requirement: Requirement::ADVISORY,
        permissions: &["kms:ListGrants"],
        evaluate: existing_grants,
    },
];

/// Imported key material that expires within this time is a warning.
const EXPIRY_WARNING: Duration = Duration::from_secs(7 * 86_400);

/// Evaluates each key that needs a grant, and returns the worst verdict.
fn worst_of_keys(snapshot: &Snapshot, evaluate: impl Fn(&KeyFacts) -> Verdict) -> Verdict {
    if snapshot.region().is_none() {
        return skipped_because(CheckId::BucketOwner);
    }
    let keys = match snapshot.log_encryption() {
        LogEncryption::SseS3 => {
            return Verdict::Skip("the log objects are encrypted with SSE-S3".into());
        }
        LogEncryption::AwsManagedKey => {
            return Verdict::Skip("the key is AWS managed and needs no grant".into());
        }
        LogEncryption::Unknown => return skipped_because(CheckId::BucketEncryption),
        LogEncryption::CustomerKeys(keys) => keys,
    };
    let weight = |verdict: &Verdict| match verdict {
        Verdict::Pass(_) => 0,
        Verdict::Skip(_) => 1,
        Verdict::Warn(_) => 2,
        Verdict::Unknown(_) | Verdict::Undetermined(_) => 3,
        Verdict::Fail(_) => 4,
    };
    let all: Vec<Verdict> = keys.into_iter().map(evaluate).collect();
    let passed: Vec<String> = all
        .iter()
        .filter_map(|verdict| match verdict {
            Verdict::Pass(found) => Some(found.clone()),
            _ => None,
        })
        .collect();
    if passed.len() == all.len() {
        return Verdict::Pass(passed.join("; "));
    }
    let worst = all.into_iter().max_by_key(weight);
    worst.unwrap_or_else(|| skipped_because(CheckId::BucketEncryption))
}

/// Evaluates each key that exists.
fn worst_of_described_keys(
    snapshot: &Snapshot,
    evaluate: impl Fn(&KeyFacts, &KmsKeyDetails) -> Verdict,
) -> Verdict {
    worst_of_keys(snapshot, |facts| match &facts.key {
        Fact::Present(key) => evaluate(facts, key),
        _ => skipped_because(CheckId::KeyState),
    })
}

fn state(snapshot: &Snapshot) -> Verdict {
    worst_of_keys(snapshot, |facts| match &facts.key {
        // KMS denies access to a key of another account, whether it exists or not.
        Fact::Failed(_) | Fact::Absent if grant_request(snapshot, facts).is_some() => {
            Verdict::Skip(format!(
                "{} cannot be read from this account",
                facts.identifier
            ))
        }
        Fact::Failed(error) => Verdict::Unknown(error.clone()),
        Fact::NotRequested | Fact::Absent => Verdict::Fail(
            Finding::new(
                format!("KMS key {} does not exist", facts.identifier),
                "an enabled key",
            )
            .because("log objects encrypted with it cannot be read")
            .console(format!(
                "CloudTrail > Trails > {} > General details > Edit > AWS KMS alias",
                snapshot.trail_name()
            ))
            .cli(format!(
                "aws cloudtrail update-trail --region {} --name {} --kms-key-id KEY",
                snapshot
                    .trail()
                    .map_or("REGION", |trail| &trail.home_region),
                shell_quote(snapshot.trail_name())
            )),
        ),
        Fact::Present(key) => key_state_verdict(snapshot, key, &facts.identifier),
    })
}

/// Evaluates the state of a key. `asked` is the identifier that was looked up.
pub(super) fn key_state_verdict(snapshot: &Snapshot, key: &KmsKeyDetails, asked: &str) -> Verdict {
    let page = |part: &str| console_page(key, part);
    let named = if asked == key.arn {
        key.arn.clone()
    } else {
        format!("{asked} ({})", key.arn)
    };
    if key.state == "Enabled" {
        let ends = key
            .key_material_expires
            .filter(|ends| ends.duration_since(snapshot.now).unwrap_or_default() < EXPIRY_WARNING);
        return match ends {
            Some(ends) => Verdict::Warn(
                Finding::new(
                    format!(
                        "the imported material of key {named} expires {}",
                        format_time(ends)
                    ),
                    "key material that does not expire soon",
                )
                .because("data encrypted with the key cannot be read after that")
                .console(page("Key material"))
                .cli(import_command(key)),
            ),
            None => Verdict::Pass(named),
        };
    }
    let when = key
        .deletion_date
        .map(|at| format!("; AWS will delete it {}", format_time(at)))
        .unwrap_or_default();
    let finding = Finding::new(
        format!("key {named} is in state {}{when}", key.state),
        "state Enabled",
    )
    .because("data encrypted with it cannot be read");
    let (region, id) = (
        Arn::parse(&key.arn).map_or("REGION", |arn| arn.region),
        shell_quote(&key.arn),
    );
    Verdict::Fail(match key.state.as_str() {
        "Disabled" => finding.console(page("Key actions > Enable")).cli(format!(
            "aws kms enable-key --region {region} --key-id {id}"
        )),
        "PendingDeletion" | "PendingReplicaDeletion" => finding
            .because("all data encrypted with it becomes permanently unreadable")
            .console(page("Key actions > Cancel key deletion"))
            .cli(format!(
                "aws kms cancel-key-deletion --region {region} --key-id {id}"
            ))
            .cli(format!(
                "aws kms enable-key --region {region} --key-id {id}"
            )),
        "PendingImport" => finding
            .because("its imported key material has expired or was deleted")
            .console(page("Key material > Import"))
            .cli(import_command(key)),
        "Unavailable" => finding
            .because("its key store is disconnected, or its external key is disabled")
            .console("KMS > Custom key stores")
            .cli(format!(
                "aws kms describe-custom-key-stores --region {region}"
            )),
        _ => finding
            .console("KMS > Customer managed keys")
            .cli(format!(
                "aws kms describe-key --region {region} --key-id {id}"
            ))
            .retryable(),
    })
}

/// Returns the first command of a key material import.
fn import_command(key: &KmsKeyDetails) -> String {
    format!(
        "aws kms get-parameters-for-import --region {} --key-id {} --wrapping-algorithm RSAES_OAEP_SHA_256 --wrapping-key-spec RSA_4096",
        Arn::parse(&key.arn).map_or("REGION", |arn| arn.region),
        shell_quote(&key.arn)
    )
}

/// Returns the console path of a part of the key's page.
fn console_page(key: &KmsKeyDetails, part: &str) -> String {
    format!(
        "KMS > Customer managed keys > {} > {part}",
        resource_name(&key.arn)
    )
}

/// Returns the grant that the owner of a key in another account has to create.
fn grant_request(snapshot: &Snapshot, facts: &KeyFacts) -> Option<KeyGrantRequest> {
    let role = snapshot.access_role_arn()?;
    KeyGrantRequest::for_key(facts.name(), &role, &snapshot.request.names.grant())
}

fn account(snapshot: &Snapshot) -> Verdict {
    worst_of_keys(snapshot, |facts| {
        let Some(request) = grant_request(snapshot, facts) else {
            return match &facts.key {
                Fact::Present(key) => Verdict::Pass(format!("account {}", key.account)),
                _ => skipped_because(CheckId::KeyState),
            };
        };
        let owner = request.owner();
        if facts.has_decrypt_grant() {
            return Verdict::Pass(format!(
                "account {owner}, which has granted kms:Decrypt to the role"
            ));
        }
        Verdict::Warn(
            Finding::new(
                format!("the key belongs to account {owner}"),
                "a key of this account, or a grant by the key's owner",
            )
            .because(
                "setup creates no grant on a key of another account; until its owner does, Heeler cannot decrypt the \
                 log files",
            )
            .advice("run setup, then let the owner of the key create the grant and list it")
            .cli(request.create_command())
            .cli(request.list_command()),
        )
    })
}

/// Evaluates whether the key policy delegates to IAM or allows the caller to create grants. Only an actual grant proves it.
fn grantable(snapshot: &Snapshot) -> Verdict {
    worst_of_described_keys(snapshot, |facts, key| {
        if grant_request(snapshot, facts).is_some() {
            return skipped_because(CheckId::KeyAccount);
        }
        let policy = match known_policy(&facts.policy, CheckId::KeyAccount, &key.arn) {
            Ok(policy) => policy,
            Err(verdict) => return *verdict,
        };
        let action = "kms:CreateGrant";
        let resource = ResourcePolicy::Key {
            policy,
            grants: Vec::new(),
            is_enabled: true,
        };
        let caller = granting_caller(snapshot);
        let finding = |observed: String, expected: &str| {
            show_policy(key, Finding::new(observed, expected))
                .because("setup grants the role use of the key, and AWS would refuse the grant")
        };
        let no_deny = "no Deny of kms:CreateGrant that applies to the caller";
        match decide(&caller, action, &key.arn, &key.account, resource) {
            Decision::Allow => {
                Verdict::Pass("the key policy allows kms:CreateGrant to this account".into())
            }
            Decision::ExplicitDeny(statement) => {
                let deny = describe_deny(&statement, action);
                Verdict::Warn(finding(
                    format!("in the policy of {}, {deny}", key.arn),
                    no_deny,
                ))
            }
            Decision::ImplicitDeny(_) => Verdict::Warn(finding(
                format!(
                    "the policy of {} does not allow kms:CreateGrant to this account or the caller",
                    key.arn
                ),
                "kms:CreateGrant for the caller",
            )),
            Decision::Unknown(missing) => {
                let text = describe_unknown(&missing, action, "the caller");
                let observed = format!("in the policy of {}, {text}", key.arn);
                Verdict::Undetermined(finding(observed, no_deny))
            }
        }
    })
}

/// Evaluates `kms:Decrypt` for the role with the grant that setup creates. Only a Deny of the key policy can refuse it.
fn decrypt(snapshot: &Snapshot) -> Verdict {
    worst_of_described_keys(snapshot, |facts, key| {
        let policy = match known_policy(&facts.policy, CheckId::KeyAccount, &key.arn) {
            Ok(policy) => policy,
            Err(verdict) => return *verdict,
        };
        let action = "kms:Decrypt";
        let role = snapshot.access_role_arn().unwrap_or_default();
        let resource = ResourcePolicy::Key {
            policy,
            grants: vec![KeyGrant {
                grantee: role.clone(),
                operations: vec!["Decrypt".into()],
                ..KeyGrant::default()
            }],
            is_enabled: true,
        };
        let finding = |text: String| {
            show_policy(
                key,
                Finding::new(
                    format!("in the policy of {}, {text}", key.arn),
                    "no Deny of kms:Decrypt that applies to the role",
                ),
            )
            .because(
                "the role could not decrypt log objects; a Deny in the key policy overrides the grant that setup creates",
            )
            .advice(format!("exempt {role} with a condition on aws:PrincipalArn"))
        };
        let caller = heeler_via_s3(snapshot, facts);
        match decide(&caller, action, &key.arn, &key.account, resource) {
            Decision::Allow | Decision::ImplicitDeny(_) => {
                Verdict::Pass("no statement denies the role kms:Decrypt".into())
            }
            Decision::ExplicitDeny(statement) => {
                Verdict::Fail(finding(describe_deny(&statement, action)))
            }
            Decision::Unknown(missing) => Verdict::Undetermined(finding(describe_unknown(
                &missing,
                action,
                "the requests of the role",
            ))),
        }
    })
}

/// Adds where the key policy is shown.
fn show_policy(key: &KmsKeyDetails, finding: Finding) -> Finding {
    finding.console(console_page(key, "Key policy")).cli(format!(
        "aws kms get-key-policy --region {} --key-id {} --policy-name default --query Policy --output text",
        Arn::parse(&key.arn).map_or("REGION", |arn| arn.region),
        shell_quote(&key.arn)
    ))
}

fn existing_grants(snapshot: &Snapshot) -> Verdict {
    worst_of_described_keys(snapshot, |facts, key| {
        let grants = match &facts.grants {
            Fact::NotRequested | Fact::Absent => return skipped_because(CheckId::KeyState),
            Fact::Failed(error) => return Verdict::Unknown(error.clone()),
            Fact::Present(grants) => grants,
        };
        let own = snapshot.request.names.grant();
        let others: Vec<String> = grants
            .iter()
            .filter(|grant| grant.name.as_deref() != Some(&own))
            .map(|grant| {
                let name = grant.name.as_deref().unwrap_or("without a name");
                format!("{name} ({})", grant.operations.join(", "))
            })
            .collect();
        if !others.is_empty() {
            let region = Arn::parse(&key.arn).map_or("REGION", |arn| arn.region);
            let role = snapshot.access_role_arn().unwrap_or_default();
            return Verdict::Warn(
                Finding::new(
                    format!("the role has other grants: {}", others.join("; ")),
                    "only the grant that setup creates",
                )
                .because("destroy revokes only its own grant, so the role could still use the key")
                .cli(format!(
                    "aws kms list-grants --region {region} --key-id {} --grantee-principal {role}",
                    shell_quote(&key.arn)
                )),
            );
        }
        Verdict::Pass(if grants.is_empty() {
            "no grant yet".into()
        } else {
            "already granted".into()
        })
    })
}
