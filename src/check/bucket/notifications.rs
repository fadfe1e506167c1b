//! Who is told of new log objects already, and whether S3 lets one more be told.

use super::with_own_bucket;
use crate::aws::arn::{Arn, build};
use crate::aws::bucket_notification::{NotificationEntry, NotificationTarget};
use crate::check::{Finding, Verdict, skipped_because};
use crate::inventory::Snapshot;
use crate::inventory::facts::BucketFacts;

/// Entries that a bucket may have.
const MAX_NOTIFICATIONS: usize = 100;

pub(super) fn notifications(survey: &Snapshot) -> Verdict {
    with_own_bucket(survey, |bucket| match &bucket.notifications {
        None => skipped_because("bucket.owner"),
        Some(Err(error)) => Verdict::Unknown(error.clone()),
        Some(Ok(entries)) => evaluate_entries(survey, bucket, entries),
    })
}

fn evaluate_entries(
    survey: &Snapshot,
    bucket: &BucketFacts,
    entries: &[NotificationEntry],
) -> Verdict {
    let ours = survey.planned_notification();
    if let Some(entry) = entries.iter().find(|entry| entry.id == ours.id) {
        return own_entry_verdict(survey, entry);
    }
    let others: Vec<&NotificationEntry> = entries.iter().collect();
    let overlapping: Vec<&NotificationEntry> = others
        .iter()
        .copied()
        .filter(|entry| entry.overlaps(&ours))
        .collect();
    if let Some(Ok(Some(topic))) = &bucket.topic {
        let covered = overlapping.iter().any(|entry| {
            entry.target == NotificationTarget::Topic
                && entry.destination == topic.arn
                && survey.is_covered_by(entry)
        });
        if covered {
            return Verdict::Pass(format!("topic {} already gets every log object", topic.arn));
        }
    }
    if let Some(Err(_)) = &bucket.topic {
        return skipped_because("bucket.topic");
    }
    if !overlapping.is_empty() {
        return Verdict::Fail(overlap_finding(survey, bucket, &ours, &overlapping));
    }
    if entries.len() >= MAX_NOTIFICATIONS {
        return Verdict::Fail(
            Finding::new(
                format!("{} entries", others.len()),
                format!("fewer than {MAX_NOTIFICATIONS}"),
            )
            .because("S3 allows no more entries on a bucket")
            .console(format!(
                "S3 > {} > Properties > Event notifications",
                bucket.name
            ))
            .cli(show_configuration_command(bucket)),
        );
    }
    match others.len() {
        0 => Verdict::Pass("no other notification".into()),
        1 => Verdict::Pass("1 other notification, which stays as it is".into()),
        many => Verdict::Pass(format!(
            "{many} other notifications, which stay as they are"
        )),
    }
}

/// Entries that S3 does not allow beside ours, and what their owners can do about it.
fn overlap_finding(
    survey: &Snapshot,
    bucket: &BucketFacts,
    ours: &NotificationEntry,
    all: &[&NotificationEntry],
) -> Finding {
    let named: Vec<String> = all.iter().map(ToString::to_string).collect();
    let finding = Finding::new(
        format!(
            "another notification of the bucket overlaps: {}",
            named.join("; ")
        ),
        format!(
            "no other destination for {} under {}",
            ours.events[0], ours.prefix
        ),
    )
    .because("S3 allows one destination for an event and a prefix");
    let Some(first) = all.first() else {
        return finding;
    };
    let topics = all
        .iter()
        .filter(|entry| entry.target == NotificationTarget::Topic)
        .count();
    if topics > 1 {
        return finding
            .console(format!(
                "S3 > {} > Properties > Event notifications",
                bucket.name
            ))
            .cli(show_configuration_command(bucket))
            .advice(format!(
                "let one topic get everything under {}; setup then uses it by itself",
                ours.prefix
            ));
    }
    if first.target == NotificationTarget::Topic {
        return finding
            .console(format!(
                "S3 > {} > Properties > Event notifications",
                bucket.name
            ))
            .cli(show_configuration_command(bucket))
            .advice(format!(
                "widen that entry: {}; setup then uses its topic by itself",
                missing_coverage(first, ours)
            ));
    }
    // S3 announces only to what is in the bucket's own region.
    let region = survey.region().unwrap_or("REGION");
    let partition = Arn::parse(&first.destination).map_or("aws", |arn| arn.partition);
    let account = survey.account_id().unwrap_or("ACCOUNT");
    let topic = build(partition, "sns", region, account, "cloudtrail-objects");
    let subscribe = |protocol: &str, attributes: &str| {
        format!(
            "aws sns subscribe --region {region} --topic-arn {topic} --protocol {protocol} --notification-endpoint {}{attributes}",
            first.destination
        )
    };
    let finding = finding.cli(format!(
        "aws sns create-topic --region {region} --name cloudtrail-objects"
    ));
    let finding = if first.target == NotificationTarget::Function {
        finding
            .advice(format!(
                "put a topic in front of {}, which then gets the notifications inside messages of SNS: make the topic, \
                 let it invoke the function, and let the bucket announce {} to it; setup then uses that topic by itself",
                first.destination, ours.prefix
            ))
            .cli(format!(
                "aws lambda add-permission --region {region} --function-name {} --statement-id sns --action lambda:InvokeFunction --principal sns.amazonaws.com --source-arn {topic}",
                first.destination
            ))
            .cli(subscribe("lambda", ""))
    } else {
        finding
            .advice(format!(
                "put a topic in front of {}: make it, let it send to the queue (the queue's policy), and let the bucket \
                 announce {} to it; setup then uses that topic by itself",
                first.destination, ours.prefix
            ))
            .cli(subscribe("sqs", " --attributes RawMessageDelivery=true"))
    };
    finding.cli(show_configuration_command(bucket))
}

/// The command that shows all entries.
fn show_configuration_command(bucket: &BucketFacts) -> String {
    format!(
        "aws s3api get-bucket-notification-configuration --bucket {}",
        bucket.name
    )
}

/// In what an entry leaves out a part of the log objects.
fn missing_coverage(entry: &NotificationEntry, ours: &NotificationEntry) -> String {
    let mut told = Vec::new();
    if !entry
        .events
        .iter()
        .any(|event| event.ends_with(":*") || event.ends_with(":Put"))
    {
        told.push("event s3:ObjectCreated:* or s3:ObjectCreated:Put".to_owned());
    }
    if !ours.prefix.starts_with(&entry.prefix) {
        told.push(format!("prefix {}", ours.prefix));
    }
    if !".json.gz".ends_with(&entry.suffix) {
        told.push("no suffix, or .json.gz".to_owned());
    }
    told.join(", ")
}

/// An entry with our id: ours only when it leads to our topic.
fn own_entry_verdict(survey: &Snapshot, entry: &NotificationEntry) -> Verdict {
    let topic = survey.request.names.topic();
    let here = Arn::parse(&entry.destination).is_some_and(|arn| {
        arn.resource == topic
            && Some(arn.account) == survey.account_id()
            && Some(arn.region) == survey.region()
    });
    if entry.target != NotificationTarget::Topic || !here {
        return Verdict::Fail(
            Finding::new(
                format!("the entry {} leads to {}", entry.id, entry.destination),
                format!("an entry of that id to topic {topic}, or none"),
            )
            .because("the id is the one that setup uses, and what it leads to is not ours")
            .advice("choose other names with --name-prefix"),
        );
    }
    match survey.name_owners.by_check.get("names.topic") {
        Some(Ok(None)) => Verdict::Warn(
            Finding::new(
                format!(
                    "the entry {} leads to topic {topic}, which is gone",
                    entry.id
                ),
                "the topic that the bucket announces its objects to",
            )
            .because(
                "nothing arrives, and S3 takes no change of the configuration until it is back",
            )
            .advice("setup makes the topic anew"),
        ),
        _ => Verdict::Pass(format!("{} is there already", entry.id)),
    }
}
