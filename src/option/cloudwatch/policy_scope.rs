//! The names in the policies of option cloudwatch: the trail's log group and its key.

use super::target::LOG_GROUP as LOG_GROUP_TAG;
use crate::deployment::Deployment;
use crate::inventory::facts::LogGroupSettings;
use crate::inventory::{Fact, InventoryRequest, Snapshot};
use crate::permissions::scope::{Placeholder, PolicyScope, RegionalScope, is_key_id};

const REGION: &str = "${LOG_GROUP_REGION}";
const LOG_GROUP: &str = "${LOG_GROUP}";
/// ID or ARN of the KMS key of the log group.
const KEY: &str = "${LOG_GROUP_KEY_ID}";

pub(super) const PLACEHOLDERS: &[Placeholder] = &[
    (
        REGION,
        "the region of the log group that the trail delivers to",
    ),
    (
        LOG_GROUP,
        "the name of the log group that the trail delivers to",
    ),
    (
        KEY,
        "the ID of the KMS key of the log group; if there is none, remove the statement that names it",
    ),
];

/// ARNs in the region of the trail's log group.
pub(super) fn in_log_group_region(scope: &PolicyScope) -> RegionalScope<'_> {
    scope.in_region(REGION)
}

pub(super) fn log_group_arns(scope: &PolicyScope) -> [String; 2] {
    in_log_group_region(scope).log_group_arns(scope.name_or(LOG_GROUP))
}

/// ARN of the key of the log group, unless it has none.
pub(super) fn log_group_key_arn(scope: &PolicyScope) -> Option<String> {
    let key = *scope.names_or(KEY).first()?;
    Some(in_log_group_region(scope).key_arn(key))
}

/// Sets the names that the operator has given.
pub(super) fn set_requested_names(request: &InventoryRequest, scope: &mut PolicyScope) {
    if let Some(group) = &request.log_group {
        scope.set(LOG_GROUP, group);
    }
}

/// Sets the names that the tags of a deployment contain.
pub(super) fn set_deployed_names(deployment: &Deployment, scope: &mut PolicyScope) {
    scope.set(REGION, &deployment.region);
    if let Some(group) = deployment.tag(LOG_GROUP_TAG) {
        scope.set(LOG_GROUP, group);
    }
}

/// Sets the log group, its region and its key from the facts.
pub(super) fn set_found_names(snapshot: &Snapshot, scope: &mut PolicyScope) {
    let Some(found) = &snapshot.log_group else {
        return;
    };
    scope.set(REGION, &found.region);
    scope.set(LOG_GROUP, &found.name);
    match (&found.settings, &found.key) {
        (_, Some(key)) if is_key_id(key.name()) => scope.set(KEY, key.name()),
        (Fact::Present(LogGroupSettings { key: None, .. }), _) => scope.set_all(KEY, Vec::new()),
        _ => {}
    }
}
