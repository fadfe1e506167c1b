//! Filter patterns of `CloudWatch` Logs for JSON: which log events pass one, decided without AWS.
//!
//! The grammar is the one that AWS documents ("Using filter patterns to match terms in JSON log events"). What that
//! page rules out is refused: `EXISTS` alone, `IS NOT`, more wildcards or regular expressions than its quotas, and in a
//! regular expression whatever is not listed, since a pattern that is half understood would answer wrongly.
//!
//! - A selector leads to a string or a number, or a comparison does not match: not `=`, and not `!=` either. So a field
//!   that is missing matches no `!=`, and `NOT EXISTS` is the only test that it passes.
//! - `*` is a wildcard at the ends of a value, quoted or not, and stands for itself anywhere else.
//! - Letters count as they are written, in names, values and keywords.
//!
//! The page is silent on these, and the choice is ours:
//!
//! - A bare number means a JSON number of that value or a string of these very characters. A string is never less or
//!   greater than anything. A quoted value is text, and is compared with the digits of a JSON number.
//! - With a wildcard in the selector, one selected value that matches is enough, for `!=` as well; `NOT EXISTS` asks
//!   that nothing is selected.
//! - A regular expression is compared with the digits of a JSON number, too; its `.` means a line break as well.
//! - In quotes, a backslash stands before `"` or `\` and before nothing else.

mod filter_regex;
mod operand;
mod parser;
mod pattern_error;
mod selector;
#[cfg(test)]
mod tests;

use serde_json::Value;

use operand::{Number, Operand};
pub use pattern_error::PatternError;
use selector::PropertySelector;

/// A pattern that was understood.
#[derive(Clone, Debug, PartialEq)]
pub struct FilterPattern(Expression);

impl FilterPattern {
    /// # Errors
    /// Where and why the text is no pattern for JSON, or none that can be judged here.
    pub fn parse(text: &str) -> Result<Self, PatternError> {
        parser::parse_pattern(text).map(Self)
    }

    /// Whether a log event with this content would pass.
    #[must_use]
    pub fn matches(&self, event: &Value) -> bool {
        event.is_object() && self.0.matches(event)
    }

    /// Whether a log event of this text would pass. What is no JSON object never does.
    #[must_use]
    pub fn matches_text(&self, event: &str) -> bool {
        serde_json::from_str(event).is_ok_and(|event| self.matches(&event))
    }
}

#[derive(Clone, Debug, PartialEq)]
enum Expression {
    All(Vec<Expression>),
    Any(Vec<Expression>),
    Term(PropertySelector, TermTest),
}

impl Expression {
    fn matches(&self, event: &Value) -> bool {
        match self {
            Self::All(parts) => parts.iter().all(|part| part.matches(event)),
            Self::Any(parts) => parts.iter().any(|part| part.matches(event)),
            Self::Term(selector, TermTest::NotExists) => selector.select(event).is_empty(),
            Self::Term(selector, TermTest::OnValue(test)) => {
                let selected = selector.select(event);
                selected.into_iter().any(|value| test.matches(value))
            }
        }
    }
}

#[derive(Clone, Debug, PartialEq)]
enum TermTest {
    NotExists,
    OnValue(ValueTest),
}

/// What is asked of a value that is there.
#[derive(Clone, Debug, PartialEq)]
enum ValueTest {
    Is(Value),
    Equals(Operand),
    Differs(Operand),
    Less(Number),
    LessOrEqual(Number),
    Greater(Number),
    GreaterOrEqual(Number),
}

impl ValueTest {
    fn matches(&self, value: &Value) -> bool {
        match self {
            Self::Is(wanted) => value == wanted,
            Self::Equals(operand) => operand.equals(value) == Some(true),
            Self::Differs(operand) => operand.equals(value) == Some(false),
            Self::Less(limit) => Number::from_json(value).is_some_and(|number| number < *limit),
            Self::LessOrEqual(limit) => {
                Number::from_json(value).is_some_and(|number| number <= *limit)
            }
            Self::Greater(limit) => Number::from_json(value).is_some_and(|number| number > *limit),
            Self::GreaterOrEqual(limit) => {
                Number::from_json(value).is_some_and(|number| number >= *limit)
            }
        }
    }
}
