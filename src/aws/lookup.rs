//! Finds resources by their names. Each function makes one call.

use aws_sdk_iam::types::{Policy, Role};
use aws_sdk_lambda::operation::get_function::GetFunctionOutput;

use super::error::AwsResultExt;
use super::{Aws, arn, not_found};
use crate::error::Result;

/// Tags in any order, as pairs of key and value.
pub type TagPairs = Vec<(String, String)>;

/// Borrows the keys and values.
pub fn borrow_pairs(tags: &[(String, String)]) -> impl Iterator<Item = (&str, &str)> + Clone {
    tags.iter()
        .map(|(key, value)| (key.as_str(), value.as_str()))
}

/// Finds an IAM role.
///
/// # Errors
/// When IAM refuses the call.
pub async fn role(aws: &Aws, name: &str) -> Result<Option<Role>> {
    let call = aws.iam.get_role().role_name(name);
    let found = call
        .send()
        .await
        .optional_for("iam:GetRole", not_found::IAM_ENTITY, || {
            format!("find iam role {name}")
        })?;
    Ok(found.and_then(|found| found.role))
}

/// Finds a managed policy by its ARN.
///
/// # Errors
/// When IAM refuses the call.
pub async fn managed_policy(aws: &Aws, arn: &str) -> Result<Option<Policy>> {
    let call = aws.iam.get_policy().policy_arn(arn);
    let found = call
        .send()
        .await
        .optional_for("iam:GetPolicy", not_found::IAM_ENTITY, || {
            format!("find iam policy {}", arn::resource_name(arn))
        })?;
    Ok(found.and_then(|found| found.policy))
}

/// Reads the tags of a queue. Returns `None` if the queue does not exist.
///
/// # Errors
/// When SQS refuses the call.
pub async fn queue_tags(aws: &Aws, url: &str) -> Result<Option<TagPairs>> {
    let call = aws.sqs.list_queue_tags().queue_url(url);
    let found = call
        .send()
        .await
        .optional_for("sqs:ListQueueTags", not_found::QUEUE, || {
            let name = url.rsplit('/').next().unwrap_or(url);
            format!("read the tags of sqs queue {name}")
        })?;
    Ok(found.map(|found| found.tags.unwrap_or_default().into_iter().collect()))
}

/// Reads the tags of a topic. Returns `None` if the topic does not exist.
///
/// # Errors
/// When SNS refuses the call.
pub async fn topic_tags(aws: &Aws, arn: &str) -> Result<Option<TagPairs>> {
    let call = aws.sns.list_tags_for_resource().resource_arn(arn);
    let found =
        call.send()
            .await
            .optional_for("sns:ListTagsForResource", not_found::TOPIC, || {
                format!("read the tags of sns topic {}", arn::resource_name(arn))
            })?;
    let pair = |tag: aws_sdk_sns::types::Tag| (tag.key, tag.value);
    Ok(found.map(|found| {
        let tags = found.tags.unwrap_or_default();
        tags.into_iter().map(pair).collect()
    }))
}

/// Finds a function, with its tags.
///
/// # Errors
/// When Lambda refuses the call.
pub async fn function(aws: &Aws, name: &str) -> Result<Option<GetFunctionOutput>> {
    let call = aws.lambda.get_function().function_name(name);
    let found = call.send().await;
    found.optional_for("lambda:GetFunction", not_found::FUNCTION, || {
        format!("read lambda function {name}")
    })
}
