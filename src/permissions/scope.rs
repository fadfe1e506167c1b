//! The resources that a policy is about: names where they are known, placeholders elsewhere.

use crate::aws::arn::ArnBuilder;
use crate::naming::ResourceNames;

/// Placeholders for names that are not known, each with its meaning.
pub const PLACEHOLDERS: &[(&str, &str)] = &[
    ("${PARTITION}", "aws, or aws-us-gov"),
    ("${ACCOUNT}", "the id of the management account"),
    ("${REGION}", "the region of the trail's bucket"),
    ("${BUCKET}", "the name of the trail's bucket"),
    (
        "${LOG_PREFIX}",
        "AWSLogs/, or PREFIX/AWSLogs/ if the trail has a prefix",
    ),
    (
        "${BUCKET_KEY_ID}",
        "the id of the KMS key of the log objects; if there is none, remove the statements that name it",
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
        "the id of the KMS key of the log group; if there is none, remove the statement that names it",
    ),
];

/// The account and the trail destinations that a policy is about. Each text is a name or a placeholder.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PolicyScope {
    pub partition: String,
    pub account: String,
    pub names: ResourceNames,
    /// For options that take events from the trail's bucket.
    pub bucket: BucketScope,
    /// For options that take events from the trail's log group.
    pub log_group: LogGroupScope,
}

/// The trail's bucket, and everything that its log objects involve.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BucketScope {
    pub region: String,
    pub name: String,
    /// Prefix of all log objects, with a slash at the end.
    pub log_prefix: String,
    /// Ids or ARNs of the KMS keys of the log objects.
    pub keys: Vec<String>,
    /// Ids or ARNs of further keys that the trail, the bucket or log objects name. Preflight reads them.
    pub other_keys: Vec<String>,
    /// ARN of an existing topic, used instead of a managed one.
    pub topic: Option<String>,
    /// Id or ARN of the KMS key of that topic.
    pub topic_key: Option<String>,
}

/// The trail's log group.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogGroupScope {
    pub region: String,
    pub name: String,
    /// Id or ARN of its KMS key.
    pub key: Option<String>,
}

impl PolicyScope {
    /// A scope of which only the resource names are known.
    #[must_use]
    pub fn unknown(names: ResourceNames) -> Self {
        let text = str::to_owned;
        Self {
            partition: text("${PARTITION}"),
            account: text("${ACCOUNT}"),
            names,
            bucket: BucketScope {
                region: text("${REGION}"),
                name: text("${BUCKET}"),
                log_prefix: text("${LOG_PREFIX}"),
                keys: vec![text("${BUCKET_KEY_ID}")],
                other_keys: Vec::new(),
                topic: None,
                topic_key: None,
            },
            log_group: LogGroupScope {
                region: text("${LOG_GROUP_REGION}"),
                name: text("${LOG_GROUP}"),
                key: Some(text("${LOG_GROUP_KEY_ID}")),
            },
        }
    }

    /// Uses an existing topic, given by name or ARN. The managed topic stays managed if it is named.
    pub fn set_existing_topic(&mut self, topic: &str) {
        let arn = if topic.starts_with("arn:") {
            topic.to_owned()
        } else {
            self.in_bucket_region().arns().topic(topic)
        };
        self.bucket.topic =
            Some(arn).filter(|arn| *arn != self.in_bucket_region().managed_topic_arn());
    }

    /// ARNs in the region of the trail's bucket.
    #[must_use]
    pub fn in_bucket_region(&self) -> RegionalScope<'_> {
        RegionalScope {
            scope: self,
            region: &self.bucket.region,
        }
    }

    /// ARNs in the region of the trail's log group.
    #[must_use]
    pub fn in_log_group_region(&self) -> RegionalScope<'_> {
        RegionalScope {
            scope: self,
            region: &self.log_group.region,
        }
    }

    pub(crate) fn trail_arns(&self) -> String {
        self.arns("*").trail("*")
    }

    pub(crate) fn bucket_arn(&self) -> String {
        self.arns("").bucket(&self.bucket.name)
    }

    pub(crate) fn log_object_arns(&self) -> String {
        self.arns("")
            .objects(&self.bucket.name, &self.bucket.log_prefix)
    }

    pub(crate) fn role_arn(&self, name: &str) -> String {
        self.arns("").role(name)
    }

    pub(crate) fn policy_arn(&self, name: &str) -> String {
        self.arns("").policy(name)
    }

    /// ARN patterns of all roles and users of the account.
    pub(crate) fn caller_arns(&self) -> Vec<String> {
        let arns = self.arns("");
        vec![arns.role("*"), arns.user("*")]
    }

    /// ARNs in a region. S3 and IAM have none.
    fn arns<'a>(&'a self, region: &'a str) -> ArnBuilder<'a> {
        ArnBuilder {
            partition: &self.partition,
            account: &self.account,
            region,
        }
    }
}

/// ARNs of a scope's resources in one region.
#[derive(Clone, Copy, Debug)]
pub struct RegionalScope<'a> {
    pub scope: &'a PolicyScope,
    pub region: &'a str,
}

impl RegionalScope<'_> {
    pub(crate) fn queue_arn(&self, name: &str) -> String {
        self.arns().queue(name)
    }

    /// ARN pattern of the temporary queues of `tail`.
    pub(crate) fn temporary_queue_arns(&self) -> String {
        self.queue_arn(&format!("{}_*", self.scope.names.temporary_queue_prefix()))
    }

    pub(crate) fn managed_topic_arn(&self) -> String {
        self.arns().topic(&self.scope.names.topic())
    }

    /// ARN of a KMS key, given by id or ARN.
    pub(crate) fn key_arn(&self, key: &str) -> String {
        if key.starts_with("arn:") {
            return key.to_owned();
        }
        self.arns().key(key)
    }

    pub(crate) fn all_key_arns(&self) -> String {
        self.key_arn("*")
    }

    pub(crate) fn key_alias_arn(&self) -> String {
        self.arns().key_alias(&self.scope.names.key_alias())
    }

    /// ARN of a log group, and of everything in it: IAM checks some actions on the first, some on the second.
    pub(crate) fn log_group_arns(&self, name: &str) -> [String; 2] {
        let arns = self.arns();
        [arns.log_group(name), arns.log_group_content(name)]
    }

    pub(crate) fn function_arn(&self) -> String {
        self.arns().function(&self.scope.names.function())
    }

    fn arns(&self) -> ArnBuilder<'_> {
        self.scope.arns(self.region)
    }
}
