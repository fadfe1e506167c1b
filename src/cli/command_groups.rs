//! The commands by purpose, as the help of the program lists them.

use std::fmt::Write;

use clap::Command;
use clap::builder::{PossibleValue, PossibleValuesParser, Styles};

use super::examples::examples;
use super::exit_codes::exit_codes;
use super::help_topics::TOPICS;

/// The headings and the commands under them. Any other command is listed under the last heading.
const GROUPS: &[(&str, &[&str])] = &[
    ("Set up", &["preflight", "plan", "setup", "outputs"]),
    (
        "Verify",
        &["status", "verify", "tail", "coverage", "list", "support"],
    ),
    ("Change", &["dlq", "destroy", "restore"]),
    (
        "Reference",
        &["explain", "policy", "cost", "export", "completions", "help"],
    ),
];

/// Adds the list of commands to the help of the program, and the examples and exit codes to the help of each command.
pub(super) fn with_help_texts(mut command: Command) -> Command {
    let template = format!(
        "{{before-help}}{{about-with-newline}}\n{{usage-heading}} {{usage}}\n\n{}{{options}}{{after-help}}",
        command_list(&command)
    );
    command = command.help_template(template).after_help(topic_list());
    let values = help_values(&command);
    command = command.mut_subcommand("help", |help| {
        help.mut_arg("topic", |topic| {
            let topic = topic.value_parser(PossibleValuesParser::new(values));
            topic.hide_possible_values(true)
        })
    });
    command.mut_subcommands(|subcommand| {
        let name = subcommand.get_name();
        let parts = [example_text(name), exit_code_text(name)];
        let parts: Vec<String> = parts.into_iter().filter(|part| !part.is_empty()).collect();
        if parts.is_empty() {
            subcommand
        } else {
            subcommand.after_help(parts.join("\n\n"))
        }
    })
}

fn command_list(root: &Command) -> String {
    let styles = Styles::styled();
    let (heading_style, name_style) = (styles.get_header(), styles.get_literal());
    let width = root.get_subcommands().map(|each| each.get_name().len());
    let width = width.max().unwrap_or_default();
    let mut text = String::new();
    for (number, (heading, names)) in GROUPS.iter().enumerate() {
        let is_last = number + 1 == GROUPS.len();
        let _ = writeln!(text, "{heading_style}{heading}:{heading_style:#}");
        let is_known = |name: &str| GROUPS.iter().any(|(_, names)| names.contains(&name));
        let named = names.iter().filter_map(|name| root.find_subcommand(name));
        let others = root.get_subcommands();
        let others = others.filter(|each| is_last && !is_known(each.get_name()));
        for command in named.chain(others) {
            let about = command.get_about().map(ToString::to_string);
            let _ = writeln!(
                text,
                "  {name_style}{:<width$}{name_style:#}  {}",
                command.get_name(),
                about.unwrap_or_default()
            );
        }
        text.push('\n');
    }
    let _ = writeln!(text, "{heading_style}Options:{heading_style:#}");
    text
}

/// The topics and the commands, which `help` accepts and the shells complete.
fn help_values(root: &Command) -> Vec<PossibleValue> {
    let topics = TOPICS.iter();
    let topics = topics.map(|(name, summary)| PossibleValue::new(*name).help(*summary));
    let commands = GROUPS.iter().flat_map(|(_, names)| names.iter());
    let commands = commands.filter_map(|name| {
        let about = root.find_subcommand(name)?.get_about().cloned();
        Some(PossibleValue::new(*name).help(about.unwrap_or_default()))
    });
    topics.chain(commands).collect()
}

fn topic_list() -> String {
    let mut text = String::from("Help topics (heeler-ec help TOPIC):\n");
    for (name, summary) in TOPICS {
        let _ = writeln!(text, "  {name:<12} {summary}");
    }
    text + "\nStart with: heeler-ec preflight"
}

fn example_text(command: &str) -> String {
    let examples = examples(command);
    if examples.is_empty() {
        return String::new();
    }
    let examples = examples
        .iter()
        .map(|(purpose, command)| format!("  {purpose}:\n    {command}"));
    format!("Examples:\n{}", examples.collect::<Vec<_>>().join("\n"))
}

fn exit_code_text(command: &str) -> String {
    let codes = exit_codes(command);
    if codes.is_empty() {
        return String::new();
    }
    let codes = codes
        .iter()
        .map(|(code, meaning)| format!("  {code}  {meaning}"));
    let codes = codes.collect::<Vec<_>>().join("\n");
    format!("Exit codes (others: heeler-ec help exit-codes):\n{codes}")
}
