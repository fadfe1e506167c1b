//! Whether a topic that is there already can be used: nothing of it is changed.

use serde_json::{Value, json};

use super::here;
use crate::aws::arn::{Arn, build, last};
use crate::aws::notification::{Entry, Target};
use crate::check::reading::Condition;
use crate::check::survey::Survey;
use crate::check::survey::facts::{Bucket, TopicFacts};
use crate::check::{Finding, Verdict, hangs_on, quoted, reading};

#[expect(
    clippy::case_sensitive_file_extension_comparisons,
    reason = "AWS writes the ending of a FIFO topic in lower case only"
)]
pub(super) fn topic(survey: &Survey) -> Verdict {
    here(survey, |bucket| {
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
            if survey.trail().and_then(|trail| trail.own_topic.as_deref()) == Some(&topic.arn) {
                return match survey.hints.topic {
                    Some(_) => hangs_on("trail.sns"),
                    None => Verdict::Fail(mixed_up(bucket, &topic.arn)),
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
            if !bucket_announces_to(survey, bucket, &topic.arn) {
                return Verdict::Fail(
                    Finding::new(
                        format!("bucket {} does not announce its log objects to {}", bucket.name, topic.arn),
                        "a notification of every new log object",
                    )
                    .because("a topic that was named is used as it is, and nothing would arrive")
                    .advice("leave --sns-topic out: setup then makes a topic and the notification"),
                );
            }
            if let Some(finding) = unreadable_for_s3(topic) {
                return finding;
            }
            lets_s3_publish(survey, bucket, topic)
        }
    }
    })
}

/// The bucket tells the topic that CloudTrail itself tells of its deliveries.
fn mixed_up(bucket: &Bucket, topic: &str) -> Finding {
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
fn unreadable_for_s3(topic: &TopicFacts) -> Option<Verdict> {
    let key = topic.key.as_deref()?;
    let finding = |observed: String| {
        Finding::new(observed, "no encryption, or a key that S3 may use")
            .because("S3 cannot encrypt what it publishes, and nothing reaches the topic")
            .console(format!("SNS > Topics > {} > Edit > Encryption", last(&topic.arn)))
            .cli(attributes(topic))
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
                reading::statements(policy).iter().any(|statement| {
                    reading::allows(statement)
                        && reading::names(statement, "Service", &["s3.amazonaws.com"])
                        && reading::is_about(statement, action)
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
fn lets_s3_publish(survey: &Survey, bucket: &Bucket, topic: &TopicFacts) -> Verdict {
    let account = survey.own_account().unwrap_or_default();
    let partition = Arn::parse(&topic.arn).map_or("aws", |arn| arn.partition);
    let bucket_arn = build(partition, "s3", "", "", &bucket.name);
    let publisher = Publisher {
        bucket: &bucket_arn,
        account,
        organization: match &survey.account.organization {
            Ok(Some(organization)) => Some(&organization.id),
            _ => None,
        },
    };
    let statements = reading::statements(&topic.policy);
    let for_s3 = statements.iter().filter(|statement| {
        reading::allows(statement)
            && reading::names(statement, "Service", &["s3.amazonaws.com"])
            && reading::is_about(statement, "sns:Publish")
    });
    let (mut fitting, mut doubtful) = (Vec::new(), Vec::new());
    for statement in for_s3 {
        match publisher.fits(statement) {
            Fits::Yes => fitting.push(statement),
            Fits::UnlessFor(keys) => doubtful.extend(keys),
            Fits::No => {}
        }
    }
    // One that lets every bucket publish is a danger, whatever else is there.
    fitting.sort_by_key(|statement| is_bound(statement));
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
            .console(access_policy(topic))
            .cli(attributes(topic)),
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
            .console(access_policy(topic))
            .cli(completed(topic, &bucket_arn, account))
            .advice(
                "its owner adds the statement; setup does not change a topic that it did not make",
            ),
        );
    };
    if is_bound(statement) {
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
        .console(access_policy(topic))
        .cli(attributes(topic)),
    )
}

/// What S3 brings along when it publishes for a bucket.
struct Publisher<'a> {
    bucket: &'a str,
    account: &'a str,
    /// Its id, where it is known.
    organization: Option<&'a str>,
}

/// Whether S3 meets the conditions of a statement.
enum Fits {
    Yes,
    No,
    /// As far as it can be told: of these keys it is not known what S3 says.
    UnlessFor(Vec<String>),
}

impl Publisher<'_> {
    fn fits(&self, statement: &Value) -> Fits {
        let mut unknown = Vec::new();
        for condition in reading::conditions(statement) {
            match self.meets(&condition) {
                Some(true) => {}
                Some(false) => return Fits::No,
                None => unknown.push(condition.written.to_owned()),
            }
        }
        if unknown.is_empty() {
            Fits::Yes
        } else {
            Fits::UnlessFor(unknown)
        }
    }

    /// Nothing, where that cannot be told.
    fn meets(&self, condition: &Condition) -> Option<bool> {
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
            Some(said) => values.iter().any(|value| reading::matches(value, said)) != negated,
        })
    }
}

/// Whether a statement is for some buckets only.
fn is_bound(statement: &Value) -> bool {
    reading::conditions(statement).iter().any(|condition| {
        matches!(
            condition.key.as_str(),
            "aws:sourcearn" | "aws:sourceaccount" | "aws:sourceorgid"
        )
    })
}

/// Where the console shows the topic's policy.
fn access_policy(topic: &TopicFacts) -> String {
    format!("SNS > Topics > {} > Edit > Access policy", last(&topic.arn))
}

fn region_of(topic: &TopicFacts) -> &str {
    Arn::parse(&topic.arn).map_or("REGION", |arn| arn.region)
}

fn attributes(topic: &TopicFacts) -> String {
    format!(
        "aws sns get-topic-attributes --region {} --topic-arn {}",
        region_of(topic),
        topic.arn
    )
}

/// The command that writes the topic's policy with the statement for S3 added to what is there; without what is there,
/// the one that shows it.
fn completed(topic: &TopicFacts, bucket: &str, account: &str) -> String {
    let Ok(Value::Object(mut document)) = serde_json::from_str(&topic.policy) else {
        return attributes(topic);
    };
    let mut statements = reading::statements(&topic.policy);
    // Another bucket's may bear the name, and SNS refuses two of the same.
    let mut sid = "HeelerLogBucket".to_owned();
    let mut number = 1;
    while statements.iter().any(|other| reading::sid(other) == sid) {
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
        region_of(topic),
        topic.arn,
        quoted(&Value::Object(document).to_string())
    )
}

fn bucket_announces_to(survey: &Survey, bucket: &Bucket, topic: &str) -> bool {
    let announces = |entry: &Entry| {
        entry.target == Target::Topic && entry.destination == topic && survey.is_announced_by(entry)
    };
    matches!(&bucket.notifications, Some(Ok(entries)) if entries.iter().any(announces))
}
