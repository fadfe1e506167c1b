//! Cases of the checks on the bucket: ownership, encryption and notifications.

use std::time::Duration;

use heeler_ec::aws::bucket_notification::{NotificationEntry, NotificationTarget};
use heeler_ec::check::Verdict;
use heeler_ec::error::Error;
use heeler_ec::inventory::facts::{
    BucketOwner, DestinationFacts, Encryption, LifecycleRule, LifecycleTiming, MemberObjects,
    TopicFacts, TrailSelection,
};
use heeler_ec::inventory::named_resource::NamedResource;
use heeler_ec::inventory::{Fact, LogEncryption, Snapshot};

use super::account::{bucket, caller, trail, with_log_archive};
use super::fixture::{
    KEY, MEMBER, OTHER_ACCOUNT_KEY, OTHER_KEY, PAYER, bucket_policy, key, log_object,
    managed_owner, now,
};
use super::trail::status;
use super::{VerdictCase, assert_verdicts, check, refused, s3};
use testkit::awscli::parse;

#[test]
fn bucket_verdicts() {
    assert_verdicts(&cases());
}

/// The printed command replaces the topic's policy, so it must keep the existing statements.
#[test]
fn topic_policy_command_keeps_existing_statements() {
    let mut snapshot =
        super::ready(heeler_ec::inventory::trail_destination::TrailDestination::Bucket);
    let theirs = policy(r#""StringEquals":{"aws:SourceAccount":"444455556666"}"#);
    use_existing_topic(
        &mut snapshot,
        TopicFacts {
            policy: theirs.clone(),
            ..topic()
        },
    );
    let Verdict::Fail(finding) =
        (check(snapshot.option.destination, "bucket.topic").evaluate)(&snapshot)
    else {
        panic!("S3 may publish");
    };
    let parsed = parse(&finding.fix.cli).remove(0).expect("a command");
    let written = parsed.calls[0].parameters["AttributeValue"].as_str();
    let json = |text: &str| serde_json::from_str::<serde_json::Value>(text).expect("a policy");
    let (written, theirs) = (json(written.expect("a policy")), json(&theirs));
    assert_eq!(written["Statement"][0], theirs["Statement"][0]);
    let added = &written["Statement"][1];
    assert_eq!(added["Principal"]["Service"], "s3.amazonaws.com");
    assert_eq!(
        added["Condition"]["ArnEquals"]["aws:SourceArn"],
        "arn:aws:s3:::org-trail-logs"
    );
}

/// SNS rejects a policy in which two statements have the same Sid.
#[test]
fn topic_policy_command_uses_unique_sid() {
    let theirs = policy(r#""ArnEquals":{"aws:SourceArn":"arn:aws:s3:::other"}"#);
    let named =
        |sid: &str| theirs.replacen(r#"{"Effect""#, &format!(r#"{{"Sid":"{sid}","Effect""#), 1);
    for (there, wanted) in [
        ("Theirs", "HeelerLogBucket"),
        ("HeelerLogBucket", "HeelerLogBucket2"),
    ] {
        let mut snapshot =
            super::ready(heeler_ec::inventory::trail_destination::TrailDestination::Bucket);
        let policy = named(there);
        use_existing_topic(&mut snapshot, TopicFacts { policy, ..topic() });
        let Verdict::Fail(finding) =
            (check(snapshot.option.destination, "bucket.topic").evaluate)(&snapshot)
        else {
            panic!("S3 may publish");
        };
        let command = &finding.fix.cli[0];
        let quoted = |sid: &str| format!(r#""Sid":"{sid}""#);
        for sid in [there, wanted] {
            assert_eq!(command.matches(&quoted(sid)).count(), 1, "{sid}: {command}");
        }
    }
}

pub fn cases() -> Vec<VerdictCase> {
    [
        bucket_cases(),
        encryption_cases(),
        notification_cases(),
        topic_cases(),
        policy_cases(),
    ]
    .into_iter()
    .flatten()
    .collect()
}

fn bucket_cases() -> Vec<VerdictCase> {
    vec![
        s3(
            "bucket.matches_trail",
            "it is the trail's",
            |_| {},
            "pass",
            "org-trail-logs",
        ),
        s3(
            "bucket.matches_trail",
            "--bucket names another bucket",
            |s| bucket(s).name = "other".into(),
            "fail",
            "remove --bucket",
        ),
        s3(
            "bucket.matches_trail",
            "it is an access point alias",
            |s| {
                let alias = "logs-abcdefghijklmnopqrstuvwxyz12345678-s3alias";
                trail(s).bucket = alias.into();
                bucket(s).name = alias.into();
            },
            "fail",
            "aws cloudtrail update-trail --region us-east-1 --name org-trail --s3-bucket-name BUCKET",
        ),
        s3(
            "bucket.owner",
            "--bucket names a missing bucket",
            |s| {
                bucket(s).name = "nope".into();
                bucket(s).owner = Ok(BucketOwner::Missing);
            },
            "skip",
            "depends on bucket.matches_trail",
        ),
        s3(
            "bucket.owner",
            "--bucket names a missing bucket, and there is no trail",
            |s| {
                s.trail_selection = TrailSelection::None;
                bucket(s).owner = Ok(BucketOwner::Missing);
            },
            "fail",
            "the bucket given with --bucket",
        ),
        s3(
            "bucket.lifecycle",
            "a rule deletes objects from a past date",
            |s| set_dated_rule(s, -48, None),
            "warn",
            "rule tidy deletes objects from 2026-02-28T12:00:00Z",
        ),
        s3(
            "bucket.lifecycle",
            "a rule deletes objects from a date within a day",
            |s| set_dated_rule(s, 23, None),
            "warn",
            "rule tidy deletes objects from 2026-03-03T11:00:00Z",
        ),
        s3(
            "bucket.lifecycle",
            "a rule deletes objects from a later date",
            |s| set_dated_rule(s, 25, None),
            "pass",
            "1 lifecycle rule keeps them long enough",
        ),
        s3(
            "bucket.lifecycle",
            "a rule archives objects from a past date",
            |s| set_dated_rule(s, -1, Some("DEEP_ARCHIVE")),
            "warn",
            "rule tidy moves objects to DEEP_ARCHIVE from 2026-03-02T11:00:00Z",
        ),
        s3(
            "bucket.lifecycle",
            "a rule moves objects to a readable class from a past date",
            |s| set_dated_rule(s, -1, Some("STANDARD_IA")),
            "pass",
            "1 lifecycle rule",
        ),
        s3(
            "bucket.policy",
            "the policy requires a header",
            |s| {
                deny(
                    s,
                    r#""Sid":"OnlyFromTheApp","Principal":"*","Action":"s3:GetObject","Condition":{"StringNotEquals":{"aws:Referer":"app"}}"#,
                )
            },
            "unknown",
            "OnlyFromTheApp denies s3:GetObject, if StringNotEquals aws:Referer app",
        ),
        s3(
            "bucket.matches_trail",
            "there is none",
            |s| s.bucket = None,
            "skip",
            "depends on trail.found",
        ),
        s3(
            "bucket.owner",
            "it belongs to this account",
            |_| {},
            "pass",
            "org-trail-logs in eu-west-1",
        ),
        s3(
            "bucket.owner",
            "the caller is a delegated administrator",
            |s| {
                caller(s).account = MEMBER.into();
                s.account.delegated_administrators = Ok(vec![MEMBER.into()]);
                bucket(s).owner = Ok(BucketOwner::OtherAccount { region: None });
            },
            "skip",
            "depends on org.management_account",
        ),
        s3(
            "bucket.owner",
            "it is in the log archive account",
            |s| bucket(s).owner = Ok(BucketOwner::OtherAccount { region: None }),
            "fail",
            "heeler-ec preflight --option s3 --bucket-profile PROFILE_OF_THE_BUCKET_ACCOUNT",
        ),
        s3(
            "bucket.owner",
            "it is the one of Control Tower",
            |s| {
                trail(s).bucket = "aws-controltower-logs-444455556666-eu-west-1".into();
                bucket(s).name = "aws-controltower-logs-444455556666-eu-west-1".into();
                bucket(s).owner = Ok(BucketOwner::OtherAccount { region: None });
            },
            "fail",
            "--bucket-profile PROFILE_OF_444455556666",
        ),
        s3(
            "bucket.owner",
            "--bucket-profile is for another account",
            |s| {
                with_log_archive(s);
                bucket(s).owner = Ok(BucketOwner::OtherAccount { region: None });
            },
            "fail",
            "bucket org-trail-logs does not belong to 444455556666",
        ),
        s3(
            "bucket.owner",
            "--bucket-profile is for its account",
            with_log_archive,
            "pass",
            "org-trail-logs in eu-west-1, account 444455556666",
        ),
        s3(
            "bucket.owner",
            "it was deleted",
            |s| bucket(s).owner = Ok(BucketOwner::Missing),
            "fail",
            "does not exist",
        ),
        s3(
            "bucket.owner",
            "the caller may not read it",
            |s| bucket(s).owner = Err(refused("s3:ListBucket")),
            "unknown",
            "s3:ListBucket",
        ),
        s3(
            "bucket.region",
            "it differs from the trail's home region",
            |_| {},
            "pass",
            "the trail's home region us-east-1 does not matter",
        ),
        s3(
            "bucket.region",
            "the bucket belongs to another account",
            |s| bucket(s).owner = Ok(BucketOwner::Missing),
            "skip",
            "depends on bucket.owner",
        ),
        s3(
            "bucket.recent_objects",
            "there is a recent object",
            |_| {},
            "pass",
            "x.json.gz from 2026-03-02T11:56:00Z",
        ),
        s3(
            "bucket.recent_objects",
            "there is none, although the trail delivers",
            |s| bucket(s).newest_log_object = Fact::Absent,
            "warn",
            "no log objects from today or yesterday under AWSLogs/o-example/",
        ),
        s3(
            "bucket.recent_objects",
            "there is none, and the trail has not delivered",
            |s| {
                bucket(s).newest_log_object = Fact::Absent;
                status(s).to_bucket.at = None;
            },
            "skip",
            "depends on trail.delivery",
        ),
        s3(
            "bucket.recent_objects",
            "the caller may not list objects",
            |s| bucket(s).newest_log_object = Fact::Failed(refused("s3:ListBucket")),
            "unknown",
            "s3:ListBucket",
        ),
        s3(
            "bucket.recent_objects",
            "the caller may not read the object",
            |s| bucket(s).newest_log_object = Fact::Failed(refused("s3:GetObject")),
            "pass",
            "the bucket has log objects",
        ),
        s3(
            "bucket.member_objects",
            "member accounts have log objects",
            |_| {},
            "pass",
            "member accounts have log objects",
        ),
        s3(
            "bucket.member_objects",
            "only the management account has log objects",
            |s| bucket(s).member_objects = Fact::Present(MemberObjects::Missing),
            "warn",
            "no log objects of other accounts under AWSLogs/o-example/",
        ),
        s3(
            "bucket.member_objects",
            "the organization has one account",
            |s| bucket(s).member_objects = Fact::Present(MemberObjects::NoOtherAccount),
            "pass",
            "the organization has no other active account",
        ),
        s3(
            "bucket.member_objects",
            "the trail has not delivered",
            |s| {
                bucket(s).member_objects = Fact::Present(MemberObjects::Missing);
                status(s).to_bucket.at = None;
            },
            "skip",
            "depends on trail.delivery",
        ),
        s3(
            "bucket.member_objects",
            "the trail is of one account",
            |s| bucket(s).member_objects = Fact::NotRequested,
            "skip",
            "depends on trail.organization",
        ),
        s3(
            "bucket.member_objects",
            "the caller may not list objects",
            |s| bucket(s).member_objects = Fact::Failed(refused("s3:ListBucket")),
            "unknown",
            "s3:ListBucket",
        ),
        s3(
            "bucket.destinations",
            "there are no other notifications",
            |_| {},
            "pass",
            "no other destinations",
        ),
        s3(
            "bucket.destinations",
            "the destination of another notification exists",
            |s| set_destination(s, Ok(true)),
            "pass",
            "1 other destination",
        ),
        s3(
            "bucket.destinations",
            "the destination of another notification does not exist",
            |s| set_destination(s, Ok(false)),
            "fail",
            "notification theirs sends to arn:aws:sqs:eu-west-1:111122223333:everything, which does not exist",
        ),
        s3(
            "bucket.destinations",
            "a destination does not exist, and setup has added its notification before",
            |s| {
                set_destination(s, Ok(false));
                let mut own = entry(
                    NotificationTarget::Topic,
                    "s3:ObjectCreated:*",
                    "AWSLogs/o-example/",
                    "",
                );
                own.id = s.planned_notification().id;
                bucket(s)
                    .notifications
                    .present_mut()
                    .expect("notifications")
                    .push(own);
            },
            "warn",
            "does not exist",
        ),
        s3(
            "bucket.destinations",
            "a destination does not exist, and setup uses an existing topic",
            |s| {
                set_destination(s, Ok(false));
                bucket(s).topic = Fact::Present(topic());
            },
            "warn",
            "does not exist",
        ),
        s3(
            "bucket.destinations",
            "the caller may not read a destination",
            |s| set_destination(s, Err(refused("sqs:GetQueueUrl"))),
            "unknown",
            "sqs:GetQueueUrl",
        ),
        s3(
            "bucket.destinations",
            "the notifications could not be read",
            |s| bucket(s).notifications = Fact::Failed(refused("s3:GetBucketNotification")),
            "skip",
            "depends on bucket.notifications",
        ),
        s3(
            "bucket.ownership",
            "the setting is BucketOwnerEnforced",
            |_| {},
            "pass",
            "BucketOwnerEnforced",
        ),
        s3(
            "bucket.ownership",
            "the setting is BucketOwnerPreferred",
            |s| bucket(s).object_ownership = Fact::Present("BucketOwnerPreferred".into()),
            "pass",
            "BucketOwnerPreferred",
        ),
        s3(
            "bucket.ownership",
            "the setting is ObjectWriter",
            |s| bucket(s).object_ownership = Fact::Present("ObjectWriter".into()),
            "warn",
            "object ownership is ObjectWriter",
        ),
        s3(
            "bucket.ownership",
            "the setting was never set",
            |s| bucket(s).object_ownership = Fact::Absent,
            "warn",
            "put-bucket-ownership-controls --bucket org-trail-logs",
        ),
        s3(
            "bucket.ownership",
            "the caller may not read it",
            |s| bucket(s).object_ownership = Fact::Failed(refused("s3:GetBucketOwnershipControls")),
            "unknown",
            "s3:GetBucketOwnershipControls",
        ),
        s3(
            "bucket.lifecycle",
            "there is no rule",
            |_| {},
            "pass",
            "no lifecycle rules",
        ),
        s3(
            "bucket.lifecycle",
            "a rule deletes objects after a year",
            |s| set_lifecycle_rule(s, "", Some(365), &[]),
            "pass",
            "1 lifecycle rule",
        ),
        s3(
            "bucket.lifecycle",
            "a rule deletes objects after a day",
            |s| set_lifecycle_rule(s, "AWSLogs/", Some(1), &[]),
            "warn",
            "rule tidy deletes objects after one day",
        ),
        s3(
            "bucket.lifecycle",
            "a rule for another prefix deletes objects after a day",
            |s| set_lifecycle_rule(s, "tmp/", Some(1), &[]),
            "pass",
            "1 lifecycle rule",
        ),
        s3(
            "bucket.lifecycle",
            "a rule archives objects immediately",
            |s| set_lifecycle_rule(s, "", None, &[("DEEP_ARCHIVE", 0)]),
            "warn",
            "moves objects to DEEP_ARCHIVE immediately",
        ),
        s3(
            "bucket.lifecycle",
            "a rule moves objects immediately to a readable class",
            |s| set_lifecycle_rule(s, "", None, &[("GLACIER_IR", 0)]),
            "pass",
            "1 lifecycle rule",
        ),
        s3(
            "bucket.lifecycle",
            "a rule archives objects later",
            |s| set_lifecycle_rule(s, "", None, &[("GLACIER", 30)]),
            "pass",
            "1 lifecycle rule",
        ),
        s3(
            "bucket.lifecycle",
            "the caller may not read the rules",
            |s| bucket(s).lifecycle = Fact::Failed(refused("s3:GetLifecycleConfiguration")),
            "unknown",
            "s3:GetLifecycleConfiguration",
        ),
        s3(
            "bucket.requester_pays",
            "the owner pays",
            |_| {},
            "pass",
            "the bucket owner pays",
        ),
        s3(
            "bucket.requester_pays",
            "the requester pays",
            |s| bucket(s).requester_pays = Fact::Present(true),
            "fail",
            "put-bucket-request-payment --bucket org-trail-logs",
        ),
        s3(
            "bucket.requester_pays",
            "the caller may not read it",
            |s| bucket(s).requester_pays = Fact::Failed(refused("s3:GetBucketRequestPayment")),
            "unknown",
            "s3:GetBucketRequestPayment",
        ),
    ]
}

/// Cases with an encryption of the trail, the bucket and the newest object, and with keys from the operator.
fn encryption_cases() -> Vec<VerdictCase> {
    vec![
        s3(
            "bucket.encryption",
            "everything uses SSE-S3",
            |_| {},
            "pass",
            "SSE-S3 needs no KMS key",
        ),
        s3(
            "bucket.encryption",
            "everything uses SSE-S3, and --bucket-kms-key is given",
            |s| s.request.bucket_key = Some(KEY.into()),
            "warn",
            "remove --bucket-kms-key",
        ),
        s3(
            "bucket.encryption",
            "the trail has a key, and its objects show it",
            |s| set_encryption(s, Some(KEY), &Encryption::S3, Some(kms(KEY))),
            "pass",
            "SSE-KMS with the trail's key",
        ),
        s3(
            "bucket.encryption",
            "the trail has a new key, and no object shows it yet",
            |s| set_encryption(s, Some(KEY), &Encryption::S3, Some(Encryption::S3)),
            "warn",
            "but the trail is configured for arn:aws:kms",
        ),
        s3(
            "bucket.encryption",
            "trail and bucket have the same key",
            |s| set_encryption(s, Some(KEY), &kms(KEY), Some(kms(KEY))),
            "pass",
            "SSE-KMS with the trail's key",
        ),
        s3(
            "bucket.encryption",
            "the bucket names the trail's key by its id",
            |s| set_encryption(s, Some(KEY), &kms("aaaa-bbbb"), Some(kms(KEY))),
            "pass",
            "SSE-KMS with the trail's key",
        ),
        s3(
            "bucket.encryption",
            "trail and bucket have different keys, and objects have the trail's",
            |s| set_encryption(s, Some(KEY), &kms(OTHER_KEY), Some(kms(KEY))),
            "warn",
            "setup grants the role use of both",
        ),
        s3(
            "bucket.encryption",
            "trail and bucket have different keys, and objects have the bucket's",
            |s| set_encryption(s, Some(KEY), &kms(OTHER_KEY), Some(kms(OTHER_KEY))),
            "warn",
            "every key found",
        ),
        s3(
            "bucket.encryption",
            "the bucket has a key, and objects show it",
            |s| set_encryption(s, None, &kms(KEY), Some(kms(KEY))),
            "pass",
            "SSE-KMS with the bucket's key",
        ),
        s3(
            "bucket.encryption",
            "the bucket has a key, but CloudTrail requests SSE-S3",
            |s| set_encryption(s, None, &kms(KEY), Some(Encryption::S3)),
            "pass",
            "SSE-S3 needs no KMS key",
        ),
        s3(
            "bucket.encryption",
            "the key is AWS managed",
            |s| {
                set_encryption(s, None, &Encryption::Kms(None), Some(kms(KEY)));
                bucket(s).keys = vec![aws_managed_key(KEY)];
            },
            "pass",
            "AWS managed key for S3",
        ),
        s3(
            "bucket.encryption",
            "objects have a key that is configured nowhere",
            |s| set_encryption(s, None, &Encryption::S3, Some(kms(OTHER_KEY))),
            "warn",
            "the trail and bucket are configured for SSE-S3",
        ),
        s3(
            "bucket.encryption",
            "the trail has a key and there is no object yet",
            |s| set_encryption(s, Some(KEY), &Encryption::S3, None),
            "warn",
            "a recent log object encrypted with it",
        ),
        s3(
            "bucket.encryption",
            "the bucket has a key and there is no object yet",
            |s| set_encryption(s, None, &kms(KEY), None),
            "warn",
            "no recent log object confirms",
        ),
        s3(
            "bucket.encryption",
            "there is no key and no object yet",
            |s| set_encryption(s, None, &Encryption::S3, None),
            "pass",
            "needs no KMS key",
        ),
        s3(
            "bucket.encryption",
            "--bucket-kms-key is the key of the objects",
            |s| {
                set_encryption(s, Some(KEY), &Encryption::S3, Some(kms(KEY)));
                s.request.bucket_key = Some(KEY.into());
            },
            "pass",
            "SSE-KMS with arn:aws:kms",
        ),
        s3(
            "bucket.encryption",
            "--bucket-kms-key is not the key of the objects",
            |s| {
                set_encryption(s, Some(KEY), &Encryption::S3, Some(kms(KEY)));
                s.request.bucket_key = Some(OTHER_KEY.into());
            },
            "fail",
            "key arn:aws:kms:eu-west-1:111122223333:key/cccc-dddd (--bucket-kms-key)",
        ),
        s3(
            "bucket.encryption",
            "--bucket-kms-key is given, and there is no object yet",
            |s| {
                set_encryption(s, None, &Encryption::S3, None);
                s.request.bucket_key = Some(KEY.into());
            },
            "warn",
            "no recent log objects",
        ),
        s3(
            "bucket.encryption",
            "the caller may not read it",
            |s| bucket(s).encryption = Fact::Failed(refused("s3:GetEncryptionConfiguration")),
            "unknown",
            "s3:GetEncryptionConfiguration",
        ),
        s3(
            "bucket.encryption",
            "the caller may not read the object",
            |s| bucket(s).newest_log_object = Fact::Failed(refused("s3:GetObject")),
            "unknown",
            "s3:GetObject",
        ),
        s3(
            "bucket.encryption",
            "the bucket belongs to another account",
            |s| bucket(s).owner = Ok(BucketOwner::Missing),
            "skip",
            "depends on bucket.owner",
        ),
    ]
}

/// Cases with existing notifications.
fn notification_cases() -> Vec<VerdictCase> {
    vec![
        s3(
            "bucket.notifications",
            "there is none",
            |_| {},
            "pass",
            "no other notifications",
        ),
        s3(
            "bucket.notifications",
            "there are others for other prefixes",
            |s| {
                set_notifications(
                    s,
                    vec![
                        entry(NotificationTarget::Queue, "s3:ObjectCreated:*", "tmp/", ""),
                        entry(NotificationTarget::Function, "s3:ObjectRemoved:*", "", ""),
                    ],
                );
            },
            "pass",
            "2 other notifications (unchanged)",
        ),
        s3(
            "bucket.notifications",
            "a topic receives every log object",
            |s| {
                set_notifications(
                    s,
                    vec![entry(
                        NotificationTarget::Topic,
                        "s3:ObjectCreated:*",
                        "AWSLogs/",
                        "",
                    )],
                );
                bucket(s).topic = Fact::Present(topic());
            },
            "pass",
            "already receives every log object",
        ),
        s3(
            "bucket.notifications",
            "a topic receives every Put",
            |s| {
                set_notifications(
                    s,
                    vec![entry(
                        NotificationTarget::Topic,
                        "s3:ObjectCreated:Put",
                        "",
                        "",
                    )],
                );
            },
            "fail",
            "overlaps",
        ),
        s3(
            "bucket.notifications",
            "a topic receives only keys that end in .json",
            |s| {
                set_notifications(
                    s,
                    vec![entry(
                        NotificationTarget::Topic,
                        "s3:ObjectCreated:*",
                        "AWSLogs/",
                        ".json",
                    )],
                );
            },
            "fail",
            "extend that notification: no suffix, or .json.gz",
        ),
        s3(
            "bucket.notifications",
            "a topic receives only multipart uploads",
            |s| {
                set_notifications(
                    s,
                    vec![entry(
                        NotificationTarget::Topic,
                        "s3:ObjectCreated:CompleteMultipartUpload",
                        "",
                        "",
                    )],
                );
            },
            "fail",
            "extend that notification: event s3:ObjectCreated:* or s3:ObjectCreated:Put",
        ),
        s3(
            "bucket.notifications",
            "a topic receives every Put below the organization's ID with the suffix of logs",
            |s| {
                set_notifications(
                    s,
                    vec![entry(
                        NotificationTarget::Topic,
                        "s3:ObjectCreated:Put",
                        "AWSLogs/o-example/",
                        ".json.gz",
                    )],
                );
                bucket(s).topic = Fact::Present(topic());
            },
            "pass",
            "already receives every log object",
        ),
        s3(
            "bucket.notifications",
            "a topic receives every Put below another organization's ID",
            |s| {
                set_notifications(
                    s,
                    vec![entry(
                        NotificationTarget::Topic,
                        "s3:ObjectCreated:Put",
                        "AWSLogs/o-other/",
                        "",
                    )],
                );
            },
            "pass",
            "1 other notification (unchanged)",
        ),
        s3(
            "bucket.notifications",
            "queues and functions receive objects of other services",
            |s| {
                let created = "s3:ObjectCreated:*";
                let flow_logs = format!("AWSLogs/{PAYER}/vpcflowlogs/");
                let config = format!("AWSLogs/{PAYER}/Config/");
                set_notifications(
                    s,
                    vec![
                        entry(NotificationTarget::Queue, created, &flow_logs, ""),
                        entry(NotificationTarget::Function, created, &config, ""),
                    ],
                );
            },
            "pass",
            "2 other notifications (unchanged)",
        ),
        s3(
            "bucket.notifications",
            "a queue receives objects of other services, and the trail belongs to one account",
            |s| {
                trail(s).is_organization = false;
                let flow_logs = format!("AWSLogs/{PAYER}/vpcflowlogs/");
                let created = "s3:ObjectCreated:*";
                set_notifications(
                    s,
                    vec![entry(NotificationTarget::Queue, created, &flow_logs, "")],
                );
            },
            "fail",
            "no other destination for s3:ObjectCreated:* under AWSLogs/",
        ),
        s3(
            "bucket.notifications",
            "a topic receives the log objects of one account",
            |s| {
                set_notifications(
                    s,
                    vec![entry(
                        NotificationTarget::Topic,
                        "s3:ObjectCreated:Put",
                        "AWSLogs/o-example/111122223333/",
                        "",
                    )],
                );
            },
            "fail",
            "extend that notification: prefix AWSLogs/o-example/",
        ),
        s3(
            "bucket.notifications",
            "the managed notification sends to another account",
            |s| {
                let mut entry = own_entry("heeler_event_collection_topic");
                entry.destination = entry.destination.replace(PAYER, "444455556666");
                set_notifications(s, vec![entry]);
            },
            "fail",
            "the destination is not managed by heeler-ec",
        ),
        s3(
            "bucket.notifications",
            "two topics receive a part each",
            |s| {
                set_notifications(
                    s,
                    vec![
                        entry(
                            NotificationTarget::Topic,
                            "s3:ObjectCreated:*",
                            "AWSLogs/o-example/1",
                            "",
                        ),
                        entry(
                            NotificationTarget::Topic,
                            "s3:ObjectCreated:*",
                            "AWSLogs/o-example/2",
                            "",
                        ),
                    ],
                );
            },
            "fail",
            "send notifications for everything under AWSLogs/o-example/ to one topic",
        ),
        s3(
            "bucket.notifications",
            "a queue receives every object",
            |s| {
                set_notifications(
                    s,
                    vec![entry(
                        NotificationTarget::Queue,
                        "s3:ObjectCreated:*",
                        "",
                        "",
                    )],
                );
            },
            "fail",
            "sns subscribe --region eu-west-1 --topic-arn arn:aws:sns:eu-west-1:111122223333:cloudtrail-objects --protocol sqs",
        ),
        s3(
            "bucket.notifications",
            "a function receives every log object",
            |s| {
                set_notifications(
                    s,
                    vec![entry(
                        NotificationTarget::Function,
                        "s3:ObjectCreated:*",
                        "AWSLogs/",
                        ".gz",
                    )],
                );
            },
            "fail",
            "--protocol lambda",
        ),
        s3(
            "bucket.notifications",
            "there are as many as S3 allows",
            |s| {
                set_notifications(
                    s,
                    (0..100)
                        .map(|number| {
                            entry(
                                NotificationTarget::Queue,
                                "s3:ObjectCreated:*",
                                &format!("tmp/{number}/"),
                                "",
                            )
                        })
                        .collect(),
                );
            },
            "fail",
            "100 notifications",
        ),
        s3(
            "bucket.notifications",
            "the managed notification exists",
            |s| {
                set_notifications(s, vec![own_entry("heeler_event_collection_topic")]);
                s.name_owners.insert(
                    NamedResource::Topic,
                    Fact::Present(managed_owner("topic", "s3")),
                );
            },
            "pass",
            "heeler-ec already exists",
        ),
        s3(
            "bucket.notifications",
            "another queue receives objects below the changed prefix of the own notification",
            |s| {
                let own = NotificationEntry {
                    prefix: "AWSLogs/o-example/111122223333/".into(),
                    ..own_entry("heeler_event_collection_topic")
                };
                let created = "s3:ObjectCreated:*";
                let prefix = "AWSLogs/o-example/444455556666/";
                let other = entry(NotificationTarget::Queue, created, prefix, "");
                set_notifications(s, vec![own, other]);
            },
            "fail",
            "another notification of the bucket overlaps: \"theirs\"",
        ),
        s3(
            "bucket.notifications",
            "another queue receives objects beside those of the own notification",
            |s| {
                let other = entry(NotificationTarget::Queue, "s3:ObjectCreated:*", "b/", "");
                set_notifications(s, vec![own_entry("heeler_event_collection_topic"), other]);
                s.name_owners.insert(
                    NamedResource::Topic,
                    Fact::Present(managed_owner("topic", "s3")),
                );
            },
            "pass",
            "already exists",
        ),
        s3(
            "bucket.notifications",
            "the managed notification exists, and its topic does not",
            |s| set_notifications(s, vec![own_entry("heeler_event_collection_topic")]),
            "warn",
            "setup creates the topic again",
        ),
        s3(
            "bucket.notifications",
            "a notification with the managed ID has another destination",
            |s| set_notifications(s, vec![own_entry("somebody-elses")]),
            "fail",
            "choose other names with --name-prefix",
        ),
        s3(
            "bucket.notifications",
            "the caller may not read them",
            |s| bucket(s).notifications = Fact::Failed(refused("s3:GetBucketNotification")),
            "unknown",
            "s3:GetBucketNotification",
        ),
        s3(
            "bucket.notifications",
            "the caller may not read the existing topic",
            |s| {
                set_notifications(
                    s,
                    vec![entry(
                        NotificationTarget::Topic,
                        "s3:ObjectCreated:*",
                        "",
                        "",
                    )],
                );
                bucket(s).topic = Fact::Failed(refused("sns:GetTopicAttributes"));
            },
            "skip",
            "depends on bucket.topic",
        ),
        s3(
            "bucket.notifications",
            "the bucket belongs to another account",
            |s| bucket(s).owner = Ok(BucketOwner::Missing),
            "skip",
            "depends on bucket.owner",
        ),
    ]
}

fn topic_cases() -> Vec<VerdictCase> {
    vec![
        s3(
            "bucket.topic",
            "no existing topic is used",
            |_| {},
            "skip",
            "setup creates its own topic",
        ),
        s3(
            "bucket.topic",
            "its policy allows S3 to publish for the bucket",
            |s| use_existing_topic(s, topic()),
            "pass",
            TOPIC,
        ),
        s3(
            "bucket.topic",
            "it does not exist",
            |s| bucket(s).topic = Fact::Absent,
            "fail",
            "the topic does not exist",
        ),
        s3(
            "bucket.topic",
            "the caller may not read it",
            |s| bucket(s).topic = Fact::Failed(refused("sns:GetTopicAttributes")),
            "unknown",
            "sns:GetTopicAttributes",
        ),
        s3(
            "bucket.topic",
            "CloudTrail publishes to it",
            |s| {
                use_existing_topic(s, topic());
                trail(s).sns_topic = Some(TOPIC.into());
            },
            "fail",
            "CloudTrail publishes its own messages",
        ),
        s3(
            "bucket.topic",
            "CloudTrail publishes to it, and --sns-topic names it",
            |s| {
                use_existing_topic(s, topic());
                trail(s).sns_topic = Some(TOPIC.into());
                s.request.topic = Some(TOPIC.into());
            },
            "skip",
            "depends on trail.sns_topic",
        ),
        s3(
            "bucket.topic",
            "it is encrypted with a key of another account",
            |s| {
                use_existing_topic(
                    s,
                    TopicFacts {
                        key: Some(KEY.replace(PAYER, "444455556666")),
                        ..topic()
                    },
                );
            },
            "warn",
            "of another account",
        ),
        s3(
            "bucket.topic",
            "it is a FIFO topic",
            |s| {
                use_existing_topic(
                    s,
                    TopicFacts {
                        arn: format!("{TOPIC}.fifo"),
                        ..topic()
                    },
                )
            },
            "fail",
            "S3 cannot publish to a FIFO topic",
        ),
        s3(
            "bucket.topic",
            "it is in another region",
            |s| {
                use_existing_topic(
                    s,
                    TopicFacts {
                        arn: TOPIC.replace("eu-west-1", "us-east-1"),
                        ..topic()
                    },
                )
            },
            "fail",
            "a topic in the bucket's region and account",
        ),
        s3(
            "bucket.topic",
            "it is in another account",
            |s| {
                use_existing_topic(
                    s,
                    TopicFacts {
                        arn: TOPIC.replace(PAYER, "444455556666"),
                        ..topic()
                    },
                )
            },
            "fail",
            "setup subscribes only in this account",
        ),
        s3(
            "bucket.topic",
            "the bucket does not send notifications to it",
            |s| bucket(s).topic = Fact::Present(topic()),
            "fail",
            "does not send notifications for log objects",
        ),
        s3(
            "bucket.topic",
            "it is encrypted with the AWS managed key",
            |s| {
                use_existing_topic(
                    s,
                    TopicFacts {
                        key: Some("alias/aws/sns".into()),
                        ..topic()
                    },
                )
            },
            "fail",
            "which S3 cannot use",
        ),
        s3(
            "bucket.topic",
            "it is encrypted with a key that S3 may not use",
            |s| {
                use_existing_topic(s, TopicFacts {
            key: Some(KEY.into()),
            key_policy: Fact::Present(r#"{"Statement":[{"Effect":"Allow","Principal":{"Service":"sns.amazonaws.com"},"Action":"kms:*","Resource":"*"}]}"#.into()),
            ..topic()
        })
            },
            "fail",
            "kms:GenerateDataKey*",
        ),
        s3(
            "bucket.topic",
            "it is encrypted with a key that S3 may use",
            |s| {
                use_existing_topic(s, TopicFacts {
            key: Some(KEY.into()),
            key_policy: Fact::Present(r#"{"Statement":{"Effect":"Allow","Principal":{"Service":["s3.amazonaws.com"]},"Action":["kms:GenerateDataKey*","kms:Decrypt"],"Resource":"*"}}"#.into()),
            ..topic()
        })
            },
            "pass",
            TOPIC,
        ),
        s3(
            "bucket.topic",
            "the caller may not read the key policy",
            |s| {
                use_existing_topic(
                    s,
                    TopicFacts {
                        key: Some(KEY.into()),
                        key_policy: Fact::Failed(refused("kms:GetKeyPolicy")),
                        ..topic()
                    },
                )
            },
            "unknown",
            "kms:GetKeyPolicy",
        ),
        s3(
            "bucket.topic",
            "its policy allows S3 to publish for another bucket",
            |s| {
                use_existing_topic(
                    s,
                    TopicFacts {
                        policy: topic().policy.replace("org-trail-logs", "other"),
                        ..topic()
                    },
                )
            },
            "fail",
            "does not allow S3 to publish for org-trail-logs",
        ),
        s3(
            "bucket.topic",
            "its policy allows buckets of another account",
            |s| {
                use_existing_topic(
                    s,
                    TopicFacts {
                        policy: policy(r#""StringEquals":{"aws:SourceAccount":"444455556666"}"#),
                        ..topic()
                    },
                )
            },
            "fail",
            "does not allow S3 to publish",
        ),
        s3(
            "bucket.topic",
            "its policy allows every bucket",
            |s| {
                use_existing_topic(
                    s,
                    TopicFacts {
                        policy: policy(""),
                        ..topic()
                    },
                )
            },
            "warn",
            "allows any bucket to publish",
        ),
        s3(
            "bucket.topic",
            "its policy has the console's default statement before that of S3",
            |s| {
                let default = r#"{"Effect":"Allow","Principal":{"AWS":"*"},"Action":"SNS:Publish","Resource":"*","Condition":{"StringEquals":{"AWS:SourceOwner":"111122223333"}}},"#;
                let policy =
                    topic()
                        .policy
                        .replacen(r#"{"Effect""#, &format!(r#"{default}{{"Effect""#), 1);
                use_existing_topic(s, TopicFacts { policy, ..topic() });
            },
            "pass",
            TOPIC,
        ),
        s3(
            "bucket.topic",
            "its policy has the console's default statement alone",
            |s| {
                use_existing_topic(s, TopicFacts {
            policy: r#"{"Statement":[{"Effect":"Allow","Principal":{"AWS":"*"},"Action":"SNS:Publish","Resource":"*","Condition":{"StringEquals":{"AWS:SourceOwner":"111122223333"}}}]}"#.into(),
            ..topic()
        })
            },
            "fail",
            "does not allow S3 to publish",
        ),
        s3(
            "bucket.topic",
            "its policy has a condition on the account",
            |s| {
                use_existing_topic(
                    s,
                    TopicFacts {
                        policy: policy(r#""StringEquals":{"AWS:SourceAccount":"111122223333"}"#),
                        ..topic()
                    },
                )
            },
            "pass",
            TOPIC,
        ),
        s3(
            "bucket.topic",
            "its policy has a condition on the organization",
            |s| {
                let policy = policy(r#""StringEquals":{"aws:SourceOrgID":"o-example"}"#);
                use_existing_topic(s, TopicFacts { policy, ..topic() });
            },
            "pass",
            TOPIC,
        ),
        s3(
            "bucket.topic",
            "its policy has a condition on another organization",
            |s| {
                let policy = policy(r#""StringEquals":{"aws:SourceOrgID":"o-other"}"#);
                use_existing_topic(s, TopicFacts { policy, ..topic() });
            },
            "fail",
            "does not allow S3 to publish",
        ),
        s3(
            "bucket.topic",
            "its policy allows all AWS services",
            |s| {
                let policy = policy(
                    r#""Bool":{"aws:PrincipalIsAWSService":true},"StringEquals":{"aws:SourceAccount":"111122223333"}"#,
                );
                use_existing_topic(s, TopicFacts { policy, ..topic() });
            },
            "pass",
            TOPIC,
        ),
        s3(
            "bucket.topic",
            "its policy allows all callers except AWS services",
            |s| {
                let policy = policy(r#""Bool":{"aws:PrincipalIsAWSService":"false"}"#);
                use_existing_topic(s, TopicFacts { policy, ..topic() });
            },
            "fail",
            "does not allow S3 to publish",
        ),
        s3(
            "bucket.topic",
            "its policy allows callers of the organization",
            |s| {
                let policy = policy(r#""StringEquals":{"aws:PrincipalOrgID":"o-example"}"#);
                use_existing_topic(s, TopicFacts { policy, ..topic() });
            },
            "fail",
            "does not allow S3 to publish",
        ),
        s3(
            "bucket.topic",
            "its policy requires the source account",
            |s| {
                let policy = policy(
                    r#""Null":{"aws:SourceArn":"false"},"StringEquals":{"aws:SourceAccount":"111122223333"}"#,
                );
                use_existing_topic(s, TopicFacts { policy, ..topic() });
            },
            "pass",
            TOPIC,
        ),
        s3(
            "bucket.topic",
            "its policy has a condition that cannot be evaluated",
            |s| {
                let policy = policy(
                    r#""StringEquals":{"aws:SourceAccount":"111122223333"},"ForAnyValue:StringLike":{"aws:SourceOrgPaths":"o-example/*"}"#,
                );
                use_existing_topic(s, TopicFacts { policy, ..topic() });
            },
            "unknown",
            "cannot be evaluated: aws:SourceOrgPaths",
        ),
        s3(
            "bucket.topic",
            "its policy is for another bucket, and has a condition that cannot be evaluated",
            |s| {
                let policy = policy(
                    r#""ArnLike":{"aws:SourceArn":"arn:aws:s3:::other"},"ForAnyValue:StringLike":{"aws:SourceOrgPaths":"o-example/*"}"#,
                );
                use_existing_topic(s, TopicFacts { policy, ..topic() });
            },
            "fail",
            "does not allow S3 to publish",
        ),
        s3(
            "bucket.topic",
            "its policy has a condition on an organization, and the caller may not read the organization",
            |s| {
                let policy = policy(r#""StringEquals":{"aws:SourceOrgID":"o-example"}"#);
                use_existing_topic(s, TopicFacts { policy, ..topic() });
                s.account.organization =
                    Fact::Failed(refused("organizations:DescribeOrganization"));
            },
            "unknown",
            "cannot be evaluated: aws:SourceOrgID",
        ),
        s3(
            "bucket.topic",
            "its policy denies callers outside the organization, except services of AWS",
            |s| {
                use_existing_topic(
                    s,
                    TopicFacts {
                        policy: topic_policy_with_deny(
                            r#""StringNotEqualsIfExists":{"aws:PrincipalOrgID":"o-example"},"BoolIfExists":{"aws:PrincipalIsAWSService":"false"}"#,
                        ),
                        ..topic()
                    },
                )
            },
            "pass",
            TOPIC,
        ),
        s3(
            "bucket.topic",
            "its policy denies everybody outside the organization",
            |s| {
                use_existing_topic(
                    s,
                    TopicFacts {
                        policy: topic_policy_with_deny(
                            r#""StringNotEqualsIfExists":{"aws:PrincipalOrgID":"o-example"}"#,
                        ),
                        ..topic()
                    },
                )
            },
            "fail",
            "statement 1 denies sns:Publish, if StringNotEqualsIfExists aws:PrincipalOrgID o-example",
        ),
        s3(
            "bucket.topic",
            "its key is for S3 of another account",
            |s| use_topic_key(s, r#""StringEquals":{"aws:SourceAccount":"444455556666"}"#),
            "fail",
            "its policy does not allow kms:GenerateDataKey",
        ),
        s3(
            "bucket.topic",
            "its key is for another bucket",
            |s| use_topic_key(s, r#""ArnLike":{"aws:SourceArn":"arn:aws:s3:::other"}"#),
            "fail",
            "which S3 cannot use",
        ),
        s3(
            "bucket.topic",
            "its key is for buckets of another organization",
            |s| use_topic_key(s, r#""StringEquals":{"aws:SourceOrgID":"o-other"}"#),
            "fail",
            "which S3 cannot use",
        ),
        s3(
            "bucket.topic",
            "its key is for the bucket, the account and the organization",
            |s| {
                use_topic_key(
                    s,
                    r#""ArnLike":{"aws:SourceArn":"arn:aws:s3:*:*:org-trail-logs"},"StringEquals":{"aws:SourceAccount":"111122223333","aws:SourceOrgID":"o-example"}"#,
                )
            },
            "pass",
            TOPIC,
        ),
        s3(
            "bucket.topic",
            "its key has a condition that cannot be evaluated",
            |s| use_topic_key(s, r#""StringEquals":{"kms:CallerAccount":"111122223333"}"#),
            "unknown",
            "cannot be evaluated: kms:CallerAccount",
        ),
    ]
}

fn topic_policy_with_deny(condition: &str) -> String {
    let deny = format!(
        r#"{{"Effect":"Deny","Principal":"*","Action":"SNS:Publish","Resource":"*","Condition":{{{condition}}}}},"#
    );
    topic().policy.replacen("[{", &format!("[{deny}{{"), 1)
}

/// The topic has a key that S3 may use under a condition.
fn use_topic_key(snapshot: &mut Snapshot, condition: &str) {
    let policy = format!(
        r#"{{"Statement":{{"Effect":"Allow","Principal":{{"Service":"s3.amazonaws.com"}},"Action":["kms:GenerateDataKey*","kms:Decrypt"],"Resource":"*","Condition":{{{condition}}}}}}}"#
    );
    use_existing_topic(
        snapshot,
        TopicFacts {
            key: Some(KEY.into()),
            key_policy: Fact::Present(policy),
            ..topic()
        },
    );
}

fn policy_cases() -> Vec<VerdictCase> {
    vec![
        s3(
            "bucket.policy",
            "there is none",
            |s| bucket(s).policy = Fact::Absent,
            "pass",
            "no bucket policy",
        ),
        s3(
            "bucket.policy",
            "it denies requests without TLS",
            |s| {
                deny(
                    s,
                    r#""Principal":"*","Action":"s3:*","Condition":{"Bool":{"aws:SecureTransport":"false"}}"#,
                )
            },
            "pass",
            "no statement denies Heeler",
        ),
        s3(
            "bucket.policy",
            "it denies deletions",
            |s| {
                deny(
                    s,
                    r#""Principal":"*","Action":["s3:DeleteObject","s3:PutObject"]"#,
                )
            },
            "pass",
            "no statement denies Heeler",
        ),
        s3(
            "bucket.policy",
            "it denies other organizations",
            |s| {
                deny(
                    s,
                    r#""Principal":"*","Action":"s3:*","Condition":{"StringNotEquals":{"aws:PrincipalOrgID":"o-example"}}"#,
                )
            },
            "pass",
            "no statement denies Heeler",
        ),
        s3(
            "bucket.policy",
            "it denies requests from outside a VPC endpoint",
            |s| {
                deny(
                    s,
                    r#""Sid":"DenyOutsideVpce","Principal":"*","Action":"s3:Get*","Condition":{"StringNotEquals":{"aws:SourceVpce":"vpce-1"}}"#,
                )
            },
            "unknown",
            "DenyOutsideVpce denies s3:GetObject, if StringNotEquals aws:SourceVpce vpce-1",
        ),
        s3(
            "bucket.policy",
            "it denies other addresses",
            |s| {
                deny(
                    s,
                    r#""Principal":{"AWS":"*"},"Action":"s3:GetObject","Condition":{"NotIpAddress":{"aws:SourceIp":["10.0.0.0/8"]}}"#,
                )
            },
            "unknown",
            "with a condition on aws:PrincipalArn",
        ),
        s3(
            "bucket.policy",
            "it denies all roles except one",
            |s| {
                deny(
                    s,
                    r#""Principal":"*","Action":"s3:GetObject","Condition":{"ArnNotLike":{"aws:PrincipalArn":"arn:aws:iam::111122223333:role/siem"}}"#,
                )
            },
            "warn",
            "exempt arn:aws:iam::111122223333:role/heeler_event_collection_sqs_role",
        ),
        s3(
            "bucket.policy",
            "it denies all roles except the role that Heeler assumes",
            |s| {
                deny(
                    s,
                    r#""Principal":"*","Action":"s3:GetObject","Condition":{"ArnNotLike":{"aws:PrincipalArn":["arn:aws:iam::111122223333:role/siem","arn:aws:iam::111122223333:role/heeler_*"]}}"#,
                )
            },
            "pass",
            "no statement denies Heeler",
        ),
        s3(
            "bucket.policy",
            "it denies all principals except a list",
            |s| {
                deny(
                    s,
                    r#""NotPrincipal":{"AWS":"arn:aws:iam::111122223333:role/siem"},"Action":"s3:*""#,
                )
            },
            "warn",
            "denies s3:GetObject, always",
        ),
        s3(
            "bucket.policy",
            "it denies all user IDs except a list",
            |s| {
                deny(
                    s,
                    r#""Principal":"*","NotAction":"s3:PutObject","Condition":{"StringNotLike":{"aws:userid":"AROA1:*"}}"#,
                )
            },
            "unknown",
            "aws:userid",
        ),
        s3(
            "bucket.policy",
            "it denies another prefix",
            |s| {
                bucket(s).policy = Fact::Present(r#"{"Statement":{"Effect":"Deny","Principal":"*","Action":"s3:GetObject","Resource":"arn:aws:s3:::org-trail-logs/secret/*"}}"#.into());
            },
            "pass",
            "no statement denies Heeler",
        ),
        s3(
            "bucket.policy",
            "it denies another principal",
            |s| {
                deny(
                    s,
                    r#""Principal":{"AWS":"arn:aws:iam::111122223333:role/intern"},"Action":"s3:*""#,
                )
            },
            "pass",
            "no statement denies Heeler",
        ),
        s3(
            "bucket.policy",
            "it denies this account",
            |s| {
                deny(
                    s,
                    r#""Principal":{"AWS":"arn:aws:iam::111122223333:root"},"Action":"s3:*""#,
                )
            },
            "warn",
            "always",
        ),
        s3(
            "bucket.policy",
            "the caller may not read it",
            |s| bucket(s).policy = Fact::Failed(refused("s3:GetBucketPolicy")),
            "unknown",
            "s3:GetBucketPolicy",
        ),
        s3(
            "bucket.policy",
            "it denies what comes from elsewhere, except for the organization",
            |s| {
                deny(
                    s,
                    r#""Principal":"*","Action":"s3:*","Condition":{"StringNotEqualsIfExists":{"aws:PrincipalOrgID":"o-example"},"StringNotEquals":{"aws:SourceVpce":"vpce-1"}}"#,
                )
            },
            "pass",
            "no statement denies Heeler",
        ),
        s3(
            "bucket.policy",
            "it denies old versions of TLS",
            |s| {
                deny(
                    s,
                    r#""Principal":"*","Action":"s3:*","Condition":{"NumericLessThan":{"s3:TlsVersion":"1.2"}}"#,
                )
            },
            "pass",
            "no statement denies Heeler",
        ),
        s3(
            "bucket.policy",
            "it is no policy",
            |s| bucket(s).policy = Fact::Present("{}".into()),
            "unknown",
            "cannot evaluate the policy of org-trail-logs: the policy has no Statement",
        ),
        s3(
            "bucket.delivery",
            "it allows the organization's prefix",
            |_| {},
            "pass",
            "trail org-trail may write to AWSLogs/o-example/",
        ),
        s3(
            "bucket.delivery",
            "it allows only this account",
            |s| bucket(s).policy = Fact::Present(bucket_policy("AWSLogs/o-example/111122223333/*")),
            "warn",
            "does not allow CloudTrail to write to AWSLogs/o-example/000000000000/",
        ),
        s3(
            "bucket.delivery",
            "it allows the prefix of a trail without organization",
            |s| bucket(s).policy = Fact::Present(bucket_policy("AWSLogs/111122223333/*")),
            "warn",
            "allow cloudtrail.amazonaws.com s3:PutObject on arn:aws:s3:::org-trail-logs/AWSLogs/o-example/*",
        ),
        s3(
            "bucket.delivery",
            "it allows another trail",
            |s| {
                let policy = bucket_policy("*").replace("trail/org-trail", "trail/other");
                bucket(s).policy = Fact::Present(policy);
            },
            "warn",
            "with the condition aws:SourceArn = arn:aws:cloudtrail:us-east-1:111122223333:trail/org-trail",
        ),
        s3(
            "bucket.delivery",
            "the trail has a prefix that it does not allow",
            |s| trail(s).prefix = "logs".into(),
            "warn",
            "does not allow CloudTrail to write to logs/AWSLogs/o-example/111122223333/",
        ),
        s3(
            "bucket.delivery",
            "it denies callers of other organizations",
            |s| {
                let deny = r#"{"Effect":"Deny","Principal":"*","Action":"s3:*","Resource":"*","Condition":{"StringNotEquals":{"aws:PrincipalOrgID":"o-example"}}},"#;
                let policy = bucket_policy("*").replacen("[{", &format!("[{deny}{{"), 1);
                bucket(s).policy = Fact::Present(policy);
            },
            "warn",
            "statement 1 denies s3:PutObject, if StringNotEquals aws:PrincipalOrgID o-example",
        ),
        s3(
            "bucket.delivery",
            "it depends on a key that is not known",
            |s| {
                let policy = bucket_policy("*").replace("s3:x-amz-acl", "aws:SourceVpc");
                bucket(s).policy = Fact::Present(policy);
            },
            "unknown",
            "cannot be evaluated: aws:SourceVpc",
        ),
        s3(
            "bucket.delivery",
            "there is none",
            |s| bucket(s).policy = Fact::Absent,
            "warn",
            "does not allow CloudTrail to write",
        ),
        s3(
            "bucket.delivery",
            "it may not be read",
            |s| bucket(s).policy = Fact::Failed(refused("s3:GetBucketPolicy")),
            "unknown",
            "s3:GetBucketPolicy",
        ),
    ]
}

const TOPIC: &str = "arn:aws:sns:eu-west-1:111122223333:events";

/// A topic whose policy allows S3 to publish for the trail's bucket.
fn topic() -> TopicFacts {
    TopicFacts {
        arn: TOPIC.into(),
        policy: policy(r#""ArnLike":{"aws:SourceArn":"arn:aws:s3:::org-trail-logs"}"#),
        key: None,
        key_policy: Fact::NotRequested,
    }
}

fn policy(condition: &str) -> String {
    format!(
        r#"{{"Statement":[{{"Effect":"Allow","Principal":{{"Service":"s3.amazonaws.com"}},"Action":"SNS:Publish","Resource":"{TOPIC}","Condition":{{{condition}}}}}]}}"#
    )
}

/// Makes the bucket send notifications for every object to this topic.
fn use_existing_topic(snapshot: &mut Snapshot, topic: TopicFacts) {
    set_notifications(
        snapshot,
        vec![NotificationEntry {
            destination: topic.arn.clone(),
            ..entry(NotificationTarget::Topic, "s3:ObjectCreated:*", "", "")
        }],
    );
    bucket(snapshot).topic = Fact::Present(topic);
}

fn deny(snapshot: &mut Snapshot, rest: &str) {
    let document = format!(
        r#"{{"Statement":[{{"Effect":"Deny","Resource":["arn:aws:s3:::org-trail-logs","arn:aws:s3:::org-trail-logs/*"],{rest}}}]}}"#
    );
    serde_json::from_str::<serde_json::Value>(&document).expect("a policy");
    bucket(snapshot).policy = Fact::Present(document);
}

fn set_notifications(snapshot: &mut Snapshot, entries: Vec<NotificationEntry>) {
    bucket(snapshot).notifications = Fact::Present(entries);
}

/// Adds a notification to another queue, which exists or not.
fn set_destination(snapshot: &mut Snapshot, exists: Result<bool, Error>) {
    let other = entry(
        NotificationTarget::Queue,
        "s3:ObjectCreated:*",
        "exports/",
        "",
    );
    let arn = other.destination.clone();
    set_notifications(snapshot, vec![other]);
    bucket(snapshot).destinations = vec![DestinationFacts { arn, exists }];
}

fn entry(target: NotificationTarget, event: &str, prefix: &str, suffix: &str) -> NotificationEntry {
    let (service, name) = match target {
        NotificationTarget::Topic => ("sns", "events"),
        NotificationTarget::Queue => ("sqs", "everything"),
        NotificationTarget::Function => ("lambda", "function:index"),
    };
    NotificationEntry {
        id: "theirs".into(),
        target,
        destination: format!("arn:aws:{service}:eu-west-1:{PAYER}:{name}"),
        events: vec![event.into()],
        prefix: prefix.into(),
        suffix: suffix.into(),
    }
}

fn own_entry(topic: &str) -> NotificationEntry {
    NotificationEntry {
        id: "heeler-ec".into(),
        destination: format!("arn:aws:sns:eu-west-1:{PAYER}:{topic}"),
        ..entry(
            NotificationTarget::Topic,
            "s3:ObjectCreated:*",
            "AWSLogs/",
            "",
        )
    }
}

fn set_lifecycle_rule(
    snapshot: &mut Snapshot,
    prefix: &str,
    expires: Option<i32>,
    transitions: &[(&str, i32)],
) {
    bucket(snapshot).lifecycle = Fact::Present(vec![LifecycleRule {
        id: "tidy".into(),
        prefix: prefix.into(),
        expires: expires.map(LifecycleTiming::AfterDays),
        transitions: transitions
            .iter()
            .map(|(class, days)| ((*class).to_owned(), LifecycleTiming::AfterDays(*days)))
            .collect(),
    }]);
}

/// Sets a lifecycle rule with a date, this many hours from now.
fn set_dated_rule(snapshot: &mut Snapshot, hours: i64, class: Option<&str>) {
    let hour = Duration::from_secs(3_600);
    let ago = u32::try_from(-hours).map(|ago| now() - hour * ago);
    let date = LifecycleTiming::OnDate(
        ago.unwrap_or_else(|_| now() + hour * u32::try_from(hours).expect("hours")),
    );
    bucket(snapshot).lifecycle = Fact::Present(vec![LifecycleRule {
        id: "tidy".into(),
        prefix: String::new(),
        expires: class.is_none().then_some(date),
        transitions: class
            .map(|class| (class.to_owned(), date))
            .into_iter()
            .collect(),
    }]);
}

fn kms(key: &str) -> Encryption {
    Encryption::Kms(Some(key.into()))
}

fn aws_managed_key(name: &str) -> heeler_ec::inventory::facts::KeyFacts {
    let mut facts = key(name);
    if let Fact::Present(key) = &mut facts.key {
        key.customer_managed = false;
    }
    facts
}

/// Sets the encryption of the trail, the bucket and the newest object; the named keys exist.
pub fn set_encryption(
    snapshot: &mut Snapshot,
    of_trail: Option<&str>,
    of_bucket: &Encryption,
    of_object: Option<Encryption>,
) {
    trail(snapshot).kms_key = of_trail.map(str::to_owned);
    let bucket = bucket(snapshot);
    bucket.encryption = Fact::Present(of_bucket.clone());
    bucket.newest_log_object = of_object.map_or(Fact::Absent, |encryption| {
        Fact::Present(log_object(encryption))
    });
    bucket.keys = vec![key(KEY), key(OTHER_KEY), key(OTHER_ACCOUNT_KEY)];
}

/// The keys that setup would grant Heeler.
fn granted_keys(differs: impl FnOnce(&mut Snapshot)) -> Vec<String> {
    let mut snapshot =
        super::ready(heeler_ec::inventory::trail_destination::TrailDestination::Bucket);
    differs(&mut snapshot);
    match snapshot.log_encryption() {
        LogEncryption::CustomerKeys(keys) => keys.iter().map(|key| key.name().to_owned()).collect(),
        other => vec![format!("{other:?}")],
    }
}

#[test]
fn trail_key_is_granted_first() {
    let kms_only = |key: &str| Some(kms(key));
    let s3 = || Encryption::S3;
    assert_eq!(
        granted_keys(|s| set_encryption(s, Some(KEY), &s3(), kms_only(KEY))),
        [KEY]
    );
    assert_eq!(
        granted_keys(|s| set_encryption(s, Some(KEY), &s3(), Some(s3()))),
        [KEY]
    );
    assert_eq!(
        granted_keys(|s| set_encryption(s, Some(KEY), &s3(), None)),
        [KEY]
    );
    assert_eq!(
        granted_keys(|s| set_encryption(s, Some(KEY), &kms(OTHER_KEY), kms_only(OTHER_KEY))),
        [KEY, OTHER_KEY]
    );
    assert_eq!(
        granted_keys(|s| set_encryption(s, None, &kms(KEY), kms_only(OTHER_KEY))),
        [OTHER_KEY, KEY]
    );
    assert_eq!(
        granted_keys(|s| set_encryption(s, None, &kms(KEY), None)),
        [KEY]
    );
}

#[test]
fn unencrypted_objects_need_no_grant() {
    let s3 = || Encryption::S3;
    assert_eq!(
        granted_keys(|s| set_encryption(s, None, &s3(), Some(s3()))),
        ["SseS3"]
    );
    assert_eq!(
        granted_keys(|s| set_encryption(s, None, &kms(KEY), Some(s3()))),
        ["SseS3"]
    );
    assert_eq!(
        granted_keys(|s| {
            set_encryption(s, None, &s3(), Some(s3()));
            s.request.bucket_key = Some(KEY.into());
        }),
        ["SseS3"]
    );
    assert_eq!(
        granted_keys(|s| {
            set_encryption(s, None, &Encryption::Kms(None), Some(kms(KEY)));
            bucket(s).keys = vec![aws_managed_key(KEY)];
        }),
        ["AwsManagedKey"]
    );
    assert_eq!(
        granted_keys(
            |s| bucket(s).encryption = Fact::Failed(refused("s3:GetEncryptionConfiguration"))
        ),
        ["SseS3"]
    );
    assert_eq!(
        granted_keys(|s| {
            bucket(s).encryption = Fact::Failed(refused("s3:GetEncryptionConfiguration"));
            bucket(s).newest_log_object = Fact::Absent;
        }),
        ["Unknown"]
    );
}
