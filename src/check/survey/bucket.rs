//! Asks for the bucket that a trail delivers to: whose it is, its key, who is told of new objects.

use aws_sdk_kms::types::{KeyManagerType, KeyMetadata};
use aws_sdk_s3::types::ServerSideEncryption;
use tokio::join;

use super::{Bucket, Encryption, Hints, Key, Owned, TopicFacts, Trail, wanted_entry};
use crate::aws::Aws;
use crate::aws::arn::Arn;
use crate::aws::fault::Doing;
use crate::aws::notification::{Entry, Target, entries};
use crate::error::Result;

pub(super) async fn bucket(
    aws: &Aws,
    name: &str,
    account: &str,
    trail: Option<&Trail>,
    hints: &Hints,
) -> Bucket {
    let owned = owned(aws, name, account).await;
    let mut bucket = Bucket {
        name: name.to_owned(),
        owned,
        encryption: None,
        key: None,
        notifications: None,
        topic: None,
    };
    let Ok(Owned::Here { region }) = &bucket.owned else {
        return bucket;
    };
    let aws = aws.at(region);
    let named_key = hints
        .bucket_key
        .clone()
        .or_else(|| trail.and_then(|trail| trail.key.clone()));
    let (encryption_and_key, notifications_and_topic) = join!(
        async {
            // The key of the trail is the one that counts; only without one does the bucket's matter.
            if let Some(named) = named_key {
                let (encryption, key) = join!(encryption(&aws, name, account), key(&aws, &named));
                (encryption, Some(key))
            } else {
                let encryption = encryption(&aws, name, account).await;
                let key = match &encryption {
                    Ok(Encryption::Kms(Some(named))) => Some(key(&aws, named).await),
                    _ => None,
                };
                (encryption, key)
            }
        },
        async {
            let notifications = notifications(&aws, name, account).await;
            let topic = match &notifications {
                Ok(entries) => covering_topic(entries, hints, trail, &aws, account),
                Err(_) => None,
            };
            let topic = match topic {
                Some(arn) => Some(topic_facts(&aws, &arn).await),
                None => None,
            };
            (notifications, topic)
        },
    );
    bucket.encryption = Some(encryption_and_key.0);
    bucket.key = encryption_and_key.1;
    bucket.notifications = Some(notifications_and_topic.0);
    bucket.topic = notifications_and_topic.1;
    bucket
}

/// Whether the bucket is the caller's. HEAD names the region in every answer, and says nothing else.
async fn owned(aws: &Aws, name: &str, account: &str) -> Result<Owned> {
    let head = aws
        .s3
        .head_bucket()
        .bucket(name)
        .expected_bucket_owner(account)
        .send()
        .await;
    let refusal = match head {
        Ok(found) => {
            let region = found.bucket_region().unwrap_or(aws.region()).to_owned();
            return Ok(Owned::Here { region });
        }
        Err(refusal) => refusal,
    };
    let region = refusal
        .raw_response()
        .and_then(|response| response.headers().get("x-amz-bucket-region"))
        .map(str::to_owned);
    let status = refusal
        .raw_response()
        .map(|response| response.status().as_u16());
    match (status, region) {
        // Another region answers for it: it has to be asked there whose it is.
        (Some(301 | 307 | 400 | 403), Some(region)) if region != aws.region() => {
            Box::pin(owned(&aws.at(&region), name, account)).await
        }
        (Some(404), _) => Ok(Owned::Missing),
        (Some(403), region) => elsewhere(aws, name, region).await,
        _ => Err(refusal).doing("s3:ListBucket", || format!("look at bucket {name}")),
    }
}

/// Without the condition on its owner: an answer means that it is somebody else's bucket, a refusal that the
/// caller may not look.
async fn elsewhere(aws: &Aws, name: &str, region: Option<String>) -> Result<Owned> {
    let aws = region
        .as_deref()
        .map_or_else(|| aws.clone(), |region| aws.at(region));
    aws.s3
        .head_bucket()
        .bucket(name)
        .send()
        .await
        .doing("s3:ListBucket", || format!("look at bucket {name}"))
        .map(|found| Owned::Elsewhere { region: found.bucket_region().map(str::to_owned).or(region) })
        .map_err(|refusal| {
            refusal.hint(format!(
                "either the bucket belongs to another account, or the caller lacks s3:ListBucket on it: \
                 aws s3api list-buckets --query \"Buckets[?Name=='{name}']\" shows whether it is yours"
            ))
        })
}

async fn encryption(aws: &Aws, name: &str, account: &str) -> Result<Encryption> {
    let found = aws
        .s3
        .get_bucket_encryption()
        .bucket(name)
        .expected_bucket_owner(account)
        .send()
        .await
        .finding(
            "s3:GetEncryptionConfiguration",
            &["ServerSideEncryptionConfigurationNotFoundError"],
            || format!("read the encryption of bucket {name}"),
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

async fn key(aws: &Aws, named: &str) -> Result<Option<Key>> {
    let found = aws
        .kms
        .describe_key()
        .key_id(named)
        .send()
        .await
        .finding("kms:DescribeKey", &["NotFoundException"], || {
            format!("describe KMS key {named}")
        })?
        .and_then(|found| found.key_metadata);
    Ok(found.map(|key: KeyMetadata| Key {
        arn: key.arn().unwrap_or_default().to_owned(),
        account: Arn::parse(key.arn().unwrap_or_default())
            .map_or("", |arn| arn.account)
            .to_owned(),
        // Some endpoints leave the state out and tell only whether it is enabled.
        state: key
            .key_state()
            .map_or(
                if key.enabled() { "Enabled" } else { "Disabled" },
                |state| state.as_str(),
            )
            .to_owned(),
        customer_managed: key.key_manager() != Some(&KeyManagerType::Aws),
        deletion: key.deletion_date().map(ToString::to_string),
    }))
}

async fn notifications(aws: &Aws, name: &str, account: &str) -> Result<Vec<Entry>> {
    aws.s3
        .get_bucket_notification_configuration()
        .bucket(name)
        .expected_bucket_owner(account)
        .send()
        .await
        .doing("s3:GetBucketNotification", || {
            format!("read the notification configuration of bucket {name}")
        })
        .map(|found| entries(&found))
}

/// The existing topic that setup would use: the one that was named, or one that already gets every log object.
fn covering_topic(
    entries: &[Entry],
    hints: &Hints,
    trail: Option<&Trail>,
    aws: &Aws,
    account: &str,
) -> Option<String> {
    if let Some(named) = &hints.topic {
        if named.starts_with("arn:") {
            return Some(named.clone());
        }
        let partition = trail
            .and_then(|trail| Arn::parse(&trail.arn))
            .map_or("aws", |arn| arn.partition);
        return Some(crate::aws::arn::build(
            partition,
            "sns",
            aws.region(),
            account,
            named,
        ));
    }
    let logs = wanted_entry(&hints.entry, trail);
    entries
        .iter()
        .find(|entry| {
            entry.target == Target::Topic && entry.id != hints.entry && entry.covers(&logs)
        })
        .map(|entry| entry.destination.clone())
}

async fn topic_facts(aws: &Aws, arn: &str) -> Result<Option<TopicFacts>> {
    let region =
        Arn::parse(arn).map_or_else(|| aws.region().to_owned(), |arn| arn.region.to_owned());
    let found = aws
        .at(&region)
        .sns
        .get_topic_attributes()
        .topic_arn(arn)
        .send()
        .await
        .finding(
            "sns:GetTopicAttributes",
            &["NotFound", "NotFoundException"],
            || format!("read topic {arn}"),
        )?;
    Ok(found
        .and_then(|found| found.attributes)
        .map(|mut attributes| TopicFacts {
            arn: arn.to_owned(),
            policy: attributes.remove("Policy").unwrap_or_default(),
            key: attributes
                .remove("KmsMasterKeyId")
                .filter(|key| !key.is_empty()),
        }))
}
