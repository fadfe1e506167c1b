//! Filter patterns of `CloudWatch` Logs for JSON, evaluated locally.
//!
//! The grammar is documented in "Using filter patterns to match terms in JSON log events":
//! <https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/FilterAndPatternSyntax.html>. Everything that the page excludes
//! is rejected: `EXISTS` without `NOT`, `IS NOT`, more wildcards or regular expressions than the quotas allow, and
//! unlisted regular expression syntax. A pattern that is only partly understood would give wrong results.
//!
//! - A comparison matches only strings and numbers. A missing field matches neither `=` nor `!=`; it matches only
//!   `NOT EXISTS`.
//! - `*` is a wildcard at the ends of a value, quoted or not, and a literal character elsewhere.
//! - Names, values and keywords are case-sensitive.
//!
//! The page does not specify the following; these are our decisions:
//!
//! - An unquoted number matches a JSON number of that value or a string with the same characters. `<` and `>` never match a
//!   string. A quoted value is text and is compared with the digits of a JSON number.
//! - If the selector has a wildcard, one matching value is sufficient, also for `!=`. `NOT EXISTS` requires that nothing is
//!   selected.
//! - A regular expression is also compared with the digits of a JSON number. Its `.` also matches a line break.
//! - In quotes, a backslash may only precede `"` or `\`.

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

/// A parsed pattern.
#[derive(Clone, Debug, PartialEq)]
pub struct FilterPattern(Expression);

impl FilterPattern {
    /// Parses a pattern.
    ///
    /// # Errors
    /// Returns the position and the reason if the text is not a supported JSON pattern.
    pub fn parse(text: &str) -> Result<Self, PatternError> {
        parser::parse_pattern(text).map(Self)
    }

    /// Returns true if a log event with this content matches.
    #[must_use]
    pub fn matches(&self, event: &Value) -> bool {
        event.is_object() && self.0.matches(event)
    }

    /// Returns true if a log event with this text matches. Text that is not a JSON object never matches.
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

/// A test of an existing value.
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
            Self::Is(expected) => value == expected,
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
