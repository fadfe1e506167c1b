//! The resources that a policy is about: names where they are known, placeholders elsewhere.

use std::collections::BTreeMap;

use crate::aws::CallerIdentity;
use crate::aws::arn::ArnBuilder;
use crate::naming::ResourceNames;

/// A placeholder and its meaning. A name that is not known stays a placeholder.
pub type Placeholder = (&'static str, &'static str);

const PARTITION: &str = "${PARTITION}";
const ACCOUNT: &str = "${ACCOUNT}";
/// The bucket of the organization trail, which does not depend on the option.
pub const TRAIL_BUCKET: &str = "${TRAIL_BUCKET}";

/// The placeholders that every policy may have. Options add their own.
pub const PLACEHOLDERS: &[Placeholder] = &[
    (PARTITION, "aws, or aws-us-gov"),
    (
        ACCOUNT,
        "the ID of the account, usually the management account",
    ),
    (
        TRAIL_BUCKET,
        "the bucket that the organization trail delivers to",
    ),
];

/// The account and the resources that a policy is about. Each text is a name or a placeholder.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PolicyScope {
    pub partition: String,
    pub account: String,
    pub names: ResourceNames,
    /// ARN of the permissions boundary that setup sets; `None` if it sets none.
    pub permissions_boundary: Option<String>,
    /// Names that an option uses, by their placeholder. Each option reads its own.
    values: BTreeMap<&'static str, Vec<String>>,
}

impl PolicyScope {
    /// A scope of which only the resource names are known.
    #[must_use]
    pub fn unknown(names: ResourceNames) -> Self {
        Self {
            partition: PARTITION.to_owned(),
            account: ACCOUNT.to_owned(),
            names,
            permissions_boundary: None,
            values: BTreeMap::new(),
        }
    }

    /// Sets the account and partition.
    pub fn set_caller(&mut self, caller: &CallerIdentity) {
        self.account.clone_from(&caller.account);
        self.partition.clone_from(&caller.partition);
    }

    /// Sets the name for a placeholder.
    pub fn set(&mut self, placeholder: &'static str, name: impl Into<String>) {
        self.values.insert(placeholder, vec![name.into()]);
    }

    /// Sets the names for a placeholder; none if there is no such resource.
    pub fn set_all(&mut self, placeholder: &'static str, names: Vec<String>) {
        self.values.insert(placeholder, names);
    }

    /// The first name for a placeholder, or the placeholder.
    #[must_use]
    pub fn name_or(&self, placeholder: &'static str) -> &str {
        let known = self.known_names(placeholder).first();
        known.map_or(placeholder, String::as_str)
    }

    /// The names for a placeholder, or the placeholder.
    #[must_use]
    pub fn names_or(&self, placeholder: &'static str) -> Vec<&str> {
        match self.values.get(placeholder) {
            None => vec![placeholder],
            Some(names) => names.iter().map(String::as_str).collect(),
        }
    }

    /// The names for a placeholder, as far as they are known.
    #[must_use]
    pub fn known_names(&self, placeholder: &str) -> &[String] {
        self.values.get(placeholder).map_or(&[], Vec::as_slice)
    }

    /// ARNs in the region with this placeholder.
    #[must_use]
    pub fn in_region(&self, placeholder: &'static str) -> RegionalScope<'_> {
        RegionalScope {
            scope: self,
            region: self.name_or(placeholder),
        }
    }

    pub(crate) fn trail_arns(&self) -> String {
        self.arns("*").trail("*")
    }

    pub(crate) fn bucket_arn(&self, bucket: &str) -> String {
        self.arns("").bucket(bucket)
    }

    /// ARN pattern of the objects of a bucket under a prefix.
    pub(crate) fn object_arns(&self, bucket: &str, prefix: &str) -> String {
        self.arns("").objects(bucket, prefix)
    }

    pub(crate) fn role_arn(&self, name: &str) -> String {
        self.arns("").role(&self.names.role_with_path(name))
    }

    /// ARN pattern of the roles of Heeler under all name prefixes and paths.
    pub(crate) fn deployment_role_arns(&self) -> String {
        self.arns("").role("*_event_collection_sqs_role")
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

    pub(crate) fn topic_arn(&self, name: &str) -> String {
        self.arns().topic(name)
    }

    pub(crate) fn managed_topic_arn(&self) -> String {
        self.topic_arn(&self.scope.names.topic())
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

    pub(crate) fn all_function_arns(&self) -> String {
        self.arns().function("*")
    }

    fn arns(&self) -> ArnBuilder<'_> {
        self.scope.arns(self.region)
    }
}

/// Returns true if `key` is a key ID or ARN. Policies cannot name aliases.
#[must_use]
pub fn is_key_id(key: &str) -> bool {
    !key.contains("alias/")
}
