//! Checks of the bucket that the trail delivers to: whose it is, how its objects are kept, who is told of new ones.

use serde_json::Value;

use super::survey::Survey;
use super::survey::facts::{Bucket, Encryption, KeyFacts, LifecycleRule, Owned, TopicFacts};
use super::{Check, Finding, Verdict, Weight, hangs_on, reading, written};
use crate::aws::arn::{Arn, build, last};
use crate::aws::notification::{Entry, Target};

pub const CHECKS: &[Check] = &[
    Check {
        id: "bucket.named",
        says: "the bucket is the one that the trail delivers to",
        weight: Weight::Hard,
        permissions: &["cloudtrail:DescribeTrails"],
        judge: named,
    },
    Check {
        id: "bucket.owner",
        says: "the bucket belongs to this account",
        weight: Weight::Hard,
        permissions: &["s3:ListBucket", "s3:ListAllMyBuckets"],
        judge: owner,
    },
    Check {
        id: "bucket.region",
        says: "the bucket's region is known",
        weight: Weight::Hard,
        permissions: &["s3:ListBucket"],
        judge: region,
    },
    Check {
        id: "bucket.evidence",
        says: "fresh log objects are in the bucket",
        weight: Weight::Advisory,
        permissions: &["s3:ListBucket"],
        judge: evidence,
    },
    Check {
        id: "bucket.encryption",
        says: "it is known what the log objects are encrypted with",
        weight: Weight::Required,
        permissions: &["s3:GetEncryptionConfiguration", "s3:GetObject"],
        judge: encryption,
    },
    Check {
        id: "bucket.notifications",
        says: "new log objects can be announced to Heeler's topic",
        weight: Weight::Hard,
        permissions: &["s3:GetBucketNotification"],
        judge: notifications,
    },
    Check {
        id: "bucket.topic",
        says: "the existing topic can be used",
        weight: Weight::Hard,
        permissions: &["sns:GetTopicAttributes", "kms:GetKeyPolicy"],
        judge: topic,
    },
    Check {
        id: "bucket.policy",
        says: "the bucket's policy lets Heeler read",
        weight: Weight::Advisory,
        permissions: &["s3:GetBucketPolicy"],
        judge: policy,
    },
    Check {
        id: "bucket.ownership",
        says: "the log objects belong to the bucket's owner",
        weight: Weight::Advisory,
        permissions: &["s3:GetBucketOwnershipControls"],
        judge: ownership,
    },
    Check {
        id: "bucket.lifecycle",
        says: "log objects stay long enough to be read",
        weight: Weight::Advisory,
        permissions: &["s3:GetLifecycleConfiguration"],
        judge: lifecycle,
    },
    Check {
        id: "bucket.requester_pays",
        says: "Heeler can read without paying",
        weight: Weight::Required,
        permissions: &["s3:GetBucketRequestPayment"],
        judge: requester_pays,
    },
];

const QUOTA: usize = 100;

fn named(survey: &Survey) -> Verdict {
    let (Some(trail), Some(bucket)) = (survey.trail(), &survey.bucket) else {
        return hangs_on("trail.found");
    };
    if trail.bucket == bucket.name {
        return Verdict::Pass(bucket.name.clone());
    }
    Verdict::Fail(
        Finding::new(
            format!("trail {} delivers to {}", trail.name, trail.bucket),
            format!("bucket {}", bucket.name),
        )
        .because("a bucket that gets no log objects announces none")
        .advice("leave --bucket out: it is read from the trail"),
    )
}

fn owner(survey: &Survey) -> Verdict {
    let Some(bucket) = &survey.bucket else {
        return hangs_on("trail.found");
    };
    match &bucket.owned {
        Err(error) => Verdict::Unknown(error.clone()),
        Ok(Owned::Here { region }) => Verdict::Pass(format!("{} in {region}", bucket.name)),
        Ok(Owned::Elsewhere { .. }) => Verdict::Fail(
            Finding::new(
                format!("bucket {} belongs to another account", bucket.name),
                "a bucket of the management account",
            )
            .because("option s3 needs the log bucket in the management account (Heeler's prerequisite); \
                      with a bucket in a log archive account, use option cloudwatch or a second organization trail")
            .console("CloudTrail > Trails > Create trail, with a bucket of this account"),
        ),
        Ok(Owned::Missing) => Verdict::Fail(
            Finding::new(format!("bucket {} does not exist", bucket.name), "the trail's bucket")
                .because("the trail delivers to a bucket that was deleted")
                .console("CloudTrail > Trails > the trail > General details > Edit > Storage location"),
        ),
    }
}

fn region(survey: &Survey) -> Verdict {
    here(survey, |_| {
        let (region, home) = (
            survey.region().unwrap_or_default(),
            survey.trail().map(|trail| &trail.home),
        );
        Verdict::Pass(match home {
            Some(home) if home != region => {
                format!(
                    "{region}: queue, topic and key are made there; the trail's own region {home} does not matter"
                )
            }
            _ => format!("{region}: queue, topic and key are made there"),
        })
    })
}

/// The bucket, once it is known to be here.
fn here(survey: &Survey, judge: impl FnOnce(&Bucket) -> Verdict) -> Verdict {
    match &survey.bucket {
        Some(bucket) if matches!(bucket.owned, Ok(Owned::Here { .. })) => judge(bucket),
        _ => hangs_on("bucket.owner"),
    }
}

fn evidence(survey: &Survey) -> Verdict {
    here(survey, |bucket| {
        match &bucket.newest {
        None => hangs_on("bucket.owner"),
        // What was listed could not be looked at: that is the encryption's concern.
        Some(Err(error)) if error.needed_action() == Some("s3:GetObject") => {
            Verdict::Pass("there are log objects of today or yesterday".into())
        }
        Some(Err(error)) => Verdict::Unknown(error.clone()),
        Some(Ok(Some(object))) => Verdict::Pass(match object.modified {
            Some(at) => format!("{}, of {}", last(&object.name), written(at)),
            None => last(&object.name).to_owned(),
        }),
        Some(Ok(None)) if survey.is_delivering() => Verdict::Warn(
            Finding::new(
                format!("no log object of today or yesterday under {}", survey.log_prefix()),
                "log objects of the trail's own region",
            )
            .because("the trail says that it delivers; either to another place, or a rule of the bucket removes them")
            .console(format!("S3 > {} > {}", bucket.name, survey.log_prefix()))
            .settles(),
        ),
        Some(Ok(None)) => hangs_on("trail.delivery"),
    }
    })
}

fn encryption(survey: &Survey) -> Verdict {
    here(survey, |bucket| {
        let configured = match &bucket.encryption {
            None => return hangs_on("bucket.owner"),
            Some(Err(error)) => return Verdict::Unknown(error.clone()),
            Some(Ok(encryption)) => encryption,
        };
        let object = match &bucket.newest {
            Some(Err(error)) if error.needed_action() == Some("s3:GetObject") => {
                return Verdict::Unknown(error.clone());
            }
            Some(Ok(Some(object))) => Some(&object.encryption),
            _ => None,
        };
        let of_trail = survey.trail().and_then(|trail| trail.key.as_deref());
        if let Some(named) = &survey.hints.bucket_key {
            return named_key(bucket, named, of_trail, object);
        }
        let Some(object) = object else {
            return unconfirmed(of_trail, configured);
        };
        let of_bucket = match configured {
            Encryption::Kms(Some(key))
                if bucket.key(key).is_none_or(|key| !key.is_managed_by_aws()) =>
            {
                Some(key.as_str())
            }
            _ => None,
        };
        let of_object = match object {
            Encryption::Kms(Some(key)) => Some(key.as_str()),
            _ => None,
        };
        let by_aws = of_object
            .and_then(|key| bucket.key(key))
            .is_some_and(KeyFacts::is_managed_by_aws);
        let same = |one: Option<&str>, other: Option<&str>| match (one, other) {
            (Some(one), Some(other)) => same_key(bucket, one, other),
            _ => false,
        };
        match (of_trail, object) {
            (None, Encryption::S3) => Verdict::Pass("SSE-S3: no key is needed".into()),
            (None, Encryption::Kms(None)) => Verdict::Pass("SSE-KMS".into()),
            (None, Encryption::Kms(Some(_))) if by_aws => {
                Verdict::Pass("the key of AWS for S3, which needs no grant".into())
            }
            (None, Encryption::Kms(Some(key))) if same(of_object, of_bucket) => {
                Verdict::Pass(format!("SSE-KMS with the bucket's key {key}"))
            }
            (None, Encryption::Kms(Some(key))) => Verdict::Warn(changed(&format!(
                "the newest log object is encrypted with {key}, but trail and bucket say {}",
                told(configured)
            ))),
            (Some(trail_key), _) if same(of_trail, of_object) => match of_bucket {
                Some(other) if !same(of_trail, of_bucket) => {
                    Verdict::Warn(two_keys(trail_key, other))
                }
                _ => Verdict::Pass(format!("SSE-KMS with the trail's key {trail_key}")),
            },
            (Some(trail_key), other) => Verdict::Warn(changed(&format!(
                "the newest log object is encrypted with {}, but the trail has key {trail_key}",
                told(other)
            ))),
        }
    })
}

/// What shows is not what is configured.
fn changed(observed: &str) -> Finding {
    Finding::new(observed, "one way of encryption for all log objects")
        .because("it was changed lately; setup grants Heeler the use of every key that shows")
        .advice("to be sure of what comes next, wait for a delivery and run preflight again")
        .settles()
}

/// What is configured, in words.
fn told(encryption: &Encryption) -> String {
    match encryption {
        Encryption::S3 => "SSE-S3".into(),
        Encryption::Kms(None) => "the key of AWS for S3".into(),
        Encryption::Kms(Some(key)) => key.clone(),
    }
}

fn same_key(bucket: &Bucket, one: &str, other: &str) -> bool {
    one == other
        || bucket.key(one).is_some_and(|key| key.is(other))
        || bucket.key(other).is_some_and(|key| key.is(one))
}

/// The operator has named the key; what is observed has to agree.
fn named_key(
    bucket: &Bucket,
    named: &str,
    of_trail: Option<&str>,
    object: Option<&Encryption>,
) -> Verdict {
    if let Some(trail_key) = of_trail.filter(|key| !same_key(bucket, key, named)) {
        return Verdict::Fail(
            Finding::new(
                format!("the trail encrypts with {trail_key}"),
                format!("key {named}, as --bucket-kms-key says"),
            )
            .because("Heeler could not read what it is told of")
            .advice("leave --bucket-kms-key out: the key is found by itself"),
        );
    }
    match object {
        Some(Encryption::S3) if of_trail.is_none() => Verdict::Warn(
            Finding::new(
                format!("log objects are encrypted with SSE-S3, not with {named}"),
                "no --bucket-kms-key",
            )
            .because("no key is needed to read them; the grant would be of no use")
            .advice("leave --bucket-kms-key out"),
        ),
        Some(Encryption::Kms(Some(key))) if !same_key(bucket, key, named) => Verdict::Fail(
            Finding::new(
                format!("the newest log object is encrypted with {key}"),
                format!("key {named}, as --bucket-kms-key says"),
            )
            .because("Heeler could not read what it is told of")
            .advice("leave --bucket-kms-key out: the key is found by itself"),
        ),
        Some(_) => Verdict::Pass(format!("SSE-KMS with {named}")),
        None => Verdict::Warn(
            Finding::new(
                format!("{named}, as --bucket-kms-key says"),
                "a log object that confirms it",
            )
            .because("there is no log object yet to see it by")
            .advice("wait for a delivery and run preflight again")
            .settles(),
        ),
    }
}

/// Nothing was delivered yet to see it by.
fn unconfirmed(of_trail: Option<&str>, configured: &Encryption) -> Verdict {
    let found = match (of_trail, configured) {
        (Some(key), _) => format!("the trail's key {key}"),
        (None, Encryption::S3) => return Verdict::Pass("SSE-S3: no key is needed".into()),
        (None, other) => told(other),
    };
    Verdict::Warn(
        Finding::new(
            format!("{found}, by what is configured"),
            "a log object that confirms it",
        )
        .because("there is no log object of today or yesterday to see it by")
        .advice("setup goes by what is configured; to be sure, wait for a delivery and run preflight again")
        .settles(),
    )
}

fn two_keys(of_trail: &str, of_bucket: &str) -> Finding {
    Finding::new(
        format!("trail and bucket have different keys: {of_trail} and {of_bucket}"),
        "one key for all log objects",
    )
    .because(
        "log objects have the trail's, older ones and digest files may have the bucket's; setup grants Heeler the use of both",
    )
    .advice("nothing has to be done; to have one key, give the trail and the bucket the same")
}

fn notifications(survey: &Survey) -> Verdict {
    here(survey, |bucket| match &bucket.notifications {
        None => hangs_on("bucket.owner"),
        Some(Err(error)) => Verdict::Unknown(error.clone()),
        Some(Ok(entries)) => judge_entries(survey, bucket, entries),
    })
}

fn judge_entries(survey: &Survey, bucket: &Bucket, entries: &[Entry]) -> Verdict {
    let ours = survey.wanted_entry();
    if let Some(entry) = entries.iter().find(|entry| entry.id == ours.id) {
        return own_entry(survey, entry);
    }
    let others: Vec<&Entry> = entries.iter().collect();
    let overlapping: Vec<&Entry> = others
        .iter()
        .copied()
        .filter(|entry| entry.overlaps(&ours))
        .collect();
    if let Some(Ok(Some(topic))) = &bucket.topic {
        let covered = overlapping.iter().any(|entry| {
            entry.target == Target::Topic
                && entry.destination == topic.arn
                && survey.is_announced_by(entry)
        });
        if covered {
            return Verdict::Pass(format!("topic {} already gets every log object", topic.arn));
        }
    }
    if let Some(Err(_)) = &bucket.topic {
        return hangs_on("bucket.topic");
    }
    if let [first, ..] = overlapping.as_slice() {
        return Verdict::Fail(overlap(bucket, &ours, first, &overlapping));
    }
    if entries.len() >= QUOTA {
        return Verdict::Fail(
            Finding::new(
                format!("{} entries", others.len()),
                format!("fewer than {QUOTA}"),
            )
            .because("S3 allows no more entries on a bucket")
            .console(format!(
                "S3 > {} > Properties > Event notifications",
                bucket.name
            )),
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
fn overlap(bucket: &Bucket, ours: &Entry, first: &Entry, all: &[&Entry]) -> Finding {
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
    let topics = all
        .iter()
        .filter(|entry| entry.target == Target::Topic)
        .count();
    if topics > 1 {
        return finding
            .console(format!(
                "S3 > {} > Properties > Event notifications",
                bucket.name
            ))
            .advice(format!(
                "let one topic get everything under {}; setup then uses it by itself",
                ours.prefix
            ));
    }
    if first.target == Target::Topic {
        return finding
            .console(format!(
                "S3 > {} > Properties > Event notifications",
                bucket.name
            ))
            .advice(format!(
                "widen that entry: {}; setup then uses its topic by itself",
                narrow(first, ours)
            ));
    }
    let arn = Arn::parse(&first.destination);
    let region = arn.map_or("REGION", |arn| arn.region);
    let subscribe = |protocol: &str, attributes: &str| {
        format!(
            "aws sns subscribe --region {region} --topic-arn TOPIC_ARN --protocol {protocol} --notification-endpoint {}{attributes}",
            first.destination
        )
    };
    let finding = finding.cli(format!(
        "aws sns create-topic --region {region} --name cloudtrail-objects"
    ));
    let finding = if first.target == Target::Function {
        finding
            .advice(format!(
                "put a topic in front of {}, which then gets the notifications inside messages of SNS: make the topic, \
                 let it invoke the function, and let the bucket announce {} to it; setup then uses that topic by itself",
                first.destination, ours.prefix
            ))
            .cli(format!(
                "aws lambda add-permission --region {region} --function-name {} --statement-id sns --action lambda:InvokeFunction --principal sns.amazonaws.com --source-arn TOPIC_ARN",
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
    finding.cli(format!(
        "aws s3api get-bucket-notification-configuration --bucket {}",
        bucket.name
    ))
}

/// In what an entry leaves out a part of the log objects.
fn narrow(entry: &Entry, ours: &Entry) -> String {
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
fn own_entry(survey: &Survey, entry: &Entry) -> Verdict {
    let topic = survey.hints.names.topic();
    let here = Arn::parse(&entry.destination).is_some_and(|arn| {
        arn.resource == topic
            && Some(arn.account) == survey.own_account()
            && Some(arn.region) == survey.region()
    });
    if entry.target != Target::Topic || !here {
        return Verdict::Fail(
            Finding::new(
                format!("the entry {} leads to {}", entry.id, entry.destination),
                format!("an entry of that id to topic {topic}, or none"),
            )
            .because("the id is the one that setup uses, and what it leads to is not ours")
            .advice("choose other names with --name-prefix"),
        );
    }
    match survey.taken.by_check.get("names.topic") {
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

#[expect(
    clippy::case_sensitive_file_extension_comparisons,
    reason = "AWS writes the ending of a FIFO topic in lower case only"
)]
fn topic(survey: &Survey) -> Verdict {
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
    // What S3 brings along when it publishes; with any other condition it is refused.
    let fits = |statement: &Value| {
        reading::conditions(statement)
            .iter()
            .all(|(operator, key, values)| {
                let negated = operator.contains("Not");
                match key.as_str() {
                    "aws:sourcearn" => {
                        values
                            .iter()
                            .any(|value| reading::matches(value, &bucket_arn))
                            != negated
                    }
                    "aws:sourceaccount" => values.contains(&account) != negated,
                    "aws:securetransport" => values.contains(&"true"),
                    _ => false,
                }
            })
    };
    let is_bound = |statement: &Value| {
        reading::conditions(statement)
            .iter()
            .any(|(_, key, _)| matches!(key.as_str(), "aws:sourcearn" | "aws:sourceaccount"))
    };
    let statements = reading::statements(&topic.policy);
    let mut fitting: Vec<&Value> = statements
        .iter()
        .filter(|statement| {
            reading::allows(statement)
                && reading::names(statement, "Service", &["s3.amazonaws.com"])
                && reading::is_about(statement, "sns:Publish")
                && fits(statement)
        })
        .collect();
    // One that lets every bucket publish is a danger, whatever else is there.
    fitting.sort_by_key(|statement| is_bound(statement));
    let fitting = fitting.first().copied();
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
            .console("SNS > Topics > the topic > Edit > Access policy")
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
            "aws:SourceArn or aws:SourceAccount in its statement for S3",
        )
        .because("whoever owns a bucket could send Heeler notifications of his own")
        .console("SNS > Topics > the topic > Edit > Access policy"),
    )
}

/// What the policy denies to the role that Heeler comes in by.
fn policy(survey: &Survey) -> Verdict {
    here(survey, |bucket| {
        let document = match &bucket.policy {
            None => return hangs_on("bucket.owner"),
            Some(Err(error)) => return Verdict::Unknown(error.clone()),
            Some(Ok(None)) => return Verdict::Pass("it has none".into()),
            Some(Ok(Some(document))) => document,
        };
        let role = survey.harvest_role().unwrap_or_default();
        let reader = Reader {
            object: format!(
                "{}/{}object",
                build(
                    Arn::parse(&role).map_or("aws", |arn| arn.partition),
                    "s3",
                    "",
                    "",
                    &bucket.name
                ),
                survey.log_prefix()
            ),
            account: survey.own_account().unwrap_or_default(),
            organization: match &survey.account.organization {
                Ok(Some(organization)) => &organization.id,
                _ => "",
            },
            role: &role,
        };
        let statements = reading::statements(document);
        let meeting: Vec<&Value> = statements
            .iter()
            .filter(|statement| reader.is_met_by(statement))
            .collect();
        let [first, ..] = meeting.as_slice() else {
            return Verdict::Pass("it denies Heeler nothing".into());
        };
        let named: Vec<&str> = meeting
            .iter()
            .map(|statement| reading::sid(statement))
            .collect();
        let keys: Vec<String> = reading::conditions(first)
            .into_iter()
            .map(|(operator, key, values)| format!("{operator} {key} {}", values.join(" or ")))
            .collect();
        let when = if keys.is_empty() {
            "always".to_owned()
        } else {
            format!("by {}", keys.join(" and "))
        };
        Verdict::Warn(
            Finding::new(
                format!("{} denies s3:GetObject, {when}", named.join(", ")),
                "no deny that meets Heeler",
            )
            .because("Heeler reads from its own network, in the role that setup makes; a denied object is put aside after four tries")
            .console(format!("S3 > {} > Permissions > Bucket policy", bucket.name))
            .advice(format!("exempt {role} in it, by a condition on aws:PrincipalArn")),
        )
    })
}

/// Heeler, as a bucket's policy sees it.
struct Reader<'a> {
    object: String,
    account: &'a str,
    organization: &'a str,
    role: &'a str,
}

impl Reader<'_> {
    /// Whether the statement may deny it to read a log object.
    fn is_met_by(&self, statement: &Value) -> bool {
        reading::denies(statement)
            && reading::is_about(statement, "s3:GetObject")
            && reading::is_on(statement, &self.object)
            && self.is_named_by(statement)
            && reading::conditions(statement)
                .iter()
                .all(|(operator, key, values)| self.may_hold(operator, key, values))
    }

    fn is_named_by(&self, statement: &Value) -> bool {
        let root = format!(":iam::{}:root", self.account);
        if let Some(others) = statement.get("NotPrincipal") {
            return !reading::words(&others["AWS"]).contains(&self.role);
        }
        reading::names(statement, "AWS", &[self.role, self.account])
            || reading::words(&statement["Principal"]["AWS"])
                .iter()
                .any(|named| named.ends_with(&root))
    }

    /// Whether a condition of the deny may hold for it. What is not known may.
    fn may_hold(&self, operator: &str, key: &str, values: &[&str]) -> bool {
        let plain = [
            "StringEquals",
            "StringLike",
            "StringNotEquals",
            "StringNotLike",
            "ArnEquals",
            "ArnLike",
            "ArnNotEquals",
            "ArnNotLike",
        ];
        if key.starts_with("aws:principal") && !plain.contains(&operator) {
            return true;
        }
        let own = match key {
            // It comes by TLS of today, and gets no header to send.
            "aws:securetransport" | "s3:tlsversion" => return false,
            "aws:principalarn" => self.role,
            "aws:principalaccount" => self.account,
            "aws:principalorgid" if !self.organization.is_empty() => self.organization,
            _ => return true,
        };
        let named = values.iter().any(|value| reading::matches(value, own));
        if operator.contains("Not") {
            !named
        } else {
            named
        }
    }
}

fn ownership(survey: &Survey) -> Verdict {
    here(survey, |bucket| {
        let found = match &bucket.ownership {
            None => return hangs_on("bucket.owner"),
            Some(Err(error)) => return Verdict::Unknown(error.clone()),
            Some(Ok(found)) => found.as_deref(),
        };
        match found {
            Some(rule @ ("BucketOwnerEnforced" | "BucketOwnerPreferred")) => Verdict::Pass(rule.to_owned()),
            other => Verdict::Warn(
                Finding::new(
                    format!("object ownership is {}", other.unwrap_or("not set, which means ObjectWriter")),
                    "BucketOwnerEnforced",
                )
                .because("log objects belong to whoever wrote them, and are readable only by the ACL that CloudTrail sets")
                .console(format!("S3 > {} > Permissions > Object Ownership > Edit > ACLs disabled", bucket.name))
                .cli(format!(
                    "aws s3api put-bucket-ownership-controls --bucket {} --ownership-controls 'Rules=[{{ObjectOwnership=BucketOwnerEnforced}}]'",
                    bucket.name
                )),
            ),
        }
    })
}

fn lifecycle(survey: &Survey) -> Verdict {
    here(survey, |bucket| {
        let rules = match &bucket.lifecycle {
            None => return hangs_on("bucket.owner"),
            Some(Err(error)) => return Verdict::Unknown(error.clone()),
            Some(Ok(rules)) => rules,
        };
        let logs = survey.log_prefix();
        let harmful: Vec<String> = rules
            .iter()
            .filter(|rule| rule.prefix.starts_with(&logs) || logs.starts_with(&rule.prefix))
            .filter_map(harm)
            .collect();
        if harmful.is_empty() {
            return Verdict::Pass(match rules.len() {
                0 => "no rule".into(),
                1 => "1 rule, which leaves time enough".into(),
                many => format!("{many} rules, which leave time enough"),
            });
        }
        Verdict::Warn(
            Finding::new(harmful.join("; "), "log objects that can be read for more than a day")
                .because("Heeler reads them minutes after they arrive, and up to hours later when it catches up")
                .console(format!("S3 > {} > Management > Lifecycle rules", bucket.name))
                .cli(format!("aws s3api get-bucket-lifecycle-configuration --bucket {}", bucket.name)),
        )
    })
}

/// What a rule does too early, if it does.
fn harm(rule: &LifecycleRule) -> Option<String> {
    let frozen = rule
        .transitions
        .iter()
        .find(|(class, days)| matches!(class.as_str(), "GLACIER" | "DEEP_ARCHIVE") && *days == 0);
    if let Some((class, _)) = frozen {
        return Some(format!("rule {} moves objects to {class} at once", rule.id));
    }
    rule.expires_after_days
        .filter(|days| *days <= 1)
        .map(|_| format!("rule {} deletes objects after a day", rule.id))
}

fn requester_pays(survey: &Survey) -> Verdict {
    here(survey, |bucket| {
        match &bucket.requester_pays {
        None => hangs_on("bucket.owner"),
        Some(Err(error)) => Verdict::Unknown(error.clone()),
        Some(Ok(false)) => Verdict::Pass("the bucket's owner pays".into()),
        Some(Ok(true)) => Verdict::Fail(
            Finding::new("the requester pays", "the bucket's owner pays")
                .because("S3 refuses whoever does not say in each request that he will pay, and Heeler does not")
                .console(format!("S3 > {} > Properties > Requester pays > Edit > Disable", bucket.name))
                .cli(format!(
                    "aws s3api put-bucket-request-payment --bucket {} --request-payment-configuration Payer=BucketOwner",
                    bucket.name
                )),
        ),
    }
    })
}

fn bucket_announces_to(survey: &Survey, bucket: &Bucket, topic: &str) -> bool {
    let announces = |entry: &Entry| {
        entry.target == Target::Topic && entry.destination == topic && survey.is_announced_by(entry)
    };
    matches!(&bucket.notifications, Some(Ok(entries)) if entries.iter().any(announces))
}
