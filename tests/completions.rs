//! Completion in bash, zsh and fish.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Write;
use std::process::{Command, Stdio};

use clap::{Arg, ArgAction, ValueHint};
use heeler_ec::cli;
use testkit::{emulator, skip};

/// A file in the folder in which the shells complete.
const FILE: &str = "backup.json";

/// Completes each command line in a shell. Returns `None`, with a notice, if the shell is not installed.
fn complete(shell: &str, lines: &[String]) -> Option<BTreeMap<String, BTreeSet<String>>> {
    let home = tempfile::tempdir().expect("a folder");
    let script = home.path().join("script");
    std::fs::write(home.path().join(FILE), "").expect("a file");
    let printed = Command::new(env!("CARGO_BIN_EXE_heeler-ec"))
        .args(["completions", shell])
        .output()
        .expect("the program");
    std::fs::write(&script, printed.stdout).expect("a file");
    let driver = format!("tests/shells/complete.{shell}");
    let started = Command::new(shell)
        .args(match shell {
            "zsh" => &["-f"][..],
            "fish" => &["--no-config"],
            _ => &["--norc"],
        })
        .arg(emulator::repository().join(driver))
        .arg(&script)
        .current_dir(home.path())
        .env_clear()
        .env("PATH", std::env::var_os("PATH").unwrap_or_default())
        .env("HOME", home.path())
        .env("TERM", "xterm")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn();
    let Ok(mut child) = started else {
        skip::report(
            shell,
            &format!("completion in {shell}"),
            &format!("install {shell}"),
        );
        return None;
    };
    let input = lines.iter().map(|line| format!("{line}\n"));
    let mut stdin = child.stdin.take().expect("a pipe");
    stdin
        .write_all(input.collect::<String>().as_bytes())
        .expect("a shell that reads");
    drop(stdin);
    let output = child.wait_with_output().expect("the end of the shell");
    let output = String::from_utf8(output.stdout).expect("text");
    let mut completions: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    let mut line = String::new();
    for text in output.lines() {
        if let Some(next) = text.strip_prefix("> ") {
            next.clone_into(&mut line);
            completions.entry(line.clone()).or_default();
        } else {
            completions
                .entry(line.clone())
                .or_default()
                .insert(text.trim().to_owned());
        }
    }
    Some(completions)
}

/// The completions that a command line must have.
enum Expected {
    /// No others.
    Exactly(BTreeSet<String>),
    /// Others, too, such as options.
    AtLeast(BTreeSet<String>),
}

fn takes_value(arg: &Arg) -> bool {
    matches!(arg.get_action(), ArgAction::Set | ArgAction::Append)
}

fn takes_file(arg: &Arg) -> bool {
    takes_value(arg)
        && matches!(
            arg.get_value_hint(),
            ValueHint::AnyPath | ValueHint::FilePath
        )
}

fn values(arg: &Arg) -> BTreeSet<String> {
    let values = arg.get_possible_values().into_iter();
    let visible = values.filter(|value| !value.is_hide_set());
    visible.map(|value| value.get_name().to_owned()).collect()
}

/// The command lines to complete: the commands, and the options and values behind each command.
fn command_lines() -> BTreeMap<String, Expected> {
    let mut root = cli::command();
    root.build();
    let commands = root
        .get_subcommands()
        .map(|command| command.get_name().to_owned());
    let commands = Expected::AtLeast(commands.collect());
    let mut lines = BTreeMap::from([("heeler-ec ".to_owned(), commands)]);
    for command in root
        .get_subcommands()
        .filter(|command| command.get_name() != "help")
    {
        let name = command.get_name();
        let visible = || command.get_arguments().filter(|arg| !arg.is_hide_set());
        let names = visible().filter_map(clap::Arg::get_long_and_visible_aliases);
        let options = names.flatten().map(|name| format!("--{name}"));
        lines.insert(
            format!("heeler-ec {name} --"),
            Expected::Exactly(options.collect()),
        );
        for arg in visible().filter(|arg| takes_file(arg)) {
            let option = arg.get_long().map(|long| format!("--{long} "));
            let line = format!("heeler-ec {name} {}ba", option.unwrap_or_default());
            lines.insert(line, Expected::Exactly(BTreeSet::from([FILE.to_owned()])));
        }
        for arg in visible().filter(|arg| takes_value(arg) && !values(arg).is_empty()) {
            if let Some(long) = arg.get_long() {
                for before in ["", "--quiet ", "--profile organization "] {
                    let line = format!("heeler-ec {before}{name} --{long} ");
                    lines.insert(line, Expected::Exactly(values(arg)));
                }
            } else {
                lines.insert(format!("heeler-ec {name} "), Expected::AtLeast(values(arg)));
            }
            if let Some(short) = arg.get_short() {
                let line = format!("heeler-ec {name} -{short} ");
                lines.insert(line, Expected::Exactly(values(arg)));
            }
        }
    }
    lines
}

fn assert_completes(shell: &str) {
    let expected = command_lines();
    let files = expected.keys().filter(|line| line.ends_with(" ba"));
    assert!(files.count() >= 7, "{:?}", expected.keys());
    let lines: Vec<String> = expected.keys().cloned().collect();
    let Some(completions) = complete(shell, &lines) else {
        return;
    };
    let mut differences = Vec::new();
    for (line, expected) in &expected {
        let found = completions.get(line).cloned().unwrap_or_default();
        let (expected, is_complete) = match expected {
            Expected::Exactly(expected) => (expected, *expected == found),
            Expected::AtLeast(expected) => (expected, expected.is_subset(&found)),
        };
        if !is_complete {
            differences.push(format!("{line:?}: {found:?} instead of {expected:?}"));
        }
    }
    assert!(
        differences.is_empty(),
        "{shell}:\n{}",
        differences.join("\n")
    );
    assert!(lines.len() > 60, "{lines:?}");
}

#[test]
fn bash_completes_options_and_values() {
    assert_completes("bash");
}

#[test]
fn zsh_completes_options_and_values() {
    assert_completes("zsh");
}

#[test]
fn fish_completes_options_and_values() {
    assert_completes("fish");
}

/// Runs the test of zsh in a process that finds no programs, with one more environment variable.
fn zsh_test_without_programs(name: &str, value: &str) -> std::process::Output {
    let test = "completions::zsh_completes_options_and_values";
    Command::new(std::env::current_exe().expect("the path of the tests"))
        .args([test, "--exact"])
        .env("PATH", "/nonexistent")
        .env_remove("HEELER_EC_REQUIRED")
        .env_remove("HEELER_EC_SKIPPED")
        .env(name, value)
        .output()
        .expect("the tests")
}

#[test]
fn skipped_tests_are_reported() {
    let folder = tempfile::tempdir().expect("a folder");
    let report = folder.path().join("skipped.txt");
    let run = zsh_test_without_programs("HEELER_EC_SKIPPED", &report.to_string_lossy());
    assert!(run.status.success(), "{run:?}");
    let report = std::fs::read_to_string(report).expect("the report");
    assert_eq!(report, "completion in zsh: zsh is missing (install zsh)\n");
}

#[test]
fn required_tests_fail_instead_of_being_skipped() {
    let run = zsh_test_without_programs("HEELER_EC_REQUIRED", "bash fish zsh");
    assert!(!run.status.success(), "{run:?}");
    let output = String::from_utf8_lossy(&run.stdout);
    assert!(
        output.contains("zsh is missing, but HEELER_EC_REQUIRED lists it: install zsh"),
        "{output}"
    );
}
