//! What is set up, as Terraform's own text: `import` blocks, and the resource blocks that describe what is there. Pure.

mod block;
mod hcl;
mod layout;
mod resource;

use std::collections::BTreeMap;

use crate::converge::graph::Id;
use crate::converge::state::State;

pub use self::hcl::text;

/// A resource that is there.
pub struct Item<'a> {
    pub id: &'a Id,
    pub state: &'a State,
    /// What it is known by: `arn`, `url`, `id`.
    pub outputs: BTreeMap<&'static str, String>,
}

/// Where the deployment is, and what it is called.
pub struct Place<'a> {
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
pub struct Import {
    pub kind: &'static str,
    pub label: String,
    pub id: String,
}

impl Import {
    /// Its address: `aws_sqs_queue.heeler_sqs_queue`.
    #[must_use]
    pub fn address(&self) -> String {
        format!("{}.{}", self.kind, self.label)
    }
}

/// Every resource that Terraform knows, in the order of the plan.
#[must_use]
pub fn imports<'a>(place: &Place<'_>, items: Vec<Item<'a>>) -> Vec<(Item<'a>, Import)> {
    let mut grants = 0;
    let numbered = |item: Item<'a>| {
        let mut import = resource::import(place, &item)?;
        // There is one for each key of the log objects.
        grants += usize::from(import.kind == resource::GRANT);
        if import.kind == resource::GRANT && grants > 1 {
            import.label = format!("{}_{grants}", import.label);
        }
        Some((item, import))
    };
    items.into_iter().filter_map(numbered).collect()
}

#[cfg(test)]
mod tests;
