//! The only room that prints: the answer to stdout, the story to stderr.

pub mod error;
pub mod outputs;
pub mod plan;
pub mod progress;
pub mod record;
pub mod report;

use std::io::{self, BufRead, IsTerminal, Write};

use anstyle::{AnsiColor, Style};

use crate::cli::{Color, Format, Global};

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
    pub width: Option<usize>,
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
            width: io::stdout()
                .is_terminal()
                .then(|| comfy_table::Table::new().width().map_or(80, usize::from)),
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
    #[expect(clippy::must_use_candidate, reason = "only an answer in many parts has to end early")]
    pub fn answer(&self, text: &str) -> bool {
        let mut out = io::stdout().lock();
        out.write_all(text.as_bytes()).and_then(|()| out.flush()).is_ok()
    }

    /// Prints a line of the story, unless only the answer is wanted.
    pub fn story(&self, line: &str) {
        if !self.quiet {
            // Nobody listening to the story is no reason to end.
            let _ = writeln!(io::stderr().lock(), "{line}");
        }
    }

    /// Prints what must not be missed, also when only the answer is wanted.
    pub fn alert(&self, line: &str) {
        let _ = writeln!(io::stderr().lock(), "{line}");
    }

    /// Asks, and takes nothing but the word `yes` for a yes.
    #[must_use]
    pub fn confirms(&self, question: &str) -> bool {
        let mut err = io::stderr().lock();
        let _ = write!(err, "{question}\nOnly 'yes' is taken for a yes: ");
        let _ = err.flush();
        drop(err);
        let mut line = String::new();
        io::stdin().lock().read_line(&mut line).is_ok_and(|read| read > 0) && line.trim() == "yes"
    }

    pub(crate) fn tint(self, tone: Tone, text: &str) -> String {
        if self.colour_out { tinted(tone, text) } else { text.to_owned() }
    }

    pub(crate) fn tint_story(self, tone: Tone, text: &str) -> String {
        if self.colour_err { tinted(tone, text) } else { text.to_owned() }
    }

    /// The fancy sign where the locale can show it.
    pub(crate) fn sign(self, fancy: &'static str, plain: &'static str) -> &'static str {
        if self.unicode { fancy } else { plain }
    }

    /// A text with the few signs that plain terminals lack replaced.
    pub(crate) fn spell(self, text: &str) -> String {
        if self.unicode { text.to_owned() } else { text.replace('→', "->") }
    }
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
