//! The notices of `setup`.

use crate::aws::key_grant_request::KeyGrantRequest;
use crate::inventory::bucket_events::HEELER;
use crate::render::message::{Message, Notice};

/// Something that `setup` reports.
#[derive(Clone, Debug)]
pub enum SetupNotice {
    /// `--generate-external-id` has no effect.
    ExternalIdKept,
    /// Some resources could not be read.
    Unreadable {
        /// Describes that nothing has changed.
        unchanged: &'static str,
    },
    /// The plan changes the external ID of an existing role.
    ExternalIdChanges {
        vendor: &'static str,
    },
    RetentionSet {
        log_group: String,
    },
    /// Another setup has the lock.
    LostRace {
        unchanged: &'static str,
    },
    /// A step failed, and the changes were kept.
    Stopped {
        done: usize,
        steps: usize,
        /// Describes changes before the plan.
        exception: String,
    },
    /// Ways to continue after a failed setup.
    RecoverySteps,
    /// The test event of S3, which is the first message in the queue.
    TestEvent {
        is_seen: bool,
        /// True if S3 sends to a topic, false if it sends to the queue.
        has_topic: bool,
    },
    /// The steps after a setup for another vendor than Heeler.
    VendorSteps {
        is_masked: bool,
        delivery_time: &'static str,
    },
    /// Owners of keys in other accounts have to create grants.
    GrantsNeeded(Vec<KeyGrantRequest>),
    /// The steps after a setup.
    NextSteps {
        /// The run created all resources, so Heeler cannot have the values yet.
        is_first: bool,
        /// True if the result masks the external ID.
        is_masked: bool,
        /// The time from a call to its event, as the end of a sentence.
        delivery_time: &'static str,
    },
    /// The external ID of an existing deployment has changed.
    ExternalIdChanged {
        is_masked: bool,
        vendor: &'static str,
    },
}

impl Notice for SetupNotice {
    fn message(&self) -> Message {
        match self {
            Self::ExternalIdKept => Message::status(
                "external_id_kept",
                "Keeping the existing external ID (use --external-id to change it).",
            ),
            Self::Unreadable { unchanged } => Message::warning(
                "unreadable",
                format!("Some resources could not be read; {unchanged}."),
            ),
            Self::ExternalIdChanges { vendor } => Message::warning(
                "external_id_changes",
                format!(
                    "\nThe external ID changes: {vendor} cannot assume the role until you give {vendor} the new one. It \
                     is printed at the end."
                ),
            ),
            Self::LostRace { unchanged } => Message::warning(
                "lost_race",
                format!("\nAnother setup started first; {unchanged}."),
            ),
            Self::RetentionSet { log_group } => Message::status(
                "retention_set",
                format!("Log group {log_group} now keeps its events for one day."),
            ),
            Self::Stopped {
                done,
                steps,
                exception,
            } => and_recovery_steps(Message::warning(
                "stopped",
                match done {
                    0 => format!("\nStopped: 0 of {steps} steps were completed{exception}."),
                    _ => format!(
                        "\nStopped after {done} of {steps} steps. Resources created so far were kept{exception}."
                    ),
                },
            )),
            Self::RecoverySteps => {
                Message::warning("recovery_steps", RERUN).and_command("heeler-ec destroy")
            }
            Self::TestEvent { is_seen, has_topic } => test_event(*is_seen, *has_topic),
            Self::GrantsNeeded(requests) => {
                let heading = "\nThe role cannot decrypt the log files until the owner of each KMS key has created a grant for it:";
                let message = Message::warning("grants_needed", heading);
                let message = requests.iter().fold(message, |message, request| {
                    let message = message.and_text(format!("In account {}, run:", request.owner()));
                    message.and_command(request.create_command())
                });
                message.and_text("Then `heeler-ec status` shows if the role may decrypt.")
            }
            Self::NextSteps {
                is_first,
                is_masked,
                delivery_time,
            } => next_steps(*is_first, *is_masked, delivery_time),
            Self::VendorSteps {
                is_masked,
                delivery_time,
            } => {
                let values = if *is_masked {
                    "the values that `heeler-ec outputs` prints"
                } else {
                    "these values"
                };
                Message::status("next_steps", format!("\nNext, give the vendor {values}."))
                    .and_text(format!(
                        "Then run `heeler-ec status` to see whether the vendor receives. An event arrives {delivery_time}."
                    ))
            }
            Self::ExternalIdChanged { is_masked, vendor } => {
                let command = if *is_masked {
                    " (`heeler-ec outputs` prints it)"
                } else {
                    ""
                };
                let give = match *vendor {
                    HEELER => "paste the new one into Heeler".to_owned(),
                    vendor => format!("give {vendor} the new one"),
                };
                Message::warning(
                    "external_id_changed",
                    format!(
                        "\nThe external ID has changed: {give} now{command}. Until then {vendor} cannot assume the role, and \
                         messages wait in the queue for at most two hours."
                    ),
                )
            }
        }
    }
}

/// Reports whether the queue counts the event that S3 sends when a notification is written.
fn test_event(is_seen: bool, has_topic: bool) -> Message {
    let text = match (is_seen, has_topic) {
        (true, false) => {
            "\nThe test event of S3 has reached the queue: the notification and the queue work."
        }
        (false, false) => {
            "\nThe test event of S3 is not counted in the queue yet; run: `heeler-ec status`"
        }
        (true, true) => {
            "\nThe test event of S3 has reached Heeler's queue: the notification, the topic and the queue work."
        }
        (false, true) => {
            "\nThe test event of S3 is not counted in Heeler's queue yet; run: `heeler-ec verify`"
        }
    };
    Message::status("test_event", text)
}

/// The steps in Heeler after a setup.
fn next_steps(is_first: bool, is_masked: bool, delivery_time: &str) -> Message {
    let values = if is_masked {
        "the three values that `heeler-ec outputs` prints"
    } else {
        "these three values"
    };
    let heading = if is_first {
        "\nNext, in Heeler:"
    } else {
        "\nNext, in Heeler, if it does not have the values yet:"
    };
    Message::status("next_steps", heading)
        .and_text("  1. Open https://app.heeler.com/administration/connections/organizations.")
        .and_text("  2. Select the ellipsis next to this organization to edit its Event Collection Settings.")
        .and_text(format!("  3. Paste {values}."))
        .and_text("  4. Confirm in the list of organizations that event collection is enabled.")
        .and_text(format!(
            "Then run `heeler-ec verify` to follow a test call to the queue, or `heeler-ec tail` to see events arrive. An event \
             arrives {delivery_time}."
        ))
}

const RERUN: &str = "Run the same command again to complete the setup. To remove it, run:";

/// Appends the ways to continue after a failed setup.
pub(super) fn and_recovery_steps(message: Message) -> Message {
    message.and_text(RERUN).and_command("heeler-ec destroy")
}
