//! The notices of `support`.

use crate::render::message::{Message, Notice};
use crate::render::support::size_text;
use crate::sanitize::escape_control_chars;

/// Something that `support` reports.
#[derive(Clone, Debug)]
pub enum SupportNotice {
    /// The archive was written.
    Written { file: String, bytes: usize },
    /// Some facts could not be read, and the archive has the errors.
    Incomplete { errors: usize },
}

impl Notice for SupportNotice {
    fn message(&self) -> Message {
        match self {
            Self::Written { file, bytes } => Message::status(
                "archive_written",
                format!(
                    "Wrote {} ({}). Attach it to the ticket.",
                    escape_control_chars(file),
                    size_text(*bytes)
                ),
            ),
            Self::Incomplete { errors: 1 } => Message::warning(
                "archive_incomplete",
                "One read failed. errors.json of the archive has the error.",
            ),
            Self::Incomplete { errors } => Message::warning(
                "archive_incomplete",
                format!("{errors} reads failed. errors.json of the archive has the errors."),
            ),
        }
    }
}
