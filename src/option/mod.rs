//! Delivery options: the ways for events to reach Heeler.
//!
//! [`DeliveryOption`] describes an option, [`Target`] one deployment of it. Everything that differs between options is
//! behind these two traits: no other module names an option. To add one, add a folder with an implementation of both
//! traits and a row in [`OPTIONS`].

pub mod cloudwatch;
pub mod heeler_filter;
pub mod request;
pub mod s3;

use std::fmt::Debug;

use crate::aws::{Aws, CallerIdentity};
use crate::check::{Check, OptionProfile};
use crate::deployment::Deployment;
use crate::deployment::scope::DeploymentScope;
use crate::deployment::tags::RoleTags;
use crate::error::{Error, Result};
use crate::inventory::facts::Trail;
use crate::inventory::named_resource::NamedResource;
use crate::inventory::{OptionIdentity, Snapshot, TrailDestination};
use crate::naming::ResourceNames;
use crate::permissions::OptionPermissions;
use crate::permissions::scope::PolicyScope;
use crate::reconcile::graph::{Graph, Output};
use crate::resource::role::HeelerTrust;
use crate::tail::source::SourceKind;

pub use heeler_filter::HEELER_PATTERN;

/// Every option, the recommended one first.
pub static OPTIONS: &[&dyn DeliveryOption] = &[&s3::S3, &cloudwatch::CloudWatch];

/// A way for events to reach Heeler.
pub trait DeliveryOption: Debug + Sync {
    /// The value of `--option`, and of the tag that marks the resources of the option.
    fn name(&self) -> &'static str;

    /// One line for help texts.
    fn summary(&self) -> &'static str;

    /// The reason to choose the option, in the comparison of preflight.
    fn recommendation(&self) -> &'static str;

    /// The trail's delivery that events are taken from.
    fn destination(&self) -> TrailDestination;

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
                destination: self.destination(),
                names: self.names(),
            },
            checks: self.checks(),
            permissions: self.permissions(),
        }
    }

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

    /// The target of a deployment whose role is gone, from the operator's arguments or the trail.
    ///
    /// # Errors
    /// If neither identifies the resources.
    fn locate(&self, found: &Snapshot, request: &LocateRequest) -> Result<Box<dyn Target>>;

    /// Sets the names that the tags of a deployment contain.
    fn set_policy_scope(&self, deployment: &Deployment, scope: &mut PolicyScope);

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

    /// Returns true if every resource can be identified.
    fn is_located(&self) -> bool {
        true
    }

    /// The difference to the place of an existing deployment, which cannot be moved.
    fn relocation(&self, deployment: &Deployment) -> Option<Relocation>;

    /// The name of the queue that Heeler receives from.
    fn queue_name(&self) -> String;

    /// The sources that `tail` can read besides Heeler's queue; the first is the default.
    fn tail_sources(&self) -> &'static [SourceKind] {
        self.option().permissions().tail_sources()
    }

    /// The topic that announces log objects.
    fn topic_arn(&self) -> Option<String> {
        None
    }

    /// The log objects that messages refer to.
    fn log_objects(&self) -> Option<LogObjects<'_>> {
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
    /// Prefix of all log objects, with a slash at the end.
    pub prefix: &'a str,
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

/// The option of that name.
#[must_use]
pub fn find(name: &str) -> Option<&'static dyn DeliveryOption> {
    OPTIONS.iter().copied().find(|option| option.name() == name)
}

/// The option that examples show and that `policy` assumes.
#[must_use]
pub fn recommended() -> &'static dyn DeliveryOption {
    OPTIONS[0]
}

/// The permissions of the named option, or of all.
#[must_use]
pub fn permissions_of(name: Option<&str>) -> Vec<&'static dyn OptionPermissions> {
    OPTIONS
        .iter()
        .filter(|option| name.is_none_or(|name| option.name() == name))
        .map(|option| option.permissions())
        .collect()
}

/// The option of a deployment.
///
/// # Errors
/// If this version does not know the option.
pub fn of_deployment(deployment: &Deployment) -> Result<&'static dyn DeliveryOption> {
    find(&deployment.option).ok_or_else(|| {
        Error::negative(format!(
            "the deployment uses option {}, which this version does not know",
            deployment.option
        ))
        .with_hint("install the version that set it up, or a newer one")
    })
}

/// The target of an existing deployment, with the trust of its role.
///
/// # Errors
/// If this version does not know the option.
pub fn existing_target(
    deployment: &Deployment,
    caller: &CallerIdentity,
    names: ResourceNames,
) -> Result<Box<dyn Target>> {
    let option = of_deployment(deployment)?;
    let scope = DeploymentScope::new(caller, &deployment.region, names);
    let trust = deployment.trust.clone().unwrap_or_else(HeelerTrust::empty);
    Ok(option.deployed(deployment, scope, trust))
}

/// The difference between a target and an existing deployment, if setup would have to move it.
#[must_use]
pub fn relocation(target: &dyn Target, deployment: &Deployment) -> Option<Relocation> {
    let option = target.option().name();
    Relocation::between("option", &deployment.option, option)
        .or_else(|| Relocation::between("region", &deployment.region, &target.scope().region))
        .or_else(|| target.relocation(deployment))
}

/// The error for a fact that the checks would have reported.
fn missing_fact(what: &str) -> Error {
    Error::negative(format!("{what} is not known"))
        .with_hint("run `heeler-ec preflight` to see the reason")
}

#[cfg(test)]
mod tests;
