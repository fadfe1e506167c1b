//! The hops of Heeler's queue: its policy, its key, its settings, and its dead-letter queue.

use super::access::{
    AccessCheck, evaluate_access, heeler, key_policy, parse_policy, resource_side, service, via_sqs,
};
use super::function::function_role_caller;
use super::topic::with_repair;
use super::{Hop, HopDraft, HopId, HopStatus, into_hop};
use crate::aws::arn::{bucket_arn, resource_name};
use crate::iam::evaluate::{Caller, ResourcePolicy};
use crate::inventory::pipeline::{BucketDestination, PipelineFacts, PipelineSource};

/// Evaluates the queue policy: it allows the sender to send, and does not deny Heeler to receive and delete messages.
#[must_use]
pub fn queue_policy(facts: &PipelineFacts) -> Hop {
    into_hop(evaluate_queue_policy(facts))
}

fn evaluate_queue_policy(facts: &PipelineFacts) -> Result<Hop, Box<Hop>> {
    let (who, sender) = sender(facts);
    let draft = HopDraft::new(
        HopId::QueuePolicy,
        facts.queue_arn(),
        format!(
            "a policy that allows {who} sqs:SendMessage and does not deny {}",
            facts.vendor()
        ),
    );
    let queue = draft
        .require(&facts.queue, "the queue does not exist")
        .map_err(|hop| Box::new(with_repair(facts, *hop)))?;
    let policy = ResourcePolicy::Resource(parse_policy(&draft, queue.policy.as_deref())?);
    let check = |who, caller, action| AccessCheck {
        who,
        caller,
        action,
        resource: facts.queue_arn(),
        policies: resource_side(policy.clone()),
    };
    let checks = [
        check(who, sender, "sqs:SendMessage"),
        check(facts.vendor(), heeler(facts), "sqs:ReceiveMessage"),
        check(facts.vendor(), heeler(facts), "sqs:DeleteMessage"),
    ];
    let hop = evaluate_access(draft, facts, &checks, format!("{who} may send"));
    Ok(repaired(facts, hop))
}

/// Evaluates the key of the queue: it is enabled, the sender may encrypt with it, and Heeler may decrypt with it.
#[must_use]
pub fn queue_key(facts: &PipelineFacts) -> Hop {
    into_hop(evaluate_queue_key(facts))
}

fn evaluate_queue_key(facts: &PipelineFacts) -> Result<Hop, Box<Hop>> {
    let (who, sender) = sender(facts);
    let name = facts.queue_key.as_ref().map_or("", |key| key.name());
    let draft = HopDraft::new(
        HopId::QueueKey,
        name,
        format!("an enabled key that {who} and {} may use", facts.vendor()),
    );
    let queue = draft.require(&facts.queue, "the queue does not exist")?;
    let Some(key) = &facts.queue_key else {
        return Ok(if queue.has_sqs_managed_sse {
            draft.ok("the queue uses no KMS key")
        } else {
            with_repair(facts, draft.broken("the queue is not encrypted"))
        });
    };
    if key.is_managed_by_aws() {
        let is_service = matches!(facts.request.source, PipelineSource::Bucket { .. });
        return Ok(if is_service {
            let observed = format!("the queue uses the AWS managed key, which {who} may not use");
            with_repair(facts, draft.broken(observed))
        } else {
            draft.ok("AWS manages the key")
        });
    }
    let policy = key_policy(&draft, key, "")?;
    let check = |who, caller, action| AccessCheck {
        who,
        caller,
        action,
        resource: key.name().to_owned(),
        policies: resource_side(policy.clone()),
    };
    let sender = match facts.request.source {
        PipelineSource::Bucket { .. } => {
            sender.with("kms:EncryptionContext:aws:sqs:arn", facts.queue_arn())
        }
        PipelineSource::LogGroup { .. } => via_sqs(facts, sender),
    };
    let checks = [
        check(who, sender.clone(), "kms:GenerateDataKey"),
        check(who, sender, "kms:Decrypt"),
        check(facts.vendor(), via_sqs(facts, heeler(facts)), "kms:Decrypt"),
    ];
    let hop = evaluate_access(
        draft,
        facts,
        &checks,
        format!("enabled; {who} and {} may use it", facts.vendor()),
    );
    Ok(repaired(facts, hop))
}

/// Evaluates the queue: it exists and names its dead-letter queue.
#[must_use]
pub fn queue(facts: &PipelineFacts) -> Hop {
    into_hop(evaluate_queue(facts))
}

fn evaluate_queue(facts: &PipelineFacts) -> Result<Hop, Box<Hop>> {
    let draft = HopDraft::new(
        HopId::Queue,
        facts.queue_arn(),
        format!(
            "a queue whose dead-letter queue is {}",
            facts.request.dead_letter_queue
        ),
    );
    let queue = draft
        .require(&facts.queue, "the queue does not exist")
        .map_err(|hop| Box::new(with_repair(facts, *hop)))?;
    let target = queue.dead_letter_target.as_deref().map(resource_name);
    Ok(match target {
        Some(name) if name == facts.request.dead_letter_queue => draft.ok(count(queue.messages())),
        Some(name) => with_repair(
            facts,
            draft.broken(format!("the dead-letter queue is {name}")),
        ),
        None => with_repair(facts, draft.broken("the queue has no dead-letter queue")),
    })
}

/// Evaluates the dead-letter queue: it exists and is empty.
#[must_use]
pub fn dead_letter_queue(facts: &PipelineFacts) -> Hop {
    into_hop(evaluate_dead_letter_queue(facts))
}

fn evaluate_dead_letter_queue(facts: &PipelineFacts) -> Result<Hop, Box<Hop>> {
    let arn = facts.regional_arn("sqs", &facts.request.dead_letter_queue);
    let draft = HopDraft::new(HopId::DeadLetterQueue, &arn, "an empty dead-letter queue");
    let queue = draft
        .require(
            &facts.dead_letter_queue,
            "the dead-letter queue does not exist",
        )
        .map_err(|hop| Box::new(with_repair(facts, *hop)))?;
    let messages = queue.messages();
    if messages == 0 {
        return Ok(draft.ok("empty"));
    }
    let observed = format!(
        "{}, which {} received four times and did not delete",
        count(messages),
        facts.vendor()
    );
    Ok(draft.broken(observed).with_hint(format!(
        "`{}` shows the reasons; after the repair, `{}` moves the messages back",
        facts.heeler_ec_command("dlq"),
        facts.heeler_ec_command("dlq redrive")
    )))
}

/// Returns the caller that sends to the queue, and its name in messages: SNS, S3, or the role of the function.
fn sender(facts: &PipelineFacts) -> (&'static str, Caller) {
    match &facts.request.source {
        PipelineSource::Bucket {
            bucket,
            destination,
            ..
        } => match destination {
            BucketDestination::Topic(topic) => ("SNS", service(facts, "sns.amazonaws.com", topic)),
            BucketDestination::Queue { .. } => {
                let bucket = bucket_arn(&facts.request.partition, bucket);
                ("S3", service(facts, "s3.amazonaws.com", &bucket))
            }
        },
        PipelineSource::LogGroup { .. } => ("the function's role", function_role_caller(facts)),
    }
}

fn repaired(facts: &PipelineFacts, hop: Hop) -> Hop {
    match hop.status {
        HopStatus::Ok => hop,
        _ => with_repair(facts, hop),
    }
}

fn count(messages: u64) -> String {
    match messages {
        1 => "1 message".to_owned(),
        messages => format!("{messages} messages"),
    }
}
