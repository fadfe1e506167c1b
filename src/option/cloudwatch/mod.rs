//! Option cloudwatch: trail → log group → Lambda function → SQS FIFO queue. Events arrive within a few minutes, at a
//! price per GB.

mod cost;
pub mod function;
mod graph;
mod hops;
mod permissions;
mod policies;
mod policy_scope;
mod target;

use crate::check::{Check, account, lint, logs, names, quotas, trail};
use crate::cost::{CostEstimate, MonthlyUsage, UsageFigure};
use crate::deployment::Deployment;
use crate::deployment::scope::DeploymentScope;
use crate::deployment::tags::RoleTags;
use crate::error::Result;
use crate::hop::Hop;
use crate::inventory::Snapshot;
use crate::inventory::facts::Trail;
use crate::inventory::named_resource::NamedResource;
use crate::inventory::pipeline::{PipelineFacts, PipelineRequest};
use crate::inventory::trail_destination::TrailDestination;
use crate::option::delivery_option::{DeliveryOption, LocateRequest, Pipeline, Relocation, Target};
use crate::ownership::OptionName;
use crate::permissions::OptionPermissions;
use crate::permissions::scope::PolicyScope;
use crate::shared_document::role_trust::HeelerTrust;
use crate::verify::VerifyPlan;
use permissions::CloudWatchPermissions;
use target::{CloudWatchTarget, LOG_GROUP, NAME};

/// Sends the events of the trail's log group through a function.
#[derive(Clone, Copy, Debug)]
pub struct CloudWatch;

impl DeliveryOption for CloudWatch {
    fn option_name(&self) -> OptionName {
        NAME
    }

    fn target_tag(&self) -> &'static str {
        LOG_GROUP
    }

    fn summary(&self) -> &'static str {
        "CloudWatch Logs → Lambda → SQS FIFO"
    }

    fn recommendation(&self) -> &'static str {
        "events arrive within about a minute; AWS charges per GB of events, and a Lambda function runs in your account"
    }

    fn delivery_time(&self) -> &'static str {
        // https://docs.aws.amazon.com/awscloudtrail/latest/userguide/send-cloudtrail-events-to-cloudwatch-logs.html
        "less than a minute after the call according to Heeler, and 5 minutes on average according to AWS"
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
            lint::CHECKS,
            quotas::FUNCTION_CHECKS,
            quotas::DEEP_CHECKS,
        ]
    }

    fn permissions(&self) -> &'static dyn OptionPermissions {
        &CloudWatchPermissions
    }

    fn monthly_cost(
        &self,
        usage: &MonthlyUsage,
    ) -> Option<std::result::Result<CostEstimate, Vec<UsageFigure>>> {
        Some(cost::monthly_cost(usage))
    }

    fn delivers_large_events(&self) -> bool {
        false
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

    fn set_deployed_names(&self, deployment: &Deployment, scope: &mut PolicyScope) {
        policy_scope::set_deployed_names(deployment, scope);
    }

    fn receives_from(&self, deployment: &Deployment, trail: &Trail) -> bool {
        match (deployment.tag(LOG_GROUP), &trail.log_group) {
            (Some(group), Some(arn)) => arn.ends_with(&format!(":log-group:{group}")),
            _ => false,
        }
    }
}

impl Target for CloudWatchTarget {
    fn option(&self) -> &'static dyn DeliveryOption {
        &CloudWatch
    }

    fn scope(&self) -> &DeploymentScope {
        &self.scope
    }

    fn trust(&self) -> &HeelerTrust {
        &self.trust
    }

    fn build(&self) -> Pipeline {
        graph::build(self)
    }

    fn tags(&self) -> RoleTags {
        self.role_tags()
    }

    fn is_complete(&self) -> bool {
        self.log_group.is_some()
    }

    fn is_located(&self) -> bool {
        self.log_group.is_some()
    }

    fn relocation(&self, deployment: &Deployment) -> Option<Relocation> {
        self.relocation_from(deployment)
    }

    fn pipeline_request(&self) -> PipelineRequest {
        hops::request(self)
    }

    fn hops(&self, facts: &PipelineFacts) -> Vec<Hop> {
        hops::evaluate(self, facts)
    }

    fn verify_plan(&self) -> VerifyPlan {
        hops::verify_plan(self)
    }

    fn queue_name(&self) -> String {
        self.scope.names.fifo_queue()
    }

    fn log_group(&self) -> Option<&str> {
        self.log_group.as_deref()
    }
}
