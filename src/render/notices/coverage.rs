//! The notices of `coverage`.

use std::path::PathBuf;

use crate::render::message::{Message, Notice};
use crate::sanitize::escape_control_chars;

/// Something that `coverage` reports.
#[derive(Clone, Debug)]
pub enum CoverageNotice {
    /// A part of the accounts was checked.
    Progress { text: String },
    /// Accounts of an earlier run are not checked again.
    Resumed { accounts: usize },
    /// The page was written.
    PageWritten { file: PathBuf },
}

impl Notice for CoverageNotice {
    fn message(&self) -> Message {
        match self {
            Self::Progress { text } => Message::status("progress", format!("{text}.")),
            Self::Resumed { accounts } => Message::status(
                "resumed",
                format!("{accounts} accounts were checked by an earlier run."),
            ),
            Self::PageWritten { file } => {
                let file = escape_control_chars(&file.display().to_string());
                Message::status("page_written", format!("Page written to {file}."))
            }
        }
    }
}
