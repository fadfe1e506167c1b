//! How one kind of thing is read, made, changed and deleted: one file a kind, and no option is named here.

pub mod bucket_notification;
mod cloud_provider;
pub mod document_kind;
pub mod documents;
pub mod function;
pub mod function_permission;
pub mod kind;
pub mod kms_alias;
pub mod kms_grant;
pub mod kms_key;
pub mod managed_policy;
pub mod policy_attachment;
pub mod queue;
pub mod queue_policy;
pub mod role;
pub mod subscription;
pub mod subscription_filter;
pub mod topic;
pub mod topic_policy;
pub mod trust;

use std::time::Duration;

use serde_json::Value;

use crate::iam::{canonical, to_text};
use crate::reconcile::KnownOutputs;
use crate::reconcile::diff::Change;
use crate::reconcile::state::State;

/// How long AWS may need until one service sees what another has just made.
pub(crate) const PROPAGATION_TIMEOUT: Duration = Duration::from_secs(120);

/// What a read tells besides the fields that are compared: for an export, which has to say it as AWS has it.
pub mod observed {
    use serde_json::{Map, Value};

    /// All tags, ours and those of others.
    pub const TAGS: &str = "seen: tags";
    /// The whole document that a resource is a part of.
    pub const DOCUMENT: &str = "seen: document";
    pub const DESCRIPTION: &str = "seen: description";
    pub const NAME: &str = "seen: name";
    pub const ROLE: &str = "seen: role";
    pub const TOPIC: &str = "seen: topic";
    pub const QUEUE: &str = "seen: queue";

    /// Without those of AWS itself, which nobody can write.
    pub(super) fn tags<'t>(tags: impl Iterator<Item = (&'t str, &'t str)>) -> Value {
        let mut told: Vec<(&str, &str)> =
            tags.filter(|(key, _)| !key.starts_with("aws:")).collect();
        told.sort_unstable();
        let told = told.into_iter();
        Value::Object(
            told.map(|(key, value)| (key.to_owned(), value.into()))
                .collect::<Map<_, _>>(),
        )
    }
}

/// A policy document, once the ARNs in it are known.
pub type PolicyTemplate = Box<dyn Fn(&KnownOutputs) -> Option<Value> + Send + Sync>;

/// That what is there names somebody who was deleted: in a policy, or as the one principal of a grant.
pub(crate) fn deleted_principals_reason(change: &Change) -> Option<String> {
    let before = change.before.as_ref()?;
    let dead = match before.as_str() {
        Some(who) if crate::iam::is_deleted_principal_id(who) => vec![who.to_owned()],
        Some(_) => Vec::new(),
        None => crate::iam::deleted_principals(before),
    };
    let told: Vec<String> = dead.iter().map(|id| deleted_principal_note(id)).collect();
    (!told.is_empty()).then(|| told.join("; "))
}

/// One of the same name that was made later has another id.
pub(crate) fn deleted_principal_note(id: &str) -> String {
    let kind = if id.starts_with("AIDA") {
        "user"
    } else {
        "role"
    };
    format!(
        "the {kind} was deleted: AWS shows its id {id}, and one of the same name made since is another"
    )
}

/// A policy document in a state: compared by meaning, written in its own words.
fn with_policy(state: State, field: &'static str, document: &Value) -> State {
    state.with_document(field, canonical(document), document.clone())
}

/// A policy document of a state, as AWS takes it; without one, none.
fn policy_text(want: &State, field: &str) -> String {
    want.write_form(field).map(to_text).unwrap_or_default()
}
