//! Whether a topic that is there already can be used: nothing of it is changed.

use serde_json::{Value, json};

use super::with_own_bucket;
use crate::aws::arn::{Arn, build, resource_name};
use crate::aws::bucket_notification::{NotificationEntry, NotificationTarget};
use crate::check::{Finding, Verdict, shell_quote, skipped_because};
use crate::iam::statement_reader;
use crate::iam::statement_reader::ParsedCondition;
use crate::inventory::Snapshot;
use crate::inventory::facts::{BucketFacts, TopicFacts};

#[expect(
    clippy::case_sensitive_file_extension_comparisons,
    reason = "AWS writes the ending of a FIFO topic in lower case only"
)]
pub(super) fn topic(survey: &Snapshot) -> Verdict {
    with_own_bucket(survey, |bucket| {
        match &bucket.topic {
        None => Verdict::Skip("a topic of our own is used".into()),
        Some(Err(error)) => Verdict::Unknown(error.clone()),
        Some(Ok(None)) => Verdict::Fail(
            Finding::new("the topic does not exist", "an existing topic")
                .because("the bucket announces its objects to a topic that was deleted, or --sns-topic is misspelt")
                .cli(format!("aws sns list-topics --region {}", survey.region().unwrap_or("REGION"))),
        ),
        Some(Ok(Some(topic))) => {
            let arn = Arn::parse(&topic.arn);
            let place = arn.map(|arn| (arn.region, arn.account));
            let account = survey.account.caller.as_ref().map(|caller| caller.account.as_str()).unwrap_or_default();
            let wanted = survey.region().map(|region| (region, account));
            if survey.trail().and_then(|trail| trail.sns_topic.as_deref()) == Some(&topic.arn) {
                return match survey.request.topic {
                    Some(_) => skipped_because("trail.sns"),
                    None => Verdict::Fail(cloudtrail_topic_finding(bucket, &topic.arn)),
                };
            }
            if topic.arn.ends_with(".fifo") {
                return Verdict::Fail(
                    Finding::new(format!("{} is a FIFO topic", topic.arn), "a standard topic")
                        .because("S3 cannot publish to a FIFO topic")
                        .advice("leave --sns-topic out: setup then makes a topic"),
                );
            }
            if place != wanted {
                return Verdict::Fail(
                    Finding::new(format!("topic {}", topic.arn), "a topic of the bucket's region and account")
                        .because("S3 publishes only to a topic in the bucket's own region, and setup subscribes only in this account")
                        .advice("leave --sns-topic out, or name a topic of that region and account"),
                );
            }
            if !bucket_notifies_topic(survey, bucket, &topic.arn) {
                return Verdict::Fail(
                    Finding::new(
                        format!("bucket {} does not announce its log objects to {}", bucket.name, topic.arn),
                        "a notification of every new log object",
                    )
                    .because("a topic that was named is used as it is, and nothing would arrive")
                    .advice("leave --sns-topic out: setup then makes a topic and the notification"),
                );
            }
            if let Some(finding) = encryption_verdict(topic) {
                return finding;
            }
            publish_verdict(survey, bucket, topic)
        }
    }
    })
}

/// The bucket tells the topic that CloudTrail itself tells of its deliveries.
fn cloudtrail_topic_finding(bucket: &BucketFacts, topic: &str) -> Finding {
    Finding::new(
        format!("the bucket announces its log objects to {topic}, the topic of CloudTrail itself"),
        "a topic of S3 event notifications alone",
    )
    .because("Heeler would get CloudTrail's own messages, too, which have another form")
    .console(format!(
        "S3 > {} > Properties > Event notifications",
        bucket.name
    ))
    .advice("let the bucket announce to another topic; setup then uses that one by itself")
}

/// What keeps S3 from encrypting for the topic, if anything does.
fn encryption_verdict(topic: &TopicFacts) -> Option<Verdict> {
    let key = topic.key.as_deref()?;
    let finding = |observed: String| {
        Finding::new(observed, "no encryption, or a key that S3 may use")
            .because("S3 cannot encrypt what it publishes, and nothing reaches the topic")
            .console(format!("SNS > Topics > {} > Edit > Encryption", resource_name(&topic.arn)))
            .cli(show_attributes_command(topic))
            .advice("its owner lets s3.amazonaws.com use kms:GenerateDataKey* and kms:Decrypt in the key's policy")
    };
    if key.ends_with("alias/aws/sns") {
        return Some(Verdict::Fail(finding(format!(
            "topic {} is encrypted with the key of AWS for SNS, which S3 may not use",
            topic.arn
        ))));
    }
    let Some(policy) = &topic.key_policy else {
        return Some(Verdict::Warn(
            Finding::new(
                format!("topic {} is encrypted with {key}, of another account", topic.arn),
                "a key whose policy can be seen to let S3 use it",
            )
            .because("if S3 may not use the key, nothing reaches the topic")
            .advice("ask the key's owner whether s3.amazonaws.com may use kms:GenerateDataKey* and kms:Decrypt"),
        ));
    };
    match policy {
        Err(error) => Some(Verdict::Unknown(error.clone())),
        Ok(policy) => {
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
                    "topic {} is encrypted with {key}, which S3 may not use",
                    topic.arn
                )))
            })
        }
    }
}

/// Whether the topic's policy lets S3 publish for this bucket, and for this bucket only.
fn publish_verdict(survey: &Snapshot, bucket: &BucketFacts, topic: &TopicFacts) -> Verdict {
    let account = survey.account_id().unwrap_or_default();
    let partition = Arn::parse(&topic.arn).map_or("aws", |arn| arn.partition);
    let bucket_arn = build(partition, "s3", "", "", &bucket.name);
    let publisher = S3Publisher {
        bucket: &bucket_arn,
        account,
        organization: match &survey.account.organization {
            Ok(Some(organization)) => Some(&organization.id),
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
    // One that lets every bucket publish is a danger, whatever else is there.
    fitting.sort_by_key(|statement| is_restricted(statement));
    let fitting = fitting.first().copied();
    if fitting.is_none() && !doubtful.is_empty() {
        return Verdict::Warn(
            Finding::new(
                format!(
                    "the policy of {} lets S3 publish where {} allows it, which cannot be seen from here",
                    topic.arn,
                    doubtful.join(", ")
                ),
                "a statement for s3.amazonaws.com with the bucket's ARN",
            )
            .because("if that condition does not hold for S3, nothing reaches the topic")
            .console(access_policy_path(topic))
            .cli(show_attributes_command(topic)),
        );
    }
    let Some(statement) = fitting else {
        return Verdict::Fail(
            Finding::new(
                format!(
                    "the policy of {} does not let S3 publish for {}",
                    topic.arn, bucket.name
                ),
                "a statement for s3.amazonaws.com with the bucket's ARN",
            )
            .because("nothing reaches the topic")
            .console(access_policy_path(topic))
            .cli(complete_policy_command(topic, &bucket_arn, account))
            .advice(
                "its owner adds the statement; setup does not change a topic that it did not make",
            ),
        );
    };
    if is_restricted(statement) {
        return Verdict::Pass(topic.arn.clone());
    }
    Verdict::Warn(
        Finding::new(
            format!(
                "the policy of {} lets any bucket of anybody publish",
                topic.arn
            ),
            "aws:SourceArn, aws:SourceAccount or aws:SourceOrgID in its statement for S3",
        )
        .because("whoever owns a bucket could send Heeler notifications of his own")
        .console(access_policy_path(topic))
        .cli(show_attributes_command(topic)),
    )
}

/// What S3 brings along when it publishes for a bucket.
struct S3Publisher<'a> {
    bucket: &'a str,
    account: &'a str,
    /// Its id, where it is known.
    organization: Option<&'a str>,
}

/// Whether S3 meets the conditions of a statement.
enum ConditionMatch {
    Met,
    NotMet,
    /// As far as it can be told: of these keys it is not known what S3 says.
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

    /// Nothing, where that cannot be told.
    fn is_condition_met(&self, condition: &ParsedCondition) -> Option<bool> {
        let said = match condition.key.as_str() {
            "aws:sourcearn" => Some(self.bucket),
            "aws:sourceaccount" => Some(self.account),
            "aws:sourceorgid" => Some(self.organization?),
            "aws:securetransport" | "aws:principalisawsservice" => Some("true"),
            "aws:principalservicename" => Some("s3.amazonaws.com"),
            // They are of callers that belong to an account.
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

/// Whether a statement is for some buckets only.
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

/// Where the console shows the topic's policy.
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

/// The command that writes the topic's policy with the statement for S3 added to what is there; without what is there,
/// the one that shows it.
fn complete_policy_command(topic: &TopicFacts, bucket: &str, account: &str) -> String {
    let Ok(Value::Object(mut document)) = serde_json::from_str(&topic.policy) else {
        return show_attributes_command(topic);
    };
    let mut statements = statement_reader::statements(&topic.policy);
    // Another bucket's may bear the name, and SNS refuses two of the same.
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

fn bucket_notifies_topic(survey: &Snapshot, bucket: &BucketFacts, topic: &str) -> bool {
    let announces = |entry: &NotificationEntry| {
        entry.target == NotificationTarget::Topic
            && entry.destination == topic
            && survey.is_covered_by(entry)
    };
    matches!(&bucket.notifications, Some(Ok(entries)) if entries.iter().any(announces))
}
