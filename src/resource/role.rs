//! An IAM role: who may assume it, and the tags by which a deployment is found again. Long, since
//! whom it trusts, read out of a policy and written into one, stands beside it.

use std::collections::BTreeMap;
use std::time::Duration;

use async_trait::async_trait;
/// A role as IAM has it.
pub use aws_sdk_iam::types::Role as Found;
use aws_sdk_iam::types::Tag;
use serde_json::{Map, Value, json};

use super::{PROPAGATION_TIMEOUT, deleted_principals_reason, documents, observed, policy_text};
use crate::aws::Aws;
use crate::aws::arn;
use crate::aws::error::AwsResultExt;
use crate::error::{Error, Result};
use crate::iam;
use crate::ownership::OwnershipTags;
use crate::reconcile::diff::Change;
use crate::reconcile::graph::{Handle, Output, ResourceId};
use crate::reconcile::state::State;
use crate::reconcile::{Actual, KnownOutputs, Outputs, Properties, Resource, ResourceSpec};

pub struct Role {
    pub arn: String,
    pub description: &'static str,
    pub trusted_entity: TrustedEntity,
    pub ownership: OwnershipTags,
    /// Where and for what the deployment was made, if it is found by this role.
    pub deployment_tags: Vec<(&'static str, String)>,
}

/// Who may assume the role.
pub enum TrustedEntity {
    Heeler(HeelerTrust),
    /// The service that runs functions.
    Lambda,
}

/// Whom of Heeler's the role trusts, and the id that they have to name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HeelerTrust {
    pub principals: Vec<String>,
    pub external_id: ExternalId,
}

impl HeelerTrust {
    /// For a role that is only looked for, to be deleted.
    #[must_use]
    pub fn empty() -> Self {
        Self {
            principals: Vec::new(),
            external_id: ExternalId::new(""),
        }
    }

    /// Whether it can be written: it names somebody, and nobody who was deleted.
    fn can_be_written(&self) -> bool {
        !self.principals.is_empty()
            && !self
                .principals
                .iter()
                .any(|who| iam::is_deleted_principal_id(who))
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
const EXTERNAL_ID_MASK: &str = "(external id)";
/// Of the statement that lets Heeler in.
const TRUST_SID: &str = "HeelerAssumeRole";

impl ResourceSpec for Role {
    fn id(&self) -> ResourceId {
        ResourceId::new("iam role", self.name())
    }

    fn dependencies(&self) -> Vec<Output> {
        Vec::new()
    }

    fn static_outputs(&self) -> Outputs {
        Outputs::from([("arn", self.arn.clone())])
    }

    fn desired(&self, _: &KnownOutputs) -> State {
        let notes: Map<String, Value> = self
            .deployment_tags
            .iter()
            .map(|(key, value)| ((*key).to_owned(), Value::from(value.as_str())))
            .collect();
        let trust = match &self.trusted_entity {
            // Whom else to trust, only the operator can tell.
            TrustedEntity::Heeler(trust) if !trust.can_be_written() => {
                State::default().with_optional("trust", None::<Value>)
            }
            _ => trust_state(&self.trust_policy()),
        };
        trust
            .with("description", self.description)
            .with("tags", Value::Object(notes))
    }

    fn properties(&self) -> Properties {
        Properties {
            // By its tags: where the deployment is, and for which bucket.
            is_anchor: !self.deployment_tags.is_empty(),
            ..Properties::default()
        }
    }

    fn ownership_tags(&self) -> Vec<(&'static str, String)> {
        self.ownership.to_vec()
    }

    fn reason(&self, change: &Change) -> Option<String> {
        let says = match change.field {
            "external_id" => "until Heeler is given the new id, it cannot assume the role",
            "trust" if change.after.is_none() => {
                "setup needs --heeler-role-arn to put it right, with the value that Heeler shows"
            }
            "trust" if matches!(self.trusted_entity, TrustedEntity::Heeler(_)) => {
                "who is not named any more cannot assume the role"
            }
            _ => return None,
        };
        let told = [deleted_principals_reason(change), Some(says.to_owned())];
        Some(told.into_iter().flatten().collect::<Vec<_>>().join("; "))
    }

    fn shared_documents(&self, _: &KnownOutputs) -> Vec<ResourceId> {
        vec![documents::id(documents::ROLE_TRUST, self.name())]
    }

    fn retry_budget(&self, refusal: &Error) -> Option<Duration> {
        let spreading = refusal.matches("MalformedPolicyDocument", "Invalid principal in policy")
            || refusal.has_code("ConcurrentModification")
            || refusal.has_code("DeleteConflict");
        spreading.then_some(PROPAGATION_TIMEOUT)
    }
}

#[async_trait]
impl Resource<Aws> for Role {
    async fn read(&self, aws: &Aws, _: &KnownOutputs) -> Result<Option<Actual>> {
        let Some(role) = get_role(aws, self.name()).await? else {
            return Ok(None);
        };
        let document = trust_policy_of(&role);
        let wanted = |key: &str| self.deployment_tags.iter().any(|(note, _)| *note == key);
        let notes: Map<String, Value> = role
            .tags()
            .iter()
            .filter(|tag| wanted(tag.key()))
            .map(|tag| (tag.key().to_owned(), Value::from(tag.value())))
            .collect();
        Ok(Some(Actual {
            state: trust_state(&document)
                .with("description", role.description().unwrap_or_default())
                .with(
                    "tags",
                    Value::Object(in_order_of(notes, &self.deployment_tags)),
                )
                .with(
                    observed::TAGS,
                    observed::tags(role.tags().iter().map(|tag| (tag.key(), tag.value()))),
                ),
            outputs: Outputs::new(),
            ownership: self
                .ownership
                .ownership(role.tags().iter().map(|tag| (tag.key(), tag.value()))),
        }))
    }

    async fn create(&self, aws: &Aws, want: &State, _: &KnownOutputs) -> Result<Outputs> {
        let mut call = aws
            .iam
            .create_role()
            .role_name(self.name())
            .description(self.description)
            .assume_role_policy_document(policy_text(want, "trust"));
        for tag in self.sdk_tags(want)? {
            call = call.tags(tag);
        }
        call.send()
            .await
            .context_for("iam:CreateRole", || format!("create {}", self.id()))
            .map_err(|refusal| self.with_principal_hint(refusal))?;
        Ok(Outputs::new())
    }

    async fn update(&self, aws: &Aws, live: &Actual, want: &State, _: &KnownOutputs) -> Result<()> {
        let differs = |field: &str| live.state.get(field) != want.get(field);
        if differs("trust") || differs("external_id") {
            aws.iam
                .update_assume_role_policy()
                .role_name(self.name())
                .policy_document(policy_text(want, "trust"))
                .send()
                .await
                .context_for("iam:UpdateAssumeRolePolicy", || {
                    format!("change the trust of {}", self.id())
                })
                .map_err(|refusal| self.with_principal_hint(refusal))?;
        }
        if differs("description") {
            aws.iam
                .update_role()
                .role_name(self.name())
                .description(want.text("description").unwrap_or_default())
                .send()
                .await
                .context_for("iam:UpdateRole", || format!("describe {}", self.id()))?;
        }
        if differs("tags") {
            self.update_tags(aws, live, want).await?;
        }
        Ok(())
    }

    /// Notes and all, so that the deployment is found from then on.
    async fn take_ownership(&self, aws: &Aws, _: &Actual) -> Result<()> {
        aws.iam
            .tag_role()
            .role_name(self.name())
            .set_tags(Some(
                self.sdk_tags(&self.desired(&KnownOutputs::default()))?,
            ))
            .send()
            .await
            .context_for("iam:TagRole", || format!("tag {}", self.id()))?;
        Ok(())
    }

    async fn delete(&self, aws: &Aws, _: &Actual) -> Result<()> {
        aws.iam
            .delete_role()
            .role_name(self.name())
            .send()
            .await
            .optional_for("iam:DeleteRole", NO_ENTITY, || {
                format!("delete {}", self.id())
            })?;
        Ok(())
    }
}

impl Role {
    fn name(&self) -> &str {
        arn::resource_name(&self.arn)
    }

    fn trust_policy(&self) -> Value {
        iam::document(vec![match &self.trusted_entity {
            TrustedEntity::Heeler(trust) => json!({
                "Sid": TRUST_SID,
                "Effect": "Allow",
                "Action": ["sts:AssumeRole"],
                "Principal": { "AWS": trust.principals },
                "Condition": { "StringEquals": { "sts:ExternalId": trust.external_id.expose() } },
            }),
            TrustedEntity::Lambda => json!({
                "Sid": "LambdaAssumeRole",
                "Effect": "Allow",
                "Action": ["sts:AssumeRole"],
                "Principal": { "Service": "lambda.amazonaws.com" },
            }),
        }])
    }

    /// All of them are written, also those that make it ours; what is not wanted any more goes.
    async fn update_tags(&self, aws: &Aws, live: &Actual, want: &State) -> Result<()> {
        let wanted = deployment_tags_of(want);
        let too_many: Vec<String> = deployment_tags_of(&live.state)
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
                .context_for("iam:UntagRole", || format!("untag {}", self.id()))?;
        }
        aws.iam
            .tag_role()
            .role_name(self.name())
            .set_tags(Some(self.sdk_tags(want)?))
            .send()
            .await
            .context_for("iam:TagRole", || format!("tag {}", self.id()))?;
        Ok(())
    }

    fn sdk_tags(&self, want: &State) -> Result<Vec<Tag>> {
        let marks = self.ownership.iter();
        let marks = marks.map(|(key, value)| (key.to_owned(), value.to_owned()));
        marks
            .chain(deployment_tags_of(want))
            .map(|(key, value)| {
                Tag::builder()
                    .key(&key)
                    .value(value)
                    .build()
                    .map_err(|why| Error::failed(format!("write the tag {key}"), why.to_string()))
            })
            .collect()
    }

    /// A principal that does not exist and one that has not spread yet are refused alike.
    fn with_principal_hint(&self, refusal: Error) -> Error {
        let TrustedEntity::Heeler(trust) = &self.trusted_entity else {
            return refusal;
        };
        if !refusal.matches("MalformedPolicyDocument", "Invalid principal in policy") {
            return refusal;
        }
        refusal.with_hint(format!(
            "IAM knows no such role: check --heeler-role-arn against the value that Heeler shows ({})",
            trust.principals.join(", ")
        ))
    }
}

/// The role of that name, if there is one.
///
/// # Errors
/// When the question was refused.
pub async fn get_role(aws: &Aws, name: &str) -> Result<Option<Found>> {
    aws.iam
        .get_role()
        .role_name(name)
        .send()
        .await
        .optional_for("iam:GetRole", NO_ENTITY, || {
            format!("look for iam role {name}")
        })
        .map(|found| found.and_then(|found| found.role))
}

/// Whom a role trusts, read from its trust policy; nothing when the policy is not of our form. Somebody may have added
/// statements to it.
#[must_use]
pub fn parse_trust(role: &Found) -> Option<HeelerTrust> {
    let document = trust_policy_of(role);
    let statement = match document.get("Statement")?.as_array()?.as_slice() {
        [only] => only,
        several => several
            .iter()
            .find(|statement| statement.get("Sid").is_some_and(|sid| sid == TRUST_SID))?,
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
    Some(HeelerTrust {
        principals,
        external_id: ExternalId::new(external_id),
    })
}

pub(super) fn trust_policy_of(role: &Found) -> Value {
    iam::parse_encoded_document(role.assume_role_policy_document().unwrap_or_default())
}

/// The tags of a state that tell of the deployment.
fn deployment_tags_of(state: &State) -> BTreeMap<String, String> {
    let notes = state.get("tags").and_then(Value::as_object);
    let notes = notes.into_iter().flatten();
    notes
        .map(|(key, value)| (key.clone(), value.as_str().unwrap_or_default().to_owned()))
        .collect()
}

/// The trust policy with the external id taken out of it, so that one can be shown and the other not.
fn trust_state(document: &Value) -> State {
    let mut masked = iam::canonical(document);
    let mut ids = Vec::new();
    extract_external_ids(&mut masked, &mut ids);
    State::default()
        .with_document("trust", masked, document.clone())
        .with_secret("external_id", ids)
}

fn extract_external_ids(value: &mut Value, ids: &mut Vec<Value>) {
    match value {
        Value::Object(fields) => {
            for (name, value) in fields.iter_mut() {
                if name.eq_ignore_ascii_case("sts:ExternalId") {
                    ids.push(std::mem::replace(value, Value::from(EXTERNAL_ID_MASK)));
                } else {
                    extract_external_ids(value, ids);
                }
            }
        }
        Value::Array(items) => items
            .iter_mut()
            .for_each(|item| extract_external_ids(item, ids)),
        _ => {}
    }
}

/// In the order of the notes, since tags come back in any.
fn in_order_of(
    mut found: Map<String, Value>,
    notes: &[(&'static str, String)],
) -> Map<String, Value> {
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

    fn trust(external_id: &str) -> HeelerTrust {
        HeelerTrust {
            principals: vec!["arn:aws:iam::999988887777:role/heeler".into()],
            external_id: ExternalId::new(external_id),
        }
    }

    fn role() -> Role {
        Role {
            arn: "arn:aws:iam::111122223333:role/heeler_event_collection_sqs_role".into(),
            description: "Role for Heeler to assume to harvest SQS queue.",
            trusted_entity: TrustedEntity::Heeler(trust("very-secret-id+1")),
            ownership: OwnershipTags { option: "s3" },
            deployment_tags: vec![("heeler-ec:region", "us-east-1".into())],
        }
    }

    fn iam_role(document: &str) -> Found {
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
    fn written_trust_policy_parses_back() {
        let encoded = percent_encoding::utf8_percent_encode(
            &role().trust_policy().to_string(),
            percent_encoding::NON_ALPHANUMERIC,
        )
        .to_string();
        assert_eq!(
            parse_trust(&iam_role(&encoded)),
            Some(trust("very-secret-id+1"))
        );
    }

    #[test]
    fn debug_output_masks_external_id() {
        let shown = format!(
            "{:?} {:?}",
            role().desired(&KnownOutputs::default()),
            trust("very-secret-id+1")
        );
        assert!(!shown.contains("very-secret-id"), "{shown}");
    }

    #[test]
    fn changed_external_id_is_a_difference() {
        let mut other = role();
        other.trusted_entity = TrustedEntity::Heeler(trust("another-id"));
        let changes = crate::reconcile::diff::diff(
            &role().desired(&KnownOutputs::default()),
            &other.desired(&KnownOutputs::default()),
        );
        let fields: Vec<_> = changes.iter().map(|change| change.field).collect();
        assert_eq!(fields, ["external_id"]);
    }

    #[test]
    fn added_trust_statements_are_ignored() {
        let mut document = role().trust_policy();
        let statements = document["Statement"].as_array_mut().unwrap();
        statements.insert(
            0,
            json!({ "Sid": "Theirs", "Principal": { "AWS": "AROAEXAMPLE" } }),
        );
        assert_eq!(
            parse_trust(&iam_role(&document.to_string())),
            Some(trust("very-secret-id+1"))
        );
    }

    #[test]
    fn unwritable_trust_is_unknown() {
        let nobody = HeelerTrust::empty();
        let dead = HeelerTrust {
            principals: vec!["AROAEXAMPLE".into()],
            ..trust("very-secret-id")
        };
        for unsound in [nobody, dead] {
            let mut other = role();
            other.trusted_entity = TrustedEntity::Heeler(unsound);
            let live = trust_state(&other.trust_policy())
                .with("description", "")
                .with("tags", json!({}));
            let changes =
                crate::reconcile::diff::diff(&live, &other.desired(&KnownOutputs::default()));
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
    fn unrecognized_trust_policy_has_no_trust() {
        assert_eq!(
            parse_trust(&iam_role(
                r#"{"Statement":[{"Principal":{"Service":"x"}}]}"#
            )),
            None
        );
        assert_eq!(parse_trust(&iam_role("not json")), None);
    }
}
