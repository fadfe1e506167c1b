//! The hops of a bucket: its policy, its notification, and the keys of its log objects.

use super::access::{
    AccessCheck, evaluate_access, heeler, identity_policies, in_organization, key_policy,
    parse_policy, resource_side,
};
use super::topic::with_repair;
use super::{Hop, HopDraft, HopId, into_hop};
use crate::aws::arn::{Arn, bucket_arn, resource_name};
use crate::aws::bucket_notification::{NotificationEntry, NotificationTarget, OBJECT_CREATED};
use crate::aws::key_grant_request::KeyGrantRequest;
use crate::aws::not_found;
use crate::aws::notification_filter;
use crate::iam::evaluate::{Caller, PolicySet, ResourcePolicy};
use crate::inventory::facts::{KeyFacts, Trail};
use crate::inventory::pipeline::{BucketDestination, PipelineFacts, PipelineSource};
use crate::inventory::{Fact, covers_log_objects};

/// An account ID that stands for any member account.
const ANY_MEMBER_ACCOUNT: &str = "000000000000";

/// Evaluates the bucket policy: it allows CloudTrail to write log files for every account, and does not deny Heeler
/// read access.
#[must_use]
pub fn bucket_policy(facts: &PipelineFacts) -> Hop {
    into_hop(evaluate_bucket_policy(facts))
}

fn evaluate_bucket_policy(facts: &PipelineFacts) -> Result<Hop, Box<Hop>> {
    let arn = log_bucket_arn(facts);
    let draft = HopDraft::new(
        HopId::BucketPolicy,
        &arn,
        match facts.topic_arn() {
            Some(_) => {
                "a policy that allows CloudTrail s3:PutObject and does not deny Heeler s3:GetObject"
            }
            None => "a policy that does not deny the vendor s3:GetObject",
        },
    );
    let policy = match &facts.bucket_policy {
        Fact::Failed(error) if error.has_any_code(not_found::BUCKET) => {
            return Ok(draft.broken("the bucket does not exist"));
        }
        Fact::Failed(error) => return Ok(draft.failed(error)),
        Fact::NotRequested => return Ok(draft.unknown("not read")),
        Fact::Absent => parse_policy(&draft, None)?,
        Fact::Present(text) => parse_policy(&draft, Some(text))?,
    };
    let policy = ResourcePolicy::Resource(policy);
    let hint = "change the bucket policy in its source, such as the stack that created it; setup does not change it";
    let reading = AccessCheck {
        who: facts.vendor(),
        caller: heeler(facts),
        action: "s3:GetObject",
        resource: log_object(facts),
        policies: resource_side(policy.clone()),
    };
    // Objects of any source: only the vendor's requests are known.
    if facts.topic_arn().is_none() {
        let allowed = format!("nothing denies {}", facts.vendor());
        let hop = evaluate_access(draft, facts, &[reading], allowed);
        return Ok(match hop.status {
            super::HopStatus::Ok => hop,
            _ => hop.with_hint(hint),
        });
    }
    let trail = draft.require(&facts.trail, "no trail delivers to the bucket");
    let mut checks = Vec::new();
    // The requests of CloudTrail can be evaluated only if the trail is known.
    if let Ok(trail) = &trail {
        checks = delivery_checks(facts, trail, &arn, &policy);
    }
    checks.push(reading);
    let hop = evaluate_access(
        draft.clone(),
        facts,
        &checks,
        format!("CloudTrail may write below {}", facts.log_prefix()),
    );
    Ok(match hop.status {
        super::HopStatus::Ok if trail.is_err() => {
            draft.unknown("nothing denies Heeler; without a trail, CloudTrail is not evaluated")
        }
        super::HopStatus::Ok => hop,
        _ => hop.with_hint(hint),
    })
}

/// Returns CloudTrail's requests to write log files of the trail's account and of a member account.
fn delivery_checks(
    facts: &PipelineFacts,
    trail: &Trail,
    bucket: &str,
    policy: &ResourcePolicy,
) -> Vec<AccessCheck> {
    let owner = Arn::parse(&trail.arn).map_or("", |arn| arn.account);
    let organization = organization_of(facts, trail);
    let mut accounts = vec![owner];
    if organization.is_some() {
        accounts.push(ANY_MEMBER_ACCOUNT);
    }
    let prefix = facts.log_prefix();
    let objects = accounts
        .into_iter()
        .map(|account| format!("{bucket}/{prefix}{account}/CloudTrail/object"));
    objects
        .map(|resource| AccessCheck {
            who: "CloudTrail",
            caller: in_organization(facts, Caller::trail(&trail.arn, owner)),
            action: "s3:PutObject",
            resource,
            policies: resource_side(policy.clone()),
        })
        .collect()
}

/// Evaluates the bucket notification: an entry sends a notification about every object to the topic or queue.
#[must_use]
pub fn notification(facts: &PipelineFacts) -> Hop {
    into_hop(evaluate_notification(facts))
}

fn evaluate_notification(facts: &PipelineFacts) -> Result<Hop, Box<Hop>> {
    let PipelineSource::Bucket { destination, .. } = &facts.request.source else {
        return Ok(HopDraft::new(HopId::Notification, "", "").unknown("not read"));
    };
    let prefix = facts.log_prefix();
    let queue = facts.queue_arn();
    let (target, arn, suffix) = match destination {
        BucketDestination::Topic(topic) => (NotificationTarget::Topic, topic, ""),
        BucketDestination::Queue { suffix } => (NotificationTarget::Queue, &queue, suffix.as_str()),
    };
    let name = resource_name(arn);
    let objects = match (prefix.as_str(), suffix) {
        ("", "") => "in the bucket".to_owned(),
        (_, "") => format!("below {prefix}"),
        ("", _) => format!("ending in {suffix}"),
        _ => format!("below {prefix} ending in {suffix}"),
    };
    let draft = HopDraft::new(
        HopId::Notification,
        log_bucket_arn(facts),
        format!("s3:ObjectCreated:* {objects} → {name}"),
    );
    let wanted = NotificationEntry {
        id: String::new(),
        target,
        destination: arn.clone(),
        events: vec![OBJECT_CREATED.to_owned()],
        prefix: notification_filter::encode(&prefix),
        suffix: notification_filter::encode(suffix),
    };
    let covers = |entry: &NotificationEntry| match destination {
        BucketDestination::Topic(_) => covers_log_objects(entry, &prefix),
        BucketDestination::Queue { .. } => entry.covers(&wanted),
    };
    if let Fact::Failed(error) = &facts.notifications
        && error.has_any_code(not_found::BUCKET)
    {
        return Ok(draft.broken("the bucket does not exist"));
    }
    let entries = draft.require(&facts.notifications, "no notification is configured")?;
    let to_destination = || {
        let mut all = entries.iter();
        std::iter::from_fn(move || {
            all.find(|entry| entry.target == target && entry.destination == *arn)
        })
    };
    if to_destination().any(covers) {
        return Ok(draft.ok(format!("new objects {objects} → {name}")));
    }
    let hop = match to_destination().next() {
        None => draft.broken(format!("no notification names {} {name}", target.name())),
        Some(entry) => draft.broken(format!(
            "the notification sends {} with prefix {:?} and suffix {:?}, which is not every {}",
            entry.events.join(", "),
            entry.prefix,
            entry.suffix,
            match destination {
                BucketDestination::Topic(_) => "log file",
                BucketDestination::Queue { .. } => "object",
            }
        )),
    };
    Ok(with_repair(facts, hop))
}

/// Evaluates the keys of the log objects: they are enabled, CloudTrail may encrypt with them, and Heeler may decrypt
/// with them.
#[must_use]
pub fn log_key(facts: &PipelineFacts) -> Hop {
    let expected = "keys that are enabled and that the role may use";
    let first = facts.log_keys.first().map_or("", KeyFacts::name);
    let draft = HopDraft::new(HopId::LogKey, first, expected);
    let mut unknown = None;
    for key in &facts.log_keys {
        let hop = into_hop(evaluate_log_key(facts, key));
        match hop.status {
            super::HopStatus::Ok => {}
            super::HopStatus::Broken => return hop,
            _ => unknown = unknown.or(Some(hop)),
        }
    }
    match (unknown, facts.log_keys.len()) {
        (Some(hop), _) => hop,
        (None, 0) => draft.ok("no customer managed key"),
        (None, 1) => draft.ok(format!("{} may decrypt the log files", facts.vendor())),
        (None, count) => draft.ok(format!(
            "{} may decrypt with all {count} keys",
            facts.vendor()
        )),
    }
}

fn evaluate_log_key(facts: &PipelineFacts, key: &KeyFacts) -> Result<Hop, Box<Hop>> {
    let draft = HopDraft::new(
        HopId::LogKey,
        key.name(),
        "an enabled key that CloudTrail may encrypt with and the role may decrypt with",
    );
    if key.is_managed_by_aws() {
        return Ok(draft.ok("AWS manages the key"));
    }
    let request = grant_request(facts, key);
    if let Some(request) = &request
        && (key.key.present().is_none() || key.grants.present().is_none())
    {
        let observed = format!(
            "the key belongs to account {}, and its grants cannot be read from here",
            request.owner()
        );
        return Ok(draft.unknown(observed).with_hint(owner_hint(request)));
    }
    if let Fact::Failed(error) = &key.grants {
        return Ok(draft.failed(error));
    }
    let caller = heeler_via_s3(facts, key, &log_object(facts));
    let grantee = facts
        .role
        .role
        .present()
        .map_or_else(String::new, |role| role.arn.clone());
    let policy = key_policy(&draft, key, &grantee)?;
    let (identity, boundary) = identity_policies(&facts.role);
    let mut checks = vec![AccessCheck {
        who: facts.vendor(),
        caller,
        action: "kms:Decrypt",
        resource: key.name().to_owned(),
        policies: PolicySet {
            boundary,
            ..PolicySet::new(identity, policy.clone())
        },
    }];
    if let Some(trail) = encrypting_trail(facts, key) {
        let owner = Arn::parse(&trail.arn).map_or("", |arn| arn.account);
        checks.push(AccessCheck {
            who: "CloudTrail",
            caller: in_organization(facts, Caller::trail(&trail.arn, owner)),
            action: "kms:GenerateDataKey",
            resource: key.name().to_owned(),
            policies: resource_side(policy),
        });
    }
    let hop = evaluate_access(
        draft,
        facts,
        &checks,
        format!("{} may decrypt the log files", facts.vendor()),
    );
    Ok(match hop.status {
        super::HopStatus::Ok => hop,
        _ if !key.has_decrypt_grant() && request.is_some() => {
            hop.with_hint(request.as_ref().map_or_else(String::new, owner_hint))
        }
        _ => hop.with_hint(format!(
            "`{}` creates the grant again; `{}` shows what is missing",
            facts.setup_command(),
            facts.heeler_ec_command("plan")
        )),
    })
}

/// Returns the grant that the owner of a key in another account has to create.
fn grant_request(facts: &PipelineFacts, key: &KeyFacts) -> Option<KeyGrantRequest> {
    match &facts.request.source {
        PipelineSource::Bucket { grant, .. } => {
            KeyGrantRequest::for_key(key.name(), &facts.request.role_arn, grant)
        }
        PipelineSource::LogGroup { .. } => None,
    }
}

/// Returns the commands for the owner of a key.
fn owner_hint(request: &KeyGrantRequest) -> String {
    format!(
        "the owner of the key creates the grant with `{}`; `{}` shows whether it exists",
        request.create_command(),
        request.list_command()
    )
}

/// Returns Heeler as the caller for whom S3 calls KMS to decrypt a log object. `object` is the ARN of the log object.
pub(super) fn heeler_via_s3(facts: &PipelineFacts, key: &KeyFacts, object: &str) -> Caller {
    let region = &facts.request.region;
    let caller = heeler(facts).via_service(&format!("s3.{region}.amazonaws.com"));
    let caller = match key.owner() {
        Some(owner) => caller.with("aws:ResourceAccount", owner),
        None => caller,
    };
    // With an S3 Bucket Key, the encryption context has the ARN of the bucket instead of the object.
    let context = caller.context.with_one_of(
        "kms:EncryptionContext:aws:s3:arn",
        [object.to_owned(), log_bucket_arn(facts)],
    );
    let caller = Caller { context, ..caller };
    match encrypting_trail(facts, key) {
        Some(trail) => caller.with("kms:EncryptionContext:aws:cloudtrail:arn", &trail.arn),
        None => caller,
    }
}

/// Returns the trail if it encrypts its log files with this key.
fn encrypting_trail<'a>(facts: &'a PipelineFacts, key: &KeyFacts) -> Option<&'a Trail> {
    let trail = facts.trail.present()?;
    let own = trail.kms_key.as_deref()?;
    key.has_name(own).then_some(trail)
}

fn organization_of<'a>(facts: &'a PipelineFacts, trail: &Trail) -> Option<&'a str> {
    let organization = facts.organization.present()?;
    trail.is_organization.then_some(organization.id.as_str())
}

/// Returns the ARN of the bucket.
fn log_bucket_arn(facts: &PipelineFacts) -> String {
    match &facts.request.source {
        PipelineSource::Bucket { bucket, .. } => bucket_arn(&facts.request.partition, bucket),
        PipelineSource::LogGroup { .. } => String::new(),
    }
}

/// Returns the ARN of an example log object, which stands for all log objects.
pub(super) fn log_object(facts: &PipelineFacts) -> String {
    let suffix = match &facts.request.source {
        PipelineSource::Bucket {
            destination: BucketDestination::Queue { suffix },
            ..
        } => suffix,
        _ => "",
    };
    let (bucket, prefix) = (log_bucket_arn(facts), facts.log_prefix());
    format!("{bucket}/{prefix}object{suffix}")
}
