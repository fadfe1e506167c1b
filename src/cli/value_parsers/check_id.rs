//! The parser of check IDs. Help does not list the IDs, and completions do.

use std::ffi::OsStr;

use clap::builder::{PossibleValue, StyledStr, TypedValueParser};
use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::{Arg, Command};

use crate::check_id::CheckId;
use crate::option::all;

/// A parser of the IDs of all checks, or of those that can be accepted.
#[derive(Clone, Copy, Debug)]
pub struct CheckIdParser {
    acceptable_only: bool,
}

impl CheckIdParser {
    pub const ALL: Self = Self {
        acceptable_only: false,
    };
    pub const ACCEPTABLE: Self = Self {
        acceptable_only: true,
    };

    /// Returns the valid IDs in alphabetical order.
    fn ids(self) -> Vec<CheckId> {
        let checks = all().flat_map(|option| option.checks().iter().copied().flatten());
        let checks = checks.filter(|check| check.requirement.acceptable || !self.acceptable_only);
        let mut ids: Vec<CheckId> = checks.map(|check| check.id).collect();
        ids.sort_unstable_by_key(|id| id.as_str());
        ids.dedup();
        ids
    }

    /// Describes why a text is not a valid ID.
    fn suggestion(self, text: &str) -> String {
        let letters = |id: &str| -> String {
            let letters = id.chars().filter(char::is_ascii_alphanumeric);
            letters.collect::<String>().to_ascii_lowercase()
        };
        if CheckId::ALL.iter().any(|id| id.as_str() == text) {
            return format!("check {text} cannot be accepted");
        }
        let similar = self
            .ids()
            .into_iter()
            .find(|id| letters(id.as_str()) == letters(text));
        match similar {
            Some(id) => format!("a similar check exists: '{id}'"),
            None => "'heeler-ec help checks' lists the checks".to_owned(),
        }
    }
}

impl TypedValueParser for CheckIdParser {
    type Value = CheckId;

    fn parse_ref(
        &self,
        command: &Command,
        arg: Option<&Arg>,
        value: &OsStr,
    ) -> Result<CheckId, clap::Error> {
        let text = value.to_string_lossy();
        if let Some(id) = self.ids().into_iter().find(|id| id.as_str() == text) {
            return Ok(id);
        }
        let mut error = clap::Error::new(ErrorKind::InvalidValue).with_cmd(command);
        let name = arg.map_or_else(|| "CHECK".to_owned(), ToString::to_string);
        error.insert(ContextKind::InvalidArg, ContextValue::String(name));
        let suggestion = StyledStr::from(self.suggestion(&text));
        error.insert(
            ContextKind::InvalidValue,
            ContextValue::String(text.into_owned()),
        );
        error.insert(
            ContextKind::Suggested,
            ContextValue::StyledStrs(vec![suggestion]),
        );
        Err(error)
    }

    fn possible_values(&self) -> Option<Box<dyn Iterator<Item = PossibleValue> + '_>> {
        let ids = self.ids().into_iter();
        Some(Box::new(ids.map(|id| PossibleValue::new(id.as_str()))))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(parser: CheckIdParser, text: &str) -> Result<CheckId, String> {
        let parsed = parser.parse_ref(&Command::new("test"), None, OsStr::new(text));
        parsed.map_err(|error| error.to_string())
    }

    #[test]
    fn similar_id_is_suggested() {
        assert_eq!(
            parse(CheckIdParser::ALL, "trail.logging"),
            Ok(CheckId::TrailLogging)
        );
        let error = parse(CheckIdParser::ACCEPTABLE, "traillogging").unwrap_err();
        assert!(error.contains("'trail.logging'"), "{error}");
        let error = parse(CheckIdParser::ACCEPTABLE, "bucket.owner").unwrap_err();
        assert!(error.contains("cannot be accepted"), "{error}");
        let error = parse(CheckIdParser::ALL, "nothing").unwrap_err();
        assert!(error.contains("help checks"), "{error}");
    }

    #[test]
    fn every_check_can_be_explained() {
        for id in CheckId::ALL {
            assert_eq!(parse(CheckIdParser::ALL, id.as_str()), Ok(*id));
        }
    }
}
