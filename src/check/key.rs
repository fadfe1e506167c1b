//! Checks of the key that the log objects are encrypted with.

use std::time::Duration;

use serde_json::Value;

use crate::aws::arn::{Arn, resource_name};
use crate::check::{
    Check, Finding, Requirement, Verdict, format_time, shell_quote, skipped_because,
};
use crate::iam::statement_reader;
use crate::iam::statement_reader::ParsedCondition;
use crate::inventory::facts::{KeyFacts, KmsKeyDetails};
use crate::inventory::{LogEncryption, Snapshot};

pub const CHECKS: &[Check] = &[
    Check {
        id: "key.state",
        description: "the key of the log objects is usable",
        requirement: Requirement::Hard,
        permissions: &["kms:DescribeKey"],
        evaluate: state,
    },
    Check {
        id: "key.account",
        description: "the key of the log objects is of this account",
        requirement: Requirement::Advisory,
        permissions: &["kms:DescribeKey"],
        evaluate: account,
    },
    Check {
        id: "key.grantable",
        description: "the use of the key can be granted to Heeler",
        requirement: Requirement::Advisory,
        permissions: &["kms:GetKeyPolicy"],
        evaluate: grantable,
    },
    Check {
        id: "key.grants",
        description: "nobody else has granted Heeler the use of the key",
        requirement: Requirement::Advisory,
        permissions: &["kms:ListGrants"],
        evaluate: existing_grants,
    },
];

/// Imported key material that ends this soon is a warning.
const EXPIRY_WARNING: Duration = Duration::from_secs(7 * 86_400);

/// The verdict on each key that needs a grant; what is worst is told.
fn worst_of_keys(survey: &Snapshot, judge: impl Fn(&KeyFacts) -> Verdict) -> Verdict {
    if survey.region().is_none() {
        return skipped_because("bucket.owner");
    }
    let keys = match survey.log_encryption() {
        LogEncryption::SseS3 => {
            return Verdict::Skip("the log objects are encrypted with SSE-S3".into());
        }
        LogEncryption::AwsManagedKey => {
            return Verdict::Skip("the key is AWS's own, and needs no grant".into());
        }
        LogEncryption::Unknown => return skipped_because("bucket.encryption"),
        LogEncryption::CustomerKeys(keys) => keys,
    };
    let weight = |verdict: &Verdict| match verdict {
        Verdict::Pass(_) => 0,
        Verdict::Skip(_) => 1,
        Verdict::Warn(_) => 2,
        Verdict::Unknown(_) => 3,
        Verdict::Fail(_) => 4,
    };
    let all: Vec<Verdict> = keys.into_iter().map(judge).collect();
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
    worst.unwrap_or_else(|| skipped_because("bucket.encryption"))
}

/// The key once it is known that it is there.
fn worst_of_described_keys(
    survey: &Snapshot,
    judge: impl Fn(&KeyFacts, &KmsKeyDetails) -> Verdict,
) -> Verdict {
    worst_of_keys(survey, |facts| match &facts.key {
        Ok(Some(key)) => judge(facts, key),
        _ => skipped_because("key.state"),
    })
}

fn state(survey: &Snapshot) -> Verdict {
    worst_of_keys(survey, |facts| match &facts.key {
        Err(error) => Verdict::Unknown(error.clone()),
        Ok(None) => Verdict::Fail(
            Finding::new(
                format!("there is no key {}", facts.identifier),
                "an enabled key",
            )
            .because("log objects that were encrypted with it cannot be read")
            .console(format!(
                "CloudTrail > Trails > {} > General details > Edit > AWS KMS alias",
                survey.trail_name()
            ))
            .cli(format!(
                "aws cloudtrail update-trail --region {} --name {} --kms-key-id KEY",
                survey.trail().map_or("REGION", |trail| &trail.home_region),
                shell_quote(survey.trail_name())
            )),
        ),
        Ok(Some(key)) => key_state_verdict(survey, key, &facts.identifier),
    })
}

/// The verdict on the state of a key; `asked` is how it was named.
pub(super) fn key_state_verdict(survey: &Snapshot, key: &KmsKeyDetails, asked: &str) -> Verdict {
    let page = |part: &str| console_page(key, part);
    let named = if asked == key.arn {
        key.arn.clone()
    } else {
        format!("{asked}, which is {}", key.arn)
    };
    if key.state == "Enabled" {
        let ends = key
            .key_material_expires
            .filter(|ends| ends.duration_since(survey.now).unwrap_or_default() < EXPIRY_WARNING);
        return match ends {
            Some(ends) => Verdict::Warn(
                Finding::new(
                    format!(
                        "the imported material of key {named} ends {}",
                        format_time(ends)
                    ),
                    "key material that lasts",
                )
                .because("nothing that it encrypted can be read then")
                .console(page("Key material"))
                .cli(import_command(key)),
            ),
            None => Verdict::Pass(named),
        };
    }
    let when = key
        .deletion_date
        .map(|at| format!(", to be deleted {}", format_time(at)))
        .unwrap_or_default();
    let finding = Finding::new(
        format!("key {named} is in state {}{when}", key.state),
        "state Enabled",
    )
    .because("what was encrypted with it cannot be read");
    let (region, id) = (
        Arn::parse(&key.arn).map_or("REGION", |arn| arn.region),
        shell_quote(&key.arn),
    );
    Verdict::Fail(match key.state.as_str() {
        "Disabled" => finding.console(page("Key actions > Enable")).cli(format!(
            "aws kms enable-key --region {region} --key-id {id}"
        )),
        "PendingDeletion" | "PendingReplicaDeletion" => finding
            .because("all that it encrypted becomes unreadable for ever")
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
            .because("its key store is disconnected, or an external key is switched off")
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

/// The first of the steps by which key material is imported.
fn import_command(key: &KmsKeyDetails) -> String {
    format!(
        "aws kms get-parameters-for-import --region {} --key-id {} --wrapping-algorithm RSAES_OAEP_SHA_256 --wrapping-key-spec RSA_4096",
        Arn::parse(&key.arn).map_or("REGION", |arn| arn.region),
        shell_quote(&key.arn)
    )
}

/// A part of the key's page in the console.
fn console_page(key: &KmsKeyDetails, part: &str) -> String {
    format!(
        "KMS > Customer managed keys > {} > {part}",
        resource_name(&key.arn)
    )
}

fn account(survey: &Snapshot) -> Verdict {
    worst_of_described_keys(survey, |_, key| {
        if survey.account_id() == Some(&key.account) {
            return Verdict::Pass(format!("account {}", key.account));
        }
        let role = survey.access_role_arn().unwrap_or_default();
        Verdict::Warn(
            Finding::new(
                format!("the key is of account {}", key.account),
                "a key of this account",
            )
            .because(format!(
                "its own policy must allow kms:CreateGrant to this account with kms:GranteePrincipal {role}, else \
                 setup is refused"
            ))
            .advice("ask the key's owner for that statement"),
        )
    })
}

/// Whether the key's policy leaves it to IAM, or lets the caller grant. Only the attempt tells for sure.
fn grantable(survey: &Snapshot) -> Verdict {
    worst_of_described_keys(survey, |facts, key| {
        let policy = match &facts.policy {
            None => return skipped_because("key.account"),
            Some(Err(error)) => return Verdict::Unknown(error.clone()),
            Some(Ok(policy)) => policy,
        };
        let account = key.account.as_str();
        let caller = survey
            .account
            .caller
            .as_ref()
            .map_or("", |caller| caller.arn.as_str());
        let root = format!(":iam::{account}:root");
        let role = role_of_session(caller);
        let named = |principal: &str| {
            principal == account
                || principal.ends_with(&root)
                || principal == caller
                || role.as_deref() == Some(principal)
        };
        let is_named = |statement: &Value| {
            statement_reader::names_principal(statement, "AWS", &[])
                || statement_reader::string_list(&statement["Principal"]["AWS"])
                    .iter()
                    .any(|principal| named(principal))
        };
        let exempts = |condition: &ParsedCondition<'_>| {
            let own = |value: &&str| {
                [Some(caller), role.as_deref()]
                    .into_iter()
                    .flatten()
                    .any(|own| statement_reader::matches_wildcard(value, own))
            };
            condition.key == "aws:principalarn"
                && condition.values.iter().any(own) == condition.operator.contains("Not")
        };
        let statements = statement_reader::statements(policy);
        let delegates = statements.iter().any(|statement| {
            statement_reader::allows(statement)
                && statement_reader::applies_to_action(statement, "kms:CreateGrant")
                && statement_reader::conditions(statement)
                    .iter()
                    .all(|condition| {
                        let key = condition.key.as_str();
                        matches!(key, "kms:calleraccount" | "aws:principalaccount")
                            && condition.values.contains(&account)
                    })
                && is_named(statement)
        });
        // A condition of it that is not known may hold.
        let denial = statements.iter().find(|statement| {
            statement_reader::denies(statement)
                && statement_reader::applies_to_action(statement, "kms:CreateGrant")
                && is_named(statement)
                && !statement_reader::conditions(statement).iter().any(exempts)
        });
        let policy = |finding: Finding| {
            Verdict::Warn(
                finding
                    .because("setup grants Heeler the use of the key, and would be refused")
                    .console(console_page(key, "Key policy"))
                    .cli(format!(
                        "aws kms get-key-policy --region {} --key-id {} --policy-name default --query Policy --output text",
                        Arn::parse(&key.arn).map_or("REGION", |arn| arn.region),
                        shell_quote(&key.arn)
                    )),
            )
        };
        if let Some(denial) = denial {
            return policy(Finding::new(
                format!(
                    "{} in the policy of {} denies kms:CreateGrant",
                    statement_reader::sid(denial),
                    key.arn
                ),
                "no deny of kms:CreateGrant that meets the caller",
            ));
        }
        if delegates {
            return Verdict::Pass("its policy allows kms:CreateGrant to this account".into());
        }
        policy(Finding::new(
            format!(
                "the policy of {} names neither this account nor the caller for kms:CreateGrant",
                key.arn
            ),
            "kms:CreateGrant for the caller",
        ))
    })
}

/// The role behind a session, without its path, as key policies name it.
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

fn existing_grants(survey: &Snapshot) -> Verdict {
    worst_of_described_keys(survey, |facts, key| {
        let grants = match &facts.grants {
            None => return skipped_because("key.state"),
            Some(Err(error)) => return Verdict::Unknown(error.clone()),
            Some(Ok(grants)) => grants,
        };
        let own = survey.request.names.grant();
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
            let role = survey.access_role_arn().unwrap_or_default();
            return Verdict::Warn(
                Finding::new(
                    format!("the role has other grants: {}", others.join("; ")),
                    "one grant, made by setup",
                )
                .because("destroy takes back its own grant only, and the role could then still use the key")
                .cli(format!(
                    "aws kms list-grants --region {region} --key-id {} --grantee-principal {role}",
                    shell_quote(&key.arn)
                )),
            );
        }
        Verdict::Pass(if grants.is_empty() {
            "none yet".into()
        } else {
            "granted already".into()
        })
    })
}
