//! Filters for records. A record without the compared field matches no pattern.

use std::sync::Arc;
use std::time::SystemTime;

use aws_smithy_types::DateTime;
use aws_smithy_types::date_time::Format;
use memchr::memmem::Finder;
use wildmatch::WildMatch;

use crate::cloudtrail::record::Record;
use crate::filter_pattern::FilterPattern;
use crate::severity::{SeverityLevel, SeverityTable};

/// Parses a pattern for an event or an actor.
///
/// # Errors
/// Returns the reason why the pattern can never match.
pub fn parse_value(text: &str) -> Result<String, String> {
    let value = text.strip_prefix('!').unwrap_or(text);
    if value.is_empty() {
        return Err("the value is empty".to_owned());
    }
    if value.contains(',') {
        return Err("expected a single value; repeat the option for several values".to_owned());
    }
    Ok(text.to_owned())
}

/// Parses a pattern for a service, with or without the suffix `.amazonaws.com`.
///
/// # Errors
/// Returns the reason why the pattern can never match.
pub fn parse_service(text: &str) -> Result<String, String> {
    let text = parse_value(text)?;
    Ok(text
        .strip_suffix(".amazonaws.com")
        .map_or_else(|| text.clone(), str::to_owned))
}

/// Parses a pattern for an account ID.
///
/// # Errors
/// Returns the reason why the pattern can never match.
pub fn parse_account(text: &str) -> Result<String, String> {
    let text = parse_value(text)?;
    let id = text.strip_prefix('!').unwrap_or(&text);
    let is_glob = id.contains(['*', '?']);
    let is_valid = id
        .chars()
        .all(|c| c.is_ascii_digit() || matches!(c, '*' | '?'));
    if is_valid && (is_glob || id.len() == 12) {
        Ok(text)
    } else {
        Err("expected 12 digits, or a pattern with * or ?".to_owned())
    }
}

/// Parses a pattern for a region.
///
/// # Errors
/// Returns the reason why the pattern can never match.
pub fn parse_region(text: &str) -> Result<String, String> {
    let text = parse_value(text)?;
    let is_valid = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '*' | '?');
    if text
        .strip_prefix('!')
        .unwrap_or(&text)
        .chars()
        .all(is_valid)
    {
        Ok(text)
    } else {
        Err("expected a region, such as eu-west-1 or us-*".to_owned())
    }
}

/// Parses a start time, which is either a duration before now or an absolute time.
///
/// # Errors
/// Returns the reason why the text is not a time in the past.
pub fn parse_since(text: &str) -> Result<SystemTime, String> {
    let now = SystemTime::now();
    let start = match humantime::parse_duration(text) {
        Ok(duration) => now.checked_sub(duration),
        Err(_) => DateTime::from_str(text, Format::DateTimeWithOffset)
            .ok()
            .and_then(|time| SystemTime::try_from(time).ok()),
    };
    match start {
        None => Err(
            "expected a duration before now, such as 2h, or a time, such as 2026-01-31T12:00:00Z"
                .to_owned(),
        ),
        Some(start) if start > now => Err("the time is in the future".to_owned()),
        Some(start) if start < SystemTime::UNIX_EPOCH => Err("the time is before 1970".to_owned()),
        Some(start) => Ok(start),
    }
}

/// Parses text that must not be empty.
///
/// # Errors
/// Returns an error if the text is empty.
pub fn parse_text(text: &str) -> Result<String, String> {
    if text.is_empty() {
        return Err("the text is empty".to_owned());
    }
    Ok(text.to_owned())
}

/// The conditions that a record must meet to be shown. A record must meet all of them.
#[derive(Clone, Debug, Default)]
pub struct RecordFilter {
    pub accounts: GlobFilter,
    pub regions: GlobFilter,
    pub services: GlobFilter,
    pub events: GlobFilter,
    pub actors: GlobFilter,
    pub errors_only: bool,
    pub writes_only: bool,
    /// The earliest time of the API call.
    pub since: Option<SystemTime>,
    /// The text that the record must contain.
    pub text: Option<Finder<'static>>,
    pub pattern: Option<FilterPattern>,
    /// The lowest severity that is shown.
    pub min_severity: Option<(SeverityLevel, Arc<SeverityTable>)>,
}

impl RecordFilter {
    /// Returns true if the record matches all conditions. The cheapest conditions are evaluated first.
    #[must_use]
    pub fn matches(&self, record: &Record<'_>) -> bool {
        (!self.writes_only || record.read_only() == Some(false))
            && (!self.errors_only || record.is_error())
            && self.events.matches_field(|| record.event_name())
            && self.regions.matches_field(|| record.region())
            && self.services.matches_field(|| record.service())
            && self.accounts.matches_field(|| record.account())
            && self.actors.matches_field(|| record.actor())
            && self.since.is_none_or(|since| is_at_or_after(record, since))
            && self
                .text
                .as_ref()
                .is_none_or(|text| text.find(record.text().as_bytes()).is_some())
            && self
                .pattern
                .as_ref()
                .is_none_or(|pattern| pattern.matches_text(record.text()))
            && self
                .min_severity
                .as_ref()
                .is_none_or(|(minimum, table)| table.level_of_record(record) >= *minimum)
    }
}

fn is_at_or_after(record: &Record<'_>, since: SystemTime) -> bool {
    record
        .event_time()
        .and_then(|time| humantime::parse_rfc3339(&time).ok())
        .is_some_and(|time| time >= since)
}

/// A set of included and excluded patterns. A value must match an included pattern, if there are any, and no excluded
/// pattern.
#[derive(Clone, Debug, Default)]
pub struct GlobFilter {
    included: Vec<WildMatch>,
    excluded: Vec<WildMatch>,
}

impl GlobFilter {
    /// Creates a case-insensitive filter from patterns with the wildcards `*` and `?`. A leading `!` makes a pattern an
    /// excluded pattern.
    #[must_use]
    pub fn new(patterns: &[String]) -> Self {
        let mut filter = Self::default();
        for pattern in patterns {
            match pattern.strip_prefix('!') {
                Some(pattern) => filter
                    .excluded
                    .push(WildMatch::new_case_insensitive(pattern)),
                None => filter
                    .included
                    .push(WildMatch::new_case_insensitive(pattern)),
            }
        }
        filter
    }

    fn matches_field<T: AsRef<str>>(&self, value: impl FnOnce() -> Option<T>) -> bool {
        if self.included.is_empty() && self.excluded.is_empty() {
            return true;
        }
        let value = value();
        let value = value.as_ref().map(AsRef::as_ref);
        let any = |patterns: &[WildMatch]| {
            value.is_some_and(|value| patterns.iter().any(|pattern| pattern.matches(value)))
        };
        (self.included.is_empty() || any(&self.included)) && !any(&self.excluded)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const RECORD: &str = r#"{"eventTime":"2026-01-02T03:04:05Z","recipientAccountId":"111122223333","awsRegion":"eu-west-1","eventSource":"iam.amazonaws.com","eventName":"CreateUser","userIdentity":{"type":"AssumedRole","arn":"arn:aws:sts::111122223333:assumed-role/Admin/alice"},"errorCode":"AccessDenied","readOnly":false,"requestParameters":{"userName":"Mallory"}}"#;
    const MINIMAL: &str = r#"{"eventID":"e"}"#;

    fn matches(filter: &RecordFilter, record: &str) -> bool {
        filter.matches(&Record::read(record).expect("a record"))
    }

    fn globs(words: &[&str]) -> GlobFilter {
        let words: Vec<String> = words.iter().map(|word| (*word).to_owned()).collect();
        GlobFilter::new(&words)
    }

    #[test]
    fn empty_filter_matches_every_record() {
        for record in [RECORD, MINIMAL, "{}"] {
            assert!(matches(&RecordFilter::default(), record), "{record}");
        }
    }

    #[test]
    fn each_filter_matches_its_own_field() {
        type Set = fn(&mut RecordFilter, GlobFilter);
        let fields: [(Set, &[&str], &[&str]); 5] = [
            (
                |filter, globs| filter.accounts = globs,
                &["111122223333", "1111*", "!4*"],
                &["444455556666", "!111122223333", "????"],
            ),
            (
                |filter, globs| filter.regions = globs,
                &["eu-west-1", "eu-*", "!us-*"],
                &["us-east-1", "!eu-*"],
            ),
            (
                |filter, globs| filter.services = globs,
                &["iam", "IAM", "i?m"],
                &["s3", "!iam", "ia"],
            ),
            (
                |filter, globs| filter.events = globs,
                &["CreateUser", "create*", "*User", "*e*e*", "!Delete*"],
                &["Create", "!*User", "CreateUser?"],
            ),
            (
                |filter, globs| filter.actors = globs,
                &["Admin/*", "*/alice", "Admin/alice"],
                &["alice", "!admin/*"],
            ),
        ];
        for (set, passing, failing) in fields {
            for (words, expected) in [(passing, true), (failing, false)] {
                for word in words {
                    let mut filter = RecordFilter::default();
                    set(&mut filter, globs(&[word]));
                    assert_eq!(matches(&filter, RECORD), expected, "{word}");
                    // A record without the field matches no pattern.
                    assert_eq!(matches(&filter, "{}"), word.starts_with('!'), "{word}");
                }
            }
        }
    }

    #[test]
    fn service_value_may_have_the_aws_suffix() {
        assert_eq!(parse_service("iam.amazonaws.com"), Ok("iam".to_owned()));
        assert_eq!(parse_service("!iam.amazonaws.com"), Ok("!iam".to_owned()));
        assert_eq!(
            parse_value("!ec2.amazonaws.com"),
            Ok("!ec2.amazonaws.com".to_owned())
        );
    }

    #[test]
    fn since_before_1970_is_rejected() {
        assert!(parse_since("1969-12-31T00:00:00Z").is_err());
        assert!(parse_since("100y").is_err());
        assert!(parse_since("1y").is_ok());
    }

    #[test]
    fn any_included_and_no_excluded_value_matches() {
        for (words, expected) in [
            (&["s3", "iam"][..], true),
            (&["s3", "kms"], false),
            (&["iam", "!iam"], false),
            (&["*", "!s3"], true),
            (&["!s3", "!kms"], true),
        ] {
            let filter = RecordFilter {
                services: globs(words),
                ..RecordFilter::default()
            };
            assert_eq!(matches(&filter, RECORD), expected, "{words:?}");
        }
    }

    #[test]
    fn missing_fields_do_not_match() {
        let writes = RecordFilter {
            writes_only: true,
            ..RecordFilter::default()
        };
        let errors = RecordFilter {
            errors_only: true,
            ..RecordFilter::default()
        };
        let since = RecordFilter {
            since: Some(SystemTime::UNIX_EPOCH),
            ..RecordFilter::default()
        };
        for filter in [&writes, &errors, &since] {
            assert!(matches(filter, RECORD));
            assert!(!matches(filter, MINIMAL));
        }
        assert!(!matches(&writes, r#"{"readOnly":true}"#));
        assert!(matches(&writes, r#"{"readOnly":"false"}"#));
        assert!(matches(
            &errors,
            r#"{"errorMessage":"Failed authentication"}"#
        ));
    }

    #[test]
    fn since_includes_its_own_second() {
        for (begin, expected) in [
            ("2026-01-02T03:04:05Z", true),
            ("2026-01-02T03:04:06Z", false),
            ("2026-01-02T04:04:05+01:00", true),
        ] {
            let filter = RecordFilter {
                since: Some(parse_since(begin).expect("a time")),
                ..RecordFilter::default()
            };
            assert_eq!(matches(&filter, RECORD), expected, "{begin}");
        }
    }

    #[test]
    fn grep_searches_the_whole_record() {
        for (text, expected) in [
            ("Mallory", true),
            ("mallory", false),
            (r#""userName":"M"#, true),
        ] {
            let filter = RecordFilter {
                text: Some(Finder::new(text).into_owned()),
                ..RecordFilter::default()
            };
            assert_eq!(matches(&filter, RECORD), expected, "{text}");
        }
    }

    #[test]
    fn pattern_filter_matches_like_cloudwatch() {
        for (pattern, expected) in [
            ("{ $.readOnly IS FALSE }", true),
            ("{ $.errorCode NOT EXISTS }", false),
        ] {
            let filter = RecordFilter {
                pattern: Some(FilterPattern::parse(pattern).expect("a pattern")),
                ..RecordFilter::default()
            };
            assert_eq!(matches(&filter, RECORD), expected, "{pattern}");
        }
    }

    #[test]
    fn values_that_cannot_match_are_rejected() {
        for refused in [
            parse_value(""),
            parse_value("!"),
            parse_value("a,b"),
            parse_account("12345"),
            parse_account("alice"),
            parse_region("eu west"),
        ] {
            assert!(refused.is_err(), "{refused:?}");
        }
        assert!(parse_text("").is_err());
        for time in [
            "",
            "yesterday",
            "2026-01-02",
            "2999-01-01T00:00:00Z",
            "2h ago",
        ] {
            assert!(parse_since(time).is_err(), "{time}");
        }
        assert_eq!(parse_service("!s3.amazonaws.com"), Ok("!s3".to_owned()));
        assert_eq!(
            parse_account("!11112222????"),
            Ok("!11112222????".to_owned())
        );
        assert!(parse_since("2h").is_ok() && parse_since("90 days").is_ok());
    }

    #[test]
    fn many_wildcards_match_quickly() {
        let pattern = WildMatch::new_case_insensitive(&"*a".repeat(200));
        assert!(!pattern.matches(&"a".repeat(199)));
        assert!(pattern.matches(&"ba".repeat(200)));
    }
}
