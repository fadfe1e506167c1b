//! Reads the bucket that a trail delivers to.

mod destinations;
mod encryption;
mod member_objects;
mod own_bucket;
mod owner;

use tokio::join;

use super::Fact;
use super::facts::{BucketFacts, BucketOwner, TopicFacts};
use super::limiter::LimitedClients;
use super::read_scope::ReadScope;
use super::topic::{covering_topic, is_usable_topic, topic_facts};
use crate::aws::arn;
use crate::aws::bucket_notification::{NotificationEntry, entries};
use crate::aws::error::AwsResultExt;
use crate::error::Result;
use destinations::destinations;
use own_bucket::OwnBucket;
use owner::LocatedBucket;

pub(super) use owner::{find, find_owner};

/// Reads all facts about a bucket in its own region. `near` contains the notifications if they were read already.
pub(super) async fn inspect(
    clients: &LimitedClients,
    found: LocatedBucket,
    near: Option<Result<Vec<NotificationEntry>>>,
    scope: &ReadScope<'_>,
) -> BucketFacts {
    let (name, account) = (found.name.as_str(), scope.caller.account.as_str());
    let bucket = OwnBucket {
        clients,
        name,
        account,
    };
    // The longest chain of calls comes first.
    let (
        (notifications, topic, destinations),
        owned,
        (encryption, newest, keys),
        member_objects,
        policy,
        ownership,
        lifecycle,
        payer,
    ) = join!(
        async {
            let clients = &clients.prioritized();
            let notifications = match near {
                Some(known) => known,
                None => notifications(clients, name, account).await,
            };
            let topic = notifications
                .as_ref()
                .ok()
                .and_then(|entries| covering_topic(entries, scope, clients.region()));
            let managed = managed_destination(scope, clients.region());
            let known = [managed.as_str(), topic.as_deref().unwrap_or_default()];
            let entries = notifications.as_deref().unwrap_or_default();
            let (topic, destinations) = join!(
                async {
                    match topic.clone() {
                        // The ARN alone shows that S3 cannot publish to the topic.
                        Some(arn) if !is_usable_topic(&arn, account, clients.region()) => {
                            Fact::Present(TopicFacts::arn_only(arn))
                        }
                        Some(arn) => Fact::from_optional(topic_facts(clients, &arn, account).await),
                        None => Fact::NotRequested,
                    }
                },
                destinations(clients, entries, account, &known),
            );
            (notifications, topic, destinations)
        },
        async {
            match found.redirect_region {
                Some(_) => find_owner(clients, name, account).await.0,
                None => found.owner.clone(),
            }
        },
        bucket.encryption_facts(scope),
        bucket.member_objects(scope),
        bucket.policy(),
        bucket.object_ownership(),
        bucket.lifecycle(),
        bucket.requester_pays(),
    );
    if !matches!(owned, Ok(BucketOwner::ThisAccount { .. })) {
        return BucketFacts::not_inspected(name, owned);
    }
    BucketFacts {
        name: found.name.clone(),
        owner: owned,
        encryption: Fact::from_result(encryption),
        newest_log_object: Fact::from_optional(newest),
        member_objects,
        keys,
        notifications: Fact::from_result(notifications),
        destinations,
        topic,
        policy: Fact::from_optional(policy),
        object_ownership: Fact::from_optional(ownership),
        lifecycle: Fact::from_result(lifecycle),
        requester_pays: Fact::from_result(payer),
    }
}

/// Returns the ARN of the topic or queue that setup would create as the destination of its notification.
fn managed_destination(scope: &ReadScope<'_>, region: &str) -> String {
    let (caller, names) = (scope.caller, &scope.request.names);
    let (service, name) = match scope.request.bucket_events {
        Some(_) => ("sqs", names.queue()),
        None => ("sns", names.topic()),
    };
    arn::build(&caller.partition, service, region, &caller.account, &name)
}

/// Reads the policy of a bucket of this account.
pub(super) async fn bucket_policy(
    clients: &LimitedClients,
    name: &str,
    account: &str,
) -> Result<Option<String>> {
    let bucket = OwnBucket {
        clients,
        name,
        account,
    };
    bucket.policy().await
}

/// Reads the bucket's notifications. They are requested first, because a chain of calls may follow: the topic, its key
/// and the key policy.
pub(super) async fn notifications(
    clients: &LimitedClients,
    name: &str,
    account: &str,
) -> Result<Vec<NotificationEntry>> {
    let aws = clients.acquire().await;
    aws.s3
        .get_bucket_notification_configuration()
        .bucket(name)
        .expected_bucket_owner(account)
        .send()
        .await
        .context_for("s3:GetBucketNotification", || {
            format!("read the notification configuration of bucket {name}")
        })
        .map(|found| entries(&found))
}
