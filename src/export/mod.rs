//! What is set up, as Terraform's own text: `import` blocks, and the resource blocks that describe what is there. Pure.

mod addresses;
mod builder;
mod json_layout;
mod resources;

use std::collections::BTreeMap;

use crate::reconcile::graph::ResourceId;
use crate::reconcile::state::State;

pub use self::builder::terraform_text;

/// A resource that is there.
pub struct ExportedResource<'a> {
    pub id: &'a ResourceId,
    pub state: &'a State,
    /// What it is known by: `arn`, `url`, `id`.
    pub outputs: BTreeMap<&'static str, String>,
}

/// Where the deployment is, and what it is called.
pub struct ExportContext<'a> {
    pub option: &'a str,
    pub account: &'a str,
    pub region: &'a str,
    /// Of the function, whose role and policy are told from Heeler's by their names.
    pub function_role: String,
    pub function_policy: String,
    pub dead_letter_queues: [String; 2],
}

/// What Terraform calls a resource, and by what it finds it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ImportTarget {
    pub resource_type: &'static str,
    pub label: String,
    pub id: String,
}

impl ImportTarget {
    /// Its address: `aws_sqs_queue.heeler_sqs_queue`.
    #[must_use]
    pub fn address(&self) -> String {
        format!("{}.{}", self.resource_type, self.label)
    }
}

/// Every resource that Terraform knows, in the order of the plan.
#[must_use]
pub fn imports<'a>(
    place: &ExportContext<'_>,
    items: Vec<ExportedResource<'a>>,
) -> Vec<(ExportedResource<'a>, ImportTarget)> {
    let mut grants = 0;
    let numbered = |item: ExportedResource<'a>| {
        let mut import = addresses::import_target(place, &item)?;
        // There is one for each key of the log objects.
        grants += usize::from(import.resource_type == addresses::GRANT_TYPE);
        if import.resource_type == addresses::GRANT_TYPE && grants > 1 {
            import.label = format!("{}_{grants}", import.label);
        }
        Some((item, import))
    };
    items.into_iter().filter_map(numbered).collect()
}

#[cfg(test)]
mod tests;
