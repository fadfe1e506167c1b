//! Destroy takes down what setup made, and nothing else.

use crate::harness::{Engine, Fault, Heeler, What, World};
use crate::steps::{destroy, json, names, on_both_engines, setup, setup_with, text};

const QUEUE: &str = "heeler_event_collection_queue";
const ROLE: &str = "heeler_event_collection_sqs_role";
const NOTHING: [String; 0] = [];

on_both_engines! {
    async fn nothing_of_ours_is_left_and_all_of_theirs(engine: Engine) {
        let world = World::on(engine).bucket_key().foreign_notifications().build().await;
        let before = world.notification().await;
        setup(&world).run().await.ended(0);
        destroy(&world).run().await.ended(0);
        assert_eq!(world.leftovers().await, NOTHING);
        assert_eq!(world.notification().await, before);
    }

    async fn a_second_time_there_is_nothing_to_destroy(engine: Engine) {
        let world = World::on(engine).build().await;
        setup(&world).run().await.ended(0);
        destroy(&world).run().await.ended(0);
        let second = destroy(&world).run().await.ended(1);
        assert_eq!(names(&second.writes()), NOTHING);
        assert!(second.stderr.contains("another --name-prefix"), "{}", second.stderr);
    }

    async fn what_was_destroyed_can_be_set_up_again(engine: Engine) {
        let world = World::on(engine).build().await;
        setup(&world).run().await.ended(0);
        let made = kinds(&world).await;
        destroy(&world).run().await.ended(0);
        setup(&world).run().await.ended(0);
        assert_eq!(kinds(&world).await, made);
    }

    async fn an_existing_topic_stays_with_its_policy_and_its_notification(engine: Engine) {
        let world = World::on(engine).topic("events").bucket_key().build().await;
        let before = (policy_of_topic(&world).await, world.notification().await);
        setup(&world).run().await.ended(0);
        destroy(&world).run().await.ended(0);
        assert_eq!(world.leftovers().await, NOTHING);
        assert_eq!((policy_of_topic(&world).await, world.notification().await), before);
    }
}

/// What is there of ours, with keys but not with their ids.
async fn kinds(world: &World) -> Vec<String> {
    let left = world.leftovers().await.into_iter();
    left.map(|line| {
        if line.starts_with("key ") {
            "key".to_owned()
        } else {
            line
        }
    })
    .collect()
}

async fn policy_of_topic(world: &World) -> Option<String> {
    let topic = world.topic().expect("a topic");
    let read = world
        .clients()
        .sns
        .get_topic_attributes()
        .topic_arn(topic)
        .send()
        .await;
    read.expect("a topic's attributes")
        .attributes
        .expect("attributes")
        .remove("Policy")
}

async fn delete_trail(world: &World) {
    let delete = world
        .clients()
        .cloudtrail
        .delete_trail()
        .name(world.trail());
    delete.send().await.expect("no trail");
}

fn may_not(service: &str, operation: &str) -> Fault {
    Fault::new(
        service,
        operation,
        What::refuse(403, "AccessDenied", "is not authorized"),
    )
}

#[tokio::test]
async fn a_dry_run_shows_what_would_go_and_writes_nothing() {
    let world = World::on(Engine::Ministack)
        .foreign_notifications()
        .build()
        .await;
    setup(&world).run().await.ended(0);
    let before = (world.leftovers().await, world.notification().await);
    let run = Heeler::new(&world).args(["destroy", "--dry-run", "-o", "json"]);
    let run = run.run().await.ended(0);
    assert_eq!(names(&run.writes()), NOTHING);
    assert_eq!(
        (world.leftovers().await, world.notification().await),
        before
    );
    let shown = json(&run);
    let steps = shown["steps"].as_array().expect("steps");
    assert_eq!(steps.len(), 12);
    assert!(
        steps.iter().all(|step| step["action"] == "delete"),
        "{shown:#}"
    );
    let notification = steps.iter().find(|step| step["kind"] == "s3 notification");
    let stays = notification
        .and_then(|step| step["stays"].as_array())
        .map(Vec::len);
    assert_eq!(stays, Some(4));
}

#[tokio::test]
async fn a_queue_of_somebody_else_stays_and_is_named() {
    let world = World::on(Engine::Ministack).build().await;
    let made = json(&setup(&world).args(["-o", "json"]).run().await.ended(0));
    let sqs = &world.clients().sqs;
    let delete = sqs
        .delete_queue()
        .queue_url(text(&made["heeler_event_queue_url"]));
    delete.send().await.expect("no queue of ours");
    sqs.create_queue()
        .queue_name(QUEUE)
        .send()
        .await
        .expect("a queue of somebody else");

    let run = destroy(&world).run().await.ended(0);
    assert_eq!(world.leftovers().await, [format!("queue {QUEUE}")]);
    let line = format!("sqs queue {QUEUE}: nothing says that heeler-ec made it");
    assert!(run.stderr.contains(&line), "{}", run.stderr);
}

#[tokio::test]
async fn a_refused_delete_is_named_and_the_rest_goes() {
    let world = World::on(Engine::Ministack).bucket_key().build().await;
    setup(&world).run().await.ended(0);
    world.proxy().fault(may_not("sqs", "DeleteQueue"));
    let run = destroy(&world).run().await.ended(3);
    assert!(
        run.stderr.contains("grant sqs:DeleteQueue"),
        "{}",
        run.stderr
    );
    let left = run.stderr.split("Left:").nth(1).expect("what is left");
    assert!(left.contains(&format!("sqs queue {QUEUE}: ")), "{left}");
    assert!(left.contains("kms key"), "{left}");
    let topics = world
        .clients()
        .sns
        .list_topics()
        .send()
        .await
        .expect("topics");
    assert!(topics.topics().is_empty(), "{topics:?}");

    world.proxy().mend();
    destroy(&world).run().await.ended(0);
    assert_eq!(world.leftovers().await, NOTHING);
}

#[tokio::test]
async fn it_finds_everything_when_the_trail_is_gone() {
    let world = World::on(Engine::Ministack).bucket_key().build().await;
    setup(&world).run().await.ended(0);
    delete_trail(&world).await;
    destroy(&world).run().await.ended(0);
    assert_eq!(world.leftovers().await, NOTHING);
}

#[tokio::test]
async fn without_a_trail_a_second_try_still_finds_the_rest() {
    for (service, operation) in [
        ("sqs", "DeleteQueue"),
        ("kms", "RevokeGrant"),
        ("s3", "PutBucketNotificationConfiguration"),
    ] {
        let world = World::on(Engine::Ministack).bucket_key().build().await;
        setup(&world).run().await.ended(0);
        delete_trail(&world).await;
        world.proxy().fault(may_not(service, operation));
        destroy(&world).run().await.ended(3);
        world.proxy().mend();
        destroy(&world).run().await.ended(0);
        assert_eq!(world.leftovers().await, NOTHING, "{operation}");
    }
}

#[tokio::test]
async fn it_finds_the_rest_when_the_role_is_gone() {
    let world = World::on(Engine::Ministack).bucket_key().build().await;
    setup(&world).run().await.ended(0);
    let iam = &world.clients().iam;
    let policy = format!(
        "arn:aws:iam::{}:policy/heeler_event_collection_sqs_policy",
        world.account()
    );
    let detach = iam.detach_role_policy().role_name(ROLE).policy_arn(policy);
    detach.send().await.expect("a role without policies");
    iam.delete_role()
        .role_name(ROLE)
        .send()
        .await
        .expect("no role");
    destroy(&world).run().await.ended(0);
    assert_eq!(world.leftovers().await, NOTHING);
}

#[tokio::test]
async fn where_it_may_not_look_it_does_not_say_that_nothing_is_there() {
    let world = World::on(Engine::Ministack).build().await;
    let table = [
        ("iam", "GetRole", "iam:GetRole"),
        ("cloudtrail", "DescribeTrails", "cloudtrail:DescribeTrails"),
        ("s3", "HeadBucket", "s3:ListBucket"),
    ];
    for (service, operation, permission) in table {
        world.proxy().fault(may_not(service, operation));
        let run = destroy(&world).run().await.ended(3);
        world.proxy().mend();
        assert!(run.stderr.contains(permission), "{}", run.stderr);
    }
}

#[tokio::test]
async fn the_entry_of_the_bucket_goes_first() {
    let world = World::on(Engine::Ministack).bucket_key().build().await;
    setup(&world).run().await.ended(0);
    let run = destroy(&world).run().await.ended(0);
    let writes = names(&run.writes());
    let first = writes.first().map(String::as_str);
    assert_eq!(
        first,
        Some("s3:PutBucketNotificationConfiguration"),
        "{writes:?}"
    );
}

#[tokio::test]
async fn the_external_id_is_not_told() {
    let world = World::on(Engine::Ministack).build().await;
    setup_with(&world, "id-of-the-setup").run().await.ended(0);
    let run = destroy(&world).args(["-v"]).run().await.ended(0);
    assert!(
        !format!("{}{}", run.stdout, run.stderr).contains("id-of-the"),
        "{}",
        run.stderr
    );
}

/// IAM would refuse to delete the policy for as long as the role has it.
#[tokio::test]
async fn the_policy_of_a_role_that_stays_stays_too() {
    let world = World::on(Engine::Ministack).build().await;
    setup(&world).run().await.ended(0);
    let iam = &world.clients().iam;
    let tags = iam.list_role_tags().role_name(ROLE).send().await;
    let tags = tags.expect("the tags of the role").tags;
    let keys = tags.iter().map(|tag| tag.key().to_owned()).collect();
    let untagged = iam.untag_role().role_name(ROLE).set_tag_keys(Some(keys));
    untagged.send().await.expect("a role without tags");
    let run = destroy(&world).run().await.ended(0);
    assert!(
        run.stderr.contains("holds it, which stays"),
        "{}",
        run.stderr
    );
    let writes = names(&run.writes());
    assert!(
        !writes.iter().any(|name| name == "iam:DeletePolicy"),
        "{writes:?}"
    );
}

#[tokio::test]
async fn an_interrupted_destroy_can_be_completed() {
    let world = World::on(Engine::Ministack).bucket_key().build().await;
    setup(&world).run().await.ended(0);
    world.proxy().delay(std::time::Duration::from_millis(100));
    let running = destroy(&world).spawn().await;
    running.warned("- deleted s3 notification").await;
    running.interrupt();
    let run = running.wait().await.ended(130);
    assert!(run.stderr.contains("Left:"), "{}", run.stderr);

    world.proxy().delay(std::time::Duration::ZERO);
    destroy(&world).run().await.ended(0);
    assert_eq!(world.leftovers().await, NOTHING);
}
