//! Reads every resource of a deployment, from its trail to the role that Heeler assumes, with concurrent calls.

mod facts;
mod function;
mod metrics;
mod queue;
mod role;
mod subscription;

use std::time::SystemTime;

use futures_util::future::join_all;
use tokio::{join, try_join};

use super::bucket::{bucket_policy, notifications};
use super::facts::{
    KeyFacts, LogGroupSettings, Organization, SubscriptionFilterFacts, TopicFacts, Trail,
    TrailStatus,
};
use super::limiter::LimitedClients;
use super::{Fact, key, log_objects, logs, topic, trail};
use crate::aws::bucket_notification::NotificationEntry;
use crate::aws::{Aws, arn};
use crate::error::Result;
pub use facts::{
    BucketDestination, FunctionFacts, PipelineFacts, PipelineRequest, PipelineSource, QueueFacts,
    RoleDetails, RoleFacts, SubscriptionFacts, TrafficFacts, TrafficMetric,
};
pub use metrics::WINDOW_SECONDS;
pub(in crate::inventory) use role::role_policies;

/// Reads the facts about every hop. A failed call affects only its own fact. `aws` has the clients for the region of
/// the deployment.
pub async fn read(aws: &Aws, request: PipelineRequest) -> PipelineFacts {
    let clients = &LimitedClients::new(aws);
    let now = SystemTime::now();
    let (start, source, queue, dead_letter_queue, role, traffic) = join!(
        read_trail(clients, &request),
        read_source(clients, &request),
        read_queue(clients, &request.queue),
        queue::queue_facts(clients, &request.dead_letter_queue),
        role::role_facts(clients, &request.role),
        metrics::traffic(clients, &request, now),
    );
    let (queue, queue_key) = queue;
    PipelineFacts {
        now,
        management: aws.management_identity().cloned(),
        organization: start.organization,
        trail: start.trail,
        trail_status: start.status,
        bucket_policy: source.bucket_policy,
        notifications: source.notifications,
        topic: source.topic,
        subscription: source.subscription,
        log_group: source.log_group,
        subscription_filters: source.subscription_filters,
        function: source.function,
        function_policy: source.function_policy,
        function_role: source.function_role,
        queue,
        dead_letter_queue: Fact::from_optional(dead_letter_queue),
        queue_key,
        role,
        log_keys: start.log_keys,
        traffic: Fact::from_result(traffic),
        request,
    }
}

/// The trail, and the keys that it names.
struct TrailReads {
    organization: Fact<Organization>,
    trail: Fact<Trail>,
    status: Fact<TrailStatus>,
    log_keys: Vec<KeyFacts>,
}

async fn read_trail(clients: &LimitedClients, request: &PipelineRequest) -> TrailReads {
    let (organization, found) = join!(trail::organization(clients), trail::trails(clients, None));
    let found = found.map(|trails| select_trail(request, trails));
    let trail = Fact::from_optional(found);
    let present = trail.present();
    let mut keys: Vec<&str> = match &request.source {
        PipelineSource::Bucket { log_keys, .. } => log_keys.iter().map(String::as_str).collect(),
        PipelineSource::LogGroup { .. } => Vec::new(),
    };
    if let (PipelineSource::Bucket { .. }, Some(key)) = (
        &request.source,
        present.and_then(|trail| trail.kms_key.as_deref()),
    ) && !keys
        .iter()
        .any(|known| *known == key || known.ends_with(&format!("/{key}")))
    {
        keys.push(key);
    }
    let keys = keys
        .into_iter()
        .map(|key| key::inspect(clients, key, &request.account, &request.role_arn));
    let (status, log_keys) = join!(
        async {
            match present {
                Some(trail) => {
                    let home = clients.in_region(&trail.home_region);
                    Fact::from_result(trail::trail_status(&home, trail).await)
                }
                None => Fact::NotRequested,
            }
        },
        join_all(keys)
    );
    TrailReads {
        organization: Fact::from_optional(organization),
        trail,
        status,
        log_keys,
    }
}

/// Returns the trail that delivers to the deployment. If there are several, it prefers a trail of the organization, and
/// then a trail with the log prefix of the deployment.
fn select_trail(request: &PipelineRequest, trails: Vec<Trail>) -> Option<Trail> {
    match &request.source {
        PipelineSource::Bucket {
            bucket, log_prefix, ..
        } => trails
            .into_iter()
            .filter(|trail| trail.bucket == *bucket && announces(request, trail))
            .max_by_key(|trail| {
                // The known prefix may have the ID of the organization at its end.
                let has_prefix =
                    log_prefix.starts_with(&log_objects::log_prefix(Some(trail), None));
                (trail.is_organization, has_prefix)
            }),
        PipelineSource::LogGroup { log_group, .. } => {
            let ending = format!(":log-group:{log_group}");
            let delivers = |trail: &Trail| {
                let group = trail.log_group.as_deref();
                group.is_some_and(|group| group.ends_with(&ending))
            };
            trails
                .into_iter()
                .filter(delivers)
                .max_by_key(|trail| trail.is_organization)
        }
    }
}

/// Returns true if the bucket notification may announce log files of the trail.
fn announces(request: &PipelineRequest, trail: &Trail) -> bool {
    match &request.source {
        PipelineSource::Bucket {
            destination: BucketDestination::Queue { .. },
            log_prefix,
            ..
        } => {
            let logs = log_objects::log_prefix(Some(trail), None);
            logs.starts_with(log_prefix.as_str()) || log_prefix.starts_with(&logs)
        }
        _ => true,
    }
}

/// Reads the current log prefix of the trail that delivers to the deployment. Returns `None` if no trail delivers to it,
/// or if the caller may not read the trails or the organization.
///
/// # Errors
/// If a call fails for another reason.
pub async fn current_log_prefix(aws: &Aws, request: &PipelineRequest) -> Result<Option<String>> {
    match read_log_prefix(aws, request).await {
        Err(refusal) if refusal.is_denied() => Ok(None),
        prefix => prefix,
    }
}

/// Reads the current log prefix of the trail that delivers to the deployment. Returns `None` if no trail delivers to it.
///
/// # Errors
/// If a call fails.
pub async fn read_log_prefix(aws: &Aws, request: &PipelineRequest) -> Result<Option<String>> {
    let clients = &LimitedClients::new(aws);
    let (organization, trails) =
        try_join!(trail::organization(clients), trail::trails(clients, None))?;
    let trail = select_trail(request, trails);
    Ok(trail.map(|trail| log_objects::log_prefix(Some(&trail), organization.as_ref())))
}

/// Counts the messages of a queue. Returns `None` if the queue does not exist.
///
/// # Errors
/// If SQS refuses a call.
pub async fn count_messages_of(aws: &Aws, name: &str) -> Result<Option<u64>> {
    let found = queue::queue_facts(&LimitedClients::new(aws), name).await?;
    Ok(found.map(|queue| queue.messages()))
}

/// Reads keys of log objects that the facts do not contain, each with its policy and the grants of the role.
pub async fn read_log_keys(
    aws: &Aws,
    request: &PipelineRequest,
    keys: impl IntoIterator<Item = String>,
) -> Vec<KeyFacts> {
    let clients = &LimitedClients::new(aws);
    let reads = keys.into_iter().map(async |asked| {
        key::inspect(clients, &asked, &request.account, &request.role_arn).await
    });
    join_all(reads).await
}

/// The facts about the resources between the trail and the queue. Facts about the other kind of source are not
/// requested.
#[derive(Default)]
struct SourceReads {
    bucket_policy: Fact<String>,
    notifications: Fact<Vec<NotificationEntry>>,
    topic: Fact<TopicFacts>,
    subscription: Fact<SubscriptionFacts>,
    log_group: Fact<LogGroupSettings>,
    subscription_filters: Fact<Vec<SubscriptionFilterFacts>>,
    function: Fact<FunctionFacts>,
    function_policy: Fact<String>,
    function_role: RoleFacts,
}

async fn read_source(clients: &LimitedClients, request: &PipelineRequest) -> SourceReads {
    let account = &request.account;
    match &request.source {
        PipelineSource::Bucket {
            bucket,
            destination: BucketDestination::Queue { .. },
            ..
        } => {
            let (policy, notifications) = join!(
                bucket_policy(clients, bucket, account),
                notifications(clients, bucket, account),
            );
            SourceReads {
                bucket_policy: Fact::from_optional(policy),
                notifications: Fact::from_result(notifications),
                ..SourceReads::default()
            }
        }
        PipelineSource::Bucket {
            bucket,
            destination: BucketDestination::Topic(topic),
            ..
        } => {
            let queue = arn::build(
                &request.partition,
                "sqs",
                &request.region,
                account,
                &request.queue,
            );
            let (policy, notifications, topic, subscription) = join!(
                bucket_policy(clients, bucket, account),
                notifications(clients, bucket, account),
                topic::topic_facts(clients, topic, account),
                subscription::subscription_facts(clients, topic, &queue),
            );
            SourceReads {
                bucket_policy: Fact::from_optional(policy),
                notifications: Fact::from_result(notifications),
                topic: Fact::from_optional(topic),
                subscription: Fact::from_optional(subscription),
                ..SourceReads::default()
            }
        }
        PipelineSource::LogGroup {
            log_group,
            function,
            function_role,
            ..
        } => {
            let (group, filters, found, policy, role) = join!(
                logs::log_group_settings(clients, log_group),
                logs::subscription_filters(clients, log_group),
                function::function_facts(clients, function),
                function::function_policy(clients, function),
                role::role_facts(clients, function_role),
            );
            SourceReads {
                log_group: Fact::from_optional(group),
                subscription_filters: Fact::from_result(filters),
                function: Fact::from_optional(found),
                function_policy: Fact::from_optional(policy),
                function_role: role,
                ..SourceReads::default()
            }
        }
    }
}

/// Reads Heeler's queue, and then the key that it names.
async fn read_queue(clients: &LimitedClients, name: &str) -> (Fact<QueueFacts>, Option<KeyFacts>) {
    let found: Result<Option<QueueFacts>> = queue::queue_facts(clients, name).await;
    let found = Fact::from_optional(found);
    let key = match found.present().and_then(|queue| queue.key.as_deref()) {
        Some(asked) => Some(key::inspect_with_policy(clients, asked).await),
        None => None,
    };
    (found, key)
}
