//! Rotation of the external ID and of the trusted roles: announced in the plan, and printed only at the end.

use crate::commands::heeler_ec;
use crate::commands::{json, names, outputs, plan, setup_again, setup_outputs, setup_with, text};
use crate::whole_output::{assert_stderr, assert_stdout};
use serde_json::{Value, json};
use snapbox::str;
use testkit::{Engine, Organization};

const OLD: &str = "the-id-of-last-year";
const NEW: &str = "the-id-of-this-year";

/// The changes of the role in a plan.
fn role_step(plan: &Value) -> Value {
    let steps = plan["steps"].as_array().expect("steps");
    let role = steps.iter().find(|step| step["kind"] == "iam role");
    role.expect("a role")["changes"].clone()
}

#[tokio::test]
async fn external_id_change_is_masked_on_terminal() {
    let org = Organization::on(Engine::Ministack).build().await;
    setup_with(&org, OLD).run().await.expect_status(0);
    let run = heeler_ec(&org)
        .args(["setup", "--option", "s3", "--external-id", NEW, "-v"])
        .on_terminal(100, &[("[y/N]", "yes")])
        .run()
        .await
        .expect_status(0);
    assert_eq!(names(&run.writes()), ["iam:UpdateAssumeRolePolicy"]);
    let shown = run.lines().join("\n");
    let place = |text: &str| {
        shown
            .find(text)
            .unwrap_or_else(|| panic!("{text}\n{shown}"))
    };
    let in_order = [
        "external_id: (masked) → (masked)",
        "The external ID changes:",
        "Update this resource in account",
        NEW,
        "The external ID has changed: paste the new one into Heeler now.",
    ];
    let places: Vec<usize> = in_order.iter().map(|text| place(text)).collect();
    assert!(places.is_sorted(), "{shown}");
    assert_eq!(shown.matches(NEW).count(), 1, "{shown}");
    assert!(!shown.contains(OLD), "{shown}");
}

#[tokio::test]
async fn json_plan_masks_external_ids_and_gives_reason() {
    let org = Organization::on(Engine::Ministack).build().await;
    setup_with(&org, OLD).run().await.expect_status(0);
    let run = plan(&org).args(["--external-id", NEW, "-o", "json", "-v"]);
    let run = run.run().await.expect_status(0);
    let reason = "Heeler cannot assume the role until it has the new external ID";
    assert_eq!(
        role_step(&json(&run)),
        json!([{
            "field": "external_id",
            "before": "(masked)",
            "after": "(masked)",
            "sensitive": true,
            "reason": reason,
        }])
    );
    let run = setup_with(&org, NEW)
        .args(["-o", "json", "-q"])
        .run()
        .await
        .expect_status(0);
    assert_eq!(
        setup_outputs(&run)["heeler_event_role_external_id"],
        "(masked)"
    );
    assert_stderr(
        &org,
        &run,
        str![[r"

The external ID changes: Heeler cannot assume the role until you give Heeler the new one. It is printed at the end.

The external ID has changed: paste the new one into Heeler now (`heeler-ec outputs` prints it). Until then Heeler cannot assume the role, and messages wait in the queue for at most two hours.

"]],
    );
    assert!(
        !run.stderr.contains(NEW) && !run.stderr.contains(OLD),
        "{}",
        run.stderr
    );
    assert_eq!(
        json(&outputs(&org).run().await.expect_status(0))["heeler_event_role_external_id"],
        NEW
    );
}

#[tokio::test]
async fn only_new_external_id_can_assume_role() {
    let org = Organization::on(Engine::Ministack).build().await;
    let created = setup_with(&org, OLD)
        .args(["-o", "json"])
        .run()
        .await
        .expect_status(0);
    let role = text(&setup_outputs(&created)["heeler_event_role_arn"]);
    org.assume_as_heeler(&role, OLD)
        .await
        .expect("Heeler can assume the role");
    setup_with(&org, NEW).run().await.expect_status(0);
    org.assume_as_heeler(&role, NEW)
        .await
        .expect("Heeler can assume the role");
    org.assume_as_heeler(&role, OLD)
        .await
        .expect_err("the old id still lets in");
}

#[tokio::test]
async fn unchanged_external_id_is_not_mentioned() {
    let org = Organization::on(Engine::Ministack).build().await;
    setup_with(&org, OLD).run().await.expect_status(0);
    let run = setup_with(&org, OLD).run().await.expect_status(0);
    assert!(!run.stderr.contains("external ID"), "{}", run.stderr);
}

#[tokio::test]
async fn existing_external_id_is_kept_and_reported() {
    let org = Organization::on(Engine::Ministack).build().await;
    setup_with(&org, OLD).run().await.expect_status(0);
    let run = setup_again(&org)
        .args(["--generate-external-id"])
        .run()
        .await
        .expect_status(0);
    assert_eq!(names(&run.writes()), Vec::<String>::new());
    assert_stderr(
        &org,
        &run,
        str![[r"
Preflight: 48 passed, 2 warnings, 9 skipped.
  ! account.endpoint: requests go to http://127.0.0.1:40000
  ! account.root: caller is arn:aws:iam::111122223333:root
Keeping the existing external ID (use --external-id to change it).
No changes. All 12 resources are as they were set up (option s3, us-east-1).

"]],
    );
    assert_stdout(
        &org,
        &run,
        str![[r"
heeler_event_queue_url         http://127.0.0.1:40000/111122223333/heeler_event_collection_queue
heeler_event_role_arn          arn:aws:iam::111122223333:role/heeler_event_collection_sqs_role
heeler_event_role_external_id  the-id-of-last-year

"]],
    );
}

#[tokio::test]
async fn changed_trusted_roles_are_shown_by_name() {
    let org = Organization::on(Engine::Ministack).build().await;
    setup_with(&org, OLD).run().await.expect_status(0);
    let other = "arn:aws:iam::999988887777:role/heeler-of-next-year";
    let given = ["--heeler-role-arn", other];
    let shown = heeler_ec(&org).args(["plan", "--option", "s3"]).args(given);
    let shown = shown.run().await.expect_status(0);
    assert_stdout(
        &org,
        &shown,
        str![[r#"
Option s3 in account 111122223333, region us-east-1:

Who gets access:
  iam role heeler_event_collection_sqs_role
    can be assumed by arn:aws:iam::999988887777:role/heeler-of-next-year
      with the external ID that it has now

 ~ update  iam role  heeler_event_collection_sqs_role
                     trust: change statement "HeelerAssumeRole":
                       - principal arn:aws:iam::999900001111:role/heeler-security
                       + principal arn:aws:iam::999988887777:role/heeler-of-next-year
                       principals that are no longer listed cannot assume the role

Plan: 1 to update, 11 unchanged.

"#]],
    );
    let run = setup_again(&org).args(given).run().await.expect_status(0);
    assert_eq!(names(&run.writes()), ["iam:UpdateAssumeRolePolicy"]);
}
