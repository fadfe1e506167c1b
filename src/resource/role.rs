//! An IAM role: who may assume it, and the tags by which a deployment is found again. Long, since
//! whom it trusts, read out of a policy and written into one, stands beside it.

use std::collections::BTreeMap;
use std::time::Duration;

use async_trait::async_trait;
/// A role as IAM has it.
pub use aws_sdk_iam::types::Role as Found;
use aws_sdk_iam::types::Tag;
use serde_json::{Map, Value, json};

use super::{Mark, PROPAGATION, document, policy_text, seen, who_died};
use crate::aws::Aws;
use crate::aws::arn;
use crate::aws::fault::Doing;
use crate::converge::diff::Change;
use crate::converge::graph::{Handle, Id, Output};
use crate::converge::state::State;
use crate::converge::{Known, Live, Outputs, Resource};
use crate::error::{Error, Result};
use crate::policy;

pub struct Role {
    pub arn: String,
    pub description: &'static str,
    pub trusts: Trusts,
    pub mark: Mark,
    /// Where and for what the deployment was made, if it is found by this role.
    pub notes: Vec<(&'static str, String)>,
}

/// Who may assume the role.
pub enum Trusts {
    Heeler(Trust),
    /// The service that runs functions.
    Lambda,
}

/// Whom of Heeler's the role trusts, and the id that they have to name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Trust {
    pub principals: Vec<String>,
    pub external_id: ExternalId,
}

impl Trust {
    /// For a role that is only looked for, to be deleted.
    #[must_use]
    pub fn nobody() -> Self {
        Self {
            principals: Vec::new(),
            external_id: ExternalId::new(""),
        }
    }

    /// Whether it can be written: it names somebody, and nobody who was deleted.
    fn is_sound(&self) -> bool {
        !self.principals.is_empty() && !self.principals.iter().any(|who| policy::is_dead(who))
    }
}

/// Sensitive: shown by `outputs` and once after setup, nowhere else.
#[derive(Clone, PartialEq, Eq)]
pub struct ExternalId(String);

impl std::fmt::Debug for ExternalId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("ExternalId(masked)")
    }
}

impl From<String> for ExternalId {
    fn from(text: String) -> Self {
        Self(text)
    }
}

impl ExternalId {
    #[must_use]
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// The id itself, for a trust policy and for the operator who has to paste it.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl Handle<Role> {
    #[must_use]
    pub fn arn(&self) -> Output {
        self.output("arn")
    }
}

pub(super) const NO_ENTITY: &[&str] = &["NoSuchEntity", "NoSuchEntityException"];
const MASK: &str = "(external id)";
/// Of the statement that lets Heeler in.
const SID: &str = "HeelerAssumeRole";

#[async_trait]
impl Resource<Aws> for Role {
    fn id(&self) -> Id {
        Id {
            kind: "iam role",
            name: self.name().to_owned(),
        }
    }

    fn needs(&self) -> Vec<Output> {
        Vec::new()
    }

    fn named(&self) -> Outputs {
        Outputs::from([("arn", self.arn.clone())])
    }

    fn desired(&self, _: &Known) -> State {
        let notes: Map<String, Value> = self
            .notes
            .iter()
            .map(|(key, value)| ((*key).to_owned(), Value::from(value.as_str())))
            .collect();
        let trust = match &self.trusts {
            // Whom else to trust, only the operator can tell.
            Trusts::Heeler(trust) if !trust.is_sound() => {
                State::default().with_known("trust", None::<Value>)
            }
            _ => trust_state(&self.document()),
        };
        trust
            .with("description", self.description)
            .with("tags", Value::Object(notes))
    }

    fn marks(&self) -> Vec<(&'static str, String)> {
        self.mark.told()
    }

    fn reason(&self, change: &Change) -> Option<String> {
        let says = match change.field {
            "external_id" => "until Heeler is given the new id, it cannot assume the role",
            "trust" if change.after.is_none() => {
                "setup needs --heeler-role-arn to put it right, with the value that Heeler shows"
            }
            "trust" if matches!(self.trusts, Trusts::Heeler(_)) => {
                "who is not named any more cannot assume the role"
            }
            _ => return None,
        };
        let told = [who_died(change), Some(says.to_owned())];
        Some(told.into_iter().flatten().collect::<Vec<_>>().join("; "))
    }

    fn documents(&self, _: &Known) -> Vec<Id> {
        vec![document::id(document::ROLE_TRUST, self.name())]
    }

    fn patience(&self, refusal: &Error) -> Option<Duration> {
        let spreading = refusal.says("MalformedPolicyDocument", "Invalid principal in policy")
            || refusal.is("ConcurrentModification")
            || refusal.is("DeleteConflict");
        spreading.then_some(PROPAGATION)
    }

    /// By its tags: where the deployment is, and for which bucket.
    fn leads_to_others(&self) -> bool {
        !self.notes.is_empty()
    }

    async fn read(&self, aws: &Aws, _: &Known) -> Result<Option<Live>> {
        let Some(role) = find(aws, self.name()).await? else {
            return Ok(None);
        };
        let document = trust_document(&role);
        let wanted = |key: &str| self.notes.iter().any(|(note, _)| *note == key);
        let notes: Map<String, Value> = role
            .tags()
            .iter()
            .filter(|tag| wanted(tag.key()))
            .map(|tag| (tag.key().to_owned(), Value::from(tag.value())))
            .collect();
        Ok(Some(Live {
            state: trust_state(&document)
                .with("description", role.description().unwrap_or_default())
                .with("tags", Value::Object(sorted(notes, &self.notes)))
                .with(
                    seen::TAGS,
                    seen::tags(role.tags().iter().map(|tag| (tag.key(), tag.value()))),
                ),
            outputs: Outputs::new(),
            owner: self
                .mark
                .owner(role.tags().iter().map(|tag| (tag.key(), tag.value()))),
        }))
    }

    async fn create(&self, aws: &Aws, want: &State, _: &Known) -> Result<Outputs> {
        let mut call = aws
            .iam
            .create_role()
            .role_name(self.name())
            .description(self.description)
            .assume_role_policy_document(policy_text(want, "trust"));
        for tag in self.tags(want)? {
            call = call.tags(tag);
        }
        call.send()
            .await
            .doing("iam:CreateRole", || format!("create {}", self.id()))
            .map_err(|refusal| self.explain(refusal))?;
        Ok(Outputs::new())
    }

    async fn update(&self, aws: &Aws, live: &Live, want: &State, _: &Known) -> Result<()> {
        let differs = |field: &str| live.state.get(field) != want.get(field);
        if differs("trust") || differs("external_id") {
            aws.iam
                .update_assume_role_policy()
                .role_name(self.name())
                .policy_document(policy_text(want, "trust"))
                .send()
                .await
                .doing("iam:UpdateAssumeRolePolicy", || {
                    format!("change the trust of {}", self.id())
                })
                .map_err(|refusal| self.explain(refusal))?;
        }
        if differs("description") {
            aws.iam
                .update_role()
                .role_name(self.name())
                .description(want.text("description").unwrap_or_default())
                .send()
                .await
                .doing("iam:UpdateRole", || format!("describe {}", self.id()))?;
        }
        if differs("tags") {
            self.tag(aws, live, want).await?;
        }
        Ok(())
    }

    /// Notes and all, so that the deployment is found from then on.
    async fn mark(&self, aws: &Aws, _: &Live) -> Result<()> {
        aws.iam
            .tag_role()
            .role_name(self.name())
            .set_tags(Some(self.tags(&self.desired(&Known::default()))?))
            .send()
            .await
            .doing("iam:TagRole", || format!("tag {}", self.id()))?;
        Ok(())
    }

    async fn delete(&self, aws: &Aws, _: &Live) -> Result<()> {
        aws.iam
            .delete_role()
            .role_name(self.name())
            .send()
            .await
            .finding("iam:DeleteRole", NO_ENTITY, || {
                format!("delete {}", self.id())
            })?;
        Ok(())
    }
}

impl Role {
    fn name(&self) -> &str {
        arn::last(&self.arn)
    }

    fn document(&self) -> Value {
        policy::document(vec![match &self.trusts {
            Trusts::Heeler(trust) => json!({
                "Sid": SID,
                "Effect": "Allow",
                "Action": ["sts:AssumeRole"],
                "Principal": { "AWS": trust.principals },
                "Condition": { "StringEquals": { "sts:ExternalId": trust.external_id.expose() } },
            }),
            Trusts::Lambda => json!({
                "Sid": "LambdaAssumeRole",
                "Effect": "Allow",
                "Action": ["sts:AssumeRole"],
                "Principal": { "Service": "lambda.amazonaws.com" },
            }),
        }])
    }

    /// All of them are written, also those that make it ours; what is not wanted any more goes.
    async fn tag(&self, aws: &Aws, live: &Live, want: &State) -> Result<()> {
        let wanted = notes_of(want);
        let too_many: Vec<String> = notes_of(&live.state)
            .into_keys()
            .filter(|key| !wanted.contains_key(key))
            .collect();
        if !too_many.is_empty() {
            aws.iam
                .untag_role()
                .role_name(self.name())
                .set_tag_keys(Some(too_many))
                .send()
                .await
                .doing("iam:UntagRole", || format!("untag {}", self.id()))?;
        }
        aws.iam
            .tag_role()
            .role_name(self.name())
            .set_tags(Some(self.tags(want)?))
            .send()
            .await
            .doing("iam:TagRole", || format!("tag {}", self.id()))?;
        Ok(())
    }

    fn tags(&self, want: &State) -> Result<Vec<Tag>> {
        let marks = self.mark.tags();
        let marks = marks.map(|(key, value)| (key.to_owned(), value.to_owned()));
        marks
            .chain(notes_of(want))
            .map(|(key, value)| {
                Tag::builder()
                    .key(&key)
                    .value(value)
                    .build()
                    .map_err(|why| {
                        Error::unanswered(format!("write the tag {key}"), why.to_string())
                    })
            })
            .collect()
    }

    /// A principal that does not exist and one that has not spread yet are refused alike.
    fn explain(&self, refusal: Error) -> Error {
        let Trusts::Heeler(trust) = &self.trusts else {
            return refusal;
        };
        if !refusal.says("MalformedPolicyDocument", "Invalid principal in policy") {
            return refusal;
        }
        refusal.hint(format!(
            "IAM knows no such role: check --heeler-role-arn against the value that Heeler shows ({})",
            trust.principals.join(", ")
        ))
    }
}

/// The role of that name, if there is one.
///
/// # Errors
/// When the question was refused.
pub async fn find(aws: &Aws, name: &str) -> Result<Option<Found>> {
    aws.iam
        .get_role()
        .role_name(name)
        .send()
        .await
        .finding("iam:GetRole", NO_ENTITY, || {
            format!("look for iam role {name}")
        })
        .map(|found| found.and_then(|found| found.role))
}

/// Whom a role trusts, read from its trust policy; nothing when the policy is not of our form. Somebody may have added
/// statements to it.
#[must_use]
pub fn trust_of(role: &Found) -> Option<Trust> {
    let document = trust_document(role);
    let statement = match document.get("Statement")?.as_array()?.as_slice() {
        [only] => only,
        several => several
            .iter()
            .find(|statement| statement.get("Sid").is_some_and(|sid| sid == SID))?,
    };
    let principals = match statement.get("Principal")?.get("AWS")? {
        Value::Array(who) => who
            .iter()
            .filter_map(Value::as_str)
            .map(str::to_owned)
            .collect(),
        who => vec![who.as_str()?.to_owned()],
    };
    let external_id = match statement
        .get("Condition")?
        .get("StringEquals")?
        .get("sts:ExternalId")?
    {
        Value::Array(ids) => ids.first()?.as_str()?,
        id => id.as_str()?,
    };
    Some(Trust {
        principals,
        external_id: ExternalId::new(external_id),
    })
}

pub(super) fn trust_document(role: &Found) -> Value {
    policy::parsed_encoded(role.assume_role_policy_document().unwrap_or_default())
}

/// The tags of a state that tell of the deployment.
fn notes_of(state: &State) -> BTreeMap<String, String> {
    let notes = state.get("tags").and_then(Value::as_object);
    let notes = notes.into_iter().flatten();
    notes
        .map(|(key, value)| (key.clone(), value.as_str().unwrap_or_default().to_owned()))
        .collect()
}

/// The trust policy with the external id taken out of it, so that one can be shown and the other not.
fn trust_state(document: &Value) -> State {
    let mut masked = policy::canonical(document);
    let mut ids = Vec::new();
    take_ids(&mut masked, &mut ids);
    State::default()
        .with_document("trust", masked, document.clone())
        .with_secret("external_id", ids)
}

fn take_ids(value: &mut Value, ids: &mut Vec<Value>) {
    match value {
        Value::Object(fields) => {
            for (name, value) in fields.iter_mut() {
                if name.eq_ignore_ascii_case("sts:ExternalId") {
                    ids.push(std::mem::replace(value, Value::from(MASK)));
                } else {
                    take_ids(value, ids);
                }
            }
        }
        Value::Array(items) => items.iter_mut().for_each(|item| take_ids(item, ids)),
        _ => {}
    }
}

/// In the order of the notes, since tags come back in any.
fn sorted(mut found: Map<String, Value>, notes: &[(&'static str, String)]) -> Map<String, Value> {
    notes
        .iter()
        .filter_map(|(key, _)| {
            found
                .shift_remove(*key)
                .map(|value| ((*key).to_owned(), value))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn trust(external_id: &str) -> Trust {
        Trust {
            principals: vec!["arn:aws:iam::999988887777:role/heeler".into()],
            external_id: ExternalId::new(external_id),
        }
    }

    fn role() -> Role {
        Role {
            arn: "arn:aws:iam::111122223333:role/heeler_event_collection_sqs_role".into(),
            description: "Role for Heeler to assume to harvest SQS queue.",
            trusts: Trusts::Heeler(trust("very-secret-id+1")),
            mark: Mark { option: "s3" },
            notes: vec![("heeler-ec:region", "us-east-1".into())],
        }
    }

    fn found(document: &str) -> Found {
        Found::builder()
            .path("/")
            .role_name("r")
            .role_id("AROAEXAMPLE")
            .arn("arn:aws:iam::111122223333:role/r")
            .create_date(aws_smithy_types::DateTime::from_secs(0))
            .assume_role_policy_document(document)
            .build()
            .unwrap()
    }

    #[test]
    fn the_trust_that_is_written_is_the_trust_that_is_read() {
        let encoded = percent_encoding::utf8_percent_encode(
            &role().document().to_string(),
            percent_encoding::NON_ALPHANUMERIC,
        )
        .to_string();
        assert_eq!(trust_of(&found(&encoded)), Some(trust("very-secret-id+1")));
    }

    #[test]
    fn the_external_id_is_in_no_shown_part_of_the_state() {
        let shown = format!(
            "{:?} {:?}",
            role().desired(&Known::default()),
            trust("very-secret-id+1")
        );
        assert!(!shown.contains("very-secret-id"), "{shown}");
    }

    #[test]
    fn another_external_id_is_a_difference() {
        let mut other = role();
        other.trusts = Trusts::Heeler(trust("another-id"));
        let changes = crate::converge::diff::diff(
            &role().desired(&Known::default()),
            &other.desired(&Known::default()),
        );
        let fields: Vec<_> = changes.iter().map(|change| change.field).collect();
        assert_eq!(fields, ["external_id"]);
    }

    #[test]
    fn a_statement_that_somebody_added_is_not_taken_for_ours() {
        let mut document = role().document();
        let statements = document["Statement"].as_array_mut().unwrap();
        statements.insert(
            0,
            json!({ "Sid": "Theirs", "Principal": { "AWS": "AROAEXAMPLE" } }),
        );
        assert_eq!(
            trust_of(&found(&document.to_string())),
            Some(trust("very-secret-id+1"))
        );
    }

    #[test]
    fn a_trust_that_cannot_be_written_is_not_known_rather_than_kept() {
        let nobody = Trust::nobody();
        let dead = Trust {
            principals: vec!["AROAEXAMPLE".into()],
            ..trust("very-secret-id")
        };
        for unsound in [nobody, dead] {
            let mut other = role();
            other.trusts = Trusts::Heeler(unsound);
            let live = trust_state(&other.document())
                .with("description", "")
                .with("tags", json!({}));
            let changes = crate::converge::diff::diff(&live, &other.desired(&Known::default()));
            let change = changes
                .iter()
                .find(|change| change.field == "trust")
                .unwrap();
            assert_eq!(change.after, None);
            let reason = other.reason(change).unwrap();
            assert!(reason.contains("--heeler-role-arn"), "{reason}");
            assert!(!format!("{changes:?}").contains("very-secret-id"));
        }
    }

    #[test]
    fn a_trust_policy_of_another_form_has_no_trust_of_ours() {
        assert_eq!(
            trust_of(&found(r#"{"Statement":[{"Principal":{"Service":"x"}}]}"#)),
            None
        );
        assert_eq!(trust_of(&found("not json")), None);
    }
}
