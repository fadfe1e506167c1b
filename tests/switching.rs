//! From one option to the other without a lost event: docs/switching.md, with events coming in all the while.

use std::collections::BTreeSet;
use std::pin::pin;
use std::time::{Duration, Instant};

use aws_sdk_lambda::primitives::Blob;
use futures_util::future::{Either, select};
use serde_json::Value;

use crate::collect::delivery;
use testkit::vendor::HeelerSession; use crate::steps::heeler_ec;
use testkit::log_file::event;
use testkit::{Engine, LogFile, Run, Organization};
use crate::steps::{counts, destroy, json, names, setup, setup_of, text};

/// The names of the second deployment.
const SECOND: [&str; 2] = ["--name-prefix", "heeler_next"];

/// What happens in the organization, event by event: each is delivered as `CloudTrail` does, to the log group and to the
/// bucket.
struct Stream<'w> {
    org: &'w Organization,
    delivered: Vec<String>,
}

impl<'w> Stream<'w> {
    fn of(org: &'w Organization) -> Self {
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
            let payload = delivery(org, &[record.to_string()]);
            let answer = invoke.payload(Blob::new(payload.to_string())).send().await;
            let answer = answer.expect("an answer of the function");
            assert_eq!(answer.function_error(), None);
        }
        org
            .deliver(&LogFile::new(member, "us-east-1", vec![record]))
            .await;
        self.delivered.push(id);
    }

    /// Goes on until the work is done, and to the end of the event that is under way.
    async fn during<T>(&mut self, work: impl Future<Output = T>) -> T {
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

/// Heeler at one of the queues: the ids of the events that it has got.
struct Reader {
    heeler: HeelerSession,
    queue: String,
    bucket: String,
    got: BTreeSet<String>,
}

impl Reader {
    async fn of(org: &Organization, setup: &Run) -> Self {
        let values = json(setup);
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
            got: BTreeSet::new(),
        }
    }

    /// Takes messages until these events were among them.
    async fn gets(&mut self, events: &[String]) {
        let began = Instant::now();
        while let Some(missing) = events.iter().find(|event| !self.got.contains(*event)) {
            assert!(
                began.elapsed() < Duration::from_secs(60),
                "{missing} is lost to {}",
                self.queue
            );
            let bodies = self
                .heeler
                .receive(&self.queue, 1, Duration::from_secs(2))
                .await;
            for body in bodies.expect("messages") {
                self.read(&body).await;
            }
        }
    }

    /// A message is an event, or tells of an object with events.
    async fn read(&mut self, body: &str) {
        let message: Value = serde_json::from_str(body).expect("a message of JSON");
        if let Some(id) = message["eventID"].as_str() {
            self.got.insert(id.to_owned());
            return;
        }
        let notice: Value = serde_json::from_str(&text(&message["Message"])).expect("a notice");
        for told in notice["Records"].as_array().into_iter().flatten() {
            let key = text(&told["s3"]["object"]["key"]);
            let bytes = self
                .heeler
                .object(&self.bucket, &key)
                .await
                .expect("an object");
            let records = heeler_ec::tail::object::records(&bytes, u64::MAX).expect("a log file");
            for record in records {
                let record: Value = serde_json::from_str(&record).expect("a record");
                self.got.insert(text(&record["eventID"]));
            }
        }
    }
}

/// The walk through docs/switching.md.
async fn switch(from: &str, to: &str) {
    let org = Organization::on(Engine::Ministack)
        .bucket_key()
        .log_group()
        .other_notifications()
        .build()
        .await;
    let mut stream = Stream::of(&org);
    let first = setup_of(&org, from)
        .args(["-o", "json"])
        .run()
        .await
        .expect_status(0);
    let mut old = Reader::of(&org, &first).await;
    stream.deliver().await;
    old.gets(&stream.delivered).await;

    // The second is set up beside the first, which goes on.
    let refused = setup_of(&org, to).run().await.expect_status(1);
    assert!(
        refused.stderr.contains("docs/switching.md"),
        "{}",
        refused.stderr
    );
    let second = setup_of(&org, to).args(SECOND).args(["-o", "json"]);
    let second = stream.during(second.run()).await.expect_status(0);
    let overlap = stream.delivered.len();
    let mut new = Reader::of(&org, &second).await;
    old.gets(&stream.delivered).await;

    // From here on every event is in both queues, so Heeler can be switched at any time.
    for _ in 0..3 {
        stream.deliver().await;
    }
    old.gets(&stream.delivered).await;
    new.gets(&stream.delivered[overlap..]).await;

    // Heeler reads the new queue only, and the first deployment goes.
    let gone = stream.during(destroy(&org).run()).await;
    gone.expect_status(0);
    stream.deliver().await;
    new.gets(&stream.delivered[overlap..]).await;
    let check = |args: [&'static str; 2]| {
        heeler_ec(&org)
            .args(["plan", "--check", "-o", "json"])
            .args(args)
    };
    let kept = check(SECOND).run().await.expect_status(0);
    assert_eq!(counts(&kept)[..2], [0, 0]);
    check(["--name-prefix", "heeler"]).run().await.expect_status(1);

    let got: BTreeSet<String> = old.got.union(&new.got).cloned().collect();
    assert_eq!(got, stream.delivered.iter().cloned().collect());
    let (overlap, all) = (overlap, stream.delivered.len());
    assert!(
        overlap > 1 && all > overlap + 4,
        "{overlap} of {all} events before the overlap"
    );

    destroy(&org).args(SECOND).run().await.expect_status(0);
    assert_eq!(org.leftovers().await, Vec::<String>::new());
}

#[tokio::test]
async fn from_s3_to_cloudwatch_no_event_is_lost() {
    switch("s3", "cloudwatch").await;
}

#[tokio::test]
async fn from_cloudwatch_to_s3_no_event_is_lost() {
    switch("cloudwatch", "s3").await;
}

#[tokio::test]
async fn two_of_option_s3_share_a_topic_and_go_in_the_order_that_is_told() {
    let org = Organization::on(Engine::Ministack).build().await;
    let first = setup(&org).args(["-o", "json"]).run().await.expect_status(0);
    let second = setup(&org)
        .args(SECOND)
        .args(["-o", "json"])
        .run()
        .await
        .expect_status(0);
    let mut stream = Stream {
        delivered: Vec::new(),
        org: &org,
    };
    let (mut one, mut other) = (
        Reader::of(&org, &first).await,
        Reader::of(&org, &second).await,
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
    org
        .deliver(&LogFile::new(member, "us-east-1", vec![record]))
        .await;
    one.gets(&stream.delivered).await;
    other.gets(&stream.delivered).await;

    let refused = destroy(&org).run().await.expect_status(1);
    assert_eq!(names(&refused.writes()), Vec::<String>::new());
    for told in ["second deployment", "--name-prefix heeler_next"] {
        assert!(refused.stderr.contains(told), "{told}\n{}", refused.stderr);
    }
    destroy(&org).args(SECOND).run().await.expect_status(0);
    destroy(&org).run().await.expect_status(0);
    assert_eq!(org.leftovers().await, Vec::<String>::new());
}
