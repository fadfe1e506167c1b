//! The notices of `export`.

use crate::reconcile::graph::ResourceId;
use crate::render::message::{Message, Notice};

/// A resource that `export` leaves out.
#[derive(Clone, Debug)]
pub enum ExportNotice {
    Missing {
        id: ResourceId,
        /// The options of setup that select the option of the deployment.
        setup_arguments: &'static str,
    },
    NotManaged(ResourceId),
}

impl Notice for ExportNotice {
    fn message(&self) -> Message {
        match self {
            Self::Missing {
                id,
                setup_arguments,
            } => Message::warning(
                "missing",
                format!(
                    "Skipped {id}: it does not exist; `heeler-ec setup {setup_arguments}` creates it again."
                ),
            ),
            Self::NotManaged(id) => Message::warning(
                "not_managed",
                format!("Skipped {id}: it is not managed by heeler-ec."),
            ),
        }
    }
}
