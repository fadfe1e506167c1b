//! Verify: a canary that is seen at every hop, one that is not seen yet, and what the command leaves and never does.

use std::time::Duration;

use serde_json::Value;
use testkit::{CloudTrailDelays, Engine, Fault, FaultAction, HeelerEc, Organization, Run};

use crate::commands::{
    document, error, heeler_ec, json, names, setup, setup_again_of, setup_of, text,
};

const NOBODY: [String; 0] = [];
const QUEUE: &str = "heeler_event_collection_queue";

pub fn verify(org: &Organization) -> HeelerEc<'_> {
    heeler_ec(org).args(["verify", "-o", "json"])
}

/// An organization with a deployment of option s3.
pub async fn deployed() -> Organization {
    let org = Organization::on(Engine::Ministack)
        .bucket_key()
        .region("eu-west-1")
        .build()
        .await;
    setup(&org).run().await.expect_status(0);
    org
}

/// The hops with this status, each as `id region`.
pub fn hops(report: &Value, status: &str) -> Vec<String> {
    let hops = report["hops"].as_array().expect("a list of hops");
    let matching = hops.iter().filter(|hop| hop["status"] == status);
    let named = matching.map(|hop| format!("{} {}", text(&hop["id"]), text(&hop["region"])));
    named.map(|name| name.trim_end().to_owned()).collect()
}

/// Asserts that the run received nothing from Heeler's queue, and wrote only to its temporary queue.
#[track_caller]
fn assert_only_temporary_queue(run: &Run) {
    for call in run.writes() {
        let name = call.name();
        // The request names only the subscription. The leftovers show that it was that of the temporary queue.
        let is_temporary = call.text().contains("heeler_ec_tail_") || name == "sns:Unsubscribe";
        assert!(is_temporary, "{name}: {}", call.text());
    }
    let receives = run
        .calls
        .iter()
        .filter(|call| call.operation == "ReceiveMessage");
    for call in receives {
        assert!(!call.text().contains(QUEUE), "{}", call.text());
    }
}

/// Asserts that standard error contains the words. The ID of a canary and the times differ in each run.
#[track_caller]
fn assert_printed(run: &Run, words: &str) {
    assert!(
        run.stderr.contains(words),
        "{words:?} is not in\n{}",
        run.stderr
    );
}

#[tokio::test]
async fn canary_is_seen_at_every_hop() {
    let org = deployed().await;
    let trail = org.play_cloudtrail(CloudTrailDelays::NONE);
    let before = org.leftovers().await;
    let run = verify(&org).run().await.expect_status(0);
    let report = json(&run);
    assert_eq!(
        hops(&report, "seen"),
        [
            "event_history eu-west-1",
            "log_file eu-west-1",
            "notification eu-west-1",
            "event_history us-east-1",
            "log_file us-east-1",
            "notification us-east-1",
            "queue",
        ],
        "{report:#}"
    );
    assert_eq!(report["seen"], true);
    assert_eq!(report["resume"], Value::Null);
    assert_eq!(report["canary"]["call"], "sts:GetCallerIdentity");
    let calls = report["canary"]["calls"].as_array().expect("calls");
    assert_eq!(calls.len(), 2);
    assert!(
        calls.iter().all(|call| call["request_id"].is_string()),
        "{calls:?}"
    );
    assert!(
        report["delivery_delay"]["samples"].as_u64() > Some(0),
        "{report:#}"
    );
    assert_only_temporary_queue(&run);
    assert_eq!(org.leftovers().await, before);
    assert_eq!(trail.throttled(), 0);
}

/// An organization with a deployment of option cloudwatch.
pub async fn deployed_with_log_group() -> Organization {
    let org = Organization::on(Engine::Ministack)
        .log_group()
        .build()
        .await;
    setup_of(&org, "cloudwatch").run().await.expect_status(0);
    org
}

#[tokio::test]
async fn tag_canary_is_seen_at_the_function() {
    let org = deployed_with_log_group().await;
    org.play_cloudtrail(CloudTrailDelays::NONE);
    let run = verify(&org).run().await.expect_status(0);
    let report = json(&run);
    assert_eq!(
        hops(&report, "seen"),
        [
            "event_history us-east-1",
            "log_group us-east-1",
            "function us-east-1",
            "queue",
        ],
        "{report:#}"
    );
    assert_eq!(report["canary"]["call"], "sqs:TagQueue");
    let function = report["hops"].as_array().expect("hops").iter();
    let function = function.filter(|hop| hop["id"] == "function");
    let observed: Vec<String> = function.map(|hop| text(&hop["observed"])).collect();
    assert!(
        observed[0].starts_with("sent as SQS message "),
        "{observed:?}"
    );
    // The announced tag is the only change.
    assert_eq!(names(&run.writes()), ["sqs:TagQueue"]);
    assert_printed(
        &run,
        "sqs:TagQueue sets the tag heeler-ec:verified of queue",
    );
    let plan = heeler_ec(&org).args(["plan", "--check"]);
    plan.run().await.expect_status(0);
    let run = setup_again_of(&org, "cloudwatch").run().await;
    assert_eq!(names(&run.expect_status(0).writes()), NOBODY);
}

#[tokio::test]
async fn unseen_tag_canary_is_found_by_resume() {
    let org = deployed_with_log_group().await;
    let trail = org.play_cloudtrail(CloudTrailDelays {
        history: Some(Duration::ZERO),
        ..CloudTrailDelays::NEVER
    });
    let run = verify(&org)
        .args(["--timeout", "1s"])
        .run()
        .await
        .expect_status(5);
    let id = text(&json(&run)["canary"]["id"]);
    trail.deliver_late(&id).await;
    let run = verify(&org)
        .args(["--resume", &id])
        .run()
        .await
        .expect_status(0);
    let report = json(&run);
    assert_eq!(hops(&report, "not_observable"), ["queue"]);
    assert_eq!(hops(&report, "seen").len(), 3, "{report:#}");
    assert_eq!(names(&run.writes()), NOBODY);
}

#[tokio::test]
async fn tag_canary_has_one_region() {
    let org = deployed_with_log_group().await;
    let run = verify(&org)
        .args(["--all-regions"])
        .run()
        .await
        .expect_status(2);
    assert!(
        text(&error(&run)["cause"]).contains("--all-regions"),
        "{}",
        run.stdout
    );
    assert_eq!(names(&run.writes()), NOBODY);
}

#[tokio::test]
async fn unseen_canary_is_found_by_resume() {
    let org = deployed().await;
    let trail = org.play_cloudtrail(CloudTrailDelays {
        history: Some(Duration::ZERO),
        ..CloudTrailDelays::NEVER
    });
    let before = org.leftovers().await;
    let run = verify(&org)
        .args(["--timeout", "1s"])
        .run()
        .await
        .expect_status(5);
    let report = json(&run);
    assert_eq!(report["seen"], false);
    assert!(hops(&report, "not_seen").contains(&"log_file eu-west-1".to_owned()));
    let id = text(&report["canary"]["id"]);
    let command = text(&report["resume"]);
    assert!(
        command.contains(&format!("verify --resume {id}")),
        "{command}"
    );
    assert_printed(&run, &format!("heeler-ec verify --resume {id}"));
    assert_eq!(org.leftovers().await, before);

    trail.deliver_late(&id).await;
    let run = verify(&org)
        .args(["--resume", &id])
        .run()
        .await
        .expect_status(0);
    let report = json(&run);
    assert_eq!(
        hops(&report, "not_observable"),
        ["notification eu-west-1", "notification us-east-1", "queue"]
    );
    assert_eq!(hops(&report, "not_seen"), NOBODY);
    assert_eq!(report["canary"]["id"], *id);
    assert_eq!(names(&run.writes()), NOBODY);
}

#[tokio::test]
async fn interrupted_verify_deletes_its_queue() {
    let org = deployed().await;
    org.play_cloudtrail(CloudTrailDelays::NEVER);
    let before = org.leftovers().await;
    let running = verify(&org).spawn().await;
    running.wait_for_stderr("Sending canary").await;
    running.interrupt();
    let run = running.wait().await.expect_status(130);
    assert_eq!(error(&run)["exit_code"], 130);
    assert!(document(&run)["result"].is_object(), "{}", run.stdout);
    assert_printed(&run, "deleting the temporary queue");
    assert_only_temporary_queue(&run);
    assert_eq!(org.leftovers().await, before);
}

#[tokio::test]
async fn verify_without_canary_measures_the_delay() {
    let org = deployed().await;
    let run = verify(&org)
        .args(["--no-canary"])
        .run()
        .await
        .expect_status(0);
    let report = json(&run);
    assert_eq!(report["canary"], Value::Null);
    assert_eq!(report["seen"], Value::Null);
    assert!(
        report["delivery_delay"]["max_seconds"].is_number(),
        "{report:#}"
    );
    assert_eq!(names(&run.writes()), NOBODY);
}

#[tokio::test]
async fn terminal_shows_the_delay_once() {
    let org = deployed().await;
    org.play_cloudtrail(CloudTrailDelays::NONE);
    for args in [&["verify"][..], &["verify", "--no-canary"]] {
        let run = heeler_ec(&org).args(args).on_terminal(120, &[]);
        let run = run.run().await.expect_status(0);
        let count = run.stdout.matches("Newest deliveries").count();
        assert_eq!(count, 1, "{args:?}: {}", run.stdout);
    }
}

#[tokio::test]
async fn evidence_names_caller_hops_and_request_ids() {
    let org = deployed().await;
    org.play_cloudtrail(CloudTrailDelays::NONE);
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("evidence.md");
    let name = path.display().to_string();
    let run = verify(&org)
        .args(["--evidence", &name])
        .run()
        .await
        .expect_status(0);
    let read = |extension| {
        let file = path.with_extension(extension);
        std::fs::read_to_string(file).expect("a report")
    };
    let (markdown, evidence) = (read("md"), read("json"));
    assert_eq!(
        testkit::json_schema::text_violations("evidence", &evidence),
        NOBODY
    );
    let evidence: Value = serde_json::from_str(&evidence).expect("JSON");
    assert_eq!(evidence["verification"], json(&run));
    let request_id = text(&evidence["verification"]["canary"]["calls"][0]["request_id"]);
    for part in [
        org.account(),
        &text(&evidence["caller"]),
        &request_id,
        "| event_history | eu-west-1 | seen |",
        env!("CARGO_PKG_VERSION"),
    ] {
        assert!(
            !part.is_empty() && markdown.contains(part),
            "{part}: {markdown}"
        );
    }
    let again = verify(&org)
        .args(["--evidence", &name])
        .run()
        .await
        .expect_status(2);
    assert_eq!(again.calls.len(), 0);
}

#[tokio::test]
async fn every_enabled_region_gets_a_canary() {
    let org = deployed().await;
    org.play_cloudtrail(CloudTrailDelays::NONE);
    let run = verify(&org)
        .args(["--all-regions"])
        .run()
        .await
        .expect_status(0);
    let report = json(&run);
    let calls = report["canary"]["calls"].as_array().expect("calls").len();
    assert!(calls > 2, "{report:#}");
    assert_eq!(hops(&report, "seen").len(), 3 * calls + 1);
}

#[tokio::test]
async fn verify_without_deployment_sends_nothing() {
    let org = Organization::on(Engine::Ministack).build().await;
    let run = verify(&org).run().await.expect_status(1);
    assert_eq!(error(&run)["exit_code"], 1);
    assert_eq!(names(&run.writes()), NOBODY);
}

#[tokio::test]
async fn invalid_canary_ids_are_usage_errors() {
    let org = Organization::on(Engine::Ministack).build().await;
    for id in ["x", "99991231T235959-0123abcd"] {
        let run = verify(&org)
            .args(["--resume", id])
            .run()
            .await
            .expect_status(2);
        assert_eq!(run.calls.len(), 0, "{id}");
    }
}

#[tokio::test]
async fn denied_history_deletes_the_queue() {
    let org = deployed().await;
    org.play_cloudtrail(CloudTrailDelays::NONE);
    let before = org.leftovers().await;
    let refusal = FaultAction::refuse(400, "AccessDeniedException", "is not authorized");
    org.proxy()
        .fault(Fault::new("cloudtrail", "LookupEvents", refusal));
    let run = verify(&org).run().await.expect_status(3);
    assert_eq!(error(&run)["code"], "AccessDeniedException");
    assert_eq!(org.leftovers().await, before);
}
