//! A statement of an IAM policy: actions, resources and conditions.

use serde_json::{Map, Value};

/// An `Allow` statement.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Statement {
    pub sid: &'static str,
    pub actions: Vec<&'static str>,
    /// ARNs, with `*` for parts that are not known or do not matter.
    pub resources: Vec<String>,
    pub conditions: Vec<StatementCondition>,
}

/// A condition that a request must meet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StatementCondition {
    pub operator: &'static str,
    pub key: &'static str,
    pub values: Vec<String>,
}

impl Statement {
    pub(crate) fn new(
        sid: &'static str,
        actions: &[&'static str],
        resources: impl IntoIterator<Item = String>,
    ) -> Self {
        Self {
            sid,
            actions: actions.to_vec(),
            resources: resources.into_iter().collect(),
            conditions: Vec::new(),
        }
    }

    /// A statement for actions that do not support resources.
    pub(crate) fn for_all_resources(sid: &'static str, actions: &[&'static str]) -> Self {
        Self::new(sid, actions, ["*".to_owned()])
    }

    pub(crate) fn condition(
        mut self,
        operator: &'static str,
        key: &'static str,
        values: impl IntoIterator<Item = String>,
    ) -> Self {
        self.conditions.push(StatementCondition {
            operator,
            key,
            values: values.into_iter().collect(),
        });
        self
    }

    /// Restricts resources whose ARN contains no account: a deleted bucket's name can be registered by another account.
    pub(crate) fn in_account(self, account: &str) -> Self {
        self.condition("StringEquals", "aws:ResourceAccount", [account.to_owned()])
    }

    /// Returns true if this statement permits an action wherever `other` does.
    fn subsumes(&self, other: &Self) -> bool {
        (self.conditions.is_empty() || self.conditions == other.conditions)
            && other.resources.iter().all(|resource| {
                self.resources
                    .iter()
                    .any(|pattern| pattern_matches(pattern, resource))
            })
    }

    pub(super) fn to_json(&self) -> Value {
        let mut fields = Map::new();
        fields.insert("Sid".into(), self.sid.into());
        fields.insert("Effect".into(), "Allow".into());
        fields.insert("Action".into(), self.actions.clone().into());
        fields.insert("Resource".into(), one_or_many(&self.resources));
        let mut conditions = Map::new();
        for condition in &self.conditions {
            let keys = conditions
                .entry(condition.operator)
                .or_insert_with(|| Value::Object(Map::new()));
            if let Value::Object(keys) = keys {
                keys.insert(condition.key.into(), one_or_many(&condition.values));
            }
        }
        if !conditions.is_empty() {
            fields.insert("Condition".into(), conditions.into());
        }
        Value::Object(fields)
    }
}

fn one_or_many(texts: &[String]) -> Value {
    match texts {
        [one] => Value::from(one.as_str()),
        many => Value::from(many.to_vec()),
    }
}

/// Returns true if the pattern matches the resource. A `*` is supported at the end only.
fn pattern_matches(pattern: &str, resource: &str) -> bool {
    match pattern.strip_suffix('*') {
        Some(beginning) => resource.starts_with(beginning),
        None => pattern == resource,
    }
}

/// Merges statements with equal Sid, resources and conditions, and removes actions that another statement already
/// permits.
pub(super) fn merge_statements(statements: Vec<Statement>) -> Vec<Statement> {
    let mut merged: Vec<Statement> = Vec::new();
    for mut statement in statements {
        statement.resources.sort();
        statement.resources.dedup();
        let same = merged.iter_mut().find(|known| {
            known.sid == statement.sid
                && known.resources == statement.resources
                && known.conditions == statement.conditions
        });
        match same {
            Some(known) => known.actions.extend(statement.actions),
            None => merged.push(statement),
        }
    }
    let all = merged.clone();
    for (number, statement) in merged.iter_mut().enumerate() {
        statement.actions.sort_unstable();
        statement.actions.dedup();
        let own = &all[number];
        // Of two statements that subsume each other, the first keeps the action.
        let wider: Vec<&Statement> = all
            .iter()
            .enumerate()
            .filter(|(place, other)| {
                *place != number && other.subsumes(own) && (*place < number || !own.subsumes(other))
            })
            .map(|(_, other)| other)
            .collect();
        statement
            .actions
            .retain(|action| !wider.iter().any(|wide| wide.actions.contains(action)));
    }
    merged.retain(|statement| !statement.actions.is_empty());
    merged
}

#[cfg(test)]
mod tests {
    use super::*;

    fn statement(sid: &'static str, actions: &[&'static str], resources: &[&str]) -> Statement {
        Statement::new(
            sid,
            actions,
            resources.iter().map(|text| (*text).to_owned()),
        )
    }

    #[test]
    fn statements_with_equal_sid_and_resources_merge() {
        let merged_statements = merge_statements(vec![
            statement("A", &["s:Write"], &["arn:x", "arn:y"]),
            statement("A", &["s:Read"], &["arn:y", "arn:x"]),
        ]);
        assert_eq!(
            merged_statements,
            [statement("A", &["s:Read", "s:Write"], &["arn:x", "arn:y"])]
        );
    }

    #[test]
    fn first_of_equal_statements_keeps_the_action() {
        let merged_statements = merge_statements(vec![
            statement("A", &["s:Read"], &["arn:x"]),
            statement("B", &["s:Read", "s:Write"], &["arn:x"]),
        ]);
        assert_eq!(
            merged_statements,
            [
                statement("A", &["s:Read"], &["arn:x"]),
                statement("B", &["s:Write"], &["arn:x"])
            ]
        );
    }

    #[test]
    fn wider_statement_removes_action_from_narrower() {
        let narrow = statement("Narrow", &["s:Read", "s:Write"], &["arn:key/1"]);
        let wide = statement("Wide", &["s:Read"], &["arn:key/*"]);
        let merged_statements = merge_statements(vec![narrow, wide.clone()]);
        assert_eq!(
            merged_statements,
            [statement("Narrow", &["s:Write"], &["arn:key/1"]), wide]
        );
    }

    #[test]
    fn conditional_statement_never_subsumes_unconditional() {
        let strict = || {
            statement("Strict", &["s:Read"], &["arn:key/*"]).condition(
                "StringEquals",
                "s:Of",
                ["us".to_owned()],
            )
        };
        let free = || statement("Free", &["s:Read"], &["arn:key/1"]);
        assert_eq!(merge_statements(vec![strict(), free()]), [strict(), free()]);
        let free = || statement("Free", &["s:Read"], &["*"]);
        assert_eq!(merge_statements(vec![strict(), free()]), [free()]);
    }

    #[test]
    fn conditions_of_one_operator_share_an_object() {
        let statement = statement("S", &["s:Read"], &["*"])
            .condition("StringEquals", "a:b", ["1".to_owned()])
            .condition("StringEquals", "c:d", ["2".to_owned(), "3".to_owned()])
            .condition("Null", "a:b", ["false".to_owned()]);
        assert_eq!(
            statement.to_json().to_string(),
            r#"{"Sid":"S","Effect":"Allow","Action":["s:Read"],"Resource":"*","Condition":{"StringEquals":{"a:b":"1","c:d":["2","3"]},"Null":{"a:b":"false"}}}"#
        );
    }
}
