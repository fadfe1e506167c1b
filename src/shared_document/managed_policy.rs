//! The document of a managed policy: its default version.

use aws_sdk_iam::types::Policy;
use serde_json::Value;

use crate::aws::Aws;
use crate::aws::arn;
use crate::aws::error::AwsResultExt;
use crate::aws::not_found;
use crate::error::Result;
use crate::iam;

/// Reads the default version of a policy. Returns `None` if the policy was deleted in the meantime.
pub(crate) async fn read_default_version(aws: &Aws, policy: &Policy) -> Result<Option<Value>> {
    let arn = policy.arn().unwrap_or_default();
    let version = aws
        .iam
        .get_policy_version()
        .policy_arn(arn)
        .version_id(policy.default_version_id().unwrap_or("v1"))
        .send()
        .await
        .optional_for("iam:GetPolicyVersion", not_found::IAM_ENTITY, || {
            format!("read iam policy {}", arn::resource_name(arn))
        })?;
    let document = version.and_then(|found| found.policy_version?.document);
    Ok(document.map(|text| iam::parse_encoded_document(&text)))
}
