//! Crash recovery: after a kill at any moment, the same command completes, and destroy leaves nothing.

use crate::commands::{
    DIRECT, destroy, keys, organization_for, plan_of, run_concurrently, setup_of_with,
};
use crate::setup_cloudwatch::create_function_log_group;
use std::time::Duration;
use testkit::{Call, HeelerEc, Organization, Run};

const ID: &str = "id-of-the-setup";
const NOTHING: [String; 0] = [];

fn setup<'a>(org: &'a Organization, option: &str) -> HeelerEc<'a> {
    setup_of_with(org, option, ID)
}

/// Fails unless the deployment is complete, with one key.
async fn assert_complete(org: &Organization, option: &str, context: &str) {
    plan_of(org, option)
        .args(["--check", "--external-id", ID])
        .run()
        .await
        .expect_status(0);
    assert_eq!(keys(org).await, 1, "{context}");
}

/// Fails unless the run was killed, or had fewer calls this time and succeeded.
#[track_caller]
fn assert_killed(run: &Run) {
    assert!([-9, 0].contains(&run.status), "{}", run.stderr);
}

/// Kills and completes a setup and a destroy, and destroys the resources of a killed setup.
async fn kill_and_recover(org: &Organization, option: &str, writes: usize, context: &str) {
    let notification = org.notification().await;
    assert_killed(&setup(org, option).kill_after_writes(writes).run().await);
    destroy_if_present(org).await;
    assert_eq!(
        org.leftovers().await,
        NOTHING,
        "destroyed after a killed setup, {context}"
    );
    assert_eq!(
        org.notification().await,
        notification,
        "destroyed after a killed setup, {context}"
    );

    assert_killed(&setup(org, option).kill_after_writes(writes).run().await);
    setup(org, option).run().await.expect_status(0);
    assert_complete(org, option, context).await;

    if option == "cloudwatch" {
        create_function_log_group(org).await;
    }
    assert_killed(&destroy(org).kill_after_writes(writes).run().await);
    destroy_if_present(org).await;
    assert_eq!(
        org.leftovers().await,
        NOTHING,
        "after a killed destroy, {context}"
    );
    assert_eq!(
        org.notification().await,
        notification,
        "after a killed destroy, {context}"
    );
}

/// Destroys the deployment. There is none if the killed run had completed.
async fn destroy_if_present(org: &Organization) {
    let run = destroy(org).run().await;
    assert!([0, 1].contains(&run.status), "{}", run.stderr);
}

async fn kill_after_every_write(option: &'static str) {
    let reference = organization_for(option).await;
    let writes = setup(&reference, option)
        .run()
        .await
        .expect_status(0)
        .writes()
        .len();
    run_concurrently((1..=writes).map(|count| async move {
        let org = organization_for(option).await;
        let context = format!("{option} killed after {count} of {writes} writes");
        kill_and_recover(&org, option, count, &context).await;
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

#[tokio::test]
async fn killed_after_any_write_direct_recovers() {
    kill_after_every_write(DIRECT).await;
}

/// Kills setup after every call from the first write on, reads included.
#[tokio::test]
async fn setup_killed_after_any_call_recovers() {
    let reference = organization_for("s3").await;
    let run = setup(&reference, "s3").run().await.expect_status(0);
    let first = run.calls.iter().position(Call::writes);
    let first = first.expect("a write") + 1;
    let created = &resources_without_key_ids(&reference).await;
    run_concurrently((first..=run.calls.len()).map(|count| async move {
        let org = organization_for("s3").await;
        let context = format!("s3 killed after {count} calls");
        assert_killed(&setup(&org, "s3").kill_after_calls(count).run().await);
        setup(&org, "s3").run().await.expect_status(0);
        assert_eq!(resources_without_key_ids(&org).await, *created, "{context}");
    }))
    .await;
}

/// The managed resources, with keys but without key IDs.
async fn resources_without_key_ids(org: &Organization) -> Vec<String> {
    let left = org.leftovers().await.into_iter();
    left.map(|line| match line.strip_prefix("key ") {
        Some(_) => "key".to_owned(),
        None => line,
    })
    .collect()
}

/// Concurrent calls arrive in any order. The seeds give the same orders in each run of this test.
#[tokio::test]
async fn killed_with_reordered_calls_recovers() {
    run_concurrently(shuffle_seeds().map(|(option, seed)| async move {
        let org = organization_for(option).await;
        org.proxy().jitter(Duration::from_millis(60), seed);
        let count = usize::try_from(seed % 14).expect("a small number") + 1;
        let context = format!("{option} killed after {count} writes, seed {seed}");
        kill_and_recover(&org, option, count, &context).await;
    }))
    .await;
}

fn shuffle_seeds() -> impl Iterator<Item = (&'static str, u64)> {
    // Set the variable to search more orders for a failure.
    let orders = std::env::var("HEELER_EC_ORDERS").ok();
    let orders: u64 = orders.and_then(|text| text.parse().ok()).unwrap_or(2);
    let seeds = (0..orders).map(|number| number * 37 + 5);
    seeds.flat_map(|seed| [("s3", seed), ("cloudwatch", seed), (DIRECT, seed)])
}
