//! `policy` prints the policy of a command with the names that it can read, and lists the placeholders that remain.

use crate::commands::heeler_ec;
use crate::commands::{json, names, on_both_engines, setup};
use crate::whole_output::assert_stderr;
use serde_json::Value;
use snapbox::str;
use testkit::{Engine, Fault, FaultAction, HeelerEc, Organization, Run};

const NOTHING: [String; 0] = [];
const COMMANDS: [&str; 9] = [
    "preflight",
    "plan",
    "setup",
    "outputs",
    "status",
    "tail",
    "export",
    "restore",
    "destroy",
];

fn policy<'a>(org: &'a Organization, args: &[&str]) -> HeelerEc<'a> {
    heeler_ec(org).args(["policy"]).args(args)
}

/// The printed document. Asserts that the run wrote nothing.
#[track_caller]
fn document(run: &Run) -> Value {
    assert_eq!(names(&run.writes()), NOTHING);
    let document = json(run);
    assert_eq!(document["Version"], "2012-10-17");
    document
}

on_both_engines! {
    async fn policy_contains_names_of_the_account(engine: Engine) {
        let org = Organization::on(engine).region("eu-west-1").prefix("audit").bucket_key().build().await;
        for command in COMMANDS {
            let run = policy(&org, &[command, "--option", "s3"]).run().await.expect_status(0);
            assert_eq!(run.stderr, "", "{command}");
            let text = document(&run).to_string();
            assert!(!text.contains("${"), "{command}: {text}");
            let queue = format!("arn:aws:sqs:eu-west-1:{}:heeler", org.account());
            assert!(text.contains(&queue), "{command}: {text}");
        }
        let tail = policy(&org, &["tail"]).run().await.expect_status(0);
        let objects = format!("arn:aws:s3:::{}/audit/AWSLogs/{}/*", org.bucket(), org.organization_id());
        assert!(tail.stdout.contains(&objects), "{}", tail.stdout);
        assert!(tail.stdout.contains(org.bucket_key().expect("a key")), "{}", tail.stdout);
    }

    async fn policy_of_coverage_names_the_bucket(engine: Engine) {
        let org = Organization::on(engine).build().await;
        let run = policy(&org, &["coverage"]).run().await.expect_status(0);
        assert_eq!(run.stderr, "");
        let text = document(&run).to_string();
        assert!(!text.contains("${"), "{text}");
        assert!(text.contains(&format!("arn:aws:s3:::{}\"", org.bucket())), "{text}");
        assert!(text.contains(r#""account:ListRegions""#), "{text}");
        let offline = policy(&org, &["coverage", "--offline", "--bucket", "logs"]);
        let run = offline.run().await.expect_status(0);
        assert_eq!(run.calls.len(), 0);
        assert!(document(&run).to_string().contains("arn:${PARTITION}:s3:::logs\""), "{}", run.stdout);
    }

    async fn policy_uses_deployment_tags_without_trail(engine: Engine) {
        let org = Organization::on(engine).prefix("audit").bucket_key().build().await;
        setup(&org).run().await.expect_status(0);
        let before = policy(&org, &["destroy"]).run().await.expect_status(0);
        let trail = org.clients().cloudtrail.delete_trail().name(org.trail());
        trail.send().await.expect("no trail");
        let after = policy(&org, &["destroy"]).run().await.expect_status(0);
        assert_eq!(document(&after), document(&before));
    }

    async fn policy_omits_missing_key(engine: Engine) {
        let org = Organization::on(engine).build().await;
        let run = policy(&org, &["setup"]).run().await.expect_status(0);
        assert!(!run.stdout.contains("kms:CreateGrant"), "{}", run.stdout);
        let run = policy(&org, &["tail"]).run().await.expect_status(0);
        assert!(!run.stdout.contains("kms:Decrypt"), "{}", run.stdout);
    }

    async fn policy_does_not_change_existing_topic(engine: Engine) {
        let org = Organization::on(engine).topic("events").build().await;
        let run = policy(&org, &["setup"]).run().await.expect_status(0);
        assert!(run.stdout.contains(org.topic().expect("a topic")), "{}", run.stdout);
        for action in ["sns:CreateTopic", "sns:SetTopicAttributes", "s3:PutBucketNotification"] {
            assert!(!run.stdout.contains(action), "{action}: {}", run.stdout);
        }
    }
}

#[tokio::test]
async fn offline_makes_no_calls() {
    let org = Organization::on(Engine::Ministack).build().await;
    for command in COMMANDS {
        let run = policy(&org, &[command, "--offline"])
            .run()
            .await
            .expect_status(0);
        assert_eq!(run.calls.len(), 0, "{command}");
        assert!(document(&run).to_string().contains("${ACCOUNT}"));
        assert!(run.stderr.contains("${ACCOUNT}: "), "{}", run.stderr);
    }
}

#[tokio::test]
async fn offline_uses_given_names() {
    let org = Organization::on(Engine::Ministack).build().await;
    let given = policy(&org, &["setup", "--offline", "--region", "eu-west-1"])
        .args(["--account-id", "111122223333", "--bucket", "the-logs"])
        .args(["--name-prefix", "acme", "--sns-topic", "events"])
        .args(["--bucket-kms-key", "1234abcd-12ab-34cd-56ef-1234567890ab"]);
    let text = given.run().await.expect_status(0).stdout;
    for arn in [
        "arn:${PARTITION}:sqs:eu-west-1:111122223333:acme_event_collection_queue",
        "arn:${PARTITION}:s3:::the-logs",
        "arn:${PARTITION}:sns:eu-west-1:111122223333:events",
        "arn:${PARTITION}:kms:eu-west-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab",
    ] {
        assert!(text.contains(&format!("\"{arn}\"")), "{arn}: {text}");
    }
}

#[tokio::test]
async fn missing_credentials_leave_placeholders() {
    let org = Organization::on(Engine::Ministack).build().await;
    let offline = policy(&org, &["setup", "--offline"])
        .run()
        .await
        .expect_status(0);
    let run = policy(&org, &["setup"])
        .env("AWS_ACCESS_KEY_ID", "")
        .env("AWS_SECRET_ACCESS_KEY", "");
    let run = run.run().await.expect_status(0);
    assert_eq!(document(&run), document(&offline));
    assert_stderr(
        &org,
        &run,
        str![[r"
There are no valid credentials, so all names stay placeholders: no AWS credentials were found in the environment, in a profile, or on this machine
Replace these placeholders:
  ${PARTITION}: aws, or aws-us-gov
  ${ACCOUNT}: the ID of the account, usually the management account
  ${REGION}: the region of the trail's bucket
  ${BUCKET}: the name of the trail's bucket
  ${LOG_PREFIX}: [PREFIX/]AWSLogs/ORGANIZATION_ID/, or [PREFIX/]AWSLogs/ for the trail of one account
  ${BUCKET_KEY_ID}: the ID of the KMS key of the log objects; if there is none, remove the statements that name it

"]],
    );
}

/// If the network is missing, the message must not tell the caller to sign in.
#[tokio::test]
async fn missing_network_does_not_suggest_login() {
    let org = Organization::on(Engine::Ministack).build().await;
    let run = policy(&org, &["setup"])
        .without_endpoint()
        .args(["--endpoint-url", "http://127.0.0.1:9"]);
    let run = run
        .env("AWS_MAX_ATTEMPTS", "1")
        .run()
        .await
        .expect_status(0);
    assert!(document(&run).to_string().contains("${ACCOUNT}"));
    assert_stderr(
        &org,
        &run,
        str![[r"
AWS cannot be reached, so all names stay placeholders: the connection to http://127.0.0.1:40000 failed: Connection refused
Replace these placeholders:
  ${PARTITION}: aws, or aws-us-gov
  ${ACCOUNT}: the ID of the account, usually the management account
  ${REGION}: the region of the trail's bucket
  ${BUCKET}: the name of the trail's bucket
  ${LOG_PREFIX}: [PREFIX/]AWSLogs/ORGANIZATION_ID/, or [PREFIX/]AWSLogs/ for the trail of one account
  ${BUCKET_KEY_ID}: the ID of the KMS key of the log objects; if there is none, remove the statements that name it

"]],
    );
}

#[tokio::test]
async fn denied_reads_leave_placeholders_and_are_reported() {
    let org = Organization::on(Engine::Ministack).build().await;
    let refusal = FaultAction::refuse(403, "AccessDeniedException", "not you");
    let refused = Fault::new("cloudtrail", "DescribeTrails", refusal);
    org.proxy().fault(refused);
    let run = policy(&org, &["setup"]).run().await.expect_status(0);
    let text = document(&run).to_string();
    assert!(text.contains("arn:aws:s3:::${BUCKET}"), "{text}");
    assert!(text.contains(org.account()), "{text}");
    assert_stderr(
        &org,
        &run,
        str![[r"
Skipped: cannot list the trails: not you (AccessDeniedException, request id 00000000-1111-2222-3333-444444444444)
Replace these placeholders:
  ${REGION}: the region of the trail's bucket
  ${BUCKET}: the name of the trail's bucket
  ${LOG_PREFIX}: [PREFIX/]AWSLogs/ORGANIZATION_ID/, or [PREFIX/]AWSLogs/ for the trail of one account
  ${BUCKET_KEY_ID}: the ID of the KMS key of the log objects; if there is none, remove the statements that name it

"]],
    );
}

#[tokio::test]
async fn preflight_policy_covers_all_options_by_default() {
    let org = Organization::on(Engine::Ministack).build().await;
    let run = async |args: &[&str]| {
        let run = policy(&org, &["preflight", "--offline"]).args(args);
        run.run().await.expect_status(0).stdout
    };
    let both = run(&[]).await;
    let s3 = run(&["--option", "s3"]).await;
    let cloudwatch = run(&["--option", "cloudwatch"]).await;
    let has = |text: &str| {
        ["s3:GetBucketPolicy", "logs:DescribeLogGroups"].map(|action| text.contains(action))
    };
    assert_eq!(
        [has(&both), has(&s3), has(&cloudwatch)],
        [[true, true], [true, false], [false, true]]
    );
}

#[tokio::test]
async fn deep_and_fix_add_statements() {
    let org = Organization::on(Engine::Ministack).build().await;
    for (option, action) in [
        ("--deep", "iam:SimulatePrincipalPolicy"),
        ("--fix", "cloudtrail:StartLogging"),
    ] {
        let plain = policy(&org, &["preflight", "--offline"])
            .run()
            .await
            .expect_status(0);
        let more = policy(&org, &["preflight", "--offline", option]);
        let more = more.run().await.expect_status(0);
        assert!(
            !plain.stdout.contains(action) && more.stdout.contains(action),
            "{option}"
        );
        let tail = policy(&org, &["tail", "--offline", option]);
        tail.run().await.expect_status(2);
    }
}

#[tokio::test]
async fn policies_differ_by_option() {
    let org = Organization::on(Engine::Ministack).build().await;
    for command in COMMANDS {
        let of = async |option| {
            let run = policy(&org, &[command, "--offline", "--option", option]);
            run.run().await.expect_status(0).stdout
        };
        assert_ne!(of("s3").await, of("cloudwatch").await, "{command}");
    }
}

#[tokio::test]
async fn policy_over_managed_limit_is_reported() {
    let org = Organization::on(Engine::Ministack).build().await;
    let setup = policy(&org, &["setup", "--offline"])
        .run()
        .await
        .expect_status(0);
    assert_stderr(
        &org,
        &setup,
        str![[r"
Replace these placeholders:
  ${PARTITION}: aws, or aws-us-gov
  ${ACCOUNT}: the ID of the account, usually the management account
  ${REGION}: the region of the trail's bucket
  ${BUCKET}: the name of the trail's bucket
  ${LOG_PREFIX}: [PREFIX/]AWSLogs/ORGANIZATION_ID/, or [PREFIX/]AWSLogs/ for the trail of one account
  ${BUCKET_KEY_ID}: the ID of the KMS key of the log objects; if there is none, remove the statements that name it

"]],
    );
    let long = policy(
        &org,
        &["setup", "--offline", "--name-prefix", &"x".repeat(21)],
    )
    .args(["--region", "ap-southeast-2", "--account-id", "111122223333"])
    .args(["--bucket", &"b".repeat(63)]);
    let long = long.run().await.expect_status(0);
    assert_stderr(
        &org,
        &long,
        str![[r"
Replace these placeholders:
  ${PARTITION}: aws, or aws-us-gov
  ${LOG_PREFIX}: [PREFIX/]AWSLogs/ORGANIZATION_ID/, or [PREFIX/]AWSLogs/ for the trail of one account
  ${BUCKET_KEY_ID}: the ID of the KMS key of the log objects; if there is none, remove the statements that name it
The policy has 6541 characters. IAM accepts it as an inline policy of a role (up to 10240), but not as a managed policy (up to 6144).

"]],
    );
}
