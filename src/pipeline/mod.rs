//! What is wanted: one file an option. Pure; nothing here awaits.

pub mod deployment;
mod documents;
pub mod input;
pub mod s3;
pub mod site;

use crate::aws::Aws;
use crate::check::Check;
use crate::converge::graph::{Graph, Output};
use site::Site;

/// One way to get the events to Heeler.
pub struct Kind {
    pub name: &'static str,
    pub summary: &'static str,
    pub checks: &'static [&'static [Check]],
    pub build: fn(&Site) -> Pipeline,
}

/// Every option there is.
pub const KINDS: &[Kind] = &[s3::KIND];

/// The option of that name.
#[must_use]
pub fn kind(name: &str) -> Option<&'static Kind> {
    KINDS.iter().find(|kind| kind.name == name)
}

/// The resources of an option, and what the operator pastes into Heeler.
pub struct Pipeline {
    pub graph: Graph<Aws>,
    pub queue_url: Output,
    pub role_arn: Output,
}
