//! The policy that is printed for a command is what the command needs: nothing is missing, and nothing is to spare.

use std::collections::BTreeSet;

use aws_credential_types::Credentials;
use aws_sdk_kms::types::GrantOperation;
use aws_sdk_lambda::client::Waiters;
use aws_sdk_sqs::types::QueueAttributeName;
use heeler_ec::permit::{Preflight, Task};
use heeler_ec::route::Route;
use serde_json::{Value, json};

use crate::harness::clients::credentials;
use crate::harness::object::event;
use crate::harness::permission::{actions, permitted};
use crate::harness::{Clients, Engine, Fault, Heeler, Object, Run, Running, What, World, module};
use crate::steps::{
    again, again_of, destroy, json, outputs, plan, plan_of, preflight, preflight_of, setup,
    setup_of, setup_of_with, setup_with, text,
};

const ROLE: &str = "heeler_event_collection_sqs_role";
const ALIAS: &str = "alias/heeler_kms_key_sqs";

/// What the runs of one command needed.
struct Needed {
    task: Task,
    actions: BTreeSet<String>,
}

impl Needed {
    fn by(task: Task) -> Self {
        Self {
            task,
            actions: BTreeSet::new(),
        }
    }

    fn add(&mut self, world: &World, run: &Run) {
        let encrypted = world.bucket_key().is_some();
        let calls = run.calls.iter();
        self.actions
            .extend(calls.flat_map(|call| actions(call, encrypted)));
    }

    /// What a run needs that finds no trail, and one that may not look at the bucket.
    async fn add_trouble(&mut self, run: fn(&World) -> Heeler<'_>) {
        let world = World::on(Engine::Ministack).no_trail().build().await;
        self.add(&world, &run(&world).run().await);
        let world = World::on(Engine::Ministack).build().await;
        let refusal = What::refuse(403, "AccessDenied", "Access Denied");
        let refused = Fault::new("s3", "HeadBucket", refusal);
        world.proxy().fault(refused);
        self.add(&world, &run(&world).run().await);
    }

    /// What is permitted and was not needed.
    fn to_spare(&self) -> Vec<String> {
        let permitted = permitted(self.task);
        let missing: Vec<&String> = self.actions.difference(&permitted).collect();
        assert_eq!(missing, Vec::<&String>::new(), "{:?}", self.task);
        permitted.difference(&self.actions).cloned().collect()
    }
}

const NOTHING: [String; 0] = [];

/// A world with a key, so that there are grants and encrypted objects.
async fn encrypted() -> World {
    World::on(Engine::Ministack).bucket_key().build().await
}

const CLOUDWATCH: &str = "cloudwatch";

/// A world with a log group, for option cloudwatch.
async fn logged() -> World {
    World::on(Engine::Ministack).log_group().build().await
}

fn plan_of_cloudwatch(world: &World) -> Heeler<'_> {
    plan_of(world, CLOUDWATCH)
}

fn setup_of_cloudwatch(world: &World) -> Heeler<'_> {
    setup_of(world, CLOUDWATCH)
}

/// Preflight of both options.
fn preflight_of_all(world: &World) -> Heeler<'_> {
    Heeler::new(world).args(["preflight"])
}

#[tokio::test]
async fn preflight_may_do_what_it_does() {
    let everything = Task::Preflight(Preflight {
        route: None,
        deep: true,
        fix: true,
    });
    let mut needed = Needed::by(everything);
    needed.add_trouble(preflight_of_all).await;
    let world = World::on(Engine::Ministack).topic("events").build().await;
    needed.add(&world, &preflight_of_all(&world).run().await.ended(0));
    let world = World::on(Engine::Ministack);
    let world = world.bucket_key().log_group().build().await;
    setup(&world).run().await.ended(0);
    needed.add(&world, &preflight_of_all(&world).run().await.ended(0));
    let deep = preflight_of_all(&world).args(["--deep"]);
    needed.add(&world, &deep.run().await.ended(0));

    let world = World::on(Engine::Ministack);
    let world = world.stopped().log_group().build().await;
    let group = world.log_group().expect("a log group");
    let retention = world.clients().logs.put_retention_policy();
    let retention = retention.log_group_name(group).retention_in_days(30);
    retention.send().await.expect("a longer retention");
    let fix = preflight_of_all(&world).args(["--fix"]);
    let fix = fix.on_terminal(200, &[("Start trail", "yes"), ("Keep the events", group)]);
    needed.add(&world, &fix.run().await.ended(0));
    // The root user, who the owner of a world is, is not simulated.
    let user = without(&world, &[]).await;
    let deep = preflight(&world).args(["--deep"]).identity(&user);
    needed.add(&world, &deep.run().await.ended(0));
    assert_eq!(needed.to_spare(), NOTHING);
}

#[tokio::test]
async fn plan_may_do_what_it_does() {
    let world = encrypted().await;
    let mut needed = Needed::by(Task::Plan(Route::S3));
    needed.add_trouble(plan).await;
    needed.add(&world, &plan(&world).run().await.ended(0));
    setup(&world).run().await.ended(0);
    needed.add(&world, &plan(&world).run().await.ended(0));
    assert_eq!(needed.to_spare(), NOTHING);
}

#[tokio::test]
async fn setup_may_do_what_it_does() {
    let mut needed = Needed::by(Task::Setup(Route::S3));
    needed.add_trouble(setup).await;
    let worlds = [
        World::on(Engine::Ministack).build().await,
        World::on(Engine::Ministack)
            .topic("events")
            .bucket_key()
            .build()
            .await,
    ];
    for world in worlds {
        needed.add(&world, &setup(&world).run().await.ended(0));
        needed.add(&world, &again(&world).run().await.ended(0));
        let second = setup(&world).args(["--name-prefix", "heeler_two"]);
        needed.add(&world, &second.run().await.ended(0));
    }

    let world = encrypted().await;
    let killed = setup(&world).kill_after_writes(1).run().await.ended(-9);
    needed.add(&world, &killed);
    needed.add(&world, &setup(&world).run().await.ended(0));
    changed(&world).await;
    needed.add(&world, &again(&world).run().await.ended(0));
    let other_id = setup_with(&world, "id-of-another-setup");
    needed.add(&world, &other_id.run().await.ended(0));
    let kms = &world.clients().kms;
    let deletion = kms.schedule_key_deletion().key_id(own_key(&world).await);
    deletion.send().await.expect("a key on its way out");
    needed.add(&world, &again(&world).run().await.ended(0));
    add_race(&mut needed, "s3").await;
    assert_eq!(needed.to_spare(), NOTHING);
}

#[tokio::test]
async fn a_setup_that_rolls_back_may_do_what_it_does() {
    for option in ["s3", CLOUDWATCH] {
        let route = Route::named(option).expect("an option");
        let mut needed = Needed::by(Task::Rollback(route));
        needed.actions = permitted(Task::Setup(route));
        let world = World::on(Engine::Ministack).bucket_key();
        let world = world.log_group().build().await;
        let refused = |service, operation| {
            let refusal = What::refuse(403, "AccessDenied", "is not authorized");
            Fault::new(service, operation, refusal).times(1)
        };
        let roll_back = || {
            let setup = setup_of_with(&world, option, "id-of-the-setup");
            setup.args(["--on-failure", "rollback"])
        };
        let last = if option == "s3" {
            refused("s3", "PutBucketNotificationConfiguration")
        } else {
            // CloudWatch Logs has taken the filter, and does not show it.
            let answer = What::json(|found| found["subscriptionFilters"] = json!([]));
            Fault::new("logs", "DescribeSubscriptionFilters", answer)
                .after(3)
                .times(1)
        };
        world.proxy().fault(last);
        if option == "s3" {
            needed.add(&world, &roll_back().run().await.ended(3));
        } else {
            let running = roll_back().spawn().await;
            running.warned("waiting for subscription filter").await;
            running.interrupt();
            needed.add(&world, &running.wait().await.ended(130));
        }
        setup_of_with(&world, option, "id-of-the-setup")
            .run()
            .await
            .ended(0);
        if option == "s3" {
            changed(&world).await;
        } else {
            changed_for_cloudwatch(&world).await;
        }
        let untag = world.clients().iam.untag_role().role_name(ROLE);
        let untag = untag.tag_keys("heeler-ec:region").send().await;
        untag.expect("a role with a tag less");
        world
            .proxy()
            .fault(refused("iam", "CreatePolicyVersion").times(1));
        needed.add(&world, &roll_back().run().await.ended(3));
        assert_eq!(needed.to_spare(), NOTHING, "{option}");
    }
}

#[tokio::test]
async fn restore_may_do_what_it_does() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut needed = Needed::by(Task::Restore(None));
    for option in ["s3", CLOUDWATCH] {
        let world = World::on(Engine::Ministack).log_group().bucket_key();
        let world = world.build().await;
        setup_of(&world, option).run().await.ended(0);
        if option == "s3" {
            changed(&world).await;
            other_topic_policy(&world).await;
        } else {
            changed_for_cloudwatch(&world).await;
        }
        other_notification(&world, option).await;
        let file = folder.path().join(option);
        let backup = ["--backup".as_ref(), file.as_os_str()];
        let id = ["--external-id", "id-of-another-setup"];
        let again = again_of(&world, option).args(backup).args(id);
        again.run().await.ended(0);
        let restore = Heeler::new(&world).args(["restore".as_ref(), file.as_os_str()]);
        let restored = restore.args(["--yes"]).run().await.ended(0);
        needed.add(&world, &restored);
    }
    assert_eq!(needed.to_spare(), NOTHING);
}

/// Takes our entry out of the bucket's notification and a statement out of our queue's policy.
async fn other_notification(world: &World, option: &str) {
    let name = if option == "s3" {
        "heeler_event_collection_queue"
    } else {
        "heeler_event_collection_queue.fifo"
    };
    let Clients { s3, sqs, .. } = world.clients();
    let none = aws_sdk_s3::types::NotificationConfiguration::builder().build();
    let put = s3.put_bucket_notification_configuration();
    let put = put.bucket(world.bucket()).notification_configuration(none);
    put.send().await.expect("a bucket that announces nothing");
    let queue = sqs.get_queue_url().queue_name(name).send().await;
    let queue = queue.expect("a queue").queue_url.expect("its URL");
    let theirs = json!({"Version": "2012-10-17", "Statement": [{
        "Effect": "Deny",
        "Principal": "*",
        "Action": "sqs:PurgeQueue",
        "Resource": format!("arn:aws:sqs:{}:{}:{name}", world.region(), world.account()),
    }]});
    let set = sqs.set_queue_attributes().queue_url(queue);
    let set = set.attributes(QueueAttributeName::Policy, theirs.to_string());
    set.send().await.expect("another policy of the queue");
}

async fn other_topic_policy(world: &World) {
    let topic = format!(
        "arn:aws:sns:{}:{}:heeler_event_collection_topic",
        world.region(),
        world.account()
    );
    let theirs = json!({"Version": "2012-10-17", "Statement": [{
        "Effect": "Deny",
        "Principal": "*",
        "Action": "sns:Publish",
        "Resource": topic,
    }]});
    let set = world.clients().sns.set_topic_attributes().topic_arn(topic);
    let set = set.attribute_name("Policy");
    let set = set.attribute_value(theirs.to_string()).send().await;
    set.expect("another policy of the topic");
}

/// What two setups at once need, of which one takes its key back.
async fn add_race(needed: &mut Needed, option: &str) {
    let world = World::on(Engine::Ministack).log_group().build().await;
    let delay = What::Delay(std::time::Duration::from_secs(2));
    let hold = Fault::new("kms", "CreateKey", delay).times(2);
    world.proxy().fault(hold);
    let runs = tokio::join!(
        setup_of(&world, option).run(),
        setup_of(&world, option).run()
    );
    needed.add(&world, &runs.0);
    needed.add(&world, &runs.1);
}

#[tokio::test]
async fn plan_of_cloudwatch_may_do_what_it_does() {
    let world = logged().await;
    let mut needed = Needed::by(Task::Plan(Route::CloudWatch));
    needed.add_trouble(plan_of_cloudwatch).await;
    needed.add(&world, &plan_of_cloudwatch(&world).run().await.ended(0));
    setup_of_cloudwatch(&world).run().await.ended(0);
    needed.add(&world, &plan_of_cloudwatch(&world).run().await.ended(0));
    assert_eq!(needed.to_spare(), NOTHING);
}

#[tokio::test]
async fn setup_of_cloudwatch_may_do_what_it_does() {
    let mut needed = Needed::by(Task::Setup(Route::CloudWatch));
    needed.add_trouble(setup_of_cloudwatch).await;
    let world = logged().await;
    let killed = setup_of(&world, CLOUDWATCH).kill_after_writes(3);
    needed.add(&world, &killed.run().await.ended(-9));
    let setup = || setup_of_with(&world, CLOUDWATCH, "id-of-the-setup");
    needed.add(&world, &setup().run().await.ended(0));
    changed_for_cloudwatch(&world).await;
    needed.add(&world, &again_of(&world, CLOUDWATCH).run().await.ended(0));
    let other_id = setup_of_with(&world, CLOUDWATCH, "id-of-another-setup");
    needed.add(&world, &other_id.run().await.ended(0));
    let kms = &world.clients().kms;
    let deletion = kms.schedule_key_deletion().key_id(own_key(&world).await);
    deletion.send().await.expect("a key on its way out");
    needed.add(&world, &again_of(&world, CLOUDWATCH).run().await.ended(0));
    add_race(&mut needed, CLOUDWATCH).await;
    assert_eq!(needed.to_spare(), NOTHING);
}

#[tokio::test]
async fn outputs_may_do_what_it_does() {
    let world = encrypted().await;
    setup(&world).run().await.ended(0);
    let mut needed = Needed::by(Task::Outputs(None));
    needed.add(&world, &outputs(&world).run().await.ended(0));
    assert_eq!(needed.to_spare(), NOTHING);
}

#[tokio::test]
async fn export_may_do_what_it_does() {
    fn export(world: &World) -> Heeler<'_> {
        Heeler::new(world).args(["export", "terraform"])
    }
    let mut needed = Needed::by(Task::Export(None));
    let world = encrypted().await;
    setup(&world).run().await.ended(0);
    needed.add(&world, &export(&world).run().await.ended(0));
    let alias = world.clients().kms.delete_alias().alias_name(ALIAS);
    alias.send().await.expect("a key that only its tags tell");
    needed.add(&world, &export(&world).run().await.ended(0));
    let world = logged().await;
    setup_of(&world, CLOUDWATCH).run().await.ended(0);
    needed.add(&world, &export(&world).run().await.ended(0));
    assert_eq!(needed.to_spare(), NOTHING);
}

#[tokio::test]
async fn tail_may_do_what_it_does() {
    let world = encrypted().await;
    setup(&world).run().await.ended(0);
    left_taps(&world).await;
    let mut needed = Needed::by(Task::Tail(None));
    needed.add(&world, &one_event(&world, tail(&world)).await);
    let world = World::on(Engine::Ministack).log_group().build().await;
    crate::steps::setup_of(&world, "cloudwatch")
        .run()
        .await
        .ended(0);
    let short = tail(&world).args(["--timeout", "1s"]);
    needed.add(&world, &short.run().await.ended(1));
    assert_eq!(needed.to_spare(), NOTHING);
}

#[tokio::test]
async fn destroy_may_do_what_it_does() {
    let mut needed = Needed::by(Task::Destroy(None));
    needed.add_trouble(destroy).await;
    let world = encrypted().await;
    setup(&world).run().await.ended(0);
    changed(&world).await;
    left_taps(&world).await;
    needed.add(&world, &destroy(&world).run().await.ended(0));

    let world = encrypted().await;
    setup(&world).run().await.ended(0);
    without_role(&world).await;
    let alias = world.clients().kms.delete_alias().alias_name(ALIAS);
    alias.send().await.expect("a key that only its tags tell");
    needed.add(&world, &destroy(&world).run().await.ended(0));

    let world = logged().await;
    setup_of(&world, CLOUDWATCH).run().await.ended(0);
    without_role(&world).await;
    needed.add(&world, &destroy(&world).run().await.ended(0));
    assert_eq!(needed.to_spare(), NOTHING);
}

/// Changes what both options have: the key, the role and its policy.
async fn changed_in_common(world: &World) {
    let Clients { iam, kms, .. } = world.clients();
    let key = own_key(world).await;
    let root = format!("arn:aws:iam::{}:root", world.account());
    let policy = json!({"Version": "2012-10-17", "Statement": [
        {"Effect": "Allow", "Principal": {"AWS": root}, "Action": "kms:*", "Resource": "*"},
        {"Effect": "Allow", "Principal": {"AWS": root}, "Action": "kms:Decrypt", "Resource": "*"}
    ]});
    let put = kms.put_key_policy().key_id(&key).policy_name("default");
    let put = put.policy(policy.to_string()).send().await;
    put.expect("another policy of the key");
    let described = kms
        .update_key_description()
        .key_id(&key)
        .description("mine");
    described.send().await.expect("another description");
    let turned = kms.disable_key_rotation().key_id(&key).send().await;
    turned.expect("a key that does not rotate");
    let disabled = kms.disable_key().key_id(&key).send().await;
    disabled.expect("a disabled key");

    let described = iam.update_role().role_name(ROLE).description("mine");
    described.send().await.expect("another description");
    let tag = aws_sdk_iam::types::Tag::builder()
        .key("heeler-ec:region")
        .value(world.region())
        .build()
        .expect("a tag");
    let tagged = iam.tag_role().role_name(ROLE).tags(tag).send().await;
    tagged.expect("another tag");
    for _ in 0..4 {
        let version = iam.create_policy_version().policy_arn(own_policy(world));
        let version = version.policy_document(policy_of("s3:GetObject").to_string());
        let version = version.set_as_default(true).send().await;
        version.expect("another version of the policy");
    }
}

/// Sets another retention on our queue.
async fn changed_queue(world: &World, name: &str) {
    let sqs = &world.clients().sqs;
    let queue = sqs.get_queue_url().queue_name(name).send().await;
    let queue = queue.expect("a queue").queue_url.expect("its URL");
    let retention = sqs.set_queue_attributes().queue_url(queue);
    let retention = retention.attributes(QueueAttributeName::MessageRetentionPeriod, "60");
    retention.send().await.expect("a shorter retention");
}

/// Changes one thing of each kind that setup puts right.
pub async fn changed(world: &World) {
    changed_in_common(world).await;
    changed_queue(world, "heeler_event_collection_queue").await;
    let Clients { iam, kms, sns, .. } = world.clients();
    let tag = aws_sdk_iam::types::Tag::builder()
        .key("heeler-ec:log-prefix")
        .value("elsewhere/")
        .build()
        .expect("a tag");
    let tagged = iam.tag_role().role_name(ROLE).tags(tag).send().await;
    tagged.expect("another tag");

    let grants = kms.list_grants().key_id(world.bucket_key().expect("a key"));
    let grants = grants
        .send()
        .await
        .expect("grants")
        .grants
        .unwrap_or_default();
    let ours = grants
        .iter()
        .find(|grant| grant.name().is_some_and(|name| name.starts_with("heeler")))
        .expect("our grant");
    let bucket_key = world.bucket_key().expect("a key");
    let revoke = kms.revoke_grant().key_id(bucket_key);
    let revoke = revoke.set_grant_id(ours.grant_id.clone()).send().await;
    revoke.expect("no grant");
    let wider = kms.create_grant().key_id(bucket_key);
    let wider = wider.set_name(ours.name.clone());
    let wider = wider.set_grantee_principal(ours.grantee_principal.clone());
    let wider = wider.operations(GrantOperation::Decrypt);
    let wider = wider.operations(GrantOperation::DescribeKey).send().await;
    wider.expect("a wider grant");

    let topic = format!(
        "arn:aws:sns:{}:{}:heeler_event_collection_topic",
        world.region(),
        world.account()
    );
    let listed = sns.list_subscriptions_by_topic().topic_arn(topic);
    let listed = listed.send().await.expect("subscriptions").subscriptions;
    let subscription = listed.unwrap_or_default().remove(0);
    let raw = sns.set_subscription_attributes();
    let raw = raw.set_subscription_arn(subscription.subscription_arn);
    let raw = raw
        .attribute_name("RawMessageDelivery")
        .attribute_value("true");
    raw.send().await.expect("raw messages");
}

/// The same for option cloudwatch.
pub async fn changed_for_cloudwatch(world: &World) {
    changed_in_common(world).await;
    changed_queue(world, "heeler_event_collection_queue.fifo").await;
    let Clients {
        iam, lambda, logs, ..
    } = world.clients();
    let tag = aws_sdk_iam::types::Tag::builder()
        .key("heeler-ec:log-group")
        .value("elsewhere")
        .build()
        .expect("a tag");
    let name = "heeler_event_collection_lambda_role";
    let described = iam.update_role().role_name(name).description("mine");
    described.send().await.expect("another description");
    let tagged = iam.tag_role().role_name(name).tags(tag).send().await;
    tagged.expect("another tag");

    let name = "heeler_event_collection_lambda";
    let memory = lambda.update_function_configuration().function_name(name);
    let memory = memory.memory_size(256).send().await;
    memory.expect("another memory");
    let code = aws_smithy_types::Blob::new(module::code());
    let code = lambda
        .update_function_code()
        .function_name(name)
        .zip_file(code);
    code.send().await.expect("another code");
    let off = lambda.put_function_concurrency().function_name(name);
    let off = off.reserved_concurrent_executions(0).send().await;
    off.expect("a function that is switched off");
    let sid = "InvokePermissionsForCW";
    let removed = lambda.remove_permission().function_name(name);
    let removed = removed.statement_id(sid).send().await;
    removed.expect("no permission");
    let wider = lambda
        .add_permission()
        .function_name(name)
        .statement_id(sid);
    let wider = wider
        .action("lambda:InvokeFunction")
        .principal("logs.amazonaws.com");
    wider.send().await.expect("a wider permission");
    let updated = lambda.wait_until_function_updated_v2().function_name(name);
    let updated = updated.wait(std::time::Duration::from_secs(60)).await;
    updated.expect("a function as it was changed");

    let group = world.log_group().expect("a log group");
    let filter = world.filters(group).await.remove(0);
    let put = logs.put_subscription_filter().log_group_name(group);
    let put = put.set_filter_name(filter.filter_name).filter_pattern("");
    let put = put.set_destination_arn(filter.destination_arn).send().await;
    put.expect("another pattern");
}

fn policy_of(action: &str) -> Value {
    crate::harness::world::allow(action)
}

fn own_policy(world: &World) -> String {
    format!(
        "arn:aws:iam::{}:policy/heeler_event_collection_sqs_policy",
        world.account()
    )
}

async fn own_key(world: &World) -> String {
    let described = world
        .clients()
        .kms
        .describe_key()
        .key_id(ALIAS)
        .send()
        .await;
    let key = described
        .expect("our key")
        .key_metadata
        .expect("a description");
    key.arn.expect("its ARN")
}

async fn without_role(world: &World) {
    let iam = &world.clients().iam;
    let detach = iam.detach_role_policy().role_name(ROLE);
    let detach = detach.policy_arn(own_policy(world)).send().await;
    detach.expect("a role without policies");
    let delete = iam.delete_role().role_name(ROLE).send().await;
    delete.expect("no role");
}

/// What two killed runs left: of one, the queue is gone already.
async fn left_taps(world: &World) {
    let killed = [listening(tail(world)).await, listening(tail(world)).await];
    for run in killed {
        run.kill();
        run.wait().await.ended(-9);
    }
    let sqs = &world.clients().sqs;
    let taps = sqs.list_queues().queue_name_prefix("heeler_ec_tail_");
    let taps = taps.send().await.expect("queues").queue_urls;
    let taps = taps.unwrap_or_default();
    assert_eq!(taps.len(), 2, "{taps:?}");
    let delete = sqs.delete_queue().queue_url(&taps[0]).send().await;
    delete.expect("a queue less");
}

fn tail(world: &World) -> Heeler<'_> {
    Heeler::new(world).args(["tail", "--limit", "1"])
}

/// Tail, once it gets every message.
async fn listening(tail: Heeler<'_>) -> Running<'_> {
    let running = tail.spawn().await;
    running.warned("is removed at the end").await;
    running
}

/// Runs tail until it has shown an event.
async fn one_event(world: &World, tail: Heeler<'_>) -> Run {
    let running = listening(tail).await;
    let record = event(
        world.account(),
        world.region(),
        "s3.amazonaws.com",
        "CreateBucket",
        false,
    );
    let object = Object::new(world.account(), world.region(), vec![record]);
    world.deliver(&object).await;
    running.wait().await.ended(0)
}

/// Conditions that the emulator cannot judge: it never knows these keys, where AWS does.
const UNKNOWN_TO_THE_EMULATOR: &[&str] = &[
    "iam:PolicyARN",
    "kms:GrantOperations",
    "kms:GranteePrincipal",
    "kms:ResourceAliases",
    "kms:ViaService",
    "lambda:Principal",
    "sns:Endpoint",
    "sns:Protocol",
];

/// Actions that the emulator asks for on another resource than AWS does.
const ASKED_ELSEWHERE_BY_THE_EMULATOR: &[&str] = &[
    // On the alias, where AWS asks on its key.
    "kms:DescribeKey",
    // On nothing, where AWS asks on the alias and on its key.
    "kms:CreateAlias",
    "kms:DeleteAlias",
    "kms:UpdateAlias",
    // On nothing, where AWS asks on the policy that is to be.
    "iam:CreatePolicy",
    // On nothing, where AWS asks on the user or role.
    "iam:SimulatePrincipalPolicy",
    // On nothing, where AWS asks on the function that is to be.
    "lambda:CreateFunction",
    // On nothing, where AWS asks on the topic.
    "sns:ListTagsForResource",
];

/// The printed policy, as far as the emulator can judge it. No action is added.
fn for_the_emulator(mut document: Value) -> Value {
    let statements = document["Statement"].as_array_mut().expect("statements");
    let mut elsewhere = BTreeSet::new();
    for statement in &mut *statements {
        if let Some(operators) = statement.get_mut("Condition") {
            for keys in operators.as_object_mut().expect("operators").values_mut() {
                let keys = keys.as_object_mut().expect("condition keys");
                keys.retain(|key, _| !UNKNOWN_TO_THE_EMULATOR.contains(&key.as_str()));
            }
        }
        for action in statement["Action"].as_array().expect("actions") {
            if ASKED_ELSEWHERE_BY_THE_EMULATOR.contains(&action.as_str().expect("an action")) {
                elsewhere.insert(text(action));
            }
        }
    }
    if !elsewhere.is_empty() {
        statements.push(json!({"Effect": "Allow", "Action": elsewhere, "Resource": "*"}));
    }
    document
}

/// The command as somebody runs it who has the policy that is printed for it and no other permission.
async fn allowed<'a>(world: &'a World, policy: &[&str], run: Heeler<'a>) -> Heeler<'a> {
    let printed = Heeler::new(world).args(["policy"]).args(policy).run().await;
    let printed = json(&printed.ended(0));
    let name = format!("user-{}", uuid::Uuid::new_v4());
    let user = world.user(&name, &for_the_emulator(printed)).await;
    run.identity(&user)
}

#[tokio::test]
async fn with_the_printed_policies_and_nothing_else_everything_works() {
    let worlds = [
        World::on(Engine::Ministack)
            .bucket_key()
            .log_group()
            .build()
            .await,
        World::on(Engine::Ministack)
            .foreign_notifications()
            .build()
            .await,
        World::on(Engine::Ministack)
            .topic("events")
            .prefix("audit")
            .build()
            .await,
    ];
    for world in worlds {
        let world = &world;
        for (policy, run) in [
            (["preflight", "--option", "s3"].as_slice(), preflight(world)),
            (&["preflight"], preflight_of_all(world)),
            (&["plan"], plan(world)),
            (&["setup"], setup(world)),
            (&["outputs"], outputs(world)),
        ] {
            allowed(world, policy, run).await.run().await.ended(0);
        }
        one_event(world, allowed(world, &["tail"], tail(world)).await).await;
        let destroy = allowed(world, &["destroy"], destroy(world)).await;
        destroy.run().await.ended(0);
        assert_eq!(world.leftovers().await, NOTHING);
    }
}

#[tokio::test]
async fn with_the_printed_policies_and_nothing_else_option_cloudwatch_works() {
    let world = &logged().await;
    let of = |command| [command, "--option", CLOUDWATCH];
    for (command, run) in [
        ("preflight", preflight_of(world, CLOUDWATCH)),
        ("plan", plan_of(world, CLOUDWATCH)),
        ("setup", setup_of(world, CLOUDWATCH)),
        ("outputs", outputs(world)),
    ] {
        let run = allowed(world, &of(command), run).await;
        run.run().await.ended(0);
    }
    let destroy = allowed(world, &["destroy"], destroy(world)).await;
    destroy.run().await.ended(0);
    assert_eq!(world.leftovers().await, NOTHING);
}

#[tokio::test]
async fn with_the_printed_policies_an_interrupted_setup_is_completed_and_taken_down() {
    let world = encrypted().await;
    let first = allowed(&world, &["setup"], setup(&world)).await;
    first.kill_after_writes(1).run().await.ended(-9);
    let second = allowed(&world, &["setup"], setup(&world)).await;
    second.run().await.ended(0);
    without_role(&world).await;
    let destroy = allowed(&world, &["destroy"], destroy(&world)).await;
    destroy.run().await.ended(0);
    assert_eq!(world.leftovers().await, NOTHING);
}

/// Somebody who has the printed policies of a deep preflight and of setup, but for these actions.
async fn without(world: &World, missing: &[&str]) -> Credentials {
    let mut statements = Vec::new();
    for policy in [
        ["setup", "--option", "s3"].as_slice(),
        &["preflight", "--deep"],
    ] {
        let printed = Heeler::new(world).args(["policy"]).args(policy).run().await;
        let printed = json(&printed.ended(0));
        statements.extend(printed["Statement"].as_array().expect("statements").clone());
    }
    for statement in &mut statements {
        let actions = statement["Action"].as_array_mut().expect("actions");
        actions.retain(|action| !missing.contains(&text(action).as_str()));
        // Its simulator is deaf to what it is told of the request.
        statement
            .as_object_mut()
            .expect("a statement")
            .remove("Condition");
    }
    statements.retain(|statement| statement["Action"] != json!([]));
    let document = json!({ "Version": "2012-10-17", "Statement": statements });
    let name = format!("user-{}", uuid::Uuid::new_v4());
    world.user(&name, &for_the_emulator(document)).await
}

#[tokio::test]
async fn in_depth_the_caller_is_told_what_setup_would_be_refused() {
    let world = encrypted().await;
    let deep = async |caller: &Credentials, status| {
        let run = preflight(&world).args(["--deep", "-o", "json"]);
        let run = run.identity(caller).run().await.ended(status);
        let simulated: String = run.calls.iter().map(crate::harness::Call::text).collect();
        for told in [
            "kms%3AGranteePrincipal",
            "aws%3AResourceTag%2Fmanaged-by",
            "sns%3AEndpoint",
        ] {
            assert!(
                simulated.contains(told),
                "the simulator was not told {told}"
            );
        }
        let report = json(&run);
        let checks = report["checks"].as_array().expect("checks").clone();
        let found = checks
            .iter()
            .find(|check| check["id"] == "caller.permissions");
        found.expect("the check of the caller").clone()
    };
    let complete = without(&world, &[]).await;
    let check = deep(&complete, 0).await;
    assert_eq!(check["status"], "pass", "{check:#}");

    let lacking = without(&world, &["kms:CreateKey", "sns:Subscribe"]).await;
    let check = deep(&lacking, 1).await;
    assert_eq!(check["status"], "fail", "{check:#}");
    let observed = text(&check["observed"]);
    assert!(
        observed.ends_with("may not: kms:CreateKey, sns:Subscribe"),
        "{observed}"
    );
}

/// Somebody in a session of a role with this policy. The role has a path, as those of IAM Identity Center have.
async fn session(world: &World, policy: Value) -> Credentials {
    let clients = world.clients();
    let trust = json!({ "Version": "2012-10-17", "Statement": [{
        "Effect": "Allow",
        "Principal": { "AWS": format!("arn:aws:iam::{}:root", world.account()) },
        "Action": "sts:AssumeRole",
    }]});
    let role = clients
        .iam
        .create_role()
        .role_name("operator")
        .path("/people/");
    let role = role
        .assume_role_policy_document(trust.to_string())
        .send()
        .await;
    let role = role.expect("a role");
    let put = clients
        .iam
        .put_role_policy()
        .role_name("operator")
        .policy_name("permissions");
    let put = put.policy_document(for_the_emulator(policy).to_string());
    put.send().await.expect("the role's policy");
    let assume = clients.sts.assume_role().role_session_name("ann");
    let assume = assume
        .role_arn(role.role().expect("a role").arn())
        .send()
        .await;
    let given = assume.expect("a session");
    let given = given.credentials().expect("credentials");
    credentials(
        given.access_key_id(),
        given.secret_access_key(),
        Some(given.session_token()),
    )
}

#[tokio::test]
async fn in_depth_a_session_is_simulated_as_the_role_behind_it() {
    let world = encrypted().await;
    let printed = Heeler::new(&world).args(["policy", "preflight", "--option", "s3", "--deep"]);
    let policy = json(&printed.run().await.ended(0));
    let session = session(&world, policy).await;
    let run = preflight(&world).args(["--deep", "-o", "json"]);
    let report = json(&run.identity(&session).run().await.ended(1));
    let checks = report["checks"].as_array().expect("checks");
    let unknown: Vec<&Value> = checks
        .iter()
        .filter(|check| check["status"] == "unknown")
        .collect();
    assert_eq!(unknown, Vec::<&Value>::new());
    let found = checks
        .iter()
        .find(|check| check["id"] == "caller.permissions");
    let found = found.expect("the check of the caller");
    let wanted = format!(
        "arn:aws:iam::{}:role/people/operator may not: ",
        world.account()
    );
    assert!(text(&found["observed"]).starts_with(&wanted), "{found:#}");
}

/// A program of somebody else that says it is `outputs`, and calls something meanwhile.
async fn pretended<'a>(world: &'a World, heeler: Heeler<'a>) -> Run {
    let python = world.engine().interpreter();
    let program = heeler.program(&python).without_endpoint();
    let running = program.args(["-c", "input()", "outputs"]).spawn().await;
    let listed = world.proxied().sqs.list_queues().send().await;
    listed.expect("queues");
    running.wait().await
}

#[tokio::test]
#[should_panic(expected = "sqs:ListQueues needs sqs:ListQueues, which the policy of the command")]
async fn a_run_that_needs_more_than_its_policy_fails() {
    let world = World::on(Engine::Ministack).build().await;
    pretended(&world, Heeler::new(&world)).await;
}

#[tokio::test]
async fn a_run_may_be_let_need_more() {
    let world = World::on(Engine::Ministack).build().await;
    let heeler = Heeler::new(&world).besides(&["sqs:ListQueues"]);
    let run = pretended(&world, heeler).await;
    assert_eq!(run.calls.len(), 1);
}

#[tokio::test]
#[should_panic(expected = "it is not known which permission sqs:PurgeQueue needs")]
async fn a_call_that_is_in_no_table_fails() {
    let world = World::on(Engine::Ministack).build().await;
    let purge = world.proxied().sqs.purge_queue().queue_url("nowhere");
    let _ = purge.send().await;
    actions(&world.proxy().calls()[0], false);
}
