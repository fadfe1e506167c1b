//! Support archives: their files, what they never contain, and archives without AWS.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use aws_credential_types::Credentials;
use serde_json::{Value, json};
use testkit::{Engine, Fault, FaultAction, HeelerEc, Organization, Run};
use zip::ZipArchive;

use crate::commands::{
    document, error, heeler_ec, json, names, organization_for, setup_of_with, text,
};

const ID: &str = "external-id/of=the.example";
/// An external ID that the trust policy has in addition.
const OTHER_ID: &str = "second:external-id@of.the.example";
const USER: &str = "jane.doe@example.com";
const ROLE: &str = "heeler_event_collection_sqs_role";
const NOBODY: [String; 0] = [];

/// An archive in a folder of its own.
struct Archive {
    folder: tempfile::TempDir,
}

impl Archive {
    fn new() -> Archive {
        Archive {
            folder: tempfile::tempdir().expect("a folder"),
        }
    }

    fn path(&self) -> PathBuf {
        self.folder.path().join("support.zip")
    }

    /// Runs `support` with JSON output.
    fn command<'o>(&self, org: &'o Organization, args: &[&str]) -> HeelerEc<'o> {
        let path = self.path().display().to_string();
        let run = heeler_ec(org).args(["support", &path, "-o", "json"]);
        run.args(args)
    }

    /// The texts of all files by name.
    fn files(&self) -> BTreeMap<String, String> {
        files_of(&self.path())
    }

    fn json(&self, name: &str) -> Value {
        let files = self.files();
        let text = files.get(name).unwrap_or_else(|| panic!("no {name}"));
        serde_json::from_str(text).expect("JSON")
    }
}

fn files_of(path: &Path) -> BTreeMap<String, String> {
    let mut archive = ZipArchive::new(File::open(path).expect("an archive")).expect("a zip file");
    let mut files = BTreeMap::new();
    for index in 0..archive.len() {
        let mut file = archive.by_index(index).expect("a file");
        let mut text = String::new();
        file.read_to_string(&mut text).expect("text");
        let name = file.name().expect("a name").into_owned();
        files.insert(name, text);
    }
    files
}

/// Asserts that the run wrote nothing to AWS and received nothing.
#[track_caller]
fn assert_read_only(run: &Run) {
    assert_eq!(names(&run.writes()), NOBODY);
    let is_receive = |call: &&testkit::Call| call.operation == "ReceiveMessage";
    assert_eq!(run.calls.iter().filter(is_receive).count(), 0);
}

/// A user with all permissions, whose name is an e-mail address.
async fn user_with_email(org: &Organization) -> Credentials {
    let iam = &org.clients().iam;
    let user = iam.create_user().user_name(USER).send().await;
    user.expect("a user");
    let policy = json!({
        "Version": "2012-10-17",
        "Statement": [{ "Effect": "Allow", "Action": "*", "Resource": "*" }],
    });
    let put = iam.put_user_policy().user_name(USER).policy_name("all");
    let put = put.policy_document(policy.to_string()).send().await;
    put.expect("its policy");
    let key = iam.create_access_key().user_name(USER).send().await;
    let key = key.expect("an access key");
    let key = key.access_key().expect("an access key");
    Credentials::new(
        key.access_key_id(),
        key.secret_access_key(),
        None,
        None,
        "test",
    )
}

/// Adds a statement with another external ID to the trust policy of the role.
async fn add_external_id(org: &Organization) {
    let iam = &org.clients().iam;
    let statement = |id: &str| {
        json!({
            "Effect": "Allow",
            "Principal": { "AWS": org.heeler_role_arn() },
            "Action": "sts:AssumeRole",
            "Condition": { "StringEquals": { "sts:ExternalId": id } },
        })
    };
    let trust = json!({
        "Version": "2012-10-17",
        "Statement": [statement(ID), statement(OTHER_ID)],
    });
    let update = iam.update_assume_role_policy().role_name(ROLE);
    let update = update.policy_document(trust.to_string()).send().await;
    update.expect("another trust policy");
}

/// A log of calls with secrets at places where `--log-file` writes none.
fn write_call_log(path: &Path, org: &Organization, key: &str) {
    let line = json!({
        "type": "call",
        "time": "2026-01-02T03:04:05Z",
        "service": "sts",
        "operation": "AssumeRole",
        "status": 403,
        "error_code": format!("arn:aws:sts::{}:assumed-role/Admin/{USER}", org.account()),
        "request_id": key,
        "elapsed_ms": 5,
        "body": ID,
    });
    std::fs::write(path, format!("{line}\n")).expect("a log");
}

#[tokio::test]
async fn archive_contains_no_secrets() {
    for option in ["s3", "cloudwatch"] {
        let org = organization_for(option).await;
        let setup = setup_of_with(&org, option, ID);
        setup.run().await.expect_status(0);
        add_external_id(&org).await;
        let user = user_with_email(&org).await;
        let token = "IQoJb3JpZ2luX2Vj".repeat(20);
        // The names of the user and of the key are in the errors.
        let message = Box::leak(
            format!(
                "User: arn:aws:iam::{}:user/{USER} is not authorized, key {}, token {token}, external ID {OTHER_ID}",
                org.account(),
                user.access_key_id(),
            )
            .into_boxed_str(),
        );
        let refusal = FaultAction::refuse(403, "AccessDenied", message);
        org.proxy()
            .fault(Fault::new("sqs", "GetQueueAttributes", refusal));
        for redacts_accounts in [false, true] {
            let archive = Archive::new();
            let log = archive.folder.path().join("calls.log");
            write_call_log(&log, &org, user.access_key_id());
            let log = log.display().to_string();
            let mut args = vec!["--yes", "--call-log", &log];
            if redacts_accounts {
                args.push("--redact-accounts");
            }
            let run = archive.command(&org, &args).identity(&user).run().await;
            // The plan has resources that could not be read.
            let run = run.expect_status(3);
            assert_read_only(&run);
            let files = archive.files();
            let expected = [
                "README.txt",
                "calls.json",
                "configuration.json",
                "errors.json",
                "plan.json",
                "status.json",
                "summary.json",
            ];
            assert_eq!(files.keys().collect::<Vec<_>>(), expected);
            let mut forbidden = vec![
                ID.to_owned(),
                OTHER_ID.to_owned(),
                user.access_key_id().to_owned(),
                user.secret_access_key().to_owned(),
                token.clone(),
                USER.to_owned(),
                "jane".to_owned(),
                "@".to_owned(),
            ];
            if redacts_accounts {
                forbidden.push(org.account().to_owned());
                forbidden.push(org.heeler_account().to_owned());
                forbidden.extend(org.members().iter().cloned());
            }
            for (name, content) in &files {
                for secret in &forbidden {
                    assert!(!content.contains(secret), "{name}: {secret}\n{content}");
                }
            }
            // The archive is useful: the errors and the pseudonyms are there.
            let all: String = files.into_values().collect();
            assert!(all.contains("user/user-1 is not authorized"), "{all}");
            assert_eq!(all.contains("iam::account-1:"), redacts_accounts, "{all}");
            assert_eq!(all.contains(org.account()), !redacts_accounts);
        }
    }
}

#[tokio::test]
async fn archive_describes_the_deployment() {
    let org = organization_for("s3").await;
    setup_of_with(&org, "s3", ID).run().await.expect_status(0);
    let archive = Archive::new();
    let run = archive.command(&org, &["--yes"]).run().await;
    let run = run.expect_status(0);
    assert_read_only(&run);
    let result = json(&run);
    assert_eq!(result["written"], true);
    assert_eq!(result["errors"], 0);
    let summary = archive.json("summary.json");
    assert_eq!(summary["heeler_ec_version"], env!("CARGO_PKG_VERSION"));
    assert_eq!(summary["partition"], "aws");
    assert_eq!(summary["region"], org.region());
    assert_eq!(summary["deployment"]["option"], "s3");
    assert_eq!(summary["deployment"]["has_expected_trust_policy"], true);
    let status = archive.json("status.json");
    assert_eq!(status["healthy"], true, "{status:#}");
    let plan = archive.json("plan.json");
    assert_eq!(plan["counts"]["update"], 0, "{plan:#}");
    let calls = archive.json("calls.json");
    let calls = calls["this_run"].as_array().expect("calls");
    assert_eq!(calls.len(), run.calls.len());
    let get_role = calls.iter().find(|call| call["operation"] == "GetRole");
    let get_role = get_role.expect("the call of the role");
    assert_eq!(get_role["status"], 200);
    assert_eq!(get_role["attempts"], 1);
    assert_eq!(get_role["error_code"], Value::Null);
    assert!(get_role["request_id"].is_string(), "{get_role}");
    let configuration = archive.json("configuration.json");
    let names = configuration["environment_variables"].to_string();
    assert!(names.contains("\"AWS_SECRET_ACCESS_KEY\""), "{names}");
    assert_eq!(configuration["options"], json!(["-o", "--yes"]));
    assert_eq!(configuration["custom_endpoint"], true);
}

#[tokio::test]
async fn undeployed_archive_has_the_checks() {
    let org = Organization::on(Engine::Ministack)
        .logging_stopped()
        .build()
        .await;
    let archive = Archive::new();
    let run = archive.command(&org, &["--yes", "--redact-accounts"]);
    let run = run.run().await.expect_status(0);
    assert_read_only(&run);
    let preflight = archive.json("preflight.json");
    let options = preflight.as_array().expect("reports");
    assert!(options.len() > 1, "{preflight:#}");
    let checks = options[0]["checks"].as_array().expect("checks");
    let failed = checks.iter().find(|check| check["status"] == "fail");
    assert_eq!(failed.expect("a failure")["id"], "trail.logging");
    for (name, content) in archive.files() {
        assert!(!content.contains(org.account()), "{name}: {content}");
    }
}

#[tokio::test]
async fn archive_is_written_without_aws() {
    let org = Organization::on(Engine::Ministack).build().await;
    let archive = Archive::new();
    let run = archive.command(&org, &["--yes", "--endpoint-url", "http://127.0.0.1:1"]);
    let run = run.without_endpoint().env("AWS_MAX_ATTEMPTS", "1");
    let run = run.run().await.expect_status(3);
    assert_eq!(document(&run)["result"]["written"], true);
    assert!(error(&run)["operation"].is_string());
    let errors = archive.json("errors.json");
    assert!(!errors.as_array().expect("errors").is_empty());
    let calls = archive.json("calls.json");
    assert_eq!(calls["this_run"][0]["status"], Value::Null, "{calls:#}");
    assert_eq!(archive.json("summary.json")["caller"], Value::Null);

    let refusal = FaultAction::refuse(403, "AccessDenied", "is not authorized");
    org.proxy().fault(Fault::new("*", "*", refusal));
    let run = archive.command(&org, &["--yes", "--overwrite"]).run().await;
    assert_eq!(error(&run.expect_status(3))["code"], "AccessDenied");
    let calls = archive.json("calls.json");
    assert_eq!(calls["this_run"][0]["error_code"], "AccessDenied");
}

#[tokio::test]
async fn existing_file_is_never_overwritten() {
    let org = Organization::on(Engine::Ministack).build().await;
    let archive = Archive::new();
    std::fs::write(archive.path(), "notes").expect("a file");
    let run = archive.command(&org, &["--yes"]).run().await;
    let failure = error(&run.expect_status(2));
    assert!(text(&failure["hint"]).contains("--overwrite"), "{failure}");
    let content = std::fs::read_to_string(archive.path()).expect("the file");
    assert_eq!(content, "notes");
    let run = archive.command(&org, &["--yes", "--overwrite"]).run().await;
    run.expect_status(0);
    assert!(archive.files().contains_key("summary.json"));
}

#[tokio::test]
async fn archive_is_written_only_after_a_yes() {
    let org = Organization::on(Engine::Ministack).build().await;
    let archive = Archive::new();
    let run = archive.command(&org, &[]).run().await.expect_status(2);
    assert_eq!(run.calls.len(), 0);
    let run = archive.command(&org, &["--dry-run"]).run().await;
    assert_eq!(json(&run.expect_status(0))["written"], false);
    assert!(!archive.path().exists());

    let path = archive.path().display().to_string();
    for (answer, status) in [("n", 1), ("y", 0)] {
        let run = heeler_ec(&org).args(["support", &path]);
        let run = run.on_terminal(100, &[("[y/N] ", answer)]).run().await;
        let run = run.expect_status(status);
        let question = run.stdout.find("Write these").expect("a question");
        for file in ["README.txt", "summary.json", "calls.json", "errors.json"] {
            let at = run.stdout.find(file).expect("the file in the list");
            assert!(at < question, "{}", run.stdout);
        }
        assert_eq!(archive.path().exists(), status == 0, "{}", run.stdout);
    }
}
