//! What is wanted: one file an option. Pure; nothing here awaits.

pub mod cloudwatch;
pub mod cloudwatch_filter;
pub mod function;
pub mod s3;

use crate::aws::Aws;
use crate::deployment::target::DeploymentTarget;
use crate::inventory::trail_destination::TrailDestination;
use crate::reconcile::graph::{Graph, Output};

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
