//! The Terraform type, address and import ID of each resource kind. Addresses are those of Heeler's modules.

use serde_json::Value;

use super::{ExportContext, ExportedResource, ImportTarget};
use crate::resource::kind::ResourceKind;
use crate::resource::observed;

pub(super) const DEAD_LETTER_QUEUE_LABEL: &str = "heeler_sqs_queue_dlq";
pub(super) const GRANT_TYPE: &str = "aws_kms_grant";

/// Builds the import target. Returns `None` for a kind without a Terraform type, and for a resource without an import
/// ID.
pub(super) fn import_target(
    place: &ExportContext<'_>,
    item: &ExportedResource<'_>,
) -> Option<ImportTarget> {
    let name = item.id.name.as_str();
    let output = |of: &str| item.outputs.get(of).cloned();
    let arn = || output("arn");
    let field = |field: &str| item.state.text(field).map(str::to_owned);
    let names = place.names;
    let (resource_type, label, id) = match ResourceKind::of(item.id)? {
        ResourceKind::KmsKey => {
            let id = arn()?.rsplit('/').next()?.to_owned();
            ("aws_kms_key", "heeler_kms_key_sqs", id)
        }
        ResourceKind::KmsAlias => ("aws_kms_alias", "heeler_kms_alias_sqs", name.to_owned()),
        ResourceKind::SnsTopic => ("aws_sns_topic", "heeler_sns_topic", arn()?),
        ResourceKind::SnsTopicPolicy => (
            "aws_sns_topic_policy",
            "heeler_sns_topic_policy",
            output("topic")?,
        ),
        ResourceKind::SqsQueue
            if name == names.dead_letter_queue() || name == names.dead_letter_fifo_queue() =>
        {
            ("aws_sqs_queue", DEAD_LETTER_QUEUE_LABEL, output("url")?)
        }
        ResourceKind::SqsQueue => ("aws_sqs_queue", "heeler_sqs_queue", output("url")?),
        ResourceKind::SqsQueuePolicy => (
            "aws_sqs_queue_policy",
            "heeler_sqs_queue_policy",
            output("url")?,
        ),
        ResourceKind::SnsSubscription => (
            "aws_sns_topic_subscription",
            "heeler_sns_topic_subscription",
            arn()?,
        ),
        ResourceKind::IamRole => (
            "aws_iam_role",
            if name == names.function_role() {
                "heeler_iam_role_lambda"
            } else {
                "heeler_iam_role_sqs"
            },
            name.to_owned(),
        ),
        ResourceKind::IamPolicy => (
            "aws_iam_policy",
            if name == names.function_policy() {
                "heeler_iam_policy_lambda"
            } else {
                "heeler_iam_policy_sqs"
            },
            arn()?,
        ),
        ResourceKind::IamAttachment => {
            let role = field(observed::ROLE)?;
            (
                "aws_iam_role_policy_attachment",
                if role == names.function_role() {
                    "heeler_iam_role_policy_attachment_lambda"
                } else {
                    "heeler_iam_role_policy_attachment_sqs"
                },
                format!("{role}/{}", output("policy")?),
            )
        }
        ResourceKind::KmsGrant => (
            GRANT_TYPE,
            "heeler_kms_grant",
            format!("{}:{}", field("key")?, output("id")?),
        ),
        ResourceKind::S3Notification => (
            "aws_s3_bucket_notification",
            "heeler_s3_bucket_notification",
            bucket_name(item).to_owned(),
        ),
        ResourceKind::LambdaFunction => (
            "aws_lambda_function",
            "heeler_lambda_function",
            name.to_owned(),
        ),
        ResourceKind::LambdaPermission => (
            "aws_lambda_permission",
            "heeler_lambda_permission",
            format!("{}/{}", function_name(item)?, field(observed::NAME)?),
        ),
        ResourceKind::SubscriptionFilter => (
            "aws_cloudwatch_log_subscription_filter",
            "heeler_cloudwatch_log_subscription_filter",
            format!("{}|{name}", field("log_group")?),
        ),
    };
    Some(ImportTarget {
        resource_type,
        label: label.to_owned(),
        id,
    })
}

/// The bucket of a notification, whose name is `BUCKET#ENTRY`.
pub(super) fn bucket_name<'i>(item: &'i ExportedResource<'_>) -> &'i str {
    let name = item.id.name.as_str();
    name.rsplit_once('#').map_or(name, |(bucket, _)| bucket)
}

/// The name of the function of a permission.
pub(super) fn function_name(item: &ExportedResource<'_>) -> Option<String> {
    let arn = statement(item)?.get("Resource")?.get(0)?.as_str()?;
    Some(crate::aws::arn::resource_name(arn).to_owned())
}

/// The statement of a permission in canonical form.
pub(super) fn statement<'i>(item: &'i ExportedResource<'_>) -> Option<&'i Value> {
    item.state.get("statement")?.get("Statement")?.get(0)
}
