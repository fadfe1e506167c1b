//! Runs an evaluation on the log group, or skips it because the log group is unknown.

use super::{CheckId, Verdict, skipped_because};
use crate::inventory::facts::{LogGroupFacts, LogGroupSettings};
use crate::inventory::{Fact, Snapshot};

/// Evaluates the log group that the trail delivers to.
pub(super) fn with_log_group(
    snapshot: &Snapshot,
    evaluate: impl FnOnce(&LogGroupFacts) -> Verdict,
) -> Verdict {
    snapshot
        .log_group
        .as_ref()
        .map_or_else(|| skipped_because(CheckId::LogsEnabled), evaluate)
}

/// Evaluates the log group if it is in this account. In another account, calls would read a different log group.
pub(super) fn with_own_log_group(
    snapshot: &Snapshot,
    evaluate: impl FnOnce(&LogGroupFacts) -> Verdict,
) -> Verdict {
    with_log_group(snapshot, |group| {
        if Some(group.account.as_str()) == snapshot.account_id() {
            evaluate(group)
        } else {
            skipped_because(CheckId::LogsAccount)
        }
    })
}

/// Evaluates the log group if it exists.
pub(super) fn with_existing_log_group(
    snapshot: &Snapshot,
    evaluate: impl FnOnce(&LogGroupFacts, &LogGroupSettings) -> Verdict,
) -> Verdict {
    with_own_log_group(snapshot, |named| match &named.settings {
        Fact::Present(settings) => evaluate(named, settings),
        _ => skipped_because(CheckId::LogsExists),
    })
}
