//! Masks the secrets in a record before it is sent to a webhook.

use serde_json::Value;

/// Suffixes of the names of secret fields, in lower case and without `-` and `_`.
const SECRET_NAME_SUFFIXES: &[&str] = &[
    "assertion",
    "authorization",
    "passphrase",
    "password",
    "privatekey",
    "secret",
    "secretaccesskey",
    "secretbinary",
    "secretkey",
    "secretstring",
    "token",
];
/// Names of tokens that are not secret: pagination and idempotency tokens.
const NON_SECRET_NAMES: &[&str] = &[
    "clientrequesttoken",
    "clienttoken",
    "continuationtoken",
    "idempotencytoken",
    "nexttoken",
];
/// URL parameters that contain a secret.
const SECRET_URL_PARAMETERS: &[&str] =
    &["X-Amz-Security-Token=", "X-Amz-Signature=", "SigninToken="];
const MASKED: &str = "(masked)";

/// The record with its secrets masked; `None` if it is not JSON.
pub(super) fn mask_record(record: &str) -> Option<Value> {
    let mut value = serde_json::from_str(record)
        .or_else(|_| serde_json::from_str(&replace_lone_surrogates(record)))
        .ok()?;
    mask(&mut value);
    Some(value)
}

/// Replaces unpaired surrogates with the replacement character. A service that truncates a text may leave one, and JSON
/// parsers reject it.
fn replace_lone_surrogates(json: &str) -> String {
    let mut result = String::with_capacity(json.len());
    let mut rest = json;
    while let Some(position) = rest.find('\\') {
        let (before, escape) = rest.split_at(position);
        result.push_str(before);
        let (length, replacement) = match (
            parse_unicode_escape(escape),
            escape.get(6..).and_then(parse_unicode_escape),
        ) {
            (Some(0xd800..=0xdbff), Some(0xdc00..=0xdfff)) => (12, None),
            (Some(0xd800..=0xdfff), _) => (6, Some("\\ufffd")),
            _ => (2, None),
        };
        // An escape is ASCII, unless the text is not JSON.
        let (original, after) = escape.split_at_checked(length).unwrap_or((escape, ""));
        result.push_str(replacement.unwrap_or(original));
        rest = after;
    }
    result + rest
}

/// The UTF-16 code unit of the `\u` escape at the start of the text.
fn parse_unicode_escape(text: &str) -> Option<u16> {
    let digits = text.strip_prefix("\\u")?.get(..4)?;
    u16::from_str_radix(digits, 16).ok()
}

fn mask(value: &mut Value) {
    match value {
        Value::Object(fields) => {
            for (name, value) in fields {
                if is_secret_name(name) && !value.is_null() && !value.is_boolean() {
                    *value = MASKED.into();
                } else {
                    mask(value);
                }
            }
        }
        Value::Array(values) => values.iter_mut().for_each(mask),
        Value::String(text) => mask_text(text),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

fn is_secret_name(name: &str) -> bool {
    let name: String = name
        .chars()
        .filter(|c| !matches!(c, '-' | '_'))
        .map(|c| c.to_ascii_lowercase())
        .collect();
    SECRET_NAME_SUFFIXES
        .iter()
        .any(|secret| name.ends_with(secret))
        && !NON_SECRET_NAMES.contains(&name.as_str())
}

/// Masks secrets in a string that contains a JSON document or a signed URL.
fn mask_text(text: &mut String) {
    if text.starts_with(['{', '['])
        && let Some(value) = mask_record(text)
    {
        *text = value.to_string();
        return;
    }
    for parameter in SECRET_URL_PARAMETERS {
        let mut from = 0;
        while let Some(found) = text[from..].find(parameter) {
            let start = from + found + parameter.len();
            let end = text[start..]
                .find(['&', ' ', '"', '#'])
                .map_or(text.len(), |length| start + length);
            text.replace_range(start..end, MASKED);
            from = start + MASKED.len();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[track_caller]
    fn assert_masked(record: &Value, expected: &Value) {
        assert_eq!(mask_record(&record.to_string()).as_ref(), Some(expected));
    }

    #[test]
    fn session_tokens_are_masked_at_any_depth() {
        assert_masked(
            &json!({"responseElements": {"credentials": {"accessKeyId": "ASIA1", "sessionToken": "FwoG"}}}),
            &json!({"responseElements": {"credentials": {"accessKeyId": "ASIA1", "sessionToken": "(masked)"}}}),
        );
        assert_masked(
            &json!({"requestParameters": [{"X-Amz-Security-Token": ["a", "b"]}, {"secret_access_key": 1}]}),
            &json!({"requestParameters": [{"X-Amz-Security-Token": "(masked)"}, {"secret_access_key": "(masked)"}]}),
        );
    }

    #[test]
    fn json_in_strings_is_masked() {
        assert_masked(
            &json!({"additionalEventData": "{\"token\":\"t\",\"other\":1}"}),
            &json!({"additionalEventData": "{\"token\":\"(masked)\",\"other\":1}"}),
        );
    }

    #[test]
    fn signed_url_signatures_are_masked() {
        assert_masked(
            &json!({"url": "https://b/k?X-Amz-Security-Token=abc&x=1&X-Amz-Signature=def"}),
            &json!({"url": "https://b/k?X-Amz-Security-Token=(masked)&x=1&X-Amz-Signature=(masked)"}),
        );
    }

    #[test]
    fn secret_names_match_by_suffix() {
        assert_masked(
            &json!({"masterUserPassword": "a", "auth-token": "b", "OAuthClientSecret": ["c"], "X-Vault-Token": {"d": 1}}),
            &json!({"masterUserPassword": "(masked)", "auth-token": "(masked)", "OAuthClientSecret": "(masked)", "X-Vault-Token": "(masked)"}),
        );
    }

    #[test]
    fn lone_surrogates_are_replaced() {
        let record = r#"{"a":"\ud83d\ude00 \ud83d x","b":"\\ud83d","c":"\ude00","password":"p"}"#;
        assert_eq!(
            mask_record(record),
            Some(
                json!({"a": "\u{1f600} \u{fffd} x", "b": "\\ud83d", "c": "\u{fffd}", "password": "(masked)"})
            )
        );
        assert_eq!(mask_record(r#"{"a":"\ud8"}"#), None);
        assert_eq!(mask_record("{\"a\":\"\\"), None);
        assert_eq!(mask_record("{\"a\":\"\\\u{e9}"), None);
    }

    #[test]
    fn other_fields_are_unchanged() {
        let record = json!({"eventName": "GetSecretValue", "requestParameters": {"secretId": "s", "nextToken": "n"}, "sessionToken": null, "hasPassword": true});
        assert_masked(&record, &record);
        assert_eq!(mask_record("{"), None);
    }
}
