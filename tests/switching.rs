//! From one option to the other without a lost event: docs/switching.md, with events coming in all the while.

use std::collections::BTreeSet;
use std::pin::pin;
use std::time::{Duration, Instant};

use aws_sdk_lambda::primitives::Blob;
use futures_util::future::{Either, select};
use serde_json::Value;

use crate::collect::delivery;
use crate::harness::heeler::Harvest;
use crate::harness::object::event;
use crate::harness::{Engine, Heeler, Object, Run, World};
use crate::steps::{counts, destroy, json, names, setup, setup_of, text};

/// The names of the second deployment.
const SECOND: [&str; 2] = ["--name-prefix", "heeler_next"];

/// What happens in the organization, event by event: each is delivered as `CloudTrail` does, to the log group and to the
/// bucket.
struct Stream<'w> {
    world: &'w World,
    delivered: Vec<String>,
}

impl<'w> Stream<'w> {
    fn of(world: &'w World) -> Self {
        Self {
            world,
            delivered: Vec::new(),
        }
    }

    async fn deliver(&mut self) {
        let world = self.world;
        let member = &world.members()[0];
        let record = event(
            member,
            "us-east-1",
            "s3.amazonaws.com",
            "CreateBucket",
            false,
        );
        let id = text(&record["eventID"]);
        let group = world.log_group().expect("a log group");
        for filter in world.filters(group).await {
            let invoke = world.clients().lambda.invoke();
            let invoke = invoke.function_name(filter.destination_arn().unwrap_or_default());
            let payload = delivery(world, &[record.to_string()]);
            let answer = invoke.payload(Blob::new(payload.to_string())).send().await;
            let answer = answer.expect("an answer of the function");
            assert_eq!(answer.function_error(), None);
        }
        world
            .deliver(&Object::new(member, "us-east-1", vec![record]))
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
    heeler: Harvest,
    queue: String,
    bucket: String,
    got: BTreeSet<String>,
}

impl Reader {
    async fn of(world: &World, setup: &Run) -> Self {
        let values = json(setup);
        let [queue, role, id] = [
            "heeler_event_queue_url",
            "heeler_event_role_arn",
            "heeler_event_role_external_id",
        ]
        .map(|name| text(&values[name]));
        Self {
            heeler: world
                .harvest(&role, &id)
                .await
                .expect("the role of the customer"),
            queue,
            bucket: world.bucket().to_owned(),
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
            let records = heeler_ec::tail::decode::records(&bytes, u64::MAX).expect("a log file");
            for record in records {
                let record: Value = serde_json::from_str(record.json()).expect("a record");
                self.got.insert(text(&record["eventID"]));
            }
        }
    }
}

/// The walk through docs/switching.md.
async fn switch(from: &str, to: &str) {
    let world = World::on(Engine::Ministack)
        .bucket_key()
        .log_group()
        .foreign_notifications()
        .build()
        .await;
    let mut stream = Stream::of(&world);
    let first = setup_of(&world, from)
        .args(["-o", "json"])
        .run()
        .await
        .ended(0);
    let mut old = Reader::of(&world, &first).await;
    stream.deliver().await;
    old.gets(&stream.delivered).await;

    // The second is set up beside the first, which goes on.
    let refused = setup_of(&world, to).run().await.ended(1);
    assert!(
        refused.stderr.contains("docs/switching.md"),
        "{}",
        refused.stderr
    );
    let second = setup_of(&world, to).args(SECOND).args(["-o", "json"]);
    let second = stream.during(second.run()).await.ended(0);
    let overlap = stream.delivered.len();
    let mut new = Reader::of(&world, &second).await;
    old.gets(&stream.delivered).await;

    // From here on every event is in both queues, so Heeler can be switched at any time.
    for _ in 0..3 {
        stream.deliver().await;
    }
    old.gets(&stream.delivered).await;
    new.gets(&stream.delivered[overlap..]).await;

    // Heeler reads the new queue only, and the first deployment goes.
    let gone = stream.during(destroy(&world).run()).await;
    gone.ended(0);
    stream.deliver().await;
    new.gets(&stream.delivered[overlap..]).await;
    let check = |args: [&'static str; 2]| {
        Heeler::new(&world)
            .args(["plan", "--check", "-o", "json"])
            .args(args)
    };
    let kept = check(SECOND).run().await.ended(0);
    assert_eq!(counts(&kept)[..2], [0, 0]);
    check(["--name-prefix", "heeler"]).run().await.ended(1);

    let got: BTreeSet<String> = old.got.union(&new.got).cloned().collect();
    assert_eq!(got, stream.delivered.iter().cloned().collect());
    let (overlap, all) = (overlap, stream.delivered.len());
    assert!(
        overlap > 1 && all > overlap + 4,
        "{overlap} of {all} events before the overlap"
    );

    destroy(&world).args(SECOND).run().await.ended(0);
    assert_eq!(world.leftovers().await, Vec::<String>::new());
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
    let world = World::on(Engine::Ministack).build().await;
    let first = setup(&world).args(["-o", "json"]).run().await.ended(0);
    let second = setup(&world)
        .args(SECOND)
        .args(["-o", "json"])
        .run()
        .await
        .ended(0);
    let mut stream = Stream {
        delivered: Vec::new(),
        world: &world,
    };
    let (mut one, mut other) = (
        Reader::of(&world, &first).await,
        Reader::of(&world, &second).await,
    );
    let member = &world.members()[0];
    let record = event(
        member,
        "us-east-1",
        "s3.amazonaws.com",
        "CreateBucket",
        false,
    );
    stream.delivered.push(text(&record["eventID"]));
    world
        .deliver(&Object::new(member, "us-east-1", vec![record]))
        .await;
    one.gets(&stream.delivered).await;
    other.gets(&stream.delivered).await;

    let refused = destroy(&world).run().await.ended(1);
    assert_eq!(names(&refused.writes()), Vec::<String>::new());
    for told in ["second deployment", "--name-prefix heeler_next"] {
        assert!(refused.stderr.contains(told), "{told}\n{}", refused.stderr);
    }
    destroy(&world).args(SECOND).run().await.ended(0);
    destroy(&world).run().await.ended(0);
    assert_eq!(world.leftovers().await, Vec::<String>::new());
}
