//! Is it right: verdicts on what the survey found. Pure, but for the survey itself.

pub mod account;
pub mod bucket;
mod delivery;
pub mod event_selectors;
pub mod fixes;
pub mod key;
mod log_streams;
pub mod logs;
pub mod names;
pub mod permission_scope;
mod resource_arn;
mod subscription;
pub mod trail;
mod trail_events;
mod trail_selection;

use crate::error::Error;
use crate::inventory::Snapshot;
use crate::inventory::trail_destination::TrailDestination;

/// One question with a stable id; the id is its heading in `docs/troubleshooting.md`.
#[derive(Debug)]
pub struct Check {
    pub id: &'static str,
    /// A sentence that is true when the check passes.
    pub description: &'static str,
    pub requirement: Requirement,
    /// The permissions of the calls that it stands on.
    pub permissions: &'static [&'static str],
    pub evaluate: fn(&Snapshot) -> Verdict,
}

impl Check {
    /// What the check belongs to: the first part of its id.
    #[must_use]
    pub fn group(&self) -> &'static str {
        self.id.split('.').next().unwrap_or(self.id)
    }
}

/// What hangs on the answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Requirement {
    /// Setup cannot work without it: a failure stands, and "could not tell" counts as "no".
    Hard,
    /// The same, but the operator may accept it.
    Required,
    /// Good to know: "could not tell" counts as a warning. A failure can be accepted.
    Advisory,
    /// The same, but nothing can be accepted: it is about the account and its organization, which all else stands on.
    Firm,
}

impl Requirement {
    /// Whether "could not tell" is only a warning.
    #[must_use]
    pub fn is_advisory(self) -> bool {
        matches!(self, Self::Advisory | Self::Firm)
    }

    /// Whether the operator may take what is found as it is.
    #[must_use]
    pub fn can_be_accepted(self) -> bool {
        matches!(self, Self::Required | Self::Advisory)
    }
}

/// Everything that is asked before an option is set up, in this order.
#[must_use]
pub fn checks(route: TrailDestination) -> &'static [&'static [Check]] {
    match route {
        TrailDestination::Bucket => &[
            account::CHECKS,
            trail::CHECKS,
            bucket::CHECKS,
            key::CHECKS,
            names::CHECKS,
            names::S3_CHECKS,
            names::DEEP_CHECKS,
        ],
        TrailDestination::LogGroup => &[
            account::CHECKS,
            trail::CHECKS,
            logs::CHECKS,
            names::CHECKS,
            names::CLOUDWATCH_CHECKS,
            names::DEEP_CHECKS,
        ],
    }
}

#[derive(Clone, Debug)]
pub enum Verdict {
    Pass(String),
    /// It works, but costs or risks something.
    Warn(Finding),
    Fail(Finding),
    /// Not asked, because of another check or because it does not apply.
    Skip(String),
    /// The call that would tell was refused.
    Unknown(Error),
}

/// What was found where something else was wanted, and the way out.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Finding {
    pub observed: String,
    pub expected: String,
    pub reason: String,
    pub fix: Fix,
    /// Whether waiting may be enough.
    pub retryable: bool,
}

/// The way out: by the console, by the AWS CLI, or by doing something else.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Fix {
    pub console: Option<String>,
    pub cli: Vec<String>,
    /// What no command does by itself.
    pub advice: Option<String>,
    /// What `preflight --fix` can do about it, when asked.
    pub repair: Option<FixAction>,
}

/// The whole list of what `preflight --fix` may change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FixAction {
    StartLogging,
    SetRetentionToOneDay,
}

impl Finding {
    #[must_use]
    pub fn new(observed: impl Into<String>, wanted: impl Into<String>) -> Self {
        Self {
            observed: observed.into(),
            expected: wanted.into(),
            ..Self::default()
        }
    }

    #[must_use]
    pub fn because(mut self, reason: impl Into<String>) -> Self {
        self.reason = reason.into();
        self
    }

    #[must_use]
    pub fn console(mut self, path: impl Into<String>) -> Self {
        self.fix.console = Some(path.into());
        self
    }

    #[must_use]
    pub fn advice(mut self, advice: impl Into<String>) -> Self {
        self.fix.advice = Some(advice.into());
        self
    }

    #[must_use]
    pub fn cli(mut self, command: impl Into<String>) -> Self {
        self.fix.cli.push(command.into());
        self
    }

    #[must_use]
    pub fn fixable_if(mut self, safe: bool, repair: FixAction) -> Self {
        self.fix.repair = safe.then_some(repair);
        self
    }

    #[must_use]
    pub fn retryable(mut self) -> Self {
        self.retryable = true;
        self
    }
}

/// One check and what came of it.
#[derive(Clone, Debug)]
pub struct CheckResult {
    pub check: &'static Check,
    pub verdict: Verdict,
    /// The ARN of what its group is about, where that is one thing and known.
    pub resource: Option<String>,
    /// Whether the operator takes it as it is.
    pub accepted: bool,
}

/// All verdicts on one option, in the order of the checks.
#[derive(Clone, Debug)]
pub struct Report {
    pub route: TrailDestination,
    pub results: Vec<CheckResult>,
    strict: bool,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct VerdictCounts {
    pub passed: usize,
    pub warnings: usize,
    pub failed: usize,
    pub skipped: usize,
    pub unknown: usize,
    /// Of those that failed, warn or are unknown.
    pub accepted: usize,
}

impl VerdictCounts {
    fn from_results<'a>(rows: impl Iterator<Item = &'a CheckResult>) -> Self {
        let mut counts = Self::default();
        for row in rows {
            *match row.verdict {
                Verdict::Pass(_) => &mut counts.passed,
                Verdict::Warn(_) => &mut counts.warnings,
                Verdict::Fail(_) => &mut counts.failed,
                Verdict::Skip(_) => &mut counts.skipped,
                Verdict::Unknown(_) => &mut counts.unknown,
            } += 1;
        }
        counts
    }
}

/// Asks every check of the survey's option. Under strict terms a warning counts as a failure.
#[must_use]
pub fn run(survey: &Snapshot, strict: bool) -> Report {
    let rows = checks(survey.route).iter().copied().flatten();
    Report {
        route: survey.route,
        results: rows.map(|check| evaluate_check(check, survey)).collect(),
        strict,
    }
}

fn evaluate_check(check: &'static Check, survey: &Snapshot) -> CheckResult {
    let verdict = (check.evaluate)(survey);
    let accepted = check.requirement.can_be_accepted()
        && !matches!(verdict, Verdict::Pass(_) | Verdict::Skip(_))
        && survey
            .request
            .accepted_checks
            .iter()
            .any(|id| id == check.id);
    CheckResult {
        check,
        verdict,
        resource: resource_arn::group_resource_arn(check.group(), survey),
        accepted,
    }
}

impl CheckResult {
    /// Whether setup has to wait for it.
    #[must_use]
    pub fn is_blocking(&self) -> bool {
        match &self.verdict {
            _ if self.accepted => false,
            Verdict::Fail(_) => true,
            Verdict::Unknown(_) => !self.check.requirement.is_advisory(),
            _ => false,
        }
    }

    /// Whether it counts as a warning.
    #[must_use]
    pub fn is_warning(&self) -> bool {
        match &self.verdict {
            _ if self.accepted => false,
            Verdict::Warn(_) => true,
            Verdict::Unknown(_) => self.check.requirement.is_advisory(),
            _ => false,
        }
    }

    /// Whether another look, some time later, may end better.
    #[must_use]
    pub fn is_retryable(&self) -> bool {
        self.is_blocking()
            || (!self.accepted
                && matches!(&self.verdict, Verdict::Warn(finding) if finding.retryable))
    }

    #[must_use]
    pub fn finding(&self) -> Option<&Finding> {
        match &self.verdict {
            Verdict::Warn(finding) | Verdict::Fail(finding) => Some(finding),
            _ => None,
        }
    }
}

impl Report {
    /// How many checks have each verdict, and how many of them are accepted.
    #[must_use]
    pub fn counts(&self) -> VerdictCounts {
        VerdictCounts {
            accepted: self.results.iter().filter(|row| row.accepted).count(),
            ..VerdictCounts::from_results(self.results.iter())
        }
    }

    /// The same, but each check counts once: what is accepted counts as that only.
    #[must_use]
    pub fn unaccepted_counts(&self) -> VerdictCounts {
        VerdictCounts {
            accepted: self.counts().accepted,
            ..VerdictCounts::from_results(self.results.iter().filter(|row| !row.accepted))
        }
    }

    /// Whether setup may go on: nothing stands in the way, and under strict terms nothing warns.
    #[must_use]
    pub fn is_ready(&self) -> bool {
        !self
            .results
            .iter()
            .any(|row| row.is_blocking() || (self.strict && row.is_warning()))
    }
}

/// What is not asked because another check did not pass.
fn skipped_because(check: &str) -> Verdict {
    Verdict::Skip(format!("stands on {check}"))
}

/// A time as AWS writes it.
fn format_time(time: std::time::SystemTime) -> String {
    humantime::format_rfc3339_seconds(time).to_string()
}

/// A word as a shell takes it.
fn shell_quote(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "_-+=,.@:/%".contains(c);
    if !word.is_empty() && word.chars().all(plain) {
        return word.to_owned();
    }
    format!("'{}'", word.replace('\'', r"'\''"))
}
