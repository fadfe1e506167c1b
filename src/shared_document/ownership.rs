//! Ownership of a change to a document: a restore changes only documents of managed resources, and in the notification
//! configuration of a bucket only entries of managed topics.

use serde_json::Value;

use super::kind::DocumentKind;
use super::kind_of;
use crate::aws::bucket_notification_document as notification;
use crate::aws::kms_keys;
use crate::aws::queue_url::queue_url;
use crate::aws::{Aws, lookup};
use crate::error::Result;
use crate::ownership::is_managed_by_program;
use crate::reconcile::graph::ResourceId;

/// Returns true if a write that replaces the document `now` by `wanted` changes nothing of other owners.
///
/// # Errors
/// When AWS refuses to read the tags.
pub async fn is_own_change(
    aws: &Aws,
    id: &ResourceId,
    now: &Value,
    wanted: &Value,
) -> Result<bool> {
    let name = id.name.as_str();
    let tags = match kind_of(id)? {
        DocumentKind::BucketNotification => {
            let Some(topics) = notification::changed_topics(now, wanted) else {
                return Ok(false);
            };
            for topic in topics {
                let tags = lookup::topic_tags(aws, &topic).await?.unwrap_or_default();
                if !is_managed(&tags) {
                    return Ok(false);
                }
            }
            return Ok(true);
        }
        DocumentKind::TopicPolicy => lookup::topic_tags(aws, name).await?,
        DocumentKind::QueuePolicy => match queue_url(aws, name).await? {
            Some(url) => lookup::queue_tags(aws, &url).await?,
            None => None,
        },
        DocumentKind::KeyPolicy => {
            let tags = kms_keys::list_tags(aws, name).await?;
            let pairs = tags
                .iter()
                .map(|tag| (tag.tag_key().to_owned(), tag.tag_value().to_owned()));
            Some(pairs.collect())
        }
        DocumentKind::RoleTrust => {
            let role = lookup::role(aws, name).await?;
            role.map(|role| iam_pairs(role.tags()))
        }
        DocumentKind::ManagedPolicy => {
            let policy = lookup::managed_policy(aws, name).await?;
            policy.map(|policy| iam_pairs(policy.tags()))
        }
        DocumentKind::FunctionPolicy => {
            let function = lookup::function(aws, name).await?;
            let tags = function.and_then(|function| function.tags);
            tags.map(|tags| tags.into_iter().collect())
        }
    };
    Ok(is_managed(&tags.unwrap_or_default()))
}

fn is_managed(tags: &[(String, String)]) -> bool {
    is_managed_by_program(lookup::borrow_pairs(tags))
}

fn iam_pairs(tags: &[aws_sdk_iam::types::Tag]) -> lookup::TagPairs {
    tags.iter()
        .map(|tag| (tag.key().to_owned(), tag.value().to_owned()))
        .collect()
}
