//! Checks of the policies of an existing role and queue, in preflight, after adoption and in status.

use aws_sdk_sqs::types::QueueAttributeName;
use serde_json::{Value, json};
use testkit::{Engine, Organization};

use crate::commands::{heeler_ec, json, names, setup, setup_again_of, text};
use crate::preflight::check as preflight_check;

const NOBODY: [String; 0] = [];
const ROLE: &str = "heeler_event_collection_sqs_role";

/// Gives everything to the role in an inline policy.
async fn put_administrator_policy(org: &Organization) {
    let policy = json!({
        "Version": "2012-10-17",
        "Statement": [{ "Sid": "Everything", "Effect": "Allow", "Action": "*", "Resource": "*" }]
    });
    let put = org.clients().iam.put_role_policy().role_name(ROLE);
    let put = put.policy_name("admin").policy_document(policy.to_string());
    put.send().await.expect("an inline policy");
}

/// Creates a role of another tool with the name of the role that Heeler assumes.
async fn create_unmanaged_role(org: &Organization) {
    let trust = json!({
        "Version": "2012-10-17",
        "Statement": [{
            "Effect": "Allow",
            "Principal": { "AWS": format!("arn:aws:iam::{}:root", org.heeler_account()) },
            "Action": "sts:AssumeRole"
        }]
    });
    let create = org.clients().iam.create_role().role_name(ROLE);
    let create = create.assume_role_policy_document(trust.to_string());
    create.send().await.expect("a role");
    put_administrator_policy(org).await;
}

fn warnings(status: &Value) -> Vec<String> {
    let warnings = status["warnings"].as_array().expect("warnings");
    warnings
        .iter()
        .map(|warning| text(&warning["id"]))
        .collect()
}

#[tokio::test]
async fn existing_role_is_linted_before_adoption() {
    let org = Organization::on(Engine::Ministack).build().await;
    create_unmanaged_role(&org).await;
    let run = heeler_ec(&org).args(["preflight", "--option", "s3", "-o", "json"]);
    let run = run.run().await.expect_status(1);
    assert_eq!(names(&run.writes()), NOBODY);
    let report = json(&run);
    for (id, status, observed) in [
        ("lint.root_trust", "warn", ":root"),
        ("lint.external_id", "warn", "statement 1"),
        ("lint.wildcard_action", "warn", "statement Everything: *"),
        ("lint.wildcard_resource", "warn", "statement Everything: *"),
        ("lint.wildcard_principal", "pass", ""),
    ] {
        let check = preflight_check(&report, id);
        assert_eq!(check["status"], status, "{check:#}");
        let found = check["observed"].as_str().unwrap_or_default();
        assert!(found.contains(observed), "{check:#}");
    }
    // Setup replaces the trust policy, and keeps the other policy of an adopted role.
    let adopt = setup_again_of(&org, "s3").args(["--adopt", "--generate-external-id"]);
    let adopt = adopt.args(["--heeler-role-arn", &org.heeler_role_arn()]);
    adopt.run().await.expect_status(0);
    let run = heeler_ec(&org).args(["status", "-o", "json"]);
    let status = json(&run.run().await.expect_status(0));
    assert_eq!(
        warnings(&status),
        ["lint.wildcard_action", "lint.wildcard_resource"]
    );
}

#[tokio::test]
async fn status_lists_weaknesses_and_stays_healthy() {
    let org = Organization::on(Engine::Ministack).build().await;
    setup(&org).run().await.expect_status(0);
    let status = || heeler_ec(&org).args(["status", "-o", "json"]);
    let run = status().run().await.expect_status(0);
    assert_eq!(json(&run)["warnings"], json!([]));
    let url = org.clients().sqs.get_queue_url();
    let url = url.queue_name("heeler_event_collection_queue").send().await;
    let url = url.expect("a queue").queue_url.expect("its URL");
    let read = org.clients().sqs.get_queue_attributes().queue_url(&url);
    let read = read.attribute_names(QueueAttributeName::Policy);
    let attributes = read.send().await.expect("attributes").attributes;
    let policy = attributes.and_then(|mut all| all.remove(&QueueAttributeName::Policy));
    let mut policy: Value = serde_json::from_str(&policy.expect("a policy")).expect("JSON");
    let everyone = json!({
        "Sid": "Everyone", "Effect": "Allow", "Principal": "*", "Action": "sqs:SendMessage",
        "Resource": format!("arn:aws:sqs:{}:{}:heeler_event_collection_queue", org.region(), org.account())
    });
    let statements = policy["Statement"].as_array_mut().expect("statements");
    statements.push(everyone);
    let write = org.clients().sqs.set_queue_attributes().queue_url(&url);
    let write = write.attributes(QueueAttributeName::Policy, policy.to_string());
    write.send().await.expect("another policy");
    let run = status().run().await.expect_status(0);
    let report = json(&run);
    assert_eq!(report["healthy"], true);
    assert_eq!(warnings(&report), ["lint.wildcard_principal"]);
    assert!(text(&report["warnings"][0]["observed"]).contains("statement Everyone: *"));
    let run = heeler_ec(&org)
        .args(["status"])
        .run()
        .await
        .expect_status(0);
    assert!(
        run.stdout.contains("! lint.wildcard_principal"),
        "{}",
        run.stdout
    );
    assert!(
        run.stdout
            .contains("heeler-ec explain lint.wildcard_principal"),
        "{}",
        run.stdout
    );
    let run = heeler_ec(&org).args(["preflight", "--option", "s3", "-o", "json"]);
    let report = json(&run.run().await.expect_status(0));
    assert_eq!(
        preflight_check(&report, "lint.wildcard_principal")["status"],
        "warn"
    );
    assert_eq!(
        preflight_check(&report, "lint.root_trust")["status"],
        "pass"
    );
}
