//! The parts of a deployment that `tail` reads from.

use crate::aws::{Aws, CallerIdentity};
use crate::deployment::Deployment;
use crate::error::{Error, Result};
use crate::hint::Hint;
use crate::inventory::pipeline::{self, PipelineRequest};
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
    /// The prefix of the log objects at the time of setup, with a slash at the end.
    log_prefix: String,
    /// The request that finds the trail if the deployment announces objects of any source. Log objects are a part of them.
    trail_request: Option<PipelineRequest>,
    /// `None` if the tags of the role do not contain the name.
    pub log_group: Option<String>,
    /// Name of Heeler's queue.
    pub heeler_queue: String,
}

impl TailTarget {
    /// # Errors
    /// If this version does not know the option of the deployment.
    pub fn from_deployment(
        caller: &CallerIdentity,
        names: ResourceNames,
        deployment: &Deployment,
    ) -> Result<Self> {
        let target = existing_target(deployment, caller, names)?;
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
            log_prefix: logs.map_or_else(String::new, |logs| logs.prefix.to_owned()),
            trail_request: target
                .announced_objects()
                .map(|_| target.pipeline_request()),
            heeler_queue: target.queue_name(),
            log_group: target.log_group().map(str::to_owned),
        })
    }
}

impl TailTarget {
    /// Returns the prefix of the log objects, with a slash at the end. It reads the trail if the deployment announces
    /// objects of any source.
    ///
    /// # Errors
    /// If a call fails. A negative result if no trail delivers to the bucket.
    pub async fn read_log_prefix(&self, aws: &Aws) -> Result<String> {
        let Some(request) = &self.trail_request else {
            return Ok(self.log_prefix.clone());
        };
        let found = pipeline::read_log_prefix(aws, request).await?;
        found.ok_or_else(|| {
            Error::negative(format!(
                "no trail delivers log files to bucket {} below the prefix of the deployment",
                self.log_bucket.bucket
            ))
            .with_reason("tail prints the events in CloudTrail's log files, and no other objects")
            .with_hint(
                Hint::from("to see whether objects are announced and received: ")
                    .and_command("heeler-ec status"),
            )
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
