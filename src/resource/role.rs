//! An IAM role with its trust policy and the tags that identify a deployment.

use std::collections::BTreeMap;
use std::time::Duration;

use async_trait::async_trait;
use aws_sdk_iam::types::Tag;
use serde_json::{Map, Value};

use super::iam_users::{attached_to_role, explain_conflict};
use super::kind::ResourceKind;
use super::{
    PROPAGATION_TIMEOUT, RUN_TAG, deleted_principals_reason, extra_tags, observed, policy_text,
};
use crate::aws::error::AwsResultExt;
use crate::aws::{Aws, arn, lookup, not_found};
use crate::error::{Error, Result};
use crate::ownership::OwnershipTags;
use crate::reconcile::diff::Change;
use crate::reconcile::graph::{Handle, Output, ResourceId};
use crate::reconcile::state::State;
use crate::reconcile::{
    Actual, KnownOutputs, OtherUsers, Outputs, Properties, Resource, ResourceSpec,
};
use crate::shared_document::kind::DocumentKind;
use crate::shared_document::role_trust::{trust_policy, trust_policy_of, trust_state};

pub use crate::shared_document::role_trust::TrustedEntity;

pub struct Role {
    pub arn: String,
    pub description: &'static str,
    pub trusted_entity: TrustedEntity,
    /// ARN of the permissions boundary; `None` keeps the current boundary of the role.
    pub permissions_boundary: Option<String>,
    pub ownership: OwnershipTags,
    /// The tags that describe the deployment. Only the role that identifies the deployment has these tags.
    pub deployment_tags: Vec<(&'static str, String)>,
    /// ARN of the managed policy of the role. All other policies on it are those of others.
    pub own_policy: String,
    /// The ID of this run, which a new role stores in a tag. `None` for a role that does not serve as a lock.
    pub run_id: Option<String>,
}

impl Handle<Role> {
    #[must_use]
    pub fn arn(&self) -> Output {
        self.output("arn")
    }
}

/// The state field of the permissions boundary.
const BOUNDARY: &str = "permissions_boundary";

impl ResourceSpec for Role {
    fn id(&self) -> ResourceId {
        ResourceKind::IamRole.id(self.name())
    }

    fn dependencies(&self) -> Vec<Output> {
        Vec::new()
    }

    fn static_outputs(&self) -> Outputs {
        Outputs::from([("arn", self.arn.clone())])
    }

    fn desired(&self, _: &KnownOutputs) -> State {
        let tags: Map<String, Value> = self
            .deployment_tags
            .iter()
            .map(|(key, value)| ((*key).to_owned(), Value::from(value.as_str())))
            .collect();
        let trust = match &self.trusted_entity {
            // These principals cannot be written. Only the operator can specify another principal.
            TrustedEntity::Heeler(trust) if !trust.can_be_written() => {
                State::default().with_optional("trust", None::<Value>)
            }
            entity => trust_state(&trust_policy(entity)),
        };
        let state = trust
            .with("description", self.description)
            .with("tags", Value::Object(tags));
        let state = match &self.permissions_boundary {
            Some(boundary) => state.with(BOUNDARY, boundary.as_str()),
            None => state,
        };
        extra_tags::with_wanted(state, &self.ownership)
    }

    fn properties(&self) -> Properties {
        Properties {
            // The tags of this role identify the deployment.
            is_anchor: !self.deployment_tags.is_empty(),
            irreversible_fields: extra_tags::FIELDS,
            ..Properties::default()
        }
    }

    fn ownership_tags(&self) -> Vec<(String, String)> {
        self.ownership.to_vec()
    }

    /// Compares the tag with the ID of this run, because two runs may create exactly the same role.
    fn is_own_creation(&self, actual: &Actual) -> bool {
        self.run_id
            .as_deref()
            .is_none_or(|own| actual.state.text(observed::RUN) == Some(own))
    }

    fn reason(&self, change: &Change) -> Option<String> {
        let reason = match change.field {
            "external_id" => "Heeler cannot assume the role until it has the new external ID",
            "trust" if change.after.is_none() => {
                "to repair it, setup needs --heeler-role-arn with the role ARN that Heeler provides"
            }
            "trust" if matches!(self.trusted_entity, TrustedEntity::Heeler(_)) => {
                "principals that are no longer listed cannot assume the role"
            }
            _ => return None,
        };
        let reasons = [deleted_principals_reason(change), Some(reason.to_owned())];
        Some(reasons.into_iter().flatten().collect::<Vec<_>>().join("; "))
    }

    fn shared_documents(&self, _: &KnownOutputs) -> Vec<ResourceId> {
        vec![DocumentKind::RoleTrust.id(self.name())]
    }

    fn retry_budget(&self, refusal: &Error) -> Option<Duration> {
        let is_transient = refusal
            .matches("MalformedPolicyDocument", "Invalid principal in policy")
            || refusal.has_code("ConcurrentModification")
            || refusal.has_code("DeleteConflict");
        is_transient.then_some(PROPAGATION_TIMEOUT)
    }
}

#[async_trait]
impl Resource<Aws> for Role {
    async fn read(&self, aws: &Aws, _: &KnownOutputs) -> Result<Option<Actual>> {
        let Some(role) = lookup::role(aws, self.name()).await? else {
            return Ok(None);
        };
        let tags = || role.tags().iter().map(|tag| (tag.key(), tag.value()));
        // The tags are in the order of the desired tags, because IAM returns tags in any order.
        let deployment_tags: Map<String, Value> = self
            .deployment_tags
            .iter()
            .filter_map(|(key, _)| tags().find(|(found, _)| found == key))
            .map(|(key, value)| (key.to_owned(), Value::from(value)))
            .collect();
        let mut state = trust_state(&trust_policy_of(&role))
            .with("description", role.description().unwrap_or_default())
            .with("tags", Value::Object(deployment_tags))
            .with_optional(observed::MAX_SESSION_SECONDS, role.max_session_duration())
            .with(observed::PATH, role.path())
            .with_optional(
                observed::RUN,
                tags()
                    .find(|(key, _)| *key == RUN_TAG)
                    .map(|(_, value)| value),
            )
            .with(observed::TAGS, observed::tags(tags()));
        let boundary = role.permissions_boundary();
        if let Some(boundary) = boundary.and_then(|found| found.permissions_boundary_arn()) {
            state = state.with(BOUNDARY, boundary);
        }
        Ok(Some(Actual {
            state: extra_tags::with_found(state, &self.ownership, tags()),
            outputs: Outputs::new(),
            ownership: self.ownership.ownership(tags()),
        }))
    }

    async fn create(&self, aws: &Aws, want: &State, _: &KnownOutputs) -> Result<Outputs> {
        let mut call = aws
            .iam
            .create_role()
            .role_name(self.name())
            .path(arn::role_path(&self.arn))
            .description(self.description)
            .assume_role_policy_document(policy_text(want, "trust"))
            .set_permissions_boundary(want.text(BOUNDARY).map(str::to_owned));
        for tag in self.sdk_tags(want)? {
            call = call.tags(tag);
        }
        if let Some(run) = &self.run_id {
            call = call.tags(build_tag(RUN_TAG, run)?);
        }
        call.send()
            .await
            .context_for("iam:CreateRole", || format!("create {}", self.id()))
            .map_err(|refusal| self.with_principal_hint(refusal))?;
        Ok(Outputs::new())
    }

    async fn update(
        &self,
        aws: &Aws,
        actual: &Actual,
        want: &State,
        _: &KnownOutputs,
    ) -> Result<()> {
        let differs = |field: &str| actual.state.get(field) != want.get(field);
        if differs("trust") || differs("external_id") {
            aws.iam
                .update_assume_role_policy()
                .role_name(self.name())
                .policy_document(policy_text(want, "trust"))
                .send()
                .await
                .context_for("iam:UpdateAssumeRolePolicy", || {
                    format!("update the trust policy of {}", self.id())
                })
                .map_err(|refusal| self.with_principal_hint(refusal))?;
        }
        if differs("description") {
            // IAM resets the maximum session duration to one hour if the call omits it.
            let duration = actual.state.get(observed::MAX_SESSION_SECONDS);
            aws.iam
                .update_role()
                .role_name(self.name())
                .description(want.text("description").unwrap_or_default())
                .set_max_session_duration(
                    duration
                        .and_then(Value::as_i64)
                        .and_then(|seconds| i32::try_from(seconds).ok()),
                )
                .send()
                .await
                .context_for("iam:UpdateRole", || {
                    format!("update the description of {}", self.id())
                })?;
        }
        if self.permissions_boundary.is_some() && differs(BOUNDARY) {
            self.set_boundary(aws, want.text(BOUNDARY)).await?;
        }
        if differs("tags") || extra_tags::must_write(&actual.state, want) {
            self.update_tags(aws, actual, want).await?;
        }
        Ok(())
    }

    /// Also writes the deployment tags, so that later runs find the deployment.
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
        let operation = || format!("delete {}", self.id());
        let deleted = aws.iam.delete_role().role_name(self.name()).send().await;
        match deleted.optional_for("iam:DeleteRole", not_found::IAM_ENTITY, operation) {
            Ok(_) => Ok(()),
            Err(refusal) => {
                let others = attached_to_role(aws, self.name(), &self.own_policy);
                Err(explain_conflict(refusal, &operation(), others).await)
            }
        }
    }

    /// Returns nothing if the caller may not list it. IAM then refuses the deletion.
    async fn used_by(&self, aws: &Aws) -> Result<OtherUsers> {
        match attached_to_role(aws, self.name(), &self.own_policy).await {
            Err(refusal) if refusal.is_denied() => Ok(OtherUsers::default()),
            found => found,
        }
    }
}

impl Role {
    fn name(&self) -> &str {
        arn::resource_name(&self.arn)
    }

    /// Sets the permissions boundary, or removes it.
    async fn set_boundary(&self, aws: &Aws, boundary: Option<&str>) -> Result<()> {
        let doing = || format!("set the permissions boundary of {}", self.id());
        if let Some(boundary) = boundary {
            let call = aws.iam.put_role_permissions_boundary();
            let call = call.role_name(self.name()).permissions_boundary(boundary);
            call.send()
                .await
                .context_for("iam:PutRolePermissionsBoundary", doing)?;
        } else {
            let call = aws.iam.delete_role_permissions_boundary();
            call.role_name(self.name())
                .send()
                .await
                .context_for("iam:DeleteRolePermissionsBoundary", doing)?;
        }
        Ok(())
    }

    /// Writes all tags, including those that record ownership, and removes deployment tags that are no longer desired.
    async fn update_tags(&self, aws: &Aws, actual: &Actual, want: &State) -> Result<()> {
        let wanted = deployment_tags_of(want);
        let obsolete: Vec<String> = deployment_tags_of(&actual.state)
            .into_keys()
            .filter(|key| !wanted.contains_key(key))
            .collect();
        if !obsolete.is_empty() {
            aws.iam
                .untag_role()
                .role_name(self.name())
                .set_tag_keys(Some(obsolete))
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
        let ownership = self.ownership.iter();
        let ownership = ownership.map(|(key, value)| (key.to_owned(), value.to_owned()));
        ownership
            .chain(deployment_tags_of(want))
            .map(|(key, value)| build_tag(&key, &value))
            .collect()
    }

    /// Adds a hint to the error for a rejected principal. IAM returns the same error for a missing principal and for a
    /// new principal that is not visible yet.
    fn with_principal_hint(&self, refusal: Error) -> Error {
        let TrustedEntity::Heeler(trust) = &self.trusted_entity else {
            return refusal;
        };
        if !refusal.matches("MalformedPolicyDocument", "Invalid principal in policy") {
            return refusal;
        }
        refusal.with_hint(format!(
            "IAM cannot find this role ({}): compare --heeler-role-arn with the role ARN that Heeler provides",
            trust.principals.join(", ")
        ))
    }
}

fn build_tag(key: &str, value: &str) -> Result<Tag> {
    let tag = Tag::builder().key(key).value(value).build();
    tag.map_err(|why| Error::failed(format!("write the tag {key}"), why.to_string()))
}

fn deployment_tags_of(state: &State) -> BTreeMap<String, String> {
    let tags = state.get("tags").and_then(Value::as_object);
    tags.into_iter()
        .flatten()
        .map(|(key, value)| (key.clone(), value.as_str().unwrap_or_default().to_owned()))
        .collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::ownership::OptionName;
    use crate::reconcile::diff::diff;
    use crate::secret::ExternalId;
    use crate::shared_document::role_trust::HeelerTrust;

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
            permissions_boundary: None,
            ownership: OwnershipTags {
                option: OptionName {
                    name: "s3",
                    arguments: "--option s3",
                    all: &["s3", "cloudwatch"],
                },
                extra: Vec::new(),
            },
            deployment_tags: vec![("heeler-ec:region", "us-east-1".into())],
            own_policy: "arn:aws:iam::111122223333:policy/policy".into(),
            run_id: None,
        }
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
        let changes = diff(
            &role().desired(&KnownOutputs::default()),
            &other.desired(&KnownOutputs::default()),
        );
        let fields: Vec<_> = changes.iter().map(|change| change.field).collect();
        assert_eq!(fields, ["external_id"]);
    }

    #[test]
    fn unwritable_trust_is_unknown() {
        let deleted = HeelerTrust {
            principals: vec!["AROAEXAMPLE".into()],
            ..trust("very-secret-id")
        };
        for unwritable in [HeelerTrust::empty(), deleted] {
            let mut other = role();
            other.trusted_entity = TrustedEntity::Heeler(unwritable);
            let actual = trust_state(&trust_policy(&other.trusted_entity))
                .with("description", "")
                .with("tags", json!({}));
            let changes = diff(&actual, &other.desired(&KnownOutputs::default()));
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
}
