//! The screen of the program without arguments.

use snapbox::str;
use testkit::{Engine, HeelerEc, Organization, Run};

use crate::commands::{heeler_ec, names, setup};
use crate::whole_output::assert_stdout;

/// Runs the program on a terminal without color, and expects no change.
async fn overview(command: HeelerEc<'_>) -> Run {
    let run = command.env("NO_COLOR", "1").on_terminal(100, &[]);
    let run = run.run().await.expect_status(0);
    assert_eq!(names(&run.writes()), Vec::<String>::new());
    run
}

#[tokio::test]
async fn overview_shows_deployments_and_next_command() {
    let org = Organization::on(Engine::Ministack).build().await;
    let run = overview(heeler_ec(&org)).await;
    assert_stdout(
        &org,
        &run,
        str![["
No deployment found in account 111122223333.
Next: heeler-ec setup

  heeler-ec preflight  Check the prerequisites and print fixes
  heeler-ec plan       Preview setup, or detect drift of an existing deployment
  heeler-ec setup      Set up the pipeline from the trail to Heeler's queue
  heeler-ec outputs    Print the three values to paste into Heeler
  heeler-ec status     Show whether events can reach Heeler, hop by hop
  heeler-ec tail       Show events as they arrive

All commands: heeler-ec --help

"]],
    );

    setup(&org).run().await.expect_status(0);
    let run = overview(heeler_ec(&org)).await;
    assert_stdout(
        &org,
        &run,
        str![["
Account 111122223333

  heeler  option s3  us-east-1  healthy, Heeler has not polled yet

Next: heeler-ec outputs

  heeler-ec preflight  Check the prerequisites and print fixes
  heeler-ec plan       Preview setup, or detect drift of an existing deployment
  heeler-ec setup      Set up the pipeline from the trail to Heeler's queue
  heeler-ec outputs    Print the three values to paste into Heeler
  heeler-ec status     Show whether events can reach Heeler, hop by hop
  heeler-ec tail       Show events as they arrive

All commands: heeler-ec --help

"]],
    );

    let stop = org.clients().cloudtrail.stop_logging().name(org.trail());
    stop.send().await.expect("stopped");
    let run = overview(heeler_ec(&org).args(["--name-prefix", "other"])).await;
    assert_stdout(
        &org,
        &run,
        str![["
Account 111122223333

  heeler  option s3  us-east-1  broken at trail

Next: heeler-ec status --name-prefix heeler

  heeler-ec preflight  Check the prerequisites and print fixes
  heeler-ec plan       Preview setup, or detect drift of an existing deployment
  heeler-ec setup      Set up the pipeline from the trail to Heeler's queue
  heeler-ec outputs    Print the three values to paste into Heeler
  heeler-ec status     Show whether events can reach Heeler, hop by hop
  heeler-ec tail       Show events as they arrive

All commands: heeler-ec --help

"]],
    );
}

#[tokio::test]
async fn overview_without_credentials_is_one_line() {
    let org = Organization::on(Engine::Ministack).build().await;
    let command = heeler_ec(&org)
        .env("AWS_ACCESS_KEY_ID", "")
        .env("AWS_SECRET_ACCESS_KEY", "")
        .env("AWS_EC2_METADATA_DISABLED", "true");
    let run = overview(command).await;
    assert_stdout(
        &org,
        &run,
        str![["
Not connected to AWS: no AWS credentials were found in the environment, in a profile, or on this
machine.

  heeler-ec preflight  Check the prerequisites and print fixes
  heeler-ec plan       Preview setup, or detect drift of an existing deployment
  heeler-ec setup      Set up the pipeline from the trail to Heeler's queue
  heeler-ec outputs    Print the three values to paste into Heeler
  heeler-ec status     Show whether events can reach Heeler, hop by hop
  heeler-ec tail       Show events as they arrive

All commands: heeler-ec --help

"]],
    );
    assert!(run.calls.is_empty());
}

#[tokio::test]
async fn without_terminal_the_help_is_printed() {
    let org = Organization::on(Engine::Ministack).build().await;
    let run = heeler_ec(&org).run().await.expect_status(2);
    assert!(run.stderr.contains("Usage: heeler-ec"), "{}", run.stderr);
    assert!(run.calls.is_empty());
}
