//! Asks for a KMS key: its state, its policy, and what was granted on it.

use aws_sdk_kms::types::{KeyManagerType, KeyMetadata};
use tokio::join;

use crate::aws::arn::Arn;
use crate::aws::error::AwsResultExt;
use crate::error::Result;
use crate::inventory::facts::{KeyFacts, KmsGrantFacts, KmsKeyDetails, belongs_to_account};
use crate::inventory::limiter::LimitedClients;
use crate::inventory::trail::system_time;

/// Everything about a key. An alias has to be resolved first: policy and grants are asked for by id.
pub(crate) async fn inspect(
    ask: &LimitedClients,
    asked: &str,
    account: &str,
    grantee: &str,
) -> KeyFacts {
    let region = Arn::parse(asked).map_or(ask.region(), |arn| arn.region);
    let ask = &ask.at(region);
    let foreign = !belongs_to_account(asked, account);
    if asked.starts_with("alias/") || asked.contains(":alias/") {
        let key = describe(ask, asked).await;
        let (policy, grants) = match &key {
            Ok(Some(key)) => {
                let (policy, grants) = join!(policy(ask, &key.arn), grants(ask, &key.arn, grantee));
                (Some(policy), Some(grants))
            }
            _ => (None, None),
        };
        return facts(asked, key, policy.filter(|_| !foreign), grants);
    }
    let (key, policy, grants) = join!(
        describe(ask, asked),
        async {
            if foreign {
                None
            } else {
                Some(policy(ask, asked).await)
            }
        },
        grants(ask, asked, grantee),
    );
    facts(asked, key, policy, Some(grants))
}

fn facts(
    asked: &str,
    key: Result<Option<KmsKeyDetails>>,
    policy: Option<Result<String>>,
    grants: Option<Result<Vec<KmsGrantFacts>>>,
) -> KeyFacts {
    KeyFacts {
        identifier: asked.to_owned(),
        key,
        policy,
        grants,
    }
}

/// The key alone, for where nobody is granted anything.
pub(crate) async fn inspect_state(ask: &LimitedClients, asked: &str) -> KeyFacts {
    facts(asked, describe(ask, asked).await, None, None)
}

pub(crate) async fn describe(ask: &LimitedClients, asked: &str) -> Result<Option<KmsKeyDetails>> {
    let aws = ask.acquire().await;
    let found = aws
        .kms
        .describe_key()
        .key_id(asked)
        .send()
        .await
        .optional_for("kms:DescribeKey", &["NotFoundException"], || {
            format!("describe KMS key {asked}")
        })?
        .and_then(|found| found.key_metadata);
    Ok(found.map(|key: KeyMetadata| {
        let arn = key.arn().unwrap_or_default();
        KmsKeyDetails {
            arn: arn.to_owned(),
            account: Arn::parse(arn).map_or("", |arn| arn.account).to_owned(),
            // Some endpoints leave the state out and tell only whether it is enabled.
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

pub(crate) async fn policy(ask: &LimitedClients, asked: &str) -> Result<String> {
    let aws = ask.acquire().await;
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

async fn grants(ask: &LimitedClients, asked: &str, grantee: &str) -> Result<Vec<KmsGrantFacts>> {
    let aws = ask.acquire().await;
    let call = aws.kms.list_grants().key_id(asked);
    let mut pages = call.grantee_principal(grantee).into_paginator().send();
    let mut grants = Vec::new();
    while let Some(page) = pages.next().await {
        // A role that is not there yet has no grants; the key's own absence is told elsewhere.
        let Some(page) = page.optional_for(
            "kms:ListGrants",
            &["NotFoundException", "InvalidArnException"],
            || format!("list the grants of KMS key {asked}"),
        )?
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
