//! The output of the demo itself: paragraphs, command lines and verified results.

use std::io::{self, IsTerminal, Write};

use anstyle::{AnsiColor, Style};

/// The maximum width of a line.
const MAX_WIDTH: usize = 76;

/// Writes to standard output, between the outputs of the program.
pub struct Console {
    width: usize,
    color: bool,
    terminal: bool,
}

impl Console {
    /// Reads the width and the color support of the terminal.
    pub fn new() -> Console {
        let terminal = io::stdout().is_terminal();
        let set = |name| std::env::var_os(name).is_some_and(|value| !value.is_empty());
        let dumb = std::env::var_os("TERM").is_some_and(|term| term == "dumb");
        let columns = comfy_table::Table::new().width().map_or(80, usize::from);
        Console {
            width: columns.saturating_sub(2).clamp(30, MAX_WIDTH),
            color: terminal && !dumb && !set("NO_COLOR"),
            terminal,
        }
    }

    /// Returns true if standard output is a terminal.
    pub fn is_terminal(&self) -> bool {
        self.terminal
    }

    /// Prints the heading of a step.
    pub fn heading(&self, text: &str) {
        self.line("");
        self.line(&self.styled(AnsiColor::Cyan.on_default().bold(), text));
    }

    /// Prints a paragraph.
    pub fn paragraph(&self, text: &str) {
        self.line("");
        for line in wrapped(text, self.width, "") {
            self.line(&line);
        }
    }

    /// Prints a row of a list; the text has a hanging indent.
    pub fn row(&self, head: &str, text: &str) {
        let head = format!("  {head:<14}");
        let margin = " ".repeat(head.len());
        for (number, line) in wrapped(text, self.width - head.len(), "")
            .iter()
            .enumerate()
        {
            self.line(&format!(
                "{}{line}",
                if number == 0 { &head } else { &margin }
            ));
        }
    }

    /// Prints the command line that runs next.
    pub fn command(&self, words: &[&str]) {
        let line = format!("$ heeler-ec {}", words.join(" "));
        let lines = wrapped(&line, self.width - 2, "    ");
        self.line("");
        for (number, line) in lines.iter().enumerate() {
            let more = if number + 1 < lines.len() { " \\" } else { "" };
            self.line(&self.styled(Style::new().bold(), &format!("{line}{more}")));
        }
        self.line("");
    }

    /// Prints a verified result.
    pub fn verified(&self, text: &str) {
        let mark = self.styled(AnsiColor::Green.on_default().bold(), "ok");
        for (number, line) in wrapped(text, self.width - 4, "").iter().enumerate() {
            let mark = if number == 0 { &mark } else { "  " };
            self.line(&format!("{mark}  {line}"));
        }
    }

    /// Prints the output of the program unchanged.
    pub fn echo(&self, text: &str) {
        self.line(text.trim_end());
    }

    /// Prints an empty line.
    pub fn blank_line(&self) {
        self.line("");
    }

    #[expect(
        clippy::unused_self,
        reason = "the console is the only writer of standard output"
    )]
    fn line(&self, line: &str) {
        let mut out = io::stdout().lock();
        // The demo has to clean up even if standard output is closed.
        let _ = writeln!(out, "{line}").and_then(|()| out.flush());
    }

    fn styled(&self, style: Style, text: &str) -> String {
        if self.color {
            format!("{style}{text}{style:#}")
        } else {
            text.to_owned()
        }
    }
}

/// Wraps words in lines of at most `width` columns. A longer word has its own line.
fn wrapped(text: &str, width: usize, indent: &str) -> Vec<String> {
    let mut lines = Vec::new();
    let mut line = String::new();
    for word in text.split_whitespace() {
        let used = line.chars().count();
        if used > indent.len() && used + 1 + word.chars().count() > width {
            lines.push(std::mem::replace(&mut line, indent.to_owned()));
        }
        if line.len() > indent.len() || (lines.is_empty() && !line.is_empty()) {
            line.push(' ');
        }
        line.push_str(word);
    }
    lines.push(line);
    lines
}
