//! Reads statements of existing policies, as far as checks need it.

use serde_json::Value;

/// Returns the statements of a document, or none if it is not valid JSON.
pub(crate) fn statements(document: &str) -> Vec<Value> {
    let document: Value = serde_json::from_str(document).unwrap_or_default();
    match document.get("Statement") {
        Some(Value::Array(statements)) => statements.clone(),
        Some(single) => vec![single.clone()],
        None => Vec::new(),
    }
}

pub(crate) fn allows(statement: &Value) -> bool {
    statement["Effect"] == "Allow"
}

pub(crate) fn denies(statement: &Value) -> bool {
    statement["Effect"] == "Deny"
}

/// Returns the statement's Sid for display.
pub(crate) fn sid(statement: &Value) -> &str {
    statement["Sid"].as_str().unwrap_or("without a Sid")
}

/// Returns a single value or a list as a list.
pub(crate) fn string_list(value: &Value) -> Vec<&str> {
    match value {
        Value::Array(words) => words.iter().filter_map(string_value).collect(),
        single => string_value(single).into_iter().collect(),
    }
}

/// Returns the text of a value; conditions may contain a JSON `true` or `false`.
fn string_value(value: &Value) -> Option<&str> {
    match value {
        Value::Bool(true) => Some("true"),
        Value::Bool(false) => Some("false"),
        other => other.as_str(),
    }
}

/// Returns true if the statement applies to this action.
pub(crate) fn applies_to_action(statement: &Value, action: &str) -> bool {
    let named = |list: &Value| {
        string_list(list).iter().any(|pattern| {
            matches_wildcard(&pattern.to_ascii_lowercase(), &action.to_ascii_lowercase())
        })
    };
    match statement.get("NotAction") {
        Some(others) => !named(others),
        None => named(&statement["Action"]),
    }
}

/// Returns true if the statement applies to this resource.
pub(crate) fn applies_to_resource(statement: &Value, resource: &str) -> bool {
    let named = |list: &Value| {
        string_list(list)
            .iter()
            .any(|pattern| matches_wildcard(pattern, resource))
    };
    match statement.get("NotResource") {
        Some(others) => !named(others),
        None => named(&statement["Resource"]),
    }
}

/// Returns true if the statement names every principal, or one of these principals of this kind (`AWS`, `Service`).
pub(crate) fn names_principal(statement: &Value, kind: &str, principals: &[&str]) -> bool {
    let principal = &statement["Principal"];
    let everybody = |value: &Value| string_list(value).contains(&"*");
    everybody(principal)
        || everybody(&principal["AWS"])
        || string_list(&principal[kind])
            .iter()
            .any(|named| principals.contains(named))
}

/// A condition of a statement.
pub(crate) struct ParsedCondition<'a> {
    pub operator: &'a str,
    /// The key in lower case, because keys are case-insensitive.
    pub key: String,
    /// The key as it is written in the policy.
    pub original_key: &'a str,
    pub values: Vec<&'a str>,
}

pub(crate) fn conditions(statement: &Value) -> Vec<ParsedCondition<'_>> {
    let operators = statement["Condition"].as_object();
    operators
        .into_iter()
        .flatten()
        .filter_map(|(operator, keys)| Some((operator.as_str(), keys.as_object()?)))
        .flat_map(|(operator, keys)| {
            keys.iter().map(move |(key, values)| ParsedCondition {
                operator,
                key: key.to_ascii_lowercase(),
                original_key: key,
                values: string_list(values),
            })
        })
        .collect()
}

/// Matches IAM's wildcards: `*` for any text, `?` for one character.
pub(crate) fn matches_wildcard(pattern: &str, text: &str) -> bool {
    let (pattern, text): (Vec<char>, Vec<char>) =
        (pattern.chars().collect(), text.chars().collect());
    let (mut p, mut t) = (0, 0);
    let mut star: Option<(usize, usize)> = None;
    while t < text.len() {
        if p < pattern.len() && pattern[p] == '*' {
            star = Some((p, t));
            p += 1;
        } else if p < pattern.len() && (pattern[p] == '?' || pattern[p] == text[t]) {
            p += 1;
            t += 1;
        } else if let Some((at, taken)) = star {
            star = Some((at, taken + 1));
            p = at + 1;
            t = taken + 1;
        } else {
            return false;
        }
    }
    pattern[p..].iter().all(|c| *c == '*')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wildcards_match_like_iam() {
        for (pattern, text, wanted) in [
            ("*", "", true),
            ("s3:*", "s3:GetObject", true),
            ("s3:Get*", "s3:PutObject", false),
            ("a?c", "abc", true),
            ("a?c", "ac", false),
            ("*b*d", "abcd", true),
            ("*b*d", "abce", false),
            ("abc", "abcd", false),
        ] {
            assert_eq!(
                matches_wildcard(pattern, text),
                wanted,
                "{pattern} on {text}"
            );
        }
    }

    #[test]
    fn action_names_ignore_case() {
        let one = serde_json::json!({ "Action": "S3:getobject" });
        let all_but = serde_json::json!({ "NotAction": ["s3:PutObject"] });
        assert!(
            applies_to_action(&one, "s3:GetObject") && applies_to_action(&all_but, "s3:GetObject")
        );
        assert!(!applies_to_action(&all_but, "s3:PutObject"));
    }
}
