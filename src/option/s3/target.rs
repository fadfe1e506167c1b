//! A deployment of option s3.

use crate::aws::bucket_notification::NotificationTarget;
use crate::aws::key_grant_request::KeyGrantRequest;
use crate::aws::notification_filter;
use crate::deployment::Deployment;
use crate::deployment::scope::DeploymentScope;
use crate::deployment::tags::{RoleTags, deployment_tags};
use crate::error::Result;
use crate::inventory::{Fact, LogEncryption, Snapshot};
use crate::option::bucket_keys::{grant_requests, granted_keys, key_tags, previous_keys};
use crate::option::delivery_option::{Relocation, missing_fact};
use crate::option::names;
use crate::ownership::OptionName;
use crate::shared_document::role_trust::HeelerTrust;

/// The value of `--option`.
pub(super) const NAME: OptionName = names::S3;
pub(super) const BUCKET: &str = "heeler-ec:bucket";
const LOG_PREFIX: &str = "heeler-ec:log-prefix";
pub(super) const TOPIC: &str = "heeler-ec:topic";
/// Prefix of the log objects of a trail without a prefix. It ends every prefix without the ID of an organization.
const DEFAULT_LOG_PREFIX: &str = "AWSLogs/";

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct S3Target {
    pub scope: DeploymentScope,
    pub trust: HeelerTrust,
    pub bucket: String,
    /// Prefix of all log objects, with a slash at the end.
    pub log_prefix: String,
    /// True if an existing notification also announces objects that are not below the log prefix.
    pub narrows_notification: bool,
    /// ARNs of the customer managed keys of the log objects. The role gets a grant on each key of the deployment's
    /// account.
    pub bucket_keys: Vec<String>,
    /// ARNs of keys on which an earlier setup made a grant. They stay granted for older log objects, and destroy
    /// revokes all grants.
    pub previous_keys: Vec<String>,
    /// ARN of an existing topic; `None` for the managed one.
    pub topic: Option<String>,
    /// False if a tag that identifies the log objects is missing.
    pub is_complete: bool,
}

impl S3Target {
    /// The target for the bucket that preflight checked.
    ///
    /// # Errors
    /// If the snapshot lacks a fact that the checks report.
    pub fn from_snapshot(found: &Snapshot, trust: HeelerTrust) -> Result<Self> {
        let caller = found.account.caller.as_ref().map_err(Clone::clone)?;
        let bucket = found
            .bucket
            .as_ref()
            .ok_or_else(|| missing_fact("the trail's bucket"))?;
        let region = found
            .region()
            .ok_or_else(|| missing_fact("the bucket's region"))?;
        let bucket_keys = match found.log_encryption() {
            LogEncryption::CustomerKeys(keys) => {
                keys.iter().map(|key| key.name().to_owned()).collect()
            }
            LogEncryption::SseS3 | LogEncryption::AwsManagedKey => Vec::new(),
            LogEncryption::Unknown => {
                return Err(missing_fact("the encryption of the log objects"));
            }
        };
        let scope = DeploymentScope::new(caller, region, found.request.names.clone())
            .with_settings(&found.request);
        let topic = match &bucket.topic {
            Fact::Present(topic) => Some(topic.arn.clone()),
            _ => None,
        };
        // The managed topic stays managed if the operator names it.
        let topic = topic.filter(|topic| *topic != scope.managed_topic_arn());
        let managed = scope.managed_topic_arn();
        Ok(Self {
            trust,
            bucket: bucket.name.clone(),
            log_prefix: found.log_prefix(),
            narrows_notification: topic.is_none() && has_wider_notification(found, &managed),
            bucket_keys,
            previous_keys: Vec::new(),
            topic,
            is_complete: true,
            scope,
        })
    }

    /// The target that the tags of a role describe.
    pub fn from_tags(deployment: &Deployment, scope: DeploymentScope, trust: HeelerTrust) -> Self {
        let bucket = deployment.tag(BUCKET);
        Self {
            scope,
            trust,
            bucket: bucket.unwrap_or_default().to_owned(),
            log_prefix: log_prefix(deployment).to_owned(),
            narrows_notification: false,
            bucket_keys: granted_keys(deployment),
            previous_keys: Vec::new(),
            topic: deployment.tag(TOPIC).map(str::to_owned),
            is_complete: bucket.is_some() && deployment.tag(LOG_PREFIX).is_some(),
        }
    }

    /// Uses the log prefix of the trail as it is now, if it is below the one that the tags contain.
    pub fn narrow_log_prefix(&mut self, current: String) {
        if current.starts_with(&self.log_prefix) && current != self.log_prefix {
            self.log_prefix = current;
            self.narrows_notification = self.topic.is_none();
        }
    }

    /// Returns true if the log prefix has no ID of an organization, as for the trail of one account. Earlier versions
    /// also wrote such a prefix for organization trails.
    pub fn lacks_organization(&self) -> bool {
        self.log_prefix.ends_with(DEFAULT_LOG_PREFIX)
    }

    /// Keeps the grants of an earlier setup.
    pub fn keep_granted_keys(&mut self, deployment: Option<&Deployment>) {
        self.previous_keys = previous_keys(deployment, &self.bucket_keys);
    }

    /// The grants that the owners of keys in other accounts create.
    pub fn grant_requests(&self) -> Vec<KeyGrantRequest> {
        grant_requests(
            &self.scope,
            self.bucket_keys.iter().chain(&self.previous_keys),
        )
    }

    /// The topic that is used: an existing one, or the managed one.
    pub fn topic_arn(&self) -> String {
        let managed = || self.scope.managed_topic_arn();
        self.topic.clone().unwrap_or_else(managed)
    }

    /// The tags of the role, from which the target is read again.
    pub fn role_tags(&self) -> RoleTags {
        let mut tags = vec![
            (BUCKET, self.bucket.clone()),
            (LOG_PREFIX, self.log_prefix.clone()),
        ];
        tags.extend(key_tags(self.bucket_keys.iter().chain(&self.previous_keys)));
        tags.extend(self.topic.clone().map(|topic| (TOPIC, topic)));
        deployment_tags(&self.scope.region, tags)
    }

    /// The difference to the place of an existing deployment.
    pub fn relocation_from(&self, deployment: &Deployment) -> Option<Relocation> {
        let managed = self.scope.managed_topic_arn();
        let bucket = deployment.tag(BUCKET).unwrap_or_default();
        Relocation::between("bucket", bucket, &self.bucket).or_else(|| {
            let topic = deployment.tag(TOPIC).unwrap_or(&managed);
            Relocation::between("topic", topic, &self.topic_arn())
        })
    }
}

/// Returns true if a notification to the topic announces the log objects and others beside them.
fn has_wider_notification(found: &Snapshot, topic: &str) -> bool {
    let log_prefix = found.log_prefix();
    let entries = found
        .bucket
        .as_ref()
        .and_then(|bucket| bucket.notifications.present());
    entries.into_iter().flatten().any(|entry| {
        entry.target == NotificationTarget::Topic
            && entry.destination == topic
            && entry.includes_prefix(&log_prefix)
            && notification_filter::decode(&entry.prefix).as_ref() != Some(&log_prefix)
    })
}

/// Prefix of the log objects, as far as the tags contain it.
pub(super) fn log_prefix(deployment: &Deployment) -> &str {
    deployment.tag(LOG_PREFIX).unwrap_or(DEFAULT_LOG_PREFIX)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::inventory::facts::Trail;
    use crate::naming::ResourceNames;
    use crate::option::delivery_option::DeliveryOption;
    use crate::option::s3::S3;
    use crate::option::s3::graph::build;

    fn key(number: usize) -> String {
        format!("arn:aws-us-gov:kms:ap-southeast-2:111122223333:key/mrk-{number:032}")
    }

    fn target() -> S3Target {
        S3Target {
            scope: DeploymentScope {
                account: "111122223333".into(),
                partition: "aws".into(),
                region: "eu-west-1".into(),
                names: ResourceNames::new("heeler"),
                permissions_boundary: None,
                extra_tags: Vec::new(),
            },
            trust: HeelerTrust::empty(),
            bucket: "logs".into(),
            log_prefix: "org/AWSLogs/o-example/".into(),
            narrows_notification: false,
            bucket_keys: (0..8).map(key).collect(),
            previous_keys: Vec::new(),
            topic: Some("arn:aws:sns:eu-west-1:111122223333:events".into()),
            is_complete: true,
        }
    }

    fn deployment(target: &S3Target) -> Deployment {
        let tags = target.role_tags().into_iter();
        let tags: BTreeMap<String, String> =
            tags.map(|(key, value)| (key.to_owned(), value)).collect();
        Deployment {
            option: "s3".into(),
            role_arn: String::new(),
            region: target.scope.region.clone(),
            trust: None,
            tags,
        }
    }

    fn read_back(target: &S3Target) -> S3Target {
        S3Target::from_tags(
            &deployment(target),
            target.scope.clone(),
            target.trust.clone(),
        )
    }

    #[test]
    fn tags_read_back_as_the_same_target() {
        assert_eq!(read_back(&target()), target());
        let managed_topic = S3Target {
            topic: None,
            bucket_keys: Vec::new(),
            ..target()
        };
        assert_eq!(read_back(&managed_topic), managed_topic);
    }

    #[test]
    fn tags_hold_previous_keys() {
        let target = S3Target {
            bucket_keys: (0..5).map(key).collect(),
            previous_keys: (5..8).map(key).collect(),
            ..target()
        };
        assert_eq!(
            read_back(&target).bucket_keys,
            (0..8).map(key).collect::<Vec<_>>()
        );
        let mut again = S3Target {
            previous_keys: Vec::new(),
            ..target.clone()
        };
        again.keep_granted_keys(Some(&deployment(&target)));
        assert_eq!(again, target);
    }

    #[test]
    fn prefix_that_fits_no_tag_makes_target_incomplete() {
        let target = S3Target {
            log_prefix: "trail#1/AWSLogs/".into(),
            ..target()
        };
        let found = read_back(&target);
        assert!(!found.is_complete);
        assert_eq!(found.log_prefix, DEFAULT_LOG_PREFIX);
    }

    #[test]
    fn longer_log_prefix_narrows_notification() {
        let wide = S3Target {
            log_prefix: "org/AWSLogs/".into(),
            topic: None,
            ..target()
        };
        assert!(wide.lacks_organization() && !target().lacks_organization());
        for (current, log_prefix, narrows) in [
            ("org/AWSLogs/o-1/", "org/AWSLogs/o-1/", true),
            ("org/AWSLogs/", "org/AWSLogs/", false),
            ("AWSLogs/o-1/", "org/AWSLogs/", false),
        ] {
            let mut target = wide.clone();
            target.narrow_log_prefix(current.into());
            assert_eq!(target.log_prefix, log_prefix);
            assert_eq!(target.narrows_notification, narrows);
            let graph = build(&target).graph;
            let position = |kind: &str| {
                let mut nodes = graph.nodes().iter();
                nodes.position(|node| node.id.kind == kind)
            };
            let (notification, policy) = (position("s3 notification"), position("iam policy"));
            assert!(notification.is_some() && policy.is_some());
            assert_eq!(notification < policy, narrows);
        }
    }

    #[test]
    fn another_bucket_or_topic_is_a_relocation() {
        let deployed = deployment(&target());
        assert_eq!(target().relocation_from(&deployed), None);
        let bucket = S3Target {
            bucket: "other".into(),
            ..target()
        };
        assert_eq!(
            bucket.relocation_from(&deployed).map(|found| found.aspect),
            Some("bucket")
        );
        let topic = S3Target {
            topic: None,
            ..target()
        };
        assert_eq!(
            topic.relocation_from(&deployed).map(|found| found.aspect),
            Some("topic")
        );
    }

    #[test]
    fn deployment_receives_from_trails_of_its_bucket() {
        let deployed = deployment(&target());
        let trail = |bucket: &str| Trail {
            bucket: bucket.into(),
            ..Trail::default()
        };
        assert!(S3.receives_from(&deployed, &trail("logs")));
        assert!(!S3.receives_from(&deployed, &trail("others")));
    }
}
