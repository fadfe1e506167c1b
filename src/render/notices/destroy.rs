//! The notices of `destroy`.

use crate::aws::key_grant_request::KeyGrantRequest;
use crate::reconcile::graph::ResourceId;
use crate::render::message::{Message, Notice};
use crate::sanitize::escape_control_chars;

/// Something that `destroy` reports.
#[derive(Clone, Debug)]
pub enum DestroyNotice {
    /// Some resources could not be read, so the run deletes none.
    Unreadable,
    /// A temporary queue of a killed `tail` was deleted.
    StaleQueueDeleted {
        name: String,
    },
    AllDeleted,
    /// Some resources remain.
    Remaining(Vec<RemainingResource>),
    /// Another run deletes the rest.
    RunAgain,
    /// Owners of keys in other accounts may have created grants for the role.
    GrantsRemain(Vec<KeyGrantRequest>),
}

/// A resource that remains after a destroy.
#[derive(Clone, Debug)]
pub struct RemainingResource {
    pub id: ResourceId,
    pub reason: RemainingReason,
}

/// The reason why a resource remains.
#[derive(Clone, Debug)]
pub enum RemainingReason {
    NotManaged,
    InUseBy(ResourceId),
    DependsOn(ResourceId),
    Failed {
        cause: String,
    },
    /// AWS deletes it after this many days.
    DeletionDelayed {
        days: u64,
        /// The command that keeps it, but disabled.
        cancel_command: String,
        /// The command that enables it again.
        enable_command: String,
        /// The command after which another destroy does not delete it.
        release_command: String,
    },
}

impl Notice for DestroyNotice {
    fn message(&self) -> Message {
        match self {
            Self::Unreadable => Message::warning(
                "nothing_deleted",
                "Nothing was deleted, because some resources could not be read.",
            ),
            Self::StaleQueueDeleted { name } => Message::status(
                "stale_queue_deleted",
                format!("Deleted temporary queue {name}, left by an earlier run of tail."),
            ),
            Self::GrantsRemain(requests) => {
                let heading = "The owner of each KMS key in another account can revoke the grant for the deleted role:";
                let message = Message::status("grants_remain", heading);
                requests.iter().fold(message, |message, request| {
                    message
                        .and_text(format!("In account {}, run:", request.owner()))
                        .and_command(request.list_all_command())
                        .and_command(request.revoke_command())
                })
            }
            Self::AllDeleted => Message::status("all_deleted", "All resources were deleted."),
            Self::Remaining(resources) => {
                let first = Message::status("remaining", "Remaining:");
                resources.iter().fold(first, |message, resource| {
                    let line = format!("  {}: {}", resource.id, resource.reason.sentence());
                    message.and_text(escape_control_chars(&line))
                })
            }
            Self::RunAgain => Message::warning(
                "run_again",
                "Run `heeler-ec destroy` again to delete the rest.",
            ),
        }
    }
}

impl RemainingReason {
    /// Describes the reason in one sentence.
    #[must_use]
    pub fn sentence(&self) -> String {
        match self {
            Self::NotManaged => "not managed by heeler-ec".to_owned(),
            Self::InUseBy(id) => format!("still in use by {id}, which was not deleted"),
            Self::DependsOn(id) => format!("depends on {id}"),
            Self::Failed { cause } => cause.clone(),
            Self::DeletionDelayed {
                days,
                cancel_command,
                enable_command,
                release_command,
            } => format!(
                "AWS deletes it in {days} days and charges nothing until then. To keep it, run `{cancel_command}`, then \
                 `{enable_command}`, then `{release_command}`; with its tag, another destroy deletes it"
            ),
        }
    }
}
