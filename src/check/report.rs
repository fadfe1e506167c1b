//! Runs the checks of an option, and decides whether it is ready.

use super::resource_arn::group_resource_arn;
use super::{Check, CheckId, Finding, Verdict};
use crate::error::Error;
use crate::inventory::Snapshot;

/// A check and its verdict.
#[derive(Clone, Debug)]
pub struct CheckResult {
    pub check: &'static Check,
    pub verdict: Verdict,
    /// The ARN of the subject of the check's group, if it is a single known resource.
    pub resource: Option<String>,
    /// True if the operator accepts the verdict.
    pub accepted: bool,
}

/// The results of all checks of an option, in the order of the checks.
#[derive(Clone, Debug)]
pub struct Report {
    /// The name of the option.
    pub option: &'static str,
    /// The options of a command line that select it.
    pub arguments: &'static str,
    /// The vendor that receives the events, as it occurs in a sentence.
    pub vendor: &'static str,
    pub results: Vec<CheckResult>,
    /// The option that is deployed under the name prefix.
    pub deployed_option: Option<String>,
    strict: bool,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct VerdictCounts {
    pub passed: usize,
    pub warnings: usize,
    pub failed: usize,
    pub skipped: usize,
    pub unknown: usize,
    /// Number of accepted results among failures, warnings and unknown checks.
    pub accepted: usize,
}

/// The class of a result in a summary. Each result has exactly one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ResultClass {
    Failed,
    Unknown,
    Warning,
    /// Failed, unknown or a warning, and accepted by the operator.
    Accepted,
    Passed,
    Skipped,
}

impl ResultClass {
    /// All classes, the most severe one first.
    pub const ALL: [Self; 6] = [
        Self::Failed,
        Self::Unknown,
        Self::Warning,
        Self::Accepted,
        Self::Passed,
        Self::Skipped,
    ];

    /// Returns the word after a count.
    #[must_use]
    pub fn label(self, count: usize) -> &'static str {
        match self {
            Self::Failed => "failed",
            Self::Unknown => "unknown",
            Self::Warning if count == 1 => "warning",
            Self::Warning => "warnings",
            Self::Accepted => "accepted",
            Self::Passed => "passed",
            Self::Skipped => "skipped",
        }
    }
}

impl VerdictCounts {
    fn from_results<'a>(results: impl Iterator<Item = &'a CheckResult>) -> Self {
        let mut counts = Self::default();
        for result in results {
            *match result.verdict {
                Verdict::Pass(_) => &mut counts.passed,
                Verdict::Warn(_) => &mut counts.warnings,
                Verdict::Fail(_) => &mut counts.failed,
                Verdict::Skip(_) => &mut counts.skipped,
                Verdict::Unknown(_) | Verdict::Undetermined(_) => &mut counts.unknown,
            } += 1;
        }
        counts
    }
}

/// Evaluates the checks. With `strict`, a warning counts as a failure.
#[must_use]
pub fn run(snapshot: &Snapshot, checks: &'static [&'static [Check]], strict: bool) -> Report {
    let checks = checks.iter().copied().flatten();
    Report {
        option: snapshot.option.name,
        arguments: snapshot.option.owner.arguments,
        vendor: snapshot.vendor(),
        results: checks
            .map(|check| evaluate_check(check, snapshot))
            .collect(),
        deployed_option: snapshot.deployed_option(),
        strict,
    }
}

fn evaluate_check(check: &'static Check, snapshot: &Snapshot) -> CheckResult {
    let verdict = (check.evaluate)(snapshot);
    let accepted = check.requirement.acceptable
        && !matches!(verdict, Verdict::Pass(_) | Verdict::Skip(_))
        && check.id.is_accepted(snapshot);
    CheckResult {
        check,
        verdict,
        resource: group_resource_arn(check.id.group(), snapshot),
        accepted,
    }
}

impl CheckId {
    /// Returns true if the operator accepts failures of this check.
    pub(super) fn is_accepted(self, snapshot: &Snapshot) -> bool {
        let accepted = &snapshot.request.accepted_checks;
        accepted.contains(&self)
    }
}

impl CheckResult {
    /// Returns true if setup cannot continue with this result.
    #[must_use]
    pub fn is_blocking(&self) -> bool {
        match &self.verdict {
            _ if self.accepted => false,
            Verdict::Fail(_) => true,
            Verdict::Unknown(_) => !self.check.requirement.is_advisory(),
            _ => false,
        }
    }

    #[must_use]
    pub fn class(&self) -> ResultClass {
        match &self.verdict {
            Verdict::Pass(_) => ResultClass::Passed,
            Verdict::Skip(_) => ResultClass::Skipped,
            _ if self.accepted => ResultClass::Accepted,
            Verdict::Fail(_) => ResultClass::Failed,
            Verdict::Unknown(_) | Verdict::Undetermined(_) => ResultClass::Unknown,
            Verdict::Warn(_) => ResultClass::Warning,
        }
    }

    /// Returns true if the result counts as a warning.
    #[must_use]
    pub fn is_warning(&self) -> bool {
        match &self.verdict {
            _ if self.accepted => false,
            Verdict::Warn(_) | Verdict::Undetermined(_) => true,
            Verdict::Unknown(_) => self.check.requirement.is_advisory(),
            _ => false,
        }
    }

    /// Returns true if a later run may have a better result.
    #[must_use]
    pub fn is_retryable(&self) -> bool {
        self.is_blocking()
            || (!self.accepted
                && matches!(&self.verdict, Verdict::Warn(finding) if finding.retryable))
    }

    /// Returns true if the caller lacks the permission for a call of the check.
    #[must_use]
    pub fn lacks_permission(&self) -> bool {
        matches!(&self.verdict, Verdict::Unknown(error) if error.is_denied())
    }

    #[must_use]
    pub fn finding(&self) -> Option<&Finding> {
        match &self.verdict {
            Verdict::Warn(finding) | Verdict::Fail(finding) | Verdict::Undetermined(finding) => {
                Some(finding)
            }
            _ => None,
        }
    }
}

impl Report {
    /// Returns true if this option is deployed under the name prefix.
    #[must_use]
    pub fn is_deployed(&self) -> bool {
        self.deployed_option.as_deref() == Some(self.option)
    }

    /// Returns the results that are neither passed nor skipped, without those that only say that another option is
    /// deployed under the name prefix.
    pub fn problems(&self) -> impl Iterator<Item = &CheckResult> {
        self.results.iter().filter(|result| match &result.verdict {
            Verdict::Pass(_) | Verdict::Skip(_) => false,
            Verdict::Unknown(_) => true,
            Verdict::Warn(finding) | Verdict::Fail(finding) | Verdict::Undetermined(finding) => {
                finding.deployed_option.is_none()
            }
        })
    }

    /// Counts the results by verdict, and the accepted ones in addition.
    #[must_use]
    pub fn counts(&self) -> VerdictCounts {
        VerdictCounts {
            accepted: self.results.iter().filter(|result| result.accepted).count(),
            ..VerdictCounts::from_results(self.results.iter())
        }
    }

    /// Counts each result once: an accepted one only as accepted.
    #[must_use]
    pub fn unaccepted_counts(&self) -> VerdictCounts {
        VerdictCounts {
            accepted: self.counts().accepted,
            ..VerdictCounts::from_results(self.results.iter().filter(|result| !result.accepted))
        }
    }

    /// Returns the first failure of a call that blocks setup, if no check failed. A missing permission is no failure of
    /// the call: it is a result that the operator can change.
    #[must_use]
    pub fn call_failure(&self) -> Option<&Error> {
        let blocking = self.results.iter().filter(|result| result.is_blocking());
        let errors: Option<Vec<&Error>> = blocking
            .map(|result| match &result.verdict {
                Verdict::Unknown(error) => Some(error),
                _ => None,
            })
            .collect();
        errors?.into_iter().find(|error| !error.is_denied())
    }

    /// Returns true if setup may continue: no result is blocking and, with `strict`, none is a warning.
    #[must_use]
    pub fn is_ready(&self) -> bool {
        !self
            .results
            .iter()
            .any(|result| result.is_blocking() || (self.strict && result.is_warning()))
    }
}
