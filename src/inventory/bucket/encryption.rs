//! Reads the encryption of a bucket and of its newest log object, and the keys that they name.

use std::collections::BTreeSet;
use std::time::SystemTime;

use aws_sdk_s3::types::ServerSideEncryption;
use futures_util::future::join_all;
use jiff::{Timestamp, ToSpan};
use tokio::join;

use super::own_bucket::OwnBucket;
use crate::aws::error::AwsResultExt;
use crate::aws::not_found;
use crate::error::Result;
use crate::inventory::facts::{Encryption, KeyFacts, LogObject, Organization, Trail};
use crate::inventory::log_objects::log_prefix;
use crate::inventory::read_scope::ReadScope;
use crate::inventory::trail::system_time;
use crate::inventory::{Fact, access_role_arn, key};

impl OwnBucket<'_> {
    /// Reads the bucket's encryption, the newest log object, and every key that one of them or the trail names.
    pub async fn encryption_facts(
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
        // The newest object may name a further key, such as a former key or an AWS managed key.
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
        let (days, recent) = {
            let owner = trail.owner().unwrap_or(self.account);
            recent_key_prefixes(trail, organization, owner, SystemTime::now())
        };
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

    /// Returns the newest object on the first page of keys under a prefix. The keys are sorted by time, so `after`
    /// skips older objects.
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
}

/// Returns the key prefixes of today's and yesterday's log objects, and a key that sorts before those of the last two hours.
fn recent_key_prefixes(
    trail: &Trail,
    organization: Option<&Organization>,
    account: &str,
    now: SystemTime,
) -> ([String; 2], String) {
    let region = &trail.home_region;
    let prefix = log_prefix(Some(trail), organization);
    let logs = format!("{prefix}{account}/CloudTrail/{region}/");
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
