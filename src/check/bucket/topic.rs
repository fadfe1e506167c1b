//! The verdict on an existing topic, which setup uses without changing it.

use serde_json::{Value, json};

use super::with_own_bucket;
use crate::aws::arn::{Arn, bucket_arn, resource_name};
use crate::aws::bucket_notification::{NotificationEntry, NotificationTarget};
use crate::check::{CheckId, Finding, Verdict, shell_quote, skipped_because};
use crate::iam::statement_reader;
use crate::iam::statement_reader::ParsedCondition;
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
            if let Some(finding) = encryption_verdict(topic) {
                return finding;
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

/// Returns a verdict if S3 cannot use the topic's key.
fn encryption_verdict(topic: &TopicFacts) -> Option<Verdict> {
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
    match &topic.key_policy {
        Fact::NotRequested | Fact::Absent => Some(Verdict::Warn(
            Finding::new(
                format!("topic {} is encrypted with {key} of another account", topic.arn),
                "a key whose policy allows S3 and can be read",
            )
            .because("if the key policy does not allow S3, nothing reaches the topic")
            .advice("ask the key's owner whether s3.amazonaws.com may use kms:GenerateDataKey* and kms:Decrypt"),
        )),
        Fact::Failed(error) => Some(Verdict::Unknown(error.clone())),
        Fact::Present(policy) => {
            let may = |action: &str| {
                statement_reader::statements(policy)
                    .iter()
                    .any(|statement| {
                        statement_reader::allows(statement)
                            && statement_reader::names_principal(
                                statement,
                                "Service",
                                &["s3.amazonaws.com"],
                            )
                            && statement_reader::applies_to_action(statement, action)
                    })
            };
            let both = may("kms:GenerateDataKey") && may("kms:Decrypt");
            (!both).then(|| {
                Verdict::Fail(finding(format!(
                    "topic {} is encrypted with {key}, which S3 cannot use",
                    topic.arn
                )))
            })
        }
    }
}

/// Evaluates whether the topic policy allows S3 to publish for this bucket, and only for this bucket.
fn publish_verdict(snapshot: &Snapshot, bucket: &BucketFacts, topic: &TopicFacts) -> Verdict {
    let account = snapshot.account_id().unwrap_or_default();
    let partition = Arn::parse(&topic.arn).map_or("aws", |arn| arn.partition);
    let arn = bucket_arn(partition, &bucket.name);
    let publisher = S3Publisher {
        bucket: &arn,
        account,
        organization: match &snapshot.account.organization {
            Fact::Present(organization) => Some(&organization.id),
            _ => None,
        },
    };
    let statements = statement_reader::statements(&topic.policy);
    let for_s3 = statements.iter().filter(|statement| {
        statement_reader::allows(statement)
            && statement_reader::names_principal(statement, "Service", &["s3.amazonaws.com"])
            && statement_reader::applies_to_action(statement, "sns:Publish")
    });
    let (mut fitting, mut doubtful) = (Vec::new(), Vec::new());
    for statement in for_s3 {
        match publisher.match_conditions(statement) {
            ConditionMatch::Met => fitting.push(statement),
            ConditionMatch::Undetermined(keys) => doubtful.extend(keys),
            ConditionMatch::NotMet => {}
        }
    }
    // A statement for every bucket is a risk, whatever other statements exist.
    fitting.sort_by_key(|statement| is_restricted(statement));
    let fitting = fitting.first().copied();
    if fitting.is_none() && !doubtful.is_empty() {
        return Verdict::Warn(
            Finding::new(
                format!(
                    "the policy of {} allows S3 to publish only under conditions that cannot be evaluated: {}",
                    topic.arn,
                    doubtful.join(", ")
                ),
                "a statement for s3.amazonaws.com with the bucket's ARN",
            )
            .because("if the condition does not match S3, nothing reaches the topic")
            .console(access_policy_path(topic))
            .cli(show_attributes_command(topic)),
        );
    }
    let Some(statement) = fitting else {
        return Verdict::Fail(
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
        );
    };
    if is_restricted(statement) {
        return Verdict::Pass(topic.arn.clone());
    }
    Verdict::Warn(
        Finding::new(
            format!("the policy of {} allows any bucket to publish", topic.arn),
            "aws:SourceArn, aws:SourceAccount or aws:SourceOrgID in its statement for S3",
        )
        .because("any bucket owner could send notifications to Heeler")
        .console(access_policy_path(topic))
        .cli(show_attributes_command(topic)),
    )
}

/// The condition keys that S3 sends when it publishes for a bucket.
struct S3Publisher<'a> {
    bucket: &'a str,
    account: &'a str,
    /// The organization's ID if it is known.
    organization: Option<&'a str>,
}

/// The result of the conditions of a statement for S3.
enum ConditionMatch {
    Met,
    NotMet,
    /// The values of these condition keys are unknown; all other conditions match.
    Undetermined(Vec<String>),
}

impl S3Publisher<'_> {
    fn match_conditions(&self, statement: &Value) -> ConditionMatch {
        let mut unknown = Vec::new();
        for condition in statement_reader::conditions(statement) {
            match self.is_condition_met(&condition) {
                Some(true) => {}
                Some(false) => return ConditionMatch::NotMet,
                None => unknown.push(condition.original_key.to_owned()),
            }
        }
        if unknown.is_empty() {
            ConditionMatch::Met
        } else {
            ConditionMatch::Undetermined(unknown)
        }
    }

    /// Returns `None` if the condition cannot be evaluated.
    fn is_condition_met(&self, condition: &ParsedCondition) -> Option<bool> {
        let said = match condition.key.as_str() {
            "aws:sourcearn" => Some(self.bucket),
            "aws:sourceaccount" => Some(self.account),
            "aws:sourceorgid" => Some(self.organization?),
            "aws:securetransport" | "aws:principalisawsservice" => Some("true"),
            "aws:principalservicename" => Some("s3.amazonaws.com"),
            // S3 sends no such keys, because it is not a principal of an account.
            "aws:sourceowner"
            | "aws:principalarn"
            | "aws:principalaccount"
            | "aws:principalorgid" => None,
            _ => return None,
        };
        let (operator, values) = (condition.operator, &condition.values);
        if operator == "Null" {
            return Some(values.contains(&if said.is_none() { "true" } else { "false" }));
        }
        let negated = operator.contains("Not");
        Some(match said {
            None => negated || operator.ends_with("IfExists"),
            Some(said) => {
                values
                    .iter()
                    .any(|value| statement_reader::matches_wildcard(value, said))
                    != negated
            }
        })
    }
}

/// Returns true if a statement is restricted to some buckets.
fn is_restricted(statement: &Value) -> bool {
    statement_reader::conditions(statement)
        .iter()
        .any(|condition| {
            matches!(
                condition.key.as_str(),
                "aws:sourcearn" | "aws:sourceaccount" | "aws:sourceorgid"
            )
        })
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
    let mut statements = statement_reader::statements(&topic.policy);
    // Another bucket's statement may have this Sid, and SNS rejects duplicates.
    let mut sid = "HeelerLogBucket".to_owned();
    let mut number = 1;
    while statements
        .iter()
        .any(|other| statement_reader::sid(other) == sid)
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
