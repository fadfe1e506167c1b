//! How one kind of thing is read, made, changed and deleted: one file a kind, and no option is named here.

pub mod attachment;
pub mod bucket_notification;
pub mod document;
pub mod function;
pub mod kms_alias;
pub mod kms_grant;
pub mod kms_key;
pub mod permission;
pub mod policy;
pub mod queue;
pub mod queue_policy;
pub mod role;
pub mod subscription;
pub mod subscription_filter;
pub mod topic;
pub mod topic_policy;

use std::time::Duration;

use serde_json::Value;

use crate::converge::Known;
use crate::converge::diff::Change;
use crate::converge::state::State;
use crate::names::{MANAGED_BY, OPTION};
use crate::policy::{canonical, text};

/// How long AWS may need until one service sees what another has just made.
pub(crate) const PROPAGATION: Duration = Duration::from_secs(120);

/// A policy document, once the ARNs in it are known.
pub type Document = Box<dyn Fn(&Known) -> Option<Value> + Send + Sync>;

/// That what is there names somebody who was deleted: in a policy, or as the one principal of a grant.
pub(crate) fn who_died(change: &Change) -> Option<String> {
    let before = change.before.as_ref()?;
    let dead = match before.as_str() {
        Some(who) if crate::policy::is_dead(who) => vec![who.to_owned()],
        Some(_) => Vec::new(),
        None => crate::policy::dead_principals(before),
    };
    let told: Vec<String> = dead.iter().map(|id| death_of(id)).collect();
    (!told.is_empty()).then(|| told.join("; "))
}

/// One of the same name that was made later has another id.
pub(crate) fn death_of(id: &str) -> String {
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
    want.written(field).map(text).unwrap_or_default()
}

/// The tags that make a resource ours.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mark {
    pub option: &'static str,
}

const VERSION: &str = "heeler-ec:version";

impl Mark {
    pub fn tags(&self) -> impl Iterator<Item = (&'static str, &'static str)> {
        [
            (MANAGED_BY, env!("CARGO_PKG_NAME")),
            (OPTION, self.option),
            (VERSION, env!("CARGO_PKG_VERSION")),
        ]
        .into_iter()
    }

    /// Whether these tags are ours, and of this option. The version is only told, never compared.
    pub fn is_on<'t>(&self, tags: impl Iterator<Item = (&'t str, &'t str)>) -> bool {
        let (mut managed, mut option) = (false, false);
        for (key, value) in tags {
            managed |= key == MANAGED_BY && value == env!("CARGO_PKG_NAME");
            option |= key == OPTION && value == self.option;
        }
        managed && option
    }
}
