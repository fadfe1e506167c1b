//! A matcher of EventBridge event patterns, for the operators that the program uses.
//!
//! Source: "Comparison operators for use in event patterns" in the EventBridge User Guide.

use serde_json::{Map, Value};

/// Returns true if the event matches the pattern. Panics at an operator that the matcher does not know.
pub fn matches(pattern: &Value, event: &Value) -> bool {
    let pattern = pattern.as_object().expect("a pattern is an object");
    matches_object(pattern, event)
}

fn matches_object(pattern: &Map<String, Value>, event: &Value) -> bool {
    pattern.iter().all(|(key, expected)| {
        let found = event.get(key);
        match expected {
            // A path to a missing field has a missing leaf, which only `exists: false` matches.
            Value::Object(inner) => matches_object(inner, found.unwrap_or(&Value::Null)),
            Value::Array(alternatives) => matches_leaf(alternatives, found),
            other => panic!("{key} is neither an object nor a list: {other}"),
        }
    })
}

/// Compares a leaf with alternatives, of which one must match. An array matches if one of its elements does. An object
/// is no leaf.
fn matches_leaf(alternatives: &[Value], found: Option<&Value>) -> bool {
    assert!(
        !alternatives.is_empty(),
        "a list of alternatives is not empty"
    );
    let leaves: Vec<&Value> = match found {
        None | Some(Value::Object(_)) => Vec::new(),
        Some(Value::Array(elements)) => elements.iter().collect(),
        Some(leaf) => vec![leaf],
    };
    alternatives
        .iter()
        .any(|alternative| match exists_operator(alternative) {
            Some(wanted) => wanted != leaves.is_empty(),
            None => leaves.iter().any(|leaf| matches_value(alternative, leaf)),
        })
}

fn exists_operator(alternative: &Value) -> Option<bool> {
    let operator = alternative.as_object()?.get("exists")?;
    Some(operator.as_bool().expect("exists has a boolean"))
}

fn matches_value(expected: &Value, leaf: &Value) -> bool {
    let Value::Object(operator) = expected else {
        return expected == leaf;
    };
    assert_eq!(operator.len(), 1, "an operator has one key: {expected}");
    let (name, operand) = operator.iter().next().expect("a key");
    let text = |value: &Value| value.as_str().map(str::to_owned);
    match name.as_str() {
        "prefix" => text(leaf).is_some_and(|leaf| leaf.starts_with(&text(operand).expect("text"))),
        "suffix" => text(leaf).is_some_and(|leaf| leaf.ends_with(&text(operand).expect("text"))),
        "anything-but" => match operand {
            Value::Array(excluded) => !excluded.contains(leaf),
            excluded => excluded != leaf,
        },
        other => panic!("the matcher does not know the operator {other}"),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn operators_match_as_documented() {
        let event = json!({ "source": "aws.iam", "detail": { "state": "up", "count": 3, "tags": ["a", "b"], "none": null } });
        for (pattern, expected) in [
            (json!({ "source": ["aws.iam"] }), true),
            (json!({ "source": ["aws.ec2", "aws.iam"] }), true),
            (json!({ "source": ["aws.ec2"] }), false),
            (json!({ "source": [{ "prefix": "aws." }] }), true),
            (json!({ "source": [{ "prefix": "iam" }] }), false),
            (json!({ "source": [{ "suffix": "iam" }] }), true),
            (json!({ "source": [{ "suffix": "aws" }] }), false),
            (
                json!({ "detail": { "state": [{ "anything-but": "up" }] } }),
                false,
            ),
            (
                json!({ "detail": { "state": [{ "anything-but": ["down"] }] } }),
                true,
            ),
            (json!({ "detail": { "count": [3] } }), true),
            (json!({ "detail": { "count": ["3"] } }), false),
            (json!({ "detail": { "tags": ["b"] } }), true),
            (
                json!({ "detail": { "none": [{ "exists": false }] } }),
                false,
            ),
            (json!({ "detail": { "none": [null] } }), true),
            (
                json!({ "detail": { "gone": [{ "anything-but": "up" }] } }),
                false,
            ),
            (json!({ "detail": { "gone": [{ "exists": false }] } }), true),
            (
                json!({ "detail": { "gone": ["up", { "exists": false }] } }),
                true,
            ),
            (json!({ "detail": { "state": [{ "exists": true }] } }), true),
            // `exists` does not see an intermediate node.
            (json!({ "detail": [{ "exists": true }] }), false),
            (json!({ "gone": { "state": [{ "exists": false }] } }), true),
        ] {
            assert_eq!(matches(&pattern, &event), expected, "{pattern}");
        }
    }
}
