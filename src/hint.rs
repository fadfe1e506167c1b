//! Hints: sentences with commands that resolve an error.

use std::fmt;

/// A sentence whose commands are kept apart from its words, so that a renderer never breaks a command.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Hint(Vec<HintPart>);

/// A part of a [`Hint`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum HintPart {
    Text(String),
    /// A command to copy and paste.
    Command(String),
}

impl Hint {
    /// Creates a hint that consists of one command.
    pub fn command(command: impl Into<String>) -> Self {
        Self(vec![HintPart::Command(command.into())])
    }

    #[must_use]
    pub fn parts(&self) -> &[HintPart] {
        &self.0
    }

    /// Appends a command.
    #[must_use]
    pub fn and_command(mut self, command: impl Into<String>) -> Self {
        self.0.push(HintPart::Command(command.into()));
        self
    }

    /// Appends the parts of another hint.
    #[must_use]
    pub fn and(mut self, other: &Self) -> Self {
        self.0.extend_from_slice(&other.0);
        self
    }
}

/// Reads a text in which each command stands between backticks.
impl From<&str> for Hint {
    fn from(text: &str) -> Self {
        let parts = text
            .split('`')
            .enumerate()
            .filter(|(_, part)| !part.is_empty());
        Self(
            parts
                .map(|(number, part)| match number % 2 {
                    0 => HintPart::Text(part.to_owned()),
                    _ => HintPart::Command(part.to_owned()),
                })
                .collect(),
        )
    }
}

impl From<String> for Hint {
    fn from(text: String) -> Self {
        Self::from(text.as_str())
    }
}

/// One line, without marks around the commands.
impl fmt::Display for Hint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|part| match part {
            HintPart::Text(text) | HintPart::Command(text) => f.write_str(text),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn backticks_mark_commands() {
        let hint = Hint::from("`heeler-ec plan` shows the difference");
        assert_eq!(
            hint.parts(),
            [
                HintPart::Command("heeler-ec plan".into()),
                HintPart::Text(" shows the difference".into()),
            ]
        );
        assert_eq!(hint.to_string(), "heeler-ec plan shows the difference");
    }

    #[test]
    fn text_without_backticks_is_one_part() {
        let hint = Hint::from("check the network");
        assert_eq!(hint.parts(), [HintPart::Text("check the network".into())]);
    }
}
