//! Why a text is no pattern, and at which character.

use std::fmt;

/// How much of what follows is shown.
const SHOWN: usize = 20;

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Malformed {
    /// How many characters come before the place.
    pub at: usize,
    /// What follows there, shortened; empty at the end.
    pub near: String,
    pub why: &'static str,
}

impl Malformed {
    /// Of the place where `rest` begins, which is the end of `text`.
    pub(super) fn before(rest: &str, text: &str, why: &'static str) -> Self {
        Self {
            at: text.chars().count().saturating_sub(rest.chars().count()),
            near: rest
                .chars()
                .take(SHOWN)
                .take_while(|c| !c.is_control())
                .collect(),
            why,
        }
    }
}

impl fmt::Display for Malformed {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { at, near, why } = self;
        if near.is_empty() {
            write!(out, "after character {at}: {why}")
        } else {
            write!(out, "character {}, at `{near}`: {why}", at + 1)
        }
    }
}

impl std::error::Error for Malformed {}
