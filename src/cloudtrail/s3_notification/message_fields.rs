//! The JSON fields of the messages. A field of an unexpected type counts as missing.

use serde::Deserialize;
use serde_json::value::RawValue;

use super::notification::S3Object;
use crate::cloudtrail::lenient_json;

/// The fields of all message formats. A message has only the fields of its own format.
#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct MessageBody<'a> {
    #[serde(rename = "Type", deserialize_with = "lenient_json::text")]
    pub(super) envelope_type: Option<String>,
    #[serde(rename = "Message", deserialize_with = "lenient_json::text")]
    pub(super) message: Option<String>,
    #[serde(rename = "Event", deserialize_with = "lenient_json::text")]
    pub(super) event: Option<String>,
    #[serde(rename = "Records", borrow, deserialize_with = "lenient_json::value")]
    pub(super) records: Option<Vec<&'a RawValue>>,
    #[serde(rename = "s3Bucket", deserialize_with = "lenient_json::text")]
    pub(super) trail_bucket: Option<String>,
    #[serde(
        rename = "s3ObjectKey",
        borrow,
        deserialize_with = "lenient_json::value"
    )]
    pub(super) trail_keys: Option<Vec<&'a RawValue>>,
    #[serde(deserialize_with = "lenient_json::text")]
    pub(super) source: Option<String>,
    #[serde(rename = "detail-type", deserialize_with = "lenient_json::text")]
    pub(super) detail_type: Option<String>,
    #[serde(deserialize_with = "lenient_json::text")]
    pub(super) region: Option<String>,
    #[serde(deserialize_with = "lenient_json::object")]
    pub(super) detail: Option<S3Entity>,
}

/// One entry of an S3 notification.
#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct S3EventEntry {
    #[serde(deserialize_with = "lenient_json::text")]
    pub(super) event_version: Option<String>,
    #[serde(deserialize_with = "lenient_json::text")]
    pub(super) event_name: Option<String>,
    #[serde(deserialize_with = "lenient_json::text")]
    pub(super) aws_region: Option<String>,
    #[serde(deserialize_with = "lenient_json::object")]
    pub(super) s3: Option<S3Entity>,
}

/// The `s3` object of an S3 notification, and the `detail` of an EventBridge event. Only S3 notifications encode the key.
#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct S3Entity {
    #[serde(deserialize_with = "lenient_json::object")]
    pub(super) bucket: Option<S3BucketField>,
    #[serde(deserialize_with = "lenient_json::object")]
    pub(super) object: Option<S3ObjectField>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct S3BucketField {
    #[serde(deserialize_with = "lenient_json::text")]
    pub(super) name: Option<String>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct S3ObjectField {
    #[serde(deserialize_with = "lenient_json::text")]
    pub(super) key: Option<String>,
    #[serde(deserialize_with = "lenient_json::value")]
    pub(super) size: Option<u64>,
}

impl S3Entity {
    pub(super) fn into_object(self, region: Option<String>) -> Option<S3Object> {
        let object = self.object?;
        Some(S3Object {
            bucket: self.bucket?.name?,
            key: object.key?,
            region,
            size: object.size,
        })
    }
}

impl S3EventEntry {
    /// Returns true for major version 2. A new minor version only adds fields; a new major version may be incompatible.
    /// Source: <https://docs.aws.amazon.com/AmazonS3/latest/userguide/notification-content-structure.html>.
    pub(super) fn has_known_version(&self) -> bool {
        self.event_version
            .as_deref()
            .is_none_or(|version| version.split('.').next() == Some("2"))
    }

    /// Returns true for Put, Post, Copy and `CompleteMultipartUpload`. A notification without an event name announces a
    /// creation.
    pub(super) fn is_creation(&self) -> bool {
        self.event_name.as_deref().is_none_or(|name| {
            let name = name.strip_prefix("s3:").unwrap_or(name);
            name.starts_with("ObjectCreated:")
        })
    }
}
