//! The notices of `restore`.

use crate::reconcile::graph::ResourceId;
use crate::render::message::{Message, Notice};
use crate::sanitize::escape_control_chars;

/// Something that `restore` reports.
#[derive(Clone, Debug)]
pub enum RestoreNotice {
    NothingToRestore,
    Restored(ResourceId),
    /// The document has changed since the plan.
    Changed(ResourceId),
    Failed {
        id: ResourceId,
        cause: String,
    },
}

impl Notice for RestoreNotice {
    fn message(&self) -> Message {
        match self {
            Self::NothingToRestore => Message::status(
                "nothing_to_restore",
                "Nothing to restore. No changes were made.",
            ),
            Self::Restored(id) => Message::status("restored", format!("  ~ restored {id}")),
            Self::Changed(id) => Message::warning(
                "changed",
                format!("  ! skipped {id}: it has changed since the plan"),
            ),
            Self::Failed { id, cause } => Message::warning(
                "failed",
                escape_control_chars(&format!("  ! failed to restore {id}: {cause}")),
            ),
        }
    }
}
