//! The filter policy of an SNS subscription that passes only the S3 events of objects below a prefix.
//!
//! With the scope `MessageBody`, SNS compares the policy with the message, and an array matches if one of its elements
//! does (Amazon SNS Developer Guide, "Payload-based message filtering"). A change takes up to 15 minutes to take effect
//! ("Amazon SNS subscription filter policies"). The operation `Subscribe` and `SetSubscriptionAttributes` take both
//! values as attributes.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::{Value, json};

use super::notification_filter;

/// The scope of a filter policy on the message. A policy without a scope filters message attributes.
pub const MESSAGE_BODY: &str = "MessageBody";

/// The members of an S3 event that lead to the key of its object.
const KEY_PATH: [&str; 4] = ["Records", "s3", "object", "key"];

/// The characters that every URL encoder leaves unchanged, and the slash, which S3 does not encode.
const STRICTLY_ENCODED: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'_')
    .remove(b'.')
    .remove(b'*')
    .remove(b'/');

/// Returns the filter policy for the objects below a prefix, with the scope [`MESSAGE_BODY`].
///
/// The key in an event is URL-encoded (Amazon S3 User Guide, "Event message structure"). The guide does not say whether
/// this includes characters such as `(`, so the policy passes both forms.
#[must_use]
pub fn policy(key_prefix: &str) -> Value {
    let mut prefixes: Vec<Value> = encoded(key_prefix)
        .map(|prefix| json!({ "prefix": prefix }))
        .into();
    prefixes.dedup();
    KEY_PATH
        .into_iter()
        .rev()
        .fold(Value::Array(prefixes), |value, name| json!({ name: value }))
}

/// Returns true if a subscription with the filter policy and its scope receives the events of all objects below a
/// prefix. A policy in a form that this module does not write counts as one that drops events.
#[must_use]
pub fn passes_prefix(policy: &str, scope: &str, key_prefix: &str) -> bool {
    let Ok(parsed) = serde_json::from_str::<Value>(policy) else {
        return false;
    };
    let mut prefixes = &parsed;
    for name in KEY_PATH {
        match prefixes.as_object() {
            Some(object) if object.len() == 1 => prefixes = &prefixes[name],
            _ => return false,
        }
    }
    let passes = |key: &String| {
        let mut rules = prefixes.as_array().into_iter().flatten();
        rules.any(|rule| {
            rule["prefix"]
                .as_str()
                .is_some_and(|start| key.starts_with(start))
        })
    };
    scope == MESSAGE_BODY && encoded(key_prefix).iter().all(passes)
}

/// Returns a filter policy in a form that is equal for equal policies. An empty policy, which filters nothing, is an
/// empty text.
#[must_use]
pub fn canonical(policy: &str) -> String {
    match serde_json::from_str::<Value>(policy) {
        Ok(Value::Object(members)) if members.is_empty() => String::new(),
        Ok(parsed) => parsed.to_string(),
        Err(_) => policy.to_owned(),
    }
}

/// The forms that a prefix may have in an event.
fn encoded(key_prefix: &str) -> [String; 2] {
    let strict = utf8_percent_encode(key_prefix, STRICTLY_ENCODED).to_string();
    [
        notification_filter::encode(key_prefix),
        strict.replace("%20", "+"),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn policy_has_key_prefix_as_in_event() {
        assert_eq!(
            policy("AWSLogs/o-example/").to_string(),
            r#"{"Records":{"s3":{"object":{"key":[{"prefix":"AWSLogs/o-example/"}]}}}}"#
        );
        assert_eq!(
            policy("team=a b/AWSLogs/")["Records"]["s3"]["object"]["key"],
            json!([{ "prefix": "team%3Da+b/AWSLogs/" }])
        );
        assert_eq!(
            policy("(a)/")["Records"]["s3"]["object"]["key"],
            json!([{ "prefix": "(a)/" }, { "prefix": "%28a%29/" }])
        );
    }

    #[test]
    fn policy_passes_objects_below_its_prefix() {
        let written = policy("(a)/AWSLogs/o-1/").to_string();
        let spaced = serde_json::to_string_pretty(&policy("AWSLogs/")).expect("JSON");
        let both_forms = "(a)/AWSLogs/o-1/";
        for (policy, scope, prefix, passes) in [
            (written.as_str(), MESSAGE_BODY, both_forms, true),
            (&written, MESSAGE_BODY, "(a)/AWSLogs/o-1/1111/", true),
            (&written, MESSAGE_BODY, "(a)/AWSLogs/", false),
            (&written, "MessageAttributes", both_forms, false),
            (&spaced, MESSAGE_BODY, "AWSLogs/o-1/", true),
            ("{", MESSAGE_BODY, "AWSLogs/", false),
            (r#"{"a":["b"]}"#, MESSAGE_BODY, "AWSLogs/", false),
            (
                r#"{"Records":{"s3":{"object":{"key":["AWSLogs/"]}}}}"#,
                MESSAGE_BODY,
                "AWSLogs/",
                false,
            ),
            (
                r#"{"Records":{"eventName":["x"],"s3":{"object":{"key":[{"prefix":""}]}}}}"#,
                MESSAGE_BODY,
                "AWSLogs/",
                false,
            ),
        ] {
            assert_eq!(passes_prefix(policy, scope, prefix), passes, "{policy}");
        }
    }

    #[test]
    fn canonical_policy_ignores_white_space() {
        let policy = policy("AWSLogs/");
        let pretty = serde_json::to_string_pretty(&policy).expect("JSON");
        assert_eq!(canonical(&pretty), policy.to_string());
        assert_eq!(canonical(" { } "), "");
        assert_eq!(canonical(""), "");
        assert_eq!(canonical("{"), "{");
    }
}
