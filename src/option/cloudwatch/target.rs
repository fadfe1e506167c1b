//! A deployment of option cloudwatch.

use crate::deployment::Deployment;
use crate::deployment::scope::DeploymentScope;
use crate::deployment::tags::{RoleTags, deployment_tags};
use crate::error::Result;
use crate::inventory::Snapshot;
use crate::option::delivery_option::{Relocation, missing_fact};
use crate::option::names;
use crate::ownership::OptionName;
use crate::shared_document::role_trust::HeelerTrust;

/// The value of `--option`.
pub(super) const NAME: OptionName = names::CLOUDWATCH;
pub(super) const LOG_GROUP: &str = "heeler-ec:log-group";

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct CloudWatchTarget {
    pub scope: DeploymentScope,
    pub trust: HeelerTrust,
    /// Name of the log group that the trail delivers to. `None` if the name did not fit into a tag.
    pub log_group: Option<String>,
}

impl CloudWatchTarget {
    /// The target for the log group that preflight checked.
    ///
    /// # Errors
    /// If the snapshot lacks a fact that the checks report.
    pub fn from_snapshot(found: &Snapshot, trust: HeelerTrust) -> Result<Self> {
        let caller = found.account.caller.as_ref().map_err(Clone::clone)?;
        let group = found
            .log_group
            .as_ref()
            .ok_or_else(|| missing_fact("the trail's log group"))?;
        Ok(Self {
            scope: DeploymentScope::new(caller, &group.region, found.request.names.clone())
                .with_settings(&found.request),
            trust,
            log_group: Some(group.name.clone()),
        })
    }

    /// The tags of the role, from which the target is read again.
    pub fn role_tags(&self) -> RoleTags {
        let group = self.log_group.clone().map(|group| (LOG_GROUP, group));
        deployment_tags(&self.scope.region, group.into_iter().collect())
    }

    /// The difference to the place of an existing deployment.
    pub fn relocation_from(&self, deployment: &Deployment) -> Option<Relocation> {
        // The name of the deployed log group may not have fitted into the tag.
        let (deployed, requested) = (deployment.tag(LOG_GROUP)?, self.log_group.as_deref()?);
        Relocation::between("log group", deployed, requested)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::inventory::facts::Trail;
    use crate::naming::ResourceNames;
    use crate::option::cloudwatch::CloudWatch;
    use crate::option::delivery_option::{DeliveryOption, Target};

    fn target(group: &str) -> CloudWatchTarget {
        CloudWatchTarget {
            scope: DeploymentScope {
                account: "111122223333".into(),
                partition: "aws".into(),
                region: "eu-west-1".into(),
                names: ResourceNames::new("heeler"),
                permissions_boundary: None,
                extra_tags: Vec::new(),
            },
            trust: HeelerTrust::empty(),
            log_group: Some(group.into()),
        }
    }

    fn deployment(target: &CloudWatchTarget) -> Deployment {
        let tags = target.role_tags().into_iter();
        let tags: BTreeMap<String, String> =
            tags.map(|(key, value)| (key.to_owned(), value)).collect();
        Deployment {
            option: "cloudwatch".into(),
            role_arn: String::new(),
            region: target.scope.region.clone(),
            trust: None,
            tags,
        }
    }

    fn read_back(target: &CloudWatchTarget) -> Box<dyn Target> {
        CloudWatch.deployed(
            &deployment(target),
            target.scope.clone(),
            target.trust.clone(),
        )
    }

    #[test]
    fn tags_read_back_as_the_same_target() {
        let found = read_back(&target("aws-controltower/CloudTrailLogs"));
        assert_eq!(found.log_group(), Some("aws-controltower/CloudTrailLogs"));
        assert!(found.is_complete() && found.is_located());
    }

    #[test]
    fn invalid_tag_value_leaves_target_without_log_group() {
        let found = read_back(&target("trail#1"));
        assert!(!found.is_complete() && !found.is_located());
    }

    #[test]
    fn another_log_group_is_a_relocation() {
        let deployed = deployment(&target("trail"));
        assert_eq!(target("trail").relocation_from(&deployed), None);
        let relocation = target("other").relocation_from(&deployed);
        assert_eq!(relocation.map(|found| found.aspect), Some("log group"));
        let unknown = deployment(&target("trail#1"));
        assert_eq!(target("other").relocation_from(&unknown), None);
    }

    #[test]
    fn deployment_receives_from_trails_of_its_log_group() {
        let trail = Trail {
            log_group: Some("arn:aws:logs:us-east-1:111122223333:log-group:trail".into()),
            ..Trail::default()
        };
        assert!(CloudWatch.receives_from(&deployment(&target("trail")), &trail));
        assert!(!CloudWatch.receives_from(&deployment(&target("rail")), &trail));
        let without = Trail {
            log_group: None,
            ..trail
        };
        assert!(!CloudWatch.receives_from(&deployment(&target("trail")), &without));
    }
}
