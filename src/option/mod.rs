//! Delivery options: the ways for events to reach Heeler.
//!
//! [`DeliveryOption`] describes an option, [`Target`] one deployment of it. Everything that differs between options is
//! behind these two traits: no other module names an option. To add one, add a folder with an implementation of both
//! traits and a row in [`OPTIONS`].

pub mod cloudwatch;
mod delivery_option;
pub mod heeler_filter;
mod names;
pub mod request;
pub mod s3;

use crate::aws::CallerIdentity;
use crate::deployment::Deployment;
use crate::deployment::scope::DeploymentScope;
use crate::error::{Error, Result};
use crate::naming::ResourceNames;
use crate::permissions::OptionPermissions;
use crate::shared_document::role_trust::{HeelerTrust, IamRole};

pub use delivery_option::{
    DeliveryOption, LocateRequest, LogObjects, Pipeline, Relocation, Target,
};
pub use heeler_filter::HEELER_PATTERN;

/// Every option, the recommended one first.
pub static OPTIONS: &[&dyn DeliveryOption] = &[&s3::S3, &cloudwatch::CloudWatch];

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

/// Reads the deployment from the tags of its role. If another tool overwrote the value of the option tag, the other
/// tags of the role identify the option.
#[must_use]
pub fn deployment_of(role: &IamRole) -> Option<Deployment> {
    let mut deployment = Deployment::from_role(role)?;
    if find(&deployment.option).is_none() {
        let mut options = OPTIONS.iter();
        if let Some(option) = options.find(|option| deployment.tag(option.target_tag()).is_some()) {
            option.name().clone_into(&mut deployment.option);
        }
    }
    Some(deployment)
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
    let scope = DeploymentScope::new(caller, &deployment.region, deployment.names(names));
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

#[cfg(test)]
mod tests;
