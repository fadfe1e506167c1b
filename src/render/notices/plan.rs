//! The notices of `plan`.

use crate::render::message::{Message, Notice};

/// Something that `plan` reports.
#[derive(Clone, Debug)]
pub enum PlanNotice {
    NoDrift,
    /// The deployment differs from what was set up.
    Drift {
        /// The command that removes the differences.
        setup_command: String,
    },
    /// Like `Drift`, but setup fails unless it adopts resources.
    Conflict {
        /// The command that shows the adoption.
        preview_command: &'static str,
    },
}

impl Notice for PlanNotice {
    fn message(&self) -> Message {
        match self {
            Self::NoDrift => Message::status(
                "no_drift",
                "No changes. The deployment is as it was set up.",
            ),
            Self::Drift { setup_command } => Message::status(
                "drift",
                "Drift detected. To fix it, run (asks for confirmation):",
            )
            .and_command(setup_command),
            Self::Conflict { preview_command } => Message::status(
                "drift",
                "Drift detected. Setup never changes resources that are not managed by heeler-ec. To preview taking \
                 them over, run:",
            )
            .and_command(*preview_command),
        }
    }
}
