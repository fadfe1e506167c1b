//! Where the permissions are for: what is known of it by name, and the rest as placeholders.

use crate::aws::arn;
use crate::naming::ResourceNames;

/// What stands for a name that is not known, and what has to be put there.
pub const PLACEHOLDERS: &[(&str, &str)] = &[
    ("${PARTITION}", "aws, or aws-us-gov"),
    ("${ACCOUNT}", "the id of the management account"),
    ("${REGION}", "the region of the trail's bucket"),
    ("${BUCKET}", "the name of the trail's bucket"),
    (
        "${LOG_PREFIX}",
        "AWSLogs/, or PREFIX/AWSLogs/ when the trail has a prefix",
    ),
    (
        "${BUCKET_KEY_ID}",
        "the id of the KMS key of the log objects; without one, leave the statements with it out",
    ),
    (
        "${TOPIC_KEY_ID}",
        "the id of the KMS key of the existing topic",
    ),
    (
        "${LOG_GROUP_REGION}",
        "the region of the log group that the trail delivers to",
    ),
    (
        "${LOG_GROUP}",
        "the name of the log group that the trail delivers to",
    ),
    (
        "${LOG_GROUP_KEY_ID}",
        "the id of the KMS key of the log group; without one, leave the statement with it out",
    ),
];

/// Each part is a name or a placeholder.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PolicyScope {
    pub partition: String,
    pub account: String,
    /// Of the bucket, where everything is made.
    pub region: String,
    pub names: ResourceNames,
    pub bucket: String,
    /// Where log objects begin, with a slash at the end.
    pub log_prefix: String,
    /// Ids or ARNs of the keys of the log objects, if they have any.
    pub bucket_keys: Vec<String>,
    /// Ids or ARNs of further keys that trail, bucket or objects name, which are only looked at.
    pub other_keys: Vec<String>,
    /// ARN of a topic that is there already, in place of our own.
    pub topic: Option<String>,
    /// Id or ARN of the key of that topic, if it has one.
    pub topic_key: Option<String>,
    /// Of the log group, where everything of option cloudwatch is looked for.
    pub log_group_region: String,
    /// Name of the log group.
    pub log_group: String,
    /// Id or ARN of the key of the log group, if it has one.
    pub log_group_key: Option<String>,
}

impl PolicyScope {
    /// Of which nothing is known but what everything is called.
    #[must_use]
    pub fn unknown(names: ResourceNames) -> Self {
        let text = str::to_owned;
        Self {
            partition: text("${PARTITION}"),
            account: text("${ACCOUNT}"),
            region: text("${REGION}"),
            names,
            bucket: text("${BUCKET}"),
            log_prefix: text("${LOG_PREFIX}"),
            bucket_keys: vec![text("${BUCKET_KEY_ID}")],
            other_keys: Vec::new(),
            topic: None,
            topic_key: None,
            log_group_region: text("${LOG_GROUP_REGION}"),
            log_group: text("${LOG_GROUP}"),
            log_group_key: Some(text("${LOG_GROUP_KEY_ID}")),
        }
    }

    /// Puts a topic, named or by its ARN, in place of our own. Ours stays ours when it is named.
    pub fn set_existing_topic(&mut self, topic: &str) {
        let arn = if topic.starts_with("arn:") {
            topic.to_owned()
        } else {
            self.regional_arn("sns", topic)
        };
        self.topic = Some(arn).filter(|arn| *arn != self.managed_topic_arn());
    }

    /// The same place as option cloudwatch sees it.
    pub(super) fn in_log_group_region(&self) -> Self {
        Self {
            region: self.log_group_region.clone(),
            ..self.clone()
        }
    }

    pub(super) fn trail_arns(&self) -> String {
        arn::build(&self.partition, "cloudtrail", "*", &self.account, "trail/*")
    }

    pub(super) fn bucket_arn(&self) -> String {
        arn::build(&self.partition, "s3", "", "", &self.bucket)
    }

    pub(super) fn log_object_arns(&self) -> String {
        format!("{}/{}*", self.bucket_arn(), self.log_prefix)
    }

    pub(super) fn role_arn(&self, name: &str) -> String {
        self.iam_arn("role", name)
    }

    pub(super) fn policy_arn(&self, name: &str) -> String {
        self.iam_arn("policy", name)
    }

    /// Whoever the caller is.
    pub(super) fn caller_arns(&self) -> Vec<String> {
        ["role", "user"].map(|kind| self.iam_arn(kind, "*")).into()
    }

    pub(super) fn queue_arn(&self, name: &str) -> String {
        self.regional_arn("sqs", name)
    }

    /// Our queue and its dead letter queue.
    pub(super) fn queue_arns(&self) -> [String; 2] {
        [self.names.queue(), self.names.dead_letter_queue()].map(|name| self.queue_arn(&name))
    }

    /// The same as option cloudwatch has them.
    pub(super) fn fifo_queue_arns(&self) -> [String; 2] {
        [self.names.fifo_queue(), self.names.dead_letter_fifo_queue()]
            .map(|name| self.queue_arn(&name))
    }

    /// The queues that `tail` listens with.
    pub(super) fn temporary_queue_arns(&self) -> String {
        self.queue_arn(&format!("{}_*", self.names.temporary_queue_prefix()))
    }

    pub(super) fn managed_topic_arn(&self) -> String {
        self.regional_arn("sns", &self.names.topic())
    }

    /// The topic that is used, be it our own or not.
    pub(super) fn topic_arn(&self) -> String {
        self.topic
            .clone()
            .unwrap_or_else(|| self.managed_topic_arn())
    }

    pub(super) fn key_arn(&self, key: &str) -> String {
        if key.starts_with("arn:") {
            return key.to_owned();
        }
        self.regional_arn("kms", &format!("key/{key}"))
    }

    pub(super) fn bucket_key_arns(&self) -> Vec<String> {
        self.bucket_keys
            .iter()
            .map(|key| self.key_arn(key))
            .collect()
    }

    pub(super) fn all_key_arns(&self) -> String {
        self.key_arn("*")
    }

    pub(super) fn alias_arn(&self) -> String {
        self.regional_arn("kms", &self.names.key_alias())
    }

    /// The log group, and what is in it: some actions are asked for the one, some for the other.
    pub(super) fn log_group_arns(&self) -> [String; 2] {
        self.log_group_and_stream_arns(&self.log_group)
    }

    /// The log group that Lambda makes for the function.
    pub(super) fn function_log_group_arns(&self) -> [String; 2] {
        self.log_group_and_stream_arns(&format!("/aws/lambda/{}", self.names.function()))
    }

    fn log_group_and_stream_arns(&self, name: &str) -> [String; 2] {
        let group = self.regional_arn("logs", &format!("log-group:{name}"));
        let streams = format!("{group}:*");
        [group, streams]
    }

    pub(super) fn function_arn(&self) -> String {
        self.regional_arn("lambda", &format!("function:{}", self.names.function()))
    }

    fn iam_arn(&self, kind: &str, name: &str) -> String {
        let resource = format!("{kind}/{name}");
        arn::build(&self.partition, "iam", "", &self.account, &resource)
    }

    fn regional_arn(&self, service: &str, resource: &str) -> String {
        arn::build(
            &self.partition,
            service,
            &self.region,
            &self.account,
            resource,
        )
    }
}
