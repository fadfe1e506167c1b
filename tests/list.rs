//! The deployments of the account, and the hint at a deployment under another name prefix.

use serde_json::json;
use testkit::{Engine, Fault, FaultAction, Organization};

use crate::commands::{destroy, error, heeler_ec, json, outputs, setup, setup_of};

#[tokio::test]
async fn list_shows_all_deployments_and_changes_nothing() {
    let org = Organization::on(Engine::Ministack)
        .log_group()
        .build()
        .await;
    let list = || heeler_ec(&org).args(["list"]);
    let empty = list().run().await.expect_status(0);
    assert!(empty.stdout.starts_with("No deployment found in account "));

    setup(&org).run().await.expect_status(0);
    let next = setup_of(&org, "cloudwatch").args(["--name-prefix", "heeler_next"]);
    next.run().await.expect_status(0);
    // A role with a similar name that is not managed.
    let role = org.clients().iam.create_role();
    let role = role.role_name("foreign_event_collection_sqs_role");
    let role = role.assume_role_policy_document(r#"{"Version":"2012-10-17","Statement":[]}"#);
    role.send().await.expect("a role");

    let run = list().run().await.expect_status(0);
    let lines: Vec<Vec<&str>> = run
        .stdout
        .lines()
        .map(|line| line.split_whitespace().collect())
        .collect();
    let region = org.region();
    assert_eq!(
        lines,
        [
            vec!["PREFIX", "OPTION", "REGION"],
            vec!["heeler", "s3", region],
            vec!["heeler_next", "cloudwatch", region],
        ]
    );
    assert!(run.writes().is_empty());
    let document = json(&list().args(["-o", "json"]).run().await.expect_status(0));
    assert_eq!(document["account"], org.account());
    assert_eq!(document["deployments"][1]["name_prefix"], "heeler_next");
    assert_eq!(document["deployments"].as_array().map(Vec::len), Some(2));
}

#[tokio::test]
async fn error_names_the_deployment_under_another_prefix() {
    let org = Organization::on(Engine::Ministack).build().await;
    let setup = setup(&org).args(["--name-prefix", "heeler_next"]);
    setup.run().await.expect_status(0);
    for run in [outputs(&org), destroy(&org).args(["-o", "json"])] {
        let run = run.run().await.expect_status(1);
        let hint = error(&run)["hint"].as_str().unwrap_or_default().to_owned();
        assert!(hint.contains("add --name-prefix heeler_next"), "{hint}");
        assert!(run.writes().is_empty());
    }
    // Without the permission to list roles, the error has its usual hint.
    let refused = FaultAction::refuse(403, "AccessDenied", "not authorized");
    org.proxy().fault(Fault::new("iam", "ListRoles", refused));
    let run = outputs(&org).run().await.expect_status(1);
    let hint = error(&run)["hint"].clone();
    assert_ne!(hint, json!(null));
    assert!(!hint.to_string().contains("heeler_next"), "{hint}");
}
