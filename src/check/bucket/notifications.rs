//! The verdict on the bucket's notifications: can setup add its own, or use an existing topic?

use super::with_own_bucket;
use crate::aws::arn::{Arn, build};
use crate::aws::bucket_notification::{NotificationEntry, NotificationTarget};
use crate::check::{CheckId, Finding, Verdict, skipped_because};
use crate::inventory::facts::BucketFacts;
use crate::inventory::named_resource::NamedResource;
use crate::inventory::{Fact, Snapshot};

/// Maximum number of notifications of a bucket.
const MAX_NOTIFICATIONS: usize = 100;

pub(super) fn notifications(snapshot: &Snapshot) -> Verdict {
    with_own_bucket(snapshot, |bucket| match &bucket.notifications {
        Fact::NotRequested | Fact::Absent => skipped_because(CheckId::BucketOwner),
        Fact::Failed(error) => Verdict::Unknown(error.clone()),
        Fact::Present(entries) => evaluate_entries(snapshot, bucket, entries),
    })
}

fn evaluate_entries(
    snapshot: &Snapshot,
    bucket: &BucketFacts,
    entries: &[NotificationEntry],
) -> Verdict {
    let planned = snapshot.planned_notification();
    let own = entries.iter().find(|entry| entry.id == planned.id);
    let others: Vec<&NotificationEntry> = entries
        .iter()
        .filter(|entry| entry.id != planned.id)
        .collect();
    let overlapping: Vec<&NotificationEntry> = others
        .iter()
        .copied()
        .filter(|entry| entry.overlaps(&planned))
        .collect();
    if let Some(entry) = own {
        // Another prefix or suffix than before may overlap with a notification that did not overlap before.
        return match own_entry_verdict(snapshot, entry, &planned) {
            Verdict::Fail(finding) => Verdict::Fail(finding),
            _ if !overlapping.is_empty() => {
                Verdict::Fail(overlap_finding(snapshot, bucket, &planned, &overlapping))
            }
            verdict => verdict,
        };
    }
    if let Fact::Present(topic) = &bucket.topic {
        let covered = overlapping.iter().any(|entry| {
            entry.target == NotificationTarget::Topic
                && entry.destination == topic.arn
                && snapshot.is_covered_by(entry)
        });
        if covered {
            return Verdict::Pass(format!(
                "topic {} already receives every log object",
                topic.arn
            ));
        }
    }
    if let Fact::Failed(_) = &bucket.topic {
        return skipped_because(CheckId::BucketTopic);
    }
    if !overlapping.is_empty() {
        return Verdict::Fail(overlap_finding(snapshot, bucket, &planned, &overlapping));
    }
    if entries.len() >= MAX_NOTIFICATIONS {
        return Verdict::Fail(
            Finding::new(
                format!("{} notifications", others.len()),
                format!("fewer than {MAX_NOTIFICATIONS}"),
            )
            .because("S3 allows no more notifications on a bucket")
            .console(format!(
                "S3 > {} > Properties > Event notifications",
                bucket.name
            ))
            .cli(show_configuration_command(bucket)),
        );
    }
    match others.len() {
        0 => Verdict::Pass("no other notifications".into()),
        1 => Verdict::Pass("1 other notification (unchanged)".into()),
        many => Verdict::Pass(format!("{many} other notifications (unchanged)")),
    }
}

/// Creates the finding on notifications that overlap with that of setup, and how their owners can resolve it.
fn overlap_finding(
    snapshot: &Snapshot,
    bucket: &BucketFacts,
    planned: &NotificationEntry,
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
            planned.events[0], planned.prefix
        ),
    )
    .because("S3 allows only one destination per event type and prefix");
    let Some(first) = all.first() else {
        return finding;
    };
    if snapshot.request.bucket_events.is_some() {
        return finding
            .console(format!(
                "S3 > {} > Properties > Event notifications",
                bucket.name
            ))
            .cli(show_configuration_command(bucket))
            .advice(
                "choose objects that no other notification announces with --object-prefix and --object-suffix, or put an \
                 SNS topic in front of both queues",
            );
    }
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
                "send notifications for everything under {} to one topic; setup then uses that topic",
                planned.prefix
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
                "extend that notification: {}; setup then uses its topic",
                missing_coverage(first, planned, &snapshot.log_prefix())
            ));
    }
    // S3 sends notifications only to destinations in the bucket's region.
    let region = snapshot.region().unwrap_or("REGION");
    let partition = Arn::parse(&first.destination).map_or("aws", |arn| arn.partition);
    let account = snapshot.account_id().unwrap_or("ACCOUNT");
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
                "put an SNS topic in front of {}, which then receives the notifications inside SNS messages: create the \
                 topic, allow it to invoke the function, and send notifications for {} to it; setup then uses that topic",
                first.destination, planned.prefix
            ))
            .cli(format!(
                "aws lambda add-permission --region {region} --function-name {} --statement-id sns --action lambda:InvokeFunction --principal sns.amazonaws.com --source-arn {topic}",
                first.destination
            ))
            .cli(subscribe("lambda", ""))
    } else {
        finding
            .advice(format!(
                "put an SNS topic in front of {}: create it, allow it to send to the queue (queue policy), and send \
                 notifications for {} to it; setup then uses that topic",
                first.destination, planned.prefix
            ))
            .cli(subscribe("sqs", " --attributes RawMessageDelivery=true"))
    };
    finding.cli(show_configuration_command(bucket))
}

/// Returns the command that shows all notifications.
fn show_configuration_command(bucket: &BucketFacts) -> String {
    format!(
        "aws s3api get-bucket-notification-configuration --bucket {}",
        bucket.name
    )
}

/// Describes the settings by which a notification misses some log objects.
fn missing_coverage(
    entry: &NotificationEntry,
    planned: &NotificationEntry,
    log_prefix: &str,
) -> String {
    let mut missing = Vec::new();
    if !entry
        .events
        .iter()
        .any(|event| event.ends_with(":*") || event.ends_with(":Put"))
    {
        missing.push("event s3:ObjectCreated:* or s3:ObjectCreated:Put".to_owned());
    }
    if !entry.includes_prefix(log_prefix) {
        missing.push(format!("prefix {}", planned.prefix));
    }
    if !".json.gz".ends_with(&entry.suffix) {
        missing.push("no suffix, or .json.gz".to_owned());
    }
    missing.join(", ")
}

/// Evaluates the notification with the ID of setup, which is managed only if it sends to the topic or queue of setup.
fn own_entry_verdict(
    snapshot: &Snapshot,
    entry: &NotificationEntry,
    planned: &NotificationEntry,
) -> Verdict {
    let names = &snapshot.request.names;
    let (kind, name, resource) = match planned.target {
        NotificationTarget::Queue => ("queue", names.queue(), NamedResource::Queue),
        _ => ("topic", names.topic(), NamedResource::Topic),
    };
    let here = Arn::parse(&entry.destination).is_some_and(|arn| {
        arn.resource == name
            && Some(arn.account) == snapshot.account_id()
            && Some(arn.region) == snapshot.region()
    });
    if entry.target != planned.target || !here {
        return Verdict::Fail(
            Finding::new(
                format!("notification {} sends to {}", entry.id, entry.destination),
                format!("no notification with this ID, or one to {kind} {name}"),
            )
            .because("setup uses this ID, and the destination is not managed by heeler-ec")
            .advice("choose other names with --name-prefix"),
        );
    }
    match snapshot.name_owners.get(resource) {
        Fact::Absent => Verdict::Warn(
            Finding::new(
                format!(
                    "notification {} sends to {kind} {name}, which does not exist",
                    entry.id
                ),
                format!("the {kind} that the notification sends to"),
            )
            .because(format!(
                "no events arrive, and S3 rejects configuration changes until the {kind} exists again"
            ))
            .advice(format!("setup creates the {kind} again")),
        ),
        _ => Verdict::Pass(format!("{} already exists", entry.id)),
    }
}
