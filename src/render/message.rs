//! A message on standard error: sentences, and commands to copy.

use super::Ui;
use super::layout::wrap_text;

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
enum MessageLine {
    /// A sentence, which is wrapped.
    Text(String),
    /// A command or a table, which is never wrapped.
    Verbatim(String),
}

/// Something that a command reports while it runs. The sentences are in this module, the facts in the notice.
pub trait Notice {
    /// Returns the sentences of the notice.
    fn message(&self) -> Message;
}

impl Message {
    /// Creates progress or advice.
    #[must_use]
    pub fn status(id: &'static str, text: impl Into<String>) -> Self {
        Self {
            id,
            level: MessageLevel::Status,
            lines: vec![MessageLine::Text(text.into())],
        }
    }

    /// Creates a warning.
    #[must_use]
    pub fn warning(id: &'static str, text: impl Into<String>) -> Self {
        Self {
            level: MessageLevel::Warning,
            ..Self::status(id, text)
        }
    }

    /// Appends a sentence.
    #[must_use]
    pub fn and_text(mut self, text: impl Into<String>) -> Self {
        self.lines.push(MessageLine::Text(text.into()));
        self
    }

    /// Appends a command on a line of its own.
    #[must_use]
    pub fn and_command(mut self, command: impl AsRef<str>) -> Self {
        let line = format!("  {}", command.as_ref());
        self.lines.push(MessageLine::Verbatim(line));
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
        if message.level == MessageLevel::Status && self.options.quiet {
            return;
        }
        for line in &message.lines {
            match line {
                MessageLine::Text(text) => {
                    self.warn_unwrapped(&wrap_text(text, self.stderr.width));
                }
                MessageLine::Verbatim(text) => self.warn_unwrapped(text),
            }
        }
    }
}
