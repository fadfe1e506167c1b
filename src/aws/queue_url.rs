//! The URL of an SQS queue that everyone can use.
//!
//! SQS answers with the host that the request was sent to. An operator who uses a FIPS, dual-stack or VPC endpoint
//! therefore gets a URL that others may not reach, and one that differs from the URL of the next operator.

use super::error::AwsResultExt;
use super::{Aws, not_found};
use crate::error::{Error, Result};

/// Reads the URL of a queue, with the public host of its region. Returns `None` if there is no queue with that name.
///
/// # Errors
/// When SQS refuses the call.
pub async fn queue_url(aws: &Aws, name: &str) -> Result<Option<String>> {
    match require_queue_url(aws, name).await {
        Err(refusal) if is_not_found(&refusal) => Ok(None),
        found => found.map(Some),
    }
}

/// Reads the URL of a queue that must exist.
///
/// # Errors
/// When SQS refuses the call, or does not know the queue, or not yet.
pub async fn require_queue_url(aws: &Aws, name: &str) -> Result<String> {
    let operation = || format!("look for sqs queue {name}");
    let found = aws.sqs.get_queue_url().queue_name(name).send().await;
    let found = found.context_for("sqs:GetQueueUrl", operation)?;
    let url = found
        .queue_url
        .ok_or_else(|| Error::failed(operation(), "AWS returned no URL"))?;
    Ok(public_queue_url(&url, aws.region()))
}

/// Returns true if SQS does not know the queue.
#[must_use]
pub fn is_not_found(refusal: &Error) -> bool {
    refusal.has_any_code(not_found::QUEUE)
}

/// Replaces the host of an AWS endpoint by that of the public endpoint of the region: `https://sqs.REGION.SUFFIX/ACCOUNT/NAME`.
/// A URL with a host that is not AWS's, such as that of an emulator, stays as it is.
#[must_use]
pub fn public_queue_url(answered: &str, region: &str) -> String {
    let parts = answered
        .split_once("://")
        .and_then(|(_, rest)| rest.split_once('/'));
    let Some((authority, path)) = parts else {
        return answered.to_owned();
    };
    let host = authority
        .split(':')
        .next()
        .unwrap_or(authority)
        .to_ascii_lowercase();
    match dns_suffix(&host) {
        Some(suffix) => format!("https://sqs.{region}.{suffix}/{path}"),
        None => answered.to_owned(),
    }
}

/// The suffix of the public endpoints of the partition that a host of AWS belongs to.
fn dns_suffix(host: &str) -> Option<&'static str> {
    // The suffixes of public and dual-stack endpoints, from the partitions that the AWS SDKs know.
    const SUFFIXES: [(&str, &str); 4] = [
        (".amazonaws.com", "amazonaws.com"),
        (".api.aws", "amazonaws.com"),
        (".amazonaws.com.cn", "amazonaws.com.cn"),
        (".api.amazonwebservices.com.cn", "amazonaws.com.cn"),
    ];
    SUFFIXES
        .iter()
        .find(|(ending, _)| host.ends_with(ending))
        .map(|(_, suffix)| *suffix)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_of_aws_become_the_public_endpoint() {
        let path = "111122223333/heeler_event_collection_queue";
        for host in [
            "sqs.eu-west-1.amazonaws.com",
            "sqs-fips.eu-west-1.amazonaws.com",
            "sqs.eu-west-1.api.aws",
            "sqs-fips.eu-west-1.api.aws",
            "eu-west-1.queue.amazonaws.com",
            "queue.amazonaws.com",
            "vpce-0a1b-c2d3.sqs.eu-west-1.vpce.amazonaws.com",
            "VPCE-0a1b-c2d3.sqs.eu-west-1.vpce.amazonaws.com:443",
        ] {
            assert_eq!(
                public_queue_url(&format!("https://{host}/{path}"), "eu-west-1"),
                format!("https://sqs.eu-west-1.amazonaws.com/{path}"),
                "{host}"
            );
        }
        for (host, region, public) in [
            (
                "sqs.cn-north-1.api.amazonwebservices.com.cn",
                "cn-north-1",
                "sqs.cn-north-1.amazonaws.com.cn",
            ),
            (
                "sqs.cn-north-1.amazonaws.com.cn",
                "cn-north-1",
                "sqs.cn-north-1.amazonaws.com.cn",
            ),
            (
                "sqs.us-gov-west-1.api.aws",
                "us-gov-west-1",
                "sqs.us-gov-west-1.amazonaws.com",
            ),
        ] {
            assert_eq!(
                public_queue_url(&format!("https://{host}/{path}"), region),
                format!("https://{public}/{path}")
            );
        }
    }

    #[test]
    fn other_hosts_stay_unchanged() {
        for url in [
            "http://127.0.0.1:4566/111122223333/queue",
            "http://sqs.us-east-1.localhost.localstack.cloud:4566/111122223333/queue",
            "https://notamazonaws.com/111122223333/queue",
            "queue",
            "",
        ] {
            assert_eq!(public_queue_url(url, "eu-west-1"), url);
        }
    }
}
