//! The verdict on an existing topic, which setup uses without changing it.

use serde_json::{Value, json};

use super::with_own_bucket;
use crate::aws::arn::{Arn, bucket_arn, resource_name};
use crate::aws::bucket_notification::{NotificationEntry, NotificationTarget};
use crate::check::policy_request::{
    decide, describe_deny, describe_unknown, notifying_bucket, parse, partition,
};
use crate::check::{CheckId, Finding, Verdict, shell_quote, skipped_because};
use crate::iam::evaluate::{Caller, Decision, MissingFacts, PolicyInput, ResourcePolicy};
use crate::inventory::facts::{BucketFacts, TopicFacts};
use crate::inventory::{Fact, Snapshot};

#[expect(
    clippy::case_sensitive_file_extension_comparisons,
    reason = "AWS writes the ending of a FIFO topic in lower case only"
)]
pub(super) fn topic(snapshot: &Snapshot) -> Verdict {
    with_own_bucket(snapshot, |bucket| {
        match &bucket.topic {
        Fact::NotRequested => Verdict::Skip("setup creates its own topic".into()),
        Fact::Failed(error) => Verdict::Unknown(error.clone()),
        Fact::Absent => Verdict::Fail(
            Finding::new("the topic does not exist", "an existing topic")
                .because("the bucket sends notifications to a deleted topic, or --sns-topic is misspelled")
                .cli(format!("aws sns list-topics --region {}", snapshot.region().unwrap_or("REGION"))),
        ),
        Fact::Present(topic) => {
            let arn = Arn::parse(&topic.arn);
            let place = arn.map(|arn| (arn.region, arn.account));
            let account = snapshot.account.caller.as_ref().map(|caller| caller.account.as_str()).unwrap_or_default();
            let wanted = snapshot.region().map(|region| (region, account));
            if snapshot.trail().and_then(|trail| trail.sns_topic.as_deref()) == Some(&topic.arn) {
                return match snapshot.request.topic {
                    Some(_) => skipped_because(CheckId::TrailSnsTopic),
                    None => Verdict::Fail(cloudtrail_topic_finding(bucket, &topic.arn)),
                };
            }
            if topic.arn.ends_with(".fifo") {
                return Verdict::Fail(
                    Finding::new(format!("{} is a FIFO topic", topic.arn), "a standard topic")
                        .because("S3 cannot publish to a FIFO topic")
                        .advice("remove --sns-topic: setup then creates a topic"),
                );
            }
            if place != wanted {
                return Verdict::Fail(
                    Finding::new(format!("topic {}", topic.arn), "a topic in the bucket's region and account")
                        .because("S3 publishes only to topics in the bucket's region, and setup subscribes only in this account")
                        .advice("remove --sns-topic, or give a topic in that region and account"),
                );
            }
            if !bucket_notifies_topic(snapshot, bucket, &topic.arn) {
                return Verdict::Fail(
                    Finding::new(
                        format!("bucket {} does not send notifications for log objects to {}", bucket.name, topic.arn),
                        "a notification for every new log object",
                    )
                    .because("setup does not change a topic given with --sns-topic, so no events would arrive")
                    .advice("remove --sns-topic: setup then creates a topic and the notification"),
                );
            }
            if let Some(verdict) = encryption_verdict(snapshot, bucket, topic) {
                return verdict;
            }
            publish_verdict(snapshot, bucket, topic)
        }
    }
    })
}

/// Creates the finding that CloudTrail publishes its own messages to the topic.
fn cloudtrail_topic_finding(bucket: &BucketFacts, topic: &str) -> Finding {
    Finding::new(
        format!(
            "the bucket sends notifications to {topic}, where CloudTrail publishes its own messages"
        ),
        "a topic only for S3 event notifications",
    )
    .because("Heeler would also receive CloudTrail's messages, which have a different format")
    .console(format!(
        "S3 > {} > Properties > Event notifications",
        bucket.name
    ))
    .advice("send the bucket's notifications to another topic; setup then uses that topic")
}

/// Returns a verdict if S3 cannot use the topic's key, or may not be able to.
fn encryption_verdict(
    snapshot: &Snapshot,
    bucket: &BucketFacts,
    topic: &TopicFacts,
) -> Option<Verdict> {
    let key = topic.key.as_deref()?;
    let finding = |observed: String| {
        Finding::new(observed, "no encryption, or a key that S3 may use")
            .because("S3 cannot encrypt its messages, so nothing reaches the topic")
            .console(format!("SNS > Topics > {} > Edit > Encryption", resource_name(&topic.arn)))
            .cli(show_attributes_command(topic))
            .advice("ask the key's owner to allow s3.amazonaws.com kms:GenerateDataKey* and kms:Decrypt in the key policy")
    };
    if key.ends_with("alias/aws/sns") {
        return Some(Verdict::Fail(finding(format!(
            "topic {} is encrypted with the AWS managed key for SNS, which S3 cannot use",
            topic.arn
        ))));
    }
    let policy = match &topic.key_policy {
        Fact::NotRequested | Fact::Absent => {
            return Some(Verdict::Warn(
                Finding::new(
                    format!("topic {} is encrypted with {key} of another account", topic.arn),
                    "a key whose policy allows S3 and can be read",
                )
                .because("if the key policy does not allow S3, nothing reaches the topic")
                .advice("ask the key's owner whether s3.amazonaws.com may use kms:GenerateDataKey* and kms:Decrypt"),
            ));
        }
        Fact::Failed(error) => return Some(Verdict::Unknown(error.clone())),
        Fact::Present(policy) => match parse(policy, key) {
            Ok(policy) => policy,
            Err(verdict) => return Some(*verdict),
        },
    };
    let publisher = notifying_bucket(snapshot, &bucket.name)
        .with("kms:EncryptionContext:aws:sns:topicArn", &topic.arn);
    let account = snapshot.account_id().unwrap_or_default();
    let mut undetermined = None;
    for action in ["kms:GenerateDataKey", "kms:Decrypt"] {
        let resource = ResourcePolicy::Key {
            policy: policy.clone(),
            grants: Vec::new(),
            is_enabled: true,
        };
        match decide(&publisher, action, key, account, resource) {
            Decision::Allow => {}
            Decision::ImplicitDeny(_) => {
                return Some(Verdict::Fail(finding(format!(
                    "topic {} is encrypted with {key}, which S3 cannot use: its policy does not allow {action}",
                    topic.arn
                ))));
            }
            Decision::ExplicitDeny(statement) => {
                return Some(Verdict::Fail(finding(format!(
                    "topic {} is encrypted with {key}, which S3 cannot use: {}",
                    topic.arn,
                    describe_deny(&statement, action)
                ))));
            }
            Decision::Unknown(missing) => {
                undetermined = undetermined.or(Some(describe_unknown(&missing, action, "S3")));
            }
        }
    }
    let text = undetermined?;
    Some(Verdict::Undetermined(
        finding(format!(
            "topic {} is encrypted with {key}; in the key's policy, {text}",
            topic.arn
        ))
        .because("if the condition does not match S3, nothing reaches the topic"),
    ))
}

/// Evaluates whether the topic policy allows S3 to publish for this bucket, and only for this bucket.
fn publish_verdict(snapshot: &Snapshot, bucket: &BucketFacts, topic: &TopicFacts) -> Verdict {
    let account = snapshot.account_id().unwrap_or_default();
    let arn = bucket_arn(partition(snapshot), &bucket.name);
    let policy = match topic.policy.as_str() {
        "" => PolicyInput::none(),
        policy => match parse(policy, &topic.arn) {
            Ok(policy) => policy,
            Err(verdict) => return *verdict,
        },
    };
    let publish = |publisher: &Caller| {
        let policy = ResourcePolicy::Resource(policy.clone());
        decide(publisher, "sns:Publish", &topic.arn, account, policy)
    };
    match publish(&notifying_bucket(snapshot, &bucket.name)) {
        Decision::Allow if publish(&other_bucket()).is_allow() => Verdict::Warn(
            Finding::new(
                format!("the policy of {} allows any bucket to publish", topic.arn),
                "aws:SourceArn, aws:SourceAccount or aws:SourceOrgID in its statement for S3",
            )
            .because("any bucket owner could send notifications to Heeler")
            .console(access_policy_path(topic))
            .cli(show_attributes_command(topic)),
        ),
        Decision::Allow => Verdict::Pass(topic.arn.clone()),
        Decision::Unknown(missing) => Verdict::Undetermined(undetermined_finding(topic, &missing)),
        Decision::ExplicitDeny(statement) => Verdict::Fail(
            Finding::new(
                format!(
                    "in the policy of {}, {}",
                    topic.arn,
                    describe_deny(&statement, "sns:Publish")
                ),
                "no Deny of sns:Publish that applies to S3",
            )
            .because("nothing reaches the topic")
            .console(access_policy_path(topic))
            .cli(show_attributes_command(topic))
            .advice("ask the topic's owner to exempt S3 with aws:PrincipalIsAWSService; setup does not change topics that it did not create"),
        ),
        Decision::ImplicitDeny(_) => Verdict::Fail(
            Finding::new(
                format!(
                    "the policy of {} does not allow S3 to publish for {}",
                    topic.arn, bucket.name
                ),
                "a statement for s3.amazonaws.com with the bucket's ARN",
            )
            .because("nothing reaches the topic")
            .console(access_policy_path(topic))
            .cli(complete_policy_command(topic, &arn, account))
            .advice(
                "ask the topic's owner to add the statement; setup does not change topics that it did not create",
            ),
        ),
    }
}

/// S3, as it publishes for a bucket of an account that has nothing to do with this one.
fn other_bucket() -> Caller {
    Caller::service(
        "s3.amazonaws.com",
        "arn:aws:s3:::another-bucket",
        "000000000000",
    )
    .in_organization("o-another0000")
}

fn undetermined_finding(topic: &TopicFacts, missing: &MissingFacts) -> Finding {
    Finding::new(
        format!(
            "in the policy of {}, {}",
            topic.arn,
            describe_unknown(missing, "sns:Publish", "S3")
        ),
        "a statement for s3.amazonaws.com with the bucket's ARN",
    )
    .because("if the condition does not match S3, nothing reaches the topic")
    .console(access_policy_path(topic))
    .cli(show_attributes_command(topic))
}

/// Returns the console path of the topic policy.
fn access_policy_path(topic: &TopicFacts) -> String {
    format!(
        "SNS > Topics > {} > Edit > Access policy",
        resource_name(&topic.arn)
    )
}

fn topic_region(topic: &TopicFacts) -> &str {
    Arn::parse(&topic.arn).map_or("REGION", |arn| arn.region)
}

fn show_attributes_command(topic: &TopicFacts) -> String {
    format!(
        "aws sns get-topic-attributes --region {} --topic-arn {}",
        topic_region(topic),
        topic.arn
    )
}

/// Returns the command that writes the topic policy with a statement for S3 added, or, if the policy cannot be read, the
/// command that shows it.
fn complete_policy_command(topic: &TopicFacts, bucket: &str, account: &str) -> String {
    let Ok(Value::Object(mut document)) = serde_json::from_str(&topic.policy) else {
        return show_attributes_command(topic);
    };
    let mut statements = match document.get("Statement").cloned() {
        Some(Value::Array(statements)) => statements,
        single => single.into_iter().collect(),
    };
    // Another bucket's statement may have this Sid, and SNS rejects duplicates.
    let mut sid = "HeelerLogBucket".to_owned();
    let mut number = 1;
    while statements
        .iter()
        .any(|other| other["Sid"].as_str() == Some(&sid))
    {
        number += 1;
        sid = format!("HeelerLogBucket{number}");
    }
    statements.push(json!({
        "Sid": sid,
        "Effect": "Allow",
        "Principal": { "Service": "s3.amazonaws.com" },
        "Action": "sns:Publish",
        "Resource": topic.arn,
        "Condition": {
            "ArnEquals": { "aws:SourceArn": bucket },
            "StringEquals": { "aws:SourceAccount": account },
        },
    }));
    document.insert("Statement".into(), statements.into());
    format!(
        "aws sns set-topic-attributes --region {} --topic-arn {} --attribute-name Policy --attribute-value {}",
        topic_region(topic),
        topic.arn,
        shell_quote(&Value::Object(document).to_string())
    )
}

fn bucket_notifies_topic(snapshot: &Snapshot, bucket: &BucketFacts, topic: &str) -> bool {
    let announces = |entry: &NotificationEntry| {
        entry.target == NotificationTarget::Topic
            && entry.destination == topic
            && snapshot.is_covered_by(entry)
    };
    matches!(&bucket.notifications, Fact::Present(entries) if entries.iter().any(announces))
}
