//! Prompts on a terminal.

use crate::commands::heeler_ec;
use crate::commands::{names, plan};
use testkit::{CTRL_C, END_OF_INPUT, Engine, HeelerEc, Organization};

const QUESTION: &str = "Type 'yes' to continue: ";

/// A first setup with a prompt.
fn setup(org: &Organization) -> HeelerEc<'_> {
    let role = org.heeler_role_arn();
    let args = ["setup", "--option", "s3", "--generate-external-id"];
    heeler_ec(org).args(args).args(["--heeler-role-arn", &role])
}

/// Answers the prompt of a setup and checks that nothing has changed.
async fn assert_nothing_written_after(answer: &str, status: i32) {
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
    assert_nothing_written_after("no", 1).await;
}

#[tokio::test]
async fn answer_y_is_not_yes() {
    assert_nothing_written_after("y", 1).await;
}

#[tokio::test]
async fn end_of_input_is_no() {
    assert_nothing_written_after(END_OF_INPUT, 1).await;
}

#[tokio::test]
async fn interrupted_prompt_is_no() {
    assert_nothing_written_after(CTRL_C, 130).await;
}
