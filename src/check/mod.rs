//! Is it right: verdicts on what the survey found. Pure, but for the survey itself.

pub mod account;
pub mod bucket;
pub mod selectors;
pub mod survey;
pub mod trail;

use crate::error::Error;
use crate::route::Route;
use survey::Survey;

/// One question with a stable id; the id is its heading in `docs/troubleshooting.md`.
pub struct Check {
    pub id: &'static str,
    /// A sentence that is true when the check passes.
    pub says: &'static str,
    pub weight: Weight,
    /// The permissions of the calls that it stands on.
    pub permissions: &'static [&'static str],
    pub judge: fn(&Survey) -> Verdict,
}

/// What hangs on the answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Weight {
    /// Setup cannot work without it: a failure stands, and "could not tell" counts as "no".
    Hard,
    /// The same, but the operator may accept it.
    Required,
    /// Good to know: "could not tell" counts as a warning. A failure can be accepted.
    Advisory,
}

/// Everything that is asked before an option is set up, in this order.
#[must_use]
pub fn checks(route: Route) -> &'static [&'static [Check]] {
    match route {
        Route::S3 => &[
            account::CHECKS,
            trail::CHECKS,
            bucket::CHECKS,
            bucket::KEY_CHECKS,
        ],
        Route::CloudWatch => &[account::CHECKS, trail::CHECKS],
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
    pub wanted: String,
    pub reason: String,
    pub fix: Fix,
}

/// The way out: by the console, by the AWS CLI, or by doing something else.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Fix {
    pub console: Option<String>,
    pub cli: Vec<String>,
    /// What no command does by itself.
    pub advice: Option<String>,
}

impl Finding {
    #[must_use]
    pub fn new(observed: impl Into<String>, wanted: impl Into<String>) -> Self {
        Self {
            observed: observed.into(),
            wanted: wanted.into(),
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
}

/// All verdicts, in the order of the checks.
pub struct Report {
    pub rows: Vec<(&'static Check, Verdict)>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    pub passed: usize,
    pub warnings: usize,
    pub failed: usize,
    pub skipped: usize,
    pub unknown: usize,
}

/// Asks every check.
#[must_use]
pub fn run(checks: &[&'static [Check]], survey: &Survey) -> Report {
    let rows = checks
        .iter()
        .copied()
        .flatten()
        .map(|check| (check, (check.judge)(survey)))
        .collect();
    Report { rows }
}

impl Report {
    #[must_use]
    pub fn counts(&self) -> Counts {
        let mut counts = Counts::default();
        for (_, verdict) in &self.rows {
            *match verdict {
                Verdict::Pass(_) => &mut counts.passed,
                Verdict::Warn(_) => &mut counts.warnings,
                Verdict::Fail(_) => &mut counts.failed,
                Verdict::Skip(_) => &mut counts.skipped,
                Verdict::Unknown(_) => &mut counts.unknown,
            } += 1;
        }
        counts
    }

    /// Whether setup may go on: nothing failed, and nothing that is required is unknown.
    #[must_use]
    pub fn is_ready(&self) -> bool {
        !self.rows.iter().any(|(check, verdict)| {
            matches!(verdict, Verdict::Fail(_))
                || (check.weight != Weight::Advisory && matches!(verdict, Verdict::Unknown(_)))
        })
    }
}
