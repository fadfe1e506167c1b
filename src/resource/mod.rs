//! The AWS resources. Each kind has a file with the code that reads, creates, updates and deletes it.

mod access_policy;
pub mod bucket_notification;
mod cloud_provider;
mod extra_tags;
pub mod function;
pub mod function_permission;
mod iam_users;
pub mod kind;
pub mod kms_alias;
pub mod kms_grant;
pub mod kms_key;
mod kms_orphaned_keys;
pub mod kms_tag_propagation;
pub mod managed_policy;
pub mod policy_attachment;
pub mod queue;
pub mod queue_policy;
pub mod role;
pub mod subscription;
pub mod subscription_filter;
pub mod topic;
pub mod topic_policy;

#[cfg(test)]
mod tests;

use std::time::Duration;

use serde_json::Value;

use crate::iam::{canonical, to_text};
use crate::reconcile::KnownOutputs;
use crate::reconcile::diff::Change;
use crate::reconcile::state::State;

/// The maximum time until one AWS service sees a resource that another service has just created.
pub(crate) const PROPAGATION_TIMEOUT: Duration = Duration::from_secs(120);

/// The tag with the ID of the run that created a role or a key.
const RUN_TAG: &str = "heeler-ec:run";

/// Fields of an actual state that are not compared. An export shows their actual values.
pub mod observed {
    use serde_json::{Map, Value};

    /// All tags, including those of other owners.
    pub const TAGS: &str = "observed.tags";
    /// The whole document that contains the resource.
    pub const DOCUMENT: &str = "observed.document";
    pub const DESCRIPTION: &str = "observed.description";
    pub const NAME: &str = "observed.name";
    pub const ROLE: &str = "observed.role";
    /// The maximum session duration of a role.
    pub const MAX_SESSION_SECONDS: &str = "observed.max_session_seconds";
    /// The ID of the run that created a role or a key.
    pub const RUN: &str = "observed.run";
    /// The IAM path of a role.
    pub const PATH: &str = "observed.path";
    pub const TOPIC: &str = "observed.topic";
    pub const QUEUE: &str = "observed.queue";

    /// The tags without the tags of AWS, which are read-only.
    pub(super) fn tags<'t>(tags: impl Iterator<Item = (&'t str, &'t str)>) -> Value {
        let mut tags: Vec<(&str, &str)> =
            tags.filter(|(key, _)| !key.starts_with("aws:")).collect();
        tags.sort_unstable();
        let tags = tags.into_iter();
        Value::Object(
            tags.map(|(key, value)| (key.to_owned(), value.into()))
                .collect::<Map<_, _>>(),
        )
    }
}

/// A policy document that depends on the outputs of other resources; `None` until they are known.
pub type PolicyTemplate = Box<dyn Fn(&KnownOutputs) -> Option<Value> + Send + Sync>;

/// Explains a change if the actual policy or grant names a deleted principal.
pub(crate) fn deleted_principals_reason(change: &Change) -> Option<String> {
    let before = change.before.as_ref()?;
    let deleted = match before.as_str() {
        Some(id) if crate::iam::is_deleted_principal_id(id) => vec![id.to_owned()],
        Some(_) => Vec::new(),
        None => crate::iam::deleted_principals(before),
    };
    let notes: Vec<String> = deleted
        .iter()
        .map(|id| deleted_principal_note(id))
        .collect();
    (!notes.is_empty()).then(|| notes.join("; "))
}

/// Explains a deleted principal, which AWS shows by its unique ID. A new principal with the same name has another ID.
pub(crate) fn deleted_principal_note(id: &str) -> String {
    let kind = if id.starts_with("AIDA") {
        "user"
    } else {
        "role"
    };
    format!(
        "the {kind} was deleted: AWS shows its ID {id}, and a {kind} created again under the same name has another ID"
    )
}

/// Adds a policy document to a state. It is compared in canonical form and written unchanged.
fn with_policy(state: State, field: &'static str, document: &Value) -> State {
    state.with_document(field, canonical(document), document.clone())
}

/// The text of the policy document in a state, or an empty text if there is none.
fn policy_text(want: &State, field: &str) -> String {
    want.write_form(field).map(to_text).unwrap_or_default()
}
