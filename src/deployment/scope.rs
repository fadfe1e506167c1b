//! The account, region and resource names of a deployment, and the ARNs that follow from them.

use crate::aws::CallerIdentity;
use crate::aws::arn::ArnBuilder;
use crate::naming::ResourceNames;

/// The location of a deployment and the names of its resources.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeploymentScope {
    pub account: String,
    pub partition: String,
    pub region: String,
    pub names: ResourceNames,
}

impl DeploymentScope {
    /// A scope in the account of the caller.
    #[must_use]
    pub fn new(caller: &CallerIdentity, region: &str, names: ResourceNames) -> Self {
        Self {
            account: caller.account.clone(),
            partition: caller.partition.clone(),
            region: region.to_owned(),
            names,
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
        self.arns().role(name)
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
