//! The notices of `export`.

use crate::reconcile::graph::ResourceId;
use crate::render::message::{Message, Notice};

/// A resource that `export` leaves out.
#[derive(Clone, Debug)]
pub enum ExportNotice {
    Missing {
        id: ResourceId,
        /// The option of the deployment.
        option: String,
    },
    NotManaged(ResourceId),
}

impl Notice for ExportNotice {
    fn message(&self) -> Message {
        match self {
            Self::Missing { id, option } => Message::warning(
                "missing",
                format!(
                    "Skipped {id}: it does not exist; `heeler-ec setup --option {option}` creates it again."
                ),
            ),
            Self::NotManaged(id) => Message::warning(
                "not_managed",
                format!("Skipped {id}: it is not managed by heeler-ec."),
            ),
        }
    }
}
