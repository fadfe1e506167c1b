//! Killed at any moment, the same command again comes to the same end, and destroy leaves nothing.

use std::time::Duration;

use crate::harness::{Call, Heeler, Run, World};
use crate::setup_cloudwatch::write_a_log;
use crate::steps::{destroy, keys, plan_of, setup_of_with, side_by_side, world_for};

const ID: &str = "id-of-the-setup";
const NOTHING: [String; 0] = [];

fn setup<'a>(world: &'a World, option: &str) -> Heeler<'a> {
    setup_of_with(world, option, ID)
}

/// Everything is there, once, and nothing is left to do.
async fn is_complete(world: &World, option: &str, what: &str) {
    plan_of(world, option)
        .args(["--check", "--external-id", ID])
        .run()
        .await
        .ended(0);
    assert_eq!(keys(world).await, 1, "{what}");
}

/// The run was killed, unless it had fewer calls this time.
#[track_caller]
fn was_killed(run: &Run) {
    assert!([-9, 0].contains(&run.status), "{}", run.stderr);
}

/// A setup and a destroy, each killed and completed, and a killed setup that is taken down.
async fn whole_life(world: &World, option: &str, writes: usize, what: &str) {
    let theirs = world.notification().await;
    was_killed(&setup(world, option).kill_after_writes(writes).run().await);
    destroy_what_is_there(world).await;
    assert_eq!(world.leftovers().await, NOTHING, "taken down, {what}");
    assert_eq!(world.notification().await, theirs, "taken down, {what}");

    was_killed(&setup(world, option).kill_after_writes(writes).run().await);
    setup(world, option).run().await.ended(0);
    is_complete(world, option, what).await;

    if option == "cloudwatch" {
        write_a_log(world).await;
    }
    was_killed(&destroy(world).kill_after_writes(writes).run().await);
    destroy_what_is_there(world).await;
    assert_eq!(world.leftovers().await, NOTHING, "destroyed, {what}");
    assert_eq!(world.notification().await, theirs, "destroyed, {what}");
}

/// Where the killed run came to its end all the same, there is nothing to destroy.
async fn destroy_what_is_there(world: &World) {
    let run = destroy(world).run().await;
    assert!([0, 1].contains(&run.status), "{}", run.stderr);
}

async fn every_write(option: &'static str) {
    let whole = world_for(option).await;
    let writes = setup(&whole, option).run().await.ended(0).writes().len();
    side_by_side((1..=writes).map(|count| async move {
        let world = world_for(option).await;
        let what = format!("{option} killed after {count} of {writes} writes");
        whole_life(&world, option, count, &what).await;
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
    let whole = world_for("s3").await;
    let run = setup(&whole, "s3").run().await.ended(0);
    let first = run.calls.iter().position(Call::writes);
    let first = first.expect("a write") + 1;
    let made = &kinds(&whole).await;
    side_by_side((first..=run.calls.len()).map(|count| async move {
        let world = world_for("s3").await;
        let what = format!("s3 killed after {count} calls");
        was_killed(&setup(&world, "s3").kill_after_calls(count).run().await);
        setup(&world, "s3").run().await.ended(0);
        assert_eq!(kinds(&world).await, *made, "{what}");
    }))
    .await;
}

/// What is there of ours; a key without its id.
async fn kinds(world: &World) -> Vec<String> {
    let left = world.leftovers().await.into_iter();
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
        let world = world_for(option).await;
        world.proxy().shake(Duration::from_millis(60), seed);
        let count = usize::try_from(seed % 14).expect("a small number") + 1;
        let what = format!("{option} killed after {count} writes, seed {seed}");
        whole_life(&world, option, count, &what).await;
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
