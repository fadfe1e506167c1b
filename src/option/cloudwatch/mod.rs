//! Option cloudwatch: trail → log group → Lambda function → SQS FIFO queue. Events arrive within a few minutes, at a
//! price per GB.

pub mod function;
mod graph;
mod permissions;
mod policies;
mod target;

use super::{DeliveryOption, LocateRequest, Target};
use crate::check::{Check, account, logs, names, quotas, trail};
use crate::deployment::Deployment;
use crate::deployment::scope::DeploymentScope;
use crate::error::Result;
use crate::inventory::Snapshot;
use crate::inventory::facts::Trail;
use crate::inventory::named_resource::NamedResource;
use crate::inventory::trail_destination::TrailDestination;
use crate::permissions::OptionPermissions;
use crate::permissions::scope::PolicyScope;
use crate::resource::role::HeelerTrust;
use target::{CloudWatchTarget, LOG_GROUP};

/// Sends the events of the trail's log group through a function.
#[derive(Clone, Copy, Debug)]
pub struct CloudWatch;

impl DeliveryOption for CloudWatch {
    fn name(&self) -> &'static str {
        "cloudwatch"
    }

    fn summary(&self) -> &'static str {
        "CloudWatch Logs → Lambda → SQS FIFO"
    }

    fn recommendation(&self) -> &'static str {
        "events arrive within about a minute; AWS charges per GB of events, and it runs a function"
    }

    fn destination(&self) -> TrailDestination {
        TrailDestination::LogGroup
    }

    fn names(&self) -> &'static [NamedResource] {
        &[
            NamedResource::Role,
            NamedResource::Policy,
            NamedResource::FunctionRole,
            NamedResource::FunctionPolicy,
            NamedResource::FifoQueue,
            NamedResource::DeadLetterFifoQueue,
            NamedResource::KeyAlias,
            NamedResource::Function,
        ]
    }

    fn checks(&self) -> &'static [&'static [Check]] {
        &[
            account::CHECKS,
            trail::CHECKS,
            logs::CHECKS,
            names::CHECKS,
            names::FUNCTION_CHECKS,
            quotas::FUNCTION_CHECKS,
            quotas::DEEP_CHECKS,
        ]
    }

    fn permissions(&self) -> &'static dyn OptionPermissions {
        &CloudWatch
    }

    fn prepare(
        &self,
        found: &Snapshot,
        trust: HeelerTrust,
        _: Option<&Deployment>,
    ) -> Result<Box<dyn Target>> {
        let target = CloudWatchTarget::from_snapshot(found, trust)?;
        Ok(Box::new(target))
    }

    fn deployed(
        &self,
        deployment: &Deployment,
        scope: DeploymentScope,
        trust: HeelerTrust,
    ) -> Box<dyn Target> {
        Box::new(CloudWatchTarget {
            scope,
            trust,
            log_group: deployment.tag(LOG_GROUP).map(str::to_owned),
        })
    }

    fn locate(&self, found: &Snapshot, request: &LocateRequest) -> Result<Box<dyn Target>> {
        let target = match &request.log_group {
            Some(group) => CloudWatchTarget {
                scope: request.scope.clone(),
                trust: HeelerTrust::empty(),
                log_group: Some(group.clone()),
            },
            None => CloudWatchTarget::from_snapshot(found, HeelerTrust::empty())?,
        };
        Ok(Box::new(target))
    }

    fn set_policy_scope(&self, deployment: &Deployment, scope: &mut PolicyScope) {
        scope.log_group.region.clone_from(&deployment.region);
        if let Some(group) = deployment.tag(LOG_GROUP) {
            group.clone_into(&mut scope.log_group.name);
        }
    }

    fn receives_from(&self, deployment: &Deployment, trail: &Trail) -> bool {
        match (deployment.tag(LOG_GROUP), &trail.log_group) {
            (Some(group), Some(arn)) => arn.ends_with(&format!(":log-group:{group}")),
            _ => false,
        }
    }
}
