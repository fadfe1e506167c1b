//! Preflight says whether the organization trail is ready, and never writes.

use serde_json::{Value, json};

use crate::harness::clients::credentials;
use crate::harness::{Clients, Engine, Fault, Heeler, What, World};
use crate::steps::{checks, json, on_both_engines, preflight, text};

/// Runs it for programs, holds it to its promise not to write, and returns the report.
async fn report(run: Heeler<'_>, status: i32) -> Value {
    let run = run.args(["-o", "json"]).run().await.ended(status);
    assert!(run.writes().is_empty(), "{:?}", run.writes());
    json(&run)
}

/// Exactly these checks fail.
async fn fails(run: Heeler<'_>, ids: &[&str]) -> Value {
    let report = report(run, 1).await;
    assert_eq!(checks(&report, "fail"), ids, "{report:#}");
    assert_eq!(report["ready"], false);
    report
}

fn check<'a>(report: &'a Value, id: &str) -> &'a Value {
    let checks = report["checks"].as_array().expect("a list of checks");
    let found = checks.iter().find(|check| check["id"] == id);
    found.unwrap_or_else(|| panic!("no check {id}"))
}

on_both_engines! {
    async fn a_ready_organization_passes(engine: Engine) {
        let world = World::on(engine).bucket_key().build().await;
        let report = report(preflight(&world), 0).await;
        assert_eq!(report["ready"], true);
        assert_eq!(checks(&report, "fail"), Vec::<String>::new());
        assert_eq!(checks(&report, "unknown"), Vec::<String>::new());
    }

    async fn without_a_trail_there_is_nothing_to_work_with(engine: Engine) {
        let world = World::on(engine).no_trail().build().await;
        fails(preflight(&world), &["trail.found"]).await;
    }

    async fn a_stopped_trail_is_not_ready(engine: Engine) {
        let world = World::on(engine).stopped().build().await;
        fails(preflight(&world), &["trail.logging"]).await;
    }

    async fn a_trail_of_one_region_is_not_ready(engine: Engine) {
        let world = World::on(engine).single_region().build().await;
        fails(preflight(&world), &["trail.multi_region"]).await;
    }

    async fn a_trail_of_one_account_is_not_ready(engine: Engine) {
        let world = World::on(engine).not_organization_trail().build().await;
        fails(preflight(&world), &["trail.organization"]).await;
    }

    async fn a_trail_without_read_events_is_not_ready(engine: Engine) {
        let world = World::on(engine).write_only_events().build().await;
        fails(preflight(&world), &["trail.events.management"]).await;
    }

    async fn of_several_trails_one_has_to_be_chosen(engine: Engine) {
        let world = World::on(engine).build().await;
        second_trail(&world).await;
        let report = fails(preflight(&world), &["trail.found"]).await;
        let observed = text(&check(&report, "trail.found")["observed"]);
        assert!(observed.contains("org-trail") && observed.contains("second"), "{observed}");
    }

    async fn a_trail_can_be_chosen_by_name_and_by_arn(engine: Engine) {
        let world = World::on(engine).build().await;
        second_trail(&world).await;
        report(preflight(&world).args(["--trail", world.trail()]), 0).await;
        report(preflight(&world).args(["--trail", &world.trail_arn()]), 0).await;
    }

    async fn a_chosen_trail_has_to_exist(engine: Engine) {
        let world = World::on(engine).build().await;
        fails(preflight(&world).args(["--trail", "absent"]), &["trail.found"]).await;
    }

    async fn credentials_of_another_account_than_the_named_one_are_refused(engine: Engine) {
        let world = World::on(engine).build().await;
        let run = preflight(&world).args(["--account-id", "999988887777"]);
        fails(run, &["account.match"]).await;
    }

    async fn a_disabled_key_is_not_usable(engine: Engine) {
        let world = World::on(engine).bucket_key().build().await;
        let disable = world.clients().kms.disable_key().key_id(key_id(&world));
        disable.send().await.expect("a disabled key");
        fails(preflight(&world), &["key.state"]).await;
    }

    async fn a_key_that_is_being_deleted_is_not_usable(engine: Engine) {
        let world = World::on(engine).bucket_key().build().await;
        let schedule = world.clients().kms.schedule_key_deletion().key_id(key_id(&world));
        schedule.pending_window_in_days(7).send().await.expect("a key on its way out");
        fails(preflight(&world), &["key.state"]).await;
    }

    async fn an_overlapping_notification_is_named(engine: Engine) {
        let world = World::on(engine).overlapping_queue().build().await;
        let report = fails(preflight(&world), &["bucket.notifications"]).await;
        let observed = text(&check(&report, "bucket.notifications")["observed"]);
        let queue = format!("arn:aws:sqs:us-east-1:{}:everything", world.account());
        assert!(observed.contains(&queue), "{observed}");
    }

    async fn notifications_that_do_not_overlap_are_no_obstacle(engine: Engine) {
        let world = World::on(engine).foreign_notifications().build().await;
        report(preflight(&world), 0).await;
    }

    async fn another_bucket_than_the_trails_is_refused(engine: Engine) {
        let world = World::on(engine).build().await;
        let other = format!("other-{}", world.account());
        world.clients().s3.create_bucket().bucket(&other).send().await.expect("a bucket");
        fails(preflight(&world).args(["--bucket", &other]), &["bucket.named"]).await;
    }

    async fn a_bucket_in_another_region_is_found_where_it_is(engine: Engine) {
        let world = World::on(engine).region("eu-west-1").build().await;
        let run = preflight(&world).env("AWS_REGION", "us-east-1");
        let report = report(run, 0).await;
        let observed = text(&check(&report, "account.region")["observed"]);
        assert!(observed.contains("eu-west-1"), "{observed}");
    }
}

/// The id of the bucket's key, which is all that some engines understand.
fn key_id(world: &World) -> &str {
    let arn = world.bucket_key().expect("a key");
    arn.rsplit('/').next().expect("the id in an ARN")
}

async fn second_trail(world: &World) {
    let cloudtrail = &world.clients().cloudtrail;
    let trail = cloudtrail
        .create_trail()
        .name("second")
        .s3_bucket_name(world.bucket());
    let trail = trail
        .is_multi_region_trail(true)
        .is_organization_trail(true);
    trail.send().await.expect("a second trail");
}

#[tokio::test]
async fn a_bucket_of_another_account_is_refused() {
    let world = World::on(Engine::Ministack).build().await;
    // Whoever asks for a bucket of their own gets a refusal; whoever just asks gets an answer.
    let refusal = What::refuse(403, "AccessDenied", "Access Denied");
    world
        .proxy()
        .fault(Fault::new("s3", "HeadBucket", refusal).times(1));
    fails(preflight(&world), &["bucket.owner"]).await;
}

#[tokio::test]
async fn a_bucket_that_may_not_be_looked_at_is_not_taken_for_ours() {
    let world = World::on(Engine::Ministack).build().await;
    let stranger = credentials(&format!("9{}", &world.account()[1..]), "test", None);
    let stranger = Clients::new(&world.endpoint(), stranger, world.region());
    let bucket = format!("archive-{}", world.account());
    stranger
        .s3
        .create_bucket()
        .bucket(&bucket)
        .send()
        .await
        .expect("a bucket of a stranger");
    let update = world
        .clients()
        .cloudtrail
        .update_trail()
        .name(world.trail());
    update
        .s3_bucket_name(&bucket)
        .send()
        .await
        .expect("a trail to that bucket");

    let report = report(preflight(&world), 1).await;
    assert_eq!(checks(&report, "unknown"), ["bucket.owner"], "{report:#}");
}

#[tokio::test]
async fn an_account_without_an_organization_is_not_ready() {
    let world = World::on(Engine::Moto).build().await;
    let organizations = &world.clients().organizations;
    for member in world.members() {
        let removed = organizations
            .remove_account_from_organization()
            .account_id(member);
        removed.send().await.expect("a member that left");
    }
    organizations
        .delete_organization()
        .send()
        .await
        .expect("no organization");
    fails(preflight(&world), &["org.exists"]).await;
}

#[tokio::test]
async fn a_member_account_is_not_the_place() {
    let world = World::on(Engine::Moto).build().await;
    let role = format!(
        "arn:aws:iam::{}:role/OrganizationAccountAccessRole",
        world.members()[0]
    );
    let sts = &world.clients().sts;
    let session = sts
        .assume_role()
        .role_arn(role)
        .role_session_name("operator")
        .send()
        .await;
    let session = session.expect("a session in a member account");
    let session = session.credentials().expect("credentials");
    let member = credentials(
        session.access_key_id(),
        session.secret_access_key(),
        Some(session.session_token()),
    );
    let run = preflight(&world).identity(&member);
    fails(run, &["org.management_account", "trail.found"]).await;
}

#[tokio::test]
async fn a_refused_call_makes_its_check_unknown_and_leaves_the_others() {
    let table = [
        ("organizations", "DescribeOrganization", "org.exists"),
        ("cloudtrail", "DescribeTrails", "trail.found"),
        ("cloudtrail", "GetTrailStatus", "trail.logging"),
        ("cloudtrail", "GetEventSelectors", "trail.events.management"),
        ("s3", "HeadBucket", "bucket.owner"),
        ("s3", "GetBucketEncryption", "bucket.encryption"),
        ("kms", "DescribeKey", "key.state"),
        (
            "s3",
            "GetBucketNotificationConfiguration",
            "bucket.notifications",
        ),
        ("sns", "GetTopicAttributes", "bucket.topic"),
    ];
    let world = World::on(Engine::Ministack)
        .bucket_key()
        .topic("events")
        .build()
        .await;
    for (service, operation, id) in table {
        let refusal = What::refuse(403, "AccessDenied", "is not authorized");
        world.proxy().fault(Fault::new(service, operation, refusal));
        let report = report(preflight(&world), 1).await;
        world.proxy().mend();

        let check = check(&report, id);
        assert_eq!(check["status"], "unknown", "{operation}: {check:#}");
        let permission = text(&check["permission"][0]);
        let service = service.to_owned() + ":";
        assert!(
            permission.starts_with(&service),
            "{operation}: {permission}"
        );
        assert_eq!(checks(&report, "fail"), Vec::<String>::new(), "{operation}");
        let passed = checks(&report, "pass");
        assert!(
            passed.contains(&"account.partition".to_owned()),
            "{operation}: {passed:?}"
        );
    }
}

#[tokio::test]
async fn preflight_needs_no_permission_on_roles() {
    let world = World::on(Engine::Ministack).build().await;
    let refusal = What::refuse(403, "AccessDenied", "is not authorized");
    world.proxy().fault(Fault::new("iam", "*", refusal));
    report(preflight(&world), 0).await;
}

#[tokio::test]
async fn every_check_has_the_same_keys() {
    let world = World::on(Engine::Ministack).stopped().build().await;
    let report = report(preflight(&world), 1).await;
    for check in report["checks"].as_array().expect("a list of checks") {
        let mut keys: Vec<&str> = check
            .as_object()
            .expect("an object")
            .keys()
            .map(String::as_str)
            .collect();
        keys.sort_unstable();
        let wanted = [
            "fix",
            "group",
            "id",
            "observed",
            "permission",
            "reason",
            "required",
            "status",
            "title",
            "wanted",
        ];
        assert_eq!(keys, wanted, "{check:#}");
        let (id, group) = (text(&check["id"]), text(&check["group"]));
        assert!(id.starts_with(&format!("{group}.")), "{id} in {group}");
    }
    let failed = check(&report, "trail.logging");
    assert_ne!(failed["fix"]["cli"], json!([]), "{failed:#}");
}

#[tokio::test]
async fn without_a_terminal_and_a_locale_the_output_is_plain() {
    let world = World::on(Engine::Ministack).stopped().build().await;
    let run = preflight(&world).run().await.ended(1);
    assert!(run.stdout.is_ascii(), "{}", run.stdout);
    assert!(!run.stdout.contains('\u{1b}'), "{}", run.stdout);
}

#[tokio::test]
async fn with_a_locale_of_utf_8_the_signs_are_nicer() {
    let world = World::on(Engine::Ministack).stopped().build().await;
    let run = preflight(&world)
        .env("LANG", "de_DE.UTF-8")
        .run()
        .await
        .ended(1);
    assert!(
        run.stdout.contains('√') && run.stdout.contains('×'),
        "{}",
        run.stdout
    );
}

#[tokio::test]
async fn colours_come_when_asked_for() {
    let world = World::on(Engine::Ministack).build().await;
    let run = preflight(&world)
        .args(["--color", "always"])
        .run()
        .await
        .ended(0);
    assert!(run.stdout.contains('\u{1b}'), "{}", run.stdout);
}
