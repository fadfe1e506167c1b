//! Condition operators: their names, and the comparison of one value with one value of a policy.

use std::cmp::Ordering;
use std::net::IpAddr;

use jiff::Timestamp;

use super::pattern::PolicyText;

/// A condition operator, such as `ForAnyValue:StringNotEqualsIfExists`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct ConditionOperator {
    pub set: Option<SetOperator>,
    pub comparison: Comparison,
    pub negated: bool,
    /// True if the condition is true when the request does not have the key.
    pub if_exists: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum SetOperator {
    ForAllValues,
    ForAnyValue,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Comparison {
    StringEquals,
    StringEqualsIgnoreCase,
    StringLike,
    Numeric(Order),
    Date(Order),
    Bool,
    Binary,
    IpAddress,
    Arn,
    /// The key is absent.
    Null,
}

/// The required order of the value of the request and that of the policy.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Order {
    Equal,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

impl ConditionOperator {
    /// Parses the name of an operator. Returns `None` if it is unknown.
    pub fn parse(name: &str) -> Option<Self> {
        let (set, name) = match name.split_once(':') {
            Some(("ForAllValues", name)) => (Some(SetOperator::ForAllValues), name),
            Some(("ForAnyValue", name)) => (Some(SetOperator::ForAnyValue), name),
            Some(_) => return None,
            None => (None, name),
        };
        let (name, if_exists) = match name.strip_suffix("IfExists") {
            Some(name) => (name, true),
            None => (name, false),
        };
        let (comparison, negated) = comparison(name)?;
        // AWS has neither a set operator nor IfExists for Null.
        let is_plain = set.is_none() && !if_exists;
        (comparison != Comparison::Null || is_plain).then_some(Self {
            set,
            comparison,
            negated,
            if_exists,
        })
    }
}

/// Returns the comparison, and true if the operator negates it.
fn comparison(name: &str) -> Option<(Comparison, bool)> {
    Some(match name {
        "StringEquals" => (Comparison::StringEquals, false),
        "StringNotEquals" => (Comparison::StringEquals, true),
        "StringEqualsIgnoreCase" => (Comparison::StringEqualsIgnoreCase, false),
        "StringNotEqualsIgnoreCase" => (Comparison::StringEqualsIgnoreCase, true),
        "StringLike" => (Comparison::StringLike, false),
        "StringNotLike" => (Comparison::StringLike, true),
        // AWS documents that these two pairs are the same.
        "ArnEquals" | "ArnLike" => (Comparison::Arn, false),
        "ArnNotEquals" | "ArnNotLike" => (Comparison::Arn, true),
        "Bool" => (Comparison::Bool, false),
        "BinaryEquals" => (Comparison::Binary, false),
        "IpAddress" => (Comparison::IpAddress, false),
        "NotIpAddress" => (Comparison::IpAddress, true),
        "Null" => (Comparison::Null, false),
        _ => {
            let (kind, order): (fn(Order) -> Comparison, &str) = match name.strip_prefix("Numeric")
            {
                Some(order) => (Comparison::Numeric, order),
                None => (Comparison::Date, name.strip_prefix("Date")?),
            };
            let (order, negated) = match order {
                "Equals" => (Order::Equal, false),
                "NotEquals" => (Order::Equal, true),
                "LessThan" => (Order::Less, false),
                "LessThanEquals" => (Order::LessOrEqual, false),
                "GreaterThan" => (Order::Greater, false),
                "GreaterThanEquals" => (Order::GreaterOrEqual, false),
                _ => return None,
            };
            (kind(order), negated)
        }
    })
}

impl Order {
    fn accepts(self, ordering: Ordering) -> bool {
        match self {
            Self::Equal => ordering.is_eq(),
            Self::Less => ordering.is_lt(),
            Self::LessOrEqual => ordering.is_le(),
            Self::Greater => ordering.is_gt(),
            Self::GreaterOrEqual => ordering.is_ge(),
        }
    }
}

impl Comparison {
    /// Compares a value of the request with one of a policy. Returns `None` if one of them does not have the operator's
    /// type, such as a date that is none.
    pub fn compare(self, value: &str, policy_value: &PolicyText) -> Option<bool> {
        let written = policy_value.to_text();
        Some(match self {
            Self::StringEquals | Self::Binary => written == value,
            Self::StringEqualsIgnoreCase => written.to_lowercase() == value.to_lowercase(),
            Self::StringLike => policy_value.matches(value),
            Self::Arn => policy_value.matches_arn(value)?,
            Self::Bool | Self::Null => parse_bool(&written)? == parse_bool(value)?,
            Self::Numeric(order) => order.accepts(number(value)?.partial_cmp(&number(&written)?)?),
            Self::Date(order) => order.accepts(date(value)?.cmp(&date(&written)?)),
            Self::IpAddress => is_in_range(value.parse().ok()?, &written)?,
        })
    }
}

pub(super) fn parse_bool(text: &str) -> Option<bool> {
    match text.to_ascii_lowercase().as_str() {
        "true" => Some(true),
        "false" => Some(false),
        _ => None,
    }
}

fn number(text: &str) -> Option<f64> {
    text.trim()
        .parse()
        .ok()
        .filter(|number: &f64| number.is_finite())
}

/// Parses a date as policies have it: an ISO 8601 date or time, or seconds since 1970.
fn date(text: &str) -> Option<Timestamp> {
    let text = text.trim();
    if let Ok(seconds) = text.parse() {
        return Timestamp::from_second(seconds).ok();
    }
    let time = text
        .parse()
        .or_else(|_| format!("{text}T00:00:00Z").parse());
    time.ok()
}

/// Returns true if an address is in a range in CIDR notation.
fn is_in_range(address: IpAddr, range: &str) -> Option<bool> {
    let (start, length) = match range.split_once('/') {
        Some((start, length)) => (start, Some(length.parse::<u32>().ok()?)),
        None => (range, None),
    };
    let (address, start, bits) = match (address, start.parse().ok()?) {
        (IpAddr::V4(address), IpAddr::V4(start)) => (
            u128::from(address.to_bits()),
            u128::from(start.to_bits()),
            32,
        ),
        (IpAddr::V6(address), IpAddr::V6(start)) => (address.to_bits(), start.to_bits(), 128),
        _ => return Some(false),
    };
    let ignored_bits = u32::checked_sub(bits, length.unwrap_or(bits))?;
    let network = |address: u128| address.checked_shr(ignored_bits).unwrap_or(0);
    Some(network(address) == network(start))
}

#[cfg(test)]
mod tests {
    use super::super::context::RequestContext;
    use super::super::pattern::{Expansion, expand};
    use super::*;

    fn compare(operator: &str, value: &str, policy_value: &str) -> Option<bool> {
        let operator = ConditionOperator::parse(operator).expect("an operator");
        let Expansion::Text(text) = expand(policy_value, &RequestContext::new(), true) else {
            panic!("no variables");
        };
        operator.comparison.compare(value, &text)
    }

    #[test]
    fn operators_compare_by_type() {
        for (operator, value, policy_value, expected) in [
            ("StringEquals", "a", "a", Some(true)),
            ("StringEquals", "a", "A", Some(false)),
            ("StringEquals", "ab", "a*", Some(false)),
            ("StringEqualsIgnoreCase", "a", "A", Some(true)),
            ("StringLike", "ab", "a*", Some(true)),
            ("StringLike", "a*", "a${*}", Some(true)),
            ("StringLike", "ab", "a${*}", Some(false)),
            ("ArnEquals", "arn:aws:s3:::b", "arn:aws:s3:::*", Some(true)),
            ("ArnLike", "arn:aws:s3:::b", "arn:aws:s3:*:*:b", Some(true)),
            ("ArnLike", "arn:aws:s3:::b", "*", None),
            ("Bool", "true", "TRUE", Some(true)),
            ("Bool", "true", "yes", None),
            ("BinaryEquals", "QmFz", "QmFz", Some(true)),
            ("NumericLessThan", "1.2", "1.3", Some(true)),
            ("NumericLessThan", "1.30", "1.3", Some(false)),
            ("NumericGreaterThanEquals", "10", "9", Some(true)),
            ("NumericEquals", "x", "9", None),
            ("NumericEquals", "NaN", "NaN", None),
            (
                "DateLessThan",
                "2026-01-01T00:00:00Z",
                "2027-01-01",
                Some(true),
            ),
            (
                "DateGreaterThan",
                "2026-01-01T00:00:00+02:00",
                "2026-01-01T00:00:00Z",
                Some(false),
            ),
            ("DateEquals", "0", "1970-01-01T00:00:00Z", Some(true)),
            ("DateEquals", "0", "soon", None),
            ("IpAddress", "10.1.2.3", "10.0.0.0/8", Some(true)),
            ("IpAddress", "11.1.2.3", "10.0.0.0/8", Some(false)),
            ("IpAddress", "10.1.2.3", "10.1.2.3", Some(true)),
            ("IpAddress", "10.1.2.3", "0.0.0.0/0", Some(true)),
            ("IpAddress", "10.1.2.3", "2001:db8::/32", Some(false)),
            ("IpAddress", "2001:db8::1", "2001:db8::/32", Some(true)),
            ("IpAddress", "2001:db8::1", "::/0", Some(true)),
            ("IpAddress", "10.1.2.3", "10.0.0.0/33", None),
            ("IpAddress", "10.1.2.3", "somewhere", None),
        ] {
            let found = compare(operator, value, policy_value);
            assert_eq!(found, expected, "{operator} {value} {policy_value}");
        }
    }

    #[test]
    fn operator_names_have_parts() {
        let parsed = ConditionOperator::parse("ForAnyValue:StringNotLikeIfExists");
        assert_eq!(
            parsed,
            Some(ConditionOperator {
                set: Some(SetOperator::ForAnyValue),
                comparison: Comparison::StringLike,
                negated: true,
                if_exists: true,
            })
        );
        for unknown in [
            "StringMatches",
            "ForSome:StringEquals",
            "NullIfExists",
            "ForAnyValue:Null",
            "NumericBetween",
            "Numeric",
            "",
        ] {
            assert_eq!(ConditionOperator::parse(unknown), None, "{unknown}");
        }
    }
}
