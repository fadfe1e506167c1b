//! Option s3-direct: bucket → SQS, for vendors other than Heeler. S3 sends its events directly to the queue, and no trail
//! is needed.

mod graph;
mod hops;
mod permissions;
mod policies;
mod target;

use crate::aws::key_grant_request::KeyGrantRequest;
use crate::check::{Check, account, bucket, key, names, quotas};
use crate::deployment::Deployment;
use crate::deployment::scope::DeploymentScope;
use crate::deployment::tags::RoleTags;
use crate::error::{Error, Result};
use crate::hop::Hop;
use crate::inventory::bucket_events::ANY_VENDOR;
use crate::inventory::facts::Trail;
use crate::inventory::named_resource::NamedResource;
use crate::inventory::pipeline::{PipelineFacts, PipelineRequest};
use crate::inventory::trail_destination::TrailDestination;
use crate::inventory::{InventoryRequest, Snapshot};
use crate::option::delivery_option::{
    AnnouncedObjects, DeliveryOption, LocateRequest, LogObjects, Pipeline, Relocation, Target,
};
use crate::ownership::OptionName;
use crate::permissions::OptionPermissions;
use crate::permissions::scope::PolicyScope;
use crate::shared_document::role_trust::HeelerTrust;
use crate::verify::VerifyPlan;
use permissions::DirectPermissions;
use target::{BUCKET, DirectTarget, NAME};

/// Announces new objects of any bucket directly in a queue.
#[derive(Clone, Copy, Debug)]
pub struct Direct;

impl DeliveryOption for Direct {
    fn option_name(&self) -> OptionName {
        NAME
    }

    fn target_tag(&self) -> &'static str {
        BUCKET
    }

    fn summary(&self) -> &'static str {
        "S3 → SQS, for other vendors"
    }

    fn recommendation(&self) -> &'static str {
        "another vendor receives the events of a bucket, without a trail and a topic"
    }

    fn delivery_time(&self) -> &'static str {
        "seconds after its object was created"
    }

    fn destination(&self) -> TrailDestination {
        TrailDestination::Bucket
    }

    fn names(&self) -> &'static [NamedResource] {
        &[
            NamedResource::Role,
            NamedResource::Policy,
            NamedResource::Queue,
            NamedResource::DeadLetterQueue,
            NamedResource::KeyAlias,
        ]
    }

    fn checks(&self) -> &'static [&'static [Check]] {
        &[
            account::CREDENTIAL_CHECKS,
            bucket::ANY_BUCKET_CHECKS,
            key::CHECKS,
            names::CHECKS,
            quotas::DEEP_CHECKS,
        ]
    }

    fn permissions(&self) -> &'static dyn OptionPermissions {
        &DirectPermissions
    }

    fn vendor(&self) -> &'static str {
        ANY_VENDOR
    }

    fn takes_bucket_events(&self) -> bool {
        true
    }

    fn keep_settings(&self, deployment: &Deployment, request: &mut InventoryRequest) -> Result<()> {
        target::keep_settings(deployment, request)
    }

    fn validate_request(&self, request: &InventoryRequest) -> Result<()> {
        if request.bucket.is_some() {
            return Ok(());
        }
        Err(
            Error::usage("--bucket is required with --direct").with_hint(format!(
                "name the bucket whose events the vendor receives: `heeler-ec preflight {} --bucket BUCKET`",
                NAME.arguments
            )),
        )
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
        let target = DirectTarget::from_snapshot(found, trust, deployment)?;
        Ok(Box::new(target))
    }

    fn deployed(
        &self,
        deployment: &Deployment,
        scope: DeploymentScope,
        trust: HeelerTrust,
    ) -> Box<dyn Target> {
        Box::new(DirectTarget::from_tags(deployment, scope, trust))
    }

    /// The key of the queue is optional, so it is part of the target: a key that does not exist is not deleted.
    fn locate(&self, found: &Snapshot, _: &LocateRequest) -> Result<Box<dyn Target>> {
        let mut target = DirectTarget::from_snapshot(found, HeelerTrust::empty(), None)?;
        target.include_optional_resources();
        Ok(Box::new(target))
    }

    fn set_deployed_names(&self, deployment: &Deployment, scope: &mut PolicyScope) {
        permissions::set_deployed_names(deployment, scope);
    }

    fn receives_from(&self, deployment: &Deployment, trail: &Trail) -> bool {
        deployment.tag(BUCKET) == Some(&*trail.bucket)
    }
}

impl Target for DirectTarget {
    fn option(&self) -> &'static dyn DeliveryOption {
        &Direct
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

    fn is_located(&self) -> bool {
        !self.bucket.is_empty()
    }

    /// Another tool may have changed the tag that shows the key.
    fn include_optional_resources(&mut self) {
        self.has_queue_key = true;
    }

    /// The log files of a trail are a part of the announced objects. `verify` looks for its canary there.
    fn may_narrow_log_prefix(&self) -> bool {
        true
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

    fn grant_requests(&self) -> Vec<KeyGrantRequest> {
        DirectTarget::grant_requests(self)
    }

    fn log_objects(&self) -> Option<LogObjects<'_>> {
        Some(LogObjects {
            bucket: &self.bucket,
            prefix: &self.prefix,
        })
    }

    fn announced_objects(&self) -> Option<AnnouncedObjects<'_>> {
        Some(AnnouncedObjects {
            bucket: &self.bucket,
            prefix: &self.prefix,
            suffix: &self.suffix,
        })
    }
}
