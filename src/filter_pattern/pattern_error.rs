//! Why a text is no pattern, and at which character.

use std::fmt;

/// How much of what follows is shown.
const MAX_EXCERPT_CHARS: usize = 20;

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PatternError {
    /// How many characters come before the place.
    pub position: usize,
    /// What follows there, shortened; empty at the end.
    pub excerpt: String,
    pub reason: &'static str,
}

impl PatternError {
    /// Of the place where `rest` begins, which is the end of `text`.
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
            position: at,
            excerpt: near,
            reason: why,
        } = self;
        if near.is_empty() {
            write!(out, "after character {at}: {why}")
        } else {
            write!(out, "character {}, at `{near}`: {why}", at + 1)
        }
    }
}

impl std::error::Error for PatternError {}
