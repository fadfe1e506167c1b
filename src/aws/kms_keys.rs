//! Reads of KMS keys: metadata, tags and lists.

use aws_sdk_kms::types::{KeyMetadata, Tag};

use super::error::AwsResultExt;
use super::{Aws, not_found};
use crate::error::Result;

/// Reads the metadata of a key, given by ID, ARN or alias. Returns `None` if it does not exist.
///
/// # Errors
/// When KMS refuses the call.
pub async fn describe_key(aws: &Aws, key: &str) -> Result<Option<KeyMetadata>> {
    aws.kms
        .describe_key()
        .key_id(key)
        .send()
        .await
        .optional_for("kms:DescribeKey", not_found::KEY, || {
            format!("describe KMS key {key}")
        })
        .map(|found| found.and_then(|found| found.key_metadata))
}

/// Reads all tags of a key. A key that does not exist has none.
///
/// # Errors
/// When KMS refuses a call.
pub async fn list_tags(aws: &Aws, key: &str) -> Result<Vec<Tag>> {
    let call = aws.kms.list_resource_tags().key_id(key);
    let mut pages = call.into_paginator().send();
    let mut tags = Vec::new();
    while let Some(page) = pages.next().await {
        let page = page.optional_for("kms:ListResourceTags", not_found::KEY, || {
            format!("read the tags of KMS key {key}")
        })?;
        let Some(page) = page else { break };
        tags.extend(page.tags.unwrap_or_default());
    }
    Ok(tags)
}

/// The ID and ARN of every key of the account and region.
///
/// # Errors
/// When KMS refuses the call.
pub async fn list_keys(aws: &Aws) -> Result<Vec<(String, String)>> {
    let mut keys = Vec::new();
    let mut pages = aws.kms.list_keys().into_paginator().send();
    while let Some(page) = pages.next().await {
        let page = page.context_for("kms:ListKeys", || {
            "look for the key of an interrupted run".into()
        })?;
        keys.extend(
            page.keys()
                .iter()
                .filter_map(|key| Some((key.key_id()?.to_owned(), key.key_arn()?.to_owned()))),
        );
    }
    Ok(keys)
}

/// The name of every alias of the account and region, and the ID of its key.
///
/// # Errors
/// When KMS refuses the call.
pub async fn list_aliases(aws: &Aws) -> Result<Vec<(String, String)>> {
    let mut named = Vec::new();
    let mut pages = aws.kms.list_aliases().into_paginator().send();
    while let Some(page) = pages.next().await {
        let page = page.context_for("kms:ListAliases", || "list the aliases of KMS keys".into())?;
        named.extend(
            page.aliases().iter().filter_map(|alias| {
                Some((alias.alias_name.clone()?, alias.target_key_id.clone()?))
            }),
        );
    }
    Ok(named)
}
