//! The account, region and resource names of a deployment, and the ARNs that follow from them.

use crate::aws::{CallerIdentity, arn};
use crate::naming::ResourceNames;

/// Where a deployment is, and what its resources are called.
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

    pub(crate) fn queue_arn(&self, name: &str) -> String {
        self.regional_arn("sqs", name)
    }

    /// ARN of the topic that setup creates if there is no other to use.
    pub(crate) fn managed_topic_arn(&self) -> String {
        self.regional_arn("sns", &self.names.topic())
    }

    pub(crate) fn role_arn(&self, name: &str) -> String {
        self.iam_arn("role", name)
    }

    pub(crate) fn policy_arn(&self, name: &str) -> String {
        self.iam_arn("policy", name)
    }

    pub(crate) fn account_root_arn(&self) -> String {
        arn::build(&self.partition, "iam", "", &self.account, "root")
    }

    pub(crate) fn bucket_arn(&self, bucket: &str) -> String {
        arn::build(&self.partition, "s3", "", "", bucket)
    }

    pub(crate) fn function_arn(&self) -> String {
        self.regional_arn("lambda", &format!("function:{}", self.names.function()))
    }

    /// ARN of a log group, without `:*`.
    pub(crate) fn log_group_arn(&self, name: &str) -> String {
        self.regional_arn("logs", &format!("log-group:{name}"))
    }

    fn iam_arn(&self, kind: &str, name: &str) -> String {
        arn::build(
            &self.partition,
            "iam",
            "",
            &self.account,
            &format!("{kind}/{name}"),
        )
    }

    fn regional_arn(&self, service: &str, name: &str) -> String {
        arn::build(&self.partition, service, &self.region, &self.account, name)
    }
}
