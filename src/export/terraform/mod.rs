//! A deployment as a Terraform file: an `import` block and a `resource` block for each resource.

mod addresses;
mod block;
mod builder;
mod json_layout;
mod resources;

use super::{ExportContext, ExportedResource};

pub use self::builder::terraform_text;

/// The Terraform address and import ID of a resource.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ImportTarget {
    pub resource_type: &'static str,
    pub label: String,
    pub id: String,
}

impl ImportTarget {
    /// The address, such as `aws_sqs_queue.heeler_sqs_queue`.
    #[must_use]
    pub fn address(&self) -> String {
        format!("{}.{}", self.resource_type, self.label)
    }
}

/// The resources that Terraform supports, in the order of the plan.
#[must_use]
pub fn imports<'a>(
    place: &ExportContext<'_>,
    items: Vec<ExportedResource<'a>>,
) -> Vec<(ExportedResource<'a>, ImportTarget)> {
    let mut grants = 0;
    let numbered = |item: ExportedResource<'a>| {
        let mut import = addresses::import_target(place, &item)?;
        // Each key of the log objects has a grant.
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
