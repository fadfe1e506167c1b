//! Prompts and colors on a terminal.

use crate::commands::heeler_ec;
use crate::commands::{names, plan, preflight};
use crate::whole_output::assert_stderr;
use snapbox::str;
use testkit::{CTRL_C, END_OF_INPUT, Engine, Fault, FaultAction, HeelerEc, Organization, Run};

const QUESTION: &str = "[y/N] ";

/// The beginning of the question after a first setup.
const OFFER: &str = "Follow a test call to Heeler's queue now (verify)?";

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
        .on_terminal(120, &[(QUESTION, "Yes"), (OFFER, "")])
        .run()
        .await
        .expect_status(0);
    let question = format!(
        "Create these 12 resources in account {}? [y/N] ",
        org.account()
    );
    let asked = run.stdout.find(&question).expect("a question");
    let shown = run.stdout.find("heeler_event_collection_queue");
    assert!(shown.is_some_and(|plan| plan < asked), "{}", run.stdout);
    plan(&org).args(["--check"]).run().await.expect_status(0);
}

const CANCELLED: &str = "Cancelled. No changes made.";

#[tokio::test]
async fn answer_no_changes_nothing() {
    for answer in ["no", "", END_OF_INPUT] {
        let run = assert_nothing_written_after(answer, 1).await;
        assert!(run.stdout.contains(CANCELLED), "{}", run.stdout);
        assert!(!run.stdout.contains("error:"), "{}", run.stdout);
    }
}

#[tokio::test]
async fn unclear_answer_is_asked_again() {
    let org = Organization::on(Engine::Ministack).build().await;
    let run = setup(&org)
        .on_terminal(100, &[(QUESTION, "perhaps"), (QUESTION, "n")])
        .run()
        .await
        .expect_status(1);
    assert_eq!(run.stdout.matches(QUESTION).count(), 2, "{}", run.stdout);
    assert_eq!(names(&run.writes()), Vec::<String>::new());
}

#[tokio::test]
async fn cancelled_setup_is_a_json_result() {
    let org = Organization::on(Engine::Ministack).build().await;
    let run = setup(&org)
        .args(["-o", "json"])
        .on_terminal(100, &[(QUESTION, "n")])
        .run()
        .await
        .expect_status(1);
    let document = run.stdout.find("\n{").map(|at| &run.stdout[at..]);
    let document = document.expect("a document").trim();
    let (document, rest) = document.rsplit_once('}').expect("its end");
    let document: serde_json::Value =
        serde_json::from_str(&format!("{document}}}")).expect("one document");
    assert_eq!(document["result"]["cancelled"], true, "{document}");
    assert_eq!(document["result"]["steps"][0]["status"], "pending");
    assert_eq!(document["error"], serde_json::Value::Null);
    assert!(rest.contains(CANCELLED), "{rest}");
}

#[tokio::test]
async fn destroy_needs_the_typed_word() {
    let org = Organization::on(Engine::Ministack).build().await;
    setup(&org).args(["--yes"]).run().await.expect_status(0);
    let run = heeler_ec(&org)
        .args(["destroy"])
        .on_terminal(100, &[("Type 'yes' to continue: ", "y")])
        .run()
        .await
        .expect_status(1);
    assert!(run.stdout.contains(CANCELLED), "{}", run.stdout);
    assert_eq!(names(&run.writes()), Vec::<String>::new());
}

#[tokio::test]
async fn interrupted_prompt_is_no() {
    assert_nothing_written_after(CTRL_C, 130).await;
}

/// A program that reads the output gets neither colors nor lines that only separate it from other output.
#[tokio::test]
async fn piped_output_has_no_color_or_blank_edges() {
    let org = Organization::on(Engine::Ministack).build().await;
    let external_id = ["--external-id", "id-of-the-setup"];
    let role = org.heeler_role_arn();
    let first = [
        &["--option", "s3", "--heeler-role-arn", &role][..],
        &external_id,
    ]
    .concat();
    for (status, args) in [
        (0, &["preflight"][..]),
        (1, &["plan"]),
        (0, &[&["plan"], &first[..]].concat()),
        (0, &[&["setup", "--yes"], &first[..]].concat()),
        (0, &["plan", "--option", "s3"]),
        (0, &["outputs"]),
        (0, &["status"]),
        (0, &["export", "terraform"]),
        (0, &["policy", "setup"]),
        (0, &["destroy", "--dry-run"]),
        (0, &["destroy", "--yes"]),
    ] {
        let run = heeler_ec(&org).args(args).env("TERM", "xterm-256color");
        let run = run.run().await.expect_status(status);
        for text in [&run.stdout, &run.stderr] {
            assert!(!text.contains('\u{1b}'), "{args:?}: {text}");
        }
        let lines: Vec<&str> = run.stdout.lines().collect();
        let edges = [lines.first(), lines.last()];
        assert!(!edges.contains(&Some(&"")), "{args:?}: {}", run.stdout);
    }
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

const OPTION: &str = "Option [s3]: ";
const ROLE: &str = "Heeler role ARN: ";
const EXTERNAL_ID: &str = "External ID [generate one]: ";

/// The path of a newcomer: one command, and two answers that have to be typed.
#[tokio::test]
async fn newcomer_needs_one_command_and_two_answers() {
    let org = Organization::on(Engine::Ministack).build().await;
    let role = org.heeler_role_arn();
    let answers = [
        (OPTION, ""),
        (ROLE, role.as_str()),
        (EXTERNAL_ID, ""),
        (QUESTION, "y"),
        (OFFER, ""),
    ];
    let typed = answers.iter().filter(|(_, answer)| !answer.is_empty());
    assert_eq!(typed.count(), 2);
    let commands = [heeler_ec(&org).args(["setup"])];
    assert_eq!(commands.len(), 1);
    for command in commands {
        let run = command.on_terminal(100, &answers).run().await;
        let shown = run.expect_status(0).stdout;
        for (question, _) in answers {
            // The offer of verify ends with the same words.
            let expected = if question == QUESTION { 2 } else { 1 };
            let count = shown.matches(question).count();
            assert_eq!(count, expected, "{question}\n{shown}");
        }
        for refusal in ["error:", "Invalid", "Cancelled"] {
            assert!(!shown.contains(refusal), "{shown}");
        }
        let mut end = 0;
        for text in [
            "How should events reach Heeler?",
            "1. s3",
            "heeler_security_role_arns",
            "The same setup without questions:",
            "Who gets access:",
            QUESTION,
            "heeler_event_queue_url",
            "heeler_event_role_arn",
            "heeler_event_role_external_id",
            "Next, in Heeler:",
            "event collection is enabled",
            OFFER,
        ] {
            let place = shown[end..].find(text);
            end += place.unwrap_or_else(|| panic!("{text}\n{shown}"));
        }
    }
    plan(&org).args(["--check"]).run().await.expect_status(0);
}

#[tokio::test]
async fn printed_command_makes_the_same_setup() {
    let org = Organization::on(Engine::Ministack).build().await;
    let role = org.heeler_role_arn();
    let answers = [
        (OPTION, "1"),
        (ROLE, role.as_str()),
        (EXTERNAL_ID, ""),
        (QUESTION, "n"),
    ];
    let run = heeler_ec(&org)
        .args(["setup"])
        .on_terminal(300, &answers)
        .run()
        .await
        .expect_status(1);
    let lines = run.lines();
    let command = lines.iter().find(|line| line.ends_with(" --yes"));
    let command = command.expect("a command").trim().to_owned();
    let expected = format!(
        "heeler-ec setup --option s3 --heeler-role-arn {role} --generate-external-id --yes"
    );
    assert_eq!(command, expected);
    let args: Vec<&str> = command.split(' ').skip(1).collect();
    heeler_ec(&org).args(args).run().await.expect_status(0);
    plan(&org).args(["--check"]).run().await.expect_status(0);
}

#[tokio::test]
async fn guide_names_deployments_under_other_prefixes() {
    let org = Organization::on(Engine::Ministack).build().await;
    setup(&org).args(["--yes"]).run().await.expect_status(0);
    let run = heeler_ec(&org).args(["setup", "--name-prefix", "second"]);
    let run = run.on_terminal(200, &[(OPTION, CTRL_C)]);
    let shown = run.run().await.expect_status(130).stdout;
    let note = "Already deployed in this account: option s3 with --name-prefix heeler. ";
    assert!(shown.contains(note), "{shown}");
}

#[tokio::test]
async fn invalid_answers_are_asked_again() {
    const ID: &str = "an-external-id-of-the-test";
    let org = Organization::on(Engine::Ministack).build().await;
    let role = org.heeler_role_arn();
    let list = format!("[\"{role}\"]");
    let answers = [
        (OPTION, "s4"),
        (OPTION, "S3"),
        (ROLE, "heeler"),
        (ROLE, ""),
        (ROLE, list.as_str()),
        (EXTERNAL_ID, "x y"),
        (EXTERNAL_ID, ID),
        (QUESTION, "n"),
    ];
    let run = heeler_ec(&org)
        .args(["setup"])
        .on_terminal(100, &answers)
        .run()
        .await
        .expect_status(1);
    assert_eq!(run.stdout.matches("Invalid: ").count(), 4, "{}", run.stdout);
    assert!(
        run.stdout.contains("the external ID that you supplied"),
        "{}",
        run.stdout
    );
    // The ID is shown only where the user typed it.
    assert_eq!(run.stdout.matches(ID).count(), 1, "{}", run.stdout);
    assert_eq!(names(&run.writes()), Vec::<String>::new());
}

#[tokio::test]
async fn guide_recommends_an_option_that_is_ready() {
    let org = Organization::on(Engine::Ministack)
        .overlapping_queue()
        .log_group()
        .build()
        .await;
    let role = org.heeler_role_arn();
    let answers = [
        ("Option [cloudwatch]: ", ""),
        (ROLE, role.as_str()),
        (EXTERNAL_ID, ""),
        (QUESTION, "n"),
    ];
    let run = heeler_ec(&org).args(["setup"]);
    let run = run.on_terminal(120, &answers).run().await.expect_status(1);
    for text in [
        "s3          not ready: 1 failed (bucket.",
        "cloudwatch  (recommended) ",
        " --option cloudwatch --heeler-role-arn ",
    ] {
        assert!(run.stdout.contains(text), "{text}: {}", run.stdout);
    }
}

#[tokio::test]
async fn guide_asks_nothing_if_no_option_is_ready() {
    let org = Organization::on(Engine::Ministack)
        .logging_stopped()
        .build()
        .await;
    let run = heeler_ec(&org).args(["setup"]);
    let run = run.on_terminal(120, &[]).run().await.expect_status(1);
    let stdout = &run.stdout;
    assert!(stdout.contains("trail.logging"), "{stdout}");
    assert!(stdout.contains("the prerequisites of no option are met"));
    assert!(!stdout.contains("Option ["), "{stdout}");
}

#[tokio::test]
async fn no_input_refuses_to_ask_on_a_terminal() {
    let org = Organization::on(Engine::Ministack).build().await;
    let run = setup(&org).args(["--no-input"]).on_terminal(100, &[]);
    let run = run.run().await.expect_status(2);
    assert!(run.calls.is_empty(), "{}", run.stdout);
    let run = heeler_ec(&org).args(["setup", "--no-input"]);
    let run = run.on_terminal(100, &[]).run().await.expect_status(2);
    assert!(!run.stdout.contains("Option ["), "{}", run.stdout);
}

#[tokio::test]
async fn plain_progress_redraws_nothing() {
    let org = Organization::on(Engine::Ministack).build().await;
    let run = setup(&org).args(["--yes"]).on_terminal(100, &[]);
    let run = run.env("NO_COLOR", "1").env("HEELER_EC_ACCESSIBLE", "1");
    let accessible = run.run().await.expect_status(0).stdout;
    assert!(accessible.contains("Created 12 resources"), "{accessible}");
    assert!(
        accessible.is_ascii() && !accessible.contains('\u{1b}'),
        "{accessible}"
    );
    let destroy = ["destroy", "--yes", "--progress", "plain"];
    let run = heeler_ec(&org).args(destroy).on_terminal(100, &[]);
    let plain = run.env("NO_COLOR", "1").run().await.expect_status(0).stdout;
    assert!(plain.contains("Deleted 12 resources"), "{plain}");
    assert!(!plain.contains('\u{1b}'), "{plain}");
}

#[tokio::test]
async fn log_file_has_a_line_per_call() {
    let org = Organization::on(Engine::Ministack).build().await;
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("calls.jsonl").display().to_string();
    let run = heeler_ec(&org).args(["outputs", "--log-file", &path]);
    let run = run.run().await.expect_status(1);
    assert!(!run.stderr.contains("iam:"), "{}", run.stderr);
    let text = std::fs::read_to_string(&path).expect("a log");
    let logged: Vec<String> = text
        .lines()
        .map(|line| {
            let call: serde_json::Value = serde_json::from_str(line).expect("JSON");
            assert!(call["time"].is_string() && call["elapsed_ms"].is_u64());
            format!("{}:{}", call["service"], call["operation"]).replace('"', "")
        })
        .collect();
    assert_eq!(logged.len(), run.calls.len(), "{text}");
    assert!(
        logged.contains(&"sts:GetCallerIdentity".to_owned()),
        "{text}"
    );
    let run = heeler_ec(&org).args(["outputs", "--log-file", "/nowhere/calls.jsonl"]);
    let run = run.run().await.expect_status(2);
    assert!(
        run.stderr.contains("cannot open the log file"),
        "{}",
        run.stderr
    );
}

#[tokio::test]
async fn end_of_input_cancels_the_questions() {
    let org = Organization::on(Engine::Ministack).build().await;
    for answers in [
        &[(OPTION, END_OF_INPUT)][..],
        &[(OPTION, ""), (ROLE, END_OF_INPUT)],
    ] {
        let run = heeler_ec(&org).args(["setup"]);
        let run = run.on_terminal(100, answers).run().await.expect_status(1);
        assert!(run.stdout.contains(CANCELLED), "{}", run.stdout);
    }
    let run = heeler_ec(&org).args(["setup"]);
    let run = run.on_terminal(100, &[(OPTION, CTRL_C)]);
    run.run().await.expect_status(130);
}

#[tokio::test]
async fn setup_finds_the_deployed_option() {
    let org = Organization::on(Engine::Ministack).build().await;
    let run = heeler_ec(&org).args(["setup", "--yes"]);
    let run = run.run().await.expect_status(2);
    assert_stderr(
        &org,
        &run,
        str![[r"
error: --option is required for the first setup
  hint:  on a terminal, `heeler-ec setup` asks for all values; without one: `heeler-ec setup --option s3 --heeler-role-arn ARN --generate-external-id`

"]],
    );
    setup(&org).args(["--yes"]).run().await.expect_status(0);
    let run = heeler_ec(&org).args(["setup", "--yes"]);
    let run = run.run().await.expect_status(0);
    assert_stderr(
        &org,
        &run,
        str![[r"
Preflight: 48 passed, 2 warnings, 9 skipped.
  ! account.endpoint: requests go to http://127.0.0.1:40000
  ! account.root: caller is arn:aws:iam::111122223333:root
No changes. All 12 resources are as they were set up (option s3, us-east-1).

"]],
    );
    // On a terminal there is nothing to ask.
    let run = heeler_ec(&org).args(["setup"]);
    run.on_terminal(100, &[]).run().await.expect_status(0);
}

#[tokio::test]
async fn detailed_exit_code_reports_pending_changes() {
    let org = Organization::on(Engine::Ministack).build().await;
    let role = org.heeler_role_arn();
    let detailed = |args: &[&str]| {
        let plan = heeler_ec(&org).args(["plan", "--detailed-exitcode"]);
        plan.args(args.iter().copied())
    };
    let first = ["--option", "s3", "--heeler-role-arn", &role];
    detailed(&[]).run().await.expect_status(1);
    detailed(&first).run().await.expect_status(4);
    detailed(&["--check"]).run().await.expect_status(2);
    setup(&org).args(["--yes"]).run().await.expect_status(0);
    detailed(&[]).run().await.expect_status(0);
    detailed(&first).run().await.expect_status(0);
    detailed(&["--external-id", "another-external-id"])
        .run()
        .await
        .expect_status(4);
}

#[tokio::test]
async fn running_step_is_named_on_terminal() {
    let org = Organization::on(Engine::Ministack).build().await;
    let gate = org.proxy().hold("sns", "Subscribe");
    let interrupt = [("creating sns subscription", CTRL_C)];
    let mut running = setup(&org)
        .args(["--yes"])
        .on_terminal(100, &interrupt)
        .spawn()
        .await;
    running.line_containing("Interrupted: finishing").await;
    gate.open();
    let run = running.wait().await.expect_status(130);
    // The held step is completed, and other steps may have been completed before.
    let lines = run.lines();
    let is_created = |line: &String| line.contains("+ created sns subscription ");
    assert!(lines.iter().any(is_created), "{lines:#?}");
}

#[tokio::test]
async fn reason_of_wait_is_shown_on_terminal() {
    let org = Organization::on(Engine::Ministack).build().await;
    let code = "AWS.SimpleQueueService.QueueDeletedRecently";
    let refused = FaultAction::refuse(400, code, "You must wait 60 seconds");
    org.proxy().fault(Fault::new("sqs", "CreateQueue", refused));
    let interrupt = [(", waiting: ", CTRL_C)];
    let run = setup(&org).args(["--yes"]).on_terminal(200, &interrupt);
    let run = run.run().await.expect_status(130);
    assert!(
        run.stdout
            .contains("creating sqs queue heeler_event_collection_queue_dlq, waiting: "),
        "{}",
        run.stdout
    );
}
