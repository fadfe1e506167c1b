//! Killed at any moment, the same command again comes to the same end, and destroy leaves nothing.

use std::time::Duration;

use testkit::{Call, HeelerEc, Run, Organization};
use crate::setup_cloudwatch::write_a_log;
use crate::steps::{destroy, keys, plan_of, setup_of_with, side_by_side, organization_for};

const ID: &str = "id-of-the-setup";
const NOTHING: [String; 0] = [];

fn setup<'a>(org: &'a Organization, option: &str) -> HeelerEc<'a> {
    setup_of_with(org, option, ID)
}

/// Everything is there, once, and nothing is left to do.
async fn is_complete(org: &Organization, option: &str, what: &str) {
    plan_of(org, option)
        .args(["--check", "--external-id", ID])
        .run()
        .await
        .expect_status(0);
    assert_eq!(keys(org).await, 1, "{what}");
}

/// The run was killed, unless it had fewer calls this time.
#[track_caller]
fn was_killed(run: &Run) {
    assert!([-9, 0].contains(&run.status), "{}", run.stderr);
}

/// A setup and a destroy, each killed and completed, and a killed setup that is taken down.
async fn whole_life(org: &Organization, option: &str, writes: usize, what: &str) {
    let theirs = org.notification().await;
    was_killed(&setup(org, option).kill_after_writes(writes).run().await);
    destroy_what_is_there(org).await;
    assert_eq!(org.leftovers().await, NOTHING, "taken down, {what}");
    assert_eq!(org.notification().await, theirs, "taken down, {what}");

    was_killed(&setup(org, option).kill_after_writes(writes).run().await);
    setup(org, option).run().await.expect_status(0);
    is_complete(org, option, what).await;

    if option == "cloudwatch" {
        write_a_log(org).await;
    }
    was_killed(&destroy(org).kill_after_writes(writes).run().await);
    destroy_what_is_there(org).await;
    assert_eq!(org.leftovers().await, NOTHING, "destroyed, {what}");
    assert_eq!(org.notification().await, theirs, "destroyed, {what}");
}

/// Where the killed run came to its end all the same, there is nothing to destroy.
async fn destroy_what_is_there(org: &Organization) {
    let run = destroy(org).run().await;
    assert!([0, 1].contains(&run.status), "{}", run.stderr);
}

async fn every_write(option: &'static str) {
    let whole = organization_for(option).await;
    let writes = setup(&whole, option).run().await.expect_status(0).writes().len();
    side_by_side((1..=writes).map(|count| async move {
        let org = organization_for(option).await;
        let what = format!("{option} killed after {count} of {writes} writes");
        whole_life(&org, option, count, &what).await;
    }))
    .await;
}

#[tokio::test]
async fn after_every_write_of_s3() {
    every_write("s3").await;
}

#[tokio::test]
async fn after_every_write_of_cloudwatch() {
    every_write("cloudwatch").await;
}

/// Between two writes there are reads; from the first write on each of them is an end, too.
#[tokio::test]
async fn after_every_call_of_setup_from_its_first_write_on() {
    let whole = organization_for("s3").await;
    let run = setup(&whole, "s3").run().await.expect_status(0);
    let first = run.calls.iter().position(Call::writes);
    let first = first.expect("a write") + 1;
    let made = &kinds(&whole).await;
    side_by_side((first..=run.calls.len()).map(|count| async move {
        let org = organization_for("s3").await;
        let what = format!("s3 killed after {count} calls");
        was_killed(&setup(&org, "s3").kill_after_calls(count).run().await);
        setup(&org, "s3").run().await.expect_status(0);
        assert_eq!(kinds(&org).await, *made, "{what}");
    }))
    .await;
}

/// What is there of ours; a key without its id.
async fn kinds(org: &Organization) -> Vec<String> {
    let left = org.leftovers().await.into_iter();
    left.map(|line| match line.strip_prefix("key ") {
        Some(_) => "key".to_owned(),
        None => line,
    })
    .collect()
}

/// Calls side by side come in any order. Some orders, the same in each run of this test.
#[tokio::test]
async fn in_other_orders() {
    side_by_side(orders().map(|(option, seed)| async move {
        let org = organization_for(option).await;
        org.proxy().jitter(Duration::from_millis(60), seed);
        let count = usize::try_from(seed % 14).expect("a small number") + 1;
        let what = format!("{option} killed after {count} writes, seed {seed}");
        whole_life(&org, option, count, &what).await;
    }))
    .await;
}

fn orders() -> impl Iterator<Item = (&'static str, u64)> {
    // More for whoever looks for one that goes wrong.
    let orders = std::env::var("HEELER_EC_ORDERS").ok();
    let orders: u64 = orders.and_then(|text| text.parse().ok()).unwrap_or(2);
    let seeds = (0..orders).map(|number| number * 37 + 5);
    seeds.flat_map(|seed| [("s3", seed), ("cloudwatch", seed)])
}
