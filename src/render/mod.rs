//! Everything that is printed: results on stdout; status, warnings, errors and prompts on stderr.

mod access;
mod action_table;
mod change;
mod check_groups;
pub mod check_results;
pub mod command_line;
mod compare;
pub mod cost;
pub mod coverage;
pub mod destroy_plan;
pub mod dlq;
mod docs_link;
pub mod document;
mod error;
pub mod evidence;
pub mod explain;
pub mod export;
mod layout;
pub mod list;
pub mod message;
pub mod notices;
pub mod outputs;
pub mod overview;
pub mod plan;
pub mod progress;
mod prompt;
mod recap;
pub mod record;
pub mod report;
pub mod restore;
mod result_sign;
pub mod run_document;
pub mod status;
pub mod status_line;
pub mod step_status;
pub mod support;
pub mod verify;

use std::io::{self, IsTerminal, Write};
use std::sync::OnceLock;

use anstyle::{AnsiColor, Style};
use clap::ValueEnum;
use supports_hyperlinks::supports_hyperlinks;
use supports_unicode::supports_unicode;
use terminal_size::{Height, Width, terminal_size_of};

use command_line::RepeatedOptions;
use layout::{wrap_last_column, wrap_line};
use message::Message;
use status_line::print_above;

/// The format of a result on stdout.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum OutputFormat {
    /// For reading: a table, configuration, or a script.
    #[default]
    Text,
    /// For programs.
    Json,
    /// For spreadsheets (only with tail and coverage).
    Csv,
}

/// When to color the output.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum ColorChoice {
    /// On a terminal or with FORCE_COLOR, unless NO_COLOR is set
    #[default]
    Auto,
    Always,
    Never,
}

/// The format of progress on stderr.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum ProgressFormat {
    /// For reading
    #[default]
    Text,
    /// For reading, without a line that is redrawn
    Plain,
    /// For programs: one JSON object per line
    Json,
}

/// The user's choices about output.
#[derive(Clone, Copy, Debug, Default)]
pub struct UiOptions {
    pub format: OutputFormat,
    pub progress: ProgressFormat,
    pub color: ColorChoice,
    /// Print no status.
    pub quiet: bool,
    /// Print each AWS call.
    pub verbose: bool,
    /// Ask nothing.
    pub no_input: bool,
}

/// The user interface of a run. It decides about color, symbols and line breaks.
#[derive(Clone, Copy, Debug)]
pub struct Ui {
    options: UiOptions,
    repeated: &'static RepeatedOptions,
    unicode: bool,
    /// Stdout is a terminal with links (OSC 8).
    hyperlinks: bool,
    stdout: Stream,
    stderr: Stream,
}

/// The properties of an output stream.
#[derive(Clone, Copy, Debug)]
struct Stream {
    is_terminal: bool,
    color: bool,
    /// Columns of the terminal; `None` for a pipe, and for a terminal of unknown width.
    width: Option<usize>,
}

/// The meaning of a color. A symbol or a word always expresses the same meaning.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tone {
    Good,
    Change,
    Bad,
    Faint,
    Strong,
}

/// The first error of writing to stdout, such as a full disk. A closed pipe is no error.
static STDOUT_ERROR: OnceLock<String> = OnceLock::new();

/// Returns the first error of writing to stdout.
#[must_use]
pub fn stdout_error() -> Option<&'static str> {
    STDOUT_ERROR.get().map(String::as_str)
}

/// Returns true if standard output is a terminal. A screen without a result is shown only there.
#[must_use]
pub fn is_stdout_terminal() -> bool {
    io::stdout().is_terminal()
}

impl Ui {
    /// Creates the user interface of a run; `repeated` lives until the program ends.
    #[must_use]
    pub fn new(options: UiOptions, repeated: RepeatedOptions) -> Self {
        let (stdout, stderr) = (io::stdout(), io::stderr());
        Self {
            options,
            repeated: Box::leak(Box::new(repeated)),
            unicode: supports_unicode() && !is_accessible(),
            hyperlinks: stdout.is_terminal() && supports_hyperlinks() && !is_accessible(),
            stdout: Stream::new(
                options.color,
                stdout.is_terminal(),
                terminal_size_of(&stdout),
            ),
            stderr: Stream::new(
                options.color,
                stderr.is_terminal(),
                terminal_size_of(&stderr),
            ),
        }
    }

    /// Returns true if lines of stderr may be redrawn: in a terminal, unless an option or variable says otherwise.
    pub(crate) fn can_redraw(&self) -> bool {
        let UiOptions {
            progress,
            quiet,
            verbose,
            ..
        } = self.options;
        let is_suppressed = quiet || verbose || progress != ProgressFormat::Text;
        self.stderr.is_terminal && !is_suppressed && !is_dumb_terminal() && !is_accessible()
    }

    /// Creates a user interface for a terminal of this width, without color.
    #[cfg(test)]
    pub(crate) fn plain(width: Option<usize>) -> Self {
        let stream = Stream {
            is_terminal: width.is_some(),
            color: false,
            width,
        };
        Self {
            options: UiOptions::default(),
            repeated: Box::leak(Box::default()),
            unicode: false,
            hyperlinks: false,
            stdout: stream,
            stderr: stream,
        }
    }

    /// Returns the same user interface with color.
    #[cfg(test)]
    pub(crate) fn with_color(mut self) -> Self {
        self.stdout.color = true;
        self.stderr.color = true;
        self
    }

    #[must_use]
    pub fn format(&self) -> OutputFormat {
        self.options.format
    }

    #[must_use]
    pub fn is_verbose(&self) -> bool {
        self.options.verbose
    }

    /// Returns true if a prompt can be answered: stdin is a terminal, and `--no-input` is not given.
    #[must_use]
    pub fn can_prompt(&self) -> bool {
        io::stdin().is_terminal() && !self.options.no_input
    }

    /// Prints a part of the result. Returns false if the reader has closed the pipe, as `head` does.
    #[expect(
        clippy::must_use_candidate,
        reason = "only results in many parts have to end early"
    )]
    pub fn stdout(&self, text: &str) -> bool {
        self.stdout_bytes(text.as_bytes())
    }

    /// Prints a part of the result. Returns false if the reader has closed the pipe.
    #[must_use]
    pub fn stdout_bytes(&self, text: &[u8]) -> bool {
        let write = || {
            let mut out = io::stdout().lock();
            out.write_all(text).and_then(|()| out.flush())
        };
        // A pipe whose reader is slow must not block the status line.
        let written = if self.stdout.is_terminal {
            print_above(write)
        } else {
            write()
        };
        if let Err(why) = &written
            && why.kind() != io::ErrorKind::BrokenPipe
        {
            STDOUT_ERROR.get_or_init(|| why.to_string());
        }
        written.is_ok()
    }

    /// Returns true if a terminal shows the result and the status that was printed before it.
    pub(crate) fn has_status_beside_result(&self) -> bool {
        let is_shown = !self.options.quiet && self.options.progress != ProgressFormat::Json;
        self.stdout.is_terminal && self.stderr.is_terminal && is_shown
    }

    /// Prints an empty line before the result, if both are shown on one terminal.
    pub(crate) fn separate_result(&self) {
        if self.stdout.is_terminal && self.stderr.is_terminal {
            self.status_unwrapped("");
        }
    }

    /// Prints progress or advice on stderr, unless `--quiet` is given.
    pub(crate) fn status(&self, id: &'static str, text: &str) {
        self.message(&Message::status(id, text));
    }

    /// Prints a warning on stderr, also with `--quiet`.
    pub(crate) fn warn(&self, id: &'static str, text: &str) {
        self.message(&Message::warning(id, text));
    }

    /// Prints a status that must not be wrapped, such as a table.
    pub(crate) fn status_unwrapped(&self, text: &str) {
        if !self.options.quiet {
            self.warn_unwrapped(text);
        }
    }

    /// Prints a warning that must not be wrapped, such as a table. Programs get the facts from the result instead.
    pub(crate) fn warn_unwrapped(&self, text: &str) {
        if self.options.progress != ProgressFormat::Json {
            self.print_stderr(&self.ascii_fallback(text));
        }
    }

    /// Ends the line of a question that was not answered.
    pub(crate) fn end_line(&self) {
        self.warn_unwrapped("");
    }

    /// Prints one line of `--progress json`.
    pub(crate) fn progress_line(&self, value: &serde_json::Value) {
        self.print_stderr(&record::escape_json(&value.to_string()));
    }

    #[expect(clippy::unused_self, reason = "every print is a method of Ui")]
    fn print_stderr(&self, text: &str) {
        // A closed stderr is no reason to end.
        let _ = print_above(|| writeln!(io::stderr().lock(), "{text}"));
    }

    /// Returns a user interface that composes text for stderr with the methods for stdout.
    pub(crate) fn for_stderr(self) -> Self {
        Self {
            stdout: self.stderr,
            ..self
        }
    }

    /// Returns true if a line of the result with this many columns is not broken.
    pub(crate) fn fits_stdout(self, columns: usize) -> bool {
        self.stdout.width.is_none_or(|width| columns <= width)
    }

    /// Wraps a line of the result; `indent` is for the following lines.
    pub(crate) fn wrap_stdout(self, line: &str, indent: usize) -> String {
        wrap_line(line, indent, self.stdout.width)
    }

    /// Wraps a line for stderr; `indent` is for the following lines.
    pub(crate) fn wrap_stderr(self, line: &str, indent: usize) -> String {
        wrap_line(line, indent, self.stderr.width)
    }

    /// Wraps the last column of each line of a help text.
    #[must_use]
    pub fn wrap_columns(&self, text: &str) -> String {
        wrap_last_column(text, self.stdout.width)
    }

    pub(crate) fn paint(self, tone: Tone, text: &str) -> String {
        if self.stdout.color {
            paint_text(tone, text)
        } else {
            text.to_owned()
        }
    }

    pub(crate) fn paint_stderr(self, tone: Tone, text: &str) -> String {
        self.for_stderr().paint(tone, text)
    }

    /// Returns the Unicode symbol if the locale supports it, else the ASCII one.
    pub(crate) fn symbol(self, unicode: &'static str, ascii: &'static str) -> &'static str {
        if self.unicode { unicode } else { ascii }
    }

    /// Returns one of two forms of a help text for stdout, with colors or without.
    #[must_use]
    pub fn styled_text(&self, colored: &str, plain: &str) -> String {
        self.ascii_fallback(if self.stdout.color { colored } else { plain })
    }

    /// Replaces signs of a help text that the locale does not support.
    #[must_use]
    pub fn ascii_text(&self, text: &str) -> String {
        self.ascii_fallback(text)
    }

    /// Prints the help text of an error on stderr.
    pub fn help_stderr(&self, colored: &str, plain: &str) {
        self.print_stderr(self.for_stderr().styled_text(colored, plain).trim_end());
    }

    /// Replaces arrows if the locale does not support Unicode.
    pub(crate) fn ascii_fallback(self, text: &str) -> String {
        if self.unicode {
            text.to_owned()
        } else {
            text.replace('→', "->")
        }
    }
}

impl Stream {
    fn new(color: ColorChoice, is_terminal: bool, size: Option<(Width, Height)>) -> Self {
        let environment = |name: &str| {
            let value = std::env::var_os(name)?;
            Some(value.to_string_lossy().into_owned())
        };
        Self {
            is_terminal,
            color: is_colored(color, is_terminal, &environment),
            width: size.map(|(Width(columns), _)| usize::from(columns)),
        }
    }
}

/// Decides whether a stream has color. `NO_COLOR` overrides `FORCE_COLOR` and `CLICOLOR_FORCE` (no-color.org,
/// force-color.org, bixense.com/clicolors); the options override all three.
fn is_colored(
    choice: ColorChoice,
    is_terminal: bool,
    environment: &dyn Fn(&str) -> Option<String>,
) -> bool {
    let is_set = |name: &str| environment(name).is_some_and(|value| !value.is_empty());
    let is_forced = |name: &str| {
        let value = environment(name);
        value.is_some_and(|value| !matches!(value.as_str(), "" | "0" | "false"))
    };
    match choice {
        ColorChoice::Always => true,
        ColorChoice::Never => false,
        ColorChoice::Auto if is_set("NO_COLOR") => false,
        ColorChoice::Auto if is_forced("FORCE_COLOR") || is_forced("CLICOLOR_FORCE") => true,
        ColorChoice::Auto => is_terminal && environment("TERM").is_none_or(|term| term != "dumb"),
    }
}

fn is_dumb_terminal() -> bool {
    std::env::var_os("TERM").is_some_and(|term| term == "dumb")
}

/// Returns true if the output is for a screen reader: signs are ASCII characters, and no line is redrawn.
fn is_accessible() -> bool {
    let value = std::env::var("HEELER_EC_ACCESSIBLE").unwrap_or_default();
    !matches!(value.as_str(), "" | "0" | "false")
}

fn paint_text(tone: Tone, text: &str) -> String {
    let style = match tone {
        Tone::Good => AnsiColor::Green.on_default(),
        Tone::Change => AnsiColor::Yellow.on_default(),
        Tone::Bad => AnsiColor::Red.on_default().bold(),
        Tone::Faint => Style::new().dimmed(),
        Tone::Strong => Style::new().bold(),
    };
    format!("{style}{text}{style:#}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decide(choice: ColorChoice, is_terminal: bool, variables: &[(&str, &str)]) -> bool {
        let environment = |name: &str| {
            let found = variables.iter().find(|(variable, _)| *variable == name);
            found.map(|(_, value)| (*value).to_owned())
        };
        is_colored(choice, is_terminal, &environment)
    }

    fn auto(is_terminal: bool, variables: &[(&str, &str)]) -> bool {
        decide(ColorChoice::Auto, is_terminal, variables)
    }

    #[test]
    fn color_follows_options_before_variables() {
        assert!(auto(true, &[]) && !auto(false, &[]));
        assert!(!auto(true, &[("TERM", "dumb")]));
        assert!(!auto(true, &[("NO_COLOR", "1")]) && auto(true, &[("NO_COLOR", "")]));
        for name in ["FORCE_COLOR", "CLICOLOR_FORCE"] {
            assert!(auto(false, &[(name, "1")]));
            assert!(auto(false, &[(name, "1"), ("TERM", "dumb")]));
            assert!(!auto(false, &[(name, "0")]) && !auto(false, &[(name, "")]));
            assert!(!auto(true, &[(name, "1"), ("NO_COLOR", "1")]));
            assert!(!decide(ColorChoice::Never, true, &[(name, "1")]));
        }
        assert!(decide(ColorChoice::Always, false, &[("NO_COLOR", "1")]));
    }
}
