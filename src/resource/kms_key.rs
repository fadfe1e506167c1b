//! A customer managed KMS key: its policy and its yearly rotation. The key is found by its alias. If a run was
//! interrupted before it created the alias, the key is found by its tags.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, SystemTime};

use async_trait::async_trait;
use aws_sdk_kms::config::retry::RetryConfig;
use aws_sdk_kms::primitives::{DateTime, DateTimeFormat as Format};
use aws_sdk_kms::types::{KeyMetadata, KeyState, Tag};
use serde_json::Value;
use tokio::time::Instant;
use tokio::try_join;

use super::kind::ResourceKind;
use super::kms_orphaned_keys::{ADOPTION_TIME_TAG, ALIAS_TAG, KeyOrigin, OrphanedKeys, is_usable};
use super::kms_tag_propagation::TagPropagation;
use super::{
    PROPAGATION_TIMEOUT, RUN_TAG, deleted_principals_reason, extra_tags, observed, policy_text,
    with_policy,
};
use crate::aws::Aws;
use crate::aws::arn;
use crate::aws::error::AwsResultExt;
use crate::aws::kms_keys::{describe_key, list_aliases, list_tags};
use crate::aws::not_found;
use crate::error::{Error, Result};
use crate::iam;
use crate::ownership::OwnershipTags;
use crate::reconcile::diff::Change;
use crate::reconcile::graph::{Handle, Output, ResourceId};
use crate::reconcile::state::State;
use crate::reconcile::{
    Actual, Duplicate, KnownOutputs, OtherUsers, Outputs, Properties, Resource, ResourceSpec,
};
use crate::shared_document::kind::DocumentKind;

pub struct KmsKey {
    /// The name of the key's alias. The alias itself is a separate resource.
    pub alias: String,
    pub description: &'static str,
    pub policy: Value,
    pub ownership: OwnershipTags,
    pub tag_propagation: TagPropagation,
    pub unresolved_create: UnresolvedCreate,
    /// A unique ID of this run, which a new key gets as a tag. A rollback deletes only keys with this tag, because
    /// another run may have completed the same interrupted setup.
    pub run_id: String,
}

impl Handle<KmsKey> {
    #[must_use]
    pub fn arn(&self) -> Output {
        self.output("arn")
    }
}

/// The only name that a key policy can have.
const POLICY_NAME: &str = "default";
/// The time to repeat `CreateKey` after an error that the SDK would retry.
const CREATE_RETRY_TIMEOUT: Duration = Duration::from_secs(60);
/// The time to search for a key if `CreateKey` may have succeeded without a response. After this time, another key is
/// created. `ListKeys` returns a new key with a delay.
const LISTING_DELAY: Duration = Duration::from_secs(15);
/// The shortest waiting period that AWS allows before a key is deleted.
const DELETION_WINDOW_DAYS: i32 = 7;

impl ResourceSpec for KmsKey {
    fn id(&self) -> ResourceId {
        ResourceKind::KmsKey.id(self.alias.trim_start_matches("alias/"))
    }

    fn dependencies(&self) -> Vec<Output> {
        Vec::new()
    }

    fn desired(&self, _: &KnownOutputs) -> State {
        let state = State::default()
            .with("description", self.description)
            .with("enabled", true)
            .with("rotation", true);
        let state = with_policy(state, "policy", &self.policy);
        extra_tags::with_wanted(state, &self.ownership)
    }

    fn properties(&self) -> Properties {
        let days = u64::from(DELETION_WINDOW_DAYS.unsigned_abs());
        Properties {
            deletion_delay: Some(Duration::from_secs(days * 86_400)),
            irreversible_fields: extra_tags::FIELDS,
            ..Properties::default()
        }
    }

    fn ownership_tags(&self) -> Vec<(String, String)> {
        let mut marks = self.ownership.to_vec();
        marks.push((ALIAS_TAG.to_owned(), self.alias.clone()));
        marks
    }

    fn is_own_creation(&self, actual: &Actual) -> bool {
        actual.state.text(observed::RUN) == Some(&self.run_id)
    }

    fn reason(&self, change: &Change) -> Option<String> {
        deleted_principals_reason(change)
    }

    fn shared_documents(&self, known: &KnownOutputs) -> Vec<ResourceId> {
        let own = Output {
            resource: self.id(),
            name: "arn",
        };
        let arn = known.get(&own).into_iter();
        arn.map(|arn| DocumentKind::KeyPolicy.id(arn)).collect()
    }

    fn retry_budget(&self, refusal: &Error) -> Option<Duration> {
        // A new principal or a new key may not have reached all KMS servers yet.
        let is_propagating = refusal.has_code("MalformedPolicyDocumentException")
            || refusal.has_any_code(not_found::KEY);
        // The SDK retries these errors in all other calls. SDK retries are disabled for key creation.
        let is_temporary = refusal.required_permission() == Some("kms:CreateKey")
            && (is_throttled(refusal) || is_ambiguous(refusal));
        is_propagating
            .then_some(PROPAGATION_TIMEOUT)
            .or(is_temporary.then_some(CREATE_RETRY_TIMEOUT))
            .or_else(|| self.tag_propagation.retry_budget(refusal))
    }

    fn retry_reason(&self, refusal: &Error) -> String {
        self.tag_propagation.retry_reason(refusal)
    }
}

#[async_trait]
impl Resource<Aws> for KmsKey {
    async fn read(&self, aws: &Aws, known: &KnownOutputs) -> Result<Option<Actual>> {
        let own = Output {
            resource: self.id(),
            name: "arn",
        };
        if let Some(arn) = known.get(&own) {
            return self.read_key(aws, &arn).await;
        }
        if let Some(key) = describe_key(aws, &self.alias).await?
            && is_usable(&key)
        {
            return self.read_key(aws, key.arn().unwrap_or(key.key_id())).await;
        }
        match self.orphaned_keys().find(aws, KeyOrigin::Any).await? {
            Some(arn) => self.read_key(aws, &arn).await,
            None => Ok(None),
        }
    }

    async fn create(&self, aws: &Aws, _: &State, _: &KnownOutputs) -> Result<Outputs> {
        if let Some(failure) = self.unresolved_create.pending_failure() {
            return match self.orphaned_keys().find(aws, KeyOrigin::ThisRun).await {
                Ok(Some(arn)) => Ok(self.finish_create(aws, arn).await),
                _ => Err(failure),
            };
        }
        let mut tags = self.sdk_tags()?;
        tags.push(build_tag(RUN_TAG, &self.run_id)?);
        let call = aws
            .kms
            .create_key()
            .description(self.description)
            .policy(self.policy.to_string())
            .set_tags(Some(tags));
        // A retry by the SDK after a lost response would create a second key.
        let once = aws_sdk_kms::config::Builder::new().retry_config(RetryConfig::disabled());
        let created = call
            .customize()
            .config_override(once)
            .send()
            .await
            .context_for("kms:CreateKey", || format!("create {}", self.id()));
        let arn = match created {
            Ok(created) => created.key_metadata.and_then(|key| key.arn),
            Err(refusal) if refusal.is_denied() || is_throttled(&refusal) => return Err(refusal),
            Err(refusal) => {
                let found = self.orphaned_keys().find(aws, KeyOrigin::ThisRun).await;
                let Ok(Some(arn)) = found else {
                    if is_ambiguous(&refusal) {
                        self.unresolved_create.record(&refusal);
                    }
                    return Err(refusal);
                };
                Some(arn)
            }
        };
        let arn = arn
            .ok_or_else(|| Error::failed(format!("create {}", self.id()), "AWS returned no ARN"))?;
        Ok(self.finish_create(aws, arn).await)
    }

    async fn update(
        &self,
        aws: &Aws,
        actual: &Actual,
        want: &State,
        _: &KnownOutputs,
    ) -> Result<()> {
        if extra_tags::must_write(&actual.state, want) {
            self.take_ownership(aws, actual).await?;
        }
        let key = actual.require("arn")?;
        let differs = |field: &str| actual.state.get(field) != want.get(field);
        let is = |field: &str| want.get(field).is_some_and(|value| value == true);
        // A disabled key rejects all other changes. It is therefore enabled first and disabled last.
        if differs("enabled") && is("enabled") {
            self.enable(aws, key).await?;
        }
        if differs("rotation") {
            self.set_rotation(aws, key, is("rotation")).await?;
        }
        if differs("description") {
            aws.kms
                .update_key_description()
                .key_id(key)
                .description(want.text("description").unwrap_or_default())
                .send()
                .await
                .context_for("kms:UpdateKeyDescription", || {
                    format!("describe {}", self.id())
                })?;
        }
        if differs("policy") {
            aws.kms
                .put_key_policy()
                .key_id(key)
                .policy_name(POLICY_NAME)
                .policy(policy_text(want, "policy"))
                .send()
                .await
                .context_for("kms:PutKeyPolicy", || {
                    format!("update the policy of {}", self.id())
                })?;
        }
        if differs("enabled") && !is("enabled") {
            self.disable(aws, key).await?;
        }
        Ok(())
    }

    async fn take_ownership(&self, aws: &Aws, actual: &Actual) -> Result<()> {
        let mut tags = self.sdk_tags()?;
        if !actual.is_managed() {
            let now = DateTime::from(SystemTime::now()).fmt(Format::DateTime);
            let now =
                now.map_err(|why| Error::failed(format!("tag {}", self.id()), why.to_string()))?;
            tags.push(build_tag(ADOPTION_TIME_TAG, &now)?);
        }
        aws.kms
            .tag_resource()
            .key_id(actual.require("arn")?)
            .set_tags(Some(tags))
            .send()
            .await
            .context_for("kms:TagResource", || format!("tag {}", self.id()))?;
        self.tag_propagation.start();
        Ok(())
    }

    /// Schedules the deletion, because KMS cannot delete a key immediately. A key counts as deleted once its deletion
    /// is scheduled.
    async fn delete(&self, aws: &Aws, actual: &Actual) -> Result<()> {
        let scheduled = aws
            .kms
            .schedule_key_deletion()
            .key_id(actual.require("arn")?)
            .pending_window_in_days(DELETION_WINDOW_DAYS)
            .send()
            .await
            .optional_for("kms:ScheduleKeyDeletion", not_found::KEY, || {
                format!("schedule the deletion of {}", self.id())
            });
        match scheduled {
            Err(error) if error.matches("KMSInvalidStateException", "pending deletion") => Ok(()),
            other => other.map(drop),
        }
    }

    /// Deletes the key, and another one of this run that a lost response of `CreateKey` may have left.
    async fn undo_create(&self, aws: &Aws, actual: &Actual) -> Result<()> {
        self.delete(aws, actual).await?;
        for duplicate in self.other_keys(aws, actual, KeyOrigin::ThisRun).await? {
            self.delete(aws, &duplicate.actual).await?;
        }
        Ok(())
    }

    async fn duplicates(&self, aws: &Aws, actual: &Actual) -> Result<Vec<Duplicate>> {
        self.other_keys(aws, actual, KeyOrigin::AnyRun).await
    }

    /// Lists the aliases that others gave to the key.
    async fn used_by(&self, aws: &Aws) -> Result<OtherUsers> {
        let key = describe_key(aws, &self.alias).await?;
        let Some(key) = key.filter(is_usable) else {
            return Ok(OtherUsers::default());
        };
        let aliases = list_aliases(aws).await?.into_iter();
        let others = aliases.filter(|(name, id)| id == key.key_id() && *name != self.alias);
        Ok(OtherUsers {
            relation: "has other aliases",
            users: others.map(|(name, _)| name).collect(),
            release_commands: Vec::new(),
        })
    }
}

/// Returns true if KMS refused the call before it processed it, because of the request rate. No key was created. Source:
/// <https://docs.aws.amazon.com/kms/latest/developerguide/throttling.html>.
fn is_throttled(refusal: &Error) -> bool {
    refusal.has_code("ThrottlingException")
}

/// Returns true if a key may have been created although the call failed.
fn is_ambiguous(refusal: &Error) -> bool {
    let is_quota = refusal.has_code("LimitExceededException");
    let is_certain = is_quota || is_throttled(refusal);
    refusal.error_code().is_none() || (refusal.is_transient() && !is_certain)
}

/// A `CreateKey` call whose result is unknown.
#[derive(Debug, Default)]
pub struct UnresolvedCreate(Mutex<Option<(Instant, Error)>>);

impl UnresolvedCreate {
    fn record(&self, failure: &Error) {
        let mut unresolved = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        *unresolved = Some((Instant::now(), failure.clone()));
    }

    /// Returns the failure if the key may still appear in the list of keys.
    fn pending_failure(&self) -> Option<Error> {
        let unresolved = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let (since, failure) = unresolved.as_ref()?;
        (since.elapsed() < LISTING_DELAY).then(|| failure.clone())
    }
}

impl KmsKey {
    /// Completes the creation of a key. This step must not fail, because a retry would create a second key. If rotation
    /// cannot be enabled here, the wait for consistency enables it.
    async fn finish_create(&self, aws: &Aws, arn: String) -> Outputs {
        self.tag_propagation.start();
        let _ = aws.kms.enable_key_rotation().key_id(&arn).send().await;
        Outputs::from([("arn", arn)])
    }

    async fn enable(&self, aws: &Aws, key: &str) -> Result<()> {
        let enabled = aws.kms.enable_key().key_id(key).send().await;
        enabled.context_for("kms:EnableKey", || format!("enable {}", self.id()))?;
        Ok(())
    }

    async fn disable(&self, aws: &Aws, key: &str) -> Result<()> {
        let disabled = aws.kms.disable_key().key_id(key).send().await;
        disabled.context_for("kms:DisableKey", || format!("disable {}", self.id()))?;
        Ok(())
    }

    async fn set_rotation(&self, aws: &Aws, key: &str, on: bool) -> Result<()> {
        let doing = || format!("change the rotation of {}", self.id());
        if on {
            let rotated = aws.kms.enable_key_rotation().key_id(key).send().await;
            rotated.context_for("kms:EnableKeyRotation", doing)?;
        } else {
            let stopped = aws.kms.disable_key_rotation().key_id(key).send().await;
            stopped.context_for("kms:DisableKeyRotation", doing)?;
        }
        Ok(())
    }

    /// Reads a key with its policy, rotation and tags in concurrent calls.
    async fn read_key(&self, aws: &Aws, arn: &str) -> Result<Option<Actual>> {
        let doing = || format!("read {}", self.id());
        let (key, document, rotation, tags) = try_join!(
            describe_key(aws, arn),
            async {
                aws.kms
                    .get_key_policy()
                    .key_id(arn)
                    .policy_name(POLICY_NAME)
                    .send()
                    .await
                    .optional_for("kms:GetKeyPolicy", not_found::KEY_POLICY, doing)
            },
            async {
                aws.kms
                    .get_key_rotation_status()
                    .key_id(arn)
                    .send()
                    .await
                    .optional_for("kms:GetKeyRotationStatus", not_found::KEY_ROTATION, doing)
            },
            list_tags(aws, arn),
        )?;
        let Some(key) = key.filter(is_usable) else {
            return Ok(None);
        };
        let pairs = || tags.iter().map(|tag| (tag.tag_key(), tag.tag_value()));
        if has_new_tags(&key, pairs()) {
            self.tag_propagation.start();
        }
        let document = document.and_then(|found| found.policy).unwrap_or_default();
        let state = State::default()
            .with("description", key.description().unwrap_or_default())
            .with("enabled", key.key_state() == Some(&KeyState::Enabled))
            .with(
                "rotation",
                rotation.is_some_and(|found| found.key_rotation_enabled()),
            )
            .with_optional(
                observed::RUN,
                pairs().find(|(key, _)| *key == RUN_TAG).map(|(_, run)| run),
            )
            .with(observed::TAGS, observed::tags(pairs()));
        let state = with_policy(state, "policy", &iam::parse_document(&document));
        let state = extra_tags::with_found(state, &self.ownership, pairs());
        let arn = key.arn().unwrap_or(arn).to_owned();
        Ok(Some(Actual {
            state,
            outputs: Outputs::from([("arn", arn)]),
            ownership: self.ownership.ownership(pairs()),
        }))
    }

    fn sdk_tags(&self) -> Result<Vec<Tag>> {
        let marks = self.ownership_tags().into_iter();
        marks.map(|(key, value)| build_tag(&key, &value)).collect()
    }

    /// Returns the keys without an alias that were created for this alias, except the key that was read.
    async fn other_keys(
        &self,
        aws: &Aws,
        actual: &Actual,
        origin: KeyOrigin,
    ) -> Result<Vec<Duplicate>> {
        let orphaned = self
            .orphaned_keys()
            .find_all(aws, origin)
            .await?
            .into_iter();
        let others = orphaned.filter(|arn| actual.outputs.get("arn") != Some(arn));
        let duplicates = others.map(|arn| Duplicate {
            id: ResourceKind::KmsKey.id(arn::resource_name(&arn)),
            actual: Actual {
                outputs: Outputs::from([("arn", arn)]),
                ..actual.clone()
            },
        });
        Ok(duplicates.collect())
    }

    fn orphaned_keys(&self) -> OrphanedKeys<'_> {
        OrphanedKeys {
            alias: &self.alias,
            ownership: &self.ownership,
            run_id: &self.run_id,
        }
    }
}

/// Returns true for a key that was created or adopted recently, so that its tags may not affect authorization yet.
fn has_new_tags<'t>(key: &KeyMetadata, tags: impl Iterator<Item = (&'t str, &'t str)>) -> bool {
    let adoptions = tags.filter(|(key, _)| *key == ADOPTION_TIME_TAG);
    let adoptions = adoptions.filter_map(|(_, time)| {
        let time = DateTime::from_str(time, Format::DateTime);
        time.ok()
    });
    let now = DateTime::from(SystemTime::now()).secs();
    let mut times = key.creation_date().copied().into_iter().chain(adoptions);
    // A time in the near future is that of another clock. One in the distant future was written by somebody else.
    times.any(|time| now.abs_diff(time.secs()) < TagPropagation::TIMEOUT.as_secs())
}

fn build_tag(key: &str, value: &str) -> Result<Tag> {
    Tag::builder()
        .tag_key(key)
        .tag_value(value)
        .build()
        .map_err(|why| Error::failed(format!("write the tag {key}"), why.to_string()))
}
