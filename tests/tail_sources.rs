//! Where tail looks for events when it is asked to: the bucket, Heeler's own queue, further back in the log group.

use std::collections::HashMap;
use std::time::Duration;

use aws_sdk_sqs::types::{MessageSystemAttributeName, QueueAttributeName};
use serde_json::Value;

use crate::harness::object::event;
use crate::harness::{Call, Engine, Fault, Heeler, Object, Run, What, World};
use crate::steps::{names, setup, setup_of, sorted};

const QUEUE: &str = "heeler_event_collection_queue";
const FIFO: &str = "heeler_event_collection_queue.fifo";

#[tokio::test]
async fn the_bucket_is_listed_and_nothing_is_made() {
    let world = set_up().await;
    let (here, there) = (file(&world, "us-east-1"), file(&world, "eu-west-1"));
    world.deliver(&here).await;
    world.deliver(&there).await;
    let run = tail(
        &world,
        &[
            "--source",
            "bucket",
            "-o",
            "json",
            "--limit",
            "2",
            "--event",
            "CreateUser",
        ],
    )
    .await;
    let run = run.ended(0);
    let delivered = here.records.iter().chain(&there.records);
    assert_eq!(
        sorted(run.stdout.lines()),
        sorted(delivered.map(Value::to_string))
    );
    assert!(run.writes().is_empty(), "{:?}", names(&run.writes()));
    assert!(
        run.stderr.contains(" read + 0 skipped + 0 failed."),
        "{}",
        run.stderr
    );
}

#[tokio::test]
async fn an_object_that_comes_later_is_found_by_the_next_look() {
    let world = set_up().await;
    let first = file(&world, "us-east-1");
    world.deliver(&first).await;
    let watching = Heeler::new(&world)
        .args([
            "tail",
            "--source",
            "bucket",
            "-o",
            "json",
            "--limit",
            "2",
            "--event",
            "CreateUser",
        ])
        .spawn();
    let mut watching = watching.await;
    assert_eq!(watching.line().await, Some(first.records[0].to_string()));
    // Its name comes before the first one's, and its stamp is older.
    let mut second = file(&world, "us-east-1").stamp(&minutes_ago(5));
    "0000000000000000".clone_into(&mut second.suffix);
    world.deliver(&second).await;
    assert_eq!(watching.line().await, Some(second.records[0].to_string()));
    watching.wait().await.ended(0);
}

#[tokio::test]
async fn how_far_back_the_first_look_goes_is_the_operators_choice() {
    let world = set_up().await;
    let mut old = file(&world, "us-east-1").stamp(&minutes_ago(45));
    old.records[0]["eventTime"] = rfc3339(minutes(46)).into();
    world.deliver(&old).await;
    let bucket = [
        "--source",
        "bucket",
        "-o",
        "json",
        "--timeout",
        "2s",
        "--event",
        "CreateUser",
    ];
    tail(&world, &bucket).await.ended(1);
    let run = tail(
        &world,
        &[&bucket[..], &["--since", "2h", "--limit", "1"]].concat(),
    )
    .await;
    assert_eq!(run.ended(0).stdout.trim_end(), old.records[0].to_string());
}

#[tokio::test]
async fn a_bucket_that_may_not_be_listed_is_told_with_the_permission_that_is_missing() {
    let world = set_up().await;
    world
        .proxy()
        .fault(Fault::new("s3", "ListObjectsV2", denied()));
    let run = tail(&world, &["--source", "bucket"]).await.ended(3);
    assert!(run.stderr.contains("s3:ListBucket"), "{}", run.stderr);
}

#[tokio::test]
async fn heelers_queue_is_looked_into_on_demand_and_every_message_is_given_back() {
    let world = set_up().await;
    let object = file(&world, "us-east-1");
    world.deliver(&object).await;
    let run = tail(
        &world,
        &["--from-heelers-queue", "-o", "json", "--limit", "1"],
    )
    .await;
    let run = run.ended(0);
    assert_eq!(run.stdout.trim_end(), object.records[0].to_string());
    assert!(
        run.stderr
            .contains("received four times goes to the dead letter queue"),
        "{}",
        run.stderr
    );
    let called: Vec<String> = run.calls.iter().map(Call::name).collect();
    assert!(
        !called
            .iter()
            .any(|name| name.starts_with("sqs:DeleteMessage")),
        "{called:?}"
    );
    // The other one is S3's test event. Nobody has to wait for either: the visibility timeout is over.
    assert_eq!(receives(&world, QUEUE).await, [2, 2]);
}

#[tokio::test]
async fn the_looking_ends_before_a_message_is_lost_to_heeler() {
    let world = set_up().await;
    world.deliver(&file(&world, "us-east-1")).await;
    let run = tail(&world, &["--from-heelers-queue", "-o", "json"])
        .await
        .ended(0);
    assert!(
        run.stderr.contains("has been received 3 times"),
        "{}",
        run.stderr
    );
    // S3's test event and the announcement, twice each after the first time.
    assert!(
        run.stderr
            .contains("4 it was looked at before and has come back"),
        "{}",
        run.stderr
    );
    assert_eq!(waiting(&world, QUEUE).await, 2);
    assert_eq!(
        waiting(&world, "heeler_event_collection_queue_dlq").await,
        0
    );
}

#[tokio::test]
async fn messages_that_cannot_be_given_back_are_told() {
    let world = set_up().await;
    world.deliver(&file(&world, "us-east-1")).await;
    world
        .proxy()
        .fault(Fault::new("sqs", "ChangeMessageVisibilityBatch", denied()));
    let run = tail(&world, &["--from-heelers-queue", "--limit", "1"]).await;
    assert!(
        run.stderr
            .contains("hiding messages from Heeler for a while")
            && run.stderr.contains("sqs:ChangeMessageVisibility"),
        "{}",
        run.stderr
    );
}

#[tokio::test]
async fn the_fifo_queue_holds_the_records_themselves() {
    let world = World::on(Engine::Ministack).log_group().build().await;
    setup_of(&world, "cloudwatch").run().await.ended(0);
    let record = anything(&world);
    send(&world, FIFO, &record.to_string()).await;
    let run = tail(
        &world,
        &["--from-heelers-queue", "-o", "json", "--limit", "1"],
    )
    .await;
    assert_eq!(run.ended(0).stdout.trim_end(), record.to_string());
    assert_eq!(waiting(&world, FIFO).await, 1);
}

#[tokio::test]
async fn a_source_that_the_option_has_not_is_wrong_usage() {
    let world = set_up().await;
    let run = tail(&world, &["--source", "log-group"]).await.ended(2);
    assert!(run.stderr.contains("option s3 is set up"), "{}", run.stderr);
    let run = tail(&world, &["--source", "bucket", "--from-heelers-queue"]).await;
    assert_eq!(run.ended(2).calls.len(), 0);
}

#[tokio::test]
async fn accounts_are_called_by_their_names_where_they_have_one() {
    let world = set_up().await;
    let organizations = &world.clients().organizations;
    let told = organizations
        .list_accounts()
        .send()
        .await
        .expect("accounts");
    let account = told.accounts().first().expect("an account");
    let (id, name) = (
        account.id().unwrap_or_default(),
        account.name().unwrap_or_default(),
    );
    let records = vec![event(
        id,
        "us-east-1",
        "iam.amazonaws.com",
        "CreateUser",
        false,
    )];
    world.deliver(&Object::new(id, "us-east-1", records)).await;
    let source = ["--source", "bucket", "--limit", "1"];
    let run = tail(&world, &source).await.ended(0);
    assert!(
        run.stdout.contains(name) && !run.stdout.contains(id),
        "{}",
        run.stdout
    );

    world
        .proxy()
        .fault(Fault::new("organizations", "ListAccounts", denied()));
    let run = tail(&world, &source).await.ended(0);
    assert!(run.stdout.contains(id), "{}", run.stdout);
}

fn denied() -> What {
    What::refuse(403, "AccessDenied", "not you")
}

async fn set_up() -> World {
    let world = World::on(Engine::Ministack).build().await;
    setup(&world).run().await.ended(0);
    world
}

async fn tail(world: &World, args: &[&str]) -> Run {
    Heeler::new(world).args(["tail"]).args(args).run().await
}

fn anything(world: &World) -> Value {
    event(
        world.account(),
        "us-east-1",
        "iam.amazonaws.com",
        "CreateUser",
        false,
    )
}

fn file(world: &World, region: &str) -> Object {
    Object::new(world.account(), region, vec![anything(world)])
}

fn minutes(ago: u64) -> std::time::SystemTime {
    std::time::SystemTime::now() - Duration::from_secs(60 * ago)
}

fn rfc3339(time: std::time::SystemTime) -> String {
    humantime::format_rfc3339_seconds(time).to_string()
}

/// A stamp in the name of an object.
fn minutes_ago(ago: u64) -> String {
    let digits: String = rfc3339(minutes(ago)).replace([':', '-'], "");
    format!("{}Z", &digits[.."yyyymmddThhmm".len()])
}

async fn url(world: &World, queue: &str) -> String {
    let found = world
        .clients()
        .sqs
        .get_queue_url()
        .queue_name(queue)
        .send()
        .await;
    found.expect("a queue").queue_url.unwrap_or_default()
}

async fn send(world: &World, queue: &str, body: &str) {
    let sent = world
        .clients()
        .sqs
        .send_message()
        .queue_url(url(world, queue).await)
        .message_body(body)
        .message_group_id("group")
        .send()
        .await;
    sent.expect("a message in the queue");
}

async fn waiting(world: &World, queue: &str) -> u32 {
    let name = QueueAttributeName::ApproximateNumberOfMessages;
    let read = world
        .clients()
        .sqs
        .get_queue_attributes()
        .queue_url(url(world, queue).await)
        .attribute_names(name.clone())
        .send()
        .await
        .expect("the queue's attributes");
    let attributes: &HashMap<_, _> = read.attributes().expect("attributes");
    attributes[&name].parse().expect("a count")
}

/// How often each message has been received, with this receive.
async fn receives(world: &World, queue: &str) -> Vec<u32> {
    let received = world
        .clients()
        .sqs
        .receive_message()
        .queue_url(url(world, queue).await)
        .max_number_of_messages(10)
        .message_system_attribute_names(MessageSystemAttributeName::ApproximateReceiveCount)
        .send()
        .await
        .expect("messages");
    received
        .messages()
        .iter()
        .filter_map(|message| {
            let count =
                &message.attributes()?[&MessageSystemAttributeName::ApproximateReceiveCount];
            count.parse().ok()
        })
        .collect()
}
