//! What the audience sees of the demo itself: prose, command lines, and what was checked.

use std::io::{self, IsTerminal, Write};

use anstyle::{AnsiColor, Style};

/// Longer lines are hard to read.
const WIDEST: usize = 76;

/// Where the demo speaks: standard output, between the outputs of the program.
pub struct Stage {
    width: usize,
    colour: bool,
    terminal: bool,
}

impl Stage {
    /// As wide as the terminal, and no wider than is good to read.
    pub fn new() -> Stage {
        let terminal = io::stdout().is_terminal();
        let set = |name| std::env::var_os(name).is_some_and(|value| !value.is_empty());
        let dumb = std::env::var_os("TERM").is_some_and(|term| term == "dumb");
        let columns = comfy_table::Table::new().width().map_or(80, usize::from);
        Stage {
            width: columns.saturating_sub(2).clamp(30, WIDEST),
            colour: terminal && !dumb && !set("NO_COLOR"),
            terminal,
        }
    }

    /// Whether somebody reads along.
    pub fn is_watched(&self) -> bool {
        self.terminal
    }

    /// The heading of a scene.
    pub fn heading(&self, text: &str) {
        self.line("");
        self.line(&self.styled(AnsiColor::Cyan.on_default().bold(), text));
    }

    /// A paragraph.
    pub fn say(&self, text: &str) {
        self.line("");
        for line in wrapped(text, self.width, "") {
            self.line(&line);
        }
    }

    /// A row of a list, with the lines that follow its first below the text.
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

    /// The command line that runs next, as it would be typed.
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

    /// Something that was checked and found to be so.
    pub fn proved(&self, text: &str) {
        let mark = self.styled(AnsiColor::Green.on_default().bold(), "ok");
        for (number, line) in wrapped(text, self.width - 4, "").iter().enumerate() {
            let mark = if number == 0 { &mark } else { "  " };
            self.line(&format!("{mark}  {line}"));
        }
    }

    /// What the program printed, as it is.
    pub fn echo(&self, text: &str) {
        self.line(text.trim_end());
    }

    /// An empty line.
    pub fn gap(&self) {
        self.line("");
    }

    #[expect(clippy::unused_self, reason = "what is said is said by the stage")]
    fn line(&self, line: &str) {
        let mut out = io::stdout().lock();
        // An audience that has left is no reason to leave the pipeline standing.
        let _ = writeln!(out, "{line}").and_then(|()| out.flush());
    }

    fn styled(&self, style: Style, text: &str) -> String {
        if self.colour {
            format!("{style}{text}{style:#}")
        } else {
            text.to_owned()
        }
    }
}

/// The words in lines of at most `width` columns; a longer word has a line to itself.
fn wrapped(text: &str, width: usize, indent: &str) -> Vec<String> {
    let mut lines = Vec::new();
    let mut line = String::new();
    for word in text.split_whitespace() {
        let taken = line.chars().count();
        if taken > indent.len() && taken + 1 + word.chars().count() > width {
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
