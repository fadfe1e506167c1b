//! A deployment of option s3-direct.

use crate::aws::arn;
use crate::aws::bucket_notification::NotificationTarget;
use crate::aws::key_grant_request::KeyGrantRequest;
use crate::deployment::Deployment;
use crate::deployment::scope::DeploymentScope;
use crate::deployment::tags::{RoleTags, deployment_tags};
use crate::error::{Error, Result};
use crate::inventory::bucket_events::BucketEvents;
use crate::inventory::{InventoryRequest, LogEncryption, Snapshot};
use crate::option::bucket_keys::{grant_requests, granted_keys, key_tags, previous_keys};
use crate::option::delivery_option::{Relocation, missing_fact};
use crate::option::names;
use crate::option::tag_text;
use crate::ownership::OptionName;
use crate::shared_document::role_trust::HeelerTrust;

pub(super) const NAME: OptionName = names::S3_DIRECT;
pub(super) const BUCKET: &str = "heeler-ec:events-bucket";
const PREFIX: &str = "heeler-ec:object-prefix";
const SUFFIX: &str = "heeler-ec:object-suffix";
/// The value is [`YES`] if the queue is encrypted with a key of the deployment, otherwise [`NO`].
const QUEUE_KEY: &str = "heeler-ec:queue-key";
const YES: &str = "yes";
const NO: &str = "no";

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct DirectTarget {
    pub scope: DeploymentScope,
    /// The roles of the vendor, and the external ID that they must present.
    pub trust: HeelerTrust,
    pub bucket: String,
    /// The start of the keys of all announced objects, in unencoded form; empty for all.
    pub prefix: String,
    /// The end of the keys of all announced objects, in unencoded form; empty for all.
    pub suffix: String,
    pub has_queue_key: bool,
    /// True if an existing notification to the queue also announces objects that are no longer requested.
    pub narrows_notification: bool,
    /// ARNs of the customer managed keys of the objects. The role gets a grant on each.
    pub bucket_keys: Vec<String>,
    /// ARNs of keys on which an earlier setup made a grant. They stay granted for older objects, and destroy revokes all
    /// grants.
    pub previous_keys: Vec<String>,
    /// False if a tag is missing that setup always writes.
    pub is_complete: bool,
}

impl DirectTarget {
    /// The target for the bucket that preflight checked.
    ///
    /// # Errors
    /// If the snapshot lacks a fact that the checks report.
    pub fn from_snapshot(
        found: &Snapshot,
        trust: HeelerTrust,
        deployment: Option<&Deployment>,
    ) -> Result<Self> {
        let caller = found.account.caller.as_ref().map_err(Clone::clone)?;
        let bucket = found.bucket.as_ref();
        let bucket = bucket.ok_or_else(|| missing_fact("the bucket"))?;
        let region = found.region();
        let region = region.ok_or_else(|| missing_fact("the bucket's region"))?;
        let bucket_keys = match found.log_encryption() {
            LogEncryption::CustomerKeys(keys) => {
                keys.iter().map(|key| key.name().to_owned()).collect()
            }
            LogEncryption::SseS3 | LogEncryption::AwsManagedKey => Vec::new(),
            LogEncryption::Unknown => {
                return Err(missing_fact("the encryption of the objects"));
            }
        };
        let scope = DeploymentScope::new(caller, region, found.request.names.clone())
            .with_settings(&found.request);
        let events = found.request.bucket_events.clone().unwrap_or_default();
        Ok(Self {
            trust,
            bucket: bucket.name.clone(),
            prefix: events.prefix().to_owned(),
            suffix: events.suffix().to_owned(),
            has_queue_key: events.has_queue_key,
            narrows_notification: narrows_notification(found, &scope),
            previous_keys: previous_keys(deployment, &bucket_keys),
            bucket_keys,
            is_complete: true,
            scope,
        })
    }

    /// The target that the tags of a role describe.
    pub fn from_tags(deployment: &Deployment, scope: DeploymentScope, trust: HeelerTrust) -> Self {
        let bucket = deployment.tag(BUCKET);
        let events = deployed_events(deployment);
        Self {
            scope,
            trust,
            bucket: bucket.unwrap_or_default().to_owned(),
            prefix: events.prefix().to_owned(),
            suffix: events.suffix().to_owned(),
            has_queue_key: events.has_queue_key,
            narrows_notification: false,
            bucket_keys: granted_keys(deployment),
            previous_keys: Vec::new(),
            is_complete: bucket.is_some() && missing_settings(deployment).is_empty(),
        }
    }

    /// The tags of the role, from which the target is read again.
    pub fn role_tags(&self) -> RoleTags {
        let queue_key = if self.has_queue_key { YES } else { NO };
        let mut tags = vec![
            (BUCKET, self.bucket.clone()),
            (PREFIX, tag_text::encode(&self.prefix)),
            (SUFFIX, tag_text::encode(&self.suffix)),
            (QUEUE_KEY, queue_key.to_owned()),
        ];
        tags.extend(key_tags(self.bucket_keys.iter().chain(&self.previous_keys)));
        deployment_tags(&self.scope.region, tags)
    }

    /// The grants that the owners of keys in other accounts create.
    pub fn grant_requests(&self) -> Vec<KeyGrantRequest> {
        grant_requests(
            &self.scope,
            self.bucket_keys.iter().chain(&self.previous_keys),
        )
    }

    /// The difference to the place of an existing deployment. Another prefix or suffix is a change of the notification.
    pub fn relocation_from(&self, deployment: &Deployment) -> Option<Relocation> {
        let bucket = deployment.tag(BUCKET).unwrap_or_default();
        Relocation::between("bucket", bucket, &self.bucket)
    }
}

/// Returns true if a notification to the queue announces the requested objects and others beside them.
fn narrows_notification(found: &Snapshot, scope: &DeploymentScope) -> bool {
    let queue = scope.queue_arn(&scope.names.queue());
    let planned = found.planned_notification();
    let bucket = found.bucket.as_ref();
    let entries = bucket.and_then(|bucket| bucket.notifications.present());
    entries.into_iter().flatten().any(|entry| {
        entry.target == NotificationTarget::Queue
            && entry.destination == queue
            && entry.covers(&planned)
            && !planned.covers(entry)
    })
}

/// The tags of settings that are missing or have an unknown value, with the option of setup that replaces each.
fn missing_settings(deployment: &Deployment) -> Vec<(&'static str, &'static str)> {
    let has_tag = |tag: &str| match deployment.tag(tag) {
        Some(value) => tag != QUEUE_KEY || [YES, NO].contains(&value),
        None => false,
    };
    let settings = [
        (PREFIX, "--object-prefix"),
        (SUFFIX, "--object-suffix"),
        (QUEUE_KEY, "--queue-key"),
    ];
    let missing = settings.into_iter().filter(|(tag, _)| !has_tag(tag));
    missing.collect()
}

/// The objects that a deployment announces, and the encryption of its queue. Without the tag, the queue may have a key.
fn deployed_events(deployment: &Deployment) -> BucketEvents {
    BucketEvents {
        prefix: deployment.tag(PREFIX).map(tag_text::decode),
        suffix: deployment.tag(SUFFIX).map(tag_text::decode),
        has_queue_key: deployment.tag(QUEUE_KEY) != Some(NO),
    }
}

/// The start of the keys of the objects that a deployment announces.
pub(super) fn deployed_prefix(deployment: &Deployment) -> String {
    deployed_events(deployment).prefix().to_owned()
}

/// Adds the settings of a deployment to a request that does not name others.
///
/// # Errors
/// A usage error if neither the request nor the tags contain a setting: the defaults would change the deployment.
pub(super) fn keep_settings(deployment: &Deployment, request: &mut InventoryRequest) -> Result<()> {
    let deployed = deployed_events(deployment);
    let events = request.bucket_events.get_or_insert_default();
    let is_requested = |tag: &str| match tag {
        PREFIX => events.prefix.is_some(),
        SUFFIX => events.suffix.is_some(),
        _ => events.has_queue_key,
    };
    let mut missing = missing_settings(deployment).into_iter();
    if let Some((tag, option)) = missing.find(|(tag, _)| !is_requested(tag)) {
        return Err(missing_tag_error(deployment, tag, option));
    }
    events.prefix = events.prefix.take().or(deployed.prefix);
    events.suffix = events.suffix.take().or(deployed.suffix);
    events.has_queue_key |= deployed.has_queue_key;
    if request.bucket.is_none() {
        request.bucket = deployment.tag(BUCKET).map(str::to_owned);
    }
    Ok(())
}

/// The error for a setup of a deployment whose role lacks a tag.
fn missing_tag_error(deployment: &Deployment, tag: &str, option: &str) -> Error {
    let role = arn::resource_name(&deployment.role_arn);
    let error = Error::usage(format!(
        "{option} is required: the tag {tag} of iam role {role} is missing or changed"
    ));
    if tag != QUEUE_KEY {
        return error.with_hint(
            "repeat the value of the last setup: the policy of the role and the notification of the bucket still contain it",
        );
    }
    error.with_hint(format!(
        "add --queue-key if a KMS key of the deployment encrypts the queue; otherwise, restore the tag: \
         `aws iam tag-role --role-name {role} --tags Key={tag},Value={NO}`"
    ))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::error::Exit;
    use crate::naming::ResourceNames;
    use crate::option::direct::graph::build;

    fn target() -> DirectTarget {
        DirectTarget {
            scope: DeploymentScope {
                account: "111122223333".into(),
                partition: "aws".into(),
                region: "eu-west-1".into(),
                names: ResourceNames::new("vendor"),
                permissions_boundary: None,
                extra_tags: Vec::new(),
            },
            trust: HeelerTrust::empty(),
            bucket: "logs".into(),
            prefix: "team=a/50%/für #1/".into(),
            suffix: ".json.gz".into(),
            has_queue_key: true,
            narrows_notification: false,
            bucket_keys: vec!["arn:aws:kms:eu-west-1:111122223333:key/1".into()],
            previous_keys: Vec::new(),
            is_complete: true,
        }
    }

    fn deployment(target: &DirectTarget) -> Deployment {
        let tags = target.role_tags().into_iter();
        let tags: BTreeMap<String, String> =
            tags.map(|(key, value)| (key.to_owned(), value)).collect();
        Deployment {
            option: NAME.name.into(),
            role_arn: String::new(),
            region: target.scope.region.clone(),
            trust: None,
            tags,
        }
    }

    #[test]
    fn tags_read_back_as_the_same_target() {
        let all_objects = DirectTarget {
            prefix: String::new(),
            suffix: String::new(),
            has_queue_key: false,
            bucket_keys: Vec::new(),
            ..target()
        };
        for target in [target(), all_objects] {
            let deployed = deployment(&target);
            let (scope, trust) = (target.scope.clone(), target.trust.clone());
            assert_eq!(DirectTarget::from_tags(&deployed, scope, trust), target);
        }
    }

    #[test]
    fn every_setting_has_a_tag() {
        let all_objects = DirectTarget {
            prefix: String::new(),
            suffix: String::new(),
            has_queue_key: false,
            ..target()
        };
        for target in [target(), all_objects] {
            for tag in [BUCKET, PREFIX, SUFFIX, QUEUE_KEY] {
                let mut deployed = deployment(&target);
                assert!(deployed.tags.remove(tag).is_some(), "{tag}");
                let (scope, trust) = (target.scope.clone(), target.trust.clone());
                let found = DirectTarget::from_tags(&deployed, scope, trust);
                assert!(!found.is_complete, "{tag}");
                // A key that may exist is not left behind.
                assert!(found.has_queue_key || tag != QUEUE_KEY);
            }
        }
    }

    #[test]
    fn missing_settings_are_demanded() {
        let request = || InventoryRequest {
            expected_account: None,
            expected_region: None,
            trail: None,
            bucket: None,
            bucket_key: None,
            topic: None,
            log_group: None,
            bucket_events: None,
            heeler_roles: Vec::new(),
            names: ResourceNames::new("vendor"),
            permissions_boundary: None,
            extra_tags: Vec::new(),
            accepted_checks: Vec::new(),
            adopt: false,
            deep: false,
        };
        for (tag, option) in [
            (PREFIX, "--object-prefix"),
            (SUFFIX, "--object-suffix"),
            (QUEUE_KEY, "--queue-key"),
        ] {
            let mut deployed = deployment(&target());
            keep_settings(&deployed, &mut request()).unwrap();
            deployed.tags.remove(tag);
            let error = keep_settings(&deployed, &mut request()).unwrap_err();
            assert_eq!(error.exit(), Exit::Usage);
            assert!(error.to_string().contains(option), "{error}");
            let mut complete = request();
            complete.bucket_events = Some(BucketEvents {
                prefix: Some("a/".into()),
                suffix: Some(String::new()),
                has_queue_key: true,
            });
            keep_settings(&deployed, &mut complete).unwrap();
            assert_eq!(complete.bucket.as_deref(), Some("logs"));
        }
        let mut changed = deployment(&target());
        changed.tags.insert(QUEUE_KEY.into(), "maybe".into());
        keep_settings(&changed, &mut request()).unwrap_err();
    }

    #[test]
    fn queue_times_suit_any_vendor() {
        let graph = build(&target()).graph;
        let known = graph.initial_outputs();
        let queues = graph
            .nodes()
            .iter()
            .filter(|node| node.id.kind == "sqs queue");
        let times = queues.map(|node| {
            let state = node.resource.desired(&known);
            ["retention_seconds", "visibility_timeout_seconds"].map(|field| {
                state
                    .get(field)
                    .and_then(serde_json::Value::as_u64)
                    .unwrap()
            })
        });
        let times: Vec<[u64; 2]> = times.collect();
        assert_eq!(times, [[1_209_600, 300], [345_600, 300]]);
    }

    #[test]
    fn key_exists_only_on_request() {
        let kinds = |target: &DirectTarget| {
            let graph = build(target).graph;
            let nodes = graph.nodes().iter();
            nodes.map(|node| node.id.kind).collect::<Vec<_>>()
        };
        let with = kinds(&target());
        let without = kinds(&DirectTarget {
            has_queue_key: false,
            ..target()
        });
        assert!(with.contains(&"kms key") && with.contains(&"kms alias"));
        assert!(!without.contains(&"kms key") && !without.contains(&"kms alias"));
        assert!(without.iter().all(|kind| !kind.starts_with("sns")));
    }

    #[test]
    fn only_another_bucket_is_a_relocation() {
        let deployed = deployment(&target());
        let other_objects = DirectTarget {
            prefix: "other/".into(),
            ..target()
        };
        assert_eq!(other_objects.relocation_from(&deployed), None);
        let bucket = DirectTarget {
            bucket: "other".into(),
            ..target()
        };
        let found = bucket.relocation_from(&deployed);
        assert_eq!(found.map(|found| found.aspect), Some("bucket"));
    }

    #[test]
    fn narrower_notification_precedes_the_policy() {
        for narrows in [false, true] {
            let graph = build(&DirectTarget {
                narrows_notification: narrows,
                ..target()
            })
            .graph;
            let position = |kind: &str| {
                let mut nodes = graph.nodes().iter();
                nodes.position(|node| node.id.kind == kind)
            };
            let (notification, policy) = (position("s3 notification"), position("iam policy"));
            assert!(notification.is_some() && policy.is_some());
            assert_eq!(notification < policy, narrows);
        }
    }
}
