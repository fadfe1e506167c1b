//! The notices of `policy`.

use crate::render::message::{Message, Notice};
use crate::sanitize::escape_control_chars;

/// Something that `policy` reports.
#[derive(Clone, Debug)]
pub enum PolicyNotice {
    /// There are no valid credentials, or AWS cannot be reached.
    OnlyPlaceholders { is_unreachable: bool, cause: String },
    /// Some names could not be read.
    Skipped { operation: String, cause: String },
    /// The policy is not for the management account.
    OnlyBucketAccount,
    /// The placeholders to replace, each with its meaning.
    Placeholders(Vec<(&'static str, &'static str)>),
    /// The policy is too long for a managed policy.
    TooLong {
        chars: usize,
        inline_max_chars: usize,
        managed_max_chars: usize,
    },
}

impl Notice for PolicyNotice {
    fn message(&self) -> Message {
        match self {
            Self::OnlyPlaceholders {
                is_unreachable,
                cause,
            } => {
                let reason = if *is_unreachable {
                    "AWS cannot be reached"
                } else {
                    "There are no valid credentials"
                };
                let cause = escape_control_chars(cause);
                Message::status(
                    "only_placeholders",
                    format!("{reason}, so all names stay placeholders: {cause}"),
                )
            }
            Self::Skipped { operation, cause } => Message::status(
                "skipped",
                escape_control_chars(&format!("Skipped: cannot {operation}: {cause}")),
            ),
            Self::OnlyBucketAccount => Message::status(
                "only_bucket_account",
                "The policy is for the account of the log bucket. Add --account management for the permissions in the \
                 management account.",
            ),
            Self::Placeholders(placeholders) => {
                let first = Message::status("placeholders", "Replace these placeholders:");
                placeholders.iter().fold(first, |message, (name, meaning)| {
                    message.and_text(format!("  {name}: {meaning}"))
                })
            }
            Self::TooLong {
                chars,
                inline_max_chars,
                managed_max_chars,
            } => Message::status(
                "too_long",
                format!(
                    "The policy has {chars} characters. IAM accepts it as an inline policy of a role (up to \
                     {inline_max_chars}), but not as a managed policy (up to {managed_max_chars})."
                ),
            ),
        }
    }
}
