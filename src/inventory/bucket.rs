//! Asks for the bucket that a trail delivers to: whose it is, how its objects are kept, who is told of new ones. Long, since
//! it is a dozen questions to one bucket, each of them one call.

use std::collections::BTreeSet;
use std::time::{Duration, SystemTime};

use aws_sdk_s3::types::{ExpirationStatus, LifecycleRule as Rule, Payer, ServerSideEncryption};
use aws_smithy_types::DateTime;
use futures_util::future::join_all;
use tokio::join;

use crate::aws::CallerIdentity;
use crate::aws::bucket_notification::{NotificationEntry, entries};
use crate::aws::error::AwsResultExt;
use crate::error::{Error, Result};
use crate::inventory::facts::{
    BucketFacts, BucketOwner, Encryption, KeyFacts, LifecycleRule, LifecycleTiming, LogObject,
    Organization, TopicFacts, Trail,
};
use crate::inventory::limiter::LimitedClients;
use crate::inventory::topic::{covering_topic, is_usable_topic, topic_facts};
use crate::inventory::trail::system_time;
use crate::inventory::{InventoryRequest, access_role_arn, key, log_prefix};

/// Where a bucket is, before anything else is asked of it.
#[derive(Clone)]
pub(crate) struct LocatedBucket {
    pub name: String,
    pub owner: Result<BucketOwner>,
    /// Its region, when the answer of another region told only that; whose it is has to be asked there.
    redirect_region: Option<String>,
}

impl LocatedBucket {
    /// Where to ask on.
    pub fn region(&self) -> Option<&str> {
        match (&self.redirect_region, &self.owner) {
            (Some(region), _) | (None, Ok(BucketOwner::ThisAccount { region })) => Some(region),
            _ => None,
        }
    }
}

/// Finds the bucket. HEAD names the region in every answer, and says nothing else.
pub(crate) async fn find(
    ask: &LimitedClients,
    name: &str,
    caller: &CallerIdentity,
) -> LocatedBucket {
    let (owned, redirected) = find_owner(ask, name, &caller.account).await;
    LocatedBucket {
        name: name.to_owned(),
        owner: owned,
        redirect_region: redirected,
    }
}

/// Whose the bucket is; or, when another region answers for it, which.
async fn find_owner(
    ask: &LimitedClients,
    name: &str,
    account: &str,
) -> (Result<BucketOwner>, Option<String>) {
    let refusal = {
        let aws = ask.acquire().await;
        let head = aws.s3.head_bucket().bucket(name);
        match head.expected_bucket_owner(account).send().await {
            Ok(found) => {
                let region = found.bucket_region().unwrap_or(aws.region()).to_owned();
                return (Ok(BucketOwner::ThisAccount { region }), None);
            }
            Err(refusal) => refusal,
        }
    };
    let response = refusal.raw_response();
    let region = response
        .and_then(|response| response.headers().get("x-amz-bucket-region"))
        .map(str::to_owned);
    let status = response.map(|response| response.status().as_u16());
    let ours = Err(refusal).context_for("s3:ListBucket", || format!("look at bucket {name}"));
    match (status, region) {
        (Some(301 | 307 | 400 | 403), Some(region)) if region != ask.region() => {
            (ours, Some(region))
        }
        (Some(404), _) => (Ok(BucketOwner::Missing), None),
        (Some(403), region) => (identify_other_owner(ask, name, region).await, None),
        _ => (ours, None),
    }
}

/// Without the condition on its owner: an answer means that it is somebody else's bucket. A refusal means that the
/// caller may not look; then the list of the account's own buckets tells whose it is.
async fn identify_other_owner(
    ask: &LimitedClients,
    name: &str,
    region: Option<String>,
) -> Result<BucketOwner> {
    let (head, own) = join!(
        async {
            let aws = ask.acquire().await;
            aws.s3
                .head_bucket()
                .bucket(name)
                .send()
                .await
                .context_for("s3:ListBucket", || format!("look at bucket {name}"))
        },
        is_listed_bucket(ask, name),
    );
    let refusal = match head {
        Ok(found) => {
            let region = found.bucket_region().map(str::to_owned).or(region);
            return Ok(BucketOwner::OtherAccount { region });
        }
        Err(refusal) => refusal,
    };
    match own {
        Ok(true) => Err(refusal.with_hint("grant s3:ListBucket on the bucket to the caller")),
        Ok(false) => Ok(BucketOwner::OtherAccount { region }),
        Err(_) => Err(refusal.with_hint(format!(
            "either the bucket belongs to another account, or the caller lacks s3:ListBucket on it: \
             aws s3api list-buckets --query \"Buckets[?Name=='{name}']\" shows whether it is yours"
        ))),
    }
}

async fn is_listed_bucket(ask: &LimitedClients, name: &str) -> Result<bool> {
    let aws = ask.acquire().await;
    let mut pages = aws.s3.list_buckets().prefix(name).into_paginator().send();
    while let Some(page) = pages.next().await {
        let page = page.context_for("s3:ListAllMyBuckets", || {
            "list the buckets of this account".into()
        })?;
        if page.buckets().iter().any(|own| own.name() == Some(name)) {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Everything about a bucket, in its own region.
/// `near` is what was asked for already.
pub(crate) async fn inspect(
    ask: &LimitedClients,
    found: LocatedBucket,
    near: Option<Result<Vec<NotificationEntry>>>,
    trail: &Trail,
    caller: &CallerIdentity,
    organization: std::result::Result<&Option<Organization>, &Error>,
    hints: &InventoryRequest,
) -> BucketFacts {
    let (name, account) = (found.name.as_str(), caller.account.as_str());
    let here = OwnBucket { ask, name, account };
    // What has the longest way before it comes first.
    let (
        (notifications, topic),
        owned,
        (encryption, newest, keys),
        policy,
        ownership,
        lifecycle,
        payer,
    ) = join!(
        async {
            let ask = &ask.prioritized();
            let notifications = match near {
                Some(known) => known,
                None => notifications(ask, name, account).await,
            };
            let topic = notifications.as_ref().ok().and_then(|entries| {
                let within = organization.ok().and_then(Option::as_ref);
                let within = within.filter(|_| trail.is_organization);
                covering_topic(entries, hints, trail, caller, within, ask.region())
            });
            let topic = match topic {
                // That it cannot be used shows in its ARN.
                Some(arn) if !is_usable_topic(&arn, account, ask.region()) => {
                    Some(Ok(Some(TopicFacts::arn_only(arn))))
                }
                Some(arn) => Some(topic_facts(ask, &arn, account).await),
                None => None,
            };
            (notifications, topic)
        },
        async {
            match found.redirect_region {
                Some(_) => find_owner(ask, name, account).await.0,
                None => found.owner.clone(),
            }
        },
        here.encryption_facts(trail, caller, organization, hints),
        here.policy(),
        here.object_ownership(),
        here.lifecycle(),
        here.requester_pays(),
    );
    if !matches!(owned, Ok(BucketOwner::ThisAccount { .. })) {
        return BucketFacts::not_inspected(name, owned);
    }
    BucketFacts {
        name: found.name.clone(),
        owner: owned,
        encryption: Some(encryption),
        newest_log_object: Some(newest),
        keys,
        notifications: Some(notifications),
        topic,
        policy: Some(policy),
        object_ownership: Some(ownership),
        lifecycle: Some(lifecycle),
        requester_pays: Some(payer),
    }
}

/// Whom the bucket tells of new objects. It is asked for before all else, since a long way may begin there: to a topic,
/// its key, and that key's policy.
pub(crate) async fn notifications(
    ask: &LimitedClients,
    name: &str,
    account: &str,
) -> Result<Vec<NotificationEntry>> {
    let aws = ask.acquire().await;
    aws.s3
        .get_bucket_notification_configuration()
        .bucket(name)
        .expected_bucket_owner(account)
        .send()
        .await
        .context_for("s3:GetBucketNotification", || {
            format!("read the notification configuration of bucket {name}")
        })
        .map(|found| entries(&found))
}

/// A bucket that is asked in its own region, and only while it is the caller's.
struct OwnBucket<'a> {
    ask: &'a LimitedClients,
    name: &'a str,
    account: &'a str,
}

impl OwnBucket<'_> {
    /// The bucket's encryption, the newest log object, and every key that either of them or the trail names.
    async fn encryption_facts(
        &self,
        trail: &Trail,
        caller: &CallerIdentity,
        organization: std::result::Result<&Option<Organization>, &Error>,
        hints: &InventoryRequest,
    ) -> (Result<Encryption>, Result<Option<LogObject>>, Vec<KeyFacts>) {
        let grantee = access_role_arn(hints, caller);
        let known: BTreeSet<&String> = hints.bucket_key.iter().chain(&trail.kms_key).collect();
        let ahead = OwnBucket {
            ask: &self.ask.prioritized(),
            ..*self
        };
        let look =
            async |asked: &String| key::inspect(self.ask, asked, self.account, &grantee).await;
        let (newest, (encryption, of_bucket), mut keys) = join!(
            ahead.newest_log_object(trail, organization),
            async {
                let encryption = self.encryption().await;
                let key = match &encryption {
                    Ok(Encryption::Kms(Some(asked))) if !known.contains(asked) => {
                        Some(look(asked).await)
                    }
                    _ => None,
                };
                (encryption, key)
            },
            join_all(known.iter().map(|asked| look(asked))),
        );
        keys.extend(of_bucket);
        // A key that only the object names, such as one that was replaced, or that of AWS.
        if let Ok(Some(LogObject {
            encryption: Encryption::Kms(Some(asked)),
            ..
        })) = &newest
            && !keys.iter().any(|key| key.has_name(asked))
        {
            keys.push(key::inspect(ahead.ask, asked, self.account, &grantee).await);
        }
        (encryption, newest, keys)
    }

    async fn encryption(&self) -> Result<Encryption> {
        let aws = self.ask.acquire().await;
        let found = aws
            .s3
            .get_bucket_encryption()
            .bucket(self.name)
            .expected_bucket_owner(self.account)
            .send()
            .await
            .optional_for(
                "s3:GetEncryptionConfiguration",
                &["ServerSideEncryptionConfigurationNotFoundError"],
                || format!("read the encryption of bucket {}", self.name),
            )?;
        let rule = found
            .and_then(|found| found.server_side_encryption_configuration)
            .and_then(|found| found.rules.into_iter().next())
            .and_then(|rule| rule.apply_server_side_encryption_by_default);
        Ok(match rule {
            Some(rule) if *rule.sse_algorithm() != ServerSideEncryption::Aes256 => {
                Encryption::Kms(rule.kms_master_key_id)
            }
            _ => Encryption::S3,
        })
    }

    /// The newest log object of the trail's own region: of the last hours, else of today, else of yesterday.
    async fn newest_log_object(
        &self,
        trail: &Trail,
        organization: std::result::Result<&Option<Organization>, &Error>,
    ) -> Result<Option<LogObject>> {
        let organization = match organization {
            Ok(found) => found.as_ref(),
            // The organization's id is in the path.
            Err(refusal) if trail.is_organization => return Err(refusal.clone()),
            Err(_) => None,
        };
        let (days, recent) =
            recent_key_prefixes(trail, organization, self.account, SystemTime::now());
        let [today, yesterday] = &days;
        let (recent, today, yesterday) = join!(
            self.newest_under_prefix(today, Some(&recent)),
            self.newest_under_prefix(today, None),
            self.newest_under_prefix(yesterday, None),
        );
        let found = [recent?, today?, yesterday?];
        let Some((name, modified)) = found.into_iter().flatten().max_by_key(|(_, at)| *at) else {
            return Ok(None);
        };
        let encryption = self.object_encryption(&name).await?;
        Ok(Some(LogObject {
            key: name,
            last_modified: modified,
            encryption,
        }))
    }

    /// One page is enough: names begin with the time.
    async fn newest_under_prefix(
        &self,
        prefix: &str,
        after: Option<&str>,
    ) -> Result<Option<(String, Option<SystemTime>)>> {
        let aws = self.ask.acquire().await;
        let found = aws
            .s3
            .list_objects_v2()
            .bucket(self.name)
            .expected_bucket_owner(self.account)
            .prefix(prefix)
            .set_start_after(after.map(str::to_owned))
            .send()
            .await
            .context_for("s3:ListBucket", || {
                format!("list the log objects under {prefix}")
            })?;
        Ok(found
            .contents()
            .iter()
            .max_by_key(|object| system_time(object.last_modified()))
            .and_then(|object| {
                Some((
                    object.key()?.to_owned(),
                    system_time(object.last_modified()),
                ))
            }))
    }

    async fn object_encryption(&self, object: &str) -> Result<Encryption> {
        let aws = self.ask.acquire().await;
        let found = aws
            .s3
            .head_object()
            .bucket(self.name)
            .key(object)
            .expected_bucket_owner(self.account)
            .send()
            .await
            .context_for("s3:GetObject", || {
                format!("see how log object {object} is encrypted")
            })?;
        Ok(match found.server_side_encryption() {
            None | Some(ServerSideEncryption::Aes256) => Encryption::S3,
            Some(_) => Encryption::Kms(found.ssekms_key_id().map(str::to_owned)),
        })
    }

    async fn policy(&self) -> Result<Option<String>> {
        let aws = self.ask.acquire().await;
        let found = aws
            .s3
            .get_bucket_policy()
            .bucket(self.name)
            .expected_bucket_owner(self.account)
            .send()
            .await
            .optional_for("s3:GetBucketPolicy", &["NoSuchBucketPolicy"], || {
                format!("read the policy of bucket {}", self.name)
            })?;
        Ok(found.and_then(|found| found.policy))
    }

    async fn object_ownership(&self) -> Result<Option<String>> {
        let aws = self.ask.acquire().await;
        let found = aws
            .s3
            .get_bucket_ownership_controls()
            .bucket(self.name)
            .expected_bucket_owner(self.account)
            .send()
            .await
            .optional_for(
                "s3:GetBucketOwnershipControls",
                &["OwnershipControlsNotFoundError"],
                || format!("read who owns the objects of bucket {}", self.name),
            )?;
        Ok(found
            .and_then(|found| found.ownership_controls)
            .and_then(|found| found.rules.into_iter().next())
            .map(|rule| rule.object_ownership.as_str().to_owned()))
    }

    async fn lifecycle(&self) -> Result<Vec<LifecycleRule>> {
        let aws = self.ask.acquire().await;
        let found = aws
            .s3
            .get_bucket_lifecycle_configuration()
            .bucket(self.name)
            .expected_bucket_owner(self.account)
            .send()
            .await
            .optional_for(
                "s3:GetLifecycleConfiguration",
                &["NoSuchLifecycleConfiguration"],
                || format!("read the lifecycle rules of bucket {}", self.name),
            )?;
        let rules = found.and_then(|found| found.rules).unwrap_or_default();
        Ok(rules.iter().filter_map(lifecycle_rule).collect())
    }

    async fn requester_pays(&self) -> Result<bool> {
        let aws = self.ask.acquire().await;
        aws.s3
            .get_bucket_request_payment()
            .bucket(self.name)
            .expected_bucket_owner(self.account)
            .send()
            .await
            .context_for("s3:GetBucketRequestPayment", || {
                format!("read who pays for requests to bucket {}", self.name)
            })
            .map(|found| found.payer() == Some(&Payer::Requester))
    }
}

/// A rule that is switched on and goes by names alone.
fn lifecycle_rule(rule: &Rule) -> Option<LifecycleRule> {
    if *rule.status() != ExpirationStatus::Enabled {
        return None;
    }
    let filter = rule.filter();
    let by_tag = filter.is_some_and(|filter| {
        filter.tag().is_some() || filter.and().is_some_and(|and| !and.tags().is_empty())
    });
    if by_tag {
        return None;
    }
    #[expect(deprecated, reason = "old rules still have their prefix there")]
    let prefix = filter
        .and_then(|filter| {
            filter
                .prefix()
                .or(filter.and().and_then(|and| and.prefix()))
        })
        .or(rule.prefix());
    Some(LifecycleRule {
        id: rule.id().unwrap_or_default().to_owned(),
        prefix: prefix.unwrap_or_default().to_owned(),
        expires: rule
            .expiration()
            .and_then(|expires| lifecycle_timing(expires.days(), expires.date())),
        transitions: rule
            .transitions()
            .iter()
            .filter_map(|to| {
                let class = to.storage_class()?.as_str().to_owned();
                Some((class, lifecycle_timing(to.days(), to.date())?))
            })
            .collect(),
    })
}

fn lifecycle_timing(days: Option<i32>, date: Option<&DateTime>) -> Option<LifecycleTiming> {
    days.map(LifecycleTiming::AfterDays)
        .or_else(|| system_time(date).map(LifecycleTiming::OnDate))
}

/// The prefixes of today's and yesterday's log objects, and a name that those of the last two hours come after.
fn recent_key_prefixes(
    trail: &Trail,
    organization: Option<&Organization>,
    account: &str,
    now: SystemTime,
) -> ([String; 2], String) {
    let within = match organization {
        Some(organization) if trail.is_organization => format!("{}/", organization.id),
        _ => String::new(),
    };
    let region = &trail.home_region;
    let logs = format!(
        "{}{within}{account}/CloudTrail/{region}/",
        log_prefix(Some(trail))
    );
    // 2026-11-21T11:38:23Z: the forms of date and time in names are cut out of it.
    let written = |ago: u64| {
        let at = now.checked_sub(Duration::from_secs(ago)).unwrap_or(now);
        humantime::format_rfc3339_seconds(at).to_string()
    };
    let day = |text: &str| format!("{logs}{}/", text[..10].replace('-', "/"));
    let (today, yesterday, recently) = (written(0), written(86_400), written(7_200));
    let compact: String = recently[..16]
        .chars()
        .filter(|c| !"-:".contains(*c))
        .collect();
    let days = [day(&today), day(&yesterday)];
    let after = format!("{}{account}_CloudTrail_{region}_{compact}", days[0]);
    (days, after)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn recent_key_prefixes_use_utc_days() {
        let trail = Trail {
            is_organization: true,
            home_region: "eu-west-1".into(),
            prefix: "logs".into(),
            ..Trail::default()
        };
        let organization = Organization {
            id: "o-example".into(),
            management_account: "111122223333".into(),
            all_features: true,
        };
        let now = humantime::parse_rfc3339("2026-03-01T01:30:00Z").expect("a time");
        let (days, after) = recent_key_prefixes(&trail, Some(&organization), "111122223333", now);
        let logs = "logs/AWSLogs/o-example/111122223333/CloudTrail/eu-west-1/";
        assert_eq!(
            days,
            [format!("{logs}2026/03/01/"), format!("{logs}2026/02/28/")]
        );
        assert_eq!(
            after,
            format!("{logs}2026/03/01/111122223333_CloudTrail_eu-west-1_20260228T2330")
        );
    }
}
