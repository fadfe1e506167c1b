//! Prints a shell completion script.

use std::fmt::Write;

use clap::builder::PossibleValue;
use clap::{Arg, Command, ValueHint};
use clap_complete::{Shell, generate};
use serde_json::json;

use super::{CommandOutcome, Context};
use crate::cli;
use crate::render::OutputFormat;
use crate::render::document::Document;

const PROGRAM: &str = env!("CARGO_PKG_NAME");

pub(super) fn run(context: &Context, shell: Shell) -> CommandOutcome {
    let script = completion_script(shell);
    CommandOutcome::result(match context.ui.format() {
        OutputFormat::Json => {
            Document::Json(json!({ "shell": shell.to_string(), "script": script }))
        }
        OutputFormat::Text | OutputFormat::Csv => Document::Text(script),
    })
}

/// Returns the completion script of the program for a shell.
#[must_use]
pub fn completion_script(shell: Shell) -> String {
    let mut command = without_file_names(cli::command());
    let mut script = Vec::new();
    generate(shell, &mut command, PROGRAM, &mut script);
    let script = String::from_utf8_lossy(&script).into_owned();
    match shell {
        Shell::Bash => with_consistent_names(&script),
        Shell::Fish => script + &fish_argument_values(&command),
        _ => script,
    }
}

/// Marks the values that are not file names: bash would complete them as file names.
fn without_file_names(command: Command) -> Command {
    let mark = |arg: Arg| match arg.get_value_hint() {
        ValueHint::Unknown if arg.get_action().takes_values() => arg.value_hint(ValueHint::Other),
        _ => arg,
    };
    command.mut_args(mark).mut_subcommands(without_file_names)
}

/// Makes the script write the hyphen of the program's name in one way.
///
/// `clap_complete` 4.6 sets the variable to `heeler__ec__subcmd__plan` and then compares it with
/// `heeler__subcmd__ec__subcmd__plan`, so that nothing would be completed after a command.
fn with_consistent_names(script: &str) -> String {
    script.replace(
        &PROGRAM.replace('-', "__subcmd__"),
        &PROGRAM.replace('-', "__"),
    )
}

/// Returns the values of arguments that are not options, which `clap_complete` 4.6 omits for fish.
fn fish_argument_values(command: &Command) -> String {
    let mut script = String::new();
    for command in command.get_subcommands() {
        let values = command.get_positionals().flat_map(|argument| {
            let values = argument.get_possible_values().into_iter();
            values.filter(|value| !value.is_hide_set())
        });
        for value in values {
            let _ = writeln!(script, "{}", fish_value(command.get_name(), &value));
        }
    }
    script
}

fn fish_value(command: &str, value: &PossibleValue) -> String {
    let condition = format!(
        "__fish_{}_using_subcommand {command}",
        PROGRAM.replace('-', "_")
    );
    let mut line = format!(
        "complete -c {PROGRAM} -n \"{condition}\" -f -a \"{}\"",
        value.get_name()
    );
    if let Some(help) = value.get_help() {
        let _ = write!(line, " -d '{}'", help.to_string().replace('\'', "\\'"));
    }
    line
}
