//! Takes secrets out of a record before people see it.

use serde_json::Value;

/// Names of fields that hold a secret, in small letters and without `-` and `_`.
const SECRETS: &[&str] = &[
    "authorization",
    "clientsecret",
    "idtoken",
    "password",
    "privatekey",
    "refreshtoken",
    "samlassertion",
    "secret",
    "secretaccesskey",
    "secretstring",
    "sessiontoken",
    "token",
    "webidentitytoken",
    "xamzsecuritytoken",
];
/// Parameters of a URL that hold one.
const PARAMETERS: &[&str] = &["X-Amz-Security-Token=", "X-Amz-Signature=", "SigninToken="];
const MASKED: &str = "(masked)";

/// The record without the values of its secrets. Nothing when it is no JSON.
pub(super) fn masked(record: &str) -> Option<Value> {
    let mut value = serde_json::from_str(record).ok()?;
    mask(&mut value);
    Some(value)
}

fn mask(value: &mut Value) {
    match value {
        Value::Object(fields) => {
            for (name, value) in fields {
                if is_secret(name) && !value.is_null() {
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

fn is_secret(name: &str) -> bool {
    let name: String = name
        .chars()
        .filter(|letter| !matches!(letter, '-' | '_'))
        .map(|letter| letter.to_ascii_lowercase())
        .collect();
    SECRETS.contains(&name.as_str())
}

/// Some services put a JSON document, or a signed URL, into a string.
fn mask_text(text: &mut String) {
    if text.starts_with(['{', '['])
        && let Some(value) = masked(text)
    {
        *text = value.to_string();
        return;
    }
    for parameter in PARAMETERS {
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
    fn becomes(record: &Value, wanted: &Value) {
        assert_eq!(masked(&record.to_string()).as_ref(), Some(wanted));
    }

    #[test]
    fn a_session_token_is_masked_wherever_it_is() {
        becomes(
            &json!({"responseElements": {"credentials": {"accessKeyId": "ASIA1", "sessionToken": "FwoG"}}}),
            &json!({"responseElements": {"credentials": {"accessKeyId": "ASIA1", "sessionToken": "(masked)"}}}),
        );
        becomes(
            &json!({"requestParameters": [{"X-Amz-Security-Token": ["a", "b"]}, {"secret_access_key": 1}]}),
            &json!({"requestParameters": [{"X-Amz-Security-Token": "(masked)"}, {"secret_access_key": "(masked)"}]}),
        );
    }

    #[test]
    fn a_document_in_a_string_is_looked_into() {
        becomes(
            &json!({"additionalEventData": "{\"token\":\"t\",\"other\":1}"}),
            &json!({"additionalEventData": "{\"token\":\"(masked)\",\"other\":1}"}),
        );
    }

    #[test]
    fn a_signed_url_loses_its_signature() {
        becomes(
            &json!({"url": "https://b/k?X-Amz-Security-Token=abc&x=1&X-Amz-Signature=def"}),
            &json!({"url": "https://b/k?X-Amz-Security-Token=(masked)&x=1&X-Amz-Signature=(masked)"}),
        );
    }

    #[test]
    fn all_else_stays() {
        let record = json!({"eventName": "GetSecretValue", "requestParameters": {"secretId": "s"}, "sessionToken": null});
        becomes(&record, &record);
        assert_eq!(masked("{"), None);
    }
}
