//! The entries of a bucket's notification configuration, and the rule by which S3 rejects overlapping entries.

use std::fmt;

use aws_sdk_s3::operation::get_bucket_notification_configuration::GetBucketNotificationConfigurationOutput as Configuration;
use aws_sdk_s3::types::{Event, FilterRuleName, NotificationConfigurationFilter};

use super::notification_filter;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NotificationTarget {
    Topic,
    Queue,
    Function,
}

impl NotificationTarget {
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Topic => "topic",
            Self::Queue => "queue",
            Self::Function => "function",
        }
    }
}

/// An entry: it sends events for objects with a prefix and suffix to a destination. Both are filter values as S3 stores
/// them, in which special characters are encoded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NotificationEntry {
    pub id: String,
    pub target: NotificationTarget,
    pub destination: String,
    pub events: Vec<String>,
    pub prefix: String,
    pub suffix: String,
}

pub const OBJECT_CREATED: &str = "s3:ObjectCreated:*";

/// All entries of a configuration except one, in canonical form. Two values are equal if S3 treats them alike.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OtherEntries(Vec<String>);

impl OtherEntries {
    /// All entries except the one with this ID.
    #[must_use]
    pub fn excluding(found: &Configuration, id: &str) -> Self {
        let entries = entries(found).into_iter().filter(|entry| entry.id != id);
        let mut lines: Vec<String> = entries
            .map(|mut entry| {
                // S3 does not keep the order.
                entry.events.sort_unstable();
                entry.to_string()
            })
            .collect();
        let bridge = found.event_bridge_configuration();
        lines.extend(bridge.map(|_| "EventBridge (all events)".to_owned()));
        lines.sort_unstable();
        Self(lines)
    }

    /// A description of each entry.
    #[must_use]
    pub fn descriptions(&self) -> &[String] {
        &self.0
    }

    /// Describes the entries that were added and removed. Returns `None` if there are none.
    #[must_use]
    pub fn diff(&self, later: &Self) -> Option<String> {
        let lacks = |of: &Self, line: &String| !of.0.contains(line);
        let removed = self.0.iter().filter(|line| lacks(later, line));
        let added = later.0.iter().filter(|line| lacks(self, line));
        let changes: Vec<String> = removed
            .map(|line| format!("{line} was removed"))
            .chain(added.map(|line| format!("{line} was added")))
            .collect();
        (*self != *later).then(|| changes.join("; "))
    }
}

/// All entries of a configuration. `EventBridge` is not an entry: it receives every event and overlaps with nothing.
#[must_use]
pub fn entries(found: &Configuration) -> Vec<NotificationEntry> {
    let topics = found.topic_configurations().iter().map(|entry| {
        (
            NotificationTarget::Topic,
            entry.id(),
            entry.topic_arn(),
            entry.events(),
            entry.filter(),
        )
    });
    let queues = found.queue_configurations().iter().map(|entry| {
        (
            NotificationTarget::Queue,
            entry.id(),
            entry.queue_arn(),
            entry.events(),
            entry.filter(),
        )
    });
    let functions = found.lambda_function_configurations().iter().map(|entry| {
        (
            NotificationTarget::Function,
            entry.id(),
            entry.lambda_function_arn(),
            entry.events(),
            entry.filter(),
        )
    });
    topics
        .chain(queues)
        .chain(functions)
        .map(
            |(target, id, destination, events, filter)| NotificationEntry {
                id: id.unwrap_or_default().to_owned(),
                target,
                destination: destination.to_owned(),
                events: events
                    .iter()
                    .map(Event::as_str)
                    .map(str::to_owned)
                    .collect(),
                prefix: filter_value(filter, "prefix"),
                suffix: filter_value(filter, "suffix"),
            },
        )
        .collect()
}

/// Reads a filter rule. S3 returns the names of rules in mixed case.
fn filter_value(filter: Option<&NotificationConfigurationFilter>, name: &str) -> String {
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

impl NotificationEntry {
    /// Returns true if S3 rejects the two in one configuration: they share an event, one prefix starts with the other,
    /// and one suffix ends with the other.
    #[must_use]
    pub fn overlaps(&self, other: &Self) -> bool {
        let events = self.events.iter().any(|event| {
            other
                .events
                .iter()
                .any(|other| events_overlap(event, other))
        });
        events
            && either_contains(&self.prefix, &other.prefix, |long, short| {
                long.starts_with(short)
            })
            && either_contains(&self.suffix, &other.suffix, |long, short| {
                long.ends_with(short)
            })
    }
}

impl NotificationEntry {
    /// Returns true if the entry sends every event that the other would send.
    #[must_use]
    pub fn covers(&self, other: &Self) -> bool {
        let announced = |wanted: &String| {
            let mut events = self.events.iter();
            events.any(|event| {
                event == wanted || wildcard_family(event) == Some(event_family(wanted))
            })
        };
        let decode = notification_filter::decode;
        let prefixes = decode(&self.prefix).zip(decode(&other.prefix));
        let suffixes = decode(&self.suffix).zip(decode(&other.suffix));
        other.events.iter().all(announced)
            && prefixes.is_some_and(|(shorter, longer)| longer.starts_with(&shorter))
            && suffixes.is_some_and(|(shorter, longer)| longer.ends_with(&shorter))
    }

    /// Returns true if the prefix of the entry includes all objects whose keys start with `key_prefix`.
    #[must_use]
    pub fn includes_prefix(&self, key_prefix: &str) -> bool {
        let prefix = notification_filter::decode(&self.prefix);
        prefix.is_some_and(|prefix| key_prefix.starts_with(&prefix))
    }
}

/// Returns true if either value contains the other. Filters may be percent-encoded, so both forms are compared.
fn either_contains(left: &str, right: &str, holds: impl Fn(&str, &str) -> bool) -> bool {
    let decoded = notification_filter::decode_lossy;
    let either = |left: &str, right: &str| holds(left, right) || holds(right, left);
    either(left, right) || either(&decoded(left), &decoded(right))
}

fn events_overlap(left: &str, right: &str) -> bool {
    left == right
        || wildcard_family(left).is_some_and(|family| event_family(right) == family)
        || wildcard_family(right).is_some_and(|family| event_family(left) == family)
}

/// `s3:ObjectCreated` for `s3:ObjectCreated:*`; `None` for a single event.
fn wildcard_family(event: &str) -> Option<&str> {
    event.strip_suffix(":*")
}

/// `s3:ObjectCreated` for `s3:ObjectCreated:Put`.
fn event_family(event: &str) -> &str {
    match event.match_indices(':').nth(1) {
        Some((end, _)) => &event[..end],
        None => event,
    }
}

impl fmt::Display for NotificationEntry {
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

    fn entry(event: &str, prefix: &str, suffix: &str) -> NotificationEntry {
        NotificationEntry {
            id: "entry".into(),
            target: NotificationTarget::Topic,
            destination: "arn:aws:sns:us-east-1:111122223333:topic".into(),
            events: vec![event.into()],
            prefix: prefix.into(),
            suffix: suffix.into(),
        }
    }

    #[test]
    fn entry_overlap_follows_s3_rules() {
        let wanted = entry(OBJECT_CREATED, "AWSLogs/", "");
        let table = [
            ("no filter at all", entry(OBJECT_CREATED, "", ""), true),
            (
                "the same prefix",
                entry(OBJECT_CREATED, "AWSLogs/", ""),
                true,
            ),
            (
                "a longer prefix",
                entry(OBJECT_CREATED, "AWSLogs/o-example/", ""),
                true,
            ),
            ("a shorter prefix", entry(OBJECT_CREATED, "AWS", ""), true),
            (
                "another prefix",
                entry(OBJECT_CREATED, "reports/", ""),
                false,
            ),
            (
                "one event of the family",
                entry("s3:ObjectCreated:Put", "", ""),
                true,
            ),
            ("another family", entry("s3:ObjectRemoved:*", "", ""), false),
            (
                "a suffix where we have none",
                entry(OBJECT_CREATED, "", ".json.gz"),
                true,
            ),
            (
                "a prefix that is no beginning",
                entry(OBJECT_CREATED, "Logs/", ""),
                false,
            ),
        ];
        for (what, other, overlap) in table {
            assert_eq!(wanted.overlaps(&other), overlap, "{what}");
            assert_eq!(
                other.overlaps(&wanted),
                overlap,
                "{what}, the other way round"
            );
        }
    }

    #[test]
    fn entry_covers_narrower_entry() {
        let wanted = entry(OBJECT_CREATED, "AWSLogs/", "");
        let table = [
            ("no filter at all", entry(OBJECT_CREATED, "", ""), true),
            ("the same", wanted.clone(), true),
            (
                "a part of the objects",
                entry(OBJECT_CREATED, "AWSLogs/o-example/", ""),
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
                entry(OBJECT_CREATED, "", ".gz"),
                false,
            ),
            ("encoded", entry(OBJECT_CREATED, "AWSLogs%2F", ""), true),
            ("not encoded", entry(OBJECT_CREATED, "AWS=", ""), false),
        ];
        for (what, other, covers) in table {
            assert_eq!(other.covers(&wanted), covers, "{what}");
        }
    }

    #[test]
    fn one_shared_event_is_an_overlap() {
        let wanted = entry(OBJECT_CREATED, "AWSLogs/", "");
        let several = |events: &[&str]| NotificationEntry {
            events: events.iter().map(|event| (*event).to_owned()).collect(),
            ..entry("", "", "")
        };
        let table: [(&[&str], bool); 5] = [
            (
                &[
                    "s3:ObjectRemoved:*",
                    "s3:ObjectCreated:CompleteMultipartUpload",
                ],
                true,
            ),
            (
                &[
                    "s3:ObjectRemoved:Delete",
                    "s3:ObjectTagging:Put",
                    "s3:ObjectAcl:Put",
                ],
                false,
            ),
            (
                &[
                    "s3:LifecycleTransition",
                    "s3:IntelligentTiering",
                    "s3:ReducedRedundancyLostObject",
                ],
                false,
            ),
            (&["s3:ObjectRestore:*", "s3:Replication:*"], false),
            (&[], false),
        ];
        for (events, overlap) in table {
            assert_eq!(wanted.overlaps(&several(events)), overlap, "{events:?}");
            assert_eq!(several(events).overlaps(&wanted), overlap, "{events:?}");
        }
    }

    #[test]
    fn percent_encoded_filters_overlap_decoded() {
        let table = [
            ("AWSLogs%2F", "AWSLogs/", true),
            ("my%20logs/", "my logs/AWSLogs/", true),
            ("a%2Bb/", "a+b/", false),
            ("team%3Dx/", "team=x/AWSLogs/", true),
            ("cloud+trail/", "cloud trail/AWSLogs/", true),
            ("100%/", "100%/AWSLogs/", true),
            ("my%20logs/", "your logs/", false),
            ("awslogs/", "AWSLogs/", false),
        ];
        for (left, right, overlap) in table {
            let (left, right) = (
                entry(OBJECT_CREATED, left, ""),
                entry(OBJECT_CREATED, right, ""),
            );
            assert_eq!(left.overlaps(&right), overlap, "{left} {right}");
            assert_eq!(right.overlaps(&left), overlap, "{right} {left}");
        }
    }

    #[test]
    fn prefix_and_suffix_filters_overlap() {
        // From the examples of the Amazon S3 User Guide: the same prefix with two suffixes is fine, a prefix alone and a
        // suffix alone are not.
        let table = [
            (("images/", ".jpg"), ("images/", ".png"), false),
            (("images/", ""), ("", ".jpg"), true),
            (("images/", ".jpg"), ("logs/", ".jpg"), false),
            (("images/", ""), ("images/old/", ".jpg"), true),
            (("", "jpg"), ("", ".jpg"), true),
        ];
        for (left, right, overlap) in table {
            let [one, other] =
                [left, right].map(|(prefix, suffix)| entry(OBJECT_CREATED, prefix, suffix));
            assert_eq!(one.overlaps(&other), overlap, "{left:?} {right:?}");
        }
    }

    fn rules(names: [&str; 2]) -> NotificationConfigurationFilter {
        let rule = |name: &str, value: &str| {
            aws_sdk_s3::types::FilterRule::builder()
                .name(FilterRuleName::from(name))
                .value(value)
                .build()
        };
        let key = aws_sdk_s3::types::S3KeyFilter::builder()
            .filter_rules(rule(names[1], ".gz"))
            .filter_rules(rule(names[0], "AWSLogs/"))
            .build();
        NotificationConfigurationFilter::builder().key(key).build()
    }

    fn topics(
        entries: &[(&str, &[&str], Option<NotificationConfigurationFilter>)],
    ) -> Configuration {
        let topics = entries.iter().map(|(id, events, filter)| {
            aws_sdk_s3::types::TopicConfiguration::builder()
                .id(*id)
                .topic_arn("arn:aws:sns:us-east-1:111122223333:topic")
                .set_events(Some(
                    events.iter().map(|event| Event::from(*event)).collect(),
                ))
                .set_filter(filter.clone())
                .build()
                .unwrap()
        });
        Configuration::builder()
            .set_topic_configurations(Some(topics.collect()))
            .build()
    }

    #[test]
    fn filter_case_and_order_are_ignored() {
        let (put, copy) = ("s3:ObjectCreated:Put", "s3:ObjectCreated:Copy");
        let one = topics(&[
            ("other", &[put, copy], Some(rules(["prefix", "suffix"]))),
            ("more", &[put], None),
            ("heeler-ec", &[OBJECT_CREATED], None),
        ]);
        let other = topics(&[
            (
                "more",
                &[put],
                Some(NotificationConfigurationFilter::builder().build()),
            ),
            ("other", &[copy, put], Some(rules(["Prefix", "Suffix"]))),
        ]);
        assert_eq!(
            OtherEntries::excluding(&one, "heeler-ec"),
            OtherEntries::excluding(&other, "heeler-ec")
        );
        assert_eq!(entries(&one)[0].prefix, "AWSLogs/");
        assert_eq!(entries(&one)[0].suffix, ".gz");
    }

    #[test]
    fn diff_covers_all_but_excluded_entry() {
        let put = "s3:ObjectCreated:Put";
        let before = topics(&[("other", &[put], None)]);
        let others = |found: &Configuration| OtherEntries::excluding(found, "heeler-ec");
        let table = [
            ("an id", topics(&[("another", &[put], None)])),
            (
                "an event",
                topics(&[("other", &[put, "s3:ObjectRemoved:*"], None)]),
            ),
            (
                "a filter",
                topics(&[("other", &[put], Some(rules(["prefix", "suffix"])))]),
            ),
            (
                "an entry more",
                topics(&[("other", &[put], None), ("more", &[put], None)]),
            ),
            ("none at all", topics(&[])),
        ];
        for (what, later) in table {
            let change = others(&before).diff(&others(&later));
            assert!(change.is_some(), "{what}");
        }
        let wanted = topics(&[
            ("other", &[put], None),
            ("heeler-ec", &[OBJECT_CREATED], None),
        ]);
        assert_eq!(others(&before).diff(&others(&wanted)), None);
        let change = others(&before).diff(&others(&topics(&[]))).unwrap();
        assert!(
            change.starts_with("\"other\" (") && change.ends_with("was removed"),
            "{change}"
        );
    }

    #[test]
    fn different_suffixes_do_not_overlap() {
        assert!(!entry(OBJECT_CREATED, "", ".csv").overlaps(&entry(OBJECT_CREATED, "", ".json")));
        assert!(entry(OBJECT_CREATED, "", ".gz").overlaps(&entry(OBJECT_CREATED, "", ".json.gz")));
    }

    #[test]
    fn different_single_events_do_not_overlap() {
        assert!(!entry("s3:ObjectCreated:Put", "", "").overlaps(&entry(
            "s3:ObjectCreated:Copy",
            "",
            ""
        )));
    }
}
