//! The coverage of an organization as a table, JSON, CSV and a page.

mod json;
mod page;
mod region_code;
mod table;

use std::time::{Duration, SystemTime};

use super::document::Document;
use super::{OutputFormat, Tone, Ui};
use crate::coverage::key_layout::ObjectTime;
use crate::coverage::{
    AccountCoverage, PairStatus, RegionName, ScanReport, StatusCounts, TrailBucket,
};
pub use page::write_page;

/// The result of `coverage`.
#[derive(Clone, Copy, Debug)]
pub struct CoverageReport<'a> {
    pub target: &'a TrailBucket,
    /// The accounts with the most gaps come first.
    pub accounts: &'a [AccountCoverage],
    /// The regions in which at least one account is expected.
    pub regions: &'a [RegionName],
    pub counts: &'a StatusCounts,
    pub scan: &'a ScanReport,
    /// The beginning of the period whose objects are recent.
    pub since: SystemTime,
    pub checked_at: SystemTime,
    pub elapsed: Duration,
    /// True to show accounts without a gap, too.
    pub shows_all: bool,
}

/// Returns the coverage as the result.
#[must_use]
pub fn coverage_document(ui: &Ui, report: &CoverageReport<'_>) -> Document {
    match ui.format() {
        OutputFormat::Json => Document::Json(json::coverage_json(report)),
        OutputFormat::Csv => Document::Text(json::coverage_csv(report)),
        OutputFormat::Text => Document::Text(table::coverage_text(*ui, report)),
    }
}

/// Returns a line about a running scan, with an estimate of the time that is left.
#[must_use]
pub fn progress_text(done: usize, total: usize, elapsed: Duration, read: usize) -> String {
    let text = format!("Checked {done} of {total} accounts");
    // The accounts of earlier runs took no time.
    let pending = total.saturating_sub(done);
    if read < 5 || pending == 0 {
        return text;
    }
    let pending = u32::try_from(pending).unwrap_or(u32::MAX);
    let read = u32::try_from(read).unwrap_or(u32::MAX);
    let left = elapsed.saturating_mul(pending) / read;
    let left = match left.as_secs() {
        0..60 => format!("{} s", left.as_secs()),
        seconds => format!("{} min", seconds.div_ceil(60)),
    };
    format!("{text}, about {left} left")
}

/// The sign of a status: Unicode and ASCII. A legend explains it.
fn sign(ui: Ui, status: PairStatus) -> &'static str {
    match status {
        PairStatus::Events => ui.symbol("✓", "ok"),
        PairStatus::DigestOnly => ui.symbol("–", "d"),
        PairStatus::Nothing => ui.symbol("✗", "x"),
        PairStatus::NotExpected => ui.symbol("·", "."),
        PairStatus::Unknown => "?",
    }
}

/// The meaning of a status.
fn meaning(status: PairStatus) -> &'static str {
    match status {
        PairStatus::Events => "events",
        PairStatus::DigestOnly => "digest only (works, no activity)",
        PairStatus::Nothing => "nothing delivered",
        PairStatus::NotExpected => "not expected (region not enabled, account suspended)",
        PairStatus::Unknown => "unknown",
    }
}

fn tone(status: PairStatus) -> Tone {
    match status {
        PairStatus::Events => Tone::Good,
        PairStatus::DigestOnly | PairStatus::NotExpected => Tone::Faint,
        PairStatus::Nothing => Tone::Bad,
        PairStatus::Unknown => Tone::Change,
    }
}

/// Formats the time of a log file, such as `2026-11-28T09:30:00Z`.
pub(super) fn rfc3339(time: SystemTime) -> String {
    humantime::format_rfc3339_seconds(time).to_string()
}

/// Formats the age of the newest log file.
fn age(last_event: Option<ObjectTime>, now: SystemTime) -> String {
    let Some(time) = last_event else {
        return "never".to_owned();
    };
    let age = now.duration_since(time.to_system_time());
    match age.unwrap_or_default().as_secs() / 3_600 {
        0 => "under 1 h".to_owned(),
        hours @ 1..48 => format!("{hours} h ago"),
        hours => format!("{} d ago", hours / 24),
    }
}

/// Formats a number with separators: `3,812`.
pub(super) fn grouped(number: usize) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

fn plural(count: usize, noun: &str) -> String {
    let ending = if count == 1 { "" } else { "s" };
    format!("{} {noun}{ending}", grouped(count))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn progress_estimates_the_time_left() {
        let text =
            |done, read, seconds| progress_text(done, 200, Duration::from_secs(seconds), read);
        assert_eq!(text(4, 4, 1), "Checked 4 of 200 accounts");
        assert_eq!(
            text(50, 50, 10),
            "Checked 50 of 200 accounts, about 30 s left"
        );
        assert_eq!(
            text(150, 50, 100),
            "Checked 150 of 200 accounts, about 2 min left"
        );
        assert_eq!(text(200, 50, 100), "Checked 200 of 200 accounts");
    }

    #[test]
    fn ages_are_rounded_down() {
        let now = SystemTime::UNIX_EPOCH + Duration::from_secs(1_000_000);
        for (seconds, expected) in [
            (Some(1_000_000), "under 1 h"),
            (Some(1_000_300), "under 1 h"),
            (Some(996_400), "1 h ago"),
            (Some(827_300), "47 h ago"),
            (Some(827_200), "2 d ago"),
            (None, "never"),
        ] {
            let time = seconds.and_then(ObjectTime::from_unix_seconds);
            assert_eq!(age(time, now), expected);
        }
    }

    #[test]
    fn numbers_have_separators() {
        for (number, expected) in [
            (0, "0"),
            (999, "999"),
            (3_812, "3,812"),
            (1_234_567, "1,234,567"),
        ] {
            assert_eq!(grouped(number), expected);
        }
    }
}
