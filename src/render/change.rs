//! One field that differs, in words: values beside each other, of policy documents the statements that go and come.

use serde_json::Value;

use crate::converge::diff::Change;

/// The lines that tell of a change.
pub(super) fn in_words(change: &Change) -> Vec<String> {
    let field = change.field;
    if change.secret {
        return vec![format!("{field}: (masked) → (masked)")];
    }
    if let (Some(before), Some(after)) = (
        change.before.as_ref().and_then(statements),
        change.after.as_ref().and_then(statements),
    ) {
        let told = statements_in_words(field, before, after);
        // Only what is around the statements differs.
        if !told.is_empty() {
            return told;
        }
    }
    vec![format!(
        "{field}: {} → {}",
        value(change.before.as_ref(), "(none)"),
        value(change.after.as_ref(), "(known after apply)")
    )]
}

fn statements(document: &Value) -> Option<&Vec<Value>> {
    document.get("Statement")?.as_array()
}

fn statements_in_words(field: &str, before: &[Value], after: &[Value]) -> Vec<String> {
    let only_in = |these: &[Value], those: &[Value], sign: &str| {
        let lacking = these.iter().filter(|each| !those.contains(each));
        lacking
            .map(|each| format!("{field}: {sign} {each}"))
            .collect::<Vec<_>>()
    };
    [only_in(before, after, "-"), only_in(after, before, "+")].concat()
}

fn value(value: Option<&Value>, absent: &str) -> String {
    match value {
        None => absent.to_owned(),
        Some(Value::String(text)) => format!("{text:?}"),
        Some(other) => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn change(before: Option<Value>, after: Option<Value>) -> Change {
        Change {
            field: "policy",
            before,
            after,
            secret: false,
        }
    }

    #[test]
    fn of_a_document_only_the_statements_that_differ_are_told() {
        let document = |sids: &[&str]| {
            let statements: Vec<Value> = sids.iter().map(|sid| json!({ "Sid": sid })).collect();
            Some(json!({ "Version": "2012-10-17", "Statement": statements }))
        };
        assert_eq!(
            in_words(&change(document(&["a", "b"]), document(&["b", "c"]))),
            [r#"policy: - {"Sid":"a"}"#, r#"policy: + {"Sid":"c"}"#]
        );
    }

    #[test]
    fn other_values_are_told_beside_each_other() {
        assert_eq!(
            in_words(&change(None, Some(json!(["x"])))),
            [r#"policy: (none) → ["x"]"#]
        );
        assert_eq!(
            in_words(&change(Some(json!("x")), None)),
            [r#"policy: "x" → (known after apply)"#]
        );
    }

    #[test]
    fn a_secret_is_masked() {
        let secret = Change {
            secret: true,
            ..change(Some(json!(["old-id"])), Some(json!(["new-id"])))
        };
        assert_eq!(in_words(&secret), ["policy: (masked) → (masked)"]);
    }
}
