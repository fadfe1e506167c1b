//! The versions of a customer managed IAM policy.

use super::error::AwsResultExt;
use super::{Aws, arn, not_found};
use crate::error::Result;

/// The number of versions that AWS keeps of a policy.
const MAX_VERSIONS: usize = 5;

/// Creates a version and makes it the default. Deletes the oldest version if the limit is reached.
///
/// # Errors
/// When IAM refuses a call.
pub async fn put_default_version(aws: &Aws, arn: &str, document: &str) -> Result<()> {
    let mut old = list_old_versions(aws, arn).await?;
    if old.len() + 1 >= MAX_VERSIONS
        && let Some(oldest) = old.pop()
    {
        delete_version(aws, arn, &oldest).await?;
    }
    aws.iam
        .create_policy_version()
        .policy_arn(arn)
        .policy_document(document)
        .set_as_default(true)
        .send()
        .await
        .context_for("iam:CreatePolicyVersion", || {
            format!("update iam policy {}", arn::resource_name(arn))
        })?;
    Ok(())
}

/// Lists the versions that are not the default, newest first.
///
/// # Errors
/// When IAM refuses the call.
pub async fn list_old_versions(aws: &Aws, arn: &str) -> Result<Vec<String>> {
    let mut versions = Vec::new();
    let mut pages = aws
        .iam
        .list_policy_versions()
        .policy_arn(arn)
        .into_paginator()
        .send();
    while let Some(page) = pages.next().await {
        let Some(page) =
            page.optional_for("iam:ListPolicyVersions", not_found::IAM_ENTITY, || {
                format!(
                    "list the versions of iam policy {}",
                    arn::resource_name(arn)
                )
            })?
        else {
            break;
        };
        versions.extend(page.versions.unwrap_or_default());
    }
    versions.retain(|version| !version.is_default_version());
    versions.sort_by_key(|version| version.create_date().map(aws_smithy_types::DateTime::secs));
    Ok(versions
        .into_iter()
        .rev()
        .filter_map(|version| version.version_id)
        .collect())
}

/// Deletes a version that is not the default.
///
/// # Errors
/// When IAM refuses the call.
pub async fn delete_version(aws: &Aws, arn: &str, version: &str) -> Result<()> {
    aws.iam
        .delete_policy_version()
        .policy_arn(arn)
        .version_id(version)
        .send()
        .await
        .optional_for("iam:DeletePolicyVersion", not_found::IAM_ENTITY, || {
            format!(
                "delete version {version} of iam policy {}",
                arn::resource_name(arn)
            )
        })?;
    Ok(())
}
