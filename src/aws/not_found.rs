//! Error codes by which each service says that a resource does not exist.

/// SNS, for a topic or a subscription. The SDK's models and the service disagree about the spelling.
pub const TOPIC: &[&str] = &[
    "NotFound",
    "NotFoundException",
    "ResourceNotFound",
    "ResourceNotFoundException",
];
/// SQS, in both spellings: with and without the response header that carries the codes of the query protocol.
pub const QUEUE: &[&str] = &[
    "AWS.SimpleQueueService.NonExistentQueue",
    "QueueDoesNotExist",
];
/// IAM, for a role, a policy or a policy version.
pub const IAM_ENTITY: &[&str] = &["NoSuchEntity", "NoSuchEntityException"];
/// KMS, for a key or an alias.
pub const KEY: &[&str] = &["NotFoundException"];
/// KMS, for the grants of a role and a key of which at least one does not exist.
pub const GRANT: &[&str] = &["InvalidArnException", "NotFoundException"];
/// Lambda, for a function or its policy.
pub const FUNCTION: &[&str] = &["ResourceNotFoundException"];
/// CloudWatch Logs, for a log group or a subscription filter.
pub const LOG_GROUP: &[&str] = &["ResourceNotFoundException"];
/// S3, for a bucket.
pub const BUCKET: &[&str] = &["NoSuchBucket"];
