//! Facts about the resources that already have the names that setup would use.

use std::collections::BTreeMap;

use crate::error::Error;
use crate::inventory::fact::Fact;
use crate::inventory::named_resource::NamedResource;
use crate::ownership::{OptionName, Ownership, is_managed_by_program};

/// The resources found under the names of an option; `Fact::Absent` means that a name is available.
#[derive(Clone, Debug, Default)]
pub struct NameOwners {
    by_name: BTreeMap<NamedResource, Fact<NameOwner>>,
}

impl NameOwners {
    #[must_use]
    pub fn get(&self, resource: NamedResource) -> &Fact<NameOwner> {
        self.by_name.get(&resource).unwrap_or(&Fact::NotRequested)
    }

    pub fn insert(&mut self, resource: NamedResource, owner: Fact<NameOwner>) {
        self.by_name.insert(resource, owner);
    }

    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.by_name.is_empty()
    }

    /// Keeps only the names that an option uses.
    #[must_use]
    pub fn restricted_to(&self, names: &[NamedResource]) -> Self {
        let kept = self.by_name.iter().filter(|(name, _)| names.contains(name));
        Self {
            by_name: kept.map(|(name, owner)| (*name, owner.clone())).collect(),
        }
    }

    #[must_use]
    pub fn merge(mut self, other: Self) -> Self {
        self.by_name.extend(other.by_name);
        self
    }

    /// Returns the existing resources, regardless of their owner.
    pub fn existing(&self) -> impl Iterator<Item = &NameOwner> {
        self.by_name.values().filter_map(Fact::present)
    }

    pub fn errors(&self) -> impl Iterator<Item = &Error> {
        self.by_name.values().flat_map(|fact| {
            let of_policies = fact.present().and_then(|owner| owner.policies.error());
            fact.error().into_iter().chain(of_policies)
        })
    }
}

/// An existing resource, with the tags and signs that identify its owner.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct NameOwner {
    /// Type and name of the resource, as shown to the user.
    pub name: String,
    pub tags: Vec<(String, String)>,
    /// True if the resource looks as if Heeler's Terraform module created it.
    pub from_vendor_terraform: bool,
    /// State of the key, if the resource is an alias.
    pub key_state: Option<String>,
    /// The trust policy, percent-encoded, if the resource is a role.
    pub trust_policy: Option<String>,
    /// The policies of the role that Heeler assumes, percent-encoded, or of Heeler's queue. Not requested for other resources.
    pub policies: Fact<Vec<String>>,
}

impl NameOwner {
    /// Returns the ownership of the resource from the point of view of an option.
    #[must_use]
    pub fn ownership(&self, option: OptionName) -> Ownership {
        option.ownership(self.tag_pairs())
    }

    /// Returns true if this program manages the resource, for any option.
    #[must_use]
    pub fn is_managed(&self) -> bool {
        is_managed_by_program(self.tag_pairs())
    }

    fn tag_pairs(&self) -> impl Iterator<Item = (&str, &str)> {
        self.tags
            .iter()
            .map(|(key, value)| (key.as_str(), value.as_str()))
    }
}
