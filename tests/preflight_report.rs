//! The report of preflight as text, and the explanation of a check.

use snapbox::str;
use testkit::{Engine, Fault, FaultAction, Organization};

use crate::commands::{heeler_ec, json, preflight, preflight_of, setup};
use crate::whole_output::{assert_stderr, assert_stdout};

#[tokio::test]
async fn report_shows_problems_in_full_and_last() {
    let org = Organization::on(Engine::Ministack)
        .logging_stopped()
        .build()
        .await;
    let run = preflight(&org).run().await.expect_status(1);
    let text = &run.stdout;
    let position = |part: &str| text.find(part).unwrap_or_else(|| panic!("{part}:\n{text}"));
    let group = position("x trail    1 failed (trail.logging), ");
    let warning = position("\n! account.endpoint: requests go to http://");
    let failure = position("\nx trail.logging: trail org-trail is stopped");
    let recap = position("\nOption s3 is not ready: 1 failed, 2 warnings, ");
    assert!(
        group < warning && warning < failure && failure < recap,
        "{text}"
    );
    for part in [
        "    console:  CloudTrail > Trails > org-trail > Start logging\n    command:  aws cloudtrail start-logging ",
        "    accept:   --accept trail.logging\n    help:     heeler-ec explain trail.logging\n",
        "\n  failed:   trail.logging\n  warnings: account.root, account.endpoint\n",
        "`heeler-ec preflight --fix` offers to start the trail.",
    ] {
        position(part);
    }
    assert!(!text.contains("trail.found"), "{text}");

    let short = preflight(&org).args(["-o", "short"]);
    let short = short.run().await.expect_status(1).stdout;
    assert!(text.ends_with(&short), "{short}");
    assert!(short.starts_with("! account.root"), "{short}");

    let full = preflight(&org).args(["--detail"]);
    let full = full.run().await.expect_status(1).stdout;
    assert!(
        full.contains("+ trail.found: one trail is selected (org-trail"),
        "{full}"
    );
    assert!(
        full.contains("x trail.logging: trail org-trail is stopped"),
        "{full}"
    );
}

#[tokio::test]
async fn deployed_option_is_shown_as_deployed() {
    let org = Organization::on(Engine::Ministack)
        .log_group()
        .build()
        .await;
    setup(&org).run().await.expect_status(0);
    let run = heeler_ec(&org).args(["preflight"]);
    let text = run.run().await.expect_status(0).stdout;
    assert!(
        text.contains("Option s3 is deployed, and its prerequisites are met: "),
        "{text}"
    );
    assert!(text.ends_with("Next: heeler-ec status\n"), "{text}");
    let other = "Option cloudwatch needs another --name-prefix, because option s3 uses this one";
    assert!(
        text.contains(other) && !text.contains("not ready"),
        "{text}"
    );

    let report = heeler_ec(&org).args(["preflight", "-o", "json"]);
    let report = json(&report.run().await.expect_status(0));
    assert_eq!(report["options"][0]["deployed"], true);
    assert_eq!(report["options"][1]["deployed"], false);

    let run = heeler_ec(&org).args(["preflight", "--option", "cloudwatch"]);
    let text = run.run().await.expect_status(1).stdout;
    assert!(text.contains(&format!("{other}: 3 failed, ")), "{text}");
    assert!(
        text.ends_with("Next: heeler-ec preflight --option cloudwatch --name-prefix heeler_next\n"),
        "{text}"
    );

    // A true failure of the deployed option does not hide that it is deployed.
    let stop = org.clients().cloudtrail.stop_logging().name("org-trail");
    stop.send().await.expect("a stopped trail");
    let run = heeler_ec(&org).args(["preflight"]);
    let text = run.run().await.expect_status(1).stdout;
    assert!(
        text.contains("Option s3 is deployed, but a prerequisite is not met: 1 failed, "),
        "{text}"
    );
    assert!(text.ends_with("Then run preflight again.\n"), "{text}");
}

#[tokio::test]
async fn missing_permissions_are_one_block() {
    let org = Organization::on(Engine::Ministack).build().await;
    for (service, operation) in [
        ("cloudtrail", "GetTrailStatus"),
        ("s3", "GetBucketPolicy"),
        ("s3", "GetBucketLifecycleConfiguration"),
    ] {
        let denied = FaultAction::refuse(403, "AccessDenied", "not authorized");
        org.proxy().fault(Fault::new(service, operation, denied));
    }
    let run = preflight(&org).run().await.expect_status(1);
    let text = &run.stdout;
    for part in [
        "5 checks could not run, because the caller lacks permissions:\n",
        "\n    cloudtrail:GetTrailStatus ",
        " trail.logging, trail.delivery\n",
        "\n    s3:GetBucketPolicy ",
        "    command:  heeler-ec policy preflight\n",
    ] {
        assert_eq!(text.matches(part).count(), 1, "{part}:\n{text}");
    }
}

#[tokio::test]
async fn destructive_command_has_a_warning() {
    let org = Organization::on(Engine::Ministack)
        .log_group()
        .build()
        .await;
    let group = org.log_group().expect("a log group").to_owned();
    let keep = org.clients().logs.put_retention_policy();
    let keep = keep.log_group_name(&group).retention_in_days(30);
    keep.send().await.expect("a month");
    let run = preflight_of(&org, "cloudwatch").run().await;
    let text = run.expect_status(1).stdout;
    let warning = "    warning:  this command deletes all events older than one day\n    command:  aws logs put-retention-policy ";
    assert!(text.contains(warning), "{text}");
    assert_eq!(text.matches("warning:").count(), 1, "{text}");
}

#[tokio::test]
async fn explain_prints_the_section_of_a_check() {
    let org = Organization::on(Engine::Ministack).build().await;
    let run = heeler_ec(&org).args(["explain", "trail.logging"]);
    let run = run.run().await.expect_status(0);
    assert_stdout(
        &org,
        &run,
        str![[r"
trail.logging

The trail is logging.

- Fails: the trail is stopped and records nothing. The check shows since when. Console: CloudTrail >
  Trails > TRAIL > Start logging. `aws cloudtrail start-logging --region REGION --name TRAIL`.
  `preflight --fix` offers to start it, except for trails of Control Tower or of a single account.

Requirement: required. Setup stops while this check fails or is unknown, unless you accept it with
`--accept trail.logging`.

Permissions: `cloudtrail:GetTrailStatus`; `cloudtrail:StartLogging` for `--fix`.

"]],
    );
    assert!(run.calls.is_empty());

    let run = heeler_ec(&org).args(["explain", "traillogging"]);
    let run = run.run().await.expect_status(2);
    assert_stderr(
        &org,
        &run,
        str![[r"
error: invalid value 'traillogging' for '<CHECK>'

  tip: a similar check exists: 'trail.logging'

For more information, try '--help'.

"]],
    );
    let run = preflight(&org).args(["--accept", "bucket.owner"]);
    let run = run.run().await.expect_status(2);
    assert_stderr(
        &org,
        &run,
        str![[r"
error: invalid value 'bucket.owner' for '--accept <CHECK>'

  tip: check bucket.owner cannot be accepted

For more information, try '--help'.

"]],
    );
}
