//! Option s3: trail → bucket → SNS → SQS. Events arrive after some minutes, at a hundredth of the cost of the others.

mod cost;
mod graph;
mod hops;
pub(in crate::option) mod permissions;
mod policies;
pub(in crate::option) mod policy_scope;
mod target;

use crate::aws::key_grant_request::KeyGrantRequest;
use crate::check::{Check, account, bucket, key, lint, names, quotas, trail};
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
use crate::option::delivery_option::{
    DeliveryOption, LocateRequest, LogObjects, Pipeline, Relocation, Target, missing_fact,
};
use crate::option::direct::Direct;
use crate::option::names::CLOUDWATCH;
use crate::ownership::OptionName;
use crate::permissions::OptionPermissions;
use crate::permissions::scope::PolicyScope;
use crate::shared_document::role_trust::HeelerTrust;
use crate::verify::VerifyPlan;
use permissions::S3Permissions;
use target::{BUCKET, NAME, S3Target, TOPIC};

/// Announces new log objects of the trail's bucket through a topic.
#[derive(Clone, Copy, Debug)]
pub struct S3;

impl DeliveryOption for S3 {
    fn option_name(&self) -> OptionName {
        NAME
    }

    fn target_tag(&self) -> &'static str {
        BUCKET
    }

    fn summary(&self) -> &'static str {
        "S3 → SNS → SQS (recommended)"
    }

    fn recommendation(&self) -> &'static str {
        "it costs almost nothing and runs no code in your account; events arrive after 5 to 10 minutes"
    }

    fn delivery_time(&self) -> &'static str {
        "5 to 10 minutes after the call"
    }

    fn destination(&self) -> TrailDestination {
        TrailDestination::Bucket
    }

    fn alternative(&self) -> Option<&'static str> {
        Some(CLOUDWATCH.name)
    }

    fn names(&self) -> &'static [NamedResource] {
        &[
            NamedResource::Role,
            NamedResource::Policy,
            NamedResource::Queue,
            NamedResource::DeadLetterQueue,
            NamedResource::KeyAlias,
            NamedResource::Topic,
        ]
    }

    fn checks(&self) -> &'static [&'static [Check]] {
        &[
            account::CHECKS,
            trail::CHECKS,
            bucket::CHECKS,
            key::CHECKS,
            names::CHECKS,
            names::TOPIC_CHECKS,
            lint::CHECKS,
            quotas::DEEP_CHECKS,
        ]
    }

    fn permissions(&self) -> &'static dyn OptionPermissions {
        &S3Permissions
    }

    fn direct_variant(&self) -> Option<&'static dyn DeliveryOption> {
        Some(&Direct)
    }

    fn monthly_cost(
        &self,
        usage: &MonthlyUsage,
    ) -> Option<std::result::Result<CostEstimate, Vec<UsageFigure>>> {
        Some(cost::monthly_cost(usage))
    }

    fn delivers_large_events(&self) -> bool {
        true
    }

    fn prepare(
        &self,
        found: &Snapshot,
        trust: HeelerTrust,
        deployment: Option<&Deployment>,
    ) -> Result<Box<dyn Target>> {
        if found.lacks_organization_id() {
            return Err(missing_fact("the ID of the organization"));
        }
        let mut target = S3Target::from_snapshot(found, trust)?;
        target.keep_granted_keys(deployment);
        Ok(Box::new(target))
    }

    fn deployed(
        &self,
        deployment: &Deployment,
        scope: DeploymentScope,
        trust: HeelerTrust,
    ) -> Box<dyn Target> {
        Box::new(S3Target::from_tags(deployment, scope, trust))
    }

    fn locate(&self, found: &Snapshot, _: &LocateRequest) -> Result<Box<dyn Target>> {
        let target = S3Target::from_snapshot(found, HeelerTrust::empty())?;
        Ok(Box::new(target))
    }

    fn set_deployed_names(&self, deployment: &Deployment, scope: &mut PolicyScope) {
        policy_scope::set_deployed_names(deployment, scope);
    }

    fn receives_from(&self, deployment: &Deployment, trail: &Trail) -> bool {
        deployment.tag(BUCKET) == Some(&*trail.bucket)
    }
}

impl Target for S3Target {
    fn option(&self) -> &'static dyn DeliveryOption {
        &S3
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
        self.is_complete
    }

    fn may_narrow_log_prefix(&self) -> bool {
        self.lacks_organization()
    }

    fn narrow_log_prefix(&mut self, current: String) {
        S3Target::narrow_log_prefix(self, current);
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
        self.scope.names.queue()
    }

    fn topic_tag(&self) -> Option<&'static str> {
        Some(TOPIC)
    }

    fn topic_arn(&self) -> Option<String> {
        Some(self.topic_arn())
    }

    fn grant_requests(&self) -> Vec<KeyGrantRequest> {
        S3Target::grant_requests(self)
    }

    fn log_objects(&self) -> Option<LogObjects<'_>> {
        Some(LogObjects {
            bucket: &self.bucket,
            prefix: &self.log_prefix,
        })
    }
}
