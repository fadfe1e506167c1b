//! The notices of `preflight`.

use std::time::Duration;

use crate::render::message::{Message, Notice};
use crate::render::report::PendingCheck;
use crate::sanitize::escape_control_chars;

/// Something that `preflight` reports.
#[derive(Clone, Debug)]
pub enum PreflightNotice {
    NothingToFix,
    Fixed,
    NotFixed,
    /// The checks that may pass later are others than before.
    Pending {
        checks: Vec<PendingCheck>,
    },
    /// Some checks may pass later.
    Waiting {
        checks: Vec<PendingCheck>,
        next_check: Duration,
        remaining: Duration,
    },
}

impl Notice for PreflightNotice {
    fn message(&self) -> Message {
        match self {
            Self::NothingToFix => {
                Message::status("nothing_to_fix", "No finding can be fixed with --fix.")
            }
            Self::Fixed => Message::status("fixed", "Done.\n"),
            Self::NotFixed => Message::status("not_fixed", "Not changed.\n"),
            Self::Pending { checks } => {
                let first = Message::status("pending", "These checks have not passed yet:");
                checks.iter().fold(first, |message, check| {
                    let observed = escape_control_chars(&check.observed);
                    message.and_text(format!("  {}: {observed}", check.id))
                })
            }
            Self::Waiting {
                checks,
                next_check,
                remaining,
            } => Message::status(
                "waiting",
                format!(
                    "Waiting for {}. Next check in {} ({} left).",
                    checks
                        .iter()
                        .map(|check| check.id)
                        .collect::<Vec<_>>()
                        .join(", "),
                    humantime::format_duration(whole_seconds(*next_check)),
                    humantime::format_duration(whole_seconds(*remaining))
                ),
            ),
        }
    }
}

/// Truncates a duration to whole seconds, at least one.
fn whole_seconds(time: Duration) -> Duration {
    Duration::from_secs(time.as_secs().max(1))
}
