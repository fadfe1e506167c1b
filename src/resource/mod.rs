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

use crate::converge::diff::Change;
use crate::converge::state::State;
use crate::converge::{Known, Owner};
use crate::names::{MANAGED_BY, OPTION};
use crate::policy::{canonical, text};

/// How long AWS may need until one service sees what another has just made.
pub(crate) const PROPAGATION: Duration = Duration::from_secs(120);

/// What a read tells besides the fields that are compared: for an export, which has to say it as AWS has it.
pub mod seen {
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

    /// The same, for a resource to say what it would be given.
    #[must_use]
    pub fn told(&self) -> Vec<(&'static str, String)> {
        self.tags()
            .map(|(key, value)| (key, value.to_owned()))
            .collect()
    }

    /// Whose these tags say it is: ours, when they are of this program and of this option. The version is only told,
    /// never compared. IAM takes two spellings of a key for one, so any spelling is somebody's mark.
    pub fn owner<'t>(&self, tags: impl Iterator<Item = (&'t str, &'t str)>) -> Owner {
        let (mut managed, mut option, mut marked) = (false, false, false);
        for (key, value) in tags {
            managed |= key == MANAGED_BY && value == env!("CARGO_PKG_NAME");
            option |= key == OPTION && value == self.option;
            marked |= key.eq_ignore_ascii_case(MANAGED_BY) || key.eq_ignore_ascii_case(OPTION);
        }
        match (managed && option, marked) {
            (true, _) => Owner::Us,
            (false, true) => Owner::Other,
            (false, false) => Owner::Nobody,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whose_it_is_its_tags_tell() {
        let mark = Mark { option: "s3" };
        let table: [(&[(&str, &str)], Owner); 8] = [
            (&[], Owner::Nobody),
            (&[("Name", "HeelerEventCollection")], Owner::Nobody),
            (&[(MANAGED_BY, "heeler-ec"), (OPTION, "s3")], Owner::Us),
            (
                &[(MANAGED_BY, "heeler-ec"), (OPTION, "cloudwatch")],
                Owner::Other,
            ),
            (&[(MANAGED_BY, "heeler-ec")], Owner::Other),
            (&[(OPTION, "s3")], Owner::Other),
            (&[(MANAGED_BY, "terraform")], Owner::Other),
            (&[("Managed-By", "platform")], Owner::Other),
        ];
        for (tags, owner) in table {
            assert_eq!(mark.owner(tags.iter().copied()), owner, "{tags:?}");
        }
    }
}
