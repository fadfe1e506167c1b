//! Option s3: trail → bucket → SNS → SQS. Minutes late, and a hundredth of the cost of the other.

use super::deployment::notes;
use super::site::Site;
use super::{Kind, Pipeline, documents};
use crate::converge::Outputs;
use crate::converge::graph::{Graph, Id, Output};
use crate::resource::Mark;
use crate::resource::attachment::Attachment;
use crate::resource::bucket_notification::{BucketNotification, Told};
use crate::resource::kms_alias::KmsAlias;
use crate::resource::kms_grant::KmsGrant;
use crate::resource::kms_key::KmsKey;
use crate::resource::policy::Policy;
use crate::resource::queue::{Order, Queue, Redrive};
use crate::resource::queue_policy::QueuePolicy;
use crate::resource::role::{Role, Trusts};
use crate::resource::subscription::Subscription;
use crate::resource::topic::Topic;
use crate::resource::topic_policy::TopicPolicy;
use crate::route::Route;

pub const KIND: Kind = Kind {
    route: Route::S3,
    build,
};

/// Seconds that Heeler has to fetch a message, and to look at one that it could not read.
pub(super) const RETENTION: u32 = 7_200;
pub(super) const DEAD_LETTER_RETENTION: u32 = 345_600;
/// A message that was received four times in vain is put aside.
pub(super) const RECEIVES: u32 = 4;

#[expect(
    clippy::too_many_lines,
    reason = "the pipeline reads as one list, from top to bottom"
)]
fn build(site: &Site) -> Pipeline {
    let mark = Mark {
        option: KIND.name(),
    };
    let names = &site.names;
    let mut graph = Graph::default();

    let topic_arn = site.topic.clone().unwrap_or_else(|| site.own_topic());
    let key = graph.add(KmsKey {
        alias: names.alias(),
        description: "KMS key for encrypting SQS messages",
        policy: documents::key_for_topic(site, &topic_arn),
        mark: mark.clone(),
    });
    graph.add(KmsAlias {
        name: names.alias(),
        key: key.arn(),
        mark: mark.clone(),
    });
    // Of two runs at once only one gets the alias, and the other makes nothing more.
    graph.lock();

    let topic = match &site.topic {
        Some(arn) => {
            let id = Id {
                kind: "sns topic",
                name: crate::aws::arn::last(arn).to_owned(),
            };
            graph.given::<Topic>(id, Outputs::from([("arn", arn.clone())]))
        }
        None => graph.add(Topic {
            arn: topic_arn.clone(),
            queue: site.queue_arn(&names.queue()),
            taps: site.queue_arn(&format!("{}_", names.tap())),
            mark: mark.clone(),
        }),
    };
    let topic_policy = site.topic.is_none().then(|| {
        graph.add(TopicPolicy {
            topic: topic.arn(),
            document: documents::topic_for_bucket(site, &topic_arn),
        })
    });

    let queue_arn = site.queue_arn(&names.queue());
    let dead_arn = site.queue_arn(&names.dead_letter_queue());
    let dead = graph.add(Queue {
        policy: Some(documents::dead_letter_queue(&dead_arn)),
        arn: dead_arn,
        key: key.arn(),
        retention: DEAD_LETTER_RETENTION,
        wait: 0,
        order: Order::Any,
        dead_letters: None,
        takes_from: Some(queue_arn.clone()),
        mark: mark.clone(),
    });
    let queue = graph.add(Queue {
        arn: queue_arn.clone(),
        key: key.arn(),
        retention: RETENTION,
        wait: 10,
        order: Order::Any,
        dead_letters: Some(Redrive {
            to: dead.arn(),
            after: RECEIVES,
        }),
        takes_from: None,
        policy: None,
        mark: mark.clone(),
    });
    let queue_policy = graph.add(QueuePolicy {
        queue: queue.arn(),
        document: documents::queue_for_topic(&queue_arn, &topic_arn),
    });
    let subscription = graph.add(Subscription {
        topic: topic.arn(),
        queue: queue.arn(),
        after: vec![queue_policy.done()],
    });

    let role = graph.add(Role {
        arn: site.role_arn(&names.role()),
        description: "Role for Heeler to assume to harvest SQS queue.",
        trusts: Trusts::Heeler(site.trust.clone()),
        mark: mark.clone(),
        notes: notes(site),
    });
    let policy = graph.add(harvest_policy(site, queue_arn, key.arn(), mark));
    let attachment = graph.add(Attachment {
        role: role.arn(),
        policy: policy.arn(),
    });

    let mut complete = vec![subscription.done(), attachment.done()];
    for bucket_key in &site.bucket_keys {
        let grant = graph.add(KmsGrant {
            name: names.grant(),
            key: bucket_key.clone(),
            grantee: role.arn(),
        });
        complete.push(grant.done());
    }
    if let Some(topic_policy) = topic_policy {
        complete.push(topic_policy.done());
        graph.add(BucketNotification {
            bucket: site.bucket.clone(),
            owner: site.account.clone(),
            entry: names.notification(),
            prefix: site.log_prefix.clone(),
            topic: topic.arn(),
            after: complete,
            told: Told::default(),
        });
    }
    Pipeline {
        graph,
        queue_url: queue.url(),
        role_arn: role.arn(),
    }
}

fn harvest_policy(site: &Site, queue: String, key: Output, mark: Mark) -> Policy {
    let (at, key_arn) = (site.clone(), key.clone());
    Policy {
        arn: site.policy_arn(&site.names.policy()),
        description: "Policy to allow Heeler to harvest messages from SQS queue.",
        document: Box::new(move |known| {
            known
                .get(&key_arn)
                .map(|key| documents::harvest_from_bucket(&at, &queue, &key))
        }),
        names: vec![key],
        mark,
    }
}
