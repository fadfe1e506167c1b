//! Switching between options as in docs/switching.md, while events arrive. No event may be lost.

use std::collections::BTreeSet;
use std::pin::pin;
use std::time::{Duration, Instant};

use aws_sdk_lambda::primitives::Blob;
use futures_util::future::{Either, select};
use serde_json::Value;

use crate::cloudwatch_end_to_end::log_delivery;
use crate::commands::heeler_ec;
use crate::commands::{counts, destroy, json, names, outputs, setup, setup_of, text};
use crate::whole_output::assert_stderr;
use snapbox::str;
use testkit::log_file::event;
use testkit::program::RUN_TIMEOUT;
use testkit::vendor::HeelerSession;
use testkit::{Engine, LogFile, Organization};

/// The options of the first deployment.
const FIRST_DEPLOYMENT: &[&str] = &[];
/// The names of the second deployment.
const SECOND_DEPLOYMENT: &[&str] = &["--name-prefix", "heeler_next"];

/// A stream of events. Each is delivered to the log group and to the bucket, as `CloudTrail` does.
struct EventStream<'w> {
    org: &'w Organization,
    delivered: Vec<String>,
}

impl<'w> EventStream<'w> {
    fn new(org: &'w Organization) -> Self {
        Self {
            org,
            delivered: Vec::new(),
        }
    }

    async fn deliver(&mut self) {
        let org = self.org;
        let member = &org.members()[0];
        let record = event(
            member,
            "us-east-1",
            "s3.amazonaws.com",
            "CreateBucket",
            false,
        );
        let id = text(&record["eventID"]);
        let group = org.log_group().expect("a log group");
        for filter in org.subscription_filters(group).await {
            let invoke = org.clients().lambda.invoke();
            let invoke = invoke.function_name(filter.destination_arn().unwrap_or_default());
            let payload = log_delivery(org, &[record.to_string()]);
            let answer = invoke.payload(Blob::new(payload.to_string())).send().await;
            let answer = answer.expect("an answer of the function");
            // This delivery was in flight when destroy deleted the subscription filter, which is its first write. Then
            // destroy removes the permissions of the function, so it fails. On AWS, the same can happen. No event is
            // lost, because it is also in the queue of the other deployment; and the queue that would have received it,
            // perhaps twice, is deleted by the same destroy.
            if let Some(error) = answer.function_error() {
                let filters = org.subscription_filters(group).await;
                assert!(!filters.contains(&filter), "{error}");
            }
        }
        org.deliver(&LogFile::new(member, "us-east-1", vec![record]))
            .await;
        self.delivered.push(id);
    }

    /// Delivers events until the work is done, and completes the last delivery.
    async fn deliver_during<T>(&mut self, work: impl Future<Output = T>) -> T {
        let mut work = pin!(work);
        loop {
            let done = {
                let deliver = pin!(self.deliver());
                match select(work.as_mut(), deliver).await {
                    Either::Left((done, deliver)) => {
                        deliver.await;
                        Some(done)
                    }
                    Either::Right(((), _)) => None,
                }
            };
            if let Some(done) = done {
                return done;
            }
        }
    }
}

/// A session of Heeler on one queue, with the IDs of the events that it received.
struct QueueReader {
    heeler: HeelerSession,
    queue: String,
    bucket: String,
    received_ids: BTreeSet<String>,
}

impl QueueReader {
    async fn connect(org: &Organization, deployment: &[&str]) -> Self {
        let run = outputs(org).args(deployment).run().await;
        let values = json(&run.expect_status(0));
        let [queue, role, id] = [
            "heeler_event_queue_url",
            "heeler_event_role_arn",
            "heeler_event_role_external_id",
        ]
        .map(|name| text(&values[name]));
        Self {
            heeler: org
                .assume_as_heeler(&role, &id)
                .await
                .expect("the role of the customer"),
            queue,
            bucket: org.bucket().to_owned(),
            received_ids: BTreeSet::new(),
        }
    }

    /// Receives messages until all of these events have arrived.
    async fn wait_for_events(&mut self, events: &[String]) {
        let began = Instant::now();
        while let Some(missing) = events
            .iter()
            .find(|event| !self.received_ids.contains(*event))
        {
            assert!(
                began.elapsed() < RUN_TIMEOUT,
                "{missing} is lost to {}",
                self.queue
            );
            let bodies = self
                .heeler
                .receive_within(&self.queue, 1, Duration::from_secs(2))
                .await;
            for body in bodies.expect("messages") {
                self.read_message(&body).await;
            }
        }
    }

    /// Reads a message: an event, or a notification of an object with events.
    async fn read_message(&mut self, body: &str) {
        let message: Value = serde_json::from_str(body).expect("a message of JSON");
        if let Some(id) = message["eventID"].as_str() {
            self.received_ids.insert(id.to_owned());
            return;
        }
        let notification: Value =
            serde_json::from_str(&text(&message["Message"])).expect("a notification");
        for record in notification["Records"].as_array().into_iter().flatten() {
            let key = text(&record["s3"]["object"]["key"]);
            let bytes = self
                .heeler
                .object(&self.bucket, &key)
                .await
                .expect("an object");
            let records = heeler_ec::cloudtrail::log_file::collect_records(&bytes, u64::MAX)
                .expect("a log file");
            for record in records {
                let record: Value = serde_json::from_str(&record).expect("a record");
                self.received_ids.insert(text(&record["eventID"]));
            }
        }
    }
}

/// Follows the steps of docs/switching.md.
async fn switch_option(from: &str, to: &str) {
    let org = Organization::on(Engine::Ministack)
        .bucket_key()
        .log_group()
        .other_notifications()
        .build()
        .await;
    let mut stream = EventStream::new(&org);
    setup_of(&org, from).run().await.expect_status(0);
    let mut old = QueueReader::connect(&org, FIRST_DEPLOYMENT).await;
    stream.deliver().await;
    old.wait_for_events(&stream.delivered).await;

    // The second deployment is set up while the first continues.
    let refused = setup_of(&org, to).run().await.expect_status(1);
    assert!(
        refused.stderr.contains("another --name-prefix"),
        "{}",
        refused.stderr
    );
    let second = setup_of(&org, to).args(SECOND_DEPLOYMENT);
    stream.deliver_during(second.run()).await.expect_status(0);
    let overlap = stream.delivered.len();
    let mut new = QueueReader::connect(&org, SECOND_DEPLOYMENT).await;
    old.wait_for_events(&stream.delivered).await;

    // From here on every event is in both queues, so Heeler can be switched at any time.
    for _ in 0..3 {
        stream.deliver().await;
    }
    old.wait_for_events(&stream.delivered).await;
    new.wait_for_events(&stream.delivered[overlap..]).await;

    // Heeler reads only the new queue, and the first deployment is destroyed.
    let destroyed = stream.deliver_during(destroy(&org).run()).await;
    destroyed.expect_status(0);
    stream.deliver().await;
    new.wait_for_events(&stream.delivered[overlap..]).await;
    let check = |args: &'static [&'static str]| {
        heeler_ec(&org)
            .args(["plan", "--check", "-o", "json"])
            .args(args)
    };
    let kept = check(SECOND_DEPLOYMENT).run().await.expect_status(0);
    assert_eq!(counts(&kept)[..2], [0, 0]);
    check(FIRST_DEPLOYMENT).run().await.expect_status(1);

    let got: BTreeSet<String> = old.received_ids.union(&new.received_ids).cloned().collect();
    assert_eq!(got, stream.delivered.iter().cloned().collect());
    let (overlap, all) = (overlap, stream.delivered.len());
    assert!(
        overlap > 1 && all > overlap + 4,
        "{overlap} of {all} events before the overlap"
    );

    destroy(&org)
        .args(SECOND_DEPLOYMENT)
        .run()
        .await
        .expect_status(0);
    assert_eq!(org.leftovers().await, Vec::<String>::new());
}

#[tokio::test]
async fn switching_s3_to_cloudwatch_loses_no_event() {
    switch_option("s3", "cloudwatch").await;
}

#[tokio::test]
async fn switching_cloudwatch_to_s3_loses_no_event() {
    switch_option("cloudwatch", "s3").await;
}

#[tokio::test]
async fn deployments_sharing_topic_are_destroyed_in_order() {
    let org = Organization::on(Engine::Ministack).build().await;
    setup(&org).run().await.expect_status(0);
    let second = setup(&org).args(SECOND_DEPLOYMENT);
    second.run().await.expect_status(0);
    let mut stream = EventStream {
        delivered: Vec::new(),
        org: &org,
    };
    let (mut one, mut other) = (
        QueueReader::connect(&org, FIRST_DEPLOYMENT).await,
        QueueReader::connect(&org, SECOND_DEPLOYMENT).await,
    );
    let member = &org.members()[0];
    let record = event(
        member,
        "us-east-1",
        "s3.amazonaws.com",
        "CreateBucket",
        false,
    );
    stream.delivered.push(text(&record["eventID"]));
    org.deliver(&LogFile::new(member, "us-east-1", vec![record]))
        .await;
    one.wait_for_events(&stream.delivered).await;
    other.wait_for_events(&stream.delivered).await;

    let refused = destroy(&org).run().await.expect_status(1);
    assert_eq!(names(&refused.writes()), Vec::<String>::new());
    assert_stderr(
        &org,
        &refused,
        str![[r"
Option s3 in account 111122223333, region us-east-1:

 - delete  iam role          heeler_event_collection_sqs_role
 - delete  kms key           heeler_kms_key_sqs  (AWS deletes it in 7 days)
 - delete  kms alias         alias/heeler_kms_key_sqs
 - delete  sns topic         heeler_event_collection_topic
 - delete  sns topic policy  heeler_event_collection_topic
 - delete  sqs queue         heeler_event_collection_queue_dlq
 - delete  sqs queue         heeler_event_collection_queue
 - delete  sqs queue policy  heeler_event_collection_queue
 - delete  sns subscription  heeler_event_collection_topic -> heeler_event_collection_queue
 - delete  iam policy        heeler_event_collection_sqs_policy
 - delete  iam attachment    heeler_event_collection_sqs_policy -> heeler_event_collection_sqs_role
 - delete  s3 notification   org-trail-logs-111122223333#heeler-ec

Destroy: 12 to delete.
error: sns topic heeler_event_collection_topic has other subscribers: sqs arn:aws:sqs:us-east-1:111122223333:heeler_next_event_collection_queue; nothing was deleted
  hint:  a second deployment shares this topic: delete it first with `heeler-ec destroy --name-prefix heeler_next`, or keep this one while the other is in use

"]],
    );
    destroy(&org)
        .args(SECOND_DEPLOYMENT)
        .run()
        .await
        .expect_status(0);
    destroy(&org).run().await.expect_status(0);
    assert_eq!(org.leftovers().await, Vec::<String>::new());
}
