//! The parts of a deployment that `tail` reads from.

use crate::aws::{Aws, CallerIdentity};
use crate::deployment::Deployment;
use crate::error::Result;
use crate::inventory::pipeline;
use crate::naming::ResourceNames;
use crate::option::{Target, existing_target};
use crate::tail::source::temporary_queue::SubscriptionTarget;
use crate::tail::source::{LogBucket, SourceKind};

/// The sources of a deployment, with the names that are needed to read from them.
pub(super) struct TailTarget {
    pub option: String,
    /// The options of preflight that select the option of the deployment.
    pub preflight_arguments: String,
    /// The available sources; the first is the default.
    pub sources: Vec<SourceKind>,
    /// `None` if the deployment has no topic.
    pub subscription: Option<SubscriptionTarget>,
    pub log_bucket: LogBucket,
    /// The prefix of the log objects, with a slash at the end.
    pub log_prefix: String,
    /// `None` if the tags of the role do not contain the name.
    pub log_group: Option<String>,
    /// Name of Heeler's queue.
    pub heeler_queue: String,
}

impl TailTarget {
    /// Reads the log prefix of the trail if the deployment announces objects of any source. Log files are a part of them.
    ///
    /// # Errors
    /// If this version does not know the option of the deployment, or if a call fails.
    pub async fn read(
        aws: &Aws,
        caller: &CallerIdentity,
        names: ResourceNames,
        deployment: &Deployment,
    ) -> Result<Self> {
        let target = existing_target(deployment, caller, names)?;
        let log_prefix = match target.announced_objects() {
            Some(_) => pipeline::current_log_prefix(aws, &target.pipeline_request()).await?,
            None => None,
        };
        let mut sources = target.tail_sources().to_vec();
        sources.push(SourceKind::HeelerQueue);
        let logs = target.log_objects();
        Ok(Self {
            option: target.option().name().to_owned(),
            preflight_arguments: match target.announced_objects() {
                Some(objects) => {
                    format!(
                        "{} --bucket {}",
                        target.option().arguments(),
                        objects.bucket
                    )
                }
                None => target.option().arguments().to_owned(),
            },
            sources,
            subscription: subscription_target(&*target).map(|subscription| SubscriptionTarget {
                extra_tags: deployment.extra_tags(),
                ..subscription
            }),
            log_bucket: LogBucket {
                bucket: logs.map_or_else(String::new, |logs| logs.bucket.to_owned()),
                owner: target.scope().account.clone(),
            },
            log_prefix: log_prefix
                .or_else(|| Some(logs?.prefix.to_owned()))
                .unwrap_or_default(),
            heeler_queue: target.queue_name(),
            log_group: target.log_group().map(str::to_owned),
        })
    }
}

/// The topic that temporary queues subscribe to. `None` if the deployment has no topic.
pub(in crate::command) fn subscription_target(target: &dyn Target) -> Option<SubscriptionTarget> {
    let scope = target.scope();
    Some(SubscriptionTarget {
        partition: scope.partition.clone(),
        account: scope.account.clone(),
        topic: target.topic_arn()?,
        name_prefix: scope.names.temporary_queue_prefix(),
        extra_tags: Vec::new(),
    })
}
