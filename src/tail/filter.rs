//! Which records are shown. Each filter asks for something, and a record that does not say is left out by it.

use std::sync::Arc;
use std::time::SystemTime;

use aws_smithy_types::DateTime;
use aws_smithy_types::date_time::Format;
use memchr::memmem::Finder;

use crate::cloudtrail::record::Record;
use crate::filter_pattern::FilterPattern;
use crate::severity::{SeverityLevel, SeverityTable};

/// What may be typed for a service, an event or an actor.
///
/// # Errors
/// Why it could never match.
pub fn parse_value(text: &str) -> Result<String, String> {
    let inside = text.strip_prefix('!').unwrap_or(text);
    if inside.is_empty() {
        return Err("there is nothing to compare with".to_owned());
    }
    if inside.contains(',') {
        return Err("one value only: give the option once for each".to_owned());
    }
    Ok(text.to_owned())
}

/// What may be typed for a service. Records name it by its address.
///
/// # Errors
/// Why it could never match.
pub fn parse_service(text: &str) -> Result<String, String> {
    let text = parse_value(text)?;
    Ok(text
        .strip_suffix(".amazonaws.com")
        .map_or_else(|| text.clone(), str::to_owned))
}

/// What may be typed for an account.
///
/// # Errors
/// Why it could never match.
pub fn parse_account(text: &str) -> Result<String, String> {
    let text = parse_value(text)?;
    let id = text.strip_prefix('!').unwrap_or(&text);
    let is_glob = id.contains(['*', '?']);
    let fits = id
        .chars()
        .all(|c| c.is_ascii_digit() || matches!(c, '*' | '?'));
    if fits && (is_glob || id.len() == 12) {
        Ok(text)
    } else {
        Err("an account id has 12 digits; * and ? stand for some of them".to_owned())
    }
}

/// What may be typed for a region.
///
/// # Errors
/// Why it could never match.
pub fn parse_region(text: &str) -> Result<String, String> {
    let text = parse_value(text)?;
    let fits = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '*' | '?');
    if text.strip_prefix('!').unwrap_or(&text).chars().all(fits) {
        Ok(text)
    } else {
        Err("not a region, such as eu-west-1 or us-*".to_owned())
    }
}

/// What may be typed for a beginning in time: how long ago, or when.
///
/// # Errors
/// Why it is no time in the past.
pub fn parse_since(text: &str) -> Result<SystemTime, String> {
    let now = SystemTime::now();
    let begin = match humantime::parse_duration(text) {
        Ok(ago) => now.checked_sub(ago),
        Err(_) => DateTime::from_str(text, Format::DateTimeWithOffset)
            .ok()
            .and_then(|time| SystemTime::try_from(time).ok()),
    };
    match begin {
        None => Err(
            "neither a time ago, such as 2h, nor a time, such as 2026-01-31T12:00:00Z".to_owned(),
        ),
        Some(begin) if begin > now => Err("it is in the future".to_owned()),
        Some(begin) if begin < SystemTime::UNIX_EPOCH => Err("it is before 1970".to_owned()),
        Some(begin) => Ok(begin),
    }
}

/// What may be typed for a text.
///
/// # Errors
/// When it is empty, and so everywhere.
pub fn parse_text(text: &str) -> Result<String, String> {
    if text.is_empty() {
        return Err("an empty text is in every record".to_owned());
    }
    Ok(text.to_owned())
}

/// What the operator wants to see; all of it has to hold.
#[derive(Clone, Debug, Default)]
pub struct RecordFilter {
    pub accounts: GlobFilter,
    pub regions: GlobFilter,
    pub services: GlobFilter,
    pub events: GlobFilter,
    pub actors: GlobFilter,
    pub errors_only: bool,
    pub writes_only: bool,
    /// Of calls that were made at this time or later.
    pub since: Option<SystemTime>,
    /// In the text of the record, as it was delivered.
    pub text: Option<Finder<'static>>,
    pub pattern: Option<FilterPattern>,
    /// As grave as this, or graver.
    pub min_severity: Option<(SeverityLevel, Arc<SeverityTable>)>,
}

impl RecordFilter {
    /// Asks first what costs least.
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
                .is_none_or(|wanted| wanted.find(record.text().as_bytes()).is_some())
            && self
                .pattern
                .as_ref()
                .is_none_or(|pattern| pattern.matches_text(record.text()))
            && self
                .min_severity
                .as_ref()
                .is_none_or(|(least, table)| table.level_of_record(record) >= *least)
    }
}

fn is_at_or_after(record: &Record<'_>, since: SystemTime) -> bool {
    record
        .event_time()
        .and_then(|time| humantime::parse_rfc3339(&time).ok())
        .is_some_and(|time| time >= since)
}

/// Some of them wanted, some of them not.
#[derive(Clone, Debug, Default)]
pub struct GlobFilter {
    included: Vec<Glob>,
    excluded: Vec<Glob>,
}

impl GlobFilter {
    /// Of globs that are each behind a `!` when they name what is not wanted.
    #[must_use]
    pub fn new(words: &[String]) -> Self {
        let mut globs = Self::default();
        for word in words {
            match word.strip_prefix('!') {
                Some(word) => globs.excluded.push(Glob::new(word)),
                None => globs.included.push(Glob::new(word)),
            }
        }
        globs
    }

    fn matches_field<T: AsRef<str>>(&self, value: impl FnOnce() -> Option<T>) -> bool {
        if self.included.is_empty() && self.excluded.is_empty() {
            return true;
        }
        let value = value();
        let value = value.as_ref().map(AsRef::as_ref);
        let any = |globs: &[Glob]| {
            value.is_some_and(|value| globs.iter().any(|glob| glob.matches(value)))
        };
        (self.included.is_empty() || any(&self.included)) && !any(&self.excluded)
    }
}

/// A word in which `*` stands for any characters and `?` for one. Capital letters count as small ones.
#[derive(Clone, Debug)]
struct Glob(Vec<char>);

impl Glob {
    fn new(word: &str) -> Self {
        Self(word.chars().map(|c| c.to_ascii_lowercase()).collect())
    }

    /// Goes back to the last star only, so the time is that of the value times that of the word at most.
    fn matches(&self, value: &str) -> bool {
        let (glob, value): (_, Vec<char>) = (
            &self.0,
            value.chars().map(|c| c.to_ascii_lowercase()).collect(),
        );
        let (mut at, mut in_glob) = (0, 0);
        let mut star: Option<(usize, usize)> = None;
        while let Some(letter) = value.get(at) {
            match glob.get(in_glob) {
                Some('*') => {
                    star = Some((at, in_glob));
                    in_glob += 1;
                }
                Some(wanted) if *wanted == '?' || wanted == letter => {
                    at += 1;
                    in_glob += 1;
                }
                _ => {
                    let Some((from, behind)) = star else {
                        return false;
                    };
                    star = Some((from + 1, behind));
                    at = from + 1;
                    in_glob = behind + 1;
                }
            }
        }
        glob.iter().skip(in_glob).all(|letter| *letter == '*')
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
                    // A record that does not say is none of those that are wanted, and none of those that are not.
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
        for (wanted, expected) in [
            ("Mallory", true),
            ("mallory", false),
            (r#""userName":"M"#, true),
        ] {
            let filter = RecordFilter {
                text: Some(Finder::new(wanted).into_owned()),
                ..RecordFilter::default()
            };
            assert_eq!(matches(&filter, RECORD), expected, "{wanted}");
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
        let glob = Glob::new(&"*a".repeat(200));
        assert!(!glob.matches(&"a".repeat(199)));
        assert!(glob.matches(&"ba".repeat(200)));
    }
}
