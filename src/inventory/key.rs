//! Reads a KMS key: its state, policy and grants.

use aws_sdk_kms::types::{KeyManagerType, KeyMetadata};
use tokio::join;

use super::Fact;
use super::facts::{KeyFacts, KmsGrantFacts, KmsKeyDetails, belongs_to_account};
use super::limiter::LimitedClients;
use super::trail::system_time;
use crate::aws::arn::Arn;
use crate::aws::error::AwsResultExt;
use crate::aws::kms_keys::describe_key;
use crate::aws::not_found;
use crate::error::Result;

/// Reads everything about a key. An alias is resolved first, because policy and grants need the key ID. A key of the
/// management account is read with the credentials for that account, if there are any.
pub(super) async fn inspect(
    clients: &LimitedClients,
    asked: &str,
    account: &str,
    grantee: &str,
) -> KeyFacts {
    let region = Arn::parse(asked).map_or(clients.region(), |arn| arn.region);
    let management = clients.without_timeout().management_identity();
    let is_of_management = !belongs_to_account(asked, account)
        && management.is_some_and(|management| belongs_to_account(asked, &management.account));
    let clients = &if is_of_management {
        clients.in_region(region).in_management_account()
    } else {
        clients.in_region(region)
    };
    let is_external = !belongs_to_account(asked, account) && !is_of_management;
    if asked.starts_with("alias/") || asked.contains(":alias/") {
        let key = describe(clients, asked).await;
        let (policy, grants) = match &key {
            Ok(Some(key)) => {
                let (policy, grants) = join!(
                    policy(clients, &key.arn),
                    grants(clients, &key.arn, grantee)
                );
                (Fact::from_result(policy), Fact::from_result(grants))
            }
            _ => (Fact::NotRequested, Fact::NotRequested),
        };
        return KeyFacts {
            identifier: asked.to_owned(),
            key: Fact::from_optional(key),
            policy: if is_external {
                Fact::NotRequested
            } else {
                policy
            },
            grants,
        };
    }
    let (key, policy, grants) = join!(
        describe(clients, asked),
        async {
            if is_external {
                Fact::NotRequested
            } else {
                Fact::from_result(policy(clients, asked).await)
            }
        },
        grants(clients, asked, grantee),
    );
    KeyFacts {
        identifier: asked.to_owned(),
        key: Fact::from_optional(key),
        policy,
        grants: Fact::from_result(grants),
    }
}

/// Reads the key's state and its policy, without grants.
pub(super) async fn inspect_with_policy(clients: &LimitedClients, asked: &str) -> KeyFacts {
    let key = describe(clients, asked).await;
    let policy = match &key {
        Ok(Some(key)) => Fact::from_result(policy(clients, &key.arn).await),
        _ => Fact::NotRequested,
    };
    KeyFacts {
        identifier: asked.to_owned(),
        key: Fact::from_optional(key),
        policy,
        grants: Fact::NotRequested,
    }
}

/// Reads only the key's state.
pub(super) async fn inspect_state(clients: &LimitedClients, asked: &str) -> KeyFacts {
    KeyFacts {
        identifier: asked.to_owned(),
        key: Fact::from_optional(describe(clients, asked).await),
        policy: Fact::NotRequested,
        grants: Fact::NotRequested,
    }
}

pub(super) async fn describe(
    clients: &LimitedClients,
    asked: &str,
) -> Result<Option<KmsKeyDetails>> {
    let found = describe_key(&*clients.acquire().await, asked).await?;
    Ok(found.map(|key: KeyMetadata| {
        let arn = key.arn().unwrap_or_default();
        KmsKeyDetails {
            arn: arn.to_owned(),
            account: Arn::parse(arn).map_or("", |arn| arn.account).to_owned(),
            // Some endpoints omit the state and return only whether the key is enabled.
            state: key
                .key_state()
                .map_or(
                    if key.enabled() { "Enabled" } else { "Disabled" },
                    |state| state.as_str(),
                )
                .to_owned(),
            description: key.description().unwrap_or_default().to_owned(),
            customer_managed: key.key_manager() != Some(&KeyManagerType::Aws),
            deletion_date: system_time(key.deletion_date()),
            key_material_expires: system_time(key.valid_to()),
        }
    }))
}

pub(super) async fn policy(clients: &LimitedClients, asked: &str) -> Result<String> {
    let aws = clients.acquire().await;
    aws.kms
        .get_key_policy()
        .key_id(asked)
        .policy_name("default")
        .send()
        .await
        .context_for("kms:GetKeyPolicy", || {
            format!("read the policy of KMS key {asked}")
        })
        .map(|found| found.policy.unwrap_or_default())
}

async fn grants(
    clients: &LimitedClients,
    asked: &str,
    grantee: &str,
) -> Result<Vec<KmsGrantFacts>> {
    let aws = clients.acquire().await;
    let call = aws.kms.list_grants().key_id(asked);
    let mut pages = call.grantee_principal(grantee).into_paginator().send();
    let mut grants = Vec::new();
    while let Some(page) = pages.next().await {
        // A role that does not exist yet has no grants. A missing key is reported by `describe`.
        let Some(page) = page.optional_for("kms:ListGrants", not_found::GRANT, || {
            format!("list the grants of KMS key {asked}")
        })?
        else {
            break;
        };
        grants.extend(page.grants().iter().map(|grant| {
            KmsGrantFacts {
                name: grant.name().map(str::to_owned),
                operations: grant
                    .operations()
                    .iter()
                    .map(|operation| operation.as_str().to_owned())
                    .collect(),
            }
        }));
    }
    Ok(grants)
}
