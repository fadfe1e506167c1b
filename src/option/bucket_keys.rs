//! The KMS keys of the objects of a bucket, on which the role has grants, as the tags of the role list them.

use serde_json::{Value, json};

use crate::aws::key_grant_request::KeyGrantRequest;
use crate::deployment::Deployment;
use crate::deployment::scope::DeploymentScope;
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

/// ARNs of the keys on which the role needs a grant.
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

/// The grants that the owners of keys in other accounts create.
pub(super) fn grant_requests<'k>(
    scope: &DeploymentScope,
    keys: impl IntoIterator<Item = &'k String>,
) -> Vec<KeyGrantRequest> {
    let requests = keys.into_iter().map(|key| grant_request(scope, key));
    requests.flatten().collect()
}

/// The keys of the deployment's account, on which setup creates grants.
pub(super) fn own_keys<'k>(
    scope: &DeploymentScope,
    keys: &'k [String],
) -> impl Iterator<Item = &'k String> {
    let is_own = |key: &&String| grant_request(scope, key).is_none();
    keys.iter().filter(is_own)
}

fn grant_request(scope: &DeploymentScope, key: &str) -> Option<KeyGrantRequest> {
    let role = scope.role_arn(&scope.names.role());
    KeyGrantRequest::for_key(key, &role, &scope.names.grant())
}

/// The statement of the role's policy for keys of other accounts; `None` if there are none. A grant on a key of another
/// account needs a permission of the role beside it, which a grant on a key of the account does not. Source:
/// <https://docs.aws.amazon.com/kms/latest/developerguide/policy-evaluation.html>.
pub(super) fn decryption_statement(
    scope: &DeploymentScope,
    requests: &[KeyGrantRequest],
) -> Option<Value> {
    let keys: Vec<&str> = requests
        .iter()
        .map(|request| request.key_arn.as_str())
        .collect();
    let via_s3 = format!("s3.{}.amazonaws.com", scope.region);
    (!keys.is_empty()).then(|| {
        json!({
            "Sid": "DecryptTrailLogObjects",
            "Effect": "Allow",
            "Action": "kms:Decrypt",
            "Resource": keys,
            "Condition": { "StringEquals": { "kms:ViaService": via_s3 } },
        })
    })
}
