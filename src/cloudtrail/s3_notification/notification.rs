//! The result of parsing a message: its objects, and what was skipped.

use crate::cloudtrail::object_key::skip_reason;
use crate::cloudtrail::skip_reason::SkipReason;
use crate::sanitize::preview;

/// An S3 object that a message announces or a listing returns.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct S3Object {
    pub bucket: String,
    /// The decoded object key.
    pub key: String,
    /// Region of the bucket, if the message contains it.
    pub region: Option<String>,
    pub size: Option<u64>,
}

/// The content of one message. A message may announce several objects; an unsuitable one does not affect the others.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Notification {
    pub objects: Vec<S3Object>,
    /// The reasons for skipping, each with the object key if there is one.
    pub skipped: Vec<(SkipReason, Option<String>)>,
}

impl Notification {
    pub(super) fn skip_message(reason: SkipReason) -> Self {
        Self {
            objects: vec![],
            skipped: vec![(reason, None)],
        }
    }

    /// Adds an object, or skips it because of its key.
    pub(super) fn add_object(&mut self, object: S3Object) {
        match skip_reason(&object.key) {
            Some(reason) => self.skipped.push((reason, Some(object.key))),
            None => self.objects.push(object),
        }
    }

    pub(super) fn add_skipped(&mut self, reason: SkipReason, key: Option<String>) {
        self.skipped.push((reason, key));
    }

    /// Returns true if no entry was readable. Such a message has a different format than its fields suggest.
    pub(super) fn is_entirely_unreadable(&self) -> bool {
        let unreadable = |(reason, _): &(SkipReason, _)| *reason == SkipReason::UnreadableEntry;
        self.objects.is_empty() && !self.skipped.is_empty() && self.skipped.iter().all(unreadable)
    }

    pub(super) fn or_no_objects(self) -> Self {
        if self.objects.is_empty() && self.skipped.is_empty() {
            Self::skip_message(SkipReason::NoObjects)
        } else {
            self
        }
    }
}

/// A message in an unknown format.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnreadableMessage {
    pub reason: String,
    /// The first 80 characters of the message, escaped for a terminal.
    pub preview: String,
}

impl UnreadableMessage {
    pub(super) fn new(reason: &str, body: &str) -> Self {
        Self {
            reason: reason.to_owned(),
            preview: preview(body),
        }
    }
}
