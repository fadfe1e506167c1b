//! The notices of `preflight`.

use std::time::Duration;

use crate::render::message::{Message, Notice};

/// Something that `preflight` reports.
#[derive(Clone, Debug)]
pub enum PreflightNotice {
    NothingToFix,
    Fixed,
    NotFixed,
    /// Some checks may pass later.
    Waiting {
        checks: String,
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
            Self::Waiting {
                checks,
                next_check,
                remaining,
            } => Message::status(
                "waiting",
                format!(
                    "Waiting for {checks}. Next check in {} ({} left).",
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
