//! The KMS keys of the objects of a bucket, on which the role has grants, as the tags of the role list them.

use crate::deployment::Deployment;
use crate::deployment::tags::RoleTags;

/// Two of the longest key ARNs fit into one tag value.
const KEYS_PER_TAG: usize = 2;
const BUCKET_KEYS: [&str; 8] = [
    "heeler-ec:bucket-key",
    "heeler-ec:bucket-key-2",
    "heeler-ec:bucket-key-3",
    "heeler-ec:bucket-key-4",
    "heeler-ec:bucket-key-5",
    "heeler-ec:bucket-key-6",
    "heeler-ec:bucket-key-7",
    "heeler-ec:bucket-key-8",
];

/// The tags that list these keys.
pub(super) fn key_tags<'k>(keys: impl Iterator<Item = &'k String>) -> RoleTags {
    let keys: Vec<&str> = keys.map(String::as_str).collect();
    let chunks = BUCKET_KEYS.iter().zip(keys.chunks(KEYS_PER_TAG));
    chunks.map(|(name, keys)| (*name, keys.join(" "))).collect()
}

/// ARNs of the keys on which the role has a grant.
pub(super) fn granted_keys(deployment: &Deployment) -> Vec<String> {
    BUCKET_KEYS
        .iter()
        .filter_map(|name| deployment.tag(name))
        .flat_map(str::split_whitespace)
        .map(str::to_owned)
        .collect()
}

/// ARNs of the keys on which an earlier setup made a grant, except those that are used now.
pub(super) fn previous_keys(deployment: Option<&Deployment>, used: &[String]) -> Vec<String> {
    let granted = deployment.map(granted_keys).unwrap_or_default();
    let previous = granted.into_iter().filter(|key| !used.contains(key));
    previous.collect()
}
