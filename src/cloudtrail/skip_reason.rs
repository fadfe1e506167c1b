//! The reasons why messages, objects and files are skipped.

/// The reason why a message, or an object in it, is skipped.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum SkipReason {
    /// S3 sends a test event when a bucket notification is created.
    TestEvent,
    /// CloudTrail sends a validation message when a topic is attached to a trail.
    ValidationMessage,
    SubscriptionConfirmation,
    NoObjects,
    NotCreated,
    Digest,
    Insight,
    /// A key that ends with a slash: CloudTrail checks its access to the bucket with such objects.
    WriteCheck,
    NotALogFile,
    /// Links are not followed, because they may form a cycle.
    FolderLink,
    UnknownVersion,
    UnreadableEntry,
}

impl SkipReason {
    /// The reason as text that follows "skipped: ".
    #[must_use]
    pub fn description(&self) -> &'static str {
        match self {
            Self::TestEvent => "an S3 test event",
            Self::ValidationMessage => "a CloudTrail validation message",
            Self::SubscriptionConfirmation => "a subscription confirmation",
            Self::NoObjects => "a message without objects",
            Self::NotCreated => "not an object creation",
            Self::Digest => "a digest file, which contains no events",
            Self::Insight => "an Insights file, which contains no API calls",
            Self::WriteCheck => "a folder or write check, which contains no events",
            Self::NotALogFile => "not named like a CloudTrail log file",
            Self::FolderLink => "a symbolic link to a folder",
            Self::UnknownVersion => "an S3 notification with an unknown major version",
            Self::UnreadableEntry => "an entry without a readable bucket and key",
        }
    }

    /// Returns true if the whole message is skipped, not an object in it.
    #[must_use]
    pub fn is_about_message(self) -> bool {
        matches!(
            self,
            Self::TestEvent
                | Self::ValidationMessage
                | Self::SubscriptionConfirmation
                | Self::NoObjects
        )
    }
}
