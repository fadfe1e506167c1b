//! Text of a change: the values before and after; for policies, statement by statement.

use serde_json::{Map, Value, json};

use crate::reconcile::diff::Change;

/// Returns one line per value that differs, and the reason.
pub(super) fn change_lines(change: &Change) -> Vec<String> {
    let mut lines = match (&change.before, &change.after) {
        _ if change.secret => vec![format!("{}: (masked) → (masked)", change.field)],
        (Some(before), Some(after)) => match (statements(before), statements(after)) {
            (Some(before), Some(after)) => policy_lines(change.field, &before, &after),
            _ => Vec::new(),
        },
        _ => Vec::new(),
    };
    if lines.is_empty() {
        let (before, after) = (change.before.as_ref(), change.after.as_ref());
        lines.push(change_line(
            change.field,
            before,
            after,
            "(known after apply)",
        ));
    }
    lines.extend(change.reason.iter().map(|reason| format!("  {reason}")));
    lines
}

pub(super) fn as_json(change: &Change) -> Value {
    let mut row = if change.secret {
        json!({ "field": change.field, "before": MASK, "after": MASK, "sensitive": true })
    } else {
        json!({
            "field": change.field,
            "before": change.before,
            "after": change.after,
            "known": change.after.is_some(),
        })
    };
    if let (Some(reason), Some(row)) = (&change.reason, row.as_object_mut()) {
        row.insert("reason".into(), reason.as_str().into());
    }
    row
}

const MASK: &str = "(masked)";
const ABSENT: &str = "(none)";

fn change_line(what: &str, before: Option<&Value>, after: Option<&Value>, unknown: &str) -> String {
    let words = |value: Option<&Value>, absent: &str| match value {
        None => absent.to_owned(),
        Some(Value::String(text)) => format!("{text:?}"),
        Some(value) => value.to_string(),
    };
    format!(
        "{what}: {} → {}",
        words(before, ABSENT),
        words(after, unknown)
    )
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
    let named = |statement: &StatementObject| {
        statement
            .get("Sid")
            .and_then(Value::as_str)
            .map(str::to_owned)
    };
    let of_name = |among: &[&StatementObject], sid: &Option<String>| {
        let mut fitting = among
            .iter()
            .filter(|other| sid.is_some() && named(other) == *sid);
        fitting.next().map(|found| (*found).clone())
    };
    let mut lines = Vec::new();
    for old in before.iter().filter(|old| !after.contains(*old)) {
        let sid = named(old);
        match of_name(after, &sid) {
            Some(new) => lines.extend(statement_lines(
                &statement_title(field, sid.as_deref()),
                old,
                &new,
            )),
            None => lines.push(whole_statement_line(field, sid.as_deref(), Some(old), None)),
        }
    }
    for new in after.iter().filter(|new| !before.contains(*new)) {
        let sid = named(new);
        if of_name(before, &sid).is_none() {
            lines.push(whole_statement_line(field, sid.as_deref(), None, Some(new)));
        }
    }
    lines
}

fn statement_title(field: &str, sid: Option<&str>) -> String {
    match sid {
        Some(sid) => format!("{field} {sid:?}"),
        None => format!("{field}, a statement without Sid"),
    }
}

fn whole_statement_line(
    field: &str,
    sid: Option<&str>,
    old: Option<&StatementObject>,
    new: Option<&StatementObject>,
) -> String {
    let value = |statement: Option<&StatementObject>| statement.cloned().map(Value::Object);
    let (old, new) = (value(old), value(new));
    change_line(
        &statement_title(field, sid),
        old.as_ref(),
        new.as_ref(),
        ABSENT,
    )
}

fn statement_lines(title: &str, old: &StatementObject, new: &StatementObject) -> Vec<String> {
    let added = new.keys().filter(|name| !old.contains_key(*name));
    old.keys()
        .chain(added)
        .filter(|name| old.get(*name) != new.get(*name))
        .map(|name| {
            change_line(
                &format!("{title} {name}"),
                old.get(name),
                new.get(name),
                ABSENT,
            )
        })
        .collect()
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
                json!([same, { "Sid": "Theirs", "Effect": "Allow" }]),
                json!([same]),
                r#"policy "Theirs": {"Sid":"Theirs","Effect":"Allow"} → (none)"#,
            ),
            (
                json!([same]),
                json!([same, { "Effect": "Allow" }]),
                r#"policy, a statement without Sid: (none) → {"Effect":"Allow"}"#,
            ),
            (
                json!([same, { "Sid": "Ours", "Action": ["a", "b"] }]),
                json!([same, { "Sid": "Ours", "Action": ["a"] }]),
                r#"policy "Ours" Action: ["a","b"] → ["a"]"#,
            ),
            (
                json!([{ "Sid": "Ours", "Effect": "Allow", "Condition": {} }]),
                json!([{ "Sid": "Ours", "Effect": "Allow" }]),
                r#"policy "Ours" Condition: {} → (none)"#,
            ),
        ];
        for (before, after, line) in table {
            assert_eq!(
                change_lines(&change(policy(&before), Some(policy(&after)))),
                [line]
            );
        }
    }

    #[test]
    fn policy_version_change_shows_whole_policy() {
        let mut other = policy(&json!([]));
        other["Version"] = json!("2008-10-17");
        let lines = change_lines(&change(other, Some(policy(&json!([])))));
        assert!(
            lines.len() == 1 && lines[0].contains("2008-10-17"),
            "{lines:?}"
        );
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
    fn unknown_value_is_known_after_apply() {
        let lines = change_lines(&change(json!("old"), None));
        assert_eq!(lines, [r#"policy: "old" → (known after apply)"#]);
    }
}
