//! The hops of a topic: its policy, and the subscription of Heeler's queue.

use super::access::{AccessCheck, evaluate_access, parse_policy, resource_side, service};
use super::{Hop, HopDraft, HopId, HopStatus, into_hop};
use crate::aws::arn::{Arn, bucket_arn};
use crate::aws::message_filter;
use crate::iam::evaluate::ResourcePolicy;
use crate::inventory::Fact;
use crate::inventory::pipeline::{BucketDestination, PipelineFacts, PipelineSource};

/// Evaluates the topic: S3 may publish for the bucket, and may use the key of the topic.
#[must_use]
pub fn topic_policy(facts: &PipelineFacts) -> Hop {
    into_hop(evaluate_topic_policy(facts))
}

fn evaluate_topic_policy(facts: &PipelineFacts) -> Result<Hop, Box<Hop>> {
    let PipelineSource::Bucket {
        bucket,
        destination: BucketDestination::Topic(topic),
        ..
    } = &facts.request.source
    else {
        return Ok(HopDraft::new(HopId::TopicPolicy, "", "").unknown("not read"));
    };
    let draft = HopDraft::new(
        HopId::TopicPolicy,
        topic,
        format!("a policy that allows S3 to publish for bucket {bucket}"),
    );
    let found = draft
        .require(&facts.topic, "the topic does not exist")
        .map_err(|hop| Box::new(with_repair(facts, *hop)))?;
    let region = Arn::parse(topic).map_or("", |arn| arn.region);
    if region != facts.request.region {
        return Ok(draft.broken(format!(
            "the topic is in {region}, but the bucket is in {}",
            facts.request.region
        )));
    }
    let policy = parse_policy(&draft, Some(&found.policy))?;
    let bucket_arn = bucket_arn(&facts.request.partition, bucket);
    let caller = service(facts, "s3.amazonaws.com", &bucket_arn);
    let mut checks = vec![AccessCheck {
        who: "S3",
        caller: caller.clone(),
        action: "sns:Publish",
        resource: topic.clone(),
        policies: resource_side(ResourcePolicy::Resource(policy)),
    }];
    match (&found.key, &found.key_policy) {
        (Some(key), _) if key.ends_with("alias/aws/sns") => {
            return Ok(draft
                .broken("the topic is encrypted with the AWS managed key, which S3 may not use"));
        }
        (Some(_), Fact::Failed(error)) => return Ok(draft.failed(error)),
        (Some(key), Fact::Present(text)) => {
            let policy = parse_policy(&draft, Some(text))?;
            for action in ["kms:GenerateDataKey", "kms:Decrypt"] {
                checks.push(AccessCheck {
                    who: "S3",
                    caller: caller.clone(),
                    action,
                    resource: key.clone(),
                    policies: resource_side(ResourcePolicy::Key {
                        policy: policy.clone(),
                        grants: Vec::new(),
                        is_enabled: true,
                    }),
                });
            }
        }
        _ => {}
    }
    let hop = evaluate_access(draft, facts, &checks, "S3 may publish for the bucket");
    Ok(match hop.status {
        HopStatus::Ok => hop,
        _ => with_repair(facts, hop),
    })
}

/// Evaluates the subscription: it is confirmed, is without raw message delivery, and its filter policy passes the
/// events of all log objects.
#[must_use]
pub fn subscription(facts: &PipelineFacts) -> Hop {
    into_hop(evaluate_subscription(facts))
}

fn evaluate_subscription(facts: &PipelineFacts) -> Result<Hop, Box<Hop>> {
    let draft = HopDraft::new(
        HopId::Subscription,
        facts.queue_arn(),
        "a confirmed subscription that passes every log file, without raw message delivery",
    );
    let repair = |hop: Hop| with_repair(facts, hop);
    let found = draft
        .require(
            &facts.subscription,
            "the queue is not subscribed to the topic",
        )
        .map_err(|hop| Box::new(repair(*hop)))?;
    let dropping = found.filter_policy.as_ref().filter(|filter| {
        !message_filter::passes_prefix(filter, &found.filter_scope, &facts.log_prefix())
    });
    Ok(if found.is_pending {
        repair(draft.broken("pending confirmation, so SNS delivers nothing"))
    } else if found.raw_delivery {
        repair(draft.broken("raw message delivery is enabled"))
    } else if let Some(filter) = dropping {
        repair(draft.broken(format!("a filter policy drops messages: {filter}")))
    } else {
        draft.ok(match found.filter_policy {
            None => "confirmed, every message",
            Some(_) => "confirmed, every log file",
        })
    })
}

/// Adds a hint that setup repairs the resource of the hop.
pub(super) fn with_repair(facts: &PipelineFacts, hop: Hop) -> Hop {
    if hop.status == HopStatus::Unknown {
        return hop;
    }
    let plan = facts.heeler_ec_command("plan");
    hop.with_hint(format!(
        "`{plan}` shows the difference, and `{}` repairs it",
        facts.setup_command()
    ))
}
