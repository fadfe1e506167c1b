//! Amounts and quantities as text.

use crate::render::coverage::grouped;

/// Formats an amount in US dollars with cents: `1,234.50`. An amount below half a cent is `<0.01`.
pub(super) fn dollars(amount: f64) -> String {
    if amount > 0.0 && amount < 0.005 {
        return "<0.01".to_owned();
    }
    let text = format!("{amount:.2}");
    match text.split_once('.') {
        Some((whole, cents)) => format!("{}.{cents}", group(whole)),
        None => text,
    }
}

/// Formats a quantity: with one decimal below 100, and without one above.
pub(super) fn quantity(value: f64) -> String {
    if value > 0.0 && value < 0.05 {
        return "<0.1".to_owned();
    }
    if value < 100.0 && value.fract().abs() > 1e-9 {
        return format!("{value:.1}");
    }
    group(&format!("{value:.0}"))
}

/// Rounds an amount for JSON to a hundredth of a cent.
pub(super) fn rounded(amount: f64) -> f64 {
    (amount * 10_000.0).round() / 10_000.0
}

/// Adds separators to the digits of a whole number. A number that is longer than any volume stays as it is.
fn group(digits: &str) -> String {
    digits.parse().map_or_else(|_| digits.to_owned(), grouped)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_have_cents_and_separators() {
        for (amount, expected) in [
            (0.0, "0.00"),
            (0.004, "<0.01"),
            (0.005, "0.01"),
            (7.348, "7.35"),
            (1_234_567.891, "1,234,567.89"),
        ] {
            assert_eq!(dollars(amount), expected);
        }
    }

    #[test]
    fn small_quantities_have_a_decimal() {
        for (value, expected) in [
            (0.0, "0"),
            (0.01, "<0.1"),
            (1.0, "1"),
            (1.25, "1.2"),
            (99.96, "100.0"),
            (360.4, "360"),
            (3_000_000.0, "3,000,000"),
        ] {
            assert_eq!(quantity(value), expected);
        }
    }

    #[test]
    fn amounts_are_rounded_for_json() {
        assert!((rounded(0.018_06) - 0.018_1).abs() < 1e-12);
    }
}
