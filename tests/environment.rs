//! The environment variables of the options.

use heeler_ec::cli;
use heeler_ec::cli::environment::{OPTIONS_WITHOUT_VARIABLE, has_variable, variable_name};
use snapbox::str;
use testkit::{Engine, Organization};

use crate::commands::{heeler_ec, outputs, plan, setup};
use crate::whole_output::assert_stderr;

#[test]
fn every_harmless_option_has_a_variable() {
    let mut root = cli::command();
    root.build();
    for command in root.get_subcommands() {
        for arg in command.get_arguments() {
            let Some(long) = arg.get_long() else { continue };
            let variable = arg
                .get_env()
                .map(|name| name.to_string_lossy().into_owned());
            let expected = has_variable(long).then(|| variable_name(long));
            assert_eq!(variable, expected, "{} --{long}", command.get_name());
            assert!(variable.is_none() || arg.is_hide_env_values_set(), "{long}");
        }
    }
}

#[test]
fn options_that_confirm_have_no_variable() {
    for long in [
        "yes",
        "accept",
        "adopt",
        "force",
        "fix",
        "fix-retention",
        "fan-out",
        "show-secrets",
    ] {
        assert!(OPTIONS_WITHOUT_VARIABLE.contains(&long), "{long}");
    }
}

#[tokio::test]
async fn variable_sets_an_option_unless_it_is_empty() {
    let org = Organization::on(Engine::Ministack).build().await;
    let run = |value| {
        let run = outputs(&org).env("HEELER_EC_NAME_PREFIX", value);
        async move { run.run().await.expect_status(1).stdout }
    };
    assert!(run("other_prefix").await.contains("other_prefix"));
    assert!(run("").await.contains("\\\"heeler\\\""));
}

#[tokio::test]
async fn typed_options_override_variables() {
    let org = Organization::on(Engine::Ministack).build().await;
    // --generate-external-id conflicts with --external-id, and -q with --verbose.
    let run = plan(&org)
        .args(["--generate-external-id", "-q", "--tag", "team=security"])
        .env("HEELER_EC_EXTERNAL_ID", "id-of-the-environment")
        .env("HEELER_EC_VERBOSE", "1")
        .env("HEELER_EC_TAG", "invalid")
        .env("HEELER_EC_OPTION", "cloudwatch");
    let run = run.run().await.expect_status(0);
    assert!(!run.stderr.contains("GetCallerIdentity"), "{}", run.stderr);
    assert!(run.stdout.contains("option s3") || run.stdout.contains("Option s3"));
}

#[tokio::test]
async fn list_variable_is_separated_by_commas() {
    let org = Organization::on(Engine::Ministack).build().await;
    let run = plan(&org).env("HEELER_EC_TAG", "team=security,stage=prod");
    let run = run.args(["-o", "json"]).run().await.expect_status(0);
    for tag in ["team", "stage"] {
        assert!(
            !run.stderr.contains(&format!("--tag {tag}")),
            "{}",
            run.stderr
        );
    }
    let invalid = plan(&org).env("HEELER_EC_TAG", "team=security,broken");
    let invalid = invalid.run().await.expect_status(2);
    assert_stderr(
        &org,
        &invalid,
        str![[r"
error: invalid value 'broken' for '--tag <KEY=VALUE> (from HEELER_EC_TAG)': a tag has the form KEY=VALUE

For more information, try '--help'.

"]],
    );
}

#[tokio::test]
async fn variable_cannot_confirm_or_read_from_heelers_queue() {
    let org = Organization::on(Engine::Ministack).build().await;
    let confirmed = heeler_ec(&org)
        .args(["setup", "--option", "s3", "--heeler-role-arn"])
        .args([org.heeler_role_arn().as_str(), "--generate-external-id"])
        .env("HEELER_EC_YES", "true");
    let confirmed = confirmed.run().await.expect_status(2);
    assert_stderr(
        &org,
        &confirmed,
        str![[r"
error: confirmation is needed, but standard input is not a terminal
  hint:  use --yes to set up without a prompt, or --dry-run to show the plan

"]],
    );
    let source = || heeler_ec(&org).env("HEELER_EC_SOURCE", "heeler-queue");
    let refused = source().args(["tail"]).run().await.expect_status(2);
    assert_stderr(
        &org,
        &refused,
        str![[r"
error: HEELER_EC_SOURCE cannot be heeler-queue: use --source heeler-queue

"]],
    );
    assert!(refused.calls.is_empty());
    source()
        .args(["tail", "--help"])
        .run()
        .await
        .expect_status(0);
    source().args(["outputs"]).run().await.expect_status(1);
}

#[tokio::test]
async fn values_for_scripts_have_the_chosen_form() {
    let org = Organization::on(Engine::Ministack).build().await;
    let run = setup(&org).args(["-o", "json", "--show-secrets"]);
    let created = run.run().await.expect_status(0);
    let created: serde_json::Value = serde_json::from_str(&created.stdout).expect("a document");
    let values = &created["result"]["outputs"];
    let value = |name: &str| values[name].as_str().expect("a value").to_owned();
    let (url, arn, id) = (
        value("heeler_event_queue_url"),
        value("heeler_event_role_arn"),
        value("heeler_event_role_external_id"),
    );
    assert_ne!(id, "(masked)");
    let printed = |words: &'static [&'static str]| {
        let run = heeler_ec(&org).args(["outputs"]).args(words);
        async move { run.run().await.expect_status(0) }
    };
    let stdout = |words| async move { printed(words).await.stdout };
    assert_eq!(
        stdout(&["heeler_event_role_external_id"]).await,
        format!("{id}\n")
    );
    assert_eq!(stdout(&["role_arn"]).await, format!("{arn}\n"));
    assert_eq!(
        stdout(&["-o", "env"]).await,
        format!(
            "HEELER_EVENT_QUEUE_URL={url}\nHEELER_EVENT_ROLE_ARN={arn}\n\
             HEELER_EVENT_ROLE_EXTERNAL_ID={id}\n"
        )
    );
    assert_eq!(
        stdout(&["queue_url", "-o", "tfvars"]).await,
        format!("heeler_event_queue_url = \"{url}\"\n")
    );
    assert_eq!(
        stdout(&["queue_url", "-o", "json"]).await,
        format!("{{\n  \"result\": \"{url}\",\n  \"error\": null\n}}\n")
    );
    let github = printed(&["-o", "github", "-q"]).await;
    assert_eq!(github.stderr, format!("::add-mask::{id}\n"));
    assert!(
        github
            .stdout
            .ends_with(&format!("heeler_event_role_external_id={id}\n")),
        "{}",
        github.stdout
    );
    let without_secret = printed(&["queue_url", "-o", "github"]).await;
    assert_eq!(without_secret.stderr, "");
}
