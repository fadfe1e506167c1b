//! Invalid input: the program prints one error with a hint, exits with the documented code, and writes nothing.

use crate::commands::{destroy, plan, setup, setup_again, setup_with};
use crate::commands::{document, heeler_ec};
use crate::whole_output::assert_stderr;
use serde_json::Value;
use snapbox::str;
use std::collections::BTreeSet;
use testkit::{Call, Engine, Fault, FaultAction, HeelerEc, Organization, Run};

fn outputs(org: &Organization) -> HeelerEc<'_> {
    heeler_ec(org).args(["outputs"])
}

const ROLE: &str = "arn:aws:iam::111122223333:role/heeler";

/// Runs the program with text and with JSON output. Asserts the status, one error and no writes.
async fn assert_refused<'a>(status: i32, run: impl Fn() -> HeelerEc<'a>) -> Run {
    let machine = run().args(["-o", "json"]).run().await.expect_status(status);
    let human = run().run().await.expect_status(status);
    for run in [&machine, &human] {
        assert!(run.writes().is_empty(), "{:?}", run.writes());
    }
    assert_eq!(human.stdout, "", "output although the run failed");
    let document = document(&machine);
    assert_eq!(document["result"], Value::Null);
    assert_eq!(document["error"]["exit_code"], status);
    assert_eq!(
        human.stderr.matches("error: ").count(),
        1,
        "{}",
        human.stderr
    );
    human
}

/// Asserts that each value of the option is rejected before any call.
async fn assert_malformed(option: &str, values: &[&str]) {
    let org = Organization::on(Engine::Ministack).build().await;
    for value in values {
        let run = heeler_ec(&org).without_endpoint();
        let run = run.args(["plan", "--option", "s3", option, value]);
        let run = run.run().await;
        assert_eq!(run.status, 2, "{option} {value}\n{}", run.stderr);
        assert!(run.stderr.contains(option), "{}", run.stderr);
        assert!(run.calls.is_empty(), "{option} {value}: {:?}", run.calls);
    }
}

#[tokio::test]
async fn heeler_role_arn_must_be_a_role_arn() {
    let values = [
        "",
        "heeler",
        "*",
        "111122223333",
        "arn:aws:iam::111122223333:root",
        "arn:aws:iam::111122223333:user/ann",
        "arn:aws:sts::111122223333:assumed-role/Admin/ann",
        "arn:aws:iam::1111:role/heeler",
        "arn:aws:iam::111122223333:role/*",
        "arn:aws:s3:::heeler",
    ];
    assert_malformed("--heeler-role-arn", &values).await;
}

#[tokio::test]
async fn invalid_external_id_is_rejected() {
    let longer = "x".repeat(1225);
    let values = [
        "",
        "x",
        &longer,
        "two words",
        "ümlaut",
        "a*",
        "<your external id>",
    ];
    assert_malformed("--external-id", &values).await;
}

#[tokio::test]
async fn invalid_name_prefix_is_rejected() {
    assert_malformed(
        "--name-prefix",
        &["", "Heeler", "2heeler", "a-b", "aws_heeler"],
    )
    .await;
}

#[tokio::test]
async fn invalid_region_is_rejected() {
    assert_malformed("--region", &["", "Ireland", "us-east", "us-east-1a"]).await;
}

#[tokio::test]
async fn account_id_must_have_twelve_digits() {
    assert_malformed("--account-id", &["", "1234", "11112222333x"]).await;
}

#[tokio::test]
async fn plain_http_endpoint_must_be_local() {
    assert_malformed(
        "--endpoint-url",
        &[
            "",
            "localhost:4566",
            "http://example.com",
            "ftp://127.0.0.1",
        ],
    )
    .await;
}

#[tokio::test]
async fn invalid_bucket_key_and_topic_are_rejected() {
    assert_malformed("--bucket", &["Upper", "arn:aws:s3:::bucket"]).await;
    assert_malformed("--bucket-kms-key", &["arn:aws:s3:::bucket", "two words"]).await;
    assert_malformed(
        "--sns-topic",
        &["events.fifo", "arn:aws:sqs:us-east-1:111122223333:q"],
    )
    .await;
}

#[tokio::test]
async fn role_of_another_partition_is_rejected() {
    let org = Organization::on(Engine::Ministack).build().await;
    let role = "arn:aws-us-gov:iam::111122223333:role/heeler";
    let run = || setup_again(&org).args(["--generate-external-id", "--heeler-role-arn", role]);
    let run = assert_refused(1, run).await;
    assert_stderr(
        &org,
        &run,
        str![[r"
x account.partition: arn:aws-us-gov:iam::111122223333:role/heeler is in another partition
    expected: a role in partition aws
    reason:   IAM does not allow trust across partitions
    fix:      ask Heeler for its role in this partition
    accept:   not possible, because setup cannot work without it
    help:     heeler-ec explain account.partition

error: the prerequisites of option s3 are not met; no changes were made
  hint:  to show all checks: heeler-ec preflight --option s3

"]],
    );
}

#[tokio::test]
async fn missing_credentials_hint_names_sign_in_commands() {
    let org = Organization::on(Engine::Ministack).build().await;
    for command in [
        &["preflight", "--option", "s3"][..],
        &["outputs"],
        &["destroy", "--yes"],
    ] {
        let run = || {
            let run = heeler_ec(&org).args(command);
            run.env("AWS_ACCESS_KEY_ID", "")
                .env("AWS_SECRET_ACCESS_KEY", "")
        };
        let run = assert_refused(3, run).await;
        assert_stderr(
            &org,
            &run,
            str![[r"
error: cannot identify the AWS account of the caller
  cause: no AWS credentials were found in the environment, in a profile, or on this machine
  hint:  sign in with `aws sso login` or `aws configure`, or set AWS_PROFILE; an EC2 instance needs a role (instance profile)

"]],
        );
        assert!(run.calls.is_empty(), "{:?}", run.calls);
    }
}

#[tokio::test]
async fn expired_session_hint_names_the_profile() {
    let org = Organization::on(Engine::Ministack).build().await;
    let home = tempfile::tempdir().expect("a folder");
    let config = home.path().join("config");
    let profile = "[profile work]\nsso_session = corporate\nsso_account_id = 111122223333\n\
        sso_role_name = Admin\nregion = us-east-1\n\n[sso-session corporate]\n\
        sso_start_url = https://example.awsapps.com/start\nsso_region = us-east-1\n";
    std::fs::write(&config, profile).expect("a configuration");
    let config = config.to_string_lossy().into_owned();
    let run = || {
        let run = heeler_ec(&org).args(["preflight", "--option", "s3", "--profile", "work"]);
        run.env("AWS_CONFIG_FILE", &config)
            .env("AWS_ACCESS_KEY_ID", "")
            .env("AWS_SECRET_ACCESS_KEY", "")
    };
    let run = assert_refused(3, run).await;
    assert_stderr(
        &org,
        &run,
        str![[r"
error: cannot identify the AWS account of the caller
  cause: an error occurred while loading credentials: an error occurred while loading an access token: failed to load the cached SSO token
  hint:  the session has expired or does not exist: sign in with `aws sso login --profile work`

"]],
    );
}

#[tokio::test]
async fn profile_option_overrides_environment_credentials() {
    let org = Organization::on(Engine::Ministack).build().await;
    let home = tempfile::tempdir().expect("a folder");
    let credentials = home.path().join("credentials");
    let profile = "[other]\naws_access_key_id = 222233334444\naws_secret_access_key = test\n";
    std::fs::write(&credentials, profile).expect("credentials");
    let credentials = credentials.to_string_lossy().into_owned();
    let with = |profile: &'static str| {
        let run = heeler_ec(&org).args(["outputs", "--profile", profile]);
        run.env("AWS_SHARED_CREDENTIALS_FILE", &credentials)
    };
    let run = with("other").run().await.expect_status(1);
    let keys: BTreeSet<&str> = run.calls.iter().map(|call| &*call.access_key).collect();
    assert_eq!(keys, BTreeSet::from(["222233334444"]));
    let run = assert_refused(3, || with("nobody")).await;
    assert_stderr(
        &org,
        &run,
        str![[r"
error: cannot identify the AWS account of the caller
  cause: there is no profile nobody in the AWS configuration
  hint:  `aws configure list-profiles` lists the profiles

"]],
    );
    assert!(run.calls.is_empty(), "{:?}", run.calls);
    let without_files = || {
        let nowhere = home.path().join("nowhere");
        with("nobody").env("AWS_SHARED_CREDENTIALS_FILE", &nowhere.to_string_lossy())
    };
    let run = assert_refused(3, without_files).await;
    assert_stderr(
        &org,
        &run,
        str![[r"
error: cannot identify the AWS account of the caller
  cause: the AWS configuration has no profile nobody, or no credentials in it
  hint:  `aws configure list-profiles` lists the profiles; create one with `aws configure --profile nobody`, or sign in with `aws sso login --profile nobody`

"]],
    );
}

#[tokio::test]
async fn wrong_clock_is_corrected_only_once() {
    let org = Organization::on(Engine::Ministack).build().await;
    let message = "Signature expired: 20260302T113000Z is now earlier than 20260302T115500Z (20260302T120000Z - 5 min.)";
    let body = format!(
        "<ErrorResponse><Error><Type>Sender</Type><Code>SignatureDoesNotMatch</Code><Message>{message}</Message></Error>\
         <RequestId>r</RequestId></ErrorResponse>"
    );
    let refusal = FaultAction::Respond {
        status: 403,
        headers: vec![
            ("content-type".into(), "text/xml".into()),
            ("date".into(), "Mon, 02 Mar 2026 12:00:00 GMT".into()),
        ],
        body: body.into(),
    };
    org.proxy()
        .fault(Fault::new("sts", "GetCallerIdentity", refusal));
    let run = heeler_ec(&org).args(["outputs"]).run().await;
    let run = run.expect_status(3);
    assert_stderr(
        &org,
        &run,
        str![[r"
error: cannot identify the AWS account of the caller
  cause: Signature expired: 20260302T113000Z is now earlier than 20260302T115500Z (20260302T120000Z - 5 min.) (SignatureDoesNotMatch)
  hint:  the clock of this machine is 30 minutes slow: set it (timedatectl set-ntp true, or the date and time settings of the system)

"]],
    );
    let is_identification = |call: &&Call| call.operation == "GetCallerIdentity";
    assert_eq!(run.calls.iter().filter(is_identification).count(), 2);
}

/// AWS reports both the session and the signature as expired, but signing in helps only with an expired session.
#[tokio::test]
async fn credential_errors_have_distinct_hints() {
    let org = Organization::on(Engine::Ministack).build().await;
    for (code, message, expected) in [
        (
            "ExpiredToken",
            "The security token included in the request is expired",
            str![[r"
error: cannot identify the AWS account of the caller
  cause: The security token included in the request is expired (ExpiredToken, request id 00000000-1111-2222-3333-444444444444)
  hint:  the credentials in the environment have expired: set AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and AWS_SESSION_TOKEN again, or unset them to use a profile

"]],
        ),
        (
            "SignatureDoesNotMatch",
            "Signature expired: 20260302T113000Z is now earlier than 20260302T115500Z (20260302T120000Z - 5 min.)",
            str![[r"
error: cannot identify the AWS account of the caller
  cause: Signature expired: 20260302T113000Z is now earlier than 20260302T115500Z (20260302T120000Z - 5 min.) (SignatureDoesNotMatch, request id 00000000-1111-2222-3333-444444444444)
  hint:  the clock of this machine is 30 minutes slow: set it (timedatectl set-ntp true, or the date and time settings of the system)

"]],
        ),
        (
            "SignatureDoesNotMatch",
            "The request signature we calculated does not match the signature you provided.",
            str![[r"
error: cannot identify the AWS account of the caller
  cause: The request signature we calculated does not match the signature you provided. (SignatureDoesNotMatch, request id 00000000-1111-2222-3333-444444444444)
  hint:  the secret access key does not match the access key ID: check AWS_SECRET_ACCESS_KEY, or the profile's aws_secret_access_key

"]],
        ),
    ] {
        let refusal = FaultAction::refuse(403, code, message);
        org.proxy()
            .fault(Fault::new("sts", "GetCallerIdentity", refusal));
        let run = assert_refused(3, || heeler_ec(&org).args(["preflight", "--option", "s3"]));
        let run = run.await;
        org.proxy().clear_faults();
        let is_of_iam = |call: &Call| call.service == "iam";
        assert!(!run.calls.iter().any(is_of_iam), "{:?}", run.calls);
        assert_stderr(&org, &run, expected);
    }
}

#[tokio::test]
async fn unknown_access_key_hint_names_aws_profile() {
    let org = Organization::on(Engine::Ministack).build().await;
    let run = || outputs(&org).env("AWS_ACCESS_KEY_ID", "AKIAUNKNOWNUNKNOWN00");
    let run = assert_refused(3, run).await;
    assert_stderr(
        &org,
        &run,
        str![[r"
error: cannot identify the AWS account of the caller
  cause: The security token included in the request is invalid. (InvalidClientTokenId)
  hint:  AWS rejects these credentials: check AWS_PROFILE, and --region for another partition

"]],
    );
}

#[tokio::test]
async fn without_terminal_setup_and_destroy_require_yes() {
    let org = Organization::on(Engine::Ministack).build().await;
    let role = org.heeler_role_arn();
    let setup = [
        "setup",
        "--option",
        "s3",
        "--generate-external-id",
        "--heeler-role-arn",
        &role,
    ];
    for (args, expected) in [
        (
            &setup[..],
            str![[r"
error: confirmation is needed, but standard input is not a terminal
  hint:  use --yes to set up without a prompt, or --dry-run to show the plan

"]],
        ),
        (
            &["destroy"],
            str![[r"
error: confirmation is needed, but standard input is not a terminal
  hint:  use --yes to delete without a prompt, or --dry-run to show what would be deleted

"]],
        ),
    ] {
        let run = assert_refused(2, || heeler_ec(&org).args(args).stdin("yes\n")).await;
        assert_stderr(&org, &run, expected);
        assert!(run.calls.is_empty(), "{:?}", run.calls);
    }
}

fn call_names(run: &Run) -> Vec<String> {
    run.calls.iter().map(Call::name).collect()
}

#[tokio::test]
async fn first_setup_requires_heeler_role_arn() {
    let org = Organization::on(Engine::Ministack).build().await;
    let run = assert_refused(2, || setup_again(&org).args(["--generate-external-id"])).await;
    assert_stderr(
        &org,
        &run,
        str![[r"
error: --heeler-role-arn is required: this is the first setup
  hint:  Heeler provides this ARN: look for heeler_security_role_arns in var.auto.tfvars of its Terraform module (--var-file reads it), or ask Heeler

"]],
    );
    // The only question is if there is a deployment already. The checks would make fifty calls.
    assert_eq!(call_names(&run), ["iam:GetRole"]);
    let run = assert_refused(2, || setup_again(&org).args(["--heeler-role-arn", ROLE])).await;
    assert_stderr(
        &org,
        &run,
        str![[r"
error: an external ID is required: this is the first setup
  hint:  use --generate-external-id to create one, or --external-id to supply your own

"]],
    );
    assert_eq!(call_names(&run), ["iam:GetRole"]);
}

#[tokio::test]
async fn external_id_options_are_mutually_exclusive() {
    let org = Organization::on(Engine::Ministack).build().await;
    let run = setup_with(&org, "an-id").args(["--generate-external-id"]);
    let run = run.run().await.expect_status(2);
    assert!(run.calls.is_empty(), "{:?}", run.calls);
}

#[tokio::test]
async fn missing_deployment_hint_names_preflight() {
    let org = Organization::on(Engine::Ministack).build().await;
    let run = assert_refused(1, || outputs(&org)).await;
    assert_stderr(
        &org,
        &run,
        str![[r#"
error: nothing is deployed under the name prefix "heeler"
  cause: this account has no role heeler_event_collection_sqs_role that is managed by heeler-ec
  hint:  to choose an option and set it up, start with: heeler-ec preflight

"#]],
    );
    let run = assert_refused(1, || destroy(&org)).await;
    assert_stderr(
        &org,
        &run,
        str![[r#"
error: nothing is deployed under the name prefix "heeler"
  cause: this account has no role heeler_event_collection_sqs_role that is managed by heeler-ec
  hint:  it may be in another account, or use another --name-prefix

"#]],
    );
}

type NewCommand = fn(&Organization) -> HeelerEc<'_>;

#[tokio::test]
async fn account_id_mismatch_is_refused() {
    let org = Organization::on(Engine::Ministack).build().await;
    setup(&org).run().await.expect_status(0);
    let table: [(NewCommand, _); 4] = [
        (
            setup,
            str![[r"
x account.expected: credentials are for 111122223333
    expected: account 210987654321
    reason:   --account-id protects against setup in the wrong account
    fix:      select credentials of that account with --profile PROFILE, which overrides the environment
    accept:   not possible, because setup cannot work without it
    help:     heeler-ec explain account.expected

error: the prerequisites of option s3 are not met; no changes were made
  hint:  to show all checks: heeler-ec preflight --option s3 --account-id 210987654321

"]],
        ),
        (
            plan,
            str![[r"
x account.expected: credentials are for 111122223333
    expected: account 210987654321
    reason:   --account-id protects against setup in the wrong account
    fix:      select credentials of that account with --profile PROFILE, which overrides the environment
    accept:   not possible, because setup cannot work without it
    help:     heeler-ec explain account.expected

error: the prerequisites of option s3 are not met; no changes were made
  hint:  to show all checks: heeler-ec preflight --option s3 --account-id 210987654321

"]],
        ),
        (
            outputs,
            str![[r"
error: wrong account: the credentials are for 111122223333, but --account-id is 210987654321
  hint:  use --profile PROFILE to select other credentials; it overrides the environment

"]],
        ),
        (
            destroy,
            str![[r"
error: wrong account: the credentials are for 111122223333, but --account-id is 210987654321
  hint:  use --profile PROFILE to select other credentials; it overrides the environment

"]],
        ),
    ];
    for (command, expected) in table {
        let run = assert_refused(1, || command(&org).args(["--account-id", "210987654321"])).await;
        assert_stderr(&org, &run, expected);
    }
}

#[tokio::test]
async fn setup_refuses_failed_preflight_checks() {
    let described = [
        (
            Organization::on(Engine::Ministack).without_trail(),
            "trail.found: no trail was found",
        ),
        (
            Organization::on(Engine::Ministack).logging_stopped(),
            "trail.logging: trail org-trail is stopped",
        ),
        (
            Organization::on(Engine::Ministack).overlapping_queue(),
            ":everything",
        ),
    ];
    for (org, named) in described {
        let org = org.build().await;
        let table: [fn(&Organization) -> HeelerEc<'_>; 2] = [setup, plan];
        for command in table {
            let run = assert_refused(1, || command(&org)).await;
            assert!(run.stderr.contains(named), "{}", run.stderr);
        }
    }
}

/// Asserts that setup names the unmanaged resource and changes nothing.
async fn assert_name_conflict(org: &Organization, name: &str) {
    let before = org.leftovers().await;
    let run = assert_refused(1, || setup(org)).await;
    let lines: Vec<&str> = run.stderr.lines().collect();
    let line = lines
        .iter()
        .find(|line| line.contains(": ") && line.contains(name));
    let line = line.unwrap_or_else(|| panic!("no finding with an observation in\n{}", run.stderr));
    assert!(
        line.contains(name) && line.contains("not managed by heeler-ec"),
        "{line}"
    );
    assert_eq!(org.leftovers().await, before);
}

#[tokio::test]
async fn unmanaged_role_blocks_setup() {
    let org = Organization::on(Engine::Ministack).build().await;
    let name = "heeler_event_collection_sqs_role";
    let role = org.clients().iam.create_role().role_name(name);
    let role = role.assume_role_policy_document(r#"{"Version":"2012-10-17","Statement":[]}"#);
    role.send().await.expect("a role");
    assert_name_conflict(&org, name).await;
}

#[tokio::test]
async fn unmanaged_policy_blocks_setup() {
    let org = Organization::on(Engine::Ministack).build().await;
    let name = "heeler_event_collection_sqs_policy";
    let document = testkit::organization::allow("s3:ListAllMyBuckets").to_string();
    let policy = org
        .clients()
        .iam
        .create_policy()
        .policy_name(name)
        .policy_document(document);
    policy.send().await.expect("a policy");
    assert_name_conflict(&org, name).await;
}

#[tokio::test]
async fn unmanaged_queue_blocks_setup() {
    let org = Organization::on(Engine::Ministack).build().await;
    for name in [
        "heeler_event_collection_queue",
        "heeler_event_collection_queue_dlq",
    ] {
        let sqs = &org.clients().sqs;
        let queue = sqs
            .create_queue()
            .queue_name(name)
            .send()
            .await
            .expect("a queue");
        assert_name_conflict(&org, name).await;
        let delete = sqs.delete_queue().set_queue_url(queue.queue_url);
        delete.send().await.expect("no queue");
    }
}

#[tokio::test]
async fn unmanaged_topic_blocks_setup() {
    let org = Organization::on(Engine::Ministack).build().await;
    let name = "heeler_event_collection_topic";
    org.clients()
        .sns
        .create_topic()
        .name(name)
        .send()
        .await
        .expect("a topic");
    assert_name_conflict(&org, name).await;
}

#[tokio::test]
async fn unmanaged_key_alias_blocks_setup() {
    let org = Organization::on(Engine::Ministack).build().await;
    let kms = &org.clients().kms;
    let key = kms.create_key().send().await.expect("a key");
    let id = key.key_metadata().expect("a key").key_id();
    let alias = kms
        .create_alias()
        .alias_name("alias/heeler_kms_key_sqs")
        .target_key_id(id);
    alias.send().await.expect("an alias");
    assert_name_conflict(&org, "heeler_kms_key_sqs").await;
}

#[tokio::test]
async fn unusable_aws_settings_are_usage_errors() {
    let org = Organization::on(Engine::Ministack).build().await;
    let home = tempfile::tempdir().unwrap();
    let config = home.path().join("config");
    let config = config.to_string_lossy();
    for (name, value, expected) in [
        #[cfg(not(unix))]
        (
            "AWS_ENDPOINT_URL_STS",
            "",
            str![[r"
error: AWS_ENDPOINT_URL_STS is set but empty
  hint:  remove it: unset AWS_ENDPOINT_URL_STS

"]],
        ),
        (
            "AWS_ACCESS_KEY_ID",
            "AKIAEXAMPLE\n",
            str![[r"
error: AWS_ACCESS_KEY_ID contains a line break or another control character
  hint:  set it again without the character

"]],
        ),
        (
            "AWS_SESSION_TOKEN",
            "a\rb",
            str![[r"
error: AWS_SESSION_TOKEN contains a line break or another control character
  hint:  set it again without the character

"]],
        ),
    ] {
        let run = outputs(&org).env(name, value).run().await.expect_status(2);
        assert_stderr(&org, &run, expected);
    }
    for (text, expected) in [
        (
            "[default]\nendpoint_url =\n",
            str![[r"
error: /tmp/.tmpAbCdEf/config has an empty endpoint_url
  hint:  remove the line, or write the URL of the endpoint

"]],
        ),
        (
            "[default]\nservices = s\n[services s]\nsts =\n  endpoint_url = http://sts.example.com\n",
            str![[r"
error: the endpoint http://sts.example.com is not allowed
  cause: http is allowed for this machine only (127.0.0.1, localhost); use https

"]],
        ),
    ] {
        std::fs::write(&*config, text).unwrap();
        let run = outputs(&org).env("AWS_CONFIG_FILE", &config);
        let run = run.run().await.expect_status(2);
        assert_stderr(&org, &run, expected);
    }
}
