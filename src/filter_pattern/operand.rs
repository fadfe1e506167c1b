//! Operands of comparisons: a text with wildcards at its ends and its numeric value, or a regular expression.

use std::cmp::Ordering;

use serde_json::Value;

use super::filter_regex::FilterRegex;

#[derive(Clone, Debug, PartialEq)]
pub(super) struct Operand {
    text: TextMatcher,
    number: Option<Number>,
}

impl Operand {
    pub(super) fn quoted(text: &str) -> Self {
        Self {
            text: TextMatcher::new(text),
            number: None,
        }
    }

    pub(super) fn bare(text: &str) -> Self {
        Self {
            text: TextMatcher::new(text),
            number: Number::parse(text),
        }
    }

    pub(super) fn regex(expression: FilterRegex) -> Self {
        Self {
            text: TextMatcher::Regex(expression),
            number: None,
        }
    }

    pub(super) fn number(&self) -> Option<Number> {
        self.number
    }

    /// Compares a value; `None` if it is neither a string nor a number.
    pub(super) fn equals(&self, value: &Value) -> Option<bool> {
        match (value, self.number) {
            (Value::Number(_), Some(number)) => Some(Number::from_json(value) == Some(number)),
            (Value::Number(digits), None) => Some(self.text.matches(&digits.to_string())),
            (Value::String(text), _) => Some(self.text.matches(text)),
            _ => None,
        }
    }
}

#[derive(Clone, Debug, PartialEq)]
enum TextMatcher {
    Plain {
        any_prefix: bool,
        core: String,
        any_suffix: bool,
    },
    Regex(FilterRegex),
}

impl TextMatcher {
    fn new(text: &str) -> Self {
        let after_start = text.strip_prefix('*');
        let rest = after_start.unwrap_or(text);
        let before_end = rest.strip_suffix('*');
        Self::Plain {
            any_prefix: after_start.is_some(),
            core: before_end.unwrap_or(rest).to_owned(),
            any_suffix: before_end.is_some(),
        }
    }

    fn matches(&self, text: &str) -> bool {
        match self {
            Self::Regex(expression) => expression.matches(text),
            Self::Plain {
                any_prefix: open_start,
                core,
                any_suffix: open_end,
            } => match (open_start, open_end) {
                (false, false) => text == core,
                (false, true) => text.starts_with(core),
                (true, false) => text.ends_with(core),
                (true, true) => text.contains(core),
            },
        }
    }
}

/// A number. Integers are kept exactly, because identifiers may exceed the precision of a float.
#[derive(Clone, Copy, Debug)]
pub(super) struct Number {
    integer: Option<i128>,
    float: f64,
}

impl Number {
    /// Parses a number as written in patterns; `None` for other text and infinite values.
    fn parse(text: &str) -> Option<Self> {
        let real: f64 = is_number(text).then(|| text.parse().ok())??;
        real.is_finite().then(|| Self {
            integer: text.parse().ok(),
            float: real,
        })
    }

    pub(super) fn from_json(value: &Value) -> Option<Self> {
        let integer = value.as_i64().map(i128::from);
        Some(Self {
            integer: integer.or_else(|| value.as_u64().map(i128::from)),
            float: value.as_f64()?,
        })
    }
}

impl PartialOrd for Number {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        match (self.integer, other.integer) {
            (Some(this), Some(that)) => Some(this.cmp(&that)),
            _ => self.float.partial_cmp(&other.float),
        }
    }
}

impl PartialEq for Number {
    fn eq(&self, other: &Self) -> bool {
        self.partial_cmp(other) == Some(Ordering::Equal)
    }
}

/// Returns true for digits with an optional sign, fraction and exponent: `-5`, `+1.5`, `10e-3`.
pub(super) fn is_number(text: &str) -> bool {
    let (mantissa, exponent) = text.split_once(['e', 'E']).unwrap_or((text, "0"));
    let mantissa = strip_sign(mantissa);
    let (integer, fraction) = mantissa.split_once('.').unwrap_or((mantissa, "0"));
    [integer, fraction, strip_sign(exponent)]
        .iter()
        .all(|part| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit()))
}

fn strip_sign(text: &str) -> &str {
    text.strip_prefix(['+', '-']).unwrap_or(text)
}
