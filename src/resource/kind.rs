//! The kinds of AWS resources that this program manages.

use std::fmt;

use crate::reconcile::graph::ResourceId;

/// A kind of AWS resource. The reconciliation engine handles kinds only as text, so that it does not depend on AWS.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ResourceKind {
    KmsKey,
    KmsAlias,
    KmsGrant,
    SqsQueue,
    SqsQueuePolicy,
    SnsTopic,
    SnsTopicPolicy,
    SnsSubscription,
    S3Notification,
    IamRole,
    IamPolicy,
    IamAttachment,
    LambdaFunction,
    LambdaPermission,
    SubscriptionFilter,
}

impl ResourceKind {
    pub const ALL: [Self; 15] = [
        Self::KmsKey,
        Self::KmsAlias,
        Self::KmsGrant,
        Self::SqsQueue,
        Self::SqsQueuePolicy,
        Self::SnsTopic,
        Self::SnsTopicPolicy,
        Self::SnsSubscription,
        Self::S3Notification,
        Self::IamRole,
        Self::IamPolicy,
        Self::IamAttachment,
        Self::LambdaFunction,
        Self::LambdaPermission,
        Self::SubscriptionFilter,
    ];

    /// The name that plans, results and errors show for the kind.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::KmsKey => "kms key",
            Self::KmsAlias => "kms alias",
            Self::KmsGrant => "kms grant",
            Self::SqsQueue => "sqs queue",
            Self::SqsQueuePolicy => "sqs queue policy",
            Self::SnsTopic => "sns topic",
            Self::SnsTopicPolicy => "sns topic policy",
            Self::SnsSubscription => "sns subscription",
            Self::S3Notification => "s3 notification",
            Self::IamRole => "iam role",
            Self::IamPolicy => "iam policy",
            Self::IamAttachment => "iam attachment",
            Self::LambdaFunction => "lambda function",
            Self::LambdaPermission => "lambda permission",
            Self::SubscriptionFilter => "subscription filter",
        }
    }

    /// The ID of the resource with this kind and name.
    #[must_use]
    pub fn id(self, name: impl Into<String>) -> ResourceId {
        ResourceId::new(self.as_str(), name)
    }

    /// The kind of a resource, or `None` for a kind that is not listed here.
    #[must_use]
    pub fn of(id: &ResourceId) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == id.kind)
    }
}

impl fmt::Display for ResourceKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_is_found_by_its_id() {
        for kind in ResourceKind::ALL {
            assert_eq!(ResourceKind::of(&kind.id("name")), Some(kind));
        }
    }
}
