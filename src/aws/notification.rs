//! The notification configuration of a bucket as plain entries, and S3's rule for when two of them overlap.

use std::fmt;

use aws_sdk_s3::operation::get_bucket_notification_configuration::GetBucketNotificationConfigurationOutput as Configuration;
use aws_sdk_s3::types::{Event, FilterRuleName, NotificationConfigurationFilter};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Target {
    Topic,
    Queue,
    Function,
}

impl Target {
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Topic => "topic",
            Self::Queue => "queue",
            Self::Function => "function",
        }
    }
}

/// One entry: these events, of objects with this prefix and suffix, go to that destination.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    pub id: String,
    pub target: Target,
    pub destination: String,
    pub events: Vec<String>,
    pub prefix: String,
    pub suffix: String,
}

pub const CREATED: &str = "s3:ObjectCreated:*";

/// All entries of a configuration. `EventBridge` is none: it sees every event and overlaps with nothing.
#[must_use]
pub fn entries(found: &Configuration) -> Vec<Entry> {
    let topics = found.topic_configurations().iter().map(|entry| {
        (
            Target::Topic,
            entry.id(),
            entry.topic_arn(),
            entry.events(),
            entry.filter(),
        )
    });
    let queues = found.queue_configurations().iter().map(|entry| {
        (
            Target::Queue,
            entry.id(),
            entry.queue_arn(),
            entry.events(),
            entry.filter(),
        )
    });
    let functions = found.lambda_function_configurations().iter().map(|entry| {
        (
            Target::Function,
            entry.id(),
            entry.lambda_function_arn(),
            entry.events(),
            entry.filter(),
        )
    });
    topics
        .chain(queues)
        .chain(functions)
        .map(|(target, id, destination, events, filter)| Entry {
            id: id.unwrap_or_default().to_owned(),
            target,
            destination: destination.to_owned(),
            events: events
                .iter()
                .map(Event::as_str)
                .map(str::to_owned)
                .collect(),
            prefix: rule(filter, "prefix"),
            suffix: rule(filter, "suffix"),
        })
        .collect()
}

/// S3 gives the names of the rules back in mixed case.
fn rule(filter: Option<&NotificationConfigurationFilter>, name: &str) -> String {
    filter
        .and_then(NotificationConfigurationFilter::key)
        .and_then(|key| {
            key.filter_rules().iter().find(|rule| {
                rule.name()
                    .map(FilterRuleName::as_str)
                    .is_some_and(|found| found.eq_ignore_ascii_case(name))
            })
        })
        .and_then(|rule| rule.value.clone())
        .unwrap_or_default()
}

impl Entry {
    /// Whether S3 refuses the two in one configuration: a shared event, one prefix a beginning of the other, and
    /// one suffix an ending of the other.
    #[must_use]
    pub fn overlaps(&self, other: &Self) -> bool {
        let events = self
            .events
            .iter()
            .any(|event| other.events.iter().any(|theirs| events_meet(event, theirs)));
        let (long, short) = by_length(&self.prefix, &other.prefix);
        let (longer, shorter) = by_length(&self.suffix, &other.suffix);
        events && long.starts_with(short) && longer.ends_with(shorter)
    }
}

impl Entry {
    /// Whether it announces everything that the other would.
    #[must_use]
    pub fn covers(&self, other: &Self) -> bool {
        let announced = |wanted: &String| {
            let mut events = self.events.iter();
            events.any(|event| event == wanted || family(event) == Some(event_family(wanted)))
        };
        other.events.iter().all(announced)
            && other.prefix.starts_with(&self.prefix)
            && other.suffix.ends_with(&self.suffix)
    }
}

fn by_length<'a>(left: &'a str, right: &'a str) -> (&'a str, &'a str) {
    if left.len() >= right.len() {
        (left, right)
    } else {
        (right, left)
    }
}

fn events_meet(left: &str, right: &str) -> bool {
    left == right
        || family(left).is_some_and(|family| event_family(right) == family)
        || family(right).is_some_and(|family| event_family(left) == family)
}

/// `s3:ObjectCreated` of `s3:ObjectCreated:*`; nothing for a single event.
fn family(event: &str) -> Option<&str> {
    event.strip_suffix(":*")
}

/// `s3:ObjectCreated` of `s3:ObjectCreated:Put`.
fn event_family(event: &str) -> &str {
    match event.match_indices(':').nth(1) {
        Some((end, _)) => &event[..end],
        None => event,
    }
}

impl fmt::Display for Entry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let target = self.target.name();
        write!(
            f,
            "{:?} ({} to {target} {}",
            self.id,
            self.events.join(", "),
            self.destination
        )?;
        if !self.prefix.is_empty() {
            write!(f, ", prefix {:?}", self.prefix)?;
        }
        if !self.suffix.is_empty() {
            write!(f, ", suffix {:?}", self.suffix)?;
        }
        f.write_str(")")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(event: &str, prefix: &str, suffix: &str) -> Entry {
        Entry {
            id: "entry".into(),
            target: Target::Topic,
            destination: "arn:aws:sns:us-east-1:111122223333:topic".into(),
            events: vec![event.into()],
            prefix: prefix.into(),
            suffix: suffix.into(),
        }
    }

    #[test]
    fn two_entries_overlap_by_the_rule_of_s3() {
        let ours = entry(CREATED, "AWSLogs/", "");
        let table = [
            ("no filter at all", entry(CREATED, "", ""), true),
            ("the same prefix", entry(CREATED, "AWSLogs/", ""), true),
            (
                "a longer prefix",
                entry(CREATED, "AWSLogs/o-example/", ""),
                true,
            ),
            ("a shorter prefix", entry(CREATED, "AWS", ""), true),
            ("another prefix", entry(CREATED, "reports/", ""), false),
            (
                "one event of the family",
                entry("s3:ObjectCreated:Put", "", ""),
                true,
            ),
            ("another family", entry("s3:ObjectRemoved:*", "", ""), false),
            (
                "a suffix where we have none",
                entry(CREATED, "", ".json.gz"),
                true,
            ),
            (
                "a prefix that is no beginning",
                entry(CREATED, "Logs/", ""),
                false,
            ),
        ];
        for (what, theirs, overlap) in table {
            assert_eq!(ours.overlaps(&theirs), overlap, "{what}");
            assert_eq!(
                theirs.overlaps(&ours),
                overlap,
                "{what}, the other way round"
            );
        }
    }

    #[test]
    fn an_entry_covers_what_is_within_its_events_and_filters() {
        let ours = entry(CREATED, "AWSLogs/", "");
        let table = [
            ("no filter at all", entry(CREATED, "", ""), true),
            ("the same", ours.clone(), true),
            (
                "a part of the objects",
                entry(CREATED, "AWSLogs/o-example/", ""),
                false,
            ),
            (
                "one event of the family",
                entry("s3:ObjectCreated:Put", "", ""),
                false,
            ),
            ("another family", entry("s3:ObjectRemoved:*", "", ""), false),
            (
                "a suffix where we have none",
                entry(CREATED, "", ".gz"),
                false,
            ),
        ];
        for (what, theirs, covers) in table {
            assert_eq!(theirs.covers(&ours), covers, "{what}");
        }
    }

    #[test]
    fn suffixes_that_end_differently_do_not_overlap() {
        assert!(!entry(CREATED, "", ".csv").overlaps(&entry(CREATED, "", ".json")));
        assert!(entry(CREATED, "", ".gz").overlaps(&entry(CREATED, "", ".json.gz")));
    }

    #[test]
    fn single_events_of_one_family_meet_only_when_equal() {
        assert!(!entry("s3:ObjectCreated:Put", "", "").overlaps(&entry(
            "s3:ObjectCreated:Copy",
            "",
            ""
        )));
    }
}
