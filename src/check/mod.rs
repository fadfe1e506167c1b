//! Pure verdicts on the facts of the inventory: is the organization ready for an option?
//!
//! A [`Check`] has an ID, a description, a [`Requirement`] and a function from a [`Snapshot`] to a [`Verdict`]. Each option
//! lists the groups of checks that apply to it. Only [`collect()`] and [`fixes`] make calls to AWS.

pub mod account;
pub mod bucket;
mod collect;
mod control_tower;
mod delivery;
mod destination;
mod finding;
pub mod fixes;
pub mod key;
pub mod lint;
mod log_group_scope;
mod log_streams;
pub mod logs;
pub mod names;
mod policy_request;
pub mod quotas;
mod report;
mod requirement;
mod resource_arn;
mod simulation;
mod subscription;
pub mod trail;
mod trail_events;
mod trail_found;
mod trail_scope;
mod trail_selection;

use crate::inventory::{OptionIdentity, Snapshot};
use crate::permissions::OptionPermissions;

pub use crate::check_id::CheckId;
pub use collect::collect;
pub use finding::{Finding, Fix, FixAction, Verdict};
pub use report::{CheckResult, Report, ResultClass, VerdictCounts, run};
pub use requirement::{Level, Requirement};
pub use trail_selection::{snapshot, snapshot_preferring};

/// One prerequisite and how to evaluate it.
#[derive(Debug)]
pub struct Check {
    pub id: CheckId,
    /// A short statement that is true if the check passes.
    pub description: &'static str,
    pub requirement: Requirement,
    /// The IAM actions of the calls that the check depends on.
    pub permissions: &'static [&'static str],
    pub evaluate: fn(&Snapshot) -> Verdict,
}

/// Everything that checks need to know about an option.
#[derive(Clone, Copy)]
pub struct OptionProfile {
    pub identity: OptionIdentity,
    /// The groups of checks that apply, in the order in which they are printed.
    pub checks: &'static [&'static [Check]],
    /// The permissions that its commands need, for the simulation with `--deep`.
    pub permissions: &'static dyn OptionPermissions,
}

/// Returns the verdict of a check that was skipped because another check did not pass.
fn skipped_because(check: CheckId) -> Verdict {
    Verdict::Skip(format!("depends on {check}"))
}

/// Formats a time as AWS does, in RFC 3339 with seconds.
fn format_time(time: std::time::SystemTime) -> String {
    humantime::format_rfc3339_seconds(time).to_string()
}

/// Quotes a word for a POSIX shell.
fn shell_quote(word: &str) -> String {
    match shlex::try_quote(word) {
        Ok(quoted) => quoted.into_owned(),
        // Only a NUL character cannot be quoted, and no AWS name contains one.
        Err(_) => word.replace('\0', ""),
    }
}
