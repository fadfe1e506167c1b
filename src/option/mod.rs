//! What is wanted: one file an option. Pure; nothing here awaits.

pub mod cloudwatch;
pub mod cloudwatch_filter;
pub mod deployment;
pub mod function;
mod policies;
pub mod s3;
pub mod target;
pub mod tfvars;
pub mod value_parsers;

use crate::aws::Aws;
use crate::reconcile::graph::{Graph, Output};
use crate::trail_destination::TrailDestination;
use target::DeploymentTarget;

/// One way to get the events to Heeler.
pub struct OptionSpec {
    pub destination: TrailDestination,
    pub build: fn(&DeploymentTarget) -> Pipeline,
}

impl OptionSpec {
    /// The value of `--option`.
    #[must_use]
    pub fn name(&self) -> &'static str {
        self.destination.name()
    }
}

/// Every option that can be set up.
pub const OPTIONS: &[OptionSpec] = &[s3::SPEC, cloudwatch::SPEC];

/// The option of that name.
#[must_use]
pub fn option_named(name: &str) -> Option<&'static OptionSpec> {
    OPTIONS.iter().find(|kind| kind.name() == name)
}

/// The resources of an option, and what the operator pastes into Heeler.
pub struct Pipeline {
    pub graph: Graph<Aws>,
    pub queue_url: Output,
    pub role_arn: Output,
}
