//! Two concurrent runs with the same prefix: one deployment, one key, and clear errors.

use crate::command_permissions::{command, permitted};
use crate::commands::heeler_ec;
use crate::commands::{
    destroy, keys, names, organization_for, plan_of, run_concurrently, setup_of, setup_of_with,
};
use heeler_ec::permissions::CommandName;
use std::time::Duration;
use testkit::{Fault, FaultAction, Gate, HeelerEc, Organization, Run};

const ID: &str = "id-of-the-setup";
const NOTHING: [String; 0] = [];

/// Delays the first call of this operation, so that the other run often overtakes it.
fn delay_first_call(org: &Organization, name: &str) {
    let (service, operation) = name.split_once(':').expect("service:Operation");
    let delay = FaultAction::Delay(Duration::from_secs(1));
    org.proxy()
        .fault(Fault::new(service, operation, delay).times(1));
}

/// Holds this call of each run until both have read their plans.
fn hold_both(org: &Organization, service: &str, operation: &str) {
    let hold = FaultAction::Hold(Gate::opening_at(2));
    org.proxy()
        .fault(Fault::new(service, operation, hold).times(2));
}

/// The number of these calls so far, of all runs.
fn count_calls(org: &Organization, name: &str) -> usize {
    let calls = org.proxy().calls();
    calls.iter().filter(|call| call.name() == name).count()
}

async fn run_both<'a>(first: HeelerEc<'a>, second: HeelerEc<'a>) -> [Run; 2] {
    // The futures of complete runs are large.
    let (first, second) = tokio::join!(Box::pin(first.run()), Box::pin(second.run()));
    [first, second]
}

/// Fails unless there is one deployment without drift.
async fn assert_one_deployment(org: &Organization, option: &str) {
    plan_of(org, option)
        .args(["--check"])
        .run()
        .await
        .expect_status(0);
    assert_eq!(keys(org).await, 1);
}

#[track_caller]
fn assert_clear_outcome(run: &Run) {
    if run.status == 0 {
        return;
    }
    assert!([1, 3].contains(&run.status), "{}", run.stderr);
    let next_steps = [
        "hint:",
        "Run the same command again",
        "Run `heeler-ec destroy` again",
    ];
    let is_printed = |text: &&str| run.stderr.contains(*text);
    assert!(next_steps.iter().any(is_printed), "{}", run.stderr);
    assert!(!run.stderr.contains("panicked"), "{}", run.stderr);
}

#[tokio::test]
async fn concurrent_first_setups_create_one_key() {
    // The runs may want the same role, or roles with different external IDs.
    let cases = [("s3", true), ("s3", false), ("cloudwatch", false)];
    let runs = cases.into_iter().map(|(option, same_id)| async move {
        let org = organization_for(option).await;
        hold_both(&org, "iam", "CreateRole");
        let first_setup = || {
            if same_id {
                setup_of_with(&org, option, ID)
            } else {
                setup_of(&org, option)
            }
        };
        let runs = run_both(first_setup(), first_setup()).await;
        org.proxy().clear_faults();
        let mut statuses = [runs[0].status, runs[1].status];
        statuses.sort_unstable();
        assert_eq!(statuses, [0, 3], "{}\n{}", runs[0].stderr, runs[1].stderr);
        let [first, second] = &runs;
        let (winner, loser) = if first.status == 0 {
            (first, second)
        } else {
            (second, first)
        };
        assert_eq!(count_calls(&org, "kms:CreateKey"), 1, "{}", loser.stderr);
        for expected in [
            "cannot create iam role",
            "Another setup started first; no changes were made",
            "run the same command again",
        ] {
            assert!(
                loser.stderr.contains(expected),
                "no {expected:?} in\n{}",
                loser.stderr
            );
        }
        assert_one_deployment(&org, option).await;
        // The winner printed the outputs of the deployment; the loser printed none.
        let outputs = heeler_ec(&org)
            .args(["outputs"])
            .run()
            .await
            .expect_status(0);
        assert_eq!(outputs.stdout, winner.stdout);
        let again = first_setup();
        let again = again.run().await.expect_status(0);
        assert_eq!(names(&again.writes()), NOTHING);
        destroy(&org).run().await.expect_status(0);
        assert_eq!(org.leftovers().await, NOTHING);
    });
    run_concurrently(runs).await;
}

#[tokio::test]
async fn concurrent_completions_leave_one_key() {
    let org = organization_for("s3").await;
    // Killed after the role was created.
    setup_of(&org, "s3").kill_after_writes(1).run().await;
    hold_both(&org, "kms", "CreateKey");
    let runs = run_both(setup_of(&org, "s3"), setup_of(&org, "s3")).await;
    org.proxy().clear_faults();
    let mut statuses = [runs[0].status, runs[1].status];
    statuses.sort_unstable();
    assert_eq!(statuses, [0, 3], "{}\n{}", runs[0].stderr, runs[1].stderr);
    let loser = runs.iter().find(|run| run.status == 3).expect("a loser");
    for expected in [
        "cannot create kms alias",
        "another run",
        "- scheduled kms key",
    ] {
        assert!(
            loser.stderr.contains(expected),
            "no {expected:?} in\n{}",
            loser.stderr
        );
    }
    assert_one_deployment(&org, "s3").await;
}

#[tokio::test]
async fn concurrent_setups_leave_one_deployment() {
    let calls = [
        "kms:DescribeKey",
        "kms:CreateAlias",
        "iam:CreateRole",
        "sqs:CreateQueue",
        "s3:PutBucketNotificationConfiguration",
    ];
    run_concurrently(calls.into_iter().map(|name| async move {
        let org = organization_for("s3").await;
        delay_first_call(&org, name);
        let runs = run_both(setup_of_with(&org, "s3", ID), setup_of_with(&org, "s3", ID)).await;
        org.proxy().clear_faults();
        runs.iter().for_each(assert_clear_outcome);
        assert!(
            runs.iter().any(|run| run.status == 0),
            "{name}\n{}\n{}",
            runs[0].stderr,
            runs[1].stderr
        );
        setup_of_with(&org, "s3", ID).run().await.expect_status(0);
        assert_one_deployment(&org, "s3").await;
    }))
    .await;
}

#[tokio::test]
async fn rollback_keeps_resources_of_concurrent_setup() {
    let org = organization_for("s3").await;
    hold_both(&org, "iam", "CreateRole");
    let setup_with_rollback = || setup_of(&org, "s3").args(["--on-failure", "rollback"]);
    let runs = run_both(setup_with_rollback(), setup_with_rollback()).await;
    org.proxy().clear_faults();
    let mut statuses = [runs[0].status, runs[1].status];
    statuses.sort_unstable();
    assert_eq!(statuses, [0, 3], "{}\n{}", runs[0].stderr, runs[1].stderr);
    assert_one_deployment(&org, "s3").await;
}

#[tokio::test]
async fn concurrent_destroys_leave_nothing() {
    let runs = ["s3", "cloudwatch"].into_iter().map(|option| async move {
        let org = organization_for(option).await;
        let before = org.notification().await;
        setup_of(&org, option).run().await.expect_status(0);
        let runs = run_both(destroy(&org), destroy(&org)).await;
        runs.iter().for_each(assert_clear_outcome);
        // A third destroy finds what both have left.
        let third = destroy(&org).run().await;
        assert!([0, 1].contains(&third.status), "{}", third.stderr);
        assert_eq!(org.leftovers().await, NOTHING);
        assert_eq!(org.notification().await, before);
    });
    run_concurrently(runs).await;
}

#[tokio::test]
async fn setup_during_destroy_ends_and_rerun_completes() {
    let calls = ["sqs:DeleteQueue", "iam:DeletePolicy", "kms:DeleteAlias"];
    run_concurrently(calls.into_iter().map(|name| async move {
        let org = organization_for("s3").await;
        setup_of_with(&org, "s3", ID).run().await.expect_status(0);
        delay_first_call(&org, name);
        // Each run also sees the calls of the other one.
        let deletes = permitted(&command(CommandName::Destroy, None));
        let deletes: Vec<&str> = deletes.iter().map(String::as_str).collect();
        let writes = permitted(&command(CommandName::Setup, Some("s3")));
        let writes: Vec<&str> = writes.iter().map(String::as_str).collect();
        let runs = run_both(
            destroy(&org).extra_actions(&writes),
            setup_of_with(&org, "s3", ID).extra_actions(&deletes),
        )
        .await;
        org.proxy().clear_faults();
        runs.iter().for_each(assert_clear_outcome);
        setup_of_with(&org, "s3", ID).run().await.expect_status(0);
        assert_one_deployment(&org, "s3").await;
    }))
    .await;
}
