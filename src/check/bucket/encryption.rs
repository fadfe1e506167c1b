//! The verdict on the encryption of the log objects: that of the newest object, and the configuration of trail and bucket.

use super::with_own_bucket;
use crate::check::{CheckId, Finding, Verdict, skipped_because};
use crate::inventory::facts::{BucketFacts, Encryption, KeyFacts};
use crate::inventory::{Fact, Snapshot};

pub(super) fn encryption(snapshot: &Snapshot) -> Verdict {
    with_own_bucket(snapshot, |bucket| {
        let configured = match &bucket.encryption {
            Fact::NotRequested | Fact::Absent => return skipped_because(CheckId::BucketOwner),
            Fact::Failed(error) => return Verdict::Unknown(error.clone()),
            Fact::Present(encryption) => encryption,
        };
        let object = match &bucket.newest_log_object {
            Fact::Failed(error) if error.required_permission() == Some("s3:GetObject") => {
                return Verdict::Unknown(error.clone());
            }
            Fact::Present(object) => Some(&object.encryption),
            _ => None,
        };
        let of_trail = snapshot.trail().and_then(|trail| trail.kms_key.as_deref());
        if let Some(named) = &snapshot.request.bucket_key {
            return key_override_verdict(bucket, named, of_trail, object);
        }
        let Some(object) = object else {
            return unconfirmed_verdict(snapshot, of_trail, configured);
        };
        let of_bucket = match configured {
            Encryption::Kms(Some(key))
                if bucket.key(key).is_none_or(|key| !key.is_managed_by_aws()) =>
            {
                Some(key.as_str())
            }
            _ => None,
        };
        let of_object = match object {
            Encryption::Kms(Some(key)) => Some(key.as_str()),
            _ => None,
        };
        let by_aws = of_object
            .and_then(|key| bucket.key(key))
            .is_some_and(KeyFacts::is_managed_by_aws);
        let same = |one: Option<&str>, other: Option<&str>| match (one, other) {
            (Some(one), Some(other)) => same_key(bucket, one, other),
            _ => false,
        };
        match (of_trail, object) {
            (None, Encryption::S3) => Verdict::Pass("SSE-S3 needs no KMS key".into()),
            (None, Encryption::Kms(None)) => Verdict::Pass("SSE-KMS".into()),
            (None, Encryption::Kms(Some(_))) if by_aws => {
                Verdict::Pass("the AWS managed key for S3 needs no grant".into())
            }
            (None, Encryption::Kms(Some(key))) if same(of_object, of_bucket) => {
                Verdict::Pass(format!("SSE-KMS with the bucket's key {key}"))
            }
            (None, Encryption::Kms(Some(key))) => {
                Verdict::Warn(mixed_encryption_finding(&format!(
                    "the newest log object is encrypted with {key}, but the trail and bucket are configured for {}",
                    describe(configured)
                )))
            }
            (Some(trail_key), _) if same(of_trail, of_object) => match of_bucket {
                Some(other) if !same(of_trail, of_bucket) => {
                    Verdict::Warn(two_keys_finding(trail_key, other))
                }
                _ => Verdict::Pass(format!("SSE-KMS with the trail's key {trail_key}")),
            },
            (Some(trail_key), other) => Verdict::Warn(mixed_encryption_finding(&format!(
                "the newest log object is encrypted with {}, but the trail is configured for {trail_key}",
                describe(other)
            ))),
        }
    })
}

/// Creates the finding that the observed and the configured encryption differ.
fn mixed_encryption_finding(observed: &str) -> Finding {
    Finding::new(observed, "the same encryption for all log objects")
        .because(
            "the encryption was changed recently; setup grants the role use of every key found",
        )
        .advice("to confirm the new encryption, wait for a delivery and run preflight again")
        .retryable()
}

/// Describes an encryption.
fn describe(encryption: &Encryption) -> String {
    match encryption {
        Encryption::S3 => "SSE-S3".into(),
        Encryption::Kms(None) => "the AWS managed key for S3".into(),
        Encryption::Kms(Some(key)) => key.clone(),
    }
}

fn same_key(bucket: &BucketFacts, one: &str, other: &str) -> bool {
    one == other
        || bucket.key(one).is_some_and(|key| key.has_name(other))
        || bucket.key(other).is_some_and(|key| key.has_name(one))
}

/// Evaluates the key given by the operator, which must agree with the trail and the newest object.
fn key_override_verdict(
    bucket: &BucketFacts,
    named: &str,
    of_trail: Option<&str>,
    object: Option<&Encryption>,
) -> Verdict {
    if let Some(trail_key) = of_trail.filter(|key| !same_key(bucket, key, named)) {
        return Verdict::Fail(
            Finding::new(
                format!("the trail encrypts with {trail_key}"),
                format!("key {named} (--bucket-kms-key)"),
            )
            .because("notifications would name objects that the role cannot decrypt")
            .advice("remove --bucket-kms-key: the key is detected"),
        );
    }
    match object {
        Some(Encryption::S3) if of_trail.is_none() => Verdict::Warn(
            Finding::new(
                format!("log objects are encrypted with SSE-S3, not with {named}"),
                "no --bucket-kms-key",
            )
            .because("reading the objects needs no key, so the grant would have no effect")
            .advice("remove --bucket-kms-key"),
        ),
        Some(Encryption::Kms(Some(key))) if !same_key(bucket, key, named) => Verdict::Fail(
            Finding::new(
                format!("the newest log object is encrypted with {key}"),
                format!("key {named} (--bucket-kms-key)"),
            )
            .because("notifications would name objects that the role cannot decrypt")
            .advice("remove --bucket-kms-key: the key is detected"),
        ),
        Some(_) => Verdict::Pass(format!("SSE-KMS with {named}")),
        None => Verdict::Warn(
            Finding::new(
                format!("no recent log object confirms key {named} (--bucket-kms-key)"),
                "a recent log object encrypted with it",
            )
            .because("the bucket has no recent log objects to compare with")
            .advice("wait for a delivery and run preflight again")
            .retryable(),
        ),
    }
}

/// Evaluates the configuration if there is no recent log object.
fn unconfirmed_verdict(
    snapshot: &Snapshot,
    of_trail: Option<&str>,
    configured: &Encryption,
) -> Verdict {
    let found = match (of_trail, configured) {
        (Some(key), _) => format!("the trail's key {key}"),
        (None, Encryption::S3) => return Verdict::Pass("SSE-S3 needs no KMS key".into()),
        // Objects of any source: there is no place in which to look for a recent one.
        (None, other) if snapshot.request.bucket_events.is_some() => {
            let key = describe(other);
            return Verdict::Pass(format!("new objects are encrypted with {key} by default"));
        }
        (None, other) => describe(other),
    };
    Verdict::Warn(
        Finding::new(
            format!("no recent log object confirms {found}"),
            "a recent log object encrypted with it",
        )
        .because("the bucket has no log objects from today or yesterday")
        .advice("setup uses the configured key; to confirm it, wait for a delivery and run preflight again")
        .retryable(),
    )
}

fn two_keys_finding(of_trail: &str, of_bucket: &str) -> Finding {
    Finding::new(
        format!("the trail and bucket have different keys: {of_trail} and {of_bucket}"),
        "one key for all log objects",
    )
    .because(
        "log objects use the trail's key, but older objects and digest files may use the bucket's; setup grants the role use of both",
    )
    .advice("no action is needed; to use one key, configure the same key for the trail and the bucket")
}
