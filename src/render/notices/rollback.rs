//! The notices of a rollback.

use super::setup::and_recovery_steps;
use crate::reconcile::graph::ResourceId;
use crate::render::message::{Message, Notice};
use crate::sanitize::escape_control_chars;

/// Something that a rollback reports.
#[derive(Clone, Debug)]
pub enum RollbackNotice {
    Started,
    /// AWS deletes the resource later.
    DeletionDelayed {
        id: ResourceId,
        days: u64,
    },
    /// All changes were undone, except those that `exception` describes.
    Completed {
        exception: String,
    },
    /// Some changes were not undone.
    Incomplete(Vec<RemainingChange>),
}

/// A change that was not rolled back.
#[derive(Clone, Debug)]
pub struct RemainingChange {
    pub id: ResourceId,
    pub reason: ChangeReason,
}

/// The reason why a change was not rolled back.
#[derive(Clone, Debug)]
pub enum ChangeReason {
    /// AWS does not return the previous values of these fields.
    Irreversible(Vec<&'static str>),
    Failed {
        cause: String,
    },
    DependsOn(ResourceId),
}

impl Notice for RollbackNotice {
    fn message(&self) -> Message {
        match self {
            Self::Started => Message::warning(
                "rollback_started",
                "\nRolling back the changes of this run:",
            ),
            Self::DeletionDelayed { id, days } => Message::status(
                "deletion_delayed",
                format!("AWS deletes {id} in {days} days. It costs nothing until then."),
            ),
            Self::Completed { exception } => Message::warning(
                "rollback_completed",
                format!("Rolled back: all changes of this run were undone{exception}."),
            ),
            Self::Incomplete(remaining) => {
                let first = Message::warning(
                    "rollback_incomplete",
                    "Some changes could not be rolled back. Remaining:",
                );
                let message = remaining.iter().fold(first, |message, change| {
                    let line = format!("  {}: {}", change.id, change.reason.sentence());
                    message.and_text(escape_control_chars(&line))
                });
                and_recovery_steps(message)
            }
        }
    }
}

impl ChangeReason {
    fn sentence(&self) -> String {
        match self {
            Self::Irreversible(fields) => format!(
                "{} keeps the new value, because the previous one cannot be restored",
                fields.join(", ")
            ),
            Self::Failed { cause } => cause.clone(),
            Self::DependsOn(id) => format!("depends on {id}"),
        }
    }
}
