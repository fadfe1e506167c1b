//! What the log objects are encrypted with: as their newest one shows, and as trail and bucket say.

use super::with_own_bucket;
use crate::check::{Finding, Verdict, skipped_because};
use crate::inventory::Snapshot;
use crate::inventory::facts::{BucketFacts, Encryption, KeyFacts};

pub(super) fn encryption(survey: &Snapshot) -> Verdict {
    with_own_bucket(survey, |bucket| {
        let configured = match &bucket.encryption {
            None => return skipped_because("bucket.owner"),
            Some(Err(error)) => return Verdict::Unknown(error.clone()),
            Some(Ok(encryption)) => encryption,
        };
        let object = match &bucket.newest_log_object {
            Some(Err(error)) if error.required_permission() == Some("s3:GetObject") => {
                return Verdict::Unknown(error.clone());
            }
            Some(Ok(Some(object))) => Some(&object.encryption),
            _ => None,
        };
        let of_trail = survey.trail().and_then(|trail| trail.kms_key.as_deref());
        if let Some(named) = &survey.request.bucket_key {
            return key_override_verdict(bucket, named, of_trail, object);
        }
        let Some(object) = object else {
            return unconfirmed_verdict(of_trail, configured);
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
            (None, Encryption::S3) => Verdict::Pass("SSE-S3: no key is needed".into()),
            (None, Encryption::Kms(None)) => Verdict::Pass("SSE-KMS".into()),
            (None, Encryption::Kms(Some(_))) if by_aws => {
                Verdict::Pass("the key of AWS for S3, which needs no grant".into())
            }
            (None, Encryption::Kms(Some(key))) if same(of_object, of_bucket) => {
                Verdict::Pass(format!("SSE-KMS with the bucket's key {key}"))
            }
            (None, Encryption::Kms(Some(key))) => {
                Verdict::Warn(mixed_encryption_finding(&format!(
                    "the newest log object is encrypted with {key}, but trail and bucket say {}",
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
                "the newest log object is encrypted with {}, but the trail has key {trail_key}",
                describe(other)
            ))),
        }
    })
}

/// What shows is not what is configured.
fn mixed_encryption_finding(observed: &str) -> Finding {
    Finding::new(observed, "one way of encryption for all log objects")
        .because("it was changed lately; setup grants Heeler the use of every key that shows")
        .advice("to be sure of what comes next, wait for a delivery and run preflight again")
        .retryable()
}

/// What is configured, in words.
fn describe(encryption: &Encryption) -> String {
    match encryption {
        Encryption::S3 => "SSE-S3".into(),
        Encryption::Kms(None) => "the key of AWS for S3".into(),
        Encryption::Kms(Some(key)) => key.clone(),
    }
}

fn same_key(bucket: &BucketFacts, one: &str, other: &str) -> bool {
    one == other
        || bucket.key(one).is_some_and(|key| key.has_name(other))
        || bucket.key(other).is_some_and(|key| key.has_name(one))
}

/// The operator has named the key; what is observed has to agree.
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
                format!("key {named}, as --bucket-kms-key says"),
            )
            .because("Heeler could not read what it is told of")
            .advice("leave --bucket-kms-key out: the key is found by itself"),
        );
    }
    match object {
        Some(Encryption::S3) if of_trail.is_none() => Verdict::Warn(
            Finding::new(
                format!("log objects are encrypted with SSE-S3, not with {named}"),
                "no --bucket-kms-key",
            )
            .because("no key is needed to read them; the grant would be of no use")
            .advice("leave --bucket-kms-key out"),
        ),
        Some(Encryption::Kms(Some(key))) if !same_key(bucket, key, named) => Verdict::Fail(
            Finding::new(
                format!("the newest log object is encrypted with {key}"),
                format!("key {named}, as --bucket-kms-key says"),
            )
            .because("Heeler could not read what it is told of")
            .advice("leave --bucket-kms-key out: the key is found by itself"),
        ),
        Some(_) => Verdict::Pass(format!("SSE-KMS with {named}")),
        None => Verdict::Warn(
            Finding::new(
                format!("{named}, as --bucket-kms-key says"),
                "a log object that confirms it",
            )
            .because("there is no log object yet to see it by")
            .advice("wait for a delivery and run preflight again")
            .retryable(),
        ),
    }
}

/// Nothing was delivered yet to see it by.
fn unconfirmed_verdict(of_trail: Option<&str>, configured: &Encryption) -> Verdict {
    let found = match (of_trail, configured) {
        (Some(key), _) => format!("the trail's key {key}"),
        (None, Encryption::S3) => return Verdict::Pass("SSE-S3: no key is needed".into()),
        (None, other) => describe(other),
    };
    Verdict::Warn(
        Finding::new(
            format!("{found}, by what is configured"),
            "a log object that confirms it",
        )
        .because("there is no log object of today or yesterday to see it by")
        .advice("setup goes by what is configured; to be sure, wait for a delivery and run preflight again")
        .retryable(),
    )
}

fn two_keys_finding(of_trail: &str, of_bucket: &str) -> Finding {
    Finding::new(
        format!("trail and bucket have different keys: {of_trail} and {of_bucket}"),
        "one key for all log objects",
    )
    .because(
        "log objects have the trail's, older ones and digest files may have the bucket's; setup grants Heeler the use of both",
    )
    .advice("nothing has to be done; to have one key, give the trail and the bucket the same")
}
