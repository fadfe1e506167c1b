//! Preflight reports whether the organization trail is ready, and never writes.

use crate::commands::heeler_ec;
use crate::commands::{checks, json, on_both_engines, preflight, preflight_of, setup, text};
use aws_sdk_s3::types::{
    BucketLifecycleConfiguration, ExpirationStatus, LifecycleExpiration, LifecycleRule,
    LifecycleRuleFilter,
};
use serde_json::{Value, json};
use std::time::SystemTime;
use testkit::awscli::parse;
use testkit::clients::credentials;
use testkit::iam_actions;
use testkit::{Call, Clients, Engine, Fault, FaultAction, HeelerEc, Organization};

/// Runs the program with JSON output, asserts that it writes nothing, and returns the report.
pub async fn report(run: HeelerEc<'_>, status: i32) -> Value {
    let run = run.args(["-o", "json"]).run().await.expect_status(status);
    assert!(run.writes().is_empty(), "{:?}", run.writes());
    json(&run)
}

/// Asserts that exactly these checks fail.
async fn assert_fails(run: HeelerEc<'_>, ids: &[&str]) -> Value {
    let report = report(run, 1).await;
    assert_eq!(checks(&report, "fail"), ids, "{report:#}");
    assert_eq!(report["ready"], false);
    report
}

pub fn check<'a>(report: &'a Value, id: &str) -> &'a Value {
    let checks = report["checks"].as_array().expect("a list of checks");
    let found = checks.iter().find(|check| check["id"] == id);
    found.unwrap_or_else(|| panic!("no check {id}"))
}

on_both_engines! {
    async fn ready_organization_passes(engine: Engine) {
        let org = Organization::on(engine).bucket_key().build().await;
        let report = report(preflight(&org), 0).await;
        assert_eq!(report["ready"], true);
        assert_eq!(checks(&report, "fail"), Vec::<String>::new());
        assert_eq!(checks(&report, "unknown"), Vec::<String>::new());
    }

    async fn ready_log_group_passes(engine: Engine) {
        let org = Organization::on(engine).log_group().build().await;
        let report = report(preflight_of(&org, "cloudwatch"), 0).await;
        assert_eq!(report["ready"], true);
        assert_eq!(checks(&report, "fail"), Vec::<String>::new());
        assert_eq!(checks(&report, "unknown"), Vec::<String>::new());
    }

    async fn missing_trail_is_not_ready(engine: Engine) {
        let org = Organization::on(engine).without_trail().build().await;
        assert_fails(preflight(&org), &["trail.found"]).await;
    }

    async fn stopped_trail_is_not_ready(engine: Engine) {
        let org = Organization::on(engine).logging_stopped().build().await;
        assert_fails(preflight(&org), &["trail.logging"]).await;
    }

    async fn single_region_trail_is_not_ready(engine: Engine) {
        let org = Organization::on(engine).single_region().build().await;
        assert_fails(preflight(&org), &["trail.multi_region"]).await;
    }

    async fn account_trail_is_not_ready(engine: Engine) {
        let org = Organization::on(engine).single_account_trail().build().await;
        assert_fails(preflight(&org), &["trail.organization"]).await;
    }

    async fn write_only_trail_is_not_ready(engine: Engine) {
        let org = Organization::on(engine).write_only_events().build().await;
        assert_fails(preflight(&org), &["trail.events.management"]).await;
    }

    async fn several_trails_need_a_choice(engine: Engine) {
        let org = Organization::on(engine).build().await;
        second_trail(&org).await;
        let report = assert_fails(preflight(&org), &["trail.found"]).await;
        let observed = text(&check(&report, "trail.found")["observed"]);
        assert!(observed.contains("org-trail") && observed.contains("second"), "{observed}");
    }

    async fn trail_is_selected_by_name_or_arn(engine: Engine) {
        let org = Organization::on(engine).build().await;
        second_trail(&org).await;
        report(preflight(&org).args(["--trail", org.trail()]), 0).await;
        report(preflight(&org).args(["--trail", &org.trail_arn()]), 0).await;
    }

    async fn unknown_trail_name_fails(engine: Engine) {
        let org = Organization::on(engine).build().await;
        assert_fails(preflight(&org).args(["--trail", "absent"]), &["trail.found"]).await;
    }

    async fn account_id_mismatch_fails(engine: Engine) {
        let org = Organization::on(engine).build().await;
        let run = preflight(&org).args(["--account-id", "999988887777"]);
        assert_fails(run, &["account.expected"]).await;
    }

    async fn disabled_key_fails(engine: Engine) {
        let org = Organization::on(engine).bucket_key().build().await;
        let disable = org.clients().kms.disable_key().key_id(key_id(&org));
        disable.send().await.expect("a disabled key");
        assert_fails(preflight(&org), &["key.state"]).await;
    }

    async fn key_pending_deletion_fails(engine: Engine) {
        let org = Organization::on(engine).bucket_key().build().await;
        let schedule = org.clients().kms.schedule_key_deletion().key_id(key_id(&org));
        schedule.pending_window_in_days(7).send().await.expect("a key pending deletion");
        assert_fails(preflight(&org), &["key.state"]).await;
    }

    async fn overlapping_notification_is_reported(engine: Engine) {
        let org = Organization::on(engine).overlapping_queue().build().await;
        let report = assert_fails(preflight(&org), &["bucket.notifications"]).await;
        let observed = text(&check(&report, "bucket.notifications")["observed"]);
        let queue = format!("arn:aws:sqs:us-east-1:{}:everything", org.account());
        assert!(observed.contains(&queue), "{observed}");
    }

    async fn deleted_destination_of_others_is_named(engine: Engine) {
        let org = Organization::on(engine).other_notifications().build().await;
        let passed = report(preflight(&org), 0).await;
        assert_eq!(check(&passed, "bucket.destinations")["status"], "pass");
        let clients = org.clients();
        let queue = clients.sqs.get_queue_url().queue_name("exports").send().await.expect("a queue");
        let queue = queue.queue_url().expect("its URL");
        clients.sqs.delete_queue().queue_url(queue).send().await.expect("no queue");
        clients.lambda.delete_function().function_name("uploads").send().await.expect("no function");
        let topic = format!("arn:aws:sns:{}:{}:reports", org.region(), org.account());
        clients.sns.delete_topic().topic_arn(topic).send().await.expect("no topic");

        let report = assert_fails(preflight(&org), &["bucket.destinations"]).await;
        let observed = text(&check(&report, "bucket.destinations")["observed"]);
        for entry in ["exports", "uploads", "reports"] {
            assert!(observed.contains(&format!("notification {entry} sends to")), "{observed}");
        }
        let run = setup(&org).run().await.expect_status(1);
        assert!(run.writes().is_empty(), "{:?}", run.writes());
    }

    async fn other_notifications_pass(engine: Engine) {
        let org = Organization::on(engine).other_notifications().build().await;
        report(preflight(&org), 0).await;
    }

    async fn bucket_mismatch_fails(engine: Engine) {
        let org = Organization::on(engine).build().await;
        let other = format!("other-{}", org.account());
        org.clients().s3.create_bucket().bucket(&other).send().await.expect("a bucket");
        assert_fails(preflight(&org).args(["--bucket", &other]), &["bucket.matches_trail"]).await;
    }

    async fn bucket_in_other_region_is_found(engine: Engine) {
        let org = Organization::on(engine).region("eu-west-1").build().await;
        let run = preflight(&org).env("AWS_REGION", "us-east-1");
        let report = report(run, 0).await;
        let observed = text(&check(&report, "account.region")["observed"]);
        assert!(observed.contains("eu-west-1"), "{observed}");
    }
}

/// The ID of the bucket's key. Some emulators do not accept its ARN.
fn key_id(org: &Organization) -> &str {
    let arn = org.bucket_key().expect("a key");
    arn.rsplit('/').next().expect("the id in an ARN")
}

async fn second_trail(org: &Organization) {
    let cloudtrail = &org.clients().cloudtrail;
    let trail = cloudtrail
        .create_trail()
        .name("second")
        .s3_bucket_name(org.bucket());
    let trail = trail
        .is_multi_region_trail(true)
        .is_organization_trail(true);
    trail.send().await.expect("a second trail");
    let start = cloudtrail.start_logging().name("second");
    start.send().await.expect("a second trail that is logging");
}

#[tokio::test]
async fn bucket_of_other_account_fails() {
    let org = Organization::on(Engine::Ministack).build().await;
    // HeadBucket is denied with an expected owner, and allowed without one.
    let refusal = FaultAction::refuse(403, "AccessDenied", "Access Denied");
    org.proxy()
        .fault(Fault::new("s3", "HeadBucket", refusal).times(1));
    assert_fails(preflight(&org), &["bucket.owner"]).await;
}

#[tokio::test]
async fn denied_head_bucket_does_not_imply_ownership() {
    let org = Organization::on(Engine::Ministack).build().await;
    let other_account = credentials(&format!("9{}", &org.account()[1..]), "test", None);
    let other_account = Clients::new(&org.endpoint(), other_account, org.region());
    let bucket = format!("archive-{}", org.account());
    other_account
        .s3
        .create_bucket()
        .bucket(&bucket)
        .send()
        .await
        .expect("a bucket of another account");
    let update = org.clients().cloudtrail.update_trail().name(org.trail());
    update
        .s3_bucket_name(&bucket)
        .send()
        .await
        .expect("a trail to that bucket");

    // The list of this account's buckets does not contain it, so it belongs to another account.
    assert_fails(preflight(&org), &["bucket.owner"]).await;

    // Without that list, the owner is unknown.
    let refusal = FaultAction::refuse(403, "AccessDenied", "is not authorized");
    org.proxy().fault(Fault::new("s3", "ListBuckets", refusal));
    let report = report(preflight(&org), 1).await;
    assert_eq!(checks(&report, "unknown"), ["bucket.owner"], "{report:#}");
}

#[tokio::test]
async fn account_without_organization_is_not_ready() {
    let org = Organization::on(Engine::Moto).build().await;
    let organizations = &org.clients().organizations;
    for member in org.members() {
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
    assert_fails(preflight(&org), &["org.exists"]).await;
}

#[tokio::test]
async fn member_account_is_not_ready() {
    let org = Organization::on(Engine::Moto).build().await;
    let role = format!(
        "arn:aws:iam::{}:role/OrganizationAccountAccessRole",
        org.members()[0]
    );
    let sts = &org.clients().sts;
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
    let run = preflight(&org).identity(&member);
    assert_fails(run, &["org.management_account", "trail.found"]).await;
}

/// Denies each call in turn: the dependent checks name the permission, and the other checks complete.
async fn refuse_each_call(org: &Organization, option: &str, without_effect: &[&str]) {
    let calm = preflight_of(org, option)
        .args(["--deep"])
        .run()
        .await
        .expect_status(0);
    let mut asked = calm.calls;
    asked.retain(|call| call.service != "sts");
    asked.retain(|call| !without_effect.contains(&call.operation.as_str()));
    asked.sort_by_key(Call::name);
    asked.dedup_by_key(|call| call.name());
    assert!(asked.len() > 15, "{asked:?}");
    for call in asked {
        let operation = &call.operation;
        let refusal = FaultAction::refuse(403, "AccessDenied", "is not authorized");
        org.proxy()
            .fault(Fault::new(&call.service, operation, refusal));
        let run = preflight_of(org, option)
            .args(["--deep", "-o", "json"])
            .run()
            .await;
        org.proxy().clear_faults();
        assert!(run.writes().is_empty(), "{:?}", run.writes());
        let report = json(&run);

        let unknown = checks(&report, "unknown");
        assert!(!unknown.is_empty(), "{operation}: {report:#}");
        for id in &unknown {
            let permissions = &check(&report, id)["permissions"];
            let named = text(&permissions[0]);
            let needed = iam_actions::required_actions(&call, false);
            assert!(needed.contains(&named), "{operation}: {id} names {named}");
        }
        assert_eq!(
            checks(&report, "fail"),
            Vec::<String>::new(),
            "{operation}: {report:#}"
        );
        let passed = checks(&report, "pass");
        assert!(
            passed.contains(&"account.partition".to_owned()),
            "{operation}: {passed:?}"
        );
    }
}

#[tokio::test]
async fn s3_refused_call_affects_only_its_checks() {
    let org = Organization::on(Engine::Ministack)
        .bucket_key()
        .build()
        .await;
    refuse_each_call(&org, "s3", &[]).await;
}

#[tokio::test]
async fn existing_topic_refused_call_affects_only_its_checks() {
    let org = Organization::on(Engine::Ministack)
        .topic("events")
        .build()
        .await;
    // The call looks for the topic of setup, which is not needed with an existing topic.
    refuse_each_call(&org, "s3", &["ListTagsForResource"]).await;
}

#[tokio::test]
async fn cloudwatch_refused_call_affects_only_its_checks() {
    let org = Organization::on(Engine::Ministack)
        .log_group()
        .build()
        .await;
    refuse_each_call(&org, "cloudwatch", &[]).await;
}

#[tokio::test]
async fn hanging_service_affects_only_its_checks() {
    let org = Organization::on(Engine::Ministack)
        .bucket_key()
        .build()
        .await;
    org.proxy()
        .fault(Fault::new("kms", "*", FaultAction::NeverRespond));
    let report = report(preflight(&org), 3).await;
    let unknown = checks(&report, "unknown");
    assert!(unknown.contains(&"key.state".to_owned()), "{report:#}");
    for id in unknown {
        let check = check(&report, &id);
        assert!(
            text(&check["reason"]).contains("the call timed out"),
            "{check:#}"
        );
        assert!(
            text(&check["permissions"][0]).starts_with("kms:"),
            "{check:#}"
        );
    }
    assert_eq!(checks(&report, "fail"), Vec::<String>::new());
}

/// Preflight repeats its first calls only if signing in took long, not if they timed out.
#[tokio::test]
async fn first_round_timeouts_are_not_repeated() {
    let org = Organization::on(Engine::Ministack).build().await;
    for (service, operation) in [("organizations", "*"), ("cloudtrail", "DescribeTrails")] {
        org.proxy()
            .fault(Fault::new(service, operation, FaultAction::NeverRespond));
    }
    let run = preflight(&org)
        .args(["-o", "json"])
        .run()
        .await
        .expect_status(3);
    for operation in ["DescribeTrails", "DescribeOrganization"] {
        let asked = run.calls.iter().filter(|call| call.operation == operation);
        assert_eq!(asked.count(), 1, "{operation}");
    }
    let unknown = checks(&json(&run), "unknown");
    assert!(unknown.contains(&"trail.found".to_owned()), "{unknown:?}");
}

/// Makes CloudTrail return this number of copies of the trail, each changed by `differ`.
pub fn trails(org: &Organization, count: usize, logging: bool, differ: fn(usize, &mut Value)) {
    let many = FaultAction::edit_json(move |trails| {
        let list = &mut trails["trailList"];
        let one = list[0].clone();
        *list = (0..count)
            .map(|number| {
                let mut trail = one.clone();
                for field in ["Name", "TrailARN"] {
                    trail[field] = json!(format!("{}-{number}", text(&one[field])));
                }
                differ(number, &mut trail);
                trail
            })
            .collect();
    });
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
    let now = now.expect("a time after 1970").as_secs();
    let logs = json!({
        "IsLogging": logging,
        "LatestDeliveryTime": now,
        "LatestCloudWatchLogsDeliveryTime": now,
    });
    let events =
        json!({ "EventSelectors": [{ "ReadWriteType": "All", "IncludeManagementEvents": true }] });
    let answer = |body: &Value| FaultAction::Respond {
        status: 200,
        headers: vec![("content-type".into(), "application/x-amz-json-1.1".into())],
        body: body.to_string().into_bytes(),
    };
    for (operation, what) in [
        ("DescribeTrails", many),
        ("GetTrailStatus", answer(&logs)),
        ("GetEventSelectors", answer(&events)),
    ] {
        org.proxy().fault(Fault::new("cloudtrail", operation, what));
    }
}

/// Preflight reads the status of all trails, but inspects the buckets of only a few.
#[tokio::test]
async fn hundred_trails_need_few_calls() {
    let org = Organization::on(Engine::Ministack)
        .bucket_key()
        .build()
        .await;
    trails(&org, 100, true, |_, _| {});
    let run = preflight(&org)
        .args(["-o", "json"])
        .run()
        .await
        .expect_status(1);
    let report = json(&run);
    let observed = text(&check(&report, "trail.found")["observed"]);
    assert!(
        observed.starts_with("5 trails qualify: org-trail-0"),
        "{observed}"
    );
    assert!(observed.contains("not inspected") && observed.ends_with("org-trail-99"));
    let calls = run.calls.len();
    assert!((200..350).contains(&calls), "{calls} calls");
}

/// Five trails deliver to a missing bucket. Only an inspection of the trails shows this.
#[tokio::test]
async fn valid_trail_is_found_among_many() {
    let org = Organization::on(Engine::Ministack).build().await;
    let only_the_sixth = |number, trail: &mut Value| {
        if number != 5 {
            trail["S3BucketName"] = json!("nowhere-to-be-found-0");
        }
    };
    for (logging, accepted) in [(true, &[][..]), (false, &["--accept", "trail.logging"])] {
        trails(&org, 6, logging, only_the_sixth);
        let report = report(preflight(&org).args(accepted), 0).await;
        org.proxy().clear_faults();
        let observed = text(&check(&report, "trail.found")["observed"]);
        assert!(observed.starts_with("org-trail-5"), "{observed}");
        for id in ["bucket.owner", "bucket.policy", "bucket.notifications"] {
            assert_eq!(check(&report, id)["status"], "pass", "{report:#}");
        }
    }
}

#[tokio::test]
async fn each_option_selects_its_own_trail() {
    let org = Organization::on(Engine::Ministack)
        .log_group()
        .build()
        .await;
    trails(&org, 6, true, |number, trail| {
        if number == 5 {
            trail["S3BucketName"] = json!("nowhere-to-be-found-0");
        } else {
            let fields = trail.as_object_mut().expect("a trail");
            fields.remove("CloudWatchLogsLogGroupArn");
            fields.remove("CloudWatchLogsRoleArn");
        }
    });
    let run = heeler_ec(&org).args(["preflight", "-o", "json"]).run();
    let report = json(&run.await.expect_status(0));
    let both = report["options"].as_array().expect("both options");
    let [s3, cloudwatch] = both.as_slice() else {
        panic!("{report:#}");
    };
    let found = |report| text(&check(report, "trail.found")["observed"]).clone();
    assert!(found(s3).contains("trails qualify"), "{}", found(s3));
    assert!(
        found(cloudwatch).starts_with("org-trail-5"),
        "{}",
        found(cloudwatch)
    );
    assert_eq!(check(cloudwatch, "logs.exists")["status"], "pass");
}

/// Preflight inspects twenty trails at most. It then asks for `--trail`, and reports the other trails as not inspected.
#[tokio::test]
async fn uninspected_trail_is_never_ready() {
    let org = Organization::on(Engine::Ministack).build().await;
    trails(&org, 100, true, |number, trail| {
        if number != 99 {
            trail["S3BucketName"] = json!("nowhere-to-be-found-0");
        }
    });
    let run = preflight(&org)
        .args(["-o", "json"])
        .run()
        .await
        .expect_status(1);
    let report = json(&run);
    assert_eq!(report["ready"], false);
    assert_eq!(checks(&report, "fail"), ["trail.found"]);
    let found = check(&report, "trail.found");
    // The trails are sorted by name: 1, 10, 2.
    let observed = text(&found["observed"]);
    assert!(
        observed.starts_with("none of 20 trails passes"),
        "{observed}"
    );
    assert!(observed.ends_with("org-trail-99"), "{observed}");
    assert!(
        text(&found["fix"]["cli"][0]).contains("--trail org-trail-27"),
        "{found:#}"
    );
    assert_eq!(check(&report, "bucket.owner")["status"], "skip");
    let calls = run.calls.len();
    assert!(calls < 600, "{calls} calls");
    report_for_last_trail(&org).await;
}

/// Asserts that the last trail is inspected if `--trail` names it.
async fn report_for_last_trail(org: &Organization) {
    let report = report(preflight(org).args(["--trail", "org-trail-99"]), 0).await;
    assert_eq!(check(&report, "bucket.owner")["status"], "pass");
}

#[tokio::test]
async fn json_checks_have_same_keys() {
    let org = Organization::on(Engine::Ministack)
        .logging_stopped()
        .build()
        .await;
    let report = report(preflight(&org), 1).await;
    for check in report["checks"].as_array().expect("a list of checks") {
        let mut keys: Vec<&str> = check
            .as_object()
            .expect("an object")
            .keys()
            .map(String::as_str)
            .collect();
        keys.sort_unstable();
        let expected = [
            "accepted",
            "error_code",
            "expected",
            "fix",
            "group",
            "help",
            "id",
            "observed",
            "permissions",
            "reason",
            "required",
            "resource",
            "status",
            "title",
        ];
        assert_eq!(keys, expected, "{check:#}");
        let (id, group) = (text(&check["id"]), text(&check["group"]));
        assert!(id.starts_with(&format!("{group}.")), "{id} in {group}");
        assert_eq!(check["help"], format!("heeler-ec explain {id}"));
    }
    let failed = check(&report, "trail.logging");
    assert_ne!(failed["fix"]["cli"], json!([]), "{failed:#}");
    let of = |id: &str| text(&check(&report, id)["resource"]).clone();
    assert!(of("trail.logging").starts_with("arn:aws:cloudtrail:"));
    assert_eq!(of("bucket.owner"), format!("arn:aws:s3:::{}", org.bucket()));
    assert_eq!(check(&report, "names.queue")["resource"], Value::Null);
}

#[tokio::test]
async fn output_without_terminal_is_ascii() {
    let org = Organization::on(Engine::Ministack)
        .logging_stopped()
        .build()
        .await;
    let run = preflight(&org).run().await.expect_status(1);
    assert!(run.stdout.is_ascii(), "{}", run.stdout);
    assert!(!run.stdout.contains('\u{1b}'), "{}", run.stdout);
}

#[tokio::test]
async fn utf8_locale_uses_unicode_symbols() {
    let org = Organization::on(Engine::Ministack)
        .logging_stopped()
        .build()
        .await;
    let run = preflight(&org)
        .env("LANG", "de_DE.UTF-8")
        .run()
        .await
        .expect_status(1);
    assert!(
        run.stdout.contains('✓') && run.stdout.contains('✗'),
        "{}",
        run.stdout
    );
}

#[tokio::test]
async fn color_always_prints_colors() {
    let org = Organization::on(Engine::Ministack).build().await;
    let run = preflight(&org)
        .args(["--color", "always"])
        .run()
        .await
        .expect_status(0);
    assert!(run.stdout.contains('\u{1b}'), "{}", run.stdout);
}

/// If the terminal wraps a command, it is copied as one line. If the program wraps it, it is not.
#[tokio::test]
async fn commands_are_never_wrapped() {
    let org = Organization::on(Engine::Ministack)
        .write_only_events()
        .build()
        .await;
    let run = preflight(&org)
        .on_terminal(80, &[])
        .run()
        .await
        .expect_status(1);
    let lines = run.lines();
    let commands: Vec<&str> = lines
        .iter()
        .map(|line| line.trim_start())
        .map(|line| line.strip_prefix("command:").unwrap_or(line).trim_start())
        .filter(|line| line.starts_with("aws "))
        .collect();
    let long = |line: &&str| line.len() > 80 && line.contains('{');
    assert!(commands.iter().any(long), "{commands:#?}");
    for (command, parsed) in commands.iter().zip(parse(&commands)) {
        let calls = parsed.map(|parsed| parsed.calls.len());
        assert_eq!(calls, Ok(1), "{command}");
    }
}

/// Asserts that each line fits, is a command, or is one word that is longer than a line.
#[track_caller]
fn fits(lines: &[String], columns: usize) {
    for line in lines {
        let words = line.split_whitespace().count();
        let command = line.contains("aws ");
        assert!(
            line.chars().count() <= columns || words == 1 || command,
            "{line}"
        );
    }
}

#[tokio::test]
async fn narrow_terminal_wraps_between_words() {
    let org = Organization::on(Engine::Ministack)
        .log_group()
        .other_notifications()
        .build()
        .await;
    let group = org.log_group().expect("a log group").to_owned();
    let logs = &org.clients().logs;
    let keep = logs.put_retention_policy().log_group_name(&group);
    keep.retention_in_days(30).send().await.expect("a month");
    let fix = preflight_of(&org, "cloudwatch").args(["--fix"]);
    let fix = fix.on_terminal(80, &[("to continue:", "no")]);
    fits(&fix.run().await.expect_status(1).lines(), 80);
    let role = org.heeler_role_arn();
    for option in ["s3", "cloudwatch"] {
        let run = setup_args(&org, option, &role)
            .args(["--accept", "logs.retention"])
            .on_terminal(80, &[("[y/N]", "no")]);
        fits(&run.run().await.expect_status(1).lines(), 80);
    }
}

fn setup_args<'a>(org: &'a Organization, option: &str, role: &str) -> HeelerEc<'a> {
    heeler_ec(org)
        .args(["setup", "--option", option, "--generate-external-id"])
        .args(["--heeler-role-arn", role])
}

/// An accepted finding does not hide a failed check.
#[tokio::test]
async fn summary_counts_failures_beside_accepted() {
    let org = Organization::on(Engine::Ministack)
        .logging_stopped()
        .build()
        .await;
    let s3 = &org.clients().s3;
    let rule = LifecycleRule::builder()
        .id("brief")
        .status(ExpirationStatus::Enabled)
        .filter(LifecycleRuleFilter::builder().prefix("AWSLogs/").build())
        .expiration(LifecycleExpiration::builder().days(1).build());
    let rules = BucketLifecycleConfiguration::builder().rules(rule.build().expect("a rule"));
    s3.put_bucket_lifecycle_configuration()
        .bucket(org.bucket())
        .lifecycle_configuration(rules.build().expect("rules"))
        .send()
        .await
        .expect("a lifecycle rule");
    let run = preflight(&org).args(["--accept", "bucket.lifecycle"]);
    let run = run.run().await.expect_status(1);
    let mut lines = run.stdout.lines();
    let counts = lines.find(|line| line.starts_with("Option s3 is not ready: 1 failed, "));
    let counts = counts.expect("the counts");
    assert!(counts.contains(", 1 accepted, "), "{counts}");
    assert!(
        run.stdout.contains("\n  failed:   trail.logging\n"),
        "{}",
        run.stdout
    );
    assert!(
        run.stdout.contains("\n  accepted: bucket.lifecycle\n"),
        "{}",
        run.stdout
    );
}

#[tokio::test]
async fn accepted_failure_stays_visible() {
    let org = Organization::on(Engine::Ministack)
        .single_region()
        .build()
        .await;
    let run = preflight(&org).args(["--accept", "trail.multi_region"]);
    let report = report(run, 0).await;
    let check = check(&report, "trail.multi_region");
    assert_eq!(
        (&check["status"], &check["accepted"]),
        (&json!("fail"), &json!(true))
    );
    assert_eq!(report["ready"], true);
    assert_eq!(report["counts"]["accepted"], 1);
}

#[tokio::test]
async fn accept_rejects_blocking_checks() {
    let org = Organization::on(Engine::Ministack).build().await;
    let fixed = ["bucket.owner", "account.expected", "no.such.check"];
    for id in fixed {
        let run = preflight(&org)
            .args(["--accept", id])
            .run()
            .await
            .expect_status(2);
        assert!(run.calls.is_empty(), "{:?}", run.calls);
    }
}

#[tokio::test]
async fn setup_continues_with_accepted_checks() {
    let org = Organization::on(Engine::Ministack)
        .single_region()
        .build()
        .await;
    setup(&org).run().await.expect_status(1);
    let run = setup(&org).args(["--accept", "trail.multi_region"]);
    let run = run.run().await.expect_status(0);
    assert!(
        run.stderr.contains(", 1 accepted (trail.multi_region), "),
        "{}",
        run.stderr
    );
}

#[tokio::test]
async fn strict_warning_exits_with_one() {
    let org = Organization::on(Engine::Ministack).build().await;
    // The endpoint of the emulator causes a warning.
    report(preflight(&org), 0).await;
    let report = report(preflight(&org).args(["--strict"]), 1).await;
    assert_eq!(report["ready"], false);
    assert_eq!(checks(&report, "fail"), Vec::<String>::new());
}

#[tokio::test]
async fn all_options_are_compared_by_default() {
    let org = Organization::on(Engine::Ministack)
        .log_group()
        .build()
        .await;
    let both = || heeler_ec(&org).args(["preflight"]);
    let seen = report(both(), 0).await;
    assert_eq!(seen["recommended"], "s3");
    let names: Vec<&Value> = seen["options"]
        .as_array()
        .expect("a list of options")
        .iter()
        .map(|option| &option["option"])
        .collect();
    assert_eq!(names, ["s3", "cloudwatch"]);

    let run = both().args(["--detail"]).run().await.expect_status(0);
    let shared = run.stdout.matches("the trail is logging").count();
    assert_eq!(shared, 1, "shared checks are printed once:\n{}", run.stdout);
}

#[tokio::test]
async fn unready_option_is_not_recommended() {
    let org = Organization::on(Engine::Ministack)
        .log_group()
        .overlapping_queue()
        .build()
        .await;
    let seen = report(heeler_ec(&org).args(["preflight"]), 0).await;
    assert_eq!(seen["recommended"], "cloudwatch");
    let other = Organization::on(Engine::Ministack)
        .overlapping_queue()
        .build()
        .await;
    let seen = report(heeler_ec(&other).args(["preflight"]), 1).await;
    assert_eq!(seen["recommended"], Value::Null);
}

#[tokio::test]
async fn only_passing_trail_is_selected() {
    let org = Organization::on(Engine::Ministack).build().await;
    second_trail(&org).await;
    let stop = org.clients().cloudtrail.stop_logging().name("second");
    stop.send().await.expect("a second trail that is stopped");
    let report = report(preflight(&org), 0).await;
    let observed = text(&check(&report, "trail.found")["observed"]);
    assert!(observed.contains("org-trail"), "{observed}");
}

#[tokio::test]
async fn wait_ends_when_checks_pass() {
    let org = Organization::on(Engine::Ministack).build().await;
    let stopped = FaultAction::edit_json(|status| status["IsLogging"] = json!(false));
    let fault = Fault::new("cloudtrail", "GetTrailStatus", stopped);
    org.proxy().fault(fault.times(2));
    let run = preflight(&org)
        .args(["--wait", "1h"])
        .run()
        .await
        .expect_status(0);
    let waits = run.stderr.matches("Waiting for trail.logging").count();
    assert_eq!(waits, 2, "{}", run.stderr);
    // What is wrong is shown once, because it stays the same.
    let observed = "  trail.logging: trail org-trail is ";
    assert_eq!(run.stderr.matches(observed).count(), 1, "{}", run.stderr);
}

#[tokio::test]
async fn wait_ends_at_time_limit() {
    let org = Organization::on(Engine::Ministack)
        .logging_stopped()
        .build()
        .await;
    let run = preflight(&org)
        .args(["--wait", "1s"])
        .run()
        .await
        .expect_status(1);
    assert!(run.stdout.contains("trail.logging"), "{}", run.stdout);
}

#[tokio::test]
async fn fix_requires_a_terminal() {
    let org = Organization::on(Engine::Ministack)
        .logging_stopped()
        .build()
        .await;
    let run = preflight(&org).args(["--fix"]).run().await.expect_status(2);
    assert!(run.calls.is_empty(), "{:?}", run.calls);
}

#[tokio::test]
async fn fix_starts_trail_after_confirmation() {
    let org = Organization::on(Engine::Ministack)
        .logging_stopped()
        .build()
        .await;
    let fix = |answer| {
        preflight(&org)
            .args(["--fix"])
            .on_terminal(100, &[("Start trail org-trail?", answer)])
    };
    let run = fix("no").run().await.expect_status(1);
    assert!(run.writes().is_empty(), "{:?}", run.writes());
    let run = fix("yes").run().await.expect_status(0);
    let writes: Vec<String> = run.writes().iter().map(|call| call.name()).collect();
    assert_eq!(writes, ["cloudtrail:StartLogging"]);
    report(preflight(&org), 0).await;
}

#[tokio::test]
async fn fix_sets_retention_after_typed_name() {
    let org = Organization::on(Engine::Ministack)
        .log_group()
        .build()
        .await;
    let group = org.log_group().expect("a log group").to_owned();
    let logs = &org.clients().logs;
    let keep = logs.put_retention_policy().log_group_name(&group);
    keep.retention_in_days(30).send().await.expect("a month");
    let fix = |answer: &str| {
        preflight_of(&org, "cloudwatch")
            .args(["--fix"])
            .on_terminal(100, &[("Set the retention of log group", answer)])
    };
    for answer in ["no", "yes"] {
        let run = fix(answer).run().await.expect_status(1);
        assert!(run.writes().is_empty(), "{answer}: {:?}", run.writes());
    }
    let run = fix(&group).run().await.expect_status(0);
    let writes: Vec<String> = run.writes().iter().map(|call| call.name()).collect();
    assert_eq!(writes, ["logs:PutRetentionPolicy"]);
}

/// Every paginated result is read to its last page.
#[tokio::test]
async fn all_result_pages_are_read() {
    let org = Organization::on(Engine::Ministack)
        .bucket_key()
        .log_group()
        .build()
        .await;
    let group = org.log_group().expect("a log group");
    let arn = format!("arn:aws:lambda:us-east-1:{}:function:siem", org.account());
    let pages = [
        (
            "organizations",
            "ListAWSServiceAccessForOrganization",
            "s3",
            "org.trusted_access",
            "pass",
            "cloudtrail",
            json!({ "EnabledServicePrincipals": [], "NextToken": "more" }),
            json!({ "EnabledServicePrincipals": [{ "ServicePrincipal": "cloudtrail.amazonaws.com" }] }),
        ),
        (
            "organizations",
            "ListDelegatedAdministrators",
            "s3",
            "org.delegated_admin",
            "pass",
            "222233334444",
            json!({ "DelegatedAdministrators": [], "NextToken": "more" }),
            json!({ "DelegatedAdministrators": [{ "Id": "222233334444" }] }),
        ),
        (
            "account",
            "ListRegions",
            "s3",
            "trail.regions",
            "pass",
            "us-east-1",
            json!({ "Regions": [], "NextToken": "more" }),
            json!({ "Regions": [{ "RegionName": "us-east-1", "RegionOptStatus": "ENABLED" }] }),
        ),
        (
            "kms",
            "ListGrants",
            "s3",
            "key.existing_grants",
            "warn",
            "by-hand",
            json!({ "Grants": [], "NextMarker": "more", "Truncated": true }),
            json!({ "Grants": [{ "Name": "by-hand", "Operations": ["Decrypt"] }], "Truncated": false }),
        ),
        (
            "logs",
            "DescribeLogGroups",
            "cloudwatch",
            "logs.class",
            "fail",
            "INFREQUENT_ACCESS",
            json!({ "logGroups": [{ "logGroupName": format!("{group}-2") }], "nextToken": "more" }),
            json!({ "logGroups": [{ "logGroupName": group, "logGroupClass": "INFREQUENT_ACCESS", "retentionInDays": 1 }] }),
        ),
        (
            "logs",
            "DescribeSubscriptionFilters",
            "cloudwatch",
            "logs.filters",
            "pass",
            "siem",
            json!({ "subscriptionFilters": [], "nextToken": "more" }),
            json!({ "subscriptionFilters": [{ "filterName": "siem", "destinationArn": arn }] }),
        ),
        (
            "logs",
            "DescribeAccountPolicies",
            "cloudwatch",
            "logs.account_subscription_filter",
            "warn",
            "all-to-siem",
            json!({ "accountPolicies": [], "nextToken": "more" }),
            json!({ "accountPolicies": [{ "policyName": "all-to-siem" }] }),
        ),
    ];
    for (service, operation, option, id, status, says, first, second) in pages {
        let page = |body: Value| FaultAction::Respond {
            status: 200,
            headers: vec![("content-type".into(), "application/json".into())],
            body: body.to_string().into_bytes(),
        };
        let fault = |body| Fault::new(service, operation, page(body));
        org.proxy().fault(fault(first).times(1));
        org.proxy().fault(fault(second).after(1));
        let run = preflight_of(&org, option).args(["-o", "json"]).run().await;
        org.proxy().clear_faults();
        let report = json(&run);
        let check = check(&report, id);
        assert_eq!(check["status"], status, "{operation}: {check:#}");
        assert!(
            text(&check["observed"]).contains(says),
            "{operation}: {check:#}"
        );
    }
}
