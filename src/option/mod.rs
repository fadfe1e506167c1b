//! Delivery options: the ways for events to reach Heeler.
//!
//! [`DeliveryOption`] describes an option, [`Target`] one deployment of it. Everything that differs between options is
//! behind these two traits: no other module names an option. To add one, add a folder with an implementation of both
//! traits and a row in [`OPTIONS`].

mod bucket_keys;
pub mod cloudwatch;
mod delivery_option;
pub mod direct;
pub mod heeler_filter;
mod names;
pub mod object_key_part;
pub mod request;
pub mod s3;
mod tag_text;

use crate::aws::CallerIdentity;
use crate::deployment::Deployment;
use crate::deployment::scope::DeploymentScope;
use crate::error::{Error, Result};
use crate::inventory::TrailDestination;
use crate::naming::ResourceNames;
use crate::permissions::OptionPermissions;
use crate::shared_document::role_trust::{HeelerTrust, IamRole};

pub use delivery_option::{
    AnnouncedObjects, DeliveryOption, LocateRequest, LogObjects, Pipeline, Relocation, Target,
};
pub use heeler_filter::HEELER_PATTERN;

/// Every option that Heeler supports, the recommended one first. They are the values of `--option`.
pub static OPTIONS: &[&dyn DeliveryOption] = &[&s3::S3, &cloudwatch::CloudWatch];

/// The options of [`OPTIONS`], and their variants for other vendors.
pub fn all() -> impl Iterator<Item = &'static dyn DeliveryOption> {
    let variants = OPTIONS.iter().filter_map(|option| option.direct_variant());
    OPTIONS.iter().copied().chain(variants)
}

/// The option or variant of that name.
#[must_use]
pub fn find(name: &str) -> Option<&'static dyn DeliveryOption> {
    all().find(|option| option.name() == name)
}

/// The variant of an option that sends S3 events directly to the queue of another vendor.
///
/// # Errors
/// A usage error for Heeler, whose documents describe a topic in front of the queue, and for an option without this
/// variant.
pub fn direct_variant(
    option: &dyn DeliveryOption,
    is_heeler: bool,
) -> Result<&'static dyn DeliveryOption> {
    let with_variant = OPTIONS
        .iter()
        .find(|option| option.direct_variant().is_some());
    let arguments = with_variant.map_or("--option OPTION", |option| option.arguments());
    if is_heeler {
        return Err(Error::usage("--direct does not apply to Heeler")
            .with_reason("Heeler's documents describe S3 events only with a topic in front of the queue")
            .with_hint(format!(
                "leave --direct out for Heeler; for another vendor, use `{arguments} --direct --vendor generic`"
            )));
    }
    option.direct_variant().ok_or_else(|| {
        Error::usage(format!(
            "--direct does not apply to option {}",
            option.name()
        ))
        .with_hint(format!("use `{arguments} --direct --vendor generic`"))
    })
}

/// The option that examples show and that `policy` assumes.
#[must_use]
pub fn recommended() -> &'static dyn DeliveryOption {
    OPTIONS[0]
}

/// The names of the options that are set up in the management account, wherever the log bucket is.
#[must_use]
pub fn management_options() -> Vec<&'static str> {
    let options = OPTIONS.iter();
    options
        .filter(|option| option.destination() != TrailDestination::Bucket)
        .map(|option| option.name())
        .collect()
}

/// The permissions of the named option, or of all.
#[must_use]
pub fn permissions_of(name: Option<&str>) -> Vec<&'static dyn OptionPermissions> {
    match name {
        Some(name) => find(name)
            .map(DeliveryOption::permissions)
            .into_iter()
            .collect(),
        None => OPTIONS.iter().map(|option| option.permissions()).collect(),
    }
}

/// Reads the deployment from the tags of its role. If another tool overwrote the value of the option tag, the other
/// tags of the role identify the option.
#[must_use]
pub fn deployment_of(role: &IamRole) -> Option<Deployment> {
    let mut deployment = Deployment::from_role(role)?;
    if find(&deployment.option).is_none() {
        let mut options = all();
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
