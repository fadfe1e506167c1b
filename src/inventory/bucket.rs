//! Reads the bucket that a trail delivers to.

use std::collections::BTreeSet;
use std::time::SystemTime;

use aws_sdk_s3::types::{ExpirationStatus, LifecycleRule as Rule, Payer, ServerSideEncryption};
use aws_smithy_types::DateTime;
use futures_util::future::join_all;
use jiff::{Timestamp, ToSpan};
use tokio::join;

use super::facts::{
    BucketFacts, BucketOwner, Encryption, KeyFacts, LifecycleRule, LifecycleTiming, LogObject,
    Organization, TopicFacts, Trail,
};
use super::limiter::LimitedClients;
use super::log_objects::log_prefix;
use super::read_scope::ReadScope;
use super::topic::{covering_topic, is_usable_topic, topic_facts};
use super::trail::system_time;
use super::{Fact, access_role_arn, key};
use crate::aws::CallerIdentity;
use crate::aws::bucket_notification::{NotificationEntry, entries};
use crate::aws::error::AwsResultExt;
use crate::aws::not_found;
use crate::error::Result;

/// The owner and region of a bucket, which are needed for all other calls.
#[derive(Clone)]
pub(super) struct LocatedBucket {
    pub name: String,
    pub owner: Result<BucketOwner>,
    /// The bucket's region, if another region answered with nothing else. The owner must then be requested there.
    redirect_region: Option<String>,
}

impl LocatedBucket {
    /// Returns the region for all other calls.
    pub fn region(&self) -> Option<&str> {
        match (&self.redirect_region, &self.owner) {
            (Some(region), _) | (None, Ok(BucketOwner::ThisAccount { region })) => Some(region),
            _ => None,
        }
    }
}

/// Finds the bucket. `HeadBucket` returns the region in every answer.
pub(super) async fn find(
    clients: &LimitedClients,
    name: &str,
    caller: &CallerIdentity,
) -> LocatedBucket {
    let (owned, redirected) = find_owner(clients, name, &caller.account).await;
    LocatedBucket {
        name: name.to_owned(),
        owner: owned,
        redirect_region: redirected,
    }
}

/// Returns the owner of the bucket, or its region if another region answers.
async fn find_owner(
    clients: &LimitedClients,
    name: &str,
    account: &str,
) -> (Result<BucketOwner>, Option<String>) {
    let refusal = {
        let aws = clients.acquire().await;
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
    let own_result = Err(refusal).context_for("s3:ListBucket", || format!("find bucket {name}"));
    match (status, region) {
        (Some(301 | 307 | 400 | 403), Some(region)) if region != clients.region() => {
            (own_result, Some(region))
        }
        (Some(404), _) => (Ok(BucketOwner::Missing), None),
        (Some(403), region) => (identify_other_owner(clients, name, region).await, None),
        _ => (own_result, None),
    }
}

/// Identifies the owner after a refusal. If `HeadBucket` succeeds without an expected owner, the bucket belongs to another
/// account. If it is refused again, the account's bucket list shows the owner.
async fn identify_other_owner(
    clients: &LimitedClients,
    name: &str,
    region: Option<String>,
) -> Result<BucketOwner> {
    let (head, own) = join!(
        async {
            let aws = clients.acquire().await;
            aws.s3
                .head_bucket()
                .bucket(name)
                .send()
                .await
                .context_for("s3:ListBucket", || format!("find bucket {name}"))
        },
        is_listed_bucket(clients, name),
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

async fn is_listed_bucket(clients: &LimitedClients, name: &str) -> Result<bool> {
    let aws = clients.acquire().await;
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

/// Reads everything about a bucket in its own region. `near` contains the notifications if they are known already.
pub(super) async fn inspect(
    clients: &LimitedClients,
    found: LocatedBucket,
    near: Option<Result<Vec<NotificationEntry>>>,
    scope: &ReadScope<'_>,
) -> BucketFacts {
    let (name, account) = (found.name.as_str(), scope.caller.account.as_str());
    let bucket = OwnBucket {
        clients,
        name,
        account,
    };
    // The longest chain of calls comes first.
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
            let clients = &clients.prioritized();
            let notifications = match near {
                Some(known) => known,
                None => notifications(clients, name, account).await,
            };
            let topic = notifications
                .as_ref()
                .ok()
                .and_then(|entries| covering_topic(entries, scope, clients.region()));
            let topic = match topic {
                // The ARN shows already that the topic is not usable.
                Some(arn) if !is_usable_topic(&arn, account, clients.region()) => {
                    Fact::Present(TopicFacts::arn_only(arn))
                }
                Some(arn) => Fact::from_optional(topic_facts(clients, &arn, account).await),
                None => Fact::NotRequested,
            };
            (notifications, topic)
        },
        async {
            match found.redirect_region {
                Some(_) => find_owner(clients, name, account).await.0,
                None => found.owner.clone(),
            }
        },
        bucket.encryption_facts(scope),
        bucket.policy(),
        bucket.object_ownership(),
        bucket.lifecycle(),
        bucket.requester_pays(),
    );
    if !matches!(owned, Ok(BucketOwner::ThisAccount { .. })) {
        return BucketFacts::not_inspected(name, owned);
    }
    BucketFacts {
        name: found.name.clone(),
        owner: owned,
        encryption: Fact::from_result(encryption),
        newest_log_object: Fact::from_optional(newest),
        keys,
        notifications: Fact::from_result(notifications),
        topic,
        policy: Fact::from_optional(policy),
        object_ownership: Fact::from_optional(ownership),
        lifecycle: Fact::from_result(lifecycle),
        requester_pays: Fact::from_result(payer),
    }
}

/// Reads the bucket's notifications. They come first, because a long chain of calls may follow: the topic, its key and the
/// key's policy.
pub(super) async fn notifications(
    clients: &LimitedClients,
    name: &str,
    account: &str,
) -> Result<Vec<NotificationEntry>> {
    let aws = clients.acquire().await;
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

/// A bucket of this account, with clients for its region.
struct OwnBucket<'a> {
    clients: &'a LimitedClients,
    name: &'a str,
    account: &'a str,
}

impl OwnBucket<'_> {
    /// Reads the bucket's encryption, the newest log object, and every key that one of them or the trail names.
    async fn encryption_facts(
        &self,
        scope: &ReadScope<'_>,
    ) -> (Result<Encryption>, Result<Option<LogObject>>, Vec<KeyFacts>) {
        let ReadScope {
            trail,
            caller,
            organization,
            request,
        } = *scope;
        let grantee = access_role_arn(request, caller);
        let known: BTreeSet<&String> = request.bucket_key.iter().chain(&trail.kms_key).collect();
        let ahead = OwnBucket {
            clients: &self.clients.prioritized(),
            ..*self
        };
        let look =
            async |asked: &String| key::inspect(self.clients, asked, self.account, &grantee).await;
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
        // A key that only the object names, such as a former key or an AWS managed key.
        if let Ok(Some(LogObject {
            encryption: Encryption::Kms(Some(asked)),
            ..
        })) = &newest
            && !keys.iter().any(|key| key.has_name(asked))
        {
            keys.push(key::inspect(ahead.clients, asked, self.account, &grantee).await);
        }
        (encryption, newest, keys)
    }

    async fn encryption(&self) -> Result<Encryption> {
        let aws = self.clients.acquire().await;
        let found = aws
            .s3
            .get_bucket_encryption()
            .bucket(self.name)
            .expected_bucket_owner(self.account)
            .send()
            .await
            .optional_for(
                "s3:GetEncryptionConfiguration",
                not_found::BUCKET_ENCRYPTION,
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

    /// Returns the newest log object of the trail's home region from today or yesterday.
    async fn newest_log_object(
        &self,
        trail: &Trail,
        organization: &Fact<Organization>,
    ) -> Result<Option<LogObject>> {
        let organization = match organization {
            // The organization's ID is part of the object keys.
            Fact::Failed(error) if trail.is_organization => return Err(error.clone()),
            fact => fact.present(),
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

    /// Returns the newest object under a prefix. One page is enough, because the keys begin with the time.
    async fn newest_under_prefix(
        &self,
        prefix: &str,
        after: Option<&str>,
    ) -> Result<Option<(String, Option<SystemTime>)>> {
        let aws = self.clients.acquire().await;
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
        let aws = self.clients.acquire().await;
        let found = aws
            .s3
            .head_object()
            .bucket(self.name)
            .key(object)
            .expected_bucket_owner(self.account)
            .send()
            .await
            .context_for("s3:GetObject", || {
                format!("read the encryption of log object {object}")
            })?;
        Ok(match found.server_side_encryption() {
            None | Some(ServerSideEncryption::Aes256) => Encryption::S3,
            Some(_) => Encryption::Kms(found.ssekms_key_id().map(str::to_owned)),
        })
    }

    async fn policy(&self) -> Result<Option<String>> {
        let aws = self.clients.acquire().await;
        let found = aws
            .s3
            .get_bucket_policy()
            .bucket(self.name)
            .expected_bucket_owner(self.account)
            .send()
            .await
            .optional_for("s3:GetBucketPolicy", not_found::BUCKET_POLICY, || {
                format!("read the policy of bucket {}", self.name)
            })?;
        Ok(found.and_then(|found| found.policy))
    }

    async fn object_ownership(&self) -> Result<Option<String>> {
        let aws = self.clients.acquire().await;
        let found = aws
            .s3
            .get_bucket_ownership_controls()
            .bucket(self.name)
            .expected_bucket_owner(self.account)
            .send()
            .await
            .optional_for(
                "s3:GetBucketOwnershipControls",
                not_found::BUCKET_OWNERSHIP_CONTROLS,
                || format!("read the object ownership of bucket {}", self.name),
            )?;
        Ok(found
            .and_then(|found| found.ownership_controls)
            .and_then(|found| found.rules.into_iter().next())
            .map(|rule| rule.object_ownership.as_str().to_owned()))
    }

    async fn lifecycle(&self) -> Result<Vec<LifecycleRule>> {
        let aws = self.clients.acquire().await;
        let found = aws
            .s3
            .get_bucket_lifecycle_configuration()
            .bucket(self.name)
            .expected_bucket_owner(self.account)
            .send()
            .await
            .optional_for(
                "s3:GetLifecycleConfiguration",
                not_found::BUCKET_LIFECYCLE,
                || format!("read the lifecycle rules of bucket {}", self.name),
            )?;
        let rules = found.and_then(|found| found.rules).unwrap_or_default();
        Ok(rules.iter().filter_map(lifecycle_rule).collect())
    }

    async fn requester_pays(&self) -> Result<bool> {
        let aws = self.clients.acquire().await;
        aws.s3
            .get_bucket_request_payment()
            .bucket(self.name)
            .expected_bucket_owner(self.account)
            .send()
            .await
            .context_for("s3:GetBucketRequestPayment", || {
                format!("read the request payment settings of bucket {}", self.name)
            })
            .map(|found| found.payer() == Some(&Payer::Requester))
    }
}

/// Returns an enabled rule that filters by prefix only.
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
    #[expect(deprecated, reason = "old rules have their prefix in this field")]
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

/// Returns the key prefixes of today's and yesterday's log objects, and a key that sorts before those of the last two hours.
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
    let now = Timestamp::try_from(now).unwrap_or_default();
    let hours_ago = |hours: i64| now.saturating_sub(hours.hours()).unwrap_or(now);
    let day = |at: Timestamp| format!("{logs}{}", at.strftime("%Y/%m/%d/"));
    let days = [day(now), day(hours_ago(24))];
    let recent = hours_ago(2).strftime("%Y%m%dT%H%M");
    let after = format!("{}{account}_CloudTrail_{region}_{recent}", days[0]);
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
