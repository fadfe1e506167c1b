//! Two runs at once under one prefix: one deployment, one key, and ends that a person understands.

use std::time::Duration;

use heeler_ec::permit::Task;
use heeler_ec::route::Route;

use crate::harness::permission::permitted;
use crate::harness::{Fault, Heeler, Run, What, World};
use crate::steps::{
    destroy, keys, names, plan_of, setup_of, setup_of_with, side_by_side, world_for,
};

const ID: &str = "id-of-the-setup";
const NOTHING: [String; 0] = [];

/// Holds the calls of this name up, so many of them, until the other run has come as far.
fn hold(world: &World, name: &str, times: usize, seconds: u64) {
    let (service, operation) = name.split_once(':').expect("service:Operation");
    let delay = What::Delay(Duration::from_secs(seconds));
    world
        .proxy()
        .fault(Fault::new(service, operation, delay).times(times));
}

async fn both<'a>(first: Heeler<'a>, second: Heeler<'a>) -> [Run; 2] {
    // Futures of whole runs are large.
    let (first, second) = tokio::join!(Box::pin(first.run()), Box::pin(second.run()));
    [first, second]
}

/// The world has one deployment, and what is there is as it should be.
async fn is_one_deployment(world: &World, option: &str) {
    plan_of(world, option)
        .args(["--check"])
        .run()
        .await
        .ended(0);
    assert_eq!(keys(world).await, 1);
}

#[track_caller]
fn is_understandable(run: &Run) {
    if run.status == 0 {
        return;
    }
    assert!([1, 3].contains(&run.status), "{}", run.stderr);
    let says_what_to_do = [
        "hint:",
        "Run the same command again",
        "Run heeler-ec destroy again",
    ];
    let said = |text: &&str| run.stderr.contains(*text);
    assert!(says_what_to_do.iter().any(said), "{}", run.stderr);
    assert!(!run.stderr.contains("panicked"), "{}", run.stderr);
}

#[tokio::test]
async fn of_two_first_setups_one_gets_the_alias_and_the_other_takes_its_key_back() {
    let runs = ["s3", "cloudwatch"].into_iter().map(|option| async move {
        let world = world_for(option).await;
        // Both have read their plans before either has made anything.
        hold(&world, "kms:CreateKey", 2, 2);
        let runs = both(setup_of(&world, option), setup_of(&world, option)).await;
        world.proxy().mend();
        let mut statuses = [runs[0].status, runs[1].status];
        statuses.sort_unstable();
        assert_eq!(statuses, [0, 3], "{}\n{}", runs[0].stderr, runs[1].stderr);
        let [first, second] = &runs;
        let (winner, loser) = if first.status == 0 {
            (first, second)
        } else {
            (second, first)
        };
        for said in [
            "cannot create kms alias",
            "another run",
            "- deleted kms key",
            "run the same command again",
        ] {
            assert!(
                loser.stderr.contains(said),
                "no {said:?} in\n{}",
                loser.stderr
            );
        }
        is_one_deployment(&world, option).await;
        // What the winner printed is what is there, and the loser has nothing to add.
        let outputs = Heeler::new(&world).args(["outputs"]).run().await.ended(0);
        assert_eq!(outputs.stdout, winner.stdout);
        let again = setup_of(&world, option).run().await.ended(0);
        assert_eq!(names(&again.writes()), NOTHING);
        destroy(&world).run().await.ended(0);
        assert_eq!(world.leftovers().await, NOTHING);
    });
    side_by_side(runs).await;
}

#[tokio::test]
async fn two_setups_meet_anywhere_and_one_deployment_comes_of_it() {
    let calls = [
        "kms:DescribeKey",
        "kms:CreateAlias",
        "iam:CreateRole",
        "sqs:CreateQueue",
        "s3:PutBucketNotificationConfiguration",
    ];
    side_by_side(calls.into_iter().map(|name| async move {
        let world = world_for("s3").await;
        hold(&world, name, 1, 1);
        let runs = both(
            setup_of_with(&world, "s3", ID),
            setup_of_with(&world, "s3", ID),
        )
        .await;
        world.proxy().mend();
        runs.iter().for_each(is_understandable);
        assert!(
            runs.iter().any(|run| run.status == 0),
            "{name}\n{}\n{}",
            runs[0].stderr,
            runs[1].stderr
        );
        setup_of_with(&world, "s3", ID).run().await.ended(0);
        is_one_deployment(&world, "s3").await;
    }))
    .await;
}

#[tokio::test]
async fn a_setup_that_rolls_back_takes_nothing_from_the_other() {
    let world = world_for("s3").await;
    hold(&world, "kms:CreateKey", 2, 2);
    let rolls_back = || setup_of(&world, "s3").args(["--on-failure", "rollback"]);
    let runs = both(rolls_back(), rolls_back()).await;
    world.proxy().mend();
    let mut statuses = [runs[0].status, runs[1].status];
    statuses.sort_unstable();
    assert_eq!(statuses, [0, 3], "{}\n{}", runs[0].stderr, runs[1].stderr);
    is_one_deployment(&world, "s3").await;
}

#[tokio::test]
async fn two_destroys_leave_nothing_and_say_nothing_strange() {
    let runs = ["s3", "cloudwatch"].into_iter().map(|option| async move {
        let world = world_for(option).await;
        let before = world.notification().await;
        setup_of(&world, option).run().await.ended(0);
        let runs = both(destroy(&world), destroy(&world)).await;
        runs.iter().for_each(is_understandable);
        // Whatever the one left to the other is found by a third.
        let third = destroy(&world).run().await;
        assert!([0, 1].contains(&third.status), "{}", third.stderr);
        assert_eq!(world.leftovers().await, NOTHING);
        assert_eq!(world.notification().await, before);
    });
    side_by_side(runs).await;
}

#[tokio::test]
async fn a_setup_during_a_destroy_ends_and_the_next_one_completes() {
    let calls = ["sqs:DeleteQueue", "iam:DeletePolicy", "kms:DeleteAlias"];
    side_by_side(calls.into_iter().map(|name| async move {
        let world = world_for("s3").await;
        setup_of_with(&world, "s3", ID).run().await.ended(0);
        hold(&world, name, 1, 1);
        // The calls of the one are seen by the other.
        let deletes = permitted(Task::Destroy(None));
        let deletes: Vec<&str> = deletes.iter().map(String::as_str).collect();
        let writes = permitted(Task::Setup(Route::S3));
        let writes: Vec<&str> = writes.iter().map(String::as_str).collect();
        let runs = both(
            destroy(&world).besides(&writes),
            setup_of_with(&world, "s3", ID).besides(&deletes),
        )
        .await;
        world.proxy().mend();
        runs.iter().for_each(is_understandable);
        setup_of_with(&world, "s3", ID).run().await.ended(0);
        is_one_deployment(&world, "s3").await;
    }))
    .await;
}
