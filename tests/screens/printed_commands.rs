//! Every command that a screen prints works when it is pasted.

use std::collections::BTreeMap;
use std::fs;

use clap::{CommandFactory, Parser};
use heeler_ec::cli::Cli;
use testkit::awscli;

use super::screen::folder;
use crate::verdicts::without_profile;

/// Words in printed commands that the user replaces, and examples of what they mean.
const PLACEHOLDERS: [(&str, &str); 2] = [
    ("ARN", "arn:aws:iam::111122223333:role/heeler"),
    ("PROFILE", "organization"),
];

/// Each command that starts with the program's name, and the snapshots that print it.
///
/// Wrapped text is not searched: the widest terminal and pipes show each command in one line.
fn printed_commands(program: &str) -> BTreeMap<String, Vec<String>> {
    let mut commands: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for entry in fs::read_dir(folder()).expect("the snapshots") {
        let path = entry.expect("a file").path();
        let snapshot = fs::read_to_string(&path).expect("a snapshot");
        let sections = snapshot.split(super::screen::SECTION).skip(1);
        let whole = sections.filter(|section| {
            let title = section.lines().next().unwrap_or_default();
            title == "200 columns" || title.starts_with("standard")
        });
        for line in whole.flat_map(str::lines) {
            for command in commands_in(line, program) {
                let name = path.file_stem().unwrap_or_default().to_string_lossy();
                commands.entry(command).or_default().push(name.into_owned());
            }
        }
    }
    commands
}

/// The commands in a line: text between backticks, or the rest of a line that has nothing before the command but a label.
fn commands_in(line: &str, program: &str) -> Vec<String> {
    let start = format!("{program} ");
    let quoted = line.split('`').skip(1).step_by(2);
    let quoted: Vec<String> = quoted
        .filter(|text| text.starts_with(&start))
        .map(str::to_owned)
        .collect();
    if !quoted.is_empty() {
        return quoted;
    }
    let (label, text) = line.split_once(&start).unwrap_or((line, ""));
    let label = label.trim();
    // `Usage: heeler-ec [OPTIONS]` is a pattern, and `aws = {` is Terraform's.
    let is_command = text.starts_with(|c: char| c.is_ascii_lowercase())
        && (label.is_empty() || label.ends_with(':'));
    is_command
        .then(|| format!("{start}{}", text.trim_end()))
        .into_iter()
        .collect()
}

#[test]
fn printed_commands_of_the_program_are_valid() {
    let commands = printed_commands("heeler-ec");
    assert!(commands.len() > 10, "{commands:?}");
    Cli::command().debug_assert();
    let mut invalid = Vec::new();
    for (command, screens) in &commands {
        let mut words = shlex::split(command).unwrap_or_default();
        for word in &mut words {
            if let Some((_, example)) = PLACEHOLDERS.iter().find(|(name, _)| name == word) {
                (*example).clone_into(word);
            }
        }
        if let Err(error) = Cli::try_parse_from(words) {
            invalid.push(format!("{command}\n  in {screens:?}\n  {error}"));
        }
    }
    assert!(invalid.is_empty(), "{}", invalid.join("\n"));
}

#[test]
fn printed_commands_of_the_aws_cli_are_valid() {
    let commands = printed_commands("aws");
    assert!(!commands.is_empty());
    let lines: Vec<String> = commands.keys().map(|line| without_profile(line)).collect();
    let lines: Vec<&String> = lines.iter().collect();
    let results = awscli::parse(&lines).into_iter().zip(&commands);
    let invalid: Vec<String> = results
        .filter_map(|(result, (command, screens))| {
            let error = result.err()?;
            Some(format!("{command}\n  in {screens:?}\n  {error}"))
        })
        .collect();
    assert!(invalid.is_empty(), "{}", invalid.join("\n"));
}
