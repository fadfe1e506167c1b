//! Reads the properties of log objects that messages announce. It reads no content.

use std::collections::{BTreeMap, BTreeSet};

use futures_util::{StreamExt, stream};

use crate::aws::error::AwsResultExt;
use crate::aws::{Aws, not_found};
use crate::error::Result;
use crate::inventory::Fact;
use crate::inventory::facts::KeyFacts;
use crate::inventory::pipeline::{PipelineFacts, PipelineSource, read_log_keys};

const CONCURRENT_READS: usize = 16;

/// Log objects by their keys, and the KMS keys that encrypt them.
#[derive(Clone, Debug, Default)]
pub struct LogObjectFacts {
    /// The customer managed key of each object; `None` without SSE-KMS. An object that does not exist is absent.
    pub objects: BTreeMap<String, Fact<Option<String>>>,
    pub kms_keys: Vec<KeyFacts>,
}

impl LogObjectFacts {
    /// Returns the facts about a KMS key.
    #[must_use]
    pub fn kms_key(&self, name: &str) -> Option<&KeyFacts> {
        self.kms_keys.iter().find(|key| key.has_name(name))
    }
}

/// Reads the properties of log objects in the bucket of the deployment, and their KMS keys.
pub async fn read_log_objects(
    aws: &Aws,
    facts: &PipelineFacts,
    keys: BTreeSet<String>,
) -> LogObjectFacts {
    let PipelineSource::Bucket { bucket, .. } = &facts.request.source else {
        return LogObjectFacts::default();
    };
    let account = facts.request.account.as_str();
    let reads = stream::iter(keys).map(async |key| {
        let found = object_key(aws, bucket, &key, account).await;
        (key, Fact::from_optional(found))
    });
    let objects: BTreeMap<String, Fact<Option<String>>> =
        reads.buffer_unordered(CONCURRENT_READS).collect().await;
    let mut kms_keys = facts.log_keys.clone();
    let used = objects
        .values()
        .filter_map(|object| object.present()?.clone());
    let unread: BTreeSet<String> = used
        .filter(|name| !kms_keys.iter().any(|key| key.has_name(name)))
        .collect();
    kms_keys.extend(read_log_keys(aws, &facts.request, unread).await);
    LogObjectFacts { objects, kms_keys }
}

/// Reads the KMS key of an object. Returns `None` if the object does not exist. S3 returns 403 instead, if the caller may
/// not list the bucket (API reference of `HeadObject`).
async fn object_key(
    aws: &Aws,
    bucket: &str,
    key: &str,
    account: &str,
) -> Result<Option<Option<String>>> {
    let call = aws.s3.head_object().bucket(bucket).key(key);
    let found = call.expected_bucket_owner(account).send().await;
    let found = found.optional_for("s3:GetObject", not_found::OBJECT, || {
        format!("read the properties of log object {key}")
    })?;
    Ok(found.map(|object| object.ssekms_key_id))
}
