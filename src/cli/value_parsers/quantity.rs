//! Parsers of durations, days, sizes and other numbers.

use std::time::{Duration, SystemTime};

/// # Errors
/// If the text is not a duration, or is longer than 30 days.
pub fn duration(text: &str) -> std::result::Result<Duration, String> {
    const MAX: Duration = Duration::from_secs(30 * 86_400);
    let time = humantime::parse_duration(text).map_err(|reason| reason.to_string())?;
    if time > MAX {
        return Err("the longest time is 30 days".to_owned());
    }
    Ok(time)
}

/// # Errors
/// If the text is not a size in bytes.
pub fn byte_size(text: &str) -> std::result::Result<u64, String> {
    const UNITS: &[(&str, u64)] = &[
        ("KB", 1_000),
        ("MB", 1_000_000),
        ("GB", 1_000_000_000),
        ("KIB", 1 << 10),
        ("MIB", 1 << 20),
        ("GIB", 1 << 30),
        ("B", 1),
        ("", 1),
    ];
    let advice = || "use a size such as 512MB or 1GiB".to_owned();
    let digits = text.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    let unit = text
        .strip_prefix(digits)
        .unwrap_or_default()
        .to_ascii_uppercase();
    let (_, factor) = UNITS
        .iter()
        .find(|(name, _)| *name == unit)
        .ok_or_else(advice)?;
    let number: u64 = digits.trim_end().parse().map_err(|_| advice())?;
    match number.checked_mul(*factor) {
        Some(0) | None => Err(advice()),
        Some(size) => Ok(size),
    }
}

/// The largest count: no organization has more events in a day, and products of counts stay finite.
const MAX_COUNT: f64 = 1e15;

/// # Errors
/// If the text is not a number that is 0 or greater.
pub fn count(text: &str) -> std::result::Result<f64, String> {
    let number = text.parse().ok();
    let number = number.filter(|number: &f64| (0.0..=MAX_COUNT).contains(number));
    number.ok_or_else(|| "use a number such as 6000000".to_owned())
}

/// # Errors
/// If the text is not a number between 0 and 100.
pub fn percent(text: &str) -> std::result::Result<f64, String> {
    let number = count(text).ok().filter(|number| *number <= 100.0);
    number.ok_or_else(|| "use a number between 0 and 100".to_owned())
}

/// Parses a day in UTC, and returns its first moment.
///
/// # Errors
/// If the text is not a day.
pub fn day(text: &str) -> std::result::Result<SystemTime, String> {
    let time = humantime::parse_rfc3339(&format!("{text}T00:00:00Z"));
    time.map_err(|_| "use a day such as 2026-01-31".to_owned())
}
