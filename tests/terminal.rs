//! Prompts and colors on a terminal.

use crate::commands::heeler_ec;
use crate::commands::{names, plan, preflight};
use testkit::{CTRL_C, END_OF_INPUT, Engine, HeelerEc, Organization, Run};

const QUESTION: &str = "Type 'yes' to continue: ";

/// A first setup with a prompt.
fn setup(org: &Organization) -> HeelerEc<'_> {
    let role = org.heeler_role_arn();
    let args = ["setup", "--option", "s3", "--generate-external-id"];
    heeler_ec(org).args(args).args(["--heeler-role-arn", &role])
}

/// Answers the prompt of a setup and checks that nothing has changed.
async fn assert_nothing_written_after(answer: &str, status: i32) -> Run {
    let org = Organization::on(Engine::Ministack).build().await;
    let before = org.notification().await;
    let run = setup(&org)
        .on_terminal(100, &[(QUESTION, answer)])
        .run()
        .await
        .expect_status(status);
    assert!(run.stdout.contains(QUESTION), "{}", run.stdout);
    assert_eq!(names(&run.writes()), Vec::<String>::new());
    assert_eq!(org.leftovers().await, [""; 0]);
    assert_eq!(org.notification().await, before);
    run
}

#[tokio::test]
async fn setup_prompts_and_yes_confirms() {
    let org = Organization::on(Engine::Ministack).build().await;
    let run = setup(&org)
        .on_terminal(100, &[(QUESTION, "yes")])
        .run()
        .await
        .expect_status(0);
    let asked = run.stdout.find("Apply this plan?").expect("a question");
    let shown = run.stdout.find("heeler_event_collection_queue");
    assert!(shown.is_some_and(|plan| plan < asked), "{}", run.stdout);
    plan(&org).args(["--check"]).run().await.expect_status(0);
}

#[tokio::test]
async fn answer_no_changes_nothing() {
    let run = assert_nothing_written_after("no", 1).await;
    assert!(
        run.stdout.contains("no changes were made"),
        "{}",
        run.stdout
    );
}

#[tokio::test]
async fn answer_y_is_not_yes() {
    assert_nothing_written_after("y", 1).await;
}

#[tokio::test]
async fn end_of_input_is_no() {
    let run = assert_nothing_written_after(END_OF_INPUT, 1).await;
    assert!(
        run.stdout.contains("no changes were made"),
        "{}",
        run.stdout
    );
}

#[tokio::test]
async fn interrupted_prompt_is_no() {
    assert_nothing_written_after(CTRL_C, 130).await;
}

#[tokio::test]
async fn color_follows_terminal_and_options() {
    let org = Organization::on(Engine::Ministack).build().await;
    let run = preflight(&org)
        .on_terminal(100, &[])
        .run()
        .await
        .expect_status(0);
    assert!(run.stdout.contains('\u{1b}'), "{}", run.stdout);
    let plain = preflight(&org).on_terminal(100, &[]).env("NO_COLOR", "1");
    let plain = plain.run().await.expect_status(0);
    assert!(!plain.stdout.contains('\u{1b}'), "{}", plain.stdout);
    // The times of day differ from run to run.
    let lines = |run: &Run| {
        let lines = run.lines().into_iter();
        let steady = lines.filter(|line| !line.contains("last delivery:"));
        steady.collect::<Vec<_>>()
    };
    assert_eq!(lines(&run), lines(&plain));
}
