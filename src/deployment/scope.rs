//! The account, region and resource names of a deployment, and the ARNs that follow from them.

use crate::aws::CallerIdentity;
use crate::aws::arn::ArnBuilder;
use crate::inventory::InventoryRequest;
use crate::naming::ResourceNames;
use crate::ownership::{OptionName, OwnershipTags};

/// The location of a deployment and the names of its resources.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeploymentScope {
    pub account: String,
    pub partition: String,
    pub region: String,
    pub names: ResourceNames,
    /// ARN of the permissions boundary of the roles; `None` to leave the one that they have.
    pub permissions_boundary: Option<String>,
    /// Further tags of all resources, as `(key, value)`.
    pub extra_tags: Vec<(String, String)>,
}

impl DeploymentScope {
    /// A scope in the account of the caller, without a permissions boundary and further tags.
    #[must_use]
    pub fn new(caller: &CallerIdentity, region: &str, names: ResourceNames) -> Self {
        Self {
            account: caller.account.clone(),
            partition: caller.partition.clone(),
            region: region.to_owned(),
            names,
            permissions_boundary: None,
            extra_tags: Vec::new(),
        }
    }

    /// Adds the permissions boundary and the further tags that the operator wants.
    #[must_use]
    pub fn with_settings(self, request: &InventoryRequest) -> Self {
        Self {
            permissions_boundary: request.permissions_boundary.clone(),
            extra_tags: request.extra_tags.clone(),
            ..self
        }
    }

    /// The tags of all resources of an option.
    pub(crate) fn ownership_tags(&self, option: OptionName) -> OwnershipTags {
        OwnershipTags {
            option,
            extra: self.extra_tags.clone(),
        }
    }

    pub(crate) fn arns(&self) -> ArnBuilder<'_> {
        ArnBuilder {
            partition: &self.partition,
            account: &self.account,
            region: &self.region,
        }
    }

    pub(crate) fn queue_arn(&self, name: &str) -> String {
        self.arns().queue(name)
    }

    /// ARN of the topic that setup creates if there is no other to use.
    pub(crate) fn managed_topic_arn(&self) -> String {
        self.arns().topic(&self.names.topic())
    }

    pub(crate) fn role_arn(&self, name: &str) -> String {
        self.arns().role(&self.names.role_with_path(name))
    }

    pub(crate) fn policy_arn(&self, name: &str) -> String {
        self.arns().policy(name)
    }

    pub(crate) fn account_root_arn(&self) -> String {
        self.arns().account_root()
    }

    pub(crate) fn bucket_arn(&self, bucket: &str) -> String {
        self.arns().bucket(bucket)
    }

    pub(crate) fn function_arn(&self) -> String {
        self.arns().function(&self.names.function())
    }

    /// ARN of a log group, without `:*`.
    pub(crate) fn log_group_arn(&self, name: &str) -> String {
        self.arns().log_group(name)
    }
}
