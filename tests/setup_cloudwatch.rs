//! The laws of option cloudwatch: idempotent, in order, put right, taken down, and never a word about what is not ours.

use std::time::Duration;

use aws_sdk_cloudwatchlogs::types::Distribution;
use aws_sdk_lambda::primitives::Blob;
use aws_sdk_lambda::types::{Environment, Runtime};
use aws_sdk_sqs::types::QueueAttributeName;
use serde_json::json;

use crate::harness::{Clients, Engine, Fault, Heeler, Run, What, World};
use crate::steps::{
    again_of, counts, destroy, json, keys, names, on_both_engines, outputs, plan_of, setup_of,
    setup_of_with, side_by_side, text,
};

const OPTION: &str = "cloudwatch";
const ID: &str = "id-of-the-setup";
const FUNCTION: &str = "heeler_event_collection_lambda";
const FILTER: &str = "heeler_cloudwatch_log_subscription_filter";
const NOTHING: [String; 0] = [];

/// A trail that delivers to a log group, which somebody else subscribes to as well.
async fn world_on(engine: Engine) -> World {
    let world = World::on(engine).log_group().build().await;
    let theirs = world.clients().logs.put_subscription_filter();
    let theirs = theirs
        .log_group_name(group(&world))
        .filter_name("siem")
        .filter_pattern("")
        .destination_arn(format!(
            "arn:aws:lambda:{}:{}:function:siem",
            world.region(),
            world.account()
        ));
    make_function(&world, "siem").await;
    theirs.send().await.expect("a filter of somebody else");
    world
}

/// A function of somebody else.
async fn make_function(world: &World, name: &str) {
    let Clients { iam, lambda, .. } = world.clients();
    let trust = json!({"Version": "2012-10-17", "Statement": [{
        "Effect": "Allow",
        "Principal": {"Service": "lambda.amazonaws.com"},
        "Action": "sts:AssumeRole"
    }]});
    let role = iam.create_role().role_name(name);
    let role = role.assume_role_policy_document(trust.to_string());
    let role = role.send().await.expect("a role").role.expect("a role");
    let code = heeler_ec::pipeline::function::code();
    let code = aws_sdk_lambda::types::FunctionCode::builder().zip_file(Blob::new(code));
    let made = lambda.create_function().function_name(name);
    let made = made.runtime(Runtime::Python312).handler("x.y");
    let made = made.role(role.arn()).code(code.build()).send().await;
    made.expect("a function of somebody else");
}

fn group(world: &World) -> &'static str {
    world.log_group().expect("a log group")
}

fn plan(world: &World) -> Heeler<'_> {
    plan_of(world, OPTION)
}

fn setup(world: &World) -> Heeler<'_> {
    setup_of_with(world, OPTION, ID)
}

fn again(world: &World) -> Heeler<'_> {
    again_of(world, OPTION)
}

/// What is not ours: the trail's log group, how long it keeps, and who else subscribes to it.
async fn theirs(world: &World) -> Vec<String> {
    let logs = &world.clients().logs;
    let groups = logs.describe_log_groups().send().await.expect("log groups");
    let mut all = Vec::new();
    for found in groups.log_groups() {
        let name = found.log_group_name().unwrap_or_default();
        if name.contains("heeler") {
            continue;
        }
        all.push(format!("{name} keeps {:?}", found.retention_in_days()));
        for filter in world.filters(name).await {
            if filter.filter_name() != Some(FILTER) {
                all.push(format!("{filter:?}"));
            }
        }
    }
    all
}

/// As Lambda does at the first call of the function.
async fn write_a_log(world: &World) {
    let name = format!("/aws/lambda/{FUNCTION}");
    let made = world.clients().logs.create_log_group();
    let made = made.log_group_name(name).send().await;
    made.expect("the function's log group");
}

/// Everything is there, once, and nothing is left to do.
async fn is_complete(world: &World) {
    let run = plan(world).args(["--check", "--external-id", ID]);
    run.run().await.ended(0);
    assert_eq!(keys(world).await, 1);
    let ours = world.filters(group(world)).await;
    let ours = ours
        .iter()
        .filter(|filter| filter.filter_name() == Some(FILTER));
    assert_eq!(ours.count(), 1);
}

/// Where a write stands among the others.
fn place(run: &Run, write: &str) -> Option<usize> {
    names(&run.writes()).iter().position(|name| name == write)
}

on_both_engines! {
    async fn a_plan_counts_fourteen_resources_and_writes_nothing(engine: Engine) {
        let world = world_on(engine).await;
        let planned = plan(&world).args(["-o", "json"]).run().await.ended(0);
        assert_eq!(counts(&planned), [14, 0, 0, 0]);
        assert_eq!(names(&planned.writes()), NOTHING);
    }

    async fn setting_up_twice_writes_nothing_the_second_time(engine: Engine) {
        let world = world_on(engine).await;
        setup(&world).run().await.ended(0);
        let second = again(&world).run().await.ended(0);
        assert_eq!(names(&second.writes()), NOTHING);
        let planned = plan(&world).args(["-o", "json", "--check"]).run().await.ended(0);
        assert_eq!(counts(&planned), [0, 0, 14, 0]);
    }

    async fn outputs_are_what_setup_printed(engine: Engine) {
        let world = world_on(engine).await;
        let made = json(&setup(&world).args(["-o", "json"]).run().await.ended(0));
        let read = outputs(&world).run().await.ended(0);
        assert_eq!(json(&read), made);
        assert_eq!(names(&read.writes()), NOTHING);
        let queue = text(&made["heeler_event_queue_url"]);
        assert!(queue.ends_with("/heeler_event_collection_queue.fifo"), "{queue}");
        let role = text(&made["heeler_event_role_arn"]);
        assert!(role.ends_with(":role/heeler_event_collection_sqs_role"), "{role}");
        assert_eq!(made["heeler_event_role_external_id"], ID);
    }

    async fn events_are_let_through_last_of_all(engine: Engine) {
        let world = world_on(engine).await;
        let run = setup(&world).run().await.ended(0);
        let writes = names(&run.writes());
        assert_eq!(writes.last().map(String::as_str), Some("logs:PutSubscriptionFilter"), "{writes:?}");
        assert!(place(&run, "lambda:CreateFunction") < place(&run, "lambda:AddPermission"), "{writes:?}");
        let attached = writes.iter().rposition(|name| name == "iam:AttachRolePolicy");
        assert!(attached.is_some(), "{writes:?}");
    }

    async fn everything_is_made_in_the_region_of_the_log_group(engine: Engine) {
        let world = World::on(engine).region("eu-west-1").log_group().build().await;
        let run = setup(&world).env("AWS_REGION", "us-east-1").run().await.ended(0);
        for call in run.writes().iter().filter(|call| call.service != "iam") {
            assert_eq!(call.region, "eu-west-1", "{}", call.name());
        }
        let again = again(&world).env("AWS_REGION", "us-east-1").run().await.ended(0);
        assert_eq!(names(&again.writes()), NOTHING);
        destroy(&world).env("AWS_REGION", "us-east-1").run().await.ended(0);
        assert_eq!(world.leftovers().await, NOTHING);
    }

    async fn nothing_of_ours_is_left_and_all_of_theirs(engine: Engine) {
        let world = world_on(engine).await;
        let before = theirs(&world).await;
        setup(&world).run().await.ended(0);
        write_a_log(&world).await;
        let run = destroy(&world).run().await.ended(0);
        assert_eq!(world.leftovers().await, NOTHING);
        assert_eq!(theirs(&world).await, before);
        let first = names(&run.writes()).first().cloned();
        assert_eq!(first.as_deref(), Some("logs:DeleteSubscriptionFilter"));
        let second = destroy(&world).run().await.ended(1);
        assert_eq!(names(&second.writes()), NOTHING);
    }

    async fn what_was_destroyed_can_be_set_up_again(engine: Engine) {
        let world = world_on(engine).await;
        setup(&world).run().await.ended(0);
        destroy(&world).run().await.ended(0);
        setup(&world).run().await.ended(0);
        is_complete(&world).await;
    }

    async fn one_option_does_not_take_the_place_of_the_other(engine: Engine) {
        for (first, second) in [("s3", OPTION), (OPTION, "s3")] {
            let world = world_on(engine).await;
            setup_of(&world, first).run().await.ended(0);
            let refused = setup_of(&world, second).run().await.ended(1);
            assert_eq!(names(&refused.writes()), NOTHING);
            let before = world.leftovers().await;
            let other = ["--name-prefix", "heeler_two"];
            setup_of(&world, second).args(other).run().await.ended(0);
            destroy(&world).args(other).run().await.ended(0);
            assert_eq!(world.leftovers().await, before);
        }
    }
}
