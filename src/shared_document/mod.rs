//! Whole documents that several owners may share: read for a backup, compared, and written for a restore. Resources
//! write only their own part of a document.

pub mod function_policy;
pub mod kind;
pub mod managed_policy;
pub mod ownership;
pub mod queue_policy;
pub mod role_trust;
pub mod topic_policy;

use serde_json::{Value, json};

use crate::aws::bucket_notification_document as notification;
use crate::aws::error::AwsResultExt;
use crate::aws::policy_versions::put_default_version;
use crate::aws::queue_url::{queue_url, require_queue_url};
use crate::aws::{Aws, lookup, not_found};
use crate::error::{Error, Result};
use crate::iam;
use crate::reconcile::diff::{Change, diff};
use crate::reconcile::graph::ResourceId;
use crate::reconcile::state::State;
use kind::DocumentKind;

/// Returns true if two documents of one kind mean the same.
#[must_use]
pub fn is_equivalent(kind: &str, left: &Value, right: &Value) -> bool {
    if kind == DocumentKind::BucketNotification.as_str() {
        return notification::canonical(left) == notification::canonical(right);
    }
    iam::canonical(left) == iam::canonical(right)
}

/// Returns the differences between two documents of one kind. The external ID in a trust policy is secret.
#[must_use]
pub fn changes(kind: &str, now: &Value, wanted: &Value) -> Vec<Change> {
    if kind == DocumentKind::BucketNotification.as_str() {
        let (now, wanted) = notification::differing_entries(now, wanted);
        return diff(
            &bucket_notification_state(&now),
            &bucket_notification_state(&wanted),
        );
    }
    let state = |document: &Value| match DocumentKind::parse(kind) {
        Some(DocumentKind::RoleTrust) => role_trust::trust_state(document),
        _ => State::default().with_document("document", iam::canonical(document), document.clone()),
    };
    diff(&state(now), &state(wanted))
}

/// Reads the whole document. Returns `None` if its resource does not exist.
///
/// # Errors
/// When AWS refuses the call.
pub async fn read(aws: &Aws, account: &str, id: &ResourceId) -> Result<Option<Value>> {
    let (name, operation) = (id.name.as_str(), || format!("read the {id}"));
    let text = match kind_of(id)? {
        DocumentKind::BucketNotification => {
            let found = aws
                .s3
                .get_bucket_notification_configuration()
                .bucket(name)
                .expected_bucket_owner(account)
                .send()
                .await
                .optional_for("s3:GetBucketNotification", not_found::BUCKET, operation)?;
            return Ok(found.as_ref().map(notification::to_document));
        }
        DocumentKind::TopicPolicy => topic_policy::read(aws, name, operation).await?,
        DocumentKind::QueuePolicy => match queue_url(aws, name).await? {
            None => None,
            Some(url) => queue_policy::read(aws, &url, operation).await?,
        },
        DocumentKind::KeyPolicy => {
            let found = aws.kms.get_key_policy().key_id(name).policy_name("default");
            let found = found.send().await;
            found
                .optional_for("kms:GetKeyPolicy", not_found::KEY, operation)?
                .and_then(|found| found.policy)
        }
        DocumentKind::RoleTrust => {
            let role = lookup::role(aws, name).await?;
            return Ok(role.as_ref().map(role_trust::trust_policy_of));
        }
        DocumentKind::ManagedPolicy => {
            return match lookup::managed_policy(aws, name).await? {
                None => Ok(None),
                Some(policy) => managed_policy::read_default_version(aws, &policy).await,
            };
        }
        DocumentKind::FunctionPolicy => function_policy::read(aws, name, operation).await?,
    };
    Ok(text.map(|text| match text.as_str() {
        "" => json!({}),
        text => iam::parse_document(text),
    }))
}

/// Writes the whole document.
///
/// # Errors
/// When AWS refuses the call.
pub async fn write(aws: &Aws, account: &str, id: &ResourceId, document: &Value) -> Result<()> {
    let (name, operation) = (id.name.as_str(), || format!("write the {id}"));
    let text = match document.as_object() {
        Some(fields) if fields.is_empty() => String::new(),
        _ => iam::to_text(document),
    };
    match kind_of(id)? {
        DocumentKind::BucketNotification => {
            let configuration = notification::from_document(document)?;
            let put = aws.s3.put_bucket_notification_configuration();
            let put = put.bucket(name).expected_bucket_owner(account);
            let put = put.notification_configuration(configuration).send().await;
            put.context_for("s3:PutBucketNotification", operation)
                .map_err(|refusal| {
                    refusal.with_hint(
                        "S3 validates every destination: create a missing one again first",
                    )
                })?;
        }
        DocumentKind::TopicPolicy => topic_policy::write(aws, name, &text, operation).await?,
        DocumentKind::QueuePolicy => {
            let url = require_queue_url(aws, name).await?;
            queue_policy::write(aws, &url, &text, operation).await?;
        }
        DocumentKind::KeyPolicy => {
            let put = aws.kms.put_key_policy().key_id(name).policy_name("default");
            let put = put.policy(text).send().await;
            put.context_for("kms:PutKeyPolicy", operation)?;
        }
        DocumentKind::RoleTrust => {
            let update = aws.iam.update_assume_role_policy().role_name(name);
            let update = update.policy_document(text).send().await;
            update.context_for("iam:UpdateAssumeRolePolicy", operation)?;
        }
        DocumentKind::ManagedPolicy => {
            put_default_version(aws, name, &text).await?;
        }
        DocumentKind::FunctionPolicy => {
            function_policy::replace_statements(aws, name, document).await?;
        }
    }
    Ok(())
}

/// A state with one field for each kind of entry.
fn bucket_notification_state(document: &Value) -> State {
    notification::FIELDS
        .iter()
        .fold(State::default(), |state, field| {
            state.with(field, document[*field].clone())
        })
}

fn kind_of(id: &ResourceId) -> Result<DocumentKind> {
    DocumentKind::parse(id.kind)
        .ok_or_else(|| Error::usage(format!("{id}: unknown kind of document")))
}
