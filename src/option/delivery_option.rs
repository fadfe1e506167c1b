//! The trait of a delivery option, and the trait of one deployment of it.

use std::fmt::Debug;

use crate::aws::Aws;
use crate::aws::key_grant_request::KeyGrantRequest;
use crate::check::{Check, OptionProfile};
use crate::cost::{CostEstimate, MonthlyUsage, UsageFigure};
use crate::deployment::Deployment;
use crate::deployment::scope::DeploymentScope;
use crate::deployment::tags::RoleTags;
use crate::error::{Error, Result};
use crate::hop::Hop;
use crate::inventory::bucket_events::HEELER;
use crate::inventory::facts::Trail;
use crate::inventory::named_resource::NamedResource;
use crate::inventory::pipeline::{PipelineFacts, PipelineRequest};
use crate::inventory::{InventoryRequest, OptionIdentity, Snapshot, TrailDestination};
use crate::ownership::OptionName;
use crate::permissions::OptionPermissions;
use crate::permissions::scope::PolicyScope;
use crate::reconcile::graph::{Graph, Output};
use crate::shared_document::role_trust::HeelerTrust;
use crate::tail::source::SourceKind;
use crate::verify::VerifyPlan;

/// A way for events to reach Heeler.
pub trait DeliveryOption: Debug + Sync {
    /// The value of `--option`, and of the tag that marks the resources of the option.
    fn option_name(&self) -> OptionName;

    /// The value of `--option`.
    fn name(&self) -> &'static str {
        self.option_name().name
    }

    /// The options of a command line that select the option, such as `--option NAME`.
    fn arguments(&self) -> &'static str {
        self.option_name().arguments
    }

    /// The vendor that receives the events, as it occurs in a sentence.
    fn vendor(&self) -> &'static str {
        HEELER
    }

    /// The variant of the option that sends S3 events directly to the queue (`--direct`), if there is one.
    fn direct_variant(&self) -> Option<&'static dyn DeliveryOption> {
        None
    }

    /// Returns true if the operator chooses the objects, and their bucket needs no trail.
    fn takes_bucket_events(&self) -> bool {
        false
    }

    /// Adds the settings of an existing deployment to a request that does not name others.
    ///
    /// # Errors
    /// A usage error if neither the request nor the tags of the role contain a setting.
    fn keep_settings(
        &self,
        _deployment: &Deployment,
        _request: &mut InventoryRequest,
    ) -> Result<()> {
        Ok(())
    }

    /// Checks the arguments that only this option needs.
    ///
    /// # Errors
    /// A usage error if one is missing.
    fn validate_request(&self, _request: &InventoryRequest) -> Result<()> {
        Ok(())
    }

    /// The tag of the role that names the bucket or log group. Only this option writes it.
    fn target_tag(&self) -> &'static str;

    /// One line for help texts.
    fn summary(&self) -> &'static str;

    /// The reason to choose the option, in the comparison of preflight.
    fn recommendation(&self) -> &'static str;

    /// The time from a call to its event in Heeler's queue, as the end of a sentence.
    fn delivery_time(&self) -> &'static str;

    /// The trail's delivery that events are taken from.
    fn destination(&self) -> TrailDestination;

    /// The option to choose if the destination cannot be changed, such as the bucket of a log archive account.
    fn alternative(&self) -> Option<&'static str> {
        None
    }

    /// The names that setup uses, in the order of their checks.
    fn names(&self) -> &'static [NamedResource];

    /// The checks of preflight, in groups.
    fn checks(&self) -> &'static [&'static [Check]];

    /// The statements of the option in the policies of the commands.
    fn permissions(&self) -> &'static dyn OptionPermissions;

    /// The option as the checks see it.
    fn profile(&self) -> OptionProfile {
        OptionProfile {
            identity: OptionIdentity {
                name: self.name(),
                owner: self.option_name(),
                destination: self.destination(),
                alternative: self.alternative(),
                names: self.names(),
            },
            checks: self.checks(),
            permissions: self.permissions(),
        }
    }

    /// The quantities that AWS charges for in a month, and what they assume. Pure. `cost` compares only the options for
    /// Heeler, so a variant for other vendors has no estimate.
    ///
    /// # Errors
    /// The figures that are needed and not known.
    fn monthly_cost(
        &self,
        _usage: &MonthlyUsage,
    ) -> Option<std::result::Result<CostEstimate, Vec<UsageFigure>>> {
        None
    }

    /// Returns true if `CloudTrail` delivers events over 256 KB on the way of the option.
    fn delivers_large_events(&self) -> bool;

    /// The target of a setup, from what preflight read.
    ///
    /// # Errors
    /// If the snapshot lacks a fact that the checks report.
    fn prepare(
        &self,
        found: &Snapshot,
        trust: HeelerTrust,
        deployment: Option<&Deployment>,
    ) -> Result<Box<dyn Target>>;

    /// The target of an existing deployment.
    fn deployed(
        &self,
        deployment: &Deployment,
        scope: DeploymentScope,
        trust: HeelerTrust,
    ) -> Box<dyn Target>;

    /// The target of a deployment whose role no longer exists, from the operator's arguments or the trail.
    ///
    /// # Errors
    /// If neither identifies the resources.
    fn locate(&self, found: &Snapshot, request: &LocateRequest) -> Result<Box<dyn Target>>;

    /// Sets the names that the tags of a deployment contain.
    fn set_deployed_names(&self, deployment: &Deployment, scope: &mut PolicyScope);

    /// Returns true if the trail delivers to the bucket or log group of the deployment.
    fn receives_from(&self, deployment: &Deployment, trail: &Trail) -> bool;

    /// Returns true if setup may shorten the retention of the trail's log group.
    fn uses_log_group_retention(&self) -> bool {
        self.destination() == TrailDestination::LogGroup
    }
}

/// One deployment of an option: where it is, and what it consists of.
pub trait Target: Debug {
    fn option(&self) -> &'static dyn DeliveryOption;

    fn scope(&self) -> &DeploymentScope;

    /// The Heeler roles that may assume the role, and their external ID.
    fn trust(&self) -> &HeelerTrust;

    /// The resource graph. Pure: the same target always gives the same graph.
    fn build(&self) -> Pipeline;

    /// The role's tags from which [`DeliveryOption::deployed`] reads the target again.
    fn tags(&self) -> RoleTags;

    /// Returns true if the target has everything that a plan compares. Some names do not fit into a tag.
    fn is_complete(&self) -> bool;

    /// Returns true if the trail may have a longer log prefix than the deployment, which a plan then compares.
    fn may_narrow_log_prefix(&self) -> bool {
        false
    }

    /// Takes the log prefix of the trail as it is now, if it is below that of the deployment.
    fn narrow_log_prefix(&mut self, _current: String) {}

    /// Adds the resources that the deployment may have although its tags do not show them. Destroy looks for them, too.
    fn include_optional_resources(&mut self) {}

    /// Returns true if every resource can be identified.
    fn is_located(&self) -> bool {
        true
    }

    /// The difference to the place of an existing deployment, which cannot be moved.
    fn relocation(&self, deployment: &Deployment) -> Option<Relocation>;

    /// The name of the queue that Heeler receives from.
    fn queue_name(&self) -> String;

    /// The resources to read before [`Target::hops`].
    fn pipeline_request(&self) -> PipelineRequest;

    /// The hops of the deployment in the order of an event, each evaluated from facts. Pure.
    fn hops(&self, facts: &PipelineFacts) -> Vec<Hop>;

    /// The canary of the option and the points at which it can be seen.
    fn verify_plan(&self) -> VerifyPlan;

    /// The sources that `tail` can read, other than Heeler's queue; the first is the default.
    fn tail_sources(&self) -> &'static [SourceKind] {
        self.option().permissions().tail_sources()
    }

    /// The tag of the role that names the topic, if it is not the managed one.
    fn topic_tag(&self) -> Option<&'static str> {
        None
    }

    /// The topic that announces log objects.
    fn topic_arn(&self) -> Option<String> {
        None
    }

    /// The grants that owners of keys in other accounts create for the role.
    fn grant_requests(&self) -> Vec<KeyGrantRequest> {
        Vec::new()
    }

    /// The log objects that messages refer to.
    fn log_objects(&self) -> Option<LogObjects<'_>> {
        None
    }

    /// The objects that the operator has chosen, for the vendor that reads them.
    fn announced_objects(&self) -> Option<AnnouncedObjects<'_>> {
        None
    }

    /// The name of the log group that receives the events.
    fn log_group(&self) -> Option<&str> {
        None
    }
}

/// The resources of an option, and the values that the operator enters in Heeler.
pub struct Pipeline {
    pub graph: Graph<Aws>,
    pub queue_url: Output,
    pub role_arn: Output,
}

/// The log objects of a trail.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LogObjects<'a> {
    pub bucket: &'a str,
    /// Prefix of all log objects. That of a trail has a slash at the end.
    pub prefix: &'a str,
}

/// The objects whose events S3 sends directly to the queue.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AnnouncedObjects<'a> {
    pub bucket: &'a str,
    /// The start of their keys; empty for all.
    pub prefix: &'a str,
    /// The end of their keys; empty for all.
    pub suffix: &'a str,
}

/// Arguments of destroy that identify resources without role and trail.
#[derive(Clone, Debug)]
pub struct LocateRequest {
    /// The caller's account and region.
    pub scope: DeploymentScope,
    pub log_group: Option<String>,
}

/// A deployment that would have to move.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Relocation {
    /// The aspect that differs, such as `region`.
    pub aspect: &'static str,
    pub deployed: String,
    pub requested: String,
}

impl Relocation {
    /// A relocation if both values differ.
    #[must_use]
    pub fn between(aspect: &'static str, deployed: &str, requested: &str) -> Option<Self> {
        (deployed != requested).then(|| Self {
            aspect,
            deployed: deployed.to_owned(),
            requested: requested.to_owned(),
        })
    }
}

/// The error for a fact that the checks would have reported.
pub(super) fn missing_fact(what: &str) -> Error {
    Error::negative(format!("{what} is not known"))
        .with_hint("run `heeler-ec preflight` to see the reason")
}
