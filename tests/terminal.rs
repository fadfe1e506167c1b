//! What the program asks and shows when a person sits before it.

use crate::harness::{CTRL_C, END_OF_INPUT, Engine, Heeler, Run, World};
use crate::steps::{names, plan, preflight};

const QUESTION: &str = "Only 'yes' is taken for a yes: ";

/// A first setup that asks before it writes.
fn setup(world: &World) -> Heeler<'_> {
    let role = world.heeler_role_arn();
    let args = ["setup", "--option", "s3", "--generate-external-id"];
    Heeler::new(world)
        .args(args)
        .args(["--heeler-role-arn", &role])
}

/// A setup whose question gets this answer, which leaves everything as it was.
async fn nothing_is_written_after(answer: &str, status: i32) -> Run {
    let world = World::on(Engine::Ministack).build().await;
    let before = world.notification().await;
    let run = setup(&world)
        .on_terminal(100, &[(QUESTION, answer)])
        .run()
        .await
        .ended(status);
    assert!(run.stdout.contains(QUESTION), "{}", run.stdout);
    assert_eq!(names(&run.writes()), Vec::<String>::new());
    assert_eq!(world.leftovers().await, [""; 0]);
    assert_eq!(world.notification().await, before);
    run
}

#[tokio::test]
async fn setup_asks_and_yes_sets_up() {
    let world = World::on(Engine::Ministack).build().await;
    let run = setup(&world)
        .on_terminal(100, &[(QUESTION, "yes")])
        .run()
        .await
        .ended(0);
    let asked = run.stdout.find("Set this up?").expect("a question");
    let shown = run.stdout.find("heeler_event_collection_queue");
    assert!(shown.is_some_and(|plan| plan < asked), "{}", run.stdout);
    plan(&world).args(["--check"]).run().await.ended(0);
}

#[tokio::test]
async fn no_leaves_everything_as_it_was() {
    let run = nothing_is_written_after("no", 1).await;
    assert!(run.stdout.contains("nothing was written"), "{}", run.stdout);
}

#[tokio::test]
async fn y_is_not_yes() {
    nothing_is_written_after("y", 1).await;
}

#[tokio::test]
async fn the_end_of_input_is_a_no() {
    let run = nothing_is_written_after(END_OF_INPUT, 1).await;
    assert!(run.stdout.contains("nothing was written"), "{}", run.stdout);
}

#[tokio::test]
async fn an_interrupted_question_is_a_no() {
    nothing_is_written_after(CTRL_C, 130).await;
}

#[tokio::test]
async fn colours_come_by_themselves_and_stay_away_when_they_are_not_wanted() {
    let world = World::on(Engine::Ministack).build().await;
    let run = preflight(&world).on_terminal(100, &[]).run().await.ended(0);
    assert!(run.stdout.contains('\u{1b}'), "{}", run.stdout);
    let plain = preflight(&world).on_terminal(100, &[]).env("NO_COLOR", "1");
    let plain = plain.run().await.ended(0);
    assert!(!plain.stdout.contains('\u{1b}'), "{}", plain.stdout);
    // The times of day differ from run to run.
    let lines = |run: &Run| {
        let lines = run.lines().into_iter();
        let steady = lines.filter(|line| !line.contains("the last one was"));
        steady.collect::<Vec<_>>()
    };
    assert_eq!(lines(&run), lines(&plain));
}
