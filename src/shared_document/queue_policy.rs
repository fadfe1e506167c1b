//! The access policy of an SQS queue as a whole.

use aws_sdk_sqs::types::QueueAttributeName;

use crate::aws::Aws;
use crate::aws::error::AwsResultExt;
use crate::aws::not_found;
use crate::error::Result;

/// The `Sid` of the deployment's statement, which allows the topic to send.
pub(crate) const TOPIC_SID: &str = "AllowTopicToSend";

/// Reads the policy of the queue with this URL: empty if it has none, `None` if the queue does not exist.
pub(crate) async fn read(
    aws: &Aws,
    url: &str,
    operation: impl FnOnce() -> String,
) -> Result<Option<String>> {
    let found = aws
        .sqs
        .get_queue_attributes()
        .queue_url(url)
        .attribute_names(QueueAttributeName::Policy)
        .send()
        .await
        .optional_for("sqs:GetQueueAttributes", not_found::QUEUE, operation)?;
    Ok(found.map(|found| {
        let mut attributes = found.attributes.unwrap_or_default();
        attributes
            .remove(&QueueAttributeName::Policy)
            .unwrap_or_default()
    }))
}

/// Writes the policy of the queue with this URL. An empty text removes it.
pub(crate) async fn write(
    aws: &Aws,
    url: &str,
    text: &str,
    operation: impl FnOnce() -> String,
) -> Result<()> {
    aws.sqs
        .set_queue_attributes()
        .queue_url(url)
        .attributes(QueueAttributeName::Policy, text)
        .send()
        .await
        .context_for("sqs:SetQueueAttributes", operation)?;
    Ok(())
}
