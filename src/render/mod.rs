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

use crate::cli::{Color, Format, Global};
use crate::tail::record::visible;
use wrap::{flowing, wrapped};

/// How this run speaks.
#[derive(Clone, Copy, Debug)]
#[expect(clippy::struct_excessive_bools, reason = "each is a choice of its own")]
pub struct Ui {
    pub format: Format,
    quiet: bool,
    verbose: bool,
    colour_out: bool,
    colour_err: bool,
    unicode: bool,
    /// Columns of the terminal that the answer goes to; none in a pipe.
    width_out: Option<usize>,
    /// Whether the answer goes to a terminal, also to one of unknown width.
    terminal_out: bool,
    width_err: Option<usize>,
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
static UNWRITTEN: OnceLock<String> = OnceLock::new();

/// Why the answer is not all there, if it is not.
#[must_use]
pub fn unwritten() -> Option<&'static str> {
    UNWRITTEN.get().map(String::as_str)
}

impl Ui {
    #[must_use]
    pub fn new(global: &Global) -> Self {
        let colour = |terminal: bool| match global.color {
            Color::Always => true,
            Color::Never => false,
            Color::Auto => {
                let refused = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
                let dumb = std::env::var_os("TERM").is_some_and(|term| term == "dumb");
                terminal && !refused && !dumb
            }
        };
        Self {
            format: global.output,
            quiet: global.quiet,
            verbose: global.verbose,
            colour_out: colour(io::stdout().is_terminal()),
            colour_err: colour(io::stderr().is_terminal()),
            unicode: is_utf8(),
            width_out: terminal_size_of(io::stdout()).map(columns),
            terminal_out: io::stdout().is_terminal(),
            width_err: terminal_size_of(io::stderr()).map(columns),
        }
    }

    /// For a terminal of so many columns, without colour.
    #[cfg(test)]
    pub(crate) fn plain(width: Option<usize>) -> Self {
        Self {
            format: Format::Table,
            quiet: false,
            verbose: false,
            colour_out: false,
            colour_err: false,
            unicode: false,
            width_out: width,
            terminal_out: width.is_some(),
            width_err: width,
        }
    }

    #[must_use]
    pub fn is_verbose(&self) -> bool {
        self.verbose
    }

    /// Whether a person can be asked.
    #[must_use]
    pub fn can_ask(&self) -> bool {
        io::stdin().is_terminal()
    }

    /// Prints a part of the answer. False when nobody reads any more, as behind `head`.
    #[expect(
        clippy::must_use_candidate,
        reason = "only an answer in many parts has to end early"
    )]
    pub fn answer(&self, text: &str) -> bool {
        self.answer_bytes(text.as_bytes())
    }

    /// The same for what was put together as bytes.
    #[must_use]
    pub fn answer_bytes(&self, text: &[u8]) -> bool {
        let mut out = io::stdout().lock();
        let written = out.write_all(text).and_then(|()| out.flush());
        if let Err(why) = &written
            && why.kind() != io::ErrorKind::BrokenPipe
        {
            UNWRITTEN.get_or_init(|| why.to_string());
        }
        written.is_ok()
    }

    /// Prints a part of the story, unless only the answer is wanted. On a terminal long lines are broken between words.
    pub fn story(&self, text: &str) {
        self.story_as_it_is(&flowing(text, self.width_err));
    }

    /// Prints what must not be missed, also when only the answer is wanted; broken in the same way.
    pub fn alert(&self, text: &str) {
        self.alert_as_it_is(&flowing(text, self.width_err));
    }

    /// A part of the story that is laid out already.
    pub(crate) fn story_as_it_is(&self, text: &str) {
        if !self.quiet {
            self.alert_as_it_is(text);
        }
    }

    /// What must not be missed and is laid out already, or is to be copied: a command that is broken is another.
    pub fn alert_as_it_is(&self, text: &str) {
        // Nobody listening to the story is no reason to end.
        let _ = writeln!(io::stderr().lock(), "{text}");
    }

    /// Asks, and takes nothing but this word for a yes.
    #[must_use]
    pub fn confirms(&self, question: &str, word: &str) -> bool {
        let mut err = io::stderr().lock();
        let lines = question.lines();
        let lines: Vec<String> = lines
            .map(|line| wrapped(&visible(line), 0, self.width_err))
            .collect();
        let asked = format!("Only '{}' is taken for a yes:", visible(word));
        let _ = write!(
            err,
            "{}\n{} ",
            lines.join("\n"),
            wrapped(&asked, 0, self.width_err)
        );
        let _ = err.flush();
        drop(err);
        let mut line = String::new();
        let read = io::stdin().lock().read_line(&mut line);
        if !line.ends_with('\n') {
            // The end of the input ends no line.
            self.alert_as_it_is("");
        }
        read.is_ok_and(|read| read > 0) && line.trim() == word
    }

    /// The same voice for texts that go to the story, which may be another terminal or none.
    pub(crate) fn for_story(self) -> Self {
        Self {
            colour_out: self.colour_err,
            width_out: self.width_err,
            ..self
        }
    }

    /// Prints a line of the story in as many lines as the terminal needs, the later ones indented.
    pub fn told(&self, line: &str, indent: usize) {
        self.story_as_it_is(&wrapped(line, indent, self.width_err));
    }

    /// The same for what must not be missed.
    pub fn alerted(&self, line: &str, indent: usize) {
        self.alert_as_it_is(&wrapped(line, indent, self.width_err));
    }

    /// A line of the answer, in as many lines as the terminal needs.
    pub(crate) fn fitted(self, line: &str, indent: usize) -> String {
        wrapped(line, indent, self.width_out)
    }

    /// The same for the story.
    pub(crate) fn fitted_to_story(self, line: &str, indent: usize) -> String {
        wrapped(line, indent, self.width_err)
    }

    pub(crate) fn tint(self, tone: Tone, text: &str) -> String {
        if self.colour_out {
            tinted(tone, text)
        } else {
            text.to_owned()
        }
    }

    pub(crate) fn tint_story(self, tone: Tone, text: &str) -> String {
        if self.colour_err {
            tinted(tone, text)
        } else {
            text.to_owned()
        }
    }

    /// The fancy sign where the locale can show it.
    pub(crate) fn sign(self, fancy: &'static str, plain: &'static str) -> &'static str {
        if self.unicode { fancy } else { plain }
    }

    /// A text with the few signs that plain terminals lack replaced.
    pub(crate) fn spell(self, text: &str) -> String {
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

fn tinted(tone: Tone, text: &str) -> String {
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
fn is_utf8() -> bool {
    let locale = ["LC_ALL", "LC_CTYPE", "LANG"]
        .iter()
        .filter_map(|name| std::env::var(name).ok())
        .find(|value| !value.is_empty())
        .unwrap_or_default()
        .to_ascii_lowercase();
    locale.contains("utf-8") || locale.contains("utf8")
}

/// One JSON document, indented, with a line end.
pub(crate) fn document(value: &serde_json::Value) -> String {
    format!("{value:#}\n")
}
