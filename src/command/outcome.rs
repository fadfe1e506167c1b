//! The end of a command: its result, messages that follow it, its error, and the exit code.

use crate::error::{Error, Exit};
use crate::render::Ui;
use crate::render::document::{Document, Envelope, print_document};
use crate::render::message::{Message, Notice};

/// The end of a command. After a partial success, both the result and the error are set.
#[derive(Debug)]
pub(crate) struct CommandOutcome {
    exit: Exit,
    document: Option<Document>,
    /// Messages about the result, printed after it.
    messages: Vec<Message>,
    error: Option<Error>,
}

impl CommandOutcome {
    /// Creates the end of a command with a result.
    pub fn result(document: Document) -> Self {
        Self {
            document: Some(document),
            ..Self::exit(Exit::Success)
        }
    }

    /// Sets the result, if there is one in the output format of the run.
    #[must_use]
    pub fn with_document(mut self, document: Option<Document>) -> Self {
        self.document = document;
        self
    }

    /// Creates the end of a command that has printed its results itself.
    pub fn exit(exit: Exit) -> Self {
        Self {
            exit,
            document: None,
            messages: Vec::new(),
            error: None,
        }
    }

    /// Sets the exit code of a negative result.
    #[must_use]
    pub fn with_exit(mut self, exit: Exit) -> Self {
        self.exit = exit;
        self
    }

    /// Appends a message that is printed after the result.
    #[must_use]
    pub fn and_notice(mut self, notice: &dyn Notice) -> Self {
        self.messages.push(notice.message());
        self
    }

    /// Sets the error and its exit code, if there is one. The first error is kept.
    #[must_use]
    pub fn and_error(mut self, error: Option<Error>) -> Self {
        if self.error.is_none()
            && let Some(error) = error
        {
            self.exit = error.exit();
            self.error = Some(error);
        }
        self
    }

    /// The exit code.
    pub fn exit_code(&self) -> Exit {
        self.exit
    }

    /// Prints result, messages and error.
    pub fn print(self, ui: &Ui, envelope: Envelope) {
        print_document(ui, envelope, self.document, self.error.as_ref());
        for message in &self.messages {
            ui.message(message);
        }
        if let Some(error) = &self.error {
            ui.error(error);
        }
    }
}

impl From<Error> for CommandOutcome {
    fn from(error: Error) -> Self {
        Self::exit(error.exit()).and_error(Some(error))
    }
}
