//! The generated files are up to date: completions, manual pages, and the pages and tables of `docs`.
//!
//! `make generate` writes them. Without it, the tests fail if a file differs.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;
use std::path::{Path, PathBuf};

use clap::builder::StyledStr;
use clap::{Arg, ArgAction, Command};
use clap_complete::{Generator, Shell};
use clap_mangen::Man;
use heeler_ec::check::{Check, CheckId};
use heeler_ec::cli;
use heeler_ec::cli::examples::examples;
use heeler_ec::cli::exit_codes::exit_codes;
use heeler_ec::cli::help_topics::topic_text;
use heeler_ec::command::completion_script;
use heeler_ec::naming::ResourceNames;
use heeler_ec::option::{OPTIONS, permissions_of};
use heeler_ec::permissions::scope::PolicyScope;
use heeler_ec::permissions::statement::Statement;
use heeler_ec::permissions::{
    CommandName, PermittedCommand, all_placeholders, document, statements,
};

use crate::command_permissions::{command, preflight, setup_with_rollback};

const SHELLS: [Shell; 5] = [
    Shell::Bash,
    Shell::Elvish,
    Shell::Fish,
    Shell::PowerShell,
    Shell::Zsh,
];

#[test]
fn generated_files_are_up_to_date() {
    let mut stale = Vec::new();
    for (path, wanted) in generated_files() {
        let path = root().join(path);
        if std::env::var_os("HEELER_EC_GENERATE").is_some() {
            std::fs::create_dir_all(path.parent().expect("a folder"))
                .expect("the folder is created");
            std::fs::write(&path, wanted).expect("the file is written");
        } else if std::fs::read_to_string(&path).unwrap_or_default() != wanted {
            stale.push(path.display().to_string());
        }
    }
    assert!(
        stale.is_empty(),
        "outdated files, run `make generate`:\n{}",
        stale.join("\n")
    );
}

#[test]
fn manual_describes_every_option() {
    let root = documented_command();
    let pages = std::iter::once(&root).chain(root.get_subcommands());
    for page in pages.map(man_page) {
        for option in page.split("\n.TP\n").skip(1) {
            let description = option.lines().nth(1).unwrap_or_default();
            assert!(!description.is_empty(), "{option}");
        }
    }
}

#[test]
fn no_stale_generated_files() {
    let wanted = generated_files();
    for (folder, ending) in [("completions", ""), ("docs", "1")] {
        for entry in std::fs::read_dir(root().join(folder)).expect("the folder is committed") {
            let name = entry
                .expect("an entry")
                .file_name()
                .into_string()
                .expect("a plain name");
            let is_generated = ending.is_empty()
                || Path::new(&name)
                    .extension()
                    .is_some_and(|found| found == ending);
            let path = format!("{folder}/{name}");
            assert!(
                !is_generated || wanted.contains_key(&path),
                "nothing generates {path}: delete it"
            );
        }
    }
}

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

/// The path and content of each generated file. The content does not depend on the terminal, the date or the version.
fn generated_files() -> BTreeMap<String, String> {
    let mut files = BTreeMap::new();
    for shell in SHELLS {
        files.insert(
            format!("completions/{}", shell.file_name("heeler-ec")),
            utf8_text(completion_script(shell).into_bytes()),
        );
    }
    let root = documented_command();
    for command in std::iter::once(&root).chain(root.get_subcommands()) {
        files.insert(format!("docs/{}.1", page_name(command)), man_page(command));
    }
    files.insert("docs/commands.md".to_owned(), manual_page(&root));
    files.insert("docs/policies.md".to_owned(), policies_page());
    for (path, tables) in [
        ("docs/permissions.md", permissions_tables()),
        ("docs/checks/README.md", checks_tables()),
    ] {
        files.insert(path.to_owned(), page_with_tables(path, &tables));
    }
    files
}

/// The command line with everything that clap adds, except the subcommand `help`.
fn documented_command() -> Command {
    let mut root = cli::command();
    root.build();
    root
}

fn page_name(command: &Command) -> String {
    command
        .get_display_name()
        .unwrap_or(command.get_name())
        .to_owned()
}

/// One page of the manual. Its title line is written here, because clap's contains the version and no empty date.
fn man_page(command: &Command) -> String {
    // The manual has no description of an option that the short help hides.
    let described = command.clone().mut_args(|arg| arg.hide_short_help(false));
    let man = Man::new(described);
    let mut page = Vec::new();
    let mut write = |section: fn(&Man, &mut dyn std::io::Write) -> std::io::Result<()>| {
        section(&man, &mut page).expect("writing to memory succeeds");
    };
    write(Man::render_name_section);
    write(Man::render_description_section);
    write(Man::render_options_section);
    if command.has_subcommands() {
        write(Man::render_subcommands_section);
    }
    // Each section begins with the same definition of the apostrophe. The page needs it once.
    let mut page = utf8_text(page).replace(APOSTROPHE, "");
    let description = page
        .find(".SH DESCRIPTION")
        .expect("a section that clap writes");
    page.insert_str(description, &synopsis_section(command));
    page.push_str(&further_sections(command));
    format!(
        "{APOSTROPHE}.TH {} 1 \"\" heeler-ec \"heeler-ec manual\"\n{page}",
        page_name(command)
    )
}

/// The usage of a command in one line. The one of clap lists every option without its value.
fn synopsis_section(command: &Command) -> String {
    let name = bin_name(command).replace('-', "\\-");
    let subcommand = if command.has_subcommands() {
        " \\fICOMMAND\\fR"
    } else {
        ""
    };
    let mut line = format!("\\fB{name}\\fR{subcommand} [\\fIOPTIONS\\fR]");
    for arg in command.get_arguments().filter(|arg| arg.is_positional()) {
        let value = option_spelling(arg, false);
        let value = value.trim_matches(['<', '>']);
        let many = arg
            .get_num_args()
            .is_some_and(|count| count.max_values() > 1);
        let value = format!("\\fI{value}\\fR{}", if many { "..." } else { "" });
        if arg.is_required_set() {
            let _ = write!(line, " {value}");
        } else {
            let _ = write!(line, " [{value}]");
        }
    }
    format!(".SH SYNOPSIS\n{line}\n")
}

/// The examples of a command, or the topics of the program, as sections of the manual.
fn further_sections(command: &Command) -> String {
    let escape = |text: &str| text.replace('\\', "\\e").replace('-', "\\-");
    let mut text = String::new();
    let examples = examples(command.get_name());
    if !examples.is_empty() {
        text.push_str(".SH EXAMPLES\n");
    }
    for (purpose, line) in examples {
        let _ = write!(
            text,
            ".PP\n{}:\n.PP\n.RS 4\n.nf\n{}\n.fi\n.RE\n",
            escape(&purpose),
            escape(&line)
        );
    }
    let codes = exit_codes(command.get_name());
    if !codes.is_empty() {
        text.push_str(".SH \"EXIT STATUS\"\n");
    }
    for (code, meaning) in codes {
        let _ = write!(text, ".TP\n\\fB{code}\\fR\n{}\n", escape(meaning));
    }
    if !codes.is_empty() {
        text.push_str(".PP\nheeler\\-ec(1) lists the other codes.\n");
    }
    if command.has_subcommands() {
        for (topic, heading) in [
            ("exit-codes", "EXIT STATUS"),
            ("environment", "ENVIRONMENT"),
        ] {
            let topic = topic_text(command, topic).expect("a topic");
            let _ = write!(text, ".SH \"{heading}\"\n.nf\n{}.fi\n", escape(&topic));
        }
    }
    let see_also = if command.has_subcommands() {
        let pages = command.get_subcommands();
        let pages = pages.map(|page| format!("{}(1)", page_name(page)));
        pages.collect::<Vec<_>>().join(", ")
    } else {
        "heeler-ec(1)".to_owned()
    };
    let _ = write!(text, ".SH \"SEE ALSO\"\n{}\n", escape(&see_also));
    text
}

const APOSTROPHE: &str = ".ie \\n(.g .ds Aq \\(aq\n.el .ds Aq '\n";

/// All commands and options in one page of Markdown.
fn manual_page(root: &Command) -> String {
    let mut page = String::from(
        "# heeler-ec, command by command\n\n\
         <!-- Made from the program by `make generate`; do not edit. -->\n\n",
    );
    let _ = writeln!(page, "{}\n", about_text(root));
    for command in root.get_subcommands() {
        let _ = writeln!(
            page,
            "- [`{}`](#{}): {}",
            bin_name(command),
            bin_name(command).replace(' ', "-"),
            plain_text(command.get_about())
        );
    }
    if let Some(after) = root.get_after_help() {
        let _ = write!(page, "\n```text\n{}\n```\n", plain_text(Some(after)));
    }
    page.push_str("\n## Global options\n\nThey can be before or after the name of a command.\n\n");
    for arg in root
        .get_arguments()
        .filter(|arg| arg.is_global_set() || is_built_in(arg))
    {
        page.push_str(&option_description(arg));
    }
    for command in root.get_subcommands() {
        let _ = writeln!(
            page,
            "\n## {}\n\n{}\n",
            bin_name(command),
            about_text(command)
        );
        let _ = writeln!(page, "```text\n{}\n```", usage_line(command));
        let own = |arg: &&Arg| !arg.is_global_set() && !is_built_in(arg);
        let (positional, options): (Vec<_>, Vec<_>) = command
            .get_arguments()
            .filter(own)
            .partition(|arg| arg.is_positional());
        let examples = examples(command.get_name());
        if !examples.is_empty() {
            page.push_str("\nExamples:\n\n```sh\n");
        }
        for (number, (purpose, line)) in examples.iter().enumerate() {
            let gap = if number == 0 { "" } else { "\n" };
            let _ = writeln!(page, "{gap}# {purpose}\n{line}");
        }
        if !examples.is_empty() {
            page.push_str("```\n");
        }
        for (heading, args) in [("Arguments", positional), ("Options", options)] {
            if !args.is_empty() {
                let _ = writeln!(page, "\n{heading}:\n");
                for arg in args {
                    page.push_str(&option_description(arg));
                }
            }
        }
    }
    page
}

fn is_built_in(arg: &Arg) -> bool {
    matches!(arg.get_id().as_str(), "help" | "version")
}

fn bin_name(command: &Command) -> &str {
    command.get_bin_name().unwrap_or(command.get_name())
}

/// The long description, or the short one if there is no other.
fn about_text(command: &Command) -> String {
    plain_text(command.get_long_about().or_else(|| command.get_about()))
}

fn usage_line(command: &Command) -> String {
    let mut line = bin_name(command).to_owned();
    let own = |arg: &&Arg| !is_built_in(arg) && !arg.is_global_set();
    for arg in command
        .get_arguments()
        .filter(own)
        .filter(|arg| arg.is_required_set())
    {
        line.push(' ');
        line.push_str(&option_spelling(arg, false));
    }
    line.push_str(" [OPTIONS]");
    line
}

/// `-o, --output <OUTPUT>`, or without the short form.
fn option_spelling(arg: &Arg, with_short: bool) -> String {
    let value = takes_value(arg).then(|| {
        let names = arg.get_value_names().unwrap_or_default();
        names
            .iter()
            .map(|name| format!("<{name}>"))
            .collect::<Vec<_>>()
            .join(" ")
    });
    let names: Vec<String> = [
        arg.get_short()
            .filter(|_| with_short)
            .map(|short| format!("-{short}")),
        arg.get_long().map(|long| format!("--{long}")),
    ]
    .into_iter()
    .flatten()
    .collect();
    [names.join(", "), value.unwrap_or_default()]
        .join(" ")
        .trim()
        .to_owned()
}

fn takes_value(arg: &Arg) -> bool {
    arg.is_positional() || matches!(arg.get_action(), ArgAction::Set | ArgAction::Append)
}

fn option_description(arg: &Arg) -> String {
    let mut item = format!("- `{}`", option_spelling(arg, true));
    let help = plain_text(arg.get_long_help().or_else(|| arg.get_help()));
    let _ = write!(item, ": {}", help.replace('\n', "\n  "));
    let mut notes = Vec::new();
    if arg.is_required_set() && !arg.is_positional() {
        notes.push("required".to_owned());
    }
    if takes_value(arg) {
        let defaults: Vec<_> = arg
            .get_default_values()
            .iter()
            .map(|value| value.to_string_lossy())
            .collect();
        if !defaults.is_empty() {
            notes.push(format!("default `{}`", defaults.join(" ")));
        }
    }
    if let Some(variable) = arg.get_env() {
        notes.push(format!("environment `{}`", variable.to_string_lossy()));
    }
    if !notes.is_empty() {
        let _ = write!(item, " ({})", notes.join(", "));
    }
    item.push('\n');
    if takes_value(arg) && !arg.is_hide_possible_values_set() {
        for value in arg.get_possible_values() {
            let help = value
                .get_help()
                .map(|help| format!(": {}", plain_text(Some(help))));
            let _ = writeln!(
                item,
                "  - `{}`{}",
                value.get_name(),
                help.unwrap_or_default()
            );
        }
    }
    item
}

fn plain_text(text: Option<&StyledStr>) -> String {
    text.map(ToString::to_string).unwrap_or_default()
}

fn utf8_text(bytes: Vec<u8>) -> String {
    let text = String::from_utf8(bytes).expect("generated files are text");
    // Some generators write spaces at the ends of lines.
    let mut lines: Vec<&str> = text.lines().map(str::trim_end).collect();
    while lines.last().is_some_and(|line| line.is_empty()) {
        lines.pop();
    }
    lines.join("\n") + "\n"
}

/// The policy of every command, with placeholders.
fn policies_page() -> String {
    let mut page = String::from(
        "# Policies\n\n\
         <!-- Made from the program by `make generate`; do not edit. -->\n\n\
         The complete IAM policy of each command. `heeler-ec policy COMMAND` prints them with the \
         names of your\naccount. See [permissions.md](permissions.md).\n\n\
         | placeholder | stands for |\n| --- | --- |\n",
    );
    for (name, meaning) in all_placeholders(&permissions_of(None)) {
        let _ = writeln!(page, "| `{name}` | {meaning} |");
    }
    let mut commands = vec![
        ("preflight".to_owned(), preflight(None, false, false)),
        (
            "preflight --deep --fix".to_owned(),
            preflight(None, true, true),
        ),
    ];
    for option in OPTIONS.iter().map(|option| option.name()) {
        let mut add = |verb: &str, flags: &str, command| {
            commands.push((format!("{verb} --option {option}{flags}"), command));
        };
        let of = |name| command(name, Some(option));
        add("plan", "", of(CommandName::Plan));
        add("setup", "", of(CommandName::Setup));
        let rollback = setup_with_rollback(Some(option));
        add("setup", " --on-failure rollback", rollback);
        add("outputs", "", of(CommandName::Outputs));
        add("list", "", of(CommandName::List));
        add("status", "", of(CommandName::Status));
        add("coverage", "", of(CommandName::Coverage));
        add("cost", "", of(CommandName::Cost));
        add("dlq", "", of(CommandName::Dlq));
        add("dlq redrive", "", of(CommandName::DlqRedrive));
        add("verify", "", of(CommandName::Verify));
        add("support", "", of(CommandName::Support));
        add("export", "", of(CommandName::Export));
        add("tail", "", of(CommandName::Tail));
        add("destroy", "", of(CommandName::Destroy));
        add("restore", "", of(CommandName::Restore));
    }
    for (heading, command) in commands {
        let lines = statements_of(&command)
            .iter()
            .map(|statement| document(std::slice::from_ref(statement))["Statement"][0].to_string())
            .collect::<Vec<_>>();
        let _ = write!(
            page,
            "\n## {heading}\n\n```json\n{{ \"Version\": \"2012-10-17\", \"Statement\": [\n  {}\n]}}\n```\n",
            lines.join(",\n  ")
        );
    }
    page
}

fn statements_of(command: &PermittedCommand) -> Vec<Statement> {
    statements(command, &PolicyScope::unknown(ResourceNames::new("heeler")))
}

const TABLE: (&str, &str) = (
    "<!-- Made from the program by `make generate`; do not edit these tables. -->\n",
    "<!-- end of the tables -->\n",
);

/// A page with its tables generated again.
fn page_with_tables(path: &str, tables: &str) -> String {
    let page = std::fs::read_to_string(root().join(path)).expect("the page");
    let (before, rest) = page.split_once(TABLE.0).expect("the table's beginning");
    let (_, after) = rest.split_once(TABLE.1).expect("the table's end");
    format!("{before}{}\n{}\n{}{after}", TABLE.0, tables.trim(), TABLE.1)
}

/// The checks by group, in the order in which preflight prints them.
fn checks_tables() -> String {
    let mut options: BTreeMap<CheckId, (&Check, Vec<&str>)> = BTreeMap::new();
    for option in OPTIONS {
        for check in option.checks().iter().copied().flatten() {
            let row = options
                .entry(check.id)
                .or_insert_with(|| (check, Vec::new()));
            row.1.push(option.name());
        }
    }
    let mut tables = String::new();
    let mut group = "";
    for (id, (check, options)) in &options {
        if id.group() != group {
            group = id.group();
            let _ = write!(
                tables,
                "\n### {group}\n\n| check | passes if | option |\n| --- | --- | --- |\n"
            );
        }
        let option = if options.len() == OPTIONS.len() {
            "all".to_owned()
        } else {
            options.join(", ")
        };
        let _ = writeln!(
            tables,
            "| [{id}]({id}.md) | {} | {option} |",
            check.description
        );
    }
    tables
}

/// The actions of each command, by service. Most commands list only what they need in addition to another one.
fn permissions_tables() -> String {
    let preflight_only = preflight(None, false, false);
    let mut commands = vec![
        ("preflight".to_owned(), actions_of(&preflight_only)),
        (
            "preflight --deep, in addition to preflight".to_owned(),
            additional_actions(&preflight(None, true, false), &preflight_only),
        ),
        (
            "preflight --fix, in addition to preflight".to_owned(),
            additional_actions(&preflight(None, false, true), &preflight_only),
        ),
    ];
    for option in OPTIONS.iter().map(|option| option.name()) {
        let of = |name| command(name, Some(option));
        let (plan, setup) = (of(CommandName::Plan), of(CommandName::Setup));
        let rollback = setup_with_rollback(Some(option));
        for (verb, flags, base_name, command, base) in [
            ("plan", "", "preflight", &plan, &preflight_only),
            ("setup", "", "plan", &setup, &plan),
            (
                "setup",
                " --on-failure rollback",
                "setup",
                &rollback,
                &setup,
            ),
            ("destroy", "", "plan", &of(CommandName::Destroy), &plan),
        ] {
            let heading = format!("{verb} of option {option}{flags}, in addition to {base_name}");
            commands.push((heading, additional_actions(command, base)));
        }
    }
    for (heading, name) in [
        ("tail", CommandName::Tail),
        ("outputs", CommandName::Outputs),
        ("list", CommandName::List),
        ("status", CommandName::Status),
        ("coverage", CommandName::Coverage),
        ("cost", CommandName::Cost),
        ("dlq", CommandName::Dlq),
        ("dlq redrive", CommandName::DlqRedrive),
        ("verify", CommandName::Verify),
        ("support", CommandName::Support),
        ("export", CommandName::Export),
        ("restore", CommandName::Restore),
    ] {
        commands.push((heading.to_owned(), actions_of(&command(name, None))));
    }
    let mut tables = String::new();
    for (heading, actions) in commands {
        let mut services: BTreeMap<&str, Vec<String>> = BTreeMap::new();
        for action in actions {
            let service = action.split(':').next().unwrap_or_default();
            let cell = services.entry(service).or_default();
            cell.push(format!("`{action}`"));
        }
        let _ = write!(
            tables,
            "\n### {heading}\n\n| service | actions |\n| --- | --- |\n"
        );
        for (service, cell) in services {
            let _ = writeln!(tables, "| {service} | {} |", cell.join(" "));
        }
    }
    tables
}

fn actions_of(command: &PermittedCommand) -> BTreeSet<&'static str> {
    let statements = statements_of(command).into_iter();
    statements.flat_map(|each| each.actions).collect()
}

fn additional_actions(
    command: &PermittedCommand,
    base: &PermittedCommand,
) -> BTreeSet<&'static str> {
    &actions_of(command) - &actions_of(base)
}
