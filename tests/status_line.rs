//! The line that shows what the program is doing, and the columns of `tail`.

use std::time::Duration;

use snapbox::str;
use testkit::{CTRL_C, END_OF_INPUT, Engine, Organization};

use crate::commands::{heeler_ec, setup};
use crate::whole_output::assert_stderr;

const LOG_FILE: &str = "tests/fixtures/tail/objects/123456789012_CloudTrail_us-east-1_20230710T1200Z_OddRecords000001.json.gz";

#[tokio::test]
async fn long_reads_show_a_status_line() {
    let org = Organization::on(Engine::Ministack).build().await;
    setup(&org).run().await.expect_status(0);
    let run = |quiet: &'static [&'static str]| {
        let run = heeler_ec(&org).args(["outputs"]).args(quiet);
        run.on_terminal(100, &[]).env("CI", "")
    };
    let gate = org.proxy().hold("*", "*");
    let shown = run(&[]).spawn().await;
    shown.wait_for_stdout("Reading the deployment").await;
    gate.open();
    shown.wait().await.expect_status(0);
    org.proxy().delay(Duration::from_millis(1500));
    let quiet = run(&["-q"]).run().await.expect_status(0);
    assert!(
        !quiet.stdout.contains("Reading the deployment"),
        "{}",
        quiet.stdout
    );
    let last = quiet.lines().pop().unwrap_or_default();
    assert!(last.starts_with("heeler_event_role_external_id"), "{last}");
}

#[tokio::test]
async fn slow_check_is_named_on_the_terminal() {
    let org = Organization::on(Engine::Ministack)
        .bucket_key()
        .build()
        .await;
    let run = heeler_ec(&org).args(["preflight"]).on_terminal(120, &[]);
    let gate = org.proxy().hold("kms", "ListGrants");
    let shown = run.env("CI", "").spawn().await;
    shown
        .wait_for_stdout("calls finished, waiting for kms:ListGrants")
        .await;
    gate.open();
    let run = shown.wait().await.expect_status(0);
    assert!(
        run.stdout.contains(" is ready for setup: "),
        "{}",
        run.stdout
    );
}

#[tokio::test]
async fn tail_shows_last_and_next_delivery() {
    let org = Organization::on(Engine::Ministack).build().await;
    setup(&org).run().await.expect_status(0);
    // The user waits for both texts and types nothing that the terminal would show in between.
    let answers = [
        ("no event yet. CloudTrail delivers", END_OF_INPUT),
        ("ago, the next one in about ", CTRL_C),
    ];
    let tail = heeler_ec(&org).args(["tail", "--source", "bucket"]);
    let run = tail.on_terminal(100, &answers).env("CI", "").run().await;
    let run = run.expect_status(130);
    let position = |text: &str| run.stdout.find(text);
    assert!(
        position("no event yet") < position(" s: last delivery "),
        "{}",
        run.stdout
    );
    // The line is removed at the end.
    let end = run.lines().pop().unwrap_or_default();
    assert!(!end.contains("delivery "), "{}", run.stdout);
}

#[tokio::test]
async fn columns_of_tail_can_be_selected() {
    let org = Organization::on(Engine::Ministack).build().await;
    let run = heeler_ec(&org).args(["tail", LOG_FILE, "--columns", "event,source-address"]);
    let run = run.run().await.expect_status(0);
    let heading: Vec<&str> = run
        .stderr
        .lines()
        .next()
        .unwrap_or_default()
        .split_whitespace()
        .collect();
    assert_eq!(heading, ["EVENT", "SOURCE"]);
    let run = heeler_ec(&org).args(["tail", LOG_FILE, "--columns", "event", "-o", "csv"]);
    let run = run.run().await.expect_status(2);
    assert_stderr(
        &org,
        &run,
        str![[r"
error: --columns applies only to --output table

"]],
    );
}

#[tokio::test]
async fn narrow_table_shows_dates_when_they_change() {
    let org = Organization::on(Engine::Ministack).build().await;
    let tail = || heeler_ec(&org).args(["tail", LOG_FILE]);
    let narrow = tail()
        .on_terminal(80, &[])
        .run()
        .await
        .expect_status(0)
        .lines();
    let is_date = |line: &&String| line.len() == 10 && line.starts_with("20");
    let dates: Vec<&String> = narrow.iter().filter(is_date).collect();
    assert!(!dates.is_empty(), "{narrow:#?}");
    assert!(dates.windows(2).all(|pair| pair[0] != pair[1]), "{dates:?}");
    let wide = tail()
        .on_terminal(200, &[])
        .run()
        .await
        .expect_status(0)
        .lines();
    assert!(!wide.iter().any(|line| is_date(&line)), "{wide:#?}");
}
