//! The help of the program and of its commands, the help topics, and the version.

use heeler_ec::check_id::CheckId;
use heeler_ec::cli;
use heeler_ec::cli::examples::examples;
use heeler_ec::cli::exit_codes::exit_codes;
use heeler_ec::cli::help_topics::{TOPICS, topic_text};
use snapbox::str;
use testkit::{Engine, Organization};

use crate::commands::heeler_ec;
use crate::whole_output::assert_stderr;

#[test]
fn every_command_has_valid_examples() {
    let root = cli::command();
    for command in root.get_subcommands() {
        let name = command.get_name();
        let examples = examples(name);
        assert!(
            (2..=4).contains(&examples.len()),
            "{name}: {}",
            examples.len()
        );
        for (_, line) in &examples {
            let line = line.split(['>', '|']).next().unwrap_or_default();
            if line.starts_with("source ") {
                continue;
            }
            let words = shlex::split(line).expect("words of a shell");
            let words: Vec<std::ffi::OsString> = words.iter().map(Into::into).collect();
            let parsed = cli::parse(&words, false);
            assert!(parsed.is_ok(), "{line}: {}", parsed.unwrap_err());
        }
    }
}

#[test]
fn help_lists_exit_codes_of_the_program() {
    let mut root = cli::command();
    let program = topic_text(&root, "exit-codes").expect("a topic");
    root.build();
    for command in root.get_subcommands_mut() {
        let name = command.get_name().to_owned();
        let codes = exit_codes(&name);
        let help = command.render_help().to_string();
        assert_eq!(help.contains("Exit codes ("), !codes.is_empty(), "{name}");
        for (code, meaning) in codes {
            let is_listed = program.contains(&format!("\n  {code:<4} "));
            assert!(is_listed, "{name}: {code}");
            assert!(help.contains(&format!("\n  {code}  {meaning}")), "{help}");
            assert!(meaning.len() <= 74, "{name}: {meaning}");
        }
    }
}

#[test]
fn help_lists_every_command_once() {
    let mut root = cli::command();
    let text = root.render_help().to_string();
    for heading in ["Set up:", "Verify:", "Change:", "Reference:", "Help topics"] {
        assert!(text.contains(heading), "{text}");
    }
    for command in root.get_subcommands() {
        let start = format!("\n  {} ", command.get_name());
        assert_eq!(text.matches(&start).count(), 1, "{start}: {text}");
        let help = ["heeler-ec".into(), "help".into(), command.get_name().into()];
        assert!(cli::parse(&help, false).is_ok(), "{}", command.get_name());
    }
}

#[test]
fn topics_name_all_checks_and_variables() {
    let mut root = cli::command();
    root.build();
    let topic = |name| topic_text(&root, name).expect("a topic");
    for (name, _) in TOPICS {
        assert!(topic(name).lines().count() > 5, "{name}");
        let widest = topic(name).lines().map(str::len).max();
        assert!(
            *name == "checks" || widest <= Some(80),
            "{name}: {widest:?}"
        );
    }
    for command in root.get_subcommands() {
        let output = command.get_arguments().find(|arg| arg.get_id() == "output");
        for value in output.iter().flat_map(|arg| arg.get_possible_values()) {
            let line = format!("\n  -o {} ", value.get_name());
            assert!(topic("output").contains(&line), "{line}");
        }
    }
    for id in CheckId::ALL {
        assert!(topic("checks").contains(id.as_str()), "{id}");
    }
    for name in ["HEELER_EC_REGION", "HEELER_EC_EXTERNAL_ID", "NO_COLOR"] {
        assert!(topic("environment").contains(name), "{name}");
    }
    assert!(!topic("environment").contains("HEELER_EC_YES"));
    assert_eq!(topic_text(&root, "nothing"), None);
}

#[tokio::test]
async fn help_and_usage_errors_respect_color_and_locale() {
    let org = Organization::on(Engine::Ministack).build().await;
    for words in [
        &["--help"][..],
        &["plan", "-h"],
        &["help", "plan"],
        &["stup"],
    ] {
        let run = |color: &str| {
            let run = heeler_ec(&org).args(words).args(["--color", color]);
            run.on_terminal(100, &[])
        };
        let never = run("never").run().await;
        assert!(
            !never.stdout.contains('\u{1b}'),
            "{words:?}: {}",
            never.stdout
        );
        let always = run("always").run().await;
        assert!(
            always.stdout.contains('\u{1b}'),
            "{words:?}: {}",
            always.stdout
        );
        let variable = heeler_ec(&org).args(words).env("HEELER_EC_COLOR", "always");
        let variable = variable.run().await;
        let text = format!("{}{}", variable.stdout, variable.stderr);
        assert!(text.contains('\u{1b}'), "{words:?}: {text}");
    }
    let ascii = heeler_ec(&org).args(["setup", "--help"]).env("LC_ALL", "C");
    let ascii = ascii.run().await.expect_status(0).stdout;
    assert!(ascii.is_ascii(), "{ascii}");
}

#[tokio::test]
async fn help_topics_and_version_details_are_printed() {
    let org = Organization::on(Engine::Ministack).build().await;
    let run = heeler_ec(&org).args(["help", "exit-codes"]);
    let run = run.run().await.expect_status(0);
    assert!(
        run.stdout.starts_with("Exit codes:\n  0 "),
        "{}",
        run.stdout
    );
    let run = heeler_ec(&org).args(["help", "nothing"]);
    let run = run.run().await.expect_status(2);
    assert_stderr(
        &org,
        &run,
        str![[r"
error: invalid value 'nothing' for '[TOPIC]'
  [possible values: environment, exit-codes, output, checks, preflight, plan, setup, outputs, status, verify, tail, coverage, list, support, dlq, destroy, restore, explain, policy, cost, export, completions, help]

For more information, try '--help'.

"]],
    );
    let run = heeler_ec(&org).args(["--version", "--verbose"]);
    let text = run.run().await.expect_status(0).stdout;
    for part in [
        "heeler-ec ",
        "\ncommit: ",
        "\ndate:   ",
        "\ntarget: ",
        "\nrust:   rustc ",
    ] {
        assert!(text.contains(part), "{text}");
    }
    let run = heeler_ec(&org).args(["--version"]);
    let text = run.run().await.expect_status(0).stdout;
    assert_eq!(text.lines().count(), 1, "{text}");
}
