//! Setup of option s3: idempotence, order of writes, plan and outputs.

use crate::commands::heeler_ec;
use crate::commands::{
    counts, destroy, json, keys, names, on_both_engines, outputs, plan, preflight, setup,
    setup_again, setup_outputs, setup_with, text,
};
use serde_json::{Value, json};
use testkit::{Engine, Organization};

on_both_engines! {
    async fn second_setup_makes_no_changes(engine: Engine) {
        let org = Organization::on(engine).bucket_key().other_notifications().build().await;
        setup(&org).run().await.expect_status(0);
        let second = setup_again(&org).run().await.expect_status(0);
        assert_eq!(names(&second.writes()), Vec::<String>::new());
        let planned = plan(&org).args(["-o", "json", "--check"]).run().await.expect_status(0);
        assert_eq!(counts(&planned), [0, 0, 13, 0]);
    }

    async fn plan_counts_twelve_resources(engine: Engine) {
        let org = Organization::on(engine).build().await;
        let planned = plan(&org).args(["-o", "json"]).run().await.expect_status(0);
        assert_eq!(counts(&planned), [12, 0, 0, 0]);
    }

    async fn encrypted_bucket_needs_a_grant(engine: Engine) {
        let org = Organization::on(engine).bucket_key().build().await;
        let planned = plan(&org).args(["-o", "json"]).run().await.expect_status(0);
        assert_eq!(counts(&planned), [13, 0, 0, 0]);
    }

    async fn existing_topic_saves_three_resources(engine: Engine) {
        let org = Organization::on(engine).topic("events").build().await;
        let planned = plan(&org).args(["-o", "json"]).run().await.expect_status(0);
        assert_eq!(counts(&planned), [9, 0, 0, 0]);
    }

    async fn existing_topic_and_key_need_ten(engine: Engine) {
        let org = Organization::on(engine).topic("events").bucket_key().build().await;
        let planned = plan(&org).args(["-o", "json"]).run().await.expect_status(0);
        assert_eq!(counts(&planned), [10, 0, 0, 0]);
    }

    async fn plan_makes_no_changes(engine: Engine) {
        let org = Organization::on(engine).bucket_key().other_notifications().build().await;
        let planned = plan(&org).run().await.expect_status(0);
        assert_eq!(names(&planned.writes()), Vec::<String>::new());
    }

    async fn plan_check_exits_with_one(engine: Engine) {
        let org = Organization::on(engine).build().await;
        plan(&org).args(["--check"]).run().await.expect_status(1);
        setup(&org).run().await.expect_status(0);
        plan(&org).args(["--check"]).run().await.expect_status(0);
    }

    async fn outputs_match_setup_output(engine: Engine) {
        let org = Organization::on(engine).build().await;
        let printed = setup_outputs(&setup(&org).args(["-o", "json"]).run().await.expect_status(0));
        let read = outputs(&org).run().await.expect_status(0);
        for key in ["heeler_event_queue_url", "heeler_event_role_arn"] {
            assert_eq!(json(&read)[key], printed[key]);
        }
        assert_eq!(names(&read.writes()), Vec::<String>::new());
        let keys: Vec<&String> = printed.as_object().expect("an object").keys().collect();
        assert_eq!(
            keys,
            ["heeler_event_queue_url", "heeler_event_role_arn", "heeler_event_role_external_id"]
        );
    }

    async fn bucket_notification_is_written_last(engine: Engine) {
        let org = Organization::on(engine).bucket_key().build().await;
        let run = setup(&org).run().await.expect_status(0);
        let writes = names(&run.writes());
        let last = writes.last().map(String::as_str);
        assert_eq!(last, Some("s3:PutBucketNotificationConfiguration"), "{writes:?}");
    }

    async fn queue_policy_precedes_subscription(engine: Engine) {
        let org = Organization::on(engine).build().await;
        let run = setup(&org).run().await.expect_status(0);
        let writes = names(&run.writes());
        let place = |name: &str| writes.iter().rposition(|write| write == name);
        assert!(place("sqs:SetQueueAttributes") < place("sns:Subscribe"), "{writes:?}");
    }

    async fn resources_are_created_in_bucket_region(engine: Engine) {
        let org = Organization::on(engine).region("eu-west-1").build().await;
        let run = setup(&org).env("AWS_REGION", "us-east-1").run().await.expect_status(0);
        for call in run.writes().iter().filter(|call| call.service != "iam") {
            assert_eq!(call.region, "eu-west-1", "{}", call.name());
        }
        let again = setup_again(&org).env("AWS_REGION", "us-east-1").run().await.expect_status(0);
        assert_eq!(names(&again.writes()), Vec::<String>::new());
        let read = outputs(&org).env("AWS_REGION", "us-east-1").run().await.expect_status(0);
        assert!(text(&json(&read)["heeler_event_queue_url"]).contains("heeler_event_collection"));
    }

    async fn notification_filter_matches_trail_prefix(engine: Engine) {
        let org = Organization::on(engine).prefix("audit/trail").build().await;
        setup(&org).run().await.expect_status(0);
        let topics = org.notification().await["topics"].clone();
        let prefix = format!("\"audit/trail/AWSLogs/{}/\"", org.organization_id());
        assert!(topics.to_string().contains(&prefix), "{topics}");
    }

    async fn other_notifications_are_unchanged(engine: Engine) {
        let org = Organization::on(engine).other_notifications().build().await;
        let mut before = org.notification().await;
        setup(&org).run().await.expect_status(0);
        let mut after = org.notification().await;
        assert_eq!(remove_managed_entries(&mut before).len(), 0);
        assert_eq!(remove_managed_entries(&mut after).len(), 1);
        assert_eq!(after, before);
    }

    async fn existing_topic_is_used_unchanged(engine: Engine) {
        let org = Organization::on(engine).topic("events").build().await;
        let before = (topic_attributes(&org).await, org.notification().await);
        let run = setup(&org).run().await.expect_status(0);
        let writes = names(&run.writes());
        assert!(!writes.iter().any(|write| write.starts_with("sns:") && write != "sns:Subscribe"), "{writes:?}");
        assert_eq!((topic_attributes(&org).await, org.notification().await), before);
    }
}

/// Removes the managed entry from a notification configuration.
fn remove_managed_entries(configuration: &mut Value) -> Vec<Value> {
    let topics = configuration["topics"]
        .as_array_mut()
        .expect("a list of topics");
    let (managed, others) = topics
        .drain(..)
        .partition(|topic| topic["id"] == "heeler-ec");
    *topics = others;
    managed
}

/// The attributes of the topic except the numbers of its subscriptions.
async fn topic_attributes(org: &Organization) -> Vec<(String, String)> {
    let topic = org.topic().expect("a topic");
    let read = org
        .clients()
        .sns
        .get_topic_attributes()
        .topic_arn(topic)
        .send()
        .await;
    let attributes = read
        .expect("a topic's attributes")
        .attributes
        .expect("attributes");
    let mut attributes: Vec<_> = attributes
        .into_iter()
        .filter(|(name, _)| !name.starts_with("Subscriptions"))
        .collect();
    attributes.sort();
    attributes
}

#[tokio::test]
async fn external_id_is_kept_by_default() {
    let org = Organization::on(Engine::Ministack).build().await;
    setup_with(&org, "id-of-the-first-setup")
        .run()
        .await
        .expect_status(0);
    setup_again(&org).run().await.expect_status(0);
    let read = json(&outputs(&org).run().await.expect_status(0));
    assert_eq!(
        read["heeler_event_role_external_id"],
        "id-of-the-first-setup"
    );
}

#[tokio::test]
async fn new_external_id_changes_only_role_trust() {
    let org = Organization::on(Engine::Ministack).build().await;
    setup_with(&org, "id-of-the-first-setup")
        .run()
        .await
        .expect_status(0);
    let run = setup_with(&org, "id-of-the-second-setup")
        .run()
        .await
        .expect_status(0);
    assert_eq!(names(&run.writes()), ["iam:UpdateAssumeRolePolicy"]);
    let read = json(&outputs(&org).run().await.expect_status(0));
    assert_eq!(
        read["heeler_event_role_external_id"],
        "id-of-the-second-setup"
    );
}

#[tokio::test]
async fn external_id_is_shown_only_by_outputs() {
    let org = Organization::on(Engine::Ministack).build().await;
    let first = setup_with(&org, "id-of-the-first-setup")
        .args(["-v"])
        .run()
        .await
        .expect_status(0);
    assert!(!first.stderr.contains("id-of-the"), "{}", first.stderr);
    assert_eq!(
        first.stdout.matches("id-of-the-first-setup").count(),
        1,
        "{}",
        first.stdout
    );
    for form in ["table", "json"] {
        let run = plan(&org).args(["-v", "-o", form, "--external-id", "id-of-the-second-setup"]);
        let run = run.run().await.expect_status(0);
        let output = format!("{}{}", run.stdout, run.stderr);
        assert!(
            output.contains("external_id") && !output.contains("id-of-the"),
            "{output}"
        );
    }
}

#[tokio::test]
async fn external_id_is_read_from_environment() {
    let org = Organization::on(Engine::Ministack).build().await;
    let run = setup_again(&org).args(["--heeler-role-arn", &org.heeler_role_arn()]);
    let run = run
        .env("HEELER_EC_EXTERNAL_ID", "id-of-the-environment")
        .args(["-o", "json"]);
    run.run().await.expect_status(0);
    let printed = json(&outputs(&org).run().await.expect_status(0));
    assert_eq!(
        printed["heeler_event_role_external_id"],
        "id-of-the-environment"
    );
}

#[tokio::test]
async fn drift_is_shown_and_repaired() {
    let org = Organization::on(Engine::Ministack).build().await;
    let queue = setup_outputs(
        &setup(&org)
            .args(["-o", "json"])
            .run()
            .await
            .expect_status(0),
    );
    let change = org.clients().sqs.set_queue_attributes();
    let change = change.queue_url(text(&queue["heeler_event_queue_url"]));
    let retention = aws_sdk_sqs::types::QueueAttributeName::MessageRetentionPeriod;
    change
        .attributes(retention, "60")
        .send()
        .await
        .expect("a shorter retention");

    let planned = plan(&org).args(["-o", "json"]).run().await.expect_status(0);
    assert_eq!(counts(&planned), [0, 1, 11, 0]);
    let planned = json(&planned);
    let steps = planned["steps"].as_array().expect("steps");
    let changed = steps
        .iter()
        .find(|step| step["action"] == "update")
        .expect("an update");
    let change =
        json!([{"field": "retention_seconds", "before": 60, "after": 7200, "known": true}]);
    assert_eq!(changed["changes"], change);

    let run = setup_again(&org).run().await.expect_status(0);
    assert_eq!(names(&run.writes()), ["sqs:SetQueueAttributes"]);
    plan(&org).args(["--check"]).run().await.expect_status(0);
}

#[tokio::test]
async fn second_deployment_shares_topic_with_first() {
    let org = Organization::on(Engine::Ministack)
        .bucket_key()
        .build()
        .await;
    setup(&org).run().await.expect_status(0);
    let before = (org.leftovers().await, org.notification().await);

    let second = setup(&org)
        .args(["--name-prefix", "heeler_two"])
        .run()
        .await
        .expect_status(0);
    assert!(!names(&second.writes()).contains(&"sns:CreateTopic".to_owned()));
    assert_eq!(keys(&org).await, 2);
    plan(&org).args(["--check"]).run().await.expect_status(0);
    let check = plan(&org).args(["--check", "--name-prefix", "heeler_two"]);
    check.run().await.expect_status(0);

    destroy(&org)
        .args(["--name-prefix", "heeler_two"])
        .run()
        .await
        .expect_status(0);
    assert_eq!((org.leftovers().await, org.notification().await), before);
    plan(&org).args(["--check"]).run().await.expect_status(0);
}

#[tokio::test]
async fn heeler_receives_event_through_role_and_queue() {
    use testkit::{LogFile, log_file::event};

    let org = Organization::on(Engine::Ministack)
        .bucket_key()
        .build()
        .await;
    setup(&org).run().await.expect_status(0);
    let printed = json(&outputs(&org).run().await.expect_status(0));
    let [queue, role, id] = [
        "heeler_event_queue_url",
        "heeler_event_role_arn",
        "heeler_event_role_external_id",
    ]
    .map(|key| text(&printed[key]));
    let member = &org.members()[0];
    let record = event(
        member,
        "us-east-1",
        "s3.amazonaws.com",
        "CreateBucket",
        false,
    );
    let object = LogFile::new(member, "us-east-1", vec![record]);
    let key = org.deliver(&object).await;

    let heeler = org
        .assume_as_heeler(&role, &id)
        .await
        .expect("a session of Heeler's");
    let bodies = heeler.receive(&queue, 1).await.expect("messages");
    let bodies: Vec<&String> = bodies
        .iter()
        .filter(|body| body.contains("ObjectCreated"))
        .collect();
    assert!(
        bodies[0].contains(object.name().trim_end_matches(".json.gz")),
        "{bodies:?}"
    );
    let read = heeler.object(org.bucket(), &key).await.expect("the object");
    assert_eq!(read, object.gzipped());
    org.assume_as_heeler(&role, "another-id")
        .await
        .expect_err("another external id was let in");
}

#[tokio::test]
async fn existing_topic_delivers_only_log_files() {
    use testkit::{LogFile, log_file::event};

    let org = Organization::on(Engine::Ministack)
        .topic("events")
        .build()
        .await;
    setup(&org).run().await.expect_status(0);
    plan(&org).args(["--check"]).run().await.expect_status(0);
    let printed = json(&outputs(&org).run().await.expect_status(0));
    let [queue, role, id] = [
        "heeler_event_queue_url",
        "heeler_event_role_arn",
        "heeler_event_role_external_id",
    ]
    .map(|key| text(&printed[key]));
    let flow_log = format!("AWSLogs/{}/vpcflowlogs/file.json.gz", org.account());
    let put = org.clients().s3.put_object().bucket(org.bucket());
    put.key(flow_log).send().await.expect("a flow log");
    let record = event(
        org.account(),
        "us-east-1",
        "s3.amazonaws.com",
        "CreateBucket",
        false,
    );
    let object = LogFile::new(org.account(), "us-east-1", vec![record]);
    org.deliver(&object).await;

    let heeler = org
        .assume_as_heeler(&role, &id)
        .await
        .expect("a session of Heeler's");
    let bodies = heeler.receive(&queue, 1).await.expect("messages");
    assert_eq!(bodies.len(), 1, "{bodies:?}");
    assert!(
        bodies[0].contains(object.name().trim_end_matches(".json.gz")),
        "{bodies:?}"
    );
}

#[tokio::test]
async fn plan_shows_access_and_created_values() {
    const ID: &str = "the-secret-external-id";
    let org = Organization::on(Engine::Ministack)
        .bucket_key()
        .build()
        .await;
    let role = org.heeler_role_arn();
    let args = ["plan", "--option", "s3", "--heeler-role-arn", &role];
    let plan = || heeler_ec(&org).args(args).args(["--external-id", ID]);
    let run = plan().args(["-o", "json"]).run().await.expect_status(0);
    assert!(!run.stdout.contains(ID), "{}", run.stdout);
    let shown = json(&run);
    let change = |kind: &str, field: &str| {
        let steps = shown["steps"].as_array().expect("steps");
        let step = steps.iter().find(|step| step["kind"] == kind);
        let changes = step.expect(kind)["changes"].as_array().expect("changes");
        let change = changes.iter().find(|change| change["field"] == field);
        change.expect(field).clone()
    };
    assert_eq!(
        change("sqs queue", "retention_seconds"),
        json!({ "field": "retention_seconds", "before": null, "after": 345_600, "known": true })
    );
    assert_eq!(change("iam role", "external_id")["after"], "(masked)");
    let document = change("iam policy", "document");
    assert_eq!(document["known"], false);
    assert_eq!(
        document["after"]["Statement"][0]["Resource"],
        json!(["(arn of kms key heeler_kms_key_sqs)"])
    );

    assert_eq!(shown["external_id"], "given");
    let heeler = &shown["access"][0];
    assert_eq!(
        heeler["principal"],
        "iam role heeler_event_collection_sqs_role"
    );
    assert_eq!(heeler["assumed_by"][0]["principals"], json!([role]));
    let actions: Vec<&Value> = heeler["permissions"]
        .as_array()
        .expect("permissions")
        .iter()
        .map(|permission| &permission["actions"])
        .collect();
    let receive = json!([
        "sqs:ChangeMessageVisibility",
        "sqs:DeleteMessage",
        "sqs:GetQueueAttributes",
        "sqs:GetQueueUrl",
        "sqs:ReceiveMessage"
    ]);
    assert_eq!(
        actions,
        [
            &json!(["kms:Decrypt"]),
            &json!(["s3:GetObject"]),
            &receive,
            &json!(["kms:Decrypt"])
        ]
    );
    assert_eq!(heeler["permissions"][3]["grant"], true);

    let detailed = plan().args(["--detail"]).run().await.expect_status(0);
    for text in ["\"Sid\": \"ReadTrailLogObjects\"", "external_id = (masked)"] {
        assert!(detailed.stdout.contains(text), "{}", detailed.stdout);
    }
    assert!(!detailed.stdout.contains(ID), "{}", detailed.stdout);
}

#[tokio::test]
async fn dry_run_matches_plan() {
    let org = Organization::on(Engine::Ministack).build().await;
    let args = [
        "setup",
        "--option",
        "s3",
        "--dry-run",
        "--generate-external-id",
    ];
    let dry = heeler_ec(&org)
        .args(args)
        .args(["--heeler-role-arn", &org.heeler_role_arn()]);
    let dry = dry.run().await.expect_status(0);
    assert_eq!(names(&dry.writes()), Vec::<String>::new());
    assert_eq!(dry.stdout, plan(&org).run().await.expect_status(0).stdout);
}

#[tokio::test]
async fn setup_keeps_trail_when_second_appears() {
    let org = Organization::on(Engine::Ministack).build().await;
    setup(&org).run().await.expect_status(0);
    let clients = org.clients();
    let bucket = format!("another-{}", org.account());
    clients
        .s3
        .create_bucket()
        .bucket(&bucket)
        .send()
        .await
        .expect("a bucket");
    let trail = clients
        .cloudtrail
        .create_trail()
        .name("another")
        .s3_bucket_name(&bucket);
    let trail = trail
        .is_multi_region_trail(true)
        .is_organization_trail(true);
    trail.send().await.expect("a second trail");
    let start = clients.cloudtrail.start_logging().name("another");
    start.send().await.expect("a second trail that is logging");

    let run = setup_again(&org).run().await.expect_status(0);
    assert!(run.writes().is_empty(), "{:?}", run.writes());
    preflight(&org).run().await.expect_status(1);
}
