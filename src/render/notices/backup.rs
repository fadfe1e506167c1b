//! The notices of `--backup`.

use std::path::PathBuf;

use crate::render::message::{Message, Notice};
use crate::sanitize::escape_control_chars;

/// Something that a run with `--backup` reports.
#[derive(Clone, Debug)]
pub enum BackupNotice {
    /// The documents were saved before the first write.
    Saved {
        documents: usize,
        /// The file contains the external ID, which is a secret.
        has_external_id: bool,
        file: PathBuf,
    },
}

impl Notice for BackupNotice {
    fn message(&self) -> Message {
        let Self::Saved {
            documents,
            has_external_id,
            file,
        } = self;
        let secret = if *has_external_id {
            " The file contains the external ID."
        } else {
            ""
        };
        let plural = if *documents == 1 { "" } else { "s" };
        let file = escape_control_chars(&file.display().to_string());
        Message::status(
            "backup_saved",
            format!(
                "Saved {documents} document{plural} in {file}.{secret} To undo changes later: `heeler-ec restore {file}`"
            ),
        )
    }
}
