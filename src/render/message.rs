//! A message on standard error: sentences, and commands to copy.

use serde_json::json;

use super::layout::wrap_text;
use super::{ProgressFormat, Ui};

/// The importance of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MessageLevel {
    /// Progress or advice, which `--quiet` suppresses.
    Status,
    Warning,
}

/// A message with a stable ID.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    id: &'static str,
    level: MessageLevel,
    lines: Vec<MessageLine>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct MessageLine {
    text: String,
    /// Wrapped text; otherwise a command or a table, which is printed as it is.
    is_wrapped: bool,
    level: MessageLevel,
}

/// Something that a command reports while it runs. The notice has the facts, and its message the sentences.
pub trait Notice {
    /// Returns the sentences of the notice.
    fn message(&self) -> Message;
}

impl Message {
    /// Creates progress or advice.
    #[must_use]
    pub fn status(id: &'static str, text: impl Into<String>) -> Self {
        Self::new(id, MessageLevel::Status).and_text(text)
    }

    /// Creates a warning.
    #[must_use]
    pub fn warning(id: &'static str, text: impl Into<String>) -> Self {
        Self::new(id, MessageLevel::Warning).and_text(text)
    }

    fn new(id: &'static str, level: MessageLevel) -> Self {
        Self {
            id,
            level,
            lines: Vec::new(),
        }
    }

    /// Appends a sentence. Commands in it stand between backticks.
    #[must_use]
    pub fn and_text(self, text: impl Into<String>) -> Self {
        let level = self.level;
        self.and_line(text.into(), true, level)
    }

    /// Appends advice, which `--quiet` suppresses also in a warning.
    #[must_use]
    pub fn and_advice(self, text: impl Into<String>) -> Self {
        self.and_line(text.into(), true, MessageLevel::Status)
    }

    /// Appends a command on a line of its own.
    #[must_use]
    pub fn and_command(self, command: impl AsRef<str>) -> Self {
        let level = self.level;
        self.and_line(format!("  {}", command.as_ref()), false, level)
    }

    /// Appends the command of the advice above it.
    #[must_use]
    pub fn and_advised_command(self, command: impl AsRef<str>) -> Self {
        let line = format!("      {}", command.as_ref());
        self.and_line(line, false, MessageLevel::Status)
    }

    fn and_line(mut self, text: String, is_wrapped: bool, level: MessageLevel) -> Self {
        self.lines.push(MessageLine {
            text,
            is_wrapped,
            level,
        });
        self
    }
}

impl Ui {
    /// Prints what a command reports.
    pub fn notify(&self, notice: &dyn Notice) {
        self.message(&notice.message());
    }

    /// Prints a message on standard error.
    pub fn message(&self, message: &Message) {
        let is_shown = |level| level == MessageLevel::Warning || !self.options.quiet;
        let lines = message.lines.iter().filter(|line| is_shown(line.level));
        let lines: Vec<(bool, String)> = lines
            .map(|line| {
                let text = if line.is_wrapped {
                    self.repeated.complete_text(&line.text)
                } else {
                    self.repeated.complete(&line.text)
                };
                (line.is_wrapped, text)
            })
            .collect();
        if lines.is_empty() {
            return;
        }
        if self.options.progress == ProgressFormat::Json {
            let texts: Vec<&str> = lines.iter().map(|(_, text)| text.trim()).collect();
            let text = texts.join("\n");
            if text.trim().is_empty() {
                return;
            }
            self.progress_line(&json!({
                "type": "notice",
                "level": match message.level {
                    MessageLevel::Status => "status",
                    MessageLevel::Warning => "warning",
                },
                "id": message.id,
                "message": text.trim(),
            }));
            return;
        }
        for (is_wrapped, text) in lines {
            let text = if is_wrapped {
                wrap_text(&text, self.stderr.width)
            } else {
                text
            };
            self.print_stderr(&self.ascii_fallback(&text));
        }
    }
}
