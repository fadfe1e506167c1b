//! The signs of results: of checks and of hops.

use super::Ui;

/// A sign of one column. A word or a color beside it has the same meaning.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ResultSign {
    Good,
    Warning,
    Bad,
    Unknown,
    Skipped,
}

impl ResultSign {
    pub fn text(self, ui: Ui) -> &'static str {
        match self {
            Self::Good => ui.symbol("✓", "+"),
            Self::Warning => "!",
            Self::Bad => ui.symbol("✗", "x"),
            Self::Unknown => "?",
            Self::Skipped => "-",
        }
    }
}
