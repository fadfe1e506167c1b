//! What is wanted: one file an option. Pure; nothing here awaits.

pub mod cloudwatch;
pub mod cloudwatch_filter;
pub mod deployment;
mod documents;
pub mod function;
pub mod input;
pub mod s3;
pub mod site;
pub mod var_file;

use crate::aws::Aws;
use crate::converge::graph::{Graph, Output};
use crate::route::Route;
use site::Site;

/// One way to get the events to Heeler.
pub struct Kind {
    pub route: Route,
    pub build: fn(&Site) -> Pipeline,
}

impl Kind {
    /// The value of `--option`.
    #[must_use]
    pub fn name(&self) -> &'static str {
        self.route.name()
    }
}

/// Every option that can be set up.
pub const KINDS: &[Kind] = &[s3::KIND, cloudwatch::KIND];

/// The option of that name.
#[must_use]
pub fn kind(name: &str) -> Option<&'static Kind> {
    KINDS.iter().find(|kind| kind.name() == name)
}

/// The resources of an option, and what the operator pastes into Heeler.
pub struct Pipeline {
    pub graph: Graph<Aws>,
    pub queue_url: Output,
    pub role_arn: Output,
}
