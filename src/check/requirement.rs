//! The effect of a failed or unknown check on readiness.

/// The level of a check, and whether the operator can accept a failure.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Requirement {
    pub level: Level,
    /// True if `--accept` makes setup continue although the check failed.
    pub acceptable: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Level {
    /// Setup cannot work if the check fails. `unknown` counts as a failure, and `--accept` has no effect.
    Blocking,
    /// Heeler requires it. `unknown` counts as a failure.
    Required,
    /// `unknown` counts as a warning only.
    Advisory,
}

impl Requirement {
    pub const BLOCKING: Self = Self::new(Level::Blocking, false);
    pub const REQUIRED: Self = Self::new(Level::Required, true);
    pub const ADVISORY: Self = Self::new(Level::Advisory, true);

    const fn new(level: Level, acceptable: bool) -> Self {
        Self { level, acceptable }
    }

    /// Returns true if `unknown` counts as a warning only.
    #[must_use]
    pub fn is_advisory(self) -> bool {
        self.level == Level::Advisory
    }
}
