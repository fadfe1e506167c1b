//! The questions before a change, and the notice after a no.

use crate::reconcile::plan::PlanStep;
use crate::render::message::{Message, Notice};
use crate::render::plan::PlanCounts;
use crate::sanitize::escape_control_chars;

/// A question before a change.
#[derive(Clone, Copy, Debug)]
pub enum Question<'a> {
    ApplyPlan {
        steps: &'a [PlanStep],
        account: &'a str,
    },
    /// Offers verify after setup.
    FollowCanary,
    /// Asks before an archive is written to this file.
    WriteArchive { count: usize, file: &'a str },
    /// Destructive: the user types `yes`.
    DeleteResources { count: usize, account: &'a str },
    /// Destructive: the user types `yes`.
    RedriveMessages {
        /// The approximate number of messages.
        count: u64,
        /// The name of Heeler's queue.
        queue: &'a str,
        account: &'a str,
    },
    /// Destructive: the user types `yes`.
    RestoreDocuments { count: usize, account: &'a str },
}

impl Question<'_> {
    /// Returns the question, after an empty line.
    #[must_use]
    pub fn text(self) -> String {
        match self {
            Self::ApplyPlan { steps, account } => {
                format!(
                    "\n{} in account {account}?",
                    plan_request(&PlanCounts::of(steps))
                )
            }
            Self::FollowCanary => "\nFollow a test call to Heeler's queue now (verify)?".to_owned(),
            Self::WriteArchive { count, file } => format!(
                "\nWrite {} to {}?",
                these(count, "file"),
                escape_control_chars(file)
            ),
            Self::DeleteResources { count, account } => format!(
                "\nDelete {} in account {account}? Messages that were not received yet are lost.",
                these(count, "resource")
            ),
            Self::RedriveMessages {
                count,
                queue,
                account,
            } => {
                let noun = if count == 1 { "message" } else { "messages" };
                format!(
                    "\nMove about {count} {noun} to queue {queue} in account {account}? Heeler receives them again."
                )
            }
            Self::RestoreDocuments { count, account } => format!(
                "\nRestore {} in account {account}? This overwrites their current content.",
                these(count, "document")
            ),
        }
    }

    /// Returns true if the user must type a word instead of `y`.
    #[must_use]
    pub fn is_destructive(self) -> bool {
        !matches!(
            self,
            Self::ApplyPlan { .. } | Self::FollowCanary | Self::WriteArchive { .. }
        )
    }
}

/// Returns the request of a plan, such as `Create these 13 resources`.
fn plan_request(counts: &PlanCounts) -> String {
    let changes = [
        ("create", counts.create),
        ("update", counts.update),
        ("adopt", counts.adopt),
    ];
    let changes: Vec<(&str, usize)> = changes
        .into_iter()
        .filter(|(_, count)| *count > 0)
        .collect();
    match changes[..] {
        [("create", count)] => format!("Create {}", these(count, "resource")),
        [("update", count)] => format!("Update {}", these(count, "resource")),
        [("adopt", count)] => format!("Adopt {}", these(count, "resource")),
        _ => {
            let total = changes.iter().map(|(_, count)| count).sum();
            let parts = changes
                .iter()
                .map(|(verb, count)| format!("{count} to {verb}"));
            let parts = parts.collect::<Vec<_>>().join(", ");
            format!("Make {} ({parts})", these(total, "change"))
        }
    }
}

/// Returns `this resource`, or `these 2 resources`.
fn these(count: usize, noun: &str) -> String {
    if count == 1 {
        format!("this {noun}")
    } else {
        format!("these {count} {noun}s")
    }
}

/// The notice after a question that the user did not confirm.
#[derive(Clone, Copy, Debug)]
pub struct Cancelled {
    /// True if the run made a change before the question.
    pub has_changes: bool,
}

impl Notice for Cancelled {
    fn message(&self) -> Message {
        let text = if self.has_changes {
            "Cancelled. No other changes made."
        } else {
            "Cancelled. No changes made."
        };
        Message::warning("cancelled", text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn question_names_the_changes() {
        let counts = |create, update, adopt| PlanCounts {
            create,
            update,
            adopt,
            ..PlanCounts::default()
        };
        for (counts, expected) in [
            (counts(13, 0, 0), "Create these 13 resources"),
            (counts(1, 0, 0), "Create this resource"),
            (counts(0, 2, 0), "Update these 2 resources"),
            (counts(0, 0, 1), "Adopt this resource"),
            (
                counts(11, 0, 1),
                "Make these 12 changes (11 to create, 1 to adopt)",
            ),
            (
                counts(1, 2, 3),
                "Make these 6 changes (1 to create, 2 to update, 3 to adopt)",
            ),
        ] {
            assert_eq!(plan_request(&counts), expected);
        }
    }
}
