//! Conditions of a statement.
//!
//! All conditions must be true; of the values of one condition, one must match (none, if the operator is negated). A
//! missing key makes a condition false, and one with a negated operator or with `IfExists` true. Source: IAM user guide,
//! "IAM JSON policy elements: Condition operators" and "Single-valued vs. multivalued context keys".

use super::context::{ContextValue, RequestContext};
use super::decision::MissingFacts;
use super::document::PolicyCondition;
use super::operator::{Comparison, ConditionOperator, SetOperator, parse_bool};
use super::pattern::{Expansion, expand};
use super::truth::Truth;

/// Evaluates one condition of a statement.
pub(super) fn evaluate_condition(
    condition: &PolicyCondition,
    context: &RequestContext,
    has_variables: bool,
) -> Truth {
    let Some(operator) = ConditionOperator::parse(&condition.operator) else {
        return unsupported(format!("operator {}", condition.operator));
    };
    let Some(value) = context.value(&condition.key) else {
        return Truth::Unknown(MissingFacts::condition_key(&condition.key));
    };
    let evaluation = ConditionEvaluation {
        condition,
        operator,
        context,
        has_variables,
    };
    if operator.comparison == Comparison::Null {
        return evaluation.is_null(*value == ContextValue::Absent);
    }
    match value {
        ContextValue::Absent => evaluation.without_value(),
        ContextValue::List(values) if values.is_empty() => evaluation.without_value(),
        ContextValue::Value(value) => evaluation.matches_value(value),
        ContextValue::OneOf(candidates) => evaluation.matches_one_of(candidates),
        ContextValue::List(values) => evaluation.matches_list(values),
    }
}

struct ConditionEvaluation<'a> {
    condition: &'a PolicyCondition,
    operator: ConditionOperator,
    context: &'a RequestContext,
    has_variables: bool,
}

impl ConditionEvaluation<'_> {
    fn is_null(&self, is_absent: bool) -> Truth {
        Truth::any(
            self.condition
                .values
                .iter()
                .map(|value| match parse_bool(value) {
                    Some(expected) => Truth::from(expected == is_absent),
                    None => unsupported(format!("value {value} of operator Null")),
                }),
        )
    }

    fn without_value(&self) -> Truth {
        Truth::from(match self.operator.set {
            Some(SetOperator::ForAllValues) => true,
            Some(SetOperator::ForAnyValue) => self.operator.if_exists,
            None => self.operator.if_exists || self.operator.negated,
        })
    }

    /// Returns true if one of the policy's values matches, or none if the operator is negated.
    fn matches_value(&self, value: &str) -> Truth {
        let any = Truth::any(
            self.condition
                .values
                .iter()
                .map(|policy_value| self.matches_policy_value(value, policy_value)),
        );
        if self.operator.negated {
            any.negate()
        } else {
            any
        }
    }

    fn matches_policy_value(&self, value: &str, policy_value: &str) -> Truth {
        match expand(policy_value, self.context, self.has_variables) {
            Expansion::NoValue => Truth::False,
            Expansion::Unknown(key) => Truth::Unknown(MissingFacts::condition_key(&key)),
            Expansion::Text(text) => match self.operator.comparison.compare(value, &text) {
                Some(matches) => Truth::from(matches),
                None => unsupported(format!(
                    "value {policy_value} of operator {}",
                    self.condition.operator
                )),
            },
        }
    }

    /// Returns a known result only if it is the same for each possible value.
    fn matches_one_of(&self, candidates: &[String]) -> Truth {
        let mut results = candidates.iter().map(|value| self.matches_value(value));
        let unknown = || Truth::Unknown(MissingFacts::condition_key(&self.condition.key));
        let Some(first) = results.next() else {
            return unknown();
        };
        if results.all(|result| result == first) {
            first
        } else {
            unknown()
        }
    }

    fn matches_list(&self, values: &[String]) -> Truth {
        let results = values.iter().map(|value| self.matches_value(value));
        match self.operator.set {
            Some(SetOperator::ForAllValues) => Truth::all(results),
            Some(SetOperator::ForAnyValue) => Truth::any(results),
            // A multivalued key never matches an operator without a set operator, not even a negated one.
            None => Truth::False,
        }
    }
}

fn unsupported(element: String) -> Truth {
    Truth::Unknown(MissingFacts::unsupported(element))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn evaluate(operator: &str, key: &str, values: &[&str]) -> Truth {
        let context = RequestContext::new()
            .with("one", "a")
            .with("account", "111122223333")
            .without(&["none"])
            .with_list("empty", [] as [&str; 0])
            .with_list("list", ["a", "b"])
            .with_one_of("either", ["a", "ab"]);
        let condition = PolicyCondition {
            operator: operator.to_owned(),
            key: key.to_owned(),
            values: values.iter().map(|value| (*value).to_owned()).collect(),
        };
        evaluate_condition(&condition, &context, true)
    }

    #[test]
    fn missing_and_multivalued_keys_follow_the_guide() {
        for (operator, key, values, expected) in [
            ("StringEquals", "ONE", &["b", "a"][..], true),
            ("StringNotEquals", "one", &["b", "a"], false),
            ("StringNotEquals", "one", &["b", "c"], true),
            ("StringEquals", "one", &[], false),
            ("StringNotEquals", "one", &[], true),
            ("StringEquals", "none", &["a"], false),
            ("StringNotEquals", "none", &["a"], true),
            ("StringEqualsIfExists", "none", &["a"], true),
            ("BoolIfExists", "none", &["false"], true),
            ("Bool", "none", &["false"], false),
            ("Null", "none", &["true"], true),
            ("Null", "none", &["false"], false),
            ("Null", "one", &["false"], true),
            ("ForAllValues:StringEquals", "none", &["a"], true),
            ("ForAllValues:StringEquals", "empty", &["a"], true),
            ("ForAnyValue:StringEquals", "none", &["a"], false),
            ("ForAnyValue:StringNotEquals", "empty", &["a"], false),
            ("ForAnyValue:StringEqualsIfExists", "none", &["a"], true),
            ("ForAllValues:StringEquals", "list", &["a"], false),
            ("ForAllValues:StringEquals", "list", &["a", "b", "c"], true),
            ("ForAnyValue:StringEquals", "list", &["b"], true),
            ("ForAnyValue:StringNotEquals", "list", &["b"], true),
            ("ForAllValues:StringNotEquals", "list", &["b"], false),
            ("StringEquals", "list", &["a"], false),
            ("StringNotEquals", "list", &["c"], false),
            ("StringLike", "either", &["a*"], true),
            ("StringLike", "either", &["b*"], false),
            ("StringEquals", "account", &["${account}"], true),
            ("StringEquals", "account", &["${none}"], false),
            ("StringNotEquals", "account", &["${none}"], true),
        ] {
            let found = evaluate(operator, key, values);
            assert_eq!(found, Truth::from(expected), "{operator} {key} {values:?}");
        }
    }

    #[test]
    fn undetermined_conditions_name_the_missing_fact() {
        for (operator, key, value, expected) in [
            ("StringEquals", "aws:SourceVpc", "a", "aws:SourceVpc"),
            (
                "StringNotEqualsIfExists",
                "aws:SourceVpc",
                "a",
                "aws:SourceVpc",
            ),
            ("Null", "aws:SourceVpc", "true", "aws:SourceVpc"),
            ("StringEquals", "either", "a", "either"),
            ("StringEquals", "one", "${aws:username}", "aws:username"),
            ("StringMatches", "one", "a", "operator StringMatches"),
            (
                "NumericEquals",
                "one",
                "1",
                "value 1 of operator NumericEquals",
            ),
            ("Null", "one", "maybe", "value maybe of operator Null"),
        ] {
            let Truth::Unknown(missing) = evaluate(operator, key, &[value]) else {
                panic!("{operator} {key} is known");
            };
            assert_eq!(missing.to_string(), expected, "{operator} {key}");
        }
    }
}
