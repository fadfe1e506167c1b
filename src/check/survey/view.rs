//! What a judge sees: the facts of one option, with the trail that it would take.

use std::time::SystemTime;

use super::facts::{
    Account, Bucket, Choice, Deep, Encryption, KeyFacts, LogGroup, Owned, SelectorList, Shadow,
    Simulated, Status, Taken, Trail,
};
use super::{Hints, announces, harvest_role, log_prefix, wanted_entry};
use crate::aws::notification::Entry;
use crate::error::{Error, Result};
use crate::route::Route;

/// The facts as one option sees them: with the trail that it would take.
#[derive(Clone, Debug)]
pub struct Survey {
    pub route: Route,
    pub hints: Hints,
    pub now: SystemTime,
    pub endpoint: Option<String>,
    pub account: Account,
    pub choice: Choice,
    /// Of the chosen trail, as is all that follows.
    pub status: Option<Result<Status>>,
    pub selectors: Option<Result<SelectorList>>,
    /// The trail's copies in regions that were switched on.
    pub shadows: Vec<Shadow>,
    pub bucket: Option<Bucket>,
    pub log_group: Option<LogGroup>,
    /// Who has the names that setup would take.
    pub taken: Taken,
    pub deep: Option<Deep>,
    /// What the caller may do; asked only in depth.
    pub simulated: Option<Result<Simulated>>,
}

/// What the log objects are encrypted with, as far as it can be seen.
#[derive(Clone, Debug)]
pub enum Sealed<'a> {
    /// With S3's own keys: nobody needs a permission.
    ByS3,
    /// With the key of AWS in this account, which S3 uses for whoever may read.
    ByAws,
    /// With keys of the customer: first the one that counts for what comes next.
    ByKeys(Vec<&'a KeyFacts>),
    /// The calls that would tell were refused.
    Unseen,
}

impl Survey {
    #[must_use]
    pub fn trail(&self) -> Option<&Trail> {
        self.choice.trail()
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
            Route::S3 => match &self.bucket.as_ref()?.owned {
                Ok(Owned::Here { region }) => Some(region),
                _ => None,
            },
            Route::CloudWatch => Some(&self.log_group.as_ref()?.region),
        }
    }

    /// The caller's account, once it is known.
    #[must_use]
    pub fn own_account(&self) -> Option<&str> {
        let caller = self.account.caller.as_ref().ok()?;
        Some(&caller.account)
    }

    /// ARN of the role that Heeler will come in by.
    #[must_use]
    pub fn harvest_role(&self) -> Option<String> {
        let caller = self.account.caller.as_ref().ok()?;
        Some(harvest_role(&self.hints, caller))
    }

    /// What the log objects are encrypted with: the trail's key, if it has one, whatever the bucket's default is; and
    /// whatever else the newest object and the bucket show. The operator's word goes before all of it, unless there is
    /// nothing to decrypt.
    #[must_use]
    pub fn sealed(&self) -> Sealed<'_> {
        let Some(bucket) = &self.bucket else {
            return Sealed::Unseen;
        };
        let of_trail = self.trail().and_then(|trail| trail.key.as_deref());
        let object = match &bucket.newest {
            Some(Ok(Some(object))) => Some(&object.encryption),
            _ => None,
        };
        let plain = of_trail.is_none() && object == Some(&Encryption::S3);
        if plain {
            return Sealed::ByS3;
        }
        if let Some(named) = &self.hints.bucket_key {
            return bucket
                .key(named)
                .map_or(Sealed::Unseen, |key| Sealed::ByKeys(vec![key]));
        }
        let of_bucket = match &bucket.encryption {
            Some(Ok(Encryption::Kms(key))) => key.as_deref(),
            Some(Ok(Encryption::S3)) => None,
            _ if of_trail.is_some() || object.is_some() => None,
            _ => return Sealed::Unseen,
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
                None => return Sealed::Unseen,
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
            (false, _) => Sealed::ByKeys(keys),
            (true, true) => Sealed::ByAws,
            (true, false) => Sealed::ByS3,
        }
    }

    /// The refusal, if there was one, because of which the bucket is not known.
    #[must_use]
    pub fn refusal(&self) -> Option<Error> {
        let bucket = self
            .bucket
            .as_ref()
            .and_then(|bucket| bucket.owned.as_ref().err());
        bucket
            .or(self.account.trails.as_ref().err())
            .or(self.account.caller.as_ref().err())
            .cloned()
    }

    /// Whether Heeler's role is there already and ours, so that setup knows whom to trust.
    #[must_use]
    pub fn has_our_role(&self) -> bool {
        let role = self.taken.by_check.get("names.role");
        matches!(role, Some(Ok(Some(owner))) if owner.managed)
    }

    /// Whether the trail says that it has delivered to the bucket.
    #[must_use]
    pub fn is_delivering(&self) -> bool {
        matches!(&self.status, Some(Ok(status)) if status.logging && status.to_bucket.at.is_some())
    }

    /// A command of our own, with the global options of this run.
    #[must_use]
    pub fn own_command(&self, verb: &str) -> String {
        format!("heeler-ec {verb}{}", self.hints.own_options)
    }

    /// Every call that was refused or failed.
    #[must_use]
    pub fn refusals(&self) -> Vec<&Error> {
        fn of<T>(asked: Option<&Result<T>>) -> Option<&Error> {
            asked.and_then(|asked| asked.as_ref().err())
        }
        let account = &self.account;
        let mut all = vec![
            of(Some(&account.caller)),
            of(Some(&account.organization)),
            of(Some(&account.trusted)),
            of(Some(&account.delegated)),
            of(Some(&account.opted_in)),
            of(Some(&account.trails)),
            of(account.elsewhere.as_ref()),
            of(self.status.as_ref()),
            of(self.selectors.as_ref()),
        ];
        if let Some(bucket) = &self.bucket {
            all.extend([
                of(Some(&bucket.owned)),
                of(bucket.encryption.as_ref()),
                of(bucket.newest.as_ref()),
                of(bucket.notifications.as_ref()),
                of(bucket.topic.as_ref()),
                of(bucket.policy.as_ref()),
                of(bucket.ownership.as_ref()),
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
                of(Some(&group.group)),
                of(Some(&group.streams)),
                of(Some(&group.filters)),
                of(Some(&group.account_filters)),
                of(Some(&group.concurrency)),
                of(group.transformer.as_ref()),
                group.key.as_ref().and_then(|key| of(Some(&key.key))),
            ]);
        }
        all.extend(self.shadows.iter().map(|shadow| of(Some(&shadow.seen))));
        all.push(self.deep.as_ref().and_then(|deep| of(Some(&deep.iam))));
        all.push(of(self.simulated.as_ref()));
        all.extend(self.taken.by_check.values().map(|taken| of(Some(taken))));
        all.into_iter().flatten().collect()
    }

    /// The prefix under which log objects are delivered.
    #[must_use]
    pub fn log_prefix(&self) -> String {
        log_prefix(self.trail())
    }

    /// The entry that setup would make.
    #[must_use]
    pub fn wanted_entry(&self) -> Entry {
        wanted_entry(&self.hints, self.trail())
    }

    /// Whether an entry of the bucket announces every log object of the trail.
    #[must_use]
    pub fn is_announced_by(&self, entry: &Entry) -> bool {
        let organization = match &self.account.organization {
            Ok(Some(found)) if self.trail().is_some_and(|trail| trail.organization) => {
                Some(found.id.as_str())
            }
            _ => None,
        };
        announces(entry, &self.log_prefix(), organization)
    }
}
