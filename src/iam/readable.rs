//! Policy statements as text for reading.

use serde_json::{Map, Value};

/// A statement with all its elements as lists of texts.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ReadableStatement {
    pub sid: Option<String>,
    pub is_allow: bool,
    /// ARNs, services, `account 111122223333` or `everyone`. Empty in an identity-based policy.
    pub principals: Vec<String>,
    pub actions: Vec<String>,
    pub resources: Vec<String>,
    /// Sentences without a subject, such as `aws:SourceAccount is 111122223333`.
    pub conditions: Vec<String>,
}

impl ReadableStatement {
    /// Reads a statement in any form that AWS accepts.
    #[must_use]
    pub fn of(statement: &Map<String, Value>) -> Self {
        let text = |name: &str| statement.get(name).and_then(Value::as_str);
        Self {
            sid: text("Sid").map(str::to_owned),
            is_allow: text("Effect").is_some_and(|effect| effect.eq_ignore_ascii_case("allow")),
            principals: with_exceptions(statement, "Principal", "NotPrincipal", principal_names),
            actions: with_exceptions(statement, "Action", "NotAction", scalars),
            resources: with_exceptions(statement, "Resource", "NotResource", scalars),
            conditions: statement
                .get("Condition")
                .map(condition_texts)
                .unwrap_or_default(),
        }
    }

    /// The statement as a sentence without a full stop, such as `allows sns.amazonaws.com to use sqs:SendMessage on X`.
    #[must_use]
    pub fn sentence(&self) -> String {
        let verb = if self.is_allow { "allows" } else { "denies" };
        let mut text = if self.principals.is_empty() {
            format!("{verb} {}", self.actions.join(", "))
        } else {
            let principals = self.principals.join(", ");
            format!("{verb} {principals} to use {}", self.actions.join(", "))
        };
        if !self.resources.is_empty() {
            text = format!("{text} on {}", self.resources.join(", "));
        }
        if !self.conditions.is_empty() {
            text = format!("{text} if {}", self.conditions.join(" and "));
        }
        text
    }

    /// The elements of the statement, one text per value, to compare two statements.
    #[must_use]
    pub fn elements(&self) -> Vec<String> {
        let effect = if self.is_allow { "Allow" } else { "Deny" };
        let lists = [
            ("principal", &self.principals),
            ("action", &self.actions),
            ("resource", &self.resources),
            ("condition", &self.conditions),
        ];
        let values = lists
            .into_iter()
            .flat_map(|(name, values)| values.iter().map(move |value| format!("{name} {value}")));
        [format!("effect {effect}")]
            .into_iter()
            .chain(values)
            .collect()
    }
}

/// Returns the values of an element, or of its negation.
fn with_exceptions(
    statement: &Map<String, Value>,
    name: &str,
    negated: &str,
    values: fn(&Value) -> Vec<String>,
) -> Vec<String> {
    let mut all: Vec<String> = statement.get(name).map(values).unwrap_or_default();
    if let Some(excluded) = statement.get(negated) {
        all.push(format!("all except {}", values(excluded).join(", ")));
    }
    all
}

fn scalars(value: &Value) -> Vec<String> {
    match value {
        Value::Array(values) => values.iter().map(scalar).collect(),
        value => vec![scalar(value)],
    }
}

fn scalar(value: &Value) -> String {
    value
        .as_str()
        .map_or_else(|| value.to_string(), str::to_owned)
}

fn principal_names(principal: &Value) -> Vec<String> {
    match principal {
        Value::Object(kinds) => kinds
            .values()
            .flat_map(scalars)
            .map(principal_name)
            .collect(),
        principal => scalars(principal).into_iter().map(principal_name).collect(),
    }
}

/// Returns `everyone` for `*`, and `account ID` for the root ARN or the ID of an account.
fn principal_name(principal: String) -> String {
    if principal == "*" {
        return "everyone".to_owned();
    }
    let account = principal
        .strip_suffix(":root")
        .and_then(|arn| arn.rsplit(':').next())
        .unwrap_or(&principal);
    if account.len() == 12 && account.bytes().all(|byte| byte.is_ascii_digit()) {
        return format!("account {account}");
    }
    principal
}

fn condition_texts(condition: &Value) -> Vec<String> {
    let Some(operators) = condition.as_object() else {
        return vec![condition.to_string()];
    };
    let keys = operators.iter().flat_map(|(operator, keys)| {
        let keys = keys.as_object().into_iter().flatten();
        keys.map(move |(key, values)| condition_text(operator, key, values))
    });
    keys.collect()
}

fn condition_text(operator: &str, key: &str, values: &Value) -> String {
    let verb = match operator {
        "StringEquals" | "ArnEquals" | "Bool" | "NumericEquals" => "is",
        "StringLike" | "ArnLike" => "matches",
        "StringNotEquals" | "ArnNotEquals" => "is not",
        other => other,
    };
    format!(
        "{} {verb} {}",
        display_key(key),
        scalars(values).join(" or ")
    )
}

/// Condition keys as AWS writes them. AWS ignores their case, and the canonical form has lower case.
const CONDITION_KEYS: [&str; 9] = [
    "aws:PrincipalArn",
    "aws:PrincipalOrgID",
    "aws:ResourceAccount",
    "aws:SecureTransport",
    "aws:SourceAccount",
    "aws:SourceArn",
    "aws:SourceOrgID",
    "kms:ViaService",
    "sts:ExternalId",
];

fn display_key(key: &str) -> &str {
    let mut keys = CONDITION_KEYS.into_iter();
    keys.find(|known| known.eq_ignore_ascii_case(key))
        .unwrap_or(key)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn read(statement: &Value) -> ReadableStatement {
        ReadableStatement::of(statement.as_object().expect("a statement"))
    }

    #[test]
    fn statements_are_sentences() {
        for (statement, sentence) in [
            (
                json!({ "Effect": "Allow", "Action": ["s3:GetObject"], "Resource": "arn:aws:s3:::b/*" }),
                "allows s3:GetObject on arn:aws:s3:::b/*",
            ),
            (
                json!({
                    "Effect": "Allow",
                    "Principal": { "Service": ["s3.amazonaws.com"] },
                    "Action": "sns:Publish",
                    "Resource": "topic",
                    "Condition": {
                        "ArnEquals": { "aws:sourcearn": ["arn:aws:s3:::b"] },
                        "StringEquals": { "aws:SourceAccount": "111122223333" },
                    },
                }),
                "allows s3.amazonaws.com to use sns:Publish on topic if aws:SourceArn is arn:aws:s3:::b and \
                 aws:SourceAccount is 111122223333",
            ),
            (
                json!({ "Effect": "Deny", "Principal": "*", "NotAction": ["a", "b"], "Resource": "*" }),
                "denies everyone to use all except a, b on *",
            ),
            (
                json!({
                    "Effect": "Allow",
                    "Principal": { "AWS": ["111122223333", "arn:aws:iam::444455556666:root"] },
                    "Action": "kms:*",
                    "NotResource": "x",
                }),
                "allows account 111122223333, account 444455556666 to use kms:* on all except x",
            ),
            (
                json!({
                    "Effect": "Allow",
                    "Action": "a",
                    "Condition": { "ForAnyValue:StringLike": { "aws:PrincipalOrgPaths": ["o-1/*", "o-2/*"] } },
                }),
                "allows a if aws:PrincipalOrgPaths ForAnyValue:StringLike o-1/* or o-2/*",
            ),
        ] {
            assert_eq!(read(&statement).sentence(), sentence);
        }
    }

    #[test]
    fn every_element_is_compared() {
        let statement = json!({
            "Effect": "Deny",
            "NotPrincipal": { "AWS": "*" },
            "Action": ["a", "b"],
            "Resource": "r",
            "Condition": { "Bool": { "aws:SecureTransport": false } },
        });
        assert_eq!(
            read(&statement).elements(),
            [
                "effect Deny",
                "principal all except everyone",
                "action a",
                "action b",
                "resource r",
                "condition aws:SecureTransport is false",
            ]
        );
    }
}
