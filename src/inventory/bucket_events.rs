//! The objects of a bucket whose events S3 sends directly to a queue, for a vendor that needs no trail.

/// Heeler, as it occurs in a sentence.
pub const HEELER: &str = "Heeler";
/// Another vendor, as it occurs in a sentence.
pub const ANY_VENDOR: &str = "the vendor";

/// The objects of a bucket, and the encryption of the queue that receives their events.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct BucketEvents {
    /// The start of the object keys, in unencoded form; `None` for that of the deployment, or for all objects.
    pub prefix: Option<String>,
    /// The end of the object keys, in unencoded form; `None` for that of the deployment, or for all objects.
    pub suffix: Option<String>,
    /// True if the queue is encrypted with a KMS key of the deployment instead of SSE-SQS.
    pub has_queue_key: bool,
}

impl BucketEvents {
    /// Returns the start of the object keys.
    #[must_use]
    pub fn prefix(&self) -> &str {
        self.prefix.as_deref().unwrap_or_default()
    }

    /// Returns the end of the object keys.
    #[must_use]
    pub fn suffix(&self) -> &str {
        self.suffix.as_deref().unwrap_or_default()
    }

    /// Returns true if some objects under another prefix are among them.
    #[must_use]
    pub fn shares_prefix(&self, other: &str) -> bool {
        other.starts_with(self.prefix()) || self.prefix().starts_with(other)
    }
}
