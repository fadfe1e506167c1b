//! Command lines of the program, and readers of their results.

use serde_json::Value;

use testkit::{Call, Engine, HeelerEc, Organization, Run};

/// Defines a module with one test per emulator.
macro_rules! on_both_engines {
    ($(async fn $test:ident($engine:ident: Engine) $body:block)+) => {$(
        mod $test {
            use super::*;

            async fn test($engine: Engine) $body

            #[tokio::test]
            async fn on_ministack() {
                test(Engine::Ministack).await;
            }

            #[tokio::test]
            async fn on_moto() {
                test(Engine::Moto).await;
            }
        }
    )+};
}
pub(crate) use on_both_engines;

/// Runs up to three futures at a time.
pub async fn run_concurrently<F: Future<Output = ()>>(runs: impl IntoIterator<Item = F>) {
    use futures_util::StreamExt;
    futures_util::stream::iter(runs)
        .buffer_unordered(3)
        .collect::<()>()
        .await;
}

/// The name of the variant of option s3 for other vendors.
pub const DIRECT: &str = "s3-direct";

/// The arguments that select an option. Those of the variant for other vendors also name the objects of the trail, which
/// overlap with no notification of others, and a key of the queue.
pub fn arguments_of(org: &Organization, option: &str) -> Vec<String> {
    let arguments = if option == DIRECT {
        format!(
            "--option s3 --direct --vendor generic --bucket {} --object-prefix AWSLogs/ --queue-key",
            org.bucket()
        )
    } else {
        format!("--option {option}")
    };
    arguments.split(' ').map(str::to_owned).collect()
}

/// `preflight` of option s3.
pub fn preflight(org: &Organization) -> HeelerEc<'_> {
    preflight_of(org, "s3")
}

/// `preflight` of an option.
pub fn preflight_of<'a>(org: &'a Organization, option: &str) -> HeelerEc<'a> {
    heeler_ec(org)
        .args(["preflight"])
        .args(arguments_of(org, option))
}

/// `plan` of option s3, with the vendor's role.
pub fn plan(org: &Organization) -> HeelerEc<'_> {
    plan_of(org, "s3")
}

/// `plan` of an option, with the vendor's role.
pub fn plan_of<'a>(org: &'a Organization, option: &str) -> HeelerEc<'a> {
    let role = org.heeler_role_arn();
    let run = heeler_ec(org)
        .args(["plan"])
        .args(arguments_of(org, option));
    run.args(["--heeler-role-arn", &role])
}

/// A first `setup` of option s3, with a generated external ID.
pub fn setup(org: &Organization) -> HeelerEc<'_> {
    setup_of(org, "s3")
}

/// An organization with notifications of others, and with the prerequisites of the option.
pub async fn organization_for(option: &str) -> Organization {
    let org = Organization::on(Engine::Ministack)
        .bucket_key()
        .other_notifications();
    let org = if option == "cloudwatch" {
        org.log_group()
    } else {
        org
    };
    org.build().await
}

/// A first `setup` of an option, with a generated external ID.
pub fn setup_of<'a>(org: &'a Organization, option: &str) -> HeelerEc<'a> {
    let role = org.heeler_role_arn();
    setup_again_of(org, option).args(["--generate-external-id", "--heeler-role-arn", &role])
}

/// `setup` of option s3 without arguments about trust, as for an existing deployment.
pub fn setup_again(org: &Organization) -> HeelerEc<'_> {
    setup_again_of(org, "s3")
}

/// `setup` of an option without arguments about trust, as for an existing deployment.
pub fn setup_again_of<'a>(org: &'a Organization, option: &str) -> HeelerEc<'a> {
    let run = heeler_ec(org)
        .args(["setup"])
        .args(arguments_of(org, option));
    run.args(["--yes"])
}

/// `setup` of option s3 with this external ID.
pub fn setup_with<'a>(org: &'a Organization, external_id: &str) -> HeelerEc<'a> {
    setup_of_with(org, "s3", external_id)
}

/// `setup` of an option with this external ID.
pub fn setup_of_with<'a>(org: &'a Organization, option: &str, external_id: &str) -> HeelerEc<'a> {
    let role = org.heeler_role_arn();
    setup_again_of(org, option).args(["--external-id", external_id, "--heeler-role-arn", &role])
}

/// `outputs` as JSON.
pub fn outputs(org: &Organization) -> HeelerEc<'_> {
    heeler_ec(org).args(["outputs", "-o", "json"])
}

/// `destroy` without a prompt.
pub fn destroy(org: &Organization) -> HeelerEc<'_> {
    heeler_ec(org).args(["destroy", "--yes"])
}

/// Parses standard output as JSON and returns the result, without its envelope. Fails if the run had an error.
#[track_caller]
pub fn json(run: &Run) -> Value {
    let mut document = document(run);
    // A plan with unreadable resources has both a result and an error.
    let has_result = document
        .get("result")
        .is_some_and(|result| !result.is_null());
    assert!(has_result || document["error"].is_null(), "{document:#}");
    match document.get_mut("result") {
        Some(result) => result.take(),
        None => document,
    }
}

/// Returns the values for Heeler in the result of a setup. The external ID is masked.
#[track_caller]
pub fn setup_outputs(run: &Run) -> Value {
    let outputs = json(run)["outputs"].take();
    assert_eq!(outputs["heeler_event_role_external_id"], "(masked)");
    outputs
}

/// Parses standard output as JSON and returns the error of the run. Fails if there was none.
#[track_caller]
pub fn error(run: &Run) -> Value {
    let error = document(run)["error"].take();
    assert!(error.is_object(), "{}", run.stdout);
    error
}

/// Parses standard output as one JSON document.
#[track_caller]
pub fn document(run: &Run) -> Value {
    serde_json::from_str(&run.stdout)
        .unwrap_or_else(|error| panic!("{error}\n{}\n{}", run.stdout, run.stderr))
}

/// The numbers of steps of a plan that create, update, keep and conflict.
#[track_caller]
pub fn counts(run: &Run) -> [u64; 4] {
    let plan = json(run);
    ["create", "update", "keep", "conflict"]
        .map(|action| plan["counts"][action].as_u64().expect("a count"))
}

/// The IDs of the checks with this status.
pub fn checks(report: &Value, status: &str) -> Vec<String> {
    let checks = report["checks"].as_array().expect("a list of checks");
    let matching = checks.iter().filter(|check| check["status"] == status);
    matching.map(|check| text(&check["id"])).collect()
}

/// The text of a JSON string.
pub fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

/// The names of the calls, in order.
pub fn names(calls: &[&Call]) -> Vec<String> {
    calls.iter().map(|call| call.name()).collect()
}

/// The number of managed KMS keys without a scheduled deletion.
pub async fn keys(org: &Organization) -> usize {
    let left = org.leftovers().await;
    left.iter().filter(|line| line.starts_with("key ")).count()
}

/// The lines in order.
pub fn sorted(lines: impl IntoIterator<Item = impl Into<String>>) -> Vec<String> {
    let mut lines: Vec<String> = lines.into_iter().map(Into::into).collect();
    lines.sort_unstable();
    lines
}

/// The program under test. Each run is checked against the IAM policy that the program prints for its command.
pub fn heeler_ec(org: &Organization) -> HeelerEc<'_> {
    HeelerEc::new(org, env!("CARGO_BIN_EXE_heeler-ec"))
        .check_actions(crate::command_permissions::allowed_actions)
}
