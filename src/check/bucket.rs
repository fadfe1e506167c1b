//! Checks of the bucket that the trail delivers to: whose it is, its key, and who is told of new objects.

use super::account::hangs_on;
use super::survey::{Bucket, Encryption, Owned, Survey, wanted_entry};
use super::{Check, Finding, Verdict, Weight};
use crate::aws::arn::Arn;
use crate::aws::notification::{Entry, Target};

pub const CHECKS: &[Check] = &[
    Check {
        id: "bucket.named",
        says: "the bucket is the one that the trail delivers to",
        weight: Weight::Hard,
        permissions: &["cloudtrail:DescribeTrails"],
        judge: named,
    },
    Check {
        id: "bucket.owner",
        says: "the bucket belongs to this account",
        weight: Weight::Hard,
        permissions: &["s3:ListBucket"],
        judge: owner,
    },
    Check {
        id: "bucket.encryption",
        says: "the encryption of the log objects is known",
        weight: Weight::Hard,
        permissions: &["s3:GetEncryptionConfiguration"],
        judge: encryption,
    },
    Check {
        id: "bucket.notifications",
        says: "new log objects can be announced to Heeler's topic",
        weight: Weight::Hard,
        permissions: &["s3:GetBucketNotification"],
        judge: notifications,
    },
    Check {
        id: "bucket.topic",
        says: "the existing topic can be used",
        weight: Weight::Hard,
        permissions: &["sns:GetTopicAttributes"],
        judge: topic,
    },
];

/// Of the key that the log objects are encrypted with.
pub const KEY_CHECKS: &[Check] = &[
    Check {
        id: "key.state",
        says: "the key of the log objects is usable",
        weight: Weight::Hard,
        permissions: &["kms:DescribeKey"],
        judge: key_state,
    },
    Check {
        id: "key.account",
        says: "the key of the log objects is of this account",
        weight: Weight::Advisory,
        permissions: &["kms:DescribeKey"],
        judge: key_account,
    },
];

const QUOTA: usize = 100;

fn named(survey: &Survey) -> Verdict {
    let (Some(trail), Some(bucket)) = (survey.trail(), &survey.bucket) else {
        return hangs_on("trail.found");
    };
    if trail.bucket == bucket.name {
        return Verdict::Pass(bucket.name.clone());
    }
    Verdict::Fail(
        Finding::new(
            format!("trail {} delivers to {}", trail.name, trail.bucket),
            format!("bucket {}", bucket.name),
        )
        .because("a bucket that gets no log objects announces none")
        .advice("leave --bucket out: it is read from the trail"),
    )
}

fn owner(survey: &Survey) -> Verdict {
    let Some(bucket) = &survey.bucket else {
        return hangs_on("trail.found");
    };
    match &bucket.owned {
        Err(error) => Verdict::Unknown(error.clone()),
        Ok(Owned::Here { region }) => Verdict::Pass(format!("{} in {region}", bucket.name)),
        Ok(Owned::Elsewhere { .. }) => Verdict::Fail(
            Finding::new(
                format!("bucket {} belongs to another account", bucket.name),
                "a bucket of the management account",
            )
            .because("option s3 needs the log bucket in the management account (Heeler's prerequisite); \
                      with a bucket in a log archive account, use option cloudwatch or a second organization trail")
            .console("CloudTrail > Trails > Create trail, with a bucket of this account"),
        ),
        Ok(Owned::Missing) => Verdict::Fail(
            Finding::new(format!("bucket {} does not exist", bucket.name), "the trail's bucket")
                .because("the trail delivers to a bucket that was deleted")
                .console("CloudTrail > Trails > the trail > General details > Edit > Storage location"),
        ),
    }
}

/// The bucket, once it is known to be here.
fn here(survey: &Survey, judge: impl FnOnce(&Bucket) -> Verdict) -> Verdict {
    match &survey.bucket {
        Some(bucket) if matches!(bucket.owned, Ok(Owned::Here { .. })) => judge(bucket),
        _ => hangs_on("bucket.owner"),
    }
}

fn encryption(survey: &Survey) -> Verdict {
    here(survey, |bucket| match &bucket.encryption {
        None => hangs_on("bucket.owner"),
        Some(Err(error)) => Verdict::Unknown(error.clone()),
        Some(Ok(encryption)) => {
            let of_trail = survey.trail().and_then(|trail| trail.key.as_ref());
            Verdict::Pass(match (of_trail, encryption) {
                (Some(_), _) => "the trail's key".to_owned(),
                (None, Encryption::Kms(Some(_))) => "the bucket's key".to_owned(),
                (None, Encryption::Kms(None)) => "the key of AWS for S3".to_owned(),
                (None, Encryption::S3) => "SSE-S3".to_owned(),
            })
        }
    })
}

fn key_state(survey: &Survey) -> Verdict {
    here(survey, |bucket| match &bucket.key {
        None => Verdict::Skip("no KMS key is involved".into()),
        Some(Err(error)) => Verdict::Unknown(error.clone()),
        Some(Ok(None)) => Verdict::Fail(
            Finding::new(
                "the key of the log objects does not exist",
                "an enabled key",
            )
            .because("log objects that were encrypted with it cannot be read"),
        ),
        Some(Ok(Some(key))) if key.state == "Enabled" => Verdict::Pass(key.arn.clone()),
        Some(Ok(Some(key))) => {
            let when = key
                .deletion
                .as_ref()
                .map(|date| format!(" ({date})"))
                .unwrap_or_default();
            let finding = Finding::new(
                format!("key {} is in state {}{when}", key.arn, key.state),
                "state Enabled",
            )
            .because("log objects cannot be read without their key");
            Verdict::Fail(match key.state.as_str() {
                "Disabled" => finding.cli(format!("aws kms enable-key --key-id {}", key.arn)),
                "PendingDeletion" => finding.cli(format!(
                    "aws kms cancel-key-deletion --key-id {0} && aws kms enable-key --key-id {0}",
                    key.arn
                )),
                _ => finding.console("KMS > Customer managed keys"),
            })
        }
    })
}

fn key_account(survey: &Survey) -> Verdict {
    here(survey, |bucket| {
        let Some(Ok(Some(key))) = &bucket.key else {
            return hangs_on("key.state");
        };
        let ours = survey
            .caller
            .as_ref()
            .is_ok_and(|caller| caller.account == key.account);
        if ours {
            return Verdict::Pass(format!("account {}", key.account));
        }
        Verdict::Warn(
            Finding::new(format!("the key is of account {}", key.account), "a key of this account")
                .because("the key's own policy must permit kms:CreateGrant to this account, else setup is refused"),
        )
    })
}

fn notifications(survey: &Survey) -> Verdict {
    here(survey, |bucket| match &bucket.notifications {
        None => hangs_on("bucket.owner"),
        Some(Err(error)) => Verdict::Unknown(error.clone()),
        Some(Ok(entries)) => judge_entries(survey, bucket, entries),
    })
}

fn judge_entries(survey: &Survey, bucket: &Bucket, entries: &[Entry]) -> Verdict {
    let ours = wanted_entry(&survey.hints.entry, survey.trail());
    let others: Vec<&Entry> = entries.iter().filter(|entry| entry.id != ours.id).collect();
    let overlapping: Vec<&Entry> = others
        .iter()
        .copied()
        .filter(|entry| entry.overlaps(&ours))
        .collect();
    if let Some(Ok(Some(topic))) = &bucket.topic {
        let covered = overlapping.iter().any(|entry| {
            entry.target == Target::Topic && entry.destination == topic.arn && entry.covers(&ours)
        });
        if covered {
            return Verdict::Pass(format!("topic {} already gets every log object", topic.arn));
        }
    }
    if let Some(Err(_)) = &bucket.topic {
        return hangs_on("bucket.topic");
    }
    if let [first, ..] = overlapping.as_slice() {
        let named = overlapping
            .iter()
            .map(ToString::to_string)
            .collect::<Vec<_>>()
            .join("; ");
        let finding = Finding::new(
            format!("another notification of the bucket overlaps: {named}"),
            format!(
                "no other destination for {} under {}",
                ours.events[0], ours.prefix
            ),
        )
        .because("S3 allows one destination for an event and a prefix");
        return Verdict::Fail(match first.target {
            Target::Topic => finding
                .console(format!("S3 > {} > Properties > Event notifications", bucket.name))
                .advice(format!(
                    "widen that entry to {} without a suffix; setup then uses its topic by itself",
                    ours.prefix
                )),
            Target::Queue | Target::Function => finding.advice(format!(
                "put {} behind a topic that gets {}, and subscribe it there; setup then uses that topic by itself",
                first.destination, ours.prefix
            )),
        });
    }
    if others.len() >= QUOTA {
        return Verdict::Fail(
            Finding::new(
                format!("{} entries", others.len()),
                format!("fewer than {QUOTA}"),
            )
            .because("S3 allows no more entries on a bucket"),
        );
    }
    match others.len() {
        0 => Verdict::Pass("no other notification".into()),
        1 => Verdict::Pass("1 other notification, which stays as it is".into()),
        many => Verdict::Pass(format!(
            "{many} other notifications, which stay as they are"
        )),
    }
}

#[expect(
    clippy::case_sensitive_file_extension_comparisons,
    reason = "AWS writes the ending of a FIFO topic in lower case only"
)]
fn topic(survey: &Survey) -> Verdict {
    here(survey, |bucket| {
        match &bucket.topic {
        None => Verdict::Skip("a topic of our own is used".into()),
        Some(Err(error)) => Verdict::Unknown(error.clone()),
        Some(Ok(None)) => Verdict::Fail(
            Finding::new("the topic does not exist", "an existing topic")
                .because("the bucket announces its objects to a topic that was deleted, or --sns-topic is misspelt")
                .cli("aws sns list-topics"),
        ),
        Some(Ok(Some(topic))) => {
            let arn = Arn::parse(&topic.arn);
            let place = arn.map(|arn| (arn.region, arn.account));
            let account = survey.caller.as_ref().map(|caller| caller.account.as_str()).unwrap_or_default();
            let wanted = survey.region().map(|region| (region, account));
            if survey.trail().and_then(|trail| trail.own_topic.as_deref()) == Some(&topic.arn) {
                return Verdict::Fail(
                    Finding::new(format!("{} is the topic of CloudTrail itself", topic.arn), "a topic of S3 notifications")
                        .because("Heeler expects S3 event notifications, not CloudTrail's own messages")
                        .advice("leave --sns-topic out"),
                );
            }
            if topic.arn.ends_with(".fifo") {
                return Verdict::Fail(
                    Finding::new(format!("{} is a FIFO topic", topic.arn), "a standard topic")
                        .because("S3 cannot publish to a FIFO topic"),
                );
            }
            if place != wanted {
                return Verdict::Fail(
                    Finding::new(format!("topic {}", topic.arn), "a topic of the bucket's region and account")
                        .because("S3 publishes only to a topic in the bucket's own region, and setup subscribes only in this account"),
                );
            }
            if !bucket_announces_to(survey, bucket, &topic.arn) {
                return Verdict::Fail(
                    Finding::new(
                        format!("bucket {} does not announce its log objects to {}", bucket.name, topic.arn),
                        "a notification of every new log object",
                    )
                    .because("a topic that was named is used as it is, and nothing would arrive")
                    .advice("leave --sns-topic out: setup then makes a topic and the notification"),
                );
            }
            if !topic.policy.contains("s3.amazonaws.com") && !topic.policy.contains("\"*\"") {
                return Verdict::Warn(
                    Finding::new(format!("the policy of {} does not name S3", topic.arn), "a policy that lets S3 publish")
                        .because("S3 may be refused when it publishes"),
                );
            }
            Verdict::Pass(topic.arn.clone())
        }
    }
    })
}

fn bucket_announces_to(survey: &Survey, bucket: &Bucket, topic: &str) -> bool {
    let logs = wanted_entry(&survey.hints.entry, survey.trail());
    let announces = |entry: &Entry| {
        entry.target == Target::Topic && entry.destination == topic && entry.covers(&logs)
    };
    matches!(&bucket.notifications, Some(Ok(entries)) if entries.iter().any(announces))
}
