//! What a value is compared with: a text with wildcards at its ends, and the number that a bare text may mean; or a
//! regular expression.

use std::cmp::Ordering;

use serde_json::Value;

use super::regular::Regular;

#[derive(Clone, Debug, PartialEq)]
pub(super) struct Operand {
    text: Text,
    number: Option<Number>,
}

impl Operand {
    pub(super) fn quoted(text: &str) -> Self {
        Self {
            text: Text::new(text),
            number: None,
        }
    }

    pub(super) fn bare(text: &str) -> Self {
        Self {
            text: Text::new(text),
            number: Number::read(text),
        }
    }

    pub(super) fn regular(expression: Regular) -> Self {
        Self {
            text: Text::Regular(expression),
            number: None,
        }
    }

    pub(super) fn number(&self) -> Option<Number> {
        self.number
    }

    /// Nothing, where a value cannot be compared: only strings and numbers can.
    pub(super) fn equals(&self, value: &Value) -> Option<bool> {
        match (value, self.number) {
            (Value::Number(_), Some(number)) => Some(Number::of(value) == Some(number)),
            (Value::Number(digits), None) => Some(self.text.covers(&digits.to_string())),
            (Value::String(text), _) => Some(self.text.covers(text)),
            _ => None,
        }
    }
}

#[derive(Clone, Debug, PartialEq)]
enum Text {
    Plain {
        open_start: bool,
        core: String,
        open_end: bool,
    },
    Regular(Regular),
}

impl Text {
    fn new(text: &str) -> Self {
        let after_start = text.strip_prefix('*');
        let rest = after_start.unwrap_or(text);
        let before_end = rest.strip_suffix('*');
        Self::Plain {
            open_start: after_start.is_some(),
            core: before_end.unwrap_or(rest).to_owned(),
            open_end: before_end.is_some(),
        }
    }

    fn covers(&self, text: &str) -> bool {
        match self {
            Self::Regular(expression) => expression.matches(text),
            Self::Plain {
                open_start,
                core,
                open_end,
            } => match (open_start, open_end) {
                (false, false) => text == core,
                (false, true) => text.starts_with(core),
                (true, false) => text.ends_with(core),
                (true, true) => text.contains(core),
            },
        }
    }
}

/// A number, and exactly which one if it is whole: identifiers can be longer than a float is precise.
#[derive(Clone, Copy, Debug)]
pub(super) struct Number {
    whole: Option<i128>,
    real: f64,
}

impl Number {
    /// Nothing, where the text is no number as patterns write it, or one beyond all bounds.
    fn read(text: &str) -> Option<Self> {
        let real: f64 = is_number(text).then(|| text.parse().ok())??;
        real.is_finite().then(|| Self {
            whole: text.parse().ok(),
            real,
        })
    }

    pub(super) fn of(value: &Value) -> Option<Self> {
        let whole = value.as_i64().map(i128::from);
        Some(Self {
            whole: whole.or_else(|| value.as_u64().map(i128::from)),
            real: value.as_f64()?,
        })
    }
}

impl PartialOrd for Number {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        match (self.whole, other.whole) {
            (Some(this), Some(that)) => Some(this.cmp(&that)),
            _ => self.real.partial_cmp(&other.real),
        }
    }
}

impl PartialEq for Number {
    fn eq(&self, other: &Self) -> bool {
        self.partial_cmp(other) == Some(Ordering::Equal)
    }
}

/// Digits, with a sign, a fraction and an exponent if need be: `-5`, `+1.5`, `10e-3`.
pub(super) fn is_number(text: &str) -> bool {
    let (mantissa, exponent) = text.split_once(['e', 'E']).unwrap_or((text, "0"));
    let mantissa = unsigned(mantissa);
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, "0"));
    [whole, fraction, unsigned(exponent)]
        .iter()
        .all(|part| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit()))
}

fn unsigned(text: &str) -> &str {
    text.strip_prefix(['+', '-']).unwrap_or(text)
}
