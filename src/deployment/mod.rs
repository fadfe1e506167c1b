//! A deployment, as the tags of its role describe it. The role is found by its name from any region; there is no
//! state file.

pub mod access;
pub mod changed_tags;
pub mod policies;
pub mod resources;
pub mod scope;
pub mod tags;
pub mod test_event;

use std::collections::BTreeMap;

use aws_sdk_iam::types::Role;

use crate::aws::arn;
use crate::naming::ResourceNames;
use crate::ownership::{MANAGED_BY_TAG, OPTION_TAG, VERSION_TAG, is_managed_by_program};
use crate::shared_document::role_trust::{HeelerTrust, parse_trust};

/// A deployment that exists.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Deployment {
    /// Name of the delivery option.
    pub option: String,
    pub role_arn: String,
    pub region: String,
    /// `None` if the role's trust policy does not have the form that setup writes.
    pub trust: Option<HeelerTrust>,
    /// All tags of the role. Options read their own.
    pub tags: BTreeMap<String, String>,
}

impl Deployment {
    /// Reads the tags of the role. Returns `None` if heeler-ec does not manage the role, or its tags are incomplete.
    #[must_use]
    pub fn from_role(role: &Role) -> Option<Self> {
        let tags: BTreeMap<String, String> = role
            .tags()
            .iter()
            .map(|tag| (tag.key().to_owned(), tag.value().to_owned()))
            .collect();
        if !is_managed_by_program(role.tags().iter().map(|tag| (tag.key(), tag.value()))) {
            return None;
        }
        Some(Self {
            option: tags.get(OPTION_TAG)?.clone(),
            role_arn: role.arn().to_owned(),
            region: tags.get(tags::REGION)?.clone(),
            trust: parse_trust(role),
            tags,
        })
    }

    /// The names with the IAM path of the deployed role.
    #[must_use]
    pub fn names(&self, names: ResourceNames) -> ResourceNames {
        names.with_role_path(&arn::role_path(&self.role_arn))
    }

    /// The tags that setup added with `--tag`: those that neither this program nor AWS writes.
    #[must_use]
    pub fn extra_tags(&self) -> Vec<(String, String)> {
        let is_extra = |key: &str| {
            let key = key.to_ascii_lowercase();
            key != MANAGED_BY_TAG && !key.starts_with("aws:") && !key.starts_with("heeler-ec:")
        };
        let tags = self.tags.iter().filter(|(key, _)| is_extra(key));
        tags.map(|(key, value)| (key.clone(), value.clone()))
            .collect()
    }

    /// The value of a tag.
    #[must_use]
    pub fn tag(&self, key: &str) -> Option<&str> {
        self.tags.get(key).map(String::as_str)
    }

    /// The version that created or adopted the role.
    #[must_use]
    pub fn version(&self) -> Option<&str> {
        self.tag(VERSION_TAG)
    }
}
