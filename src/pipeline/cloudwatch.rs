//! Option cloudwatch: trail → log group → function → SQS FIFO. Events come within a minute or so, and cost per GB.

use super::deployment::notes;
use super::s3::{DEAD_LETTER_RETENTION, RECEIVES, RETENTION};
use super::site::Site;
use super::{Kind, Pipeline, cloudwatch_filter, documents, function};
use crate::converge::graph::{Graph, Handle, Output};
use crate::resource::Mark;
use crate::resource::attachment::Attachment;
use crate::resource::function::Function;
use crate::resource::kms_alias::KmsAlias;
use crate::resource::kms_key::KmsKey;
use crate::resource::permission::Permission;
use crate::resource::policy::Policy;
use crate::resource::queue::{Order, Queue, Redrive};
use crate::resource::queue_policy::QueuePolicy;
use crate::resource::role::{Role, Trusts};
use crate::resource::subscription_filter::SubscriptionFilter;
use crate::route::Route;

pub const KIND: Kind = Kind {
    route: Route::CloudWatch,
    build,
};

#[expect(
    clippy::too_many_lines,
    reason = "the pipeline reads as one list, from top to bottom"
)]
fn build(site: &Site) -> Pipeline {
    let mark = Mark {
        option: KIND.name(),
    };
    let names = &site.names;
    let group = site.log_group.clone().unwrap_or_default();
    let mut graph = Graph::default();

    let key = graph.add(KmsKey {
        alias: names.alias(),
        description: "KMS key for encrypting SQS messages",
        policy: documents::key_for_account(site),
        mark: mark.clone(),
    });
    graph.add(KmsAlias {
        name: names.alias(),
        key: key.arn(),
        mark: mark.clone(),
    });
    // Of two runs at once only one gets the alias, and the other makes nothing more.
    graph.lock();

    let queue_arn = site.queue_arn(&names.fifo_queue());
    let dead_arn = site.queue_arn(&names.dead_letter_fifo_queue());
    let dead = graph.add(Queue {
        policy: Some(documents::dead_letter_queue(&dead_arn)),
        arn: dead_arn,
        key: key.arn(),
        retention: DEAD_LETTER_RETENTION,
        wait: 0,
        order: Order::Fifo {
            deduplicates: false,
        },
        dead_letters: None,
        takes_from: Some(queue_arn.clone()),
        mark: mark.clone(),
    });
    let queue = graph.add(Queue {
        arn: queue_arn.clone(),
        key: key.arn(),
        retention: RETENTION,
        wait: 10,
        // CloudWatch Logs may deliver an event twice; the same body is taken once.
        order: Order::Fifo { deduplicates: true },
        dead_letters: Some(Redrive {
            to: dead.arn(),
            after: RECEIVES,
        }),
        takes_from: None,
        policy: None,
        mark: mark.clone(),
    });
    let function_role_arn = site.role_arn(&names.function_role());
    let queue_policy = graph.add(QueuePolicy {
        queue: queue.arn(),
        document: documents::queue_for_function(site, &queue_arn, &function_role_arn),
    });

    let role = graph.add(Role {
        arn: site.role_arn(&names.role()),
        description: "Role for Heeler to assume to harvest SQS queue.",
        trusts: Trusts::Heeler(site.trust.clone()),
        mark: mark.clone(),
        notes: notes(site),
    });
    let policy = graph.add(written(
        site,
        &names.policy(),
        "Policy to allow Heeler to harvest messages from SQS queue.",
        documents::harvest_messages,
        &key,
        &mark,
    ));
    let attachment = graph.add(Attachment {
        role: role.arn(),
        policy: policy.arn(),
    });

    let function_role = graph.add(Role {
        arn: function_role_arn,
        description: "Role for Heeler Event Collection Lambda to assume",
        trusts: Trusts::Lambda,
        mark: mark.clone(),
        notes: Vec::new(),
    });
    let function_policy = graph.add(written(
        site,
        &names.function_policy(),
        "Policy to allow Heeler Event Collection Lambda to read from Cloudwatch logs and send processed messages to Heeler SQS for harvest.",
        documents::collect,
        &key,
        &mark,
    ));
    let function_attachment = graph.add(Attachment {
        role: function_role.arn(),
        policy: function_policy.arn(),
    });
    let collector = graph.add(Function {
        arn: site.function_arn(),
        description: "Heeler Event Collection Lambda to read from Cloudwatch logs and send processed messages to Heeler SQS for harvest.",
        handler: function::HANDLER,
        runtime: "python3.12",
        memory: 128,
        timeout: 10,
        role: function_role.arn(),
        code: function::code(),
        code_sha256: function::sha256(),
        variables: vec![(function::QUEUE_URL, queue.url())],
        mark,
        tags: vec![("Name", "HeelerEventCollection")],
        after: vec![function_attachment.done()],
    });
    let permission = graph.add(Permission {
        function: collector.arn(),
        sid: "InvokePermissionsForCW",
        principal: "logs.amazonaws.com",
        source: site.log_group_arn(&group),
        account: site.account.clone(),
    });
    graph.add(SubscriptionFilter {
        log_group: group,
        name: names.subscription_filter(),
        pattern: cloudwatch_filter::HEELER_PATTERN,
        function: collector.arn(),
        // From the first event on, everything has to be there.
        after: vec![permission.done(), queue_policy.done(), attachment.done()],
    });
    Pipeline {
        graph,
        queue_url: queue.url(),
        role_arn: role.arn(),
    }
}

/// A policy on the queue and its key.
fn written(
    site: &Site,
    name: &str,
    description: &'static str,
    document: fn(&Site, &str, &str) -> serde_json::Value,
    key: &Handle<KmsKey>,
    mark: &Mark,
) -> Policy {
    let (at, queue, key): (Site, String, Output) = (
        site.clone(),
        site.queue_arn(&site.names.fifo_queue()),
        key.arn(),
    );
    let known_key = key.clone();
    Policy {
        arn: site.policy_arn(name),
        description,
        document: Box::new(move |known| {
            known.get(&known_key).map(|key| document(&at, &queue, &key))
        }),
        names: vec![key],
        mark: mark.clone(),
    }
}
