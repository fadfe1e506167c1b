//! The only room that prints: the answer to stdout, the story to stderr.

mod change;
mod compare;
pub mod error;
pub mod export;
pub mod outputs;
pub mod plan;
pub mod progress;
pub mod record;
pub mod report;
pub mod restore;
mod wrap;

use std::io::{self, BufRead, IsTerminal, Write};
use std::sync::OnceLock;

use anstyle::{AnsiColor, Style};
use terminal_size::{Height, Width, terminal_size_of};

use crate::cli::{ColorChoice, GlobalArgs, OutputFormat};
use crate::sanitize::escape_control_chars;
use wrap::{wrap_line, wrap_lines};

/// How this run speaks.
#[derive(Clone, Copy, Debug)]
#[expect(clippy::struct_excessive_bools, reason = "each is a choice of its own")]
pub struct Ui {
    pub format: OutputFormat,
    quiet: bool,
    verbose: bool,
    color_stdout: bool,
    color_stderr: bool,
    unicode: bool,
    /// Columns of the terminal that the answer goes to; none in a pipe.
    width_stdout: Option<usize>,
    /// Whether the answer goes to a terminal, also to one of unknown width.
    stdout_is_terminal: bool,
    width_stderr: Option<usize>,
}

/// What a colour means; it is never the only sign of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tone {
    Good,
    Change,
    Bad,
    Faint,
    Strong,
}

/// Why a part of the answer could not be written, but for nobody reading it: a full disk.
static STDOUT_ERROR: OnceLock<String> = OnceLock::new();

/// Why the answer is not all there, if it is not.
#[must_use]
pub fn stdout_error() -> Option<&'static str> {
    STDOUT_ERROR.get().map(String::as_str)
}

impl Ui {
    #[must_use]
    pub fn new(global: &GlobalArgs) -> Self {
        let colour = |terminal: bool| match global.color {
            ColorChoice::Always => true,
            ColorChoice::Never => false,
            ColorChoice::Auto => {
                let refused = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
                let dumb = std::env::var_os("TERM").is_some_and(|term| term == "dumb");
                terminal && !refused && !dumb
            }
        };
        Self {
            format: global.output,
            quiet: global.quiet,
            verbose: global.verbose,
            color_stdout: colour(io::stdout().is_terminal()),
            color_stderr: colour(io::stderr().is_terminal()),
            unicode: supports_unicode(),
            width_stdout: terminal_size_of(io::stdout()).map(columns),
            stdout_is_terminal: io::stdout().is_terminal(),
            width_stderr: terminal_size_of(io::stderr()).map(columns),
        }
    }

    /// For a terminal of so many columns, without colour.
    #[cfg(test)]
    pub(crate) fn plain(width: Option<usize>) -> Self {
        Self {
            format: OutputFormat::Table,
            quiet: false,
            verbose: false,
            color_stdout: false,
            color_stderr: false,
            unicode: false,
            width_stdout: width,
            stdout_is_terminal: width.is_some(),
            width_stderr: width,
        }
    }

    #[must_use]
    pub fn is_verbose(&self) -> bool {
        self.verbose
    }

    /// Whether a person can be asked.
    #[must_use]
    pub fn can_prompt(&self) -> bool {
        io::stdin().is_terminal()
    }

    /// Prints a part of the answer. False when nobody reads any more, as behind `head`.
    #[expect(
        clippy::must_use_candidate,
        reason = "only an answer in many parts has to end early"
    )]
    pub fn stdout(&self, text: &str) -> bool {
        self.stdout_bytes(text.as_bytes())
    }

    /// The same for what was put together as bytes.
    #[must_use]
    pub fn stdout_bytes(&self, text: &[u8]) -> bool {
        let mut out = io::stdout().lock();
        let written = out.write_all(text).and_then(|()| out.flush());
        if let Err(why) = &written
            && why.kind() != io::ErrorKind::BrokenPipe
        {
            STDOUT_ERROR.get_or_init(|| why.to_string());
        }
        written.is_ok()
    }

    /// Prints a part of the story, unless only the answer is wanted. On a terminal long lines are broken between words.
    pub fn status(&self, text: &str) {
        self.status_verbatim(&wrap_lines(text, self.width_stderr));
    }

    /// Prints what must not be missed, also when only the answer is wanted; broken in the same way.
    pub fn warn(&self, text: &str) {
        self.warn_verbatim(&wrap_lines(text, self.width_stderr));
    }

    /// A part of the story that is laid out already.
    pub(crate) fn status_verbatim(&self, text: &str) {
        if !self.quiet {
            self.warn_verbatim(text);
        }
    }

    /// What must not be missed and is laid out already, or is to be copied: a command that is broken is another.
    pub fn warn_verbatim(&self, text: &str) {
        // Nobody listening to the story is no reason to end.
        let _ = writeln!(io::stderr().lock(), "{text}");
    }

    /// Asks, and takes nothing but this word for a yes.
    #[must_use]
    pub fn confirm(&self, question: &str, word: &str) -> bool {
        let mut err = io::stderr().lock();
        let lines = question.lines();
        let lines: Vec<String> = lines
            .map(|line| wrap_line(&escape_control_chars(line), 0, self.width_stderr))
            .collect();
        let asked = format!("Only '{}' is taken for a yes:", escape_control_chars(word));
        let _ = write!(
            err,
            "{}\n{} ",
            lines.join("\n"),
            wrap_line(&asked, 0, self.width_stderr)
        );
        let _ = err.flush();
        drop(err);
        let mut line = String::new();
        let read = io::stdin().lock().read_line(&mut line);
        if !line.ends_with('\n') {
            // The end of the input ends no line.
            self.warn_verbatim("");
        }
        read.is_ok_and(|read| read > 0) && line.trim() == word
    }

    /// The same voice for texts that go to the story, which may be another terminal or none.
    pub(crate) fn for_stderr(self) -> Self {
        Self {
            color_stdout: self.color_stderr,
            width_stdout: self.width_stderr,
            ..self
        }
    }

    /// Prints a line of the story in as many lines as the terminal needs, the later ones indented.
    pub fn status_indented(&self, line: &str, indent: usize) {
        self.status_verbatim(&wrap_line(line, indent, self.width_stderr));
    }

    /// The same for what must not be missed.
    pub fn warn_indented(&self, line: &str, indent: usize) {
        self.warn_verbatim(&wrap_line(line, indent, self.width_stderr));
    }

    /// A line of the answer, in as many lines as the terminal needs.
    pub(crate) fn wrap_stdout(self, line: &str, indent: usize) -> String {
        wrap_line(line, indent, self.width_stdout)
    }

    /// The same for the story.
    pub(crate) fn wrap_stderr(self, line: &str, indent: usize) -> String {
        wrap_line(line, indent, self.width_stderr)
    }

    pub(crate) fn paint(self, tone: Tone, text: &str) -> String {
        if self.color_stdout {
            paint_text(tone, text)
        } else {
            text.to_owned()
        }
    }

    pub(crate) fn paint_stderr(self, tone: Tone, text: &str) -> String {
        if self.color_stderr {
            paint_text(tone, text)
        } else {
            text.to_owned()
        }
    }

    /// The fancy sign where the locale can show it.
    pub(crate) fn symbol(self, fancy: &'static str, plain: &'static str) -> &'static str {
        if self.unicode { fancy } else { plain }
    }

    /// A text with the few signs that plain terminals lack replaced.
    pub(crate) fn ascii_fallback(self, text: &str) -> String {
        if self.unicode {
            text.to_owned()
        } else {
            text.replace('→', "->")
        }
    }
}

fn columns((Width(columns), _): (Width, Height)) -> usize {
    usize::from(columns)
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

/// The first of the three variables that is set decides, as in POSIX.
fn supports_unicode() -> bool {
    let locale = ["LC_ALL", "LC_CTYPE", "LANG"]
        .iter()
        .filter_map(|name| std::env::var(name).ok())
        .find(|value| !value.is_empty())
        .unwrap_or_default()
        .to_ascii_lowercase();
    locale.contains("utf-8") || locale.contains("utf8")
}

/// One JSON document, indented, with a line end.
pub(crate) fn json_document(value: &serde_json::Value) -> String {
    format!("{value:#}\n")
}
