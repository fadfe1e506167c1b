//! The error of an invalid filter pattern, with its position.

use std::fmt;

/// Length of the excerpt at the error, in characters.
const MAX_EXCERPT_CHARS: usize = 20;

/// An invalid filter pattern.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PatternError {
    /// Number of characters before the error.
    pub position: usize,
    /// The text at the error, shortened; empty at the end of the pattern.
    pub excerpt: String,
    pub reason: &'static str,
}

impl PatternError {
    /// An error at the start of `rest`, which is the end of `text`.
    pub(super) fn at_rest(rest: &str, text: &str, reason: &'static str) -> Self {
        Self {
            position: text.chars().count().saturating_sub(rest.chars().count()),
            excerpt: rest
                .chars()
                .take(MAX_EXCERPT_CHARS)
                .take_while(|c| !c.is_control())
                .collect(),
            reason,
        }
    }
}

impl fmt::Display for PatternError {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            position,
            excerpt,
            reason,
        } = self;
        if excerpt.is_empty() {
            write!(out, "after character {position}: {reason}")
        } else {
            write!(out, "character {}, at `{excerpt}`: {reason}", position + 1)
        }
    }
}

impl std::error::Error for PatternError {}
