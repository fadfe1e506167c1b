//! A deployment or its trail as configuration of another tool, with one folder per tool. Nothing here makes calls.

pub mod athena;
pub mod terraform;

use std::collections::BTreeMap;

use crate::naming::ResourceNames;
use crate::reconcile::graph::ResourceId;
use crate::reconcile::state::State;

/// An existing resource.
pub struct ExportedResource<'a> {
    pub id: &'a ResourceId,
    pub state: &'a State,
    /// Its identifiers: `arn`, `url`, `id`.
    pub outputs: BTreeMap<&'static str, String>,
}

/// The location and the names of a deployment.
pub struct ExportContext<'a> {
    pub option: &'a str,
    pub account: &'a str,
    pub region: &'a str,
    /// The names of its resources, which distinguish resources of the same type.
    pub names: &'a ResourceNames,
}
