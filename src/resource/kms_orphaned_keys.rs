//! The search for KMS keys without an alias, which a setup leaves if it is interrupted between `CreateKey` and
//! `CreateAlias`. The keys are found by their tags.

use aws_sdk_kms::types::{KeyManagerType, KeyMetadata, KeyState};
use futures_util::future;
use futures_util::stream::{self, StreamExt, TryStreamExt};

use super::RUN_TAG;
use crate::aws::Aws;
use crate::aws::kms_keys::{describe_key, list_aliases, list_keys, list_tags};
use crate::error::{Error, Result};
use crate::ownership::{Ownership, OwnershipTags};

/// The tag with the alias of a key. It identifies the key until the alias exists.
pub(super) const ALIAS_TAG: &str = "heeler-ec:alias";
/// The tag with the time at which a run adopted the key. Another run then knows when the tags count in authorization.
pub(super) const ADOPTION_TIME_TAG: &str = "heeler-ec:adopted-at";

/// The origin of the keys that a search finds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum KeyOrigin {
    /// Created by this run.
    ThisRun,
    /// Created by any run of setup.
    AnyRun,
    /// Created by any run, or by somebody else and then adopted.
    Any,
}

/// The tags by which keys without an alias are found.
pub(super) struct OrphanedKeys<'a> {
    /// The alias that the keys were created for.
    pub alias: &'a str,
    pub ownership: &'a OwnershipTags,
    pub run_id: &'a str,
}

impl OrphanedKeys<'_> {
    /// Finds the first key.
    pub async fn find(&self, aws: &Aws, origin: KeyOrigin) -> Result<Option<String>> {
        Ok(self.find_all(aws, origin).await?.into_iter().next())
    }

    /// Finds the ARNs of all keys. A key is skipped if the caller is not allowed to read its tags.
    pub async fn find_all(&self, aws: &Aws, origin: KeyOrigin) -> Result<Vec<String>> {
        // In this order, the key of a run that creates its alias at the same time is not an orphan.
        let keys = list_keys(aws).await?;
        let aliases = list_aliases(aws).await?;
        let is_named = |id: &str| aliases.iter().any(|(_, named)| named == id);
        let unnamed = keys.into_iter().filter(|(id, _)| !is_named(id));
        let candidates = stream::iter(unnamed).map(|(_, arn)| async move {
            let is_candidate = self.has_tags(aws, &arn, origin).await?
                && describe_key(aws, &arn).await?.is_some_and(|key| {
                    is_usable(&key) && key.key_manager() != Some(&KeyManagerType::Aws)
                });
            Ok::<_, Error>(is_candidate.then_some(arn))
        });
        let found = candidates.buffered(8);
        found.try_filter_map(future::ok).try_collect().await
    }

    /// Returns true if the tags show that the key is for this alias and has this origin. Returns false if the caller is
    /// not allowed to read the tags.
    async fn has_tags(&self, aws: &Aws, key: &str, origin: KeyOrigin) -> Result<bool> {
        let tags = match list_tags(aws, key).await {
            Err(refusal) if refusal.is_denied() => return Ok(false),
            tags => tags?,
        };
        let tags = || tags.iter().map(|tag| (tag.tag_key(), tag.tag_value()));
        let has_origin = match origin {
            KeyOrigin::ThisRun => tags().any(|tag| tag == (RUN_TAG, self.run_id)),
            KeyOrigin::AnyRun => !tags().any(|(key, _)| key == ADOPTION_TIME_TAG),
            KeyOrigin::Any => true,
        };
        Ok(has_origin
            && self.ownership.ownership(tags()) == Ownership::Managed
            && tags().any(|tag| tag == (ALIAS_TAG, self.alias)))
    }
}

/// Returns false for a key whose deletion is scheduled, because nothing can use it.
pub(super) fn is_usable(key: &KeyMetadata) -> bool {
    !matches!(
        key.key_state(),
        Some(KeyState::PendingDeletion | KeyState::PendingReplicaDeletion)
    )
}
