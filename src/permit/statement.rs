//! A statement of an IAM policy: what may be done, to what, and when.

use serde_json::{Map, Value};

/// An `Allow`. Nothing else is ever needed by a caller.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Statement {
    pub sid: &'static str,
    pub actions: Vec<&'static str>,
    /// ARNs, with `*` for what is not known or does not matter.
    pub resources: Vec<String>,
    pub conditions: Vec<Condition>,
}

/// What a request has to be like.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Condition {
    pub operator: &'static str,
    pub key: &'static str,
    pub values: Vec<String>,
}

impl Statement {
    pub(super) fn new(
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

    /// For actions that know no resource.
    pub(super) fn anywhere(sid: &'static str, actions: &[&'static str]) -> Self {
        Self::new(sid, actions, ["*".to_owned()])
    }

    pub(super) fn when(
        mut self,
        operator: &'static str,
        key: &'static str,
        values: impl IntoIterator<Item = String>,
    ) -> Self {
        self.conditions.push(Condition {
            operator,
            key,
            values: values.into_iter().collect(),
        });
        self
    }

    /// For resources whose ARN holds no account: the name of a bucket can come to be somebody else's.
    pub(super) fn of_account(self, account: &str) -> Self {
        self.when("StringEquals", "aws:ResourceAccount", [account.to_owned()])
    }

    /// Whether whatever `other` permits to do, it may be done under this one, too, if the action is here.
    fn covers(&self, other: &Self) -> bool {
        (self.conditions.is_empty() || self.conditions == other.conditions)
            && other.resources.iter().all(|resource| {
                self.resources
                    .iter()
                    .any(|pattern| covers(pattern, resource))
            })
    }

    pub(super) fn value(&self) -> Value {
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

/// Whether a resource is among those that a pattern stands for; of patterns, only a `*` at the end is understood.
fn covers(pattern: &str, resource: &str) -> bool {
    match pattern.strip_suffix('*') {
        Some(beginning) => resource.starts_with(beginning),
        None => pattern == resource,
    }
}

/// The same permissions in fewer words: statements of one name are one where they are about the same, and no action is
/// said again that another statement permits already.
pub(super) fn tidy(statements: Vec<Statement>) -> Vec<Statement> {
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
        // Of two that cover each other, the first keeps the action.
        let wider: Vec<&Statement> = all
            .iter()
            .enumerate()
            .filter(|(place, other)| {
                *place != number && other.covers(own) && (*place < number || !own.covers(other))
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

    fn on(sid: &'static str, actions: &[&'static str], resources: &[&str]) -> Statement {
        Statement::new(
            sid,
            actions,
            resources.iter().map(|text| (*text).to_owned()),
        )
    }

    #[test]
    fn statements_of_one_name_are_one() {
        let tidied = tidy(vec![
            on("A", &["s:Write"], &["arn:x", "arn:y"]),
            on("A", &["s:Read"], &["arn:y", "arn:x"]),
        ]);
        assert_eq!(
            tidied,
            [on("A", &["s:Read", "s:Write"], &["arn:x", "arn:y"])]
        );
    }

    #[test]
    fn what_two_statements_permit_is_said_by_the_first() {
        let tidied = tidy(vec![
            on("A", &["s:Read"], &["arn:x"]),
            on("B", &["s:Read", "s:Write"], &["arn:x"]),
        ]);
        assert_eq!(
            tidied,
            [
                on("A", &["s:Read"], &["arn:x"]),
                on("B", &["s:Write"], &["arn:x"])
            ]
        );
    }

    #[test]
    fn what_a_wider_statement_permits_is_not_said_again() {
        let narrow = on("Narrow", &["s:Read", "s:Write"], &["arn:key/1"]);
        let wide = on("Wide", &["s:Read"], &["arn:key/*"]);
        let tidied = tidy(vec![narrow, wide.clone()]);
        assert_eq!(tidied, [on("Narrow", &["s:Write"], &["arn:key/1"]), wide]);
    }

    #[test]
    fn a_condition_makes_a_statement_narrower_never_wider() {
        let strict = || {
            on("Strict", &["s:Read"], &["arn:key/*"]).when(
                "StringEquals",
                "s:Of",
                ["us".to_owned()],
            )
        };
        let free = || on("Free", &["s:Read"], &["arn:key/1"]);
        assert_eq!(tidy(vec![strict(), free()]), [strict(), free()]);
        let free = || on("Free", &["s:Read"], &["*"]);
        assert_eq!(tidy(vec![strict(), free()]), [free()]);
    }

    #[test]
    fn conditions_of_one_operator_are_written_as_one() {
        let statement = on("S", &["s:Read"], &["*"])
            .when("StringEquals", "a:b", ["1".to_owned()])
            .when("StringEquals", "c:d", ["2".to_owned(), "3".to_owned()])
            .when("Null", "a:b", ["false".to_owned()]);
        assert_eq!(
            statement.value().to_string(),
            r#"{"Sid":"S","Effect":"Allow","Action":["s:Read"],"Resource":"*","Condition":{"StringEquals":{"a:b":"1","c:d":["2","3"]},"Null":{"a:b":"false"}}}"#
        );
    }
}
