//! The access that a plan gives, as text and as JSON.

use std::fmt::Write;

use serde_json::{Value, json};

use super::{Tone, Ui};
use crate::deployment::access::{AccessSummary, AllowedUse, ExternalIdOrigin};
use crate::sanitize::escape_control_chars;

/// The start of the condition on the external ID.
const EXTERNAL_ID_CONDITION: &str = "sts:ExternalId is ";

/// Returns the summary as text for stdout. It is empty if the plan gives no access.
pub(super) fn access_text(ui: Ui, access: &AccessSummary) -> String {
    if access.principals.is_empty() {
        return String::new();
    }
    let mut text = String::from("Who gets access:\n");
    for principal in &access.principals {
        let name = escape_control_chars(&principal.name);
        let _ = writeln!(text, "  {}", ui.paint(Tone::Strong, &name));
        let mut lines = Vec::new();
        for assumption in &principal.assumed_by {
            lines.push(format!(
                "can be assumed by {}",
                assumption.callers.join(", ")
            ));
            lines.extend(condition_line(assumption, access.external_id));
        }
        let boundary = principal.permissions_boundary.iter();
        lines.extend(boundary.map(|arn| format!("is limited by permissions boundary {arn}")));
        for permission in &principal.permissions {
            let grant = if permission.is_grant {
                " (KMS grant)"
            } else {
                ""
            };
            lines.push(format!("can use {}{grant}", permission.actions.join(", ")));
            if !permission.resources.is_empty() {
                let resources = permission.resources.iter();
                let resources: Vec<String> = resources.map(|one| plain_resource(one)).collect();
                lines.push(format!("  on {}", resources.join(", ")));
            }
            lines.extend(condition_line(permission, access.external_id));
        }
        for line in lines {
            let line = format!("    {}", escape_control_chars(&line));
            let _ = writeln!(text, "{}", ui.wrap_stdout(&line, 8));
        }
    }
    text
}

/// Returns the conditions as a line. The external ID is described by its origin.
fn condition_line(allowed: &AllowedUse, external_id: ExternalIdOrigin) -> Option<String> {
    let is_external_id = |condition: &&String| condition.starts_with(EXTERNAL_ID_CONDITION);
    let (ids, others): (Vec<&String>, Vec<&String>) =
        allowed.conditions.iter().partition(is_external_id);
    let mut parts = Vec::new();
    if !ids.is_empty() {
        parts.push(format!("with {}", origin_text(external_id)));
    }
    if !others.is_empty() {
        let others: Vec<&str> = others.into_iter().map(String::as_str).collect();
        parts.push(format!("if {}", others.join(" and ")));
    }
    (!parts.is_empty()).then(|| format!("  {}", parts.join(", ")))
}

fn origin_text(origin: ExternalIdOrigin) -> &'static str {
    match origin {
        ExternalIdOrigin::Generated => "an external ID that setup generates",
        ExternalIdOrigin::Given => "the external ID that you supplied",
        ExternalIdOrigin::Kept => "the external ID that it has now",
    }
}

/// Removes the mark of an ARN that AWS assigns: `(arn of kms key name)`.
fn plain_resource(resource: &str) -> String {
    let name = resource.strip_prefix("(arn of ");
    let name = name.and_then(|name| name.strip_suffix(')'));
    name.unwrap_or(resource).to_owned()
}

/// Returns the summary as JSON.
pub(super) fn access_json(access: &AccessSummary) -> Value {
    let principals = access.principals.iter().map(|principal| {
        let assumed_by = principal.assumed_by.iter();
        let assumed_by = assumed_by.map(|assumption| {
            json!({ "principals": assumption.callers, "conditions": assumption.conditions })
        });
        let permissions = principal.permissions.iter();
        let permissions = permissions.map(|permission| {
            json!({
                "actions": permission.actions,
                "resources": permission.resources,
                "conditions": permission.conditions,
                "grant": permission.is_grant,
            })
        });
        json!({
            "principal": principal.name,
            "assumed_by": assumed_by.collect::<Vec<_>>(),
            "permissions_boundary": principal.permissions_boundary,
            "permissions": permissions.collect::<Vec<_>>(),
        })
    });
    principals.collect()
}

/// Returns the origin of the external ID as a JSON value.
pub(super) fn external_id_json(origin: ExternalIdOrigin) -> &'static str {
    match origin {
        ExternalIdOrigin::Generated => "generated",
        ExternalIdOrigin::Given => "given",
        ExternalIdOrigin::Kept => "kept",
    }
}
