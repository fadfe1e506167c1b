//! Is it right: verdicts on what the survey found. Pure, but for the survey itself.

pub mod account;
pub mod bucket;
mod choice;
mod delivery;
mod events;
pub mod key;
pub mod logs;
pub mod names;
pub mod place;
mod reading;
pub mod repair;
pub mod selectors;
mod streams;
mod subject;
mod subscription;
pub mod survey;
pub mod trail;

use crate::error::Error;
use crate::route::Route;
use survey::Survey;

/// One question with a stable id; the id is its heading in `docs/troubleshooting.md`.
#[derive(Debug)]
pub struct Check {
    pub id: &'static str,
    /// A sentence that is true when the check passes.
    pub says: &'static str,
    pub weight: Weight,
    /// The permissions of the calls that it stands on.
    pub permissions: &'static [&'static str],
    pub judge: fn(&Survey) -> Verdict,
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
pub enum Weight {
    /// Setup cannot work without it: a failure stands, and "could not tell" counts as "no".
    Hard,
    /// The same, but the operator may accept it.
    Required,
    /// Good to know: "could not tell" counts as a warning. A failure can be accepted.
    Advisory,
    /// The same, but nothing can be accepted: it is about the account and its organization, which all else stands on.
    Firm,
}

impl Weight {
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
pub fn checks(route: Route) -> &'static [&'static [Check]] {
    match route {
        Route::S3 => &[
            account::CHECKS,
            trail::CHECKS,
            bucket::CHECKS,
            key::CHECKS,
            names::CHECKS,
            names::S3_CHECKS,
            names::DEEP_CHECKS,
        ],
        Route::CloudWatch => &[
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
    pub wanted: String,
    pub reason: String,
    pub fix: Fix,
    /// Whether waiting may be enough.
    pub settles: bool,
}

/// The way out: by the console, by the AWS CLI, or by doing something else.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Fix {
    pub console: Option<String>,
    pub cli: Vec<String>,
    /// What no command does by itself.
    pub advice: Option<String>,
    /// What `preflight --fix` can do about it, when asked.
    pub repair: Option<Repair>,
}

/// The whole list of what `preflight --fix` may change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Repair {
    StartLogging,
    RetentionOfOneDay,
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

    #[must_use]
    pub fn repair_if(mut self, safe: bool, repair: Repair) -> Self {
        self.fix.repair = safe.then_some(repair);
        self
    }

    #[must_use]
    pub fn settles(mut self) -> Self {
        self.settles = true;
        self
    }
}

/// One check and what came of it.
#[derive(Clone, Debug)]
pub struct Row {
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
    pub route: Route,
    pub rows: Vec<Row>,
    strict: bool,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    pub passed: usize,
    pub warnings: usize,
    pub failed: usize,
    pub skipped: usize,
    pub unknown: usize,
    /// Of those that failed, warn or are unknown.
    pub accepted: usize,
}

impl Counts {
    fn of<'a>(rows: impl Iterator<Item = &'a Row>) -> Self {
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
pub fn run(survey: &Survey, strict: bool) -> Report {
    let rows = checks(survey.route).iter().copied().flatten();
    Report {
        route: survey.route,
        rows: rows.map(|check| row(check, survey)).collect(),
        strict,
    }
}

fn row(check: &'static Check, survey: &Survey) -> Row {
    let verdict = (check.judge)(survey);
    let accepted = check.weight.can_be_accepted()
        && !matches!(verdict, Verdict::Pass(_) | Verdict::Skip(_))
        && survey.hints.accepted.iter().any(|id| id == check.id);
    Row {
        check,
        verdict,
        resource: subject::subject(check.group(), survey),
        accepted,
    }
}

impl Row {
    /// Whether setup has to wait for it.
    #[must_use]
    pub fn stands_in_the_way(&self) -> bool {
        match &self.verdict {
            _ if self.accepted => false,
            Verdict::Fail(_) => true,
            Verdict::Unknown(_) => !self.check.weight.is_advisory(),
            _ => false,
        }
    }

    /// Whether it counts as a warning.
    #[must_use]
    pub fn warns(&self) -> bool {
        match &self.verdict {
            _ if self.accepted => false,
            Verdict::Warn(_) => true,
            Verdict::Unknown(_) => self.check.weight.is_advisory(),
            _ => false,
        }
    }

    /// Whether another look, some time later, may end better.
    #[must_use]
    pub fn may_settle(&self) -> bool {
        self.stands_in_the_way()
            || (!self.accepted
                && matches!(&self.verdict, Verdict::Warn(finding) if finding.settles))
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
    pub fn counts(&self) -> Counts {
        Counts {
            accepted: self.rows.iter().filter(|row| row.accepted).count(),
            ..Counts::of(self.rows.iter())
        }
    }

    /// The same, but each check counts once: what is accepted counts as that only.
    #[must_use]
    pub fn open(&self) -> Counts {
        Counts {
            accepted: self.counts().accepted,
            ..Counts::of(self.rows.iter().filter(|row| !row.accepted))
        }
    }

    /// Whether setup may go on: nothing stands in the way, and under strict terms nothing warns.
    #[must_use]
    pub fn is_ready(&self) -> bool {
        !self
            .rows
            .iter()
            .any(|row| row.stands_in_the_way() || (self.strict && row.warns()))
    }
}

/// What is not asked because another check did not pass.
fn hangs_on(check: &str) -> Verdict {
    Verdict::Skip(format!("stands on {check}"))
}

/// A time as AWS writes it.
fn written(time: std::time::SystemTime) -> String {
    humantime::format_rfc3339_seconds(time).to_string()
}

/// A word as a shell takes it.
fn quoted(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "_-+=,.@:/%".contains(c);
    if !word.is_empty() && word.chars().all(plain) {
        return word.to_owned();
    }
    format!("'{}'", word.replace('\'', r"'\''"))
}
