//! The notices of `setup`.

use crate::render::message::{Message, Notice};

/// Something that `setup` reports.
#[derive(Clone, Debug)]
pub enum SetupNotice {
    /// The steps after a setup.
    NextSteps {
        /// The command that shows the events.
        tail_command: String,
    },
    /// The external ID of an existing deployment has changed.
    ExternalIdChanged,
}

impl Notice for SetupNotice {
    fn message(&self) -> Message {
        match self {
            Self::NextSteps { tail_command } => Message::status("next_steps", "")
                .and_text(
                    "Next:  open https://app.heeler.com/administration/connections/organizations, edit the Event \
                     Collection Settings of this organization, and paste these three values. The list of \
                     organizations then shows that event collection is enabled.",
                )
                .and_text(format!(
                    "Then:  run `{tail_command}` to see events arrive (CloudTrail delivers about every 5 minutes)."
                )),
            Self::ExternalIdChanged => Message::warning(
                "external_id_changed",
                "\nThe external ID has changed: paste the new one into Heeler now. Until then Heeler cannot assume the \
                 role, and messages wait in the queue for at most two hours.",
            ),
        }
    }
}
