//! An account that requires a permissions boundary, an IAM path or tags.

use crate::commands::{
    counts, destroy, heeler_ec, json, names, organization_for, outputs, plan_of, setup_again_of,
    setup_of, text,
};
use aws_sdk_iam::types::Role;
use serde_json::Value;
use testkit::{Engine, Fault, FaultAction, Organization, Run};

const ROLE: &str = "heeler_event_collection_sqs_role";
const FUNCTION_ROLE: &str = "heeler_event_collection_lambda_role";
const NOTHING: [String; 0] = [];
/// The message of AWS for an account whose administrators must set a boundary.
const EXPLICIT_DENY: &str = "User: arn:aws:sts::111122223333:assumed-role/PlatformAdmin/ann is not authorized to \
    perform: iam:CreateRole on resource: arn:aws:iam::111122223333:role/heeler_event_collection_sqs_role with an \
    explicit deny in an identity-based policy";

async fn role(org: &Organization, name: &str) -> Role {
    let found = org.clients().iam.get_role().role_name(name).send().await;
    found.expect("a role").role.expect("a role")
}

/// Creates a managed policy and returns its ARN.
async fn boundary(org: &Organization, name: &str) -> String {
    let document = serde_json::json!({"Version": "2012-10-17", "Statement": [
        {"Effect": "Allow", "Action": "*", "Resource": "*"}
    ]});
    let created = org.clients().iam.create_policy().policy_name(name);
    let created = created.policy_document(document.to_string()).send().await;
    let policy = created.expect("a policy").policy;
    policy.and_then(|policy| policy.arn).expect("an ARN")
}

fn boundary_of(role: &Role) -> Option<&str> {
    role.permissions_boundary()?.permissions_boundary_arn()
}

/// The fields that a plan changes, by kind.
fn changed_fields(run: &Run) -> Vec<String> {
    let plan = json(run);
    let steps = plan["steps"].as_array().expect("steps");
    let changes = |step: &Value| step["changes"].as_array().cloned().unwrap_or_default();
    steps
        .iter()
        .flat_map(|step| {
            let kind = text(&step["kind"]);
            let fields = changes(step).into_iter();
            fields.map(move |change| format!("{kind}: {}", text(&change["field"])))
        })
        .collect()
}

#[tokio::test]
async fn explicit_deny_names_the_options_that_may_help() {
    let org = Organization::on(Engine::Ministack).build().await;
    let refusal = FaultAction::refuse(403, "AccessDenied", EXPLICIT_DENY);
    org.proxy().fault(Fault::new("iam", "CreateRole", refusal));
    let run = setup_of(&org, "s3").run().await.expect_status(3);
    assert!(
        run.stderr.contains("--permissions-boundary"),
        "{}",
        run.stderr
    );
    assert!(
        !run.stderr.contains("grant iam:CreateRole"),
        "{}",
        run.stderr
    );
}

#[tokio::test]
async fn boundary_and_path_apply_to_both_roles() {
    let org = organization_for("cloudwatch").await;
    let boundary = boundary(&org, "limits").await;
    let arguments = [
        "--permissions-boundary",
        &boundary,
        "--role-path",
        "/platform/security/",
    ];
    let run = setup_of(&org, "cloudwatch").args(arguments);
    run.run().await.expect_status(0);
    for name in [ROLE, FUNCTION_ROLE] {
        let role = role(&org, name).await;
        assert_eq!(boundary_of(&role), Some(&*boundary), "{name}");
        assert_eq!(role.path(), "/platform/security/", "{name}");
    }
    let printed = json(&outputs(&org).run().await.expect_status(0));
    let arn = text(&printed["heeler_event_role_arn"]);
    assert!(
        arn.ends_with(&format!(":role/platform/security/{ROLE}")),
        "{arn}"
    );
    // The path and the boundary need not be repeated, and a plan without --option finds the role.
    let again = setup_again_of(&org, "cloudwatch")
        .run()
        .await
        .expect_status(0);
    assert_eq!(names(&again.writes()), NOTHING);
    let drift = heeler_ec(&org).args(["plan", "--check"]).run().await;
    drift.expect_status(0);
    destroy(&org).run().await.expect_status(0);
    let left = org.leftovers().await;
    assert!(left.iter().all(|line| line.contains("limits")), "{left:?}");
}

#[tokio::test]
async fn grant_is_for_role_with_path() {
    let org = organization_for("s3").await;
    let run = setup_of(&org, "s3").args(["--role-path", "/platform/"]);
    run.run().await.expect_status(0);
    let again = plan_of(&org, "s3").args(["--check"]).run().await;
    again.expect_status(0);
    destroy(&org).run().await.expect_status(0);
    assert_eq!(org.leftovers().await, NOTHING);
}

#[tokio::test]
async fn another_path_is_refused_before_any_change() {
    let org = organization_for("s3").await;
    setup_of(&org, "s3").run().await.expect_status(0);
    for option in [&["--option", "s3"][..], &[]] {
        let run = heeler_ec(&org).args(["plan", "--role-path", "/platform/"]);
        let run = run.args(option).run().await.expect_status(1);
        assert!(
            run.stderr.contains("IAM cannot move a role"),
            "{}",
            run.stderr
        );
    }
    let run = setup_again_of(&org, "s3").args(["--role-path", "/platform/"]);
    let run = run.run().await.expect_status(1);
    assert_eq!(names(&run.writes()), NOTHING);
}

#[tokio::test]
async fn existing_boundary_changes_only_on_request() {
    let org = organization_for("s3").await;
    setup_of(&org, "s3").run().await.expect_status(0);
    let (first, second) = (
        boundary(&org, "first").await,
        boundary(&org, "second").await,
    );
    let put = org.clients().iam.put_role_permissions_boundary();
    let put = put.role_name(ROLE).permissions_boundary(&first);
    put.send().await.expect("a boundary");
    plan_of(&org, "s3")
        .args(["--check"])
        .run()
        .await
        .expect_status(0);
    let planned = plan_of(&org, "s3").args(["-o", "json", "--permissions-boundary", &second]);
    let planned = planned.run().await.expect_status(0);
    assert_eq!(changed_fields(&planned), ["iam role: permissions_boundary"]);
    let run = setup_again_of(&org, "s3").args(["--permissions-boundary", &second]);
    let run = run.run().await.expect_status(0);
    assert_eq!(names(&run.writes()), ["iam:PutRolePermissionsBoundary"]);
    assert_eq!(boundary_of(&role(&org, ROLE).await), Some(&*second));
}

#[tokio::test]
async fn rollback_removes_new_boundary() {
    let org = organization_for("s3").await;
    setup_of(&org, "s3").run().await.expect_status(0);
    let boundary = boundary(&org, "limits").await;
    let refusal = FaultAction::refuse(403, "AccessDenied", "not authorized");
    org.proxy().fault(Fault::new("sqs", "TagQueue", refusal));
    let arguments = [
        "--on-failure",
        "rollback",
        "--permissions-boundary",
        &boundary,
        "--tag",
        "team=security",
    ];
    let run = setup_again_of(&org, "s3").args(arguments);
    let run = run.run().await.expect_status(3);
    assert_eq!(boundary_of(&role(&org, ROLE).await), None, "{}", run.stderr);
    // AWS has no call that replaces a set of tags, so the message names those that stay.
    assert!(run.stderr.contains("extra_tags"), "{}", run.stderr);
}

/// Sets up with a tag, changes its value, and expects tags to stay without the argument.
async fn check_tags(option: &str, taggable: usize) {
    let org = organization_for(option).await;
    let tagged = |value: &str| ["--tag".to_owned(), format!("cost center={value}")];
    let run = setup_of(&org, option).args(tagged("a=1"));
    run.run().await.expect_status(0);
    let exported = async |expected: &str| {
        let run = heeler_ec(&org).args(["export", "terraform"]).run().await;
        let text = run.expect_status(0).stdout;
        let found = text
            .matches(&format!("\"cost center\" = \"{expected}\""))
            .count();
        assert_eq!(found, taggable, "{text}");
    };
    exported("a=1").await;
    let again = setup_again_of(&org, option).run().await.expect_status(0);
    assert_eq!(names(&again.writes()), NOTHING);
    let drift = heeler_ec(&org).args(["plan", "--check"]).run().await;
    drift.expect_status(0);
    exported("a=1").await;
    let planned = plan_of(&org, option).args(["-o", "json"]).args(tagged("b"));
    let planned = planned.run().await.expect_status(0);
    assert_eq!(
        counts(&planned)[1],
        u64::try_from(taggable).expect("a count")
    );
    let run = setup_again_of(&org, option).args(tagged("b"));
    let run = run.run().await.expect_status(0);
    let is_tagging = |name: &String| name.contains(":Tag");
    assert!(
        names(&run.writes()).iter().all(is_tagging),
        "{:?}",
        names(&run.writes())
    );
    exported("b").await;
    let again = setup_again_of(&org, option).args(tagged("b"));
    let again = again.run().await.expect_status(0);
    assert_eq!(names(&again.writes()), NOTHING);
    destroy(&org).run().await.expect_status(0);
    assert_eq!(org.leftovers().await, NOTHING);
}

#[tokio::test]
async fn tags_are_on_every_resource_of_option_s3() {
    // The key, the topic, two queues, the role and its policy.
    check_tags("s3", 6).await;
}

#[tokio::test]
async fn tags_are_on_every_resource_of_option_cloudwatch() {
    // The key, two queues, the function, two roles and their policies.
    check_tags("cloudwatch", 8).await;
}

#[tokio::test]
async fn reserved_tags_are_refused_before_any_call() {
    let org = Organization::on(Engine::Ministack).build().await;
    for tags in [
        &["--tag", "aws:team=x"][..],
        &["--tag", "heeler-ec:option=x"],
        &["--tag", "team"],
        &["--tag", "team=a", "--tag", "Team=b"],
        &["--role-path", "platform"],
        &["--permissions-boundary", "limits"],
    ] {
        for command in ["setup", "plan"] {
            let run = heeler_ec(&org).args([command, "--option", "s3"]).args(tags);
            let run = run.run().await.expect_status(2);
            assert_eq!(run.calls.len(), 0, "{command} {tags:?}");
        }
    }
}
