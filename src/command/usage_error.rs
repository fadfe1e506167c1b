//! Errors of the command line itself, as text and with `--output json` also as a document.

use std::ffi::OsString;
use std::process::ExitCode;

use clap::Command;
use clap::error::ErrorKind;

use crate::cli;
use crate::cli::environment::variable_name;
use crate::error::{Error, Exit};
use crate::hint::Hint;
use crate::render::command_line::RepeatedOptions;
use crate::render::document::{Envelope, print_document};
use crate::render::{ColorChoice, OutputFormat, ProgressFormat, Ui, UiOptions};

/// Prints the error, or the text of `--help` or `--version`, and returns the exit code.
pub(super) fn report(args: &[OsString], error: &clap::Error) -> ExitCode {
    let args: Vec<String> = args
        .iter()
        .skip(1)
        .map(|arg| arg.to_string_lossy().into_owned())
        .collect();
    let command = subcommand_name(&cli::command(), &args);
    let mut options = UiOptions::default();
    if requests_json(&args) {
        options.format = OutputFormat::Json;
    }
    if requests_json_progress(&args) {
        options.progress = ProgressFormat::Json;
    }
    options.color = requested_color(&args);
    let ui = Ui::new(options, RepeatedOptions::default());
    if !error.use_stderr() {
        let is_verbose = args
            .iter()
            .any(|arg| matches!(arg.as_str(), "-v" | "--verbose" | "-vV" | "-Vv"));
        let text = if error.kind() == ErrorKind::DisplayVersion && is_verbose {
            version_details()
        } else {
            let rendered = error.render();
            ui.styled_text(&rendered.ansi().to_string(), &rendered.to_string())
        };
        // A closed output is no reason to fail.
        ui.stdout(&text);
        return ExitCode::from(Exit::Success as u8);
    }
    let usage_error = usage_error(&error.render().to_string(), command.as_deref());
    if options.format == OutputFormat::Json {
        print_document(&ui, envelope(command.as_deref()), None, Some(&usage_error));
    }
    match options.progress {
        ProgressFormat::Json => ui.error(&usage_error),
        ProgressFormat::Text | ProgressFormat::Plain => {
            let rendered = error.render();
            ui.help_stderr(&rendered.ansi().to_string(), &rendered.to_string());
        }
    }
    ExitCode::from(Exit::Usage as u8)
}

/// Returns the value of `--color` or of its variable. The arguments were not parsed, so their positions do not count.
fn requested_color(args: &[String]) -> ColorChoice {
    let options: Vec<&String> = args.iter().take_while(|arg| *arg != "--").collect();
    let typed =
        options
            .iter()
            .enumerate()
            .find_map(|(number, arg)| match arg.strip_prefix("--color")? {
                "" => options.get(number + 1).map(|value| value.as_str()),
                value => value.strip_prefix('='),
            });
    let variable = std::env::var(variable_name("color")).unwrap_or_default();
    match typed.unwrap_or(&variable) {
        "always" => ColorChoice::Always,
        "never" => ColorChoice::Never,
        _ => ColorChoice::Auto,
    }
}

/// Returns the version and how the program was built.
fn version_details() -> String {
    let (commit, date, target, compiler) = (
        env!("HEELER_EC_BUILD_COMMIT"),
        env!("HEELER_EC_BUILD_DATE"),
        env!("HEELER_EC_BUILD_TARGET"),
        env!("HEELER_EC_BUILD_RUSTC"),
    );
    let version = env!("CARGO_PKG_VERSION");
    format!(
        "heeler-ec {version}\ncommit: {commit}\ndate:   {date}\ntarget: {target}\nrust:   {compiler}\n"
    )
}

/// Returns true if the arguments contain `--progress json`.
fn requests_json_progress(args: &[String]) -> bool {
    let options: Vec<&str> = args
        .iter()
        .map(String::as_str)
        .take_while(|arg| *arg != "--")
        .collect();
    options.contains(&"--progress=json")
        || options
            .windows(2)
            .any(|pair| pair == ["--progress", "json"])
}

/// Returns true if the arguments contain `--output json`. They were not parsed, so their positions do not count.
fn requests_json(args: &[String]) -> bool {
    let options = args.iter().take_while(|arg| *arg != "--");
    let options: Vec<&String> = options.collect();
    options.iter().enumerate().any(|(number, arg)| {
        let next = options.get(number + 1).map(|next| next.as_str());
        match arg.strip_prefix("--") {
            Some("output") => next == Some("json"),
            Some(long) => long == "output=json",
            // Other short options without a value can stand before it, as in `-qo json`.
            None => match arg
                .strip_prefix('-')
                .and_then(|flags| flags.split_once('o'))
            {
                Some((flags, value)) if flags.chars().all(|flag| "qvy".contains(flag)) => {
                    match value.strip_prefix('=').unwrap_or(value) {
                        "" => next == Some("json"),
                        value => value == "json",
                    }
                }
                _ => false,
            },
        }
    })
}

/// Returns the first argument that is a subcommand and no value of a global option.
fn subcommand_name(root: &Command, args: &[String]) -> Option<String> {
    let takes_value = |name: &str| {
        root.get_arguments()
            .any(|option| option.get_long() == Some(name) && option.get_action().takes_values())
    };
    let mut args = args.iter();
    while let Some(arg) = args.next() {
        match arg.strip_prefix("--") {
            Some(name) if takes_value(name) => drop(args.next()),
            _ if arg.starts_with('-') => {}
            _ => return root.find_subcommand(arg).map(|_| arg.clone()),
        }
    }
    None
}

/// Returns the arrangement that the subcommand uses.
fn envelope(subcommand: Option<&str>) -> Envelope {
    match subcommand {
        Some("export" | "policy") => Envelope::Bare,
        Some("tail") => Envelope::Lines,
        _ => Envelope::Wrapped,
    }
}

/// Converts the text of clap: the first paragraph is the cause, and a tip is the hint.
fn usage_error(text: &str, subcommand: Option<&str>) -> Error {
    let text = text.strip_prefix("error: ").unwrap_or(text);
    let lines = text.lines().take_while(|line| !line.trim().is_empty());
    let cause: Vec<&str> = lines.map(str::trim).collect();
    let mut tips = text
        .lines()
        .filter_map(|line| line.trim().strip_prefix("tip: "));
    let hint = if let Some(tip) = tips.next() {
        Hint::from(tip.replace('`', "'"))
    } else {
        let words = ["heeler-ec"]
            .into_iter()
            .chain(subcommand)
            .chain(["--help"]);
        let command = words.collect::<Vec<_>>().join(" ");
        Hint::from("to show the options: ").and_command(command)
    };
    Error::usage(cause.join(" ")).with_hint(hint)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(line: &str) -> Vec<String> {
        line.split(' ').map(str::to_owned).collect()
    }

    #[test]
    fn json_is_found_in_every_spelling() {
        for line in [
            "plan -o json",
            "plan -ojson",
            "plan -o=json",
            "plan --output json",
            "plan --output=json",
            "setup -yo json",
            "-o json",
        ] {
            assert!(requests_json(&words(line)), "{line}");
        }
        for line in [
            "plan",
            "plan -o table",
            "tail --actor json",
            "tail -- -o json",
            "plan --option json",
            "plan -o",
            "plan --profile -o",
        ] {
            assert!(!requests_json(&words(line)), "{line}");
        }
    }

    #[test]
    fn subcommand_is_no_value_of_an_option() {
        let root = cli::command();
        let name = |line: &str| subcommand_name(&root, &words(line));
        assert_eq!(name("plan --nothing").as_deref(), Some("plan"));
        assert_eq!(name("--profile tail plan").as_deref(), Some("plan"));
        assert_eq!(name("--profile=x -q tail").as_deref(), Some("tail"));
        assert_eq!(name("nothing"), None);
        assert_eq!(name("-o json"), None);
    }

    #[test]
    fn first_paragraph_is_cause_and_tip_is_hint() {
        let text = "error: unexpected argument '--optoin' found\n\n  tip: a similar argument exists: '--option'\n\n\
                    Usage: heeler-ec plan\n";
        let error = usage_error(text, Some("plan"));
        assert_eq!(error.headline(), "unexpected argument '--optoin' found");
        let hint = error.hint().map(ToString::to_string);
        assert_eq!(
            hint.as_deref(),
            Some("a similar argument exists: '--option'")
        );

        let text = "error: the following required arguments were not provided:\n  --option <OPTION>\n\nUsage: x\n";
        let error = usage_error(text, Some("setup"));
        assert_eq!(
            error.headline(),
            "the following required arguments were not provided: --option <OPTION>"
        );
        let hint = error.hint().map(ToString::to_string);
        assert_eq!(
            hint.as_deref(),
            Some("to show the options: heeler-ec setup --help")
        );
    }
}
