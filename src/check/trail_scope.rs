//! Runs an evaluation on the selected trail, or skips it because there is none.

use super::{CheckId, Verdict, skipped_because};
use crate::inventory::Snapshot;
use crate::inventory::facts::Trail;

/// Evaluates the selected trail.
pub(super) fn with_trail(snapshot: &Snapshot, evaluate: impl FnOnce(&Trail) -> Verdict) -> Verdict {
    snapshot
        .trail()
        .map_or_else(|| skipped_because(CheckId::TrailFound), evaluate)
}
