//! What a failed setup leaves: everything, to be completed, or nothing, when it was told to roll back.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::{Value, json};

use crate::harness::{Fault, Heeler, What, World};
use crate::permissions::{changed, changed_for_cloudwatch};
use crate::steps::{
    again_of, destroy, json, keys, names, plan_of, setup_of_with, side_by_side, sorted, world_for,
};

const ID: &str = "id-of-the-setup";
const NOTHING: [String; 0] = [];

fn setup<'a>(world: &'a World, option: &str) -> Heeler<'a> {
    setup_of_with(world, option, ID).args(["--on-failure", "rollback"])
}

#[tokio::test]
async fn the_log_group_of_an_earlier_function_stays_when_a_new_one_is_rolled_back() {
    const GROUP: &str = "/aws/lambda/heeler_event_collection_lambda";
    let world = world_for("cloudwatch").await;
    let logs = &world.clients().logs;
    let made = logs.create_log_group().log_group_name(GROUP).send().await;
    made.expect("a log group of an earlier life");
    let refusal = What::refuse(400, "LimitExceededException", "Resource limit exceeded.");
    world
        .proxy()
        .fault(Fault::new("logs", "PutSubscriptionFilter", refusal));
    setup(&world, "cloudwatch").run().await.ended(3);
    let found = logs.describe_log_groups().log_group_name_prefix(GROUP);
    let found = found.send().await.expect("log groups");
    assert_eq!(found.log_groups().len(), 1);
}

/// From the write of this number on, counted from one, this operation is refused.
fn refuse_nth(world: &World, writes: &[String], nth: usize) {
    let name = &writes[nth - 1];
    let before = writes[..nth - 1]
        .iter()
        .filter(|write| *write == name)
        .count();
    let (service, operation) = name.split_once(':').expect("service:Operation");
    let refusal = What::refuse(403, "AccessDenied", "is not authorized");
    // One that is never undone by itself: the rollback may have to use the same operation.
    let fault = Fault::new(service, operation, refusal)
        .after(before)
        .times(1);
    world.proxy().fault(fault);
}

/// Refuses each write of a first setup in turn: the world is as it was before.
async fn every_refused_write_is_rolled_back(option: &'static str) {
    let whole = world_for(option).await;
    let run = setup(&whole, option).run().await.ended(0);
    let writes = names(&run.writes());
    let writes = &writes;
    side_by_side((1..=writes.len()).map(|nth| async move {
        let world = world_for(option).await;
        let before = world.notification().await;
        refuse_nth(&world, writes, nth);
        let run = setup(&world, option).run().await;
        let what = format!("write {nth} of {}, {}", writes.len(), writes[nth - 1]);
        world.proxy().mend();
        // What a key lacks right after it was made is said once more.
        if run.status == 0 {
            assert_eq!(writes[nth - 1], "kms:EnableKeyRotation", "{what}");
            return;
        }
        let run = run.ended(3);
        assert_eq!(run.stdout, "", "{what}");
        assert!(run.stderr.contains("Rolled back"), "{what}\n{}", run.stderr);
        assert_eq!(world.leftovers().await, NOTHING, "{what}\n{}", run.stderr);
        assert_eq!(world.notification().await, before, "{what}");
    }))
    .await;
}

#[tokio::test]
async fn a_refused_write_of_s3_is_rolled_back_to_nothing() {
    every_refused_write_is_rolled_back("s3").await;
}

#[tokio::test]
async fn a_refused_write_of_cloudwatch_is_rolled_back_to_nothing() {
    every_refused_write_is_rolled_back("cloudwatch").await;
}

/// Everything that a plan would change, and from what: the deployment as it is.
async fn drift(world: &World, option: &str) -> BTreeMap<String, Value> {
    let run = plan_of(world, option).args(["-o", "json", "--external-id", ID]);
    let plan = json(&run.run().await.ended(0));
    let steps = plan["steps"].as_array().expect("steps");
    let changes = steps.iter().map(|step| {
        let name = format!("{} {}", step["kind"], step["name"]);
        (name, json!([step["action"], step["changes"]]))
    });
    changes.collect()
}

/// A deployment of which about everything was changed by somebody.
async fn drifted(option: &str) -> World {
    let world = world_for(option).await;
    setup(&world, option).run().await.ended(0);
    if option == "s3" {
        changed(&world).await;
    } else {
        changed_for_cloudwatch(&world).await;
    }
    world
}

async fn a_failed_update_goes_back_to_what_the_plan_read(option: &'static str) {
    let whole = drifted(option).await;
    let run = setup(&whole, option).run().await.ended(0);
    let writes = names(&run.writes());
    let writes = &writes;
    // What both options have is tested with the one.
    let is_own = |write: &str| write.starts_with("lambda:") || write.starts_with("logs:");
    let chosen = (1..=writes.len()).filter(|nth| option == "s3" || is_own(&writes[nth - 1]));
    side_by_side(chosen.map(|nth| async move {
        let world = drifted(option).await;
        let (before, announced) = (drift(&world, option).await, world.notification().await);
        let there = sorted(world.leftovers().await);
        refuse_nth(&world, writes, nth);
        let run = setup(&world, option).run().await;
        world.proxy().mend();
        let what = format!("write {nth} of {}, {}", writes.len(), writes[nth - 1]);
        if run.status == 0 {
            assert_eq!(writes[nth - 1], "kms:EnableKeyRotation", "{what}");
            return;
        }
        let run = run.ended(3);
        let mut after = drift(&world, option).await;
        if run.stderr.contains("code_sha256 as this run wrote it") {
            let code = "\"lambda function\" \"heeler_event_collection_lambda\"";
            after.insert(code.to_owned(), before[code].clone());
        }
        assert_eq!(after, before, "{what}\n{}", run.stderr);
        assert_eq!(
            sorted(world.leftovers().await),
            there,
            "{what}\n{}",
            run.stderr
        );
        assert_eq!(world.notification().await, announced, "{what}");
    }))
    .await;
}

#[tokio::test]
async fn a_failed_update_of_s3_is_put_back() {
    a_failed_update_goes_back_to_what_the_plan_read("s3").await;
}

#[tokio::test]
async fn a_failed_update_of_cloudwatch_is_put_back() {
    a_failed_update_goes_back_to_what_the_plan_read("cloudwatch").await;
}

#[tokio::test]
async fn a_write_whose_answer_was_lost_is_rolled_back_too() {
    let table = [
        "kms:CreateKey",
        "kms:CreateAlias",
        "iam:CreateRole",
        "iam:CreatePolicy",
        "sns:CreateTopic",
    ];
    side_by_side(table.into_iter().map(|name| async move {
        let world = world_for("s3").await;
        let (service, operation) = name.split_once(':').expect("service:Operation");
        world
            .proxy()
            .fault(Fault::new(service, operation, What::Lose).times(1));
        let refusal = What::refuse(403, "AccessDenied", "is not authorized");
        world.proxy().fault(Fault::new(
            "s3",
            "PutBucketNotificationConfiguration",
            refusal,
        ));
        let run = setup(&world, "s3").run().await.ended(3);
        assert_eq!(world.leftovers().await, NOTHING, "{name}\n{}", run.stderr);
    }))
    .await;
}

#[tokio::test]
async fn an_interrupted_setup_is_rolled_back_when_it_was_told_to() {
    let world = world_for("s3").await;
    world.proxy().delay(Duration::from_millis(50));
    let running = setup(&world, "s3").spawn().await;
    running.warned("+ created sqs queue").await;
    running.interrupt();
    let run = running.wait().await.ended(130);
    assert!(run.stderr.contains("then rolling back"), "{}", run.stderr);
    assert!(run.stderr.contains("Rolled back"), "{}", run.stderr);
    assert_eq!(world.leftovers().await, NOTHING);
}

#[tokio::test]
async fn a_second_interrupt_leaves_at_once_and_says_how_to_go_on() {
    let world = world_for("s3").await;
    world.proxy().delay(Duration::from_millis(150));
    let running = setup(&world, "s3").spawn().await;
    running.warned("+ created sqs queue").await;
    running.interrupt();
    running.warned("Rolling back").await;
    running.interrupt();
    let run = running.wait().await.ended(130);
    assert!(run.stderr.contains("heeler-ec destroy"), "{}", run.stderr);
    world.proxy().delay(Duration::ZERO);
    destroy(&world).run().await.ended(0);
    assert_eq!(world.leftovers().await, NOTHING);
}

#[tokio::test]
async fn a_rollback_that_is_refused_says_what_is_left_and_how_to_go_on() {
    let world = world_for("s3").await;
    for (service, operation) in [
        ("s3", "PutBucketNotificationConfiguration"),
        ("sqs", "DeleteQueue"),
    ] {
        let refusal = What::refuse(403, "AccessDenied", "is not authorized");
        world.proxy().fault(Fault::new(service, operation, refusal));
    }
    let run = setup(&world, "s3").run().await.ended(3);
    for said in [
        "Not everything could be rolled back",
        "sqs queue heeler_event_collection_queue: ",
        "it waits for",
        "heeler-ec destroy",
        "grant s3:PutBucketNotification ",
    ] {
        assert!(run.stderr.contains(said), "no {said:?} in\n{}", run.stderr);
    }
    world.proxy().mend();
    again_of(&world, "s3")
        .args([
            "--external-id",
            ID,
            "--heeler-role-arn",
            &world.heeler_role_arn(),
        ])
        .run()
        .await
        .ended(0);
    assert_eq!(keys(&world).await, 1);
    destroy(&world).run().await.ended(0);
    assert_eq!(world.leftovers().await, NOTHING);
}

#[tokio::test]
async fn a_topic_that_others_have_begun_to_use_is_left_and_named() {
    let world = world_for("s3").await;
    let topic = format!(
        "arn:aws:sns:{}:{}:heeler_event_collection_topic",
        world.region(),
        world.account()
    );
    let refusal = What::refuse(403, "AccessDenied", "is not authorized");
    let put = Fault::new("s3", "PutBucketNotificationConfiguration", refusal);
    world.proxy().fault(put);
    let hold = Fault::new(
        "iam",
        "AttachRolePolicy",
        What::Delay(Duration::from_secs(4)),
    );
    world.proxy().fault(hold);
    let running = setup(&world, "s3").spawn().await;
    running.warned("+ created sns subscription").await;
    let subscribe = world
        .clients()
        .sns
        .subscribe()
        .topic_arn(topic)
        .protocol("sqs");
    let exports = format!("arn:aws:sqs:{}:{}:exports", world.region(), world.account());
    subscribe
        .endpoint(exports)
        .send()
        .await
        .expect("a subscription of others");
    let run = running.wait().await.ended(3);
    assert!(run.stderr.contains("it also serves sqs"), "{}", run.stderr);
}

#[tokio::test]
async fn without_being_told_so_nothing_is_rolled_back() {
    let world = world_for("s3").await;
    let refusal = What::refuse(403, "AccessDenied", "is not authorized");
    world.proxy().fault(Fault::new("sns", "Subscribe", refusal));
    let run = setup_of_with(&world, "s3", ID).run().await.ended(3);
    assert!(run.stderr.contains("What was made stays"), "{}", run.stderr);
    assert!(!world.leftovers().await.is_empty());
}
