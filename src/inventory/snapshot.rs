//! The facts as one option sees them, with the trail selected for it.

use std::time::SystemTime;

use super::bucket_events::{ANY_VENDOR, HEELER};
use super::fact::Fact;
use super::facts::{
    AccountFacts, BucketFacts, BucketOwner, Encryption, EventSelectors, KeyFacts, LogGroupFacts,
    NameOwners, ShadowTrail, SimulationResult, Trail, TrailSelection, TrailStatus,
};
use super::log_objects::{covers_log_objects, log_prefix, planned_notification};
use super::named_resource::NamedResource;
use super::{InventoryRequest, TrailDestination, access_role_arn};
use crate::aws::bucket_notification::NotificationEntry;
use crate::error::Error;
use crate::ownership::{OptionName, OtherOwner, Ownership};

/// The properties of an option that determine which facts it needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OptionIdentity {
    /// The value of `--option`.
    pub name: &'static str,
    /// The option's name in the tags of its resources.
    pub owner: OptionName,
    /// The trail destination that the option reads events from.
    pub destination: TrailDestination,
    /// The option to choose if the destination cannot be changed.
    pub alternative: Option<&'static str>,
    /// The names that setup of the option would use.
    pub names: &'static [NamedResource],
}

/// The input of all checks of one option.
#[derive(Clone, Debug)]
pub struct Snapshot {
    pub option: OptionIdentity,
    pub request: InventoryRequest,
    pub now: SystemTime,
    /// A custom AWS endpoint.
    pub endpoint: Option<String>,
    pub account: AccountFacts,
    pub trail_selection: TrailSelection,
    // The following facts are about the selected trail.
    pub trail_status: Fact<TrailStatus>,
    pub event_selectors: Fact<EventSelectors>,
    /// Shadow trails in opt-in regions.
    pub shadow_trails: Vec<ShadowTrail>,
    pub bucket: Option<BucketFacts>,
    pub log_group: Option<LogGroupFacts>,
    /// Existing resources with the names that setup would use.
    pub name_owners: NameOwners,
    /// Requested only with `--deep`.
    pub permission_simulation: Fact<SimulationResult>,
}

/// The encryption of the log objects.
#[derive(Clone, Debug)]
pub enum LogEncryption<'a> {
    /// SSE-S3, which needs no permission.
    SseS3,
    /// SSE-KMS with the AWS managed key, which needs no grant.
    AwsManagedKey,
    /// SSE-KMS with customer managed keys; the key for new objects comes first.
    CustomerKeys(Vec<&'a KeyFacts>),
    /// The necessary facts are missing.
    Unknown,
}

impl Snapshot {
    /// Records the log group's retention after it was changed, so that it need not be read again.
    pub fn record_retention_days(&mut self, days: i32) {
        if let Some(group) = &mut self.log_group
            && let Fact::Present(settings) = &mut group.settings
        {
            settings.retention_days = Some(days);
        }
    }

    #[must_use]
    pub fn trail(&self) -> Option<&Trail> {
        self.trail_selection.trail()
    }

    /// Returns the trail's name, or a placeholder, for paths in the console.
    #[must_use]
    pub fn trail_name(&self) -> &str {
        self.trail().map_or("TRAIL", |trail| &trail.name)
    }

    /// Returns the region of all resources: that of the bucket or of the log group.
    #[must_use]
    pub fn region(&self) -> Option<&str> {
        match self.option.destination {
            TrailDestination::Bucket => match &self.bucket.as_ref()?.owner {
                Ok(BucketOwner::ThisAccount { region }) => Some(region),
                _ => None,
            },
            TrailDestination::LogGroup => Some(&self.log_group.as_ref()?.region),
        }
    }

    /// Returns the vendor that assumes the role, as it occurs in a sentence.
    #[must_use]
    pub fn vendor(&self) -> &'static str {
        match self.request.bucket_events {
            Some(_) => ANY_VENDOR,
            None => HEELER,
        }
    }

    /// Returns the caller's account if it is known.
    #[must_use]
    pub fn account_id(&self) -> Option<&str> {
        let caller = self.account.caller.as_ref().ok()?;
        Some(&caller.account)
    }

    /// Returns the ARN of the role that Heeler assumes.
    #[must_use]
    pub fn access_role_arn(&self) -> Option<String> {
        let caller = self.account.caller.as_ref().ok()?;
        Some(access_role_arn(&self.request, caller))
    }

    /// Returns the encryption of the log objects. The trail's key comes first, then the key of the newest object, then
    /// the bucket's default key. A key given by the operator replaces all of them, unless the log objects need no key.
    #[must_use]
    pub fn log_encryption(&self) -> LogEncryption<'_> {
        let Some(bucket) = &self.bucket else {
            return LogEncryption::Unknown;
        };
        let trail_key = self.trail().and_then(|trail| trail.kms_key.as_deref());
        let object = bucket
            .newest_log_object
            .present()
            .map(|object| &object.encryption);
        if trail_key.is_none() && object == Some(&Encryption::S3) {
            return LogEncryption::SseS3;
        }
        if let Some(given) = &self.request.bucket_key {
            return bucket.key(given).map_or(LogEncryption::Unknown, |key| {
                LogEncryption::CustomerKeys(vec![key])
            });
        }
        let bucket_key = match &bucket.encryption {
            Fact::Present(Encryption::Kms(key)) => key.as_deref(),
            Fact::Present(Encryption::S3) => None,
            _ if trail_key.is_some() || object.is_some() => None,
            _ => return LogEncryption::Unknown,
        };
        let object_key = match object {
            Some(Encryption::Kms(key)) => key.as_deref(),
            _ => None,
        };
        let mut keys: Vec<&KeyFacts> = Vec::new();
        for name in [trail_key, object_key, bucket_key].into_iter().flatten() {
            match bucket.key(name) {
                Some(key) if keys.iter().any(|known| known.name() == key.name()) => {}
                Some(key) => keys.push(key),
                None => return LogEncryption::Unknown,
            }
        }
        keys.retain(|key| !key.is_managed_by_aws());
        let uses_kms = [object, bucket.encryption.present()]
            .into_iter()
            .flatten()
            .any(|encryption| matches!(encryption, Encryption::Kms(_)));
        match (keys.is_empty(), uses_kms) {
            (false, _) => LogEncryption::CustomerKeys(keys),
            (true, true) => LogEncryption::AwsManagedKey,
            (true, false) => LogEncryption::SseS3,
        }
    }

    /// Returns the error of the call without which the bucket is unknown.
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

    /// Returns true if the role that Heeler assumes exists and is managed. Its trust policy then has the trusted
    /// principals.
    #[must_use]
    pub fn has_managed_role(&self) -> bool {
        let role = self.name_owners.get(NamedResource::Role);
        role.present()
            .is_some_and(super::facts::NameOwner::is_managed)
    }

    /// Returns the option that is deployed under the name prefix: the one in the tags of the role.
    #[must_use]
    pub fn deployed_option(&self) -> Option<String> {
        let role = self.name_owners.get(NamedResource::Role).present()?;
        match role.ownership(self.option.owner) {
            Ownership::Managed => Some(self.option.name.to_owned()),
            Ownership::ManagedByOther(OtherOwner::Option(name)) => Some(name),
            Ownership::ManagedByOther(OtherOwner::Tool(_)) | Ownership::Unmanaged => None,
        }
    }

    /// Returns true if the trail reports deliveries to the bucket.
    #[must_use]
    pub fn is_delivering(&self) -> bool {
        self.trail_status
            .present()
            .is_some_and(|status| status.logging && status.to_bucket.at.is_some())
    }

    /// Returns a command line of this program. The global options of this run are added when it is printed.
    #[must_use]
    pub fn heeler_ec_command(&self, arguments: &str) -> String {
        format!("heeler-ec {arguments}")
    }

    /// Returns the errors of all calls that were refused or failed.
    pub fn failed_calls(&self) -> impl Iterator<Item = &Error> {
        let Self {
            option: _,
            request: _,
            now: _,
            endpoint: _,
            account,
            trail_selection: _,
            trail_status,
            event_selectors,
            shadow_trails,
            bucket,
            log_group,
            name_owners,
            permission_simulation,
        } = self;
        account
            .errors()
            .chain(trail_status.error())
            .chain(event_selectors.error())
            .chain(bucket.iter().flat_map(BucketFacts::errors))
            .chain(log_group.iter().flat_map(LogGroupFacts::errors))
            .chain(shadow_trails.iter().flat_map(ShadowTrail::errors))
            .chain(permission_simulation.error())
            .chain(name_owners.errors())
    }

    /// Returns the key prefix of the log objects: that of the trail, with a slash at the end, or the one that the
    /// operator chose for the events of a bucket.
    #[must_use]
    pub fn log_prefix(&self) -> String {
        if let Some(events) = &self.request.bucket_events {
            return events.prefix().to_owned();
        }
        log_prefix(self.trail(), self.account.organization.present())
    }

    /// Returns true if the log prefix contains the ID of the organization, and the ID could not be read.
    #[must_use]
    pub fn lacks_organization_id(&self) -> bool {
        self.trail().is_some_and(|trail| trail.is_organization)
            && self.account.organization.present().is_none()
    }

    /// Returns the notification that setup would create.
    #[must_use]
    pub fn planned_notification(&self) -> NotificationEntry {
        planned_notification(&self.request, &self.log_prefix())
    }

    /// Returns true if a notification of the bucket covers every log object of the trail.
    #[must_use]
    pub fn is_covered_by(&self, entry: &NotificationEntry) -> bool {
        covers_log_objects(entry, &self.log_prefix())
    }
}
