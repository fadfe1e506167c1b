//! What an operator types, and what a test reads from the answer.

use serde_json::Value;

use testkit::{Call, Engine, HeelerEc, Organization, Run};

/// The same law on each engine: a module of one test per engine.
macro_rules! on_both_engines {
    ($(async fn $law:ident($engine:ident: Engine) $body:block)+) => {$(
        mod $law {
            use super::*;

            async fn law($engine: Engine) $body

            #[tokio::test]
            async fn on_ministack() {
                law(Engine::Ministack).await;
            }

            #[tokio::test]
            async fn on_moto() {
                law(Engine::Moto).await;
            }
        }
    )+};
}
pub(crate) use on_both_engines;

/// Runs a few at a time: each has an organization and processes of its own.
pub async fn run_concurrently<F: Future<Output = ()>>(runs: impl IntoIterator<Item = F>) {
    use futures_util::StreamExt;
    futures_util::stream::iter(runs)
        .buffer_unordered(3)
        .collect::<()>()
        .await;
}

pub fn preflight(org: &Organization) -> HeelerEc<'_> {
    preflight_of(org, "s3")
}

/// The preflight of this option.
pub fn preflight_of<'a>(org: &'a Organization, option: &str) -> HeelerEc<'a> {
    heeler_ec(org).args(["preflight", "--option", option])
}

/// The plan of a first setup, or of a later one with the same trust.
pub fn plan(org: &Organization) -> HeelerEc<'_> {
    plan_of(org, "s3")
}

/// The same for this option.
pub fn plan_of<'a>(org: &'a Organization, option: &str) -> HeelerEc<'a> {
    let role = org.heeler_role_arn();
    heeler_ec(org).args(["plan", "--option", option, "--heeler-role-arn", &role])
}

/// A first setup, with an external id made up.
pub fn setup(org: &Organization) -> HeelerEc<'_> {
    setup_of(org, "s3")
}

/// With what others have in it, and what the option stands on.
pub async fn organization_for(option: &str) -> Organization {
    let org = Organization::on(Engine::Ministack)
        .bucket_key()
        .other_notifications();
    let org = if option == "s3" { org } else { org.log_group() };
    org.build().await
}

/// The same for this option.
pub fn setup_of<'a>(org: &'a Organization, option: &str) -> HeelerEc<'a> {
    let role = org.heeler_role_arn();
    setup_again_of(org, option).args(["--generate-external-id", "--heeler-role-arn", &role])
}

/// A setup that keeps whom the role trusts.
pub fn setup_again(org: &Organization) -> HeelerEc<'_> {
    setup_again_of(org, "s3")
}

/// The same for this option.
pub fn setup_again_of<'a>(org: &'a Organization, option: &str) -> HeelerEc<'a> {
    heeler_ec(org).args(["setup", "--option", option, "--yes"])
}

/// A first setup with this external id; as a later one it changes nothing.
pub fn setup_with<'a>(org: &'a Organization, external_id: &str) -> HeelerEc<'a> {
    setup_of_with(org, "s3", external_id)
}

/// The same for this option.
pub fn setup_of_with<'a>(org: &'a Organization, option: &str, external_id: &str) -> HeelerEc<'a> {
    let role = org.heeler_role_arn();
    setup_again_of(org, option).args(["--external-id", external_id, "--heeler-role-arn", &role])
}

pub fn outputs(org: &Organization) -> HeelerEc<'_> {
    heeler_ec(org).args(["outputs", "-o", "json"])
}

pub fn destroy(org: &Organization) -> HeelerEc<'_> {
    heeler_ec(org).args(["destroy", "--yes"])
}

/// Standard output as one JSON document.
#[track_caller]
pub fn json(run: &Run) -> Value {
    serde_json::from_str(&run.stdout)
        .unwrap_or_else(|why| panic!("{why}\n{}\n{}", run.stdout, run.stderr))
}

/// How many steps of the plan would create, update, keep, conflict.
#[track_caller]
pub fn counts(run: &Run) -> [u64; 4] {
    let plan = json(run);
    ["create", "update", "keep", "conflict"]
        .map(|action| plan["counts"][action].as_u64().expect("a count"))
}

/// The ids of the checks with this status.
pub fn checks(report: &Value, status: &str) -> Vec<String> {
    let checks = report["checks"].as_array().expect("a list of checks");
    let fitting = checks.iter().filter(|check| check["status"] == status);
    fitting.map(|check| text(&check["id"])).collect()
}

pub fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

/// The names of calls, in order.
pub fn names(calls: &[&Call]) -> Vec<String> {
    calls.iter().map(|call| call.name()).collect()
}

/// The keys that bear our tag and are not on their way out.
pub async fn keys(org: &Organization) -> usize {
    let left = org.leftovers().await;
    left.iter().filter(|line| line.starts_with("key ")).count()
}

pub fn sorted(lines: impl IntoIterator<Item = impl Into<String>>) -> Vec<String> {
    let mut lines: Vec<String> = lines.into_iter().map(Into::into).collect();
    lines.sort_unstable();
    lines
}

/// The program under test, held to the IAM policy that it prints for each command.
pub fn heeler_ec(org: &Organization) -> HeelerEc<'_> {
    HeelerEc::new(org, env!("CARGO_BIN_EXE_heeler-ec"))
        .check_actions(crate::command_permissions::allowed_actions)
}
