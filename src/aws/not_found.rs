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
/// KMS, for the policy of a key. A key that is being deleted or created has none to read.
pub const KEY_POLICY: &[&str] = &["NotFoundException", "KMSInvalidStateException"];
/// KMS, for the rotation of a key. A key that is disabled, or that cannot rotate, has none.
pub const KEY_ROTATION: &[&str] = &[
    "NotFoundException",
    "KMSInvalidStateException",
    "UnsupportedOperationException",
    "DisabledException",
];
/// KMS, for the grants of a role and a key of which at least one does not exist.
pub const GRANT: &[&str] = &["InvalidArnException", "NotFoundException"];
/// Lambda, for a function or its policy.
pub const FUNCTION: &[&str] = &["ResourceNotFoundException"];
/// CloudWatch Logs, for a log group or a subscription filter.
pub const LOG_GROUP: &[&str] = &["ResourceNotFoundException"];
/// S3, for a bucket.
pub const BUCKET: &[&str] = &["NoSuchBucket"];
/// S3, for the policy of a bucket.
pub const BUCKET_POLICY: &[&str] = &["NoSuchBucketPolicy"];
/// S3, for the default encryption of a bucket.
pub const BUCKET_ENCRYPTION: &[&str] = &["ServerSideEncryptionConfigurationNotFoundError"];
/// S3, for the object ownership of a bucket.
pub const BUCKET_OWNERSHIP_CONTROLS: &[&str] = &["OwnershipControlsNotFoundError"];
/// S3, for the lifecycle rules of a bucket.
pub const BUCKET_LIFECYCLE: &[&str] = &["NoSuchLifecycleConfiguration"];
/// CloudTrail, for a trail.
pub const TRAIL: &[&str] = &["TrailNotFoundException"];
/// Organizations, for the organization of an account that is in none.
pub const ORGANIZATION: &[&str] = &["AWSOrganizationsNotInUseException"];
/// S3, for an object. The response to `HeadObject` has no body, so that its code is the status.
pub const OBJECT: &[&str] = &["NoSuchKey", "NotFound"];
