//! IAM policy documents: building, parsing, comparing and evaluating them.

pub mod evaluate;
pub mod lint;
pub mod readable;

use serde_json::{Map, Value, json};

/// Wraps statements in a document. `Version` comes first, because an old AWS parser requires it.
#[must_use]
pub fn document(statements: Vec<Value>) -> Value {
    json!({ "Version": "2012-10-17", "Statement": Value::Array(statements) })
}

/// Returns a statement that denies `action` on `resource` for requests without TLS.
#[must_use]
pub fn deny_insecure(sid: &str, action: &str, resource: &str) -> Value {
    json!({
        "Sid": sid,
        "Effect": "Deny",
        "Principal": "*",
        "Action": action,
        "Resource": resource,
        "Condition": { "Bool": { "aws:SecureTransport": "false" } },
    })
}

/// Returns the canonical form, in which equivalent documents are equal: sorted lists, single values as lists, condition
/// keys in lower case (AWS ignores their case), and an account ID instead of its root ARN.
#[must_use]
pub fn canonical(document: &Value) -> Value {
    let Value::Object(fields) = document else {
        return document.clone();
    };
    let mut statements: Vec<Value> = match fields.get("Statement") {
        Some(Value::Array(statements)) => statements.iter().map(canonical_statement).collect(),
        Some(single) => vec![canonical_statement(single)],
        None => Vec::new(),
    };
    statements.sort_by_key(Value::to_string);
    let mut canonical = Map::new();
    if let Some(version) = fields.get("Version") {
        canonical.insert("Version".into(), version.clone());
    }
    if let Some(id) = fields.get("Id").filter(|id| id.as_str() != Some("")) {
        canonical.insert("Id".into(), id.clone());
    }
    canonical.insert("Statement".into(), Value::Array(statements));
    Value::Object(canonical)
}

/// Parses a document from AWS; text that is not JSON is kept as a string.
#[must_use]
pub fn parse_document(text: &str) -> Value {
    serde_json::from_str(text).unwrap_or_else(|_| Value::from(text))
}

/// Parses a document from IAM, which is percent-encoded. A plus sign is not a space.
#[must_use]
pub fn parse_encoded_document(text: &str) -> Value {
    parse_document(&percent_encoding::percent_decode_str(text).decode_utf8_lossy())
}

/// Returns a document as text for AWS.
#[must_use]
pub fn to_text(document: &Value) -> String {
    document
        .as_str()
        .map_or_else(|| document.to_string(), str::to_owned)
}

fn canonical_statement(statement: &Value) -> Value {
    let Value::Object(fields) = statement else {
        return statement.clone();
    };
    let mut sorted: Vec<(&String, &Value)> = fields.iter().collect();
    sorted.sort_by_key(|(name, _)| *name);
    let mut canonical = Map::new();
    for (name, value) in sorted {
        let value = match name.as_str() {
            "Action" | "NotAction" | "Resource" | "NotResource" => {
                sorted_list(value, &str::to_owned)
            }
            "Principal" | "NotPrincipal" => canonical_principal(value),
            "Condition" => canonical_condition(value),
            "Effect" => Value::from(canonical_effect(value.as_str().unwrap_or_default())),
            _ => value.clone(),
        };
        if name == "Condition" && value.as_object().is_some_and(Map::is_empty) {
            continue;
        }
        canonical.insert(name.clone(), value);
    }
    Value::Object(canonical)
}

/// Returns the statements of a document. A single statement may stand without a list.
#[must_use]
pub fn statements_of(document: &Value) -> Vec<Value> {
    match document.get("Statement") {
        Some(Value::Array(statements)) => statements.clone(),
        Some(single) => vec![single.clone()],
        None => Vec::new(),
    }
}

/// Returns the unique IDs that AWS shows for deleted principals. A new role with the same name has another ID.
#[must_use]
pub fn deleted_principals(document: &Value) -> Vec<String> {
    let Value::Object(fields) = canonical(document) else {
        return Vec::new();
    };
    let statements = fields.get("Statement").and_then(Value::as_array);
    let principals = statements
        .into_iter()
        .flatten()
        .filter_map(|statement| statement.get("Principal")?.get("AWS")?.as_array())
        .flatten();
    let mut dead: Vec<String> = principals
        .filter_map(Value::as_str)
        .filter(|who| is_deleted_principal_id(who))
        .map(str::to_owned)
        .collect();
    dead.dedup();
    dead
}

/// Returns true if a principal is the unique ID of a role or user, which AWS shows after the principal was deleted.
#[must_use]
pub fn is_deleted_principal_id(principal: &str) -> bool {
    ["AROA", "AIDA"]
        .iter()
        .any(|kind| principal.starts_with(kind))
        && principal.bytes().all(|byte| byte.is_ascii_alphanumeric())
}

/// Returns a string or a list of strings as a sorted list.
fn sorted_list(value: &Value, each: &dyn Fn(&str) -> String) -> Value {
    let mut items: Vec<String> = match value {
        Value::Array(items) => items.iter().map(|item| each(&scalar_text(item))).collect(),
        single => vec![each(&scalar_text(single))],
    };
    items.sort();
    items.dedup();
    Value::from(items)
}

fn scalar_text(value: &Value) -> String {
    value
        .as_str()
        .map_or_else(|| value.to_string(), str::to_owned)
}

fn canonical_principal(value: &Value) -> Value {
    match value {
        Value::Object(kinds) => {
            let mut sorted: Vec<(&String, &Value)> = kinds.iter().collect();
            sorted.sort_by_key(|(kind, _)| *kind);
            sorted
                .into_iter()
                .filter(|(_, who)| who.as_array().is_none_or(|who| !who.is_empty()))
                .map(|(kind, who)| (kind.clone(), sorted_list(who, &normalize_account)))
                .collect::<Map<_, _>>()
                .into()
        }
        // Some services return one of the two equivalent forms for the other.
        everybody => json!({ "AWS": sorted_list(everybody, &str::to_owned) }),
    }
}

fn normalize_account(who: &str) -> String {
    let account = who
        .strip_suffix(":root")
        .and_then(|arn| arn.rsplit(':').next())
        .unwrap_or(who);
    if account.len() == 12 && account.bytes().all(|byte| byte.is_ascii_digit()) {
        return format!("account {account}");
    }
    who.to_owned()
}

fn canonical_condition(value: &Value) -> Value {
    let Value::Object(operators) = value else {
        return value.clone();
    };
    let mut sorted: Vec<(String, Value)> = operators
        .iter()
        .map(|(operator, keys)| (operator.clone(), canonical_condition_keys(keys)))
        .collect();
    sorted.sort_by(|left, right| left.0.cmp(&right.0));
    sorted.into_iter().collect::<Map<_, _>>().into()
}

fn canonical_condition_keys(keys: &Value) -> Value {
    let Value::Object(keys) = keys else {
        return keys.clone();
    };
    let mut sorted: Vec<(String, Value)> = keys
        .iter()
        .map(|(key, values)| {
            (
                key.to_ascii_lowercase(),
                sorted_list(values, &str::to_owned),
            )
        })
        .collect();
    sorted.sort_by(|left, right| left.0.cmp(&right.0));
    sorted.into_iter().collect::<Map<_, _>>().into()
}

fn canonical_effect(word: &str) -> &'static str {
    if word.eq_ignore_ascii_case("allow") {
        "Allow"
    } else {
        "Deny"
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn same(left: &Value, right: &Value) -> bool {
        canonical(left) == canonical(right)
    }

    fn one(statement: &Value) -> Value {
        json!({ "Version": "2012-10-17", "Statement": [statement] })
    }

    #[test]
    fn equivalent_documents_are_equal() {
        let table = [
            (
                "a single statement and a list",
                one(&json!({"Effect": "Allow"})),
                json!({"Version": "2012-10-17", "Statement": {"Effect": "Allow"}}),
            ),
            (
                "one action and a list",
                one(&json!({"Action": "sqs:A"})),
                one(&json!({"Action": ["sqs:A"]})),
            ),
            (
                "the order of actions",
                one(&json!({"Action": ["b", "a"]})),
                one(&json!({"Action": ["a", "b"]})),
            ),
            (
                "an account and its root",
                one(&json!({"Principal": {"AWS": "111122223333"}})),
                one(&json!({"Principal": {"AWS": "arn:aws:iam::111122223333:root"}})),
            ),
            (
                "everybody in both spellings",
                one(&json!({"Principal": "*"})),
                one(&json!({"Principal": {"AWS": "*"}})),
            ),
            (
                "the case of condition keys",
                one(&json!({"Condition": {"ArnLike": {"AWS:SourceArn": "x"}}})),
                one(&json!({"Condition": {"ArnLike": {"aws:SourceArn": ["x"]}}})),
            ),
            (
                "a boolean and its text",
                one(&json!({"Condition": {"Bool": {"k": false}}})),
                one(&json!({"Condition": {"Bool": {"k": "false"}}})),
            ),
            (
                "no condition and an empty one",
                one(&json!({"Effect": "Deny", "Condition": {}})),
                one(&json!({"Effect": "Deny"})),
            ),
            (
                "the order of fields",
                one(&json!({"Sid": "S", "Effect": "Deny"})),
                one(&json!({"Effect": "Deny", "Sid": "S"})),
            ),
        ];
        for (what, left, right) in table {
            assert!(same(&left, &right), "{what}");
        }
    }

    #[test]
    fn different_documents_are_not_equal() {
        let table = [
            (
                "effect",
                one(&json!({"Effect": "Allow"})),
                one(&json!({"Effect": "Deny"})),
            ),
            (
                "case of an action",
                one(&json!({"Action": "sqs:A"})),
                one(&json!({"Action": "sqs:a"})),
            ),
            (
                "another account",
                one(&json!({"Principal": {"AWS": "111122223333"}})),
                one(&json!({"Principal": {"AWS": "111122223334"}})),
            ),
            (
                "a principal that died",
                one(&json!({"Principal": {"AWS": "AROAEXAMPLE"}})),
                one(&json!({"Principal": {"AWS": "arn:aws:iam::111122223333:role/r"}})),
            ),
            (
                "the operator",
                one(&json!({"Condition": {"ArnLike": {"k": "v"}}})),
                one(&json!({"Condition": {"ArnEquals": {"k": "v"}}})),
            ),
            (
                "one statement more",
                one(&json!({"Sid": "a"})),
                json!({"Version": "2012-10-17", "Statement": [{"Sid": "a"}, {"Sid": "b"}]}),
            ),
        ];
        for (what, left, right) in table {
            assert!(!same(&left, &right), "{what}");
        }
    }

    #[test]
    fn deleted_principals_are_found() {
        let table = [
            (json!({"AWS": "AROAEXAMPLE1"}), vec!["AROAEXAMPLE1"]),
            (
                json!({"AWS": ["arn:aws:iam::111122223333:role/r", "AIDAEXAMPLE1"]}),
                vec!["AIDAEXAMPLE1"],
            ),
            (
                json!({"AWS": "arn:aws:iam::111122223333:role/AROA"}),
                vec![],
            ),
            (json!({"AWS": "111122223333"}), vec![]),
            (json!({"Service": "AROAEXAMPLE1"}), vec![]),
            (json!("*"), vec![]),
        ];
        for (principal, dead) in table {
            let document = one(&json!({ "Effect": "Allow", "Principal": principal }));
            assert_eq!(deleted_principals(&document), dead, "{principal}");
        }
        assert_eq!(
            deleted_principals(&json!("no document")),
            Vec::<String>::new()
        );
    }

    #[test]
    fn encoded_document_keeps_plus_signs() {
        let text = "%7B%22Version%22%3A%222012-10-17%22%2C%22Statement%22%3A%5B%7B%22Sid%22%3A%22a+b%22%7D%5D%7D";
        assert_eq!(parse_encoded_document(text)["Statement"][0]["Sid"], "a+b");
    }
}
