//! Verdicts, and findings with their fixes.

use crate::error::Error;

#[derive(Clone, Debug)]
pub enum Verdict {
    /// The prerequisite is met, with what was observed.
    Pass(String),
    /// It works, but has a cost or a risk.
    Warn(Finding),
    Fail(Finding),
    /// The check does not apply or depends on another check, with the reason.
    Skip(String),
    /// A call that the check needs was refused or failed.
    Unknown(Error),
    /// It depends on facts that no call returns, such as a condition key of Heeler's requests. It counts as a warning.
    Undetermined(Finding),
}

/// The difference between the observed and the expected state, and how to fix it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Finding {
    pub observed: String,
    pub expected: String,
    pub reason: String,
    pub fix: Fix,
    /// True if waiting may be enough.
    pub retryable: bool,
    /// The option of this program that is deployed with the same names, if that is the whole problem.
    pub deployed_option: Option<String>,
}

/// The ways to fix a finding.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Fix {
    /// A path in the AWS console.
    pub console: Option<String>,
    /// Command lines, in order.
    pub cli: Vec<String>,
    /// Steps that no command can do.
    pub advice: Option<String>,
    /// The loss that the commands cause, as a phrase such as "deletes events older than one day".
    pub loss: Option<&'static str>,
    /// The change that `preflight --fix` can make.
    pub action: Option<FixAction>,
}

/// A change that `preflight --fix` can make. There are no others.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FixAction {
    StartLogging,
    SetRetentionToOneDay,
}

impl Finding {
    #[must_use]
    pub fn new(observed: impl Into<String>, expected: impl Into<String>) -> Self {
        Self {
            observed: observed.into(),
            expected: expected.into(),
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

    /// Marks the commands as destructive.
    #[must_use]
    pub fn destructive(mut self, loss: &'static str) -> Self {
        self.fix.loss = Some(loss);
        self
    }

    #[must_use]
    pub fn because_of_option(mut self, option: &str) -> Self {
        self.deployed_option = Some(option.to_owned());
        self
    }

    #[must_use]
    pub fn fixable_if(mut self, is_safe: bool, action: FixAction) -> Self {
        self.fix.action = is_safe.then_some(action);
        self
    }

    #[must_use]
    pub fn retryable(mut self) -> Self {
        self.retryable = true;
        self
    }
}
