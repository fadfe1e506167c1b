//! Killed at any moment, the same command again comes to the same end, and destroy leaves nothing.

use crate::commands::{destroy, keys, organization_for, plan_of, run_concurrently, setup_of_with};
use crate::setup_cloudwatch::create_function_log_group;
use std::time::Duration;
use testkit::{Call, HeelerEc, Organization, Run};

const ID: &str = "id-of-the-setup";
const NOTHING: [String; 0] = [];

fn setup<'a>(org: &'a Organization, option: &str) -> HeelerEc<'a> {
    setup_of_with(org, option, ID)
}

/// Everything is there, once, and nothing is left to do.
async fn assert_complete(org: &Organization, option: &str, what: &str) {
    plan_of(org, option)
        .args(["--check", "--external-id", ID])
        .run()
        .await
        .expect_status(0);
    assert_eq!(keys(org).await, 1, "{what}");
}

/// The run was killed, unless it had fewer calls this time.
#[track_caller]
fn assert_killed(run: &Run) {
    assert!([-9, 0].contains(&run.status), "{}", run.stderr);
}

/// A setup and a destroy, each killed and completed, and a killed setup that is taken down.
async fn kill_and_recover(org: &Organization, option: &str, writes: usize, what: &str) {
    let theirs = org.notification().await;
    assert_killed(&setup(org, option).kill_after_writes(writes).run().await);
    destroy_if_present(org).await;
    assert_eq!(org.leftovers().await, NOTHING, "taken down, {what}");
    assert_eq!(org.notification().await, theirs, "taken down, {what}");

    assert_killed(&setup(org, option).kill_after_writes(writes).run().await);
    setup(org, option).run().await.expect_status(0);
    assert_complete(org, option, what).await;

    if option == "cloudwatch" {
        create_function_log_group(org).await;
    }
    assert_killed(&destroy(org).kill_after_writes(writes).run().await);
    destroy_if_present(org).await;
    assert_eq!(org.leftovers().await, NOTHING, "destroyed, {what}");
    assert_eq!(org.notification().await, theirs, "destroyed, {what}");
}

/// Where the killed run came to its end all the same, there is nothing to destroy.
async fn destroy_if_present(org: &Organization) {
    let run = destroy(org).run().await;
    assert!([0, 1].contains(&run.status), "{}", run.stderr);
}

async fn kill_after_every_write(option: &'static str) {
    let whole = organization_for(option).await;
    let writes = setup(&whole, option)
        .run()
        .await
        .expect_status(0)
        .writes()
        .len();
    run_concurrently((1..=writes).map(|count| async move {
        let org = organization_for(option).await;
        let what = format!("{option} killed after {count} of {writes} writes");
        kill_and_recover(&org, option, count, &what).await;
    }))
    .await;
}

#[tokio::test]
async fn killed_after_any_write_s3_recovers() {
    kill_after_every_write("s3").await;
}

#[tokio::test]
async fn killed_after_any_write_cloudwatch_recovers() {
    kill_after_every_write("cloudwatch").await;
}

/// Between two writes there are reads; from the first write on each of them is an end, too.
#[tokio::test]
async fn setup_killed_after_any_call_recovers() {
    let whole = organization_for("s3").await;
    let run = setup(&whole, "s3").run().await.expect_status(0);
    let first = run.calls.iter().position(Call::writes);
    let first = first.expect("a write") + 1;
    let made = &resources_without_key_ids(&whole).await;
    run_concurrently((first..=run.calls.len()).map(|count| async move {
        let org = organization_for("s3").await;
        let what = format!("s3 killed after {count} calls");
        assert_killed(&setup(&org, "s3").kill_after_calls(count).run().await);
        setup(&org, "s3").run().await.expect_status(0);
        assert_eq!(resources_without_key_ids(&org).await, *made, "{what}");
    }))
    .await;
}

/// What is there of ours; a key without its id.
async fn resources_without_key_ids(org: &Organization) -> Vec<String> {
    let left = org.leftovers().await.into_iter();
    left.map(|line| match line.strip_prefix("key ") {
        Some(_) => "key".to_owned(),
        None => line,
    })
    .collect()
}

/// Calls side by side come in any order. Some orders, the same in each run of this test.
#[tokio::test]
async fn killed_with_reordered_calls_recovers() {
    run_concurrently(shuffle_seeds().map(|(option, seed)| async move {
        let org = organization_for(option).await;
        org.proxy().jitter(Duration::from_millis(60), seed);
        let count = usize::try_from(seed % 14).expect("a small number") + 1;
        let what = format!("{option} killed after {count} writes, seed {seed}");
        kill_and_recover(&org, option, count, &what).await;
    }))
    .await;
}

fn shuffle_seeds() -> impl Iterator<Item = (&'static str, u64)> {
    // More for whoever looks for one that goes wrong.
    let orders = std::env::var("HEELER_EC_ORDERS").ok();
    let orders: u64 = orders.and_then(|text| text.parse().ok()).unwrap_or(2);
    let seeds = (0..orders).map(|number| number * 37 + 5);
    seeds.flat_map(|seed| [("s3", seed), ("cloudwatch", seed)])
}
