//! The notices of `plan`.

use crate::render::message::{Message, Notice};

/// Something that `plan` reports.
#[derive(Clone, Debug)]
pub enum PlanNotice {
    /// The command that applies the plan of a first setup.
    Next {
        setup_command: String,
        /// The external ID was supplied, and the command does not repeat it.
        needs_external_id: bool,
    },
    /// Resources are missing and nothing else differs.
    Incomplete { setup_command: String },
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
            Self::Next {
                setup_command,
                needs_external_id,
            } => {
                let text = if *needs_external_id {
                    "Next (asks for confirmation), with the same external ID in HEELER_EC_EXTERNAL_ID:"
                } else {
                    "Next (asks for confirmation):"
                };
                Message::status("next", text).and_command(setup_command)
            }
            Self::Incomplete { setup_command } => Message::status(
                "drift",
                "The deployment is incomplete: resources are missing. To create them, run (asks for confirmation):",
            )
            .and_command(setup_command),
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
