//! Whole documents that several owners may share: read for a backup, compared, and written for a restore. Resources
//! write only their own part of a document.

use aws_sdk_sqs::types::QueueAttributeName;
use serde_json::{Value, json};

use super::document_kind::DocumentKind;
use super::function_permission;
use super::role::get_role;
use super::trust::trust_policy_of;
use crate::aws::Aws;
use crate::aws::bucket_notification_document as notification;
use crate::aws::error::AwsResultExt;
use crate::aws::not_found;
use crate::aws::policy_versions::put_default_version;
use crate::aws::queue_url::{queue_url, require_queue_url};
use crate::error::{Error, Result};
use crate::iam as documents;
use crate::reconcile::graph::ResourceId;

/// Returns true if two documents of one kind mean the same.
#[must_use]
pub fn is_equivalent(kind: &str, left: &Value, right: &Value) -> bool {
    if kind == DocumentKind::BucketNotification.as_str() {
        return notification::canonical(left) == notification::canonical(right);
    }
    documents::canonical(left) == documents::canonical(right)
}

/// Reads the whole document. Returns `None` if its resource does not exist.
///
/// # Errors
/// When AWS refuses the call.
pub async fn read(aws: &Aws, account: &str, id: &ResourceId) -> Result<Option<Value>> {
    let (of, doing) = (id.name.as_str(), || format!("read the {id}"));
    let text = match kind_of(id)? {
        DocumentKind::BucketNotification => {
            let found = aws
                .s3
                .get_bucket_notification_configuration()
                .bucket(of)
                .expected_bucket_owner(account)
                .send()
                .await
                .optional_for("s3:GetBucketNotification", not_found::BUCKET, doing)?;
            return Ok(found.as_ref().map(notification::to_document));
        }
        DocumentKind::TopicPolicy => {
            let found = aws.sns.get_topic_attributes().topic_arn(of).send().await;
            let found = found.optional_for("sns:GetTopicAttributes", not_found::TOPIC, doing)?;
            found.and_then(|found| found.attributes?.remove("Policy"))
        }
        DocumentKind::QueuePolicy => match queue_url(aws, of).await? {
            None => None,
            Some(url) => {
                let found = aws
                    .sqs
                    .get_queue_attributes()
                    .queue_url(url)
                    .attribute_names(QueueAttributeName::Policy)
                    .send()
                    .await
                    .optional_for("sqs:GetQueueAttributes", not_found::QUEUE, doing)?;
                let policy = |mut found: std::collections::HashMap<_, _>| {
                    found.remove(&QueueAttributeName::Policy)
                };
                found.map(|found| found.attributes.and_then(policy).unwrap_or_default())
            }
        },
        DocumentKind::KeyPolicy => {
            let found = aws.kms.get_key_policy().key_id(of).policy_name("default");
            let found = found.send().await;
            found
                .optional_for("kms:GetKeyPolicy", not_found::KEY, doing)?
                .and_then(|found| found.policy)
        }
        DocumentKind::RoleTrust => {
            return Ok(get_role(aws, of).await?.as_ref().map(trust_policy_of));
        }
        DocumentKind::ManagedPolicy => return read_managed_policy(aws, id).await,
        DocumentKind::FunctionPolicy => {
            let found = aws.lambda.get_policy().function_name(of).send().await;
            found
                .optional_for("lambda:GetPolicy", not_found::FUNCTION, doing)?
                .and_then(|found| found.policy)
        }
    };
    Ok(text.map(|text| match text.as_str() {
        "" => json!({}),
        text => documents::parse_document(text),
    }))
}

async fn read_managed_policy(aws: &Aws, id: &ResourceId) -> Result<Option<Value>> {
    let doing = || format!("read the {id}");
    let found = aws.iam.get_policy().policy_arn(&id.name).send().await;
    let found = found.optional_for("iam:GetPolicy", not_found::IAM_ENTITY, doing)?;
    let Some(found) = found.and_then(|found| found.policy) else {
        return Ok(None);
    };
    let version = aws
        .iam
        .get_policy_version()
        .policy_arn(&id.name)
        .version_id(found.default_version_id().unwrap_or("v1"))
        .send()
        .await
        .optional_for("iam:GetPolicyVersion", not_found::IAM_ENTITY, doing)?;
    let document = version.and_then(|found| found.policy_version?.document);
    Ok(document.map(|text| documents::parse_encoded_document(&text)))
}

/// Writes the whole document.
///
/// # Errors
/// When AWS refuses the call.
pub async fn write(aws: &Aws, account: &str, id: &ResourceId, document: &Value) -> Result<()> {
    let (of, doing) = (id.name.as_str(), || format!("write the {id}"));
    let text = match document.as_object() {
        Some(fields) if fields.is_empty() => String::new(),
        _ => documents::to_text(document),
    };
    match kind_of(id)? {
        DocumentKind::BucketNotification => {
            let configuration = notification::from_document(document)?;
            let put = aws.s3.put_bucket_notification_configuration();
            let put = put.bucket(of).expected_bucket_owner(account);
            let put = put.notification_configuration(configuration).send().await;
            put.context_for("s3:PutBucketNotification", doing)
                .map_err(|refusal| {
                    refusal.with_hint(
                        "S3 validates every destination: create a missing one again first",
                    )
                })?;
        }
        DocumentKind::TopicPolicy => {
            let set = aws.sns.set_topic_attributes().topic_arn(of);
            let set = set.attribute_name("Policy").attribute_value(text);
            set.send()
                .await
                .context_for("sns:SetTopicAttributes", doing)?;
        }
        DocumentKind::QueuePolicy => {
            let url = require_queue_url(aws, of).await?;
            let set = aws.sqs.set_queue_attributes().queue_url(url);
            let set = set.attributes(QueueAttributeName::Policy, text);
            set.send()
                .await
                .context_for("sqs:SetQueueAttributes", doing)?;
        }
        DocumentKind::KeyPolicy => {
            let put = aws.kms.put_key_policy().key_id(of).policy_name("default");
            let put = put.policy(text).send().await;
            put.context_for("kms:PutKeyPolicy", doing)?;
        }
        DocumentKind::RoleTrust => {
            let update = aws.iam.update_assume_role_policy().role_name(of);
            let update = update.policy_document(text).send().await;
            update.context_for("iam:UpdateAssumeRolePolicy", doing)?;
        }
        DocumentKind::ManagedPolicy => {
            put_default_version(aws, of, &text).await?;
        }
        DocumentKind::FunctionPolicy => {
            function_permission::replace_statements(aws, of, document).await?;
        }
    }
    Ok(())
}

fn kind_of(id: &ResourceId) -> Result<DocumentKind> {
    DocumentKind::parse(id.kind)
        .ok_or_else(|| Error::usage(format!("{id}: unknown kind of document")))
}
