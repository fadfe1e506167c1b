//! The access policy of an SNS topic as a whole.

use crate::aws::Aws;
use crate::aws::error::AwsResultExt;
use crate::aws::not_found;
use crate::error::Result;

/// Reads the policy of the topic with this ARN. Returns `None` if the topic does not exist.
pub(crate) async fn read(
    aws: &Aws,
    arn: &str,
    operation: impl FnOnce() -> String,
) -> Result<Option<String>> {
    let found = aws
        .sns
        .get_topic_attributes()
        .topic_arn(arn)
        .send()
        .await
        .optional_for("sns:GetTopicAttributes", not_found::TOPIC, operation)?;
    Ok(found.and_then(|found| found.attributes?.remove("Policy")))
}

/// Writes the policy of the topic with this ARN.
pub(crate) async fn write(
    aws: &Aws,
    arn: &str,
    text: &str,
    operation: impl FnOnce() -> String,
) -> Result<()> {
    aws.sns
        .set_topic_attributes()
        .topic_arn(arn)
        .attribute_name("Policy")
        .attribute_value(text)
        .send()
        .await
        .context_for("sns:SetTopicAttributes", operation)?;
    Ok(())
}
