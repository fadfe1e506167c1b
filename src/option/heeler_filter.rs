//! The events that Heeler evaluates: as a filter pattern of CloudWatch Logs, and as an event pattern of EventBridge.

use serde_json::{Value, json};

/// Defines the excluded events and the filter pattern from one list of names.
macro_rules! exclude_events {
    ($($name:literal)+) => {
        /// The names of frequent write calls without security relevance.
        pub const EXCLUDED_EVENTS: &[&str] = &[$($name),+];

        /// Successful write calls, except the excluded ones. The text is the vendor's, character by character.
        pub const HEELER_PATTERN: &str = concat!(
            "{$.readOnly IS FALSE && $.errorCode NOT EXISTS",
            $(" && $.eventName!=", $name,)+
            "}",
        );
    };
}

exclude_events!(
    "AssumeRole"
    "CompleteLayerUpload"
    "ConsoleLogin"
    "CreateGrant"
    "CreateNetworkInterface"
    "Federate"
    "GetSigninToken"
    "InitiateLayerUpload"
    "PurgeQueue"
    "PutImage"
    "PutObject"
    "RetireGrant"
    "SendCommand"
    "StartQuery"
    "UpdateInstanceInformation"
    "UploadLayerPart"
);

/// Returns the event pattern of EventBridge that matches the CloudTrail records which pass [`HEELER_PATTERN`].
///
/// Unlike the filter, it matches only management events, because a rule receives them from every trail of the account.
/// Records of old versions have no `eventCategory`. The source excludes forged events: `PutEvents` rejects sources that
/// start with `aws.`. Source of the detail types: "AWS service events delivered by CloudTrail" in the EventBridge User
/// Guide.
#[must_use]
pub fn event_pattern() -> Value {
    json!({
        "source": [{ "prefix": "aws." }],
        "detail-type": [{ "suffix": "via CloudTrail" }],
        "detail": {
            "readOnly": [false],
            "errorCode": [{ "exists": false }],
            "eventName": [{ "anything-but": EXCLUDED_EVENTS }],
            "eventCategory": ["Management", { "exists": false }],
        },
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::filter_pattern::FilterPattern;

    #[test]
    fn pattern_equals_the_vendors_text() {
        assert_eq!(HEELER_PATTERN.chars().count(), 533);
        let terms: Vec<&str> = HEELER_PATTERN
            .trim_matches(['{', '}'])
            .split(" && ")
            .collect();
        assert_eq!(terms.len(), 18);
        assert_eq!(terms[0], "$.readOnly IS FALSE");
        assert_eq!(terms[1], "$.errorCode NOT EXISTS");
        let excludes_a_name = |term: &&str| term.starts_with("$.eventName!=");
        assert!(terms[2..].iter().all(excludes_a_name));
        assert!(terms[2..].is_sorted(), "{terms:?}");
    }

    #[test]
    fn pattern_parses() {
        assert!(FilterPattern::parse(HEELER_PATTERN).is_ok());
    }

    /// The quota "Event pattern size" is 2,048 characters by default. Source: "Amazon EventBridge quotas".
    #[test]
    fn event_pattern_fits_the_default_quota() {
        let length = event_pattern().to_string().chars().count();
        assert!((400..=2_048).contains(&length), "{length}");
    }
}
