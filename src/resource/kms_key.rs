//! A customer managed KMS key: its policy and its yearly rotation. Found by its alias, or by its tags when a run
//! ended between making the key and naming it. Long, since a key is made in three calls, each of which may be the last
//! of a run, and is found again after each.

use std::time::Duration;

use async_trait::async_trait;
use aws_sdk_kms::config::retry::RetryConfig;
use aws_sdk_kms::types::{KeyManagerType, KeyMetadata, KeyState, Tag};
use futures_util::stream::{self, StreamExt};
use serde_json::Value;
use tokio::try_join;

use super::{Mark, PROPAGATION, document, policy_text, seen, who_died, with_policy};
use crate::aws::Aws;
use crate::aws::fault::Doing;
use crate::converge::diff::Change;
use crate::converge::graph::{Handle, Id, Output};
use crate::converge::state::State;
use crate::converge::{Known, Live, Outputs, Owner, Resource};
use crate::error::{Error, Result};
use crate::policy;

pub struct KmsKey {
    /// The alias it is known by; the alias itself is a resource of its own.
    pub alias: String,
    pub description: &'static str,
    pub policy: Value,
    pub mark: Mark,
}

impl Handle<KmsKey> {
    #[must_use]
    pub fn arn(&self) -> Output {
        self.output("arn")
    }
}

const NOT_FOUND: &[&str] = &["NotFoundException"];
/// The only name that a key's policy can have.
const POLICY: &str = "default";
/// Refusals, besides no answer at all, that say nothing about the call.
const UNLUCKY: &[&str] = &[
    "ThrottlingException",
    "DependencyTimeoutException",
    "KMSInternalException",
    "500",
    "502",
    "503",
    "504",
];
const UNLUCKY_BUDGET: Duration = Duration::from_secs(20);
/// Tells which alias a key was to get, until it has it.
const ALIAS: &str = "heeler-ec:alias";
/// The shortest that AWS allows.
const DELETION_WINDOW_DAYS: i32 = 7;

#[async_trait]
impl Resource<Aws> for KmsKey {
    fn id(&self) -> Id {
        Id {
            kind: "kms key",
            name: self.alias.trim_start_matches("alias/").to_owned(),
        }
    }

    fn needs(&self) -> Vec<Output> {
        Vec::new()
    }

    fn desired(&self, _: &Known) -> State {
        let state = State::default()
            .with("description", self.description)
            .with("enabled", true)
            .with("rotation", true);
        with_policy(state, "policy", &self.policy)
    }

    fn marks(&self) -> Vec<(&'static str, String)> {
        let mut marks = self.mark.told();
        marks.push((ALIAS, self.alias.clone()));
        marks
    }

    fn reason(&self, change: &Change) -> Option<String> {
        who_died(change)
    }

    fn documents(&self, known: &Known) -> Vec<Id> {
        let own = Output {
            of: self.id(),
            name: "arn",
        };
        let arn = known.get(&own).into_iter();
        arn.map(|arn| document::id(document::KEY_POLICY, arn))
            .collect()
    }

    fn patience(&self, refusal: &Error) -> Option<Duration> {
        // A principal of the policy, or the key itself, has not reached every server of KMS.
        let spreading =
            refusal.is("MalformedPolicyDocumentException") || refusal.is("NotFoundException");
        // What the SDK makes again by itself everywhere but when a key is created.
        let unlucky = refusal.needed_action() == Some("kms:CreateKey")
            && refusal
                .service_code()
                .is_none_or(|code| UNLUCKY.contains(&code));
        spreading
            .then_some(PROPAGATION)
            .or(unlucky.then_some(UNLUCKY_BUDGET))
            .or_else(|| tags_are_spreading(refusal))
    }

    async fn read(&self, aws: &Aws, known: &Known) -> Result<Option<Live>> {
        let own = Output {
            of: self.id(),
            name: "arn",
        };
        if let Some(arn) = known.get(&own) {
            return self.read_key(aws, &arn).await;
        }
        if let Some(key) = describe(aws, &self.alias).await?
            && usable(&key)
        {
            return self.read_key(aws, key.arn().unwrap_or(key.key_id())).await;
        }
        match self.find_unnamed(aws).await? {
            Some(arn) => self.read_key(aws, &arn).await,
            None => Ok(None),
        }
    }

    async fn create(&self, aws: &Aws, _: &State, _: &Known) -> Result<Outputs> {
        let call = aws
            .kms
            .create_key()
            .description(self.description)
            .policy(self.policy.to_string())
            .set_tags(Some(self.tags()?));
        // The SDK would make the call again when its answer is lost, and so make a second key.
        let once = aws_sdk_kms::config::Builder::new().retry_config(RetryConfig::disabled());
        let made = call
            .customize()
            .config_override(once)
            .send()
            .await
            .doing("kms:CreateKey", || format!("create {}", self.id()));
        let arn = match made {
            Ok(made) => made.key_metadata.and_then(|key| key.arn),
            Err(refusal) if refusal.is_denied() => return Err(refusal),
            Err(refusal) => match self.find_unnamed(aws).await {
                Ok(Some(arn)) => Some(arn),
                _ => return Err(refusal),
            },
        };
        let arn = arn.as_deref().ok_or_else(|| {
            Error::unanswered(format!("create {}", self.id()), "AWS named no ARN")
        })?;
        // The call must not fail as a whole any more, or trying again would make a second key. Should the key
        // not have reached the server that is asked, settling asks once more.
        let _ = aws.kms.enable_key_rotation().key_id(arn).send().await;
        Ok(Outputs::from([("arn", arn.to_owned())]))
    }

    async fn update(&self, aws: &Aws, live: &Live, want: &State, _: &Known) -> Result<()> {
        let key = live
            .outputs
            .get("arn")
            .map(String::as_str)
            .unwrap_or_default();
        let differs = |field: &str| live.state.get(field) != want.get(field);
        let is = |field: &str| want.get(field).is_some_and(|value| value == true);
        // A disabled key refuses every other change: it is enabled first of all, and disabled last.
        if differs("enabled") && is("enabled") {
            self.enable(aws, key).await?;
        }
        if differs("rotation") {
            self.rotate(aws, key, is("rotation")).await?;
        }
        if differs("description") {
            aws.kms
                .update_key_description()
                .key_id(key)
                .description(want.text("description").unwrap_or_default())
                .send()
                .await
                .doing("kms:UpdateKeyDescription", || {
                    format!("describe {}", self.id())
                })?;
        }
        if differs("policy") {
            aws.kms
                .put_key_policy()
                .key_id(key)
                .policy_name(POLICY)
                .policy(policy_text(want, "policy"))
                .send()
                .await
                .doing("kms:PutKeyPolicy", || {
                    format!("write the policy of {}", self.id())
                })?;
        }
        if differs("enabled") && !is("enabled") {
            self.disable(aws, key).await?;
        }
        Ok(())
    }

    async fn mark(&self, aws: &Aws, live: &Live) -> Result<()> {
        aws.kms
            .tag_resource()
            .set_key_id(live.outputs.get("arn").cloned())
            .set_tags(Some(self.tags()?))
            .send()
            .await
            .doing("kms:TagResource", || format!("tag {}", self.id()))?;
        Ok(())
    }

    /// A key cannot be deleted at once; it is scheduled, and counts as gone from then on.
    async fn delete(&self, aws: &Aws, live: &Live) -> Result<()> {
        let scheduled = aws
            .kms
            .schedule_key_deletion()
            .set_key_id(live.outputs.get("arn").cloned())
            .pending_window_in_days(DELETION_WINDOW_DAYS)
            .send()
            .await
            .finding("kms:ScheduleKeyDeletion", NOT_FOUND, || {
                format!("schedule the deletion of {}", self.id())
            });
        match scheduled {
            Err(error) if error.says("KMSInvalidStateException", "pending deletion") => Ok(()),
            other => other.map(|_| ()),
        }
    }
}

impl KmsKey {
    async fn enable(&self, aws: &Aws, key: &str) -> Result<()> {
        let enabled = aws.kms.enable_key().key_id(key).send().await;
        enabled.doing("kms:EnableKey", || format!("enable {}", self.id()))?;
        Ok(())
    }

    async fn disable(&self, aws: &Aws, key: &str) -> Result<()> {
        let disabled = aws.kms.disable_key().key_id(key).send().await;
        disabled.doing("kms:DisableKey", || format!("disable {}", self.id()))?;
        Ok(())
    }

    async fn rotate(&self, aws: &Aws, key: &str, on: bool) -> Result<()> {
        let doing = || format!("turn the rotation of {} on or off", self.id());
        if on {
            let rotated = aws.kms.enable_key_rotation().key_id(key).send().await;
            rotated.doing("kms:EnableKeyRotation", doing)?;
        } else {
            let stopped = aws.kms.disable_key_rotation().key_id(key).send().await;
            stopped.doing("kms:DisableKeyRotation", doing)?;
        }
        Ok(())
    }

    /// All that is to be known of one key, asked side by side.
    async fn read_key(&self, aws: &Aws, arn: &str) -> Result<Option<Live>> {
        let doing = || format!("read {}", self.id());
        let (key, document, rotation, tags) = try_join!(
            describe(aws, arn),
            async {
                aws.kms
                    .get_key_policy()
                    .key_id(arn)
                    .policy_name(POLICY)
                    .send()
                    .await
                    .finding(
                        "kms:GetKeyPolicy",
                        &["NotFoundException", "KMSInvalidStateException"],
                        doing,
                    )
            },
            async {
                aws.kms
                    .get_key_rotation_status()
                    .key_id(arn)
                    .send()
                    .await
                    .finding(
                        "kms:GetKeyRotationStatus",
                        &[
                            "NotFoundException",
                            "KMSInvalidStateException",
                            "UnsupportedOperationException",
                            "DisabledException",
                        ],
                        doing,
                    )
            },
            tags(aws, arn),
        )?;
        let Some(key) = key.filter(usable) else {
            return Ok(None);
        };
        let told = || tags.iter().map(|tag| (tag.tag_key(), tag.tag_value()));
        let document = document.and_then(|found| found.policy).unwrap_or_default();
        let state = State::default()
            .with("description", key.description().unwrap_or_default())
            .with("enabled", key.key_state() == Some(&KeyState::Enabled))
            .with(
                "rotation",
                rotation.is_some_and(|found| found.key_rotation_enabled()),
            )
            .with(seen::TAGS, seen::tags(told()));
        let state = with_policy(state, "policy", &policy::parsed(&document));
        let arn = key.arn().unwrap_or(arn).to_owned();
        Ok(Some(Live {
            state,
            outputs: Outputs::from([("arn", arn)]),
            owner: self.mark.owner(told()),
        }))
    }

    fn tags(&self) -> Result<Vec<Tag>> {
        let marks = self.marks().into_iter();
        marks.map(|(key, value)| tag(key, &value)).collect()
    }

    /// A key that an interrupted run made and did not name: without any alias, and with our tags. Keys whose
    /// tags the caller may not read are not ours.
    async fn find_unnamed(&self, aws: &Aws) -> Result<Option<String>> {
        let (keys, named) = try_join!(keys(aws), named_keys(aws))?;
        let unnamed = keys.into_iter().filter(|(id, _)| !named.contains(id));
        let mut candidates = stream::iter(unnamed)
            .map(|(_, arn)| async move {
                let is_candidate = self.was_to_be_named(aws, &arn).await?
                    && describe(aws, &arn).await?.is_some_and(|key| {
                        usable(&key) && key.key_manager() != Some(&KeyManagerType::Aws)
                    });
                Ok::<_, Error>(is_candidate.then_some(arn))
            })
            .buffered(8);
        while let Some(candidate) = candidates.next().await {
            if let Some(arn) = candidate? {
                return Ok(Some(arn));
            }
        }
        Ok(None)
    }

    /// Whether its tags say that it was made for this alias; a key whose tags the caller may not read is not ours.
    async fn was_to_be_named(&self, aws: &Aws, key: &str) -> Result<bool> {
        let tags = match tags(aws, key).await {
            Err(refusal) if refusal.is_denied() => return Ok(false),
            tags => tags?,
        };
        let tags = || tags.iter().map(|tag| (tag.tag_key(), tag.tag_value()));
        Ok(self.mark.owner(tags()) == Owner::Us && tags().any(|tag| tag == (ALIAS, &self.alias)))
    }
}

/// A policy that lets the caller at our keys by their tags sees the tags of a new one only after some seconds. A
/// real lack of permission looks the same, so the wait is short.
pub(super) fn tags_are_spreading(refusal: &Error) -> Option<Duration> {
    let on_a_new_key = matches!(
        refusal.needed_action(),
        Some("kms:EnableKeyRotation" | "kms:PutKeyPolicy" | "kms:CreateAlias")
    );
    (on_a_new_key && refusal.is("AccessDeniedException")).then_some(Duration::from_secs(20))
}

/// A key on its way out counts as gone: AWS lets nobody use it.
fn usable(key: &KeyMetadata) -> bool {
    !matches!(
        key.key_state(),
        Some(KeyState::PendingDeletion | KeyState::PendingReplicaDeletion)
    )
}

pub(super) async fn describe(aws: &Aws, key: &str) -> Result<Option<KeyMetadata>> {
    aws.kms
        .describe_key()
        .key_id(key)
        .send()
        .await
        .finding("kms:DescribeKey", NOT_FOUND, || {
            format!("describe KMS key {key}")
        })
        .map(|found| found.and_then(|found| found.key_metadata))
}

pub(super) async fn tags(aws: &Aws, key: &str) -> Result<Vec<Tag>> {
    aws.kms
        .list_resource_tags()
        .key_id(key)
        .send()
        .await
        .finding("kms:ListResourceTags", NOT_FOUND, || {
            format!("read the tags of KMS key {key}")
        })
        .map(|found| found.and_then(|found| found.tags).unwrap_or_default())
}

/// Every key of the account and region: id and ARN.
async fn keys(aws: &Aws) -> Result<Vec<(String, String)>> {
    let mut keys = Vec::new();
    let mut pages = aws.kms.list_keys().into_paginator().send();
    while let Some(page) = pages.next().await {
        let page = page.doing("kms:ListKeys", || {
            "look for a key of an interrupted run".into()
        })?;
        keys.extend(
            page.keys()
                .iter()
                .filter_map(|key| Some((key.key_id()?.to_owned(), key.key_arn()?.to_owned()))),
        );
    }
    Ok(keys)
}

/// The ids of the keys that have an alias.
async fn named_keys(aws: &Aws) -> Result<Vec<String>> {
    let mut named = Vec::new();
    let mut pages = aws.kms.list_aliases().into_paginator().send();
    while let Some(page) = pages.next().await {
        let page = page.doing("kms:ListAliases", || {
            "look for a key of an interrupted run".into()
        })?;
        named.extend(
            page.aliases()
                .iter()
                .filter_map(|alias| alias.target_key_id.clone()),
        );
    }
    Ok(named)
}

fn tag(key: &str, value: &str) -> Result<Tag> {
    Tag::builder()
        .tag_key(key)
        .tag_value(value)
        .build()
        .map_err(|why| Error::unanswered(format!("write the tag {key}"), why.to_string()))
}
