//! The parts of a deployment that `tail` reads from.

use crate::aws::CallerIdentity;
use crate::deployment::Deployment;
use crate::deployment::target::DeploymentTarget;
use crate::inventory::trail_destination::TrailDestination;
use crate::naming::ResourceNames;
use crate::tail::source::temporary_queue::SubscriptionTarget;
use crate::tail::source::{LogBucket, SourceKind};

/// The sources of a deployment, with the names that are needed to read from them.
pub(super) struct TailTarget {
    pub option: String,
    /// The available sources; the first is the default.
    pub sources: Vec<SourceKind>,
    pub subscription: SubscriptionTarget,
    pub log_bucket: LogBucket,
    /// The prefix of the log objects, with a slash at the end.
    pub log_prefix: String,
    /// `None` if the tags of the role do not contain the name.
    pub log_group: Option<String>,
    /// Name of Heeler's queue.
    pub heeler_queue: String,
}

impl TailTarget {
    pub fn from_deployment(
        caller: &CallerIdentity,
        names: ResourceNames,
        deployment: &Deployment,
    ) -> Self {
        let target = DeploymentTarget::from_deployment(caller, names, deployment);
        let is_bucket =
            TrailDestination::from_name(&deployment.option) == Some(TrailDestination::Bucket);
        Self {
            option: deployment.option.clone(),
            sources: if is_bucket {
                vec![
                    SourceKind::Queue,
                    SourceKind::Bucket,
                    SourceKind::HeelerQueue,
                ]
            } else {
                vec![SourceKind::LogGroup, SourceKind::HeelerQueue]
            },
            subscription: subscription_target(&target),
            log_bucket: LogBucket {
                bucket: target.bucket.clone(),
                owner: target.account.clone(),
            },
            log_prefix: target.log_prefix.clone(),
            heeler_queue: if target.log_group.is_some() {
                target.names.fifo_queue()
            } else {
                target.names.queue()
            },
            log_group: target.log_group,
        }
    }
}

/// The topic that temporary queues subscribe to.
pub(in crate::command) fn subscription_target(target: &DeploymentTarget) -> SubscriptionTarget {
    SubscriptionTarget {
        partition: target.partition.clone(),
        account: target.account.clone(),
        topic: target
            .topic
            .clone()
            .unwrap_or_else(|| target.managed_topic_arn()),
        name_prefix: target.names.temporary_queue_prefix(),
    }
}
