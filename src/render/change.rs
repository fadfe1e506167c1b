//! Text of a change: the values before and after; for policies, statement by statement.

use serde_json::{Map, Value, json};

use crate::iam::readable::ReadableStatement;
use crate::reconcile::diff::Change;
use crate::reconcile::state::State;

/// Returns one line per value that differs, and the reason.
pub(super) fn change_lines(change: &Change) -> Vec<String> {
    let mut lines = match (&change.before, &change.after) {
        _ if change.secret => vec![format!("{}: {MASK} → {MASK}", change.field)],
        (Some(before), Some(after)) => difference_lines(change.field, before, after),
        (None, Some(after)) if statements(after).is_some() => {
            let after = statements(after).unwrap_or_default();
            policy_lines(change.field, &[], &after)
        }
        (before, after) => vec![change_line(
            change.field,
            before.as_ref(),
            after.as_ref(),
            "(known after apply)",
        )],
    };
    lines.extend(change.reason.iter().map(|reason| format!("  {reason}")));
    lines
}

/// Returns the fields of a state, one per line, with policies as indented JSON.
pub(super) fn state_lines(state: &State) -> Vec<String> {
    let fields = state.fields().flat_map(|(name, field)| match &field.value {
        _ if field.secret => vec![format!("{name} = {MASK}")],
        None => vec![format!("{name} = (known after apply)")],
        Some(value) if statements(value).is_some() => {
            let text = format!("{name} = {value:#}");
            text.lines().map(str::to_owned).collect()
        }
        Some(value) => vec![format!("{name} = {}", value_text(value))],
    });
    fields.collect()
}

/// Returns a change as JSON.
pub(super) fn as_json(change: &Change) -> Value {
    let mut row = change_json(change, change.after.is_some());
    if let (Some(reason), Some(row)) = (&change.reason, row.as_object_mut()) {
        row.insert("reason".into(), reason.as_str().into());
    }
    row
}

/// Returns a field of a resource that is created as JSON. Without `is_known`, its value contains a description of a value
/// that AWS assigns.
pub(super) fn created_json(field: &Change, is_known: bool) -> Value {
    let mut row = change_json(field, is_known);
    row["before"] = Value::Null;
    row
}

fn change_json(change: &Change, is_known: bool) -> Value {
    if change.secret {
        json!({ "field": change.field, "before": MASK, "after": MASK, "sensitive": true })
    } else {
        json!({
            "field": change.field,
            "before": change.before,
            "after": change.after,
            "known": is_known,
        })
    }
}

const MASK: &str = "(masked)";
const ABSENT: &str = "(none)";

/// Returns the differences between two values.
fn difference_lines(field: &str, before: &Value, after: &Value) -> Vec<String> {
    let mut lines = Vec::new();
    if let (Some(before), Some(after)) = (statements(before), statements(after)) {
        lines = policy_lines(field, &before, &after);
    }
    if lines.is_empty()
        && let (Some(before), Some(after)) = (before.as_object(), after.as_object())
    {
        lines = entry_lines(field, before, after);
    }
    if lines.is_empty() {
        return vec![change_line(field, Some(before), Some(after), ABSENT)];
    }
    lines
}

fn change_line(
    field: &str,
    before: Option<&Value>,
    after: Option<&Value>,
    unknown: &str,
) -> String {
    let before = before.map_or_else(|| ABSENT.to_owned(), value_text);
    let after = after.map_or_else(|| unknown.to_owned(), value_text);
    format!("{field}: {before} → {after}")
}

/// Returns a text in quotes, a list without brackets, and any other value as JSON.
fn value_text(value: &Value) -> String {
    match value {
        Value::String(text) => format!("{text:?}"),
        Value::Array(values) if values.is_empty() => ABSENT.to_owned(),
        Value::Array(values) => values.iter().map(value_text).collect::<Vec<_>>().join(", "),
        value => value.to_string(),
    }
}

/// Returns the entries of two objects that differ, such as tags.
fn entry_lines(
    field: &str,
    before: &Map<String, Value>,
    after: &Map<String, Value>,
) -> Vec<String> {
    let added = after.keys().filter(|name| !before.contains_key(*name));
    let names = before.keys().chain(added);
    let names = names.filter(|name| before.get(*name) != after.get(*name));
    let lines = names.map(|name| {
        let (before, after) = (before.get(name), after.get(name));
        match (before, after.and_then(Value::as_str)) {
            // As the tags of an adoption are written.
            (None, Some(value)) if field == "tags" => format!("tags: + {name}={value}"),
            _ => change_line(&format!("{field}, {name}"), before, after, ABSENT),
        }
    });
    lines.collect()
}

type StatementObject = Map<String, Value>;

/// Returns the statements of a policy; `None` for another value.
fn statements(value: &Value) -> Option<Vec<&StatementObject>> {
    let listed = value.get("Statement")?.as_array()?;
    listed.iter().map(Value::as_object).collect()
}

/// Returns the statements that only one policy has, and the differences between statements with the same Sid.
fn policy_lines(
    field: &str,
    before: &[&StatementObject],
    after: &[&StatementObject],
) -> Vec<String> {
    let readable = |statements: &[&StatementObject], others: &[&StatementObject]| {
        let statements = statements.iter().filter(|one| !others.contains(*one));
        let statements = statements.map(|one| ReadableStatement::of(one));
        statements.collect::<Vec<_>>()
    };
    let (removed, mut added) = (readable(before, after), readable(after, before));
    let mut lines = Vec::new();
    for old in removed {
        let new = added
            .iter()
            .position(|new| old.sid.is_some() && new.sid == old.sid);
        match new.map(|index| added.remove(index)) {
            Some(new) => lines.extend(statement_difference(field, &old, &new)),
            None => lines.push(statement_line(field, "remove", &old)),
        }
    }
    lines.extend(added.iter().map(|new| statement_line(field, "add", new)));
    lines
}

fn statement_line(field: &str, verb: &str, statement: &ReadableStatement) -> String {
    let title = statement_title(statement);
    format!("{field}: {verb} {title}, which {}", statement.sentence())
}

fn statement_title(statement: &ReadableStatement) -> String {
    match &statement.sid {
        Some(sid) => format!("statement {sid:?}"),
        None => "a statement without Sid".to_owned(),
    }
}

/// Returns the elements that only one of two statements has, below a line with their name.
fn statement_difference(
    field: &str,
    old: &ReadableStatement,
    new: &ReadableStatement,
) -> Vec<String> {
    let (before, after) = (old.elements(), new.elements());
    let only = |sign: &str, these: &[String], others: &[String]| {
        let these = these.iter().filter(|element| !others.contains(element));
        these
            .map(|element| format!("  {sign} {element}"))
            .collect::<Vec<_>>()
    };
    let mut lines = vec![format!("{field}: change {}:", statement_title(old))];
    lines.extend(only("-", &before, &after));
    lines.extend(only("+", &after, &before));
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    fn change(before: Value, after: Option<Value>) -> Change {
        Change {
            field: "policy",
            before: Some(before),
            after,
            secret: false,
            reason: None,
        }
    }

    fn policy(statements: &Value) -> Value {
        json!({ "Version": "2012-10-17", "Statement": statements })
    }

    #[test]
    fn policies_are_diffed_by_statement() {
        let same = json!({ "Sid": "Same", "Effect": "Deny" });
        let table = [
            (
                json!([same, {
                    "Sid": "Theirs",
                    "Effect": "Allow",
                    "Principal": { "AWS": "444455556666" },
                    "Action": "sqs:*",
                    "Resource": "q",
                }]),
                json!([same]),
                vec![
                    r#"policy: remove statement "Theirs", which allows account 444455556666 to use sqs:* on q"#,
                ],
            ),
            (
                json!([same]),
                json!([same, { "Effect": "Allow", "Action": "a" }]),
                vec!["policy: add a statement without Sid, which allows a"],
            ),
            (
                json!([same, { "Sid": "Ours", "Action": ["a", "b"] }]),
                json!([same, { "Sid": "Ours", "Action": ["a"] }]),
                vec![r#"policy: change statement "Ours":"#, "  - action b"],
            ),
            (
                json!([{
                    "Sid": "Ours",
                    "Effect": "Allow",
                    "Condition": { "Bool": { "aws:SecureTransport": "true" } },
                }]),
                json!([{ "Sid": "Ours", "Effect": "Deny" }]),
                vec![
                    r#"policy: change statement "Ours":"#,
                    "  - effect Allow",
                    "  - condition aws:SecureTransport is true",
                    "  + effect Deny",
                ],
            ),
        ];
        for (before, after, lines) in table {
            assert_eq!(
                change_lines(&change(policy(&before), Some(policy(&after)))),
                lines
            );
        }
    }

    #[test]
    fn policy_version_change_shows_whole_policy() {
        let mut other = policy(&json!([]));
        other["Version"] = json!("2008-10-17");
        let lines = change_lines(&change(other, Some(policy(&json!([])))));
        assert_eq!(lines, [r#"policy, Version: "2008-10-17" → "2012-10-17""#]);
    }

    #[test]
    fn secrets_are_masked_and_reasons_shown() {
        let mut secret = change(json!("very-secret"), Some(json!("another-secret")));
        secret.secret = true;
        secret.reason = Some("it rotates".into());
        assert_eq!(
            change_lines(&secret),
            ["policy: (masked) → (masked)", "  it rotates"]
        );
        let shown = as_json(&secret);
        assert!(!shown.to_string().contains("secret\""), "{shown}");
        assert_eq!(shown["reason"], "it rotates");
    }

    #[test]
    fn new_policy_is_shown_by_statement() {
        let mut added = change(
            Value::Null,
            Some(policy(&json!([{ "Effect": "Deny", "Action": "a" }]))),
        );
        added.before = None;
        assert_eq!(
            change_lines(&added),
            ["policy: add a statement without Sid, which denies a"]
        );
    }

    #[test]
    fn only_different_entries_are_shown() {
        let before = json!({ "target": "q", "max_receive_count": 3 });
        let after = json!({ "target": "q", "max_receive_count": 4, "new": [] });
        assert_eq!(
            change_lines(&change(before, Some(after))),
            [
                "policy, max_receive_count: 3 → 4",
                "policy, new: (none) → (none)"
            ]
        );
        let lines = change_lines(&change(json!(["a"]), Some(json!(["a", "b"]))));
        assert_eq!(lines, [r#"policy: "a" → "a", "b""#]);
    }

    #[test]
    fn added_tags_look_as_in_an_adoption() {
        let (before, after) = (json!({ "a": "1" }), json!({ "a": "2", "b": "3" }));
        assert_eq!(
            difference_lines("tags", &before, &after),
            [r#"tags, a: "1" → "2""#, "tags: + b=3"]
        );
    }

    #[test]
    fn created_values_have_no_before() {
        let mut secret = change(Value::Null, Some(json!("very-secret")));
        secret.secret = true;
        let masked =
            json!({ "field": "policy", "before": null, "after": "(masked)", "sensitive": true });
        assert_eq!(created_json(&secret, true), masked);
    }

    #[test]
    fn unknown_value_is_known_after_apply() {
        let lines = change_lines(&change(json!("old"), None));
        assert_eq!(lines, [r#"policy: "old" → (known after apply)"#]);
    }
}
