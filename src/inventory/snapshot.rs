//! What a judge sees: the facts of one option, with the trail that it would take.

use std::time::SystemTime;

use crate::aws::bucket_notification::NotificationEntry;
use crate::error::{Error, Result};
use crate::inventory::facts::{
    AccountFacts, BucketFacts, BucketOwner, Encryption, EventSelectors, IamQuotaFacts, KeyFacts,
    LogGroupFacts, NameOwners, ShadowTrail, SimulationResult, Trail, TrailSelection, TrailStatus,
};
use crate::inventory::trail_destination::TrailDestination;
use crate::inventory::{
    InventoryRequest, access_role_arn, covers_log_objects, log_prefix, planned_notification,
};

/// The facts as one option sees them: with the trail that it would take.
#[derive(Clone, Debug)]
pub struct Snapshot {
    pub route: TrailDestination,
    pub request: InventoryRequest,
    pub now: SystemTime,
    pub endpoint: Option<String>,
    pub account: AccountFacts,
    pub trail_selection: TrailSelection,
    /// Of the chosen trail, as is all that follows.
    pub trail_status: Option<Result<TrailStatus>>,
    pub event_selectors: Option<Result<EventSelectors>>,
    /// The trail's copies in regions that were switched on.
    pub shadow_trails: Vec<ShadowTrail>,
    pub bucket: Option<BucketFacts>,
    pub log_group: Option<LogGroupFacts>,
    /// Who has the names that setup would take.
    pub name_owners: NameOwners,
    pub iam_quotas: Option<IamQuotaFacts>,
    /// What the caller may do; asked only in depth.
    pub permission_simulation: Option<Result<SimulationResult>>,
}

/// What the log objects are encrypted with, as far as it can be seen.
#[derive(Clone, Debug)]
pub enum LogEncryption<'a> {
    /// With S3's own keys: nobody needs a permission.
    SseS3,
    /// With the key of AWS in this account, which S3 uses for whoever may read.
    AwsManagedKey,
    /// With keys of the customer: first the one that counts for what comes next.
    CustomerKeys(Vec<&'a KeyFacts>),
    /// The calls that would tell were refused.
    Unknown,
}

impl Snapshot {
    #[must_use]
    pub fn trail(&self) -> Option<&Trail> {
        self.trail_selection.trail()
    }

    /// The trail's name, for the paths of the console.
    #[must_use]
    pub fn trail_name(&self) -> &str {
        self.trail().map_or("TRAIL", |trail| &trail.name)
    }

    /// Where everything is made: with the bucket, or with the log group.
    #[must_use]
    pub fn region(&self) -> Option<&str> {
        match self.route {
            TrailDestination::Bucket => match &self.bucket.as_ref()?.owner {
                Ok(BucketOwner::ThisAccount { region }) => Some(region),
                _ => None,
            },
            TrailDestination::LogGroup => Some(&self.log_group.as_ref()?.region),
        }
    }

    /// The caller's account, once it is known.
    #[must_use]
    pub fn account_id(&self) -> Option<&str> {
        let caller = self.account.caller.as_ref().ok()?;
        Some(&caller.account)
    }

    /// ARN of the role that Heeler will come in by.
    #[must_use]
    pub fn access_role_arn(&self) -> Option<String> {
        let caller = self.account.caller.as_ref().ok()?;
        Some(access_role_arn(&self.request, caller))
    }

    /// What the log objects are encrypted with: the trail's key, if it has one, whatever the bucket's default is; and
    /// whatever else the newest object and the bucket show. The operator's word goes before all of it, unless there is
    /// nothing to decrypt.
    #[must_use]
    pub fn log_encryption(&self) -> LogEncryption<'_> {
        let Some(bucket) = &self.bucket else {
            return LogEncryption::Unknown;
        };
        let of_trail = self.trail().and_then(|trail| trail.kms_key.as_deref());
        let object = match &bucket.newest_log_object {
            Some(Ok(Some(object))) => Some(&object.encryption),
            _ => None,
        };
        let plain = of_trail.is_none() && object == Some(&Encryption::S3);
        if plain {
            return LogEncryption::SseS3;
        }
        if let Some(named) = &self.request.bucket_key {
            return bucket.key(named).map_or(LogEncryption::Unknown, |key| {
                LogEncryption::CustomerKeys(vec![key])
            });
        }
        let of_bucket = match &bucket.encryption {
            Some(Ok(Encryption::Kms(key))) => key.as_deref(),
            Some(Ok(Encryption::S3)) => None,
            _ if of_trail.is_some() || object.is_some() => None,
            _ => return LogEncryption::Unknown,
        };
        let of_object = match object {
            Some(Encryption::Kms(key)) => key.as_deref(),
            _ => None,
        };
        let mut keys: Vec<&KeyFacts> = Vec::new();
        for name in [of_trail, of_object, of_bucket].into_iter().flatten() {
            match bucket.key(name) {
                Some(key) if keys.iter().any(|known| known.name() == key.name()) => {}
                Some(key) => keys.push(key),
                None => return LogEncryption::Unknown,
            }
        }
        keys.retain(|key| !key.is_managed_by_aws());
        let by_kms = [
            object,
            bucket
                .encryption
                .as_ref()
                .and_then(|found| found.as_ref().ok()),
        ]
        .into_iter()
        .flatten()
        .any(|encryption| matches!(encryption, Encryption::Kms(_)));
        match (keys.is_empty(), by_kms) {
            (false, _) => LogEncryption::CustomerKeys(keys),
            (true, true) => LogEncryption::AwsManagedKey,
            (true, false) => LogEncryption::SseS3,
        }
    }

    /// The refusal, if there was one, because of which the bucket is not known.
    #[must_use]
    pub fn bucket_error(&self) -> Option<Error> {
        let bucket = self
            .bucket
            .as_ref()
            .and_then(|bucket| bucket.owner.as_ref().err());
        bucket
            .or(self.account.trails.as_ref().err())
            .or(self.account.caller.as_ref().err())
            .cloned()
    }

    /// Whether Heeler's role is there already and ours, so that setup knows whom to trust.
    #[must_use]
    pub fn has_managed_role(&self) -> bool {
        let role = self.name_owners.by_check.get("names.role");
        matches!(role, Some(Ok(Some(owner))) if owner.managed)
    }

    /// Whether the trail says that it has delivered to the bucket.
    #[must_use]
    pub fn is_delivering(&self) -> bool {
        matches!(&self.trail_status, Some(Ok(status)) if status.logging && status.to_bucket.at.is_some())
    }

    /// A command of our own, with the global options of this run.
    #[must_use]
    pub fn heeler_ec_command(&self, verb: &str) -> String {
        format!("heeler-ec {verb}{}", self.request.global_options)
    }

    /// Every call that was refused or failed.
    #[must_use]
    pub fn failed_calls(&self) -> Vec<&Error> {
        fn of<T>(asked: Option<&Result<T>>) -> Option<&Error> {
            asked.and_then(|asked| asked.as_ref().err())
        }
        let account = &self.account;
        let mut all = vec![
            of(Some(&account.caller)),
            of(Some(&account.organization)),
            of(Some(&account.trusted_services)),
            of(Some(&account.delegated_administrators)),
            of(Some(&account.opt_in_regions)),
            of(Some(&account.trails)),
            of(account.trails_in_other_regions.as_ref()),
            of(self.trail_status.as_ref()),
            of(self.event_selectors.as_ref()),
        ];
        if let Some(bucket) = &self.bucket {
            all.extend([
                of(Some(&bucket.owner)),
                of(bucket.encryption.as_ref()),
                of(bucket.newest_log_object.as_ref()),
                of(bucket.notifications.as_ref()),
                of(bucket.topic.as_ref()),
                of(bucket.policy.as_ref()),
                of(bucket.object_ownership.as_ref()),
                of(bucket.lifecycle.as_ref()),
                of(bucket.requester_pays.as_ref()),
            ]);
            if let Some(Ok(Some(topic))) = &bucket.topic {
                all.push(of(topic.key_policy.as_ref()));
            }
            all.extend(bucket.keys.iter().flat_map(|key| {
                [
                    of(Some(&key.key)),
                    of(key.policy.as_ref()),
                    of(key.grants.as_ref()),
                ]
            }));
        }
        if let Some(group) = &self.log_group {
            all.extend([
                of(Some(&group.settings)),
                of(Some(&group.streams)),
                of(Some(&group.subscription_filters)),
                of(Some(&group.account_subscription_filters)),
                of(Some(&group.concurrency)),
                of(group.transformer.as_ref()),
                group.key.as_ref().and_then(|key| of(Some(&key.key))),
            ]);
        }
        all.extend(
            self.shadow_trails
                .iter()
                .map(|shadow| of(Some(&shadow.status))),
        );
        all.push(
            self.iam_quotas
                .as_ref()
                .and_then(|deep| of(Some(&deep.quotas))),
        );
        all.push(of(self.permission_simulation.as_ref()));
        all.extend(
            self.name_owners
                .by_check
                .values()
                .map(|taken| of(Some(taken))),
        );
        all.into_iter().flatten().collect()
    }

    /// The prefix under which log objects are delivered.
    #[must_use]
    pub fn log_prefix(&self) -> String {
        log_prefix(self.trail())
    }

    /// The entry that setup would make.
    #[must_use]
    pub fn planned_notification(&self) -> NotificationEntry {
        planned_notification(&self.request, self.trail())
    }

    /// Whether an entry of the bucket announces every log object of the trail.
    #[must_use]
    pub fn is_covered_by(&self, entry: &NotificationEntry) -> bool {
        let organization = match &self.account.organization {
            Ok(Some(found)) if self.trail().is_some_and(|trail| trail.is_organization) => {
                Some(found.id.as_str())
            }
            _ => None,
        };
        covers_log_objects(entry, &self.log_prefix(), organization)
    }
}
